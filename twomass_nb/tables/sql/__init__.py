"""The archive's tables as SQL: DuckDB over Parquet files, joined by date, hemisphere and scan."""

from .catalog import Catalog, catalog
from .queries import QUERIES

__all__ = ["QUERIES", "Catalog", "catalog"]
