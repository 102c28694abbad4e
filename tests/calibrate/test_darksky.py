from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from twomass_nb.calibrate.darksky import background_error, dark_frames, own_structure

STEP, SIDE, NOISE = 41.5, 32, 0.6  # pixels a frame, pixels of a part, DN of a part's median
N = 274


def clouds(n: int, scale: float, amplitude: float, seed: int) -> np.ndarray:
    """A sky of smooth structure, as parts of frames that move over it: (n, 8, 8)."""
    rows = int(STEP * n + 256) // 8 + 1
    sky = gaussian_filter(np.random.default_rng(seed).normal(size=(rows, 64)), scale / 8)
    sky = sky[:, :32]
    sky *= amplitude / sky.std()
    starts = [int(STEP * i / 8) for i in range(n)]
    return np.array([sky[k : k + 32].reshape(8, 4, 8, 4).mean((1, 3)) for k in starts])


def noise(n: int, sigma: float = NOISE, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, sigma, (n, 8, 8))


PATTERN = noise(1, 20.0, seed=5)


def told(parts: np.ndarray) -> np.ndarray:
    return dark_frames(own_structure(parts))


@pytest.mark.parametrize("n", [1, 2, 7, 8, 12, 20, 21, 42, 83, 84, 274])
def test_an_empty_sky_is_dark_in_all_frames(n):
    for seed in range(4):
        assert told(PATTERN + noise(n, seed=seed)).mean() > 0.99


def test_a_crowded_sky_is_as_dark_as_it_gets():
    # what stars do to a part's median moves with the sky, and differs from part to part
    stars = noise(1, 5.0, seed=9)[0]
    moving = np.random.default_rng(2).normal(0, 5.0, (int(STEP * N / SIDE) + 9, 8))
    parts = np.array([moving[int(STEP * i / SIDE) :][:8] for i in range(N)])
    assert told(PATTERN + parts + stars + noise(N)).mean() > 0.95


@pytest.mark.parametrize(("first", "last"), [(100, 131), (0, 31), (243, 274), (60, 160)])
@pytest.mark.parametrize("scale", [60.0, 200.0])
def test_a_nebula_in_part_of_a_scan_is_told_from_dark_sky(first, last, scale):
    parts = PATTERN + noise(N)
    parts[first:last] += clouds(N, scale, 20.0, seed=3)[first:last]
    dark = told(parts)
    assert not dark[first:last].any()
    lost = N - (last - first) - dark.sum()
    assert lost <= 20  # some at its ends


def test_what_belongs_to_the_array_is_no_structure_though_it_changes():
    t = np.linspace(-1, 1, N)[:, None, None]
    for course in (1 + 0.05 * t, 1 + 0.05 * np.sin(3 * t), np.exp(-0.55 * t), np.exp(-t)):
        assert told(PATTERN * course + noise(N)).mean() > 0.95
    fading = PATTERN * np.exp(-0.55 * t) + noise(N)
    fading[100:131] += clouds(N, 100.0, 20.0, seed=4)[100:131]
    dark = told(fading)
    assert not dark[100:131].any()
    assert dark.sum() > N - 31 - 20


@pytest.mark.parametrize("n", [12, 20, 42, 84, 274])
@pytest.mark.parametrize("amplitude", [0.0, 20.0])
def test_the_error_of_the_background_is_known(n, amplitude):
    ratios = []
    for seed in range(8):
        parts = PATTERN + noise(n, seed=seed)
        if amplitude:
            parts = parts + clouds(n, 60.0, amplitude, seed)
        structure = own_structure(parts)
        dark = dark_frames(structure)
        mean = parts[dark].mean(axis=0) - PATTERN[0]
        off = np.std(mean)
        ratios.append(background_error(structure[dark], n) / off)
    # what is stated for noise is too high: it is new in every frame, which structure is not
    assert 0.5 < np.median(ratios) < (2.5 if amplitude else 5)


def test_frames_that_all_see_one_place_tell_nothing():
    assert background_error(np.ones(7), 7) == np.inf
    assert background_error(np.ones(8), 8) < np.inf
