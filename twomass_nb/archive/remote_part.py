"""A file on its way: the bytes had so far, and which version of which file they are of."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..errors import WriteError
from ..files import whole_file
from .remote_manners import public_url

__all__ = ["Part"]

_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18}|\*)")


class Part:
    """The hidden file ``.{name}.part`` beside the target, and ``.{name}.part.json`` about it.

    Parameters
    ----------
    target : path
        The file that the part will become.
    url : str
        Where it comes from. A part from elsewhere is dropped.
    trusted : bool
        Whether the whole is going to be compared with a hash. If not, a part is only continued
        when the server named its version, by ``ETag`` or ``Last-Modified``.
    """

    def __init__(self, target: Path, url: str, trusted: bool) -> None:
        self._target = target
        self.path = target.with_name(f".{target.name}.part")
        self._about = target.with_name(f".{target.name}.part.json")
        self._url = public_url(url)
        self._trusted = trusted

    def said(self) -> dict[str, Any]:
        """Return what is known of the bytes had so far; empty if they are of no use."""
        try:
            said = json.loads(self._about.read_text())
        except (OSError, ValueError):
            return {}
        if not isinstance(said, dict) or said.get("url") != self._url:
            return {}
        return said if self._trusted or said.get("version") else {}

    @property
    def size(self) -> int:
        """Bytes had so far that can be continued."""
        try:
            return self.path.stat().st_size if self.said() else 0
        except OSError:
            return 0

    @property
    def whole(self) -> bool:
        """Whether all bytes are there, so that only the checks are missing."""
        return self.size > 0 and self.size == self.said().get("total")

    def request_headers(self) -> dict[str, str]:
        """Return what asks for the rest, but for the whole if there is a newer version."""
        if not self.size:
            return {}
        headers = {"Range": f"bytes={self.size}-"}
        if version := self.said().get("version"):
            headers["If-Range"] = version
        return headers

    def continues(self, headers: Any) -> bool:
        """Whether an answer 206 is just the rest of what is here."""
        match = _CONTENT_RANGE.fullmatch(headers.get("Content-Range", ""))
        if match is None or int(match[1]) != self.size:
            return False
        said = self.said()
        total = None if match[3] == "*" else int(match[3])
        if said.get("total") and total and said["total"] != total:
            return False
        return said.get("version") in (None, _version(headers), headers.get("Last-Modified"))

    def opened(self) -> Any:
        """Open the file to append bytes; each goes to the system at once."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            return self.path.open("ab", buffering=0)
        except OSError as error:
            raise _unwritable(self._target, error) from error

    def describe(self, headers: Any, total: int | None) -> None:
        """Note what the bytes are of, before the first of them comes."""
        said = {"url": self._url, "version": _version(headers), "total": total}
        with whole_file(self._about) as file:
            file.write(json.dumps(said).encode())

    def append(self, file: Any, block: bytes) -> None:
        """Write more bytes; a disk that is full is not kept so."""
        rest = memoryview(block)
        try:
            while rest:
                rest = rest[file.write(rest) :]
        except OSError as error:
            self.drop()
            raise _unwritable(self._target, error) from error

    def drop(self) -> None:
        """Forget it."""
        for path in (self.path, self._about):
            with suppress(OSError):
                path.unlink()

    def become_target(self) -> None:
        """Take the name of the target."""
        try:
            self.path.replace(self._target)
        except OSError as error:
            raise _unwritable(self._target, error) from error
        self.drop()


def _version(headers: Any) -> str | None:
    """Return the strong ``ETag``, or ``Last-Modified``, as ``If-Range`` wants one of them."""
    tag: str | None = headers.get("ETag")
    if tag and not tag.startswith("W/"):
        return tag
    modified: str | None = headers.get("Last-Modified")
    return modified


def _unwritable(path: Path, error: OSError) -> WriteError:
    """Return the error for a file that the system does not let us write."""
    msg = (
        f"{path} cannot be written: {error.strerror or error}; make room (twomass-nb cache), or "
        "set TWOMASS_NB_CACHE to another place"
    )
    return WriteError(msg)
