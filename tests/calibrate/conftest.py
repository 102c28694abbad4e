"""Simulated darks, twilights and flat skies with known truth, as open scans."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from twomass_nb.calibrate import Calibrator
from twomass_nb.raw import RawScan, open_scan
from twomass_nb.raw.layout import Layout
from twomass_nb.scan import ScanId
from twomass_nb.simulate import observe
from twomass_nb.simulate.camera import Camera
from twomass_nb.simulate.files import Observation, write_par

NIGHT = "000529s"
DARKS, TWILIGHTS = 24, (14, 14, 14)


def observation(number: int, kind: str, n: int, night: str = NIGHT) -> Observation:
    scan_id = ScanId.parse(f"{night}{number:03d}")
    track = observe.default_track(scan_id, "s", n, 0)
    return Observation(scan_id, kind, track, geometry=observe.presets(scan_id))


@lru_cache(maxsize=4)
def _taken(seed: int, night: str = NIGHT, band: str = "j") -> SimpleNamespace:
    """Frames of darks and of twilights early, in the middle and late, and the camera."""
    dark = observe.dark(observation(995, "dar", DARKS, night), [band], seed, DARKS)[0]
    lights = [
        observe.twilight(observation(990 + k, "flt", n, night), [band], seed, 2 * k, n)[0]
        for k, n in enumerate(TWILIGHTS)
    ]
    return SimpleNamespace(
        camera=Camera.of(ScanId.parse(f"{night}001"), band, seed),
        dark=dark.frames(),
        twilights=[light.frames() for light in lights],
    )


@pytest.fixture(scope="session")
def taken() -> Callable[..., SimpleNamespace]:
    """Return frames and truth; they are shared: copy before changing them."""
    return _taken


@pytest.fixture
def shelf(tmp_path: Path) -> Callable[..., RawScan]:
    """Write frames as a raw file of a night, with its .par, and open it."""

    def put(
        frames: np.ndarray, number: int, kind: str, night: str = NIGHT, band: str = "j",
        simulated: bool = True,
    ) -> RawScan:  # fmt: skip
        one = observation(number, kind, len(frames), night)
        path = tmp_path / night / f"{one.scan_id.stem(band)}.rdo"
        write_par(path.with_suffix(".par"), replace(one), band)
        if not simulated:
            par = path.with_suffix(".par")
            kept = [x for x in par.read_text().splitlines() if "SIMULATE" not in x.upper()]
            par.write_text("\n".join(kept) + "\n")
        path.write_bytes(Layout.RDO.encode(frames))
        return open_scan(path)

    return put


@pytest.fixture
def scans(shelf, taken) -> Callable[..., tuple[list[RawScan], list[RawScan]]]:
    """Return open darks and twilights of a seed."""

    def of(seed: int = 1, night: str = NIGHT, band: str = "j", **more):
        some = taken(seed, night, band)
        lights = [
            shelf(frames, 990 + k, "flt", night, band, **more)
            for k, frames in enumerate(some.twilights)
        ]
        return [shelf(some.dark, 995, "dar", night, band, **more)], lights

    return of


@pytest.fixture(scope="session")
def made(tmp_path_factory, taken) -> SimpleNamespace:
    """A calibrator of seed 1 in J, its camera, and a night's folder that holds its scans."""
    some = taken(1)
    folder = tmp_path_factory.mktemp("made") / NIGHT
    folder.mkdir()
    for number, kind, frames in (
        (995, "dar", some.dark), *((990 + k, "flt", f) for k, f in enumerate(some.twilights)),
    ):  # fmt: skip
        one = observation(number, kind, len(frames))
        write_par(folder / f"{one.scan_id.stem('j')}.par", one, "j")
        (folder / f"{one.scan_id.stem('j')}.rdo").write_bytes(Layout.RDO.encode(frames))
    return SimpleNamespace(
        calibrator=Calibrator.from_night(folder, "j"), camera=some.camera, folder=folder
    )


@pytest.fixture
def flat_sky(shelf, made) -> Callable[..., RawScan]:
    """Return a scan of the same camera, with an even sky of a level and perhaps a star."""

    def of(level: float, n: int = 8, star: np.ndarray | None = None, number: int = 63) -> RawScan:
        camera = made.camera
        camera.rest()
        light = np.full((n, 256, 256), level, np.float32)
        if star is not None:
            light += star
        rng = np.random.default_rng(number)
        return shelf(camera.expose(light, rng), number, "sci")

    return of
