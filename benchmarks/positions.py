"""Positions of frames: how well rotation, steps and places come back, and how fast.

Coverage is over 100 simulated scans of 16 frames in all bands and periods of hardware, each with
its own sky, step, and rotation near that of its array. Their .par files lack the simulator's truth:
the start is the prediction from the start of scan and the preset rotation, as for a real scan.
Counted is how often the truth lies within two stated errors, without a reference and with one: a
catalogue of the stars with errors of 0.1 arcsec. The time is that of a whole scan of 273 frames.

    python benchmarks/positions.py [seeds]
"""

from __future__ import annotations

import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
from astropy.table import Table

from twomass_nb.array import ArrayGeometry, period_of
from twomass_nb.astrometry import Positions, reconstruct
from twomass_nb.astrometry.stars import measure_stars
from twomass_nb.calibrate import Calibrator
from twomass_nb.raw import RawScan, open_scan
from twomass_nb.raw.layout import Layout
from twomass_nb.scan import BANDS, ScanId
from twomass_nb.simulate import observe
from twomass_nb.simulate.exposure import Exposure
from twomass_nb.simulate.files import Observation, write_par
from twomass_nb.simulate.sky import StarField

SEEDS, FRAMES, WHOLE = 100, 16, 273
NIGHTS = ("990301n", "000529n", "000529s")
DARKS, TWILIGHTS = 24, 14
#: Degrees by which rotations differ from those of the table, and arcsec of steps.
TURNED, STEPS = 0.1, (82.0, 83.0)
#: Error of the reference's places, arcsec, and its faintest star (mag).
REFERENCE_ERROR, FAINTEST = 0.1, 15.5


def put(folder: Path, exposure: Exposure) -> RawScan:
    """Write a scan as .rdo, with a .par that does not tell the simulator's truth."""
    path = folder / f"{exposure.observation.scan_id.stem(exposure.band)}.rdo"
    par = path.with_suffix(".par")
    write_par(par, exposure.observation, exposure.band)
    lines = [line for line in par.read_text().splitlines() if not line.startswith("TRK_")]
    par.write_text("\n".join(lines) + "\n")
    path.write_bytes(Layout.RDO.encode(exposure.frames()))
    return open_scan(path, cache=False)


@cache
def calibrator(night: str, band: str) -> Calibrator:
    """Make a calibrator of one camera, the same for all scans of a night and band."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / night
        folder.mkdir()
        kinds = {"dar": [], "flt": []}
        for kind, number, k in (("dar", 995, 0), ("flt", 990, 0), ("flt", 991, 2), ("flt", 992, 4)):
            scan_id = ScanId.parse(f"{night}{number}")
            n = DARKS if kind == "dar" else TWILIGHTS
            one = Observation(scan_id, kind, observe.default_track(scan_id, "s", n, 0),
                              geometry=observe.presets(scan_id))  # fmt: skip
            made = (
                observe.dark(one, [band], 0, n)
                if kind == "dar"
                else observe.twilight(one, [band], 0, k, n)
            )
            kinds[kind].append(put(folder, made[0]))
        return Calibrator.from_scans(kinds["dar"], kinds["flt"])


def truth(seed: int, n_frames: int) -> tuple[Observation, str, StarField]:
    """Return what is observed under a seed."""
    rng = np.random.default_rng([seed, 31])
    band, night = BANDS[seed % 3], NIGHTS[seed // 3 % 3]
    scan_id = ScanId.parse(f"{night}{1 + seed % 800:03d}")
    track = observe.default_track(scan_id, "ns"[seed % 2], n_frames, seed)
    track = replace(track, step=float(np.sign(track.step) * rng.uniform(*STEPS)))
    preset = ArrayGeometry.preset(period_of(scan_id), band, sign="header")
    geometry = replace(preset, rotation=preset.rotation.value + rng.normal(0, TURNED))
    one = Observation(scan_id, "sci", track, geometry={band: geometry})
    return one, band, StarField(track, seed, band, specials=False)


def catalogue(sky: StarField, seed: int) -> Table:
    """Return the stars of a sky as a catalogue has them."""
    rng = np.random.default_rng([seed, 32])
    bright = sky.mag[:, BANDS.index(sky.band)] < FAINTEST
    off = rng.normal(0, REFERENCE_ERROR / 3600, (2, int(bright.sum())))
    ra, dec = sky.ra[bright], sky.dec[bright]
    return Table(
        {"ra": ra + off[0] / np.cos(np.deg2rad(dec)), "dec": dec + off[1]},
        meta={"SIMULATE": True},
    )


def deviations(positions: Positions, one: Observation, band: str) -> dict[str, float]:
    """Return how far results are from the truth, in their stated errors."""
    geometry, track = one.geometry[band], one.track
    angle = geometry.rotation.to_value("rad")
    steps = track.step * np.cos(angle), track.step * np.sin(angle)
    found = positions.geometry
    off = {
        "rotation": (found.rotation - geometry.rotation) / found.rotation_error,
        "in-scan step": (positions.step[0] - steps[0]) / positions.step_error[0],
        "cross-scan step": (positions.step[1] - steps[1]) / positions.step_error[1],
    }
    if np.isfinite(positions.plate_scale_error):
        off["plate scale"] = (found.plate_scale - geometry.plate_scale).value / (
            positions.plate_scale_error
        )
    return {name: float(value) for name, value in off.items()}


def places(positions: Positions, one: Observation, band: str) -> np.ndarray:
    """Return how far frames' centres are from the truth, arcsec (along, west), shape (n, 2)."""
    n = one.track.n_frames
    centers = [positions.wcs(i).wcs.crval for i in range(n)]
    along, west = one.track.offsets(*np.array(centers).T)
    return np.stack([along - np.arange(n) * one.track.step, west], axis=1)


