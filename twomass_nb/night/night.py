"""A night as its folder holds it: scans by bands, what is there, what is missing or disagrees."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import NotFoundError, TwomassError
from ..scan import ScanId, hemisphere_of, parse_band
from .agreement import disagreements, hinted, no_file
from .finding import Finding, finding, findings_table
from .places import Entry, Holding, kind_of
from .scans import scans_table

if TYPE_CHECKING:
    from astropy.table import Row, Table

    from ..raw import RawScan
    from ..tables import Par

__all__ = ["Night", "listing_of"]


class Night(Mapping[ScanId, Any]):
    """A night; made by `open_night`. Maps its scans (or their numbers) to rows of `scans`.

    Attributes
    ----------
    folder : Path
    name : str
        As ``"000529s"``.
    date : datetime.date
    hemis : {"n", "s"}
    key : tuple of str
        Date (ISO) and hemis, as tables have them.
    scans : `~astropy.table.Table`
        One row a scan that a file or a table names: scan_id, scan, s_type, sd, tile, frames_lgo,
        frames_raw_scans (where that table was given); and for each band, as for j: file_j (name
        of its raw file), frames_j (what the file's size or the end of its gzip speaks of: a
        hint), frames_par_j. Unknown values are masked.
    lgo, dir, raw_scans : `~astropy.table.Table` or None
        The night's log, its directory, and its rows of the raw scan table.
    pars : dict of Par
        Parameter files by stem, as ``"j1186063"``.
    problems : list of Finding
        What names, sizes and tables show; `twomass_nb.check` looks into the files.
    """

    def __init__(
        self,
        holding: Holding,
        raw_scans: Table | None = None,
        listed: Mapping[str, Mapping[str, int | None]] | None = None,
    ) -> None:
        self.holding = holding
        self.folder, self.date, self.hemis = holding.folder, holding.date, holding.hemis
        self.name, self.key = holding.night, (holding.date.isoformat(), holding.hemis)
        self.unreadable: list[Finding] = []
        self.lgo = self._read_table("log")
        self.dir = self._read_table("directory")
        self.pars = self._read_pars()
        self.par_files = {f"{entry.stem}.par" for entry in holding.of_kind("par")}
        self.raw_scans = self._rows_of(raw_scans)
        self.listed = {**(listed or {})}
        if self.dir is not None:
            self.listed["the .dir"] = listing_of(self.dir)
        self.scans = scans_table(self)
        self._places = {int(scan): i for i, scan in enumerate(self.scans["scan"])}
        self.structure = [*self.unreadable, *disagreements(self)]
        self.problems = [*self.structure, *hinted(self)]

    # What is in it ----------------------------------------------------------------------

    @property
    def raw_files(self) -> list[Entry]:
        """The raw files, by name."""
        return self.holding.of_kind("raw")

    @property
    def simulated(self) -> bool:
        """Whether any of it never was."""
        logged = self.lgo is not None and bool(self.lgo.meta.get("SIMULATE", False))
        return logged or any(par.simulated for par in self.pars.values())

    def frames_said(self, entry: Entry) -> dict[str, int]:
        """Return who says how many frames a raw file has: the log, raw_scans, its .par."""
        said: dict[str, int] = {}
        for who, column in (("the log", "frames_lgo"), ("raw_scans", "frames_raw_scans")):
            if entry.scan in self._places and column in self.scans.colnames:
                frames = self.scans[column][self._places[entry.scan]]
                if frames is not np.ma.masked:
                    said[who] = int(frames)
        value = self.pars[entry.stem].get("NUMFRMS") if entry.stem in self.pars else None
        if isinstance(value, int):
            said["its .par"] = value
        return said

    def open(self, scan: Any, band: str, **options: Any) -> RawScan:
        """Open the raw file of a scan in a band; an .rdo, whose order is documented, if there.

        Parameters
        ----------
        scan : ScanId, int or str
        band : {"j", "h", "k"}
        **options
            Of `twomass_nb.open_scan`.

        Raises
        ------
        NotFoundError
            If the night has no such file.
        TwomassError
            If its parameter file is of the other observatory, or the file is broken.
        """
        from ..raw import open_scan

        number, band = self._number(scan), parse_band(band)
        files = [e for e in self.raw_files if (e.scan, e.band) == (number, band)]
        if not files:
            msg = f"there is no raw file of scan {number} in band {band} in {self.folder}"
            raise NotFoundError(msg)
        par = self.pars.get(files[0].stem)
        hemis = hemisphere_of(par.get("TELNAME")) if par is not None else None
        if hemis not in (None, self.hemis):
            msg = f"{files[0].path.name} is not of {self.name}: its .par says the other observatory"
            raise NotFoundError(msg)
        best = min(files, key=lambda e: (".rdo" not in e.path.name.lower(), e.path.name))
        return open_scan(best.path, **options)

    def darks(self, band: str) -> list[ScanId]:
        """Return the dark scans (type dar) that have a raw file in a band."""
        return self._of_type("dar", band)

    def twilights(self, band: str) -> list[ScanId]:
        """Return the twilight scans (type flt) that have a raw file in a band."""
        return self._of_type("flt", band)

    def _of_type(self, s_type: str, band: str) -> list[ScanId]:
        rows = self.scans[self.scans["s_type"] == s_type]
        return [
            ScanId.parse(row["scan_id"]) for row in rows if str(row[f"file_{parse_band(band)}"])
        ]

    # A mapping --------------------------------------------------------------------------

    def _number(self, scan: Any) -> int:
        if isinstance(scan, str) and not scan.isdigit():
            scan = ScanId.parse(scan)
        if isinstance(scan, ScanId):
            if scan.night != self.name:
                msg = f"{scan!r} is not of the night {self.name}"
                raise NotFoundError(msg)
            return scan.scan
        return int(scan)

    def __getitem__(self, scan: Any) -> Row:
        number = self._number(scan)
        if number not in self._places:
            msg = f"the night {self.name} has no scan {number}: see .scans"
            raise NotFoundError(msg)
        return self.scans[self._places[number]]

    def __contains__(self, scan: object) -> bool:
        try:
            return self._number(scan) in self._places
        except (TwomassError, TypeError, ValueError):
            return False

    def __iter__(self) -> Iterator[ScanId]:
        return (ScanId.parse(text) for text in self.scans["scan_id"])

    def __len__(self) -> int:
        return len(self.scans)

    def __repr__(self) -> str:
        return f"<Night {self._title()}>"

    def _repr_html_(self) -> str:
        table = findings_table(self.problems)._repr_html_() if self.problems else ""
        return f"<b>Night {self._title()}</b>{self.scans._repr_html_()}{table}"

    def _title(self) -> str:
        mark = ", SIMULATED" if self.simulated else ""
        return (
            f"{self.name}: {len(self)} scans, {len(self.raw_files)} raw files, "
            f"{len(self.problems)} problems{mark}"
        )

    # Reading ----------------------------------------------------------------------------

    def _read_table(self, kind: str) -> Table | None:
        from .. import tables

        read = tables.read_lgo if kind == "log" else tables.read_dir
        for entry in self._readable(kind):
            if entry.hemis != self.hemis:
                continue
            try:
                table = read(entry.path)
            except TwomassError as error:
                self.unreadable.append(_unreadable("table-unreadable", entry, error))
                continue
            if kind == "log":
                said = f"{table['date'][0]} {table['hemis'][0]}"
                if said != " ".join(map(str, self.key)):
                    text = f"it says that it is of {said}"
                    self.unreadable.append(finding("table-of-another", entry.path.name, text))
            return table
        return None

    def _readable(self, kind: str) -> Iterator[Entry]:
        """Yield files of a kind; what is no regular file, as a pipe, is found and not opened."""
        for entry in self.holding.of_kind(kind):
            if entry.regular:
                yield entry
            else:
                self.unreadable.append(no_file(entry))

    def _read_pars(self) -> dict[str, Par]:
        from ..tables import read_par

        pars: dict[str, Par] = {}
        for entry in self._readable("par"):
            try:
                pars.setdefault(entry.stem, read_par(entry.path))
            except TwomassError as error:
                self.unreadable.append(_unreadable("par-unreadable", entry, error))
        return pars

    def _rows_of(self, raw_scans: Table | None) -> Table | None:
        if raw_scans is None:
            return None
        dates, sites = (np.ma.filled(raw_scans[name], "") for name in ("date", "hemis"))
        mine = (dates == self.key[0]) & (sites == (self.key[1] or ""))
        return raw_scans[mine & ~np.ma.getmaskarray(raw_scans["scan"])]


def _unreadable(code: str, entry: Entry, error: TwomassError) -> Finding:
    return finding(code, entry.path.name, str(error).removeprefix(f"{entry.path}").lstrip(": "))


def listing_of(table: Table) -> dict[str, int | None]:
    """Return file names (lower case) and sizes from a .dir or an inventory."""
    sizes = table["size"].tolist() if "size" in table.colnames else [None] * len(table)
    names = [str(name).rsplit("/", 1)[-1].lower() for name in table["file"]]
    return {name: size for name, size in zip(names, sizes, strict=True) if kind_of(name)}
