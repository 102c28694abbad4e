"""Coadding: from a raw scan and its calibrator to images in the form of the survey's.

One image needs some nineteen frames. Each is calibrated, its sky offset taken off, put where the
stars say that it looked, resampled with its flux kept, matched in background to the others, freed
of what it alone shows, and averaged.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from astropy import units as u
from astropy.io import fits
from astropy.wcs import WCS
from numpy.typing import NDArray

from .. import __version__
from ..array.geometry import SIZE, ArrayGeometry
from ..array.track import ScanTrack
from ..atlas import AtlasImage
from ..atlas.tiling import step_cards, tile_images
from ..errors import AtlasError, NotFoundError
from ..scan import BAND_NAMES
from .background import match_backgrounds
from .grid import Grid, grid_at, grid_like, grid_of_tile
from .image import ORIGIN, Coadd
from .layers import Combined, combine
from .resample import SPLINES, Resampled, affine_map, require_kernel, resample

if TYPE_CHECKING:
    from astropy.coordinates import SkyCoord

    from ..calibrate import Calibrator, Science, SkyOffsets
    from ..raw import RawScan

__all__ = ["Coadder", "stack", "tile"]

# Calibrated frames kept: an image has up to 19, and its neighbour begins with six of them.
_KEPT = 24
_REACH = 400.0  # arcsec from a frame's centre, beyond which it has no corner
_CELL = 32  # pixels along a side of the squares in which noise is measured


class Pointed(Protocol):
    """What says where frames looked: `twomass_nb.astrometry.Positions`, or a prediction."""

    @property
    def track(self) -> ScanTrack:
        """The track of the frames."""
        ...

    @property
    def geometry(self) -> ArrayGeometry:
        """How the array lies."""
        ...

    def wcs(self, i: int) -> WCS:
        """Return the WCS of a frame."""
        ...


def stack(
    scan: RawScan,
    calibrator: Calibrator,
    like: AtlasImage | None = None,
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
    like : AtlasImage, optional
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
        the image's pixels ("turbo") or along its own ("square"). All keep flux. "spline" shows
        stars best, "bilinear" has least noise in a pixel, "turbo" is fastest; docs/coadding.md
        compares them.
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
        If `like` is of another band.
    """
    if (like is None) == (centre is None):
        msg = "say where to coadd: like= an Atlas Image, or centre= a position"
        raise NotFoundError(msg)
    if like is not None and size is not None:
        msg = "size= goes with centre=; an image like another has its size"
        raise NotFoundError(msg)
    if like is not None:
        _require_band(scan, like)
        grid, frames = grid_like(like), _frames_of(scan, like.first_frame, like.last_frame)
    else:
        grid = grid_at(scan, scan.track, centre, size)
        frames = _frames_on(scan, grid)
    coadder = Coadder(
        scan, calibrator, positions, sky, kernel, pixfrac, correct_first_column,
        frames=frames, reference=like,
    )  # fmt: skip
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
    from tqdm import tqdm

    coadder = Coadder(scan, calibrator, positions, sky, kernel, pixfrac, correct_first_column)
    images = tile_images(coadder.positions.track)
    name = f"{scan.scan_id or scan.path.name} {BAND_NAMES[str(scan.band)]}"
    for image in tqdm(
        images, desc=f"coadding {name}", unit="image", delay=1, leave=False,
        disable=not sys.stderr.isatty(),
    ):  # fmt: skip
        yield coadder.coadd(grid_of_tile(scan, coadder.positions.track, image))


