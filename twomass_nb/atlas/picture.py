"""How a cutout is drawn: the bands side by side, J2000 grid, scale bar, DN."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy import units as u
from numpy.typing import NDArray

from ..errors import TwomassError
from ..scan import BAND_NAMES

if TYPE_CHECKING:
    from astropy.nddata import CCDData
    from astropy.wcs import WCS
    from matplotlib.figure import Figure

    from .cutout import Cutout

__all__ = ["draw", "png"]

# Inches: side of a panel; room beside the first, between them, below and above.
_SIDE, _LEFT, _GAP, _BELOW, _ABOVE = 3.6, 0.95, 0.3, 1.25, 0.35
_DPI = 100
# More pixels than these a side are binned: a panel has 360 on the screen.
_PIXELS = 360
_RED = "#b3261e"
_STRETCH = 0.05
#: Lengths a scale bar may have, arcsec; the longest up to a third of the side is taken.
_BARS = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200)


def draw(cutout: Cutout) -> Figure:
    """Return a figure of all bands.

    Raises
    ------
    TwomassError
        If matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        msg = "drawing needs matplotlib: pip install 'twomass_nb[lab]'"
        raise TwomassError(msg) from None

    n = len(cutout.bands)
    width, height = _LEFT + n * (_SIDE + _GAP), _BELOW + _SIDE + _ABOVE
    # an own figure, not pyplot's: nothing global is touched, nothing is shown twice
    figure = Figure(figsize=(width, height), dpi=_DPI)
    for i, band in enumerate(cutout.bands):
        left = (_LEFT + i * (_SIDE + _GAP)) / width
        place = (left, _BELOW / height, _SIDE / width, _SIDE / height)
        data, wcs = _binned(cutout.images[band])
        axes: Any = figure.add_axes(place, projection=wcs)
        shown = _panel(axes, data, cutout, band)
        bar = figure.add_axes((left, 0.5 / height, place[2], 0.12 / height))
        _colour_bar(figure, shown, bar)
        if i:
            axes.coords["dec"].set_ticklabel_visible(False)
            axes.coords["dec"].set_axislabel("")
    return figure


def png(cutout: Cutout) -> bytes:
    """Return the figure as a PNG file."""
    stream = io.BytesIO()
    draw(cutout).savefig(stream, format="png")
    return stream.getvalue()


def _binned(image: CCDData) -> tuple[NDArray[np.float32], WCS]:
    """Pixels and WCS, in blocks of pixels where there are many more than are drawn."""
    k = max(1, len(image.data) // _PIXELS)
    n = len(image.data) // k
    blocks = image.data[: n * k, : n * k].reshape(n, k, n, k)
    return blocks.mean(axis=(1, 3)), image.wcs[: n * k : k, : n * k : k]


def _panel(axes: Any, data: NDArray[np.float32], cutout: Cutout, band: str) -> Any:
    from astropy.visualization import AsinhStretch, ImageNormalize
    from astropy.visualization.wcsaxes import add_scalebar

    low, high = _limits(data)
    norm = ImageNormalize(vmin=low, vmax=high, stretch=AsinhStretch(_STRETCH), clip=False)
    shown = axes.imshow(data, origin="lower", cmap="gray_r", norm=norm)
    axes.set_facecolor("#f2dcc8")  # unlike any grey: no image covers it
    axes.coords["ra"].set_axislabel("RA (J2000)", minpad=0.7)
    axes.coords["dec"].set_axislabel("Dec (J2000)", minpad=0.4)
    for axis in axes.coords:
        axis.set_ticks(number=4)
        axis.set_ticklabel(size=8, exclude_overlapping=True)
    axes.grid(color="#2a6f97", alpha=0.5, linewidth=0.6)
    length = max(bar for bar in _BARS if bar <= max(1, cutout.size.value / 3))
    label = f"{length}″" if length < 60 else f"{length // 60}′"
    add_scalebar(axes, length * u.arcsec, label=label, color=_RED, borderpad=0.8)
    simulated = ", SIMULATED" if cutout.simulated else ""
    axes.set_title(f"{BAND_NAMES[band]}{simulated}", color=_RED if simulated else "black")
    return shown


def _colour_bar(figure: Figure, shown: Any, axes: Any) -> None:
    """Four values at even distances, whatever the stretch."""
    values = shown.norm.inverse(np.linspace(0, 1, 4))
    bar = figure.colorbar(shown, cax=axes, orientation="horizontal", ticks=values)
    bar.ax.set_xticklabels([f"{value:.4g}" for value in values], size=8)
    bar.ax.minorticks_off()
    bar.set_label("DN", size=8, labelpad=1)


def _limits(data: NDArray[np.float32]) -> tuple[float, float]:
    """Range shown: from under the sky's noise to all but the brightest pixels."""
    values = data[np.isfinite(data)]
    sky = np.median(values)
    noise = 1.4826 * np.median(np.abs(values - sky))
    return float(sky - 2 * noise), float(max(np.percentile(values, 99.5), sky + 10 * noise + 1e-6))
