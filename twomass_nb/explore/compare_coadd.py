"""A coadd of ours on the pixels of the real one: what it differs by, and in which colours."""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..atlas import AtlasImage
from ..coadd import Coadd
from ..coadd.comparison_grid import paired
from ..errors import AtlasError

__all__ = ["OurCoadd", "signed_colours"]


class OurCoadd:
    """A coadd of ours beside the real image.

    Parameters
    ----------
    coadd : AtlasImage or path
        On the real image's grid, or a part of it.
    real : AtlasImage

    Attributes
    ----------
    image : AtlasImage
    data : array, shape of the real image
        DN; NaN where ours has nothing.

    Raises
    ------
    AtlasError
        If it is of another band, another sky or another grid, or the real one has no SKYSIG.
    """

    def __init__(self, coadd: Any, real: AtlasImage) -> None:
        self.image: AtlasImage = coadd if hasattr(coadd, "wcs") else Coadd.open(coadd)
        self.real = real
        if "SKYSIG" not in real.header:
            msg = f"the header of {real!r} has no SKYSIG, the unit that differences are shown in"
            raise AtlasError(msg)
        pair = paired(self.image, real)
        (x, y), (rows, columns) = pair.origin, pair.ours.shape
        self.data = np.full(real.data.shape, np.nan, np.float32)
        self.data[y : y + rows, x : x + columns] = pair.ours

    @cached_property
    def level(self) -> float:
        """Median of ours less the real one, DN."""
        apart = self.data - self.real.data
        known = apart[np.isfinite(apart)]
        return float(np.median(known)) if known.size else 0.0

    @cached_property
    def difference(self) -> NDArray[np.float32]:
        """Ours less the real one, the level off, in units of the real one's SKYSIG."""
        return np.asarray((self.data - self.real.data - self.level) / self.sigma, np.float32)

    @property
    def sigma(self) -> float:
        """Noise of a pixel as the real image's header has it (SKYSIG), DN."""
        return self.real.number("SKYSIG")

    @cached_property
    def scatter(self) -> float:
        """Robust standard deviation of `difference`."""
        known = self.difference[np.isfinite(self.difference)]
        return float(1.4826 * np.median(np.abs(known))) if known.size else np.nan

    @property
    def simulated(self) -> bool:
        """Whether its frames never were."""
        return self.image.simulated

    def depth(self) -> float:
        """Return how many frames lie on a place: the mean of its coverage; NaN if it has none."""
        coverage = getattr(self.image, "coverage", None)
        return float(np.mean(coverage)) if coverage is not None else np.nan


@lru_cache(maxsize=1)
def signed_colours() -> NDArray[np.uint8]:
    """Return the colours of differences, shape (256, 3): blue below, white at 0, red above.

    Told apart in all common forms of colour blindness.
    """
    from bokeh.palettes import RdBu11

    few = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in RdBu11], float)
    place = np.linspace(0, len(few) - 1, 256)
    each = [np.interp(place, np.arange(len(few)), column) for column in few.T]
    return np.rint(np.stack(each, axis=-1)).astype(np.uint8)
