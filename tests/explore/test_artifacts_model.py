"""The artifact explorer's pages: numbers of the library, sentences for what is missing, state."""

from __future__ import annotations

import json

import numpy as np
import pytest

import twomass_nb as tm
from twomass_nb.array import artifacts
from twomass_nb.array.artifacts import FixedPattern, Measured
from twomass_nb.errors import NotFoundError, TwomassError
from twomass_nb.explore.artifacts_model import ArtifactsModel
from twomass_nb.explore.artifacts_pages import PAGES
from twomass_nb.explore.artifacts_why import WHY


@pytest.fixture(scope="module")
def files(short_sample):
    return (
        short_sample / "000529s" / "k1186063.rds.gz",
        short_sample / "000602s" / "k1190090.rdo.gz",
        sorted((short_sample / "000531s").glob("k*.rds.gz")),
    )


@pytest.fixture(scope="module")
def model(files):
    scan, dark, twilights = files
    return ArtifactsModel(tm.open_scan(scan), dark, twilights)


@pytest.mark.parametrize("name", PAGES)
def test_every_page_has_a_picture_numbers_and_three_sentences(model, name):
    model.go(name)
    page = model.shown()
    assert page.missing == ""
    assert page.result is not None
    assert page.picture.image.ndim == 2
    assert page.picture.high > page.picture.low
    assert page.picture.unit
    assert 1 <= len(page.plots) <= 2
    for plot in page.plots:
        assert plot.x_label
        assert plot.y_label
        for curve in plot.curves:
            assert len(curve.x) == len(curve.y) > 0
    numbers = [n.value for n in page.numbers if isinstance(n.value, Measured)]
    assert numbers
    for number in numbers:
        assert number.value.shape in ((), (4,))
        assert number.value.unit == number.error.unit
        assert len(number.texts()) == number.value.size
    assert len(page.why) == 3
    assert all(sentence.endswith(".") for sentence in page.why)
    assert name in model.title()
    assert "SIMULATED" in model.title()
    assert model.shown() is page  # measured once


def test_the_numbers_are_those_of_the_arrays_room(model, files):
    dark = FixedPattern(tm.open_scan(files[1]).frames)
    model.go("jail bars")
    np.testing.assert_array_equal(
        model.shown().result.rms.value, artifacts.jail_bars(dark).rms.value
    )
    model.go("saturation")
    found = artifacts.saturation(tm.open_scan(files[0]).frames)
    np.testing.assert_array_equal(model.shown().result.holes, found.holes)


def test_the_trail_on_the_sky_is_the_frame_step(model):
    model.go("persistence")
    (spacing,) = [n.value for n in model.shown().numbers if n.what.startswith("on the sky")]
    step = abs(model.scan.track.step)
    assert abs(spacing.value.value - step) < 3 * spacing.error.value
    assert "″" in str(spacing)


def test_what_is_missing_is_said_in_a_sentence(files, tmp_path):
    import shutil

    scan = shutil.copy(files[0], tmp_path)
    alone = ArtifactsModel(tm.open_scan(scan), page="linearity")
    assert "no darks and no twilights" in alone.shown().missing
    assert alone.shown().picture is None
    assert alone.shown().why == WHY["linearity"]
    alone.go("jail bars")
    assert "no darks" in alone.shown().told
    assert alone.shown().missing == ""
    given = ArtifactsModel(tm.open_scan(scan), files[1], page="linearity")
    assert "no twilights" in given.shown().missing
    dark = ArtifactsModel(tm.open_scan(files[1]), page="persistence")
    for name, words in (("persistence", "brighter star"), ("saturation", "no pixel"),
                        ("astigmatism", "lonely stars")):  # fmt: skip
        dark.go(name)
        assert words in dark.shown().missing


def test_darks_of_the_night_are_found(tmp_path):
    folder = tm.simulate.scan(
        tmp_path, "000529s063", "j", n_frames=6, twilights=0, darks=1, coadds=False
    )
    model = ArtifactsModel(tm.open_scan(folder / "j1186063.rds.gz"))
    assert [one.scan_id.scan for one in model.darks] == [995]
    assert model.twilights == []
    assert model.dark.n == 48
    assert "darks: 000529s995; no twilights." in model.sources()
    (folder / "j1186995.rds.gz").write_bytes(b"broken")
    (folder / "j1186995.rdo.gz").write_bytes(b"broken")
    broken = ArtifactsModel(tm.open_scan(folder / "j1186063.rds.gz"))
    assert broken.darks == []
    assert "j1186995" in broken.sources()


def test_another_band_is_refused(files):
    scan = tm.open_scan(files[0])
    with pytest.raises(TwomassError, match="not of band k"):
        ArtifactsModel(scan, files[1].with_name("j1190090.rdo.gz"))
    with pytest.raises(NotFoundError, match="the pages are"):
        ArtifactsModel(scan, page="ghosts")


def test_the_widget_its_state_and_its_still_picture(files):
    scan, dark, twilights = files
    explorer = tm.explore.artifacts(tm.open_scan(scan), dark, twilights[:1], page="stripe")
    assert explorer.result[0].row == 77
    before = json.loads(json.dumps(explorer.state))
    explorer.page.value = "first column"
    assert "first column" in explorer.head.value
    text = str(explorer.result.r1).split(",")[0]
    assert text in explorer.numbers.value
    explorer.state = before
    assert explorer.page.value == "stripe"
    explorer.state = {"page": "ghosts"}
    assert "alert" in explorer.telling.value
    explorer.state = {"colour": "red"}
    assert "no colour" in explorer.telling.value
    assert explorer.state == before
    bundle = explorer._repr_mimebundle_()
    assert len(bundle[0]["image/png"]) < 60_000
