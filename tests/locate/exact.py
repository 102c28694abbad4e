"""Brute force in extended precision: what the locator must agree with, sharing none of its code."""

from __future__ import annotations

import numpy as np

LONG = np.longdouble
DEGREE = np.arctan(LONG(1)) / 45
ARCSEC = DEGREE / 3600


def vector(ra, dec):
    ra, dec = np.asarray(ra, LONG) * DEGREE, np.asarray(dec, LONG) * DEGREE
    return np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=-1)


def unit(v):
    return v / np.sqrt((v * v).sum(axis=-1, keepdims=True))


def degrees(v):
    """RA in [0, 360) and Dec of vectors (n, 3), as doubles."""
    v = np.asarray(v, float)
    return np.mod(np.rad2deg(np.arctan2(v[:, 1], v[:, 0])), 360), np.rad2deg(
        np.arctan2(v[:, 2], np.hypot(v[:, 0], v[:, 1]))
    )


def polygons(table):
    """Corners 1, 2, 4, 3 and the inward normals of the edges between them, (n, 4, 3)."""
    corners = np.stack([vector(table[f"ra_{k}"], table[f"dec_{k}"]) for k in (1, 2, 4, 3)], axis=1)
    normals = unit(np.cross(corners, np.roll(corners, -1, axis=1)))
    center = corners.sum(axis=1)
    return corners, np.where(
        (normals * center[:, None]).sum(-1, keepdims=True) < 0, -1, 1
    ) * normals


def brute(table, ra, dec, margin=0.0):
    """Return all pairs (position, scan) inside, and each pair's distance from the nearest edge.

    Scans are ruled out only where no corner can reach: farther in declination than the farthest
    corner of any scan is from its centre, or, by a product in single precision with a wide berth,
    farther on the sky. All the rest is done in long double.
    """
    corners, normals = polygons(table)
    center = unit(corners.sum(axis=1))
    far = np.arccos(np.min((corners * center[:, None]).sum(-1))) + 3 * abs(margin) * ARCSEC
    far = min(far, LONG(2.9))
    limit = np.float32(np.cos(far)) - np.float32(1e-4)
    points = vector(ra, dec)
    center_dec = np.asarray(np.arcsin(center[:, 2]), float)
    order = np.argsort(points[:, 2])
    found = []
    for block in np.array_split(order, max(1, len(order) // 500)):
        block_dec = np.asarray(np.arcsin(np.clip(points[block, 2], -1, 1)), float)
        low, high = block_dec.min() - float(far) - 1e-6, block_dec.max() + float(far) + 1e-6
        scans = np.flatnonzero((center_dec >= low) & (center_dec <= high))
        coarse = points[block].astype(np.float32) @ center[scans].astype(np.float32).T
        i, k = np.nonzero(coarse > limit)
        i, k = block[i], scans[k]
        sines = np.stack([(normals[k, e] * points[i]).sum(-1) for e in range(4)], axis=-1)
        depth = sines.min(axis=-1) + np.sin(margin * ARCSEC)
        near = depth > -1e-9
        found.append((i[near], k[near], depth[near]))
    return tuple(np.concatenate(part) for part in zip(*found, strict=True))


def disagreements(table, ra, dec, pairs, margin=0.0):
    """Count pairs that differ; nearer than 1e-12 rad to an edge either answer is right."""
    i, k, depth = brute(table, ra, dec, margin)
    n = len(table)
    inside = set((i * n + k)[depth >= 0].tolist())
    either = set((i * n + k)[np.abs(depth) < 1e-12].tolist())
    ours = set((np.asarray(pairs[0]) * n + np.asarray(pairs[1])).tolist())
    assert len(ours) == len(pairs[0]), "a pair came twice"
    return len((ours ^ inside) - either)
