"""Which scans may touch a place: an inverted HEALPix index of footprints, in compressed rows.

The index only proposes; `Footprints` decides. It must never miss a scan, and may propose too many.

A scan is a long strip, so two slabs say nearly all of where it is: for the edges east and west,
with inward normals e and w, a place p inside both has (e + w).p >= |(w - e).p|, hence
|(w - e).p| <= |e + w|, a single product; the same for start and end. The slabs serve twice, to fill
the index (grown by how far a pixel reaches from its centre) and to thin out its proposals.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import healpy as hp
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from .footprint import ARCSEC, Footprints

__all__ = ["LEVELS", "Level", "PixelIndex", "slabs_of"]

#: HEALPix orders and the margins (arcsec) that each is good for. Pixels of order 8 (13.7 arcmin)
#: propose 5 scans for every one that covers a position; half as many at order 9 would save a tenth
#: of the time and cost two and a half times the memory.
LEVELS = ((4, 3600.0), (6, 360.0), (8, 30.0))
# Blocks the search for each pixel's scans starts from.
_BASE = 2
# Radians that make up for single precision in the slabs (1e-7) and in healpy's pixel edges.
_SLACK = 1e-6
# Products held at once where no level will do.
_CHUNK = 20_000_000


@dataclass(frozen=True)
class Level:
    """Scans by HEALPix pixel, with footprints grown by `pad`.

    Attributes
    ----------
    order : int
        HEALPix order; pixels are in the nested scheme.
    pad : float
        Arcsec.
    offsets : array of uint32, shape (npix + 1,)
        The scans of pixel p are ``scans[offsets[p]:offsets[p + 1]]``.
    scans : array of uint32
        Scan numbers, rising within each pixel.
    """

    order: int
    pad: float
    offsets: NDArray[np.uint32]
    scans: NDArray[np.uint32]

    def blocks(self) -> Iterator[NDArray[np.uint32]]:
        """Give the scans of each pixel in turn."""
        for start, end in pairwise(self.offsets.tolist()):
            yield self.scans[start:end]


def slabs_of(footprints: Footprints) -> NDArray[np.float32]:
    """Return for each scan the slab between its long sides and that between its ends.

    Returns
    -------
    array of float32, shape (n, 8)
        Twice a direction (3 numbers) and half the width in it.
    """
    n = footprints.normals
    parts = []
    for a, b in ((1, 3), (0, 2)):
        parts += [(n[:, a] - n[:, b]) / 2, np.linalg.norm(n[:, a] + n[:, b], axis=-1)[:, None] / 2]
    return np.concatenate(parts, axis=1).astype(np.float32)


def _touching(
    slabs: NDArray[np.float32], points: NDArray[np.float32], grow: float
) -> NDArray[np.bool_]:
    """Tell which scans (n) come within `grow` (rad) of which points (3, m), as far as slabs say."""
    near = np.abs(slabs[:, :3] @ points) <= slabs[:, 3:4] + np.float32(grow)
    near &= np.abs(slabs[:, 4:7] @ points) <= slabs[:, 7:8] + np.float32(grow)
    return near


def _centers(order: int, first: int, count: int) -> NDArray[np.float32]:
    pixels = np.arange(first, first + count)
    return np.stack(hp.pix2vec(1 << order, pixels, nest=True)).astype(np.float32)


@dataclass(frozen=True)
class PixelIndex:
    """The index of a scan table's footprints: see the module.

    Attributes
    ----------
    footprints : Footprints
    slabs : array of float32, shape (n, 8)
    levels : tuple of Level
        From coarse and wide to fine and narrow.
    """

    footprints: Footprints
    slabs: NDArray[np.float32]
    levels: tuple[Level, ...]

    @classmethod
    def build(cls, footprints: Footprints, progress: bool = True) -> PixelIndex:
        """Enter every footprint into all pixels that it touches: each level within the one above.

        With `progress`, what takes over a second shows a bar on a terminal.
        """
        slabs = slabs_of(footprints)
        middle = footprints.corners.sum(axis=1).astype(np.float32)
        grow = hp.max_pixrad(1 << _BASE)
        lists = []
        for pixel in range(hp.nside2npix(1 << _BASE)):
            center = _centers(_BASE, pixel, 1)
            near = _touching(slabs, center, grow + LEVELS[0][1] * ARCSEC + _SLACK)[:, 0]
            near &= (middle @ center)[:, 0] > -4 * np.sin(grow)  # slabs cross on the far side too
            lists.append(np.flatnonzero(near).astype(np.uint32))
        counts = np.array([len(part) for part in lists])
        level = Level(_BASE, LEVELS[0][1], _offsets(counts), np.concatenate(lists))
        levels = []
        for order, pad in LEVELS:
            level = cls._refine(level, slabs, order, pad, progress)
            levels.append(level)
        return cls(footprints, slabs, tuple(levels))

    @staticmethod
    def _refine(
        above: Level, slabs: NDArray[np.float32], order: int, pad: float, progress: bool
    ) -> Level:
        children = 1 << 2 * (order - above.order)
        grow = hp.max_pixrad(1 << order) + pad * ARCSEC + _SLACK
        counts, scans = [], []
        bar = tqdm(
            above.blocks(), "indexing scans", total=len(above.offsets) - 1, delay=1,
            disable=None if progress else True, leave=False, unit="pixel",
        )  # fmt: skip
        for block, some in enumerate(bar):
            if len(some) == 0:
                counts.append(np.zeros(children, np.int64))
                continue
            points = _centers(order, block * children, children)
            near = _touching(slabs[some], points, grow).T
            counts.append(np.count_nonzero(near, axis=1))
            scans.append(some[np.nonzero(near)[1]])
        return Level(order, pad, _offsets(np.concatenate(counts)), np.concatenate(scans))

    def _level(self, margin: float) -> Level | None:
        """Finest level that is good for a margin (arcsec), if any is."""
        return next((level for level in reversed(self.levels) if margin <= level.pad), None)

    def one(self, point: NDArray[np.float64], margin: float) -> NDArray[np.uint32]:
        """Return the candidates for one point (3,), sorted; see `near`."""
        level = self._level(margin)
        if level is None:
            return self._anywhere(point[None], margin)[1]
        pixel = hp.vec2pix(1 << level.order, *point.tolist(), nest=True)
        return level.scans[level.offsets[pixel] : level.offsets[pixel + 1]]

    def near(
        self, points: NDArray[np.float64], margin: float
    ) -> tuple[NDArray[np.intp], NDArray[np.uint32]]:
        """Return candidates for points (m, 3): pairs that may be within `margin` (arcsec).

        Returns
        -------
        i_position, i_scan : array
            Sorted by position, then scan; every pair once.
        """
        level = self._level(margin)
        if level is None:
            return self._anywhere(points, margin)
        pixels = hp.vec2pix(1 << level.order, *points.T, nest=True)
        start = level.offsets[pixels].astype(np.intp)
        count = level.offsets[pixels + 1] - start
        end = np.cumsum(count)
        i_position = np.repeat(np.arange(len(points)), count)
        # 0, 1, 2 ... within each pixel, added to where its scans start
        place = np.arange(len(i_position)) + np.repeat(start - end + count, count)
        i_scan = level.scans[place]
        slab = self.slabs[:, :4].take(i_scan, axis=0)
        single = points.astype(np.float32).take(i_position, axis=0)
        across = slab[:, 0] * single[:, 0]
        across += slab[:, 1] * single[:, 1]
        across += slab[:, 2] * single[:, 2]
        limit = slab[:, 3] + np.float32(np.sin(margin * ARCSEC) + _SLACK)
        may = np.flatnonzero(np.abs(across, out=across) <= limit)
        return i_position[may], i_scan[may]

    def _anywhere(
        self, points: NDArray[np.float64], margin: float
    ) -> tuple[NDArray[np.intp], NDArray[np.uint32]]:
        """Try all scans: for margins beyond the widest level."""
        middle = self.footprints.corners.sum(axis=1).astype(np.float32)
        grow = np.sin(margin * ARCSEC) + _SLACK
        i_position, i_scan = [], []
        step = max(1, _CHUNK // len(middle))
        for first in range(0, len(points), step):
            single = points[first : first + step].T.astype(np.float32)
            near = _touching(self.slabs, single, grow)
            near &= middle @ single > 0
            i, k = np.nonzero(near.T)
            i_position.append(i + first)
            i_scan.append(k.astype(np.uint32))
        return np.concatenate(i_position), np.concatenate(i_scan)


def _offsets(counts: NDArray[np.integer]) -> NDArray[np.uint32]:
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.uint32)
