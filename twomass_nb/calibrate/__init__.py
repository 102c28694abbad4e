"""Raw frames to calibrated ones: darks, responsivity, sky offsets, saturation, bad pixels."""

from .calibrator import Calibrator
from .flags import Flag
from .sky import SkyOffsets

__all__ = ["Calibrator", "Flag", "SkyOffsets"]
