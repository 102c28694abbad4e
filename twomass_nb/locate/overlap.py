"""Whether a scan's footprint and a region of the sky have any place in common."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy.coordinates import SkyCoord
from numpy.typing import NDArray

from ..array.track import lonlat, unit_vector
from ..errors import PositionError
from .footprint import ARCSEC, Footprints
from .index import PixelIndex

__all__ = ["cells_of", "mocs_of", "overlapping", "touches_circle", "touches_moc", "touches_polygon"]

_HOW = "give a circle or a polygon of the regions package, or a mocpy.MOC"
# A polygon must fit well into the half of the sky that a tangent plane can hold.
_WIDEST_POLYGON = np.deg2rad(60.0)
# Finest MOC cells that are told apart (order 13: 26 arcsec).
_FINEST = 13
_CHUNK = 2_000_000


def overlapping(footprints: Footprints, index: PixelIndex, region: Any) -> NDArray[np.bool_]:
    """Tell which scans overlap a region; see `ScanLocator.overlapping`.

    Raises
    ------
    PositionError
        If it is no region of a known kind, or an impossible one.
    """
    if hasattr(region, "contains_lonlat"):
        return touches_moc(footprints, index, region)
    if hasattr(region, "vertices"):
        return touches_polygon(footprints, _vectors(region.vertices))
    if type(region).__name__ in ("CircleSkyRegion", "CircleSphericalSkyRegion"):
        radius = float(region.radius.to_value("rad"))
        return touches_circle(footprints, _vectors(region.center), radius)
    msg = f"{type(region).__name__} is not a region that scans can be compared with: {_HOW}"
    raise PositionError(msg)


def _vectors(coord: SkyCoord) -> NDArray[np.float64]:
    if not isinstance(coord, SkyCoord):
        msg = f"this region is not one of the sky (in pixels?): {_HOW}"
        raise PositionError(msg)
    icrs = coord.icrs
    vectors = unit_vector(icrs.ra.deg, icrs.dec.deg)
    if not np.isfinite(vectors).all():
        msg = "this region is not on the sky: a coordinate is not a number"
        raise PositionError(msg)
    return vectors


def touches_circle(
    footprints: Footprints, center: NDArray[np.float64], radius: float
) -> NDArray[np.bool_]:
    """Tell which scans come within `radius` (rad) of a point (3,)."""
    if not 0 <= radius <= np.pi:
        msg = f"a circle of radius {np.rad2deg(radius):g} degrees is impossible: 0 to 180"
        raise PositionError(msg)
    sines = footprints.normals @ center
    near = np.all(sines >= 0, axis=1)
    a, b = footprints.corners, np.roll(footprints.corners, -1, axis=1)
    pole = np.cross(a, b)
    # Where the foot of the perpendicular lies on the edge, not beyond one of its ends.
    beside = (np.cross(pole, a) @ center >= 0) & (np.cross(b, pole) @ center >= 0)
    near |= np.any(beside & (np.abs(sines) <= np.sin(min(radius, np.pi / 2))), axis=1)
    chord = np.linalg.norm(a - center, axis=-1).min(axis=1)
    return near | (2 * np.arcsin(np.clip(chord / 2, 0, 1)) <= radius)


def touches_polygon(footprints: Footprints, vertices: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell which scans overlap a polygon (m, 3) whose edges are great circles.

    The polygon may be concave. On its tangent plane great circles are straight lines.

    Raises
    ------
    PositionError
        If it has fewer than three vertices, or is too wide for a plane.
    """
    center = vertices.sum(axis=0)
    size = float(np.linalg.norm(center))
    cosines = vertices @ center / size if size > 0 else np.zeros(1)
    if len(vertices) < 3 or cosines.min() < np.cos(_WIDEST_POLYGON):
        msg = (
            "a polygon needs three vertices or more within 60 degrees of its middle: cut it up, or "
            "use a mocpy.MOC"
        )
        raise PositionError(msg)
    axis = center / size
    radius = float(np.arccos(np.clip(cosines.min(), -1, 1)))
    found = touches_circle(footprints, axis, radius + ARCSEC)
    near = np.flatnonzero(found)
    basis = np.linalg.svd(axis[None])[2][1:]
    polygon = _on_plane(vertices, axis, basis)
    step = max(1, _CHUNK // (4 * len(polygon)))
    for first in range(0, len(near), step):
        some = near[first : first + step]
        quads = _on_plane(footprints.corners[some], axis, basis)
        hit = _inside(quads[:, 0], polygon) | _edges_cross(quads, polygon)
        hit |= np.all(footprints.normals[some] @ vertices[0] >= 0, axis=1)
        found[some] = hit
    return found


def _on_plane(
    vectors: NDArray[np.float64], axis: NDArray[np.float64], basis: NDArray[np.float64]
) -> NDArray[np.float64]:
    return vectors @ basis.T / (vectors @ axis)[..., None]


def _cross(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]


def _inside(points: NDArray[np.float64], polygon: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell which points (n, 2) are inside a plane polygon (m, 2): an odd number of crossings."""
    a, b = polygon, np.roll(polygon, -1, axis=0)
    x, y = points[:, None, 0], points[:, None, 1]
    straddles = (a[:, 1] > y) != (b[:, 1] > y)
    slope = (b[:, 0] - a[:, 0]) / np.where(b[:, 1] == a[:, 1], 1.0, b[:, 1] - a[:, 1])
    return np.count_nonzero(straddles & (x < a[:, 0] + (y - a[:, 1]) * slope), axis=1) % 2 == 1


def _edges_cross(quads: NDArray[np.float64], polygon: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell which quadrilaterals (n, 4, 2) have an edge that meets one of a polygon (m, 2)."""
    p, q = quads[:, :, None], np.roll(quads, -1, axis=1)[:, :, None]
    a, b = polygon, np.roll(polygon, -1, axis=0)
    apart_ab = _cross(b - a, p - a) * _cross(b - a, q - a) <= 0
    apart_pq = _cross(q - p, a - p) * _cross(q - p, b - p) <= 0
    return np.any(apart_ab & apart_pq, axis=(1, 2))


def touches_moc(footprints: Footprints, index: PixelIndex, moc: Any) -> NDArray[np.bool_]:
    """Tell which scans overlap a MOC: its cells count as they are, to order 13 (26 arcsec)."""
    found = np.zeros(len(footprints), bool)
    if moc.empty():
        return found
    level = index.levels[-1]
    cells, order = cells_of(moc, level.order)
    width = 2 * (level.order - order)
    pixel = ((cells[:, None] << width) + np.arange(1 << width)).ravel()
    start, end = level.offsets[pixel].astype(np.int64), level.offsets[pixel + 1]
    marks = np.zeros(len(level.scans) + 1, np.int64)
    np.add.at(marks, start, 1)
    np.add.at(marks, end.astype(np.int64), -1)
    near = np.unique(level.scans[np.cumsum(marks)[:-1] > 0])
    if near.size == 0:
        return found
    # Most scans have a corner or a place of their middle line in it, or are not near.
    c = footprints.corners[near]
    start_mid, end_mid = c[:, 0] + c[:, 1], c[:, 2] + c[:, 3]
    line = [(1 - t) * start_mid + t * end_mid for t in np.linspace(0, 1, 25)]
    ra, dec = lonlat(np.concatenate([c, np.stack(line, axis=1)], axis=1))
    sure = np.asarray(moc.contains_lonlat(*_angles(ra, dec))).reshape(ra.shape).any(axis=1)
    found[near[sure]] = True
    rest = near[~sure]
    if rest.size:
        coarse = moc.degrade_to_order(_FINEST) if moc.max_order > _FINEST else moc
        own = mocs_of(footprints, rest, coarse.max_order)
        found[rest] = [not one.intersection(coarse).empty() for one in own]
    return found


def _angles(ra: NDArray[np.float64], dec: NDArray[np.float64]) -> tuple[Any, Any]:
    from astropy.coordinates import Latitude, Longitude

    return Longitude(ra.ravel(), "deg"), Latitude(dec.ravel(), "deg")


def cells_of(moc: Any, finest: int) -> tuple[NDArray[np.int64], int]:
    """Return a MOC's cells, all of one order, and that order: its own, or `finest` if that is less.

    Cells that it covers in part count.
    """
    coarse = moc.degrade_to_order(finest) if moc.max_order > finest else moc
    return np.asarray(coarse.flatten(), np.int64), int(coarse.max_order)


def mocs_of(footprints: Footprints, rows: NDArray[np.integer], order: int) -> list[Any]:
    """Return a MOC of each scan: all cells of an order that its footprint touches."""
    from mocpy import MOC

    ra, dec = lonlat(footprints.corners[rows])
    pairs = [angles for corners in zip(ra, dec, strict=True) for angles in corners]
    return MOC.from_polygons(pairs, max_depth=order)
