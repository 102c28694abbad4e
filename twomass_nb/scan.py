"""What a scan is and every way the archive writes its name: identity, day numbers, file names."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from .errors import ScanNameError

__all__ = [
    "BANDS",
    "BAND_NAMES",
    "DAY_ONE",
    "HEMISPHERES",
    "FileName",
    "ScanId",
    "day_number",
    "hemisphere_of",
    "parse_band",
    "tape_hemisphere",
]

#: Bands in the order of wavelength; ``k`` is Ks.
BANDS = ("j", "h", "k")
BAND_NAMES = {"j": "J", "h": "H", "k": "Ks"}
HEMISPHERES = {"n": "Mt. Hopkins", "s": "Cerro Tololo"}
#: Day number 1. Agrees with DAYNUM in real headers (1999-05-02 is 793); the IPAC page that gives
#: 109 for 1997-06-07 does not.
DAY_ONE = dt.date(1997, 3, 1)

# What TELNAME holds in real CTIO headers; how Mt. Hopkins is spelt is not in our sources.
_TELESCOPES = (("CTIO", "s"), ("HOPK", "n"), ("FLWO", "n"))

# "(RAWNXXXXX or RAWSXXXX)", "raws0136", "RAWS0136s": the ways seed 000 writes labels of tapes.
_TAPE = re.compile(r"raw([ns])\d{3,6}[ns]?", re.IGNORECASE)

_SCAN = r"(?P<scan>\d{3})"
_NIGHT = r"(?P<yymmdd>\d{6})(?P<hemis>[ns])"
_BAND = r"(?P<band>[jhk])"
_COADD = r"(?P<coadd>\d{4})"
_STEM = rf"{_BAND}(?P<day>\d{{4}}){_SCAN}"
_PACKED = r"(?:\.(?:gz|bz2))?"

# Each pattern matches a whole lower-case file name; the kind names what the file is.
_FILE_NAMES = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        ("raw", rf"{_STEM}\.(?:rds|rdo)(?:\.gz)?"),
        ("par", rf"{_STEM}\.par(?:\.gz)?"),
        ("frame", rf"{_STEM}_(?P<read>r2-r1|r1|r2)_(?P<frame>\d+)\.fits{_PACKED}"),
        ("atlas", rf"{_BAND}i{_SCAN}{_COADD}\.fits{_PACKED}"),
        ("atlas", rf"a{_BAND}_[a-z0-9]+_{_NIGHT}{_SCAN}{_COADD}\.fits{_PACKED}"),
        ("atlas", rf"2mass-atlas-{_NIGHT}-{_BAND}{_SCAN}{_COADD}\.fits{_PACKED}"),
        ("atlas", rf"{_BAND}{_NIGHT}{_SCAN}(?P<packing>[mh0])(?P<coadd>\d{{3}})\.fits{_PACKED}"),
        ("log", rf"{_NIGHT}\.lgo(?:\.gz)?"),
        ("directory", rf"{_NIGHT}\.dir(?:\.gz)?"),
    )
)
_NIGHT_FOLDER = re.compile(_NIGHT)
_SCAN_FOLDER = re.compile(r"s(?P<scan>\d{3})")
_SCAN_TEXTS = (
    re.compile(rf"{_NIGHT}(?P<scan>\d{{3}})"),
    re.compile(r"(?P<date>\d{4}-\d{2}-\d{2})[\s,]*(?P<hemis>[ns])[\s,]*(?P<scan>\d{1,3})"),
    re.compile(r"(?P<yymmdd>\d{6})[\s,]*(?P<hemis>[ns])[\s,]+(?P<scan>\d{1,3})"),
)


def parse_band(band: str) -> str:
    """Return the band as ``"j"``, ``"h"`` or ``"k"``, from any spelling (``"Ks"``, ``"J"``).

    Raises
    ------
    ScanNameError
        If it is none of the three bands.
    """
    text = str(band).strip().lower()
    text = "k" if text == "ks" else text
    if text not in BANDS:
        msg = f"{band!r} is not a 2MASS band: use 'j', 'h' or 'k' (Ks)"
        raise ScanNameError(msg)
    return text


def hemisphere_of(telescope: object) -> str | None:
    """Return the hemisphere that a header's TELNAME means, or None if it is not known."""
    words = str(telescope).upper()
    return next((hemis for word, hemis in _TELESCOPES if word in words), None)


def tape_hemisphere(label: str) -> str | None:
    """Return the hemisphere of a tape by its label (``raws0136``, ``RAWN0057``), or None."""
    match = _TAPE.fullmatch(label)
    return match[1].lower() if match else None


