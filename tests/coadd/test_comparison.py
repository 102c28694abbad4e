"""Two painted images of the same stars: what one differs by from the other comes back."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits

import twomass_nb as tm
from twomass_nb.coadd import Coadd
from twomass_nb.coadd import comparison_trends as asking
from twomass_nb.coadd.comparison import compare_images
from twomass_nb.coadd.comparison_phases import raw_phases
from twomass_nb.errors import AtlasError

SIZE = 400
SKY, NOISE = 640.0, 0.9
#: Sigma of stars in the real image, pixels, and of what blurs them in ours.
SIGMA, BLUR = 1.27, 0.95


@pytest.fixture(scope="module")
def header(real_data) -> fits.Header:
    return tm.AtlasImage.open(real_data / "atlas/aK_asky_001022s0620186.fits.gz").header


class Field:
    """Stars that are never closer than 20 pixels, of 8 to 15 mag; and images of them."""

    def __init__(self, header, seed=0, n=400):
        self.header = header
        self.rng = np.random.default_rng(seed)
        y, x = (g.ravel() for g in np.mgrid[20 : SIZE - 15 : 24, 20 : SIZE - 15 : 24])
        self.x, self.y = (v + self.rng.uniform(-2, 2, len(v)) for v in (x, y))
        self.mag = self.rng.uniform(7.8, 15, len(x))
        self.x, self.y, self.mag = (v[:n] for v in (self.x, self.y, self.mag))
        self.common = self.rng.normal(0, NOISE, (SIZE, SIZE))

    def paint(self, sigma, dx=0.0, dy=0.0, factor=1.0):
        data = np.full((SIZE, SIZE), SKY)
        flux = 10 ** (0.4 * (self.header["MAGZP"] - self.mag)) * factor
        for x, y, light in zip(self.x + dx, self.y + dy, flux * np.ones_like(self.x), strict=True):
            px, py = round(x), round(y)
            k = np.arange(-12, 13)
            wx, wy = (np.exp(-((k + c) ** 2) / (2 * sigma**2)) for c in (px - x, py - y))
            rows, columns = slice(py - 12, py + 13), slice(px - 12, px + 13)
            data[rows, columns] += light / (2 * np.pi * sigma**2) * np.outer(wy, wx)
        return data

    def image(self, data, simulated=False):
        header = self.header.copy()
        header["SKYSIG"] = NOISE
        if simulated:
            header["SIMULATE"] = True
        return tm.AtlasImage(data.astype(np.float32), header)

    def real(self):
        return self.image(self.paint(SIGMA) + self.common)

    def ours(self, noise=0.5, level=0.0, **changed):
        data = self.paint(np.hypot(SIGMA, BLUR), **changed) + level
        return self.image(data + self.common + self.rng.normal(0, noise, data.shape))


@pytest.fixture(scope="module")
def field(header):
    return Field(header)


@pytest.fixture(scope="module")
def plain(field):
    """A comparison with nothing wrong but an offset, a shift, a level, a blur and noise."""
    ours = field.ours(noise=0.5, level=0.4, factor=1.012, dx=0.031, dy=-0.044)
    return compare_images(ours, field.real())


def test_what_was_changed_comes_back(plain):
    for name, true, tiny in (
        ("d_mag", -2.5 * np.log10(1.012), 5e-4), ("d_ra", -0.031, 5e-4), ("d_dec", -0.044, 5e-4),
    ):  # fmt: skip
        value, error = plain.offsets[name]
        assert error < 0.002
        assert value == pytest.approx(true, abs=4 * error + tiny)
    assert plain.background.median == pytest.approx(0.4, abs=0.02)
    assert plain.background.rms == pytest.approx(0.5, rel=0.03)
    assert plain.background.boxes_rms < 2 * plain.background.boxes_noise
    assert plain.noise_ours.sigma == pytest.approx(np.hypot(NOISE, 0.5), rel=0.03)
    assert plain.noise_real.sigma == pytest.approx(NOISE, rel=0.03)
    assert abs(plain.noise_real.correlation[0]) < 0.02
    for fwhm, sigma in ((plain.fwhm_real, SIGMA), (plain.fwhm_ours, np.hypot(SIGMA, BLUR))):
        np.testing.assert_allclose(fwhm[0], 2.3548 * sigma, rtol=0.01)
        assert (fwhm[1] < 0.03).all()
    np.testing.assert_allclose(plain.blur.real, BLUR, rtol=0.05)
    assert plain.blur.ours == (0, 0)


def test_stars_scatter_as_the_noise_says(plain):
    assert len(plain.stars) > 150
    table = plain.by_magnitude
    faint = table[(table["from"] >= 11) & (table["from"] < 15)]
    assert len(faint) == 4
    for scatter, noise in (
        ("mag_rms", "mag_noise"), ("ra_robust", "place_noise"), ("dec_robust", "place_noise"),
    ):  # fmt: skip
        ratio = faint[scatter] / faint[noise]
        assert ((ratio > 0.5) & (ratio < 1.6)).all()
        assert 0.7 < np.mean(ratio) < 1.3


def test_nothing_is_found_wrong_where_nothing_is(plain):
    assert plain.ok()
    assert [check.ok for check in plain.checks] == [True] * 7
    assert plain.verdict == "agrees within the limits"
    assert len(plain.trends) >= 28
    assert all(trend.ok for trend in plain.trends)


def test_it_says_what_it_found(plain):
    assert "agrees" in repr(plain)
    assert "<table" in plain._repr_html_()
    assert len(plain.summary.splitlines()) == 8
    table = plain.table
    assert {"what", "value", "error", "unit", "limit", "ok"} == set(table.colnames)
    assert np.isfinite(table["value"]).all()
    assert not table.meta["SIMULATE"]


def _phase(place):
    return np.cos(2 * np.pi * place)


#: What ours is given, and which questions must be answered with yes; others may where alike.
TRENDS = {
    "rows": (
        lambda f: {
            "factor": 1 + 0.03 * (f.y / SIZE - 0.5),
            "dx": 0.06 * (f.x / SIZE - 0.5),
            "dy": 0.03 * _phase(f.y),
        },
        {("d_mag", "row"), ("d_ra", "column"), ("d_dec", "phase in coadd pixels, y")},
    ),
    "halves": (
        lambda f: {
            "factor": np.where(f.x < 255.5, 1.01, 0.99),
            "dx": 0.06 * (f.y / SIZE - 0.5),
            "dy": 0.03 * _phase(f.y / 82.2),
        },
        {("d_mag", "half across the scan"), ("d_ra", "row"), ("d_dec", "row in the frames")},
    ),
    "brightness": (
        lambda f: {"factor": 1 + 0.004 * (f.mag - 10), "dx": 0.03 * _phase(f.x)},
        {("d_mag", "magnitude"), ("d_ra", "phase in coadd pixels, x")},
    ),
    "full pixels": (
        lambda f: {"factor": np.where(f.mag < 8.2, 0.97, 1.0)},
        {("d_mag", "saturated in read 2")},
    ),
}
#: Questions that one answer makes likely in others.
ALIKE = [{"column", "half across the scan"}, {"magnitude", "saturated in read 2"}]


@pytest.mark.parametrize("name", TRENDS)
def test_trends_are_found_and_named(field, name):
    change, there = TRENDS[name]
    comparison = compare_images(field.ours(**change(field)), field.real())
    wrong = {(trend.of, trend.with_) for trend in comparison.trends if not trend.ok}
    assert there <= wrong
    allowed = {(of, w) for of, cause in there for alike in ALIKE if cause in alike for w in alike}
    # apertures themselves leave a trace of a millimagnitude or two
    allowed |= {("d_mag", f"phase in coadd pixels, {axis}") for axis in "xy"}
    assert wrong <= there | allowed
    assert not comparison.ok()
    assert "trends" in comparison.verdict


def test_too_much_of_anything_is_said(field):
    rng = np.random.default_rng(1)
    n = len(field.x)
    for changed, words in (
        ({"factor": 1 + rng.normal(0, 0.04, n)}, "photometry, rms"),
        ({"factor": 1.05}, "photometry, offset"),
        ({"dx": rng.normal(0, 0.1, n), "dy": rng.normal(0, 0.1, n)}, "astrometry"),
        ({"level": 1.5}, "background, level"),
    ):
        comparison = compare_images(field.ours(**changed), field.real())
        wrong = [check.what for check in comparison.checks if check.ok is False]
        assert [what for what in wrong if words in what], words
        assert all(words.split(",")[0] in what or "trends" in what for what in wrong)


def test_the_sharper_one_is_blurred(field):
    ours = field.real()
    comparison = compare_images(ours, field.ours(noise=0.01))
    np.testing.assert_allclose(comparison.blur.ours, BLUR, rtol=0.05)
    assert comparison.blur.real == (0, 0)
    assert abs(comparison.offsets["d_mag"][0]) < 0.003


def test_a_part_compares_like_the_whole(field):
    ours, real = field.ours(), field.real()
    header = ours.header.copy()
    header["CRPIX1"] -= 100
    header["CRPIX2"] -= 40
    part = compare_images(tm.AtlasImage(ours.data[40:360, 100:], header), real)
    whole = compare_images(ours, real)
    assert part.pair.origin == (100, 40)
    assert part.pair.real.shape == (320, 300)
    there = {(round(x), round(y)): d for x, y, d in whole.stars["x", "y", "d_mag"].iterrows()}
    same = [
        abs(d - there[round(x), round(y)]) for x, y, d in part.stars["x", "y", "d_mag"].iterrows()
    ]
    assert len(same) > 50
    assert np.median(same) < 0.01


def test_holes_are_passed_over(field):
    ours, real = field.ours(), field.real()
    ours.data[100:140] = np.nan
    real.data[:, 200:240] = np.nan
    comparison = compare_images(ours, real)
    assert comparison.ok()
    x, y = comparison.stars["x"], comparison.stars["y"]
    assert not ((y > 98) & (y < 142)).any()
    assert not ((x > 198) & (x < 242)).any()
    ours.data[:] = np.nan
    with pytest.raises(AtlasError, match="no pixel in common"):
        compare_images(ours, real)


@pytest.mark.parametrize("n", [0, 2])
def test_an_empty_field_is_not_judged_by_stars(header, n):
    field = Field(header, seed=4, n=n)
    comparison = compare_images(field.ours(), field.real())
    judged = {check.what: check.ok for check in comparison.checks}
    assert comparison.ok()
    assert judged["photometry, rms about the offset"] is None
    assert judged["background, level"] is True
    assert "Not judged: photometry" in comparison.verdict
    assert "nan" not in comparison.summary
    assert comparison.noise_ours.sigma == pytest.approx(np.hypot(NOISE, 0.5), rel=0.03)


def test_grids_that_differ_are_refused(field, real_data):
    ours, real = field.ours(), field.real()
    for key, by, words in (
        ("CRPIX1", 0.3, "like=real"), ("CROTA2", 0.02, "like=real"), ("CRPIX2", 380, "less than"),
        ("CRVAL1", 90, "like=real"),
    ):  # fmt: skip
        header = ours.header.copy()
        header[key] += by
        with pytest.raises(AtlasError, match=words):
            compare_images(tm.AtlasImage(ours.data, header), real)
    other = tm.AtlasImage.open(real_data / "atlas/aJ_asky_001022s0620186.fits.gz")
    with pytest.raises(AtlasError, match="one band"):
        compare_images(ours, other)


def test_simulated_frames_are_told_and_their_level_is_not_judged(field):
    ours = field.ours(level=3.0)
    ours.header["SIMULATE"] = True
    comparison = compare_images(ours, field.real())
    assert comparison.simulated
    assert comparison.title.endswith("SIMULATED")
    assert comparison.table.meta["SIMULATE"]
    level = next(check for check in comparison.checks if "level" in check.what)
    assert (level.ok, level.value) == (None, pytest.approx(3.0 / NOISE, rel=0.05))
    assert comparison.ok()


def _chance_stars(seed, n=100):
    rng = np.random.default_rng(seed)
    mag = rng.uniform(8, 12, n)
    noise = 0.002 * 10 ** (0.2 * (mag - 8))
    tailed = rng.standard_t(4, (3, n)) * noise  # tails as blends make them
    return {
        "x": rng.uniform(0, 512, n), "y": rng.uniform(0, 1024, n), "mag": mag,
        "peak": 10 ** (0.4 * (17 - mag)), "mag_noise": noise, "place_noise": noise,
        **dict(zip(("d_mag", "d_ra", "d_dec"), tailed, strict=True)),
    }  # fmt: skip


def test_chance_makes_few_trends(field):
    real = field.real()
    limits = {"d_mag": 0.02, "d_ra": 0.1, "d_dec": 0.1}
    least = []
    for seed in range(30):
        stars = _chance_stars(seed)
        terms = asking.causes(stars, real, 2000.0, None)
        asked = asking.trends(stars, terms, limits, seed)
        least.append(min(trend.chance for trend in asked))
        assert len(asked) == 24
    # the chance of the least likely is even: as often below a half as above
    assert 8 <= np.sum(np.array(least) < 0.5) <= 22
    assert np.sum(np.array(least) < 0.01) <= 2


def test_phases_of_raw_pixels_are_means_over_the_frames_that_saw_a_star():
    class Moved:
        """Two frames, half a pixel further in y; the second star is on the first alone."""

        def __init__(self, i):
            self.i = i

        def all_world2pix(self, ra, dec, _origin):
            return ra, dec + 0.5 * self.i + 200 * self.i * (dec > 100)

    phases = raw_phases(np.array([10.25, 20.0]), np.array([30.125, 150.25]), range(2), Moved)
    np.testing.assert_allclose(phases[0, 0], [0, 1, -1, 0], atol=1e-12)
    np.testing.assert_allclose(phases[0, 1], [0, 0, 0, 1], atol=1e-12)
    np.testing.assert_allclose(phases[1], [[1, 0, 1, 0], [0, 1, -1, 0]], atol=1e-12)


def test_errors_of_pixels_raise_the_noise_of_bright_stars(field):
    ours, real = field.ours(), field.real()
    light = np.maximum(ours.data - SKY, 0)
    error = np.sqrt(0.5**2 + light / 500).astype(np.float32)
    with_error = Coadd(ours.data, ours.header, None, None, error)
    without, there = (compare_images(one, real).stars for one in (ours, with_error))
    bright = without["mag"] < 9
    assert (there["mag_noise"][bright] > 1.5 * without["mag_noise"][bright]).all()
    faint = without["mag"] > 14
    np.testing.assert_allclose(there["mag_noise"][faint], without["mag_noise"][faint], rtol=0.1)
