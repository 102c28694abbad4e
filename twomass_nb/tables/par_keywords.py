"""What each known keyword of .par files and Atlas Image headers means: its kind, unit and origin.

Names, meanings and units are those of the comments in real Atlas Image headers, whose "Group 2"
is "ALL from the Obs .par file", and whose other keywords "are usually fm Obs" unless they say
(IC), (IN) or (IK): computed or set at IPAC. Where a comment gives no unit there is none here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from astropy import units as u

__all__ = ["INCH_OF_MERCURY", "KEYWORDS", "Keyword"]

#: The barometer's unit; astropy has none.
INCH_OF_MERCURY = u.def_unit("inHg", 3386.389 * u.Pa)


@dataclass(frozen=True)
class Keyword:
    """A keyword of the observatories' and the pipeline's headers.

    Attributes
    ----------
    meaning : str
        As the header's comment has it, in plain words.
    unit : `~astropy.units.UnitBase` or None
        None where the comment says none, and for texts.
    kind : {"number", "text", "angle", "time", "date"}
        An angle may be sexagesimal, and then counts in `unit`; a time is one of the UT day that the
        keyword `day` names; a date is written yymmdd.
    origin : {"group 2", "observatory", "IPAC"}
        Group 2 comes from the .par file for certain, the observatory's "usually".
    measured : bool
        False where the header warns: "indicated parameter not measured, dummy only".
    day : str
        For a time, the keyword with its date.
    """

    meaning: str
    unit: u.UnitBase | None = None
    kind: str = "number"
    origin: str = "observatory"
    measured: bool = True
    day: str = ""


def _at_both_ends() -> dict[str, Keyword]:
    """Group 2: the same keywords at the start and at the end of a scan."""
    found: dict[str, Keyword] = {}
    for end, word in (("SOS", "start of scan"), ("EOS", "end of scan")):
        group = {
            "GRP2": Keyword(f"begin of group 2, at {word}", kind="text"),
            "DATE": Keyword(f"UT date at {word}", kind="date"),
            "AM": Keyword(f"airmass at {word}", u.dimensionless_unscaled),
            "ZD": Keyword(f"zenith distance at {word}", u.deg),
            "HA": Keyword(f"hour angle at {word}", u.hourangle, "angle"),
            "UT": Keyword(f"UT at {word}", u.hour, "time", day=f"DATE_{end}"),
            "ST": Keyword(f"sidereal time at {word}", u.hourangle, "angle"),
            "RA": Keyword(f"right ascension at {word}, J2000", u.hourangle, "angle"),
            "DEC": Keyword(f"declination at {word}, J2000", u.deg, "angle"),
            "WSPD": Keyword(f"wind speed at {word}", measured=False),
            "WDIR": Keyword(f"wind direction at {word}", measured=False),
            "HUM": Keyword(f"humidity at {word}", u.percent),
            "SEE": Keyword(f"seeing at {word}", measured=False),
            "BAR": Keyword(f"barometer at {word}", INCH_OF_MERCURY),
            "AIRT": Keyword(f"air temperature at {word}", u.deg_C),
            "TELT": Keyword(f"telescope temperature at {word}", u.deg_C),
            "ARYT": Keyword(f"array temperature at {word}", measured=False),
        }
        found |= {f"{name}_{end}": replace(key, origin="group 2") for name, key in group.items()}
    found["EQUINOX"] = Keyword("equinox at start of scan", u.year, origin="group 2")
    return found


_OBSERVATORY = {
    "ORDATE": Keyword("reference date of the night, UT at sunrise", kind="date"),
    "DAYNUM": Keyword("survey day number", kind="text"),
    "FN_PRFX": Keyword(".rdo and .par filename prefix", kind="text"),
    "TYPE": Keyword("scan type: dar, flt, sci, cal, tst", kind="text"),
    "SCANNO": Keyword("scan number"),
    "SCANDIR": Keyword("scan direction: n, s, -", kind="text"),
    "STRIP_ID": Keyword("tile (strip) number"),
    "POSITNID": Keyword("position ID", kind="text"),
    "BASE": Keyword("pixel dwell", u.us),
    "WAVEF_P": Keyword("secondary waveform data file", kind="text"),
    "TIMER0": Keyword("read 1 time", u.ms),
    "TIMER1": Keyword("read 2 - read 1 time", u.ms),
    "TIMER2": Keyword("secondary settling time", u.ms),
    "ICSVERSN": Keyword("ICS script program version (yymmdd)", kind="text"),
    "SCHEDVER": Keyword("scheduler program version (yymmdd)", kind="text"),
    "SCRIPTFN": Keyword("script template filename", kind="text"),
    "SCRPTVER": Keyword("script template version (yymmdd)", kind="text"),
    "FOCUS": Keyword("focus setting"),
    "NUMFRMS": Keyword("number of frames in the scan"),
    "TELNAME": Keyword("telescope", kind="text"),
    "FILTER": Keyword("band: j, h, k", kind="text"),
}  # fmt: skip

_PIPELINE = {
    "ORIGIN": Keyword("2MASS survey camera", kind="text"),
    "UT_OFF1": Keyword("UT offset, start of scan to centre of frame 1", u.s),
    "XS_OFF1": Keyword("cross-scan offset, start of scan to RA of frame 1", u.arcsec),
    "IS_OFF1": Keyword("in-scan offset, start of scan to Dec of frame 1", u.arcsec),
    "XS_OFF2": Keyword("cross-scan offset, end of scan to RA of the last frame", u.arcsec),
    "IS_OFF2": Keyword("in-scan offset, end of scan to Dec of the last frame", u.arcsec),
    "SKIPRDOS": Keyword("number of junk reads skipped at start of scan"),
    "UT_DATE": Keyword("UT date of the frame", kind="date"),
    "UT": Keyword("UT of the frame", u.hour, "time", day="UT_DATE"),
    "AMASS_FC": Keyword("airmass at the frame, approximate", u.dimensionless_unscaled),
    "USXREF": Keyword("U-scan x at grid (0, 0)"),
    "USYREF": Keyword("U-scan y at grid (0, 0)"),
    "SKYVAL": Keyword("sky estimate"),
    "SKYSIG": Keyword("noise estimate"),
    "MAGZP": Keyword("calibrated zero point", u.mag),
    "CALID": Keyword("calibration descriptors", kind="text"),
    "SEESH": Keyword("seeing shape parameter", u.dimensionless_unscaled),
    "DXFS": Keyword("cross-scan frame step", u.arcsec),
    "DYFS": Keyword("in-scan frame step", u.arcsec),
    "PIXNAM": Keyword("namelist of the coadder", kind="text"),
    "RF_NLID": Keyword("namelist of the frame reader", kind="text"),
    **{
        f"QT{percent:05.2f}".replace(".", ""): Keyword(f"{percent:g} percentile of the image")
        for percent in (2.27, 6.68, 15.86, 30.85, 50.0, 69.14, 84.13, 93.31, 97.72)
    },
}

#: Keyword to what is known of it.
KEYWORDS: dict[str, Keyword] = {
    **_OBSERVATORY,
    **_at_both_ends(),
    **{name: replace(key, origin="IPAC") for name, key in _PIPELINE.items()},
}
