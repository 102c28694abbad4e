"""What makes images of one scan: what they have in common is measured once, and kept."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from astropy import units as u
from astropy.io import fits
from astropy.wcs import WCS
from numpy.typing import NDArray

from .. import __version__
from ..array.affine import affine_map
from ..array.geometry import ArrayGeometry
from ..array.track import ScanTrack
from ..atlas import AtlasImage
from ..atlas.tiling import step_cards
from ..errors import NotFoundError, warn
from .background import match_backgrounds
from .grid import Grid
from .image import ORIGIN, Coadd
from .layers import Combined, combine
from .resample import SPLINES, Resampled, require_kernel, resample
from .unlike import unlike

if TYPE_CHECKING:
    from ..calibrate import Calibrator, Science, SkyOffsets
    from ..raw import RawScan

__all__ = ["Coadder", "Pointed"]

# Calibrated frames kept: an image has up to 19, and its neighbour begins with six of them.
_KEPT = 24
_CELL = 32  # pixels along a side of the squares in which noise is measured
_REACH = 400.0  # arcsec from a frame's centre, beyond which it has no corner


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
        if strange := unlike(frames, offsets):
            warn(_warning(self.scan, strange))
            frames = [one for one in frames if one.frame not in strange]
            offsets = match_backgrounds(frames)
        made = combine(frames, offsets, grid.shape)
        header = self._header(grid, frames, offsets, made)
        header["NUNLIKE"] = (len(strange), "frames left out, not like the others")
        return Coadd(made.data, header, None, made.coverage, made.uncertainty)

    def resampled(self, grid: Grid) -> Iterator[Resampled]:
        """Yield the frames that fall on a grid, on its pixels."""
        centers = grid.wcs.wcs_world2pix([wcs.wcs.crval for wcs in self.wcs], 0)
        for i, wcs, center in zip(self.frames, self.wcs, centers, strict=True):
            if not _near(center, grid):
                continue
            affine = affine_map(wcs, grid.wcs)
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
            ("POSREF", str(getattr(self.positions, "reference", "predicted")), ""),
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


def _warning(scan: RawScan, strange: dict[int, str]) -> str:
    said = "; ".join(f"{i}: {why}" for i, why in strange.items())
    return f"frames of {scan.path.name} are not like the others, and left out: {said}"


def _near(center: NDArray[np.float64], grid: Grid) -> bool:
    """Tell whether a frame of this centre can meet a grid, before it is calibrated."""
    pixel = np.sqrt(abs(np.linalg.det(grid.wcs.pixel_scale_matrix))) * 3600
    reach = _REACH / pixel
    # of places half a sky away there are no pixels: they are NaN, and not near
    return all(
        -reach < at < length + reach for at, length in zip(center, grid.shape[::-1], strict=True)
    )


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
