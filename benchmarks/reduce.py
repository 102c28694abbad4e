"""A scan and band of 273 frames to its 23 images: resampling against its peers, and the whole way.

1. Resampling alone: the same calibrated frames, mask, WCS and rows of the image for all. The floor
   is a bare affine bilinear loop in C; drizzle with calc_pixmap is what its manual says;
   reproject_interp is given cutouts, without the round trip. Every method is timed from the two
   WCS on; best of some rounds, all methods in turn, so that a slow minute is everyone's.
2. Fidelity of each: isolated stars of known flux and place in some twenty frames become an image,
   backgrounds matched alike. Photometry in an aperture of 7 arcsec, a Gaussian fit for the rest.
3. From .rds.gz to images on disk, in processes of their own with an empty cache: `coadd.tile`, and
   `reduce_scan` with one worker and with two; time of each step, and peak memory.

Claims, of the fast kernels and of the default: resampling at least 2 x faster than drizzle with
calc_pixmap, within 4 x of the floor, at equal or better fidelity than drizzle; a whole scan and
band under 30 s and 2 GB on two cores.

    python benchmarks/reduce.py [--quick] [--only resampling|pipeline]
"""

from __future__ import annotations

import argparse
import inspect
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from astropy.wcs import WCS
from peers.known_stars import SHAPE, fidelity, field, photon_floor
from peers.resampling import (
    Frame,
    Method,
    floor,
    floor_bare,
    library,
    pixmap_drizzle,
    reprojected,
)

import twomass_nb as tm
from twomass_nb.array.affine import affine_map
from twomass_nb.coadd.resample import Resampled, resample
from twomass_nb.reduce import reduce_scan

# Images of a scan, frames on one of 1024 rows, frames of the scan, and of a quick one.
IMAGES, ON_AN_IMAGE, SCAN, QUICK = 23, 19, 273, 60
ROUNDS, TIMED = 5, 8
CLAIMS = {"faster than calc_pixmap": 2.0, "of the floor": 4.0, "s": 30.0, "GB": 2.0}
EQUAL = 1.01  # errors that differ by less are called equal
FLOOR = "affine bilinear in C, the floor"
DEFAULT = inspect.signature(tm.coadd.stack).parameters["kernel"].default
OURS = ("turbo", "square", "bilinear", "spline")


def ours(kernel: str) -> Method:
    def method(frame: Frame, image: WCS, shape: tuple[int, int]) -> Resampled:
        number, pixels, variance, mask, wcs = frame
        affine = affine_map(wcs, image)
        made = resample(number, pixels, variance, mask, affine, shape, kernel, 1.0)
        assert made is not None
        return made

    return method


def methods() -> dict[str, Method]:
    found: dict[str, Method] = {}
    try:
        library()
        found[FLOOR] = floor
    except (FileNotFoundError, subprocess.CalledProcessError) as error:
        print(f"the floor is left out: {error}")
    found |= {f"ours, {kernel}, with variance": ours(kernel) for kernel in OURS}
    found["drizzle, our affine map, turbo"] = pixmap_drizzle("turbo", affine=True)
    for kernel in ("turbo", "square"):
        found[f"drizzle, calc_pixmap, {kernel}"] = pixmap_drizzle(kernel)
        found[f"drizzle, calc_pixmap, {kernel}, with variance"] = pixmap_drizzle(kernel, True)
    found["reproject_interp"] = reprojected
    return found


def speeds(chosen: dict[str, Method], rounds: int) -> dict[str, float]:
    """Return seconds a frame."""
    frames, image, _ = field(noise=True)
    frames = frames[4 : 4 + TIMED]  # those that lie on the image as a whole
    best: dict[str, float] = {}
    for _ in range(rounds):
        for name, method in chosen.items():
            some = frames[:2] if name.startswith("reproject") else frames
            took = _timed(lambda m=method, f=some: [m(one, image, SHAPE) for one in f]) / len(some)
            best[name] = min(took, best.get(name, took))
        if floor in chosen.values():
            maps = [affine_map(one.wcs, image) for one in frames]
            bare = _timed(lambda m=maps: list(map(floor_bare, frames, m, [SHAPE] * len(m))))
            best["bare"] = min(bare / len(frames), best.get("bare", bare))
    return best


