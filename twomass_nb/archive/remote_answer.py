"""What an answer may be: the file, the rest of it, a trouble, a web page, a lie."""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import FetchError, TwomassError
from . import remote_manners as rules
from .remote_manners import failed
from .remote_part import Part
from .remote_trouble import Passing, busy

if TYPE_CHECKING:
    import requests

__all__ = [
    "Wanted",
    "blocks_of",
    "checked",
    "length_of",
    "most_bytes",
    "refusal",
    "refuse_page",
    "sha256_of",
    "start_of",
    "unpacked",
]

_BLOCK = 1 << 18
_MARKUP = re.compile(rb"\s*(<!--.*?-->\s*)*<(!doctype\s+html|html|head|body)\b", re.I | re.S)
_TITLE = re.compile(rb"<title[^>]*>(.*?)</title>", re.I | re.S)


@dataclass(frozen=True)
class Wanted:
    """What is asked for, and how one knows that it is that."""

    url: str
    what: str
    size: int | None
    sha256: str | None
    check: Callable[[Path], None] | None

    def failed(self, why: str, advice: str, status: int | None = None) -> FetchError:
        """Return the error that says why it cannot be had."""
        return failed(self.url, self.what, why, advice, status)


def start_of(answer: requests.Response, part: Part, wanted: Wanted) -> int:
    """Return the byte at which the body of an answer begins; raise if it is no such answer."""
    status = answer.status_code
    if status == 200:
        _refuse_encoding(answer, part, wanted)
        return 0
    if status == 206 and part.size and part.continues(answer.headers):
        return part.size
    if status in (206, 416):
        part.drop()
        why = f"the server answers {status} and another part than asked for"
        raise Passing(why, wait=0.0)
    raise refusal(answer, wanted)


def refusal(answer: requests.Response, wanted: Wanted) -> Exception:
    """Return the trouble, passing or not, that a status is."""
    status = answer.status_code
    if status in (408, 425, 429) or status >= 500:
        return busy(answer)
    if status in (404, 410):
        return wanted.failed(f"it is not there ({status})", "ask the archive for it", status)
    if status in (401, 403, 407):
        return wanted.failed(f"the server refuses ({status})", "ask the archive", status)
    return wanted.failed(f"the server answers {status}", "report it to the archive", status)


def length_of(answer: requests.Response) -> int | None:
    """Return the bytes that the body of an answer is said to have; None if nothing is said."""
    said = answer.headers.get("Content-Length", "").strip()
    known = re.fullmatch("[0-9]{1,18}", said) and "Transfer-Encoding" not in answer.headers
    return int(said) if known else None


def most_bytes(total: int | None, wanted: Wanted) -> int:
    """Return the number of bytes not to go beyond; raise if more or other were announced."""
    if wanted.size is not None and total not in (None, wanted.size):
        why = f"the server has {total} bytes, not {wanted.size}"
        raise wanted.failed(why, "the archive's file is another one: report it")
    most = rules.MANNERS.largest if wanted.size is None else wanted.size
    if total is not None and total > most:
        why = f"it has {total} bytes, too many to be true"
        raise wanted.failed(why, "report it to the archive")
    return most


def _refuse_encoding(answer: requests.Response, part: Part, wanted: Wanted) -> None:
    """Refuse what was compressed on the way; a .gz file may be said to be, which is harmless."""
    said = answer.headers.get("Content-Encoding", "identity").lower()
    zipped = ".gz" in part.path.suffixes and said in ("gzip", "x-gzip")
    if said != "identity" and not zipped:
        why = f"the server sends it encoded ({said[:20]}), which was not asked for"
        raise wanted.failed(why, "report it to the archive")


def refuse_page(start: bytes, wanted: Wanted) -> None:
    """Raise if what came begins as a web page does."""
    if _MARKUP.match(start):
        raise wanted.failed(_page(start), "look at that address in a browser")


def _page(start: bytes) -> str:
    title = _TITLE.search(start)
    said = " ".join(title[1].decode("utf-8", "replace").split())[:80] if title else ""
    return "the server sends a web page (HTML)" + (f" {said!r}" if said else "") + " instead"


def blocks_of(answer: requests.Response) -> Iterator[bytes]:
    """Yield the bytes of an answer as they come, so that none is lost when it breaks."""
    while block := answer.raw.read1(_BLOCK, decode_content=False):
        yield block


def checked(path: Path, wanted: Wanted) -> str:
    """Return the hash of a fetched file that is what was asked for; raise if it is not."""
    with path.open("rb") as file:
        start = file.read(4096)
    refuse_page(start, wanted)
    got = path.stat().st_size
    if wanted.size not in (None, got):
        why = f"it has {got} bytes, not {wanted.size}"
        raise wanted.failed(why, "report it to the archive")
    sha256 = sha256_of(path)
    if wanted.sha256 not in (None, sha256):
        why = f"its SHA-256 is {sha256[:12]}..., not {str(wanted.sha256)[:12]}..."
        raise wanted.failed(why, "try again later, then report it to the archive")
    if wanted.check is not None:
        try:
            wanted.check(path)
        except (TwomassError, OSError, ValueError) as error:
            why = f"it is not what it should be ({error})"
            raise wanted.failed(why, "report it to the archive") from error
    return sha256


def sha256_of(path: Path) -> str:
    """Return the hash of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def unpacked(unpack: Any, block: bytes, limit: int, wanted: Wanted) -> bytes:
    """Return what a block unpacks to, though never much more than the limit: it may be a bomb."""
    if unpack is None:
        return block
    try:
        content: bytes = unpack.decompress(block, limit + 1)
    except zlib.error as error:
        why = "it cannot be unpacked"
        raise wanted.failed(why, "report it to the archive") from error
    return content
