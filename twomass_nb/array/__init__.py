"""The NICMOS arrays themselves: geometry, rotation, dither, and where frames lie on the sky."""

from .geometry import SIZE, ArrayGeometry, period_of
from .track import ScanTrack

__all__ = ["SIZE", "ArrayGeometry", "ScanTrack", "period_of"]
