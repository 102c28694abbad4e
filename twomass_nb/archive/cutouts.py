"""From a position to a cutout: which Atlas Images it takes, and where they are got from."""

from __future__ import annotations

import os
import re
import sys
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from astropy import units as u
from astropy.coordinates import Angle, SkyCoord

from ..atlas import AtlasImage, Cutout, cut_out
from ..atlas.cutting import grid
from ..atlas.reading import read_header
from ..cache import cache_folder, verified
from ..errors import (
    AtlasError,
    FetchError,
    NotFoundError,
    PositionError,
    ScanNameError,
    TwomassWarning,
)
from ..files import as_path
from ..locate.footprint import Footprints, exact_vector
from ..locate.position import parse_position
from ..scan import BANDS, FileName, ScanId, parse_band
from ..tables import read_scan_table
from .irsa_atlas import fetch_image, find_atlas
from .places import known_scan_table, local_roots

__all__ = ["cutout", "local_images"]

_NIGHT = re.compile(r"\d{6}[ns]", re.IGNORECASE)
_SCAN = re.compile(r"s\d{3}", re.IGNORECASE)
#: From the centre of an Atlas Image to its corner.
_REACH = 573 * u.arcsec
# Raw frames, and so images, reach a little beyond the three-band area of the scan table.
_BEYOND = 30.0
_WHOLE = 0.999

Images = AtlasImage | str | os.PathLike[str] | Iterable[AtlasImage | str | os.PathLike[str]]


def cutout(
    position: SkyCoord | str,
    size: u.Quantity | str | float,
    bands: str = "jhk",
    images: Images | None = None,
) -> Cutout:
    """Cut a square of sky out of the survey's Atlas Images, in J, H and Ks on one grid.

    North is up, east left, pixels are 1 arcsec (TAN). Images are joined across the seams of
    coadds and the edges of scans: one zero point, one sky, blended over the overlaps.

    Parameters
    ----------
    position : `~astropy.coordinates.SkyCoord` or str
        The centre; a text as for `twomass-nb locate` ("18:20:30 -16:10:00", "275.12 -16.17").
    size : `~astropy.units.Quantity`, str or float
        Side of the square: an angle, a text with its unit ("5 arcmin"), or arcsec. Up to 1 degree.
    bands : str, optional
        Any of "j", "h", "k".
    images : AtlasImage, path, folder, or several, optional
        The Atlas Images to use, and no others. If not given: those in the folders of
        ``TWOMASS_NB_ARCHIVE`` and those fetched before; what they leave uncovered is fetched from
        IRSA.

    Returns
    -------
    Cutout
        The last expression of a notebook's cell is drawn.

    Raises
    ------
    NotFoundError
        If no image covers any of it.
    AtlasError
        If the size is impossible, an image is broken, or real and simulated ones are mixed.
    PositionError
        If the position is none.
    FetchError
        If there is nothing here and IRSA cannot be reached.

    Warns
    -----
    TwomassWarning
        If a band is covered in part or not at all.
    """
    place = _position(position)
    side = _size(size)
    bands = _bands(bands)
    grid(place, side)  # refuses an impossible size before anything is looked for
    if images is not None:
        return cut_out(_given(images), place, side, bands)
    here = local_images(place, side, bands)
    made = _try(here, place, side, bands)
    if made is not None and (made.simulated or all(made.covered(b) >= _WHOLE for b in bands)):
        return made
    try:
        fetched = _fetched(place, side, bands, here)
    except FetchError as error:
        if made is None:
            raise
        warnings.warn(f"only images at hand were used: {error}", TwomassWarning, stacklevel=2)
        fetched = []
    return cut_out([*here, *fetched], place, side, bands)


def _position(position: SkyCoord | str) -> SkyCoord:
    if isinstance(position, str):
        return parse_position(position)
    if not isinstance(position, SkyCoord) or not position.isscalar:
        what = "an array" if isinstance(position, SkyCoord) else type(position).__name__
        msg = f"{what} is not one position: give a SkyCoord, or a text as '275.12 -16.17'"
        raise PositionError(msg)
    icrs = position.icrs
    if not (np.isfinite(icrs.ra.deg) and np.isfinite(icrs.dec.deg)):
        msg = "the position is not on the sky: it is not a number"
        raise PositionError(msg)
    return icrs


def _bands(bands: str) -> str:
    listed = [bands] if isinstance(bands, str) and bands.strip().lower() == "ks" else bands
    wanted = {parse_band(one) for one in listed} if isinstance(listed, Iterable) else set()
    if not wanted:
        msg = f"{bands!r} names no band: give some of 'jhk'"
        raise ScanNameError(msg)
    return "".join(band for band in BANDS if band in wanted)


def _size(size: u.Quantity | str | float) -> u.Quantity:
    try:
        if isinstance(size, str) and not re.fullmatch(r"\s*[\d.]+\s*", size):
            size = Angle(size)
        if isinstance(size, u.Quantity):
            size = size.to_value(u.arcsec)
        return float(size) * u.arcsec
    except (ValueError, TypeError, u.UnitsError):
        msg = f"{size!r} is no size: write it as '5 arcmin', or a number of arcsec"
        raise AtlasError(msg) from None


