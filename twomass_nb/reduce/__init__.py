"""A whole scan or a whole night: raw folder in; coadds, lists of sources and figures out."""

from .reduction import Reduction
from .run import reduce_night, reduce_scan

__all__ = ["Reduction", "reduce_night", "reduce_scan"]
