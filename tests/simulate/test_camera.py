"""The simulated camera has the faults of the real one, each where it belongs."""

from __future__ import annotations

import numpy as np
import pytest

from twomass_nb.scan import ScanId
from twomass_nb.simulate.camera import GAIN, READ1_TIME, READ2_TIME, READ_NOISE, Camera

N = 24


def taken(camera, light=0.0, n=N, seed=1, **more):
    light = np.broadcast_to(np.asarray(light, np.float32), (n, 256, 256))
    frames = camera.expose(light, np.random.default_rng(seed), **more)
    assert frames.dtype == np.uint16
    return frames


@pytest.fixture(scope="module", params=["j", "h", "k"])
def camera(request):
    return Camera("South", request.param, seed=5)


@pytest.fixture(scope="module")
def dark(camera):
    return taken(camera).astype(float)


@pytest.fixture(scope="module")
def clean(camera):
    """Pixels that are neither hot nor in the stripe."""
    good = camera.dark_rate < 20
    good[[77, 205]] = False
    return good


def test_jail_bars_are_the_same_in_both_reads_and_not_in_their_difference(camera, dark):
    r1, r2 = dark[:, 0].mean(0), dark[:, 1].mean(0)
    upper = slice(64, 128)  # rows that the reset decay has left
    bars = [np.median(r[upper, 4:120], axis=0) for r in (r1, r2)]
    assert np.std(bars[0]) > 8
    assert np.std(bars[0] - bars[1]) < 0.1 * np.std(bars[0])
    assert np.corrcoef(*bars)[0, 1] > 0.99
    difference = np.mean((r2 - r1)[upper, 4:120], axis=0)
    noise = np.sqrt(2) * READ_NOISE / np.sqrt(N * 64)
    assert np.std(bars[0]) > 20 * np.median(np.abs(difference - np.median(difference)))
    assert np.median(np.abs(difference - np.median(difference))) < 3 * noise


def test_reset_decay_is_in_read_1_alone_over_the_bottom_of_each_quadrant(camera, dark):
    r1, r2 = np.median(dark[:, 0], axis=0), np.median(dark[:, 1], axis=0)
    height = camera.reset_decay.max()
    for y in (0, 128):
        for x in (0, 128):

            def band(read, rows, y=y, x=x):
                return np.median(read[y + rows[0] : y + rows[1], x + 3 : x + 128])

            bottom, top = (0, 2), (100, 128)
            assert band(r1, bottom) - band(r1, top) > 0.3 * height
            assert abs(band(r2, bottom) - band(r2, top)) < 3
            # dark in the difference
            assert band(r2 - r1, bottom) - band(r2 - r1, top) < -0.3 * height
    rows = np.median((r1 - r2)[:128, 3:128], axis=1)
    assert np.any(np.diff(rows[:40]) > 1)  # irregular: it does not only fall
    assert len({round(Camera("South", b).reset_decay.max()) for b in "jhk"}) == 3


def test_first_column_read_stands_out_in_both_reads(dark):
    for read in (0, 1):
        image = np.median(dark[:, read], axis=0)
        for x in (0, 128):
            assert np.median(image[60:120, x] - image[60:120, x + 4]) > 50
    difference = np.median(dark[:, 1] - dark[:, 0], axis=0)
    assert abs(np.median(difference[60:120, 128] - difference[60:120, 132])) < 3


def test_hot_cluster_makes_a_stripe_in_all_four_quadrants(dark):
    difference = np.median(dark[:, 1] - dark[:, 0], axis=0)
    assert np.median(difference[204:207, 5:8]) > 500
    for row in (77, 205):
        for x in (20, 140):
            near = difference[[row - 3, row - 2, row + 2, row + 3], x : x + 100]
            assert np.median(difference[row, x : x + 100]) - np.median(near) > 4


def test_noise_is_read_noise_in_the_dark_and_photon_noise_in_light(camera, dark, clean):
    change = np.diff(dark[:, 1] - dark[:, 0], axis=0)[:, clean] / np.sqrt(2)
    expected = np.hypot(np.sqrt(2) * READ_NOISE, np.sqrt(2 / 12))
    assert change.std() == pytest.approx(expected, rel=0.03)
    level = 6000.0
    lit = taken(camera, level).astype(float)
    change = np.diff(lit[:, 1] - lit[:, 0], axis=0)[:, clean & (camera.responsivity > 0.9)]
    response = camera.responsivity[clean & (camera.responsivity > 0.9)].mean()
    expected = np.sqrt(level * response / GAIN + 2 * READ_NOISE**2)
    assert change.std() / np.sqrt(2) == pytest.approx(expected, rel=0.03)


