"""What a page about an artifact is made of: picture, plots, numbers, reasons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..array.artifacts import Measured

__all__ = ["QUADRANTS", "Curve", "Number", "Page", "Picture", "Plot", "limits"]

#: In the order of all numbers that come in fours.
QUADRANTS = ("lower left", "lower right", "upper left", "upper right")


@dataclass(frozen=True)
class Picture:
    """An image with its place, unit and limits.

    Attributes
    ----------
    x, y, width, height : float
        Place of the image's lower left corner, and its size, on the axes.
    low, high : float
        Ends of the colours.
    marks : (x, y)
        Places to be marked.
    """

    image: NDArray[Any]
    title: str
    low: float
    high: float
    x: float = -0.5
    y: float = -0.5
    width: float = 256
    height: float = 256
    unit: str = "DN"
    x_label: str = "x (pixel)"
    y_label: str = "y (pixel)"
    marks: tuple[NDArray[Any], NDArray[Any]] = (np.empty(0), np.empty(0))


@dataclass(frozen=True)
class Curve:
    """Points of a plot, joined by a line or with their errors."""

    label: str
    x: NDArray[Any]
    y: NDArray[Any]
    error: NDArray[Any] | None = None
    points: bool = False
    dashed: bool = False
    x_error: NDArray[Any] | None = None


@dataclass(frozen=True)
class Plot:
    """Curves in common axes."""

    title: str
    x_label: str
    y_label: str
    curves: tuple[Curve, ...]
    x_range: tuple[float, float] | None = None
    y_range: tuple[float, float] | None = None


@dataclass(frozen=True)
class Number:
    """A line of the table: what was measured, as one number or one a quadrant, or a text."""

    what: str
    value: Measured | str


@dataclass(frozen=True)
class Page:
    """A page.

    Attributes
    ----------
    picture : Picture or None
    plots : tuple of Plot
        Up to two.
    numbers : tuple of Number
    why : tuple of str
        Three sentences.
    result : object
        What `twomass_nb.array.artifacts` measured.
    told : str
        Which frames tell it, in a sentence.
    missing : str
        What is missing to measure it, in a sentence; empty if nothing is.
    """

    picture: Picture | None
    plots: tuple[Plot, ...]
    numbers: tuple[Number, ...]
    why: tuple[str, ...]
    result: Any
    told: str = ""
    missing: str = ""


def limits(image: NDArray[Any], percent: float) -> tuple[float, float]:
    """Return the values between which so many per cent of the pixels are."""
    tail = (100 - percent) / 2
    low, high = np.nanpercentile(image, [tail, 100 - tail])
    return (float(low), float(high)) if high > low else (float(low) - 1, float(low) + 1)
