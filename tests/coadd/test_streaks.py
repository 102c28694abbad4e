"""Trails come back, whole; chance, clumps and crowds are no trails."""

from __future__ import annotations

import numpy as np
import pytest

from twomass_nb.coadd import transients
from twomass_nb.coadd.streaks import BEYOND, Streak, find_streaks, in_layer
from twomass_nb.scan import ScanId
from twomass_nb.simulate import observe
from twomass_nb.simulate.camera import GAIN, READ_NOISE, Camera
from twomass_nb.simulate.exposure import Exposure
from twomass_nb.simulate.files import Observation
from twomass_nb.simulate.sky import StarField

SIDE = 512.0


def scatter(rng, n):
    n = rng.poisson(n)
    return rng.uniform(0, SIDE, n), rng.uniform(0, SIDE, n)


def trail(rng, n, length, angle, middle=(250.0, 260.0), off=1.5):
    """Return detections on a trail, its ends among them."""
    t = np.append(rng.uniform(-length / 2, length / 2, n - 2), [-length / 2, length / 2])
    d = rng.uniform(-off, off, n)
    c, s = np.cos(angle), np.sin(angle)
    return middle[0] + t * c - d * s, middle[1] + t * s + d * c


def together(*parts):
    return tuple(np.concatenate(axis) for axis in zip(*parts, strict=True))


@pytest.mark.parametrize("n", [200, 400, 1000])
def test_chance_makes_no_streaks(n):
    rng = np.random.default_rng(n)
    assert not any(find_streaks(*scatter(rng, n)) for _ in range(20))


def test_chance_puts_enough_points_by_a_line():
    """By the survey's words alone a random field would have streaks."""
    x, y = scatter(np.random.default_rng(1), 400)
    most = max(
        np.histogram(y * np.cos(a) - x * np.sin(a), np.arange(-600, 600, 6.0))[0].max()
        for a in np.arange(0, np.pi, 0.01)
    )
    assert most >= 15
    assert not find_streaks(x, y)


def test_clumps_and_crowds_are_no_streaks():
    for seed in range(12):
        rng = np.random.default_rng(seed)
        clumps = [
            tuple(rng.normal(rng.uniform(50, 460, (2, 1)), rng.uniform(2, 30), (2, 60)))
            for _ in range(3)
        ]
        uneven = rng.uniform(0, 1, (2, 500)) ** 1.5 * SIDE
        assert not find_streaks(*together(scatter(rng, 200), tuple(uneven), *clumps))


@pytest.mark.parametrize("around", [0, 100, 300])
@pytest.mark.parametrize(
    ("n", "length"), [(15, 30.0), (15, 60.0), (20, 150.0), (40, 400.0), (200, 500.0)]
)
def test_trails_among_scatter_are_found(around, n, length):
    rng = np.random.default_rng([around, n])
    found = 0
    for angle in (0.0, 0.4, np.pi / 2, 2.5):
        (x, y) = together(trail(rng, n, length, angle), scatter(rng, around))
        streaks = find_streaks(x, y)
        found += len(streaks)
        for streak in streaks:
            across = (streak.middle[1] - 260) * np.cos(angle) - (streak.middle[0] - 250) * np.sin(
                angle
            )
            assert abs(across) < 3
            assert streak.detections >= 15
            assert 6 <= streak.width <= 12
            off = (np.degrees(angle) - streak.angle + 90) % 180 - 90
            assert abs(off) < np.degrees(6 / length)
    assert found >= 3, "of four"


def test_fewer_points_or_a_shorter_line_are_no_streak():
    rng = np.random.default_rng(2)
    assert find_streaks(*trail(rng, 20, 40.0, 0.7))
    assert not find_streaks(*trail(rng, 14, 40.0, 0.7))
    assert not find_streaks(*trail(rng, 20, 19.0, 0.7))
    assert not find_streaks([], [])
    assert find_streaks(*trail(rng, 10, 40.0, 0.7), points=8)


