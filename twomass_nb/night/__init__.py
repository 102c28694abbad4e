"""A night as a whole: what its folder holds, what is missing or disagrees, what is broken."""

from .checking import check
from .finding import Finding
from .night import Night
from .opening import open_night
from .report import CheckReport

__all__ = ["CheckReport", "Finding", "Night", "check", "open_night"]
