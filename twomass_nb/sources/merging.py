"""Sources of several lists that are one: merged by position, whatever the order of the lists."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy import units as u
from numpy.typing import NDArray

from ..errors import TableError
from ..scan import BANDS
from .matching import chord, positions, values, vectors

if TYPE_CHECKING:
    from astropy.table import QTable

__all__ = ["merge"]

_MISSING = -1


def merge(tables: Mapping[str, Any], radius: u.Quantity = 2 * u.arcsec) -> QTable:
    """Merge the sources of the bands by position.

    Detections no farther apart than `radius` are linked, and what is linked is a group: so no
    order matters. Where a group has more than one detection of a list it is confused: it is
    split, the closest pairs of different lists joined first, and its rows say so. Every
    detection is in exactly one row.

    Parameters
    ----------
    tables : dict of `~astropy.table.Table`
        By band (or by any names): columns ``ra``, ``dec``; ``mag``, ``mag_error``, ``snr`` and
        ``flags`` where they have them.
    radius : `~astropy.units.Quantity`, optional
        2 arcsec is what the survey's own working databases used (seed 003).

    Returns
    -------
    `~astropy.table.QTable`
        One row a source, sorted by dec and ra: ``ra``, ``dec`` (mean of its detections),
        ``spread`` (farthest detection from it), ``n`` (detections), ``group``, ``confused``; of
        each band ``j_row`` (row of its table, from 0; -1: not found in it), and ``j_m``,
        ``j_cmsig``, ``j_snr``, ``j_flags`` (nan or 0 where there is none). ``meta`` has
        ``radius`` (arcsec), ``groups``, ``confused`` (groups) and ``SIMULATE``.

    Raises
    ------
    TableError
        If there is no table, or one has no positions.
    """
    from astropy.table import QTable

    if not tables:
        msg = "nothing to merge: give tables by band, as {'j': table, 'h': table, 'k': table}"
        raise TableError(msg)
    names = sorted(tables, key=lambda one: (BANDS.index(one) if one in BANDS else len(BANDS), one))
    places = [np.stack(positions(tables[name]), axis=-1) for name in names]
    place = np.concatenate(places)
    lengths = [len(one) for one in places]
    which = np.repeat(np.arange(len(names)), lengths)
    row = np.concatenate([np.arange(n) for n in lengths])
    group, source = _groups(vectors(*place.T), which, place, chord(radius.to_value(u.arcsec)))

    n = int(source.max(initial=-1)) + 1
    index = np.full((n, len(names)), _MISSING)
    index[source, which] = row
    mean, spread = _means(vectors(*place.T), source, which, n, len(names))
    of = np.zeros(n, np.int64)
    of[source] = group
    count = np.bincount(source, minlength=n)
    crowded = _confused(group, which, len(names))[of]
    order = np.lexsort((mean[:, 0], mean[:, 1]))
    # numbered as they come, not as the tables had them
    _, first, of = np.unique(of[order], return_index=True, return_inverse=True)
    renamed = np.argsort(np.argsort(first))[of]

    merged = QTable()
    merged["ra"], merged["dec"] = mean[order, 0] * u.deg, mean[order, 1] * u.deg
    merged["spread"] = spread[order] * u.arcsec
    merged["n"], merged["group"], merged["confused"] = count[order], renamed, crowded[order]
    for k, name in enumerate(names):
        _add(merged, name, tables[name], index[order, k])
    merged.meta.update(
        radius=float(radius.to_value(u.arcsec)),
        groups=len(first),
        confused=len(np.unique(renamed[crowded[order]])),
        SIMULATE=any(bool(tables[name].meta.get("SIMULATE", False)) for name in names),
    )
    return merged


def _groups(
    points: NDArray[np.float64], which: NDArray[np.int64], place: NDArray[np.float64], reach: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the group and the source of each detection, both numbered from 0."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    n = len(points)
    if not n:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    pairs = cKDTree(points).query_pairs(reach, output_type="ndarray")
    a, b = pairs.T
    links = coo_array((np.ones(len(a), bool), (a, b)), shape=(n, n))
    _, group = connected_components(links, directed=False)
    confused = _confused(group, which, int(which.max()) + 1)[group]
    between = confused[a] & (which[a] != which[b])
    a, b = a[between], b[between]
    # equal distances: by place, which no order of tables changes
    length = np.linalg.norm(points[a] - points[b], axis=-1)
    a, b = np.where(which[a] < which[b], a, b), np.where(which[a] < which[b], b, a)
    order = np.lexsort((*place[b].T, *place[a].T, which[b], which[a], length))
    source = np.where(confused, n + np.arange(n), group)
    _join(source, which, a[order], b[order])
    return group.astype(np.int64), np.unique(source, return_inverse=True)[1].astype(np.int64)


def _join(
    source: NDArray[np.int64], which: NDArray[np.int64], a: NDArray[np.int64],
    b: NDArray[np.int64],
) -> None:  # fmt: skip
    """Join sources along pairs, in their order, unless two detections of a list would meet."""
    members = {int(source[i]): [int(i)] for i in np.union1d(a, b)}
    for i, j in zip(a.tolist(), b.tolist(), strict=True):
        one, other = int(source[i]), int(source[j])
        if one == other or {*which[members[one]]} & {*which[members[other]]}:
            continue
        members[one] += members.pop(other)
        source[members[one]] = one


def _confused(
    group: NDArray[np.int64], which: NDArray[np.int64], n_lists: int
) -> NDArray[np.bool_]:
    """Return which groups have more than one detection of a list."""
    n = int(group.max(initial=-1)) + 1
    counts = np.bincount(group * n_lists + which, minlength=n * n_lists)
    return np.asarray((counts.reshape(n, n_lists) > 1).any(axis=1))


def _means(
    points: NDArray[np.float64], source: NDArray[np.int64], which: NDArray[np.int64], n: int,
    n_lists: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:  # fmt: skip
    """Return mean positions (degrees) and the farthest detection from each (arcsec)."""
    # summed list by list: the same to the last bit in any order
    total = np.zeros((n, 3))
    for k in range(n_lists):
        total[source[which == k]] += points[which == k]
    mean = total / np.linalg.norm(total, axis=-1, keepdims=True)
    far = np.zeros(n)
    np.maximum.at(far, source, np.linalg.norm(points - mean[source], axis=-1))
    ra = np.rad2deg(np.arctan2(mean[:, 1], mean[:, 0])) % 360
    dec = np.rad2deg(np.arctan2(mean[:, 2], np.hypot(mean[:, 0], mean[:, 1])))
    return np.stack([ra, dec], axis=-1), np.rad2deg(2 * np.arcsin(far / 2)) * 3600


def _add(merged: QTable, name: str, table: Any, row: NDArray[np.int64]) -> None:
    """Add what a list says of each source, in the catalogue's words."""
    there = row != _MISSING
    merged[f"{name}_row"] = row
    for column, own, unit in (
        ("mag", "m", u.mag), ("mag_error", "cmsig", u.mag), ("snr", "snr", u.one),
    ):  # fmt: skip
        if column in table.colnames:
            said = np.full(len(row), np.nan)
            said[there] = values(table[column], str(unit))[row[there]]
            merged[f"{name}_{own}"] = said * unit if unit is u.mag else said
    if "flags" in table.colnames:
        flags = np.zeros(len(row), np.int64)
        flags[there] = np.asarray(table["flags"])[row[there]]
        merged[f"{name}_flags"] = flags
