"""The still picture kept in the notebook beside a widget, for when no kernel is there to draw."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..scan import BAND_NAMES
from . import colours
from .compare_coadd import signed_colours
from .frames_coadds import coadd_title

if TYPE_CHECKING:
    from PIL.Image import Image

    from .artifacts_model import ArtifactsModel
    from .compare_model import CompareModel
    from .dither_model import DitherModel
    from .frames_model import FramesModel
    from .locator_model import LocatorModel

__all__ = ["beside", "of_artifacts", "of_comparison", "of_dither", "of_frames", "of_locator"]

_SIDE, _SMALL = 320, 224  # screen pixels of a picture's side; of three or more in a row
_HEAD, _FOOT, _GAP = 24, 36, 16
_INK, _PAPER, _MARK, _GREY = "#222222", "#ffffff", "#ff5a1f", "#777777"


def beside(bundle: Any, draw: Callable[[], Image]) -> Any:
    """Add a PNG to the mime bundle of a widget (front ends that can show the widget do)."""
    data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
    if data is None:
        return bundle
    png = io.BytesIO()
    picture = draw().quantize(64)  # an indexed picture: a third of the bytes
    picture.save(png, "PNG", optimize=True)
    text = base64.b64encode(png.getvalue()).decode()
    return {**data, "image/png": text}, metadata


def of_frames(model: FramesModel, scale: int = 1) -> Image:
    """Draw the frames shown, and the coadd beside a single one: titles, scales, marks.

    Parameters
    ----------
    scale : int, optional
        How many times larger than in the notebook, where it also says that it is still.
    """
    from PIL import ImageDraw

    panels = model.panels()
    coadd = model.coadd() if len(panels) == 1 else None
    side = scale * (_SIDE if len(panels) < 3 else _SMALL)
    gap, head = scale * _GAP, scale * _HEAD
    page = _page((len(panels) + (coadd is not None)) * (side + gap) - gap, side, scale)
    draw = ImageDraw.Draw(page)
    foot = head + side + 4 * scale
    for i, (band, read) in enumerate(panels):
        left = gap + i * (side + gap)
        if not model.has_frame(band):
            continue
        data = model.data(band, read)
        low, high = model.range_of(data, read)
        page.paste(_picture(data, low, high, model, side), (left, head))
        title = model.title() if len(panels) == 1 else model.panel_title(band, read)
        _write(draw, left, 5 * scale, title, size=11 * scale)
        _write(draw, left, foot, f"{low:.5g} to {high:.5g} DN, {model.stretch}", _GREY, 11 * scale)
        place = model.target_pixel(band)
        if place is not None:
            x = left + (place[0] + 0.5) * side / 256
            y = head + side - (place[1] + 0.5) * side / 256
            draw.ellipse((x - 12, y - 12, x + 12, y + 12), outline=_MARK, width=2)
    if coadd is not None:
        left = 2 * gap + side
        corners = model.outline(coadd)
        middle = np.array(coadd.data.shape[::-1]) / 2 if corners is None else corners[:4].mean(0)
        pixels, first = _around(coadd.data, middle)
        low, high = model.coadd_range(coadd)
        page.paste(_picture(pixels, low, high, model, side), (left, head))
        _write(draw, left, 5 * scale, coadd_title(coadd), size=11 * scale)
        _write(draw, left, foot, f"{low:.5g} to {high:.5g} DN", _GREY, 11 * scale)
        pixel = side / len(pixels)
        edge = [
            (left + (x + 0.5 - first[0]) * pixel, head + side - (y + 0.5 - first[1]) * pixel)
            for x, y in ([] if corners is None else corners)
        ]
        draw.line(edge, fill=_MARK, width=scale)
    if scale == 1:
        _write(draw, gap, foot + 15, "Still picture: run the cell for the live one.", _GREY)
    return page


def of_locator(model: LocatorModel) -> Image:
    """Draw the footprints around the position."""
    from PIL import ImageDraw

    page = _page(_SIDE)
    draw = ImageDraw.Draw(page)
    draw.rectangle((_GAP, _HEAD, _GAP + _SIDE, _HEAD + _SIDE), outline=_GREY)
    scale = _SIDE / (2 * model.half_width)

    def place(x: Any, y: Any) -> list[tuple[float, float]]:
        # RA rises to the left
        middle = _GAP + _SIDE / 2
        return [
            (middle - a * scale, _HEAD + _SIDE / 2 - b * scale) for a, b in zip(x, y, strict=True)
        ]

    footprints = model.footprints()
    for x, y, covers in zip(footprints.x, footprints.y, footprints.covers, strict=True):
        draw.polygon(place(x, y), outline=_INK if covers else "#b5b5b5")
    for box in (
        (0, 0, _GAP - 1, page.height),
        (_GAP + _SIDE + 1, 0, page.width, page.height),
        (0, 0, page.width, _HEAD - 1),
        (0, _HEAD + _SIDE + 1, page.width, page.height),
    ):
        draw.rectangle(box, fill=_PAPER)  # fmt: skip
    ((px, py),) = place(*([value] for value in model.marker()))
    draw.line((px - 8, py, px + 8, py), fill=_MARK, width=2)
    draw.line((px, py - 8, px, py + 8), fill=_MARK, width=2)
    simulated = " · SIMULATED" if model.simulated else ""
    _write(draw, _GAP, 5, f"{model.position_text()} · {len(model.table)} scans{simulated}")
    side = f"{2 * model.half_width:g}° a side, north up, east left."
    _write(draw, _GAP, _HEAD + _SIDE + 4, side, _GREY)
    _write(draw, _GAP, _HEAD + _SIDE + 19, "Still picture: run the cell for the live one.", _GREY)
    return page


def of_comparison(model: CompareModel) -> Image:
    """Draw the raw frame, and around it what is shown on the coadd's pixels."""
    from PIL import ImageDraw

    page = _page(2 * _SIDE + _GAP)
    draw = ImageDraw.Draw(page)
    corners = model.outline()
    shown, _ = _around(model.picture(), corners[:4].mean(axis=0))
    raw = model.raw()
    ends = {_GAP: model.range_of(raw), 2 * _GAP + _SIDE: model.picture_range()}
    for (left, (low, high)), pixels, title, signed in zip(
        ends.items(), (raw, shown), (model.frame_title(), model.picture_title()),
        (False, model.signed), strict=True,
    ):  # fmt: skip
        table = signed_colours() if signed else None
        page.paste(_picture(pixels, low, high, model, table=table), (left, _HEAD))
        _write(draw, left, 5, title)
        unit = "SKYSIG" if signed else "DN"
        _write(draw, left, _HEAD + _SIDE + 4, f"{low:.5g} to {high:.5g} {unit}", _GREY)
    _write(draw, _GAP, _HEAD + _SIDE + 19, "Still picture: run the cell for the live one.", _GREY)
    return page


