"""What the reader does with damaged files: thousands of them, each from a number and so repeatable.

Each is a small scan in some word order, packed in some way, named in some way, then cut, flipped,
mixed or lengthened, and read twice, with and without the cache; sometimes the cache is damaged in
between. Plain zlib and the unmutated frames say what is right. Run as ``python benchmarks/fuzz.py
[inputs] [first]``; ends with 1 if anything is wrong, crashes, hangs or is refused without cause.
"""

from __future__ import annotations

import gzip
import os
import random
import re
import select
import subprocess
import sys
import tempfile
import time
import warnings
import zlib
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

import twomass_nb as tm
from twomass_nb.raw.layout import AXES, FRAME_BYTES

INPUTS = 10_000
PATIENCE = 60  # s without an answer are a hang
CUT_AND_DAMAGED = "warned: cut, and damaged where no checksum is left; as zlib reads it"
GOOD = ("right frames", "clear error", "warned, right frames before the end")
NAMES = ("k1186063.rds.gz", "k1186063.rdo.gz", "k1186063.rds", "k1186063.rdo")
LIES = ("k1186063.fits", "k1186063.gz", "mine.rds", "k1186063.RDS.GZ", "k1186063.rds.gz.rds")


@lru_cache(maxsize=1)
def frames_of_all() -> np.ndarray:
    """Frames with a sky, bars, noise and some stars; no two alike."""
    rng = np.random.default_rng(2000529)
    frames = rng.normal(0, 12, (8, 2, 256, 256)) + rng.normal(0, 40, 256)
    frames += np.array([900, 4000])[:, None, None]
    for _ in range(200):
        i, y, x = rng.integers(0, (8, 250, 250))
        frames[i, 1, y : y + 3, x : x + 3] += rng.integers(100, 30_000)
    return frames.clip(0, 65_535).astype(np.uint16)


@lru_cache(maxsize=1)
def zeros() -> bytes:
    """64 MiB of nothing, as gzip."""
    return gzip.compress(bytes(1 << 26), 9)


def some_layout(rng: random.Random) -> tm.Layout:
    axes = "".join(rng.sample(AXES, 7))
    if rng.random() < 0.6:
        axes = "f" + axes.replace("f", "")
    block = rng.choice((None, None, None, None, 1, 2))
    difference = rng.choice(("", "", "", "", "r", "x", "f"))
    return tm.Layout(axes, rng.random() < 0.5, block, difference)


def packed(rng: random.Random, content: bytes) -> bytes:
    """Return gzip of one or several members, with or without a name and padding."""
    cuts = sorted(rng.choices(range(len(content)), k=rng.choice((0, 0, 0, 1, 3))))
    parts = [content[a:b] for a, b in zip([0, *cuts], [*cuts, len(content)], strict=True)]
    out = b""
    for part in parts:
        member = gzip.compress(part, rng.choice((0, 1, 1, 1, 6)))
        if rng.random() < 0.2:
            member = member[:3] + b"\x08" + member[4:10] + b"k1186063.rds\0" + member[10:]
        out += member
    return out + bytes(rng.choice((0, 0, 0, 512)))


