"""What the frame explorer marks, plots, selects, keeps and writes is what the frames hold."""

from __future__ import annotations

import json

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.nddata import CCDData
from PIL import Image

import twomass_nb as tm
from twomass_nb.array.readout import time_in_read
from twomass_nb.errors import ExistsError, NotFoundError
from twomass_nb.explore import colours, frames
from twomass_nb.explore.frames_model import MARKS, PLOTS, FramesModel


class Calibrator:
    """Takes 100 DN off, and masks one pixel."""

    band = "j"

    def frame(self, scan, i):
        mask = np.zeros((256, 256), bool)
        mask[7, 9] = True
        return CCDData(scan.difference(i) - 100.0, unit="adu", mask=mask)


def image(panel):
    return panel.source.data["image"][0]


# several pictures -------------------------------------------------------------------------------


def test_all_reads_side_by_side(scan):
    explorer = frames(scan, frame=5, calibrator=Calibrator())
    explorer.views.value = "reads"
    r1, r2, difference, calibrated = explorer.figure.panels()
    np.testing.assert_array_equal(image(r1), scan.r1(5))
    np.testing.assert_array_equal(image(r2), scan.r2(5))
    np.testing.assert_array_equal(image(difference), scan.difference(5))
    expected = scan.difference(5) - 100.0
    expected[7, 9] = np.nan
    np.testing.assert_array_equal(image(calibrated), expected)
    assert r1.figure.x_range is r2.figure.x_range is explorer.figure.frame.figure.x_range
    assert "SIMULATED" in r1.figure.title.text


def test_all_bands_that_are_there(scan):
    explorer = frames(scan, frame=5)
    explorer.views.value = "bands"
    explorer.slider.value = 6
    j, k = explorer.figure.panels()
    np.testing.assert_array_equal(image(j), scan.difference(6))
    np.testing.assert_array_equal(image(k), scan.sibling("k").difference(6))
    # what is not on the page is not sent
    np.testing.assert_array_equal(image(explorer.figure.frame), scan.difference(5))
    explorer.views.value = "one"
    np.testing.assert_array_equal(image(explorer.figure.frame), scan.difference(6))


def test_a_band_without_the_frame_says_so(scan):
    explorer = frames(scan, frame=scan.n_frames - 1)
    other = explorer.model.bands_of_scan["k"]
    other.n_frames -= 1
    explorer.views.value = "bands"
    assert "no such frame" in explorer.figure.panels()[1].figure.title.text
    explorer.band.value = "k"  # its last one, then
    assert explorer.frame == explorer.slider.value == scan.n_frames - 2


def test_blinking_turns_reads_and_bands(scan):
    explorer = frames(scan)
    seen = []
    for turn in range(1, 4):
        explorer.blink.value = turn
        seen.append(explorer.state["read"])
    assert seen == ["r2", "r2-r1", "r1"]
    explorer.blinking.value = "bands"
    explorer.blink.value = 5
    assert explorer.state["band"] == "k"


def test_calibrated_only_where_there_is_a_calibrator(scan):
    explorer = frames(scan, calibrator={"j": Calibrator()})
    explorer.read.value = "calibrated"
    assert "calibrated" in explorer.figure.frame.figure.title.text
    explorer.band.value = "k"
    assert explorer.read.value == explorer.state["read"] == "r2-r1"
    explorer.read.value = "calibrated"
    assert "cannot be shown" in explorer.telling.value
    assert explorer.read.value == "r2-r1"
    assert "calibrated" not in frames(scan).read.buttons


def test_the_projects_own_calibrator(sky):
    from twomass_nb.calibrate import Calibrator

    root = sky.folder.parent
    darks, twilights = (
        [tm.open_scan(path) for path in sorted(root.glob(name))]
        for name in ("*/j1190090.rds.gz", "*/j118815*.rds.gz")
    )
    calibrator = Calibrator.from_scans(darks, twilights)
    explorer = frames(sky, frame=3, calibrator=calibrator)
    explorer.read.value = "calibrated"
    expected = calibrator.frame(sky, 3)
    shown = image(explorer.figure.frame)
    np.testing.assert_array_equal(np.isnan(shown), expected.mask)
    np.testing.assert_array_equal(shown[~expected.mask], expected.data[~expected.mask])