def of_dither(model: DitherModel) -> Image:
    """Draw the pixel with the places where the star falls, and the steps in pixels beside it."""
    from PIL import Image, ImageDraw

    page = _page(2 * _SIDE + _GAP)
    draw = ImageDraw.Draw(page)
    grey = np.uint8(np.clip(model.pixel(_SIDE)[::-1] / 1.9, 0, 1) * 255)
    page.paste(Image.fromarray(grey).convert("RGB"), (_GAP, _HEAD))
    for i, (along, across) in enumerate(model.phases()):
        x, y = _GAP + (across + 0.5) * _SIDE, _HEAD + (0.5 - along) * _SIDE
        draw.ellipse((x - 8, y - 8, x + 8, y + 8), fill=_MARK)
        _write(draw, x - 3, y - 7, str(i), _PAPER)
    _write(draw, _GAP, 5, model.title())
    left = 2 * _GAP + _SIDE
    _write(draw, left, 5, "steps in pixels: in-scan, cross-scan")
    for i, (band, n, along, across) in enumerate(model.steps()):
        text = f"{BAND_NAMES[band]:3} {n} frame{'s' * (n > 1)}: {along:.2f}, {across:.2f}"
        _write(draw, left, _HEAD + 18 * i, text)
    _write(draw, _GAP, _HEAD + _SIDE + 4, "One pixel: black is blind, white responds most.", _GREY)
    _write(draw, _GAP, _HEAD + _SIDE + 19, "Still picture: run the cell for the live one.", _GREY)
    return page


