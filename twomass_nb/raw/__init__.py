"""Bytes to frames: word orders, the codec, the reader, conversion and FITS."""

from .layout import Layout

__all__ = ["Layout"]
