"""Quality figures: what the pieces of work found, scan by scan, for people and for programs."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from astropy import units as u
from astropy.table import QTable

from .. import __version__
from ..files import whole_file
from ..scan import BANDS, ScanId
from .keeping import write_table
from .places import place_of, quality_of
from .tasks import Name, Record

__all__ = ["doubts", "quality_table", "write_quality"]

#: Beyond these a scan is not as it should be: a place within it is seen by six frames, and
#: offsets of frames differ by some 1 DN.
_COVERAGE, _BACKGROUND, _STREAKS = 5, 0.1, 5

#: Columns of the table, a row an image: type, unit.
_COLUMNS: dict[str, tuple[type, Any]] = {
    "frames": (int, None),
    "sources": (int, None),
    "solo": (int, None),
    "level": (float, u.adu),
    "noise": (float, u.adu),
    "uncertainty": (float, u.adu),
    "limit": (float, u.mag),
    "fwhm": (float, u.arcsec),
    "background_rms": (float, u.adu),
    "transient_pixels": (int, None),
    "streaks": (int, None),
    "unlike": (int, None),
    "coverage": (float, None),
    "empty": (float, None),
}


def quality_table(scan_id: ScanId, records: Mapping[Name, Record], simulated: bool) -> QTable:
    """Return the figures of a scan's images, a row each.

    Returns
    -------
    `~astropy.table.QTable`
        ``scan_id``, ``band``, ``coadd``, ``file``; ``frames`` coadded, ``sources`` found and, of
        them, ``solo``, those that one frame alone shows; ``level`` of the background, ``noise`` of
        a pixel as it scatters and ``uncertainty`` as it should, ``limit`` (magnitude at a signal to
        noise of 10), ``fwhm``, ``background_rms`` (of the frames' offsets), ``transient_pixels``
        and ``streaks`` masked, frames left out as ``unlike`` the others, ``coverage`` (median,
        frames), ``empty`` (share of pixels without any), ``stale`` (file and figures are of an
        earlier reduction), ``error`` (why it was not made).
    """
    images = sorted(
        (name for name in records if name.kind == "image" and name.scan == scan_id.scan),
        key=lambda name: (BANDS.index(name.band), name.coadd),
    )
    table = QTable()
    table["scan_id"] = np.array([str(scan_id)] * len(images), dtype=str)
    table["band"] = np.array([name.band for name in images], dtype=str)
    table["coadd"] = np.array([name.coadd for name in images], dtype=int)
    table["file"] = np.array([place_of(name) for name in images], dtype=str)
    for column, (kind, unit) in _COLUMNS.items():
        blank = math.nan if kind is float else 0
        values = [records[name].figures.get(column, blank) for name in images]
        table[column] = np.array(values, dtype=kind) * (unit if unit is not None else 1)
    table["stale"] = np.array([records[name].stale for name in images], dtype=bool)
    table["error"] = np.array([records[name].error for name in images], dtype=str)
    table.meta["SIMULATE"] = simulated
    return table


def doubts(table: QTable, records: Mapping[Name, Record]) -> list[str]:
    """Return what in a scan's figures is not as a good scan's, a line each.

    Parameters
    ----------
    table : `~astropy.table.QTable`
        See `quality_table`.
    records : dict of Record
        Of this scan.
    """
    found = []
    good = table[table["error"] == ""]
    for scan, band in dict.fromkeys(zip(good["scan_id"], good["band"], strict=True)):
        rows = good[good["band"] == band]
        lines = [*_of_images(rows), *_of_positions(records, int(scan[-3:]), band)]
        found += [f"{scan} {band}: {line}" for line in lines]
    return found


def _of_images(rows: QTable) -> Iterator[str]:
    inner = rows["coverage"][1:-1]  # a scan's first and last images reach beyond its ends
    if len(inner) and np.median(inner) < _COVERAGE:
        yield f"inner images are covered by {np.median(inner):.3g} frames (median), not by 6"
    rms, level = rows["background_rms"].value, np.abs(rows["level"].value)
    off = rms > _BACKGROUND * level
    if off.any():
        yield (
            f"background_rms up to {rms[off].max():.3g} DN, above {_BACKGROUND:.0%} of the sky "
            f"level, in {off.sum()} images: are darks and twilights of this camera?"
        )
    many = rows["streaks"] > _STREAKS
    if many.any():
        yield f"up to {rows['streaks'].max()} streaks in {many.sum()} images"
    unlike = rows["unlike"] > 0
    if unlike.any():
        yield f"up to {rows['unlike'].max()} frames unlike the others in {unlike.sum()} images"


def _of_positions(records: Mapping[Name, Record], scan: int, band: str) -> Iterator[str]:
    frames = _figures(records, Name("sky", scan, band)).get("frames", 0)
    measured = _figures(records, Name("positions", scan, band)).get("frames_measured", frames)
    if 2 * measured < frames:
        yield f"positions measured of {measured} of {frames} frames: the others are as predicted"


def write_quality(
    folder: Path, scan_id: ScanId, records: Iterable[Record], simulated: bool
) -> QTable:
    """Write a scan's figures: ``quality.json`` with all of them, ``quality.ecsv`` of images.

    Parameters
    ----------
    folder : path
        Of the night.
    scan_id : ScanId
    records : iterable of Record
        Of this scan and of the night.
    simulated : bool
    """
    known = {record.task: record for record in records if record.task.scan in (0, scan_id.scan)}
    table = quality_table(scan_id, known, simulated)
    table.meta["warnings"] = doubts(table, known)
    bands = {name.band for name in known if name.scan and name.band}
    said = {
        "scan_id": str(scan_id),
        "simulated": simulated,
        "version": __version__,
        "failed": {str(name): one.error for name, one in known.items() if one.error},
        "stale": [str(name) for name, one in known.items() if one.stale],
        "doubts": table.meta["warnings"],
        "warnings": {str(name): one.warnings for name, one in known.items() if one.warnings},
        "merged": _figures(known, Name("merged", scan_id.scan)),
        "bands": {
            band: {
                kind: _figures(known, Name(kind, 0 if kind == "calibrator" else scan_id.scan, band))
                for kind in ("calibrator", "sky", "positions", "sources")
            }
            | {
                kind: {str(name.coadd): _figures(known, name) for name in sorted(known)
                       if name.kind == kind and name.band == band}
                for kind in ("image", "compare")
            }
            for band in BANDS if band in bands
        },
    }  # fmt: skip
    as_json, as_table = quality_of(scan_id.scan)
    with whole_file(folder / as_json) as file:
        file.write((json.dumps(_finite(said), indent=1) + "\n").encode())
    write_table(table, folder / as_table)
    return table


def _figures(records: Mapping[Name, Record], name: Name) -> dict[str, Any]:
    return records[name].figures if name in records else {}


def _finite(value: Any) -> Any:
    """Return the same for JSON, which has no NaN: null."""
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
