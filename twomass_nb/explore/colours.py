"""How numbers become colours: stretches, limits and colour maps that explorers offer.

A stretch is put into the palette, not into the image: entry k of a palette of n colours is the
map's colour at stretch(k / (n - 1)). So the page holds true numbers under any stretch, a new
stretch sends a palette and no image, and Bokeh's colour bar reads in the image's own unit.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

__all__ = ["LIMITS", "MAPS", "STRETCHES", "limits", "palette", "rgb_table"]

# Colours in a palette: enough for the steepest part of the stretch where pixels are, and no more,
# because BokehJS parses the whole palette several times a repaint.
LEVELS = {"linear": 256, "sqrt": 1024, "asinh": 512, "log": 1024}

# The same curves and constants as astropy.visualization's LogStretch and AsinhStretch.
_CURVES = {
    "linear": lambda t: t,
    "sqrt": np.sqrt,
    "asinh": lambda t: np.arcsinh(t / 0.1) / np.arcsinh(10.0),
    "log": lambda t: np.log1p(1000.0 * t) / np.log(1001.0),
}
STRETCHES = tuple(_CURVES)

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
    from bokeh import palettes

    base = np.array(
        [[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in getattr(palettes, MAPS[colours])],
        dtype=np.uint8,
    )
    if colours == "grey, dark stars":
        base = base[::-1]
    place = _CURVES[stretch](np.linspace(0.0, 1.0, LEVELS[stretch]))
    return base[np.rint(place * (len(base) - 1)).astype(int)]


@lru_cache(maxsize=64)
def palette(colours: str, stretch: str) -> list[str]:
    """Return the colours of `rgb_table` as Bokeh takes them."""
    return [f"#{r:02x}{g:02x}{b:02x}" for r, g, b in rgb_table(colours, stretch)]


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
