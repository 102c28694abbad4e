"""What a simulated camera looks at: a made-up star field, or real Atlas Images.

A sky gives, for a frame, the light above the sky's level in DN of r2 - r1 a pixel. An Atlas
Image's DN belong to a square arcsec (its pixel): stars of a coadd have the magnitudes of its
MAGZP when its pixels are summed, and its kernel keeps flux, so a raw pixel of s arcsec gets
s * s times as much.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from astropy.wcs import WCS
from numpy.typing import NDArray

from ..array.affine import affine_map
from ..array.geometry import SIZE, ArrayGeometry
from ..array.response import PLACES, RESPONSES
from ..array.track import ScanTrack
from ..atlas import AtlasImage
from ..atlas.nominal import MAGZP
from ..scan import BANDS

__all__ = ["SKYSIG", "SKYVAL", "AtlasSky", "Sky", "StarField"]

#: Sky and noise of an Atlas Image (DN a square arcsec), from the headers of
#: 2000-10-22 s 62, coadd 186.
SKYVAL = {"j": 73.15, "h": 278.08, "k": 406.59}
SKYSIG = {"j": 0.562, "h": 0.791, "k": 0.957}

# Chosen: the point spread as a sum of Gaussians (share, FWHM in arcsec). With a pixel of 2 arcsec
# the core is about 2.8 arcsec wide, as survey images are; the aureole is for the very bright.
_SPREAD = ((0.86, 2.3), (0.13, 5.5), (0.01, 30.0))
# Atlas-like coadds are a little wider for their kernel.
_COADD_BLUR = 1.6
_NARROW, _WIDE = 8, 50  # half width of a stamp in pixels
_WIDE_FROM = 60_000.0  # DN above which the aureole matters
# Places across a pixel that responds evenly, and its response.
_EVEN = np.array([-0.5, 0.5]), np.array([1.0])
# Star counts, chosen: so many a square degree brighter than J = 15.5, rising by 10^(0.3 m). A
# frame (0.02 square degrees) then shows 10 to 40 stars.
_COUNTS, _COUNTS_AT, _COUNTS_SLOPE = 1200.0, 15.5, 0.3
_BRIGHTEST, _FAINTEST = 7.0, 17.0
_REACH = 0.105  # degrees of Dec from a frame's centre that its stars' stamps can come from
_MARGIN = 320.0  # arcsec of sky simulated beyond the frames' centres

_GRID = np.linspace(-6, 6, 12001)
_CDF = np.array([0.5 * (1 + math.erf(z / math.sqrt(2))) for z in _GRID])


class Sky(Protocol):
    """What `observe` needs of a sky."""

    level: float

    def light(self, track: ScanTrack, i: int, geometry: ArrayGeometry) -> NDArray[np.float32]:
        """Return the light above the sky's level in frame `i`, DN a pixel, shape (256, 256)."""
        ...


@dataclass(frozen=True)
class Galaxy:
    """An exponential disk; positions and sizes in degrees and arcsec, `mag` of each band."""

    ra: float
    dec: float
    mag: tuple[float, float, float]
    length: float = 9.0
    axis_ratio: float = 0.5
    pa: float = 40.0


def _profile(
    center: NDArray[np.float64], first: NDArray[np.int64], n: int, sigma: float, within: bool
) -> NDArray[np.float64]:
    """Share of a Gaussian in each of `n` pixels from `first` on, one row a star."""
    places, responses = (PLACES, RESPONSES) if within else _EVEN
    pixels = first[:, None, None] + np.arange(n)[:, None] + places - center[:, None, None]
    return np.diff(np.interp(pixels / sigma, _GRID, _CDF), axis=-1) @ responses


def render_stars(
    shape: tuple[int, int], x: Any, y: Any, flux: Any, scale: float, *, blur: float = 0.0,
    within: bool = False,
) -> NDArray[np.float32]:  # fmt: skip
    """Paint stars at sub-pixel positions, each pixel given the exact share that falls on it.

    Parameters
    ----------
    shape : (rows, columns)
    x, y, flux : array
        Pixels (centres are whole numbers) and total DN.
    scale : float
        Arcsec a pixel.
    blur : float, optional
        FWHM in arcsec of a further Gaussian blur.
    within : bool, optional
        Whether pixels have the response within them that NICMOS arrays show.
    """
    image = np.zeros(shape)
    x, y, flux = (np.atleast_1d(np.asarray(v, float)) for v in (x, y, flux))
    # the aureole of fainter stars is lost in the noise
    for half, chosen, spread in (
        (_NARROW, flux < _WIDE_FROM, _SPREAD[:-1]),
        (_WIDE, flux >= _WIDE_FROM, _SPREAD),
    ):
        inside = (np.abs(x - shape[1] / 2) < shape[1] / 2 + half) & (
            np.abs(y - shape[0] / 2) < shape[0] / 2 + half
        )
        xs, ys, fs = (v[chosen & inside] for v in (x, y, flux))
        if not len(xs):
            continue
        x0, y0 = (np.rint(v).astype(int) - half for v in (xs, ys))
        n = 2 * half + 1
        stamp = np.zeros((len(xs), n, n))
        for share, fwhm in spread:
            sigma = math.hypot(fwhm, blur) / 2.3548 / scale
            px, py = (_profile(c, o, n, sigma, within) for c, o in ((xs, x0), (ys, y0)))
            stamp += share * py[:, :, None] * px[:, None, :]
        for left, bottom, one, total in zip(x0, y0, stamp, fs, strict=True):
            low, start = max(bottom, 0), max(left, 0)
            part = one[low - bottom : shape[0] - bottom, start - left : shape[1] - left]
            image[low : low + part.shape[0], start : start + part.shape[1]] += total * part
    return image.astype(np.float32)


