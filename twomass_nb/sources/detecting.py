"""Stars of a coadd on the sky, with magnitudes: what Atlas Images say of zero point and place."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ..atlas import AtlasImage
from .aperture import APERTURE, aperture_correction
from .background import noise_map
from .finding import measured

if TYPE_CHECKING:
    from astropy.table import QTable

__all__ = ["detect"]

#: FWHM of stars in a coadd about which it is measured, arcsec.
_FWHM = 3.0
#: Magnitudes a relative error of flux.
_MAGNITUDES = 2.5 / math.log(10)
_LIMIT_SNR = 10.0
#: Among many stars the noise is only seen when they are off the picture.
_ROUNDS = 2


def detect(image: AtlasImage, *, threshold: float = 5.0) -> QTable:
    """Find the stars of an Atlas Image, a real one or one of ours.

    Fluxes are sums over the whole image of a star, as the fitted spread has it: an aperture that
    holds all the light, so no aperture correction is left to make. MAGZP is the zero point of
    such sums.

    Parameters
    ----------
    image : AtlasImage
    threshold : float, optional
        Lowest signal to noise of a star.

    Returns
    -------
    `~astropy.table.QTable`
        The columns of `find`, brightest first, and ``ra``, ``dec`` (ICRS), ``mag``,
        ``mag_error``. ``meta`` says ``band``, ``scan_id``, ``zero_point`` and where it is from
        (``zero_point_from``), ``limit`` (the magnitude whose signal to noise is 10, from the
        noise measured), ``fwhm`` (arcsec) and ``SIMULATE``.
    """
    from astropy import units as u
    from astropy.table import QTable

    data = np.asarray(image.data, np.float32)
    good = np.isfinite(data)
    pixel = float(np.sqrt(np.abs(np.linalg.det(image.wcs.pixel_scale_matrix)))) * 3600
    fwhm = _FWHM / pixel
    rest = np.where(good, data, 0)
    for _ in range(_ROUNDS):
        noise = noise_map(rest, good, fwhm)
        found, stars, spread = measured(data, noise, fwhm, threshold=threshold)
        rest = stars.removed(spread)
    correction, correction_error, n_correction = aperture_correction(stars, spread)
    for name in ("flux", "flux_error"):
        found[name] *= correction
    zero_point = image.number("MAGZP")

    table = QTable(found)
    table.meta.clear()
    ra, dec = image.wcs.wcs_pix2world(found["x"], found["y"], 0)
    table.add_columns([ra * u.deg, dec * u.deg], names=["ra", "dec"], indexes=[0, 0])
    table["mag"] = (zero_point - 2.5 * np.log10(found["flux"])) * u.mag
    table["mag_error"] = _MAGNITUDES / found["snr"] * u.mag
    middle = np.zeros(1)
    share = spread.shares(middle, middle, round(2 * spread.fwhm))
    faintest = _LIMIT_SNR * correction * float(np.median(noise[good])) / math.sqrt((share**2).sum())
    table.meta.update(
        band=image.band,
        scan_id=str(image.scan_id),
        coadd=image.coadd,
        zero_point=zero_point,
        zero_point_from="MAGZP of the image's header",
        limit=zero_point - 2.5 * math.log10(faintest),
        aperture=APERTURE * spread.fwhm * pixel,
        aperture_correction=correction,
        aperture_correction_error=correction_error,
        aperture_correction_stars=n_correction,
        fwhm=spread.fwhm * pixel,
        frame_step=[float(one) for one in image.frame_step.value],
        SIMULATE=image.simulated,
    )
    return table