def mutated(rng: random.Random, raw: bytes) -> bytes:
    out = bytearray(raw)
    for _ in range(rng.choice((0, 1, 1, 1, 2, 3))):
        if not out:
            break
        n, at = len(out), rng.randrange(len(out))
        # Headers, trailers and the places between members are small: go there on purpose too.
        at = rng.choice((at, at, min(rng.randrange(20), n - 1), max(0, n - 1 - rng.randrange(20))))
        size = rng.choice((1, 2, 8, 100, 5000, FRAME_BYTES))
        match rng.choice(("flip", "flip", "cut", "cut", "drop", "zero", "noise", "insert", "twice",
                          "append", "pad", "self", "head", "swap", "end", "bomb")):  # fmt: skip
            case "flip":
                out[at] ^= 1 << rng.randrange(8)
            case "cut":
                del out[at:]
            case "drop":
                del out[at : at + size]
            case "zero":
                out[at : at + size] = bytes(len(out[at : at + size]))
            case "noise":
                out[at : at + size] = rng.randbytes(len(out[at : at + size]))
            case "insert":
                out[at:at] = rng.randbytes(size)
            case "twice":
                out[at:at] = out[at : at + size]
            case "append":
                out += rng.randbytes(size)
            case "pad":
                out += bytes(size)
            case "self":
                out += raw
            case "head":
                out[:at] = b""
            case "swap":
                out = out[at:] + out[:at]
            case "end":
                out[-4:] = rng.choice((0, 1, FRAME_BYTES, 1 << 31)).to_bytes(4, "little")
            case "bomb":
                if rng.random() < 0.03:
                    out += zeros() * rng.choice((1, 1, 20))
    return bytes(out)


def gunzipped(raw: bytes) -> tuple[bytes, str]:
    """Return what plain zlib makes of a file, and how that ended."""
    out, first = bytearray(), True
    while raw:
        if not first:
            raw = raw.lstrip(b"\0")
            if not raw:
                break
            if raw[:2] != b"\x1f\x8b":
                return bytes(out), "rubbish"
        inner = zlib.decompressobj(31)
        try:
            while raw and not inner.eof:
                out += inner.decompress(raw, 1 << 20)
                raw = inner.unconsumed_tail
                if len(out) > 300 * FRAME_BYTES:  # a bomb, which need not be counted out
                    return b"", "large"
        except zlib.error:
            return bytes(out), "damaged"
        if not inner.eof:
            return bytes(out), "cut"
        raw, first = inner.unused_data, False
    return bytes(out), "whole"


def looked_at(rng: random.Random, path: Path, layout: tm.Layout | None) -> Any:
    """Return the frames of a file, read in one of several ways, and its order; or the error."""
    cache = rng.random() < 0.7
    try:
        scan = tm.open_scan(path, layout=layout, cache=cache)
        if rng.random() < 0.5:
            return np.array([scan.frame(i) for i in range(scan.n_frames)]), scan.layout
        return np.array(scan.frames), scan.layout
    except tm.TwomassError as error:
        return error


