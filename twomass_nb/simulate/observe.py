"""How a night is observed: what is exposed to what, in which order, and into which files."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..array.geometry import PLATE_SCALES, SIZE, ArrayGeometry, period_of
from ..array.track import FRAMES, MEAN_STEP, ScanTrack
from ..atlas import AtlasImage, track_of
from ..errors import AtlasError, NotFoundError, ScanNameError
from ..raw.layout import Layout
from ..scan import BANDS, ScanId, parse_band
from .camera import Camera
from .coadds import write_coadds
from .files import LAYOUT, Observation, refuse_real, write_frames, write_log, write_par
from .sky import AtlasSky, Sky, StarField

__all__ = ["reobserve", "scan"]

#: Frames of dark and twilight scans (seed 000's table).
DARK_FRAMES, TWILIGHT_FRAMES = 48, 53
#: Tiles of twilight and dark scans (seed 000's table).
TWILIGHT_TILE, DARK_TILE = 199998, 199999
# Twilight, chosen: DN of r2 - r1 at the start of the first scan, and by how much it falls a frame.
_TWILIGHT_FROM, _TWILIGHT_FALL = 14_000.0, 0.9925
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


def bands_of(bands: str | Iterable[str]) -> list[str]:
    """Return bands as a list, from "jhk" or a sequence."""
    chosen = [parse_band(band) for band in bands]
    if not chosen:
        msg = "no band was asked for: give bands='jhk' or some of them"
        raise ScanNameError(msg)
    return [band for band in BANDS if band in chosen]


def calibration(
    like: Observation, bands: Sequence[str], seed: int, darks: int, twilights: int
) -> list[Exposure]:
    """Return a night's darks and twilights. Their scan numbers, 990 on (890 on), are chosen."""
    first = 990 if like.scan_id.scan < 990 else 890
    if not (0 <= darks <= 4 and 0 <= twilights <= 5):
        msg = f"{darks} darks and {twilights} twilights: simulate up to 4 and up to 5 of them"
        raise NotFoundError(msg)
    made = []
    for k in range(darks):
        made += dark(_renumbered(like, first + 5 + k), bands, seed)
    for k in range(twilights):
        made += twilight(_renumbered(like, first + k), bands, seed, k)
    return made


def _renumbered(like: Observation, number: int) -> Observation:
    scan_id = ScanId(like.scan_id.date, like.scan_id.hemis, number)
    return replace(like, scan_id=scan_id, comment="")


def dark(
    like: Observation, bands: Sequence[str], seed: int, n_frames: int = DARK_FRAMES
) -> list[Exposure]:
    """Return a dark scan under the scan number of `like`: the cold shutter is closed."""
    track = replace(like.track, step=abs(like.track.step), n_frames=n_frames)
    one = replace(
        like, kind="dar", track=track, tile=DARK_TILE, ut=10.5, geometry=presets(like.scan_id)
    )
    # a dark shows no stars to tell the word order by: it comes as a pair
    return [Exposure(one, band, seed, pair=True) for band in bands]


def twilight(
    like: Observation, bands: Sequence[str], seed: int, k: int, n_frames: int = TWILIGHT_FRAMES
) -> list[Exposure]:
    """Return the `k`-th twilight scan of an evening, south-going; its sky grows darker."""
    track = replace(like.track, step=-MEAN_STEP, n_frames=n_frames)
    one = replace(
        like, kind="flt", track=track, tile=TWILIGHT_TILE, ut=22.6 + 0.03 * k,
        geometry=presets(like.scan_id),
    )  # fmt: skip
    levels = _TWILIGHT_FROM * _TWILIGHT_FALL ** (TWILIGHT_FRAMES * k + np.arange(n_frames))
    return [
        Exposure(one, band, seed, StarField(track, seed + 1, band, specials=False), levels=levels)
        for band in bands
    ]


def default_track(scan_id: ScanId, direction: str, n_frames: int, seed: int) -> ScanTrack:
    """Return a track for a scan whose place nobody gave: chosen, the same for the same seed."""
    key = zlib.crc32(str(scan_id).encode())
    rng = np.random.default_rng([seed, key])
    ra = float(rng.uniform(0, 360))
    sign = 1.0 if direction == "n" else -1.0
    # a tile of 6 degrees near the zenith; the first frame is 3 arcmin outside of it
    ring = -36.0 if scan_id.hemis == "s" else 30.0
    dec = (ring if sign > 0 else ring + 6.0) - sign * 0.049
    return ScanTrack(ra, dec, 0.0, sign * MEAN_STEP, n_frames, "sim")


