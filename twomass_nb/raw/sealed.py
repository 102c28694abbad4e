"""How a page of JSON is known to be whole: it is written with its hash and length after it."""

from __future__ import annotations

import hashlib
import json
from mmap import mmap
from typing import Any

__all__ = ["sealed", "unsealed"]

_HASH = 16  # bytes of a SHA-256
_LENGTH = 4  # bytes of the length of the page


def sealed(page: dict[str, Any]) -> bytes:
    """Return a page as bytes, to be the end of a file."""
    text = json.dumps(page).encode()
    return text + hashlib.sha256(text).digest()[:_HASH] + len(text).to_bytes(_LENGTH, "little")


def unsealed(content: bytes | mmap) -> dict[str, Any] | None:
    """Return the page that a file ends with, None if it is not as it was written."""
    end = max(0, len(content) - _HASH - _LENGTH)
    text = content[max(0, end - int.from_bytes(content[-_LENGTH:], "little")) : end]
    if hashlib.sha256(text).digest()[:_HASH] != content[end:-_LENGTH]:
        return None
    page = json.loads(text)
    return page if isinstance(page, dict) else None