# plots ------------------------------------------------------------------------------------------


def test_cuts_follow_pointer_and_pixel(scan):
    explorer = frames(scan, frame=5)
    for plot in explorer.plots.values():
        plot.value = True
    data = scan.difference(5)
    explorer.pixel = (40, 200)
    sources = explorer.figure.plots.sources
    np.testing.assert_array_equal(sources["row"].data["value"], data[200])
    np.testing.assert_array_equal(sources["column"].data["value"], data[:, 40])
    explorer.figure.asked.data = {"x": [3], "y": [4]}
    np.testing.assert_array_equal(sources["row"].data["value"], data[4])
    assert "3.090 ms after the start of each read" in explorer.readout.value
    explorer.figure.asked.data = {"x": [-1], "y": [-1]}
    np.testing.assert_array_equal(sources["row"].data["value"], data[200])
    assert sources["histogram"].data["count"].sum() > 0.9 * data.size


@pytest.mark.parametrize("read", ["r1", "r2", "r2-r1", "calibrated"])
def test_one_pixel_through_all_frames(scan, read):
    model = FramesModel(scan, calibrator=Calibrator())
    model.pixel, model.read = (20, 10), read
    values = model.through_frames()
    expected = {
        "r1": [scan.r1(i)[10, 20] for i in range(scan.n_frames)],
        "r2": [scan.r2(i)[10, 20] for i in range(scan.n_frames)],
        "r2-r1": [scan.difference(i)[10, 20] for i in range(scan.n_frames)],
        "calibrated": [scan.difference(i)[10, 20] - 100.0 for i in range(scan.n_frames)],
    }[read]
    np.testing.assert_array_equal(values, expected)


def test_a_click_in_the_plot_goes_to_the_frame(scan):
    explorer = frames(scan)
    explorer.figure.plots._on_frame(17)
    assert explorer.frame == explorer.slider.value == 17


# marks ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sky(tmp_path_factory):
    """A short simulated scan, which has hot pixels and a star that saturates."""
    folder = tm.sample("scan63", short=True, folder=tmp_path_factory.mktemp("sample"))
    return tm.open_scan(folder / "000529s" / "j1186063.rds.gz")


def test_marks_are_what_the_frames_hold(sky):
    explorer = frames(sky)
    for toggle in explorer.marks.values():
        toggle.value = True
    bands = explorer.model.bands_of_scan
    frame = next(i for i in range(sky.n_frames) if len(bands.full("j", i)[0]))
    explorer.slider.value = frame
    marks = explorer.figure._marks["frame"].sources
    x, y = (np.array(marks["saturated"].data[name]) for name in "xy")
    assert len(x) == sum(map(len, bands.full("j", frame)))
    assert sky.r2(frame)[y, x].min() > np.percentile(sky.r2(frame), 99.9)
    hot = marks["hot"].data
    assert sky.difference(frame)[hot["y"], hot["x"]].min() > np.median(sky.difference(frame))
    assert sum(abs(x - 6) < 3 and abs(y - 205) < 3 for x, y in zip(*hot.values(), strict=True)) > 3
    explorer.slider.value = frame + 1
    x, y, text = (marks["persistence"].data[name] for name in ("x", "y", "text"))
    before = np.concatenate(bands.full("j", frame))
    assert any(
        t == "−1" and np.hypot(*(before - (a, b)).T).min() < 4
        for a, b, t in zip(x, y, text, strict=True)
    )
    assert "hot pixels" in explorer.telling.value
    for toggle in explorer.marks.values():
        toggle.value = False
    assert all(not column for source in marks.values() for column in source.data.values())


