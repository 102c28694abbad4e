"""From a scan to its bytes: on this machine's disks, in the cache, from afar; the sample."""

from .fetch import fetch
from .finder import FoundFile, find_files
from .opening import open_scan
from .sample import sample

__all__ = ["FoundFile", "fetch", "find_files", "open_scan", "sample"]
