"""Which Atlas Images IRSA has of a place or a scan (SIA), and how each is known to be the one."""

from __future__ import annotations

import operator
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.table import Table

from ..array.track import lonlat, unit_vector
from ..atlas import AtlasImage
from ..cache import cache_folder, verified
from ..errors import AtlasError, FetchError, NotFoundError, PositionError, ScanNameError
from ..scan import BANDS, FileName, ScanId, parse_band
from .irsa_scans import corners_of
from .irsa_service import ask, base, needs, on_service

__all__ = ["atlas_folder", "atlas_table", "fetch_atlas", "fetch_image", "find_atlas"]

_SIA = "/cgi-bin/2MASS/IM/nph-im_sia?ds=asky"
_NEEDED = ("name", "download", "format", "center_ra", "center_dec", "band", "date", "hem", "scan",
           "image")  # fmt: skip
_TITLE = re.compile(r"\b([JHK])-Band Atlas Image: (\d{6}) ([ns]) (\d{3}) (\d{4})\s*$")
#: A scan is asked for at places so far apart along it, in squares so large; degrees.
_EVERY, _SQUARE = 0.25, 0.3


def find_atlas(position: SkyCoord, size: u.Quantity = 0 * u.deg, bands: str = "jhk") -> Table:
    """Ask IRSA which Atlas Images of the All-Sky survey show a place.

    Parameters
    ----------
    position : `~astropy.coordinates.SkyCoord`
    size : `~astropy.units.Quantity`, optional
        Side of the square around it.
    bands : str, optional

    Returns
    -------
    `~astropy.table.Table`
        One row an image: scan_id, band, coadd, ra and dec of its centre, url, and IRSA's other
        columns with their units.

    Raises
    ------
    FetchError
        If IRSA cannot be reached, or its answer contradicts itself.
    OfflineError
        If the network is forbidden.
    """
    needs("pyvo")
    from pyvo.dal.sia import SIAQuery

    if not isinstance(position, SkyCoord) or not position.isscalar:
        msg = f"{position!r} is not one position: give a SkyCoord"
        raise PositionError(" ".join(msg.split()))
    try:
        side = u.Quantity(size).to(u.deg)
    except (TypeError, ValueError):  # an error of units is one, too
        msg = f"{size!r} is no size: give an angle, as 0.1 * u.deg"
        raise AtlasError(msg) from None
    wanted = {parse_band(band) for band in (bands if isinstance(bands, Iterable) else [bands])}
    query = SIAQuery(base() + _SIA, pos=position.icrs, size=side, format="image/fits")
    what = f"the list of Atlas Images at {position.icrs.to_string('decimal', precision=4)}"
    found = atlas_table(ask(query, what=what, needed=_NEEDED))
    return found[[band in wanted for band in found["band"]]]


def atlas_table(answer: Table) -> Table:
    """Return an answer of the image service, one row an image, identities checked.

    Each identity is said three times, by the columns, the title and the address; they must agree.

    Raises
    ------
    FetchError
        If they do not.
    """
    table = answer[[kind == "image/fits" for kind in answer["format"]]]
    identities = [_identity(row) for row in table]
    table["scan_id"] = [str(scan_id) for scan_id, _, _ in identities]
    table["band"] = [band for _, band, _ in identities]
    for old, new in (("image", "coadd"), ("download", "url"), ("center_ra", "ra"),
                     ("center_dec", "dec")):  # fmt: skip
        table.rename_column(old, new)
    for name in ("magzp", "msnr10"):
        if name in table.colnames:
            table[name].unit = u.mag
    first = ["scan_id", "band", "coadd", "ra", "dec", "url"]
    table = table[[*first, *(name for name in table.colnames if name not in first)]]
    keys = list(zip(table["scan_id"], table["band"], table["coadd"], strict=True))
    return table[[keys.index(key) == i for i, key in enumerate(keys)]]


def _identity(row: Any) -> tuple[ScanId, str, int]:
    try:
        said = {
            "columns": (
                ScanId.parse(f"{row['date']}{row['hem']}{int(row['scan']):03d}"),
                parse_band(row["band"]), int(row["image"]),
            ),
            "title": _of_title(str(row["name"])),
            "address": _of_address(str(row["download"])),
        }  # fmt: skip
    except (ScanNameError, ValueError, KeyError, IndexError) as error:
        msg = f"IRSA lists an Atlas Image that names no scan ({error}): report it to IRSA"
        raise FetchError(msg) from None
    if len(set(said.values())) > 1:
        words = ", ".join(f"{by} {s} {b} {c}" for by, (s, b, c) in said.items())
        msg = f"IRSA lists an Atlas Image by names that disagree ({words}): report it to IRSA"
        raise FetchError(msg)
    return said["columns"]