def test_the_times_written_on_the_frame_are_those_of_its_rows(scan):
    explorer = frames(scan)
    explorer.marks["quadrants"].value = True
    data = explorer.figure._marks["frame"].sources["quadrants"].data
    for x, y, text in zip(data["x"], data["y"], data["text"], strict=True):
        if text:
            assert text.startswith(f"{time_in_read(int(x + 0.5), y).to_value('ms'):.1f} ms")


def test_the_target_crosses_the_array(scan):
    target = scan.track.center(17)
    explorer = frames(scan, target=target)
    seen = explorer.model.crossing()
    assert [frame for frame, _, _ in seen] == list(range(seen[0][0], seen[-1][0] + 1))
    for frame, x, y in seen:
        assert scan.wcs(frame).pixel_to_world(x, y).separation(target).arcsec < 1e-3
    assert explorer.figure.frame.crossing.data["y"] == [y for _, _, y in seen]
    explorer.target = None
    assert explorer.figure.frame.target.data["x"] == []
    explorer.target = SkyCoord(target.galactic)
    assert explorer.target.separation(target).arcsec < 1e-6
    assert explorer.figure.frame.crossing.data["y"] == pytest.approx([y for _, _, y in seen])


# selection --------------------------------------------------------------------------------------


def test_a_box_gives_its_pixels_back(scan):
    explorer = frames(scan, frame=5)
    assert explorer.selection is None
    assert explorer.pixels() == {}
    assert len(explorer.selected) == 0
    explorer._box(19.6, 24.4, 99.5, 102.0)
    assert explorer.selection == (slice(100, 103), slice(20, 25))
    for read, values in explorer.pixels().items():
        which = {"r1": scan.r1, "r2": scan.r2, "r2-r1": scan.difference}[read]
        np.testing.assert_array_equal(values, which(5)[100:103, 20:25])
    table = explorer.selected
    assert len(table) == 15
    x, y = table["x"], table["y"]
    np.testing.assert_array_equal(table["r2-r1"].to_value(u.adu), scan.difference(5)[y, x])
    np.testing.assert_allclose(table["time_in_read"], time_in_read(x, y))
    assert table["position"].separation(scan.wcs(5).pixel_to_world(x, y)).arcsec.max() < 1e-6
    assert table.meta["SIMULATE"] is True
    explorer._box(-20, -10, 5, 6)
    assert explorer.selection is None
    explorer.selection = (slice(3, 4), slice(None))
    assert explorer.state["selection"] == (0, 255, 3, 3)


def test_a_click_holds_a_pixel_and_lets_it_go(scan):
    explorer = frames(scan)
    explorer._tap(3.4, 4.6)
    assert explorer.pixel == (3, 5)
    explorer._tap(300, 4)
    assert explorer.pixel == (3, 5)
    explorer._tap(3, 5)
    assert explorer.pixel is None


# state ------------------------------------------------------------------------------------------


def test_a_state_goes_through_json_into_another_explorer(scan):
    one, other = frames(scan, frame=5, target=scan.track.center(7)), frames(scan)
    one.state = {
        "band": "k", "read": "r1", "frame": 8, "view": "reads", "stretch": "histogram",
        "limits": "manual", "low": 3000.0, "high": 3300.0, "colours": "magma",
        "plots": list(PLOTS), "marks": ["hot", "quadrants"], "pixel": (5, 6),
        "selection": (1, 2, 3, 4), "zoom": (10, 60, 20, 70),
    }  # fmt: skip
    other.state = json.loads(json.dumps(one.state))
    assert json.dumps(other.state) == json.dumps(one.state)
    assert other.figure.zoom == (10, 60, 20, 70)
    assert (other.band.value, other.read.value, other.slider.value) == ("k", "r1", 8)
    assert (other.limits.value, other.low.value, other.high.value) == ("by hand", 3000.0, 3300.0)
    assert all(toggle.value for toggle in other.plots.values())
    assert [kind for kind in MARKS if other.marks[kind].value] == ["quadrants", "hot"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"band": "h"}, {"read": "r3"}, {"frame": 96}, {"frame": -1}, {"view": "two"},
        {"stretch": "cube"}, {"limits": "all"}, {"colours": "jet"}, {"plots": ["pie"]},
        {"marks": ["x"]}, {"pixel": (256, 0)}, {"selection": (1, 2)}, {"colour": "red"},
        {"limits": "manual", "low": 2.0, "high": 1.0},
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_and_changes_nothing(scan, wrong):
    explorer = frames(scan, frame=5)
    before = explorer.state
    with pytest.raises(NotFoundError):
        explorer.state = {"read": "r1", **wrong}
    assert explorer.state == before


