"""What light tells: linearity, saturation, persistence; as the camera has them, and real sky."""

from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u

import twomass_nb as tm
from twomass_nb.array import artifacts
from twomass_nb.array.artifacts import FixedPattern, quadrants
from twomass_nb.atlas import track_of
from twomass_nb.errors import NotFoundError
from twomass_nb.simulate import camera as simulated
from twomass_nb.simulate.camera import Camera
from twomass_nb.simulate.sky import AtlasSky, render_stars

SEEDS = range(30)
STEP = 41.4  # pixels a frame


def passing(x, y, flux, n, level):
    """Light of stars that move down the array by a step a frame."""
    light = np.empty((n, 256, 256), np.float32)
    for i in range(n):
        near = np.abs(y - STEP * i - 128) < 180
        light[i] = np.float32(level[i])
        light[i] += render_stars((256, 256), x[near], (y - STEP * i)[near], flux[near], 2.0)
    return light


def twilight(seed, n=20, fall=0.95, excess=True):
    """A camera, twilight frames, their levels, and darks."""
    camera, rng = Camera("South", "jhk"[seed % 3], seed, excess), np.random.default_rng([seed, 2])
    levels = 14_000 * fall ** np.arange(n)
    x, y, flux = rng.uniform(0, 256, 20), rng.uniform(0, 1000, 20), 10 ** rng.uniform(2.5, 4.5, 20)
    light = passing(x, y, flux, n, levels)
    frames = []
    for one in light:
        camera.rest()  # its persistence is another artifact
        frames.append(camera.expose(one[None], rng)[0])
    dark = FixedPattern(camera.expose(np.zeros((6, 256, 256), np.float32), rng))
    return camera, np.array(frames), levels, dark


def departure(camera, levels, n=8):
    """What the first columns should depart by, per cent."""
    low, high = simulated._TWILIGHT_LEVELS
    factor = 1 + camera.twilight_excess * np.clip((levels - low) / (high - low), 0, 1)
    return 100 * (factor[:n].mean() / factor[-n:].mean() - 1)


def test_first_column_departs_in_bright_twilight_as_the_camera_has_it():
    z, each = [], []
    for seed in range(12):
        camera, frames, levels, dark = twilight(seed)
        found = artifacts.linearity(frames, dark)
        truth = departure(camera, levels)
        assert found.bright.value == pytest.approx(levels[:8].mean(), rel=0.02)
        assert found.faint.value == pytest.approx(levels[-8:].mean(), rel=0.02)
        z.append(float((found.all_first.value.value - truth) / found.all_first.error.value))
        each.append((found.first.value.value - truth) / found.first.error.value)
        assert found.all_first.error < 0.1 * u.percent
        assert found.first.value.unit == u.percent
    assert np.mean(np.abs(z) <= np.full(12, 2.0)) >= 0.9
    assert np.mean(np.abs(each) <= 2) >= 0.9


def test_a_linear_camera_does_not_depart():
    for seed in (0, 1):
        _, frames, _, dark = twilight(seed, excess=False)
        found = artifacts.linearity(frames, dark)
        assert abs(found.all_first.value) < 3 * found.all_first.error
        assert np.nanstd(found.columns) < 0.002


def test_departure_grows_with_the_level():
    _, frames, _, dark = twilight(2, n=60, fall=0.97)
    found = artifacts.linearity(frames, dark)
    assert len(found.levels) >= 5
    assert np.all(np.diff(found.levels) > 0)
    assert np.all(np.diff(found.departure) > -0.1)


def test_two_levels_are_needed():
    _, frames, _, dark = twilight(1, n=16, fall=0.999)
    with pytest.raises(NotFoundError, match="two levels"):
        artifacts.linearity(frames, dark)


def bright_stars(seed, n=48):
    """A camera, frames with two bright stars among fainter ones, and the light that fell in."""
    camera, rng = Camera("South", "jhk"[seed % 3], seed), np.random.default_rng([seed, 3])
    x = np.concatenate([rng.uniform(20, 236, 2), rng.uniform(0, 256, 200)])
    y = np.concatenate([rng.uniform(300, 700, 2), rng.uniform(0, 2200, 200)])
    flux = np.concatenate([10 ** rng.uniform(5.6, 6.0, 2), 10 ** rng.uniform(2.5, 4.3, 200)])
    light = passing(x, y, flux, n, np.full(n, 300.0))
    return camera, camera.expose(light, rng), light


@pytest.fixture(scope="module")
def skies():
    return [bright_stars(seed) for seed in range(10)]


def test_full_pixels_are_those_that_the_camera_filled(skies):
    camera, _, _ = skies[0]
    for camera, frames, _ in skies:
        found = artifacts.saturation(frames)
        known = np.isfinite(found.level.value)
        truth = quadrants(camera.saturation)[:, 0, 0]
        assert known.any()
        np.testing.assert_allclose(found.level.value.value[known], truth[known], atol=0.5)
        full = frames >= camera.saturation
        for places, where in ((found.holes, full[:, 0]), (found.flat, full[:, 1] & ~full[:, 0])):
            assert set(map(tuple, places)) == set(map(tuple, np.argwhere(where)))