def _of_title(title: str) -> tuple[ScanId, str, int]:
    match = _TITLE.search(title)
    if match is None:
        msg = f"title {title!r}"
        raise ValueError(msg)
    band, date, hemis, scan, coadd = match.groups()
    return ScanId.parse(f"{date}{hemis}{scan}"), parse_band(band), int(coadd)


def _of_address(url: str) -> tuple[ScanId, str, int]:
    said = parse_qs(urlsplit(url).query)
    name = FileName.parse(f"{said['dh'][0]}/s{said['scan'][0]}/image/{said['name'][0]}")
    if name.kind != "atlas" or not (name.scan_id and name.band and name.coadd):
        msg = f"address {url!r}"
        raise ValueError(msg)
    return name.scan_id, name.band, name.coadd


def atlas_folder() -> Path:
    """Return where fetched Atlas Images go; IPAC's layout, may be dropped at any time."""
    return cache_folder() / "archive" / "atlas"


def fetch_image(row: Any) -> Path:
    """Return an image of a table that `find_atlas` made, fetched if it is not here yet."""
    from .remote import fetch_file

    scan_id, band, coadd = ScanId.parse(row["scan_id"]), str(row["band"]), int(row["coadd"])
    target = _target(scan_id, band, coadd)

    def check(path: Path) -> None:
        image = AtlasImage.open(path)
        if (image.scan_id, image.band, image.coadd) != (scan_id, band, coadd) or image.simulated:
            msg = f"it is {image!r}"
            raise AtlasError(msg)

    what = f"Atlas Image {scan_id} {band} coadd {coadd}"
    return fetch_file(on_service(str(row["url"])), target, check=check, what=what)


def _target(scan_id: ScanId, band: str, coadd: int) -> Path:
    place = atlas_folder() / scan_id.night / scan_id.coadd_folder
    return place / scan_id.coadd_name(band, coadd)


def fetch_atlas(
    scan_id: ScanId | str, bands: Iterable[str] = BANDS, coadds: Iterable[int] | None = None
) -> list[Path]:
    """Return Atlas Images of a scan, fetched from IRSA if they are not here yet.

    Where the scan lies is looked up in the scan table; IRSA is asked what it has along it.

    Parameters
    ----------
    scan_id : ScanId or str
    bands : iterable of {"j", "h", "k"}, optional
    coadds : iterable of int, optional
        All of the scan if not given.

    Returns
    -------
    list of path
        By band and coadd.

    Raises
    ------
    NotFoundError
        If no scan table is known, the scan is not in it, or IRSA has no such images.
    FetchError
        If IRSA cannot be reached, or sends something else.
    """
    scan_id = ScanId.parse(scan_id)  # type: ignore[arg-type]
    bands = [parse_band(band) for band in bands]
    wanted = None
    if coadds is not None:
        wanted = {(band, coadd) for band in bands for coadd in _numbers(coadds)}
        here = [_target(scan_id, *key) for key in sorted(wanted)]
        if all(verified(path) for path in here):
            return here
    listed: dict[tuple[str, int], Any] = {}
    for place in _places(scan_id):
        for row in find_atlas(place, _SQUARE * u.deg, "".join(bands)):
            if row["scan_id"] == str(scan_id):
                listed[str(row["band"]), int(row["coadd"])] = row
        if wanted is not None and wanted <= listed.keys():
            break
    missing = (wanted or set()) - listed.keys()
    if missing or not listed:
        named = ", ".join(f"{band} {coadd}" for band, coadd in sorted(missing)[:6])
        msg = f"IRSA has no Atlas Images of {scan_id} {named or ''.join(bands)}: check the numbers"
        raise NotFoundError(msg)
    return [fetch_image(listed[key]) for key in sorted(wanted or listed)]


def _numbers(coadds: Iterable[int]) -> list[int]:
    try:
        return [operator.index(coadd) for coadd in coadds]
    except TypeError:
        msg = f"{coadds!r} are no numbers of Atlas Images: give whole ones, as [186, 198]"
        raise NotFoundError(msg) from None


def _places(scan_id: ScanId) -> Iterator[SkyCoord]:
    """Yield places along a scan, from its start to its end, as its row in the scan table says."""
    corners = corners_of(scan_id)
    corner = unit_vector(corners.ra.deg, corners.dec.deg)
    start, end = corner[0] + corner[1], corner[2] + corner[3]
    start, end = start / np.linalg.norm(start), end / np.linalg.norm(end)
    length = np.rad2deg(np.arccos(np.clip(start @ end, -1, 1)))
    for part in np.linspace(0, 1, 1 + int(np.ceil(length / _EVERY))):
        ra, dec = lonlat((1 - part) * start + part * end)
        yield SkyCoord(float(ra), float(dec), unit="deg")
