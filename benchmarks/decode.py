"""Decoding a scan of 273 frames against inflating it alone and against a converter in C.

Everything in one run on the same simulated scan, in a few word orders, as the best of some rounds;
ratios say more than seconds, since other work on the machine slows all alike. Peak memory is that
of a process of its own, less what importing takes. Run as ``python benchmarks/decode.py``.

"isal" and "zlib" inflate in pieces and throw the bytes away. "gunzip" is the program. "zcat | C"
is ``zcat file | converter > /dev/null``, the converter being a few lines of C, compiled here.
"ours" is ``open_scan(path, layout=..., cache=False).frames``: inflated, checked and every pixel in
its place.
"""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from isal import isal_zlib

import twomass_nb as tm
from twomass_nb.array import ScanTrack
from twomass_nb.raw.layout import AXES
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
ROUNDS = 5
SETTLED = 2.5  # s: younger files are hashed again before what is known of them is trusted

CONVERTER = r"""
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* stdin in the order argv[2] of the axes frYyXxb, argv[1] frames; stdout in the order of .rdo */
int main(int argc, char **argv) {
    long n = atol(argv[1]), size = n * 262144, at = 0, step = 1, k, got;
    long length[] = {n, 2, 2, 128, 2, 128, 2}, s[7];
    unsigned char *in = malloc(size), *out = malloc(size), *o = out;
    while ((got = fread(in + at, 1, size - at, stdin)) > 0) at += got;
    for (k = 6; k >= 0; k--) {
        long axis = strchr("frYyXxb", argv[2][k]) - "frYyXxb";
        s[axis] = step;
        step *= length[axis];
    }
    for (long f = 0; f < n; f++) for (long r = 0; r < 2; r++)
    for (long Y = 0; Y < 2; Y++) for (long y = 0; y < 128; y++)
    for (long X = 0; X < 2; X++) {
        unsigned char *p = in + f*s[0] + r*s[1] + Y*s[2] + y*s[3] + X*s[4];
        for (long x = 0; x < 128; x++) { *o++ = p[x*s[5]]; *o++ = p[x*s[5] + s[6]]; }
    }
    fwrite(out, 1, size, stdout);
    return argc != 3;
}
"""

# VmHWM, not ru_maxrss: that one starts with what the parent process had.
CHILD = """
import re, sys, time
from pathlib import Path
import numpy as np, twomass_nb as tm
from twomass_nb import raw, tables
from twomass_nb.raw import decoded, source
import astropy.units
from isal import isal_zlib
path, layout, _ = sys.argv[1], tm.Layout(sys.argv[2]), tm.open_scan  # imported, not timed
used = lambda: int(re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1])
before, start = used(), time.perf_counter()
{work}
took = time.perf_counter() - start
print(took, (used() - before) * 1024)
"""
WORKS = {
    "isal, to bytes at once": "isal_zlib.decompress(open(path, 'rb').read(), wbits=31)",
    "ours": "tm.open_scan(path, layout=layout, cache=False).frames",
    "ours, filling the cache": "tm.open_scan(path, layout=layout).frames",
    "a frame, cache off": "tm.open_scan(path, layout=layout, cache=False).r1(136)",
    "a frame, warm": "tm.open_scan(path, layout=layout).r1(136)",
}


def best(works: dict[str, Callable[[], object]], after: Callable[[], object]) -> dict[str, float]:
    """Shortest time of each, s; all of them in turn, so that a slow minute is everyone's."""
    times: dict[str, float] = {}
    for _ in range(ROUNDS):
        for name, work in works.items():
            start = time.perf_counter()
            kept = work()
            took = time.perf_counter() - start
            times[name] = min(took, times.get(name, took))
            del kept
            after()
    return times


def inflate(path: Path, library: Any) -> None:
    """Inflate in pieces, throwing the bytes away."""
    inner = library.decompressobj(wbits=31)
    with path.open("rb") as file:
        while piece := file.read(1 << 18):
            inner.decompress(piece)


def pipe(path: Path, converter: Path, order: str) -> None:
    with subprocess.Popen(["zcat", path], stdout=subprocess.PIPE) as zcat:
        subprocess.run(
            [converter, str(FRAMES), order.replace(" ", "")],
            stdin=zcat.stdout, stdout=subprocess.DEVNULL, check=True,
        )  # fmt: skip


