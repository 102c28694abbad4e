"""Which scans cover positions: ours, brute force, mocpy, PostgreSQL with pgSphere, in one run.

For one position, a thousand and a million, over 59,731 and 205,071 simulated scans; also the time
to build, save and load an index, and its size. Ends with every target as met or not, and draws how
time grows with scans and positions. What would take too long is measured on a part and said so.

    python benchmarks/locate.py [--plot docs/images/locate_cost.png] [--quick]

PostgreSQL is started for the run in a temporary folder, on a Unix socket, and stopped after it;
Debian: apt-get install postgresql postgresql-15-pgsphere. Without it that part is left out.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from peers.pgsphere import Postgres

from twomass_nb.array.track import lonlat, unit_vector
from twomass_nb.locate import ScanLocator
from twomass_nb.locate.index import PixelIndex
from twomass_nb.simulate.scan_table import scan_table

SIZES = (59_731, 205_071)
COUNTS = (1, 1_000, 1_000_000)
# Positions, or scans, of which the slow ones are measured.
BRUTE_MOST, MOC_SCANS, PG_MOST = 200, 1_000, 100_000


def best_of(n: int, work: Callable[[], object]) -> float:
    """Shortest of `n` times, s."""
    times = []
    for _ in range(n):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def sky(n: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.uniform(0, 360, n), np.rad2deg(np.arcsin(rng.uniform(-1, 1, n)))


def brute_plain(normals: np.ndarray, points: np.ndarray) -> list[np.ndarray]:
    """For each position the scans it is inside of, as anybody would write it."""
    return [np.flatnonzero((normals @ point >= 0).all(axis=1)) for point in points]


def brute_tuned(normals: np.ndarray, points: np.ndarray) -> list[np.ndarray]:
    """Do the same as fast as NumPy goes: each edge apart and contiguous, products by BLAS."""
    edges = [np.ascontiguousarray(normals[:, k]) for k in range(4)]
    found = []
    for point in points:
        inside = edges[0] @ point >= 0
        for edge in edges[1:]:
            inside &= edge @ point >= 0
        found.append(np.flatnonzero(inside))
    return found


def mocpy_time(loc: ScanLocator, ra: np.ndarray, dec: np.ndarray) -> tuple[float, float]:
    """Time to make a MOC a scan, and to ask each for all positions: a part, scaled to all."""
    from astropy import units as u
    from mocpy import MOC

    some = np.random.default_rng(1).permutation(len(loc))[:MOC_SCANS]
    corners = zip(*lonlat(loc.footprints.corners[some]), strict=True)
    flat = [angles for pair in corners for angles in pair]
    scale = len(loc) / MOC_SCANS
    start = time.perf_counter()
    mocs = MOC.from_polygons(flat, max_depth=10)
    made = time.perf_counter() - start
    lon, lat = ra * u.deg, dec * u.deg
    asked = best_of(1, lambda: [moc.contains_lonlat(lon, lat) for moc in mocs])
    return made * scale, asked * scale


MEMORY = """
import sys
import numpy as np
from twomass_nb.locate import ScanLocator

def peak():  # of this process alone: ru_maxrss would begin with its parent's
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024

