"""The frame explorer: what its controls do to model and picture, what Python can ask."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
import numpy as np

from ..array.geometry import SIZE
from ..errors import TwomassError
from ..scan import BAND_NAMES
from . import frames_pixels, frames_save, frames_words, still
from .bridge import BokehView
from .frames_controls import BY_HAND, FramesControls
from .frames_figure import FramesFigure
from .frames_keys import PLOT_KEYS, STEPS
from .frames_model import FramesModel

if TYPE_CHECKING:
    from astropy.coordinates import SkyCoord
    from astropy.table import QTable
    from astropy.wcs import WCS

__all__ = ["FramesExplorer", "frames"]

_PATIENCE = 1.0  # seconds of work before it is said how far it is
_SMALL = "font-size:12px;line-height:1.4;margin:2px"


def frames(
    scan: Any,
    atlas: Any = None,
    frame: int | None = None,
    target: SkyCoord | None = None,
    calibrator: Any = None,
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
    calibrator : calibrator, or mapping of band to calibrator, optional
        Adds calibrated frames to the reads. It has ``frame(scan, i)``, which returns a
        `~astropy.nddata.CCDData` of 256 x 256 pixels in DN.

    Returns
    -------
    FramesExplorer
        A widget; its properties speak astropy, its `~FramesExplorer.state` is plain.
    """
    return FramesExplorer(FramesModel(scan, atlas, frame, target, calibrator))