class Coadder:
    """Makes images of one scan; what they have in common is measured once.

    Parameters are those of `stack`, and

    frames : range, optional
        Frames that will be needed; all of the scan if not given.
    reference : AtlasImage, optional
        Whose stars say where the frames looked.
    """

    def __init__(
        self,
        scan: RawScan,
        calibrator: Calibrator,
        positions: Pointed | None = None,
        sky: SkyOffsets | None = None,
        kernel: str = "spline",
        pixfrac: float = 1.0,
        correct_first_column: bool = True,
        frames: range | None = None,
        reference: AtlasImage | None = None,
    ) -> None:
        require_kernel(kernel, pixfrac)
        calibrator.require(scan)
        if not calibrator.saturation_seen:
            calibrator = calibrator.with_saturation(scan)
        self.scan, self.calibrator = scan, calibrator
        self.kernel, self.pixfrac = kernel, pixfrac
        self.correct_first_column = correct_first_column
        self.frames = range(scan.n_frames) if frames is None else frames
        self.sky = calibrator.sky_offsets(scan) if sky is None else sky
        if positions is None:
            from ..astrometry import reconstruct

            positions = reconstruct(
                scan, calibrator, sky=self.sky, frames=self.frames, reference=reference
            )
        self.positions: Pointed = positions
        self.science = lru_cache(_KEPT)(self._science)
        self.wcs = [positions.wcs(i) for i in self.frames]

    def _science(self, i: int) -> Science:
        return self.calibrator.science(
            self.scan, i, sky=self.sky, correct_first_column=self.correct_first_column
        )

    def coadd(self, grid: Grid) -> Coadd:
        """Return the image on a grid.

        Raises
        ------
        NotFoundError
            If no frame falls on it.
        """
        frames = list(self.resampled(grid))
        if not frames:
            msg = f"none of the frames of {self.scan.path.name} falls on this image"
            raise NotFoundError(msg)
        offsets = match_backgrounds(frames)
        made = combine(frames, offsets, grid.shape)
        header = self._header(grid, frames, offsets, made)
        return Coadd(made.data, header, None, made.coverage, made.uncertainty)

    def resampled(self, grid: Grid) -> Iterator[Resampled]:
        """Yield the frames that fall on a grid, on its pixels."""
        centers = grid.wcs.wcs_world2pix([wcs.wcs.crval for wcs in self.wcs], 0)
        for i, wcs, center in zip(self.frames, self.wcs, centers, strict=True):
            if not _near(center, grid):
                continue
            affine = affine_map(wcs, grid.wcs)
            if not _meets(affine, grid.shape):
                continue
            pixels, variance, _, mask = self.science(i)
            one = resample(i, pixels, variance, mask, affine, grid.shape, self.kernel, self.pixfrac)
            if one is not None:
                yield one

    def _header(
        self, grid: Grid, frames: list[Resampled], offsets: NDArray[np.float64], made: Combined
    ) -> fits.Header:
        header = fits.Header()
        if self.scan.simulated or self.calibrator.simulated:
            header["SIMULATE"] = (True, "coadded from simulated raw frames")
        header["ORIGIN"] = (ORIGIN, "coadded from raw frames, not a 2MASS product")
        header.update(grid.header)
        rotation = self.positions.geometry.rotation.to_value(u.rad)
        level, noise = _level_and_noise(made.data)
        cards: list[tuple[str, Any, str]] = [
            *step_cards(self.positions.track.step, rotation),
            ("BUNIT", "adu", "DN a pixel"),
            ("SKYVAL", level, "median of the pixels (DN)"),
            ("SKYSIG", noise, "noise of a pixel (DN), robust"),
            ("FRAME1", frames[0].frame, "first frame, counted from 0"),
            ("FRAME2", frames[-1].frame, "last frame, counted from 0"),
            ("NCOADD", len(frames), "frames coadded"),
            ("KERNEL", self.kernel, "of drizzle, or of interpolation"),
            ("BKGRMS", float(np.std(offsets)), "rms of the frames' offsets in level (DN)"),
            ("NSOLO", made.masked, "pixels of frames masked as transients"),
            ("NSTREAK", made.streaks, "trails masked"),
            ("POSREF", str(getattr(self.positions, "reference", "predicted"))[:68], ""),
            ("SKYRMS", float(np.nanstd(self.sky.offset)), "rms of the sky offsets (DN, raw)"),
            ("FIRSTCOL", self.correct_first_column, "first columns corrected"),
            ("GAIN", round(self.calibrator.gain, 4), "[electron/adu] of a raw frame"),
        ]
        if self.kernel not in SPLINES:
            cards.append(("PIXFRAC", self.pixfrac, "width of the kernel in raw pixels"))
        for word, scans in (("DARK", self.calibrator.darks), ("TWI", self.calibrator.twilights)):
            cards += [(f"{word}{k}", name, "") for k, name in enumerate(scans[:99], 1)]
        for key, value, comment in cards:
            header[key] = (value, comment)
        header["HISTORY"] = f"coadded by twomass_nb {__version__}"
        return header


def _near(center: NDArray[np.float64], grid: Grid) -> bool:
    """Tell whether a frame of this centre can meet a grid, before its map is fitted."""
    pixel = np.sqrt(abs(np.linalg.det(grid.wcs.pixel_scale_matrix))) * 3600
    reach = _REACH / pixel
    # of places half a sky away there are no pixels: they are NaN, and not near
    return all(
        -reach < at < length + reach for at, length in zip(center, grid.shape[::-1], strict=True)
    )


def _meets(affine: NDArray[np.float64], shape: tuple[int, int]) -> bool:
    ends = np.array([-0.5, SIZE - 0.5])
    return all(
        (at := term[0] + term[1] * ends[:, None] + term[2] * ends).max() > -0.5
        and at.min() < length - 0.5
        for term, length in zip(affine, shape[::-1], strict=True)
    )


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


def _level_and_noise(data: NDArray[np.float32]) -> tuple[float, float]:
    """Return the median, and the median over small squares of the robust noise within them."""
    rows, columns = (n // _CELL * _CELL for n in data.shape)
    if rows == 0 or columns == 0:
        cells = data.reshape(1, -1)
    else:
        cut = data[:rows, :columns].reshape(rows // _CELL, _CELL, columns // _CELL, _CELL)
        cells = cut.swapaxes(1, 2).reshape(-1, _CELL * _CELL)
    cells = cells[np.isfinite(cells).all(axis=1)]
    if not len(cells):
        return float(np.nanmedian(data)), float(np.nanstd(data))
    middle = np.median(cells, axis=1)
    noise = 1.4826 * np.median(np.abs(cells - middle[:, None]), axis=1)
    return float(np.nanmedian(data)), float(np.median(noise))
