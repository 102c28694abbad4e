"""Raw frames to calibrated ones: darks, responsivity, sky offsets, saturation, bad pixels."""

from .calibrator import Calibrator
from .canonical import Canonical
from .choosing import Choice, nearest
from .flags import Flag
from .leftout import LeftOut
from .science import Science
from .sky import SkyOffsets

__all__ = [
    "Calibrator",
    "Canonical",
    "Choice",
    "Flag",
    "LeftOut",
    "Science",
    "SkyOffsets",
    "nearest",
]
