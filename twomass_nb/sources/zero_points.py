"""Magnitudes tied to a list of known ones: the point source catalogue's, or another image's."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import TableError
from ..scan import parse_band
from .matching import chord, mutual, positions, values, vectors

__all__ = ["zero_point"]

#: Farthest a star may be from its place in the list, arcsec.
_RADIUS = 1.5
#: Fewest stars that make a zero point, and the lowest signal to noise of theirs.
_FEWEST, _SNR = 3, 15.0
_CLIP, _ROUNDS = 3.0, 10
#: Magnitude errors of the lists we know, the best first; {} is the band.
_ERRORS = ("{}_msigcom", "{}_cmsig", "mag_error")
_MAGNITUDES = 2.5 / math.log(10)


def zero_point(table: Any, reference: Any, *, band: str | None = None, name: str = "") -> Any:
    """Tie the magnitudes of a table to a reference list.

    Clean stars (no flags, signal to noise of 15) are matched with the list within 1.5 arcsec,
    each the other's nearest. The zero point is the weighted mean of their differences, clipped
    at 3 sigmas; to the errors of both lists comes what scatter the stars show beyond them. Where
    fewer than three stars match, the table keeps its zero point and says so.

    Parameters
    ----------
    table : `~astropy.table.Table`
        As `detect` returns it; or of `find` with ``ra`` and ``dec`` added.
    reference : `~astropy.table.Table`
        With ``ra``, ``dec`` (or ``decl``) and the magnitude of the band as the catalogue has it
        (``j_m``, ``h_m``, ``k_m``), or ``mag`` as `detect` has it.
    band : {"j", "h", "k"}, optional
        Of the table; ``table.meta["band"]`` unless given.
    name : str, optional
        What the reference is called in ``zero_point_from``.

    Returns
    -------
    `~astropy.table.Table`
        A copy with ``mag`` and ``mag_error`` anew. ``meta``: ``zero_point``,
        ``zero_point_error``, ``zero_point_stars`` and ``zero_point_from``; ``limit`` is shifted
        with them.

    Raises
    ------
    TableError
        If a list has no positions or no magnitudes of the band.
    """
    band = parse_band(band or table.meta.get("band", ""))
    tied = table.copy()
    known, known_error = _known(reference, band)
    usable = np.flatnonzero(np.isfinite(known) & np.isfinite(known_error))
    clean = np.flatnonzero((np.asarray(table["flags"]) == 0) & (np.asarray(table["snr"]) >= _SNR))
    ours = vectors(*(one[clean] for one in positions(table)))
    theirs = vectors(*(one[usable] for one in positions(reference)))
    i, k = mutual(ours, theirs, chord(_RADIUS))
    i, k = clean[i], usable[k]
    flux, snr = values(table["flux"][i], ""), np.asarray(table["snr"])[i]
    differences = known[k] + 2.5 * np.log10(flux)
    errors = np.hypot(known_error[k], _MAGNITUDES / snr)
    value, error, used = _mean(differences, errors)
    said = name or _called(reference)
    tied.meta["zero_point_stars"] = used
    if used < _FEWEST:
        before = table.meta.get("zero_point_from", "nothing")
        tied.meta["zero_point_from"] = f"{before}; {used} stars match {said}, too few to tie it to"
        return tied
    if "limit" in tied.meta:
        tied.meta["limit"] += value - tied.meta["zero_point"]
    tied.meta.update(
        zero_point=value, zero_point_error=error, zero_point_from=f"{used} stars of {said}"
    )
    _put(tied, value)
    return tied


def _called(reference: Any) -> str:
    meta = reference.meta
    if "scan_id" not in meta:
        return "the reference list"
    made = "simulated " if meta.get("SIMULATE") else ""
    return f"{made}{meta['scan_id']} {meta.get('band', '')} coadd {meta.get('coadd', '')}"


def _known(reference: Any, band: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return magnitudes of a list and their errors."""
    column = next((c for c in (f"{band}_m", "mag") if c in reference.colnames), None)
    if column is None:
        msg = f"the reference list has no magnitudes of {band}: it needs a column {band}_m or mag"
        raise TableError(msg)
    if column == "mag" and reference.meta.get("band", band) != band:
        msg = f"the reference list is of band {reference.meta['band']}, not {band}"
        raise TableError(msg)
    known = values(reference[column], "mag")
    error = next((c.format(band) for c in _ERRORS if c.format(band) in reference.colnames), None)
    return known, values(reference[error], "mag") if error else np.full(len(known), 0.03)


def _mean(values_: NDArray[np.float64], errors: NDArray[np.float64]) -> tuple[float, float, int]:
    """Return the clipped weighted mean, its error, and how many values are in it."""
    if not len(values_):
        return np.nan, np.nan, 0
    kept = np.ones(len(values_), bool)
    middle, beyond = float(np.median(values_)), 0.0
    for _ in range(_ROUNDS):
        off = np.abs(values_ - middle)
        spread = 1.4826 * float(np.median(off[kept]))
        # scatter beyond the errors: of the list, of the sky, of the fit
        beyond = math.sqrt(max(0.0, spread**2 - float(np.median(errors[kept])) ** 2))
        total = np.hypot(errors, beyond)
        now = off <= _CLIP * total
        weight = now / total**2
        middle = float((weight * values_).sum() / weight.sum())
        if (now == kept).all():
            break
        kept = now
    return middle, float(weight.sum() ** -0.5), int(kept.sum())


def _put(table: Any, value: float) -> None:
    from astropy import units as u

    flux = values(table["flux"], "")
    with np.errstate(invalid="ignore", divide="ignore"):
        table["mag"] = (value - 2.5 * np.log10(flux)) * u.mag
    table["mag_error"] = _MAGNITUDES / np.asarray(table["snr"]) * u.mag
