"""How answers are written in pieces: CSV, VOTable, Parquet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any, Protocol
from xml.sax.saxutils import escape, quoteattr

import numpy as np
from astropy.table import Table

from ..errors import TableError

__all__ = ["WRITERS", "Writer"]

_DIGITS = {"ra": 9, "dec": 9}


class Writer(Protocol):
    """Takes pieces of one table."""

    def write(self, table: Table) -> None:
        """Write some rows."""

    def close(self) -> None:
        """Write what comes after the last row."""


def _texts(table: Table) -> list[list[str]]:
    """Columns as text: what is masked or not a number is empty."""
    columns = []
    for name in table.colnames:
        data = table[name]
        plain = np.ma.getdata(data)
        if plain.dtype.kind == "f":
            form = f"%.{_DIGITS.get(name, 3)}f"
            texts = ["" if value != value else form % value for value in plain.tolist()]
        else:
            texts = [str(value) for value in plain.tolist()]
        masked = np.ma.getmaskarray(np.ma.asarray(data))
        if masked.any():
            texts = [
                "" if hidden else text for text, hidden in zip(texts, masked.tolist(), strict=True)
            ]
        columns.append(texts)
    return columns


class _Csv:
    def __init__(self, file: Any, source: str, simulated: bool) -> None:
        self._text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        self._rows = csv.writer(self._text, lineterminator="\n")
        self._started = False
        if simulated:
            self._text.write(f"# SIMULATE = T: {source}\n")

    def write(self, table: Table) -> None:
        if not self._started:
            self._rows.writerow(table.colnames)
            self._started = True
        self._rows.writerows(zip(*_texts(table), strict=True))

    def close(self) -> None:
        self._text.detach()


_TYPES = {"i": "long", "f": "double", "b": "boolean"}


class _Votable:
    def __init__(self, file: Any, source: str, simulated: bool) -> None:
        self._text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        self._started = False
        note = f"SIMULATE = T: {source}" if simulated else source
        self._text.write(
            '<?xml version="1.0" encoding="utf-8"?>\n<VOTABLE version="1.4" '
            'xmlns="http://www.ivoa.net/xml/VOTable/v1.3">\n<RESOURCE type="results">\n<TABLE>\n'
            f"<DESCRIPTION>{escape(note)}</DESCRIPTION>\n"
        )

    def _fields(self, table: Table) -> Iterator[str]:
        for name in table.colnames:
            column = table[name]
            kind = _TYPES.get(column.dtype.kind)
            what = f'datatype="{kind}"' if kind else 'datatype="char" arraysize="*"'
            unit = {"ra": "deg", "dec": "deg"}.get(name) or (column.unit and str(column.unit))
            unit = "pixel" if unit == "pix" else unit
            said = f" unit={quoteattr(unit)}" if unit else ""
            yield f"<FIELD name={quoteattr(name)} {what}{said}/>\n"

    def write(self, table: Table) -> None:
        if not self._started:
            self._text.writelines(self._fields(table))
            self._text.write("<DATA><TABLEDATA>\n")
            self._started = True
        for row in zip(*_texts(table), strict=True):
            cells = "".join(f"<TD>{escape(cell)}</TD>" for cell in row)
            self._text.write(f"<TR>{cells}</TR>\n")

    def close(self) -> None:
        if self._started:
            self._text.write("</TABLEDATA></DATA>\n")
        self._text.write("</TABLE>\n</RESOURCE>\n</VOTABLE>\n")
        self._text.detach()


class _Parquet:
    def __init__(self, file: Any, source: str, simulated: bool) -> None:
        try:
            import pyarrow as pa
            from pyarrow import parquet
        except ImportError:
            msg = "writing Parquet needs pyarrow (pip install 'twomass_nb[scale]'): or name a .csv"
            raise TableError(msg) from None
        self._arrow, self._parquet, self._file = pa, parquet, file
        self._meta = {"source": source, **({"SIMULATE": "T"} if simulated else {})}
        self._writer: Any = None

    def write(self, table: Table) -> None:
        columns = {}
        for name in table.colnames:
            column = np.ma.asarray(table[name])
            data, mask = np.ma.getdata(column), np.ma.getmaskarray(column)
            if data.dtype.kind == "f":
                mask = mask | np.isnan(data)
            columns[name] = self._arrow.array(data.tolist() if data.dtype.kind == "U" else data,
                                              mask=mask if mask.any() else None)  # fmt: skip
        piece = self._arrow.table(columns)
        if self._writer is None:
            schema = piece.schema.with_metadata(self._meta)
            self._writer = self._parquet.ParquetWriter(self._file, schema)
        self._writer.write_table(piece.cast(self._writer.schema))

    def close(self) -> None:
        if self._writer is None:  # no catalogue row was read
            self._writer = self._parquet.ParquetWriter(
                self._file, self._arrow.schema([], metadata=self._meta)
            )
        self._writer.close()


#: Writers by the suffix of the file's name.
WRITERS: dict[str, Any] = {
    ".csv": _Csv,
    ".parquet": _Parquet,
    ".vot": _Votable,
    ".votable": _Votable,
    ".xml": _Votable,
}
