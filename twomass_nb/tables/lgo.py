"""What a night's log (.lgo) says of each scan; only the first lines of one are known here.

The known part is an IPAC-like table: lines of CHAR name = value, a header between bars, then
rows whose cells lie under the header's. Rows that do not fit are kept in ``meta["unknown"]``.
"""

from __future__ import annotations

import re
from itertools import pairwise
from os import PathLike

import numpy as np
from astropy.table import Table

from ..errors import ScanNameError, TableError
from ..scan import FileName, ScanId
from .dumps import is_dump
from .lgo_summary import log_column, read_summary
from .opening import read_text

__all__ = ["read_lgo"]

_ENTRY = re.compile(r"\\CHAR\s+(\w+)\s*=\s*(.*?)\s*(?=\\CHAR|$)", re.IGNORECASE)
#: Names of the known header, and what they are called in the archive's other tables.
_NAMES = {
    "scn": "scan", "sr_ut": "ut", "strpid": "tile", "r": "r", "sr_ra_2000": "ra",
    "sr_dec_2000": "dec", "air_m": "airm", "frms": "frames", "d": "sd", "typ": "s_type",
    "comment": "comment",
}  # fmt: skip
_KNOWN_HEADER = (
    "|Scn| sr_UT     |StrpID|R|sr_RA_2000 |sr_Dec_2000| Air_M|Frms|D|Typ| Comment                 |"
)


def read_lgo(path: str | PathLike[str]) -> Table:
    """Read a night's log, or the summary of all nights' logs.

    Parameters
    ----------
    path : path
        As ``000529s.lgo``, or a PostgreSQL dump of the summary table; may be gzipped.

    Returns
    -------
    `~astropy.table.Table`
        One row a scan: date, hemis, scan, ut (h, start), tile, r (a column whose meaning is not
        known), ra and dec of the start (deg, J2000), airm, frames, sd, s_type, comment; of the
        summary also all its other columns. Values that are missing or not understood are masked.
        ``meta`` has ``unknown`` (lines not understood), ``path``, and of a night ``raw`` (the
        text) and ``header`` (its CHAR entries).

    Raises
    ------
    NotFoundError
        If there is no such file.
    TableError
        If it has no rows, or does not say its night.

    Warns
    -----
    TwomassWarning
        If a summary lists a scan more than once (all rows are kept), or breaks off.
    """
    raw = read_text(path)
    if not raw.lstrip().startswith("\\") and is_dump(raw.encode()):
        return read_summary(path)
    header: dict[str, str] = {}
    rows: list[dict[str, str]] = []
    unknown: list[str] = []
    bars = _KNOWN_HEADER
    for line in raw.replace("\xa0", " ").splitlines():
        if line.startswith("\\"):
            header.update({key.lower(): value for key, value in _ENTRY.findall(line)})
        elif line.startswith("|"):
            # The first such line names the columns, the second their types.
            bars = line if "scn" in line.lower() else bars
        elif line.strip():
            row = _row(line, bars)
            if row:
                rows.append(row)
            else:
                unknown.append(line)
    if not rows:
        msg = f"{path} is not a night's log: no line of it reads as a scan"
        raise TableError(msg)
    date, hemis = _night(path, header)
    table = Table()
    table["date"] = np.full(len(rows), date)
    table["hemis"] = np.full(len(rows), hemis)
    for name in rows[0]:
        cells = np.array([row.get(name, "").encode() for row in rows])
        table[name] = log_column(name, cells, np.zeros(len(rows), bool))
    table.meta.update(
        path=str(path), format="lgo", header=header, raw=raw, unknown=unknown,
        **({"SIMULATE": True} if re.search(r"SIMULATE\s*=\s*T\b", raw, re.IGNORECASE) else {}),
    )  # fmt: skip
    return table


def _row(line: str, bars: str) -> dict[str, str] | None:
    """Cells by column name: those under the header, or words where the line is not aligned."""
    edges = [i for i, char in enumerate(bars) if char == "|"]
    names = [bars[a + 1 : b].strip().lower() for a, b in pairwise(edges)]
    names = [_NAMES.get(name, name) for name in names]
    if all(line[i : i + 1] in ("", " ") for i in edges[:-1]):
        cells = [line[a + 1 : b] for a, b in pairwise(edges)]
        if names[-1] == "comment":
            cells[-1] = line[edges[-2] + 1 :]  # comments may run over
    else:
        words = line.split(maxsplit=len(names) - 1)
        if len(words) < names.index("s_type") + 1 if "s_type" in names else len(names):
            return None
        cells = words + [""] * (len(names) - len(words))
    row = dict(zip(names, (cell.strip() for cell in cells), strict=True))
    return row if row.get("scan", "").isdigit() and 1 <= int(row["scan"]) <= 999 else None


def _night(path: str | PathLike[str], header: dict[str, str]) -> tuple[str, str]:
    """Date and hemisphere, from the header or else from the file's name."""
    text = f"{header.get('ordate', '')}{header.get('hemisp', '')}001"
    for say in (lambda: ScanId.parse(text), lambda: _scan_of_log(path)):
        try:
            scan_id = say()
        except ScanNameError:
            continue
        return scan_id.date.isoformat(), scan_id.hemis
    msg = f"{path} does not say its night: name it as 000529s.lgo"
    raise TableError(msg)


def _scan_of_log(path: str | PathLike[str]) -> ScanId:
    """Any scan of the night that the file's name says."""
    name = str(path).replace("\\", "/").rsplit("/", 1)[-1]
    FileName.parse(name)
    return ScanId.parse(name[:7] + "001")
