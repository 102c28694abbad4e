from __future__ import annotations

import numpy as np
import pytest

from twomass_nb.calibrate.darks import combine
from twomass_nb.errors import CalibrationError
from twomass_nb.simulate.camera import READ1_TIME, READ2_TIME

SKY = 290  # DN of r2 - r1 in J, the darkest band: what comes in through an open shutter


def half_open(frames: np.ndarray, which, seed: int = 0) -> np.ndarray:
    """Let the sky of J fall on a third of the array in some frames, photon noise and all."""
    rng = np.random.default_rng(seed)
    lit = frames.astype(np.int64)
    x = np.arange(256)
    shade = np.clip((x[:, None] + 0.2 * x - 180) / 20, 0, 1)
    for i in which:
        first = 0.04 * SKY * shade
        lit[i, 0] += np.rint(first).astype(int)
        lit[i, 1] += rng.poisson(8 * (first + SKY * shade)) // 8
    return lit.astype(np.uint16)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_dark_comes_back_within_its_errors(seed, taken, shelf):
    some = taken(seed)
    dark = combine([shelf(some.dark, 995, "dar")])
    camera = some.camera
    true1 = camera.read1 + camera.dark_rate * READ1_TIME
    true = camera.read2 - camera.read1 + camera.dark_rate * (READ2_TIME - READ1_TIME)
    for measured, error, truth in (
        (dark.r1, dark.r1_error, true1), (dark.difference, dark.difference_error, true),
    ):  # fmt: skip
        pull = (measured - truth) / error
        # 2 sigma of Student's t with 23 degrees of freedom is 94.3 %
        assert np.mean(np.abs(pull) < 2) == pytest.approx(0.943, abs=0.008)
        assert abs(pull.mean()) < 0.03
    assert dark.n_frames == 24
    assert dark.left_out == ()


def test_frames_with_the_shutter_half_open_are_left_out_and_named(taken, shelf):
    frames, lit = taken(1).dark, [3, 11, 12, 23]
    clean = combine([shelf(np.delete(frames, lit, axis=0), 995, "dar")])
    dark = combine([shelf(half_open(frames, lit), 996, "dar")])
    assert [one.frame for one in dark.left_out] == lit
    assert all("shutter" in one.reason for one in dark.left_out)
    assert all(one.scan == "000529s996" for one in dark.left_out)
    np.testing.assert_array_equal(dark.difference, clean.difference)


def test_light_that_read_1_alone_shows_is_found(taken, shelf):
    frames = taken(1).dark.copy()
    frames[9, :, :, :90] += 100  # the same in both reads: none in r2 - r1
    (left_out,) = combine([shelf(frames, 995, "dar")]).left_out
    assert left_out.frame == 9
    assert "shutter" in left_out.reason


def test_a_drift_of_read_1_is_not_light(taken, shelf):
    frames = taken(1).dark.copy()
    frames += np.linspace(0, 60, len(frames)).astype(np.uint16)[:, None, None, None]
    assert combine([shelf(frames, 995, "dar")]).left_out == ()


def test_most_frames_may_be_half_open(taken, shelf):
    lit = list(range(16))  # of 24
    dark = combine([shelf(half_open(taken(1).dark, lit), 995, "dar")])
    assert [one.frame for one in dark.left_out] == lit


def test_a_scan_with_the_shutter_half_open_in_all_frames_is_left_out(taken, shelf):
    lit = shelf(half_open(taken(2).dark, range(24)), 996, "dar")
    dark = combine([shelf(taken(1).dark, 995, "dar"), lit])
    (left_out,) = dark.left_out
    assert (left_out.scan, left_out.frame) == ("000529s996", None)
    assert "all frames: shutter not closed" in left_out.reason
    with pytest.raises(CalibrationError, match=r"dark frames are usable .*not closed in any frame"):
        combine([lit])  # with nothing to compare with, the noise of the light tells


def test_a_hit_and_a_frame_with_light_all_over_do_not_count(taken, shelf):
    frames = taken(1).dark.copy()
    frames[5, 1, 100, 100] += 5000
    frames[7, 1] += 200
    dark = combine([shelf(frames, 995, "dar")])
    assert [one.frame for one in dark.left_out] == [7]
    assert "light all over" in dark.left_out[0].reason
    clean = combine([shelf(taken(1).dark, 996, "dar")])
    error = clean.difference_error[100, 100]
    assert abs(dark.difference[100, 100] - clean.difference[100, 100]) < 3 * error


def test_pixels_of_two_levels_are_found(taken, shelf):
    frames = taken(1).dark.copy()
    rng = np.random.default_rng(4)
    places = [(30, 40), (77, 200), (200, 90)]
    for y, x in places:  # G. Kopan: about 600 DN in r2 - r1 and 50 in r1
        high = rng.permutation(24) < 9
        frames[high, 0, y, x] += 50
        frames[high, 1, y, x] += 650
    frames[3, 1, 150, 150] += 600  # a hit, once
    found = combine([shelf(frames, 995, "dar")]).bistable
    assert sorted(map(tuple, np.argwhere(found))) == places


def test_too_few_frames_are_refused(taken, shelf):
    with pytest.raises(CalibrationError, match="fewer than 3 dark frames"):
        combine([shelf(taken(1).dark[:2], 995, "dar")])
