"""Controls do what they say; what is shown can be read back; a still picture stays behind."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from PIL import Image

from twomass_nb.errors import NotFoundError, PositionError
from twomass_nb.explore import frames, locator
from twomass_nb.explore.controls import Choice
from twomass_nb.locate import ScanLocator
from twomass_nb.scan import ScanId
from twomass_nb.simulate.scan_table import scan_table


@pytest.fixture(scope="module")
def loc():
    return ScanLocator(scan_table())


def shown(explorer):
    return explorer.figure.frame.source.data["image"][0]


def test_controls_change_the_picture(scan):
    explorer = frames(scan, frame=5)
    assert (shown(explorer) == scan.difference(5)).all()
    explorer.slider.value = 9
    assert (shown(explorer) == scan.difference(9)).all()
    explorer.read.buttons["r1"].value = True
    assert (shown(explorer) == scan.r1(9)).all()
    assert explorer.read.value == "r1"
    assert not explorer.read.buttons["r2-r1"].value
    explorer.forward.click()
    assert (shown(explorer) == scan.r1(10)).all()
    explorer.back.click()
    explorer.band.buttons["k"].value = True
    assert (shown(explorer) == scan.sibling("k").r1(9)).all()
    assert explorer.state["band"] == "k"
    assert explorer.state["frame"] == 9
    assert "frame 9 of" in explorer.figure.frame.figure.title.text


def test_steps_stop_at_the_ends(scan):
    explorer = frames(scan, frame=0)
    explorer.back.click()
    assert explorer.slider.value == 0
    explorer.slider.value = scan.n_frames - 1
    explorer.forward.click()
    assert explorer.state["frame"] == scan.n_frames - 1


def test_the_colour_scale_follows_stretch_and_limits(scan):
    explorer = frames(scan)
    mapper = explorer.figure.frame.mapper
    before = list(mapper.palette)
    explorer.stretch.value = "log"
    assert list(mapper.palette) != before
    explorer.limits.value = "min – max"
    data = scan.difference(explorer.state["frame"])
    assert (mapper.low, mapper.high) == (data.min(), data.max())
    assert (shown(explorer) == data).all()  # true numbers under any stretch


def test_limits_by_hand(scan):
    explorer = frames(scan)
    explorer.limits.value = "by hand"
    ends = (explorer.state["low"], explorer.state["high"])
    assert (explorer.low.value, explorer.high.value) == pytest.approx(ends, rel=1e-4)
    explorer.low.value, explorer.high.value = -50.0, 400.0
    mapper = explorer.figure.frame.mapper
    assert (mapper.low, mapper.high) == (-50.0, 400.0)
    explorer.slider.value += 1
    assert (mapper.low, mapper.high) == (-50.0, 400.0)
    explorer.low.value = 500.0  # above the upper end: told, and nothing changes
    assert (mapper.low, mapper.high) == (-50.0, 400.0)
    assert "must be below" in explorer.telling.value


def test_bands_without_a_file_cannot_be_pressed(scan):
    explorer = frames(scan)
    assert explorer.band.buttons["h"].disabled
    assert not explorer.band.buttons["k"].disabled


def test_a_band_that_cannot_be_opened_is_told(scan):
    explorer = frames(scan)

    def gone(band):
        message = f"the {band} file is gone"
        raise NotFoundError(message)

    scan.sibling = gone
    explorer.band.buttons["k"].value = True
    assert "the k file is gone" in explorer.telling.value
    assert explorer.band.value == explorer.state["band"] == "j"


def test_target_and_coadd(scan, real_data):
    atlas = real_data / "atlas" / "aK_asky_990502s1350080.fits.gz"
    target = scan.track.center(79)
    explorer = frames(scan, atlas, target=target)
    assert explorer.state["frame"] == 79
    assert explorer.state["coadd"] == 80
    mark = explorer.figure.frame.target.data
    assert (mark["x"][0], mark["y"][0]) == pytest.approx((127.5, 127.5), abs=1e-3)
    coadd = explorer.model.coadd()
    mark = explorer.figure.coadd.target.data
    x, y = coadd.wcs.world_to_pixel(target)
    assert (mark["x"][0], mark["y"][0]) == pytest.approx((float(x), float(y)), abs=1e-6)
    np.testing.assert_array_equal(explorer.figure.coadd.source.data["image"][0], coadd.data)
    explorer.slider.value = 0
    assert explorer.figure.frame.target.data["x"] == []
    assert "not on this frame" in explorer.telling.value


def test_no_coadd_is_said(scan):
    explorer = frames(scan)
    assert not explorer.figure.coadd.figure.visible
    assert "No processed J coadd" in explorer.telling.value


def test_frames_without_positions_are_shown_all_the_same(scan, real_data):
    def unknown(i, band=None):
        message = "no parameter file (.par) beside it"
        raise NotFoundError(message)

    scan.wcs, scan.scan_id = unknown, None
    atlas = real_data / "atlas" / "aK_asky_990502s1350080.fits.gz"
    explorer = frames(scan, atlas, frame=80, target=SkyCoord(275, -16, unit="deg"))
    assert (shown(explorer) == scan.difference(80)).all()
    assert "Positions are not known: no parameter file" in explorer.telling.value
    assert "j0793135.rds.gz" in explorer.figure.frame.figure.title.text
    assert explorer.figure.outline.data == {"x": [], "y": []}
    assert explorer.state["target"] is None
    assert "image/png" in explorer._repr_mimebundle_()[0]
    explorer.slider.value = 81


def test_the_coadds_picture_follows_the_frame(scan, real_data):
    explorer = frames(scan, real_data / "atlas" / "aK_asky_990502s1350080.fits.gz", frame=78)
    axis = explorer.figure.coadd.figure.y_range
    before = axis.start
    explorer.slider.value = 79
    assert axis.start - before == pytest.approx(scan.track.step, abs=0.5)
    assert axis.end - axis.start == pytest.approx(600)
    explorer.whole_coadd.value = True
    assert (axis.start, axis.end) == (-0.5, 1023.5)
    explorer.slider.value = 80
    assert (axis.start, axis.end) == (-0.5, 1023.5)


@pytest.mark.parametrize("kind", ["frames", "frames with coadd", "locator"])
def test_a_still_picture_stays_behind(kind, scan, loc, real_data):
    atlas = real_data / "atlas" / "aK_asky_990502s1350080.fits.gz" if "coadd" in kind else None
    explorer = locator(loc) if kind == "locator" else frames(scan, atlas, frame=79)
    bundle = explorer._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    assert "application/vnd.jupyter.widget-view+json" in data
    png = base64.b64decode(data["image/png"])
    assert len(png) < 150_000
    picture = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))
    assert picture.std() > 10  # something is drawn


def test_a_choice_has_one_button_down():
    choice = Choice({"a": "A", "b": "B"}, "a")
    choice.buttons["b"].value = True
    assert [choice.value, choice.buttons["a"].value] == ["b", False]
    choice.buttons["b"].value = False  # a press on the one that is down
    assert choice.buttons["b"].value
    choice.value = "a"
    assert not choice.buttons["b"].value


def test_a_typed_position_finds_its_scans(loc):
    explorer = locator(loc)
    explorer.text.value = "18:19:59.8 -16:14:49"
    expected = SkyCoord("18:19:59.8 -16:14:49", unit=("hourangle", "deg"))
    assert explorer.position.separation(expected).arcsec < 1e-6
    assert list(explorer.table["scan_id"]) == list(loc.covering(expected)["scan_id"])
    assert len(explorer.choice.rows) == len(explorer.table) > 0


def test_choosing_a_row_selects_a_scan(loc):
    explorer = locator(loc, "275 -16.2")
    seen = []
    explorer.on_select(lambda row: seen.append(row["scan_id"]))
    assert explorer.selected is None
    explorer.choice.chosen = 0
    assert explorer.selected == ScanId.parse(explorer.table["scan_id"][0])
    assert seen == [explorer.table["scan_id"][0]]
    assert explorer.state["selected"] == seen[0]
    explorer.go("100 20")
    assert explorer.selected is None
    assert explorer.choice.chosen == -1


def test_bad_positions_are_told_and_change_nothing(loc, monkeypatch):
    monkeypatch.setenv("TWOMASS_NB_OFFLINE", "1")
    explorer = locator(loc, "275 -16.2")
    before = explorer.position
    for text in ("275 -96", "M 17", "12"):
        explorer.text.value = text
        assert "role='alert'" in explorer.telling.value
        assert explorer.position is before
    with pytest.raises(PositionError):
        explorer.go("nowhere at all")
    explorer.text.value = "276 -16.2"
    assert "alert" not in explorer.telling.value


def test_the_field_turns_the_picture(loc):
    explorer = locator(loc, "275 -16.2")
    explorer.field.value = "5°"
    axis = explorer.figure.root.x_range
    assert (axis.start, axis.end) == pytest.approx((2.5, -2.5))  # east is left
    assert len(explorer.figure.footprints.data["name"]) > 20
