"""How a page about an artifact is drawn: one picture, and beside it one plot or two."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from bokeh.layouts import column, row
from bokeh.models import ColorBar, ColumnDataSource, HoverTool, LinearColorMapper, Range1d
from bokeh.palettes import Cividis256
from bokeh.plotting import figure

if TYPE_CHECKING:
    from .artifacts_model import ArtifactsModel
    from .artifacts_page import Curve, Picture, Plot

__all__ = ["ArtifactsFigure"]

# Screen pixels: both fit a notebook in a window of 1280.
_SIDE, _WIDTH, _HALF = 300, 404, 118
_MARK = "#ff5a1f"
# Okabe and Ito's, told apart by all kinds of eyes.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#222222", "#e69f00")


class ArtifactsFigure:
    """Picture and plots that follow a model.

    Attributes
    ----------
    root : `bokeh.models.LayoutDOM`
    image, marks : `bokeh.models.ColumnDataSource`
    axes : list of Axes
        The two plots; the second is hidden where a page has one.
    """

    def __init__(self, model: ArtifactsModel) -> None:
        self.model = model
        self._make_picture()
        self.axes = [Axes("artifact-plot"), Axes("artifact-plot-2")]
        beside = column(*(one.figure for one in self.axes))
        self.root = row(self._picture, beside, name="artifact-layout")
        self.draw()

    def _make_picture(self) -> None:
        self._picture = _figure("artifact-picture", _SIDE, _SIDE)
        self.image = ColumnDataSource(_image(np.zeros((2, 2), np.float32)), name="artifact-image")
        self.mapper = LinearColorMapper(Cividis256, low=0, high=1, nan_color="#ffffff")
        drawn = self._picture.image(
            "image", x="x", y="y", dw="dw", dh="dh", source=self.image, color_mapper=self.mapper
        )
        self._bar = ColorBar(
            color_mapper=self.mapper, height=10, padding=4, title="DN", title_standoff=2,
            title_text_font_style="normal", title_text_font_size="11px", bar_line_color=None,
        )  # fmt: skip
        self._picture.add_layout(self._bar, "below")
        self._picture.grid.visible = False
        self.marks = ColumnDataSource({"x": [], "y": []}, name="artifact-marks")
        self._picture.scatter(
            "x", "y", source=self.marks, marker="circle", size=13, line_color=_MARK,
            line_width=1.5, fill_color=None,
        )  # fmt: skip
        hover = HoverTool(
            renderers=[drawn],
            tooltips=[("x, y", "$x{0.0}, $y{0.0}"), ("value", "@image{0.00[0]}")],
            point_policy="follow_mouse",
        )
        self._picture.add_tools(hover)

    def draw(self) -> None:
        """Draw the model's page; of a page that misses something nothing."""
        page = self.model.shown()
        if page.picture is not None:
            self._draw_picture(page.picture)
        named: list[str] = []
        for one, plot in zip(self.axes, (*page.plots, None, None), strict=False):
            labels = [curve.label for curve in plot.curves] if plot else []
            legend = len(labels) > 1 and not set(labels) <= set(named)
            one.draw(plot, whole=len(page.plots) == 1, legend=legend)
            named += labels

    def _draw_picture(self, picture: Picture) -> None:
        self.image.data = _image(
            np.ascontiguousarray(picture.image, np.float32),
            (picture.x, picture.y, picture.width, picture.height),
        )
        self.mapper.update(low=picture.low, high=picture.high)
        x, y = (np.asarray(one, float) for one in picture.marks)
        self.marks.data = {"x": x, "y": y}
        self._bar.title = picture.unit
        self._picture.title.text = picture.title
        self._picture.xaxis.axis_label = picture.x_label
        self._picture.yaxis.axis_label = picture.y_label
        # pixels are square: the longer side fills the frame
        side = max(picture.width, picture.height)
        for axis, start, length in (
            (self._picture.x_range, picture.x, picture.width),
            (self._picture.y_range, picture.y, picture.height),
        ):
            low = start - (side - length) / 2
            axis.update(start=low, end=low + side)