def study(seed: int) -> dict[str, float]:
    one, band, sky = truth(seed, FRAMES)
    cal = calibrator(one.scan_id.night, band)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / one.scan_id.night
        folder.mkdir()
        scan = put(folder, Exposure(one, band, 0, sky))
        alone = reconstruct(scan, cal)
        tied = reconstruct(scan, cal, reference=catalogue(sky, seed))
    row = {"seed": seed, "band": band, "night": one.scan_id.night}
    row |= deviations(alone, one, band)
    row |= {f"{name}, tied": off for name, off in deviations(tied, one, band).items()}
    off = places(tied, one, band)
    row["places, tied"] = off / tied.errors
    row["rms of places"] = np.sqrt((off**2).mean())
    row["rotation error"] = alone.geometry.rotation_error.value
    row["step error"] = float(np.hypot(*alone.step_error) / np.sqrt(2))
    row["rotation off"] = float((alone.geometry.rotation - one.geometry[band].rotation).value)
    row["stars"] = float(np.median(alone.matched))
    row["floor"] = alone.star_error
    return row


def center_of_light(stamps: np.ndarray) -> np.ndarray:
    """Return the first moments (x, y) of stamps, pixels from their middle, shape (n, 2)."""
    k = np.arange(stamps.shape[1]) - stamps.shape[1] // 2
    total = stamps.sum(axis=(1, 2))
    return np.stack([stamps.sum(axis=1) @ k, stamps.sum(axis=2) @ k], axis=1) / total[:, None]


def lonely(one: Observation, band: str, sky: StarField, i: int) -> np.ndarray:
    """Return true places (x, y) of stars of a frame, 4,000 to 60,000 DN and alone, shape (n, 2)."""
    along, west = one.track.offsets(sky.ra, sky.dec)
    x, y = one.geometry[band].to_pixel(west, along - i * one.track.step)
    near = (np.minimum(x, y) > 6) & (np.maximum(x, y) < 249)
    x, y, flux = x[near], y[near], sky.flux[near]
    apart = np.hypot(x[:, None] - x, y[:, None] - y) + 99 * np.eye(len(x))
    alone = np.where(flux > 0.02 * flux[:, None], apart, 99).min(axis=1) > 6
    return np.stack([x, y], axis=1)[alone & (flux > 4000) & (flux < 60_000)]


