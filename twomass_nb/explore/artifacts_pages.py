"""Pages about what the electronics do, best told by darks; and which page is behind each button."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..array import artifacts
from ..array.artifacts import Measured, quadrants
from ..errors import NotFoundError
from .artifacts_page import QUADRANTS, Curve, Number, Page, Picture, Plot, limits
from .artifacts_sky_pages import astigmatism, linearity, persistence, saturation
from .artifacts_why import WHY

if TYPE_CHECKING:
    from .artifacts_model import ArtifactsModel

__all__ = ["PAGES"]

_CORNER = 50  # pixels a side, as in the archive's own picture of the bars
_HOTTEST = 6


def jail_bars(model: ArtifactsModel) -> Page:
    """Columns of both reads."""
    still = model.still
    result = artifacts.jail_bars(still)
    corner = still.r1.mean[:_CORNER, :_CORNER]
    x = np.arange(128)
    curves = (
        Curve("r1", x, result.r1[0]),
        Curve("r2", x, result.r2[0], dashed=True),
        Curve("r2 − r1", x, result.r2[0] - result.r1[0]),
    )
    repeats = f"{result.period} columns" if result.period else "it does not"
    return Page(
        Picture(corner, "r1, lower left corner", *limits(corner[12:], 98), width=_CORNER,
                height=_CORNER),
        (Plot("Columns of the lower left quadrant", "column (pixel)", "DN about their mean", curves,
              x_range=(0, 128)),),
        (
            Number("rms of the columns, r1", result.rms),
            Number("rms of the columns, r2", result.rms_r2),
            Number("peak to peak, r1", result.peak_to_peak),
            Number("correlation of r1 with r2", result.correlation),
            Number("rms of the columns, r2 − r1", result.remainder),
            Number("repeats after", repeats),
        ),
        WHY["jail bars"], result, _told(model, "In r2 and r2 − r1 light adds to the bars."),
    )  # fmt: skip


def reset_decay(model: ArtifactsModel) -> Page:
    """Rows of each quadrant."""
    still = model.still
    result = artifacts.reset_decay(still)
    change = artifacts.frame_to_frame(model.still_frames())
    rows = np.arange(128)
    profiles = [
        Curve(name, rows, -one) for name, one in zip(QUADRANTS, result.profile, strict=True)
    ]
    fit = Curve("exponential", rows, -result.model[0], dashed=True)
    second = tuple(
        Curve(name, rows, -one) for name, one in zip(QUADRANTS, result.second_row, strict=True)
    )
    image = still.difference.mean
    return Page(
        Picture(image, "r2 − r1", *limits(image, 99)),
        (
            Plot("Mean of each row", "row of the quadrant (pixel)", "r2 − r1 (DN)",
                 (*profiles, fit), x_range=(-1, 60)),
            Plot("Along the second row, as it is read", "column of the quadrant (pixel)",
                 "r2 − r1 (DN)", second, x_range=(0, 128)),
        ),
        (
            Number("height of the exponential", result.height),
            Number("falls by e in", result.rows),
            Number("irregular by (rms, share)", result.irregular),
            Number("changes from frame to frame by (share)", change),
        ),
        WHY["reset decay"], result, _told(model, "Light is taken out with 52/1298 of r2 − r1."),
    )  # fmt: skip


def first_column(model: ArtifactsModel) -> Page:
    """Columns that are read first, in both reads."""
    still = model.still
    result = artifacts.first_column(still)
    level = np.median(quadrants(still.r2.mean), axis=(1, 2)).reshape(2, 2)
    corner = (still.r2.mean - level.repeat(128, 0).repeat(128, 1))[60:108, 104:152]
    x = np.arange(24)
    curves = tuple(
        Curve(name, x, one[:24], dashed=dashed)
        for name, one, dashed in zip(("r1", "r2"), result.profile, (False, True), strict=True)
    )
    return Page(
        Picture(corner, "r2, quadrants levelled, middle", *limits(corner, 99), 103.5, 59.5, 48, 48),
        (Plot("First columns of the lower quadrants", "column of the quadrant (pixel)",
              "DN above the median column", curves, x_range=(-1, 24)),),
        (
            Number("stands out in r1", result.r1),
            Number("stands out in r2", result.r2),
            Number("stands out in r2 − r1", result.difference),
            Number("left in the second column (share)", result.second),
        ),
        WHY["first column"], result,
        _told(model, "It stands out of what the column's bar should be; uncertain by what columns "
              "differ from their bars."),
    )  # fmt: skip


def stripe(model: ArtifactsModel) -> Page:
    """Rows that are disturbed at once."""
    still = model.still
    hot = artifacts.hot_pixels(still)
    found = artifacts.stripes(still, hot)
    bars = np.median(quadrants(still.r2.mean), axis=1).reshape(2, 256)
    flat = still.r2.mean - bars.repeat(128, axis=0)
    if not found:
        msg = "no row stands out in all four quadrants of r2: there is no stripe in these frames"
        raise NotFoundError(msg)
    one = found[0]
    rows = np.arange(128)
    profiles = np.median(quadrants(flat)[:, :, 8:], axis=2)
    near = slice(max(0, one.row - 12), one.row + 13)
    curves = tuple(
        Curve(name, rows[near], p[near] - np.median(p))
        for name, p in zip(QUADRANTS, profiles, strict=True)
    )
    cause = (
        f"{one.hot_pixels} hot pixels around x = {one.hot_x:.1f}, y = {one.hot_y:.1f}, together "
        f"{one.hot_rate.value:.0f} DN/s"
        if one.hot_pixels
        else "no hot pixels there"
    )
    return Page(
        Picture(flat, "r2 without its bars", *limits(flat, 98),
                marks=(np.array([one.hot_x]), np.array([one.hot_y]))),
        (Plot("Rows at that time", "row of the quadrant (pixel)", "r2 (DN)", curves),),
        (
            Number("rows", f"{one.row} and {one.row + 128}" + _others(found)),
            Number("stands out in r1", one.r1),
            Number("stands out in r2", one.r2),
            Number("stands out in r2 − r1", one.difference),
            Number("read at that time", cause),
        ),
        WHY["stripe"], found, _told(model, "Without darks only a strong one is found."),
    )  # fmt: skip


def _others(found: list[Any]) -> str:
    return f"; fainter ones at {', '.join(str(s.row) for s in found[1:6])}" if found[1:] else ""


def hot_pixels(model: ArtifactsModel) -> Page:
    """Pixels that are hot, and those that jump."""
    result = artifacts.hot_pixels(model.still)
    frames = model.still_frames()
    jumping = artifacts.bistable_pixels(frames) if len(frames) >= 10 else None
    rates, errors = result.rate.value, result.error.value
    lead = [
        Number(f"x = {x}, y = {y}", Measured(rate, error))
        for x, y, rate, error in zip(
            result.x[:_HOTTEST], result.y[:_HOTTEST], result.rate, result.error, strict=False
        )
    ]
    two = "10 frames are needed" if jumping is None else _jumps(jumping)
    rank = np.arange(1, len(rates) + 1)
    return Page(
        Picture(result.image, "rate above the pixels beside it", -10, 200, unit="DN/s",
                marks=(result.x, result.y)),
        (Plot("The hottest first", "rank", "log10 of the rate (DN/s)",
              (Curve("hot pixels", rank, np.log10(rates), 0.434 * errors / rates, points=True),)),),
        (
            Number("pixels of 20 DN/s and more", f"{len(rates)}"),
            *lead,
            Number("pixels with two states", two),
        ),
        WHY["hot pixels"], result,
        _told(model, "Without darks, what pixels differ in sensitivity hides all but the hottest."),
    )  # fmt: skip


def _jumps(found: artifacts.Bistable) -> str:
    places = ", ".join(
        f"x = {x}, y = {y} ({jump.value:.0f} DN)"
        for x, y, jump in list(zip(found.x, found.y, found.jump, strict=True))[:4]
    )
    return f"{len(found.x)} candidates" + (f": {places}" if places else "")


def _told(model: ArtifactsModel, otherwise: str = "") -> str:
    if model.dark is not None:
        return f"Told by {model.dark.n} dark frames."
    return f"There are no darks: told by {model.own.n} frames of the scan itself. {otherwise}"


#: The pages, in the order of the buttons.
PAGES: dict[str, Callable[[ArtifactsModel], Page]] = {
    "jail bars": jail_bars,
    "reset decay": reset_decay,
    "first column": first_column,
    "stripe": stripe,
    "hot pixels": hot_pixels,
    "linearity": linearity,
    "saturation": saturation,
    "persistence": persistence,
    "astigmatism": astigmatism,
}
