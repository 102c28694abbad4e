"""Bytes to frames: word orders, the codec, the reader, conversion and FITS."""

from .conversion import convert
from .layout import Layout
from .reader import RawScan, open_scan
from .wordorder import detect_layout, learn_layout

__all__ = ["Layout", "RawScan", "convert", "detect_layout", "learn_layout", "open_scan"]
