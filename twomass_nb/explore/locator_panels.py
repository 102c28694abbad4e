"""The controls of the locator explorer, and its panels that are out of sight until opened."""

from __future__ import annotations

import ipywidgets as widgets

from .controls import labelled
from .locator_colours import offered
from .locator_export import Export
from .locator_filters import Filters
from .locator_model import LocatorModel

__all__ = ["FIELDS", "Asking", "Looking", "Panels", "PastedList"]

#: Sides of the local map a person can choose, and half of each in degrees.
FIELDS = {"0.5°": 0.25, "1.5°": 0.75, "5°": 2.5, "15°": 7.5}
_WRAPPED = {"flex_flow": "row wrap", "align_items": "center"}


class Asking(widgets.HBox):
    """Where a position is typed, and the buttons of the panels."""

    def __init__(self, panels: Panels) -> None:
        self.text = widgets.Text(
            placeholder="18:19:59.8 -16:14:49, or degrees, or a name", continuous_update=False,
            layout={"width": "290px"},
        )  # fmt: skip
        self.find = widgets.Button(description="Find", icon="search", layout={"width": "84px"})
        buttons = panels.buttons.values()
        super().__init__([labelled("Position", self.text), self.find, *buttons], layout=_WRAPPED)


class Looking(widgets.HBox):
    """How wide the local map is, and what its colours say."""

    def __init__(self, model: LocatorModel) -> None:
        self.field = widgets.Dropdown(options=list(FIELDS), value="1.5°", layout={"width": "76px"})
        self.colour = widgets.Dropdown(
            options=offered(model.loc.table), value=model.colour_by, layout={"width": "96px"}
        )
        super().__init__(
            [labelled("Field", self.field), labelled("Colour by", self.colour)], layout=_WRAPPED
        )


class PastedList(widgets.VBox):
    """Where a list of positions is pasted."""

    def __init__(self) -> None:
        self.text = widgets.Textarea(
            placeholder="One a line:  M 17, 274.99 -16.25   or   18:19:59.8 -16:14:49  # M 17",
            rows=5, layout={"width": "98%", "max_width": "700px"},
        )  # fmt: skip
        self.button = widgets.Button(
            description="Find these", icon="search", layout={"width": "120px"}
        )
        super().__init__([self.text, self.button])


class Panels(widgets.VBox):
    """Filters, list and export; only what is open is in the page.

    Attributes
    ----------
    filters : Filters
    list : PastedList
    export : Export
    buttons : dict of str to `ipywidgets.ToggleButton`
        "Filter", "List" and "Export": what opens and closes them.
    """

    def __init__(self, model: LocatorModel) -> None:
        self.filters = Filters(model.loc.table)
        self.list = PastedList()
        self.export = Export(model)
        super().__init__()
        self.buttons = {}
        for text, icon, tip, panel in (
            ("Filter", "filter", "Leave only some scans", self.filters),
            ("List", "list", "Ask for a list of positions", self.list),
            ("Export", "download", "Write files; the code that asks this", self.export),
        ):
            button = widgets.ToggleButton(
                description=text, icon=icon, tooltip=tip,
                layout={"width": f"{46 + 7 * len(text)}px"},
            )  # fmt: skip
            button.observe(lambda change, panel=panel: self._open(panel, change["new"]), "value")
            self.buttons[text] = button

    def _open(self, panel: widgets.Widget, shown: bool) -> None:
        others = [child for child in self.children if child is not panel]
        self.children = [*others, panel] if shown else others
