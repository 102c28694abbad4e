"""The locator explorer: type or click a position, see the scans that cover it, choose one."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
from astropy.coordinates import SkyCoord
from bokeh.events import RangesUpdate, Reset, SelectionGeometry, Tap
from bokeh.layouts import column, row

from ..errors import TwomassError
from ..scan import ScanId
from . import still
from .bridge import BokehView
from .controls import Telling
from .explorer import Explorer
from .locator_allsky import sky_at
from .locator_allsky_figure import AllSkyFigure
from .locator_columns import MOST, heads, texts
from .locator_figure import SkyFigure
from .locator_frames import Archive, frames_of
from .locator_model import LocatorModel
from .locator_nights import NightsFigure
from .locator_panels import FIELDS, Asking, Looking, Panels
from .locator_plane import find_position, find_positions
from .table import ChoiceTable

if TYPE_CHECKING:
    from astropy.table import Row, Table

    from .frames import FramesExplorer

__all__ = ["LocatorExplorer", "locator"]


def locator(
    loc: Any, position: SkyCoord | str | None = None, *, archive: Archive | None = None
) -> LocatorExplorer:
    """Find scans by hand: a sky plot to click on, and the table of the scans that cover a position.

    Parameters
    ----------
    loc : `~twomass_nb.ScanLocator`
    position : `~astropy.coordinates.SkyCoord` or str, optional
        Where to start; by default the middle of the table's first scan.
    archive : folder or callable, optional
        Where raw frames are: a folder of disks, tapes or nights ("000529s/j1186063.rds.gz"), or
        a function from a `ScanId` to a path or an open scan; the folders of
        ``TWOMASS_NB_ARCHIVE`` if not given. A chosen scan's frames open below the table.

    Returns
    -------
    LocatorExplorer
        A widget; `~LocatorExplorer.position`, `~LocatorExplorer.table` and
        `~LocatorExplorer.selected` can be read back in Python.
    """
    return LocatorExplorer(LocatorModel(loc, position), archive)


class LocatorExplorer(Explorer):
    """A position, the footprints around it and the scans that cover it; made by `locator`.

    Attributes
    ----------
    model : LocatorModel
        What is shown, as numbers.
    figure : SkyFigure
    text : `ipywidgets.Text`
        Where a position is typed.
    choice : ChoiceTable
        The table in the page; its ``chosen`` is the row.
    panels : Panels
        Filters, the place for a list, and export.
    frames : FramesExplorer or None
        The frames opened last.
    """

    def __init__(self, model: LocatorModel, archive: Archive | None = None) -> None:
        self.model = model
        self.archive = archive
        self.frames: FramesExplorer | None = None
        self.figure = SkyFigure(model)
        self.allsky, self.nights = AllSkyFigure(model), NightsFigure(model)
        self._figures = (self.figure, self.allsky, self.nights)
        root = self.figure.root
        root.on_event(Tap, lambda event: self._tap(event.x, event.y))
        root.on_event(RangesUpdate, lambda event: self._moved(event))
        root.on_event(Reset, lambda _: self._redraw())
        root.on_event(SelectionGeometry, lambda event: self._boxed(event.geometry, event.final))
        self.allsky.root.on_event(Tap, lambda event: self._far(event.x, event.y))
        wide = column(self.allsky.root, self.nights.root)
        # Each in a column, which keeps its size where the page is narrow and the maps wrap.
        self.view = BokehView(row(wide, column(root), styles={"flex-wrap": "wrap"}))
        self._callbacks: list[Callable[[Row], Any]] = []
        self.panels = Panels(model)
        asking, looking = Asking(self.panels), Looking(model)
        self.text, self.find = asking.text, asking.find
        self.field, self.colour = looking.field, looking.colour
        self.telling, self.count = Telling(), Telling()
        self.choice = ChoiceTable(empty="There is none to list.")
        self.show = widgets.Button(
            description="Show frames", icon="film", disabled=True, layout={"width": "124px"},
            tooltip="Open the raw frames of the scan chosen, on the frame that sees the position",
        )  # fmt: skip
        source = Telling()
        source.say(model.source_text())
        self._below = widgets.VBox()
        super().__init__(
            [asking, self.panels, self.telling, looking, self.view, self.count, self.choice,
             self.show, self._below, source],
            layout={"overflow": "auto hidden"},
        )  # fmt: skip
        self.add_class("twomass-nb").add_class("twomass-nb-locator")
        self._connect()
        self._show_table()

    @property
    def position(self) -> SkyCoord:
        """The position last typed or clicked, ICRS."""
        return self.model.position

    @property
    def table(self) -> Table:
        """The scans that cover the position, as `~twomass_nb.ScanLocator.covering` gives them."""
        return self.model.table

    @property
    def selected(self) -> ScanId | None:
        """The scan chosen in the table, or None."""
        return self.model.selected_scan

    @property
    def selected_row(self) -> Row | None:
        """The row of `table` that is chosen, or None."""
        return self.model.selected_row

    @property
    def state(self) -> dict[str, Any]:
        """What is shown: position (degrees), scans that cover it, the one selected, the field."""
        position = self.model.position
        return {
            "asked": self.model.asked,
            "position": (float(position.ra.deg), float(position.dec.deg)),
            "scans": [str(name) for name in self.model.table["scan_id"]],
            "selected": None if self.selected is None else str(self.selected),
            "half_width": self.model.half_width,
            "simulated": self.model.simulated,
        }

    def on_select(self, callback: Callable[[Row], Any]) -> None:
        """Call a function with the row of `table` whenever one is chosen."""
        self._callbacks.append(callback)

    def go(self, position: SkyCoord | str) -> None:
        """Take a position, as if it had been typed.

        Raises
        ------
        PositionError
            If a text is not a position.
        """
        found = find_position(position) if isinstance(position, str) else position
        with self.view.batch():
            self.model.go(found)
            self.figure.turn()
            self._redraw()

    def ask_list(self, text: str) -> None:
        """Take a list of positions, one a line, as if it had been pasted.

        Raises
        ------
        PositionError
            If a line is not understood.
        """
        with self.view.batch():
            self.model.take_list(*find_positions(text))
            self.figure.turn()
            self._redraw()

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        return still.beside(bundle, lambda: still.of_locator(self.model))

    # what a person does ------------------------------------------------------------------------

    def _connect(self) -> None:
        self.text.observe(lambda _: self._typed(), "value")
        self.find.on_click(lambda _: self._typed())
        self.field.observe(self._zoom, "value")
        self.colour.observe(lambda change: self._colour(change["new"]), "value")
        self.choice.observe(lambda change: self._choose(change["new"]), "chosen")
        self.show.on_click(lambda _: self._show_frames())
        self.panels.filters.observe(lambda change: self._filter(change["new"]), "selection")
        self.panels.list.button.on_click(lambda _: self._listed())

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Put an error where the person looks, as its one line; draw anew in one message."""
        try:
            with self.view.batch():
                yield
            self.telling.say("")
        except (TwomassError, OSError) as error:
            self.telling.warn(str(error))

    def _typed(self) -> None:
        if self.text.value.strip():
            with self._telling():
                self.go(self.text.value)

    def _tap(self, x: float | None, y: float | None) -> None:
        if x is None or y is None:
            return
        with self._telling():
            self.model.tap(x, y)
            self._redraw()

    def _far(self, x: float | None, y: float | None) -> None:
        """Take a position on the map of the whole sky."""
        if x is None or y is None:
            return
        with self._telling():
            if math.isfinite(sky_at(x, y)[0]):
                self.go(SkyCoord(*sky_at(x, y), unit="deg"))

    def _boxed(self, geometry: dict, final: bool) -> None:
        if final and geometry.get("type") == "rect":
            with self._telling():
                self.model.take_box(*(float(geometry[end]) for end in ("x0", "y0", "x1", "y1")))
                self._redraw()

    def _listed(self) -> None:
        with self._telling():
            self.ask_list(self.panels.list.text.value)

    def _filter(self, selection: dict[str, Any]) -> None:
        with self._telling():
            self.model.filter(selection)
            self._redraw()

    def _moved(self, event: RangesUpdate) -> None:
        """Fetch the footprints of the part of the sky that a pan or zoom has brought into view."""
        half = max(abs(event.x0 - event.x1), abs(event.y1 - event.y0)) / 2
        with self.view.batch():
            self.model.look((event.x0 + event.x1) / 2, (event.y0 + event.y1) / 2, half)
            self.figure.draw()

    def _zoom(self, change: dict) -> None:
        with self.view.batch():
            self.model.look(*self.model.marker(), FIELDS[change["new"]])
            self.figure.turn()
            self.figure.draw()

    def _colour(self, kind: str) -> None:
        with self.view.batch():
            self.model.colour_by = kind
            self.figure.draw()

    def _choose(self, row: int) -> None:
        with self.view.batch():
            center = self.model.plane
            self.model.select(row)
            if self.model.plane is not center:
                self.figure.turn()
            for figure in self._figures:
                figure.draw()
        self.show.disabled = row < 0
        if row >= 0:
            for callback in self._callbacks:
                callback(self.model.selected_row)

    def _show_frames(self) -> None:
        with self._telling():
            row, old = self.selected_row, self.frames
            known = "best_frame" in row.colnames  # scans of a box have no position in them
            self.frames = frames_of(
                self.archive, self.selected, row["best_frame"] if known else -1,
                self.position if known else None,
            )  # fmt: skip
            self._below.children = [self.frames]
            if old is not None:
                old.view.close()
                old.close()

    def _redraw(self) -> None:
        for figure in self._figures:
            figure.draw()
        self._show_table()

    def _show_table(self) -> None:
        table = self.model.table
        with self.choice.hold_sync():
            self.choice.columns = heads(table)
            self.choice.rows = texts(table)
            self.choice.chosen = -1 if self.model.selected is None else self.model.selected
        more = f"; the first {MOST:,} are listed" if len(table) > MOST else ""
        self.count.say(f"{self.model.answer_text()}{more}.")
        self.panels.export.show()
