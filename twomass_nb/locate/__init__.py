"""From a position to the scans, frames and pixels that saw it."""

from .footprint import Footprints
from .locator import ScanLocator

__all__ = ["Footprints", "ScanLocator"]
