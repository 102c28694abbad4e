"""A frame that does not show the sky of the others is found, and no other is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from twomass_nb.coadd.background import match_backgrounds
from twomass_nb.coadd.unlike import unlike
from twomass_nb.errors import TwomassWarning

LEVELS = [400.0 + 20 * k for k in range(8)]


@pytest.fixture
def field():
    """A nebula as bright as the sky, and stars."""
    rng = np.random.default_rng(4)
    y, x = np.mgrid[:387, :120]
    sky = 400 * np.exp(-((x - 40) ** 2 + (y - 200) ** 2) / (2 * 50**2))
    for row, column, peak in zip(
        rng.uniform(0, 387, 60), rng.uniform(0, 120, 60), rng.uniform(40, 4000, 60), strict=True
    ):
        sky += peak * np.exp(-((x - column) ** 2 + (y - row) ** 2) / (2 * 1.5**2))
    return sky


def found(frames):
    return unlike(frames, match_backgrounds(frames))


def test_frames_of_one_sky_are_alike(strips, field):
    frames, _ = strips(LEVELS, noise=2.0, sky=field)
    assert found(frames) == {}
    # one has more noise, a trail and a dead half
    odd = frames[3].values + np.random.default_rng(0).normal(0, 20, (100, 120)).astype("f4")
    odd[:, 50:54] += 5000
    odd[:40] = np.nan
    frames[3] = replace(frames[3], values=odd, weight=np.isfinite(odd).astype("f4"))
    assert found(frames) == {}


def test_an_empty_sky_says_nothing_of_light(strips):
    frames, _ = strips(LEVELS, noise=2.0)
    assert found(frames) == {}


@pytest.mark.parametrize(
    ("hurt", "why"),
    [
        (lambda values: 0 * values, "level is off by -"),  # closed, or all words are 0
        (lambda values: values + 2000, "level is off by"),
        (lambda values: np.full_like(values, 460), "0% of the light"),
        (lambda values: np.roll(values, 7, axis=1), "% of the light"),
        (lambda values: values[::-1], "% of the light"),
        (lambda values: 460 + 0.3 * (values - 460), "% of the light"),
    ],
)
def test_one_that_shows_something_else_is_found(strips, field, hurt, why):
    frames, _ = strips(LEVELS, noise=2.0, sky=field)
    frames[3] = replace(frames[3], values=hurt(frames[3].values).astype("f4"))
    strange = found(frames)
    assert list(strange) == [3]
    assert why in strange[3]


def test_of_two_frames_none_is_blamed(strips, field):
    frames, _ = strips([400.0, 400.0], noise=2.0, sky=field[:141])
    frames[1] = replace(frames[1], values=0 * frames[1].values)
    assert found(frames) == {}


def test_a_coadd_does_without_it_and_says_so(night, monkeypatch):
    from twomass_nb.coadd import stack

    whole = stack(night.scan, night.calibrator, night.images[0], sky=night.sky)
    science = type(night.calibrator).science

    def closed(self, scan, i, *args, **kwargs):
        one = science(self, scan, i, *args, **kwargs)
        if i == 9:
            one.pixels[:] = np.random.default_rng(9).normal(0, 5, one.pixels.shape)
        return one

    monkeypatch.setattr(type(night.calibrator), "science", closed)
    with pytest.warns(TwomassWarning, match="9: its level is off"):
        made = stack(night.scan, night.calibrator, night.images[0], sky=night.sky)
    assert made.header["NCOADD"] == whole.header["NCOADD"] - 1
    assert (made.header["NUNLIKE"], whole.header["NUNLIKE"]) == (1, 0)
    assert np.nanmedian(made.data) == pytest.approx(np.nanmedian(whole.data), abs=0.5)
