"""Which stars two images are compared by, and what each of them shows of a star, and by chance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..atlas import AtlasImage
from ..sources import SourceFlag
from . import comparison_psf as psf
from .comparison_grid import Pair

if TYPE_CHECKING:
    from astropy.table import QTable, Table

__all__ = ["MOST_WIDTHS", "chosen", "empty_places", "measured", "width_stars"]

#: A star is compared if all others within so many arcsec have together so much of its light.
_ALONE, _OTHERS = 8.0, 0.2
#: Stars that widths are measured on: as bright as this (signal to noise), and so many at most.
_WIDTH_SNR, MOST_WIDTHS = 40.0, 80
#: A star's light in a narrow aperture, as a share of that in a wide one, is within this of the
#: others'; knots of nebulae and close pairs are not.
_NARROW, _WIDE, _STARLIKE = 2.0, 4.0, 0.12
_EDGE = 13  # pixels
#: Aperture's radius in FWHM, both images equally blurred. On M17 1.5 FWHM doubles the scatter.
_APERTURE = 0.75
#: The same for all of a star's light: it tells a scale of flux apart from a shape of stars.
_WHOLE = 2.0
_EMPTY, _CLEAR = 1500, 7.0  # empty places tried, and their distance to any star, pixels
_BAD = SourceFlag.EDGE | SourceFlag.MASKED | SourceFlag.UNFITTED
_POGSON = 2.5 / np.log(10)


def chosen(found: QTable, pair: Pair) -> NDArray[np.int64]:
    """Return which rows are isolated stars, whole in both images.

    Parameters
    ----------
    found : QTable
        Stars of the real image, as `twomass_nb.sources.detect` gives them; x and y are those of
        the pair.
    """
    from scipy.spatial import cKDTree

    x, y, flux = (np.asarray(found[name], float) for name in ("x", "y", "flux"))
    rows, columns = pair.real.shape
    inside = (x > _EDGE) & (x < columns - 1 - _EDGE) & (y > _EDGE) & (y < rows - 1 - _EDGE)
    places = np.stack([x, y], axis=-1)
    tree = cKDTree(places)
    near = tree.query_ball_point(places, _ALONE) if len(x) else []
    others = np.array([flux[list(them)].sum() for them in near]).reshape(len(x)) - flux
    clean = (np.asarray(found["flags"]).astype(int) & int(_BAD)) == 0
    use = np.flatnonzero(inside & clean & (flux > 0) & (others < _OTHERS * flux))
    whole = np.isfinite(psf.gather(np.where(pair.good, 0.0, np.nan), x[use], y[use]).stamps)
    use = use[whole.all(axis=(1, 2))]
    return use[_starlike(pair.real, x[use], y[use], np.asarray(found["snr"], float)[use])]


def _starlike(
    data: NDArray[np.float64], x: NDArray[Any], y: NDArray[Any], snr: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Return which have the profile of a star, given how sure their light is."""
    if len(x) == 0:
        return np.zeros(0, bool)
    level = psf.gather(data, x, y).level
    narrow, wide = (_light(data, x, y, radius, level) for radius in (_NARROW, _WIDE))
    share = np.divide(narrow, wide, out=np.zeros(len(x)), where=wide > 0)
    bright = snr >= min(_WIDTH_SNR, np.median(snr))
    usual = np.median(share[bright])
    return np.abs(share / usual - 1) < np.hypot(_STARLIKE, 4 / np.maximum(snr, 1))


def width_stars(found: QTable, use: NDArray[np.int64], full: float) -> NDArray[np.int64]:
    """Return the brightest of the isolated stars whose peaks are below `full` (DN)."""
    snr, peak = np.asarray(found["snr"], float)[use], np.asarray(found["peak"], float)[use]
    able = use[(peak < full) & (snr > _WIDTH_SNR)]
    if len(able) < 6:  # an empty field: what there is
        able = use[peak < full]
    order = np.argsort(-np.asarray(found["snr"], float)[able], kind="stable")
    return able[order][:MOST_WIDTHS]


def _light(
    data: NDArray[np.float64], x: NDArray[Any], y: NDArray[Any], radius: float,
    level: NDArray[np.float64],
) -> NDArray[np.float64]:  # fmt: skip
    """Return the light in apertures above the level around each."""
    from photutils.aperture import CircularAperture, aperture_photometry

    if len(x) == 0:
        return np.zeros(0)
    aperture = CircularAperture(np.stack([x, y], axis=-1), radius)
    total = np.asarray(aperture_photometry(data, aperture)["aperture_sum"], float)
    return total - level * np.pi * radius**2


