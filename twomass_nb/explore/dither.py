"""The dither explorer: the controls, and what each of them does to model and picture."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets as widgets
from astropy import units as u

from ..array import ArrayGeometry
from ..errors import TwomassError
from ..scan import BAND_NAMES
from . import still
from .bridge import BokehView
from .controls import Choice, Telling, labelled
from .dither_figure import DitherFigure
from .dither_model import LIMITS, PRESETS, QUANTITIES, DitherModel
from .explorer import Explorer

__all__ = ["DitherExplorer", "dither"]

_SIGNS = {False: "published", True: "headers"}


def dither(preset: str = "South", band: str = "k", images: Any = ()) -> DitherExplorer:
    """Show how the rotated arrays and the frame step sample the sky within a pixel.

    Parameters
    ----------
    preset : {"North1", "North2", "South", "1997-05-14", "1997-04-18"}, optional
        Dither to start with: a period of hardware, or one of T. Chester's tables.
    band : {"j", "h", "k"}, optional
    images : `~twomass_nb.AtlasImage`, path, or several of these, optional
        Real coadds: the steps in their headers (DXFS, DYFS) are laid over the map.

    Returns
    -------
    DitherExplorer
        A widget; its properties speak astropy, its `~DitherExplorer.state` is plain.
    """
    return DitherExplorer(DitherModel(preset, band, images))


class DitherExplorer(Explorer):
    """A dither to play with; made by `dither`.

    Attributes
    ----------
    model : DitherModel
        What is shown, as numbers.
    figure : DitherFigure
        The Bokeh figures.
    preset, band, frames, sign, quantity, step_slider, rotation_slider, camera_slider,
    scale_slider, fwhm_slider
        The controls; setting their ``value`` in Python does what a person's click does.
    """

    def __init__(self, model: DitherModel) -> None:
        self.model = model
        self.figure = DitherFigure(model, self._tap_pixel, self._tap_map)
        self.view = BokehView(self.figure.root)
        self._quiet = False
        self._make_controls()
        super().__init__(
            [
                _bar(labelled("Dither", self.preset), labelled("Band", self.band),
                     labelled("Frames", self.frames), labelled("Ks, south", self.sign),
                     labelled("Map", self.quantity)),
                _bar(*(labelled(text, slider) for text, slider in self._sliders.values())),
                self.view,
                self.table,
                self.telling,
            ],
            layout={"overflow": "auto hidden"},
        )  # fmt: skip
        self.add_class("twomass-nb").add_class("twomass-nb-dither")
        self._connect()
        self._tell()

    # in astropy's words ------------------------------------------------------------------------

    @property
    def geometry(self) -> ArrayGeometry:
        """How the array of the band shown lies on the sky."""
        return self.model.geometry()

    @property
    def step(self) -> u.Quantity:
        """Angle from one frame to the next."""
        return self.model.step * u.arcsec

    @step.setter
    def step(self, value: u.Quantity) -> None:
        self.step_slider.value = float(u.Quantity(value, u.arcsec).value)

    @property
    def rotation(self) -> u.Quantity:
        """Rotation of the array of the band shown, the camera's not included."""
        return self.model.rotations[self.model.band] * u.deg

    @rotation.setter
    def rotation(self, value: u.Quantity) -> None:
        self.rotation_slider.value = float(u.Quantity(value, u.deg).value)

    @property
    def phases(self) -> Any:
        """Where in a pixel the star falls, (n, 2): along and across, from -0.5 to 0.5 pixels."""
        return self.model.phases()

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        return still.beside(bundle, lambda: still.of_dither(self.model))

    # controls ----------------------------------------------------------------------------------

    def _make_controls(self) -> None:
        model = self.model
        self.preset = Choice({name: name for name in PRESETS}, model.preset)
        self.band = Choice(BAND_NAMES, model.band)
        self.frames = Choice({"6": "6", "7": "7"}, str(model.n))
        self.sign = Choice({"published": "published", "headers": "headers"}, _SIGNS[False])
        self.quantity = widgets.Dropdown(
            options=list(QUANTITIES), value=model.quantity, layout={"width": "150px"}
        )
        self.step_slider = _slider("step", 0.01, "arcsec")
        self.rotation_slider = _slider("rotation", 0.001, "degrees", "0.3f")
        self.camera_slider = _slider("camera", 0.01, "degrees")
        self.scale_slider = _slider("scale", 0.0001, "arcsec a pixel", "0.4f")
        self.fwhm_slider = _slider("fwhm", 0.1, "arcsec", "0.1f")
        self._sliders = {
            "step": ("Step ″", self.step_slider),
            "rotation": ("Rotation °", self.rotation_slider),
            "camera": ("Camera °", self.camera_slider),
            "scale": ("Plate scale ″", self.scale_slider),
            "fwhm": ("Star FWHM ″", self.fwhm_slider),
        }
        self.table = widgets.HTML()
        self.telling = Telling()

    def _connect(self) -> None:
        model = self.model
        self._on(self.preset, model.show_preset)
        self._on(self.band, lambda band: setattr(model, "band", band))
        self._on(self.frames, lambda n: setattr(model, "n", int(n)))
        self._on(self.sign, lambda sign: model.choose_sign(sign == "headers"))
        self._on(self.quantity, lambda quantity: setattr(model, "quantity", quantity))
        for name in ("step", "camera", "fwhm"):
            self._on(self._sliders[name][1], lambda value, name=name: setattr(model, name, value))
        self._on(self.rotation_slider, lambda value: model.rotations.update({model.band: value}))
        self._on(self.scale_slider, lambda value: model.scales.update({model.band: value}))

    def _on(self, control: Any, change: Callable[[Any], Any]) -> None:
        control.observe(lambda event: self._quiet or self._do(change, event["new"]), "value")

    def _do(self, change: Callable[..., Any], *args: Any) -> None:
        """Change the model, and show it in picture, controls and table, in one message."""
        try:
            with self.view.batch():
                change(*args)
                self.figure.draw()
            self._tell()
        except TwomassError as error:
            self.telling.warn(str(error))

    def _tap_pixel(self, along: float, across: float) -> None:
        if max(abs(along), abs(across)) <= 0.5:
            self._do(setattr, self.model, "start", (along, across))

    def _tap_map(self, step: float, rotation: float) -> None:
        def take() -> None:
            self.model.step = round(step, 2)
            self.model.rotations[self.model.band] = round(rotation - self.model.camera, 3)

        self._do(take)

    def _tell(self) -> None:
        """Bring the controls in line with the model, and write the table of steps."""
        model = self.model
        self._quiet = True
        try:
            self.preset.value, self.band.value = model.preset, model.band
            self.frames.value, self.sign.value = str(model.n), _SIGNS[model.header_sign]
            self.quantity.value = model.quantity
            self.step_slider.value, self.camera_slider.value = model.step, model.camera
            self.rotation_slider.value = model.rotations[model.band]
            self.scale_slider.value, self.fwhm_slider.value = model.scales[model.band], model.fwhm
        finally:
            self._quiet = False
        self.table.value = _steps_table(model)
        self.telling.say(model.sign_note())


