"""Persistence: what a bright star leaves in its pixels, frame after frame, and where on the sky."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from astropy import units as u
from numpy.typing import NDArray

from ...errors import NotFoundError
from .measured import Measured, measured
from .stacking import LIGHT_IN_READ1

__all__ = ["Persistence", "persistence"]

_BRIGHT = 15_000.0  # DN collected in a pixel from which on it is looked at again
_AFTER = 10  # frames
_LEAST_AFTER = 3
_GAP = 30  # frames after the star, from which on they tell again what is usual in a pixel
_USUAL = 16  # frames that tell it, those nearest in time
_HALF = 14  # pixels on each side in the picture
_SHOWN = 6  # frames in the picture
_REACH = 10  # pixels around a pixel whose outer ones tell its surroundings
_RING = np.hypot(*np.mgrid[-_REACH : _REACH + 1, -_REACH : _REACH + 1]) > 7
_EVENTS = 12  # frames with bright stars that are looked at
_EARLY = 6  # frames after, in which the glow stands out of the noise
_QUOTIENTS = np.linspace(0.02, 1.0, 981)  # tried: a per mille apart


@dataclass(frozen=True)
class Persistence:
    """What is left after bright stars.

    Attributes
    ----------
    frame, x, y : int
        Where and when the brightest star was seen.
    pixels : int
        Number of pixels, of all bright stars, that were looked at afterwards.
    charge : Measured
        Mean charge that such a pixel had collected, DN. Read 1 tells it, so that it is known
        also where read 2 is full; where read 1 is full it is a lower limit.
    glow, error : array, shape (m,)
        Mean of these pixels 1, 2, ... frames later, DN above their usual value.
    model : array, shape (m,)
        What `share` and `left` make of it.
    share : Measured
        What comes out in the next frame, per cent of the charge. Its uncertainty includes that
        pixels differ.
    left : Measured
        How much of that comes out again, from one frame to the next, per cent.
    step : Measured
        How many rows up the star moves from frame to frame. On the sky its trail of images has
        this spacing, ahead of it in the direction of the scan. NaN if seen in one frame only.
    strip : array, shape (6, 29, 29)
        r2 - r1 around the brightest star's pixels in its frame and the five after, DN above the
        usual; NaN off the array and after the last frame.
    """

    frame: int
    x: int
    y: int
    pixels: int
    charge: Measured
    glow: NDArray[np.float64]
    error: NDArray[np.float64]
    model: NDArray[np.float64]
    share: Measured
    left: Measured
    step: Measured
    strip: NDArray[np.float64]


def persistence(frames: NDArray[np.uint16]) -> Persistence:
    """Look where bright stars have been.

    Parameters
    ----------
    frames : array of uint16, shape (n, 2, 256, 256)
        All frames of a scan, one after the other; a memory map is read a frame at a time.

    Raises
    ------
    NotFoundError
        If no star is bright enough, or all come too near to the last frame.
    """
    bright = _bright_pixels(frames)
    for m in (_AFTER, _EARLY, _LEAST_AFTER):  # the more frames after it, the better
        events = [i for i in bright if i + m < len(frames)]
        if events:
            break
    if not events:
        msg = (
            f"no star in these {len(frames)} frames collected {_BRIGHT:.0f} DN in a pixel and has "
            f"{_LEAST_AFTER} frames after it: choose a scan with a brighter star"
        )
        raise NotFoundError(msg)
    events = sorted(events, key=lambda i: -bright[i][2].max())[:_EVENTS]
    seen = [_afterwards(frames, i, bright, m) for i in events]
    charge = np.concatenate([one for one, _, _ in seen])
    after = np.concatenate([one for _, one, _ in seen])
    told = np.concatenate([one for _, _, one in seen])
    if not charge.size:
        msg = "the pixels of every bright star were lit again: choose a field with fewer stars"
        raise NotFoundError(msg)
    first, left, next_frame, glow, error, covariance = _fit(after, told)
    mean = float(charge.mean())
    # the share differs from pixel to pixel: which pixels were hit is part of the uncertainty
    unlike = np.std(next_frame - charge * first / mean) / np.sqrt(charge.size)
    of_first = np.hypot(np.sqrt(covariance[0, 0]), unlike)
    y, x, brightness = bright[events[0]]
    top = brightness.argmax()
    return Persistence(
        events[0], int(x[top]), int(y[top]), charge.size,
        measured(mean, charge.std() / np.sqrt(charge.size)),
        glow, error, np.asarray(first * left ** np.arange(m), float),
        measured(100 * first / mean, 100 * of_first / mean, u.percent),
        measured(100 * left, 100 * np.sqrt(covariance[1, 1]), u.percent),
        _step(bright), _strip(frames, events[0], int(y[top]), int(x[top])),
    )  # fmt: skip


def _bright_pixels(frames: NDArray[np.uint16]) -> dict[int, tuple[NDArray, NDArray, NDArray]]:
    """Return row, column and charge of the bright pixels of each frame that has three or more."""
    usual = np.median(np.asarray(frames[:: max(1, len(frames) // 16), 0]), axis=0)
    found = {}
    for i, (r1, _) in enumerate(frames):
        charge = (r1.astype(np.float32) - usual) / LIGHT_IN_READ1
        y, x = np.nonzero(charge > _BRIGHT)
        if y.size >= 3:
            found[i] = (y, x, charge[y, x])
    return found


def _afterwards(
    frames: NDArray[np.uint16], i: int, bright: dict, m: int
) -> tuple[NDArray, NDArray, NDArray]:
    """Return the charge of a frame's bright pixels, and what they show in the next `m` frames.

    The third is the number of frames that their usual value is known from. Pixels that are lit
    again in the meantime are left out.
    """
    y, x, charge = bright[i]
    lit = np.zeros(frames.shape[2:], bool)
    for j in range(max(0, i - _GAP), min(len(frames), i + m + 1)):
        if j != i and j in bright:
            lit[bright[j][0], bright[j][1]] = True
    keep = ~lit[y, x]
    y, x, charge = y[keep], x[keep], charge[keep]
    near = sorted(
        [j for j in range(len(frames)) if j < i or j > i + _GAP], key=lambda j: abs(j - i)
    )[:_USUAL]
    if len(near) < _LEAST_AFTER or not y.size:
        return np.empty(0), np.empty((0, m)), np.empty(0)
    usual = np.median([_patches(frames[j], y, x) for j in near], axis=0)
    after = []
    for k in range(1, m + 1):
        patches = _patches(frames[i + k], y, x) - usual
        # near a bright star the sky is often bright: what is around the pixel is taken off
        around = np.median(patches[:, _RING], axis=1)
        after.append(patches[:, _REACH, _REACH] - around)
    return charge, np.stack(after, axis=1), np.full(y.size, len(near))


def _patches(frame: NDArray[np.uint16], y: NDArray, x: NDArray) -> NDArray[np.float32]:
    """r2 - r1 around pixels, (n, 21, 21); beyond the edge its last pixels again."""
    offset = np.arange(-_REACH, _REACH + 1)
    rows = np.clip(y[:, None, None] + offset[:, None], 0, frame.shape[1] - 1)
    columns = np.clip(x[:, None, None] + offset, 0, frame.shape[2] - 1)
    return np.asarray(frame[1][rows, columns].astype(np.float32) - frame[0][rows, columns])


def _above_level(frame: NDArray[np.uint16]) -> NDArray[np.float32]:
    """r2 - r1 above the frame's median: the sky may drift."""
    difference = frame[1].astype(np.float32) - frame[0]
    return np.asarray(difference - np.median(difference[::4, ::4]))


