"""Positions a second: the locator against a brute-force half-space test over the same scans.

Also the time to build, save and load the index, its memory, and one position at a time. Run as
``python benchmarks/bench_locate.py``.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from twomass_nb.array.track import unit_vector
from twomass_nb.locate import ScanLocator
from twomass_nb.simulate.scan_table import scan_table

POSITIONS = 100_000
BRUTE_POSITIONS = 300


def best_of(n: int, work: Callable[[], object]) -> float:
    """Shortest of `n` times, s."""
    times = []
    for _ in range(n):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def brute_force(normals: np.ndarray, points: np.ndarray) -> list[np.ndarray]:
    """For each position the scans it is inside of: four products with every scan, as NumPy does."""
    edges = [np.ascontiguousarray(normals[:, k]) for k in range(4)]
    found = []
    for point in points:
        inside = edges[0] @ point >= 0
        for edge in edges[1:]:
            inside &= edge @ point >= 0
        found.append(np.flatnonzero(inside))
    return found


def main() -> None:
    table = scan_table()
    start = time.perf_counter()
    loc = ScanLocator(table)
    build = time.perf_counter() - start

    rng = np.random.default_rng(0)
    ra = rng.uniform(0, 360, POSITIONS)
    dec = np.rad2deg(np.arcsin(rng.uniform(-1, 1, POSITIONS)))
    ours = best_of(3, lambda: loc.query(ra, dec)) / POSITIONS
    ours_margin = best_of(3, lambda: loc.query(ra, dec, 30.0)) / POSITIONS
    ours_wide = best_of(1, lambda: loc.query(ra[:5000], dec[:5000], 300.0)) / 5000
    one = best_of(5, lambda: [loc.query(10.0, 20.0) for _ in range(200)]) / 200

    points = unit_vector(ra[:BRUTE_POSITIONS], dec[:BRUTE_POSITIONS])
    normals = loc.footprints.normals
    theirs = best_of(2, lambda: brute_force(normals, points)) / BRUTE_POSITIONS
    i, k = loc.query(ra[:BRUTE_POSITIONS], dec[:BRUTE_POSITIONS])
    same = all(
        np.array_equal(k[i == j], scans) for j, scans in enumerate(brute_force(normals, points))
    )

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "index"
        save = best_of(3, lambda: loc.save(path))
        load = best_of(3, lambda: ScanLocator.load(path))
        size = path.stat().st_size
    arrays = (loc.index.offsets, loc.index.scans, loc.footprints.corners, loc.footprints.normals)

    memory = sum(array.nbytes for array in arrays)
    for what, value in (
        ("scans", f"{len(loc):,}"),
        ("build", f"{build:.2f} s"),
        ("save / load", f"{save * 1e3:.0f} / {load * 1e3:.0f} ms"),
        ("file / index in memory", f"{size / 1e6:.1f} / {memory / 1e6:.1f} MB"),
        (f"query, {POSITIONS:,} positions", f"{1 / ours:,.0f} positions/s"),
        ("  with a margin of 30 arcsec", f"{1 / ours_margin:,.0f} positions/s"),
        ("  with one of 300 arcsec", f"{1 / ours_wide:,.0f} positions/s"),
        ("query, one position", f"{one * 1e6:.0f} us"),
        ("brute force, NumPy", f"{1 / theirs:,.0f} positions/s ({BRUTE_POSITIONS} measured)"),
        ("same answers", str(same)),
        ("ratio", f"{theirs / ours:,.0f} x brute force"),
    ):
        print(f"{what:<32}{value}")


if __name__ == "__main__":
    main()
