"""Artifacts of the NICMOS arrays, measured in arrays of frames: each with its uncertainty."""

from .astigmatism import Elongation, elongation
from .bars import FirstColumn, JailBars, first_column, jail_bars
from .decay import ResetDecay, frame_to_frame, reset_decay
from .hot import Bistable, HotPixels, bistable_pixels, hot_pixels
from .linearity import Linearity, linearity
from .measured import DN, Measured
from .persistence import Persistence, persistence
from .saturation import Saturation, saturation
from .stacking import FixedPattern, quadrants
from .stars import Stamps, lonely_stars
from .stripe import Stripe, stripes

__all__ = [
    "DN",
    "Bistable",
    "Elongation",
    "FirstColumn",
    "FixedPattern",
    "HotPixels",
    "JailBars",
    "Linearity",
    "Measured",
    "Persistence",
    "ResetDecay",
    "Saturation",
    "Stamps",
    "Stripe",
    "bistable_pixels",
    "elongation",
    "first_column",
    "frame_to_frame",
    "hot_pixels",
    "jail_bars",
    "linearity",
    "lonely_stars",
    "persistence",
    "quadrants",
    "reset_decay",
    "saturation",
    "stripes",
]