def _try(images: list[Path], place: SkyCoord, side: u.Quantity, bands: str) -> Cutout | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", TwomassWarning)  # it is not the last word yet
            return cut_out(images, place, side, bands)
    except NotFoundError:
        return None


def _given(images: Images) -> list[AtlasImage | Path]:
    if isinstance(images, AtlasImage | str | os.PathLike) or not isinstance(images, Iterable):
        images = [images]
    found: list[AtlasImage | Path] = []
    for one in images:
        if isinstance(one, AtlasImage):
            found.append(one)
        elif (path := as_path(one)).is_dir():
            found += [image for image, _ in sorted(_named(path.rglob("*.fits*")))]
        else:
            found.append(path)
    return found


# Images on this machine ---------------------------------------------------------------


def local_images(position: SkyCoord, size: u.Quantity, bands: str = "jhk") -> list[Path]:
    """List the Atlas Images on this machine that may show a square of sky.

    Looked at are the folders of ``TWOMASS_NB_ARCHIVE`` and what was fetched: images in night
    folders (``000529s/s063/image``, ``000529s/s063``, ``000529s``), in the roots or one folder
    below. A scan table in the cache says which scans to look at; without one, the header of every
    image is read.
    """
    from tqdm import tqdm

    scans = _scans_near(position, size)
    nights = None if scans is None else {scan.night for scan in scans}
    fetched = [cache_folder() / "archive" / name for name in ("atlas", "umass")]
    listed = [
        (path, name)
        for root in (*local_roots(None), *fetched)
        for night in _nights(root)
        if nights is None or not _NIGHT.fullmatch(night.name) or night.name.lower() in nights
        for path, name in _in_night(night)
        if str(name.band) in bands and (scans is None or name.scan_id in scans)
    ]
    bar = tqdm(
        listed, desc="headers of Atlas Images", delay=1, leave=False,
        disable=not sys.stderr.isatty(),
    )  # fmt: skip
    reach = _REACH + size / np.sqrt(2)
    return [path for path, _ in bar if _near(path, position, reach) and verified(path)]


def _scans_near(position: SkyCoord, size: u.Quantity) -> set[ScanId] | None:
    try:
        table = read_scan_table(known_scan_table())
    except NotFoundError:
        return None
    margin = float(size.to_value(u.arcsec)) / np.sqrt(2) + _BEYOND
    point = exact_vector(position.ra.deg, position.dec.deg).astype(float)
    footprints = Footprints.from_table(table)
    rows = table[footprints.holding(np.arange(len(table)), point, margin)]
    return {ScanId(str(row["date"]), str(row["hemis"]), int(row["scan"])) for row in rows}


def _nights(root: Path) -> Iterator[Path]:
    """Yield the folders under a root that may hold images: itself, nights, nights of disks."""
    yield root
    for child in [] if _NIGHT.fullmatch(root.name) else _folders(root):
        if _NIGHT.fullmatch(child.name):
            yield child
        elif not _SCAN.fullmatch(child.name):
            yield from (night for night in _folders(child) if _NIGHT.fullmatch(night.name))


def _in_night(night: Path) -> Iterator[tuple[Path, FileName]]:
    yield from _named(_files(night))
    for scan in _folders(night):
        if _SCAN.fullmatch(scan.name):
            yield from _named(_files(scan))
            yield from _named(_files(scan / "image"))


def _folders(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.is_dir())
    except OSError:
        return []


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.fits*")) if folder.is_dir() else []


def _named(paths: Iterable[Path]) -> Iterator[tuple[Path, FileName]]:
    for path in paths:
        try:
            name = FileName.parse(path)
        except ScanNameError:
            continue
        if name.kind == "atlas":
            yield path, name


def _near(path: Path, position: SkyCoord, reach: u.Quantity) -> bool:
    try:
        header = read_header(path)
        center = SkyCoord(float(header["CRVAL1"]), float(header["CRVAL2"]), unit="deg")
    except (AtlasError, KeyError, TypeError, ValueError) as error:
        text = f"an image that cannot be used was passed over: {error}"
        warnings.warn(text, TwomassWarning, stacklevel=4)
        return False
    return bool(center.separation(position) < reach)


# Images of IRSA -----------------------------------------------------------------------


def _fetched(place: SkyCoord, side: u.Quantity, bands: str, here: list[Path]) -> list[Path]:
    from tqdm import tqdm

    have = set()
    for path in here:
        name = FileName.parse(path)
        have.add((str(name.scan_id), name.band, name.coadd))
    rows = [
        row
        for row in find_atlas(place, side, bands)
        if (row["scan_id"], row["band"], row["coadd"]) not in have
    ]
    bar: Any = tqdm(
        rows, desc="Atlas Images of IRSA", delay=1, leave=False, disable=not sys.stderr.isatty()
    )
    return [fetch_image(row) for row in bar]
