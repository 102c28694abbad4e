"""Which stars of a scan are which of a reference, and whether east is on the side supposed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from astropy import units as u
from astropy.table import MaskedColumn, Table
from numpy.typing import NDArray

from ..atlas import AtlasImage
from ..errors import AtlasError, warn
from .derive import Derived, derive, similarity
from .links import common_shift
from .solve import Observed, Solution, solve

__all__ = ["Reference", "match", "read_reference", "tied"]

Floats = NDArray[np.float64]

# Chosen. Half the length (arcsec) of the part of a scan that is matched first; stars used for it;
# how well stars agree when the shift is looked for and in the end.
_PART, _STARS, _AGREE, _MATCH = 500.0, 150, 2.5, 1.5
# A predicted place is taken to be off by its uncertainty and so many arcsec more.
_SLACK = 10.0
# Of a table that does not say, arcsec.
_TABLE_ERROR = 0.1


class Reference(NamedTuple):
    """Stars whose places on the sky are known.

    Attributes
    ----------
    ra, dec : array
        Degrees.
    brightness : array
        The brighter, the larger; all alike if nothing is known.
    text : str
        What it is.
    error : array
        Of a place, arcsec, as far as known.
    simulated : bool
    """

    ra: Floats
    dec: Floats
    brightness: Floats
    text: str
    error: Floats
    simulated: bool


def read_reference(given: Any) -> Reference:
    """Return the stars of Atlas Images or of a table."""
    if isinstance(given, Table):
        return _of_table(given)
    images = list(given) if isinstance(given, Iterable) else [given]
    if not images or not all(isinstance(image, AtlasImage) for image in images):
        msg = "a reference is an Atlas Image, several of them, or a table with ra and dec"
        raise AtlasError(msg)
    return _of_images(images)


def _of_table(table: Table) -> Reference:
    names = {name.lower(): name for name in table.colnames}
    dec = names.get("dec", names.get("decl"))
    if "ra" not in names or dec is None:
        msg = f"this reference has no columns ra and dec: it has {', '.join(table.colnames)}"
        raise AtlasError(msg)
    places: Floats = np.array([_degrees(table[name]) for name in (names["ra"], dec)])
    ra, dec = places[:, np.isfinite(places).all(axis=0)]
    text = f"a table of {len(ra)} stars"
    simulated = bool(table.meta.get("SIMULATE", False))
    return Reference(ra, dec, np.zeros(len(ra)), text, np.full(len(ra), _TABLE_ERROR), simulated)


def _degrees(column: Any) -> Floats:
    plain = column.filled(np.nan) if isinstance(column, MaskedColumn) else column
    return u.Quantity(plain, column.unit or u.deg, dtype=float).to_value(u.deg)


def _of_images(images: Sequence[AtlasImage]) -> Reference:
    from ..sources import detect

    found = [detect(image) for image in images]
    names = ", ".join(f"{image.scan_id} {image.band} {image.coadd}" for image in images)
    simulated = any(image.simulated for image in images)
    ra, dec, flux, error = (
        np.concatenate([np.asarray(table[name], float) for table in found])
        for name in ("ra", "dec", "flux", "place_error")
    )
    text = f"stars of the {'simulated ' if simulated else ''}Atlas Images {names}"
    return Reference(ra, dec, flux, text, error, simulated)


def tied(
    frames: NDArray[np.int64], seen: Observed, alone: Solution | None, derived: Derived,
    known: Reference,
) -> tuple[Observed, Solution, Derived] | None:  # fmt: skip
    """Place frames on the sky by a reference; None if its stars are not certainly found.

    Warns
    -----
    TwomassWarning
        If they are found with east on the other side than supposed.
    """
    if alone is None:
        return None
    best, most = None, 0
    for east_left in (derived.geometry.east_left, not derived.geometry.east_left):
        own, other, votes = _matched(frames, seen, alone, derived, known, east_left)
        if len(own) and votes > 2 * most:
            best, most = (own, other, east_left), votes
    if best is None:
        return None
    own, other, east_left = best
    if east_left != derived.geometry.east_left:
        side, instead = ("left", "right") if east_left else ("right", "left")
        warn(
            f"the stars fit {known.text} with east {side}, not with east {instead} as was "
            f"supposed: positions have east {side}"
        )
        derived = replace(derived, geometry=replace(derived.geometry, east_left=east_left))
    for _ in range(
        2
    ):  # once more from the place found: what the plane leaves of the sphere is gone
        scale = derived.geometry.plate_scale.value
        places = _places(known, derived, frames)[other]
        joint = Observed(
            np.concatenate([seen.frame, np.full(len(own), -1)]),
            np.concatenate([seen.star, own]),
            np.concatenate([seen.place, places]),
            np.concatenate([seen.error, np.tile(known.error[other, None] / scale, 2)]),
            np.concatenate([seen.flux, known.brightness[other]]),
        )
        motion = np.array(derived.step[::-1]) / scale
        solution = solve(joint, frames, motion, similarity(derived.geometry))
        derived = derive(frames, derived.track, derived.geometry, solution, tied=True)
    return joint, solution, derived


def _places(known: Reference, derived: Derived, frames: NDArray[np.int64]) -> Floats:
    """Return arcsec (west with the sign that x has, along) from the middle of the frames."""
    along, west = derived.track.offsets(known.ra, known.dec)
    side = 1.0 if derived.geometry.east_left else -1.0
    return np.stack([side * west, along - frames.mean() * derived.track.step], axis=1)


def _matched(
    frames: NDArray[np.int64], seen: Observed, alone: Solution, derived: Derived,
    known: Reference, east_left: bool,
) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:  # fmt: skip
    supposed = replace(derived, geometry=replace(derived.geometry, east_left=east_left))
    a, b = similarity(supposed.geometry)
    turn = np.array([[a, -b], [b, a]]) / (a * a + b * b)
    total = np.bincount(seen.star, seen.flux) / np.bincount(seen.star)
    along, across = derived.track.uncertainty
    places = _places(known, supposed, frames)
    return match(alone.stars @ turn.T, total, places, known.brightness, np.array([across, along]))


def match(
    stars: Floats, flux: Floats, reference: Floats, brightness: Floats, uncertainty: Floats
) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Match stars with those of a reference.

    Parameters
    ----------
    stars, reference : array, shape (n, 2), (m, 2)
        Arcsec (west, along).
    flux, brightness : array
    uncertainty : array, shape (2,)
        How far stars may be from where they are predicted.

    Returns
    -------
    star, reference : array of int
        Pairs; none if they are not certain.
    votes : int
        How many of the stars first looked at agreed on a shift.
    """
    none = np.empty(0, int)
    reach = uncertainty + _SLACK
    low, high = stars.min(axis=0) - reach, stars.max(axis=0) + reach
    inside = np.flatnonzero(((reference > low) & (reference < high)).all(axis=1))
    if not len(inside):
        return none, none, 0
    middle = np.median(reference[inside, 1])
    part = np.flatnonzero(np.abs(stars[:, 1] - middle) < _PART + reach[1])
    near = inside[np.abs(reference[inside, 1] - middle) < _PART + 2 * reach[1]]
    part, near = _brightest(part, flux, _STARS), _brightest(near, brightness, 3 * _STARS)
    if not len(part) or not len(near):
        return none, none, 0
    spread = np.ptp(reference[near], axis=0) + 1
    shift, votes, certain = common_shift(
        stars[part], reference[near], tuple(reach), _AGREE, float(np.prod(spread))
    )
    if not certain:
        return none, none, votes
    moved = stars + shift
    for tolerance in (2 * _MATCH, _MATCH, _MATCH):
        own, other = _pairs(moved, reference, tolerance)
        if len(own) < 2:
            return none, none, votes
        moved = _similar(stars[own], reference[other])(stars)
    own, other = _pairs(moved, reference, _MATCH)
    return own, other, votes


