"""From a scan that covers a position to the frames of it that see the position, and the pixel."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from astropy import units as u
from astropy.table import Column, Table
from numpy.typing import NDArray

from ..array import track as paths
from ..array.geometry import ArrayGeometry, period_of
from ..scan import BANDS, ScanId, parse_band
from ..tables.scan_table import values

__all__ = ["every_frame", "frames_of_pairs", "frames_of_rows", "tracks"]

# The scan table's order of corners, as places of `Footprints.corners`.
_TABLE_ORDER = (0, 1, 3, 2)


def frames_of_rows(table: Table) -> NDArray[np.int64]:
    """Return the number of frames of each row: as the table says, or else a survey scan's."""
    default = np.where(values(table, "hemis") == "n", paths.FRAMES["n"], paths.FRAMES["s"])
    for name in ("frames", "n_frames"):
        if name in table.colnames:
            said = values(table, name).astype(float)
            default = np.where(said > 0, said, default)  # NaN where the table does not say
    return default.astype(int)


def tracks(table: Table, corners: NDArray[np.float64]) -> paths.ScanTrack:
    """Return the tracks of a table's rows, all in one: each field an array.

    They are the table's own (``trk_ra``, ``trk_dec``, ``trk_pa`` in degrees, ``trk_step`` in
    arcsec), where it has them, or else predicted from the corners (n, 4, 3) of `Footprints`.
    """
    south_going = values(table, "sd") == "s"
    first, pa = paths.track_of_corners(corners[:, _TABLE_ORDER], south_going)
    ra, dec = paths.lonlat(first)
    fields: dict[str, Any] = {
        "ra": ra,
        "dec": dec,
        "pa": np.rad2deg(pa),
        "step": np.where(south_going, -paths.MEAN_STEP, paths.MEAN_STEP),
    }
    if all(f"trk_{name}" in table.colnames for name in fields):
        own = {name: values(table, f"trk_{name}").astype(float) for name in fields}
        known = np.all([np.isfinite(value) for value in own.values()], axis=0)
        fields = {name: np.where(known, own[name], fields[name]) for name in fields}
    return paths.ScanTrack(**fields, n_frames=frames_of_rows(table))  # type: ignore[arg-type]


def _periods(table: Table) -> NDArray[np.str_]:
    """Period of array geometry of each row."""
    night = np.char.add(values(table, "date").astype(str), values(table, "hemis").astype(str))
    nights, number = np.unique(night, return_inverse=True)
    found = [period_of(ScanId(text[:-1], text[-1], 1)) for text in nights.tolist()]
    return np.array(found or [""])[number]


def frames_of_pairs(
    rows: Table, corners: NDArray[np.float64], ra: Any, dec: Any, band: str = "j"
) -> tuple[NDArray[Any], ...]:
    """Return first, last and best frame of scans that see positions, and the pixel.

    Parameters
    ----------
    rows : `~astropy.table.Table`
        One row of the scan table for each position.
    corners : array, shape (n, 4, 3)
        Their footprints' corners.
    ra, dec : float or array, shape (n,)
        Degrees.
    band : {"j", "h", "k"}, optional

    Returns
    -------
    first, last, best : array of int
        Counted from 0; -1 where no frame sees the position.
    x, y : array of float
        Pixel of the band's array in the best frame, counted from 0; NaN where there is none. The
        rotation has the sign that the headers of Atlas Images show.
    """
    along, west, step, n_frames = _offsets(rows, corners, ra, dec)
    periods = _periods(rows)
    result: tuple[NDArray[Any], ...] = (
        *(np.full(len(rows), -1) for _ in range(3)),
        *(np.full(len(rows), np.nan) for _ in range(2)),
    )
    for period in np.unique(periods):
        some = periods == period
        geometry = ArrayGeometry.preset(str(period), band, sign="header")
        seen = paths.frames_seeing(along[some], west[some], step[some], n_frames[some], geometry)
        for whole, part in zip(result, seen, strict=True):
            whole[some] = part
    return result


def _offsets(rows: Table, corners: NDArray[np.float64], ra: Any, dec: Any) -> tuple[Any, ...]:
    track = tracks(rows, corners)
    along, west = track.offsets(ra, dec)
    return along, west, np.asarray(track.step), np.asarray(track.n_frames)


def every_frame(
    rows: Table, corners: NDArray[np.float64], ra: Any, dec: Any, bands: Iterable[str] = BANDS
) -> Table:
    """Return every frame that sees a position, in each band, and the pixel.

    Parameters
    ----------
    rows, corners, ra, dec
        See `frames_of_pairs`.
    bands : iterable of {"j", "h", "k"}, optional

    Returns
    -------
    `~astropy.table.Table`
        One row a frame, sorted by pair, band (in the order given) and frame: pair (a row of
        `rows`), band, frame (from 0), x and y (from 0), best (whether it is the best frame).
    """
    along, west, step, _ = _offsets(rows, corners, ra, dec)
    periods = _periods(rows)
    parts: list[tuple[NDArray[Any], ...]] = []
    for order, name in enumerate(bands):
        band = parse_band(name)
        first, last, best, _, _ = frames_of_pairs(rows, corners, ra, dec, band)
        count = np.where(first >= 0, last - first + 1, 0)
        pair = np.repeat(np.arange(len(rows)), count)
        start = np.cumsum(count) - count
        frame = np.arange(len(pair)) - start[pair] + first[pair]
        x, y = np.empty(len(pair)), np.empty(len(pair))
        for period in np.unique(periods[pair]):
            some = periods[pair] == period
            geometry = ArrayGeometry.preset(str(period), band, sign="header")
            at = pair[some]
            x[some], y[some] = geometry.to_pixel(west[at], along[at] - frame[some] * step[at])
        which = (np.full(len(pair), order), np.full(len(pair), band))
        parts.append((pair, *which, frame, x, y, best[pair] == frame))
    columns = [np.concatenate(part) for part in zip(*parts, strict=True)]
    sorted_ = np.lexsort((columns[3], columns[1], columns[0]))
    result = Table()
    for name, column in zip(("pair", "", "band", "frame", "x", "y", "best"), columns, strict=True):
        if name:
            result[name] = column[sorted_]
    for name in "xy":
        result[name] = Column(result[name], unit=u.pix, format=".2f")
    return result
