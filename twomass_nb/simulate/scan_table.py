"""The survey's tiling: where 59,731 scans would lie, in the columns of twomass_scn, never observed.

The sky is cut into bands of 6 degrees of declination and each band into tiles. Four documented
numbers fix it: 59,731 scans, 311 tiles at each pole, 7.26 arcmin from tile to tile (IRSA's caveat
on fp_scan_dat) and an overlap in RA of 51-52 arcsec (Explanatory Supplement V.4). They agree if
the spacing is at the equatorward end of each band, and the overlap is what is left of 71.4 arcsec
after the 10 arcsec that catalogue sources had to keep from each edge. Scans are then 507.2 arcsec
wide at both ends, as the one real row known here (507.4 and 506.8), so that what grows toward the
poles is their overlap.

Tables longer than the catalogue's stand for the raw archive: what is beyond is shared between
calibration scans (see `calibration`) and second observations of tiles. The archive's working
databases hold 73,230 calibration scans beside 70,712 of the survey; that share of all 205,071 raw
scans makes 104,329 and 100,742. Darks and twilights, which real raw scans include, are left out.
"""

from __future__ import annotations

import datetime as dt

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import Table
from numpy.typing import NDArray

from ..array.track import FRAMES as SURVEY_FRAMES
from ..array.track import lonlat, unit_vector
from ..errors import TableError
from . import calibration

__all__ = ["BAND", "SPACING", "scan_table"]

#: Height of a band of tiles, degrees.
BAND = 6.0
#: Arcsec from tile to tile in RA, on the sky, at the equatorward end of a band.
SPACING = 435.8
#: Width of a scan's footprint; its length, which overlaps the next band by 8.5 arcmin.
WIDTH = 507.2
LENGTH = BAND * 3600 + 510.0

# Real sites: northern tiles from Mt. Hopkins, southern from Cerro Tololo (really they share a
# zone about Dec +12). Survey nights: CTIO started a year later. About 70 tiles a night.
_FIRST_NIGHT = {"n": dt.date(1997, 6, 7), "s": dt.date(1998, 3, 19)}
_LAST_NIGHT = dt.date(2001, 2, 15)
_NORTH_FROM = 0.0
_RAD = np.pi / 180 / 3600
_TABLE_ROWS = 59731
# So that scan numbers stay below 1000.
_MOST = 400_000
# Of the raw archive's scans beyond the catalogue's, those that calibrate.
_RAW = 205_071
_CALIBRATE = (_RAW * 73_230 / (73_230 + 70_712)) / (_RAW - _TABLE_ROWS)
# Length of a calibration scan's footprint: 1 degree, and the ends that are not six frames deep.
CALIBRATION_LENGTH = 3600.0


def scan_table(n: int = _TABLE_ROWS, seed: int = 0) -> Table:
    """Return a simulated scan table with the survey's tiling.

    Parameters
    ----------
    n : int, optional
        Number of scans. The tiling has 59,726 tiles; the other 5 are second observations. Fewer
        are a random choice of the tiles. More stand for the raw archive (205,071 is all of it):
        72 in a hundred of those beyond calibrate, in 40 fields of 1 degree that are observed
        hundreds of times, and the rest are second observations.
    seed : int, optional
        Chooses dates and repeats.

    Returns
    -------
    `~astropy.table.Table`
        Columns of ``twomass_scn`` as far as position, identity and quality go, in degrees,
        rounded as the archive's are, with ``source`` "sim" in every row and
        ``meta["SIMULATE"]``. With 59,731 or more every position on the sky is covered. Beyond
        59,731 also columns of the raw scan table: s_type (sci, cal), frames (273 north, 274
        south; 48 of calibration scans) and as_cat (y for the first 59,731).

    Raises
    ------
    TableError
        If `n` is not positive, or beyond what the survey's nights could hold.
    """
    if n < 1:
        msg = f"a scan table of {n} rows makes no sense: ask for 1 or more"
        raise TableError(msg)
    if n > _MOST:
        msg = f"{n} scans do not fit the survey's nights: ask for at most {_MOST}"
        raise TableError(msg)
    rng = np.random.default_rng(seed)
    calibrating = round(max(0, n - _TABLE_ROWS) * _CALIBRATE)
    surveying = n - calibrating
    ra, dec = _tile_centers()
    tiles = len(ra)
    # Tiles in the order of the sky, so that a night's scans are neighbours; then the repeats.
    chosen = np.concatenate(
        [np.sort(rng.permutation(tiles)[: surveying - done]) for done in range(0, surveying, tiles)]
    )
    hemis = np.where(dec[chosen] >= _NORTH_FROM, "n", "s")
    field, field_hemis = calibration.visits(calibrating, rng)
    date, scan = _nights(hemis, field_hemis, rng)
    hemis = np.concatenate([hemis, field_hemis])
    south_going = scan % 2 == 0  # the telescope turns round at the end of each scan
    field_ra, field_dec = calibration.fields()
    place = np.arange(calibrating) % calibration.SET - (calibration.SET - 1) / 2
    shift = place * calibration.OFFSET / 3600 / np.cos(np.deg2rad(field_dec[field]))
    all_ra = np.concatenate([ra[chosen], np.mod(field_ra[field] + shift, 360)])
    all_dec = np.concatenate([dec[chosen], field_dec[field]])
    length = np.repeat([LENGTH, CALIBRATION_LENGTH], [surveying, calibrating])
    corners = _corners(all_ra, all_dec, length, south_going)
    # The table's centre is that of the corners' unit vectors.
    center_ra, center_dec = lonlat(corners.sum(axis=1))
    galactic = SkyCoord(center_ra, center_dec, unit="deg").galactic
    table = Table(
        {
            "scan_key": np.arange(1, n + 1),
            "hemis": hemis,
            "date": date,
            "scan": scan,
            "tile": np.concatenate([300_001 + chosen, 390_001 + field]),
            "ra": _rounded(center_ra),
            "dec": np.round(center_dec, 6),
            "glon": np.round(galactic.l.deg, 3),
            "glat": np.round(galactic.b.deg, 3),
        }
    )
    corner_ra, corner_dec = lonlat(corners)
    for k in range(4):
        table[f"ra_{k + 1}"] = _rounded(corner_ra[:, k])
        table[f"dec_{k + 1}"] = np.round(corner_dec[:, k], 6)
    for name in table.colnames[5:]:
        table[name].unit = "deg"
    table["sd"] = np.where(south_going, "s", "n")
    table["qual"] = rng.choice([5, 6, 7, 8, 9, 10], size=n, p=[0.02, 0.03, 0.05, 0.1, 0.2, 0.6])
    for name in ("hgl", "cld", "xph", "anom"):
        table[name] = np.zeros(n, int)
    if n > _TABLE_ROWS:
        table["s_type"] = np.repeat(["sci", "cal"], [surveying, calibrating])
        survey = np.where(hemis == "n", SURVEY_FRAMES["n"], SURVEY_FRAMES["s"])
        table["frames"] = np.where(table["s_type"] == "cal", calibration.FRAMES, survey)
        table["as_cat"] = np.where(np.arange(n) < _TABLE_ROWS, "y", "n")
    table["source"] = np.full(n, "sim")
    table.meta["SIMULATE"] = True
    table.meta["made_by"] = f"simulate.scan_table(n={n}, seed={seed})"
    table.meta["rows"] = n
    table.meta["comments"] = ["SIMULATE = T: the survey's tiling by twomass_nb, never observed"]
    return table


