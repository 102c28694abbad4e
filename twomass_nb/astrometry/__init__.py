"""Where the frames of a scan really looked: measured from the stars in them."""

from .headers import rotations_of
from .positions import Positions
from .reconstruct import reconstruct

__all__ = ["Positions", "reconstruct", "rotations_of"]
