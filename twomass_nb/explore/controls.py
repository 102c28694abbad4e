"""Small controls that ipywidgets lacks: buttons of which one is down, and a line that tells."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

import ipywidgets as widgets
import traitlets

__all__ = ["Choice", "Telling", "labelled"]

_LINE = "font-size:13px;line-height:1.4;margin:4px 2px"


class Choice(widgets.HBox):
    """A row of buttons, one of them down; single buttons can be out of use.

    Parameters
    ----------
    options : mapping
        Value of each button to its text.
    value : str
        The one that is down.
    disabled : mapping, optional
        Value of a button that cannot be used to the reason, shown as its tooltip.
    """

    value = traitlets.Unicode(help="value of the button that is down")

    def __init__(
        self, options: Mapping[str, str], value: str, disabled: Mapping[str, str] | None = None
    ) -> None:
        self.buttons = {}
        for key, text in options.items():
            reason = (disabled or {}).get(key)
            button = widgets.ToggleButton(
                description=text,
                value=key == value,
                disabled=reason is not None,
                tooltip=reason or text,
                layout={"width": f"{28 + 7 * len(text)}px", "margin": "2px 0"},
            )
            button.observe(lambda change, key=key: self._pressed(key, change["new"]), "value")
            self.buttons[key] = button
        super().__init__(list(self.buttons.values()), value=value)

    def _pressed(self, key: str, down: bool) -> None:
        if down:
            self.value = key
        elif self.value == key:  # a press on the one that is down leaves it down
            self.buttons[key].value = True

    @traitlets.observe("value")
    def _show(self, change: dict) -> None:
        for key, button in self.buttons.items():
            button.value = key == change["new"]


class Telling(widgets.HTML):
    """A line of text under the controls: what was done, or in a plain sentence what went wrong."""

    def say(self, text: str) -> None:
        """Tell something."""
        self.value = f"<p style='{_LINE}'>{escape(text)}</p>" if text else ""

    def warn(self, text: str) -> None:
        """Tell that something went wrong."""
        self.value = (
            f"<p role='alert' style='{_LINE};color:var(--jp-error-color1,#b00020)'>"
            f"{escape(text)}</p>"
        )


def labelled(text: str, control: widgets.Widget) -> widgets.HBox:
    """Put a control's name before it, as narrow as the text."""
    label = widgets.Label(text, layout={"margin": "2px 4px 2px 0"})
    return widgets.HBox([label, control], layout={"align_items": "center", "margin": "0 12px 0 0"})
