"""Calibrated frames to 1 arcsec images, and those compared with real Atlas Images."""

from .image import Coadd
from .stack import stack, tile

__all__ = ["Coadd", "stack", "tile"]