def _timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def resampling(rounds: int) -> None:
    chosen = methods()
    took = speeds(chosen, rounds)
    least = took.get(FLOOR, np.nan)
    manual = took["drizzle, calc_pixmap, turbo"]
    print(
        f"resampling a frame: best of {rounds} rounds of {TIMED} frames. Against truth, rms: "
        f"without noise, and with that of photons and reading ({photon_floor():.2f} mmag)\n"
        f"{'':44}    ms   / floor  calc_pixmap /  23 images       without noise"
        "          with noise    FWHM"
    )
    found: dict[str, list[float]] = {}
    for name, method in chosen.items():
        t = took[name]
        line = f"{name:44}{1e3 * t:6.2f}{t / least:8.2f}{manual / t:12.2f}"
        line += f"{t * IMAGES * ON_AN_IMAGE:10.1f} s"
        for noise in (False, True):
            mmag, mas, fwhm, n = fidelity(method, noise)
            line += f"{mmag:8.2f} mmag {mas:4.1f} mas"
            found[name] = [mmag, mas]
        print(f'{line}{fwhm:7.2f}"')
    bare = 1e3 * took.get("bare", np.nan)
    print(f"{n} isolated stars; the loop in C without fitting its map: {bare:.2f} ms")
    for kernel in sorted({"turbo", "bilinear", DEFAULT}):
        _claims(kernel, took, found)


def _claims(kernel: str, took: dict[str, float], errors: dict[str, list[float]]) -> None:
    name, theirs = f"ours, {kernel}, with variance", "drizzle, calc_pixmap, turbo"
    manual, both = took[theirs] / took[name], took[f"{theirs}, with variance"] / took[name]
    worse = max(a / b for a, b in zip(errors[name], errors[theirs], strict=True))
    default = " (the default)" if kernel == DEFAULT else ""
    _claim(
        f"{kernel}{default}: {manual:.1f} x faster than drizzle with calc_pixmap without variance, "
        f"{both:.1f} x than with; errors at most {worse:.2f} x its",
        manual >= CLAIMS["faster than calc_pixmap"] and worse < EQUAL,
    )
    if (least := took.get(FLOOR)) is not None:
        _claim(f"{kernel}{default}: {took[name] / least:.1f} x the floor, which has no variance",
               took[name] / least <= CLAIMS["of the floor"])  # fmt: skip


# The whole way -------------------------------------------------------------------------------


def by_tile(path: str, out: str) -> dict[str, float]:
    """Make the images of a scan one after the other; return seconds of each step."""
    from twomass_nb.astrometry import reconstruct

    laps: dict[str, float] = {}
    clock = time.perf_counter()

    def lap(name: str) -> None:
        nonlocal clock
        now = time.perf_counter()
        laps[name], clock = now - clock, now

    calibrator = tm.calibrate.Calibrator.from_night(Path(path).parent, "k")
    lap("calibrator")
    scan = tm.open_scan(path)
    calibrator = calibrator.with_saturation(scan)
    sky = calibrator.sky_offsets(scan)
    lap("sky")
    positions = reconstruct(scan, calibrator, sky=sky)
    lap("positions")
    for made in tm.coadd.tile(scan, calibrator, positions=positions, sky=sky):
        made.write_to(Path(out) / f"{made.coadd:04d}.fits")
    lap("image")
    return laps


def by_reduce(path: str, out: str, workers: int) -> dict[str, float]:
    """Reduce a scan with lists of sources; return seconds of each kind of work, all workers'."""
    made = reduce_scan(path, out, frames=False, kernel=DEFAULT, workers=workers)
    laps: dict[str, float] = {}
    for record in made.made:
        laps[record.task.kind] = laps.get(record.task.kind, 0.0) + record.seconds
    return laps


def child(path: str, out: str, workers: int) -> None:
    """Do one of both and print its seconds as JSON; no workers: by `tile`."""
    print(json.dumps(by_reduce(path, out, workers) if workers else by_tile(path, out)))