def _fit(
    after: NDArray[np.float64], told: NDArray[np.float64]
) -> tuple[float, float, NDArray, NDArray, NDArray, NDArray]:
    """Fit a geometric series to the mean glow.

    Returns its first term and its quotient, each pixel's first glow, the mean glow and its error,
    and the covariance of the two.
    """
    m = after.shape[1]
    left = _quotient(np.median(after, axis=0))
    for _ in range(3):
        # A star that falls on a pixel for a frame is far from the pixel's own series.
        series = left ** np.arange(m)
        own = np.median((after / series)[:, :_EARLY], axis=1)
        off = after - own[:, None] * series
        scatter = 1.4826 * np.median(np.abs(off), axis=1, keepdims=True)
        clean = np.where(np.abs(off) > 4 * np.maximum(scatter, 1.0), after - off, after)
        first, left = _series(clean.mean(axis=0))
    noise = ((clean - own[:, None] * series) ** 2).sum(1) / (m - 2)
    # an error in what is usual is the same in all frames after; a median is 1.57 times as noisy
    common = (1.57 * noise / told).sum() / len(after) ** 2
    one = noise.sum() / len(after) ** 2
    k = np.arange(m)
    glow = clean.mean(axis=0)
    series = first * left**k
    # stars that were left in make the series fit worse than noise would
    misfit = max(1.0, float(((glow - series) ** 2).sum() / (m - 2) / one))
    slope = np.stack([left**k, first * k * left ** np.maximum(k - 1, 0)], axis=1)
    solve = np.linalg.pinv(slope)
    covariance = solve @ (one * misfit * np.eye(m) + common) @ solve.T
    return first, left, clean[:, 0], glow, np.full(m, np.sqrt(one + common)), covariance


