"""A table in the page of which a person chooses a row: its texts, and which row it is."""

from __future__ import annotations

from pathlib import Path

import anywidget
import traitlets

__all__ = ["ChoiceTable"]


class ChoiceTable(anywidget.AnyWidget):
    """Rows of text, one of which can be chosen with the mouse or the arrow keys.

    Attributes
    ----------
    columns : list of dict
        For each column its ``label``, ``unit`` and ``tip``.
    rows : list of list of str
    chosen : int
        Row chosen, counted from 0; -1 for none.
    empty : str
        Sentence shown when there are no rows.
    """

    _esm = (Path(__file__).parent / "table.js").read_text(encoding="utf-8")  # see bridge.py
    columns = traitlets.List().tag(sync=True)
    rows = traitlets.List().tag(sync=True)
    chosen = traitlets.Int(-1).tag(sync=True)
    empty = traitlets.Unicode("").tag(sync=True)
