"""What UMass had on the web, and its names there: the raw sample and repacked Atlas Images.

All other raw files came by request, on tapes and disks. Whether the pages still answer is not
known here; their addresses are settings.
"""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from urllib.parse import unquote

from ..atlas import AtlasImage
from ..cache import cache_folder
from ..errors import FetchError, NotFoundError, ScanNameError, TwomassWarning
from ..scan import BANDS, FileName, ScanId
from .remote_manners import public_url

__all__ = ["SAMPLE", "fetch_images", "image_name", "images_switched_on", "raw_url", "sample_names"]

_RAW = "http://pegasus.phast.umass.edu/data_products/pixel_data_archive/"
_IMAGES = "http://pegasus.phast.umass.edu/data_products/image_archive/"
#: Kinds of image copies, best first: repacked by UMass, IPAC's original, H-compressed (lossy).
_PACKINGS = ("M", "0", "H")
_LINK = re.compile(rb"""href\s*=\s*["']?([^"'\s>]+)""", re.IGNORECASE)

#: The scans of the archive's sample and the kinds of files it has of them (seed 000).
SAMPLE = {
    ScanId("2000-05-29", "s", 63): (".par", ".rds.gz", ".rdo.gz"),
    ScanId("2000-06-02", "s", 90): (".par", ".rds.gz", ".rdo.gz"),
    **{ScanId("2000-05-31", "s", n): (".par", ".rds.gz") for n in range(155, 160)},
}


def sample_names() -> Iterator[tuple[ScanId, str]]:
    """Yield scan and name of the sample's files; a .par comes before its raw files."""
    for scan_id, suffixes in SAMPLE.items():
        for band in BANDS:
            for suffix in suffixes:
                yield scan_id, scan_id.stem(band) + suffix


def _base(setting: str, default: str) -> str:
    return (os.environ.get(setting) or default).rstrip("/")


def raw_url(name: str) -> str:
    """Return the address of a raw sample file, below ``TWOMASS_NB_UMASS_RAW``.

    The page links the files by name; that they lie beside it is our guess.
    """
    return f"{_base('TWOMASS_NB_UMASS_RAW', _RAW)}/{name}"


def images_switched_on() -> bool:
    """Whether a person has set the address of the image archive, ``TWOMASS_NB_UMASS_IMAGES``."""
    return bool(os.environ.get("TWOMASS_NB_UMASS_IMAGES"))


def image_name(
    scan_id: ScanId, band: str, coadd: int, packing: str = "M", suffix: str = "bz2"
) -> str:
    """Return the name of an Atlas Image in the image archive, with its folders.

    As ``970607n/s003/h970607n003M009.fits.bz2``.
    """
    name = f"{band}{scan_id.night}{scan_id.scan:03d}{packing}{coadd:03d}.fits.{suffix}"
    return f"{_folder(scan_id)}/{name}"


def _folder(scan_id: ScanId) -> str:
    return f"{scan_id.night}/s{scan_id.scan:03d}"


def fetch_images(
    scan_id: ScanId, bands: Iterable[str], coadds: Iterable[int] | None = None
) -> list[Path]:
    """Fetch Atlas Images of a scan from the image archive, the best copy of each.

    Parameters
    ----------
    scan_id : ScanId
    bands : iterable of {"j", "h", "k"}
    coadds : iterable of int, optional
        All that the scan's page there links to, if not given.

    Raises
    ------
    FetchError
        If the archive does not answer, or answers with something else.
    NotFoundError
        If it has none of them.

    Warns
    -----
    TwomassWarning
        If only the lossy H-compressed copy is there.
    """
    base = _base("TWOMASS_NB_UMASS_IMAGES", _IMAGES)
    bands = tuple(bands)
    if coadds is None:
        copies = _linked(base, scan_id, bands)
    else:
        copies = {(band, coadd): _every_copy(band, coadd, scan_id)
                  for band in bands for coadd in coadds}  # fmt: skip
    paths = [_first_there(base, names) for names in copies.values()]
    found = [path for path in paths if path is not None]
    if not found:
        msg = f"{public_url(base)} has no Atlas Images of {scan_id} in {', '.join(bands)}"
        raise NotFoundError(msg)
    return found


def _every_copy(band: str, coadd: int, scan_id: ScanId) -> list[str]:
    return [
        image_name(scan_id, band, coadd, packing, suffix)
        for packing in _PACKINGS
        for suffix in ("bz2", "gz")
    ]


def _linked(base: str, scan_id: ScanId, bands: tuple[str, ...]) -> dict[tuple[str, int], list[str]]:
    """Return what a scan's page links to, by band and coadd, best copy first.

    Of a link only the file's name is used: the address is ours.
    """
    from .remote import fetch_bytes

    copies: dict[tuple[str, int], list[str]] = {}
    page = f"{base}/{_folder(scan_id)}/"
    for link in _LINK.findall(fetch_bytes(page, what=f"the list of images of {scan_id}")):
        name = unquote(link.decode(errors="replace")).rsplit("/", 1)[-1]
        try:
            said = FileName.parse(name)
        except ScanNameError:
            continue
        if said.packing and said.scan_id == scan_id and said.band in bands and said.coadd:
            names = copies.setdefault((said.band, said.coadd), [])
            names.append(f"{_folder(scan_id)}/{name}")
    rank = [packing.lower() for packing in _PACKINGS]
    for names in copies.values():
        names.sort(key=lambda name: rank.index(str(FileName.parse(name).packing)))
    return copies


def _first_there(base: str, names: list[str]) -> Path | None:
    from .remote import fetch_file

    for name in names:
        target = cache_folder() / "archive" / "umass" / name
        try:
            path = fetch_file(
                f"{base}/{name}", target, check=partial(_check_image, name=name), what=name
            )
        except FetchError as error:
            if error.status != 404:
                raise
            continue
        if FileName.parse(name).packing == "h":
            text = f"{name} is H-compressed, which is lossy: UMass has no other copy of it"
            warnings.warn(text, TwomassWarning, stacklevel=4)
        return path
    return None


def _check_image(path: Path, name: str) -> None:
    """Refuse what is not the image that its name says; of a lossy copy, what is not packed."""
    with path.open("rb") as file:
        start = file.read(3)
    if start != b"BZh" and start[:2] != b"\x1f\x8b":
        msg = "it is no packed FITS file: the server answered with something else"
        raise FetchError(msg)
    said = FileName.parse(name)
    if said.packing == "h":
        return  # what is in these is not known here
    image = AtlasImage.open(path)
    named = (said.scan_id, said.band, said.coadd)
    if (image.scan_id, image.band, image.coadd) != named or image.simulated:
        msg = f"it is {image!r}"
        raise FetchError(msg)
