"""From a scan to bytes on this disk: the sample, and where this machine keeps things."""

from .sample import sample

__all__ = ["sample"]
