"""Where the frames of a scan really looked: measured from the stars in them."""

from .positions import Positions
from .reconstruct import reconstruct

__all__ = ["Positions", "reconstruct"]
