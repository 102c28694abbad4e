"""The cache folder: what can be made or fetched again; bounded in size, shared by processes."""

from .folder import DISPOSABLE, bytes_of, cache_folder, cache_limit, in_cache, kinds
from .locks import locked
from .origins import drop, keep_origin, mark_used, origin, verified
from .room import clear, contents, make_room, usage

__all__ = [
    "DISPOSABLE",
    "bytes_of",
    "cache_folder",
    "cache_limit",
    "clear",
    "contents",
    "drop",
    "in_cache",
    "keep_origin",
    "kinds",
    "locked",
    "make_room",
    "mark_used",
    "origin",
    "usage",
    "verified",
]
