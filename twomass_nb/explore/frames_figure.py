"""How frames and coadds are drawn: two Bokeh figures side by side, and the readout in the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from bokeh.layouts import gridplot
from bokeh.models import (
    ColorBar,
    ColumnDataSource,
    CustomJS,
    CustomJSHover,
    HoverTool,
    LinearColorMapper,
    Range1d,
)
from bokeh.plotting import figure

from . import colours, sky

if TYPE_CHECKING:
    from .frames_model import FramesModel

__all__ = ["FramesFigure", "Panel"]

SIDE = 336  # screen pixels of a picture's side: two of them fit a notebook in a 1280 pixel window
_AROUND = 300  # coadd pixels (arcsec) from the frame's middle to the edge of the coadd's picture
_MARK = "#ff5a1f"  # orange: seen on both ends of every map, and by all kinds of eyes
_OUTLINE = "#ff5a1f"

_READOUT = (
    sky.JS
    + """
const t = row(source.data);
const [ra, dec] = toSky(t, special_vars.x, special_vars.y);
if (Number.isNaN(ra) && format !== "pixel") return format === "radec" ? "not known" : "";
const pick = {
  pixel: () => `${Math.round(special_vars.x)}, ${Math.round(special_vars.y)}`,
  radec: () => `${hms(ra)}  ${dms(dec)}`,
  degrees: () => `${ra.toFixed(5)}°  ${dec.toFixed(5)}°`,
};
return pick[format]();
"""
)

# The pointer's place on the sky, marked on the other picture; the page's own affair (no sync).
_LINK = (
    sky.JS
    + """
const { x, y } = cb_data.geometry;
const here = row(source.data), there = row(other.data);
const inside = cb_data.index.image_indices?.length > 0;
const at = inside && there.ra0 !== undefined ? toPixel(there, ...toSky(here, x, y)) : [NaN, NaN];
mark.setv({ data: { x: [at[0]], y: [at[1]] } }, { sync: false });
"""
)


class Panel:
    """A picture with its colour bar, readout and marks.

    Parameters
    ----------
    name : str
        Name of its data source in the Bokeh document; the figure's is ``{name}-figure``.
    x_label, y_label : str

    Attributes
    ----------
    figure : `bokeh.plotting.figure`
    source : `bokeh.models.ColumnDataSource`
        One row: the image, its place, and the terms of its WCS.
    mapper : `bokeh.models.LinearColorMapper`
        Carries limits and stretch.
    """

    def __init__(self, name: str, x_label: str, y_label: str) -> None:
        self.source = ColumnDataSource(_columns(np.zeros((2, 2), np.uint16), None), name=name)
        self.target = ColumnDataSource({"x": [], "y": []})
        self.pointer = ColumnDataSource({"x": [np.nan], "y": [np.nan]}, name=f"{name}-pointer")
        self.mapper = LinearColorMapper(palette=["#000000"], low=0, high=1, nan_color="#80808040")
        self.figure = figure(
            frame_width=SIDE,
            frame_height=SIDE,
            x_range=Range1d(-0.5, 1.5),
            y_range=Range1d(-0.5, 1.5),
            x_axis_label=x_label,
            y_axis_label=y_label,
            title=" ",
            name=f"{name}-figure",
            tools="pan,box_zoom,wheel_zoom,save,reset",
            toolbar_location=None,
            active_scroll=None,
        )
        self.figure.grid.visible = False
        self.figure.title.text_font_size = "12px"
        self.figure.background_fill_color = "#f2f2f2"
        self.image = self.figure.image(
            "image", x="x", y="y", dw="dw", dh="dh", color_mapper=self.mapper, source=self.source
        )
        bar = ColorBar(
            color_mapper=self.mapper, height=10, padding=4, title="DN", title_standoff=2,
            title_text_font_style="normal", title_text_font_size="11px", bar_line_color=None,
        )  # fmt: skip
        self.figure.add_layout(bar, "below")
        self.figure.scatter(
            "x", "y", source=self.target, marker="circle", size=26, line_width=2,
            line_color=_MARK, fill_color=None,
        )  # fmt: skip
        self.figure.scatter(
            "x", "y", source=self.pointer, marker="cross", size=18, line_width=1.5,
            line_color=_MARK,
        )  # fmt: skip

    def read_out(self, other: Panel | None = None) -> None:
        """Show pixel, position and value under the pointer, and the same place on `other`."""
        readout = CustomJSHover(code=_READOUT, args={"source": self.source})
        hover = HoverTool(
            renderers=[self.image],
            tooltips=[
                ("pixel x, y", "$x{pixel}"),
                ("RA, Dec", "$x{radec}"),
                ("", "$x{degrees}"),
                ("value", "@image{0.[00]} DN"),
            ],
            formatters={"$x": readout},
            point_policy="follow_mouse",
        )
        if other is not None:
            args = {"source": self.source, "other": other.source, "mark": other.pointer}
            hover.callback = CustomJS(code=_LINK, args=args)
        self.figure.add_tools(hover)

    def draw(self, data: np.ndarray, terms: dict[str, float] | None) -> None:
        """Put an image there, its first pixel's centre at (0, 0)."""
        self.source.data.update(_columns(_packed(data), terms))

    def mark(self, place: tuple[float, float] | None) -> None:
        """Mark the target, or nothing."""
        new = {"x": [], "y": []} if place is None else {"x": [place[0]], "y": [place[1]]}
        if dict(self.target.data) != new:
            self.target.data = new

    def scale(self, low: float, high: float, colour_map: str, stretch: str) -> None:
        """Set limits and stretch; what has not changed is not sent."""
        self.mapper.update(low=low, high=high)
        entries = colours.palette(colour_map, stretch)
        if self.mapper.palette is not entries and self.mapper.palette != entries:
            self.mapper.palette = entries


