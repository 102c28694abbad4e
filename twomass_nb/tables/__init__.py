"""The archive's tables and text files as astropy tables and mappings."""

from .directory import read_dir
from .inventory import read_inventory
from .lgo import read_lgo
from .par import Par, read_par
from .raw_scans import read_raw_scans
from .scan_table import as_scan_table, is_simulated, read_scan_table, row_name
from .sql import Catalog, catalog

__all__ = [
    "Catalog",
    "Par",
    "as_scan_table",
    "catalog",
    "is_simulated",
    "read_dir",
    "read_inventory",
    "read_lgo",
    "read_par",
    "read_raw_scans",
    "read_scan_table",
    "row_name",
]