class FramesExplorer(FramesControls):
    """Frames of a scan to step through; made by `frames`.

    Attributes
    ----------
    model : FramesModel
        What is shown, as numbers.
    figure : FramesFigure
        The Bokeh figures.
    band, read, slider, stretch, limits, low, high, colours, views, blink, blinking
        The controls; setting their ``value`` in Python does what a person's click does.
    plots, marks : dict
        The same for the buttons that open plots and marks (these are behind `more`).
    """

    def __init__(self, model: FramesModel) -> None:
        self.model = model
        self._quiet = False
        self._begun = 0.0
        self.figure = FramesFigure(
            model, self._tap, self._box, self._point, self._go_to, self._progress
        )
        self.view = BokehView(self.figure.root)
        self._make_controls(model, self._press)
        super().__init__(
            [*self._bars(), self.view, self.readout, self.telling],
            layout={"overflow": "auto hidden"},
        )
        self.add_class("twomass-nb").add_class("twomass-nb-frames")
        self._connect()
        self._tell()

    # in astropy's words ------------------------------------------------------------------------

    @property
    def frame(self) -> int:
        """Frame shown, counted from 0."""
        return self.model.frame

    @frame.setter
    def frame(self, frame: int) -> None:
        self._do(self.model.go, frame, strict=True)

    @property
    def target(self) -> SkyCoord | None:
        """Position that is marked."""
        return self.model.target

    @target.setter
    def target(self, target: SkyCoord | None) -> None:
        self._do(setattr, self.model, "target", target, strict=True)

    @property
    def wcs(self) -> WCS | None:
        """Predicted WCS of the frame shown; None where it is not known."""
        return self.model.wcs()

    @property
    def pixel(self) -> tuple[int, int] | None:
        """The pixel x, y that is held, or None: a click holds one."""
        return self.model.pixel

    @pixel.setter
    def pixel(self, pixel: tuple[int, int] | None) -> None:
        self._do(self.model.restore, {"pixel": pixel}, strict=True)

    @property
    def selection(self) -> tuple[slice, slice] | None:
        """Rows and columns of the pixels selected, as an array takes them; None if none are."""
        if self.model.selection is None:
            return None
        x0, x1, y0, y1 = self.model.selection
        return slice(y0, y1 + 1), slice(x0, x1 + 1)

    @selection.setter
    def selection(self, selection: tuple[slice, slice] | None) -> None:
        ends = None
        if selection is not None:
            rows, columns = (range(SIZE)[part] for part in selection)
            ends = (columns[0], columns[-1], rows[0], rows[-1])
        self._do(self.model.restore, {"selection": ends}, strict=True)

    @property
    def selected(self) -> QTable:
        """The pixels selected as a table; see `twomass_nb.explore.frames_pixels.table`."""
        return frames_pixels.table(self.model)

    def pixels(self) -> dict[str, np.ndarray]:
        """Return the values of the pixels selected in each read, DN: read to array."""
        return frames_pixels.values(self.model)

    @property
    def state(self) -> dict[str, Any]:
        """Everything that is shown; set it to what it was and the picture is as it was."""
        return {**self.model.state(), "zoom": self.figure.zoom}

    @state.setter
    def state(self, state: Mapping[str, Any]) -> None:
        self._do(self._restore, dict(state), strict=True)

    def save(self, path: Any = ".png") -> Path:
        """Write the picture or the frame; see `twomass_nb.explore.frames_save.save`."""
        return frames_save.save(self.model, path)

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        return still.beside(bundle, lambda: still.of_frames(self.model))

    # controls ----------------------------------------------------------------------------------

    def _connect(self) -> None:
        model = self.model
        # The browser itself ties play to the slider: no round trip between them.
        self._link = widgets.jslink((self.play, "value"), (self.slider, "value"))
        self._on(self.slider, model.go)
        self._on(self.band, model.show_band)
        self._on(self.read, model.show_read)
        for control, name in (
            (self.stretch, "stretch"), (self.colours, "colours"), (self.views, "view"),
        ):  # fmt: skip
            self._on(control, lambda value, name=name: setattr(model, name, value))
        self._on(self.limits, self._choose_limits)
        for end in (self.low, self.high):
            self._on(end, lambda _: self._set_limits())
        for toggles, open_ in ((self.plots, "plots"), (self.marks, "marks")):
            for kind, toggle in toggles.items():
                self._on(toggle, lambda down, a=open_, kind=kind: _switch(model, a, kind, down))
        self._on(self.blink, self._turn)
        self.more.observe(lambda _: self._show_controls(model), "value")
        self.back.on_click(lambda _: self._step(-1))
        self.forward.on_click(lambda _: self._step(1))
        self.whole_coadd.observe(self._show_whole, "value")
        for button, kind in ((self.to_png, ".png"), (self.to_fits, ".fits")):
            button.on_click(lambda _, kind=kind: self._save(kind))

    def _on(self, control: Any, change: Callable[[Any], Any]) -> None:
        control.observe(lambda event: self._quiet or self._do(change, event["new"]), "value")

    def _do(self, change: Callable[..., Any], *args: Any, strict: bool = False) -> None:
        """Change the model, and show it in picture, controls and text, in one message.

        What goes wrong is told where the person looks, or to Python if `strict`.
        """
        self._begun = time.monotonic()
        try:
            with self.view.batch():
                change(*args)
                self.figure.draw()
        except (TwomassError, OSError) as error:
            if strict:
                raise
            self._tell()
            self.telling.warn(str(error))
        else:
            self._tell()

    def _restore(self, state: dict[str, Any]) -> None:
        zoom = state.pop("zoom", None)
        self.model.restore(state)
        if zoom is not None:
            self.figure.zoom = zoom

    def _choose_limits(self, rule: str) -> None:
        if rule == BY_HAND:
            low, high = (float(f"{end:.5g}") for end in self.model.range_of(self.model.data()))
            self.model.manual = (low, high)
        else:
            self.model.manual, self.model.limits = None, rule

    def _set_limits(self) -> None:
        low, high = self.low.value, self.high.value
        if not low < high:
            message = f"lower limit {low:g} must be below the upper {high:g}"
            raise TwomassError(message)
        self.model.manual = (low, high)

    def _turn(self, turn: int) -> None:
        """Show the next of the pictures that blink."""
        model = self.model
        model.view = "one"
        if self.blinking.value == "bands":
            bands = model.bands()
            model.show_band(bands[turn % len(bands)])
        else:
            model.show_read(model.reads()[turn % len(model.reads())])

    def _step(self, by: int) -> None:
        self.slider.value = min(max(self.slider.value + by, 0), self.slider.max)

    def _show_whole(self, change: dict) -> None:
        with self.view.batch():
            self.figure.whole_coadd = change["new"]
            self.figure.show_coadd_range()

    def _save(self, kind: str) -> None:
        try:
            self.telling.say(f"Written: {self.save(kind)}")
        except (TwomassError, OSError) as error:
            self.telling.warn(str(error))

    # keys and the pointer ----------------------------------------------------------------------

    def _press(self, key: str) -> None:
        ends = {"Home": 0, "End": self.slider.max}
        if key in STEPS:
            self._step(STEPS[key])
        elif key in ends:
            self.slider.value = ends[key]
        elif key.isdigit() and int(key) <= len(self.model.reads()):
            self.read.value = self.model.reads()[int(key) - 1]
        elif key in BAND_NAMES:
            if self.model.has_band(key):
                self.band.value = key
        elif key == "b":
            self.blink.playing = not self.blink.playing
        elif key in PLOT_KEYS:
            toggle = self.plots[PLOT_KEYS[key]]
            toggle.value = not toggle.value
        elif key == "Escape":
            self.pixel = None

    def _tap(self, x: float, y: float) -> None:
        pixel = (round(x), round(y))
        if min(pixel) >= 0 and max(pixel) < SIZE:
            held = None if pixel == self.model.pixel else pixel
            self._do(setattr, self.model, "pixel", held)

    def _box(self, left: float, right: float, bottom: float, top: float) -> None:
        """Select the pixels whose middles are in a box; none if there are none."""
        x0, y0 = (max(int(np.ceil(end)), 0) for end in (left, bottom))
        x1, y1 = (min(int(np.floor(end)), SIZE - 1) for end in (right, top))
        ends = (x0, x1, y0, y1) if x0 <= x1 and y0 <= y1 else None
        self._do(setattr, self.model, "selection", ends)

    def _point(self, x: int, y: int) -> None:
        self.model.pointer = (x, y) if 0 <= x < SIZE and 0 <= y < SIZE else None
        if "cuts" in self.model.plots:
            with self.view.batch():
                self.figure.plots.draw_cuts()
        self._read_out()

    def _go_to(self, frame: int) -> None:
        self._do(self.model.go, min(max(frame, 0), self.slider.max))

    # words -------------------------------------------------------------------------------------

    def _progress(self, done: int, of: int) -> None:
        if time.monotonic() - self._begun > _PATIENCE and done % 10 == 0:
            self.telling.say(f"Reading the pixel in frame {done} of {of} …")

    def _read_out(self) -> None:
        line = frames_pixels.line(self.model)
        hint = "Point at a pixel to read it; click to hold it; select a box to get it in Python."
        self.readout.value = f"<p style='{_SMALL}'>{escape(line or hint)}</p>"

    def _tell(self) -> None:
        """Bring the controls in line, and say under the picture what it cannot say itself."""
        model = self.model
        self._quiet = True
        try:
            self._show_controls(model)
        finally:
            self._quiet = False
        self._read_out()
        self.telling.say(" ".join(frames_words.told(model)))


def _switch(model: FramesModel, what: str, kind: str, down: bool) -> None:
    """Open or close one of a model's plots or marks."""
    now = getattr(model, what)
    setattr(model, what, now | {kind} if down else now - {kind})
