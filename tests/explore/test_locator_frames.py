"""A chosen scan's frames open on the right frame, with the target at the predicted pixel."""

from __future__ import annotations

import shutil

import pytest
from astropy.table import Table

from twomass_nb import open_scan, read_scan_table
from twomass_nb.explore import locator
from twomass_nb.explore.locator_frames import frames_of
from twomass_nb.locate import ScanLocator
from twomass_nb.scan import ScanId

SCAN = ScanId("2000-05-29", "s", 63)


@pytest.fixture(scope="module")
def loc(short_sample):
    return ScanLocator(read_scan_table(short_sample / "scan_table.csv"))


@pytest.fixture(scope="module")
def target(short_sample):
    """A position that frame 20 has off its middle."""
    raw = open_scan(short_sample / "000529s" / "j1186063.rds.gz")
    return raw.wcs(20).pixel_to_world(100.0, 140.0)


def chosen(loc, target, **options):
    explorer = locator(loc, target, **options)
    assert explorer.show.disabled
    explorer.choice.chosen = 0
    assert not explorer.show.disabled
    explorer.show.click()
    return explorer


def test_the_frames_show_the_target_at_the_predicted_pixel(loc, target, short_sample):
    explorer = chosen(loc, target, archive=short_sample)
    row = loc.covering(target)[0]
    state = explorer.frames.state
    assert state["scan"] == row["scan_id"] == str(SCAN)
    assert state["frame"] == row["best_frame"] == 20
    assert state["target"] == pytest.approx((row["x"], row["y"]), abs=0.5)
    assert state["target"] == pytest.approx((100, 140), abs=1e-3)
    assert explorer.frames in explorer._below.children


def test_an_archive_may_be_a_function(loc, target, short_sample):
    asked = []

    def archive(scan_id):
        asked.append(scan_id)
        return short_sample / scan_id.night / "j1186063.rds.gz"

    explorer = chosen(loc, target, archive=archive)
    assert asked == [SCAN]
    assert explorer.frames.state["frame"] == 20
    first = explorer.frames
    explorer.show.click()
    assert explorer.frames is not first
    assert len(explorer._below.children) == 1


@pytest.mark.parametrize("kind", ["none", "folder", "function"])
def test_a_missing_file_is_named(loc, target, tmp_path, kind):
    archive = {"none": None, "folder": tmp_path, "function": lambda scan_id: None}[kind]
    explorer = chosen(loc, target, archive=archive)
    assert explorer.frames is None
    assert "role='alert'" in explorer.telling.value
    for words in ("000529s063",) if kind == "function" else ("j1186063.rds.gz", "000529s"):
        assert words in explorer.telling.value


def test_a_frame_beyond_the_files_end_opens_another(target, short_sample):
    shown = frames_of(short_sample, SCAN, 150, target)  # the short file has 40 frames
    assert shown.state["frame"] == 20
    nowhere = frames_of(short_sample, SCAN, -1, None)
    assert nowhere.state["frame"] == 20
    assert nowhere.state["target"] is None


def test_another_band_is_found_when_j_is_not_there(tmp_path, short_sample):
    night = tmp_path / "000529s"
    night.mkdir()
    for suffix in (".rdo.gz", ".par"):
        shutil.copy(short_sample / "000529s" / f"k1186063{suffix}", night)
    assert frames_of(tmp_path, SCAN, 3, None).state["band"] == "k"


def test_the_persons_own_archive_is_looked_in(monkeypatch, loc, target, short_sample):
    monkeypatch.setenv("TWOMASS_NB_ARCHIVE", str(short_sample))
    assert chosen(loc, target).frames.state["scan"] == str(SCAN)


def test_the_table_is_the_locators(loc, target):
    assert isinstance(locator(loc, target).table, Table)
