"""How a comparison is drawn for the report: images side by side, stars, widths, noise."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import TwomassError
from .comparison_result import BRIGHTER, LIMITS, Comparison

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["images", "measurements"]

_DPI = 130
_SIGMAS = 5  # ends of the differences' scale, in SKYSIG
_OURS, _REAL, _LIMIT = "#0b5fa5", "#c8500a", "#777777"
_SMALL: Any = {
    "font.size": 8,
    "axes.titlesize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
}


def _blank(width: float, height: float) -> Figure:
    """Return a figure that no window and no pyplot knows of."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        msg = "the report needs matplotlib: pip install 'twomass_nb[reduce]'"
        raise TwomassError(msg) from None
    return Figure(figsize=(width, height), dpi=_DPI, layout="constrained")


def _png(figure: Figure) -> str:
    """Return a figure as the address of a picture that is its own content."""
    content = io.BytesIO()
    figure.savefig(content, format="png")
    return "data:image/png;base64," + base64.b64encode(content.getvalue()).decode()


def images(comparison: Comparison) -> str:
    """Draw ours, the real image and the difference, as it is and with stars equally wide."""
    from astropy.visualization import AsinhStretch, ImageNormalize

    pair, sigma = comparison.pair, comparison.sky_sigma
    rows, columns = pair.real.shape
    figure = _blank(6.2, min(9.0, 1.45 + 1.35 * rows / columns))
    from matplotlib import rc_context

    low, high = np.percentile(pair.real[np.isfinite(pair.real)], [0.5, 99.7])
    stretch = ImageNormalize(vmin=low, vmax=high, stretch=AsinhStretch(0.1))
    marks = np.rint(stretch.inverse(np.array([0.1, 0.5, 0.95])))  # evenly along the scale
    signed = {"vmin": -_SIGMAS, "vmax": _SIGMAS, "cmap": "RdBu_r"}
    light = {"norm": stretch, "cmap": "cividis"}
    level = comparison.background.median
    x0, y0 = pair.origin
    extent = (x0 - 0.5, x0 + columns - 0.5, y0 - 0.5, y0 + rows - 0.5)
    panels: tuple[tuple[str, Any, Any], ...] = (
        ("ours, at the real level", pair.ours - level, light),
        ("real", pair.real, light),
        ("ours − real", (comparison.difference - level) / sigma, signed),
        ("stars equally wide", (comparison.matched_difference - level) / sigma, signed),
    )
    with rc_context(_SMALL):
        axes = figure.subplots(1, len(panels), sharey=True)
        for ax, (title, data, how) in zip(axes, panels, strict=True):
            shown = ax.imshow(
                data, origin="lower", extent=extent, interpolation="nearest", aspect="equal", **how
            )
            ax.set(title=title, xlabel="x (pixel, 1″) → west", facecolor="#dddddd")
            unit, ends, ticks = ("DN", "max", marks) if how is light else ("SKYSIG", "both", None)
            figure.colorbar(
                shown, ax=ax, label=unit, location="bottom", extend=ends, aspect=12, ticks=ticks
            )
        axes[0].set_ylabel("y (pixel, 1″) → north")
        figure.suptitle(comparison.title, fontsize=9)
        return _png(figure)


def measurements(comparison: Comparison) -> str:
    """Draw photometry, astrometry, the mean stars and the correlation of the noise."""
    figure = _blank(6.2, 5.0)
    from matplotlib import rc_context

    with rc_context(_SMALL):
        axes = figure.subplots(2, 2)
        _photometry(axes[0, 0], comparison)
        _astrometry(axes[0, 1], comparison)
        _profiles(axes[1, 0], comparison)
        _correlation(axes[1, 1], comparison)
        figure.suptitle(comparison.title, fontsize=9)
        return _png(figure)


