"""Which of the archive's table formats some bytes are, and how each becomes an astropy table."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable

import numpy as np
from astropy.table import MaskedColumn, Table

from ..errors import TableError, TwomassWarning
from .cells import guessed
from .columns import ALIASES, CORNERS, DVD_COLUMNS
from .dumps import is_dump, tables_in

__all__ = ["read_any"]

_SIMULATED = re.compile(rb"SIMULATE\s*=\s*T", re.IGNORECASE)
#: Corners of a survey scan are 3.1 degrees from its centre.
_CORNER_FROM_CENTER = 10.0


def read_any(data: bytes, name: str) -> tuple[Table, str]:
    """Return the table in `data`, and its format.

    Parameters
    ----------
    data : bytes
        A whole file, unpacked.
    name : str
        What errors call it.

    Returns
    -------
    table : `~astropy.table.Table`
    format : {"dvd", "dump", "ipac", "votable", "fits", "csv", "ecsv", "parquet"}

    Raises
    ------
    TableError
        If it is of no known format, or broken.
    """
    form = _format(data, name)
    try:
        with warnings.catch_warnings():
            # Mirrors write tables that break their own standard in harmless ways.
            warnings.simplefilter("ignore")
            warnings.simplefilter("always", TwomassWarning)
            table = _READERS[form](data)
    except TableError as err:
        msg = f"{name}: {err}"
        raise TableError(msg) from None
    except ImportError:
        msg = (
            f"{name} is a Parquet file: reading it needs pyarrow (pip install 'twomass_nb[scale]')"
        )
        raise TableError(msg) from None
    except Exception as err:  # parsers raise whatever they like; the person gets one line
        why = " ".join(str(err).split())[:150]
        msg = f"{name} cannot be read as a {form} table: {why or type(err).__name__}"
        raise TableError(msg) from None
    comments = b"\n".join(re.findall(rb"^(?:[#\\]|--).*", data[:100_000], re.MULTILINE))
    if form in ("dvd", "dump", "csv", "ipac") and _SIMULATED.search(comments):
        table.meta["SIMULATE"] = True
    return table, form


def _format(data: bytes, name: str) -> str:
    if data.startswith(b"SIMPLE  ="):
        return "fits"
    if data.startswith(b"PAR1"):
        return "parquet"
    start = data[:4096].removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(b"<"):
        return "votable"
    if start.startswith(b"# %ECSV"):
        return "ecsv"
    if b"\0" not in data[:4096]:
        if is_dump(data[:65_536], copied=True):
            return "dump"
        if start.startswith((b"\\", b"|")) and b"|" in start:
            return "ipac"
        lines = [line for line in start.splitlines() if line.strip() and not line.startswith(b"#")]
        if lines:
            return "dvd" if lines[0].count(b"|") > lines[0].count(b",") else "csv"
    msg = (
        f"{name} is not a table of a known format: bar-delimited ASCII, IPAC, VOTable, FITS, CSV "
        "or Parquet"
    )
    raise TableError(msg)


def _read_dump(data: bytes) -> Table:
    """Return the widest table of a PostgreSQL dump: no other of the archive has so many columns."""
    found = [table for table in tables_in(data, "the dump") if len(table)]
    if not found:
        msg = "there are no rows"
        raise TableError(msg)
    dump = max(found, key=lambda table: table.width)
    first = [dump.cells(i, len(dump))[0][0].decode() for i in range(dump.width)]
    names = dump.columns or _names_by_content(first)
    return Table([guessed(*dump.cells(i)) for i in range(dump.width)], names=names)


def _read_dvd(data: bytes) -> Table:
    """Bar-delimited ASCII made for COPY into PostgreSQL: no header, backslash N for null."""
    lines = [line for line in data.decode("utf-8", "replace").splitlines() if line.strip()]
    lines = [line for line in lines if not line.startswith("#")]
    # psql draws a rule below its header and counts the rows at the end
    lines = [line for line in lines if not re.fullmatch(r"[-+]+|\(\d+ rows?\)", line.strip())]
    if not lines:
        msg = "there are no rows"
        raise TableError(msg)
    fields = [field.strip().lower() for field in lines[0].split("|")]
    if all(name in {ALIASES.get(field, field) for field in fields} for name in CORNERS):
        names, lines = fields, lines[1:]
    else:
        if fields[-1] == "":  # a bar at the end of every line
            fields.pop()
            lines = [line.rstrip().removesuffix("|") for line in lines]
        names = _names_by_content(fields)
    return Table.read(
        io.BytesIO("\n".join(lines).encode()),
        format="ascii.fast_no_header",
        delimiter="|",
        names=names,
        fill_values=[("\\N", "0"), ("", "0")],
        guess=False,
    )


def _names_by_content(fields: list[str]) -> list[str]:
    """Name the columns of a file without header, having looked whether its first row fits."""
    orders = {
        len(DVD_COLUMNS): list(DVD_COLUMNS),
        len(DVD_COLUMNS) - 1: [name for name in DVD_COLUMNS if name != "j_zperr_ap"],
    }
    known = DVD_COLUMNS.index("sd") + 1
    names = orders.get(len(fields)) or [
        *DVD_COLUMNS[:known],
        *(f"column_{i + 1}" for i in range(known, len(fields))),
    ]
    wrong = (
        "too few columns" if len(fields) < known else _misfit(dict(zip(names, fields, strict=True)))
    )
    if wrong:
        msg = (
            f"{len(fields)} columns without names do not fit the order of twomass_scn ({wrong}): "
            "give the file a first line with the names"
        )
        raise TableError(msg)
    if len(fields) not in orders:
        warnings.warn(
            f"{len(fields)} columns where twomass_scn has {len(DVD_COLUMNS)}: those after 'sd' "
            "are not named",
            TwomassWarning,
            stacklevel=2,
        )
    return names


def _misfit(row: dict[str, str]) -> str:
    """Say what in a row contradicts the names of its columns, if anything does."""
    for name in ("hemis", "sd"):
        if row[name].lower() not in ("n", "s"):
            return f"{name} would be {row[name]!r}"
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}.*", row["date"]):
        return f"date would be {row['date']!r}"
    try:
        center = float(row["ra"]), float(row["dec"])
        corners = [(float(row[f"ra_{k}"]), float(row[f"dec_{k}"])) for k in "1234"]
    except ValueError:
        return "the positions would not be numbers"
    for corner in corners:
        if not _separation(center, corner) < _CORNER_FROM_CENTER:
            return "the corners would be far from the centre"
    return ""


def _separation(a: tuple[float, float], b: tuple[float, float]) -> float:
    (ra1, dec1), (ra2, dec2) = np.deg2rad(a), np.deg2rad(b)
    cos = np.sin(dec1) * np.sin(dec2) + np.cos(dec1) * np.cos(dec2) * np.cos(ra1 - ra2)
    return float(np.rad2deg(np.arccos(np.clip(cos, -1, 1))))


def _read_votable(data: bytes) -> Table:
    if b"<TABLEDATA" in data:
        # Gator declares positions as float although it writes six decimals: 0.05 arcsec lost.
        data = data.replace(b'datatype="float"', b'datatype="double"')
    return Table.read(io.BytesIO(data), format="votable")


def _read_fits(data: bytes) -> Table:
    return Table.read(io.BytesIO(data), format="fits")


def _read_ascii(form: str) -> Callable[[bytes], Table]:
    def read(data: bytes) -> Table:
        text = io.BytesIO(data.decode("utf-8-sig", "replace").encode())
        return Table.read(text, format=f"ascii.{form}", guess=False, **_ASCII.get(form, {}))

    return read


_ASCII: dict[str, dict[str, str]] = {"csv": {"comment": "#"}}


def _read_parquet(data: bytes) -> Table:
    # Not through astropy, which would need pandas as well.
    from pyarrow import parquet

    arrow = parquet.read_table(io.BytesIO(data))
    table = Table()
    for name, column in zip(arrow.column_names, arrow.columns, strict=True):
        null = column.is_null().to_numpy()
        if null.any():
            filled = [0 if value is None else value for value in column.to_pylist()]
            table[name] = MaskedColumn(filled, mask=null)
        else:
            table[name] = column.to_numpy()
    meta = b"\n".join((arrow.schema.metadata or {}).values())
    if re.search(rb"SIMULATE\W+T(rue)?\b", meta, re.IGNORECASE):
        table.meta["SIMULATE"] = True
    return table


_READERS: dict[str, Callable[[bytes], Table]] = {
    "dvd": _read_dvd,
    "dump": _read_dump,
    "ipac": _read_ascii("ipac"),
    "votable": _read_votable,
    "fits": _read_fits,
    "csv": _read_ascii("csv"),
    "ecsv": _read_ascii("ecsv"),
    "parquet": _read_parquet,
}
