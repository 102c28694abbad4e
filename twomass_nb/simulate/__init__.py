"""Scans that never were: simulated scans and scan tables, and real sky observed again."""

from .observe import reobserve, scan
from .scan_table import scan_table

__all__ = ["reobserve", "scan", "scan_table"]