def test_what_is_found_is_the_same_again_and_does_not_depend_on_order():
    rng = np.random.default_rng(3)
    x, y = together(trail(rng, 60, 300.0, 1.0), scatter(rng, 200))
    first = find_streaks(x, y)
    assert first == find_streaks(x, y)
    shuffled = rng.permutation(len(x))
    again = find_streaks(x[shuffled], y[shuffled])
    assert [s.detections for s in again] == [s.detections for s in first]


def test_two_trails_that_cross():
    rng = np.random.default_rng(4)
    parts = trail(rng, 100, 400.0, 0.5), trail(rng, 60, 300.0, 2.0), scatter(rng, 100)
    angles = sorted(s.angle for s in find_streaks(*together(*parts)))
    np.testing.assert_allclose(angles, np.degrees([0.5, 2.0]), atol=1.0)


def test_nan_positions_are_left_out():
    x, y = trail(np.random.default_rng(5), 30, 100.0, 0.3)
    assert len(find_streaks(np.append(x, np.nan), np.append(y, 3.0))) == 1


def test_the_mask_is_a_band_that_goes_on_beyond_the_ends():
    streak = Streak(100.0, 50.0, 160.0, 50.0, 10.0, 30)
    y, x = np.nonzero(streak.mask((100, 300)))
    assert (y.min(), y.max()) == (45, 55)
    assert (x.min(), x.max()) == (100 - BEYOND, 160 + BEYOND)
    assert (streak.angle, streak.length) == (0.0, 60.0)


def pixels(profile, seed=0, shape=(400, 300), depth=7):
    """Return a layer's solo pixels and excess: noise, and a trail in one of the frames."""
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng(seed)
    # noise alike in neighbouring pixels, as the kernel leaves it
    noise = gaussian_filter(rng.normal(size=(depth, *shape)), (0, 0.7, 0.7))
    layers = (noise / noise.std()).astype(np.float32)
    layers[0] += profile.astype(np.float32)
    variance = np.ones_like(layers)
    alone = transients.solo(layers, variance)
    return alone[0], transients.excess(layers[0], variance[0], transients.reference(layers))


def offsets(angle, middle=(150.0, 200.0), shape=(400, 300)):
    y, x = np.mgrid[: shape[0], : shape[1]]
    dx, dy = x - middle[0], y - middle[1]
    c, s = np.cos(angle), np.sin(angle)
    return dx * c + dy * s, dy * c - dx * s


@pytest.mark.parametrize("depth", [3, 4, 6, 7])
@pytest.mark.parametrize(("peak", "sigma"), [(10.0, 2.0), (60.0, 3.2), (400.0, 6.0)])
def test_a_trail_is_blanked_as_far_as_it_is_seen(depth, peak, sigma):
    along, across = offsets(1.1)
    profile = peak * np.exp(-0.5 * (across / sigma) ** 2) * (np.abs(along) < 120)
    (streak,) = in_layer(*pixels(profile, depth, depth=depth))
    assert streak.angle == pytest.approx(np.degrees(1.1), abs=0.5)
    assert streak.length == pytest.approx(240, abs=25)
    left = profile[~streak.mask(profile.shape)]
    assert left.max() < 1, "a frame's noise is 1"
    assert streak.width < 10 * sigma + 6


def test_trails_that_cross_are_both_blanked():
    profile = sum(
        60 * np.exp(-0.5 * (offsets(angle, (256, 256), (512, 512))[1] / 3) ** 2)
        for angle in (0.4, 1.9)
    )
    alone, excess = pixels(profile, 3, (512, 512))
    streaks = in_layer(alone, excess)
    angles = sorted(streak.angle for streak in streaks)
    np.testing.assert_allclose(angles, np.degrees([0.4, 1.9]), atol=0.5)
    blanked = np.any([streak.mask(profile.shape) for streak in streaks], axis=0)
    assert profile[~blanked].max() < 1


