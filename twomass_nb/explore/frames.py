"""The frame explorer: the controls, and what each of them does to model and picture."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from ..errors import TwomassError
from ..scan import BAND_NAMES
from . import colours, still
from .bridge import BokehView
from .controls import Choice, Telling, labelled
from .frames_figure import FramesFigure
from .frames_model import READS, FramesModel

if TYPE_CHECKING:
    from astropy.coordinates import SkyCoord

__all__ = ["FramesExplorer", "frames"]

_MANUAL = "by hand"


def frames(
    scan: Any, atlas: Any = None, frame: int | None = None, target: SkyCoord | None = None
) -> FramesExplorer:
    """Show the raw frames of a scan, with the processed coadd beside them.

    Parameters
    ----------
    scan : `~twomass_nb.RawScan`
        An open scan; its other bands are found beside it.
    atlas : `~twomass_nb.AtlasImage`, path, or several of these, optional
        Coadds to show; by default those that lie beside the raw files. The one whose centre is
        nearest to the frame is shown.
    frame : int, optional
        Frame to start with, counted from 0; by default the one that sees `target` best, or the
        middle one.
    target : `~astropy.coordinates.SkyCoord`, optional
        Position to mark on the frames and coadds that see it.

    Returns
    -------
    FramesExplorer
        A widget; its `~FramesExplorer.state` says in Python what is shown.
    """
    return FramesExplorer(FramesModel(scan, atlas, frame, target))


class FramesExplorer(widgets.VBox):
    """Frames of a scan to step through; made by `frames`.

    Attributes
    ----------
    model : FramesModel
        What is shown, as numbers.
    figure : FramesFigure
        The Bokeh figures.
    band, read, slider, stretch, limits, low, high, colours
        The controls; setting their ``value`` in Python does what a person's click does.
    """

    def __init__(self, model: FramesModel) -> None:
        self.model = model
        self.figure = FramesFigure(model)
        self.view = BokehView(self.figure.root)
        self._make_controls()
        rows = [
            self._bar(
                labelled("Band", self.band),
                labelled("Read", self.read),
                labelled("Stretch", self.stretch),
                labelled("Limits", self.limits),
                labelled("Map", self.colours),
                self._by_hand,
            ),
            self._bar(self.play, self.back, self.slider, self.forward, self.whole_coadd),
            self.view,
            self.telling,
        ]
        super().__init__(rows, layout={"overflow": "auto hidden"})
        self.add_class("twomass-nb").add_class("twomass-nb-frames")
        self._connect()
        self._tell()

    @property
    def state(self) -> dict[str, Any]:
        """What is shown: scan, band, read, frame, stretch, limits, low, high, target, coadd ..."""
        return dict(self.model.state())

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        return still.beside(bundle, lambda: still.of_frames(self.model))

    # controls ----------------------------------------------------------------------------------

    @staticmethod
    def _bar(*children: widgets.Widget) -> widgets.HBox:
        return widgets.HBox(children, layout={"flex_flow": "row wrap", "align_items": "center"})

    def _make_controls(self) -> None:
        model = self.model
        missing = {
            band: f"no {name} file beside the one opened"
            for band, name in BAND_NAMES.items()
            if not model.has_band(band)
        }
        self.band = Choice(BAND_NAMES, model.band or "", missing)
        self.read = Choice({read: read.replace("-", "−") for read in READS}, model.read)
        self.stretch = _dropdown(colours.STRETCHES, model.stretch, "74px")
        self.limits = _dropdown((*colours.LIMITS, _MANUAL), model.limits, "84px")
        self.colours = _dropdown(colours.MAPS, model.colours, "92px")
        self.low, self.high = (
            widgets.FloatText(layout={"width": "86px"}, tooltip=f"{end} end of the scale, DN")
            for end in ("lower", "upper")
        )
        self._by_hand = widgets.HBox([self.low, self.high], layout={"display": "none"})
        last = model.scan.n_frames - 1
        self.slider = widgets.IntSlider(
            model.frame, 0, last, description="Frame",
            style={"description_width": "46px"}, layout={"flex": "1 1 260px"},
        )  # fmt: skip
        self.back, self.forward = (
            widgets.Button(icon=icon, tooltip=tip, layout={"width": "34px"})
            for icon, tip in (("step-backward", "One frame back"), ("step-forward", "One frame on"))
        )
        self.play = widgets.Play(
            min=0, max=last, value=model.frame, interval=150, show_repeat=False,
            layout={"width": "max-content"},
        )  # fmt: skip
        self.whole_coadd = widgets.ToggleButton(
            description="whole coadd", value=False, tooltip="Show the whole coadd",
            layout={"width": "104px"},
        )  # fmt: skip
        self.telling = Telling()

    def _connect(self) -> None:
        # The browser itself ties play to the slider: no round trip between them.
        widgets.jslink((self.play, "value"), (self.slider, "value"))
        self.slider.observe(lambda change: self._do(self.model.go, change["new"]), "value")
        self.back.on_click(lambda _: self._step(-1))
        self.forward.on_click(lambda _: self._step(1))
        self.band.observe(lambda change: self._show_band(change["new"], change["old"]), "value")
        for name in ("read", "stretch", "colours"):
            control = getattr(self, name)
            control.observe(
                lambda change, name=name: self._do(setattr, self.model, name, change["new"]),
                "value",
            )
        self.limits.observe(lambda change: self._choose_limits(change["new"]), "value")
        for end in (self.low, self.high):
            end.observe(lambda _: self._do(self._set_limits), "value")
        self.whole_coadd.observe(self._show_whole, "value")

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Put an error where the person looks, as its one line."""
        try:
            yield
        except (TwomassError, OSError) as error:
            self.telling.warn(str(error))

    def _do(self, change: Callable[..., Any], *args: Any) -> None:
        """Change the model and redraw, in one message to the page."""
        with self._telling(), self.view.batch():
            change(*args)
            self.figure.draw()
            self._tell()

    def _step(self, by: int) -> None:
        self.slider.value = min(max(self.slider.value + by, 0), self.slider.max)

    def _show_band(self, band: str, old: str) -> None:
        if band == self.model.band:
            return
        self._do(self.model.show_band, band)
        if self.model.band != band:  # it could not be opened; the reason is being told
            self.band.value = old
            return
        last = self.model.scan.n_frames - 1
        self.slider.max = self.play.max = last

    def _choose_limits(self, rule: str) -> None:
        by_hand = rule == _MANUAL
        if by_hand:
            ends = self.model.range_of(self.model.data())
            low, high = (float(f"{end:.5g}") for end in ends)
            self.model.manual = (low, high)
            with self.low.hold_trait_notifications(), self.high.hold_trait_notifications():
                self.low.value, self.high.value = low, high
        self._by_hand.layout.display = "flex" if by_hand else "none"
        if not by_hand:
            self.model.manual = None
            self._do(setattr, self.model, "limits", rule)

    def _set_limits(self) -> None:
        if self.limits.value != _MANUAL:
            return
        if not self.low.value < self.high.value:
            message = f"lower limit {self.low.value:g} must be below the upper {self.high.value:g}"
            raise TwomassError(message)
        self.model.manual = (self.low.value, self.high.value)

    def _show_whole(self, change: dict) -> None:
        with self.view.batch():
            self.figure.whole_coadd = change["new"]
            self.figure.show_coadd_range()

    def _tell(self) -> None:
        """Say under the picture what it cannot say itself."""
        model = self.model
        words = []
        if model.wcs() is None:
            words.append(f"Positions are not known: {model.no_sky}.")
        elif model.target is not None and model.target_pixel() is None:
            words.append("The target is not on this frame.")
        if model.coadd() is None:
            words.append(
                f"No processed {BAND_NAMES.get(model.band, '')} coadd lies beside the raw files; "
                "give one with atlas=."
            )
        self.telling.say(" ".join(words))


def _dropdown(options: Any, value: str, width: str) -> widgets.Dropdown:
    return widgets.Dropdown(options=list(options), value=value, layout={"width": width})
