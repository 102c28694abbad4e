"""What a scan in all its bands holds for the frame explorer: files, pixels, what stands out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..array.artifacts import FixedPattern, hot_pixels, saturation
from ..array.clusters import clusters
from ..array.geometry import SIZE
from ..errors import NotFoundError, TwomassError
from ..raw.beside import sibling_of
from ..scan import BANDS

if TYPE_CHECKING:
    from astropy.coordinates import SkyCoord
    from astropy.wcs import WCS

__all__ = ["CALIBRATED", "READS", "Bands", "pixel_of"]

READS = ("r1", "r2", "r2-r1")
CALIBRATED = "calibrated"
_HOT_FROM = 15  # frames, evenly over the scan, in which stars do not stay
_GLOW = 6  # frames that a star saturated before is followed for
_NEAR = 8  # frames: a target is seen for at most this many before and after its best one
Tick = Callable[[int, int], None]


class Bands:
    """The files of one scan in its bands; those that are asked for are opened.

    Parameters
    ----------
    scan : `~twomass_nb.RawScan`
    calibrator : calibrator, or mapping of band to calibrator, optional
        Each has ``frame(scan, i)``, which returns a `~astropy.nddata.CCDData`.
    """

    def __init__(self, scan: Any, calibrator: Any = None) -> None:
        self._scans = {scan.band: scan}
        self._first = scan
        several = isinstance(calibrator, Mapping)
        self._calibrators = dict(calibrator) if several else {}
        if calibrator is not None and not several:
            self._calibrators[getattr(calibrator, "band", None) or scan.band] = calibrator
        self._hot: dict[str, NDArray[np.int64]] = {}
        self._full: dict[str, tuple[NDArray[np.int64], NDArray[np.int64]]] = {}
        self._wcs: dict[str, tuple[int, WCS | None]] = {}
        #: Why it is not known where the frames of a band are on the sky; empty when it is.
        self.no_sky: dict[str, str] = {}

    def __getitem__(self, band: str) -> Any:
        if band not in self._scans:
            self._scans[band] = self._first.sibling(band)
        return self._scans[band]

    def has(self, band: str) -> bool:
        """Whether the scan's file in this band is there, beside the one given."""
        if band in self._scans:
            return True
        try:
            sibling_of(self._first.path, band)
        except NotFoundError:
            return False
        return True

    def there(self) -> list[str]:
        """Bands that can be shown."""
        return [band for band in BANDS if self.has(band)] or [self._first.band]

    @property
    def calibrated_bands(self) -> tuple[str, ...]:
        """Bands that a calibrator was given for."""
        return tuple(self._calibrators)

    def reads(self, band: str) -> tuple[str, ...]:
        """Return what can be shown of a band's frames."""
        return (*READS, CALIBRATED) if band in self._calibrators else READS

    def calibrated(self, band: str, frame: int) -> Any:
        """Return the calibrated frame, `~astropy.nddata.CCDData` in DN.

        Raises
        ------
        NotFoundError
            If no calibrator was given for the band.
        """
        if band not in self._calibrators:
            message = f"no calibrator was given for band {band}: give one with calibrator="
            raise NotFoundError(message)
        return self._calibrators[band].frame(self[band], frame)

    def pixels(self, band: str, frame: int, read: str) -> NDArray[Any]:
        """Return the pixels, shape (256, 256), DN.

        Returns
        -------
        array
            As the reader gives them: uint16, int32 for r2-r1. Calibrated: float32, masked pixels
            NaN.
        """
        scan = self[band]
        if read == CALIBRATED:
            image = self.calibrated(band, frame)
            pixels = np.array(image.data, np.float32)
            if image.mask is not None:
                pixels[np.asarray(image.mask, bool)] = np.nan
            return pixels
        if read == "r2-r1":
            return np.ascontiguousarray(scan.difference(frame), dtype=np.int32)
        which = scan.r1 if read == "r1" else scan.r2
        return np.ascontiguousarray(which(frame), dtype=np.uint16)

    def through_frames(
        self, band: str, x: int, y: int, read: str, tick: Tick = lambda _i, _n: None
    ) -> NDArray[Any]:
        """Return the value of one pixel in all frames, DN, shape (n_frames,).

        Parameters
        ----------
        tick : callable, optional
            Called with the number of frames done and that of all, where it takes long.
        """
        scan = self[band]
        if read == CALIBRATED:
            values = np.empty(scan.n_frames, np.float32)
            for i in range(scan.n_frames):
                values[i] = self.pixels(band, i, read)[y, x]
                tick(i + 1, scan.n_frames)
            return values
        both = scan.frames[:, :, y, x].astype(np.int32)
        return both[:, 1] - both[:, 0] if read == "r2-r1" else both[:, ("r1", "r2").index(read)]

    def wcs(self, band: str, frame: int) -> WCS | None:
        """Return the predicted WCS of a frame, or None when it is not known (see `no_sky`)."""
        # A step asks for it several times: target, outline, readout.
        if band not in self._wcs or self._wcs[band][0] != frame:
            try:
                wcs, self.no_sky[band] = self[band].wcs(frame, band), ""
            except TwomassError as error:  # no .par file, or one that says too little
                wcs, self.no_sky[band] = None, str(error)
            self._wcs[band] = (frame, wcs)
        return self._wcs[band][1]

    def crossing(self, band: str, target: SkyCoord | None) -> list[tuple[int, float, float]]:
        """Return the frames that see a position, and its pixel in each: (frame, x, y)."""
        if target is None or self.wcs(band, 0) is None:
            return []
        scan = self[band]
        centers = scan.track.center(np.arange(scan.n_frames))
        best = int(np.argmin(centers.separation(target)))
        seen = []
        for frame in range(max(0, best - _NEAR), min(scan.n_frames, best + _NEAR + 1)):
            x, y = pixel_of(self.wcs(band, frame), target)
            if -0.5 <= x < SIZE - 0.5 and -0.5 <= y < SIZE - 0.5:
                seen.append((frame, x, y))
        return seen

    # what stands out ---------------------------------------------------------------------------

    def hot(self, band: str) -> NDArray[np.int64]:
        """Return the hot pixels, as some of the scan's own frames show them: x and y, (n, 2)."""
        if band not in self._hot:
            scan = self[band]
            some = np.linspace(0, scan.n_frames - 1, min(_HOT_FROM, scan.n_frames)).astype(int)
            pattern = FixedPattern(np.stack([scan.frames[i] for i in some]))
            found = hot_pixels(pattern)
            self._hot[band] = np.stack([found.x, found.y], axis=-1)
        return self._hot[band]

    def full(self, band: str, frame: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the saturated pixels of a frame: x and y, (n, 2), in r2 alone, and in both reads.

        Without a calibrator the limit of each pixel is not known. In r2 these are the pixels at
        the highest value of their quadrant; in both, those where a star leaves r2 - r1 dark.
        """
        if band not in self._full:
            found = saturation(self[band].frames)
            self._full[band] = (found.flat, found.holes)
        flat, holes = (rows[rows[:, 0] == frame][:, [2, 1]] for rows in self._full[band])
        return flat, holes

    def afterglow(self, band: str, frame: int) -> NDArray[np.float64]:
        """Return where stars that saturated in the frames before may glow on.

        Returns
        -------
        array, shape (n, 3)
            x, y, and how many frames ago, 1 to 6, the star was in these very pixels.
        """
        places = [
            (x, y, ago)
            for ago in range(1, min(_GLOW, frame) + 1)
            for x, y, _ in clusters(*np.concatenate(self.full(band, frame - ago)).T)
        ]
        return np.array(places, float).reshape(-1, 3)


def pixel_of(wcs: WCS, target: SkyCoord) -> tuple[float, float]:
    """Return the pixel (x, y) of a position."""
    x, y = wcs.all_world2pix(target.ra.deg, target.dec.deg, 0)
    return float(x), float(y)
