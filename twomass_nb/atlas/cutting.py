"""How a cutout is made: its grid, which images it takes, and what is refused."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.table import Table, vstack
from astropy.wcs import WCS

from ..errors import AtlasError, NotFoundError, TwomassWarning
from ..scan import BAND_NAMES, BANDS, parse_band
from .cutout import Cutout
from .image import AtlasImage
from .mosaic import Mosaic, Piece, cut_piece, join

__all__ = ["MAX_SIZE", "cut_out", "grid"]

#: A degree is 13 million pixels a band and some 150 images; beyond, a flat picture and one
#: constant an image are no longer good enough.
MAX_SIZE = 1 * u.deg
_MIN_PIXELS = 3
# Lost to bad pixels inside of images; more is sky that no image covers.
_NEARLY_ALL = 0.999


def grid(position: SkyCoord, size: u.Quantity) -> tuple[WCS, tuple[int, int]]:
    """Return the TAN grid of a cutout: WCS and shape; 1 arcsec pixels, north up, east left.

    Raises
    ------
    AtlasError
        If `size` is too small or too large.
    """
    side = round(float(size.to_value(u.arcsec))) if np.isfinite(size) else 0
    if side < _MIN_PIXELS:
        msg = f"a cutout of {size} makes no sense: ask for at least {_MIN_PIXELS} arcsec"
        raise AtlasError(msg)
    if size > MAX_SIZE:
        msg = (
            f"a cutout of {size.to(u.deg):.3g} is too large: at most {MAX_SIZE:g}, which is 13 "
            "million pixels a band from some 150 Atlas Images; cut several"
        )
        raise AtlasError(msg)
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.cunit = ["deg", "deg"]
    wcs.wcs.crval = [position.ra.deg, position.dec.deg]
    wcs.wcs.crpix = [(side + 1) / 2] * 2
    wcs.wcs.cdelt = [-1 / 3600, 1 / 3600]
    wcs.wcs.radesys = "ICRS"
    wcs.wcs.set()
    wcs.array_shape = (side, side)
    return wcs, (side, side)


def cut_out(
    images: Iterable[AtlasImage | str | os.PathLike[str]],
    position: SkyCoord,
    size: u.Quantity,
    bands: str = "jhk",
) -> Cutout:
    """Cut a square of sky out of Atlas Images, joined across coadds and scans.

    Parameters
    ----------
    images : iterable of AtlasImage or path
        Those that show nothing of the square are passed over; the same image twice counts once.
    position : `~astropy.coordinates.SkyCoord`
    size : `~astropy.units.Quantity`
        Side of the square, up to 1 degree.
    bands : str, optional

    Raises
    ------
    AtlasError
        If an image cannot be read, simulated and real ones are mixed, or the size is impossible.
    NotFoundError
        If no image covers any of it.

    Warns
    -----
    TwomassWarning
        If a band is covered in part or not at all.
    """
    from astropy.nddata import CCDData

    wanted = [band for band in BANDS if band in {parse_band(one) for one in bands}]
    position = position.icrs
    wcs, shape = grid(position, size)
    pieces = _pieces(images, wanted, wcs, shape)
    _refuse_mixed(pieces)
    made, coverage, tables = {}, {}, []
    for band in wanted:
        if own := pieces[band]:
            mosaic = join(own, shape)
            coverage[band] = mosaic.coverage
            tables.append(_sources(band, own, mosaic))
            made[band] = CCDData(
                mosaic.data, unit=u.adu, wcs=wcs, mask=np.isnan(mosaic.data),
                meta=_meta(band, own, mosaic.magzp),
            )  # fmt: skip
            own.clear()
    if not made:
        where = position.to_string("hmsdms", precision=1)
        msg = (
            f"no Atlas Image at hand covers {where} within {shape[0]} arcsec: give others, or "
            "another position"
        )
        raise NotFoundError(msg)
    cutout = Cutout(position, shape[0] * u.arcsec, made, coverage, vstack(tables))
    _warn_of_gaps(cutout, wanted)
    return cutout


def _pieces(
    images: Iterable[Any], bands: list[str], wcs: WCS, shape: tuple[int, int]
) -> dict[str, list[Piece]]:
    from tqdm import tqdm

    pieces: dict[str, list[Piece]] = {band: [] for band in bands}
    seen = set()
    bar = tqdm(
        list(images), desc="Atlas Images", delay=1, leave=False, disable=not sys.stderr.isatty()
    )
    for one in bar:
        image = one if isinstance(one, AtlasImage) else AtlasImage.open(one)
        identity = image.scan_id, image.band, image.coadd
        if image.band not in bands or identity in seen:
            continue
        seen.add(identity)
        if piece := cut_piece(image, wcs, shape):
            pieces[image.band].append(piece)
    return pieces


def _refuse_mixed(pieces: dict[str, list[Piece]]) -> None:
    by_kind = {
        piece.image.simulated: piece.image.scan_id for own in pieces.values() for piece in own
    }
    if len(by_kind) == 2:
        msg = (
            f"real ({by_kind[False]}) and simulated ({by_kind[True]}) Atlas Images are never "
            "joined: give images of one kind"
        )
        raise AtlasError(msg)


def _sources(band: str, pieces: list[Piece], mosaic: Mosaic) -> Table:
    table = Table(
        {
            "band": [band] * len(pieces),
            "scan_id": [str(piece.image.scan_id) for piece in pieces],
            "coadd": [piece.image.coadd for piece in pieces],
            "pixels": [piece.pixels for piece in pieces],
            "scale": mosaic.scales,
            "offset": mosaic.offsets,
            "slope": mosaic.slopes,
            "simulated": [piece.image.simulated for piece in pieces],
            "file": [str(piece.image.path or "") for piece in pieces],
        }
    )
    for name in ("offset", "slope"):
        table[name].unit = u.adu
    return table


def _meta(band: str, pieces: list[Piece], magzp: float | None) -> dict[str, Any]:
    meta: dict[str, Any] = {"FILTER": BAND_NAMES[band]}
    if magzp is not None:
        meta["MAGZP"] = magzp
    if pieces[0].image.simulated:
        meta["SIMULATE"] = True
    return meta


def _warn_of_gaps(cutout: Cutout, wanted: list[str]) -> None:
    parts = {band: cutout.covered(band) for band in wanted}
    short = [
        f"{BAND_NAMES[band]} {100 * part:.0f}%"
        for band, part in parts.items()
        if part < _NEARLY_ALL
    ]
    if short:
        msg = f"the cutout is not covered whole by the Atlas Images at hand: {', '.join(short)}"
        warnings.warn(msg, TwomassWarning, stacklevel=3)