def of_artifacts(model: ArtifactsModel) -> Image:
    """Draw the page's picture, and the numbers beside it."""
    from PIL import Image, ImageDraw

    page, image = model.shown(), _page(2 * _SIDE + _GAP)
    draw = ImageDraw.Draw(image)
    _write(draw, _GAP, 5, model.title())
    if page.picture is None:
        _write(draw, _GAP, _HEAD, page.missing[:120])
    else:
        low, high = page.picture.low, page.picture.high
        level = np.nan_to_num((page.picture.image - low) / (high - low), nan=1.0)
        grey = Image.fromarray(np.uint8(np.clip(level, 0, 1) * 255)[::-1])
        side = (_SIDE // 2, min(_SIDE, round(_SIDE * grey.height / grey.width)) // 2)
        # noise is most of a PNG: half the pixels and 16 greys keep the notebook small
        coarse = grey.resize(side, Image.Resampling.BOX).point(lambda value: value // 16 * 17)
        scaled = coarse.resize((2 * side[0], 2 * side[1]), Image.Resampling.NEAREST)
        image.paste(scaled.convert("RGB"), (_GAP, _HEAD))
        unit = page.picture.unit
        _write(draw, _GAP, _HEAD + _SIDE + 4, f"{low:.5g} to {high:.5g} {unit}", _GREY)
    for i, number in enumerate(page.numbers):
        lines = number.value if isinstance(number.value, str) else str(number.value)
        _write(draw, 2 * _GAP + _SIDE, _HEAD + 36 * i, f"{number.what}:")
        _write(draw, 2 * _GAP + _SIDE, _HEAD + 36 * i + 15, lines.replace("±", "+-")[:62], _GREY)
    _write(draw, _GAP, _HEAD + _SIDE + 19, "Still picture: run the cell for the live one.", _GREY)
    return image


def _page(width: int, side: int = _SIDE, scale: int = 1) -> Image:
    from PIL import Image

    size = (width + 2 * _GAP * scale, side + (_HEAD + _FOOT) * scale)
    return Image.new("RGB", size, _PAPER)


def _write(draw: Any, x: float, y: float, text: str, colour: str = _INK, size: int = 11) -> None:
    from PIL import ImageFont

    # The font that Pillow carries has no middle dot, minus or en dash.
    plain = text.replace(" · ", "  ").replace("−", "-").replace("–", "-").replace("″", '"')
    draw.text((x, y), plain, fill=colour, font=ImageFont.load_default(size))


def _picture(
    data: np.ndarray, low: float, high: float, model: FramesModel | CompareModel,
    side: int = _SIDE, table: np.ndarray | None = None,
) -> Image:  # fmt: skip
    """Pixels as a picture of `side` screen pixels, row 0 at the bottom."""
    from PIL import Image

    if table is None and model.stretch == colours.HISTOGRAM:
        table = colours.equalized(model.colours, data, low, high)
    elif table is None:
        table = colours.rgb_table(model.colours, model.stretch)
    level = np.nan_to_num((data.astype(float) - low) / (high - low), nan=0.0)
    rgb = table[np.rint(np.clip(level, 0, 1) * (len(table) - 1)).astype(int)]
    rgb[~np.isfinite(data.astype(float))] = 230
    return Image.fromarray(rgb[::-1]).resize((side, side), Image.Resampling.BOX)


def _around(data: np.ndarray, middle: np.ndarray) -> tuple[np.ndarray, tuple[int, int]]:
    """Square of 600 coadd pixels around a place, NaN outside; and its first pixel."""
    side = 600
    x0, y0 = (round(float(m)) - side // 2 for m in middle)
    square = np.full((side, side), np.nan, np.float32)
    ny, nx = data.shape
    left, right = np.clip([x0, x0 + side], 0, nx)
    low, high = np.clip([y0, y0 + side], 0, ny)
    square[low - y0 : high - y0, left - x0 : right - x0] = data[low:high, left:right]
    return square, (x0, y0)
