"""From a position to the scans, frames and pixels that saw it."""

from .catalog import locate_catalog
from .footprint import Footprints
from .locator import ScanLocator
from .select import CRITERIA, selected

__all__ = ["CRITERIA", "Footprints", "ScanLocator", "locate_catalog", "selected"]
