"""What the frame explorer says under its pictures: what they cannot say themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..scan import BAND_NAMES

if TYPE_CHECKING:
    from .frames_model import FramesModel

__all__ = ["told"]


def told(model: FramesModel) -> list[str]:
    """Say in sentences what a person should know of what is shown."""
    return [*_places(model), *_selection(model), *_marks(model)]


def _places(model: FramesModel) -> list[str]:
    words = []
    if model.wcs() is None:
        words.append(f"Positions are not known: {model.no_sky}.")
    elif model.target is not None:
        seen = [frame for frame, _, _ in model.crossing()]
        if model.target_pixel() is None:
            words.append("The target is not on this frame.")
        if seen:
            words.append(f"Frames {seen[0]} to {seen[-1]} see the target.")
    if model.coadd() is None and model.view == "one":
        words.append(
            f"No processed {BAND_NAMES.get(model.band, '')} coadd lies beside the raw files; "
            "give one with atlas=."
        )
    return words


def _selection(model: FramesModel) -> list[str]:
    if model.selection is None:
        return []
    x0, x1, y0, y1 = model.selection
    count = (x1 - x0 + 1) * (y1 - y0 + 1)
    return [f"{count} pixels are selected: x {x0} to {x1}, y {y0} to {y1}."]


def _marks(model: FramesModel) -> list[str]:
    """Say what the marks on the frame are, and how many."""
    words = []
    held = model.bands_of_scan
    if "quadrants" in model.marks:
        words.append("Times are from the start of each read: r1 52 ms, r2 1350 ms after the reset.")
    if "saturated" in model.marks:
        flat, holes = held.full(model.band, model.frame)
        words.append(
            f"Saturated: {len(flat)} pixels in r2, at the highest value of their quadrant (blue), "
            f"{len(holes)} in both reads, where r2 equals r1 (white)."
        )
    if "hot" in model.marks:
        count = len(held.hot(model.band))
        words.append(
            f"{count} hot pixels (squares): those that the scan's own frames show; darks show more."
        )
    if "persistence" in model.marks:
        count = len(held.afterglow(model.band, model.frame))
        words.append(
            f"{count} places where a star saturated up to six frames ago (−1 … −6) and may glow on."
        )
    return words
