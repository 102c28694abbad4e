"""How a dither is drawn: the pixel, the star's path, the map of all dithers, counts, the star."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from bokeh.events import Tap
from bokeh.layouts import column, row
from bokeh.models import (
    ColorBar,
    ColumnDataSource,
    HoverTool,
    LinearColorMapper,
    Range1d,
    Span,
)
from bokeh.palettes import Cividis256, Greys256
from bokeh.plotting import figure

from ..scan import BAND_NAMES
from .dither_model import QUANTITIES

if TYPE_CHECKING:
    from collections.abc import Callable

    from .dither_model import DitherModel

__all__ = ["DitherFigure"]

# Screen pixels: all fit a notebook in a window of 1280.
_SIDE, _HEIGHT, _MAP_WIDTH, _COUNTS_WIDTH = 208, 200, 350, 300
_MARK, _INK = "#ff5a1f", "#222222"
# Of Okabe and Ito, told apart by all kinds of eyes; the shapes differ too.
_BANDS = {"j": ("#0072b2", "circle"), "h": ("#009e73", "square"), "k": ("#cc79a7", "triangle")}


class DitherFigure:
    """Five Bokeh figures that follow a model.

    Parameters
    ----------
    model : DitherModel
    on_tap_pixel, on_tap_map : callable
        Called with the place of a click: along and across in the pixel; step and rotation.

    Attributes
    ----------
    root : `bokeh.models.LayoutDOM`
    places, path, today, measured, signal : `bokeh.models.ColumnDataSource`
        What is drawn: phases, path over the array, the dither shown, those of real headers, counts.
    """

    def __init__(
        self,
        model: DitherModel,
        on_tap_pixel: Callable[[float, float], None],
        on_tap_map: Callable[[float, float], None],
    ) -> None:
        self.model = model
        self._map_shown: object = None
        self._draw_pixel(on_tap_pixel)
        self._draw_path()
        self._draw_star()
        self._draw_map(on_tap_map)
        self._draw_counts()
        top = row(self._pixel, self._path, self._star)
        self.root = column(top, row(self._map, self._counts), name="dither-layout")
        self.draw()

    def _draw_pixel(self, on_tap: Callable[[float, float], None]) -> None:
        self._pixel = _figure("dither-pixel", "One pixel", "across (pixel)",
                              "along the scan (pixel)", (-0.56, 0.56), (-0.56, 0.56))  # fmt: skip
        mapper = LinearColorMapper(Greys256, low=0.0, high=1.9)
        self._pixel.image(
            [self.model.pixel()], x=-0.5, y=-0.5, dw=1, dh=1, color_mapper=mapper, level="image"
        )
        self.places = ColumnDataSource(name="dither-places")
        self._pixel.line("x", "y", source=self.places, line_color=_MARK, line_alpha=0.35)
        self._pixel.scatter(
            "x", "y", source=self.places, size=17, fill_color=_MARK, line_color="white"
        )
        self._pixel.text(
            "x", "y", text="frame", source=self.places, text_align="center", text_color="white",
            text_baseline="middle", text_font_size="11px", text_font_style="bold",
        )  # fmt: skip
        self._pixel.on_event(Tap, lambda tap: on_tap(tap.y, tap.x))

    def _draw_path(self) -> None:
        self._path = _figure("dither-path", "A star's path", "column (pixel), stretched",
                             "row (pixel)", (125, 130), (0, 256))  # fmt: skip
        self.path = ColumnDataSource(name="dither-path-points")
        for edge in (64, 128, 192):
            self._path.add_layout(
                Span(location=edge, dimension="width", line_color="#bbbbbb", line_dash="dotted")
            )
        self._path.line("x", "y", source=self.path, line_color=_MARK)
        self._path.scatter("x", "y", source=self.path, size=8, fill_color=_MARK, line_color=None)

    def _draw_star(self) -> None:
        self._star = _figure("dither-star", " ",
                             "arcsec", "arcsec", (-8, 8), (-8, 8))  # fmt: skip
        self.star = ColumnDataSource({"image": []}, name="dither-star-image")
        self._star_mapper = LinearColorMapper(Cividis256, low=0, high=1)
        self._star.image(
            "image", x=-8, y=-8, dw=16, dh=16, source=self.star, color_mapper=self._star_mapper
        )

    def _draw_map(self, on_tap: Callable[[float, float], None]) -> None:
        _, steps, rotations = self.model.quality_map()
        self._map = _figure("dither-map", " ", "frame step (arcsec)",
                            "rotation (degrees)", steps, rotations, _MAP_WIDTH)  # fmt: skip
        self._mapper = LinearColorMapper(Cividis256, low=0, high=1)
        self.quality = ColumnDataSource({"image": []}, name="dither-quality")
        image = self._map.image(
            "image", x=steps[0], y=rotations[0], dw=steps[1] - steps[0],
            dh=rotations[1] - rotations[0], source=self.quality, color_mapper=self._mapper,
        )  # fmt: skip
        self._map.add_layout(ColorBar(color_mapper=self._mapper, width=10, padding=4), "right")
        self._map.add_tools(
            HoverTool(
                renderers=[image],
                tooltips=[("step, rotation", "$x{0.00}″ $y{0.000}°"), ("", "@image{0.000}")],
            )
        )
        self.measured = ColumnDataSource(_columns(self.model.measured), name="dither-measured")
        real = self._map.scatter(
            "step", "rotation", source=self.measured, marker="marker", size=9, line_color="white",
            fill_color="colour", legend_group="band",
        )  # fmt: skip
        self._map.legend.update(
            title="real headers", label_text_font_size="10px", title_text_font_size="10px",
            padding=3, margin=4, spacing=0, glyph_height=14, location="bottom_right",
            background_fill_alpha=0.85, visible=bool(self.model.measured),
        )  # fmt: skip
        self._map.add_tools(
            HoverTool(
                renderers=[real],
                tooltips=[("real header", "@name"), ("", "@step{0.00}″ @rotation{0.000}°")],
            )
        )
        self.today = ColumnDataSource(name="dither-today")
        for colour, width in (("white", 5), (_MARK, 2.5)):
            self._map.scatter(
                "x", "y", source=self.today, marker="circle_cross", size=17, line_width=width,
                line_color=colour, fill_color=None,
            )  # fmt: skip
        self._map.on_event(Tap, lambda tap: on_tap(tap.x, tap.y))

    def _draw_counts(self) -> None:
        self._counts = _figure("dither-counts", "Star counts near the limit",
                               "distance to the edge, dist_edge_ew (arcsec)", "more or fewer (%)",
                               (0, 20), (-1, 1), _COUNTS_WIDTH)  # fmt: skip
        self.signal = ColumnDataSource(name="dither-signal")
        self._counts.line("x", "y", source=self.signal, line_color=_INK, line_width=1.5)

    def draw(self) -> None:
        """Draw what the model says; the map only if it is another."""
        model = self.model
        phases = model.phases()
        self.places.data = {
            "x": phases[:, 1],
            "y": phases[:, 0],
            "frame": [str(i) for i in range(len(phases))],
        }
        self._pixel.title.text = f"One pixel: {model.distinct():.1f} distinct places of {model.n}"
        path = model.path()
        self.path.data = {"x": path[:, 1], "y": path[:, 0]}
        half = max(1.0, 1.1 * np.abs(path[:, 1] - 127.5).max())
        self._path.x_range.update(start=127.5 - half, end=127.5 + half)
        drift = f"{model.drift():+.2f}".replace("-", "−")
        self._path.title.text = f"A star's path: {drift} columns"
        image = model.star_image().astype(np.float32)
        self.star.data = {"image": [image]}
        self._star_mapper.high = float(image.max())
        signal = f"{model.star_signal():+.3f}".replace("-", "−")
        self._star.title.text = f"The star in {model.n} frames: {signal} %"
        self._draw_quality()
        edge, counts = model.counts()
        self.signal.data = {"x": edge, "y": counts}
        reach = max(0.01, 1.15 * float(np.abs(counts).max()))
        self._counts.y_range.update(start=-reach, end=reach)

    def _draw_quality(self) -> None:
        model = self.model
        key = (model.quantity, model.scales[model.band], model.n, model.fwhm)
        if key != self._map_shown:
            self._map_shown = key
            image = model.quality_map()[0].astype(np.float32)
            self.quality.data = {"image": [image]}
            # less is better: the best is bright in both
            ends = (
                (1.0, float(model.n))
                if model.quantity == "distinct places"
                else (0.0, float(image.max()))
            )
            palette = Cividis256 if model.quantity == "distinct places" else Cividis256[::-1]
            self._mapper.update(low=ends[0], high=ends[1], palette=list(palette))
            unit = QUANTITIES[model.quantity].format(n=model.n)
            self._map.title.text = f"{model.quantity} ({unit})"
        rotation = model.rotations[model.band] + model.camera
        self.today.data = {"x": [model.step], "y": [rotation]}


def _columns(measured: list[tuple[str, str, float, float]]) -> dict[str, Any]:
    shapes = [_BANDS[band] for _, band, _, _ in measured]
    return {
        "name": [f"{name} {band}" for name, band, _, _ in measured],
        "band": [BAND_NAMES[band] for _, band, _, _ in measured],
        "step": [step for _, _, step, _ in measured],
        "rotation": [rotation for _, _, _, rotation in measured],
        "colour": [colour for colour, _ in shapes],
        "marker": [marker for _, marker in shapes],
    }


def _figure(
    name: str, title: str, x: str, y: str, x_range: Any, y_range: Any, width: int = _SIDE
) -> Any:
    drawn = figure(
        name=name,
        title=title,
        frame_width=width,
        frame_height=_SIDE if width == _SIDE else _HEIGHT,
        x_range=Range1d(*x_range),
        y_range=Range1d(*y_range),
        x_axis_label=x,
        y_axis_label=y,
        tools="",
        toolbar_location=None,
        min_border_left=6,
        min_border_right=10,
    )
    drawn.title.text_font_size = "12px"
    drawn.axis.axis_label_text_font_style = "normal"
    drawn.axis.axis_label_text_font_size = "11px"
    drawn.grid.grid_line_alpha = 0.4
    return drawn
