"""Solo transients go, stars stay: stacks of star fields at random places on the pixels."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from twomass_nb.coadd import transients
from twomass_nb.simulate.sky import render_stars

SIZE, SCALE = 200, 1.984  # pixels of 1 arcsec, arcsec a raw pixel
LEVEL, GAIN, READ = 1600.0, 8.0, 5.7  # a Ks sky: DN, electrons a DN, DN
GRID = np.stack(np.meshgrid(np.arange(17, 190, 24), np.arange(17, 190, 24)), -1).reshape(-1, 2)


def shares(start: float, raw: int) -> np.ndarray:
    """Share of each pixel of the coadd that a raw pixel covers: the turbo kernel, one axis."""
    low = start + SCALE * np.arange(raw)
    edge = np.arange(SIZE)[:, None] - 0.5
    return np.clip(np.minimum(low + SCALE, edge + 1) - np.maximum(low, edge), 0, 1)


def stack(seed, depth=7, stars=None, flux=None, jitter=0.0, seeing=0.0, hit=None):
    """Return layers, variances and what a hit added: one raw pixel of one frame in 81."""
    rng = np.random.default_rng(seed)
    layers, variance, added = [], [], []
    stars = GRID + rng.uniform(-0.5, 0.5, GRID.shape) if stars is None else stars
    flux = np.zeros(0) if flux is None else flux
    n = int((SIZE + 12) / SCALE)
    for k in range(depth):
        start = rng.uniform(-4 - SCALE, -4, 2)
        place = (stars[: len(flux)] + rng.normal(0, jitter, 2) - start) / SCALE - 0.5
        raw = render_stars(
            (n, n), *place.T, flux, SCALE, blur=rng.uniform(0, seeing), within=True
        ).astype(float)
        square = (raw + LEVEL) / GAIN + READ**2
        value = raw + LEVEL + rng.normal(size=raw.shape) * np.sqrt(square)
        extra = np.zeros_like(raw)
        if k == 0 and hit:
            extra[6:-6:9, 6:-6:9] = hit * np.sqrt(square[6:-6:9, 6:-6:9])
        x, y = shares(start[0], n), shares(start[1], n)
        layers.append(y @ (value + extra) @ x.T / SCALE**2)
        variance.append(y**2 @ square @ (x**2).T / SCALE**4)
        added.append(y @ extra @ x.T / SCALE**2)
    layers, variance = np.array(layers, np.float32), np.array(variance, np.float32)
    return SimpleNamespace(layers=layers, variance=variance, added=np.array(added), stars=stars)


def peaks(added: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Brightest pixel of each hit, away from the edges."""
    from scipy.ndimage import label, maximum_position

    size = np.abs(added)
    labels, n = label(size > 0)
    y, x = np.array(maximum_position(size, labels, np.arange(1, n + 1))).T
    inside = (np.minimum(x, y) > 3) & (np.maximum(x, y) < SIZE - 4)
    return y[inside], x[inside]


