"""Isolated stars whose fluxes and places are known, in frames, and how well an image has them."""

from __future__ import annotations

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS

from twomass_nb.array import ArrayGeometry, ScanTrack
from twomass_nb.array.affine import affine_map
from twomass_nb.atlas.tiling import COLUMNS, ROWS, place_cards
from twomass_nb.coadd.background import match_backgrounds
from twomass_nb.coadd.layers import combine
from twomass_nb.simulate.sky import render_stars

from .resampling import Frame, Method, reprojected, trimmed

__all__ = ["SHAPE", "fidelity", "field", "photon_floor"]

SHAPE = ROWS, COLUMNS
# What is simulated for fidelity: Ks, DN of a raw pixel, electrons a DN.
LEVEL, GAIN, READ_NOISE, FLUX, BAD = 1600.0, 8.0, 5.7, (30_000.0, 55_000.0), 130
APERTURE, FIT = 7.0, 15


def field(noise: bool) -> tuple[list[Frame], WCS, np.ndarray]:
    """Return the frames of an image, its WCS, and its stars (x, y, flux), one a row."""
    rng = np.random.default_rng(5)
    track = ScanTrack(266.0, -29.0, 0.3, 82.2, 24)
    geometry = ArrayGeometry.preset("South", "k", sign="header")
    cards = place_cards(track, 82.2 * (track.n_frames - 1) / 2, SHAPE)
    image = WCS(fits.Header([(key, value) for key, value, _ in cards]))
    # a star in each cell: far enough from the next, and from the edges
    x, y = (g.ravel() for g in np.meshgrid(np.arange(50, 500, 82.0), np.arange(50, 1000, 84.0)))
    x, y = x + rng.uniform(-15, 15, x.size), y + rng.uniform(-15, 15, y.size)
    flux = rng.uniform(*FLUX, x.size)
    sky = image.wcs_pix2world(x, y, 0)
    mask = np.zeros((256, 256), bool)
    mask.flat[rng.choice(mask.size, BAD, replace=False)] = True
    scale = geometry.plate_scale.value
    frames = []
    for i in range(track.n_frames):
        wcs = track.wcs(i, geometry)
        pixels = render_stars((256, 256), *wcs.wcs_world2pix(*sky, 0), flux, scale) + LEVEL
        variance = (pixels / GAIN + READ_NOISE**2).astype(np.float32)
        if noise:
            pixels = pixels + np.sqrt(variance) * rng.standard_normal(pixels.shape)
        frames.append(Frame(i, pixels.astype(np.float32), variance, mask, wcs))
    met = [one for one in frames if _meets(one, image)]
    return met, image, np.column_stack([x, y, flux])


def _meets(frame: Frame, image: WCS) -> bool:
    y = affine_map(frame.wcs, image)[1] @ np.array([[1, 1], [0, 0], [-0.5, 255.5]])
    return bool(y.max() > 0 and y.min() < ROWS - 1)


def fidelity(method: Method, noise: bool) -> tuple[float, float, float, int]:
    """Return rms of photometry (mmag) and places (mas a direction), FWHM (arcsec), stars."""
    from photutils.aperture import ApertureStats, CircularAnnulus, CircularAperture
    from photutils.aperture import aperture_photometry as photometry
    from photutils.psf import fit_2dgaussian

    frames, image, stars = field(noise)
    made = [method(one, image, SHAPE) for one in frames]
    if method is reprojected:
        made = [trimmed(a, b, image) for a, b in zip(made, frames, strict=True)]
    data = combine(made, match_backgrounds(made), SHAPE, transients=False).data
    level = ApertureStats(data, CircularAnnulus(stars[:, :2], 14, 22)).median
    found = photometry(data, CircularAperture(stars[:, :2], APERTURE))["aperture_sum"]
    found -= level * np.pi * APERTURE**2
    magnitudes = -2.5 * np.log10(np.asarray(found) / stars[:, 2])
    fit = fit_2dgaussian(
        data - np.median(level),
        xypos=stars[:, :2],
        fwhm=3.3,
        fix_fwhm=False,
        fit_shape=FIT,
        mask=~np.isfinite(data),
    ).results
    off = np.array([fit["x_fit"] - stars[:, 0], fit["y_fit"] - stars[:, 1]])
    return (
        1000 * float(np.std(magnitudes)), 1000 * float(np.sqrt((off**2).mean())),
        float(np.median(fit["fwhm_fit"])), len(stars),
    )  # fmt: skip


def photon_floor() -> float:
    """Return the noise of a middling star in an aperture, mmag: photons and reading."""
    deep, scale, flux = 256 * 1.9839 / 82.2, 1.9839, np.mean(FLUX)
    sky = np.pi * (APERTURE / scale) ** 2 * (LEVEL / GAIN + READ_NOISE**2)
    return float(1085.7 * np.sqrt((flux / GAIN + sky) / deep) / flux)
