"""How the whole sky is drawn: depth of scans, a grid, where the local map is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from bokeh.models import (
    ColorBar,
    ColumnDataSource,
    CustomJSHover,
    HoverTool,
    LogColorMapper,
    Range1d,
)
from bokeh.models.tickers import FixedTicker
from bokeh.palettes import Viridis256
from bokeh.plotting import figure

from . import locator_allsky as allsky
from . import sky

if TYPE_CHECKING:
    from .locator_model import LocatorModel

__all__ = ["AllSkyFigure"]

_WIDTH, _HALF_X, _HALF_Y = 396, 2.28, 1.08
# Without the map's first, darkest colours: white marks and letters must show.
_PALETTE = list(Viridis256[40:])
_MARK = "#ff5a1f"
_TICKS = (0.05, 0.1, 0.2, 0.5, 1, 1.2, 1.5, 2, 3, 5, 10, 20, 50, 100, 200, 500)
_READOUT = (
    sky.JS
    + allsky.JS
    + """
const [ra, dec] = skyAt(special_vars.x, special_vars.y);
if (Number.isNaN(ra)) return "–";
return format === "degrees" ? `${ra.toFixed(1)}°  ${dec.toFixed(1)}°`
  : `${hms(ra).slice(0, 5)}  ${dms(dec).slice(0, 6)}`;
"""
)


class AllSkyFigure:
    """The whole sky as a Bokeh figure that follows a model.

    Attributes
    ----------
    root : `bokeh.plotting.figure`
        In the coordinates of `locator_allsky`.
    depth : `bokeh.models.ColumnDataSource`
        One row: the picture of `locator_allsky.depth_image`.
    """

    def __init__(self, model: LocatorModel) -> None:
        self.model = model
        self._shown: object = None
        self.depth = ColumnDataSource({"image": []}, name="depth")
        self.position = ColumnDataSource({"x": [], "y": []}, name="position-on-sky")
        self.targets = ColumnDataSource({"x": [], "y": []}, name="targets-on-sky")
        self.mapper = LogColorMapper(_PALETTE, low=1, high=2, nan_color="#ffffff00")
        self.root = figure(
            frame_width=_WIDTH,
            frame_height=round(_WIDTH * _HALF_Y / _HALF_X),
            x_range=Range1d(-_HALF_X, _HALF_X),
            y_range=Range1d(-_HALF_Y, _HALF_Y),
            title=" ",
            name="allsky-figure",
            tools="",
            toolbar_location=None,
            outline_line_color=None,
            min_border_left=4,
            min_border_right=8,
        )
        self.root.title.text_font_size = "12px"
        self.root.axis.visible = False
        self.root.grid.visible = False
        x, y = allsky.edge()
        self.root.patch(x, y, fill_color="#d9d9d9", line_color="#9a9a9a")
        picture = self.root.image(
            "image", x=-2, y=-1, dw=4, dh=2, color_mapper=self.mapper, source=self.depth
        )
        xs, ys = allsky.grid()
        self.root.multi_line(xs, ys, line_color="#ffffff", line_alpha=0.35, line_width=0.7)
        self._label()
        self.root.scatter(
            "x", "y", source=self.targets, marker="circle", size=6, line_width=1,
            line_color="#ffffff", fill_color=_MARK,
        )  # fmt: skip
        for colour, width in (("#ffffff", 4), (_MARK, 2)):  # an edge, so that it shows anywhere
            self.root.scatter(
                "x", "y", source=self.position, marker="circle_cross", size=14, line_width=width,
                line_color=colour, fill_color=None,
            )  # fmt: skip
        self._bar = ColorBar(
            color_mapper=self.mapper, height=8, padding=4, title="scans on a place, mean",
            title_standoff=2, title_text_font_style="normal", title_text_font_size="11px",
            bar_line_color=None, ticker=FixedTicker(ticks=[1, 2]),
        )  # fmt: skip
        self.root.add_layout(self._bar, "below")
        hover = HoverTool(
            renderers=[picture],
            tooltips=[("RA, Dec", "$x{radec}"), ("", "$x{degrees}"), ("depth", "@image{0.[0]}")],
            formatters={"$x": CustomJSHover(code=_READOUT)},
            point_policy="follow_mouse",
        )
        self.root.add_tools(hover)
        self.draw()

    def _label(self) -> None:
        hours = np.arange(-8, 9, 4)
        x, y = allsky.project(hours * 15.0, np.zeros(len(hours)))
        self.root.text(
            x, y, [f"{hour % 24}h" for hour in hours], y_offset=-2, text_align="center",
            text_font_size="11px", text_color="#ffffff", background_fill_color="#000000",
            background_fill_alpha=0.35, padding=2, border_radius=3,
        )  # fmt: skip
        decs = np.array([-60, -30, 30, 60])
        x, y = allsky.project(np.full(len(decs), 180.0), decs)
        self.root.text(
            np.abs(x), y, [f"{dec:+d}°".replace("-", "−") for dec in decs], x_offset=9,
            text_align="left", text_baseline="middle", text_font_size="10px", text_color="#444444",
        )  # fmt: skip

    def draw(self) -> None:
        """Draw what the model says; the picture of depth only if the selection is another."""
        model = self.model
        if self._shown != model.selection:
            self._shown = dict(model.selection)
            image = allsky.depth_image(model.loc, model.selection)
            some = np.isfinite(image).any()
            # A few places, seen hundreds of times, must not take the colours from all others.
            high = max(2.0, float(np.nanpercentile(image, 99.5))) if some else 2.0
            low = float(np.clip(np.nanpercentile(image, 0.5), 0.05, 1.0)) if some else 1.0
            self.mapper.update(low=low, high=high)
            self._bar.ticker.ticks = [tick for tick in _TICKS if low <= tick <= high]
            self.depth.data = {"image": [image]}
        for source, coord in ((self.position, model.position), (self.targets, model.targets)):
            if coord is None:
                source.data = {"x": [], "y": []}
            else:
                x, y = allsky.project(np.atleast_1d(coord.ra.deg), np.atleast_1d(coord.dec.deg))
                source.data = {"x": x.tolist(), "y": y.tolist()}
        simulated = " · SIMULATED" if model.simulated else ""
        self.root.title.text = f"The whole sky, east left: click to go there{simulated}"