def compiled(folder: Path) -> Path | None:
    """Compile the converter; None, saying why, where there is no compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        print("no C compiler here (cc, gcc): 'zcat | C' is left out")
        return None
    source, program = folder / "converter.c", folder / "converter"
    source.write_text(CONVERTER)
    subprocess.run([compiler, "-O2", "-o", program, source], check=True)
    return program


def apart(path: Path, layout: tm.Layout, work: str) -> tuple[float, float]:
    """Time, s, and peak memory, bytes, in a process of its own."""
    out = subprocess.run(
        [sys.executable, "-c", CHILD.format(work=work), str(path), str(layout)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    took, peak = map(float, out.stdout.split())
    return took, peak


def stored() -> None:
    """Wait until nothing is being stored in the cache."""
    import threading

    for thread in threading.enumerate():
        if thread.name.startswith("storing"):
            thread.join()


def clear() -> None:
    stored()
    shutil.rmtree(os.environ["TWOMASS_NB_CACHE"], ignore_errors=True)


def full(path: Path, order: str, converter: Path | None, right: np.ndarray) -> None:
    """Time the whole decode against its peers."""
    layout = tm.Layout(order)
    np.testing.assert_array_equal(tm.open_scan(path, layout=layout, cache=False).frames, right)
    works: dict[str, Callable[[], object]] = {
        "isal": lambda: inflate(path, isal_zlib),
        "zlib": lambda: inflate(path, zlib),
        "gunzip": lambda: subprocess.run(
            ["gunzip", "-c", path], stdout=subprocess.DEVNULL, check=True
        ),
        "ours": lambda: tm.open_scan(path, layout=layout, cache=False).frames,
    }
    if converter:
        works["zcat | C"] = lambda: pipe(path, converter, order)
    times = best(works, clear)
    c = times.get("zcat | C", float("nan"))
    print(
        f"{order:15}"
        + "".join(f"{times[name]:8.3f}" for name in ("isal", "zlib", "gunzip"))
        + f"{c:8.3f}{times['ours']:8.3f}"
        + f"{times['ours'] / times['isal']:10.2f}{c / times['ours']:14.2f}"
    )


def frames(path: Path, order: str) -> None:
    """Time the first look at a frame, and the later ones."""
    layout = tm.Layout(order)

    def first_look(cache: bool) -> tuple[tm.RawScan, np.ndarray]:
        opened = tm.open_scan(path, layout=layout, cache=cache)
        return opened, opened.r1(136)

    looks = best({"off": lambda: first_look(False), "filling": lambda: first_look(True)}, clear)
    first_look(True)
    stored()
    opened, _ = first_look(True)
    warm = best({"open": lambda: first_look(True), "same": lambda: opened.r1(137)}, stored)
    fresh = min(apart(path, layout, WORKS["a frame, warm"])[0] for _ in range(ROUNDS))
    print(
        f"{order:15}{looks['off']:10.3f}{looks['filling']:10.3f}"
        f"{looks['filling'] / looks['off']:12.2f}"
        f"{1e3 * warm['same']:12.2f}{1e3 * warm['open']:10.2f}{1e3 * fresh:14.2f}"
    )


def memory(path: Path, order: str, size: int) -> None:
    """Compare the peak memory with the size of the frames."""
    peaks = []
    for name, work in WORKS.items():
        if name == "ours, filling the cache":
            clear()
        peaks.append(apart(path, tm.Layout(order), work)[1] / size)
    print(f"{order:15}" + "".join(f"{peak:24.2f}" for peak in peaks))


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["TWOMASS_NB_CACHE"] = str(folder / "cache")
        converter = compiled(folder)
        track = ScanTrack(266.0, -29.0, 0.0, 82.2, FRAMES)
        night = scan(
            folder, "000529s063", "k", track=track, darks=0, twilights=0, coadds=False,
            layout=tm.Layout(ORDERS[0]),
        )  # fmt: skip
        path = night / "k1186063.rds.gz"
        right = tm.open_scan(path, layout=tm.Layout(ORDERS[0]), cache=False).frames
        paths = []
        for k, order in enumerate(ORDERS, start=101):
            paths.append(night / f"k1186{k:03}.rds.gz")
            paths[-1].write_bytes(gzip.compress(tm.Layout(order).encode(right), 6))
            if converter:
                check(paths[-1], converter, order, right)
        time.sleep(SETTLED)
        files = list(zip(paths, ORDERS, strict=True))
        print(f"{FRAMES} simulated frames, {right.nbytes / 1e6:.0f} MB; best of {ROUNDS}, seconds")
        print(
            "\norder              isal    zlib  gunzip  zcat | C    ours  ours/isal  zcat|C / ours"
        )
        for path, order in files:
            full(path, order, converter, right)
        print("\nfirst look at one frame, s                         warm frame, ms")
        print(
            "order           cache off   filling  filling/off  same scan  same process  new process"
        )
        for path, order in files:
            frames(path, order)
        if Path("/proc/self/status").exists():
            print("\npeak memory / size of the frames")
            print(f"{'order':15}" + "".join(f"{name:>24}" for name in WORKS))
            for path, order in files:
                memory(path, order, right.nbytes)


def check(path: Path, converter: Path, order: str, right: np.ndarray) -> None:
    """Make sure that the peer does the same work."""
    out = subprocess.run(
        [converter, str(FRAMES), order.replace(" ", "")],
        input=gzip.decompress(path.read_bytes()), capture_output=True, check=True,
    )  # fmt: skip
    assert out.stdout == tm.Layout(AXES).encode(right)


if __name__ == "__main__":
    main()
