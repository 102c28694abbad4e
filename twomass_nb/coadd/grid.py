"""Where an image to be made lies, and what its header can say before a pixel is known.

Headers are of the form of the survey's Atlas Images, so that whatever reads those reads ours. What
says which scan it is comes from the raw scan itself; nothing that the survey measured is copied but
the zero point of the image whose grid is used, and the header says where that is from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS

from ..array.track import ScanTrack
from ..atlas import AtlasImage
from ..atlas.image import WCS_CARDS
from ..atlas.tiling import COLUMNS, ROWS, TileImage, place_cards
from ..errors import AtlasError, NotFoundError, TableError

if TYPE_CHECKING:
    from ..raw import RawScan

__all__ = ["Grid", "grid_at", "grid_like", "grid_of_tile"]

_ARCSEC = u.arcsec
_TELESCOPES = {"n": "MT. HOPKINS", "s": "CTIO"}
# Cards of an Atlas Image that hold for any image on its grid: identity, times and place.
_IDENTITY = (
    "ORDATE", "DAYNUM", "FN_PRFX", "TYPE", "SCANNO", "SCANDIR", "STRIP_ID", "POSITNID", "NUMFRMS",
    "TELNAME", "FILTER", "UT_DATE", "UT", "UT_OFF1", "DATE_SOS", "UT_SOS", "RA_SOS", "DEC_SOS",
    "DATE_EOS", "UT_EOS", "RA_EOS", "DEC_EOS", "BASE", "TIMER0", "TIMER1", "TIMER2", "EQUINOX",
    "USXREF", "USYREF", "MAGZP", "DXFS", "DYFS",
)  # fmt: skip
_FROM_PAR = (
    "TYPE", "STRIP_ID", "POSITNID", "DATE_SOS", "UT_SOS", "RA_SOS", "DEC_SOS", "DATE_EOS",
    "UT_EOS", "RA_EOS", "DEC_EOS", "BASE", "TIMER0", "TIMER1", "TIMER2",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Grid:
    """The pixels of an image to be made.

    Attributes
    ----------
    shape : (rows, columns)
    header : `~astropy.io.fits.Header`
        Identity and place.
    wcs : `~astropy.wcs.WCS`
    """

    shape: tuple[int, int]
    header: fits.Header
    wcs: WCS


def _grid(shape: tuple[int, int], header: fits.Header) -> Grid:
    # the one place that knows how the cards of these headers make a WCS
    blank = np.broadcast_to(np.float32(0), shape)
    try:
        return Grid(shape, header, AtlasImage(blank, header).wcs)
    except AtlasError as error:
        msg = f"the .par file of this scan does not say enough for a header: {error}"
        raise NotFoundError(msg) from None


def grid_like(image: AtlasImage) -> Grid:
    """Return the grid of an Atlas Image."""
    header = fits.Header()
    for card in image.header.cards:
        if card.keyword in _IDENTITY or WCS_CARDS.fullmatch(card.keyword):
            header[card.keyword] = (card.value, card.comment)
    if "MAGZP" in header:
        header.comments["MAGZP"] = "zero point of the image whose grid this is"
    return _grid(image.data.shape, header)


def grid_at(scan: RawScan, track: ScanTrack, centre: SkyCoord, size: Any = None) -> Grid:
    """Return a grid along the scan around a position.

    Parameters
    ----------
    centre : `~astropy.coordinates.SkyCoord`
    size : `~astropy.units.Quantity` or (width, height) of it, optional
        Across and along the scan; a bare number is in arcsec. That of an Atlas Image if not given.
    """
    shape = _shape(size)
    if not isinstance(centre, SkyCoord) or not centre.isscalar:
        msg = f"centre={centre!r} is no position: give one SkyCoord"
        raise NotFoundError(msg)
    along, west = track.offsets(centre.icrs.ra.deg, centre.icrs.dec.deg)
    near = round(along / track.step)
    if not (np.isfinite(along) and -3 <= near < track.n_frames + 3):
        msg = f"this scan does not see {centre.to_string('hmsdms', precision=0)}"
        raise NotFoundError(msg)
    coadd = 1 + min(max(near, 0), track.n_frames - 1)
    return _made(scan, track, TileImage(coadd, float(along), shape[0]), shape, float(west))


def grid_of_tile(scan: RawScan, track: ScanTrack, image: TileImage) -> Grid:
    """Return the grid of one of the images that the survey made of a scan."""
    return _made(scan, track, image, (image.rows, COLUMNS))


def _shape(size: Any) -> tuple[int, int]:
    if size is None:
        return ROWS, COLUMNS
    try:
        given = np.atleast_1d(u.Quantity(size, _ARCSEC).value)
        width, height = np.broadcast_to(given, 2)
    except (TypeError, ValueError, u.UnitsError):
        width = height = np.nan
    if not (1 <= width <= 4096 and 1 <= height <= 32768):
        msg = f"size={size!r} is impossible: give width and height, up to 4096 and 32768 arcsec"
        raise NotFoundError(msg)
    return round(float(height)), round(float(width))


def _made(
    scan: RawScan, track: ScanTrack, image: TileImage, shape: tuple[int, int], west: float = 0.0
) -> Grid:
    header = fits.Header()
    for key, value, comment in (*_identity(scan, image), *place_cards(
        track, image.center, shape, west
    )):  # fmt: skip
        header[key] = (value, comment)
    # what `AtlasImage` asks for; the measured ones come with the pixels
    header["DXFS"], header["DYFS"] = 0.0, track.step
    return _grid(shape, header)


def _identity(scan: RawScan, image: TileImage) -> list[tuple[str, Any, str]]:
    scan_id, par = scan.scan_id, scan.par
    if scan_id is None or par is None:
        msg = (
            f"{scan.path.name} has no .par file beside it, or is in no night's folder: nothing "
            "says which scan it is, and its image has no name; give like= an Atlas Image of it"
        )
        raise NotFoundError(msg)
    cards: list[tuple[str, Any, str]] = [
        ("ORDATE", f"{scan_id.date:%y%m%d}", "Observation Ref Date (yymmdd)"),
        ("DAYNUM", f"{scan_id.day_no:04d}", "Observation Day Num"),
        ("FN_PRFX", scan_id.stem(str(scan.band)), ".rdo and .par filename prefix"),
        ("SCANNO", scan_id.scan, "Scan Number"),
        ("SCANDIR", "s" if scan.track.step < 0 else "n", "Scan Direction: n, s, -"),
        ("TELNAME", str(par.get("TELNAME", _TELESCOPES[scan_id.hemis])), "Telescope"),
        ("FILTER", scan.band, "Band: j, h, k"),
        ("NUMFRMS", scan.n_frames, "Frames of the raw file"),
    ]
    cards += [(key, par[key], par.comments[key]) for key in _FROM_PAR if key in par]
    try:
        length = (par.angle("UT_EOS").hour - par.angle("UT_SOS").hour) % 24 * 3600
        start = par.angle("UT_SOS").hour * 3600
    except TableError as error:
        msg = f"nothing says when {scan.path.name} was taken: {error}; give like= an Atlas Image"
        raise NotFoundError(msg) from None
    cycle = length / scan.n_frames
    now = (start + (image.coadd - 0.5) * cycle) % 86400
    clock = f"{int(now // 3600):02d}:{int(now % 3600 // 60):02d}:{now % 60:05.2f}"
    cards += [
        ("UT_OFF1", cycle / 2, "UT Offset,SOS to frm#1 Cntr (secs)"),
        ("UT", clock.replace(":60.00", ":59.99"), "Time of Frame (sxgsml)"),
        ("EQUINOX", 2000.0, "Equinox"),
    ]
    return cards
