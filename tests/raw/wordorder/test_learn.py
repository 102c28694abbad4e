from __future__ import annotations

import hashlib
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twomass_nb import Layout, convert, learn_layout
from twomass_nb.errors import LayoutError
from twomass_nb.raw.inflate import Content
from twomass_nb.raw.layout import AXES
from twomass_nb.raw.wordorder import learn as learning
from twomass_nb.raw.wordorder.learn import learn, learn_from
from twomass_nb.raw.wordorder.remember import FileSeen, remembered

layouts = st.builds(Layout, st.permutations(AXES).map("".join), st.booleans())


def learnt(frames, layout):
    """What is learnt from frames as they are, and in the order `layout`."""
    pair = (layout, Layout(AXES, layout.high_first))
    contents = [Content(np.frombuffer(one.encode(frames), np.uint8)) for one in pair]
    return learn_from(*contents, (FileSeen("a.rds", 0, ""), FileSeen("a.rdo", 0, "")), False)


def camera_noise(rng, n):
    return rng.integers(9000, 13000, (n, 2, 256, 256), np.uint16)


def random_words(rng, n):
    return rng.integers(0, 65536, (n, 2, 256, 256), np.uint16)


def flat_frames(rng, n):
    return (9000 + np.zeros((n, 2, 256, 256)) + np.arange(n)[:, None, None, None]).astype(np.uint16)


def flat_reads(rng, n):
    frames = flat_frames(rng, n)
    frames[:, 1] += 40
    return frames


def smooth_frames(rng, n):
    f, r, y, x = np.ogrid[:n, :2, :256, :256]
    return (9000 + 7 * f + 500 * r + 2 * y + 5 * x).astype(np.uint16)


def some_pixels(rng, n):
    frames = np.full((n, 2, 256, 256), 9000, np.uint16)
    frames.flat[rng.choice(frames.size, 300, replace=False)] = rng.integers(9000, 12000, 300)
    return frames


def same_but_one_pixel(rng, n):
    frames = np.repeat(camera_noise(rng, 1), n, axis=0)
    frames[:, 1, 20, 30] += np.arange(n, dtype=np.uint16)
    return frames


@pytest.mark.parametrize(
    ("content", "always"),
    [
        (camera_noise, True),
        (smooth_frames, True),
        (some_pixels, True),
        (same_but_one_pixel, True),
        (flat_frames, False),
        (flat_reads, False),
    ],
)
@given(layout=layouts, n=st.integers(2, 5), seed=st.integers(0, 99))
@settings(max_examples=8, deadline=None)
def test_any_frames_that_differ(content, always, layout, n, seed):
    """The exact order, or two orders that both fit and the axes that these differ by."""
    frames = content(np.random.default_rng(seed), n)
    try:
        assert learnt(frames, layout).layout == layout
    except LayoutError as error:
        assert not always
        axes, one, two = re.search(
            r"the axes (.*) apart: '(.*)' and '(.*)' both fit", str(error)
        ).groups()
        orders = [Layout(order, layout.high_first) for order in (one, two)]
        assert orders[0] != orders[1]
        for order in orders:
            assert order.encode(frames) == layout.encode(frames)
        differ = {a for a, b in zip(*(order.axes for order in orders), strict=True) if a != b}
        assert differ <= set(axes.split())


@given(layout=layouts, n=st.integers(2, 4))
@settings(max_examples=8, deadline=None)
def test_of_random_words_the_order_but_not_which_byte_is_high(layout, n):
    frames = random_words(np.random.default_rng(n), n)
    order = " ".join(layout.axes)
    with pytest.raises(LayoutError, match=f"the order of .* is '{order}', .* which byte is high"):
        learnt(frames, layout)


def test_exact_on_50_random_orders(pair, some_orders, science):
    for k, layout in enumerate(some_orders(50, seed=11)):
        assert learn_layout(*pair(science[: 2 + k % 7], layout)) == layout


@pytest.mark.parametrize("kind", ["dark", "twilight"])
def test_frames_without_stars(pair, some_orders, simulated, kind):
    for layout in some_orders(5, seed=12):
        assert learn_layout(*pair(simulated("h", 6, 3, kind), layout)) == layout


@pytest.mark.parametrize("n", [128, 256])
def test_as_many_frames_as_an_axis_is_long(pair, some_orders, science, n):
    frames = np.resize(science, (n, 2, 256, 256))
    frames[:, 0, 0, 0] += np.arange(n, dtype=np.uint16)
    for layout in some_orders(2, seed=n):
        assert learn_layout(*pair(frames, layout)) == layout


