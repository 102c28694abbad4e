"""The whole sky on an ellipse (Mollweide, equal areas, RA 0 h in the middle, east left), and depth.

Places on the ellipse are x from -2 to 2 (to the west, as on the page) and y from -1 to 1.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import healpy as hp
import numpy as np

__all__ = ["HEIGHT", "JS", "WIDTH", "depth_image", "edge", "grid", "project", "sky_at"]

#: Pixels of the depth picture.
WIDTH, HEIGHT = 480, 240
# Depth is counted at the centres of fine pixels and averaged over coarse ones, about as wide as a
# pixel of the picture: a mean says how much of the area lies in overlaps, a sample does not.
# Interpolation between coarse pixels evens out how scans beat with the rows of fine ones.
_FINE, _COARSE = 256, 64

#: The same inverse for the page: [ra, dec] in degrees, NaN off the ellipse.
JS = """
function skyAt(x, y) {
  const t = Math.asin(y), c = Math.cos(t);
  const l = -90 * x / c;
  if (!(Math.abs(y) <= 1) || !(Math.abs(l) <= 180)) return [NaN, NaN];
  return [(l + 360) % 360, Math.asin((2 * t + Math.sin(2 * t)) / Math.PI) * 180 / Math.PI];
}
"""


def project(ra: Any, dec: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the place of positions (degrees) on the ellipse."""
    lon = np.mod(np.asarray(ra, float) + 180.0, 360.0) - 180.0
    return _place(lon, dec)


def _place(lon: Any, dec: Any) -> tuple[np.ndarray, np.ndarray]:
    lat = np.deg2rad(np.asarray(dec, float))
    want = np.pi * np.sin(lat)
    theta = lat.copy() if lat.ndim else np.array(lat)
    for _ in range(60):  # Newton; near the poles it converges only linearly
        slope = 2.0 + 2.0 * np.cos(2 * theta)
        step = (2 * theta + np.sin(2 * theta) - want) / np.maximum(slope, 1e-12)
        theta = np.clip(theta - step, -np.pi / 2, np.pi / 2)
    return -np.asarray(lon, float) / 90.0 * np.cos(theta), np.sin(theta)


def sky_at(x: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return RA and Dec in degrees of places on the ellipse; NaN off it."""
    x, y = np.asarray(x, float), np.asarray(y, float)
    with np.errstate(invalid="ignore", divide="ignore"):
        theta = np.arcsin(y)
        lon = -90.0 * x / np.cos(theta)
        lon = np.where(np.abs(lon) <= 180.0, lon, np.nan)
        dec = np.rad2deg(np.arcsin((2 * theta + np.sin(2 * theta)) / np.pi))
    return np.mod(lon, 360.0), np.where(np.isnan(lon), np.nan, dec)


@lru_cache(maxsize=1)
def _pixels() -> tuple[np.ndarray, ...]:
    """Return which pixels of the picture are on the ellipse, and what coarse pixels they show.

    The nearest coarse pixel, then the four around it and their weights.
    """
    x = (np.arange(WIDTH) + 0.5) / WIDTH * 4 - 2
    y = (np.arange(HEIGHT) + 0.5) / HEIGHT * 2 - 1
    ra, dec = sky_at(*np.meshgrid(x, y))
    on = np.isfinite(ra)
    place = (_COARSE, ra[on], dec[on])
    around, weights = hp.get_interp_weights(*place, lonlat=True)
    return on, hp.ang2pix(*place, lonlat=True), around, weights.astype(np.float32)


def depth_image(loc: Any, selection: dict[str, Any]) -> np.ndarray:
    """Return the mean number of scans, shape (`HEIGHT`, `WIDTH`), row 0 south.

    NaN where no scan is, and off the ellipse.
    """
    fine = loc.coverage(_FINE, **selection)
    nested = hp.reorder(fine.astype(np.float32), r2n=True)
    mean = hp.reorder(nested.reshape(-1, (_FINE // _COARSE) ** 2).mean(axis=1), n2r=True)
    on, nearest, around, weights = _pixels()
    # Coarse pixels without a scan do not dilute their neighbours' depth.
    weights = weights * (mean[around] > 0)
    with np.errstate(invalid="ignore"):
        depth = (weights * mean[around]).sum(axis=0) / weights.sum(axis=0)
    image = np.full((HEIGHT, WIDTH), np.nan, np.float32)
    image[on] = np.where(mean[nearest] > 0, depth, np.nan)
    return image


def grid() -> tuple[list[list[float]], list[list[float]]]:
    """Return the lines of RA (every 2 h) and Dec (every 30 degrees), as xs and ys."""
    lines = []
    for lon in range(-180, 181, 30):
        lines.append(_place(np.full(91, float(lon)), np.linspace(-90, 90, 91)))
    for dec in range(-60, 61, 30):
        lines.append(_place(np.array([-180.0, 180.0]), np.full(2, float(dec))))
    return [x.tolist() for x, _ in lines], [y.tolist() for _, y in lines]


def edge() -> tuple[list[float], list[float]]:
    """Return the ellipse that bounds the sky."""
    angle = np.linspace(0, 2 * np.pi, 181)
    return (2 * np.cos(angle)).tolist(), np.sin(angle).tolist()