def test_a_star_full_in_both_reads_is_a_hole():
    camera = Camera("South", "h", 7)
    light = np.full((6, 256, 256), 200.0, np.float32)
    light[3, 50:55, 60:66] = 3e6
    light[4, 150:153, 60:63] = 60_000
    frames = camera.expose(light, np.random.default_rng(1))
    found = artifacts.saturation(frames)
    alive = camera.responsivity[50:55, 60:66] > 0
    assert len(found.holes) == alive.sum()
    assert set(found.holes[:, 0]) == {3}
    assert found.frame == 3
    assert {tuple(place) for place in found.flat} >= {(4, 151, 61)}
    assert np.isnan(found.level.value[3])  # nothing was full there
    assert found.highest[3] < quadrants(camera.saturation)[3, 0, 0]


def test_persistence_is_what_the_camera_keeps(skies):
    share, left = [], []
    for camera, frames, light in skies:
        found = artifacts.persistence(frames)
        charge = light * camera.responsivity
        bright = charge - 300 > 15_000
        bright[-10:] = False
        kept = np.minimum(charge, simulated._GLOW_WELLS * simulated._WELL) - simulated._GLOW_FROM
        truth = 100 * simulated._GLOW_SHARE * kept[bright].sum() / charge[bright].sum()
        share.append(float((found.share.value.value - truth) / found.share.error.value))
        left.append(float((found.left.value.value - 100 * simulated._GLOW_LEFT)
                          / found.left.error.value))  # fmt: skip
        assert found.share.error < 0.15 * found.share.value
        assert found.left.error < 3 * u.percent
        assert found.step.value.value == pytest.approx(-STEP, abs=0.15)
    for z in (share, left):
        assert np.mean(np.abs(z) <= np.full(10, 2.0)) >= 0.8
        assert np.abs(z).max() < 4


def test_without_bright_stars_it_says_so():
    frames = Camera("South", "j", 1).expose(
        np.full((8, 256, 256), 100.0, np.float32), np.random.default_rng(0)
    )
    with pytest.raises(NotFoundError, match="brighter star"):
        artifacts.persistence(frames)


# real sky -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def m17(real_data):
    """Frames of a crowded real field, and the camera that observed it."""
    paths = sorted((real_data / "atlas").glob("*990502s135*.fits.gz"))
    images = [tm.AtlasImage.open(path) for path in paths]
    track, camera = track_of(images), Camera("South", "k", 11)
    sky = AtlasSky(images, camera.geometry)
    light = np.stack([sky.light(track, i, camera.geometry) + sky.level for i in range(74, 96)])
    return camera, camera.expose(light.astype(np.float32), np.random.default_rng(1)), images


def test_a_crowded_real_field_tells_the_same(m17):
    """No darks: the scan's own frames, with the sky taken out of read 1."""
    camera, frames, _ = m17
    pattern = FixedPattern(frames)
    bars = quadrants(camera.bars)[:, 0, 2:]
    found = artifacts.jail_bars(pattern)
    np.testing.assert_allclose(found.rms.value.value, bars.std(axis=1), rtol=0.005)
    assert found.period == 8
    decay = artifacts.reset_decay(pattern)
    truth = quadrants(camera.reset_decay)[:, :, 2:].mean(axis=2)
    assert np.mean(np.abs(decay.profile - truth)[:, :70] <= 2 * decay.error[:, :70]) > 0.9
    first = artifacts.first_column(pattern)
    off = np.abs(first.r1.value.value - camera.first_column[0, 0]) / first.r1.error.value
    assert np.all(off < 3)
    hot = artifacts.hot_pixels(pattern)
    rate = camera.dark_rate - np.median(camera.dark_rate)
    found_at = set(zip(hot.y, hot.x, strict=True))
    assert set(zip(*np.nonzero(rate > 1000), strict=True)) <= found_at
    assert np.mean(rate[hot.y, hot.x] > 20) > 0.95
    z = (hot.rate.value - rate[hot.y, hot.x]) / hot.error.value
    assert np.mean(np.abs(z) <= 2) > 0.85


def test_real_images_have_trails_ahead_of_the_scan(m17):
    """A step ahead of bright stars real coadds are brighter; a step behind they are not."""
    _, _, images = m17
    ring = np.hypot(*np.mgrid[-12:13, -12:13]) > 7
    for image in images:
        across, along = (float(part.to_value(u.arcsec)) for part in image.frame_step)
        y, x = np.nonzero(image.data > 4000)
        glow = {}
        for k in (-1, 1):
            values = []
            for row, column in zip(np.rint(y + k * along), np.rint(x + k * across), strict=True):
                r, c = int(row), int(column)
                if 15 < r < image.data.shape[0] - 15 and 15 < c < image.data.shape[1] - 15:
                    patch = image.data[r - 12 : r + 13, c - 12 : c + 13]
                    values.append(np.nanmedian(patch[11:14, 11:14]) - np.nanmedian(patch[ring]))
            glow[k] = np.nanmedian(values)
        assert glow[1] > 8
        assert abs(glow[-1]) < 5
