"""Bytes to frames: word orders, the codec, the reader, conversion and FITS."""

from .conversion import convert
from .detect import detect_layout
from .layout import Layout
from .learn import learn_layout
from .reader import RawScan, open_scan

__all__ = ["Layout", "RawScan", "convert", "detect_layout", "learn_layout", "open_scan"]