class Axes:
    """One plot.

    Attributes
    ----------
    figure : `bokeh.plotting.figure`
    lines, points : `bokeh.models.ColumnDataSource`
        Curves, a row each; and single points with the ends of their errors.
    """

    def __init__(self, name: str) -> None:
        self.figure = _figure(name, _WIDTH, _SIDE)
        self.lines = ColumnDataSource(_lines([]), name=f"{name}-lines")
        self.points = ColumnDataSource(_points([]), name=f"{name}-points")
        self.figure.multi_line(
            "xs", "ys", source=self.lines, line_color="colour", line_dash="dash", line_width=1.6,
            legend_field="label",
        )  # fmt: skip
        for ends in (("x", "low", "x", "high"), ("left", "y", "right", "y")):
            self.figure.segment(*ends, source=self.points, line_color="colour", line_width=1.5)
        # a field of another name than the lines': one legend item cannot have two sources
        self.figure.scatter(
            "x", "y", source=self.points, size=6, fill_color="colour", line_color="colour",
            legend_field="name",
        )  # fmt: skip
        self.figure.legend.update(
            label_text_font_size="10px", padding=4, margin=4, spacing=0, glyph_height=14,
            background_fill_alpha=0.8, location="top_right", click_policy="none",
        )  # fmt: skip

    def draw(self, plot: Plot | None, whole: bool, legend: bool) -> None:
        """Draw a plot, over the whole height or half of it, with its legend; nothing for None."""
        self.figure.visible = plot is not None
        if plot is None:
            return
        self.figure.update(frame_height=_SIDE if whole else _HALF)
        self.figure.title.text = plot.title
        self.figure.xaxis.axis_label, self.figure.yaxis.axis_label = plot.x_label, plot.y_label
        coloured = list(zip(plot.curves, _COLOURS, strict=False))
        self.lines.data = _lines([(c, colour) for c, colour in coloured if not c.points])
        self.points.data = _points([(c, colour) for c, colour in coloured if c.points])
        for axis, given, values in (
            (self.figure.x_range, plot.x_range, [c.x for c in plot.curves]),
            (self.figure.y_range, plot.y_range, [_seen(c, plot) for c in plot.curves]),
        ):
            low, high = given or _around(np.concatenate(values))
            axis.update(start=low, end=high)
        self.figure.legend.visible = legend


def _seen(curve: Curve, plot: Plot) -> Any:
    """Values of a curve within the range of x, with their errors."""
    inside = np.full(len(curve.x), True)
    if plot.x_range:
        inside = (curve.x >= plot.x_range[0]) & (curve.x <= plot.x_range[1])
    error = 0 if curve.error is None else np.nan_to_num(curve.error)
    return np.concatenate([(curve.y - error)[inside], (curve.y + error)[inside]])


def _around(values: Any) -> tuple[float, float]:
    values = values[np.isfinite(values)]
    if not values.size:
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    margin = 0.07 * (high - low) or 1.0
    return low - margin, high + margin


def _image(image: Any, place: tuple[float, ...] = (-0.5, -0.5, 2, 2)) -> dict[str, list[Any]]:
    return {
        "image": [image],
        **{k: [v] for k, v in zip(("x", "y", "dw", "dh"), place, strict=True)},
    }


def _lines(curves: list[tuple[Curve, str]]) -> dict[str, list[Any]]:
    return {
        "xs": [np.asarray(c.x, float) for c, _ in curves],
        "ys": [np.asarray(c.y, float) for c, _ in curves],
        "label": [c.label for c, _ in curves],
        "colour": [colour for _, colour in curves],
        "dash": ["dashed" if c.dashed else "solid" for c, _ in curves],
    }


def _points(curves: list[tuple[Curve, str]]) -> dict[str, Any]:
    names = ("x", "y", "left", "right", "low", "high", "name", "colour")
    rows: list[tuple[Any, ...]] = []
    for c, colour in curves:
        none = np.zeros(len(c.x))
        errors = [none if e is None else np.nan_to_num(e) for e in (c.x_error, c.error)]
        for x, y, dx, dy in zip(c.x, c.y, *errors, strict=True):
            ends = (float(v) for v in (x, y, x - dx, x + dx, y - dy, y + dy))
            rows.append((*ends, c.label, colour))
    return {name: [one[k] for one in rows] for k, name in enumerate(names)}


def _figure(name: str, width: int, height: int) -> Any:
    drawn = figure(
        name=name, title=" ", frame_width=width, frame_height=height, x_range=Range1d(0, 1),
        y_range=Range1d(0, 1), x_axis_label=" ", y_axis_label=" ", tools="",
        toolbar_location=None, min_border_left=6, min_border_right=12,
    )  # fmt: skip
    drawn.title.text_font_size = "12px"
    drawn.axis.axis_label_text_font_style = "normal"
    drawn.axis.axis_label_text_font_size = "11px"
    drawn.grid.grid_line_alpha = 0.4
    return drawn
