"""How what the array does is laid over a frame: read-out, saturation, hot pixels, afterglow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bokeh.models import ColumnDataSource

from ..array.geometry import SIZE
from ..array.readout import QUADRANT, time_in_read
from .frames_panel import CASE, set_data

if TYPE_CHECKING:
    from .frames_model import FramesModel
    from .frames_panel import Panel

__all__ = ["Marks"]

_ROWS = (0, 32, 64, 96)  # of a quadrant, where the time is written
_IN_R2, _IN_BOTH = "#19c8ff", "#ffffff"
_INK = {
    "text_color": "white", "text_font_size": "10px", "background_fill_color": "#000000",
    "background_fill_alpha": 0.5, "padding": 1,
}  # fmt: skip
_WHITE = {"line_color": "white", "fill_color": None}


class Marks:
    """Marks over one panel; a kind is made when it is first asked for.

    Attributes
    ----------
    sources : dict of `bokeh.models.ColumnDataSource`
        Of each kind that has been asked for; empty while it is not shown.
    """

    def __init__(self, panel: Panel) -> None:
        self._panel = panel
        self._name = panel.source.name
        self.sources: dict[str, ColumnDataSource] = {}
        self._make = {
            "quadrants": self._make_quadrants,
            "saturated": self._make_saturated,
            "hot": self._make_hot,
            "persistence": self._make_persistence,
        }
        self._columns = {
            "quadrants": _read_out,
            "saturated": _saturated,
            "hot": _hot,
            "persistence": _persistence,
        }

    def draw(self, model: FramesModel, band: str) -> None:
        """Show the marks that the model asks for, of its frame in a band."""
        for kind, columns in self._columns.items():
            if kind in model.marks:
                if kind not in self.sources:
                    self.sources[kind] = ColumnDataSource(name=f"{self._name}-{kind}")
                    self._make[kind](self.sources[kind])
                set_data(self.sources[kind], columns(model, band))
            elif kind in self.sources:
                source = self.sources[kind]
                set_data(source, {name: [] for name in source.data})

    def _make_quadrants(self, source: ColumnDataSource) -> None:
        figure = self._panel.figure
        for width, look in ((3, {"line_color": "#000000", "line_alpha": 0.4}),
                            (1, {"line_color": "white"})):  # fmt: skip
            figure.segment("x", "y", "x1", "y1", source=source, line_width=width, **look)
        figure.text(
            "x", "y", text="text", source=source, x_offset=3, y_offset=-3, **_INK
        )  # fmt: skip

    def _make_saturated(self, source: ColumnDataSource) -> None:
        self._panel.figure.rect(
            "x", "y", width=1, height=1, source=source, fill_color="colour",
            line_color="#000000", line_width=0.5,
        )  # fmt: skip

    def _make_hot(self, source: ColumnDataSource) -> None:
        for width, look in ((3, CASE), (1.2, _WHITE)):
            self._panel.figure.scatter(
                "x", "y", source=source, marker="square", size=9, line_width=width, **look
            )

    def _make_persistence(self, source: ColumnDataSource) -> None:
        for width, look in ((4, CASE), (1.6, _WHITE)):
            self._panel.figure.scatter(
                "x", "y", source=source, marker="circle", size=22, line_width=width,
                **{**look, "line_dash": "dotted"} if look is _WHITE else look,
            )  # fmt: skip
        self._panel.figure.text(
            "x", "y", text="text", source=source, x_offset=12, y_offset=5,
            **_INK,
        )  # fmt: skip


def _read_out(_model: FramesModel, _band: str) -> dict[str, list[Any]]:
    """Edges of quadrants, and in each the times at which some rows begin."""
    last, edge = SIZE - 0.5, QUADRANT - 0.5
    x, y, x1, y1, text = [-0.5, edge], [edge, -0.5], [last, edge], [edge, last], ["", ""]
    for left in (0, QUADRANT):
        for low in (0, QUADRANT):
            for row in _ROWS:
                time = time_in_read(left, low + row).to_value("ms")
                x.append(left - 0.5)
                y.append(low + row)
                x1.append(left + 14)
                y1.append(low + row)
                text.append(f"{time:.1f} ms →" if left == 0 else "")  # the same in both
    return {"x": x, "y": y, "x1": x1, "y1": y1, "text": text}


def _saturated(model: FramesModel, band: str) -> dict[str, list[Any]]:
    flat, holes = model.bands_of_scan.full(band, model.frame)
    x, y = (
        [*flat[:, 0].tolist(), *holes[:, 0].tolist()],
        [*flat[:, 1].tolist(), *holes[:, 1].tolist()],
    )
    return {"x": x, "y": y, "colour": [_IN_R2] * len(flat) + [_IN_BOTH] * len(holes)}


def _hot(model: FramesModel, band: str) -> dict[str, list[Any]]:
    x, y = model.bands_of_scan.hot(band).T.tolist()
    return {"x": x, "y": y}


def _persistence(model: FramesModel, band: str) -> dict[str, list[Any]]:
    x, y, ago = model.bands_of_scan.afterglow(band, model.frame).T.tolist()
    return {"x": x, "y": y, "text": [f"−{n:.0f}" for n in ago]}
