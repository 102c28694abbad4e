"""The lists of sources of a reduction: of an image, of a band, of all bands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from astropy.table import QTable, Table, vstack
from numpy.typing import NDArray

from ..atlas.nominal import MAGZP
from ..coadd import Coadd
from ..coadd.coadder import Coadder
from ..errors import TableError
from ..sources import confirm, detect, find, flag_artifacts, merge
from ..sources.matching import chord, mutual, positions, vectors
from ..tables.formats import read_any

__all__ = ["FrameStars", "band_list", "image_list", "merged_list", "read_catalog", "zero_point_of"]

#: Where no image of the survey says better.
_NOMINAL_FROM = "nominal: MAGZP of images of 2000-10-22 s 62, good to some 0.1 mag"
#: Neighbouring images share 54 rows: a star closer than this to one of the other's is that one.
_SAME = 1.5
#: Width of stars on frames, raw pixels, about which it is measured; and how many frames' stars are
#: kept: as many as one image has, and some.
_FRAME_FWHM, _KEPT = 1.3, 24
#: What the list of a band says of all its images.
_SAID = ("band", "scan_id", "zero_point", "zero_point_from", "kernel")


def read_catalog(path: Path) -> Table:
    """Read a table of stars with positions, as the point source catalogue.

    Raises
    ------
    TableError
        If it cannot be read, or has no positions.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror}"
        raise TableError(msg) from None
    table, _ = read_any(content, str(path))
    names = {name.lower() for name in table.colnames}
    if "ra" not in names or not names & {"dec", "decl"}:
        msg = f"{path} has no positions of stars: it needs columns ra and dec"
        raise TableError(msg)
    return table


@lru_cache(maxsize=8)
def zero_point_of(images: tuple[Path, ...]) -> float | None:
    """Return the median MAGZP of the survey's images of a scan; None if there are none."""
    from astropy.io import fits

    known = [fits.getheader(path).get("MAGZP") for path in images]
    return float(np.median(known)) if known and None not in known else None


class FrameStars:
    """The stars of single frames; those of frames that two images share are found once."""

    def __init__(self, coadder: Coadder) -> None:
        self._coadder = coadder
        self.of = lru_cache(_KEPT)(self._of)

    def _of(self, i: int) -> Table:
        pixels, variance, _, mask = self._coadder.science(i)
        noise = float(np.sqrt(np.nanmedian(variance)))
        return find(pixels, noise=noise, mask=mask, fwhm=_FRAME_FWHM)


def image_list(image: Coadd, coadder: Coadder, stars: FrameStars) -> QTable:
    """Return the stars of a coadd: what bright ones made flagged, each looked for on its frames."""
    known = "MAGZP" in image.header
    header = image.header
    if not known:
        header = header.copy()
        header["MAGZP"] = MAGZP[image.band]
    table = detect(replace(image, header=header))
    if not known:
        table.meta["zero_point_from"] = _NOMINAL_FROM
    table = flag_artifacts(table, step=image.frame_step)
    frames = range(image.header["FRAME1"], image.header["FRAME2"] + 1)
    table = confirm(table, [(stars.of(i), coadder.positions.wcs(i)) for i in frames])
    table.meta["SIMULATE"] = bool(image.simulated)
    table.meta["rows"] = image.data.shape[0]
    table["coadd"] = np.full(len(table), image.coadd)
    table.meta["kernel"] = coadder.kernel
    return table


def _read(path: Path) -> QTable:
    return QTable.read(path, format="ascii.ecsv")


def band_list(paths: Sequence[Path]) -> QTable:
    """Return the stars of a band, those that neighbouring images share once.

    Parameters
    ----------
    paths : sequence of path
        Lists of images along the scan.
    """
    tables = [_read(path) for path in paths]
    kept = [np.ones(len(table), bool) for table in tables]
    for k in range(len(tables) - 1):
        _drop_shared(tables[k : k + 2], kept[k : k + 2])
    metas = [table.meta for table in tables]
    for table in tables:
        table.meta = {}
    found = vstack([table[keep] for table, keep in zip(tables, kept, strict=True)])
    found.sort(["dec", "ra"])
    found.meta.update({name: metas[0][name] for name in _SAID if name in metas[0]})
    found.meta["limit"] = float(np.median([meta["limit"] for meta in metas]))
    found.meta["SIMULATE"] = any(meta["SIMULATE"] for meta in metas)
    return found


def _drop_shared(tables: Sequence[QTable], kept: Sequence[NDArray[np.bool_]]) -> None:
    """Leave out the stars that two lists share, where an image has them nearer to its rim."""
    here, there = (vectors(*positions(table)) for table in tables)
    i, k = mutual(here, there, chord(_SAME))
    nearer = _from_rim(tables[0])[i] < _from_rim(tables[1])[k]
    kept[0][i[nearer]] = False
    kept[1][k[~nearer]] = False


def _from_rim(table: QTable) -> NDArray[np.float64]:
    y, rows = np.asarray(table["y"], float), table.meta["rows"]
    return np.minimum(y, rows - 1 - y)


def merged_list(paths: Mapping[str, Path]) -> QTable:
    """Return the sources of the bands, merged by position."""
    tables = {band: _read(path) for band, path in paths.items()}
    found = merge(tables)
    found.meta["bands"] = "".join(tables)
    found.meta["zero_point_from"] = {
        band: table.meta["zero_point_from"] for band, table in tables.items()
    }
    return found
