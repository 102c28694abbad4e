"""How a raw frame and its coadd are drawn: side by side, pointers linked, one over the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bokeh.layouts import gridplot
from bokeh.models import ColorBar, ColumnDataSource, HoverTool

from . import colours, sky
from .compare_coadd import signed_colours
from .compare_model import RAW
from .frames_figure import Panel

if TYPE_CHECKING:
    from .compare_model import CompareModel

__all__ = ["CompareFigure"]

_OUTLINE = "#ff5a1f"
_AROUND = 300  # coadd pixels from the frame's middle to the edge of the picture


class CompareFigure:
    """The raw frame, and beside it the coadd's pixels with coadd or frame, following a model.

    Attributes
    ----------
    root : `bokeh.models.LayoutDOM`
    raw, sky : Panel
        The frame as read out, and the picture on the coadd's pixels.
    """

    def __init__(self, model: CompareModel) -> None:
        self.model = model
        self.raw = Panel("compare-raw", "x (pixel, 2″) → west", "y (pixel, 2″) → north")
        self.sky = Panel("compare-sky", "x (coadd pixel, 1″) → west", "y (coadd pixel, 1″) → north")
        self.raw.read_out(self.sky)
        self.sky.read_out(self.raw)
        for axis in (self.raw.figure.x_range, self.raw.figure.y_range):
            axis.update(start=-0.5, end=255.5, reset_start=-0.5, reset_end=255.5)
        self.outline = ColumnDataSource({"x": [], "y": []}, name="compare-outline")
        self.sky.figure.line("x", "y", source=self.outline, line_color=_OUTLINE, line_width=1.5)
        self.root = gridplot(
            [[self.raw.figure, self.sky.figure]],
            toolbar_location="right",
            toolbar_options={"logo": None},
        )
        self._bar = self.sky.figure.select_one(ColorBar)
        self._hover = self.sky.figure.select_one(HoverTool)
        self._drawn: Any = None
        self.draw()
        self.look_at_frame()

    def draw(self) -> None:
        """Draw what the model says; the coadd is sent again only after something else was shown."""
        model = self.model
        pixels = model.raw()
        self.raw.draw(pixels, sky.terms(model.wcs()))
        self.raw.scale(*model.range_of(pixels), model.colours, model.stretch)
        self.raw.figure.title.text = model.frame_title()
        corners = model.outline()
        self.outline.data = {"x": corners[:, 0], "y": corners[:, 1]}
        drawn = (model.shown, model.frame, model.cleaned) if model.shown == RAW else model.shown
        if drawn != self._drawn:
            self._drawn = drawn
            self.sky.draw(model.picture(), sky.terms(model.image.wcs))
        self._scale_picture()
        self.sky.figure.title.text = model.picture_title()

    def _scale_picture(self) -> None:
        model = self.model
        low, high = model.picture_range()
        if model.signed:
            self.sky.mapper.update(
                low=low, high=high, palette=colours.hex_colours(signed_colours())
            )
        else:
            self.sky.scale(low, high, model.colours, model.stretch)
        self._bar.title = unit = "SKYSIG" if model.signed else "DN"
        read = [(what, f"@image{{0.[00]}} {unit}" if what == "value" else how)
                for what, how in self._hover.tooltips]  # fmt: skip
        if read != self._hover.tooltips:
            self._hover.tooltips = read

    def look_at_frame(self) -> None:
        """Turn the picture on the coadd's pixels to where the frame is."""
        middle = self.model.outline()[:4].mean(axis=0)
        for axis, at in zip(
            (self.sky.figure.x_range, self.sky.figure.y_range), middle, strict=True
        ):
            low, high = float(at) - _AROUND, float(at) + _AROUND
            axis.update(start=low, end=high, reset_start=low, reset_end=high)