class StarField:
    """A seeded sky of stars around a track, with a galaxy and, if asked, a very bright star.

    Parameters
    ----------
    track : ScanTrack
        Where it is needed; the same for all bands.
    seed : int
        Makes it: positions, magnitudes and colours.
    band : {"j", "h", "k"}
        The band seen; stars and their places are the same in all.
    specials : bool, optional
        Whether the galaxy and the very bright star are there.
    within : bool, optional
        Whether pixels have the response within them that NICMOS arrays show.

    Attributes
    ----------
    ra, dec : array
        Degrees.
    mag : array, shape (n, 3)
        J, H, Ks.
    flux : array
        Total DN in the band seen.
    level : float
        The sky's level, DN a raw pixel.
    """

    def __init__(
        self, track: ScanTrack, seed: int, band: str, specials: bool = True, within: bool = True
    ) -> None:
        rng = np.random.default_rng([seed, 77])
        length = abs(track.step) * (track.n_frames - 1)
        area = (length + 2 * _MARGIN) * 2 * _MARGIN / 3600**2
        spread = 10 ** (_COUNTS_SLOPE * (_FAINTEST - _COUNTS_AT))
        n = rng.poisson(_COUNTS * spread * area)
        along = np.sign(track.step) * rng.uniform(-_MARGIN, length + _MARGIN, n)
        west = rng.uniform(-_MARGIN, _MARGIN, n)
        j = _FAINTEST + np.log10(1 - rng.uniform(0, 1, n)) / _COUNTS_SLOPE
        j = np.maximum(j, _BRIGHTEST)
        jh, hk = rng.normal(0.5, 0.18, n), rng.normal(0.12, 0.06, n)
        mag = np.stack([j, j - jh, j - jh - hk], axis=-1)
        self.galaxies: list[Galaxy] = []
        if specials:
            # placed by the share of the scan, so that a short one has them too
            along = np.append(along, 0.62 * length * np.sign(track.step))
            west, mag = np.append(west, -60.0), np.vstack([mag, [4.1, 3.5, 3.4]])
            g_ra, g_dec = track.positions(0.34 * length * np.sign(track.step), 85.0)
            self.galaxies.append(Galaxy(float(g_ra), float(g_dec), (9.6, 8.9, 8.6)))
        self.ra, self.dec = track.positions(along, west)
        self.mag, self.band, self.within = mag, band, within
        self.flux = 10 ** (0.4 * (MAGZP[band] - mag[:, BANDS.index(band)]))
        self._order = np.argsort(self.dec)
        self._sorted_dec = self.dec[self._order]
        self.skyval = SKYVAL[band]
        self.level = self.skyval * ArrayGeometry.preset("South", band).plate_scale.value ** 2

    def _near(self, dec: float, reach: float) -> NDArray[np.int64]:
        a, b = np.searchsorted(self._sorted_dec, [dec - reach, dec + reach])
        return np.sort(self._order[a:b])

    def light(self, track: ScanTrack, i: int, geometry: ArrayGeometry) -> NDArray[np.float32]:
        """Return the light above the sky's level in frame `i`, DN a pixel."""
        center = track.center(i)
        near = self._near(float(center.dec.deg), _REACH)
        along, west = track.offsets(self.ra[near], self.dec[near])
        x, y = geometry.to_pixel(west, along - i * track.step)
        scale = float(geometry.plate_scale.value)
        image = render_stars((SIZE, SIZE), x, y, self.flux[near], scale, within=self.within)
        for galaxy in self.galaxies:
            if abs(galaxy.dec - center.dec.deg) < _REACH:
                image += self._disk(galaxy, track.wcs(i, geometry), (SIZE, SIZE), scale)
        return image

    def coadd(self, wcs: WCS, shape: tuple[int, int]) -> NDArray[np.float32]:
        """Return an Atlas-like image of the same sky, above its level, on pixels of 1 arcsec."""
        near = self._near(float(wcs.wcs.crval[1]), 0.6 * shape[0] / 3600)
        x, y = wcs.wcs_world2pix(self.ra[near], self.dec[near], 0)
        # a raw pixel and the coadd's kernel are wider than a coadd's pixel
        image = render_stars(shape, x, y, self.flux[near], 1.0, blur=_COADD_BLUR)
        for galaxy in self.galaxies:
            if abs(galaxy.dec - wcs.wcs.crval[1]) < 0.6 * shape[0] / 3600:
                image += self._disk(galaxy, wcs, shape, 1.0)
        return image

    def _disk(
        self, galaxy: Galaxy, wcs: WCS, shape: tuple[int, int], scale: float
    ) -> NDArray[np.float32]:
        y, x = np.mgrid[: shape[0], : shape[1]]
        ra, dec = wcs.wcs_pix2world(x.ravel(), y.ravel(), 0)
        dx = (ra - galaxy.ra) * np.cos(np.deg2rad(galaxy.dec)) * 3600
        dy = (dec - galaxy.dec) * 3600
        pa = np.deg2rad(galaxy.pa)
        major = dx * np.sin(pa) + dy * np.cos(pa)
        minor = (dx * np.cos(pa) - dy * np.sin(pa)) / galaxy.axis_ratio
        # softened in the middle, as seeing does; the size of the seeing is not taken from it
        radius = np.sqrt(major**2 + minor**2 + 1.5**2) / galaxy.length
        total = 10 ** (0.4 * (MAGZP[self.band] - galaxy.mag[BANDS.index(self.band)]))
        peak = total / (2 * math.pi * galaxy.length**2 * galaxy.axis_ratio)
        return (peak * scale**2 * np.exp(-radius)).reshape(shape).astype(np.float32)