def _photometry(ax: Any, comparison: Comparison) -> None:
    stars = comparison.stars
    mag, noise = np.asarray(stars["mag"], float), np.asarray(stars["mag_noise"], float)
    off = np.asarray(stars["d_mag"], float) - comparison.offsets["d_mag"][0]
    limit = LIMITS["d_mag"]
    ax.set(title="photometry", xlabel="magnitude (real)", ylabel="ours − real, offset off (mag)")
    ax.axhspan(-limit, limit, color="#eeeeee", zorder=0, label=f"± {limit:g} mag")
    ax.axhline(0, color=_LIMIT, lw=0.6)
    if len(mag) == 0:
        return
    ax.plot(mag, off, ".", ms=3, color=_OURS, alpha=0.6, label="a star")
    order = np.argsort(mag)
    for sign in (-1, 1):
        label = "noise of the sky alone" if sign > 0 else None
        ax.plot(mag[order], sign * _smooth(noise[order]), color=_REAL, lw=1, label=label)
    ax.axvline(stars.meta["limit"] - BRIGHTER, color=_LIMIT, ls=":", lw=1)
    ax.set_ylim(-0.15, 0.15)
    ax.legend(loc="lower left", fontsize=7)


def _smooth(values: np.ndarray) -> np.ndarray:
    from scipy.ndimage import median_filter

    return np.asarray(median_filter(values, min(15, len(values)), mode="nearest"))


def _astrometry(ax: Any, comparison: Comparison) -> None:
    limit = LIMITS["place"]
    turn = np.linspace(0, 2 * np.pi, 100)
    ax.plot(limit * np.cos(turn), limit * np.sin(turn), color=_LIMIT, lw=1, label=f"{limit:g}″")
    for stars, colour, words in (
        (comparison.stars, "#bbbbbb", "all"),
        (comparison.bright, _OURS, f"{BRIGHTER:g} mag above the limit"),
    ):
        ax.plot(stars["d_ra"], stars["d_dec"], ".", ms=3, color=colour, label=words)
    ax.set(
        title="astrometry", xlabel="ours − real, RA cos Dec (″)", ylabel="Dec (″)",
        xlim=(0.25, -0.25), ylim=(-0.25, 0.35), aspect="equal",
    )  # fmt: skip
    ax.legend(loc="upper left", fontsize=7, handlelength=1, frameon=True)


def _profiles(ax: Any, comparison: Comparison) -> None:
    for name, star, fwhm, colour, mark in (
        ("ours", comparison.star_ours, comparison.fwhm_ours, _OURS, "o"),
        ("real", comparison.star_real, comparison.fwhm_real, _REAL, "^"),
    ):
        middle = (len(star) - 1) / 2
        y, x = np.indices(star.shape) - middle
        radius = comparison.scale * np.hypot(x, y)
        near = radius < 8
        label = f"{name}, FWHM {fwhm[0, 0]:.2f}″ × {fwhm[0, 1]:.2f}″"
        peak = star[near].max() if np.isfinite(star).all() else 1.0
        ax.plot(radius[near], star[near] / peak, mark, ms=2.5, color=colour, label=label)
    ax.axhline(0, color=_LIMIT, lw=0.6)
    ax.set(title="resolution: the mean star", xlabel="radius (″)", ylabel="light, of the peak")
    ax.legend(fontsize=7)


def _correlation(ax: Any, comparison: Comparison) -> None:
    for name, noise, colour, mark in (
        ("ours", comparison.noise_ours, _OURS, "o-"),
        ("real", comparison.noise_real, _REAL, "^-"),
    ):
        share = [1.0, *noise.correlation]
        label = f"{name}, {noise.sigma:.2f} DN a pixel"
        lags = comparison.scale * np.arange(len(share))
        ax.plot(lags, share, mark, ms=3, lw=1, color=colour, label=label)
    ax.axhline(0, color=_LIMIT, lw=0.6)
    ax.set(title="noise between the stars", xlabel="distance (″)", ylabel="correlation")
    ax.legend(fontsize=7)