def _packed(data: np.ndarray) -> np.ndarray:
    """Return integers in 16 bits where they fit: half the bytes on their way to the page."""
    if data.dtype == np.int32 and data.min() >= -32768 and data.max() <= 32767:
        return data.astype(np.int16)
    return data


def _columns(data: np.ndarray, terms: dict[str, float] | None) -> dict[str, list[Any]]:
    height, width = data.shape
    place = {"x": -0.5, "y": -0.5, "dw": width, "dh": height}
    known = terms or dict.fromkeys(sky.TERMS, np.nan)
    return {"image": [data], **{name: [value] for name, value in {**place, **known}.items()}}


class FramesFigure:
    """The frame and the coadd beside it, as one Bokeh root that follows a model."""

    def __init__(self, model: FramesModel) -> None:
        self.model = model
        self.frame = Panel("frame", "x (pixel, 2″) → west", "y (pixel, 2″) → north")
        self.coadd = Panel("coadd", "x (coadd pixel, 1″) → west", "y (coadd pixel, 1″) → north")
        self.frame.read_out(self.coadd)
        self.coadd.read_out(self.frame)
        for axis in (self.frame.figure.x_range, self.frame.figure.y_range):
            axis.update(start=-0.5, end=255.5, reset_start=-0.5, reset_end=255.5)
        self.outline = ColumnDataSource({"x": [], "y": []})
        self.coadd.figure.line("x", "y", source=self.outline, line_color=_OUTLINE, line_width=1.5)
        self.root = gridplot(
            [[self.frame.figure, self.coadd.figure]],
            toolbar_location="right",
            toolbar_options={"logo": None},
        )
        self.whole_coadd = False
        self._coadd_shown: Any = None
        self._coadd_axes = (self.coadd.figure.x_range, self.coadd.figure.y_range)
        for axis in self._coadd_axes:
            axis.update(reset_start=axis.start, reset_end=axis.end)
        self._middle = np.zeros(2)
        self.draw()
        self.show_coadd_range()

    def draw(self) -> None:
        """Draw what the model says; the coadd's pixels are sent only when it is another one."""
        model = self.model
        data = model.data()
        self.frame.draw(data, model.sky_terms())
        self.frame.scale(*model.range_of(data), model.colours, model.stretch)
        self.frame.mark(model.target_pixel())
        self.frame.figure.title.text = model.title()
        coadd = model.coadd()
        self.coadd.figure.visible = coadd is not None
        if coadd is None:
            return
        if coadd is not self._coadd_shown:
            self._coadd_shown = coadd
            pixels = np.ascontiguousarray(coadd.data, dtype=np.float32)
            self.coadd.draw(pixels, sky.terms(coadd.wcs))
            self.coadd.figure.title.text = model.coadd_title(coadd)
        self.coadd.scale(*model.coadd_range(coadd), model.colours, model.stretch)
        self.coadd.mark(model.coadd_target(coadd))
        corners = model.outline(coadd)
        if corners is None:
            ny, nx = coadd.data.shape
            self.outline.data = {"x": [], "y": []}
            self._follow(np.array([(nx - 1) / 2, (ny - 1) / 2]))
        else:
            self.outline.data = {"x": corners[:, 0], "y": corners[:, 1]}
            self._follow(corners[:4].mean(axis=0))

    def _follow(self, middle: np.ndarray) -> None:
        """Move the coadd's picture along with the frame, at whatever zoom it has."""
        moved, self._middle = middle - self._middle, middle
        if self.whole_coadd:
            return
        for axis, step in zip(self._coadd_axes, moved.tolist(), strict=True):
            ends = ("start", "end", "reset_start", "reset_end")
            axis.update(**{name: getattr(axis, name) + step for name in ends})

    def show_coadd_range(self) -> None:
        """Turn the coadd's picture to the frame at the same scale, or to the whole coadd."""
        coadd = self._coadd_shown
        if coadd is None:
            return
        if self.whole_coadd:
            ny, nx = coadd.data.shape
            middle, half = np.array([(nx - 1) / 2, (ny - 1) / 2]), max(nx, ny) / 2
        else:
            middle, half = self._middle, _AROUND
        for axis, centre in zip(self._coadd_axes, middle.tolist(), strict=True):
            low, high = centre - half, centre + half
            axis.update(start=low, end=high, reset_start=low, reset_end=high)
