"""Stars in pictures: found, measured, merged between bands, confirmed by frames."""

from .artifacts import flag_artifacts
from .confirming import confirm
from .detecting import detect
from .finding import find
from .flags import SourceFlag
from .merging import merge
from .zero_points import zero_point

__all__ = ["SourceFlag", "confirm", "detect", "find", "flag_artifacts", "merge", "zero_point"]
