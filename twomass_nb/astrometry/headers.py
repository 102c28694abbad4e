"""What headers of Atlas Images say of the rotation of arrays, and of the telescope's drift in it.

The frame step of a header has two parts: the array's rotation against north-south, which is the
same for years, and a drift of the telescope across the scan, which changes within a scan but is
the same for all three arrays at any moment, for they look through one telescope.
"""

from __future__ import annotations

from collections.abc import Iterable
from os import PathLike
from typing import Any

import numpy as np
from astropy import units as u
from astropy.table import QTable

from ..array import ArrayGeometry, period_of
from ..atlas import AtlasImage

__all__ = ["rotations_of"]


def rotations_of(images: Iterable[AtlasImage | str | PathLike[str]]) -> QTable:
    """Compare the frame steps in headers with the published rotations of the arrays.

    Parameters
    ----------
    images : sequence of AtlasImage or path

    Returns
    -------
    `~astropy.table.QTable`
        One row an image, by scan, coadd and band: ``scan_id``, ``coadd``, ``band``, ``direction``;
        ``dxfs``, ``dyfs``; ``rotation`` = atan(dxfs / dyfs); ``published`` and its ``error``;
        ``drift`` and ``drift_published``: what of dxfs is left (arcsec a frame, west positive) by
        the rotation of the table with the sign that headers show, and with the published one.
        They differ for Ks in the south.
    """
    rows = []
    opened = [im if isinstance(im, AtlasImage) else AtlasImage.open(im) for im in images]
    for image in sorted(opened, key=lambda one: (one.scan_id, one.coadd, "jhk".index(one.band))):
        dx, dy = image.frame_step
        period = period_of(image.scan_id)
        published, header = (
            ArrayGeometry.preset(period, image.band, sign=sign) for sign in ("published", "header")
        )
        row: dict[str, Any] = {
            "scan_id": str(image.scan_id),
            "coadd": image.coadd,
            "band": image.band,
            "direction": image.direction,
            "dxfs": dx,
            "dyfs": dy,
            "rotation": image.rotation,
            "published": published.rotation,
            "error": published.rotation_error,
            "drift": dx - dy * np.tan(header.rotation),
            "drift_published": dx - dy * np.tan(published.rotation),
        }
        rows.append(row)
    table = QTable(rows)
    for name in table.colnames:
        if isinstance(table[name], u.Quantity):
            table[name].info.format = ".3f"
    if any(image.simulated for image in opened):
        table.meta["SIMULATE"] = True
    return table
