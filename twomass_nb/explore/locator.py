"""The locator explorer: type or click a position, see the scans that cover it, choose one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
import numpy as np
from bokeh.events import RangesUpdate, Reset, Tap

from ..errors import TwomassError
from ..scan import ScanId
from . import still
from .bridge import BokehView
from .controls import Telling, labelled
from .locator_figure import SkyFigure
from .locator_frames import Archive, frames_of
from .locator_model import LocatorModel, find_position
from .table import ChoiceTable

if TYPE_CHECKING:
    from astropy.coordinates import SkyCoord
    from astropy.table import Row, Table

    from .frames import FramesExplorer

__all__ = ["LocatorExplorer", "locator"]

# Label, unit, tooltip, and the text of a row of the table (see CONTRACT for the columns).
_COLUMNS: tuple[tuple[str, str, str, Callable[[Any], str]], ...] = (
    ("scan", "", "night, observatory, scan number", lambda row: str(row["scan_id"])),
    ("E/W", "edge, ″", "distance to the nearer east or west edge, positive inside",
     lambda row: f"{row['dist_edge_ew']:.1f}"),
    ("N/S", "edge, ″", "distance to the nearer north or south edge, positive inside",
     lambda row: f"{row['dist_edge_ns']:.1f}"),
    ("frames", "from 0", "first to last frame that sees the position",
     lambda row: _frames(row["first_frame"], row["last_frame"])),
    ("best", "frame", "frame that has it nearest to its middle row",
     lambda row: _frames(row["best_frame"], row["best_frame"])),
    ("x, y", "pixel", "predicted pixel in the best frame, J",
     lambda row: f"{row['x']:.0f}, {row['y']:.0f}" if np.isfinite(row["x"]) else "–"),
    ("from", "", "scn: exact corners; lgo, atlas: predicted; sim: simulated",
     lambda row: str(row["source"])),
)  # fmt: skip
_RAW_COLUMNS = (
    ("type", "", "type of scan", "s_type"),
    ("tape", "", "label of its tape", "tape_label"),
    ("disk", "", "label of its disk", "disk_label"),
)
_FIELDS = {"0.5°": 0.25, "1.5°": 0.75, "5°": 2.5, "15°": 7.5}


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
        Where raw frames are: the folder that holds night folders ("000529s/j1186063.rds.gz"), or
        a function from a `ScanId` to a path or an open scan. A chosen scan's frames then open
        below the table.

    Returns
    -------
    LocatorExplorer
        A widget; `~LocatorExplorer.position`, `~LocatorExplorer.table` and
        `~LocatorExplorer.selected` can be read back in Python.
    """
    return LocatorExplorer(LocatorModel(loc, position), archive)


class LocatorExplorer(widgets.VBox):
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
    frames : FramesExplorer or None
        The frames opened last.
    """

    def __init__(self, model: LocatorModel, archive: Archive | None = None) -> None:
        self.model = model
        self.archive = archive
        self.frames: FramesExplorer | None = None
        self.figure = SkyFigure(model)
        root = self.figure.root
        root.on_event(Tap, lambda event: self._tap(event.x, event.y))
        root.on_event(RangesUpdate, lambda event: self._moved(event))
        root.on_event(Reset, lambda _: self._redraw())
        self.view = BokehView(root)
        self._callbacks: list[Callable[[Row], Any]] = []
        self.text = widgets.Text(
            placeholder="18:19:59.8 -16:14:49, or degrees, or a name", continuous_update=False,
            layout={"width": "300px"},
        )  # fmt: skip
        self.find = widgets.Button(description="Find", icon="search", layout={"width": "84px"})
        self.field = widgets.Dropdown(options=list(_FIELDS), value="1.5°", layout={"width": "76px"})
        self.telling = Telling()
        columns = [column[:3] for column in _COLUMNS] + [
            column[:3] for column in _RAW_COLUMNS if column[3] in model.table.colnames
        ]
        self.choice = ChoiceTable(
            columns=[{"label": label, "unit": unit, "tip": tip} for label, unit, tip in columns],
            empty="No scan of this table covers the position.",
            layout={"flex": "1 1 340px", "min_width": "300px", "margin": "4px 0 0 8px"},
        )
        source = Telling()
        source.say(model.source_text())
        bar = widgets.HBox(
            [labelled("Position", self.text), self.find, widgets.Label(layout={"width": "14px"}),
             labelled("Field", self.field)],
            layout={"flex_flow": "row wrap", "align_items": "center"},
        )  # fmt: skip
        body = widgets.HBox(
            [self.view, self.choice], layout={"align_items": "flex-start", "flex_flow": "row wrap"}
        )
        self.show = widgets.Button(
            description="Show frames", icon="film", disabled=True, layout={"width": "124px"},
            tooltip="Open the raw frames of the scan chosen, on the frame that sees the position",
        )  # fmt: skip
        self._below = widgets.VBox()
        super().__init__(
            [bar, self.telling, body, self.show, self._below, source],
            layout={"overflow": "auto hidden"},
        )
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

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        return still.beside(bundle, lambda: still.of_locator(self.model))

    # what a person does ------------------------------------------------------------------------

    def _connect(self) -> None:
        self.text.observe(lambda _: self._typed(), "value")
        self.find.on_click(lambda _: self._typed())
        self.field.observe(self._zoom, "value")
        self.choice.observe(lambda change: self._choose(change["new"]), "chosen")
        self.show.on_click(lambda _: self._show_frames())

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Put an error where the person looks, as its one line."""
        try:
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
        with self._telling(), self.view.batch():
            self.model.tap(x, y)
            self._redraw()

    def _moved(self, event: RangesUpdate) -> None:
        """Fetch the footprints of the part of the sky that a pan or zoom has brought into view."""
        half = max(abs(event.x0 - event.x1), abs(event.y1 - event.y0)) / 2
        with self.view.batch():
            self.model.look((event.x0 + event.x1) / 2, (event.y0 + event.y1) / 2, half)
            self.figure.draw()

    def _zoom(self, change: dict) -> None:
        with self.view.batch():
            self.model.look(*self.model.marker(), _FIELDS[change["new"]])
            self.figure.turn()
            self.figure.draw()

    def _choose(self, row: int) -> None:
        with self.view.batch():
            self.model.select(row)
            self.figure.draw()
        self.show.disabled = row < 0
        if row >= 0:
            for callback in self._callbacks:
                callback(self.model.selected_row)

    def _show_frames(self) -> None:
        with self._telling():
            row = self.selected_row
            old = self.frames
            self.frames = frames_of(self.archive, self.selected, row["best_frame"], self.position)
            self._below.children = [self.frames]
            if old is not None:
                old.view.close()
                old.close()

    def _redraw(self) -> None:
        self.figure.draw()
        self._show_table()

    def _show_table(self) -> None:
        raw = [name for *_, name in _RAW_COLUMNS if name in self.model.table.colnames]
        with self.choice.hold_sync():
            self.choice.rows = [
                [text(row) for *_, text in _COLUMNS] + [str(row[name]) for name in raw]
                for row in self.model.table
            ]
            self.choice.chosen = -1 if self.model.selected is None else self.model.selected


def _frames(first: Any, last: Any) -> str:
    if first < 0:
        return "–"
    return f"{first}" if first == last else f"{first}–{last}"