def test_a_trail_is_followed_where_it_fades():
    along, across = offsets(0.6)
    profile = 30 * np.exp(-0.5 * (across / 3) ** 2) * np.exp(-0.5 * (along / 55) ** 2)
    alone, excess = pixels(profile, 1)
    (streak,) = in_layer(alone, excess)
    inside = alone & (np.abs(across) < 8)
    assert streak.length > np.ptp(along[inside]) + 20
    assert profile[~streak.mask(profile.shape)].max() < 1


def test_a_trail_is_not_followed_into_another_frame_of_the_layer():
    along, across = offsets(np.pi / 2)
    profile = 40 * np.exp(-0.5 * (across / 3) ** 2) * (along < 60)
    alone, excess = pixels(profile, 2)
    excess[260:322] = np.nan
    alone[260:322] = False
    (streak,) = in_layer(alone, excess)
    assert not streak.mask(alone.shape)[322:].any()


def test_hits_patches_and_clumps_of_pixels_are_no_trails():
    rng = np.random.default_rng(6)
    hits = np.zeros((400, 300))
    hits[rng.integers(0, 400, 150), rng.integers(0, 300, 150)] = 30
    along, across = offsets(0.3)
    hits[np.hypot(along, across) < 20] = 30  # a ghost, say
    alone, excess = pixels(hits, 6)
    assert alone.sum() > 1000
    assert not in_layer(alone, excess)
    assert not in_layer(np.zeros_like(alone), excess)


def test_the_simulated_meteor_is_blanked():
    """Frames with the known camera taken off, put on a grid by repeating pixels and whole steps."""
    scan_id, n = ScanId.parse("000529s063"), 14
    track = observe.default_track(scan_id, "s", n, 0)
    seen = Observation(scan_id, "sci", track, geometry=observe.presets(scan_id))
    sky = StarField(track, 0, "k", specials=False)
    frames = Exposure(seen, "k", 0, sky, meteor=True).frames()
    camera = Camera.of(scan_id, "k", 0)
    difference = frames[:, 1].astype(np.float32) - frames[:, 0]
    dark = camera.dark_rate * 1.298 + camera.read2 - camera.read1
    good = (camera.responsivity > 0.5) & (camera.dark_rate < 30)
    with np.errstate(divide="ignore", invalid="ignore"):
        light = np.where(good, (difference - dark) / camera.responsivity, np.nan)

    step, flash = 83, 6
    layers = np.full((7, 512 + step * (n - 1), 512), np.nan, np.float32)
    for k, one in enumerate(light[::-1] if track.step < 0 else light):
        one = one - np.nanmedian(one)
        layers[k % 7, step * k : step * k + 512] = np.repeat(np.repeat(one, 2, 0), 2, 1) / 4
    flash = n - 1 - flash if track.step < 0 else flash
    level = sky.level + np.maximum(layers * 4, 0)
    alone, found = transients.mask(layers, (level / GAIN + 2 * READ_NOISE**2) / 16)

    assert [layer for layer, _ in found] == [flash % 7]
    # the meteor as the simulator draws it, in this frame's own pixels
    rng = np.random.default_rng([scan_id.day_no, scan_id.scan])
    angle, offset = rng.uniform(0.3, 1.2), rng.uniform(-40, 40)
    ((_, streak),) = found
    assert streak.angle == pytest.approx(np.degrees(angle), abs=0.2)
    y, x = np.mgrid[:512, :512] / 2 - 0.25 - 127.5
    across = x * np.sin(angle) - y * np.cos(angle) - offset
    blanked = alone[flash % 7, step * flash : step * flash + 512]
    assert blanked[np.abs(across) < 4].mean() > 0.999, "to 2.5 sigma"
    assert blanked[np.abs(across) > 9].mean() < 0.002
