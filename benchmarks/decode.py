"""Decoding a scan of 273 frames to arrays against plain gunzip of the same file, in one run.

For a few word orders: ``gunzip -c`` and Python's zlib, which only inflate, against `open_scan`
with the order given, which inflates and puts every pixel in its place; peak memory of that in a
process of its own; and, apart, the time to detect the order. Run as
``python benchmarks/decode.py``.
"""

from __future__ import annotations

import gzip
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

import twomass_nb as tm
from twomass_nb.array import ScanTrack
from twomass_nb.simulate import scan

FRAMES = 273
# The simulator's choice; by planes of bytes; as .rdo; pixels outermost, frames innermost; and
# one of the orders that cost most.
ORDERS = (
    "f b r Y X y x",
    "b f r Y y X x",
    "f r Y y X x b",
    "r Y y X x b f",
    "Y y X x f r b",
    "X b Y y x f r",
)
TIMES = 5

# VmHWM, not ru_maxrss: that one starts with what the parent process had.
PEAK = """
import re, sys
from pathlib import Path
import numpy as np, twomass_nb as tm
from twomass_nb import raw, tables
import astropy.units
used = lambda: int(re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1])
before = used()
tm.open_scan(sys.argv[1], layout=tm.Layout(sys.argv[2])).frames
print((used() - before) * 1024)
"""


def best_of(n: int, work: Callable[[], object]) -> float:
    """Shortest of `n` times, s."""
    times = []
    for _ in range(n):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def inflate(path: Path) -> None:
    """Inflate with Python's zlib, throwing the bytes away."""
    inner = zlib.decompressobj(31)
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            inner.decompress(piece)


def gunzip(path: Path) -> None:
    subprocess.run(["gunzip", "-c", str(path)], stdout=subprocess.DEVNULL, check=True)


def measure(path: Path, layout: tm.Layout, frames: np.ndarray) -> None:
    np.testing.assert_array_equal(tm.open_scan(path, layout=layout).frames, frames)
    times = {
        "gunzip": best_of(TIMES, lambda: gunzip(path)),
        "zlib": best_of(TIMES, lambda: inflate(path)),
        "ours": best_of(TIMES, lambda: tm.open_scan(path, layout=layout).frames),
    }
    out = subprocess.run(
        [sys.executable, "-c", PEAK, str(path), str(layout)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    start = time.perf_counter()
    try:
        found, _ = tm.detect_layout(path)
        outcome = "right" if found == layout else "WRONG"
    except tm.TwomassError:
        outcome = "refused"
    detect = time.perf_counter() - start
    print(
        f"{str(layout)[:13]:15}{times['gunzip']:8.3f}{times['zlib']:8.3f}{times['ours']:8.3f}"
        f"{times['ours'] / times['gunzip']:10.2f}{times['ours'] / times['zlib']:8.2f}"
        f"{int(out.stdout) / frames.nbytes:10.2f}   {detect:5.2f} s, {outcome}"
    )


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        track = ScanTrack(266.0, -29.0, 0.0, 82.2, FRAMES)
        night = scan(
            folder, "000529s063", "k", track=track, darks=0, twilights=0, coadds=False,
            layout=tm.Layout(ORDERS[0]),
        )  # fmt: skip
        path = night / "k1186063.rds.gz"
        frames = tm.open_scan(path, layout=tm.Layout(ORDERS[0])).frames
        print(f"{FRAMES} simulated frames, {frames.nbytes / 1e6:.0f} MB; best of {TIMES}, seconds")
        print("order           gunzip    zlib    ours  /gunzip   /zlib  peak/size   detect")
        for order in ORDERS:
            layout = tm.Layout(order)
            path.write_bytes(gzip.compress(layout.encode(frames), 6))
            measure(path, layout, frames)


if __name__ == "__main__":
    main()
