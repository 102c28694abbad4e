"""How one picture is drawn: image, colour bar, marks, and the readout that the page does itself."""

from __future__ import annotations

from typing import Any

import numpy as np
from bokeh.models import (
    BoxAnnotation,
    ColorBar,
    ColumnDataSource,
    CustomJS,
    CustomJSHover,
    HoverTool,
    LinearColorMapper,
    Range1d,
)
from bokeh.plotting import figure

from ..array.readout import DWELL, QUADRANT, QUADRANTS
from . import colours, sky

__all__ = ["CASE", "MARK", "Panel"]

SIDE = 336  # screen pixels of a picture's side: two of them fit a notebook in a 1280 pixel window
MARK = "#ff5a1f"  # orange: seen on both ends of every map, and by all kinds of eyes
CASE = {"line_color": "#000000", "line_alpha": 0.55, "fill_color": None}  # dark rim of white marks

_READOUT = (
    sky.JS
    + """
const t = row(source.data);
const [px, py] = [Math.round(special_vars.x), Math.round(special_vars.y)];
if (format === "read") {
  const quadrant = quadrants[2 * Math.floor(py / side) + Math.floor(px / side)];
  const time = dwell * (side * (py % side) + px % side);
  return quadrant ? `${quadrant}, ${time.toFixed(3)} ms into each read` : "";
}
const [ra, dec] = toSky(t, special_vars.x, special_vars.y);
if (Number.isNaN(ra) && format !== "pixel") return format === "radec" ? "not known" : "";
const pick = {
  pixel: () => `${px}, ${py}`,
  radec: () => `${hms(ra)}  ${dms(dec)}`,
  degrees: () => `${ra.toFixed(5)}°  ${dec.toFixed(5)}°`,
};
return pick[format]();
"""
)
_READING = {
    "side": QUADRANT, "quadrants": list(QUADRANTS), "dwell": float(DWELL.to_value("ms")),
}  # fmt: skip

# The pointer's place on the sky, marked on the other pictures; the page's own affair (no sync).
# `asked` tells the kernel which pixel the pointer is on, a few times a second.
_LINK = (
    sky.JS
    + """
const { x, y } = cb_data.geometry;
const inside = cb_data.index.image_indices?.length > 0;
const here = row(source.data);
others.forEach((other, i) => {
  const there = row(other.data);
  const at = !inside || there.ra0 === undefined ? [NaN, NaN]
    : same ? [x, y] : toPixel(there, ...toSky(here, x, y));
  marks[i].setv({ data: { x: [at[0]], y: [at[1]] } }, { sync: false });
});
if (asked) {
  asked.next = inside ? [Math.round(x), Math.round(y)] : [-1, -1];
  asked.waiting ??= setTimeout(() => {
    asked.waiting = undefined;
    const [px, py] = asked.next;
    if (px !== asked.data.x[0] || py !== asked.data.y[0]) asked.data = { x: [px], y: [py] };
  }, 80);
}
"""
)


