"""The stars of a picture: where they are and how bright, with errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .background import BOX, background
from .fitting import Fit, fit_stars
from .flags import SourceFlag
from .needs import needs
from .peaks import filtered, peaks
from .shapes import measured_spread
from .spread import Spread

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["find"]

#: Peaks are looked at from a little under the threshold: the fit gives the better measure.
_EARLY = 0.8


def find(
    data: Any, *, noise: Any, fwhm: float, mask: Any = None, threshold: float = 5.0,
    gain: float | None = None, saturation: float | None = None,
) -> Table:  # fmt: skip
    """Find the stars of a picture.

    Parameters
    ----------
    data : array, shape (rows, columns)
        The picture; NaN pixels are passed over. Its background need not be subtracted.
    noise : float or array
        Standard deviation of a pixel, without the photons of the stars themselves.
    fwhm : float
        About how wide a star's image is, pixels; it is measured where there are stars enough.
    mask : array of bool, optional
        True where a pixel must not be used.
    threshold : float, optional
        Lowest signal to noise of a star.
    gain : float, optional
        Electrons a DN: photons of the stars then add to the noise.
    saturation : float, optional
        Pixels from this value on are saturated: not used, and flagged.

    Returns
    -------
    `~astropy.table.Table`
        One row a star, the brightest first: ``x``, ``y`` (pixels from 0), ``place_error``
        (of each of the two), ``flux``, ``flux_error``, ``peak`` (highest pixel above the
        background), ``snr`` and ``flags`` (`SourceFlag`). ``meta`` has the ``fwhm`` found, and
        the `Spread` under ``spread``.
    """
    needs("scipy")
    data = np.asarray(data, np.float32)
    good = np.isfinite(data)
    if mask is not None:
        good &= ~np.asarray(mask, bool)
    full = np.zeros_like(good)
    if saturation is not None:
        full = good & (data >= saturation)
        good &= ~full
    noise = np.broadcast_to(np.asarray(noise, np.float32), data.shape)
    good &= np.isfinite(noise) & (noise > 0)

    above = data - background(data, good, round(BOX * fwhm))
    above[~good] = 0
    seen, lessened = filtered(above, good, fwhm)
    py, px = peaks(seen, _EARLY * threshold * lessened * noise, good)
    weight = np.zeros(data.shape, np.float32)
    weight[good] = noise[good] ** -2
    spread = Spread.gaussian(fwhm)
    if len(px):
        spread = measured_spread(above, weight, px, py, spread)
    fit = fit_stars(above, weight, px, py, spread, gain)
    flags = _flags(fit, px, py, good, full, spread.fwhm)
    return _table(fit, px, py, above, flags, spread, threshold)


def _flags(
    fit: Fit, px: NDArray[np.int64], py: NDArray[np.int64], good: NDArray[np.bool_],
    full: NDArray[np.bool_], fwhm: float,
) -> NDArray[np.int32]:  # fmt: skip
    from scipy.spatial import cKDTree

    rows, columns = good.shape
    flags = np.zeros(len(px), np.int32)
    reach = max(1, round(fwhm))
    edge = (px < reach) | (py < reach) | (px >= columns - reach) | (py >= rows - reach)
    flags[edge] |= SourceFlag.EDGE
    k = np.arange(-reach, reach + 1)
    ny = np.clip(py[:, None, None] + k[:, None], 0, rows - 1)
    nx = np.clip(px[:, None, None] + k, 0, columns - 1)
    flags[~good[ny, nx].all(axis=(1, 2))] |= SourceFlag.MASKED
    flags[full[ny, nx].any(axis=(1, 2))] |= SourceFlag.SATURATED
    flags[~fit.settled] |= SourceFlag.UNFITTED
    pairs = cKDTree(np.stack([fit.x, fit.y], axis=-1)).query_pairs(2 * fwhm, output_type="ndarray")
    for a, b in (pairs.T, pairs.T[::-1]) if len(pairs) else ():
        flags[a[fit.flux[b] > 0.1 * fit.flux[a]]] |= SourceFlag.BLENDED
    return flags


def _table(
    fit: Fit, px: NDArray[np.int64], py: NDArray[np.int64], above: NDArray[np.float32],
    flags: NDArray[np.int32], spread: Spread, threshold: float,
) -> Table:  # fmt: skip
    from astropy.table import Table

    snr = np.divide(fit.flux, fit.flux_error, out=np.zeros(len(px)), where=fit.flux_error > 0)
    keep = np.flatnonzero((snr >= threshold) & fit.settled)
    keep = keep[np.argsort(-fit.flux[keep], kind="stable")]
    table = Table(
        {
            "x": fit.x[keep],
            "y": fit.y[keep],
            "place_error": fit.place_error[keep],
            "flux": fit.flux[keep],
            "flux_error": fit.flux_error[keep],
            "peak": above[py[keep], px[keep]].astype(float),
            "snr": snr[keep],
            "flags": flags[keep],
        }
    )
    table.meta["fwhm"] = spread.fwhm
    table.meta["spread"] = spread
    return table
