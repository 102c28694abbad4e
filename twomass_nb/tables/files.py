"""What names of files in a list tell about whole columns of them: scan, band, kind, night.

Names are understood by `FileName`; here each form of name is understood once, and the day and the
scan of all raw stems are read at once, since an inventory names 1.2 million.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy.table import MaskedColumn, Table
from numpy.typing import NDArray

from ..errors import ScanNameError
from ..scan import DAY_ONE, FileName
from .cells import lower

__all__ = ["FILE_COLUMNS", "name_columns"]

#: What `name_columns` finds, in this order.
FILE_COLUMNS = ("date", "hemis", "scan", "band", "kind")
# A raw stem, as j1186063: band, day number, scan.
_STEM, _DAY, _SCAN = 8, slice(1, 5), slice(5, 8)


def name_columns(names: NDArray[np.str_]) -> Table:
    """Return what names of files say, one row a name; masked where they do not say it.

    Parameters
    ----------
    names : array of str
        With or without folders; a folder as ``000529s`` tells the hemisphere.

    Returns
    -------
    `~astropy.table.Table`
        date (ISO), hemis, scan, band, kind (as in `FileName`). What is no name of the archive is
        masked in all of them.
    """
    n = len(names)
    found: dict[str, NDArray[Any]] = {
        "date": np.zeros(n, "U10"), "hemis": np.zeros(n, "U1"), "scan": np.zeros(n, np.int64),
        "band": np.zeros(n, "U1"), "kind": np.zeros(n, "U9"),
    }  # fmt: skip
    stem, suffix = _split(names)
    regular = stem != ""
    for one in np.unique(suffix[regular]).tolist():
        try:
            kind = FileName.parse(f"j0001001{one}").kind
        except ScanNameError:
            regular &= suffix != one
            continue
        found["kind"][suffix == one] = kind
    codes = np.ascontiguousarray(stem).view(np.uint32).reshape(n, _STEM)
    days, scans = (_number(codes[:, part]) for part in (_DAY, _SCAN))
    regular &= (days >= 1) & (scans >= 1)
    found["kind"][~regular] = ""
    found["band"][regular] = stem[regular].astype("U1")
    dates = (np.datetime64(DAY_ONE) - 1) + days.astype("timedelta64[D]")
    found["date"][regular] = dates[regular].astype(str)
    found["scan"][regular] = scans[regular]
    # all others, and those whose folder may tell the hemisphere, one folder or name at a time
    folder = np.where(regular, _folders(names), "")
    for one in np.unique(folder[folder != ""]).tolist():
        found["hemis"][folder == one] = _hemisphere(one)
    for i in np.flatnonzero(~regular):
        _fill(found, int(i), str(names[i]))
    return Table(
        [
            MaskedColumn(found[name], name=name, mask=found[name] == found[name].dtype.type())
            for name in FILE_COLUMNS
        ]
    )


def _split(names: NDArray[np.str_]) -> tuple[NDArray[np.str_], NDArray[np.str_]]:
    """Stems of names that begin with one (else empty), and what follows it; lower case."""
    plain = lower(np.char.strip(names))
    if (np.char.find(plain, "/") >= 0).any():
        plain = np.char.rpartition(plain, "/")[:, 2]
    stem = plain.astype(f"U{_STEM}")
    codes = np.ascontiguousarray(stem).view(np.uint32).reshape(len(names), _STEM)
    digits = ((codes[:, 1:] >= ord("0")) & (codes[:, 1:] <= ord("9"))).all(axis=1)
    regular = digits & np.isin(codes[:, 0], [ord(band) for band in "jhk"])
    width = max(plain.dtype.itemsize // 4, _STEM + 1)
    tail = np.ascontiguousarray(plain.astype(f"U{width}")).view("U1").reshape(len(names), width)
    suffix = np.ascontiguousarray(tail[:, _STEM:]).view(f"U{width - _STEM}")[:, 0]
    return np.where(regular, stem, "").astype(f"U{_STEM}"), suffix


def _number(codes: NDArray[np.uint32]) -> NDArray[np.int64]:
    digits = codes.astype(np.int64) - ord("0")
    return np.asarray(digits @ 10 ** np.arange(codes.shape[1])[::-1])


def _folders(names: NDArray[np.str_]) -> NDArray[np.str_]:
    return np.char.rpartition(names, "/")[:, 0] if (np.char.find(names, "/") >= 0).any() else (
        np.zeros(len(names), "U1")
    )  # fmt: skip


def _hemisphere(folder: str) -> str:
    try:
        # any scan's file there would do
        night = FileName.parse(f"{folder}/ji0010001.fits").scan_id
    except ScanNameError:
        return ""
    return night.hemis if night else ""


def _fill(found: dict[str, NDArray[Any]], i: int, name: str) -> None:
    try:
        said = FileName.parse(name)
    except ScanNameError:
        return
    found["kind"][i], found["band"][i] = said.kind, said.band or ""
    if said.scan_id is not None:
        found["date"][i], found["hemis"][i] = said.scan_id.date.isoformat(), said.scan_id.hemis
        found["scan"][i] = said.scan_id.scan
    elif said.kind in ("log", "directory"):
        night = FileName.parse(f"{name.rpartition('/')[2][:7]}/ji0010001.fits").scan_id
        if night is not None:
            found["date"][i], found["hemis"][i] = night.date.isoformat(), night.hemis
