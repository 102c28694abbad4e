"""What is known of single pixels: the line under the pictures, and the table of those selected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..array.readout import QUADRANTS, quadrant, read_before, time_after_reset, time_in_read

if TYPE_CHECKING:
    from astropy.table import QTable

    from .frames_model import FramesModel

__all__ = ["line", "table", "values"]


def line(model: FramesModel) -> str:
    """Say in one line all about the pixel under the pointer, or held; empty if there is none."""
    pixel = model.pointer or model.pixel
    if pixel is None:
        return ""
    x, y = pixel
    wcs = model.wcs()
    sky = "not known" if wcs is None else wcs.pixel_to_world(x, y).to_string("hmsdms", precision=2)
    r1, r2 = (int(model.data(read=read)[y, x]) for read in ("r1", "r2"))
    after = " and ".join(
        f"{time_after_reset(x, y, read).to_value('ms'):.3f}" for read in ("r1", "r2")
    )
    when = (
        f"{QUADRANTS[int(quadrant(x, y))]} quadrant, after {int(read_before(x, y))} others: "
        f"{time_in_read(x, y).to_value('ms'):.3f} ms after the start of each read, "
        f"{after} ms after the reset"
    )
    words = [
        f"x, y {x}, {y}",
        f"RA, Dec {sky}",
        f"r1 {r1}, r2 {r2}, r2 − r1 {r2 - r1} DN".replace("-", "−"),
        when,
    ]
    if model.read not in ("r1", "r2", "r2-r1"):
        words.insert(3, f"{model.read} {float(model.data()[y, x]):.1f} DN")
    return " · ".join(words)


def values(model: FramesModel) -> dict[str, np.ndarray]:
    """Return the pixels selected, of the frame and band shown, in each read; DN.

    Returns
    -------
    dict of array, shape (rows, columns)
        "r1", "r2", "r2-r1", and "calibrated" where there is a calibrator; empty if nothing is
        selected.
    """
    if model.selection is None:
        return {}
    x0, x1, y0, y1 = model.selection
    return {
        read: np.array(model.data(read=read)[y0 : y1 + 1, x0 : x1 + 1]) for read in model.reads()
    }


def table(model: FramesModel) -> QTable:
    """Return the pixels selected as a table, one row a pixel, from the lower left along the rows.

    Returns
    -------
    `~astropy.table.QTable`
        x, y, position (where known), quadrant, time_in_read (ms), and each read in adu (DN); its
        meta says scan, band, frame, and SIMULATE.
    """
    from astropy import units as u
    from astropy.table import QTable

    meta: dict[str, Any] = {
        "scan": None if model.scan.scan_id is None else str(model.scan.scan_id),
        "band": model.band,
        "frame": model.frame,
        "SIMULATE": model.simulated,
    }
    x0, x1, y0, y1 = model.selection or (0, -1, 0, -1)
    y, x = (axis.ravel() for axis in np.mgrid[y0 : y1 + 1, x0 : x1 + 1])
    columns: dict[str, Any] = {"x": x, "y": y}
    wcs = model.wcs()
    if wcs is not None:
        columns["position"] = wcs.pixel_to_world(x, y)
    columns["quadrant"] = np.array(QUADRANTS)[quadrant(x, y)]
    columns["time_in_read"] = time_in_read(x, y)
    for read in model.reads():
        columns[read] = model.data(read=read)[y, x] * u.adu
    return QTable(columns, meta=meta)
