"""Explorers for notebooks: ipywidgets and Bokeh figures that need no set-up, server or network."""

from __future__ import annotations

from .artifacts import artifacts
from .compare import compare
from .dither import dither
from .frames import frames
from .locator import locator

__all__ = ["artifacts", "compare", "dither", "frames", "locator"]
