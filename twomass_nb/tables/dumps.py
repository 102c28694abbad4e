"""How PostgreSQL writes tables as text: COPY blocks of a dump, INSERTs, and what psql prints.

A dump may hold several tables amid other SQL. Names of columns are those of the COPY statement, or
else of the table's CREATE TABLE in the same dump. Cells are found by the places of all separators
at once, and a column is cut out of the bytes when it is asked for: 1.2 million rows take seconds.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from os import PathLike

import numpy as np
from numpy.typing import NDArray

from ..errors import TableError, TwomassWarning
from .cells import Cells, Mask
from .opening import read_bytes

__all__ = ["DumpTable", "is_dump", "read_dump", "tables_in"]

_NAME = rb'(?:"[^"]+"|[\w$]+)(?:\s*\.\s*(?:"[^"]+"|[\w$]+))*'
_COPY = re.compile(
    rb"^[ \t]*COPY\s+(?P<name>" + _NAME + rb")\s*(?:\((?P<columns>[^)]*)\))?\s*FROM\s+stdin\b"
    rb"(?P<options>[^;\n]*);[ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)  # fmt: skip
_CREATE = re.compile(
    rb"CREATE\s+(?:\w+\s+){0,3}?TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?(?P<name>" + _NAME + rb")\s*\("
    rb"(?P<columns>(?:[^();]|\([^()]*\))*)\)",
    re.IGNORECASE,
)  # fmt: skip
_NOT_A_COLUMN = re.compile(r"(constraint|primary|unique|check|foreign|like|exclude)\b", re.I)
_INSERT = re.compile(
    rb"^[ \t]*INSERT\s+INTO\s+(?P<name>" + _NAME + rb")\s*(?:\((?P<columns>[^)]*)\)\s*)?VALUES\b",
    re.IGNORECASE | re.MULTILINE,
)
_TOKEN = re.compile(rb"'((?:[^']|'')*+)'|([(),;])|([^'(),;]++)")
_NO_BAR = re.compile(rb"^[^|\n]*(?:\n|\Z)", re.MULTILINE)
_RULE = re.compile(rb"^[ \t]*-+(?:\+-+)+[ \t]*$", re.MULTILINE)
_ROWS = re.compile(rb"\((\d+) rows?\)")
_DELIMITER = re.compile(rb"DELIMITERS?\s*(?:AS\s*)?'(.)'", re.IGNORECASE)
_NULL = re.compile(rb"NULL\s*(?:AS\s*)?'([^']*)'", re.IGNORECASE)
_SIMULATED = re.compile(rb"^\s*(?:--|#).*\bSIMULATE\s*=\s*T\b", re.IGNORECASE | re.MULTILINE)
_ESCAPE = re.compile(rb"\\(?:x([0-9A-Fa-f]{1,2})|([0-7]{1,3})|(.))", re.DOTALL)
_CONTROL = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}
# A separator that a backslash makes part of a cell, as dumps before PostgreSQL 7.4 have them.
_ESCAPED_BREAK = re.compile(rb"(?<!\\)((?:\\\\)*)\\([\t\n])")


@dataclass(repr=False)
class DumpTable:
    """A table of a dump.

    Attributes
    ----------
    name : str
        Lower case, without its schema; empty for what psql prints.
    columns : list of str or None
        None where nothing in the dump names them.
    unknown : list of str
        Lines in or after its rows that are none.
    null : bytes or None
        What stands for null; None where nothing does and nothing is escaped.
    body : bytes
        The rows.
    ends : array of int, shape (rows, columns)
        Where in `body` each cell ends.
    """

    name: str
    columns: list[str] | None
    unknown: list[str] = field(default_factory=list)
    null: bytes | None = b"\\N"
    body: bytes = b""
    ends: NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 0), np.int64))

    def __len__(self) -> int:
        return len(self.ends)

    @property
    def width(self) -> int:
        """Number of columns."""
        return self.ends.shape[1]

    def cells(self, i: int, step: int = 1) -> tuple[Cells, Mask]:
        """Return column `i`, of every `step`-th row, as bytes, and which cells are null."""
        before = self.ends[:, i - 1] if i else np.concatenate([[-1], self.ends[:-1, -1]])
        cells = _cut(self.body, before[::step] + 1, self.ends[::step, i])
        if self.null is None:
            return cells, np.zeros(len(cells), bool)
        null = cells == self.null
        odd = np.flatnonzero((np.char.find(cells, b"\\") >= 0) & ~null)
        if odd.size:
            plain = cells.tolist()
            for k in odd:
                plain[k] = _ESCAPE.sub(_unescape, plain[k])
            cells = np.array(plain)
        return cells, null


def is_dump(data: bytes, copied: bool = False) -> bool:
    """Whether some text holds a table that `tables_in` would find; if `copied`, a COPY block."""
    return bool(_COPY.search(data) or (not copied and (_RULE.search(data) or _INSERT.search(data))))


def read_dump(path: str | PathLike[str]) -> tuple[list[DumpTable], bool]:
    """Return the tables of a file that have rows, and whether a comment says SIMULATE = T.

    Raises
    ------
    NotFoundError
        If there is no such file.
    TableError
        If it is not text, or a row has another number of cells than its table has columns.
    """
    data = read_bytes(path)
    if b"\0" in data:
        msg = f"{path} is not a text file: it holds binary data"
        raise TableError(msg)
    found = [table for table in tables_in(data, str(path)) if len(table)]
    return found, bool(_SIMULATED.search(data[:100_000]))


def tables_in(data: bytes, path: str) -> list[DumpTable]:
    """Return the tables of a dump, those without rows as well.

    Raises
    ------
    TableError
        If a row has another number of cells than its table has columns.

    Warns
    -----
    TwomassWarning
        If a block breaks off, or psql counted other rows than are there.
    """
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n")
    found, sql, at = [], b"", 0
    while match := _COPY.search(data, at):
        table, end = _copy_block(data, match, path)
        found.append(table)
        sql, at = sql + data[at : match.start()], end
    sql += data[at:]
    found += _inserts(sql, path)
    if not found:
        return list(_psql_texts(data, path))
    created = _created(sql)
    for table in found:
        named = created.get(table.name)
        if table.columns is None and named and table.width in (0, len(named)):
            table.columns = named
    return found


def _copy_block(data: bytes, copy: re.Match[bytes], path: str) -> tuple[DumpTable, int]:
    """Return the table of a COPY statement, and where its block ends."""
    name, options, listed = _plain(copy["name"]), copy["options"], copy["columns"]
    if re.search(rb"\b(CSV|BINARY)\b", options, re.IGNORECASE):
        msg = f"{path}: table {name} is copied as CSV or binary: dump it as text"
        raise TableError(msg)
    columns = [_plain(one) for one in listed.split(b",")] if listed else None
    null, delimiter = _NULL.search(options), _DELIMITER.search(options)
    mark = delimiter[1] if delimiter else b"\t"
    table = DumpTable(name, columns, null=null[1] if null else b"\\N")
    start = copy.end() + 1
    end = start if data[start : start + 2] == b"\\." else data.find(b"\n\\.", start) + 1
    whole = end >= start
    end = end if whole else len(data)
    body = data[start:end]
    if b"\\\n" in body or b"\\\t" in body:
        body = _ESCAPED_BREAK.sub(_named_break, body)
    if not whole:
        body = _without_the_broken_end(body, table, mark)
        message = f"{path} breaks off in table {name}: rows are missing, get it again"
        warnings.warn(message, TwomassWarning, stacklevel=5)
    _place(table, body, mark, path)
    return table, end


def _named_break(match: re.Match[bytes]) -> bytes:
    return match[1] + (b"\\t" if match[2] == b"\t" else b"\\n")


def _without_the_broken_end(body: bytes, table: DumpTable, delimiter: bytes) -> bytes:
    """Keep a last line of too few cells among the lines not understood."""
    head, _, last = body.rstrip(b"\n").rpartition(b"\n")
    wanted = head.partition(b"\n")[0].count(delimiter)
    if head and last.count(delimiter) < wanted:
        table.unknown.append(last.decode("utf-8", "replace"))
        return head + b"\n"
    return body


def _place(table: DumpTable, body: bytes, delimiter: bytes, path: str) -> None:
    """Find where the cells of a table end, having looked that every row has all of them."""
    if body and not body.endswith(b"\n"):
        body += b"\n"
    codes = np.frombuffer(body, np.uint8)
    ends = np.flatnonzero((codes == ord(delimiter)) | (codes == 10))
    last = np.flatnonzero(codes[ends] == 10)
    counts = np.diff(last, prepend=-1)
    width = len(table.columns) if table.columns else int(counts[0]) if counts.size else 0
    wrong = np.flatnonzero(counts != width)
    if wrong.size:
        row = int(wrong[0])
        msg = f"{path}: row {row} has {counts[row]} values for {width} columns"
        raise TableError(msg)
    table.body, table.ends = body, ends.reshape(-1, width or 1)


def _cut(body: bytes, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> Cells:
    """Cut cells out of some text, a character of all of them at a time."""
    length = ends - starts
    width = int(length.max(initial=0)) or 1
    codes = np.frombuffer(body, np.uint8)
    cells = np.zeros((len(starts), width), np.uint8)
    # of the longest few, only those that have a k-th character
    order = np.argsort(-length, kind="stable") if length.size else length
    longer = np.searchsorted(-length[order], -np.arange(width), side="left")
    for k in range(width):
        rows = order[: longer[k]]
        cells[rows, k] = codes[starts[rows] + k]
    return cells.view(f"S{width}")[:, 0]


def _unescape(match: re.Match[bytes]) -> bytes:
    if match[1]:
        return bytes([int(match[1], 16)])
    if match[2]:
        return bytes([int(match[2], 8) & 255])
    return _CONTROL.get(match[3], match[3])


def _psql_texts(data: bytes, path: str) -> Iterator[DumpTable]:
    rule = _RULE.search(data)
    while rule:
        header = data[data.rfind(b"\n", 0, rule.start() - 1) + 1 : rule.start()].rstrip(b"\n")
        start, following = rule.end() + 1, _RULE.search(data, rule.end())
        stop = _NO_BAR.search(data, start)
        end = stop.start() if stop else len(data)
        table = DumpTable("", [_plain(name) for name in header.split(b"|")], null=None)
        after = data[end : following.start() if following else len(data)].split(b"\n")
        after = after[:-2] if following else after  # the next table's header
        counted = [int(m[1]) for line in after if (m := _ROWS.fullmatch(line.strip()))]
        lines = [line for line in after if line.strip() and not _ROWS.fullmatch(line.strip())]
        table.unknown += [line.decode("utf-8", "replace") for line in lines]
        _place(table, data[start:end], b"|", path)
        if counted and counted[0] != len(table):
            message = f"{path} says {counted[0]} rows and has {len(table)}: get it again"
            warnings.warn(message, TwomassWarning, stacklevel=5)
        yield table
        rule = following


def _inserts(sql: bytes, path: str) -> Iterator[DumpTable]:
    """Read INSERT statements, as pg_dump -d writes them, as if they were COPY blocks."""
    found: dict[str, DumpTable] = {}
    bodies: dict[str, list[bytes]] = {}
    at = 0
    while match := _INSERT.search(sql, at):
        name, listed = _plain(match["name"]), match["columns"]
        columns = [_plain(one) for one in listed.split(b",")] if listed else None
        found.setdefault(name, DumpTable(name, columns))
        rows, at = _values(sql, match.end())
        bodies.setdefault(name, []).extend(rows)
    for name, table in found.items():
        _place(table, b"".join(bodies[name]), b"\t", path)
        yield table


def _values(sql: bytes, start: int) -> tuple[list[bytes], int]:
    """Return the rows that follow VALUES, as COPY would write them, and where they end."""
    rows: list[bytes] = []
    row: list[bytes] = []
    cell: bytes | None = None
    end = start
    for token in _TOKEN.finditer(sql, start):
        quoted, mark, bare = token.groups()
        end = token.end()
        if quoted is not None:
            cell = _escaped(quoted.replace(b"''", b"'"))
        elif bare is not None:
            word = bare.strip()
            if word and not word.startswith(b"::") and word != b"E":  # a cast, a mark of escapes
                cell = b"\\N" if word.upper() == b"NULL" else _escaped(word)
        elif mark == b"(":
            row, cell = [], None
        elif mark == b";":
            break
        elif cell is not None:
            row.append(cell)
            cell = None
            if mark == b")":
                rows.append(b"\t".join(row) + b"\n")
    return rows, end


def _escaped(text: bytes) -> bytes:
    return text.replace(b"\\", b"\\\\").replace(b"\t", b"\\t").replace(b"\n", b"\\n")


def _created(sql: bytes) -> dict[str, list[str]]:
    """Names of columns by table, of the dump's CREATE TABLE statements."""
    found = {}
    # commas in brackets, as of numeric(8,3), and in quotes separate no columns
    for match in _CREATE.finditer(re.sub(rb"'[^']*'", b"", sql)):
        body = re.sub(rb"\([^()]*\)", b"", match["columns"])
        lines = [part.strip().decode("utf-8", "replace") for part in body.split(b",")]
        names = [line for line in lines if line and not _NOT_A_COLUMN.match(line)]
        found[_plain(match["name"])] = [_plain(name.split()[0].encode()) for name in names]
    return found


def _plain(name: bytes) -> str:
    """Return a name without schema and quotes, in lower case."""
    text = name.decode("utf-8", "replace").strip()
    return text.rpartition(".")[2].strip(' "').lower()