import healpy
before = peak()
loc = ScanLocator.load(sys.argv[1])
loc.query(10.0, 20.0)
loaded = peak()
rng = np.random.default_rng(0)
n = 1_000_000
loc.query(rng.uniform(0, 360, n), np.rad2deg(np.arcsin(rng.uniform(-1, 1, n))))
print(loaded - before, peak() - before)
"""


def memory(path: Path) -> tuple[float, float]:
    """Peak memory of a process above its imports, MB: an index loaded and asked, then a million."""
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, str(path)], capture_output=True, text=True, check=True
    )
    loaded, million = done.stdout.split()
    return float(loaded), float(million)


def measure(n: int, quick: bool, postgres: Postgres | None) -> dict[str, object]:
    """Every number for a table of `n` scans; times in seconds."""
    table = scan_table(n)
    found: dict[str, object] = {"scans": n}
    start = time.perf_counter()
    loc = ScanLocator(table)
    found["build"] = time.perf_counter() - start
    found["index"] = best_of(1, lambda: PixelIndex.build(loc.footprints, progress=False))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "index"
        found["save"] = best_of(2, lambda: loc.save(path))
        found["load"] = best_of(5, lambda: ScanLocator.load(path))
        found["load, bytes unchecked"] = best_of(5, lambda: ScanLocator.load(path, verify=False))
        found["MB"] = path.stat().st_size / 1e6
        found["memory, loaded and asked once"], found["memory, a million asked"] = memory(path)
        loc = ScanLocator.load(path)
    ra, dec = sky(COUNTS[-1])
    loc.query(ra, dec)
    for count in COUNTS:
        repeats = max(1, 300 // count)
        where = (ra[0], dec[0]) if count == 1 else (ra[:count], dec[:count])
        found["ours", count] = (
            best_of(5, lambda: [loc.query(*where) for _ in range(repeats)]) / repeats  # noqa: B023
        )
    found["ours, margin 30", COUNTS[-1]] = best_of(2, lambda: loc.query(ra, dec, 30.0))
    found["ours, margin 300", COUNTS[-1]] = best_of(1, lambda: loc.query(ra, dec, 300.0))
    normals = np.array(loc.footprints.normals)
    points = unit_vector(ra[:BRUTE_MOST], dec[:BRUTE_MOST])
    i, k = loc.query(ra[:BRUTE_MOST], dec[:BRUTE_MOST])
    for name, brute in (("brute, plain", brute_plain), ("brute, tuned", brute_tuned)):
        found[name, 1] = best_of(2, lambda: brute(normals, points)) / BRUTE_MOST  # noqa: B023
        answers = brute(normals, points)
        assert all(np.array_equal(k[i == j], answers[j]) for j in range(BRUTE_MOST)), name
    if not quick:
        for count in COUNTS[:2]:
            made, asked = mocpy_time(loc, ra[:count], dec[:count])
            found["mocpy", count], found["mocpy, make"] = asked, made
    if postgres:
        found["pgSphere, copy and index"] = postgres.load(loc, ra[:PG_MOST], dec[:PG_MOST])
        for count in (*COUNTS[:2], PG_MOST):
            found["pgSphere", count], rows = postgres.join(count)
        ours = len(loc.query(ra[:PG_MOST], dec[:PG_MOST])[0])
        print(f"pgSphere finds {rows:,} pairs, ours {ours:,}")
    return found


def report(found: dict[str, object]) -> None:
    print(f"\n{found['scans']:,} scans")
    for key, value in found.items():
        if key == "scans":
            continue
        if key == "MB":
            print(f"  {'index file, mapped':<40}{value:.0f} MB")
        elif str(key).startswith("memory"):
            print(f"  {key:<40}{value:.0f} MB above the imports")
        elif isinstance(key, str):
            print(f"  {key:<40}{value * 1e3:,.1f} ms")
        else:
            name, count = key
            plural = "position" if count == 1 else "positions"
            text = f"{name}, {count:,} {plural}"
            print(f"  {text:<40}{value * 1e3:,.4g} ms   {value / count * 1e6:,.4g} us each")


def targets(results: list[dict[str, object]]) -> None:
    print("\ntargets")
    million = COUNTS[-1]

    def say(what: str, value: str, met: bool | None) -> None:
        verdict = {True: "met", False: "NOT met", None: "not measured"}[met]
        print(f"  {what:<58}{value:<14}{verdict}")

    for found in results:
        n, each = f"{found['scans']:,} scans", found["ours", million] / million
        for kind in ("plain", "tuned"):
            ratio = found[f"brute, {kind}", 1] / each
            say(f"{n}: a million 3,000 x brute force ({kind})", f"{ratio:,.0f} x", ratio >= 3000)
        if ("pgSphere", PG_MOST) in found:
            ratio = found["pgSphere", PG_MOST] / PG_MOST / each
            say(f"{n}: a million 150 x pgSphere's join", f"{ratio:,.0f} x", ratio >= 150)
        else:
            say(f"{n}: a million 150 x pgSphere's join", "", None)
        one = found["ours", 1] * 1e6
        say(f"{n}: one position under 50 us", f"{one:.0f} us", one < 50)
        load = found["load"] * 1e3
        say(f"{n}: load under 50 ms", f"{load:.1f} ms", load < 50)
    build = results[-1]["build"]
    say("205,071 scans: build under 15 s", f"{build:.1f} s", build < 15)


def draw(path: Path, results: list[dict[str, object]]) -> None:
    """Time against the number of scans and of positions."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    ra, dec = sky(COUNTS[-1])
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
    sizes = (1_000, 5_000, 20_000, 59_731, 205_071)
    one, many, brute = [], [], []
    for n in sizes:
        loc = ScanLocator(scan_table(n))
        one.append(best_of(3, lambda: [loc.query(10.0, 20.0) for _ in range(300)]) / 300)  # noqa: B023
        many.append(best_of(3, lambda: loc.query(ra[:100_000], dec[:100_000])) / 1e5)  # noqa: B023
        points = unit_vector(ra[:50], dec[:50])
        brute.append(best_of(2, lambda: brute_tuned(loc.footprints.normals, points)) / 50)  # noqa: B023
    for values, label in (
        (brute, "brute force, tuned"), (one, "ours, one position"), (many, "ours, 100,000 at once"),
    ):  # fmt: skip
        left.loglog(sizes, np.array(values) * 1e6, "o-", label=label)
    left.set(xlabel="scans", ylabel="µs a position")
    found = results[-1]
    for name, style in (("ours", "o-"), ("pgSphere", "s-"), ("mocpy", "^-")):
        counts = sorted(key[1] for key in found if isinstance(key, tuple) and key[0] == name)
        if counts:
            right.loglog(counts, [found[name, count] for count in counts], style, label=name)
    counts = np.array(COUNTS)
    right.loglog(
        counts, counts * found["brute, tuned", 1], "--", label="brute force, tuned (scaled)"
    )
    right.set(xlabel="positions", ylabel="s", title=f"{found['scans']:,} scans")
    for axis in (left, right):
        axis.legend(frameon=False)
        axis.grid(alpha=0.3)
    figure.suptitle("Which simulated scans cover a position")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    print(f"\n{path}")


def main() -> None:
    default = Path(__file__).parents[1] / "docs" / "images" / "locate_cost.png"
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--plot", type=Path, default=default, metavar="PATH")
    parser.add_argument("--quick", action="store_true", help="without mocpy and the plot")
    args = parser.parse_args()
    try:
        with Postgres() as postgres:
            results = [measure(n, args.quick, postgres) for n in SIZES]
    except (FileNotFoundError, subprocess.CalledProcessError) as why:
        print(f"left out: pgSphere ({why}); Debian: postgresql-15-pgsphere")
        results = [measure(n, args.quick, None) for n in SIZES]
    for found in results:
        report(found)
    targets(results)
    if not args.quick:
        draw(args.plot, results)


if __name__ == "__main__":
    main()
