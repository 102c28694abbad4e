"""What all explorers share: closed, one gives back everything it had, in the page and in Python."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import ipywidgets as widgets

__all__ = ["Explorer"]


class Explorer(widgets.VBox):
    """A view as a widget: controls, figures and text below each other.

    Its ``model`` says what is shown and restores that; its ``_do`` changes the model and shows it.
    """

    @property
    def state(self) -> dict[str, Any]:
        """Everything that is chosen; set it to what it was and the picture is as it was."""
        return self.model.state()

    @state.setter
    def state(self, state: dict[str, Any]) -> None:
        self._do(self.model.restore, state)

    def close(self) -> None:
        """Close it and all its parts, also those not shown; its scans and pictures can be freed.

        ipywidgets keeps every widget until it is closed, and closes none with another.
        """
        parts = list(_parts(self))
        for part in parts:
            if part is not self:
                part.close()
        super().close()


def _parts(widget: widgets.Widget) -> Iterator[widgets.Widget]:
    """Yield a widget and, each once, those that it has as children or attributes."""
    seen: set[int] = set()
    waiting = [widget]
    while waiting:
        part = waiting.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        yield part
        waiting += _widgets_in([*vars(part).values(), *part._trait_values.values()])  # noqa: SLF001


def _widgets_in(values: Any) -> Iterator[widgets.Widget]:
    for value in values:
        if isinstance(value, widgets.Widget):
            yield value
        elif isinstance(value, list | tuple):
            yield from _widgets_in(value)
        elif isinstance(value, Mapping):
            yield from _widgets_in(value.values())
