"""How frames and coadds are drawn: which pictures are on the page, and what each of them shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from bokeh.events import SelectionGeometry, Tap
from bokeh.layouts import column, gridplot
from bokeh.models import BoxSelectTool, ColumnDataSource

from ..array.geometry import SIZE
from . import sky
from .frames_coadds import coadd_title
from .frames_marks import Marks
from .frames_panel import MARK, Panel
from .frames_plots import Plots

if TYPE_CHECKING:
    from .frames_model import FramesModel

__all__ = ["FramesFigure", "Panel"]

_AROUND = 300  # coadd pixels (arcsec) from the frame's middle to the edge of the coadd's picture
_SMALL, _MIDDLING = 226, 300  # screen pixels of a side: of three in a row, of four in two rows
_X, _Y = "x (pixel, 2″) → west", "y (pixel, 2″) → north"


def _nothing(*_: Any) -> None:
    """Do nothing: what is done where nobody listens."""


class FramesFigure:
    """Frames, the coadd beside them and plots below, as one Bokeh root that follows a model.

    Parameters
    ----------
    model : FramesModel
    on_tap : callable, optional
        Called with x, y (pixels) of a click on a frame.
    on_select : callable, optional
        Called with left, right, bottom, top (pixels) of a box drawn on a frame.
    on_pointer : callable, optional
        Called with the pixel x, y under the pointer, or -1, -1.
    on_frame : callable, optional
        Called with the frame clicked in the plot of a pixel through the frames.
    tick : callable, optional
        Called with how many frames of all have been read, where that takes long.

    Attributes
    ----------
    root : `bokeh.models.LayoutDOM`
    frame, coadd : Panel
        The two of the plain view.
    plots : Plots
    whole_coadd : bool
    """

    def __init__(
        self,
        model: FramesModel,
        on_tap: Callable[[float, float], None] = _nothing,
        on_select: Callable[[float, float, float, float], None] = _nothing,
        on_pointer: Callable[[int, int], None] = _nothing,
        on_frame: Callable[[int], None] = _nothing,
        tick: Callable[[int, int], None] = _nothing,
    ) -> None:
        self.model = model
        self._on_tap, self._on_select = on_tap, on_select
        self.asked = ColumnDataSource({"x": [-1], "y": [-1]}, name="frames-pointer")
        self.asked.on_change(
            "data", lambda _name, _old, new: on_pointer(int(new["x"][0]), int(new["y"][0]))
        )
        self.frame = self._raw_panel("frame")
        self.coadd = Panel("coadd", "x (coadd pixel, 1″) → west", "y (coadd pixel, 1″) → north")
        self.frame.read_out(self.coadd, asked=self.asked)
        self.coadd.read_out(self.frame)
        for axis in (self.frame.figure.x_range, self.frame.figure.y_range):
            axis.update(start=-0.5, end=SIZE - 0.5, reset_start=-0.5, reset_end=SIZE - 0.5)
        self.outline = ColumnDataSource({"x": [], "y": []})
        self.coadd.figure.line("x", "y", source=self.outline, line_color=MARK, line_width=1.5)
        self.plots = Plots(
            model, self.frame.figure.x_range, self.frame.figure.y_range, on_frame, tick
        )
        self._marks: dict[str, Marks] = {}
        self._views: dict[tuple[str, ...], tuple[Any, list[Panel]]] = {}
        self.root = column(self._grid([[self.frame.figure, self.coadd.figure]]))
        self._plain = self.root.children[0]
        self.whole_coadd = False
        self._coadd_shown: Any = None
        self._coadd_axes = (self.coadd.figure.x_range, self.coadd.figure.y_range)
        for axis in self._coadd_axes:
            axis.update(reset_start=axis.start, reset_end=axis.end)
        self._middle = np.zeros(2)
        self.draw()
        self.show_coadd_range()

    def _raw_panel(self, name: str, **more: Any) -> Panel:
        panel = Panel(name, _X, _Y, **more)
        panel.figure.add_tools(BoxSelectTool(renderers=[], persistent=False))
        panel.figure.on_event(Tap, lambda tap: self._on_tap(tap.x, tap.y))
        panel.figure.on_event(SelectionGeometry, self._select)
        return panel

    def _select(self, event: SelectionGeometry) -> None:
        box = event.geometry
        if event.final and box["type"] == "rect":
            self._on_select(*(float(box[end]) for end in ("x0", "x1", "y0", "y1")))

    @staticmethod
    def _grid(rows: list[list[Any]]) -> Any:
        return gridplot(rows, toolbar_location="right", toolbar_options={"logo": None})

    # which pictures ----------------------------------------------------------------------------

    def panels(self) -> list[Panel]:
        """Return the panels of raw frames that are on the page, in the model's order."""
        return [self.frame] if self.model.view == "one" else self._view()[1]

    def _view(self) -> tuple[Any, list[Panel]]:
        """Return grid and panels of the view with several pictures; made when first asked for."""
        model = self.model
        by_band = model.view == "bands"
        names = tuple(f"frame-{band if by_band else read}" for band, read in model.panels())
        if names not in self._views:
            side = _MIDDLING if len(names) > 3 else _SMALL
            panels = [self._raw_panel(name, side=side, like=self.frame) for name in names]
            rows = [panels] if len(panels) < 4 else [panels[:2], panels[2:]]
            for i, panel in enumerate(panels):
                others = [other for other in panels if other is not panel]
                panel.read_out(*others, asked=self.asked, same=not by_band)
                panel.figure.yaxis.visible = i in (0, len(rows[0])) or len(rows) > 1
            grid = self._grid([[panel.figure for panel in row] for row in rows])
            self._views[names] = (grid, panels)
        return self._views[names]

    def _lay_out(self) -> None:
        grid = self._plain if self.model.view == "one" else self._view()[0]
        rows = [grid, *self.plots.layout()]
        if [*map(_of, self.root.children)] != [*map(_of, rows)]:
            self.root.children = rows

    # what they show ----------------------------------------------------------------------------

    def draw(self) -> None:
        """Draw what the model says: only pictures that are shown, and the coadd when it is new."""
        self._lay_out()
        for panel, (band, read) in zip(self.panels(), self.model.panels(), strict=True):
            self._draw_frame(panel, band, read)
        if self.model.view == "one":
            self._draw_coadd()
        self.plots.draw()

    def _draw_frame(self, panel: Panel, band: str, read: str) -> None:
        model = self.model
        plain = panel is self.frame
        if not model.has_frame(band):
            panel.draw(np.full((2, 2), np.nan, np.float32), None)
            panel.figure.title.text = f"{model.panel_title(band, read)}: no such frame"
            return
        data = model.data(band, read)
        panel.draw(data, model.sky_terms(band))
        panel.scale(*model.range_of(data, read), model.colours, model.stretch)
        panel.figure.title.text = model.title() if plain else model.panel_title(band, read)
        panel.mark(model.target_pixel(band))
        panel.mark_crossing(model.crossing(band))
        panel.hold(model.pixel)
        panel.select(model.selection)
        name = panel.source.name
        if model.marks or name in self._marks:
            self._marks.setdefault(name, Marks(panel)).draw(model, band)

    def _draw_coadd(self) -> None:
        model = self.model
        coadd = model.coadd()
        self.coadd.figure.visible = coadd is not None
        if coadd is None:
            return
        if coadd is not self._coadd_shown:
            self._coadd_shown = coadd
            pixels = np.ascontiguousarray(coadd.data, dtype=np.float32)
            self.coadd.draw(pixels, sky.terms(coadd.wcs))
            self.coadd.figure.title.text = coadd_title(coadd)
        self.coadd.scale(*model.coadd_range(coadd), model.colours, model.stretch)
        self.coadd.mark(model.coadd_target(coadd))
        corners = model.outline(coadd)
        if corners is None:
            ny, nx = coadd.data.shape
            self.outline.data = {"x": [], "y": []}
            self._follow(np.array([(nx - 1) / 2, (ny - 1) / 2]))
        else:
            self.outline.data = {"x": corners[:, 0], "y": corners[:, 1]}
            self._follow(corners[:4].mean(axis=0))

    def _follow(self, middle: np.ndarray) -> None:
        """Move the coadd's picture along with the frame, at whatever zoom it has."""
        moved, self._middle = middle - self._middle, middle
        if self.whole_coadd:
            return
        for axis, step in zip(self._coadd_axes, moved.tolist(), strict=True):
            ends = ("start", "end", "reset_start", "reset_end")
            axis.update(**{name: getattr(axis, name) + step for name in ends})

    def show_coadd_range(self) -> None:
        """Turn the coadd's picture to the frame at the same scale, or to the whole coadd."""
        coadd = self._coadd_shown
        if coadd is None:
            return
        if self.whole_coadd:
            ny, nx = coadd.data.shape
            middle, half = np.array([(nx - 1) / 2, (ny - 1) / 2]), max(nx, ny) / 2
        else:
            middle, half = self._middle, _AROUND
        for axis, centre in zip(self._coadd_axes, middle.tolist(), strict=True):
            low, high = centre - half, centre + half
            axis.update(start=low, end=high, reset_start=low, reset_end=high)

    # zoom --------------------------------------------------------------------------------------

    @property
    def zoom(self) -> tuple[float, float, float, float]:
        """What part of the frame is seen: left, right, bottom, top (pixels)."""
        x, y = self.frame.figure.x_range, self.frame.figure.y_range
        return (x.start, x.end, y.start, y.end)

    @zoom.setter
    def zoom(self, ends: tuple[float, float, float, float]) -> None:
        left, right, bottom, top = map(float, ends)
        self.frame.figure.x_range.update(start=left, end=right)
        self.frame.figure.y_range.update(start=bottom, end=top)


def _of(row: Any) -> Any:
    """Return what tells one row of the page from another: a row of plots is made anew each time."""
    return row if not hasattr(row, "children") or hasattr(row, "rows") else tuple(row.children)