def _brightest(which: NDArray[np.int64], flux: Floats, most: int) -> NDArray[np.int64]:
    return which[np.argsort(-flux[which], kind="stable")[:most]]


def _pairs(
    stars: Floats, reference: Floats, tolerance: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return pairs that are each other's nearest."""
    from scipy.spatial import cKDTree

    distance, nearest = cKDTree(reference).query(stars)
    _, back = cKDTree(stars).query(reference)
    good = (distance < tolerance) & (back[nearest] == np.arange(len(stars)))
    return np.flatnonzero(good), nearest[good]


def _similar(source: Floats, target: Floats) -> Any:
    """Return the shift, turn and scale that fit best; a shift alone for few."""
    z, w = source @ [1, 1j], target @ [1, 1j]
    zm, wm = np.median(z.real) + 1j * np.median(z.imag), 0.0
    factor = 1.0 + 0j
    trust = np.ones(len(z))
    for _ in range(5):
        if len(z) >= 6:
            terms = np.stack([np.ones(len(z)), z - zm], axis=1) * trust[:, None]
            (wm, factor), *_ = np.linalg.lstsq(terms, w * trust, rcond=None)
        else:
            wm = (trust**2 @ (w - (z - zm))) / (trust**2).sum()
        off = np.abs(wm + factor * (z - zm) - w)
        trust = 1 / np.sqrt(1 + (off / (2 * np.median(off) + 1e-6)) ** 2)

    def apply(points: Floats) -> Floats:
        moved = wm + factor * (points @ [1, 1j] - zm)
        return np.stack([moved.real, moved.imag], axis=1)

    return apply