def scan(
    folder: str | PathLike[str],
    scan_id: ScanId | str,
    bands: str = "jhk",
    seed: int = 0,
    n_frames: int | None = None,
    *,
    track: ScanTrack | None = None,
    direction: str | None = None,
    tile: int = 0,
    darks: int = 1,
    twilights: int = 2,
    coadds: bool = True,
    layout: Layout | None = None,
) -> Path:
    """Simulate a scan and its night: raw files, parameter files, log, darks, twilights, coadds.

    Parameters
    ----------
    folder : path
        Where the night's folder goes; made if it is not there.
    scan_id : ScanId or text that names one
    bands : str, optional
    seed : int, optional
        The same seed gives the same bytes.
    n_frames : int, optional
        273 in the north and 274 in the south unless given.
    track : ScanTrack, optional
        Where the frames are; its number of frames counts unless `n_frames` is given. A place
        is chosen if there is none.
    direction : {"n", "s"}, optional
        Way of a chosen track: north for odd scan numbers unless given.
    tile : int, optional
        Number of the tile, for the log.
    darks, twilights : int, optional
        How many scans of each; they are numbered from 995 and from 990.
    coadds : bool, optional
        Whether to write Atlas-like images of the same sky.
    layout : Layout, optional
        Word order of the ``.rds`` files; nothing in the files says which.

    Returns
    -------
    path
        The night's folder, as ``folder/000529s``.

    Raises
    ------
    TwomassError
        If the scan is impossible, or the folder holds a night that is not simulated.
    """
    scan_id = ScanId.parse(scan_id)  # type: ignore[arg-type]
    chosen = bands_of(bands)
    if n_frames is None:
        n_frames = track.n_frames if track else FRAMES[scan_id.hemis]
    if not 1 <= n_frames <= 1000:
        msg = f"a scan of {n_frames} frames cannot be simulated: give 1 to 1000"
        raise NotFoundError(msg)
    if track is None:
        direction = direction or ("n" if scan_id.scan % 2 else "s")
        if direction not in ("n", "s"):
            msg = f"direction {direction!r} is not known: use 'n' or 's'"
            raise NotFoundError(msg)
        track = default_track(scan_id, direction, n_frames, seed)
    track = replace(track, n_frames=n_frames, source="sim", uncertainty=(0.0, 0.0))
    observation = Observation(scan_id, "sci", track, tile, geometry=presets(scan_id))
    exposures, images = science(observation, chosen, seed)
    exposures += calibration(observation, chosen, seed, darks, twilights)
    run(exposures, Path(folder), layout=layout, coadds=images if coadds else ())
    return Path(folder) / scan_id.night


def science(
    observation: Observation, bands: Sequence[str], seed: int
) -> tuple[list[Exposure], list[tuple[Observation, str, StarField]]]:
    """Return the exposures of a survey scan of the made-up sky, and the coadds to paint."""
    skies = {band: StarField(observation.track, seed, band) for band in bands}
    exposures = [Exposure(observation, b, seed, sky, meteor=True) for b, sky in skies.items()]
    return exposures, [(observation, band, sky) for band, sky in skies.items()]


def reobserve(
    images: Any,
    folder: str | PathLike[str],
    seed: int = 0,
    n_frames: int | None = None,
    *,
    darks: int = 1,
    twilights: int = 2,
    layout: Layout | None = None,
) -> Path:
    """Observe real Atlas Images again: raw frames of the sky they show.

    Frames lie where the headers put them (`twomass_nb.atlas.track_of`: first frame and mean
    step), turned as DXFS and DYFS say, on average over the images. Frames off the images hold
    sky and noise. The images' own noise and blur are part of that sky.

    Parameters
    ----------
    images : sequence of AtlasImage or path
        Of one scan and band.
    folder : path
        Where the night's folder goes.
    seed : int, optional
    n_frames : int, optional
        Only so many frames from the first; all (NUMFRMS) unless given.
    darks, twilights : int, optional
    layout : Layout, optional
        See `scan`.

    Returns
    -------
    path
        The scan's ``.rds.gz``, in its night's folder.

    Raises
    ------
    AtlasError
        If the images are none, or of more than one scan or band.
    """
    if isinstance(images, (AtlasImage, str, PathLike)):
        images = [images]
    opened = [one if isinstance(one, AtlasImage) else AtlasImage.open(one) for one in images]
    track = track_of(opened)
    bands = sorted({image.band for image in opened})
    if len(bands) > 1:
        msg = f"these images are of bands {', '.join(bands)}: observe one band at a time"
        raise AtlasError(msg)
    band, scan_id = bands[0], opened[0].scan_id
    n = track.n_frames if n_frames is None else n_frames
    if not 1 <= n <= track.n_frames:
        msg = f"n_frames={n} cannot be observed: this scan had {track.n_frames} frames"
        raise NotFoundError(msg)
    rotation = np.mean([image.rotation.value for image in opened])
    geometry = ArrayGeometry(PLATE_SCALES[band], rotation)
    header = opened[0].header
    names = [image.path.name if image.path else repr(image) for image in opened]
    hours, minutes, seconds = (float(part) for part in str(header["UT_SOS"]).split(":"))
    observation = Observation(
        scan_id,
        "sci",
        replace(track, n_frames=n),
        int(header.get("STRIP_ID", 0)),
        hours + minutes / 60 + seconds / 3600,
        "\n".join(["The sky is that of these Atlas Images, observed again:", *names]),
        {**presets(scan_id), band: geometry},
    )
    exposures = [Exposure(observation, band, seed, AtlasSky(opened, geometry))]
    exposures += calibration(observation, [band], seed, darks, twilights)
    run(exposures, Path(folder), layout=layout)
    return Path(folder) / scan_id.night / f"{scan_id.stem(band)}.rds.gz"
