"""How the sky around a position is drawn: footprints, the position, RA and Dec of the pointer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bokeh.models import ColumnDataSource, CustomJSHover, HoverTool, Range1d
from bokeh.plotting import figure

from . import sky

if TYPE_CHECKING:
    from .locator_model import LocatorModel

__all__ = ["SkyFigure"]

SIDE = 340
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
            {name: [] for name in ("x", "y", "name", "line", "width", "fill")},
            name="footprints",
        )
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
            fill_color="fill", fill_alpha=0.12,
        )  # fmt: skip
        self.root.scatter(
            "x", "y", source=self.position, marker="circle_cross", size=18, line_width=2,
            line_color=_MARK, fill_color=None,
        )  # fmt: skip
        readout = CustomJSHover(code=_READOUT, args={"source": self.terms})
        hover = HoverTool(
            renderers=[patches],
            tooltips=[("scan", "@name"), ("RA, Dec", "$x{radec}"), ("", "$x{degrees}")],
            formatters={"$x": readout},
            limit=2,
            point_policy="follow_mouse",
        )
        self.root.add_tools(hover)
        self.turn()
        self.draw()

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
        style = {
            "line": [(_OTHER, _COVERS, _CHOSEN)[kind] for kind in kinds],
            "width": [(1, 1.5, 3)[kind] for kind in kinds],
            "fill": [("#ffffff00", _COVERS, _CHOSEN)[kind] for kind in kinds],
        }
        corners = {"x": found.x.tolist(), "y": found.y.tolist(), "name": found.names}
        self.footprints.data = {**corners, **style}
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
