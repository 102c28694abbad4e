from __future__ import annotations

import gzip
import time
from pathlib import Path

import numpy as np
import pytest

import twomass_nb as tm
from twomass_nb.errors import LayoutError
from twomass_nb.raw.inflate import Content
from twomass_nb.raw.wordorder.confidence import confidence
from twomass_nb.raw.wordorder.detect import contradicts, detect_layout, examine


def content(frames, layout):
    return Content(np.frombuffer(layout.encode(frames), np.uint8))


def outcomes(frames, layouts):
    """How many orders were found and refused; none may be wrong."""
    found = refused = 0
    for layout in layouts:
        finding = examine(content(frames, layout))
        if len(finding.possible) == 1:
            assert finding.possible == (layout,)
            assert 0 < finding.confidence <= 1
            found += 1
        else:
            assert finding.undecided
            assert finding.reason
            refused += 1
    return found, refused


@pytest.mark.parametrize("band", ["j", "h", "k"])
def test_science_scans_of_40_frames(simulated, some_orders, band):
    layouts = some_orders(17, seed=ord(band))
    found, _ = outcomes(simulated(band, 40, 21, direction="s"), layouts)
    assert found >= 0.9 * len(layouts)


def test_a_whole_scan_in_time(simulated, some_orders):
    frames = simulated("j", 274, 22)
    for layout in some_orders(2, seed=22):
        whole = content(frames, layout)
        start = time.perf_counter()
        assert examine(whole).possible == (layout,)
        assert time.perf_counter() - start < 8  # alone on a machine: below 2


@pytest.mark.parametrize("n", [1, 2, 5])
def test_too_few_frames_are_refused(simulated, some_orders, n):
    for layout in some_orders(3, seed=n):
        assert len(examine(content(simulated("k", 40, 21)[:n], layout)).possible) > 1


@pytest.mark.parametrize("n", [128, 256])
def test_as_many_frames_as_an_axis_is_long(simulated, some_orders, n):
    outcomes(simulated("h", n, 23), some_orders(2, seed=n))


@pytest.mark.parametrize(("kind", "n"), [("dark", 48), ("twilight", 53)])
def test_frames_that_show_little_are_never_wrong(simulated, some_orders, kind, n):
    for band, seed in (("j", 31), ("k", 32)):
        outcomes(simulated(band, n, seed, kind), some_orders(4, seed=seed))


@pytest.mark.parametrize("fill", ["empty", "noise", "one frame again and again"])
def test_what_no_camera_gives_is_refused(science, some_orders, fill):
    frames = np.zeros((16, 2, 256, 256), np.uint16)
    if fill == "noise":
        frames = np.random.default_rng(0).integers(0, 65536, frames.shape, np.uint16)
    elif fill != "empty":
        frames[:] = science[0]
    for layout in some_orders(3, seed=5):
        assert len(examine(content(frames, layout)).possible) > 1


def test_real_sky_observed_again(real_data, tmp_path, some_orders):
    images = sorted((real_data / "atlas").glob("aK_asky_990502s135*.fits.gz"))
    path = tm.simulate.reobserve(images, tmp_path, seed=1, n_frames=100, darks=0, twilights=0)
    frames = tm.open_scan(path).frames
    found, _ = outcomes(frames[60:], some_orders(5, seed=7))
    assert found >= 4


def test_the_refusal_names_axes_and_ways_out(write, simulated):
    path = write("k1186990.rds.gz", simulated("k", 48, 32, "dark"), tm.Layout("y f b x r X Y"))
    with pytest.raises(LayoutError, match=r"could not tell apart the axes .*r Y y X x") as info:
        detect_layout(path)
    assert "layout=" in str(info.value)
    assert "learn_layout" in str(info.value)
    assert "\n" not in str(info.value)


def test_of_a_file(write, science):
    layout = tm.Layout("b r f Y y X x", high_first=False)
    assert detect_layout(write("k1186063.rds.gz", science, layout))[0] == layout


def test_a_cut_file_whose_frames_are_whole(night: Path, science):
    layout = tm.Layout("f b r Y X y x")
    path = night / "k1186063.rds.gz"
    path.write_bytes(gzip.compress(layout.encode(science), 1)[:-400_000])
    assert detect_layout(path)[0] == layout


def test_orders_that_contradict_a_dark(simulated):
    true = tm.Layout("f b r Y X y x")
    dark = content(simulated("k", 48, 32, "dark"), true)
    assert contradicts(dark, true) == ""
    assert contradicts(dark, tm.Layout("f b r Y X y x", high_first=False))
    assert contradicts(dark, tm.Layout("f r b Y X y x"))
    assert contradicts(dark, tm.Layout("f b r y x Y X"))


def test_the_confidence_rises_with_the_margin_and_stays_below_one():
    stated = [confidence(k / 100) for k in range(101)]
    assert stated == sorted(stated)
    assert 0.9 < stated[0] < stated[-1] < 1


def test_a_fading_twilight_whose_frames_lie_innermost(simulated):
    twilight = simulated("j", 53, 102, "twilight")
    finding = examine(content(twilight, tm.Layout("X b r Y y x f")))
    assert {layout.axes[-1] for layout in finding.possible} == {"f"}
    assert "f" not in finding.undecided


def test_orders_that_contradict_a_twilight(simulated):
    true = tm.Layout("Y f b r X y x")
    twilight = content(simulated("k", 53, 33, "twilight"), true)
    assert contradicts(twilight, true) == ""
    assert "its level" in contradicts(twilight, tm.Layout("f Y b r X y x"))
