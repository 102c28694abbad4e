"""How often the locator differs from brute force in extended precision: it must be never.

Over 59,731 simulated scans: 1,000,000 random positions, and 100,000 within 1 milliarcsecond of
edges, of corners and of the poles. Either answer counts as right nearer than 1e-12 rad to an edge.

    python benchmarks/locate_exact.py [--random N] [--near N]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from twomass_nb.locate import ScanLocator
from twomass_nb.simulate.scan_table import scan_table

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "locate"))
import exact

MAS = np.deg2rad(1e-3 / 3600)


def random_sky(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    return rng.uniform(0, 360, n), np.rad2deg(np.arcsin(rng.uniform(-1, 1, n)))


def near(table: object, rng: np.random.Generator, n: int) -> dict[str, tuple[np.ndarray, ...]]:
    """Positions within a milliarcsecond of edges, corners and poles: at any scale below it too."""
    corners, normals = exact.polygons(table)
    k, e = rng.integers(0, len(table), n), rng.integers(0, 4, n)
    t = rng.uniform(0, 1, n)[:, None]
    away = (rng.choice([-1, 1], n) * MAS * 10.0 ** -rng.uniform(0, 6, n))[:, None]
    edge = exact.unit((1 - t) * corners[k, e] + t * corners[k, (e + 1) % 4]) + away * normals[k, e]
    direction = exact.unit(rng.normal(size=(n, 3)).astype(exact.LONG))
    corner = corners[k, e] + np.abs(away) * direction
    ra, dec = exact.degrees(np.concatenate([edge, corner]))
    pole = 90 - np.rad2deg(MAS) * 10.0 ** -rng.uniform(0, 6, n)
    return {
        "edges": (ra[:n], dec[:n]),
        "corners": (ra[n:], dec[n:]),
        "poles": (rng.uniform(0, 360, n), rng.choice([-1, 1], n) * np.minimum(pole, 90)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--random", type=int, default=1_000_000)
    parser.add_argument("--near", type=int, default=100_000)
    args = parser.parse_args()
    rng = np.random.default_rng(2000)
    loc = ScanLocator(scan_table())
    places = {"random": random_sky(rng, args.random)}
    third = -(-args.near // 3)
    places |= {f"within 1 mas of {name}": at for name, at in near(loc.table, rng, third).items()}
    total = 0
    for name, (ra, dec) in places.items():
        pairs = loc.query(ra, dec)
        wrong = exact.disagreements(loc.table, ra, dec, pairs)
        total += wrong
        counts = f"{len(ra):>10,} positions {len(pairs[0]):>10,} pairs"
        print(f"{name:<26}{counts} {wrong:>6} mismatches")
    if total:
        sys.exit(1)


if __name__ == "__main__":
    main()
