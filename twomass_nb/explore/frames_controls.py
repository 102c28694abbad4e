"""Which controls the frame explorer has, in what order, and how they come to show a model."""

from __future__ import annotations

from typing import Any

import ipywidgets as widgets

from ..scan import BAND_NAMES
from . import colours
from .controls import Choice, Telling, labelled
from .explorer import Explorer
from .frames_bands import CALIBRATED, READS
from .frames_keys import Keys
from .frames_model import MARKS, PLOTS, VIEWS, FramesModel

__all__ = ["BY_HAND", "FramesControls"]

BY_HAND = "by hand"
_BLINK = 700  # ms each picture stays
# Each count of the blink is a turn of the picture; divisible by any number of bands and reads.
_TURNS = 12


class FramesControls(Explorer):
    """The frame explorer's controls; `FramesExplorer` says what they do."""

    def _make_controls(self, model: FramesModel, on_key: Any) -> None:
        missing = {
            band: f"no {name} file beside the one opened"
            for band, name in BAND_NAMES.items()
            if not model.has_band(band)
        }
        self.band = Choice(BAND_NAMES, model.band or "", missing)
        reads = READS if model.bands_of_scan.calibrated_bands == () else (*READS, CALIBRATED)
        self.read = Choice({read: read.replace("-", "−") for read in reads}, model.read)
        self.stretch = _dropdown(colours.ALL_STRETCHES, model.stretch, "94px")
        self.limits = _dropdown((*colours.LIMITS, BY_HAND), model.limits, "84px")
        self.colours = _dropdown(colours.MAPS, model.colours, "92px")
        self.low, self.high = (
            widgets.FloatText(layout={"width": "86px"}, tooltip=f"{end} end of the scale, DN")
            for end in ("lower", "upper")
        )
        self._by_hand = widgets.HBox([self.low, self.high], layout={"display": "none"})
        self._make_steps(model)
        alone = len(model.bands()) < 2
        self.views = Choice(VIEWS, model.view, {"bands": "only one band is there"} if alone else {})
        self.plots = {kind: _toggle(text, f"Open: {text}") for kind, text in PLOTS.items()}
        self.marks = {kind: _toggle(text, f"Mark: {text}") for kind, text in MARKS.items()}
        # The browser counts; each count is a turn of the picture.
        self.blink = widgets.Play(
            min=0, max=_TURNS - 1, step=1, interval=_BLINK, show_repeat=False, playing=False,
            tooltip="Blink", layout={"width": "max-content"},
        )  # fmt: skip
        self.blink.repeat = True
        self.blinking = _dropdown(("reads", "bands"), "reads", "72px")
        self.to_png, self.to_fits = (
            widgets.Button(description=kind, tooltip=tip, layout={"width": "48px"})
            for kind, tip in (
                ("PNG", "Write the picture into the current folder"),
                ("FITS", "Write the frame into the current folder"),
            )
        )
        self.more = _toggle("more", "Marks on the frame, blinking, saving")
        self._more = _bar(
            labelled("Mark", widgets.HBox(list(self.marks.values()))),
            labelled("Blink", widgets.HBox([self.blink, self.blinking])),
            labelled("Save", widgets.HBox([self.to_png, self.to_fits])),
        )
        self._more.layout.display = "none"
        self.keyboard = Keys(on_key)
        self.readout = widgets.HTML()
        self.readout.add_class("twomass-nb-readout")
        self.telling = Telling()

    def _make_steps(self, model: FramesModel) -> None:
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

    def _bars(self) -> list[widgets.Widget]:
        """Return the rows of controls above the pictures."""
        return [
            _bar(
                labelled("Band", self.band),
                labelled("Read", self.read),
                labelled("Stretch", self.stretch),
                labelled("Limits", self.limits),
                labelled("Map", self.colours),
                self._by_hand,
            ),
            _bar(self.play, self.back, self.slider, self.forward, self.whole_coadd),
            _bar(
                labelled("Show", self.views),
                labelled("Plot", widgets.HBox(list(self.plots.values()))),
                self.more,
                self.keyboard,
            ),
            self._more,
        ]

    def _show_controls(self, model: FramesModel) -> None:
        """Bring the controls in line with the model."""
        last = model.scan.n_frames - 1
        if self.slider.max != last:
            self.slider.max = self.play.max = last
        self.band.value, self.read.value = model.band or "", model.read
        self.views.value, self.slider.value = model.view, model.frame
        self.stretch.value, self.colours.value = model.stretch, model.colours
        self.limits.value = BY_HAND if model.manual else model.limits
        if model.manual:
            self.low.value, self.high.value = model.manual
        self._by_hand.layout.display = "flex" if model.manual else "none"
        self.whole_coadd.layout.display = "" if model.view == "one" else "none"
        if model.marks:
            self.more.value = True
        self._more.layout.display = "flex" if self.more.value else "none"
        for toggles, open_ in ((self.plots, model.plots), (self.marks, model.marks)):
            for kind, toggle in toggles.items():
                toggle.value = kind in open_


def _bar(*children: widgets.Widget) -> widgets.HBox:
    return widgets.HBox(children, layout={"flex_flow": "row wrap", "align_items": "center"})


def _dropdown(options: Any, value: str, width: str) -> widgets.Dropdown:
    return widgets.Dropdown(options=list(options), value=value, layout={"width": width})


def _toggle(text: str, tip: str) -> widgets.ToggleButton:
    width = f"{26 + 7 * len(text)}px"
    return widgets.ToggleButton(description=text, tooltip=tip, layout={"width": width})
