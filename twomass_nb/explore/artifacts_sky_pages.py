"""Pages about what light does: twilight linearity, saturation, persistence and astigmatism."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from astropy import units as u

from ..array import artifacts
from ..array.artifacts import Measured
from ..errors import NotFoundError
from .artifacts_page import QUADRANTS, Curve, Number, Page, Picture, Plot, limits
from .artifacts_why import WHY

if TYPE_CHECKING:
    from .artifacts_model import ArtifactsModel

__all__ = ["astigmatism", "linearity", "persistence", "saturation"]

_STARS_FROM = 48  # frames
_AROUND = 20  # pixels on each side of a full pixel


def linearity(model: ArtifactsModel) -> Page:
    """Ratio of two twilight levels."""
    frames = model.twilight_frames()
    if not len(frames) or model.dark is None:
        lacking = [
            word for word, there in (("darks", model.dark), ("twilights", len(frames))) if not there
        ]
        msg = (
            f"there are no {' and no '.join(lacking)} for this scan: (sky1 − dark)/(sky2 − dark) "
            f"needs both, so give them as {' and '.join(f'{word}=' for word in lacking)}"
        )
        raise NotFoundError(msg)
    result = artifacts.linearity(frames, model.dark)
    columns = Curve("mean of each column", np.arange(256), 100 * (result.columns - 1))
    levels = Curve(
        "first columns", result.levels, result.departure, result.departure_error, points=True
    )
    return Page(
        Picture(result.ratio, "(sky1 − dark)/(sky2 − dark) over its median",
                *limits(result.ratio, 96), unit="ratio"),
        (
            Plot("Columns of the ratio", "column (pixel)", "departure (%)", (columns,), (-4, 256)),
            Plot("First columns against the faintest level", "level of sky1 (DN)", "departure (%)",
                 (levels,)),
        ),
        (
            Number("first column of each quadrant", result.first),
            Number("first columns together", result.all_first),
            Number("level of sky1", f"{result.bright.value:.0f} DN"),
            Number("level of sky2", f"{result.faint.value:.0f} DN"),
        ),
        WHY["linearity"], result, "Told by the twilights and the darks.",
    )  # fmt: skip


def saturation(model: ArtifactsModel) -> Page:
    """Full pixels of the scan."""
    frames = model.frames()
    result = artifacts.saturation(frames)
    most = result.holes if len(result.holes) else result.flat
    if not len(most):
        highest = ", ".join(f"{value:.0f}" for value in result.highest)
        msg = (
            f"no pixel of this scan is full (highest values of r2 in the four quadrants: {highest} "
            "DN): choose a scan with a brighter star"
        )
        raise NotFoundError(msg)
    here = most[most[:, 0] == result.frame]
    y, x = (int(v) for v in np.median(here[:, 1:], axis=0))
    y, x = here[np.argmin(np.hypot(*(here[:, 1:] - (y, x)).T)), 1:]
    r1, r2 = frames[result.frame].astype(np.int32)
    y0, x0 = (int(np.clip(v - _AROUND, 0, 255 - 2 * _AROUND)) for v in (y, x))
    side = 2 * _AROUND + 1
    cut = (r2 - r1)[y0 : y0 + side, x0 : x0 + side]
    across = np.arange(x0, x0 + side)
    curves = tuple(
        Curve(name, across, one[y, x0 : x0 + side], dashed=name == "r2")
        for name, one in (("r1", r1), ("r2", r2), ("r2 − r1", r2 - r1))
    )
    return Page(
        Picture(cut, f"r2 − r1, frame {result.frame}", *limits(cut, 100), x0 - 0.5, y0 - 0.5,
                side, side),
        (Plot(f"Along row {y}", "x (pixel)", "DN", curves),),
        (
            Number("level of full pixels", result.level),
            Number("full in both reads: dark holes", f"{len(result.holes)} pixels in "
                   f"{len(np.unique(result.holes[:, 0]))} frames"),
            Number("full in r2 alone: flat tops", f"{len(result.flat)} pixels in "
                   f"{len(np.unique(result.flat[:, 0]))} frames"),
        ),
        WHY["saturation"], result, f"Told by all {len(frames)} frames of the scan.",
    )  # fmt: skip


def persistence(model: ArtifactsModel) -> Page:
    """Traces that bright stars leave."""
    frames = model.frames()
    result = artifacts.persistence(frames)
    size = result.strip.shape[-1]
    sheet = np.full((2 * size + 1, 3 * size + 2), np.nan)
    for k, one in enumerate(result.strip):
        top, left = (1 - k // 3) * (size + 1), (k % 3) * (size + 1)
        sheet[top : top + size, left : left + size] = one
    after = np.arange(1, len(result.glow) + 1)
    last = result.frame + len(result.strip) - 1
    curves = (
        Curve("mean of the pixels", after, result.glow, result.error, points=True),
        Curve("geometric series", after, result.model),
    )
    return Page(
        Picture(sheet, f"The same pixels in frames {result.frame} to {last}", -20,
                max(60.0, 1.5 * float(result.glow[0])), 0, 0, sheet.shape[1], sheet.shape[0],
                x_label="x (pixel), three frames a row", y_label="y (pixel)"),
        (Plot("After the star", "frames later", "r2 − r1 above the usual (DN)", curves),),
        (
            Number("comes out in the next frame, of the charge", result.share),
            Number("left of that from frame to frame", result.left),
            Number("charge, mean of the pixels", result.charge),
            Number("pixels looked at", f"{result.pixels}"),
            Number("brightest star", f"frame {result.frame}, x = {result.x}, y = {result.y}"),
            Number("star moves up the rows, a frame, by", result.step),
            Number("on the sky its trail is spaced by", _on_sky(model, result)),
        ),
        WHY["persistence"], result, f"Told by all {len(frames)} frames of the scan.",
    )  # fmt: skip


def _on_sky(model: ArtifactsModel, result: artifacts.Persistence) -> Measured:
    """Return the trail's spacing as an angle."""
    scale = model.scan.geometry(model.scan.band).plate_scale / u.pix
    return Measured(abs(result.step.value * scale), result.step.error * scale)