def day_number(date: dt.date) -> int:
    """Return the survey day number of a date; 1997-03-01 is day 1.

    Raises
    ------
    ScanNameError
        If the date is before day 1 or its number has more than four digits.
    """
    day = (date - DAY_ONE).days + 1
    if not 1 <= day <= 9999:
        msg = f"{date} has no survey day number: the count starts with 1997-03-01"
        raise ScanNameError(msg)
    return day


def _date_of_yymmdd(yymmdd: str) -> dt.date:
    """Survey nights are 1997 to 2001, so two-digit years from 97 on are of the old century."""
    year = int(yymmdd[:2])
    try:
        return dt.date(
            1900 + year if year >= 97 else 2000 + year, int(yymmdd[2:4]), int(yymmdd[4:])
        )
    except ValueError:
        msg = f"{yymmdd!r} is not a date written yymmdd"
        raise ScanNameError(msg) from None


def _date_of(value: Any) -> dt.date:
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    try:
        return dt.date.fromisoformat(str(value).strip()[:10])
    except ValueError:
        msg = f"{value!r} is not a date: write it as 2000-05-29"
        raise ScanNameError(msg) from None


@dataclass(frozen=True, order=True)
class ScanId:
    """The identity of one scan: night, observatory and running number.

    Parameters
    ----------
    date : datetime.date or str
        UT date at sunrise of the night (``"2000-05-29"``). The true UT date of a frame can
        differ by one day.
    hemis : {"n", "s"}
        Observatory: n for Mt. Hopkins, s for Cerro Tololo.
    scan : int
        Number of the scan in its night, 1 to 999.

    Raises
    ------
    ScanNameError
        If one of the three is impossible.
    """

    date: dt.date
    hemis: str
    scan: int

    def __init__(self, date: dt.date | str, hemis: str, scan: int) -> None:
        hemis_ = str(hemis).strip().lower()
        if hemis_ not in HEMISPHERES:
            msg = f"{hemis!r} is not a hemisphere: use 'n' (Mt. Hopkins) or 's' (Cerro Tololo)"
            raise ScanNameError(msg)
        try:
            number = int(scan)
        except (TypeError, ValueError, OverflowError):
            number = -1
        if not 1 <= number <= 999 or number != float(scan):
            msg = f"{scan!r} is not a scan number: it must be a whole number from 1 to 999"
            raise ScanNameError(msg)
        date_ = _date_of(date)
        day_number(date_)
        object.__setattr__(self, "date", date_)
        object.__setattr__(self, "hemis", hemis_)
        object.__setattr__(self, "scan", number)

    def __str__(self) -> str:
        return f"{self.night}{self.scan:03d}"

    def __repr__(self) -> str:
        return f"ScanId({self.date.isoformat()!r}, {self.hemis!r}, {self.scan})"

    @property
    def day_no(self) -> int:
        """Survey day number, counted from 1997-03-01 as day 1."""
        return day_number(self.date)

    @property
    def night(self) -> str:
        """Name of the night's folder and files, as ``"000529s"``."""
        return f"{self.date:%y%m%d}{self.hemis}"

    def stem(self, band: str) -> str:
        """Return the stem of the raw files in one band, as ``"j1186063"``."""
        return f"{parse_band(band)}{self.day_no:04d}{self.scan:03d}"

    def coadd_name(self, band: str, coadd: int) -> str:
        """Return the IPAC name of a coadd, as ``"ji0630186.fits"``; it lies in `coadd_folder`."""
        return f"{parse_band(band)}i{self.scan:03d}{coadd:04d}.fits"

    @property
    def coadd_folder(self) -> str:
        """Folder of the scan's coadds inside the night's folder, as ``"s063/image"``."""
        return f"s{self.scan:03d}/image"

    @classmethod
    def from_stem(cls, stem: str, hemis: str | None = None) -> ScanId:
        """Return the scan a raw stem names.

        Parameters
        ----------
        stem : str
            As ``"j1186063"``.
        hemis : {"n", "s"}
            Must be given: the same stem exists at both observatories.

        Raises
        ------
        ScanNameError
            If the stem is not one, or the hemisphere is missing.
        """
        match = re.fullmatch(_STEM, str(stem).strip().lower())
        if not match:
            msg = f"{stem!r} is not the stem of a raw file: band, day, scan, as j1186063"
            raise ScanNameError(msg)
        if hemis is None:
            msg = f"{stem!r} does not say its hemisphere: give hemis='n' or hemis='s'"
            raise ScanNameError(msg)
        return cls(_date_of_day(int(match["day"])), hemis, int(match["scan"]))

    @classmethod
    def parse(cls, text: str) -> ScanId:
        """Return the scan that a text or a file name names.

        Parameters
        ----------
        text : str or path
            ``"000529s063"``, ``"2000-05-29 s 63"``, or a file name, with its folders where
            the name alone does not say the night (``"000529s/j1186063.rds.gz"``).

        Raises
        ------
        ScanNameError
            If it names no scan, or only part of one.
        """
        if isinstance(text, cls):
            return text
        words = str(text).strip().lower()
        for pattern in _SCAN_TEXTS:
            if match := pattern.fullmatch(words):
                parts = match.groupdict()
                date = parts["date"] if "date" in parts else _date_of_yymmdd(parts["yymmdd"])
                return cls(date, parts["hemis"], int(parts["scan"]))
        name = FileName.parse(text)
        if name.scan_id is None:
            missing = "scan" if name.kind in ("log", "directory") else "night and hemisphere"
            msg = f"{str(text)!r} does not say its {missing}: give its folders too, as 000529s/..."
            raise ScanNameError(msg)
        return name.scan_id


