"""The archive's tables and text files as astropy tables and mappings."""

from .par import Par, read_par

__all__ = ["Par", "read_par"]
