"""Which processed coadd lies beside a raw frame, and how the frame lies on it, in plain numbers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..atlas import AtlasImage, find_coadds
from ..errors import TwomassError
from ..scan import BAND_NAMES, FileName
from . import colours

if TYPE_CHECKING:
    from astropy.wcs import WCS

__all__ = ["Coadds", "coadd_title", "outline"]

# Corners of a frame, half a pixel outside the outermost pixel centres, and back to the first.
_CORNERS = np.array([(-0.5, -0.5), (255.5, -0.5), (255.5, 255.5), (-0.5, 255.5), (-0.5, -0.5)])


class Coadds:
    """The coadds that can be shown beside a scan's frames.

    Parameters
    ----------
    given : `~twomass_nb.AtlasImage`, path, or several of these, or None
        None: those that lie beside the raw files.

    Raises
    ------
    TwomassError
        If several are given, and they are none.
    """

    def __init__(self, given: Any) -> None:
        self._given = None if given is None else _listed(given)
        self._images: dict[Any, AtlasImage] = {}
        self._choices: dict[str, list[tuple[float, Any]]] = {}
        self._ranges: dict[tuple[int, str], tuple[float, float]] = {}

    def nearest(self, scan: Any, frame: int) -> AtlasImage | None:
        """Return the coadd whose centre is nearest to a frame's, or None if there is none."""
        if scan.band not in self._choices:
            self._choices[scan.band] = self._find(scan)
        choices = self._choices[scan.band]
        if not choices:
            return None
        _, source = min(choices, key=lambda choice: abs(choice[0] - frame))
        key = source if isinstance(source, str) else id(source)
        if key not in self._images:
            self._images[key] = AtlasImage.open(source) if isinstance(source, str) else source
        return self._images[key]

    def _find(self, scan: Any) -> list[tuple[float, Any]]:
        """Coadds of the scan's band as (frame nearest to the centre, image or path)."""
        if self._given is None and scan.scan_id is None:
            return []
        if self._given is None:
            found = find_coadds(scan.folder, scan.scan_id, scan.band)
            return [(FileName.parse(path).coadd - 1, str(path)) for path in found]
        images = [
            source if not isinstance(source, str) else AtlasImage.open(source)
            for source in self._given
        ]
        same = [image for image in images if image.band == scan.band]
        return [(image.coadd - 1, image) for image in same or images]

    def range_of(self, coadd: AtlasImage, limits: str) -> tuple[float, float]:
        """Return the ends of a coadd's colour scale under a rule of `colours.LIMITS`."""
        key = (id(coadd), limits)
        if key not in self._ranges:
            self._ranges[key] = colours.limits(coadd.data, limits)
        return self._ranges[key]


def outline(coadd: AtlasImage, wcs: WCS | None) -> np.ndarray | None:
    """Return a frame's edge in the coadd's pixels, shape (5, 2), closed; None without a WCS."""
    if wcs is None:
        return None
    return coadd.wcs.all_world2pix(wcs.all_pix2world(_CORNERS, 0), 0)


def coadd_title(coadd: AtlasImage) -> str:
    """Which processed image it is; SIMULATED when so."""
    words = f"Processed coadd {coadd.scan_id} · {BAND_NAMES[coadd.band]} · {coadd.coadd}"
    return words + (" · SIMULATED" if coadd.simulated else "")


def _listed(atlas: Any) -> list[Any]:
    """Return the coadds given as a list; paths as str."""
    several = isinstance(atlas, Iterable) and not isinstance(atlas, (str, AtlasImage))
    sources = list(atlas) if several else [atlas]
    if not sources:
        message = "atlas= is empty: give an AtlasImage or a path, or leave it out"
        raise TwomassError(message)
    return [source if hasattr(source, "wcs") else str(source) for source in sources]
