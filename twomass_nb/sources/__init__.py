"""Stars in pictures: found, measured, merged between bands, confirmed by frames."""

from .detecting import detect
from .finding import find
from .flags import SourceFlag

__all__ = ["SourceFlag", "detect", "find"]
