"""What IRSA has for us: the scan table, Atlas Images, catalogue sources."""

from .irsa_atlas import fetch_atlas, find_atlas
from .irsa_scans import fetch_scan_table
from .irsa_sources import fetch_sources

__all__ = ["fetch_atlas", "fetch_scan_table", "fetch_sources", "find_atlas"]
