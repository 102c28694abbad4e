"""The compare explorer: the controls, and what each of them does to model and picture."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

import ipywidgets as widgets

from ..errors import TwomassError
from . import colours, still
from .bridge import BokehView
from .compare_figure import CompareFigure
from .compare_model import CompareModel
from .controls import Choice, Telling, labelled
from .explorer import Explorer

__all__ = ["CompareExplorer", "compare"]

_BLINK = 700  # ms each picture stays


def compare(scan: Any, atlas: Any, frame: int | None = None, coadd: Any = None) -> CompareExplorer:
    """Show a raw frame beside the processed image it went into, and over it.

    Parameters
    ----------
    scan : `~twomass_nb.RawScan`
        An open scan.
    atlas : `~twomass_nb.AtlasImage` or path
        A coadd of that scan and band.
    frame : int, optional
        Frame to start with, counted from 0; the one nearest to the coadd's centre if not given.
    coadd : `~twomass_nb.coadd.Coadd`, AtlasImage or path, optional
        One of ours of the same sky (`twomass_nb.coadd.stack` with ``like=atlas``): it is shown
        too, and what it differs by.

    Returns
    -------
    CompareExplorer
        A widget; its `~CompareExplorer.state` says in Python what is shown.

    Raises
    ------
    TwomassError
        If a coadd is of another band, none of the scan's frames falls on it, or ours is on
        another grid.
    """
    return CompareExplorer(CompareModel(scan, atlas, frame, coadd))


class CompareExplorer(Explorer):
    """Raw and processed side by side; made by `compare`.

    Attributes
    ----------
    model : CompareModel
        What is shown, as numbers.
    figure : CompareFigure
        The Bokeh figures.
    slider, shown, blink, cleaned, stretch, limits, colours, parity
        The controls; setting their ``value`` in Python does what a person's click does.
    """

    def __init__(self, model: CompareModel) -> None:
        self.model = model
        self.figure = CompareFigure(model)
        self.view = BokehView(self.figure.root)
        self._quiet = False
        self._make_controls()
        super().__init__(
            [
                _bar(
                    labelled("Stretch", self.stretch),
                    labelled("Limits", self.limits),
                    labelled("Map", self.colours),
                    self.cleaned,
                    self.parity,
                ),
                _bar(self.slider, labelled("On the coadd's pixels", self.shown), self.blink),
                self.view,
                self.table,
                self.telling,
            ],
            layout={"overflow": "auto hidden"},
        )
        self.add_class("twomass-nb").add_class("twomass-nb-compare")
        self._connect()
        self._tell()

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        return still.beside(bundle, lambda: still.of_comparison(self.model))

    def _make_controls(self) -> None:
        model = self.model
        frames = model.contributing()
        self.slider = widgets.IntSlider(
            model.frame, int(frames[0]), int(frames[-1]), description="Frame",
            style={"description_width": "46px"}, layout={"flex": "1 1 220px"},
        )  # fmt: skip
        self.shown = Choice({name: name for name in model.choices}, model.shown)
        # The browser counts; each count is a turn of the picture.
        self.blink = widgets.Play(
            min=0, max=1, step=1, interval=_BLINK, show_repeat=False, playing=False,
            tooltip="Blink between {} and {}".format(*model.turns), layout={"width": "max-content"},
        )  # fmt: skip
        self.blink.repeat = True
        self.cleaned = widgets.ToggleButton(
            description="moving only", value=False, layout={"width": "112px"},
            tooltip="Take out what stays in the same pixel: hot pixels, reset decay, dead pixels",
        )  # fmt: skip
        self.stretch = _dropdown(colours.STRETCHES, model.stretch, "74px")
        self.limits = _dropdown(colours.LIMITS, model.limits, "84px")
        self.colours = _dropdown(colours.MAPS, model.colours, "92px")
        self.parity = widgets.Button(
            description="Is east left?", layout={"width": "112px"},
            tooltip="Decide from the stars of the coadd whether columns run from east to west",
        )  # fmt: skip
        self.table = widgets.HTML(_table(model))
        self.telling = Telling()

    def _connect(self) -> None:
        model = self.model
        self._on(self.slider, model.go)
        for name in ("shown", "stretch", "limits", "colours", "cleaned"):
            self._on(getattr(self, name), lambda value, name=name: setattr(model, name, value))
        self._on(self.blink, lambda turn: setattr(model, "shown", model.turns[turn]))
        self.parity.on_click(lambda _: self._do(model.check_parity))

    def _on(self, control: Any, change: Callable[[Any], Any]) -> None:
        control.observe(lambda event: self._quiet or self._do(change, event["new"]), "value")

    def _do(self, change: Callable[..., Any], *args: Any) -> None:
        """Change the model, and show it in picture, controls and text, in one message."""
        before = self.model.frame
        try:
            with self.view.batch():
                change(*args)
                self.figure.draw()
                if self.model.frame != before:
                    self.figure.look_at_frame()
            self._tell()
        except TwomassError as error:
            self.telling.warn(str(error))

    def _tell(self) -> None:
        model = self.model
        self._quiet = True
        try:
            self.slider.value, self.shown.value = model.frame, model.shown
            self.cleaned.value, self.stretch.value = model.cleaned, model.stretch
            self.limits.value, self.colours.value = model.limits, model.colours
            # a difference has the one scale that shows signs
            self.stretch.disabled = self.colours.disabled = model.signed
        finally:
            self._quiet = False
        frames = ", ".join(map(str, model.contributing()))
        said = f" {model.parity}." if model.parity else ""
        self.telling.say(f"Frames on this coadd: {frames}.{said}")


def _bar(*children: widgets.Widget) -> widgets.HBox:
    return widgets.HBox(children, layout={"flex_flow": "row wrap", "align_items": "center"})


def _dropdown(options: Any, value: str, width: str) -> widgets.Dropdown:
    return widgets.Dropdown(options=list(options), value=value, layout={"width": width})


def _table(model: CompareModel) -> str:
    style = "font-size:12px;line-height:1.5;border-spacing:14px 0"
    rows = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>"
        for row in model.numbers()
    )
    ours = "<th>our coadd</th>" if model.ours is not None else ""
    head = f"<tr><th></th><th>raw frame</th><th>coadd</th>{ours}</tr>"
    return f"<table class='twomass-nb-numbers' style='{style}'>{head}{rows}</table>"
