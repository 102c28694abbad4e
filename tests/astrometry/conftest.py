"""Frames of a sky whose true track is known, and a scan that does not know it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from twomass_nb.array import ArrayGeometry, ScanTrack
from twomass_nb.array.geometry import PLATE_SCALES, SIZE
from twomass_nb.atlas import AtlasImage
from twomass_nb.calibrate.science import Science
from twomass_nb.scan import ScanId
from twomass_nb.simulate.sky import AtlasSky, StarField

NOISE, GAIN = 6.0, 8.0


@dataclass
class Look:
    """A scan and a calibrator in one: calibrated frames as a perfect calibration leaves them."""

    frames: dict[int, np.ndarray]
    track: ScanTrack
    supposed: ArrayGeometry
    n_frames: int
    band: str = "k"
    simulated: bool = True
    scan_id = ScanId("2000-05-29", "s", 63)
    path = Path("k1186063.rds.gz")

    def geometry(self) -> ArrayGeometry:
        return self.supposed

    def science(self, scan, i, sky=None) -> Science:
        pixels = self.frames[i]
        variance = (NOISE**2 + np.maximum(pixels, 0) / GAIN).astype(np.float32)
        bad = np.zeros((SIZE, SIZE), bool)
        return Science(pixels, variance, bad.astype(np.uint8), bad)


def displaced(track: ScanTrack, i: int, along: float, west: float) -> ScanTrack:
    """Return a track of one frame: frame `i` of another, moved by arcsec."""
    ra, dec = track.positions(i * track.step + along, west)
    return ScanTrack(float(ra), float(dec), track.pa_at(i), track.step, 1)


def take(sky, track, geometry, frames, *, predicted, supposed, moved=None, level=400.0, seed=0):
    """Take frames of a sky; `moved` has arcsec (along, west) of each frame off the track."""
    rng = np.random.default_rng(seed)
    taken = {}
    for i in frames:
        off = (0.0, 0.0) if moved is None else moved[i]
        light = sky.light(displaced(track, i, *off), 0, geometry) + level
        noise = np.sqrt(NOISE**2 + np.maximum(light, 0) / GAIN)
        taken[i] = (light + noise * rng.standard_normal(light.shape)).astype(np.float32)
    return Look(taken, predicted, supposed, track.n_frames)


TRUE = ScanTrack(150.0, -30.0, 0.01, 82.6, 14)


def predicted_of(track: ScanTrack) -> ScanTrack:
    """Return what the start of scan alone would say of a track: off by 100 and 15 arcsec."""
    ra, dec = track.positions(-100.0, 15.0)
    return ScanTrack(float(ra), float(dec), 0.0, np.sign(track.step) * 82.2, track.n_frames,
                     "sos", (125.0, 18.0))  # fmt: skip


@pytest.fixture(scope="session")
def look() -> Callable[..., Look]:
    def make(seed=1, track=TRUE, rotation=-0.2, supposed=0.0, scale=1.9839, **more) -> Look:
        geometry = ArrayGeometry(scale, rotation, more.pop("east_left", True))
        frames = more.pop("frames", range(track.n_frames))
        sky = StarField(track, seed, "k", specials=False)
        guess = more.pop("guess", ArrayGeometry(1.9839, supposed))
        made = take(sky, track, geometry, frames, predicted=predicted_of(track), supposed=guess,
                    **more)  # fmt: skip
        made.sky, made.truth, made.true_geometry = sky, track, geometry
        return made

    return make


@pytest.fixture(scope="session")
def observed_again() -> Callable[..., Look]:
    """Observe a real image again, as `simulate.reobserve` does."""

    def make(image: AtlasImage, frames, seed=7) -> Look:
        track, rotation = image.track, float(image.rotation.value)
        scale = PLATE_SCALES[image.band]
        geometry = ArrayGeometry(scale, rotation)
        guess = ArrayGeometry.preset("South", image.band, sign="header")
        made = take(AtlasSky([image], geometry), track, geometry, frames, seed=seed,
                    predicted=predicted_of(track), supposed=guess)  # fmt: skip
        made.truth, made.true_geometry, made.band = track, geometry, image.band
        return made

    return make


@pytest.fixture(scope="session")
def catalogue():
    from astropy.table import Table

    def of(sky, faintest=14.5):
        bright = sky.mag[:, 2] < faintest
        return Table({"ra": sky.ra[bright], "dec": sky.dec[bright]}, meta={"SIMULATE": True})

    return of


@pytest.fixture(scope="session")
def off_by():
    """Return how far corners and centres of frames are from the truth, arcsec, shape (n, 2)."""

    def measure(positions, track, geometry, frames, moved=None) -> np.ndarray:
        x = np.array([127.5, 10.0, 245.0, 10.0, 245.0])
        y = np.array([127.5, 10.0, 10.0, 245.0, 245.0])
        off = []
        for i in frames:
            shift = (0.0, 0.0) if moved is None else moved[i]
            true = displaced(track, i, *shift).wcs(0, geometry)
            here = positions.wcs(i).wcs_pix2world(x, y, 0)
            there = true.wcs_pix2world(x, y, 0)
            d_ra = (here[0] - there[0]) * np.cos(np.deg2rad(there[1])) * 3600
            off.append(np.stack([d_ra, (here[1] - there[1]) * 3600], axis=1))
        return np.concatenate(off)

    return measure