def test_both_reads_are_of_one_ramp(camera, dark, clean):
    level = 5000.0
    lit = taken(camera, level).astype(float)
    rise = (lit.mean(0) - dark.mean(0))[:, clean]
    share = READ1_TIME / (READ2_TIME - READ1_TIME)
    response = camera.responsivity[clean]
    assert np.median(rise[1] - rise[0]) == pytest.approx(level, rel=0.01)
    assert np.median(rise[0] / np.maximum(response, 0.5)) == pytest.approx(level * share, rel=0.02)
    assert np.median(camera.responsivity) == pytest.approx(1, abs=1e-3)
    assert (camera.responsivity == 0).sum() >= 40  # dead pixels


def test_saturation_in_read_2_is_flat_and_in_both_reads_a_hole_of_exactly_0(camera):
    light = np.zeros((2, 256, 256), np.float32)
    light[0, 50:60, 50:60] = 60_000  # full in r2, not in r1
    light[1, 50:60, 50:60] = 2_000_000  # full before r1
    frames = taken(camera, light, n=2).astype(int)
    alive = camera.responsivity[50:60, 50:60] > 0.5
    r2 = frames[0, 1, 50:60, 50:60][alive]
    assert np.ptp(r2) == 0
    assert np.all(r2 - frames[0, 0, 50:60, 50:60][alive] > 10_000)
    difference = (frames[1, 1] - frames[1, 0])[50:60, 50:60]
    assert np.all(difference[alive] == 0)


def test_persistence_stays_at_the_pixels_and_fades():
    camera = Camera("South", "k")
    light = np.zeros((8, 256, 256), np.float32)
    light[0, 100:104, 40:44] = 90_000
    frames = taken(camera, light, n=8).astype(float)
    glow = np.median((frames[:, 1] - frames[:, 0])[:, 100:104, 40:44], axis=(1, 2))
    around = np.median((frames[:, 1] - frames[:, 0])[:, 90:98, 40:60], axis=(1, 2))
    above = (glow - around)[1:]
    assert above[0] > 100
    assert np.all(np.diff(above) < 15)
    assert above[-1] < 0.5 * above[0]


def test_a_flash_between_the_reads_is_in_read_2_alone():
    camera = Camera("South", "j")
    flash = np.zeros((256, 256), np.float32)
    flash[100] = 800
    plain = taken(camera, n=3).astype(int)
    flashed = taken(camera, n=3, flashes={1: flash}).astype(int)
    change = flashed - plain
    assert np.median(change[1, 1, 100]) > 600
    assert np.abs(change[1, 0]).max() == 0
    assert np.abs(change[0]).max() == 0


def test_first_column_is_too_bright_in_bright_twilight_at_ctio_after_990117():
    for date, excess in (("1999-01-17", 0.0), ("1999-01-18", 0.10)):
        camera = Camera.of(ScanId(date, "s", 3), "k")
        ratios = []
        for level in (1500.0, 13_000.0):
            lit = taken(camera, level, n=8).astype(float).mean(0)
            rise = (lit[1] - lit[0] - taken(camera, n=8).astype(float).mean(0)[1]) + taken(
                camera, n=8
            ).astype(float).mean(0)[0]
            flat = rise / level / np.maximum(camera.responsivity, 0.5)
            ratios.append(np.median(flat[:, 128]) / np.median(flat[:, 132]))
        assert ratios[1] - ratios[0] == pytest.approx(excess, abs=0.01)
    assert Camera.of(ScanId("1999-05-01", "n", 3), "k").twilight_excess == 0


def test_same_seed_same_frames():
    one, two = (taken(Camera("North1", "h", 3), 500, n=2) for _ in range(2))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, taken(Camera("North1", "h", 4), 500, n=2))
    assert not np.array_equal(one, taken(Camera("North1", "h", 3), 500, n=2, seed=2))
    assert not np.array_equal(one, taken(Camera("North2", "h", 3), 500, n=2))
