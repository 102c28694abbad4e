"""How the plots below the frames are drawn: cuts, histogram, and one pixel through all frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from bokeh.events import Tap
from bokeh.layouts import row
from bokeh.models import ColumnDataSource, HoverTool, Span
from bokeh.plotting import figure

from ..scan import BAND_NAMES
from .frames_panel import MARK

if TYPE_CHECKING:
    from collections.abc import Callable

    from .frames_model import FramesModel

__all__ = ["Plots"]

_WIDTH, _HEIGHT = 336, 130  # screen pixels
_LINE = "#00499b"


class Plots:
    """Plots that follow a model; each is made when it is first asked for.

    Parameters
    ----------
    model : FramesModel
    x_range, y_range : `bokeh.models.Range1d`
        Of the frame: the cuts keep to them.
    on_frame : callable
        Called with the frame whose point in a plot was clicked.
    tick : callable
        Called with the number of frames done and that of all, where that takes long.
    """

    def __init__(
        self,
        model: FramesModel,
        x_range: Any,
        y_range: Any,
        on_frame: Callable[[int], None],
        tick: Callable[[int, int], None],
    ) -> None:
        self._model, self._ranges = model, (x_range, y_range)
        self._on_frame, self._tick = on_frame, tick
        self._made: dict[str, list[Any]] = {}
        self.sources: dict[str, ColumnDataSource] = {}
        self._spans: dict[str, Span] = {}
        self._through_of: Any = None

    def layout(self) -> list[Any]:
        """Return the rows of plots that are open."""
        open_ = [self._figures(kind) for kind in ("cuts",) if kind in self._model.plots]
        rest = [p for kind in ("histogram", "through") if kind in self._model.plots
                for p in self._figures(kind)]  # fmt: skip
        return [row(figures) for figures in (*open_, rest) if figures]

    def _figures(self, kind: str) -> list[Any]:
        if kind not in self._made:
            make = {
                "cuts": self._make_cuts,
                "histogram": self._make_histogram,
                "through": self._make_through,
            }
            self._made[kind] = make[kind]()
        return self._made[kind]

    def _make_cuts(self) -> list[Any]:
        made = []
        for name, axis, label in zip(
            ("row", "column"), self._ranges, ("x (pixel)", "y (pixel)"), strict=True
        ):
            plot = _figure(f"frames-{name}", label, "DN", x_range=axis)
            source = self.sources[name] = ColumnDataSource(name=f"frames-{name}-cut")
            plot.step("at", "value", source=source, mode="center", line_color=_LINE)
            self._span(plot, name)
            made.append(plot)
        return made

    def _make_histogram(self) -> list[Any]:
        plot = _figure("frames-histogram", "DN", "pixels", y_axis_type="log")
        source = self.sources["histogram"] = ColumnDataSource(name="frames-histogram-counts")
        plot.quad(
            left="left", right="right", top="top", bottom=0.5, source=source,
            fill_color=_LINE, line_color=None,
        )  # fmt: skip
        plot.y_range.start = 0.5
        for end in ("low", "high"):
            self._span(plot, end)
        return [plot]

    def _make_through(self) -> list[Any]:
        plot = _figure("frames-through", "frame", "DN")
        source = self.sources["through"] = ColumnDataSource(name="frames-through-values")
        plot.line("frame", "value", source=source, line_color=_LINE, line_alpha=0.5)
        points = plot.scatter("frame", "value", source=source, size=4, color=_LINE)
        plot.add_tools(
            HoverTool(
                renderers=[points],
                mode="vline",
                tooltips=[("frame", "@frame"), ("value", "@value{0.[00]} DN")],
            )
        )
        self._span(plot, "through")
        plot.on_event(Tap, lambda tap: self._on_frame(round(tap.x)))
        return [plot]

    def _span(self, plot: Any, name: str) -> None:
        self._spans[name] = Span(dimension="height", line_color=MARK, line_alpha=0.8)
        plot.add_layout(self._spans[name])

    def draw(self) -> None:
        """Draw the plots that are open."""
        plots = self._model.plots
        if "cuts" in plots:
            self.draw_cuts()
        if "histogram" in plots:
            self._draw_histogram()
        if "through" in plots:
            self._draw_through()

    def draw_cuts(self) -> None:
        """Draw the cuts through the cursor."""
        along_row, plot_column = self._figures("cuts")
        x, y = self._model.cursor()
        what = self._what()
        for name, plot, values, at, title in (
            ("row", along_row, self._model.cuts()[0], x, f"row y = {y} · {what}"),
            ("column", plot_column, self._model.cuts()[1], y, f"column x = {x} · {what}"),
        ):
            self.sources[name].data = {"at": np.arange(len(values)), "value": values}
            self._spans[name].location = at
            plot.title.text = title

    def _draw_histogram(self) -> None:
        (plot,) = self._figures("histogram")
        edges, counts = self._model.histogram()
        self.sources["histogram"].data = {
            "left": edges[:-1], "right": edges[1:], "count": counts, "top": np.maximum(counts, 0.5),
        }  # fmt: skip
        ends = self._model.range_of(self._model.data())
        for name, end in zip(("low", "high"), ends, strict=True):
            self._spans[name].location = end
        plot.title.text = f"histogram and limits · {self._what()}"

    def _draw_through(self) -> None:
        (plot,) = self._figures("through")
        model = self._model
        x, y = model.pixel or model.middle
        if self._through_of != (shown := (model.band, model.read, x, y)):
            self._through_of = shown
            values = model.through_frames(self._tick)
            self.sources["through"].data = {"frame": np.arange(len(values)), "value": values}
            plot.title.text = f"pixel {x}, {y} in all frames · {self._what()}"
        self._spans["through"].location = model.frame

    def _what(self) -> str:
        model = self._model
        words = f"{BAND_NAMES.get(model.band, '?')} · {model.read.replace('-', ' − ')}"
        return words + (" · SIMULATED" if model.simulated else "")


def _figure(name: str, x_label: str, y_label: str, **more: Any) -> Any:
    plot = figure(
        frame_width=_WIDTH, frame_height=_HEIGHT, x_axis_label=x_label, y_axis_label=y_label,
        title=" ", name=name, tools="pan,box_zoom,wheel_zoom,save,reset", toolbar_location=None,
        active_scroll=None, **more,
    )  # fmt: skip
    plot.title.text_font_size = "11px"
    return plot
