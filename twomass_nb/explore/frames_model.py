"""What the frame explorer shows, as plain numbers: pixels, limits, marks, cuts, titles, state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..array.geometry import SIZE
from ..errors import NotFoundError
from ..scan import BAND_NAMES
from . import colours, frames_coadds, frames_state, sky
from .frames_bands import READS, Bands, pixel_of
from .frames_coadds import Coadds

if TYPE_CHECKING:
    from astropy.coordinates import SkyCoord
    from astropy.wcs import WCS

    from ..atlas import AtlasImage

__all__ = ["MARKS", "PLOTS", "READS", "VIEWS", "FramesModel"]

#: What can be seen at once, and the words on the buttons.
VIEWS = {"one": "frame + coadd", "bands": "all bands", "reads": "all reads"}
#: Plots that open below the frames, and marks that can be laid over them.
PLOTS = {"cuts": "cuts", "histogram": "histogram", "through": "one pixel"}
MARKS = {
    "quadrants": "read-out",
    "saturated": "saturated",
    "hot": "hot pixels",
    "persistence": "persistence",
}
_BINS = 128


class FramesModel:
    """Frames of a scan in one band and read or several, and the coadd nearest to them.

    Parameters
    ----------
    scan : `~twomass_nb.RawScan`
    atlas : `~twomass_nb.AtlasImage`, path, or several of these, optional
        Coadds to show beside the frames; by default those that lie beside the raw files.
    frame : int, optional
        Frame to start with, counted from 0. By default the one that sees `target` best, or the
        middle one.
    target : `~astropy.coordinates.SkyCoord`, optional
        Position to mark.
    calibrator : calibrator, or mapping of band to calibrator, optional

    Attributes
    ----------
    band, read : str
        What is shown; where several bands or reads are, the one that cuts and plots are of.
    frame : int
    stretch, limits, colours : str
        See `colours`.
    manual : (float, float) or None
        Limits set by hand, DN.
    view : str
        A key of `VIEWS`.
    plots, marks : set of str
        Which of `PLOTS` and `MARKS` are open.
    pixel, pointer : (int, int) or None
        x, y of the pixel that is held, and of that under the pointer.
    selection : (int, int, int, int) or None
        First and last x, first and last y of the pixels selected, all of them included.
    """

    def __init__(
        self,
        scan: Any,
        atlas: Any = None,
        frame: int | None = None,
        target: SkyCoord | None = None,
        calibrator: Any = None,
    ) -> None:
        self.bands_of_scan = Bands(scan, calibrator)
        self.coadds = Coadds(atlas)
        self.band = scan.band
        self.read = "r2-r1"
        self.stretch = "asinh"
        self.limits = "99.7 %"
        self.manual: tuple[float, float] | None = None
        self.colours = "cividis"
        self.view = "one"
        self.plots: set[str] = set()
        self.marks: set[str] = set()
        self.pixel: tuple[int, int] | None = None
        self.pointer: tuple[int, int] | None = None
        self.selection: tuple[int, int, int, int] | None = None
        self._crossings: dict[str, list[tuple[int, float, float]]] = {}
        self.target = target
        self.frame = self.best_frame() if frame is None else 0
        if frame is not None:
            self.go(frame)

    @property
    def scan(self) -> Any:
        """The open scan in the band shown."""
        return self.bands_of_scan[self.band]

    @property
    def simulated(self) -> bool:
        """Whether the frames are simulated."""
        return bool(self.scan.simulated)

    @property
    def no_sky(self) -> str:
        """Why it is not known where the frames are on the sky; empty when it is."""
        return self.bands_of_scan.no_sky.get(self.band, "")

    def has_band(self, band: str) -> bool:
        """Whether the scan's file in this band is there, beside the one given."""
        return self.bands_of_scan.has(band)

    def bands(self) -> list[str]:
        """Bands that can be shown."""
        return self.bands_of_scan.there()

    def reads(self) -> tuple[str, ...]:
        """Return what can be shown of the band: `READS`, and calibrated with a calibrator."""
        return self.bands_of_scan.reads(self.band)

    def show_band(self, band: str) -> None:
        """Turn to another band of the same scan; the frame stays where that scan has it too."""
        scan = self.bands_of_scan[band]
        self.band = band
        self.frame = min(self.frame, scan.n_frames - 1)
        if self.read not in self.reads():
            self.read = "r2-r1"

    def show_read(self, read: str) -> None:
        """Turn to another read.

        Raises
        ------
        NotFoundError
            If there is none of that name.
        """
        if read not in self.reads():
            message = f"{read!r} cannot be shown: there are {', '.join(self.reads())}"
            raise NotFoundError(message)
        self.read = read

    def go(self, frame: int) -> None:
        """Turn to a frame.

        Raises
        ------
        NotFoundError
            If the scan has no such frame.
        """
        if not 0 <= frame < self.scan.n_frames:
            last = self.scan.n_frames - 1
            message = f"there is no frame {frame}: this scan has frames 0 to {last}"
            raise NotFoundError(message)
        self.frame = int(frame)

    @property
    def target(self) -> SkyCoord | None:
        """Position that is marked, ICRS."""
        return self._target

    @target.setter
    def target(self, target: SkyCoord | None) -> None:
        self._target = None if target is None else target.icrs
        self._crossings.clear()

    # the target --------------------------------------------------------------------------------

    def crossing(self, band: str | None = None) -> list[tuple[int, float, float]]:
        """Return the frames that see the target, and its pixel in each: (frame, x, y)."""
        band = band or self.band
        if band not in self._crossings:
            self._crossings[band] = self.bands_of_scan.crossing(band, self._target)
        return self._crossings[band]

    def best_frame(self) -> int:
        """Return the frame that has the target nearest to its middle; if none has, the middle."""
        middle = (SIZE - 1) / 2
        places = [(np.hypot(x - middle, y - middle), i) for i, x, y in self.crossing()]
        return min(places)[1] if places else self.scan.n_frames // 2

    def target_pixel(self, band: str | None = None) -> tuple[float, float] | None:
        """Pixel (x, y) of the target, or None when it is not on this frame."""
        return next(((x, y) for frame, x, y in self.crossing(band) if frame == self.frame), None)

    # what is drawn -----------------------------------------------------------------------------

    def panels(self) -> list[tuple[str, str]]:
        """Return what is shown at once: (band, read) of each picture."""
        if self.view == "bands":
            return [(band, self.read) for band in self.bands()]
        if self.view == "reads":
            return [(self.band, read) for read in self.reads()]
        return [(self.band, self.read)]

    def data(self, band: str | None = None, read: str | None = None) -> np.ndarray:
        """Return the pixels as the reader gives them, shape (256, 256): uint16; int32 for r2-r1.

        Raises
        ------
        NotFoundError
            If the scan in that band has no such frame.
        """
        return self.bands_of_scan.pixels(band or self.band, self.frame, read or self.read)

    def range_of(self, data: np.ndarray, read: str | None = None) -> tuple[float, float]:
        """Return the ends of an image's colour scale, by the rule chosen or as set by hand.

        Limits by hand are those of the read chosen; `read` is that of the image.
        """
        if self.manual and read in (None, self.read):
            return self.manual
        return colours.limits(data, self.limits)

    def wcs(self) -> WCS | None:
        """Return the predicted WCS of the frame, or None when it is not known (see `no_sky`)."""
        return self.wcs_of(self.frame)

    def wcs_of(self, frame: int, band: str | None = None) -> WCS | None:
        """Return the predicted WCS of any frame, in any band."""
        return self.bands_of_scan.wcs(band or self.band, frame)

    def sky_terms(self, band: str | None = None) -> dict[str, float] | None:
        """Return the WCS numbers of the frame, for the page; None if they are not known."""
        wcs = self.wcs_of(self.frame, band)
        return None if wcs is None else sky.terms(wcs)

    def title(self) -> str:
        """Scan, band, frame and read; SIMULATED when so."""
        words = (
            f"{self.scan.scan_id or self.scan.path.name} · {BAND_NAMES.get(self.band, '?')} · "
            f"frame {self.frame} of 0–{self.scan.n_frames - 1} · {self.read.replace('-', ' − ')}"
        )
        return words + (" · SIMULATED" if self.simulated else "")

    def panel_title(self, band: str, read: str) -> str:
        """Band, frame and read, short; SIMULATED when so."""
        words = f"{BAND_NAMES.get(band, '?')} · frame {self.frame} · {read.replace('-', ' − ')}"
        return words + (" · SIMULATED" if self.bands_of_scan[band].simulated else "")

    def has_frame(self, band: str) -> bool:
        """Whether the scan has, in another band, the frame that is shown."""
        return self.frame < self.bands_of_scan[band].n_frames

    # the coadd beside it -----------------------------------------------------------------------

    def coadd(self) -> AtlasImage | None:
        """Return the coadd whose centre is nearest to the frame's, or None if there is none."""
        return self.coadds.nearest(self.scan, self.frame)

    def outline(self, coadd: AtlasImage) -> np.ndarray | None:
        """Return the frame's edge in the coadd's pixels, shape (5, 2), closed; None if unknown."""
        return frames_coadds.outline(coadd, self.wcs())

    def coadd_target(self, coadd: AtlasImage) -> tuple[float, float] | None:
        """Pixel (x, y) of the target on the coadd, or None when it is not on it."""
        if self.target is None:
            return None
        x, y = pixel_of(coadd.wcs, self.target)
        ny, nx = coadd.data.shape
        return (x, y) if -0.5 <= x < nx - 0.5 and -0.5 <= y < ny - 0.5 else None

    def coadd_range(self, coadd: AtlasImage) -> tuple[float, float]:
        """Return the ends of the coadd's colour scale (limits by hand are the frame's)."""
        return self.coadds.range_of(coadd, self.limits)

    # plots -------------------------------------------------------------------------------------

    @property
    def middle(self) -> tuple[int, int]:
        """The pixel (x, y) that is looked at where none is chosen."""
        return (SIZE // 2, SIZE // 2)

    def cursor(self) -> tuple[int, int]:
        """Return the pixel (x, y) that is looked at: under the pointer, held, or the middle one."""
        return self.pointer or self.pixel or self.middle

    def cuts(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the row and the column of the frame through the cursor, DN, shape (256,) each."""
        x, y = self.cursor()
        data = self.data()
        return data[y], data[:, x]

    def histogram(self) -> tuple[np.ndarray, np.ndarray]:
        """Return how many pixels of the frame have which value.

        Returns
        -------
        edges, counts : array, shape (129,), (128,)
            DN and pixels, over twice the width of the colour scale: tails beyond are left out.
        """
        data = self.data()
        low, high = self.range_of(data)
        margin = (high - low) / 2
        counts, edges = np.histogram(data, _BINS, (low - margin, high + margin))
        return edges, counts

    def through_frames(self, tick: Any = lambda _i, _n: None) -> np.ndarray:
        """Return the value in all frames of the pixel held, or the middle one; DN."""
        x, y = self.pixel or self.middle
        return self.bands_of_scan.through_frames(self.band, x, y, self.read, tick)

    # state -------------------------------------------------------------------------------------

    def state(self) -> Mapping[str, Any]:
        """All that is shown, as plain values; `restore` takes it back."""
        return frames_state.of(self)

    def restore(self, state: Mapping[str, Any]) -> None:
        """Show what a state says; see `frames_state.restore`."""
        frames_state.restore(self, state)
