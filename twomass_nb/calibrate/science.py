"""The arithmetic of one calibrated frame: plain arrays, and which read is of use in a pixel."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import CalibrationError
from .flags import Flag, unusable
from .leftout import name_of
from .sky import SkyOffsets

if TYPE_CHECKING:
    from ..raw import RawScan
    from .calibrator import Calibrator

__all__ = ["Science", "arrays", "science"]


class Science(NamedTuple):
    """A calibrated frame as plain arrays of shape (256, 256); see `Calibrator.science`.

    Attributes
    ----------
    pixels : array of float32
        DN of r2 - r1 at a responsivity of 1; NaN in bad pixels.
    variance : array of float32
        DN squared: noise of reading and of photons, errors of dark, responsivity and sky offset.
    flags : array of uint8
        `Flag` bits.
    mask : array of bool
        True where no read is of use.
    """

    pixels: NDArray[np.float32]
    variance: NDArray[np.float32]
    flags: NDArray[np.uint8]
    mask: NDArray[np.bool_]


def arrays(
    calibrator: Calibrator, scan: RawScan, i: int, read: str, sky: SkyOffsets | None = None,
    correct_first_column: bool = False,
) -> Science:  # fmt: skip
    """Return a calibrated frame of one read."""
    if sky is not None:
        _require_own(sky, scan, read)
    return _arrays(calibrator, scan.frame(i), i, read, sky, correct_first_column)


def science(
    calibrator: Calibrator, scan: RawScan, i: int, sky: SkyOffsets | None,
    correct_first_column: bool,
) -> Science:  # fmt: skip
    """Return a frame of r2 - r1, and of read 1 where read 2 alone is full."""
    one = arrays(calibrator, scan, i, "r2-r1", sky, correct_first_column)
    full2, full1 = np.uint8(Flag.SATURATED_R2), np.uint8(Flag.SATURATED_R1)
    filled = (one.flags & (full2 | full1)) == full2
    if filled.any():
        # what the sky leaves in r2 - r1 is in read 1, scaled, as well
        first = _arrays(calibrator, scan.frame(i), i, "r1", sky, correct_first_column)
        for ours, its in ((one.pixels, first.pixels), (one.variance, first.variance)):
            ours[filled] = its[filled]
        one.mask[filled] = first.mask[filled]
    return one


def _arrays(
    calibrator: Calibrator, both: NDArray[np.uint16], i: int, read: str, sky: SkyOffsets | None,
    correct_first_column: bool,
) -> Science:  # fmt: skip
    signal = calibrator.signal(both, read)
    divisor = calibrator.divisor(read, correct_first_column and sky is None)
    relative = calibrator.responsivity_error / calibrator.responsivity
    offset, error = np.zeros((2, *divisor.shape), np.float32)
    if sky is not None:
        block = sky.block(i)
        offset[:], error[:] = sky.offset[block], sky.error[block]
        if correct_first_column:
            # at the level of the sky, the offset of such a pixel is its error of responsivity
            first = (calibrator.mask & np.uint8(Flag.FIRST_COLUMN)) != 0
            level = np.float32(sky.levels[block])
            divisor[first] *= 1 + offset[first] / level
            relative[first] = error[first] / level
            offset[first] = error[first] = 0
    pixels = signal / divisor - offset
    variance = calibrator.variance(signal, read, divisor, relative) + error**2
    flags = calibrator.frame_flags(both)
    return Science(pixels, variance, flags, (flags & np.uint8(unusable(read))) != 0)


def _require_own(sky: SkyOffsets, scan: RawScan, read: str) -> None:
    if (sky.scan, sky.band, sky.read) != (name_of(scan), scan.band, read):
        msg = (
            f"these sky offsets are of {sky.scan} {sky.band} {sky.read}, not of {name_of(scan)} "
            f"{scan.band} {read}: measure them with calibrator.sky_offsets(scan, read)"
        )
        raise CalibrationError(msg)
