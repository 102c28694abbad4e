"""How the page itself turns a pixel into a position: WCS terms as plain numbers, and JavaScript.

The page must read out positions under the pointer without asking the kernel, so each frame is sent
with the few numbers of its WCS. Zenithal TAN and SIN without distortion are all that raw frames
and Atlas Images use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import TwomassError

if TYPE_CHECKING:
    from astropy.wcs import WCS

__all__ = ["JS", "TERMS", "terms"]

TERMS = ("ra0", "dec0", "px", "py", "a", "b", "c", "d", "sin")


def terms(wcs: WCS) -> dict[str, float]:
    """Numbers the page needs to use a WCS.

    Returns
    -------
    dict
        ``ra0, dec0`` reference position in degrees; ``px, py`` its pixel, counted from 0;
        ``a, b, c, d`` the matrix from pixels to degrees (xi = a dx + b dy, eta = c dx + d dy);
        ``sin`` 1 for the SIN projection, 0 for TAN.

    Raises
    ------
    TwomassError
        If the WCS is of another kind.
    """
    kinds = {ctype[-3:] for ctype in wcs.wcs.ctype}
    if kinds not in ({"TAN"}, {"SIN"}) or wcs.sip is not None:
        message = f"cannot show a WCS of kind {list(wcs.wcs.ctype)}: only plain TAN and SIN"
        raise TwomassError(message)
    matrix = wcs.pixel_scale_matrix
    return {
        "ra0": float(wcs.wcs.crval[0]),
        "dec0": float(wcs.wcs.crval[1]),
        "px": float(wcs.wcs.crpix[0] - 1),
        "py": float(wcs.wcs.crpix[1] - 1),
        **dict(zip("abcd", np.asarray(matrix, float).ravel().tolist(), strict=True)),
        "sin": float(kinds == {"SIN"}),
    }


#: JavaScript functions: `toSky(t, x, y)` gives [ra, dec] in degrees, `toPixel(t, ra, dec)` gives
#: [x, y] (NaN behind the sphere), `hms` and `dms` write them. `t` holds the terms.
JS = """
const RAD = Math.PI / 180;
function toSky(t, x, y) {
  const xi = RAD * (t.a * (x - t.px) + t.b * (y - t.py));
  const eta = RAD * (t.c * (x - t.px) + t.d * (y - t.py));
  const rho2 = xi * xi + eta * eta;
  const n = t.sin ? Math.sqrt(1 - rho2) : 1 / Math.sqrt(1 + rho2);
  const k = t.sin ? 1 : n;
  const [l, m, d0] = [xi * k, eta * k, t.dec0 * RAD];
  const u = n * Math.cos(d0) - m * Math.sin(d0);
  const ra = t.ra0 + Math.atan2(l, u) / RAD;
  const dec = Math.atan2(n * Math.sin(d0) + m * Math.cos(d0), Math.hypot(l, u)) / RAD;
  return [((ra % 360) + 360) % 360, dec];
}
function toPixel(t, ra, dec) {
  const [h, d, d0] = [(ra - t.ra0) * RAD, dec * RAD, t.dec0 * RAD];
  const l = Math.cos(d) * Math.sin(h);
  const m = Math.sin(d) * Math.cos(d0) - Math.cos(d) * Math.sin(d0) * Math.cos(h);
  const n = Math.sin(d) * Math.sin(d0) + Math.cos(d) * Math.cos(d0) * Math.cos(h);
  if (n <= 0) return [NaN, NaN];
  const k = (t.sin ? 1 : 1 / n) / RAD;
  const det = t.a * t.d - t.b * t.c;
  return [t.px + k * (t.d * l - t.b * m) / det, t.py + k * (t.a * m - t.c * l) / det];
}
function parts(value, digits) {
  const units = Math.round(value * 3600 * 10 ** digits);
  const seconds = units / 10 ** digits;
  const pad = (n, width) => n.toString().padStart(width, "0");
  return [pad(Math.floor(seconds / 3600), 2), pad(Math.floor(seconds / 60) % 60, 2),
          (seconds % 60).toFixed(digits).padStart(digits + 3, "0")];
}
function hms(ra) {
  const [h, m, s] = parts(ra / 15, 3);
  return `${h === "24" ? "00" : h}:${m}:${s}`;
}
function dms(dec) {
  return (dec < 0 ? "-" : "+") + parts(Math.abs(dec), 2).join(":");
}
function row(columns) {
  return Object.fromEntries(Object.entries(columns).map(([name, column]) => [name, column[0]]));
}
"""
