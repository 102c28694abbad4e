"""Processed Atlas Images: what they say of themselves and of their scans; cutouts made of them."""

from .cutout import Cutout
from .cutting import cut_out
from .footprint import footprint_table, scan_table_from_atlas, track_of
from .image import AtlasImage, find_coadds

__all__ = [
    "AtlasImage",
    "Cutout",
    "cut_out",
    "find_coadds",
    "footprint_table",
    "scan_table_from_atlas",
    "track_of",
]