def astigmatism(model: ArtifactsModel) -> Page:
    """Shapes of stars."""
    hot = artifacts.hot_pixels(model.still)
    bad = np.zeros((256, 256), bool)
    bad[hot.y, hot.x] = True
    frames = model.frames(_STARS_FROM)
    result = artifacts.elongation(artifacts.lonely_stars(frames, model.own.difference.mean, bad))
    low, high = result.images[:2], result.images[2:]
    sheet = np.block([[low[0], low[1]], [high[0], high[1]]])
    curves = tuple(
        Curve(name, plus, cross, error, points=True, x_error=x_error)
        for name, plus, cross, x_error, error in _shapes(result)
    )
    simulated = " Stars of a simulated sky are round." if model.scan.simulated else ""
    return Page(
        Picture(sheet, "Mean star of each quadrant", 0, 1, 0, 0, 26, 26, unit="of the peak"),
        (Plot("Shapes: round is 0, 0", "long axis E–W  ←  (yy − xx)/(yy + xx)  →  N–S",
              "2 xy/(yy + xx)", curves, (-0.3, 0.3), (-0.3, 0.3)),),
        (
            Number("long axis over short axis", result.axis_ratio),
            Number("position angle, north through east", result.angle),
            Number("width (FWHM)", result.fwhm),
            Number("stars", ", ".join(f"{n}" for n in result.stars)),
            Number("all: long axis over short axis", result.all_axis_ratio),
            Number("all: position angle", result.all_angle),
        ),
        WHY["astigmatism"], result,
        f"Told by {len(frames)} frames of the scan.{simulated}",
    )  # fmt: skip


def _shapes(result: artifacts.Elongation) -> list[tuple[Any, ...]]:
    """Name, both components, and their errors, of each quadrant and of all."""
    each = (result.plus.value, result.cross.value, result.plus.error, result.cross.error)
    whole = (
        result.all_plus.value, result.all_cross.value, result.all_plus.error,
        result.all_cross.error,
    )  # fmt: skip
    rows = [(name, *(part.value[[q]] for part in each)) for q, name in enumerate(QUADRANTS)]
    return [*rows, ("all", *(np.atleast_1d(part.value) for part in whole))]
