"""The controls that leave only some scans: hemisphere, nights, type, quality, epochs."""

from __future__ import annotations

from typing import Any

import ipywidgets as widgets
import numpy as np
import traitlets
from astropy.table import Table

from .controls import labelled

__all__ = ["Filters"]

# Value of a control that asks for nothing (a Dropdown shows None as no choice at all).
_ANY = ""


class Filters(widgets.HBox):
    """Controls for what a scan table can be selected by.

    Parameters
    ----------
    table : `~astropy.table.Table`
        A scan table; controls for columns that it lacks are left out.

    Attributes
    ----------
    selection : dict
        In the words of `twomass_nb.locate.selected`; empty when every scan is left.
    """

    selection = traitlets.Dict()

    def __init__(self, table: Table) -> None:
        self.hemis = _dropdown({"north": "n", "south": "s"}, "86px")
        self.first, self.last = (widgets.DatePicker(layout={"width": "134px"}) for _ in range(2))
        shown = [
            labelled("Observatory", self.hemis),
            labelled("Nights", self.first),
            labelled("to", self.last),
        ]
        self.s_type = self.quality = self.epochs = None
        if "s_type" in table.colnames:
            kinds = sorted({str(kind) for kind in np.unique(np.ma.compressed(table["s_type"]))})
            self.s_type = _dropdown({kind: kind for kind in kinds}, "76px")
            shown.append(labelled("Type", self.s_type))
        if "qual" in table.colnames:
            scores = {f"{score} and more": score for score in range(1, 11)}
            self.quality = _dropdown(scores, "112px")
            shown.append(labelled("Quality", self.quality))
        if "tile" in table.colnames:
            nights = {f"{count} nights and more": count for count in (2, 3, 5, 10, 50)}
            self.epochs = _dropdown(nights, "150px")
            shown.append(labelled("Tiles seen on", self.epochs))
        self.clear = widgets.Button(description="All scans", layout={"width": "90px"})
        self._controls = [
            control
            for control in (
                self.hemis, self.first, self.last, self.s_type, self.quality, self.epochs
            ) if control is not None
        ]  # fmt: skip
        super().__init__(
            [*shown, self.clear], layout={"flex_flow": "row wrap", "align_items": "center"}
        )
        for control in self._controls:
            control.observe(lambda _: self._changed(), "value")
        self.clear.on_click(lambda _: self._clear())

    def _changed(self) -> None:
        first, last = (
            None if day.value is None else day.value.isoformat() for day in (self.first, self.last)
        )
        wanted: dict[str, Any] = {
            "hemis": self.hemis.value,
            "dates": (first, last) if first or last else None,
        }
        for name in ("s_type", "quality", "epochs"):
            control = getattr(self, name)
            wanted[name] = None if control is None else control.value
        self.selection = {
            name: value for name, value in wanted.items() if value not in (None, _ANY)
        }

    def _clear(self) -> None:
        with self.hold_trait_notifications():
            for control in self._controls:
                control.value = None if isinstance(control, widgets.DatePicker) else _ANY


def _dropdown(options: dict[str, Any], width: str) -> widgets.Dropdown:
    choices = [("any", _ANY), *options.items()]
    return widgets.Dropdown(options=choices, value=_ANY, layout={"width": width})
