"""How the sky around a position is drawn: footprints, the position, RA and Dec of the pointer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from bokeh.models import (
    BoxSelectTool,
    ColorBar,
    ColumnDataSource,
    CustomJSHover,
    HoverTool,
    Legend,
    LegendItem,
    LinearColorMapper,
    Range1d,
)  # fmt: skip
from bokeh.models.tickers import FixedTicker
from bokeh.palettes import Viridis256
from bokeh.plotting import figure

from ..array.track import unit_vector
from . import sky

if TYPE_CHECKING:
    from .locator_colours import Scale
    from .locator_model import LocatorModel

__all__ = ["SkyFigure"]

SIDE = 340
# Without the map's last, palest colours: lines of it must show on white.
_PALETTE = list(Viridis256[:232])
_UNKNOWN = "#9a9a9a"
_COVERS, _OTHER, _CHOSEN, _MARK = "#1f5fa8", "#9a9a9a", "#ff5a1f", "#ff5a1f"
WIDEST = 10.0  # degrees from the middle to the edge, at most

_READOUT = (
    sky.JS
    + """
const [ra, dec] = toSky(row(source.data), special_vars.x, special_vars.y);
return format === "degrees" ? `${ra.toFixed(5)}°  ${dec.toFixed(5)}°` : `${hms(ra)}  ${dms(dec)}`;
"""
)


class SkyFigure:
    """The sky plot as a Bokeh root that follows a model.

    Attributes
    ----------
    root : `bokeh.plotting.figure`
        Degrees on the tangent plane, east to the left.
    """

    def __init__(self, model: LocatorModel) -> None:
        self.model = model
        self.footprints = ColumnDataSource(
            {name: [] for name in ("x", "y", "name", "night", "line", "width", "fill", "alpha")},
            name="footprints",
        )
        self.box = ColumnDataSource({name: [] for name in ("l", "r", "b", "t")}, name="box")
        self.targets = ColumnDataSource({"x": [], "y": []}, name="targets")
        self.position = ColumnDataSource({"x": [], "y": []}, name="position")
        self.terms = ColumnDataSource({name: [] for name in sky.TERMS})
        self.root = figure(
            frame_width=SIDE,
            frame_height=SIDE,
            x_range=Range1d(1, -1, max_interval=2 * WIDEST, min_interval=0.01),
            y_range=Range1d(-1, 1, max_interval=2 * WIDEST, min_interval=0.01),
            x_axis_label="← east    ΔRA cos Dec (degrees)    west →",
            y_axis_label="ΔDec (degrees)",
            title=" ",
            name="sky-figure",
            tools="pan,wheel_zoom,box_zoom,save,reset",
            toolbar_location="right",
            active_scroll=None,
        )
        self.root.toolbar.logo = None
        self.root.title.text_font_size = "12px"
        self.root.grid.grid_line_alpha = 0.5
        patches = self.root.patches(
            "x", "y", source=self.footprints, line_color="line", line_width="width",
            fill_color="fill", fill_alpha="alpha",
        )  # fmt: skip
        self.root.quad(
            "l", "r", "b", "t", source=self.box, line_color=_MARK, line_dash="dashed",
            fill_color=None, line_width=1.5,
        )  # fmt: skip
        self.root.scatter(
            "x", "y", source=self.targets, marker="circle", size=7, line_width=1.5,
            line_color=_MARK, fill_color="#ffffff",
        )  # fmt: skip
        self.root.scatter(
            "x", "y", source=self.position, marker="circle_cross", size=18, line_width=2,
            line_color=_MARK, fill_color=None,
        )  # fmt: skip
        readout = CustomJSHover(code=_READOUT, args={"source": self.terms})
        hover = HoverTool(
            renderers=[patches],
            tooltips=[
                ("scan", "@name"),
                ("night", "@night"),
                ("RA, Dec", "$x{radec}"),
                ("", "$x{degrees}"),
            ],
            formatters={"$x": readout},
            limit=2,
            point_policy="follow_mouse",
        )
        self.root.add_tools(hover)
        # No renderers: the box is for the locator to answer, not for Bokeh to fade the others.
        self.root.add_tools(
            BoxSelectTool(renderers=[], description="Drag a box: which scans overlap it?")
        )
        self._key()
        self.turn()
        self.draw()

    def _key(self) -> None:
        """Put the legend, and the colour bar that takes its place, under the map."""
        self._mapper = LinearColorMapper(_PALETTE, low=0, high=1)
        self._bar = ColorBar(
            color_mapper=self._mapper, height=8, padding=4, title=" ", title_standoff=2,
            title_text_font_style="normal", title_text_font_size="11px", bar_line_color=None,
            ticker=FixedTicker(ticks=[]), visible=False,
        )  # fmt: skip
        kinds = (("listed", _COVERS, 0.12), ("chosen", _CHOSEN, 0.12), ("other scans", _OTHER, 0))
        items = [
            LegendItem(label=label, renderers=[self.root.quad(
                [np.nan], [np.nan], [np.nan], [np.nan], line_color=colour, fill_color=colour,
                fill_alpha=alpha, line_width=1.5)])
            for label, colour, alpha in kinds
        ]  # fmt: skip
        self._legend = Legend(
            items=items, orientation="horizontal", border_line_color=None, padding=2, margin=0,
            label_text_font_size="11px", glyph_height=14, glyph_width=14, spacing=14,
        )  # fmt: skip
        for key in (self._bar, self._legend):
            self.root.add_layout(key, "below")

    def turn(self) -> None:
        """Turn the picture to where the model looks."""
        (x, y), half = self.model.view, self.model.half_width
        ends = ((self.root.x_range, x + half, x - half), (self.root.y_range, y - half, y + half))
        for axis, start, end in ends:  # east is left
            axis.update(start=start, end=end, reset_start=start, reset_end=end)

    def draw(self) -> None:
        """Draw what the model says."""
        model = self.model
        found = model.footprints()
        kinds = found.covers.astype(int)
        kinds[found.selected] = 2
        colours = np.array([_OTHER, _COVERS, _CHOSEN])[kinds]
        alpha = np.array([0.0, 0.12, 0.12])[kinds]
        fill = colours
        if found.scale is not None:
            fill = self._coloured(found.scale)
            alpha = np.where(found.covers, 0.7, 0.45)
            colours = np.where(kinds == 2, _CHOSEN, np.where(kinds == 1, "#202020", fill))
        self._bar.visible, self._legend.visible = found.scale is not None, found.scale is None
        self.footprints.data = {
            "x": found.x.tolist(),
            "y": found.y.tolist(),
            "name": found.names,
            "night": [str(night) for night in model.loc.table["date"][found.i_scan]],
            "line": colours.tolist(),
            "width": [(1, 1.5, 3)[kind] for kind in kinds],
            "fill": fill.tolist(),
            "alpha": alpha.tolist(),
        }
        if model.box is None:
            self.box.data = {name: [] for name in "lrbt"}
        else:
            x0, y0, x1, y1 = model.box
            self.box.data = {"l": [x0], "r": [x1], "b": [y0], "t": [y1]}
        if model.targets is not None:
            vectors = unit_vector(model.targets.ra.deg, model.targets.dec.deg)
            x, y = model.plane.project(vectors)
            self.targets.data = {"x": x.tolist(), "y": y.tolist()}
        x, y = model.marker()
        self.position.data = {"x": [x], "y": [y]}
        center = model.plane.center
        terms = {
            "ra0": center.ra.deg, "dec0": center.dec.deg, "px": 0.0, "py": 0.0,
            "a": 1.0, "b": 0.0, "c": 0.0, "d": 1.0, "sin": 0.0,
        }  # fmt: skip
        self.terms.data = {name: [float(value)] for name, value in terms.items()}
        simulated = " · SIMULATED" if model.simulated else ""
        self.root.title.text = f"Around {model.position_text(center)}{simulated}"

    def _coloured(self, scale: Scale) -> np.ndarray:
        """Return the colour of each value, and set the colour bar to the scale."""
        self._mapper.update(low=scale.low, high=scale.high)
        self._bar.title = scale.title
        self._bar.ticker.ticks = list(scale.ticks)
        self._bar.major_label_overrides = dict(scale.ticks)
        known = np.isfinite(scale.values)
        level = np.where(known, (scale.values - scale.low) / (scale.high - scale.low), 0.0)
        place = np.rint(np.clip(level, 0, 1) * (len(_PALETTE) - 1)).astype(int)
        return np.where(known, np.array(_PALETTE)[place], _UNKNOWN)