def family(root: int) -> dict[int, int]:
    """Return the peak memory, bytes, of a process and those below it that are running."""
    parents, peaks = {}, {}
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            said = dict(re.findall(r"^(PPid|VmHWM):\s*(\d+)", status.read_text(), re.MULTILINE))
        except OSError:
            continue  # it has ended
        one = int(status.parent.name)
        parents[one], peaks[one] = int(said["PPid"]), int(said.get("VmHWM", 0)) * 1024
    ours = {root}
    while more := {one for one, parent in parents.items() if parent in ours} - ours:
        ours |= more
    return {one: peaks[one] for one in ours if one in peaks}


def apart(path: Path, workers: int, made: Path | None = None) -> dict:
    """Reduce in a process of its own with an empty cache; `made`: a folder to carry on in."""
    with tempfile.TemporaryDirectory() as place:
        environment = os.environ | {"TWOMASS_NB_CACHE": str(Path(place) / "cache")}
        out = made or Path(place) / "images"
        out.mkdir(exist_ok=True)
        start, peaks = time.perf_counter(), {}
        with subprocess.Popen(
            [sys.executable, __file__, "--child", path, out, str(workers)],
            stdout=subprocess.PIPE, text=True, env=environment,
        ) as running:  # fmt: skip
            while running.poll() is None:
                for one, peak in family(running.pid).items():
                    peaks[one] = max(peak, peaks.get(one, 0))
                time.sleep(0.1)
            took = time.perf_counter() - start
            assert running.stdout is not None
            found = json.loads(running.stdout.read().splitlines()[-1])
        images = len(list(out.rglob("*[0-9].fits")))
    return {"laps": found, "all": took, "memory": sum(peaks.values()), "images": images}


def pipeline(n_frames: int) -> None:
    steps = ("calibrator", "sky", "positions", "image", "sources")
    with tempfile.TemporaryDirectory() as place:
        night = tm.simulate.scan(place, "000529n063", "k", 11, n_frames, coadds=False)
        path, kept = night / "k1186063.rds.gz", Path(place) / "kept"
        runs = {"tile, one process": apart(path, 0), "reduce, one worker": apart(path, 1)}
        runs["reduce, two workers"] = apart(path, 2, kept)
        shutil.rmtree(kept / night.name / "s063")  # all but the calibrator of the night
        runs["reduce, two, calibrator there"] = apart(path, 2, kept)
    print(f"\n{n_frames} frames of Ks from .rds.gz to {runs['tile, one process']['images']} images "
          "on disk: s of each kind of work, all workers'; start of Python in all; memory is\n"
          "the sum of all processes' peaks. reduce makes lists of sources, too. Kernel: "
          f"{DEFAULT}.")  # fmt: skip
    print(f"{'':32}" + "".join(f"{name:>11}" for name in steps) + "      all  ms/frame     MB")
    for name, run in runs.items():
        laps = (run["laps"].get(one) for one in steps)
        line = "".join(f"{'-':>11}" if lap is None else f"{lap:11.2f}" for lap in laps)
        line += f"{run['all']:9.1f}{1e3 * run['all'] / n_frames:10.1f}"
        print(f"{name:32}{line}{run['memory'] / 1e6:7.0f}")
    one, two = runs["reduce, one worker"], runs["reduce, two workers"]
    print(f"two workers against one: {one['all'] / two['all']:.2f} x as fast")
    memory = two["memory"] / 2**30
    text = f"{two['all']:.1f} s and {memory:.2f} GB on two workers"
    whole = n_frames >= SCAN
    _claim(text + ("" if whole else " (not a whole scan)"),
           whole and two["all"] < CLAIMS["s"] and memory < CLAIMS["GB"])  # fmt: skip


def _claim(text: str, holds: bool) -> None:
    print(f"{'holds' if holds else 'DOES NOT HOLD'}: {text}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds, a short scan")
    parser.add_argument("--only", choices=["resampling", "pipeline"])
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        path, out, workers = given.child
        child(path, out, int(workers))
        return
    if given.only != "pipeline":
        resampling(2 if given.quick else ROUNDS)
    if given.only != "resampling":
        pipeline(QUICK if given.quick else SCAN)


if __name__ == "__main__":
    main()
