"""What can be wrong with a pixel of a calibrated frame: the bits of its mask plane."""

from __future__ import annotations

import enum

__all__ = ["FLAG_TYPE", "UNUSABLE", "Flag", "unusable"]

#: Of a plane of flags.
FLAG_TYPE = "uint8"


class Flag(enum.IntFlag):
    """Bits of a plane of flags; a pixel may have several."""

    #: It does not respond to light as a pixel should, or not at all.
    BAD = 1
    #: Its dark current stands out of a single dark frame.
    HOT = 2
    #: Its values in darks scatter far more than its signal explains.
    NOISY = 4
    #: Its values in darks are of two levels.
    BISTABLE = 8
    #: First pixel read of a row whose responsivity is wrong: the twilight was not linear there.
    FIRST_COLUMN = 16
    #: Read 2 has reached its limit in this frame.
    SATURATED_R2 = 32
    #: Read 1 has, and so read 2 too: r2 - r1 means nothing.
    SATURATED_R1 = 64


#: Flags with which a pixel is masked in any read; those of saturation depend on the read.
UNUSABLE = Flag.BAD | Flag.HOT | Flag.NOISY | Flag.BISTABLE


def unusable(read: str) -> Flag:
    """Return the flags with which a pixel of a read is masked."""
    saturated = Flag.SATURATED_R1 if read == "r1" else Flag.SATURATED_R1 | Flag.SATURATED_R2
    return UNUSABLE | saturated
