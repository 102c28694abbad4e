"""Which scans may touch a place: an inverted HEALPix index of footprints, in compressed rows.

The index only proposes; `Footprints` decides. It must never miss a scan, and may propose too many.
"""

from __future__ import annotations

from dataclasses import dataclass

import healpy as hp
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from ..errors import TableError
from .footprint import Footprints

__all__ = ["ORDER", "PAD", "PixelIndex"]

#: Order 8 (pixels of 13.7 arcmin): 3.7 candidates for every scan that covers a position.
ORDER = 8
#: Arcsec by which footprints are grown before they are entered, so that a usual margin needs no
#: look at neighbouring pixels, and nothing hangs on the last bit of healpy's arithmetic.
PAD = 60.0
_SLACK = 1.0


@dataclass(frozen=True)
class PixelIndex:
    """Scans by HEALPix pixel.

    Attributes
    ----------
    order : int
        HEALPix order; pixels are in the nested scheme.
    offsets : array of uint32, shape (npix + 1,)
        The scans of pixel p are ``scans[offsets[p]:offsets[p + 1]]``.
    scans : array of uint32
        Scan numbers, rising within each pixel.
    """

    order: int
    offsets: NDArray[np.uint32]
    scans: NDArray[np.uint32]

    @classmethod
    def build(cls, footprints: Footprints, order: int = ORDER) -> PixelIndex:
        """Enter every footprint, grown by `PAD`, into all pixels that it touches."""
        nside = 1 << order
        polygons = footprints.grown_corners(PAD)
        rows = []
        for i, polygon in enumerate(
            tqdm(polygons, "indexing scans", delay=1, disable=None, leave=False)
        ):
            try:
                rows.append(hp.query_polygon(nside, polygon, inclusive=True, fact=4, nest=True))
            except RuntimeError as err:
                msg = f"row {i}: HEALPix refuses the footprint ({err})"
                raise TableError(msg) from None
        pixels = np.concatenate(rows)
        scans = np.repeat(np.arange(len(rows), dtype=np.uint32), [len(row) for row in rows])
        by_pixel = np.argsort(pixels, kind="stable")
        counts = np.bincount(pixels, minlength=hp.nside2npix(nside))
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.uint32)
        return cls(order, offsets, scans[by_pixel])

    def near(
        self, ra: NDArray[np.float64], dec: NDArray[np.float64]
    ) -> tuple[NDArray[np.intp], NDArray[np.uint32]]:
        """Return candidates for positions (deg), good for margins up to `PAD`.

        Returns
        -------
        i_position, i_scan : array
            Sorted by position, then scan; every pair once.
        """
        pixels = hp.ang2pix(1 << self.order, ra, dec, nest=True, lonlat=True)
        return self._gather(np.arange(len(pixels)), pixels)

    def within(
        self, points: NDArray[np.float64], radius: float
    ) -> tuple[NDArray[np.intp], NDArray[np.uint32]]:
        """Return candidates whose footprint may come within `radius` (rad) of points (m, 3)."""
        discs = [
            hp.query_disc(1 << self.order, point, radius, inclusive=True, fact=4, nest=True)
            for point in points
        ]
        owners = np.repeat(np.arange(len(discs)), [len(disc) for disc in discs])
        i_position, i_scan = self._gather(owners, np.concatenate(discs))
        pairs = np.unique(np.stack([i_position, i_scan.astype(np.intp)]), axis=1)
        return pairs[0], pairs[1].astype(np.uint32)

    @staticmethod
    def covers(margin: float) -> bool:
        """Whether `near` is enough for a margin (arcsec)."""
        return margin <= PAD - _SLACK

    def _gather(
        self, owners: NDArray[np.intp], pixels: NDArray[np.integer]
    ) -> tuple[NDArray[np.intp], NDArray[np.uint32]]:
        """Repeat each owner for every scan of its pixel."""
        start = self.offsets[pixels].astype(np.intp)
        count = self.offsets[pixels + 1].astype(np.intp) - start
        i_position = np.repeat(owners, count)
        # 0, 1, 2 ... within each pixel, added to where its scans start
        place = np.arange(len(i_position)) + np.repeat(start - np.cumsum(count) + count, count)
        return i_position, self.scans[place]
