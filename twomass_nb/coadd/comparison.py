"""A coadd of ours laid beside the survey's image of the same sky, and both measured alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..array.geometry import PLATE_SCALES, ArrayGeometry
from ..atlas import AtlasImage
from ..errors import AtlasError, needs
from ..sources import detect
from . import comparison_psf as psf
from .comparison_grid import paired
from .comparison_phases import raw_phases
from .comparison_result import LIMITS, Check, Comparison
from .comparison_sky import between, compared, noise_of
from .comparison_stars import chosen, measured, width_stars
from .comparison_trends import LEAST, Trend, causes, trends

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["Check", "Comparison", "compare_images"]

#: Peak of a coadd's star, DN, from which raw pixels were full. Real M17 images end at 10,000;
#: those of simulated frames at some 6000.
_FULL = 5000.0


def compare_images(ours: AtlasImage, real: AtlasImage, positions: Any = None) -> Comparison:
    """Compare a coadd with the real image of the same sky.

    Stars are found in the real image; isolated ones are measured in both at the same places. Ours
    is wider: it went through 2 arcsec pixels and a kernel (once more, if it is of a sky that
    was an image already). So the sharper one is blurred by the Gaussian that makes the mean
    star of both the same; then neighbours and nebulae add the same to both, and small apertures
    will do. On M17, at Ks 10 to 11, that leaves 0.007 mag rms, where plain apertures leave 0.020
    and more; in empty fields it is the same.

    Parameters
    ----------
    ours : AtlasImage
        Of the same band, on the same grid or a part of it; `twomass_nb.coadd.stack` with
        ``like=real`` makes it. If it has an uncertainty plane, that is used.
    real : AtlasImage
    positions : `twomass_nb.astrometry.Positions`, optional
        Where the frames of ours were, for the phases of raw pixels; as the real image's header
        puts them if not given.

    Raises
    ------
    AtlasError
        If the two cannot be compared: bands, grids, no common sky, no pixels.
    """
    needs("photutils", "reduce")
    pair = paired(ours, real)
    if not pair.good.any():
        msg = f"{ours!r} and {real!r} have no pixel in common that both filled"
        raise AtlasError(msg)
    found = detect(real)
    limit = found.meta["limit"]
    found["x"] -= pair.origin[0]
    found["y"] -= pair.origin[1]
    use = chosen(found, pair)
    sharp = width_stars(found, use, _FULL)
    x, y = (np.asarray(found[name], float)[sharp] for name in ("x", "y"))
    star_ours, wide_ours, error_ours = psf.widths(psf.gather(pair.ours, x, y))
    star_real, wide_real, error_real = psf.widths(psf.gather(pair.real, x, y))
    blur = psf.matching(star_real, star_ours, wide_ours**2 - wide_real**2)
    stars = measured(pair, real, found, use, blur, psf.blurred(star_ours, blur.ours), _zero(ours))
    stars.meta.update(limit=limit, SIMULATE=bool(ours.simulated or real.simulated))

    matched = psf.blurred(pair.ours, blur.ours) - psf.blurred(pair.real, blur.real)
    clear = between(found, pair.good)
    clear = clear if clear.any() else pair.good
    noise_ours, noise_real = (noise_of(data, clear) for data in (pair.ours, pair.real))
    scale = float(np.sqrt(np.abs(np.linalg.det(real.wcs.pixel_scale_matrix)))) * 3600
    comparison = Comparison(
        ours=ours, real=real, pair=pair, stars=stars, blur=blur,
        star_ours=star_ours, star_real=star_real,
        fwhm_ours=scale * np.array([wide_ours, error_ours]),
        fwhm_real=scale * np.array([wide_real, error_real]),
        background=compared(pair, matched, clear, noise_ours.length),
        noise_ours=noise_ours, noise_real=noise_real,
        sky_sigma=float(real.header.get("SKYSIG", noise_real.sigma)),
        trends=[], scale=scale, matched_difference=matched,
    )  # fmt: skip
    comparison.trends.extend(_trends_of(comparison.bright, real, positions))
    return comparison


def _zero(image: AtlasImage) -> float:
    return float(image.header.get("MAGZP", np.nan))


def _trends_of(stars: Table, real: AtlasImage, positions: Any) -> list[Trend]:
    """Ask for trends among stars."""
    if len(stars) < LEAST:
        return []
    geometry = ArrayGeometry(PLATE_SCALES[real.band], real.rotation)
    wcs = positions.wcs if positions is not None else lambda i: real.track.wcs(i, geometry)
    frames = range(real.first_frame, real.last_frame + 1)
    ra, dec = (np.asarray(stars[name], float) for name in ("ra", "dec"))
    asked = causes(stars, real, _FULL, raw_phases(ra, dec, frames, wcs))
    limits = {"d_mag": LIMITS["d_mag"], "d_ra": LIMITS["place"], "d_dec": LIMITS["place"]}
    return trends(stars, asked, limits)