def centroids() -> None:
    """Print how far places of bright lonely stars are from the truth, by two ways to measure."""
    ways = {"centre of light": [], "fit of the spread measured": []}
    phases = []
    k = np.arange(-2, 3)
    for seed in range(18):
        one, band, sky = truth(seed, FRAMES)
        cal = calibrator(one.scan_id.night, band)
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place) / one.scan_id.night
            folder.mkdir()
            scan = put(folder, Exposure(one, band, 0, sky))
            images = [cal.science(scan, i).pixels for i in range(FRAMES)]
            stars, _ = measure_stars(scan, cal, np.arange(FRAMES), None)
        for i, image in enumerate(images):
            own = np.stack([stars.x, stars.y], axis=1)[stars.frame == i]
            true = lonely(one, band, sky, i)
            apart = np.hypot(*(own[None] - true[:, None]).transpose(2, 0, 1))
            true, nearest = true[apart.min(axis=1) < 1], apart.argmin(axis=1)[apart.min(axis=1) < 1]
            column, row = np.rint(true).astype(int).T
            stamps = image[row[:, None, None] + k[:, None], column[:, None, None] + k]
            whole = np.isfinite(stamps).all(axis=(1, 2))
            true, middle = true[whole], np.stack([column, row], axis=1)[whole]
            moments = middle + center_of_light(stamps[whole] - np.nanmedian(image))
            phases.append(true - middle)
            for way, places in zip(ways.values(), (moments, own[nearest[whole]]), strict=True):
                way.append(places - true)
    place = np.concatenate(phases).ravel()
    print(f"{place.size // 2} places of bright lonely stars, milliarcsec")
    for name, parts in ways.items():
        off = np.concatenate(parts).ravel() * 2000
        bins = [np.median(off[np.floor(place * 8) == b]) for b in range(-4, 4)]
        scatter = 1.4826 * np.median(np.abs(off - np.median(off)))
        print(f"  {name:28} scatter {scatter:5.1f}, bias with the phase +-{np.ptp(bins) / 2:.1f}")


def speed() -> None:
    """Print how long a whole scan takes, decoded before, on one core."""
    one, band, sky = truth(8, WHOLE)
    cal = calibrator(one.scan_id.night, band)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / one.scan_id.night
        folder.mkdir()
        scan = put(folder, Exposure(one, band, 0, sky))
        offsets = cal.sky_offsets(scan)
        start = time.process_time()
        found = reconstruct(scan, cal, sky=offsets)
        took = time.process_time() - start
    off = np.abs(list(deviations(found, one, band).values())).max()
    print(f"{WHOLE} frames: {took:.1f} s of processor time, {found.matched.sum()} places of stars")
    print(f"  rotation and steps within {off:.1f} stated errors")


def main() -> None:
    seeds = range(int(sys.argv[1]) if len(sys.argv) > 1 else SEEDS)
    with ProcessPoolExecutor(2) as pool:
        # a process keeps to one night and band, so that each calibrator is made once or twice
        order = sorted(seeds, key=lambda seed: (seed // 3 % 3, seed % 3))
        rows = list(pool.map(study, order, chunksize=12))
    print(f"{len(rows)} scans of {FRAMES} frames: truth within two stated errors")
    for name in rows[0]:
        values = np.concatenate([np.ravel(row[name]) for row in rows if name in row])
        if name in ("seed", "band", "night"):
            continue
        if "rms" in name or "error" in name or name in ("stars", "floor"):
            print(f"  {name:24} median {np.median(values):.4f}, largest {values.max():.4f}")
        elif name == "rotation off":
            print(f"  {name:24} rms {np.sqrt((values**2).mean()):.5f}")
        else:
            inside = np.mean(np.abs(values) < 2)
            worst = np.abs(values).max()
            robust = 1.4826 * np.median(np.abs(values))
            print(f"  {name:24} {inside:6.1%}  scatter/error {robust:.2f}, worst {worst:.1f}")


if __name__ == "__main__":
    main()
    centroids()
    speed()
