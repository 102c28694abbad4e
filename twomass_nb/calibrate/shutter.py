"""Which dark frames have seen light: the cold shutter did not cover the whole array.

Seed 000: "From time to time dark frames were taken with the cold shutter not completely covering
the arrays". Light adds to r2 - r1 in part of the array, and photons add noise there. The first
tells a lit frame from the others of its scans; the second tells a scan whose frames all are lit.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..array.geometry import SIZE

__all__ = ["BLOCK", "block_medians", "light_in_frames", "light_in_noise", "light_in_read1"]

#: Side of the blocks of pixels that are looked at as one: 8 x 8 of them.
BLOCK = 32
_COUNT = SIZE // BLOCK
# Light in a block, against its darkest frames: so many times the error of its median, and at
# least so many DN. The least exposed sky, J through half a block, gives a hundred. Chosen.
_SIGMA, _LEAST, _LEAST_IN_R1 = 8.0, 3.0, 30.0
# A frame whose darkest part is so many DN above that of the others is lit all over. Chosen.
_ALL_OVER = 40.0
# A fifth of the frames at least must be dark, and a tenth of a lit frame.
_DARK_FRAMES, _DARK_PART = 20, 10
# Blocks of a quadrant should have one noise; the sky in J makes it 1.46 times that of a dark.
_NOISIER = 1.25
_ENOUGH = 8  # frames for a noise


def block_medians(images: NDArray[Any]) -> NDArray[Any]:
    """Return the medians of 32 x 32 pixels: shape (n, 256, 256) to (n, 8, 8)."""
    blocks = images.reshape(-1, _COUNT, BLOCK, _COUNT, BLOCK).swapaxes(2, 3)
    medians: NDArray[Any] = np.median(blocks.reshape(-1, _COUNT, _COUNT, BLOCK * BLOCK), axis=-1)
    return medians


def light_in_frames(difference: NDArray[np.float32], noise: float) -> list[str]:
    """Say of each dark frame why it is none, "" if it is one.

    Parameters
    ----------
    difference : array, shape (n, 256, 256)
        r2 - r1, DN.
    noise : float
        Of a pixel of a frame, DN.
    """
    lit, unlit = _light(difference)
    limit = max(_SIGMA * 1.2533 * noise / BLOCK, _LEAST)
    return [
        f"light all over: {everywhere:.0f} DN more than in the darkest frames"
        if everywhere > _ALL_OVER
        else _told(part, limit)
        for part, everywhere in zip(lit, unlit, strict=True)
    ]


def light_in_read1(r1: NDArray[np.float32]) -> list[str]:
    """Say the same by read 1, (n, 256, 256), whose level may drift: much light is needed."""
    lit, _ = _light(r1)
    return [_told(part, _LEAST_IN_R1) for part in lit]


def _light(images: NDArray[np.float32]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return by how much parts of each frame are brighter than its own darkest, and those."""
    blocks = block_medians(images).reshape(len(images), -1)
    excess = blocks - np.percentile(blocks, _DARK_FRAMES, axis=0)
    unlit = np.percentile(excess, _DARK_PART, axis=1)
    return excess - unlit[:, None], unlit


def _told(lit: NDArray[Any], limit: float) -> str:
    share = float(np.mean(lit > limit))
    light = f"up to {lit.max():.0f} DN of light in {share:.0%} of the array"
    return f"shutter not closed: {light}" if share else ""


def light_in_noise(difference: NDArray[np.float32]) -> str:
    """Say why the frames of a dark scan all are lit, "" if they are not.

    Parameters
    ----------
    difference : array, shape (n, 256, 256)
        r2 - r1 of the frames of one scan, DN.
    """
    if len(difference) < _ENOUGH:
        return ""
    # medians of steps from frame to frame: neither the pattern of the array nor hot pixels count
    steps = np.median(np.abs(np.diff(difference, axis=0)), axis=0)
    noise = block_medians(steps[None])[0]
    half = _COUNT // 2
    ratios = [
        quadrant.max() / max(np.percentile(quadrant, _DARK_PART), 0.5)
        for quadrant in (noise[:half, :half], noise[:half, half:], noise[half:, :half],
                         noise[half:, half:])
    ]  # fmt: skip
    if max(ratios) < _NOISIER:
        return ""
    return (
        "shutter not closed in any frame: part of the array has "
        f"{max(ratios):.1f} times the noise of the rest of its quadrant"
    )