def _date_of_day(day: int) -> dt.date:
    if day < 1:
        msg = f"{day} is not a survey day number: they start with 1 on 1997-03-01"
        raise ScanNameError(msg)
    return DAY_ONE + dt.timedelta(days=day - 1)


@dataclass(frozen=True)
class FileName:
    """What the name of an archive file says about it.

    Attributes
    ----------
    kind : {"raw", "par", "frame", "atlas", "log", "directory"}
        Raw data, its parameter file, a FITS frame of raw2fits, a processed Atlas Image, or
        a night's .lgo or .dir file.
    scan_id : ScanId or None
        None where the name and its folders do not say the night, hemisphere or scan.
    band : {"j", "h", "k"} or None
    coadd : int or None
        Number of an Atlas Image in its scan.
    frame : int or None
    read : {"r1", "r2", "r2-r1"} or None
    packing : {"m", "h", "0"} or None
        UMass copies of Atlas Images: repacked, H-compressed (lossy), IPAC's original.
    """

    kind: str
    scan_id: ScanId | None = None
    band: str | None = None
    coadd: int | None = None
    frame: int | None = None
    read: str | None = None
    packing: str | None = None

    @classmethod
    def parse(cls, path: str | PurePath, hemis: str | None = None) -> FileName:
        """Read a file name, and its folders for what the name leaves out.

        Parameters
        ----------
        path : str or path
            Only the name is looked at; no file is opened.
        hemis : {"n", "s"}, optional
            Hemisphere of a raw file whose folder does not say it.

        Raises
        ------
        ScanNameError
            If the name is none of the archive's, or contradicts its folder.
        """
        parts = PurePath(str(path).replace("\\", "/").lower()).parts
        name = parts[-1] if parts else ""
        for kind, pattern in _FILE_NAMES:
            if match := pattern.fullmatch(name):
                return cls._from_match(kind, match.groupdict(), parts, hemis)
        msg = (
            f"{str(path)!r} names no 2MASS scan or file: write 000529s063 or a name as j1186063.rds"
        )
        raise ScanNameError(msg)

    @classmethod
    def _from_match(
        cls, kind: str, found: dict[str, str], parts: tuple[str, ...], hemis: str | None
    ) -> FileName:
        folders = parts[:-1]
        nights = [m for p in folders if (m := _NIGHT_FOLDER.fullmatch(p))]
        date, where = None, hemis
        if "yymmdd" in found:
            date, where = _date_of_yymmdd(found["yymmdd"]), found["hemis"]
        elif "day" in found:
            date = _date_of_day(int(found["day"]))
        if nights:
            folder_date, folder_hemis = _date_of_yymmdd(nights[-1]["yymmdd"]), nights[-1]["hemis"]
            date, where = date or folder_date, where or folder_hemis
            if (date, where) != (folder_date, folder_hemis):
                msg = f"{'/'.join(parts)!r} contradicts its folder: the name says {date} {where}"
                raise ScanNameError(msg)
        scan_folders = [m for p in folders if (m := _SCAN_FOLDER.fullmatch(p))]
        if scan_folders and "scan" in found and scan_folders[-1]["scan"] != found["scan"]:
            msg = f"{'/'.join(parts)!r} contradicts its folder: the name says scan {found['scan']}"
            raise ScanNameError(msg)
        whole = date is not None and where is not None and "scan" in found
        return cls(
            kind=kind,
            scan_id=ScanId(date, where, int(found["scan"])) if whole else None,  # type: ignore[arg-type]
            band=found.get("band"),
            coadd=int(found["coadd"]) if found.get("coadd") else None,
            frame=int(found["frame"]) if found.get("frame") else None,
            read=found.get("read"),
            packing=found.get("packing"),
        )
