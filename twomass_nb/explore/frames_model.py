"""What the frame explorer shows, as plain numbers: pixels, limits, coadd, outline and titles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..atlas import AtlasImage, find_coadds
from ..errors import NotFoundError, TwomassError
from ..raw.beside import sibling_of
from ..scan import BAND_NAMES, BANDS, FileName
from . import colours, sky

if TYPE_CHECKING:
    from astropy.coordinates import SkyCoord
    from astropy.wcs import WCS

__all__ = ["READS", "FramesModel"]

READS = ("r1", "r2", "r2-r1")
_SIDE = 256
# Corners of a frame, half a pixel outside the outermost pixel centres, and back to the first.
_CORNERS = np.array([(-0.5, -0.5), (255.5, -0.5), (255.5, 255.5), (-0.5, 255.5), (-0.5, -0.5)])


class FramesModel:
    """One frame of a scan in one band and read, and the processed coadd nearest to it.

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
    """

    def __init__(
        self,
        scan: Any,
        atlas: Any = None,
        frame: int | None = None,
        target: SkyCoord | None = None,
    ) -> None:
        self._scans = {scan.band: scan}
        self._given = None if atlas is None else _listed(atlas)
        self._images: dict[Any, AtlasImage] = {}
        self._coadds: dict[str, list[tuple[float, Any]]] = {}
        #: Why it is not known where the frames are on the sky; empty when it is.
        self.no_sky = ""
        self._wcs: tuple[Any, Any] = (None, None)
        self._coadd_ranges: dict[tuple[int, str], tuple[float, float]] = {}
        self.band = scan.band
        self.read = "r2-r1"
        self.stretch = "asinh"
        self.limits = "99.7 %"
        self.manual: tuple[float, float] | None = None
        self.colours = "cividis"
        self.target = None if target is None else target.icrs
        self.frame = self._first_frame() if frame is None else 0
        if frame is not None:
            self.go(frame)

    @property
    def scan(self) -> Any:
        """The open scan in the band shown."""
        return self._scans[self.band]

    @property
    def simulated(self) -> bool:
        """Whether the frames are simulated."""
        return bool(self.scan.simulated)

    def has_band(self, band: str) -> bool:
        """Whether the scan's file in this band is there, beside the one given."""
        if band in self._scans:
            return True
        try:
            sibling_of(self.scan.path, band)
        except NotFoundError:
            return False
        return True

    def bands(self) -> list[str]:
        """Bands that can be shown."""
        return [band for band in BANDS if self.has_band(band)]

    def show_band(self, band: str) -> None:
        """Turn to another band of the same scan; the frame stays where that scan has it too."""
        if band not in self._scans:
            self._scans[band] = self.scan.sibling(band)
        self.band = band
        self.frame = min(self.frame, self.scan.n_frames - 1)

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

    def _first_frame(self) -> int:
        middle = self.scan.n_frames // 2
        if self.target is None or self._wcs_of(0) is None:
            return middle
        centers = self.scan.track.center(np.arange(self.scan.n_frames))
        nearest = int(np.argmin(centers.separation(self.target)))
        return middle if self._target_in(nearest) is None else nearest

    def _target_in(self, frame: int) -> tuple[float, float] | None:
        wcs = self._wcs_of(frame)
        if self.target is None or wcs is None:
            return None
        x, y = _pixel(wcs, self.target)
        inside = -0.5 <= x < _SIDE - 0.5 and -0.5 <= y < _SIDE - 0.5
        return (x, y) if inside else None

    # what is drawn -----------------------------------------------------------------------------

    def data(self) -> np.ndarray:
        """Return the pixels as the reader gives them, shape (256, 256): uint16; int32 for r2-r1."""
        scan = self.scan
        if self.read == "r2-r1":
            return np.ascontiguousarray(scan.difference(self.frame), dtype=np.int32)
        read = scan.r1 if self.read == "r1" else scan.r2
        return np.ascontiguousarray(read(self.frame), dtype=np.uint16)

    def range_of(self, data: np.ndarray) -> tuple[float, float]:
        """Return the ends of an image's colour scale, by the rule chosen or as set by hand."""
        return self.manual or colours.limits(data, self.limits)

    def wcs(self) -> WCS | None:
        """Return the predicted WCS of the frame, or None when it is not known (see `no_sky`)."""
        return self._wcs_of(self.frame)

    def _wcs_of(self, frame: int) -> WCS | None:
        # A step asks for it several times: target, outline, readout.
        if self._wcs[0] != (self.band, frame):
            try:
                wcs = self.scan.wcs(frame, self.band)
                self.no_sky = ""
            except TwomassError as error:  # no .par file, or one that says too little
                wcs, self.no_sky = None, str(error)
            self._wcs = ((self.band, frame), wcs)
        return self._wcs[1]

    def target_pixel(self) -> tuple[float, float] | None:
        """Pixel (x, y) of the target, or None when it is not on this frame."""
        return self._target_in(self.frame)

    def title(self) -> str:
        """Scan, band, frame and read; SIMULATED when so."""
        words = (
            f"{self.scan.scan_id or self.scan.path.name} · {BAND_NAMES.get(self.band, '?')} · "
            f"frame {self.frame} of 0–{self.scan.n_frames - 1} · {self.read.replace('-', ' − ')}"
        )
        return words + (" · SIMULATED" if self.simulated else "")

    # the coadd beside it -----------------------------------------------------------------------

    def coadd(self) -> AtlasImage | None:
        """Return the coadd whose centre is nearest to the frame's, or None if there is none."""
        if self.band not in self._coadds:
            self._coadds[self.band] = self._find_coadds()
        choices = self._coadds[self.band]
        if not choices:
            return None
        _, source = min(choices, key=lambda choice: abs(choice[0] - self.frame))
        key = source if isinstance(source, str) else id(source)
        if key not in self._images:
            self._images[key] = AtlasImage.open(source) if isinstance(source, str) else source
        return self._images[key]

    def _find_coadds(self) -> list[tuple[float, Any]]:
        """Coadds of this band as (frame nearest to the centre, image or path)."""
        if self._given is None and self.scan.scan_id is None:
            return []
        if self._given is None:
            found = find_coadds(self.scan.folder, self.scan.scan_id, self.band)
            return [(FileName.parse(path).coadd - 1, str(path)) for path in found]
        images = [
            source if not isinstance(source, str) else AtlasImage.open(source)
            for source in self._given
        ]
        same = [image for image in images if image.band == self.band]
        return [(image.coadd - 1, image) for image in same or images]

    def outline(self, coadd: AtlasImage) -> np.ndarray | None:
        """Return the frame's edge in the coadd's pixels, shape (5, 2), closed; None if unknown."""
        wcs = self.wcs()
        if wcs is None:
            return None
        return coadd.wcs.all_world2pix(wcs.all_pix2world(_CORNERS, 0), 0)

    def coadd_target(self, coadd: AtlasImage) -> tuple[float, float] | None:
        """Pixel (x, y) of the target on the coadd, or None when it is not on it."""
        if self.target is None:
            return None
        x, y = _pixel(coadd.wcs, self.target)
        ny, nx = coadd.data.shape
        return (x, y) if -0.5 <= x < nx - 0.5 and -0.5 <= y < ny - 0.5 else None

    def coadd_range(self, coadd: AtlasImage) -> tuple[float, float]:
        """Return the ends of the coadd's colour scale (limits by hand are the frame's)."""
        key = (id(coadd), self.limits)
        if key not in self._coadd_ranges:
            self._coadd_ranges[key] = colours.limits(coadd.data, self.limits)
        return self._coadd_ranges[key]

    def coadd_title(self, coadd: AtlasImage) -> str:
        """Which processed image it is; SIMULATED when so."""
        words = f"Processed coadd {coadd.scan_id} · {BAND_NAMES[coadd.band]} · {coadd.coadd}"
        return words + (" · SIMULATED" if coadd.simulated else "")

    def sky_terms(self) -> dict[str, float] | None:
        """Return the WCS numbers of the frame, for the page; None if they are not known."""
        wcs = self.wcs()
        return None if wcs is None else sky.terms(wcs)

    def state(self) -> Mapping[str, Any]:
        """All that is shown, as plain values."""
        low, high = self.range_of(self.data())
        coadd = self.coadd()
        return {
            "scan": None if self.scan.scan_id is None else str(self.scan.scan_id),
            "band": self.band,
            "read": self.read,
            "frame": self.frame,
            "stretch": self.stretch,
            "limits": "manual" if self.manual else self.limits,
            "low": low,
            "high": high,
            "colours": self.colours,
            "target": self.target_pixel(),
            "coadd": None if coadd is None else coadd.coadd,
            "simulated": self.simulated,
        }


def _listed(atlas: Any) -> list[Any]:
    """Return the coadds given as a list; paths as str."""
    several = isinstance(atlas, Iterable) and not isinstance(atlas, (str, AtlasImage))
    sources = list(atlas) if several else [atlas]
    if not sources:
        message = "atlas= is empty: give an AtlasImage or a path, or leave it out"
        raise TwomassError(message)
    return [source if hasattr(source, "wcs") else str(source) for source in sources]


def _pixel(wcs: WCS, target: SkyCoord) -> tuple[float, float]:
    x, y = wcs.all_world2pix(target.ra.deg, target.dec.deg, 0)
    return float(x), float(y)
