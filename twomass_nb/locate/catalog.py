"""A whole catalogue through the locator, a piece at a time: file in, file out, memory bounded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from astropy.table import Table
from numpy.typing import NDArray
from tqdm import tqdm

from ..errors import ExistsError, PositionError, TableError
from ..files import refuse_existing, whole_file
from .answer import answer
from .core import Core
from .reading import Chunk, chunks_of
from .writing import WRITERS

__all__ = ["locate_catalog"]

# Positions asked for, and rows made, at once: a calibration field has been seen 3,700 times.
_POSITIONS = 5_000
_ROWS = 100_000
# Names of columns that hold a position, in the order of preference.
_RA = ("ra", "ra_j2000", "raj2000", "_raj2000", "ra_deg", "ra_icrs")
_DEC = ("dec", "decl", "dec_j2000", "dej2000", "decj2000", "_dej2000", "dec_deg", "de_icrs")


def locate_catalog(
    loc: Core,
    source: str | PathLike[str],
    target: str | PathLike[str],
    margin: float = 0.0,
    columns: tuple[str, str] | None = None,
    keep: Sequence[str] = (),
    overwrite: bool = False,
    progress: bool = True,
) -> tuple[int, int]:
    """Find the scans that cover every position of a catalogue, and write them to a file.

    The catalogue is read and the answer written in pieces, so that neither need fit
    into memory. The answer appears under its name only when it is whole; where the work is
    interrupted, nothing stays behind.

    Parameters
    ----------
    loc : ScanLocator
    source : path
        CSV, VOTable (either also gzipped) or Parquet, known by content. Positions in degrees, ICRS.
        A VOTable in a binary serialization is read whole.
    target : path
        What is written is said by its suffix: .csv, .parquet, or .vot, .votable or .xml. One row a
        position and scan: ``row`` (in the catalogue, from 0), its position, what is kept of it, and
        the columns of `ScanLocator.covering`. Positions that no scan covers have no row.
    margin : float, optional
        Arcsec, see `ScanLocator.query`.
    columns : (str, str), optional
        Names of the columns with RA and Dec, where they are not called as usual.
    keep : sequence of str, optional
        Columns of the catalogue to copy, as text.
    overwrite : bool, optional
        Replace a target that exists.
    progress : bool, optional
        Show a bar on a terminal, if it takes more than a second.

    Returns
    -------
    positions, rows : int
        How many positions were read, and rows written.

    Raises
    ------
    TableError
        If the catalogue cannot be read, or a column is missing or holds no numbers.
    PositionError
        If a position is not on the sky; the row is named.
    ExistsError
        If the target exists, or, even with `overwrite`, is the catalogue itself.
    NotFoundError
        If there is no such catalogue.
    """
    target = Path(target)
    make = WRITERS.get(target.suffix.lower())
    if make is None:
        msg = f"{target} does not say its format: name it .csv, .parquet, .vot or .xml"
        raise TableError(msg)
    source = Path(source)
    if target.exists() and source.exists() and target.samefile(source):
        msg = f"{target} is the catalogue itself, which is not written over: name another file"
        raise ExistsError(msg)
    refuse_existing(target, overwrite)
    columns_of = _naming(source, columns, keep)
    bar = tqdm(
        desc="locating", unit="B", unit_scale=True, delay=1, leave=False,
        disable=None if progress else True,
    )  # fmt: skip
    written = 0
    simulated = _any_simulated(loc, source, columns_of, margin)
    with bar, whole_file(target) as file:
        writer = make(file, loc.source, simulated)
        try:
            position = 0
            for chunk in chunks_of(source, columns_of, bar):
                for table in _located(loc, source, chunk, position, margin, keep):
                    writer.write(table)
                    written += len(table)
                position += len(chunk[0])
        finally:
            writer.close()
    return position, written


def _any_simulated(
    loc: Core, source: Path, columns_of: Callable[[Sequence[str]], list[int]], margin: float
) -> bool:
    """Whether any row of the answer is simulated: where the locator is mixed, it is asked twice.

    The answer's head says so, and is written before its rows.
    """
    if not loc.simulated or loc.any_simulated([]):  # none is, or all are
        return loc.simulated
    first = 0
    with tqdm(disable=True) as bar:
        for chunk in chunks_of(source, columns_of, bar):
            ra, dec = _checked(source, chunk, first)
            for start in range(0, len(ra), _POSITIONS):
                some = slice(start, start + _POSITIONS)
                _, i_scan = loc.query(ra[some], dec[some], margin)
                if loc.any_simulated(i_scan):
                    return True
            first += len(ra)
    return False


def _naming(
    source: Path, columns: tuple[str, str] | None, keep: Sequence[str]
) -> Callable[[Sequence[str]], list[int]]:
    """Return what finds the places of the wanted columns among a file's: RA, Dec, the kept ones."""

    def places(names: Sequence[str]) -> list[int]:
        lower = [name.strip().lower() for name in names]

        def find(wanted: Sequence[str]) -> int:
            for name in wanted:
                if name.lower() in lower:
                    return lower.index(name.lower())
            msg = f"{source} has no column {' or '.join(wanted)}: it has {', '.join(names)[:200]}"
            raise TableError(msg)

        axes = ((columns[0],), (columns[1],)) if columns else (_RA, _DEC)
        return [find(axes[0]), find(axes[1]), *(find((name,)) for name in keep)]

    return places


def _checked(
    source: Path, chunk: Chunk, first: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return RA and Dec of a piece of the catalogue, in degrees; name the row that has none."""
    ra, dec = chunk[:2]
    ra_deg, dec_deg = _numbers(source, ra, first, "RA"), _numbers(source, dec, first, "Dec")
    bad = ~(np.isfinite(ra_deg) & (np.abs(dec_deg) <= 90))
    if bad.any():
        i = int(np.argmax(bad))
        msg = (
            f"{source}: row {first + i} (RA {ra[i]}, Dec {dec[i]}) is not on the sky: degrees, "
            "Dec -90 to 90"
        )
        raise PositionError(msg)
    return ra_deg, dec_deg


def _located(
    loc: Core, source: Path, chunk: Chunk, first: int, margin: float, keep: Sequence[str]
) -> Iterator[Table]:
    ra_deg, dec_deg = _checked(source, chunk, first)
    kept = chunk[2:]
    texts = [np.asarray(column, str) for column in kept]
    for start in range(0, len(ra_deg), _POSITIONS):
        some = slice(start, start + _POSITIONS)
        pairs = loc.query(ra_deg[some], dec_deg[some], margin)
        for low in range(0, max(1, len(pairs[0])), _ROWS):
            at, i_scan = (part[low : low + _ROWS] for part in pairs)
            at = at + start
            where = ra_deg[at], dec_deg[at]
            table = answer(loc.table, loc.footprints, i_scan, *where)
            head = [at + first, *where, *(text[at] for text in texts)]
            table.add_columns(head, indexes=[0] * len(head), names=["row", "ra", "dec", *keep])
            yield table


def _numbers(source: Path, cells: Any, first: int, name: str) -> NDArray[np.float64]:
    try:
        return np.asarray(cells, float)
    except (ValueError, TypeError):
        wrong = next(i for i, cell in enumerate(cells) if not _is_number(cell))
        msg = f"{source}: row {first + wrong}: {name} is {cells[wrong]!r}, not a number of degrees"
        raise TableError(msg) from None


def _is_number(cell: Any) -> bool:
    try:
        float(cell)
    except (ValueError, TypeError):
        return False
    return True
