"""When the scans were taken: all of a selection month by month, and the listed ones' nights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from bokeh.models import ColumnDataSource, DatetimeTickFormatter, FixedTicker, HoverTool, Range1d
from bokeh.plotting import figure

if TYPE_CHECKING:
    from .locator_model import LocatorModel

__all__ = ["NightsFigure"]

_WIDTH, _HEIGHT = 396, 70
_ALL, _LISTED, _CHOSEN = "#c4c4c4", "#1f5fa8", "#ff5a1f"
_DAY = 86_400_000.0  # Bokeh counts time in milliseconds


class NightsFigure:
    """Scans a month, and a line for each night of a listed scan, as a Bokeh figure.

    Attributes
    ----------
    root : `bokeh.plotting.figure`
    months : `bokeh.models.ColumnDataSource`
        ``left, right`` (ms since 1970), ``scans`` that the filters leave.
    listed : `bokeh.models.ColumnDataSource`
        ``night`` (ms since 1970), ``date``, ``scans`` listed of that night, ``colour``.
    """

    def __init__(self, model: LocatorModel) -> None:
        self.model = model
        self._days = np.asarray(model.loc.table["date"]).astype("datetime64[D]")
        self._shown: object = None
        self.months = ColumnDataSource({name: [] for name in ("left", "right", "scans", "month")})
        self.listed = ColumnDataSource(
            {name: [] for name in ("night", "date", "scans", "colour")}, name="nights"
        )
        first, last = (day.astype("datetime64[M]") for day in (self._days.min(), self._days.max()))
        self._edges = np.arange(first, last + 2).astype("datetime64[D]")
        self.root = figure(
            frame_width=_WIDTH,
            frame_height=_HEIGHT,
            x_range=Range1d(_ms(self._edges[0]), _ms(self._edges[-1])),
            y_range=Range1d(0, 1),
            name="nights-figure",
            tools="",
            toolbar_location=None,
            min_border_left=4,
        )
        self.root.xaxis.formatter = DatetimeTickFormatter(
            years="%Y", months="%Y-%m", days="%Y-%m-%d"
        )
        if len(self._edges) > 24:  # months; of more than two years, the years are enough
            years = [edge for edge in self._edges if str(edge)[5:7] == "01"]
            self.root.xaxis.ticker = FixedTicker(ticks=[_ms(year) for year in years])
        self.root.yaxis.visible = False
        self.root.grid.visible = False
        self.root.title.text_font_size = "11px"
        self.root.title.text_font_style = "normal"
        bars = self.root.quad(
            left="left", right="right", bottom=0, top="scans", source=self.months,
            fill_color=_ALL, line_color="#ffffff", line_width=0.5,
        )  # fmt: skip
        lines = self.root.vspan(x="night", source=self.listed, line_color="colour", line_width=2)
        for what, tips in (
            (bars, [("month", "@month"), ("scans", "@scans{0,0}")]),
            (lines, [("night", "@date"), ("listed", "@scans")]),
        ):
            self.root.add_tools(HoverTool(renderers=[what], tooltips=tips, mode="mouse"))
        self.draw()

    def draw(self) -> None:
        """Draw what the model says."""
        model = self.model
        if self._shown != model.selection:
            self._shown = dict(model.selection)
            self._draw_months()
        listed = self._days[model.rows]
        nights, count = np.unique(listed, return_counts=True)
        chosen = None if model.selected is None else listed[model.selected]
        self.listed.data = {
            "night": [_ms(night) for night in nights],
            "date": nights.astype(str).tolist(),
            "scans": count.tolist(),
            "colour": [_CHOSEN if night == chosen else _LISTED for night in nights],
        }
        text = f"{len(nights)} nights" if len(nights) != 1 else "1 night"
        self.root.title.text = f"When: {text} listed, over all scans by month"

    def _draw_months(self) -> None:
        days = self._days if self.model.kept is None else self._days[self.model.kept]
        scans, _ = np.histogram(days.astype(float), self._edges.astype(float))
        self.months.data = {
            "left": [_ms(day) for day in self._edges[:-1]],
            "right": [_ms(day) for day in self._edges[1:]],
            "scans": scans.tolist(),
            "month": self._edges[:-1].astype("datetime64[M]").astype(str).tolist(),
        }
        self.root.y_range.end = 1.08 * max(1, int(scans.max(initial=0)))


def _ms(day: np.datetime64) -> float:
    return float(day.astype("datetime64[D]").astype(float) * _DAY)