def empty_places(
    found: QTable, pair: Pair, seed: int = 0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return places without any star found near them."""
    from scipy.spatial import cKDTree

    rng = np.random.default_rng(seed)
    rows, columns = pair.real.shape
    x = rng.uniform(_EDGE, columns - 1 - _EDGE, _EMPTY)
    y = rng.uniform(_EDGE, rows - 1 - _EDGE, _EMPTY)
    free = np.ones(_EMPTY, bool)
    if len(found):
        tree = cKDTree(np.stack([np.asarray(found["x"]), np.asarray(found["y"])], axis=-1))
        free = tree.query(np.stack([x, y], axis=-1))[0] > _CLEAR
    x, y = x[free], y[free]
    whole = np.isfinite(psf.gather(np.where(pair.good, 0.0, np.nan), x, y).stamps).all(axis=(1, 2))
    return x[whole], y[whole]


def measured(
    pair: Pair, real: AtlasImage, found: QTable, use: NDArray[np.int64], blur: psf.Blur,
    star: NDArray[np.float64], zero_ours: float,
) -> Table:  # fmt: skip
    """Measure stars in both images, blurred to the same width, and the noise where none is.

    Places are those of the real image; in ours they are moved by what all stars are off, so that
    an offset of all does not show as lost light. Magnitudes are ours less the real one's.

    Parameters
    ----------
    star : array, shape (25, 25)
        Mean star after the blur.
    zero_ours : float
        Magnitude of 1 DN in ours; that of the real image if NaN.
    """
    from astropy.table import Table

    ours, theirs = psf.blurred(pair.ours, blur.ours), psf.blurred(pair.real, blur.real)
    x, y = (np.asarray(found[name], float)[use] for name in ("x", "y"))
    here, there = _places(theirs, x, y), _places(ours, x, y)
    moved = np.nanmedian(there - here, axis=1) if len(use) else np.zeros(2)
    settled = np.isfinite(here).all(axis=0) & np.isfinite(there).all(axis=0)
    place = np.where(settled, here, [x, y])
    wide = psf.fwhm(star) if np.isfinite(star).all() else found.meta["fwhm"]
    radius, whole = (size * float(np.max(wide)) for size in (_APERTURE, _WHOLE))
    at = place + moved[:, None]
    light, all_light = _seen(theirs, place, radius), _seen(theirs, place, whole)
    light_ours, all_ours = _seen(ours, at, radius), _seen(ours, at, whole)
    ok = settled & (np.minimum(light, light_ours) > 0) & (np.minimum(all_light, all_ours) > 0)
    use, place, there = use[ok], place[:, ok], there[:, ok]
    light, light_ours, all_light, all_ours = (
        one[ok] for one in (light, light_ours, all_light, all_ours)
    )
    noise, place_noise = _by_chance(ours - theirs, pair, found, place, radius, star)
    zero = real.number("MAGZP")
    apart = zero_ours - zero if np.isfinite(zero_ours) else 0.0
    origin = np.array(pair.origin)[:, None]
    ra, dec = real.wcs.all_pix2world(*(place + origin), 0)
    ra_ours, dec_ours = real.wcs.all_pix2world(*(there + origin), 0)
    return Table(
        {
            "x": place[0] + origin[0],
            "y": place[1] + origin[1],
            "ra": ra,
            "dec": dec,
            "mag": np.asarray(found["mag"].value, float)[use],
            "peak": np.asarray(found["peak"], float)[use],
            "d_mag": apart - 2.5 * np.log10(light_ours / light),
            "d_mag_whole": apart - 2.5 * np.log10(all_ours / all_light),
            "d_ra": 3600 * (ra_ours - ra) * np.cos(np.deg2rad(dec)),
            "d_dec": 3600 * (dec_ours - dec),
            "mag_noise": _POGSON * noise / light,
            "place_noise": place_noise / light,
        },
        units=dict.fromkeys(("ra", "dec"), "deg")
        | dict.fromkeys(("d_ra", "d_dec", "place_noise"), "arcsec")
        | dict.fromkeys(("mag", "d_mag", "d_mag_whole", "mag_noise"), "mag"),
    )


def _places(data: NDArray[np.float64], x: NDArray[Any], y: NDArray[Any]) -> NDArray[np.float64]:
    if len(x) == 0:
        return np.zeros((2, 0))
    found = np.stack(psf.centroids(psf.gather(data, x, y)))
    return found + np.rint([x, y])


def _seen(
    data: NDArray[np.float64], place: NDArray[np.float64], radius: float
) -> NDArray[np.float64]:
    """Return the light in apertures above the level of the ring around each."""
    x, y = place
    return _light(data, x, y, radius, psf.gather(data, x, y).level)


def _by_chance(
    difference: NDArray[np.float64], pair: Pair, found: QTable, place: NDArray[np.float64],
    radius: float, star: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:  # fmt: skip
    """Return the noise of each star's light, and of its place times its light (arcsec DN).

    It is what the same measurement gives on the difference where there is no star. If ours has
    errors of its pixels, a star's own photons raise it by as much as they raise those.
    """
    x, y = empty_places(found, pair)
    if len(x) < 20:
        return np.full(place.shape[1], np.nan), np.full(place.shape[1], np.nan)
    light = _scatter(_seen(difference, np.stack([x, y]), radius))
    window, slope = psf.window()
    pixels = psf.gather(difference, x, y).stamps
    shift = _scatter((np.nan_to_num(pixels) * slope).sum(axis=(1, 2)))
    ay, ax = np.indices(star.shape) - (len(star) - 1) / 2
    inside = np.hypot(ax, ay) <= radius
    star = np.nan_to_num(star)
    share = star[inside].sum() / max((star * window).sum(), 1e-9)
    raised = np.ones(place.shape[1])
    if pair.error is not None:
        variance = np.where(np.isfinite(pair.error), pair.error**2, np.nan)
        nowhere = np.zeros(len(x))
        usual = np.nanmedian(_light(variance, x, y, radius, nowhere))
        px, py = place
        raised = np.sqrt(_light(variance, px, py, radius, np.zeros(len(px))) / usual)
        raised = np.where(np.isfinite(raised), raised, 1)
    return light * raised, 2 * shift * share * raised


def _scatter(values: NDArray[np.float64]) -> float:
    return float(1.4826 * np.median(np.abs(values - np.median(values))))
