"""What a .par file says. The syntax of real ones is not known here, so nothing in it is lost.

No real .par file has been seen here. Atlas Image headers carry its keywords, so the names are
known and the way they are written is not: ``KEY = value / comment``, ``KEY: value`` and
``KEY value`` are understood, every other line is kept in `Par.unknown`, and `Par.raw` is the
whole text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from os import PathLike
from typing import Any

from astropy import units as u
from astropy.coordinates import Angle
from astropy.table import Table
from astropy.time import Time

from ..errors import ScanNameError, TableError
from ..scan import ScanId
from .opening import read_text
from .par_keywords import KEYWORDS, Keyword

__all__ = ["Par", "read_par"]

_KEY = r"(?P<key>[A-Za-z][\w.\-]*)"
_ASSIGNED = re.compile(rf"\s*{_KEY}\s*(?:=|:(?=\s|$))(?P<value>.*)")
_SPACED = re.compile(rf"\s*{_KEY}\s+(?P<value>\S.*)")
_COMMENT = re.compile(r"\s*(?:[#;/\\!*]|(?:COMMENT|HISTORY)\b)", re.IGNORECASE)
_QUOTED = re.compile(r"\s*(['\"])(?P<text>.*?)\1\s*(?:/.*)?")
_LONGEST = 300  # characters of a number: Python refuses to read the longest
_INT = re.compile(r"[+-]?\d+")
_FLOAT = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[EeDd][+-]?\d+)?")
# Digits that are names, not numbers: 001022 is a date, 0423 a day number.
_NAMES = re.compile(r".*DATE.*|DAYNUM|.*VER.*")
# Sexagesimal values that count hours; all others count degrees.
_HOURS = re.compile(r"(?:RA|HA|UT|ST)(?:_.*)?")


class Par(Mapping[str, Any]):
    """A parameter file: keywords (upper case; looked up in any case) to int, float, bool or str.

    Sexagesimal values stay text, see `angle`. Where a keyword comes twice with different values
    the first counts, and the later line is in `unknown`.

    Attributes
    ----------
    raw : str
        The whole file.
    unknown : list of str
        Lines that were not understood.
    comments : dict of str
        The comment after a value, by keyword.
    """

    def __init__(self, raw: str) -> None:
        self.raw = raw
        self.unknown: list[str] = []
        self.comments: dict[str, str] = {}
        self._values: dict[str, Any] = {}
        for line in raw.splitlines():
            self._add(line)

    def _add(self, line: str) -> None:
        if not line.strip() or _COMMENT.match(line):
            return
        found = _parse(line)
        if found is None:
            self.unknown.append(line)
            return
        key, value, comment = found
        if key not in self._values:
            self._values[key] = value
            self.comments[key] = comment
        elif self._values[key] != value:
            self.unknown.append(line)

    def __getitem__(self, key: str) -> Any:
        return self._values[key.upper()]

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and key.upper() in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        name = self.get("FN_PRFX", "no name")
        what = "simulated, " if self.simulated else ""
        return f"<Par {name}: {what}{len(self)} values, {len(self.unknown)} lines not understood>"

    @property
    def simulated(self) -> bool:
        """Whether the file says that its scan never was."""
        return self.get("SIMULATE") in (True, 1)

    def angle(self, key: str) -> Angle:
        """Return a position, hour angle or time as an angle.

        Right ascension, hour angle, UT and sidereal time (``RA_SOS``, ``HA``, ...) count hours
        where they are sexagesimal; everything else is in degrees.

        Raises
        ------
        TableError
            If the keyword is missing or its value is not an angle.
        """
        value = self._said(key)
        hours = isinstance(value, str) and _HOURS.fullmatch(key.upper())
        try:
            return Angle(value, unit=u.hourangle if hours else u.deg)
        except (ValueError, TypeError):
            msg = f"{key.upper()} = {value!r} in this .par file is not an angle"
            raise TableError(msg) from None

    def quantity(self, key: str) -> u.Quantity | Angle | Time:
        """Return a value with its unit, as the comments of real Atlas headers give it.

        Parameters
        ----------
        key : str
            As ``ZD_SOS``. Numbers come as quantities (without dimension where no unit is known),
            sexagesimal positions as angles, ``UT_SOS``, ``UT_EOS`` and ``UT`` as the moment they
            make with their date, dates as the moment they begin (UTC).

        Raises
        ------
        TableError
            If the keyword is missing, its value is a text, or a time has no date beside it.
        """
        value, known = self._said(key), KEYWORDS.get(key.upper(), Keyword(""))
        if known.kind == "date":
            return Time(self._date(key), scale="utc")
        if known.kind == "time":
            if known.day not in self:
                msg = f"{key.upper()} is a time of the day {known.day}, which this .par file lacks"
                raise TableError(msg)
            return Time(self._date(known.day), scale="utc") + self.angle(key).hour * u.hour
        if known.kind == "angle":
            return self.angle(key)
        if isinstance(value, str | bool):
            msg = f"{key.upper()} = {value!r} in this .par file is not a number"
            raise TableError(msg)
        return u.Quantity(value, known.unit)

    def table(self) -> Table:
        """Return everything the file says: keyword, value, unit, meaning, origin.

        ``meaning`` is the known one or else the file's own comment; ``origin`` says where Atlas
        headers have the keyword from, and is empty for one they have not; ``measured`` is False for
        what the headers warn of as dummies.
        """
        rows = []
        for key, value in self.items():
            known = KEYWORDS.get(key)
            unit = known.unit.to_string() if known and known.unit is not None else ""
            meaning = known.meaning if known else self.comments[key]
            origin, measured = (known.origin, known.measured) if known else ("", True)
            rows.append((key, str(value), unit, meaning, origin, measured))
        names = ("keyword", "value", "unit", "meaning", "origin", "measured")
        table = Table(rows=rows, names=names)
        table.meta["unknown"] = list(self.unknown)
        if self.simulated:
            table.meta["SIMULATE"] = True
        return table

    def _said(self, key: str) -> Any:
        if key not in self:
            msg = f"this .par file has no {key.upper()}"
            raise TableError(msg)
        return self[key]

    def _date(self, key: str) -> str:
        """Return a date written yymmdd as ISO text."""
        try:
            return ScanId.parse(f"{self[key]}n001").date.isoformat()
        except ScanNameError:
            msg = f"{key.upper()} = {self[key]!r} in this .par file is not a date written yymmdd"
            raise TableError(msg) from None


def _parse(line: str) -> tuple[str, Any, str] | None:
    """Return keyword, value and comment of a line, or None if it is not of a known form."""
    match = _ASSIGNED.fullmatch(line)
    spaced = match is None
    match = match or _SPACED.fullmatch(line)
    if match is None:
        return None
    key, rest = match["key"].upper(), match["value"]
    if quoted := _QUOTED.fullmatch(rest):
        comment = rest[quoted.end("text") + 1 :]
        return key, quoted["text"].strip(), comment.partition("/")[2].strip()
    value, _, comment = (" " + rest).partition(" /")
    value = value.strip()
    if spaced and len(value.split()) != 1:
        return None  # a sentence rather than a keyword with its value
    return key, _typed(key, value), comment.strip()


def _typed(key: str, value: str) -> Any:
    if _NAMES.fullmatch(key):
        return value
    if len(value) > _LONGEST:
        return value
    if _INT.fullmatch(value):
        return int(value)
    if _FLOAT.fullmatch(value):
        return float(value.upper().replace("D", "E"))
    return {"T": True, "F": False}.get(value, value)


def read_par(path: str | PathLike[str]) -> Par:
    """Read a scan's parameter file, ``.par`` or ``.par.gz``.

    Parameters
    ----------
    path : path

    Returns
    -------
    Par
        A mapping of typed values, with the raw text and the lines not understood.

    Raises
    ------
    NotFoundError
        If there is no such file.
    TableError
        If it is empty, broken, not text, or has no line of a known form.
    """
    par = Par(read_text(path))
    if not par:
        msg = f"{path} is not a parameter file: no line reads 'KEYWORD = value'"
        raise TableError(msg)
    return par
