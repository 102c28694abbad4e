"""How numbers become colours: stretches, limits and colour maps that explorers offer.

A stretch is put into the palette, not into the image: entry k of a palette of n colours is the
map's colour at stretch(k / (n - 1)). So the page holds true numbers under any stretch, a new
stretch sends a palette and no image, and Bokeh's colour bar reads in the image's own unit.
The histogram stretch has no curve of its own: it gives each colour the same number of pixels.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

__all__ = [
    "ALL_STRETCHES",
    "HISTOGRAM",
    "LIMITS",
    "MAPS",
    "STRETCHES",
    "equalized",
    "hex_colours",
    "limits",
    "palette",
    "rgb_table",
]

# Colours in a palette: enough for the steepest part of the stretch where pixels are, and no more,
# because BokehJS parses the whole palette several times a repaint.
LEVELS = {"linear": 256, "sqrt": 1024, "asinh": 512, "log": 1024, "histogram": 512}

# The same curves and constants as astropy.visualization's LogStretch and AsinhStretch.
_CURVES = {
    "linear": lambda t: t,
    "sqrt": np.sqrt,
    "asinh": lambda t: np.arcsinh(t / 0.1) / np.arcsinh(10.0),
    "log": lambda t: np.log1p(1000.0 * t) / np.log(1001.0),
}
#: Stretches that are curves, whatever the pixels; and that which follows them.
STRETCHES = tuple(_CURVES)
HISTOGRAM = "histogram"
ALL_STRETCHES = (*STRETCHES, HISTOGRAM)

#: Colour maps that stay readable in all common forms of colour blindness, and Bokeh's names.
MAPS = {
    "cividis": "Cividis256",
    "viridis": "Viridis256",
    "magma": "Magma256",
    "grey": "Greys256",
    "grey, dark stars": "Greys256",
}

#: Ways to choose the limits; a number is the percentage of pixels between them.
LIMITS = {"99.7 %": 99.7, "99 %": 99.0, "95 %": 95.0, "zscale": "zscale", "min – max": 100.0}


@lru_cache(maxsize=64)
def rgb_table(colours: str, stretch: str) -> np.ndarray:
    """Return the colours of a map under a stretch, shape (n, 3) uint8, low end first."""
    return _at(colours, _CURVES[stretch](np.linspace(0.0, 1.0, LEVELS[stretch])))


def equalized(colours: str, data: np.ndarray, low: float, high: float) -> np.ndarray:
    """Return the colours of a map under the histogram stretch of an image.

    Parameters
    ----------
    data : array
        The image; what is NaN or beyond the limits is left out.
    low, high : float
        Numbers at the two ends of the colour scale.

    Returns
    -------
    array of uint8, shape (512, 3)
        Low end first; the share of pixels below a level is its place in the map.
    """
    counts, _ = np.histogram(data, LEVELS[HISTOGRAM], (low, high))
    below = np.cumsum(counts) - counts / 2  # at the middle of each level
    return _at(colours, below / max(counts.sum(), 1))


def _at(colours: str, places: np.ndarray) -> np.ndarray:
    """Return the colours at places from 0 to 1 of a map."""
    base = _base(colours)
    return base[np.rint(places * (len(base) - 1)).astype(int)]


@lru_cache(maxsize=8)
def _base(colours: str) -> np.ndarray:
    from bokeh import palettes

    base = np.array(
        [[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in getattr(palettes, MAPS[colours])],
        dtype=np.uint8,
    )
    return base[::-1] if colours == "grey, dark stars" else base


@lru_cache(maxsize=64)
def palette(colours: str, stretch: str) -> list[str]:
    """Return the colours of `rgb_table` as Bokeh takes them."""
    return hex_colours(rgb_table(colours, stretch))


def hex_colours(table: np.ndarray) -> list[str]:
    """Return colours, shape (n, 3), as Bokeh takes them."""
    return [f"#{r:02x}{g:02x}{b:02x}" for r, g, b in table]


def limits(data: np.ndarray, how: str) -> tuple[float, float]:
    """Return the numbers at the two ends of the colour scale.

    Parameters
    ----------
    data : array
        Image; NaN is left out.
    how : str
        A key of `LIMITS`.

    Returns
    -------
    (low, high) : float
        high > low always, also for a constant or empty image.
    """
    rule = LIMITS[how]
    if data.dtype.kind == "f":
        data = data[np.isfinite(data)]
    if data.size == 0:
        return 0.0, 1.0
    if rule == "zscale":
        from astropy.visualization import ZScaleInterval

        low, high = ZScaleInterval().get_limits(data)
    else:
        tail = (100.0 - rule) / 2
        low, high = np.percentile(data, [tail, 100.0 - tail])
    return (float(low), float(high)) if high > low else (float(low) - 0.5, float(low) + 0.5)
