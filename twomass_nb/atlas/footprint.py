"""From Atlas Images to their scan: the track of its frames, and its row in a scan table."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from astropy import units as u
from astropy.table import Table

from ..array.track import MEAN_STEP, ScanTrack, lonlat, unit_vector
from ..errors import AtlasError
from ..scan import ScanId
from .image import AtlasImage

__all__ = ["footprint_table", "scan_table_from_atlas", "track_of"]

# A coadd's centre lies within half a step of the frame its number names; arcsec.
_COADD_SLACK = MEAN_STEP / 2
# A footprint from an Atlas header is a few arcsec off across the scan.
_ACROSS = 5.0


def _opened(images: Any) -> list[AtlasImage]:
    if isinstance(images, (AtlasImage, str, os.PathLike)):
        images = [images]
    opened = [im if isinstance(im, AtlasImage) else AtlasImage.open(im) for im in images]
    if not opened:
        msg = "no Atlas Images were given: give at least one"
        raise AtlasError(msg)
    return opened


def _mean_step(images: Sequence[AtlasImage]) -> float:
    """Mean step of a scan: least squares through the first frame over its coadds.

    Coadd 1 has no lever to tell the step; its header's local one (DYFS) stands in.
    """
    from_first = np.array([image.from_first for image in images])
    frame = np.array([image.coadd - 1 for image in images])
    step = from_first @ frame / (frame @ frame) if frame.any() else 0.0
    local = float(images[0].frame_step[1].value)
    return float(step) if step * local > 0 else local


def _track(images: Sequence[AtlasImage]) -> ScanTrack:
    vectors, angles = [], []
    for image in images:
        back = ScanTrack(
            image.number("CRVAL1") % 360, image.number("CRVAL2"), -image.number("CROTA2"),
            -image.from_first, 2,
        )  # fmt: skip
        vectors.append(np.asarray(back.center(1).cartesian.xyz))
        angles.append(back.pa_at(1))
    ra, dec = lonlat(np.mean(vectors, axis=0))
    n_frames = images[0].n_frames
    lever = max(1, *(image.coadd - 1 for image in images))
    return ScanTrack(
        float(ra), float(dec), float(np.mean(angles)), _mean_step(images), n_frames, "atlas",
        (_COADD_SLACK * max(1.0, (n_frames - 1) / lever), _ACROSS),
    )  # fmt: skip


def track_of(images: Any) -> ScanTrack:
    """Return the track of a scan from one or several of its coadds.

    Parameters
    ----------
    images : AtlasImage, path, or sequence of them
        Of one scan; bands may differ.

    Returns
    -------
    ScanTrack
        The step is fitted by least squares through the first frame; from one image it is the
        image's own.

    Raises
    ------
    AtlasError
        If there are none, or they are of several scans.
    """
    opened = _opened(images)
    scans = sorted({image.scan_id for image in opened})
    if len(scans) > 1:
        msg = f"these images are of several scans ({', '.join(map(str, scans))}): give one scan's"
        raise AtlasError(msg)
    return _track(opened)


def scan_table_from_atlas(images: Iterable[AtlasImage | str | os.PathLike[str]]) -> Table:
    """Make scan-table rows from Atlas Images: what a footprint is when no scan table is at hand.

    Parameters
    ----------
    images : sequence of AtlasImage or path

    Returns
    -------
    `~astropy.table.Table`
        One row a scan, sorted: the columns of twomass_scn a locator needs (corners 1 east and
        2 west at the start of the scan, 3 east and 4 west at its end; a few arcsec off across
        the scan, about 45 along), ``frames``, ``source`` = "atlas", and the track of frames:
        ``trk_ra trk_dec trk_pa`` (deg) and ``trk_step`` (arcsec).

    Raises
    ------
    AtlasError
        If there are none, or one cannot be read.
    """
    by_scan: dict[ScanId, list[AtlasImage]] = {}
    for image in _opened(images):
        by_scan.setdefault(image.scan_id, []).append(image)
    scans = []
    for scan_id, group in sorted(by_scan.items()):
        source = "sim" if group[0].simulated else "atlas"
        tile = int(group[0].header.get("STRIP_ID", 0))
        scans.append((scan_id, tile, replace(_track(group), source=source)))
    return footprint_table(scans)


def footprint_table(scans: Iterable[tuple[ScanId, int, ScanTrack]]) -> Table:
    """Make scan-table rows from tracks: see `scan_table_from_atlas` for the columns.

    Parameters
    ----------
    scans : iterable of (ScanId, int, ScanTrack)
        Scan, number of its tile, and track; a track's source becomes the row's.
    """
    rows = []
    for scan_id, tile, track in scans:
        ra, dec = track.corners()
        middle = lonlat(unit_vector(ra, dec).sum(axis=0))
        row = {
            "date": scan_id.date.isoformat(),
            "hemis": scan_id.hemis,
            "scan": scan_id.scan,
            "tile": tile,
            "sd": "s" if track.step < 0 else "n",
            "ra": float(middle[0]),
            "dec": float(middle[1]),
        }
        for k in range(4):
            row |= {f"ra_{k + 1}": ra[k], f"dec_{k + 1}": dec[k]}
        row |= {
            "source": track.source,
            "frames": track.n_frames,
            "trk_ra": track.ra,
            "trk_dec": track.dec,
            "trk_pa": track.pa,
            "trk_step": track.step,
        }
        rows.append(row)
    table = Table(rows)
    for name in table.colnames:
        if name.split("_")[0] in ("ra", "dec") or name in ("trk_ra", "trk_dec", "trk_pa"):
            table[name].unit = u.deg
    table["trk_step"].unit = u.arcsec
    if "sim" in table["source"]:
        table.meta["SIMULATE"] = True
    return table
