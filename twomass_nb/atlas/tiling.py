"""Where the images of a whole scan lie along it, and the header cards that say where one lies."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..array.track import ScanTrack

__all__ = ["COLUMNS", "PIXEL", "ROWS", "TileImage", "place_cards", "step_cards", "tile_images"]

#: Degrees a pixel: CDELT of real headers.
PIXEL = 0.0002777777845
#: Columns and rows of an image; the last of a scan has 698 rows (IPAC IV.3).
COLUMNS, ROWS, LAST_ROWS = 512, 1024, 698
#: Images of a tile and band, and arcsec from one to the next: neighbours share 54 rows.
IMAGES, EVERY = 23, 970
# Along the scan the first image's centre is 668 arcsec north of the first frame's, or 664 south
# of it: USYREF + 512 of real headers is 668 + 970 k, or -664 - 970 k.
_FIRST = {"n": 668.0, "s": -664.0}


class TileImage(NamedTuple):
    """One image of a scan.

    Attributes
    ----------
    coadd : int
        Its number: 1 + the frame nearest to its centre.
    center : float
        Arcsec of its middle row from the first frame's centre, northward along the scan.
    rows : int
    """

    coadd: int
    center: float
    rows: int


def tile_images(track: ScanTrack) -> list[TileImage]:
    """Return the images that the survey made of a scan, as far as the scan reaches."""
    sign = -1.0 if track.step < 0 else 1.0
    length = abs(track.step) * (track.n_frames - 1)
    images = []
    for k in range(IMAGES):
        rows = LAST_ROWS if k == IMAGES - 1 else ROWS
        start = _FIRST["s" if sign < 0 else "n"] + sign * (EVERY * k - ROWS // 2)
        center = start + sign * (rows // 2)
        if abs(center) - 300 < length:
            images.append(TileImage(1 + round(center / track.step), center, rows))
    return images


def place_cards(
    track: ScanTrack, center: float, shape: tuple[int, int], west: float = 0.0
) -> list[tuple[str, Any, str]]:
    """Return the cards that place an image on the sky: keyword, value, comment.

    Parameters
    ----------
    track : ScanTrack
    center, west : float
        Arcsec of its middle from the first frame's centre: northward along the scan, and west.
    shape : (rows, columns)
    """
    rows, columns = shape
    ra, dec = track.positions(center, west)
    ahead = ScanTrack(track.ra, track.dec, track.pa, center, 2)
    return [
        ("CTYPE1", "RA---SIN", "Orthographic Projection"),
        ("CTYPE2", "DEC--SIN", "Orthographic Projection"),
        ("CRPIX1", columns / 2 + 0.5, "Axis 1 Reference Pixel"),
        ("CRPIX2", rows / 2 + 0.5, "Axis 2 Reference Pixel"),
        ("CRVAL1", float(ra), "RA  at Frame Center, J2000 (deg)"),
        ("CRVAL2", float(dec), "Dec at Frame Center, J2000 (deg)"),
        ("CROTA2", -ahead.pa_at(1), "Image Twist +AXIS2 W of N, J2000 (deg)"),
        ("CDELT1", -PIXEL, "Axis 1 Pixel Size (degs)"),
        ("CDELT2", PIXEL, "Axis 2 Pixel Size (degs)"),
        ("USXREF", west - columns / 2 - 0.5, "U-scan X at Grid (0,0)"),
        ("USYREF", center - rows // 2, "U-scan Y at Grid (0,0)"),
    ]


def step_cards(step: float, rotation: float) -> list[tuple[str, Any, str]]:
    """Return the cards of the frame step (arcsec), the array turned by `rotation` (radians)."""
    return [
        ("DXFS", float(step * np.sin(rotation)), "Cross-scan Frame Step (arcsec)"),
        ("DYFS", float(step * np.cos(rotation)), "In-scan Frame Step (arcsec)"),
    ]
