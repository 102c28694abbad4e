"""How catalogues of positions are read in pieces: CSV, VOTable, Parquet."""

from __future__ import annotations

import csv
import gzip
import io
import warnings
import zlib
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from ..errors import NotFoundError, TableError

__all__ = ["PIECE", "Chunk", "chunks_of"]

#: Rows of a piece.
PIECE = 20_000
#: The wanted columns of some rows.
Chunk = list[Any]
_Places = Callable[[Sequence[str]], list[int]]


def chunks_of(path: Path, places: _Places, bar: Any) -> Iterator[Chunk]:
    """Give the wanted columns of a catalogue, `PIECE` rows at a time.

    Parameters
    ----------
    path : path
    places : callable
        Told the names of all columns, returns the places of those wanted.
    bar : tqdm
        Told the file's size, and moved as it is read.

    Raises
    ------
    NotFoundError
        If there is no such file.
    TableError
        If it is of no known format, or broken.
    """
    try:
        bar.total = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(4096)
            file.seek(0)
            if start.startswith(b"PAR1"):
                yield from _parquet(path, places, bar)
                return
            moved = 0
            packed = start.startswith(b"\x1f\x8b")
            stream: Any = gzip.GzipFile(fileobj=file) if packed else file
            if packed:
                start = stream.read(4096)
                stream.seek(0)
            read = _votable if start.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<") else _csv
            if b"\0" in start or not start.strip():
                msg = f"{path} is not a catalogue: give CSV, VOTable or Parquet"
                raise TableError(msg)
            for chunk in read(path, stream, places):
                yield chunk
                bar.update(file.tell() - moved)
                moved = file.tell()
    except FileNotFoundError:
        msg = f"{path}: no such file"
        raise NotFoundError(msg) from None
    except (OSError, EOFError, zlib.error, csv.Error, UnicodeDecodeError) as err:
        msg = f"{path} cannot be read: {' '.join(str(err).split()) or type(err).__name__}"
        raise TableError(msg) from None
    except ET.ParseError as err:
        msg = f"{path} is a broken VOTable: {err}"
        raise TableError(msg) from None


def _csv(path: Path, stream: Any, places: _Places) -> Iterator[Chunk]:
    with io.TextIOWrapper(stream, encoding="utf-8-sig", newline="") as text:
        rows = csv.reader(line for line in text if not line.startswith("#") and line.strip())
        names = next(rows, None)
        if names is None:
            msg = f"{path} is empty"
            raise TableError(msg)
        wanted = places(names)
        done = 0
        while piece := list(islice(rows, PIECE)):
            short = next((i for i, row in enumerate(piece) if len(row) != len(names)), None)
            if short is not None:
                msg = f"{path}: row {done + short} has {len(piece[short])} values, not {len(names)}"
                raise TableError(msg)
            yield [[row[k] for row in piece] for k in wanted]
            done += len(piece)


def _votable(path: Path, stream: Any, places: _Places) -> Iterator[Chunk]:
    """Rows of TABLEDATA as they come; of other serializations, all at once."""
    names: list[str] = []
    rows: list[list[str]] = []
    wanted: list[int] | None = None
    root = None
    for event, element in ET.iterparse(stream, ("start", "end")):
        root = element if root is None else root
        tag = element.tag.rsplit("}", 1)[-1]
        if event == "start":
            if tag in ("BINARY", "BINARY2", "FITS"):
                yield from _whole_votable(path, places)
                return
        elif tag == "FIELD":
            names.append(element.get("name", ""))
        elif tag == "TR":
            wanted = places(names) if wanted is None else wanted
            cells = [cell.text or "" for cell in element]
            if len(cells) != len(names):
                msg = f"{path}: a row has {len(cells)} values, not {len(names)}"
                raise TableError(msg)
            rows.append([cells[k] for k in wanted])
            element.clear()
            if len(rows) == PIECE:
                yield [list(column) for column in zip(*rows, strict=True)]
                rows = []
                root.clear()  # else the empty rows would pile up
        elif tag == "TABLE" and names:
            break  # the first table only
    if not names:
        msg = f"{path} is XML without a table"
        raise TableError(msg)
    if rows:
        yield [list(column) for column in zip(*rows, strict=True)]


def _whole_votable(path: Path, places: _Places) -> Iterator[Chunk]:
    from astropy.table import Table

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # mirrors break their own standard in harmless ways
        try:
            table = Table.read(path, format="votable")
        except Exception as err:
            msg = f"{path} is a broken VOTable: {' '.join(str(err).split())[:150]}"
            raise TableError(msg) from None
    names = table.colnames
    wanted = places(names)
    for first in range(0, len(table), PIECE):
        yield [table[names[k]][first : first + PIECE].tolist() for k in wanted]


def _parquet(path: Path, places: _Places, bar: Any) -> Iterator[Chunk]:
    try:
        from pyarrow import ArrowException, parquet
    except ImportError:
        msg = (
            f"{path} is a Parquet file: reading it needs pyarrow (pip install 'twomass_nb[scale]')"
        )
        raise TableError(msg) from None
    try:
        with parquet.ParquetFile(path) as file:
            names = file.schema_arrow.names
            wanted = [names[k] for k in places(names)]
            rows = max(1, file.metadata.num_rows)
            for batch in file.iter_batches(PIECE, columns=list(dict.fromkeys(wanted))):
                yield [batch.column(name).to_pylist() for name in wanted]
                bar.update(bar.total * batch.num_rows / rows)
    except ArrowException as err:
        msg = f"{path} is a broken Parquet file: {' '.join(str(err).split())[:150]}"
        raise TableError(msg) from None
