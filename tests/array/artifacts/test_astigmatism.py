"""Shapes of stars: elongated ones as they were painted, round ones as round."""

from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u

from twomass_nb.array import artifacts
from twomass_nb.errors import NotFoundError

FINE = 5


def frames_with(ratio, angle, seed, n=6, stars=60, width=1.6):
    """Frames with Gaussian stars of an axis ratio and a position angle (degrees) on noise."""
    rng = np.random.default_rng(seed)
    long, short = width * np.sqrt(ratio) / 2.3548, width / np.sqrt(ratio) / 2.3548
    # north is up and east left: the long axis points to (-sin, cos) in x, y
    t = np.deg2rad(angle)
    axes = np.array([[-np.sin(t), np.cos(t)], [np.cos(t), np.sin(t)]])
    inverse = axes.T @ np.diag([long**-2, short**-2]) @ axes
    reads = rng.normal(0, 4, (n, 2, 256, 256)) + np.reshape([9000, 9100], (2, 1, 1))
    place = (np.arange(17 * FINE) + 0.5) / FINE - 8.5
    for frame in reads:
        for x, y in rng.uniform(12, 243, (stars, 2)):
            cx, cy = round(x), round(y)
            dx, dy = np.meshgrid(place - (x - cx), place - (y - cy))
            shape = np.exp(-0.5 * (inverse[0, 0] * dx**2 + 2 * inverse[0, 1] * dx * dy
                                   + inverse[1, 1] * dy**2))  # fmt: skip
            pixels = shape.reshape(17, FINE, 17, FINE).sum(axis=(1, 3))
            light = 10 ** rng.uniform(3.3, 4.2) * pixels / pixels.sum()
            frame[1, cy - 8 : cy + 9, cx - 8 : cx + 9] += light
    return np.rint(reads).astype(np.uint16)


def measure(frames):
    stamps = artifacts.lonely_stars(frames, np.full((256, 256), 100.0), np.zeros((256, 256), bool))
    return artifacts.elongation(stamps)


@pytest.mark.parametrize(("ratio", "angle"), [(1.25, 0), (1.4, 30), (1.2, 90), (1.3, 135)])
def test_elongated_stars_come_back_as_they_were_painted(ratio, angle):
    found = measure(frames_with(ratio, angle, seed=int(100 * ratio + angle)))
    # a pixel is square and makes stars a little rounder and wider
    pixel, width = 1 / 12, 1.6 / 2.3548
    expected = np.sqrt((width**2 * ratio + pixel) / (width**2 / ratio + pixel))
    assert abs(found.all_axis_ratio.value - expected) < 3 * found.all_axis_ratio.error
    assert found.all_axis_ratio.error < 0.03
    turned = (found.all_angle.value.to_value(u.deg) - angle + 90) % 180 - 90
    assert abs(turned) < 3 * found.all_angle.error.to_value(u.deg)
    assert found.all_angle.error < 5 * u.deg
    assert np.all(found.stars > 10)


def test_round_stars_are_round_within_their_errors():
    plus, cross = [], []
    for seed in range(8):
        found = measure(frames_with(1.0, 0.0, seed, n=4))
        plus += list((found.plus.value / found.plus.error).value)
        cross += list((found.cross.value / found.cross.error).value)
    for z in (plus, cross):
        assert np.mean(np.abs(z) <= np.full(len(z), 2.0)) >= 0.85


def test_quadrants_keep_their_own_shape():
    frames = frames_with(1.0, 0.0, 5)
    frames[:, :, :, :128] = frames_with(1.4, 90.0, 6)[:, :, :, :128]
    found = measure(frames)
    assert np.all(found.axis_ratio.value[[0, 2]] > 1.2)
    assert np.all(found.axis_ratio.value[[1, 3]] < 1.1)
    assert found.images.shape == (4, 52, 52)
    assert np.nanmax(found.images) == 1


def test_too_few_stars_are_said():
    with pytest.raises(NotFoundError, match="lonely stars"):
        measure(frames_with(1.0, 0.0, 1, n=1, stars=1))
