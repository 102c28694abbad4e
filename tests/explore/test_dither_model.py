"""The dither explorer's numbers: the tables of 1997, the real headers, its state."""

from __future__ import annotations

import json

import numpy as np
import pytest

import twomass_nb as tm
from twomass_nb.errors import NotFoundError
from twomass_nb.explore.dither_model import LIMITS, PRESETS, DitherModel

#: T. Chester, "2MASS Previous Dithering Patterns", 2 June 1997: in-scan and cross-scan pixels.
CHESTER = {
    "1997-05-14": {
        1: {"j": (41.47, 0.272), "h": (41.27, 0.322), "k": (41.74, 0.242)},
        6: {"j": (248.82, 1.64), "h": (247.65, 1.91), "k": (250.41, 1.46)},
    },
    "1997-04-18": {
        1: {"j": (41.68, 0.36), "h": (41.48, 0.40), "k": (41.95, 0.33)},
        6: {"j": (250.08, 2.13), "h": (248.90, 2.39), "k": (251.68, 1.99)},
    },
}


@pytest.mark.parametrize("preset", CHESTER)
def test_the_tables_of_1997_are_one_click_away(preset):
    model = DitherModel(preset)
    for band, n, along, across in model.steps():
        said = CHESTER[preset][n][band]
        assert (along, across) == pytest.approx(said, abs=0.006)


def test_ks_in_the_south_moves_less_than_a_pixel_over_the_array():
    model = DitherModel("South", "k")
    assert model.drift() == pytest.approx(0.78, abs=0.005)  # 256 tan .175 degrees
    assert np.ptp(model.path()[:, 1]) < 0.8
    assert "opposite sign" in model.sign_note()
    model.choose_sign(header=True)
    assert model.drift() == pytest.approx(-0.78, abs=0.005)
    assert model.rotations["j"] > 0
    model.show_preset("North1")
    assert model.sign_note() == ""
    assert model.rotations["k"] > 0


def test_rotations_have_their_published_uncertainties():
    """UMass: South Ks .175 +- .005, North2 H -.420 +- .016."""
    assert DitherModel("South").rotation_error("k") == 0.005
    model = DitherModel("North2")
    assert (model.rotations["h"], model.rotation_error("h")) == (-0.420, 0.016)
    model.rotations["h"] = -0.3
    assert model.rotation_error("h") is None
    assert DitherModel("1997-05-14").rotation_error("j") is None
    assert "+0.175 ± 0.005" in tm.explore.dither().table.value


def test_a_star_crosses_the_whole_array_in_six_or_seven_frames():
    for preset in PRESETS:
        for band in "jhk":
            rows = DitherModel(preset, band).path()[:, 0]
            assert 6 <= len(rows) <= 7
            assert (np.abs(rows - 127.5) <= 128).all()


def test_real_headers_show_the_sign(real_data):
    model = DitherModel(images=sorted((real_data / "atlas").glob("*.fits.gz")))
    found = {name.split()[0] + band: rotation for name, band, _, rotation in model.measured}
    assert found["001022s062j"] == pytest.approx(0.277, abs=0.001)
    assert found["001022s062h"] == pytest.approx(0.303, abs=0.001)
    assert found["001022s062k"] == pytest.approx(-0.121, abs=0.001)
    m17 = [rotation for name, _, _, rotation in model.measured if name.startswith("990502")]
    assert np.mean(m17) == pytest.approx(-0.19, abs=0.005)
    for _, _, step, rotation in model.measured:
        assert LIMITS["step"][0] < step < LIMITS["step"][1]
        assert LIMITS["rotation"][0] < rotation < LIMITS["rotation"][1]


def test_the_map_has_the_number_shown_where_the_mark_is():
    model = DitherModel("North1", "j")
    for quantity, value in (
        ("distinct places", model.distinct),
        ("brightness scatter", model.scatter),
    ):
        model.quantity = quantity
        image, steps, rotations = model.quality_map()
        for row, col in ((0, 0), (40, 60), (80, 120), (57, 11)):
            model.step = np.linspace(*steps, image.shape[1])[col]
            model.rotations["j"] = np.linspace(*rotations, image.shape[0])[row]
            assert value() == pytest.approx(image[row, col])


def test_the_places_start_where_one_says_and_stay_in_the_pixel():
    model = DitherModel()
    model.start = (0.3, -0.4)
    phases = model.phases()
    np.testing.assert_allclose(phases[0], model.start)
    assert np.abs(phases).max() <= 0.5
    model.n = 7
    assert len(model.phases()) == 7


def test_the_star_keeps_its_light():
    """Its coadd holds what six pixels' response leaves of it."""
    model = DitherModel()
    for model.start in ((0, 0), (0.5, 0.5), (0.2, -0.3)):
        for model.fwhm in (1.4, 3.0):
            light = 1 + model.star_signal() / 100
            assert model.star_image().sum() / 16 == pytest.approx(light, abs=1e-4)


def test_counts_have_the_period_of_a_pixel():
    edge, counts = DitherModel().counts()
    power = np.abs(np.fft.rfft(counts * np.hanning(len(counts))))
    period = 20 / (power[1:].argmax() + 1)
    assert period == pytest.approx(1.9839, rel=0.06)
    assert edge[0] == 0


def test_the_state_can_be_copied_and_restored():
    model = DitherModel("North2", "h")
    model.start, model.n, model.fwhm, model.quantity = (0.1, -0.2), 7, 1.9, "brightness scatter"
    model.rotations["h"], model.step, model.header_sign = 0.123, 83.1, True
    copied = json.loads(json.dumps(model.state()))
    other = DitherModel()
    other.restore(copied)
    assert other.state() == model.state()
    with pytest.raises(NotFoundError, match="no colour"):
        other.restore({"colour": "red"})
    with pytest.raises(NotFoundError, match="presets are"):
        other.restore({"preset": "East"})


def test_the_widget_and_its_words():
    from astropy import units as u

    explorer = tm.explore.dither("North1", "j")
    assert explorer.geometry.rotation == 0.372 * u.deg
    explorer.step = 83 * u.arcsec
    explorer.rotation = 20 * u.arcmin
    assert explorer.step == 83 * u.arcsec
    assert explorer.rotation.to_value(u.deg) == pytest.approx(1 / 3)
    before = explorer.state
    explorer.preset.value = "1997-04-18"
    assert ">251.68<" in explorer.table.value
    assert explorer.step_slider.value == 83.22
    explorer.state = before
    assert explorer.state == before
    assert explorer.preset.value == "North1"
    explorer.state = {"band": "z"}
    assert "alert" in explorer.telling.value


def test_without_a_kernel_there_is_a_picture():
    bundle = tm.explore.dither()._repr_mimebundle_()
    assert len(bundle[0]["image/png"]) < 60_000
