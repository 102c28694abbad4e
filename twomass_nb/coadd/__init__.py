"""Calibrated frames to 1 arcsec images, and those compared with real Atlas Images."""

from . import report
from .comparison import Check, Comparison, compare_images
from .image import Coadd
from .stack import stack, tile

__all__ = ["Check", "Coadd", "Comparison", "compare_images", "report", "stack", "tile"]
