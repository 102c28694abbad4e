"""Which order a file is opened with, and what is said of it: never a wrong frame in silence."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

from twomass_nb import Layout, learn_layout, open_scan
from twomass_nb.errors import LayoutError, RawFileError, TwomassWarning
from twomass_nb.raw.inflate import Content
from twomass_nb.raw.layout import AXES
from twomass_nb.raw.packing import packed
from twomass_nb.raw.wordorder import choose
from twomass_nb.raw.wordorder.detect import contradicts
from twomass_nb.raw.wordorder.remember import forget, remembered

ONE, OTHER = Layout("f b r Y X y x"), Layout("y b r f x Y X", high_first=False)
IN_BLOCKS = Layout("b x f r Y y X", block=16, difference="-r")


@pytest.fixture
def file(tmp_path):
    """Write frames in a folder of their own, so that no neighbour speaks for them."""

    def write(frames, layout, name="k1186063.rds.gz", folder="another", simulated=False):
        (tmp_path / folder).mkdir(exist_ok=True)
        path = tmp_path / folder / name
        data = np.frombuffer(layout.encode(frames), np.uint8)
        path.write_bytes(b"".join(packed(data, 1, simulated=simulated)))
        return path

    return write


@pytest.fixture
def taught(file, simulated):
    """Learn an order from a pair of darks far away."""

    def teach(layout, marked=False):
        frames = simulated("h", 12, 31, "dark")
        folder = f"of {layout}"
        rds = file(frames, layout, "h1186995.rds.gz", folder, marked)
        same_bytes = Layout(AXES, layout.high_first)
        rdo = file(frames, same_bytes, "h1186995.rdo.gz", folder, marked)
        assert learn_layout(rds, rdo) == layout

    return teach


@pytest.fixture
def dark(simulated):
    return simulated("k", 20, 32, "dark")


def test_what_the_content_confirms(file, taught, science):
    taught(ONE)
    scan = open_scan(file(science, ONE))
    assert scan.layout == ONE
    assert "learnt from h1186995.rds.gz and h1186995.rdo.gz" in scan.layout_source
    assert "found in its content, confidence" in scan.layout_source


def test_what_the_content_contradicts_is_refused_and_said(file, taught, science):
    taught(OTHER)
    with pytest.warns(TwomassWarning, match=r"shows the word order .* not .* learnt from h1186995"):
        scan = open_scan(file(science, ONE))
    assert scan.layout == ONE
    assert "not y b r f x Y X, low byte first" in scan.layout_source
    np.testing.assert_array_equal(scan.frames, science)


def test_a_file_that_leaves_it_open(file, taught, dark):
    taught(ONE)
    with pytest.warns(TwomassWarning, match="does not tell its word order: it is read in") as told:
        scan = open_scan(file(dark, ONE))
    np.testing.assert_array_equal(scan.frames, dark)
    assert [one.filename for one in told] == [__file__]
    assert scan.layout_source.startswith("that of other files, learnt from h1186995.rds.gz")
    assert "its own content leaves it open" in scan.layout_source
    assert "that of other files" in repr(scan)


def test_a_file_that_leaves_it_open_but_has_another(file, taught, dark):
    taught(OTHER)
    with pytest.raises(LayoutError, match=r"could not tell apart .* is not its own"):
        open_scan(file(dark, ONE))


@pytest.mark.parametrize("order", ["f b Y r X y x", "f b X Y r y x"])
def test_a_dark_whose_reads_would_not_be_alike(file, taught, dark, order):
    """All but which of r, Y and X is which would fit."""
    taught(ONE)
    with pytest.raises(LayoutError, match=r"is not its own: its reads are not alike"):
        open_scan(file(dark, Layout(order)))


@pytest.mark.parametrize(("kind", "n"), [("dark", 10), ("twilight", 10), ("twilight", 53)])
def test_no_true_order_is_contradicted(simulated, some_orders, kind, n):
    for seed, band in enumerate("jhk"):
        frames = simulated(band, n, seed, kind)
        for layout in some_orders(1, seed):
            content = Content(np.frombuffer(layout.encode(frames), np.uint8))
            assert contradicts(content, layout) == ""


def test_no_other_file_is_read_beside_one_so_long(file, dark, monkeypatch):
    file(dark, ONE, "k1186995.rds.gz")
    file(dark, Layout(AXES), "k1186995.rdo.gz")
    path = file(dark, ONE, "k1186996.rds.gz")
    assert open_scan(path).layout == ONE
    choose._known.clear()
    forget()
    monkeypatch.setattr(choose, "MOST_FRAMES", len(dark) - 1)
    for name in ("k1186995.rds.gz", "k1186996.rds.gz"):
        with pytest.raises(LayoutError, match="could not tell apart"):
            open_scan(path.with_name(name), cache=False)


def test_two_that_are_possible_are_refused(file, taught, dark):
    taught(ONE)
    taught(Layout("f b r X Y y x"))
    with pytest.raises(LayoutError, match=r"f b r . . y x.* and f b r . . y x.* are possible"):
        open_scan(file(dark, ONE))


@pytest.mark.parametrize("marked", [True, False])
def test_simulated_and_real_orders_are_kept_apart(file, taught, dark, marked):
    taught(ONE, marked=marked)
    assert [one.evidence.simulated for one in remembered()] == [marked]
    with pytest.raises(LayoutError, match="could not tell apart"):
        open_scan(file(dark, ONE, simulated=not marked))
    with pytest.warns(TwomassWarning, match="does not tell its word order"):
        assert open_scan(file(dark, ONE, simulated=marked)).layout == ONE


def test_orders_of_simulated_folders_may_differ(file, taught, science):
    taught(OTHER, marked=True)
    scan = open_scan(file(science, ONE, simulated=True))
    assert scan.layout == ONE
    assert "(SIMULATED)" in scan.layout_source


@pytest.mark.parametrize("layout", [Layout("b x f r Y y X", block=16), IN_BLOCKS])
def test_blocks_and_differences_learnt_before(file, taught, science, dark, layout):
    taught(Layout(layout.axes, layout.high_first, 5, layout.difference))
    taught(layout.__class__(layout.axes, layout.high_first, 6, layout.difference))
    scan = open_scan(file(science, Layout(layout.axes, True, 6, layout.difference)))
    assert scan.layout.block == 6
    assert "found in its content" in scan.layout_source
    np.testing.assert_array_equal(scan.frames, science)


def test_a_dark_in_blocks(file, taught, dark):
    layout = Layout("b x f r Y y X", block=4)
    taught(layout)
    with pytest.warns(TwomassWarning, match="does not tell its word order"):
        scan = open_scan(file(dark, layout))
    np.testing.assert_array_equal(scan.frames, dark)


def test_a_pair_beside_an_open_file_is_learnt_and_remembered(file, dark):
    path = file(dark, ONE, "k1186995.rds.gz")
    file(dark, Layout(AXES), "k1186995.rdo.gz")
    scan = open_scan(path)
    assert scan.layout_source == "learnt from k1186995.rdo.gz"
    assert [one.layout for one in remembered()] == [ONE]


def test_a_cut_dark_takes_only_orders_that_keep_frames_together(file, taught, dark):
    taught(ONE)
    path = file(dark, ONE)
    path.write_bytes(gzip.compress(ONE.encode(dark), 1)[:-900_000])
    with (
        pytest.warns(TwomassWarning, match="cut off"),
        pytest.warns(TwomassWarning, match="does not tell its word order"),
    ):
        scan = open_scan(path)
    np.testing.assert_array_equal(scan.frames, dark[: scan.n_frames])
    assert scan.truncated


def test_a_cut_dark_in_another_order(file, taught, dark):
    taught(OTHER)
    path = file(dark, OTHER)
    path.write_bytes(gzip.compress(OTHER.encode(dark), 1)[:-900_000])
    with pytest.raises((LayoutError, RawFileError), match="cut off"):
        open_scan(path)