def _rounded(ra: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.mod(np.round(ra, 6), 360.0)


def _tile_centers() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Centres of all tiles, degrees: band by band from the south, eastward in each."""
    ra, dec = [], []
    for south in np.arange(-90.0, 90.0, BAND):
        equatorward = min(abs(south), abs(south + BAND))
        count = int(np.ceil(360 * 3600 * np.cos(np.deg2rad(equatorward)) / SPACING))
        ra.append((np.arange(count) + 0.5) * 360 / count)
        dec.append(np.full(count, south + BAND / 2))
    return np.concatenate(ra), np.concatenate(dec)


def _corners(
    ra: NDArray[np.float64],
    dec: NDArray[np.float64],
    length: NDArray[np.float64],
    south_going: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Corner vectors, shape (n, 4, 3), in the table's order.

    A scan is a strip of constant width along a meridian; at the poles it goes on beyond, where
    its east is still that of its start.
    """
    center = unit_vector(ra, dec)
    lon = np.deg2rad(ra)
    east = np.stack([-np.sin(lon), np.cos(lon), np.zeros_like(lon)], axis=-1)
    north = np.cross(center, east)
    along, across = (length / 2 * _RAD)[:, None], WIDTH / 2 * _RAD
    ends = [np.cos(along) * center + sign * np.sin(along) * north for sign in (-1, 1)]
    south_e, south_w, north_e, north_w = (
        np.cos(across) * end + side * np.sin(across) * east for end in ends for side in (1, -1)
    )
    n_going = np.stack([south_e, south_w, north_e, north_w], axis=1)
    return np.where(south_going[:, None, None], n_going[:, [2, 3, 0, 1]], n_going)


def _nights(
    survey: NDArray[np.str_], calibrate: NDArray[np.str_], rng: np.random.Generator
) -> tuple[NDArray[np.str_], NDArray[np.int64]]:
    """Dates and scan numbers, unique in each hemisphere, of survey and of calibration scans.

    Runs of tiles in shuffled nights. Each hour begins with six numbers for calibration, used or
    not, and goes on with six survey scans, as real nights do.
    """
    hemis = np.concatenate([survey, calibrate])
    calibrates = np.arange(len(hemis)) >= len(survey)
    date = np.empty(len(hemis), "U10")
    scan = np.empty(len(hemis), int)
    for site, first in _FIRST_NIGHT.items():
        nights = (_LAST_NIGHT - first).days + 1
        order = rng.permutation(nights)
        for kind in (False, True):
            rows = np.flatnonzero((hemis == site) & (calibrates == kind))
            if rows.size == 0:
                continue
            # Whole sets of six; the catalogue's 59,731 make 70 survey scans a night.
            used = max(1, min(int(nights * 0.75), -(-rows.size // 72)))
            per_night = -(-rows.size // used // calibration.SET) * calibration.SET
            block, k = np.arange(rows.size) // per_night, np.arange(rows.size) % per_night
            date[rows] = (np.datetime64(first) + order[block]).astype(str)
            start = 1 if kind else 1 + calibration.SET
            scan[rows] = start + k // calibration.SET * 2 * calibration.SET + k % calibration.SET
    return date, scan