def judged(found: Any, told: bool, raw: bytes, path: Path, layout: tm.Layout, good: Any) -> str:
    gzipped = path.suffix.lower() == ".gz"
    content, end = gunzipped(raw) if gzipped else (raw, "whole")
    n, over = divmod(len(content), FRAME_BYTES)
    named = re.search(r"\.rd[so](\.gz)?$", path.name.lower())
    readable = end == "whole" and n and not over and named
    if isinstance(found, tm.TwomassError):
        if "\n" in str(found) or len(str(found)) < 20:
            return "UNCLEAR ERROR"
        no_order = isinstance(found, tm.errors.LayoutError)
        return "REFUSED WITHOUT CAUSE" if readable and not no_order else "clear error"
    if readable:
        same = np.array_equal(found, layout.decode(content, n))
        return "right frames" if same else "WRONG"
    if end == "large":
        return "right frames" if not found[len(good) * 2 :].any() else "WRONG"
    times = max(1, len(found) // len(good))
    if end == "damaged" and np.array_equal(found, np.concatenate([good] * times)):
        return "right frames"  # a header that zlib minds more than others do
    if end not in ("cut", "rubbish"):
        return "WRONG"
    n = layout.whole_frames(n)
    before = layout.decode(content[: n * FRAME_BYTES], n)[: len(found)]
    if not np.array_equal(found, before):
        return "WRONG"
    if told and end == "cut" and not np.array_equal(found, good[: len(found)]):
        return CUT_AND_DAMAGED
    return "warned, right frames before the end" if told else "UNWARNED"


def break_the_cache(rng: random.Random) -> None:
    files = sorted((Path(os.environ["TWOMASS_NB_CACHE"]) / "frames").glob("*"))
    if files:
        path = rng.choice(files)
        try:
            content = bytearray(path.read_bytes())
        except FileNotFoundError:  # dropped meanwhile, to make room
            return
        if content:
            content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
            path.unlink(missing_ok=True)  # a map of it may be in use
            path.write_bytes(content[: rng.choice((None, None, len(content) // 2))])


def outcome(seed: int, folder: Path) -> str:
    """Make input number `seed` in a folder, read it twice, and say what happened."""
    rng = random.Random(seed)
    good = frames_of_all()[: rng.choice((1, 2, 3, 5))]
    name = rng.choice((NAMES[0], NAMES[0], *NAMES))
    layout = some_layout(rng) if ".rds" in name else tm.Layout(AXES, rng.random() < 0.5)
    content = layout.encode(good)
    raw = mutated(rng, packed(rng, content) if name.endswith(".gz") else content)
    given = layout if rng.random() < 0.98 else None
    path = folder / (rng.choice((*NAMES, *LIES)) if rng.random() < 0.05 else name)
    if ".rdo" in path.name:  # whatever it was made as, by its name it is in one of these orders
        given = None
    path.write_bytes(raw)
    answers = []
    for turn in range(2):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            found = looked_at(rng, path, given)
        if not isinstance(found, tm.TwomassError):
            found, used = found
            layout = used if ".rdo" in path.name else layout
        told = any("cut off" in str(w.message) or "rubbish" in str(w.message) for w in caught)
        answers.append(judged(found, told, raw, path, layout, good))
        if turn == 0 and rng.random() < 0.3:
            break_the_cache(rng)
    path.unlink()
    return next((answer for answer in answers if answer not in GOOD), answers[0])


def work(first: int, last: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"TWOMASS_NB_CACHE": f"{folder}/cache", "TWOMASS_NB_CACHE_SIZE": "40 MB"}
        night = Path(folder, "000529s")
        night.mkdir()
        for seed in range(first, last):
            print(seed, outcome(seed, night), flush=True)
    if (status := Path("/proc/self/status")).exists():
        print("peak", re.search(r"VmHWM:\s*(\d+)", status.read_text())[1], flush=True)


def watched(first: int, last: int) -> tuple[Counter[str], list[str], int]:
    """Let a process of its own do the work; begin another where it crashes or hangs."""
    count: Counter[str] = Counter()
    bad, peak = [], 0
    while first < last:
        command = [sys.executable, __file__, "--work", str(first), str(last)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, bufsize=1) as process:
            end = None
            while True:
                if not select.select([process.stdout], [], [], PATIENCE)[0]:
                    process.kill()
                    end = "HANG"
                    break
                line = process.stdout.readline()
                if not line:
                    break
                seed, _, answer = line.strip().partition(" ")
                if seed == "peak":
                    peak = max(peak, int(answer) << 10)
                    continue
                first = int(seed) + 1
                count[answer] += 1
                if answer not in (*GOOD, CUT_AND_DAMAGED):
                    bad.append(line.strip())
        if first < last:
            end = end or f"CRASH (exit {process.returncode})"
            count[end] += 1
            bad.append(f"{first} {end}")
            first += 1
    return count, bad, peak


def main() -> None:
    if sys.argv[1:2] == ["--work"]:
        work(int(sys.argv[2]), int(sys.argv[3]))
        return
    inputs = int(sys.argv[1]) if len(sys.argv) > 1 else INPUTS
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    start = time.perf_counter()
    count, bad, peak = watched(first, first + inputs)
    print(f"{count.total()} inputs in {time.perf_counter() - start:.0f} s; "
          f"peak memory {peak >> 20} MiB")  # fmt: skip
    for answer, times in count.most_common():
        print(f"{times:8}  {answer}")
    for line in bad[:40]:
        print("  ", line)
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
