"""Find and open the raw frames of the Two Micron All Sky Survey.

The public names, nothing else. They are imported when first used, so that ``import twomass_nb``
is quick and the reader works without a notebook.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import array, astrometry, calibrate, coadd, explore, reduce, simulate, sources
    from .archive import find_files, open_scan
    from .archive.cutouts import cutout
    from .archive.fetch import fetch
    from .archive.sample import sample
    from .array import ArrayGeometry
    from .atlas import AtlasImage, scan_table_from_atlas
    from .errors import TwomassError, TwomassWarning
    from .locate import ScanLocator
    from .night import Night, check, open_night
    from .raw import Layout, RawScan, convert, detect_layout, learn_layout
    from .scan import ScanId
    from .tables import (
        catalog,
        read_dir,
        read_inventory,
        read_lgo,
        read_par,
        read_raw_scans,
        read_scan_table,
    )

__version__ = "0.1.0.dev0"

_HOMES = {
    "ArrayGeometry": "array",
    "AtlasImage": "atlas",
    "Layout": "raw",
    "Night": "night",
    "RawScan": "raw",
    "ScanId": "scan",
    "ScanLocator": "locate",
    "TwomassError": "errors",
    "TwomassWarning": "errors",
    "catalog": "tables",
    "check": "night",
    "convert": "raw",
    "cutout": "archive.cutouts",
    "detect_layout": "raw",
    "fetch": "archive",
    "find_files": "archive",
    "learn_layout": "raw",
    "open_night": "night",
    "open_scan": "archive",
    "read_dir": "tables",
    "read_inventory": "tables",
    "read_lgo": "tables",
    "read_par": "tables",
    "read_raw_scans": "tables",
    "read_scan_table": "tables",
    "sample": "archive",
    "scan_table_from_atlas": "atlas",
}
_ROOMS = (
    "array", "astrometry", "calibrate", "coadd", "explore", "reduce", "simulate", "sources",
)  # fmt: skip

__all__ = [
    "ArrayGeometry",
    "AtlasImage",
    "Layout",
    "Night",
    "RawScan",
    "ScanId",
    "ScanLocator",
    "TwomassError",
    "TwomassWarning",
    "array",
    "astrometry",
    "calibrate",
    "catalog",
    "check",
    "coadd",
    "convert",
    "cutout",
    "detect_layout",
    "explore",
    "fetch",
    "find_files",
    "learn_layout",
    "open_night",
    "open_scan",
    "read_dir",
    "read_inventory",
    "read_lgo",
    "read_par",
    "read_raw_scans",
    "read_scan_table",
    "reduce",
    "sample",
    "scan_table_from_atlas",
    "simulate",
    "sources",
]


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return import_module(f".{name}", __name__)
    if name in _HOMES:
        return getattr(import_module(f".{_HOMES[name]}", __name__), name)
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)


def __dir__() -> list[str]:
    return sorted(__all__)