class AtlasSky:
    """Real Atlas Images of one scan and band as the sky.

    Their own noise is part of this sky, and it is already blurred once by the real camera and
    the coadd's kernel. Off the images and in their empty (NaN) pixels there is the sky's level.

    Parameters
    ----------
    images : sequence of AtlasImage
    geometry : ArrayGeometry
        Of the camera that looks; its plate scale sets the level a raw pixel.
    """

    def __init__(self, images: Sequence[AtlasImage], geometry: ArrayGeometry) -> None:
        self._images = []
        levels = []
        for image in images:
            sky = float(image.header.get("SKYVAL", np.nan))
            sky = sky if np.isfinite(sky) else float(np.nanmedian(image.data))
            levels.append(sky)
            above = image.data - np.float32(sky)
            # bilinear sampling needs the pixel after the last; NaN there ends the image
            padded = np.pad(above, ((0, 1), (0, 1)), constant_values=np.nan)
            self._images.append((image.wcs, padded))
        self.level = float(np.mean(levels)) * float(geometry.plate_scale.value) ** 2

    def light(self, track: ScanTrack, i: int, geometry: ArrayGeometry) -> NDArray[np.float32]:
        """Return the light above the sky's level in frame `i`, DN a pixel."""
        frame_wcs = track.wcs(i, geometry)
        total = np.zeros((SIZE, SIZE), np.float32)
        missing = np.ones((SIZE, SIZE), bool)
        for wcs, above in self._images:
            affine = affine_map(frame_wcs, wcs)
            corners = affine @ [[1, 1, 1, 1], [0, 0, 255, 255], [0, 255, 0, 255]]
            if any(
                c.max() < -2 or c.min() > n for c, n in zip(corners, above.shape[::-1], strict=True)
            ):
                continue
            found = _sampled(above, affine)
            use = missing & np.isfinite(found)
            total[use] = found[use]
            missing &= ~use
        return total * np.float32(geometry.plate_scale.value**2)


def _sampled(above: NDArray[np.float32], affine: NDArray[np.float64]) -> NDArray[np.float32]:
    """Mean of the image over each frame pixel, from 2 x 2 bilinear samples; NaN off the image."""
    rows, columns = above.shape[0] - 1, above.shape[1] - 1
    y, x = np.mgrid[:SIZE, :SIZE].astype(np.float64)
    mean = np.zeros((SIZE, SIZE), np.float32)
    for oy in (-0.25, 0.25):
        for ox in (-0.25, 0.25):
            tx, ty = (a + b * (x + ox) + c * (y + oy) for a, b, c in affine)
            inside = (tx >= 0) & (ty >= 0) & (tx <= columns - 1) & (ty <= rows - 1)
            tx, ty = np.where(inside, tx, 0.0), np.where(inside, ty, 0.0)
            kx, ky = tx.astype(int), ty.astype(int)
            fx, fy = (tx - kx).astype(np.float32), (ty - ky).astype(np.float32)
            value = np.zeros_like(mean)
            for k, weight in (
                ((ky, kx), (1 - fx) * (1 - fy)), ((ky, kx + 1), fx * (1 - fy)),
                ((ky + 1, kx), (1 - fx) * fy), ((ky + 1, kx + 1), fx * fy),
            ):  # fmt: skip
                # a neighbour of no weight may lie off the image
                value += np.where(weight > 0, above[k], 0) * weight
            mean += np.where(inside, value, np.nan)
    return (mean / 4).astype(np.float32)