def _quotient(glow: NDArray[np.float64]) -> float:
    """Quotient of a series that stars have spoilt here and there: the median of all pairs'."""
    early = np.maximum(glow[:_EARLY], 1e-3)
    pairs = [
        (early[j] / early[i]) ** (1 / (j - i)) for j in range(len(early)) for i in range(j)
    ]  # fmt: skip
    return float(np.clip(np.median(pairs), _QUOTIENTS[0], _QUOTIENTS[-1]))


def _series(glow: NDArray[np.float64]) -> tuple[float, float]:
    """First term and quotient of the geometric series nearest to a glow."""
    shapes = _QUOTIENTS[:, None] ** np.arange(glow.size)
    terms = shapes @ glow / (shapes**2).sum(1)
    best = int(((glow - terms[:, None] * shapes) ** 2).sum(1).argmin())
    return float(terms[best]), float(_QUOTIENTS[best])


def _step(bright: dict) -> Measured:
    """Rows that bright stars move up from frame to frame: the move that most agree on."""
    places = {i: _centres(*pixels) for i, pixels in bright.items()}
    moves = np.array(
        [
            there[0] - here[0]
            for i in places
            for here in places[i]
            for there in places.get(i + 1, [])
            if abs(there[1] - here[1]) < 3  # along the columns, all but
        ]
    )
    if not moves.size:
        return measured(np.nan, np.nan, u.pix)
    agree = np.abs(moves[:, None] - moves) < 1
    same = moves[agree[agree.sum(axis=1).argmax()]]
    scatter = max(float(same.std()), 0.1)  # a centre is no better than that
    return measured(same.mean(), scatter / np.sqrt(same.size), u.pix)


def _centres(y: NDArray, x: NDArray, charge: NDArray) -> list[tuple[float, float]]:
    """Row and column of each bright star: the brightest pixel and what is near it, and so on."""
    found: list[tuple[float, float]] = []
    while y.size and len(found) < _EVENTS:
        top = charge.argmax()
        near = np.hypot(y - y[top], x - x[top]) <= 8
        weight = charge[near] / charge[near].sum()
        found.append((float(y[near] @ weight), float(x[near] @ weight)))
        y, x, charge = y[~near], x[~near], charge[~near]
    return found


def _strip(frames: NDArray[np.uint16], i: int, y: int, x: int) -> NDArray[np.float64]:
    side = 2 * _HALF + 1
    before = [j for j in range(len(frames)) if j < i or j > i + _GAP]
    near = sorted(before, key=lambda j: abs(j - i))[:_USUAL]
    usual = np.median([_above_level(frames[j]) for j in near], axis=0)
    out = np.full((_SHOWN, side, side), np.nan)
    for k in range(min(_SHOWN, len(frames) - i)):
        padded = np.pad(_above_level(frames[i + k]) - usual, _HALF, constant_values=np.nan)
        out[k] = padded[y : y + side, x : x + side]
    return out
