"""The artifact explorer: its buttons, and each page's picture, numbers and reasons."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

import ipywidgets as widgets

from ..array.artifacts import Measured
from ..errors import TwomassError
from . import still
from .artifacts_figure import ArtifactsFigure
from .artifacts_model import ArtifactsModel
from .artifacts_page import QUADRANTS, Page
from .artifacts_pages import PAGES
from .bridge import BokehView
from .controls import Choice, Telling
from .explorer import Explorer

__all__ = ["ArtifactsExplorer", "artifacts"]


def artifacts(
    scan: Any, darks: Any = None, twilights: Any = None, page: str = "jail bars"
) -> ArtifactsExplorer:
    """Show the artifacts of the array in a scan, a page each: picture, numbers and why.

    Parameters
    ----------
    scan : `~twomass_nb.RawScan`
        An open scan.
    darks, twilights : `~twomass_nb.RawScan`, path, or several of these, optional
        Dark and twilight scans of the same band. If not given, those of the scan's night folder.
        Without darks most artifacts are told by the scan's own frames; what cannot be told the
        page says.
    page : str, optional
        "jail bars", "reset decay", "first column", "stripe", "hot pixels", "linearity",
        "saturation", "persistence" or "astigmatism".

    Returns
    -------
    ArtifactsExplorer
        A widget; its `~ArtifactsExplorer.result` has the numbers as Quantities.

    Raises
    ------
    TwomassError
        If a dark or twilight is of another band, or there is no such page.
    """
    return ArtifactsExplorer(ArtifactsModel(scan, darks, twilights, page))


class ArtifactsExplorer(Explorer):
    """Pages about artifacts; made by `artifacts`.

    Attributes
    ----------
    model : ArtifactsModel
        What is shown, as numbers.
    figure : ArtifactsFigure
        The Bokeh figures.
    page : Choice
        The buttons; setting its ``value`` in Python does what a person's click does.
    """

    def __init__(self, model: ArtifactsModel) -> None:
        self.model = model
        self.figure = ArtifactsFigure(model)
        self.view = BokehView(self.figure.root)
        self._quiet = False
        self.page = Choice({name: name for name in PAGES}, model.page)
        self.page.layout.flex_flow = "row wrap"
        self.head, self.numbers, self.why = (widgets.HTML() for _ in range(3))
        self.telling = Telling()
        super().__init__(
            [self.page, self.head, self.telling, self.view, self.numbers, self.why],
            layout={"overflow": "auto hidden"},
        )
        self.add_class("twomass-nb").add_class("twomass-nb-artifacts")
        self.page.observe(self._chosen, "value")
        self._tell()

    @property
    def result(self) -> Any:
        """What was measured for this page, in Quantities; None where something is missing."""
        return self.model.shown().result

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        return still.beside(bundle, lambda: still.of_artifacts(self.model))

    def _chosen(self, change: dict[str, Any]) -> None:
        if not self._quiet:
            self._do(self.model.go, change["new"])

    def _do(self, change: Callable[..., Any], *args: Any) -> None:
        """Change the model, and show it in picture, buttons and text."""
        self.telling.say("Measuring …")
        try:
            change(*args)
            self.model.shown()
            with self.view.batch():
                self.figure.draw()
            self._tell()
        except TwomassError as error:
            self.telling.warn(str(error))

    def _tell(self) -> None:
        page = self.model.shown()
        self._quiet = True
        try:
            self.page.value = self.model.page
        finally:
            self._quiet = False
        self.view.layout.display = "none" if page.missing else "block"
        self.head.value = f"<b style='font-size:13px'>{escape(self.model.title())}</b>"
        self.numbers.value = _table(page)
        self.why.value = _reasons(page)
        if page.missing:
            self.telling.warn(f"{page.missing[0].upper()}{page.missing[1:]}.")
        else:
            self.telling.say(f"{page.told} Here: {self.model.sources()}")


def _table(page: Page) -> str:
    """Write the numbers: one a quadrant where they are, else one over all columns."""
    if not page.numbers:
        return ""
    heads = any(isinstance(n.value, Measured) and n.value.value.shape for n in page.numbers)
    head = "".join(f"<th>{name}</th>" for name in QUADRANTS) if heads else ""
    lines = [f"<tr><th></th>{head}</tr>"] if heads else []
    for number in page.numbers:
        if isinstance(number.value, Measured):
            texts = number.value.texts()
            span = "" if len(texts) > 1 else " colspan='4' style='text-align:left'"
            cells = "".join(f"<td{span}>{escape(text)}</td>" for text in texts)
        else:
            cells = f"<td colspan='4' style='text-align:left'>{escape(number.value)}</td>"
        lines.append(f"<tr><td style='text-align:left'>{escape(number.what)}</td>{cells}</tr>")
    style = "font-size:12px;line-height:1.5;text-align:right;border-spacing:14px 0"
    return f"<table class='twomass-nb-measured' style='{style}'>{''.join(lines)}</table>"


def _reasons(page: Page) -> str:
    style = "font-size:13px;line-height:1.45;max-width:56em;margin:6px 14px"
    return f"<p class='twomass-nb-why' style='{style}'>{escape(' '.join(page.why))}</p>"
