"""The exact area of a scan: four half spaces of the sphere, and signed distances to its edges.

A footprint is the polygon of corners 1, 2, 4, 3 of the scan table (1 east and 2 west where the
scan starts, 3 east and 4 west where it ends), its edges great circles. Each edge has a normal
that points inward, whichever way the scan went, so a position p is inside where n.p >= 0 for all
four, and asin(n.p) is its distance from the edge's great circle, positive inside.

What is exact here is the geometry of the corners. The true edge of a scan wanders about the great
circle, typically 2 arcsec, rarely 7-8 (Explanatory Supplement V.4).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from astropy.table import Table
from numpy.typing import NDArray

from ..errors import TableError, TwomassWarning
from ..tables.scan_table import row_name, values

__all__ = ["ARCSEC", "EDGES", "Footprints", "exact_vector"]

#: Edges in the order of the arrays' second axis.
EDGES = ("start", "west", "end", "east")
_START, _WEST, _END, _EAST = range(4)
# The polygon's corners as places in the table's order: edge k runs from corner k to corner k + 1.
_POLYGON = (0, 1, 3, 2)

#: Radians in an arcsecond.
ARCSEC = np.pi / 180 / 3600
# A footprint thinner than this is degenerate: no position could be said to be inside.
_THINNEST = 1.0 * ARCSEC
# Survey scans reach 3.1 degrees from their centre; no scan of the archive is longer than 6 deg.
_LARGEST = np.deg2rad(10.0)


def exact_vector(ra: Any, dec: Any) -> NDArray[np.longdouble]:
    """Return unit vectors (..., 3) of positions in degrees, in the longest float there is."""
    degree = np.arctan(np.longdouble(1)) / 45
    ra = np.asarray(ra, np.longdouble) * degree
    dec = np.asarray(dec, np.longdouble) * degree
    xyz = (np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec))
    return np.stack(np.broadcast_arrays(*xyz), axis=-1)


def _unit(vectors: NDArray[Any]) -> NDArray[Any]:
    return vectors / np.sqrt(np.sum(vectors**2, axis=-1, keepdims=True))


def _refuse(table: Table, bad: NDArray[np.bool_], why: str) -> None:
    rows = np.flatnonzero(bad)
    if rows.size:
        more = f" (and {rows.size - 1} more rows)" if rows.size > 1 else ""
        msg = f"{row_name(table, int(rows[0]))}: {why}{more}"
        raise TableError(msg)


def _warn_of_hands(table: Table, bad: NDArray[np.bool_]) -> None:
    """Say where the corners' sides contradict the direction: the area is right, its labels not."""
    rows = np.flatnonzero(bad)
    if rows.size:
        warnings.warn(
            f"{row_name(table, int(rows[0]))} and {rows.size - 1} others: with sd as given, their "
            "corners have east and west (or start and end) exchanged; dist_edge_flg may be wrong",
            TwomassWarning,
            stacklevel=4,
        )