class Panel:
    """A picture with its colour bar, readout and marks.

    Parameters
    ----------
    name : str
        Name of its data source in the Bokeh document; the figure's is ``{name}-figure``.
    x_label, y_label : str
    side : int, optional
        Screen pixels.
    like : Panel, optional
        One whose pan and zoom it shares.

    Attributes
    ----------
    figure : `bokeh.plotting.figure`
    source : `bokeh.models.ColumnDataSource`
        One row: the image, its place, and the terms of its WCS.
    mapper : `bokeh.models.LinearColorMapper`
        Carries limits and stretch.
    selection : `bokeh.models.BoxAnnotation`
        The pixels selected.
    """

    def __init__(
        self, name: str, x_label: str, y_label: str, side: int = SIDE, like: Panel | None = None
    ) -> None:
        self.source = ColumnDataSource(_columns(np.zeros((2, 2), np.uint16), None), name=name)
        self.target = ColumnDataSource({"x": [], "y": []})
        self.crossing = ColumnDataSource({"x": [], "y": []}, name=f"{name}-crossing")
        self.pointer = ColumnDataSource({"x": [np.nan], "y": [np.nan]}, name=f"{name}-pointer")
        self.held = ColumnDataSource({"x": [], "y": []}, name=f"{name}-held")
        self.mapper = LinearColorMapper(palette=["#000000"], low=0, high=1, nan_color="#80808040")
        self._data = np.zeros((2, 2))
        self.figure = figure(
            frame_width=side,
            frame_height=side,
            x_range=like.figure.x_range if like else Range1d(-0.5, 1.5),
            y_range=like.figure.y_range if like else Range1d(-0.5, 1.5),
            x_axis_label=x_label,
            y_axis_label=y_label,
            title=" ",
            name=f"{name}-figure",
            tools="pan,box_zoom,wheel_zoom,save,reset",
            toolbar_location=None,
            active_scroll=None,
        )
        self.figure.grid.visible = False
        self.figure.title.text_font_size = "12px" if side == SIDE else "11px"
        self.figure.background_fill_color = "#f2f2f2"
        self.image = self.figure.image(
            "image", x="x", y="y", dw="dw", dh="dh", color_mapper=self.mapper, source=self.source
        )
        bar = ColorBar(
            color_mapper=self.mapper, height=10, padding=4, title="DN", title_standoff=2,
            title_text_font_style="normal", title_text_font_size="11px", bar_line_color=None,
        )  # fmt: skip
        self.figure.add_layout(bar, "below")
        self.selection = BoxAnnotation(
            fill_alpha=0.12, fill_color="white", line_color=MARK, line_alpha=1.0, line_width=2,
            line_dash="dashed", left=0, right=0, bottom=0, top=0, visible=False,
            name=f"{name}-selection",
        )  # fmt: skip
        self.figure.add_layout(self.selection)
        self._draw_marks()

    def _draw_marks(self) -> None:
        self.figure.line("x", "y", source=self.crossing, line_color=MARK, line_alpha=0.6)
        self.figure.scatter("x", "y", source=self.crossing, size=4, color=MARK)
        self.figure.scatter(
            "x", "y", source=self.target, marker="circle", size=26, line_width=2,
            line_color=MARK, fill_color=None,
        )  # fmt: skip
        self.figure.scatter(
            "x", "y", source=self.pointer, marker="cross", size=18, line_width=1.5,
            line_color=MARK,
        )  # fmt: skip
        for width, look in ((4, CASE), (1.6, {"line_color": "white"})):
            self.figure.scatter(
                "x", "y", source=self.held, marker="cross", size=20, line_width=width, **look
            )

    def read_out(
        self, *others: Panel, asked: ColumnDataSource | None = None, same: bool = False
    ) -> None:
        """Show pixel, position and value under the pointer, and the same place on `others`.

        Parameters
        ----------
        asked : `bokeh.models.ColumnDataSource`, optional
            Of a raw frame: told the pixel under the pointer, -1 where there is none.
        same : bool, optional
            Whether the others are of the same array, so that pixels are the same.
        """
        readout = CustomJSHover(code=_READOUT, args={"source": self.source, **_READING})
        read = [("read", "$x{read}")] if asked is not None else []
        hover = HoverTool(
            renderers=[self.image],
            tooltips=[
                ("pixel x, y", "$x{pixel}"),
                ("RA, Dec", "$x{radec}"),
                ("", "$x{degrees}"),
                ("value", "@image{0.[00]} DN"),
                *read,
            ],
            formatters={"$x": readout},
            point_policy="follow_mouse",
        )
        args = {
            "source": self.source, "others": [other.source for other in others],
            "marks": [other.pointer for other in others], "asked": asked, "same": same,
        }  # fmt: skip
        hover.callback = CustomJS(code=_LINK, args=args)
        self.figure.add_tools(hover)

    def draw(self, data: np.ndarray, terms: dict[str, float] | None) -> None:
        """Put an image there, its first pixel's centre at (0, 0)."""
        self._data = data
        self.source.data.update(_columns(_packed(data), terms))

    def mark(self, place: tuple[float, float] | None) -> None:
        """Mark the target, or nothing."""
        set_data(self.target, {"x": [], "y": []} if place is None else _one(place))

    def mark_crossing(self, places: list[tuple[int, float, float]]) -> None:
        """Mark the places (frame, x, y) that the target takes in all frames."""
        xs, ys = ([place[k] for place in places] for k in (1, 2))
        set_data(self.crossing, {"x": xs, "y": ys})

    def hold(self, pixel: tuple[int, int] | None) -> None:
        """Mark the pixel that is held, or none."""
        set_data(self.held, {"x": [], "y": []} if pixel is None else _one(pixel))

    def select(self, pixels: tuple[int, int, int, int] | None) -> None:
        """Show which pixels are selected: first and last x, first and last y; or none."""
        if pixels is not None:
            x0, x1, y0, y1 = pixels
            self.selection.update(left=x0 - 0.5, right=x1 + 0.5, bottom=y0 - 0.5, top=y1 + 0.5)
        self.selection.visible = pixels is not None

    def scale(self, low: float, high: float, colour_map: str, stretch: str) -> None:
        """Set limits and stretch; what has not changed is not sent."""
        self.mapper.update(low=low, high=high)
        if stretch == colours.HISTOGRAM:
            table = colours.equalized(colour_map, self._data, low, high)
            entries = colours.hex_colours(table)
        else:
            entries = colours.palette(colour_map, stretch)
        if self.mapper.palette is not entries and self.mapper.palette != entries:
            self.mapper.palette = entries


def set_data(source: ColumnDataSource, new: dict[str, list[Any]]) -> None:
    """Give a source its columns; what has not changed is not sent."""
    if dict(source.data) != new:
        source.data = new


def _one(place: tuple[float, float]) -> dict[str, list[float]]:
    return {"x": [place[0]], "y": [place[1]]}


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
