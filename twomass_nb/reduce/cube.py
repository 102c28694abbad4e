"""The calibrated frames of a scan in one FITS file, written frame by frame."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits

from ..array.geometry import SIZE
from ..calibrate import Calibrator, Flag, SkyOffsets
from ..files import whole_file
from ..raw import RawScan

__all__ = ["write_frames"]

_BLOCK = 2880
_CUBES = {"": ">f4", "UNCERT": ">f4", "FLAGS": "u1"}


def write_frames(scan: RawScan, calibrator: Calibrator, sky: SkyOffsets, path: Path) -> None:
    """Write all calibrated frames: a cube of pixels, one of their errors, and one of flags.

    No more than a frame is in memory. Where read 2 alone is full there is read 1, and the flag
    ``SATURATED_R2``; pixels that no read is of use for are NaN.
    """
    with whole_file(path) as file:
        starts, end = [], 0
        for name, dtype in _CUBES.items():
            header = _header(scan, sky, name, np.dtype(dtype)).tostring().encode("ascii")
            file.seek(end)
            file.write(header)
            starts.append(end + len(header))
            size = scan.n_frames * SIZE**2 * np.dtype(dtype).itemsize
            end = starts[-1] + size + -size % _BLOCK
        file.truncate(end)
        for i in range(scan.n_frames):
            pixels, variance, flags, mask = calibrator.science(scan, i, sky=sky)
            planes = (np.where(mask, np.nan, pixels), np.sqrt(variance), flags)
            for start, plane, dtype in zip(starts, planes, _CUBES.values(), strict=True):
                frame = plane.astype(dtype)
                file.seek(start + i * frame.nbytes)
                file.write(frame.data)


def _header(scan: RawScan, sky: SkyOffsets, name: str, dtype: Any) -> fits.Header:
    bits = -8 * dtype.itemsize if dtype.kind == "f" else 8 * dtype.itemsize
    cards: list[tuple[str, Any, str]]
    cards = [("XTENSION", "IMAGE", "calibrated frames")] if name else [("SIMPLE", True, "FITS")]
    cards += [("BITPIX", bits, ""), ("NAXIS", 3, "x, y, frame (from 0)")]
    cards += [("NAXIS1", SIZE, ""), ("NAXIS2", SIZE, ""), ("NAXIS3", scan.n_frames, "")]
    cards += [("PCOUNT", 0, ""), ("GCOUNT", 1, "")] if name else [("EXTEND", True, "")]
    cards += [("EXTNAME", name, "")] if name else []
    if scan.simulated:
        cards.append(("SIMULATE", True, "simulated: no telescope has seen this"))
    if name != "FLAGS":
        cards.append(("BUNIT", "adu", "DN of r2 - r1 a raw pixel"))
    cards += [("ORIGIN", "twomass_nb", "calibrated from raw frames, not a 2MASS product")]
    cards += [("SCAN", str(scan.scan_id), ""), ("FILTER", str(scan.band), "band: j, h, k")]
    cards += [("SKYBLK", len(sky.blocks), "blocks of sky offsets, subtracted")]
    if name == "FLAGS":
        cards += [(f"BIT{int(f).bit_length() - 1}", str(f.name), "of the flags") for f in Flag]
    return fits.Header([fits.Card(*card) for card in cards])