def distance(stars: np.ndarray) -> np.ndarray:
    y, x = np.mgrid[:SIZE, :SIZE]
    return np.hypot(x[..., None] - stars[:, 0], y[..., None] - stars[:, 1])


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 5, 6, 7, 8])
def test_reference_is_the_lower_median_of_what_is_there(depth):
    rng = np.random.default_rng(depth)
    layers = rng.normal(size=(depth, 70, 9)).astype(np.float32)
    layers[rng.uniform(size=layers.shape) < 0.3] = np.nan
    ordered, known = np.sort(layers, axis=0), np.isfinite(layers).sum(axis=0)
    expected = np.take_along_axis(ordered, (np.maximum(known, 1)[None] - 1) // 2, 0)[0]
    np.testing.assert_array_equal(transients.reference(layers), expected)


@pytest.mark.parametrize(
    ("depth", "jitter", "seeing"),
    [(2, 0, 0), (2, 0.1, 0), (3, 0, 1.6), (4, 0.1, 0), (6, 0, 1.6), (7, 0, 0), (7, 0.1, 1.6)],
)
def test_stars_of_all_magnitudes_lose_nothing(depth, jitter, seeing):
    # 316 DN is Ks = 13.7, five times the noise; 1e6 DN is Ks = 5
    flux = np.resize(10 ** np.array([2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 6.0]), len(GRID))
    made = stack(depth, depth, flux=flux, jitter=jitter, seeing=seeing)
    alone = transients.solo(made.layers, made.variance)
    above = made.layers - LEVEL / SCALE**2
    before, after = above.mean(axis=0), np.nanmean(np.where(alone, np.nan, above), axis=0)
    near = distance(made.stars)
    for k in range(len(flux)):
        assert after[near[..., k] < 6].sum() == pytest.approx(
            before[near[..., k] < 6].sum(), rel=1e-3
        )
    assert alone[:, near.min(axis=-1) < 3].mean() < 1e-4
    assert alone.mean() < 1e-4


def test_noise_is_not_taken_for_hits():
    masked = [
        transients.solo(made.layers, made.variance).sum() / 9
        for made in (stack(seed, depth) for seed, depth in enumerate((2, 3, 4, 6, 7)))
    ]
    # a hit masks nine pixels; these are 880,000
    assert sum(masked) < 4


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(("depth", "caught"), [(7, 0.97), (6, 0.95), (4, 0.85), (3, 0.85)])
def test_hits_of_eight_sigma_are_caught(depth, caught, sign):
    made = stack(20 + depth, depth, hit=8.0 * sign)
    alone = transients.solo(made.layers, made.variance)
    y, x = peaks(made.added[0])
    assert alone[0, y, x].mean() > caught
    assert not alone[1:, y, x].any(), "the others stay"


def test_a_hit_goes_with_its_wings():
    made = stack(3, hit=12.0)
    alone = transients.solo(made.layers, made.variance)
    left = np.where(alone, 0, made.added)[0, 4:-4, 4:-4]
    assert np.count_nonzero(left) < 0.01 * np.count_nonzero(made.added[0])


def test_hits_on_wings_of_stars_are_caught():
    stars = GRID + np.random.default_rng(8).uniform(-0.5, 0.5, GRID.shape)
    made = stack(8, stars=stars, flux=np.resize([1e3, 1e4], len(stars)), hit=10.0)
    alone = transients.solo(made.layers, made.variance)
    y, x = peaks(made.added[0])
    far = distance(stars)[y, x].min(axis=-1)
    wing = (far > 6) & (far < 9)
    assert wing.sum() > 20
    assert alone[0, y, x][wing].mean() > 0.9


def test_of_two_frames_the_brighter_goes():
    made = stack(5, 2, hit=15.0)
    alone = transients.solo(made.layers, made.variance)
    y, x = peaks(made.added[0])
    assert alone[0, y, x].all()
    assert not alone[1, y, x].any()


def test_of_one_frame_nothing_is_said():
    made = stack(6, 1, hit=50.0)
    assert not transients.solo(made.layers, made.variance).any()


def test_two_bad_frames_of_six_are_both_caught():
    made = stack(7, 6)
    for k in (1, 4):
        made.layers[k, 100:102, 60:62] += 200
    alone = transients.solo(made.layers, made.variance)
    assert alone[:, 100:102, 60:62].all(axis=(1, 2)).tolist() == [k in (1, 4) for k in range(6)]


def test_persistence_is_solo_where_it_falls():
    # a star's image in the next frame, 82 arcsec further along the sky: nothing is there
    flux = np.zeros(len(GRID))
    flux[0] = 1e6
    made = stack(9, stars=GRID.astype(float), flux=flux)
    glow = 0.004 * (made.layers[2, 7:28, 7:28] - LEVEL / SCALE**2)
    made.layers[3, 89:110, 7:28] += glow
    alone = transients.solo(made.layers, made.variance)
    bright = glow > 10 * np.sqrt(made.variance[3, 0, 0])
    assert bright.any()
    assert alone[3, 89:110, 7:28][bright].all()
    assert not alone[:, 7:28, 7:28].any(), "the star itself stays"


def test_empty_places_are_left_alone():
    made = stack(10, hit=20.0)
    made.layers[:, 50:80] = np.nan
    made.layers[1:, 120:140] = np.nan
    made.variance[np.isnan(made.layers)] = np.nan
    alone = transients.solo(made.layers, made.variance)
    assert not alone[:, 51:79].any()
    assert not alone[:, 121:139].any()
    assert alone[0].any()


def test_mask_has_hits_and_whole_trails():
    made = stack(11, hit=15.0)
    y, x = np.mgrid[:SIZE, :SIZE]
    across = (x - 90) * np.sin(1.0) - (y - 100) * np.cos(1.0)
    made.layers[4] += (60 * np.exp(-0.5 * (across / 3.2) ** 2)).astype(np.float32)
    alone, found = transients.mask(made.layers, made.variance)
    assert [layer for layer, _ in found] == [4]
    assert alone[4, np.abs(across) < 8].mean() > 0.999
    hit_y, hit_x = peaks(made.added[0])
    assert alone[0, hit_y, hit_x].mean() > 0.99
