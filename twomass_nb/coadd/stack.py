"""Coadding: from a raw scan and its calibrator to images in the form of the survey's.

One image needs some nineteen frames. Each is calibrated, its sky offset taken off, put where the
stars say that it looked, resampled with its flux kept, matched in background to the others, freed
of what it alone shows, and averaged.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy import units as u

from ..array.geometry import SIZE
from ..atlas import AtlasImage
from ..atlas.tiling import tile_images
from ..errors import AtlasError, NotFoundError
from ..scan import BAND_NAMES
from .coadder import Coadder, Pointed
from .grid import Grid, grid_at, grid_like, grid_of_tile
from .image import Coadd

if TYPE_CHECKING:
    from astropy.coordinates import SkyCoord

    from ..calibrate import Calibrator, SkyOffsets
    from ..raw import RawScan

__all__ = ["stack", "tile"]


def stack(
    scan: RawScan,
    calibrator: Calibrator,
    like: AtlasImage | str | PathLike[str] | None = None,
    *,
    centre: SkyCoord | None = None,
    size: u.Quantity | None = None,
    positions: Pointed | None = None,
    sky: SkyOffsets | None = None,
    kernel: str = "spline",
    pixfrac: float = 1.0,
    correct_first_column: bool = True,
) -> Coadd:
    """Coadd the frames of a scan onto the grid of an image, or around a position.

    Parameters
    ----------
    scan : RawScan
        An open scan.
    calibrator : `~twomass_nb.calibrate.Calibrator`
        Of its band. If it knows no limits of saturation they are learnt from the scan.
    like : AtlasImage or path, optional
        Whose grid to use. Unless `positions` is given its stars are the reference for where the
        frames looked.
    centre : `~astropy.coordinates.SkyCoord`, optional
        Instead of `like`: the middle of an image of 1 arcsec pixels along the scan.
    size : `~astropy.units.Quantity` or two, optional
        With `centre`: width and height; 512 by 1024 arcsec if not given.
    positions : `~twomass_nb.astrometry.Positions`, optional
        Where the frames looked; reconstructed from their stars if not given.
    sky : `~twomass_nb.calibrate.SkyOffsets`, optional
        Offsets to take off; measured in the scan if not given.
    kernel : str, optional
        How a raw pixel's light is spread: by interpolation with cubic splines ("spline") or
        between the four pixels around ("bilinear"), or by the drizzle library as a square along
        the image's pixels ("turbo") or along its own ("square"). All keep flux, "bilinear" on
        average over places within a pixel. "spline" shows stars best, "bilinear" has least noise
        in a pixel, "turbo" is fastest; docs/coadding.md compares them.
    pixfrac : float, optional
        Of drizzle: width of the square in raw pixels, up to 1. Six frames cover the places within
        a pixel too unevenly for much less.
    correct_first_column : bool, optional
        Whether the first column read of each quadrant is corrected where its responsivity is
        wrong, see docs/calibrating.md. A star stays in that column in all its frames, and would
        lose a tenth of its light; the survey let it.

    Returns
    -------
    Coadd
        DN a pixel, as an Atlas Image has them. Six frames deep where the scan is whole.

    Raises
    ------
    CalibrationError
        If the calibrator is not for this scan.
    NotFoundError
        If neither or both of `like` and `centre` are given, or no frame falls on the image.
    AtlasError
        If `like` is of another band, or no Atlas Image.
    """
    if (like is None) == (centre is None):
        msg = "say where to coadd: like= an Atlas Image, or centre= a position, not both"
        raise NotFoundError(msg)
    if like is not None and size is not None:
        msg = "size= goes with centre=; an image like another has its size"
        raise NotFoundError(msg)
    image = like if like is None or isinstance(like, AtlasImage) else AtlasImage.open(like)
    if image is not None:
        _require_band(scan, image)
        # a header's frames are good to one
        frames = _frames_of(scan, image.first_frame - 1, image.last_frame + 1)
        grid = grid_like(image)
    else:
        grid = grid_at(scan, scan.track, centre, size)
        frames = _frames_on(scan, grid)
    with _bar(scan, total=2) as bar:
        coadder = Coadder(
            scan, calibrator, positions, sky, kernel, pixfrac, correct_first_column,
            frames=frames, reference=image,
        )  # fmt: skip
        bar.update()
        return coadder.coadd(grid)


def tile(
    scan: RawScan,
    calibrator: Calibrator,
    *,
    positions: Pointed | None = None,
    sky: SkyOffsets | None = None,
    kernel: str = "spline",
    pixfrac: float = 1.0,
    correct_first_column: bool = True,
) -> Iterator[Coadd]:
    """Coadd a scan into the images that the survey made of it: 23 of a whole one.

    Parameters are those of `stack`. A progress bar shows how far it is.

    Yields
    ------
    Coadd
        From the start of the scan on: 1024 rows of 512 pixels each, the last one 698.
    """
    with _bar(scan, total=1) as bar:  # images are counted when they are known
        coadder = Coadder(scan, calibrator, positions, sky, kernel, pixfrac, correct_first_column)
        track = coadder.positions.track
        images = tile_images(track)
        bar.total = len(images)
        for image in images:
            yield coadder.coadd(grid_of_tile(scan, track, image))
            bar.update()


def _bar(scan: RawScan, total: int) -> Any:
    """Return a progress bar that shows on a terminal after a second."""
    from tqdm import tqdm

    name = f"{scan.scan_id or scan.path.name} {BAND_NAMES[str(scan.band)]}"
    return tqdm(
        total=total, desc=f"coadding {name}", delay=1, leave=False, file=sys.stderr,
        disable=not sys.stderr.isatty(),
    )  # fmt: skip


def _require_band(scan: RawScan, like: AtlasImage) -> None:
    if like.band != scan.band:
        msg = f"{like!r} is band {like.band}, the scan is band {scan.band}: coadd the same band"
        raise AtlasError(msg)


def _frames_of(scan: RawScan, first: int, last: int) -> range:
    frames = range(max(first, 0), min(last, scan.n_frames - 1) + 1)
    if not frames:
        msg = (
            f"this image is of frames {first} to {last}, and {scan.path.name} has only "
            f"{scan.n_frames}: give an image of what it saw"
        )
        raise NotFoundError(msg)
    return frames


def _frames_on(scan: RawScan, grid: Grid) -> range:
    """Return the frames predicted on a grid, with what the prediction may be off by."""
    track, rows = scan.track, grid.shape[0]
    y = np.array([-0.5, rows - 0.5])
    ra, dec = grid.wcs.wcs_pix2world(np.full(2, grid.shape[1] / 2), y, 0)
    along, _ = track.offsets(ra, dec)
    half = SIZE / 2 * scan.geometry().plate_scale.to_value(u.arcsec) + track.uncertainty[0]
    ends = np.sort(np.array([along.min() - half, along.max() + half]) / track.step)
    return _frames_of(scan, int(np.floor(ends[0])) + 1, int(np.ceil(ends[1])) - 1)
