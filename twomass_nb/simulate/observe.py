"""What is observed in a night: the scan, its darks and twilights, and real sky once more."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from ..array.geometry import PLATE_SCALES, ArrayGeometry
from ..array.track import FRAMES, MEAN_STEP, ScanTrack
from ..atlas import AtlasImage, track_of
from ..errors import AtlasError, NotFoundError, ScanNameError
from ..raw.layout import Layout
from ..scan import BANDS, ScanId, parse_band
from .exposure import Exposure, presets, run
from .files import Observation
from .sky import AtlasSky, StarField

__all__ = ["dark", "reobserve", "scan", "science", "twilight"]

#: Frames of dark and twilight scans (seed 000's table).
DARK_FRAMES, TWILIGHT_FRAMES = 48, 53
#: Tiles of twilight and dark scans (seed 000's table).
TWILIGHT_TILE, DARK_TILE = 199998, 199999
# Twilight, chosen: DN of r2 - r1 at the start of the first scan, and by how much it falls a frame.
_TWILIGHT_FROM, _TWILIGHT_FALL = 14_000.0, 0.9925


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