def test_keys(scan):
    explorer = frames(scan, frame=5)
    for key, name, value in (
        ("ArrowRight", "frame", 6), ("ArrowLeft", "frame", 5), ("PageUp", "frame", 15),
        ("PageDown", "frame", 5), ("End", "frame", 95), ("Home", "frame", 0),
        ("1", "read", "r1"), ("2", "read", "r2"), ("3", "read", "r2-r1"), ("4", "read", "r2-r1"),
        ("k", "band", "k"), ("h", "band", "k"), ("j", "band", "j"), ("c", "plots", ["cuts"]),
        ("g", "plots", ["cuts", "histogram"]), ("c", "plots", ["histogram"]),
    ):  # fmt: skip
        explorer._press(key)
        assert explorer.state[name] == value, key
    explorer._press("b")
    assert explorer.blink.playing
    explorer.pixel = (1, 2)
    explorer._press("Escape")
    assert explorer.pixel is None


# files ------------------------------------------------------------------------------------------


def test_pictures_and_frames_are_written_and_never_over_others(sky, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    explorer = frames(sky, frame=3)
    assert explorer.save(".fits").name == "j1186063_r2-r1_3.fits"
    assert explorer.save(".fits").name == "j1186063_r2-r1_3_2.fits"
    np.testing.assert_array_equal(fits.getdata("j1186063_r2-r1_3.fits"), sky.difference(3))
    explorer.to_png.click()
    assert "j1186063_r2-r1_3.png" in explorer.telling.value
    with Image.open("j1186063_r2-r1_3.png") as picture:
        assert picture.width > 600
    with pytest.raises(ExistsError):
        explorer.save("j1186063_r2-r1_3.png")
    with pytest.raises(NotFoundError, match=r"neither \.png nor \.fits"):
        explorer.save("frame.jpg")
    explorer.views.value = "reads"
    with Image.open(explorer.save("reads.png")) as picture:
        assert picture.width > 1300


def test_a_calibrated_frame_is_written_with_its_mask(scan, tmp_path):
    explorer = frames(scan, frame=3, calibrator=Calibrator())
    explorer.read.value = "calibrated"
    with fits.open(explorer.save(tmp_path / "one.fits")) as file:
        np.testing.assert_array_equal(file[0].data, scan.difference(3) - 100.0)
        assert file["MASK"].data[7, 9] == 1


# the histogram stretch --------------------------------------------------------------------------


def test_the_histogram_stretch_gives_each_colour_as_many_pixels(scan):
    data = scan.difference(3).astype(float)
    low, high = colours.limits(data, "99 %")
    table = colours.equalized("grey", data, low, high).astype(float)
    inside = data[(data > low) & (data < high)]
    level = ((inside - low) / (high - low) * len(table)).astype(int)
    shades = table[level, 0]
    assert np.abs(np.percentile(shades, [25, 50, 75]) - [63.75, 127.5, 191.25]).max() < 8
    explorer = frames(scan)
    before = list(explorer.figure.frame.mapper.palette)
    explorer.stretch.value = "histogram"
    assert list(explorer.figure.frame.mapper.palette) != before
    assert "image/png" in explorer._repr_mimebundle_()[0]
