"""On how many of the frames that cover its place a source was found: N of M."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from astropy import units as u
from astropy.wcs import WCS

from ..array.geometry import SIZE
from .matching import positions, values, vectors

__all__ = ["confirm"]

#: A source closer to a frame's edge than this may not have been found: the frame does not count.
_RIM = 2.0
#: Signal to noise that a source must have on a single frame to be expected there; the noise is
#: this quantile of the errors of fluxes, which are larger for the bright.
_EXPECTED, _FAINT = 8.0, 0.25
_FEWEST = 3
#: Half diagonal of a frame with some room, degrees.
_REACH = 0.115


def confirm(
    table: Any, frames: Iterable[tuple[Any, WCS]], *, radius: u.Quantity = 2 * u.arcsec
) -> Any:
    """Count the frames that cover each source of a coadd, and those it was found on.

    A star is on all six or seven; a meteor, a cosmic ray or a pixel that flickers on one.

    Parameters
    ----------
    table : `~astropy.table.Table`
        Of the coadd: ``ra``, ``dec``, ``flux``.
    frames : iterable of (`~astropy.table.Table`, `~astropy.wcs.WCS`)
        What `find` found on each frame, and where the frame looked. Fluxes are of the same
        scale as the coadd's: sums of all light.
    radius : `~astropy.units.Quantity`, optional
        How far from its place a source may be found on a frame.

    Returns
    -------
    `~astropy.table.Table`
        A copy with ``n_frames`` (M), ``n_found`` (N), ``n_expected``: of the M, those whose
        noise (the errors of their faint stars) is an eighth of its flux or less; and ``solo``:
        found on one frame at most, though expected on three or more.
    """
    from scipy.spatial import cKDTree

    confirmed = table.copy()
    ra, dec = positions(table)
    points = vectors(ra, dec)
    tree = cKDTree(points)
    flux = values(table["flux"], "")
    covering, found, expected = (np.zeros(len(ra), np.int64) for _ in range(3))
    for stars, wcs in frames:
        rows, columns = wcs.array_shape or (SIZE, SIZE)
        middle = wcs.wcs_pix2world((columns - 1) / 2, (rows - 1) / 2, 0)
        near = np.array(tree.query_ball_point(vectors(*middle), np.deg2rad(_REACH)), np.int64)
        x, y = wcs.wcs_world2pix(ra[near], dec[near], 0)
        on = (x > _RIM) & (y > _RIM) & (x < columns - 1 - _RIM) & (y < rows - 1 - _RIM)
        near, places = near[on], np.stack([x[on], y[on]], axis=-1)
        covering[near] += 1
        if len(stars) and len(near):
            pixel = np.sqrt(np.abs(np.linalg.det(wcs.pixel_scale_matrix))) * 3600
            seen = cKDTree(np.stack([stars["x"], stars["y"]], axis=-1))
            distance, _ = seen.query(places)
            found[near] += distance <= radius.to_value(u.arcsec) / pixel
            noise = np.quantile(np.asarray(stars["flux_error"]), _FAINT)
            expected[near] += flux[near] > _EXPECTED * noise
    confirmed["n_frames"], confirmed["n_found"], confirmed["n_expected"] = covering, found, expected
    confirmed["solo"] = (expected >= _FEWEST) & (found <= 1)
    return confirmed
