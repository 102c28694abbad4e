"""How exposures are made: light, frames and files, on all processors, whole or not at all."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..array.geometry import SIZE, ArrayGeometry, period_of
from ..raw.layout import Layout
from ..scan import BANDS, ScanId
from .camera import Camera
from .coadds import write_coadds
from .files import LAYOUT, Observation, refuse_real, write_frames, write_log, write_par
from .sky import Sky, StarField

__all__ = ["Exposure", "presets", "run"]

# The sky drifts by a few percent over a scan, airglow more in H. Chosen.
_DRIFT = {"j": 0.02, "h": 0.05, "k": 0.02}
# The meteor: the share of the scan where it falls, width (pixels) and peak (DN). Chosen.
_METEOR_AT, _METEOR = 0.45, (1.6, 900.0)
_AT_ONCE = 16  # frames in memory as floats
_PROGRESS_AFTER = 1.0  # seconds
Tick = Callable[[int], Any]


@dataclass
class Exposure:
    """One file to be made: a scan in one band.

    Parameters
    ----------
    observation : Observation
    band : str
    camera_seed, seed : int
        Of the camera's faults, and of the noise.
    sky : Sky or None
        None: the cold shutter is closed.
    meteor : bool
    pair : bool
        Whether to write the .rdo as well: from a pair the word order can be learnt. The
        archive's own sample has them for its dark and its survey scan.
    levels : array or None
        Sky level of each frame in DN a pixel, instead of the sky's own with its drift.
    """

    observation: Observation
    band: str
    seed: int
    sky: Sky | None = None
    meteor: bool = False
    pair: bool = False
    levels: NDArray[np.floating[Any]] | None = None

    def frames(self, tick: Tick = lambda _: None) -> NDArray[np.uint16]:
        """Return all frames, (n, 2, 256, 256)."""
        scan_id, track = self.observation.scan_id, self.observation.track
        n = track.n_frames
        geometry = self.observation.geometry[self.band]
        band = BANDS.index(self.band)
        rng = np.random.default_rng(
            [self.seed, scan_id.day_no, scan_id.scan, "ns".index(scan_id.hemis), band]
        )
        camera = Camera.of(scan_id, self.band, self.seed)
        levels = self._levels(rng)
        flash_at = round(_METEOR_AT * (n - 1)) if self.meteor else -1
        out = np.empty((n, 2, SIZE, SIZE), np.uint16)
        for start in range(0, n, _AT_ONCE):
            block = range(start, min(start + _AT_ONCE, n))
            light = np.zeros((len(block), SIZE, SIZE), np.float32)
            if self.sky is not None:
                for k, i in enumerate(block):
                    light[k] = self.sky.light(track, i, geometry) + np.float32(levels[i])
            flashes = {flash_at - start: _meteor(scan_id)} if flash_at in block else None
            out[start : start + len(block)] = camera.expose(light, rng, flashes)
            tick(len(block))
        return out

    def _levels(self, rng: np.random.Generator) -> NDArray[np.floating[Any]]:
        n = self.observation.track.n_frames
        phase, jitter = rng.uniform(0, 2 * np.pi), rng.normal(0, 0.1, n)
        if self.levels is not None:
            return self.levels
        drift = _DRIFT[self.band] * (np.sin(np.arange(n) / 90.0 + phase) + jitter)
        return (self.sky.level if self.sky else 0.0) * (1 + drift)

    def write(self, folder: Path, layout: Layout, tick: Tick) -> None:
        """Write the parameter file, then the raw file and its .rdo where there is to be one."""
        stem = self.observation.scan_id.stem(self.band)
        frames = self.frames(tick)
        write_par(folder / f"{stem}.par", self.observation, self.band)
        write_frames(folder / f"{stem}.rds.gz", frames, layout)
        if self.pair:
            write_frames(folder / f"{stem}.rdo.gz", frames, Layout.RDO)


def _meteor(scan_id: ScanId) -> NDArray[np.float32]:
    """Draw a straight trail through a frame, the same in all bands."""
    rng = np.random.default_rng([scan_id.day_no, scan_id.scan])
    angle, offset = rng.uniform(0.3, 1.2), rng.uniform(-40, 40)
    y, x = np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2
    width, peak = _METEOR
    distance = x * np.sin(angle) - y * np.cos(angle) - offset
    return (peak * np.exp(-0.5 * (distance / width) ** 2)).astype(np.float32)


def presets(scan_id: ScanId) -> dict[str, ArrayGeometry]:
    """Return the arrays' geometry at a scan's time, with the sign real headers show."""
    period = period_of(scan_id)
    return {band: ArrayGeometry.preset(period, band, sign="header") for band in BANDS}


def run(
    exposures: Sequence[Exposure],
    root: Path,
    *,
    layout: Layout | None = None,
    coadds: Iterable[tuple[Observation, str, StarField]] = (),
) -> None:
    """Make the files of some exposures, on all processors, into the folders of their nights."""
    from tqdm import tqdm

    nights: dict[Path, dict[int, Observation]] = {}
    for one in exposures:
        folder = root / one.observation.scan_id.night
        nights.setdefault(folder, {})[one.observation.scan_id.scan] = one.observation
    for folder, held in nights.items():
        refuse_real(folder, next(iter(held.values())).scan_id)
        folder.mkdir(parents=True, exist_ok=True)
    total = sum(one.observation.track.n_frames for one in exposures)
    stop = False
    with (
        tqdm(
            total=total,
            unit="frame",
            desc="simulating",
            delay=_PROGRESS_AFTER,
            file=sys.stderr,
            disable=not sys.stderr.isatty(),
        ) as bar,
        ThreadPoolExecutor(max_workers=2) as pool,
    ):

        def tick(n: int) -> None:
            if stop:
                raise KeyboardInterrupt
            bar.update(n)

        jobs = [
            pool.submit(
                one.write,
                root / one.observation.scan_id.night,
                layout or LAYOUT,
                tick,
            )
            for one in sorted(exposures, key=lambda e: -e.observation.track.n_frames)
        ]
        for observation, band, sky in coadds:
            folder = root / observation.scan_id.night
            jobs.append(
                pool.submit(write_coadds, folder, observation, band, sky, exposures[0].seed)
            )
        try:
            for job in jobs:
                job.result()
        except BaseException:
            stop = True
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    for folder, held in nights.items():
        write_log(folder, list(held.values()))
