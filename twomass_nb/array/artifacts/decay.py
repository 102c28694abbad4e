"""Reset decay: what of the reset is left in read 1 while the first rows are read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from astropy import units as u
from numpy.typing import NDArray

from .measured import Measured, measured, rms_without_noise
from .stacking import LIGHT_IN_READ1, QUADRANT, FixedPattern, clipped_mean, quadrants

__all__ = ["ResetDecay", "frame_to_frame", "reset_decay"]

_QUIET = slice(96, 128)  # rows where nothing is left of it
_FIRST = 2  # columns left out: they have the first-column transient
_ROWS = np.arange(QUADRANT)
_LENGTHS = np.geomspace(1.5, 40.0, 200)  # e-folding rows tried
_SHIFTS = 24  # of the residuals, for the uncertainty of the fit


@dataclass(frozen=True)
class ResetDecay:
    """The decay along the rows of each quadrant.

    Attributes
    ----------
    profile, error : array, shape (4, 128)
        Mean of each row in read 1, DN above the quadrant's upper rows; light is taken out. In
        r2 - r1 it has the other sign.
    second_row : array, shape (4, 128)
        Read 1 along the second row from the bottom of each quadrant, DN, bars taken out.
    height : Measured, shape (4,)
        Of an exponential through the profile, at the first pixel read.
    rows : Measured, shape (4,)
        Over which it falls by e. Both uncertainties include that the decay is irregular.
    irregular : Measured, shape (4,)
        Rms of profile over exponential, less 1, where the exponential is over a tenth of its
        height.
    model : array, shape (4, 128)
        The exponential.
    """

    profile: NDArray[np.float64]
    error: NDArray[np.float64]
    second_row: NDArray[np.float64]
    height: Measured
    rows: Measured
    irregular: Measured
    model: NDArray[np.float64]


def reset_decay(pattern: FixedPattern) -> ResetDecay:
    """Measure the decay in read 1 without light, so that darks and sky give the same.

    Parameters
    ----------
    pattern : FixedPattern
    """
    parts = quadrants(pattern.start.mean) / (1 + LIGHT_IN_READ1)
    bars, _ = clipped_mean(parts[:, _QUIET], axis=1)
    flat = parts - bars[:, None]
    profile, error = clipped_mean(flat[:, :, _FIRST:], axis=2)
    fits = [_fit(row, e) for row, e in zip(profile, error, strict=True)]
    return ResetDecay(
        profile, error, flat[:, 1],
        measured([f[0] for f in fits], [f[2] for f in fits]),
        measured([f[1] for f in fits], [f[3] for f in fits], u.pix),
        measured([f[4] for f in fits], [f[5] for f in fits], ""),
        np.array([_rows_of(f[0], f[1]) for f in fits]),
    )  # fmt: skip


def frame_to_frame(frames: NDArray[np.uint16]) -> Measured:
    """Return by how much the decay changes from frame to frame, as a share of itself.

    Each frame's rows, less their mean over the frames, are fitted with the decay's own profile
    and a constant. The answer is the scatter of the fits, less that of their noise: within its
    error of 0 where the decay is the same in every frame.

    Parameters
    ----------
    frames : array of uint16, shape (n, 2, 256, 256)
    """
    both = np.asarray(frames).astype(np.float32)
    start = both[:, 0] - np.float32(LIGHT_IN_READ1) * (both[:, 1] - both[:, 0])
    # means of rows without stars, as each pixel is looked at for itself
    parts = quadrants(start - np.median(start, axis=0))[..., _FIRST:]
    rows, _ = clipped_mean(parts, axis=3, clip=4.0)
    image = quadrants(np.median(start, axis=0))[..., _FIRST:]
    shape = np.median(image - np.median(image[:, _QUIET], axis=1, keepdims=True), axis=2)
    shape = shape - shape.mean(axis=1, keepdims=True)
    power = (shape**2).sum(axis=1)
    rows = rows - rows.mean(axis=(0, 2), keepdims=True)
    rows = rows - rows.mean(axis=2, keepdims=True)
    scale = (rows * shape).sum(axis=2) / power  # (n, 4)
    left = rows - scale[..., None] * shape
    noise = float(np.mean((left**2).sum(axis=2) / (QUADRANT - 2) / power))
    total = float(np.mean(np.var(scale, axis=0, ddof=1)))
    spread = np.sqrt(2 / (scale.size - 4)) * total
    return rms_without_noise(total - noise, spread, "")


def _rows_of(height: float, length: float) -> NDArray[np.float64]:
    """Mean over each row of an exponential that falls as the pixels are read."""
    return height * length * -np.expm1(-1 / length) * np.exp(-_ROWS / length)


def _best(profile: NDArray[np.float64]) -> tuple[float, float]:
    """Height and length of the exponential nearest to a profile."""
    shapes = np.array([_rows_of(1.0, length) for length in _LENGTHS])
    power = (shapes**2).sum(1)
    gain = (shapes @ profile) ** 2 / power
    k = int(np.clip(np.argmax(gain), 1, len(gain) - 2))
    low, mid, high = gain[k - 1 : k + 2]
    bend = low - 2 * mid + high
    move = 0.0 if bend == 0 else float(np.clip(0.5 * (low - high) / bend, -1, 1))
    length = float(np.exp(np.interp(k + move, np.arange(len(_LENGTHS)), np.log(_LENGTHS))))
    shape = _rows_of(1.0, length)
    return float(shape @ profile / (shape @ shape)), length


def _fit(
    profile: NDArray[np.float64], error: NDArray[np.float64]
) -> tuple[float, float, float, float, float, float]:
    """Return height, length, their errors, and the irregularity with its error."""
    height, length = _best(profile)
    model = _rows_of(height, length)
    strong = model > 0.1 * abs(height)
    if height <= 5 * np.median(error) or np.count_nonzero(strong) < 3:
        return height, np.nan, float(np.median(error)), np.nan, np.nan, np.nan
    relative = profile[strong] / model[strong] - 1
    irregular = float(np.sqrt(np.mean(relative**2)))
    # The same waves, had they begun elsewhere: the residuals turned round along the rows.
    turned = np.empty((_SHIFTS, 2))
    n = relative.size
    for k in range(_SHIFTS):
        waves = np.zeros(QUADRANT)
        waves[strong] = np.roll(relative, round(k * n / _SHIFTS))
        turned[k] = _best(model * (1 + waves))
    worst = np.sqrt(np.mean((turned - (height, length)) ** 2, axis=0) * n / max(n - 2, 1))
    noise = float(np.sqrt(np.mean(error[strong] ** 2)))
    span = np.sqrt(length)
    return (
        height, length,
        float(np.hypot(worst[0], noise / span)),
        float(np.hypot(worst[1], noise / height * 2 * span)),
        irregular, irregular / np.sqrt(2 * n),
    )  # fmt: skip
