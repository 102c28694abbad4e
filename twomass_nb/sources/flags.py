"""What may be wrong with a source: the bits of a table's ``flags``."""

from __future__ import annotations

import enum

__all__ = ["SourceFlag"]


class SourceFlag(enum.IntFlag):
    """Bits of the column ``flags``; a source may have several, 0 is a clean one."""

    #: Part of its image lies off the picture.
    EDGE = 1
    #: Pixels within one FWHM are masked, empty, or have no noise.
    MASKED = 2
    #: Pixels within one FWHM are saturated.
    SATURATED = 4
    #: Another source is closer than two FWHM and matters: more than a tenth as bright.
    BLENDED = 8
    #: Its fit did not come to rest.
    UNFITTED = 16
    #: On the afterimage of a bright star: persistence, in the frames that followed.
    PERSISTENCE = 32
    #: On a diffraction spike of a bright star.
    SPIKE = 64
    #: In the halo of a bright star.
    HALO = 128
