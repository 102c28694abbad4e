"""What the compare explorer shows, as plain numbers: a raw frame in a coadd's pixels, noise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy import units as u
from numpy.typing import NDArray

from ..atlas import AtlasImage
from ..atlas.parity import Parity, find_parity
from ..errors import NotFoundError, TwomassError
from ..scan import BAND_NAMES
from . import colours
from .compare_coadd import OurCoadd

if TYPE_CHECKING:
    from astropy.wcs import WCS

__all__ = ["DIFFERENCE", "CompareModel"]

#: What the picture on the coadd's pixels can show; two of them with a coadd of ours alone.
COADD, OURS, DIFFERENCE, RAW = "coadd", "our coadd", "difference", "raw frame"
_SIDE = 256
_CORNERS = np.array([(-0.5, -0.5), (255.5, -0.5), (255.5, 255.5), (-0.5, 255.5), (-0.5, -0.5)])
_NEIGHBOURS = 4  # frames on each side whose median shows what does not move
#: Pixels apart whose differences show the noise. Those of a coadd share the noise of raw pixels: in
#: the real images of NGC 309 neighbours show .47 of SKYSIG, pixels 6 apart .98 to 1.00.
_APART_RAW, _APART_COADD = 1, 6


class CompareModel:
    """A raw frame and the processed image that it went into.

    Parameters
    ----------
    scan : `~twomass_nb.RawScan`
    atlas : `~twomass_nb.AtlasImage` or path
        A coadd of the scan.
    frame : int, optional
        Frame to start with, counted from 0; the one nearest to the coadd's centre if not given.
    coadd : `~twomass_nb.coadd.Coadd`, AtlasImage or path, optional
        One of ours, on the same grid or a part of it.

    Attributes
    ----------
    frame : int
    ours : OurCoadd or None
    cleaned : bool
        Whether what stays in the same pixel from frame to frame is taken out of the raw frame.
    shown : str
        What the picture on the coadd's pixels shows, one of `choices`.
    stretch, colours, limits : str
        See `colours`.

    Raises
    ------
    TwomassError
        If a coadd is of another band, its frames are not in the scan, or ours is on another grid.
    """

    def __init__(self, scan: Any, atlas: Any, frame: int | None = None, coadd: Any = None) -> None:
        self.scan = scan
        self.image = atlas if hasattr(atlas, "wcs") else AtlasImage.open(atlas)
        if self.image.band != scan.band:
            message = (
                f"{self.image!r} is band {self.image.band}, the scan is band {scan.band}: "
                "compare the same band"
            )
            raise TwomassError(message)
        frames = self.contributing()
        if len(frames) == 0:
            message = (
                f"none of the {scan.n_frames} frames of {scan.scan_id or scan.path.name} falls on "
                f"{self.image!r}: give a coadd of that scan"
            )
            raise TwomassError(message)
        self.ours = None if coadd is None else OurCoadd(coadd, self.image)
        middle = min(frames, key=lambda i: abs(i - (self.image.coadd - 1)))
        self.frame = int(middle)
        self.cleaned = False
        self.shown = COADD
        self.stretch, self.colours, self.limits = "asinh", "cividis", "99.7 %"
        #: What the parity check said last.
        self.parity: Parity | None = None
        self._lookup: tuple[Any, Any] = (None, None)
        if frame is not None:
            self.go(frame)

    @property
    def choices(self) -> tuple[str, ...]:
        """What the picture on the coadd's pixels can show."""
        return (COADD, RAW) if self.ours is None else (COADD, OURS, DIFFERENCE, RAW)

    @property
    def turns(self) -> tuple[str, str]:
        """The two that blink: the real coadd with ours, or with the raw frame."""
        return COADD, RAW if self.ours is None else OURS

    def contributing(self) -> NDArray[np.int64]:
        """Return the frames of the scan that went into the coadd."""
        first, last = max(0, self.image.first_frame), self.image.last_frame
        return np.arange(first, min(last, self.scan.n_frames - 1) + 1)

    def go(self, frame: int) -> None:
        """Turn to a frame.

        Raises
        ------
        NotFoundError
            If it did not go into the coadd.
        """
        frames = self.contributing()
        if not frames[0] <= frame <= frames[-1]:
            message = f"frame {frame} is not on this coadd: frames {frames[0]} to {frames[-1]} are"
            raise NotFoundError(message)
        self.frame = int(frame)

    # pictures ----------------------------------------------------------------------------------

    def raw(self) -> NDArray[Any]:
        """Return the raw frame, r2 - r1, shape (256, 256), DN; cleaned if so chosen."""
        pixels = self.scan.difference(self.frame)
        return self._moving(pixels).astype(np.float32) if self.cleaned else pixels

    def _moving(self, pixels: NDArray[Any]) -> NDArray[np.float64]:
        """Return a frame less the median of its neighbours, at the level it had."""
        low = max(0, self.frame - _NEIGHBOURS)
        high = min(self.scan.n_frames, self.frame + _NEIGHBOURS + 1)
        still = np.median([self.scan.difference(i) for i in range(low, high)], axis=0)
        return np.asarray(pixels - still + np.median(still))

    def coadd(self) -> NDArray[np.float32]:
        """Return the processed image, DN a square arcsec."""
        return np.ascontiguousarray(self.image.data, np.float32)

    def on_coadd(self) -> NDArray[np.float32]:
        """Return the raw frame in the coadd's pixels, DN a square arcsec, NaN off the frame.

        Each pixel of the coadd has the value of the raw pixel that its centre is in: nothing is
        smoothed, so that the raw pixels show.
        """
        column, row, inside = self._raw_pixels()
        scale = self.scan.geometry(self.scan.band).plate_scale.to_value(u.arcsec)
        pixels = self.raw().astype(np.float32) / np.float32(scale**2)
        out = np.full(self.image.data.shape, np.nan, np.float32)
        out[inside] = pixels[row[inside], column[inside]]
        return out

    def _raw_pixels(self) -> tuple[Any, Any, Any]:
        """Return column and row of the raw pixel under each pixel of the coadd."""
        if self._lookup[0] != self.frame:
            ny, nx = self.image.data.shape
            y, x = np.mgrid[:ny, :nx]
            sky = self.image.wcs.all_pix2world(x.ravel(), y.ravel(), 0)
            found = self.wcs().all_world2pix(np.stack(sky, axis=1), 0)
            column, row = (np.rint(one).astype(int).reshape(ny, nx) for one in found.T)
            inside = (column >= 0) & (column < _SIDE) & (row >= 0) & (row < _SIDE)
            self._lookup = (self.frame, (column, row, inside))
        return self._lookup[1]

    def picture(self) -> NDArray[np.float32]:
        """Return what is shown on the coadd's pixels."""
        if self.ours is not None and self.shown in (OURS, DIFFERENCE):
            return self.ours.data if self.shown == OURS else self.ours.difference
        return self.coadd() if self.shown == COADD else self.on_coadd()

    @property
    def signed(self) -> bool:
        """Whether the picture is of differences: 0 in the middle of its scale, in SKYSIG."""
        return self.shown == DIFFERENCE

    def picture_range(self) -> tuple[float, float]:
        """Return the ends of the picture's colour scale.

        Both coadds have the real one's, ours as far above or below as its level is.
        """
        if self.signed:
            end = max(map(abs, self.range_of(self.picture())))
            return -end, end
        low, high = self.range_of(self.on_coadd() if self.shown == RAW else self.coadd())
        level = self.ours.level if self.ours is not None and self.shown == OURS else 0.0
        return low + level, high + level

    def range_of(self, pixels: NDArray[Any]) -> tuple[float, float]:
        """Return the ends of a picture's colour scale."""
        return colours.limits(np.asarray(pixels), self.limits)

    def wcs(self) -> WCS:
        """Return the predicted WCS of the frame."""
        return self.scan.wcs(self.frame)

    def outline(self) -> NDArray[np.float64]:
        """Return the frame's edge in the coadd's pixels, shape (5, 2), closed."""
        corners = self.wcs().all_pix2world(_CORNERS, 0)
        return np.asarray(self.image.wcs.all_world2pix(corners, 0))

    # numbers -----------------------------------------------------------------------------------

    def numbers(self) -> list[tuple[str, ...]]:
        """Return rows of (what, raw frame, coadd): plate scale, size, sky, noise, exposure.

        With a coadd of ours each has that too, and one more row the difference.
        """
        scale = self.scan.geometry(self.scan.band).plate_scale.to_value(u.arcsec)
        area = scale**2
        depths = [1.0, self.depth()]
        pictures = [self._moving_now(), self.coadd()]
        if self.ours is not None:
            depths.append(self.ours.depth())
            pictures.append(self.ours.data)
        apart = [_APART_RAW] + [_APART_COADD] * (len(pictures) - 1)
        sky, noise = zip(*map(self._sky_and_noise, pictures, apart), strict=True)
        sides = [f"{one.shape[1]} × {one.shape[0]}" for one in pictures]
        coadds = len(pictures) - 1
        rows: list[tuple[str, ...]] = [
            ("plate scale", f"{scale:.4f}″", *[f"{self._coadd_scale():.4f}″"] * coadds),
            ("pixels", *sides),
            ("sky, DN a square arcsec", f"{sky[0] / area:.1f}", *(f"{v:.1f}" for v in sky[1:])),
            ("noise a pixel, DN", *(f"{v:.2f}" for v in noise)),
            ("frames on a place", "1", *(_or_dash(d, f"{d:.1f}") for d in depths[1:])),
            (
                "exposure on a place", "1.3 s",
                *(_or_dash(d, f"{1.298 * d:.1f} s") for d in depths[1:]),
            ),
        ]  # fmt: skip
        if self.ours is not None:
            what = f"difference: level, scatter, SKYSIG ({self.ours.sigma:.2f} DN)"
            level = self.ours.level / self.ours.sigma
            rows.append((what, "", "", f"{level:+.2f}, {self.ours.scatter:.2f}"))
        return rows

    def _moving_now(self) -> NDArray[np.float64]:
        return self._moving(self.scan.difference(self.frame))

    def _coadd_scale(self) -> float:
        return float(np.sqrt(abs(np.linalg.det(self.image.wcs.pixel_scale_matrix))) * 3600)

    @staticmethod
    def _sky_and_noise(pixels: NDArray[Any], apart: int) -> tuple[float, float]:
        """Return median and robust scatter; differences of near pixels leave out slow changes."""
        pixels = np.asarray(pixels, float)
        steps = pixels[:, apart:] - pixels[:, :-apart]
        noise = 1.4826 * np.nanmedian(np.abs(steps - np.nanmedian(steps))) / np.sqrt(2)
        return float(np.nanmedian(pixels)), float(noise)

    def depth(self) -> float:
        """Return how many frames lie on a place of the coadd, in the middle of it."""
        step = abs(self.image.frame_step[1].to_value(u.arcsec))
        side = _SIDE * self.scan.geometry(self.scan.band).plate_scale.to_value(u.arcsec)
        return float(side / step)

    def check_parity(self) -> Parity:
        """Decide from the stars whether the frame has east left; keep and return the answer."""
        self.parity = find_parity(
            self._moving_now(), self.scan.track, self.frame,
            self.scan.geometry(self.scan.band), self.image,
        )  # fmt: skip
        return self.parity

    # what it says of itself --------------------------------------------------------------------

    @property
    def simulated(self) -> bool:
        """Whether the scan, or a coadd, never was."""
        ours = self.ours is not None and self.ours.simulated
        return bool(self.scan.simulated or self.image.simulated or ours)

    def frame_title(self) -> str:
        """Scan, band and frame; SIMULATED when so."""
        name = self.scan.scan_id or self.scan.path.name
        words = f"raw: {name} · {BAND_NAMES[self.scan.band]} · frame {self.frame}"
        return words + (" · SIMULATED" if self.scan.simulated else "")

    def picture_title(self) -> str:
        """Say what the picture on the coadd's pixels shows; SIMULATED when so."""
        frames = self.contributing()
        words = {
            COADD: f"coadd {self.image.coadd} · frames {frames[0]} to {frames[-1]}",
            OURS: f"our coadd · frames {frames[0]} to {frames[-1]}",
            DIFFERENCE: f"our coadd − coadd {self.image.coadd}, level off, SKYSIG",
            RAW: f"raw frame {self.frame} in the coadd's pixels",
        }[self.shown]
        ours = self.ours is not None and self.ours.simulated
        simulated = {
            COADD: self.image.simulated,
            OURS: ours,
            DIFFERENCE: ours or self.image.simulated,
            RAW: self.scan.simulated,
        }[self.shown]
        return words + (" · SIMULATED" if simulated else "")

    def state(self) -> dict[str, Any]:
        """Return everything that is chosen, as JSON can hold it."""
        return {
            "frame": self.frame,
            "shown": self.shown,
            "cleaned": self.cleaned,
            "stretch": self.stretch,
            "colours": self.colours,
            "limits": self.limits,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Turn to what `state` returned.

        Raises
        ------
        NotFoundError
            If it names what is not there.
        """
        allowed = {
            "shown": self.choices, "stretch": colours.STRETCHES, "colours": colours.MAPS,
            "limits": colours.LIMITS, "cleaned": (True, False),
        }  # fmt: skip
        for name, value in state.items():
            if name == "frame":
                self.go(value)
            elif name in allowed and value in allowed[name]:
                setattr(self, name, value)
            else:
                message = f"a compare explorer has no {name} = {value!r}"
                raise NotFoundError(message)


def _or_dash(value: float, text: str) -> str:
    return text if np.isfinite(value) else "–"