@dataclass(frozen=True)
class Footprints:
    """Footprints of many scans.

    Attributes
    ----------
    corners : array, shape (n, 4, 3)
        Unit vectors round the polygon: east and west at the start, west and east at the end.
    normals : array, shape (n, 4, 3)
        Inward unit normals of the edges, in the order of `EDGES`. They are worked out in extended
        precision, so that distances are good to about 4e-16 rad.
    """

    corners: NDArray[np.float64]
    normals: NDArray[np.float64]

    @classmethod
    def from_table(cls, table: Table) -> Footprints:
        """Build footprints from the corners of a scan table.

        Raises
        ------
        TableError
            If the corners of a row make no footprint: shuffled (a bow-tie, or the long sides
            where its ends should be), degenerate, not convex, or wider than any scan. The row is
            named.

        Warns
        -----
        TwomassWarning
            If corners contradict the scan's direction: east and west, or start and end, exchanged.
        """
        ra = np.stack([values(table, f"ra_{k}") for k in "1234"], axis=1)[:, _POLYGON]
        dec = np.stack([values(table, f"dec_{k}") for k in "1234"], axis=1)[:, _POLYGON]
        corners = exact_vector(ra, dec)
        with np.errstate(invalid="ignore", divide="ignore"):
            center = _unit(corners.sum(axis=1))
            normals = np.cross(corners, np.roll(corners, -1, axis=1))
            # Seen from inside or outside, by the scan's direction and the parity of its labels.
            turn = np.sign(np.sum(normals.sum(axis=1) * center, axis=-1))
            normals = _unit(normals) * turn[:, None, None]
            # How far the other corners lie inside each edge: (row, edge, the two corners after it)
            other = np.stack(
                [np.sum(normals * np.roll(corners, -k, axis=1), axis=-1) for k in (2, 3)], axis=-1
            )
            reach = np.min(np.sum(corners * center[:, None], axis=-1), axis=1)
            sides = np.linalg.norm((corners - np.roll(corners, -1, axis=1)).astype(float), axis=-1)
            ahead = corners[:, 2:].sum(axis=1) - corners[:, :2].sum(axis=1)
            westward = corners[:, 1] - corners[:, 0] + corners[:, 2] - corners[:, 3]
            hand = np.sign(np.sum(np.cross(center, ahead) * westward, axis=-1))
        wide = ~(reach > np.cos(_LARGEST))
        bent = ~np.all(other > _THINNEST, axis=(1, 2))
        # Exchanging 2 and 3 leaves the area as it is, but makes the long sides its ends.
        across = sides[:, [_START, _END]].max(axis=1) > 2 * sides[:, [_WEST, _EAST]].min(axis=1)
        _refuse(table, wide, "its corners are too far apart for a scan")
        _refuse(
            table,
            bent | across,
            "its corners are degenerate or out of order: they must be 1 east and 2 west at the "
            "start of the scan, 3 east and 4 west at its end",
        )
        _warn_of_hands(table, hand != np.where(values(table, "sd") == "s", -1, 1))
        return cls(corners.astype(float), np.ascontiguousarray(normals.astype(float)))

    def __len__(self) -> int:
        return len(self.normals)

    def inside(
        self, i_scan: NDArray[np.integer], points: NDArray[np.float64], margin: float = 0.0
    ) -> NDArray[np.bool_]:
        """Tell whether points (m, 3) are in scans (m,); `margin` (arcsec) moves every edge out."""
        limit = -np.sin(margin * ARCSEC)
        x, y, z = points[:, 0], points[:, 1], points[:, 2]
        normals = self.normals.reshape(-1, 12).take(i_scan, axis=0)
        inside = np.ones(len(normals), bool)
        for k in range(0, 12, 3):
            inside &= normals[:, k] * x + normals[:, k + 1] * y + normals[:, k + 2] * z >= limit
        return inside

    def holding(
        self, i_scan: NDArray[np.integer], point: NDArray[np.float64], margin: float = 0.0
    ) -> NDArray[np.bool_]:
        """Tell which scans (m,) one point (3,) is in.

        Products are added in the order of `inside`: the two agree to the last bit.
        """
        parts = self.normals.take(i_scan, axis=0) * point
        sines = parts[:, :, 0] + parts[:, :, 1] + parts[:, :, 2]
        return (sines >= -np.sin(margin * ARCSEC)).all(axis=1)

    def distances(
        self, i_scan: NDArray[np.integer], points: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return signed distances (m, 4) in arcsec from the edges, positive inside."""
        sines = np.einsum("ijk,ik->ij", self.normals[i_scan], points)
        return np.arcsin(np.clip(sines, -1, 1)) / ARCSEC

    def nearest_edges(
        self,
        i_scan: NDArray[np.integer],
        points: NDArray[np.float64],
        south_going: NDArray[np.bool_],
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.str_]]:
        """Return dist_edge_ew, dist_edge_ns (arcsec) and dist_edge_flg, named as in the PSC.

        The flag's first letter says whether the north or the south edge is the nearer, its second
        whether the east or the west one is.
        """
        edges = self.distances(i_scan, points)
        north = np.where(south_going, edges[:, _START], edges[:, _END])
        south = np.where(south_going, edges[:, _END], edges[:, _START])
        east, west = edges[:, _EAST], edges[:, _WEST]
        flag = np.char.add(np.where(north < south, "n", "s"), np.where(east < west, "e", "w"))
        return np.minimum(east, west), np.minimum(north, south), flag
