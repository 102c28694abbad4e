"""The stars of a picture: where they are and how bright, with errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import needs
from .background import BOX, background
from .fitting import Stars
from .flags import SourceFlag
from .peaks import filled, filtered, peaks
from .shapes import measured_spread
from .spread import Spread

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["find"]

#: Peaks are looked at from a little under the threshold: the fit gives the better measure.
_EARLY = 0.8
_FIRST_TURNS, _LAST_TURNS = 3, 5
#: What the measured spread is wrong by, as shares of a flux and of the FWHM: on simulated frames
#: of 2 arcsec pixels bright stars come back so well, whatever their place within a pixel.
_FLUX_FLOOR, _PLACE_FLOOR = 0.003, 0.0015
#: Chi squared a degree of freedom that a good fit may have.
_BY_CHANCE = 1.5
#: Neighbours within so many FWHM matter if they have so much of a star's light.
_BLENDED, _MATTERS = 2.0, 0.1


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
        background), ``snr`` and ``flags`` (`SourceFlag`). ``meta`` has the ``fwhm`` found.
    """
    return measured(data, noise, fwhm, mask, threshold, gain, saturation)[0]


def measured(
    data: Any, noise: Any, fwhm: float, mask: Any = None, threshold: float = 5.0,
    gain: float | None = None, saturation: float | None = None,
) -> tuple[Table, Stars, Spread]:  # fmt: skip
    """Return what `find` does, the stars as fitted, and their spread."""
    needs("scipy", "reduce")
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
    # saturated pixels show where a star is, not how bright
    above = filled(above, good | full)
    seen, lessened = filtered(above, fwhm)
    py, px = peaks(seen, _EARLY * threshold * lessened * noise)
    weight = np.zeros(data.shape, np.float32)
    weight[good] = noise[good] ** -2
    stars = Stars(above, weight, px, py, fwhm, gain)
    spread = Spread.gaussian(fwhm)
    if len(px):
        stars.fit(spread, _FIRST_TURNS)
        one = stars.distinct()
        if not one.all():
            stars = Stars(above, weight, px[one], py[one], fwhm, gain)
            stars.fit(spread, _FIRST_TURNS)
        nominal, spread = spread, measured_spread(stars, spread)
        if spread is nominal:
            # where the width given is far off, bright stars may just not have come to rest
            stars.fit(nominal, 1)
            spread = measured_spread(stars, nominal)
        stars.fit(spread, _LAST_TURNS)
    table = _table(stars, above, _flags(stars, good, full), spread, threshold)
    return table, stars, spread


def _flags(stars: Stars, good: NDArray[np.bool_], full: NDArray[np.bool_]) -> NDArray[np.int32]:
    from scipy.spatial import cKDTree

    (rows, columns), px, py = good.shape, stars.px, stars.py
    flags = np.zeros(len(px), np.int32)
    reach = max(1, round(stars.fwhm))
    edge = (px < reach) | (py < reach) | (px >= columns - reach) | (py >= rows - reach)
    flags[edge] |= SourceFlag.EDGE
    k = np.arange(-reach, reach + 1)
    ny = np.clip(py[:, None, None] + k[:, None], 0, rows - 1)
    nx = np.clip(px[:, None, None] + k, 0, columns - 1)
    hurt = ~good & ~full
    flags[hurt[ny, nx].any(axis=(1, 2))] |= SourceFlag.MASKED
    flags[full[ny, nx].any(axis=(1, 2))] |= SourceFlag.SATURATED
    flags[~stars.settled] |= SourceFlag.UNFITTED
    tree = cKDTree(np.stack([stars.x, stars.y], axis=-1))
    pairs = tree.query_pairs(_BLENDED * stars.fwhm, output_type="ndarray")
    for a, b in (pairs.T, pairs.T[::-1]):
        flags[a[stars.flux[b] > _MATTERS * stars.flux[a]]] |= SourceFlag.BLENDED
    return flags


def _table(
    stars: Stars, above: NDArray[np.float32], flags: NDArray[np.int32], spread: Spread,
    threshold: float,
) -> Table:  # fmt: skip
    from astropy.table import Table

    flux_error, *place_errors = stars.errors.T
    flux_error = np.hypot(flux_error, _FLUX_FLOOR * stars.flux)
    # where the fit misses more than noise does now and then, as in crowds, places are worse
    missed = np.maximum(stars.misfit / _BY_CHANCE, 1)
    place_error = np.sqrt(np.mean(np.square(place_errors), axis=0) * missed)
    snr = np.divide(stars.flux, flux_error, out=np.zeros_like(flux_error), where=flux_error > 0)
    keep = np.flatnonzero((snr >= threshold) & ~stars.lost)
    keep = keep[np.argsort(-stars.flux[keep], kind="stable")]
    columns = {
        "x": stars.x,
        "y": stars.y,
        "place_error": np.hypot(place_error, _PLACE_FLOOR * spread.fwhm),
        "flux": stars.flux,
        "flux_error": flux_error,
        "peak": above[stars.py, stars.px].astype(float),
        "snr": snr,
        "flags": flags,
    }
    table = Table({name: column[keep] for name, column in columns.items()})
    table.meta["fwhm"] = spread.fwhm
    return table
