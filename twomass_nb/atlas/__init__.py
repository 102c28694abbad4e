"""Processed Atlas Images: what they say of themselves and of their scans."""

from .footprint import footprint_table, scan_table_from_atlas, track_of
from .image import AtlasImage, find_coadds

__all__ = [
    "AtlasImage",
    "find_coadds",
    "footprint_table",
    "scan_table_from_atlas",
    "track_of",
]