def test_packed_files(pair, science):
    layout = Layout("Y f b x r X y", high_first=False)
    files = pair(science[:3], layout, "j1186063.rds.gz", "j1186063.rdo.gz")
    assert learn_layout(*files) == layout


def test_one_frame_has_the_order_of_its_other_axes(pair, some_orders, science):
    for layout in some_orders(5, seed=13):
        rds, rdo = pair(science[:1], layout)
        decoded = learn_layout(rds, rdo).decode(rds.read_bytes(), 1)
        np.testing.assert_array_equal(decoded, science[:1])


def test_few_bytes_that_differ_suffice(pair):
    frames = np.full((4, 2, 256, 256), 9000, np.uint16)
    rng = np.random.default_rng(0)
    for value in range(9001, 9041):
        frames[tuple(rng.integers(0, frames.shape))] = value
    layout = Layout("x b Y r f y X", high_first=False)
    assert learn_layout(*pair(frames, layout)) == layout


def test_ambiguous_content_is_named(pair):
    frames = np.full((2, 2, 256, 256), 9000, np.uint16)
    frames[1] += 1
    with pytest.raises(LayoutError, match=r"do not tell the axes .* apart"):
        learn_layout(*pair(frames, Layout("b f r X Y x y")))


def test_no_order_fits(pair, science):
    rds, rdo = pair(science[:3], Layout("f r b Y y X x"))
    changed = bytearray(rds.read_bytes())
    changed[200_000] ^= 1
    rds.write_bytes(changed)
    with pytest.raises(LayoutError, match="tried all orders") as info:
        learn_layout(rds, rdo)
    assert "\n" not in str(info.value)
    tried = "\n".join(info.value.tried)
    for what in ("all 5040 orders", "blocks of 2 to 2 frames", "differences modulo 65536"):
        assert what in tried


def test_bytes_that_change_places_too(write, science):
    rds = write("j1186063.rds", science[:3], Layout("f b Y r X y x", high_first=False))
    rdo = write("j1186063.rdo", science[:3], Layout(AXES, high_first=True))
    found = learn(rds, rdo)
    assert found.layout == Layout("f b Y r X y x", high_first=False)
    assert found.evidence.swapped


def test_the_evidence(pair, science):
    layout = Layout("Y f b x r X y", high_first=False)
    files = pair(science[:3], layout, "j1186063.rds.gz", "j1186063.rdo")
    found = learn(*files)
    assert found.layout == layout
    assert not found.evidence.simulated
    assert found.evidence.bytes_compared == 3 * 262_144
    for seen, path in zip(found.evidence.files, files, strict=True):
        assert seen.name == path.name
        assert seen.size == path.stat().st_size
        assert seen.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    "layout",
    [Layout("b x f r Y y X", block=4), Layout("f b r Y X y x", high_first=False, difference="r")],
)
def test_what_is_learnt_converts_there_and_back(pair, science, layout, tmp_path):
    rds, rdo = pair(science[:10], layout)
    found = learn_layout(rds, rdo)
    assert found == layout
    made = convert(rds, tmp_path / "j1186063.rdo", layout=found)
    assert made.read_bytes() == rdo.read_bytes()
    again = convert(made, tmp_path / "j1186063.rds", layout=found)
    assert again.read_bytes() == rds.read_bytes()


def test_sizes_that_do_not_match(write, science):
    rds = write("j1186063.rds", science[:2])
    with pytest.raises(LayoutError, match=r"2 frames and .* 3"):
        learn_layout(rds, write("j1186063.rdo", science[:3]))


def test_a_cut_file_teaches_nothing(pair, science):
    files = pair(science[:3], Layout("f r b Y y X x"), "j1186063.rds.gz", keep=-9_000)
    with pytest.raises(LayoutError, match="cut off"):
        learn_layout(*files)


def test_files_given_the_wrong_way_round(pair, science):
    """The order that turns the second into the first is another, and fits as well."""
    rds, rdo = pair(science[:3], Layout("f X r Y y x b"))
    with pytest.raises(LayoutError, match=r"give the \.rds file first"):
        learn_layout(rdo, rds)
    with pytest.raises(LayoutError, match=r"give the \.rds file first"):
        learn_layout(rds, rds)
    assert remembered() == []


def test_scans_too_long_to_learn_from(pair, science, monkeypatch):
    monkeypatch.setattr(learning, "MOST_FRAMES", 2)
    with pytest.raises(LayoutError, match="has more than 2 frames: learn from a shorter scan"):
        learn_layout(*pair(science[:3], Layout("f X r Y y x b")))