def _bar(*children: widgets.Widget) -> widgets.HBox:
    return widgets.HBox(children, layout={"flex_flow": "row wrap", "align_items": "center"})


def _slider(name: str, step: float, unit: str, form: str = "0.2f") -> widgets.FloatSlider:
    low, high = LIMITS[name]
    return widgets.FloatSlider(
        min=low, max=high, value=low, step=step, readout_format=form, tooltip=unit,
        layout={"width": "215px"},
    )  # fmt: skip


def _steps_table(model: DitherModel) -> str:
    """Write the steps in pixels as a table: what T. Chester's page of 1997 has."""
    rows: dict[str, list[str]] = {}
    for band, _, along, across in model.steps():
        rows.setdefault(band, []).extend(f"{value:.2f}" for value in (along, across))
    head = "".join(f"<th>{text}</th>" for text in (
        "", "rotation, °", "1 frame in-scan", "cross-scan", "6 frames in-scan", "cross-scan",
        "distinct places", "scatter, %",
    ))  # fmt: skip
    lines = []
    for band, cells in rows.items():
        angle = f"{model.rotations[band] + model.camera:+.3f}"
        if (error := model.rotation_error(band)) is not None:
            angle += f" ± {error:.3f}"
        cells = [angle, *cells, f"{model.distinct(band):.1f}", f"{model.scatter(band):.3f}"]
        mark = "font-weight:600" if band == model.band else ""
        line = "".join(f"<td>{cell.replace('-', '−')}</td>" for cell in cells)
        lines.append(f"<tr style='{mark}'><td>{BAND_NAMES[band]}</td>{line}</tr>")
    style = "font-size:12px;line-height:1.5;text-align:right;border-spacing:12px 0"
    title = "<caption style='text-align:left'>Steps in pixels, and how well they sample</caption>"
    body = f"{title}<tr>{head}</tr>{''.join(lines)}"
    return f"<table class='twomass-nb-steps' style='{style}'>{body}</table>"
