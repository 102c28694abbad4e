"""The one place that downloads: whole and checked, or nothing but a part that can be continued.

Why not pooch, nor ``astropy.utils.data``: both get a file by one request into a temporary file and
begin again from nothing when it breaks; neither continues a part, nor tells two processes to wait
for one download, notices a server that trickles, keeps from https to http, or leaves time between
requests. What they do have, a hash check and a progress bar, is the small part of this. `requests`
and urllib3 do the talking, `filelock` the waiting.
"""

from __future__ import annotations

import hashlib
import re
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..cache import drop, in_cache, keep_origin, locked, make_room, verified
from ..errors import ExistsError, FetchError, TwomassError
from . import remote_manners as rules
from .remote_manners import failed, public_url, refuse_offline, safe_name
from .remote_part import Part

if TYPE_CHECKING:
    import requests

    from .remote_session import PoliteSession

__all__ = ["fetch_bytes", "fetch_file", "safe_name", "session"]

_BLOCK = 1 << 18
_MARKUP = re.compile(rb"\s*(<!--.*?-->\s*)*<(!doctype\s+html|html|head|body)\b", re.I | re.S)
_TITLE = re.compile(rb"<title[^>]*>(.*?)</title>", re.I | re.S)


@dataclass(frozen=True)
class _Wanted:
    """What is asked for, and how one knows that it is that."""

    url: str
    what: str
    size: int | None
    sha256: str | None
    check: Callable[[Path], None] | None

    def failed(self, why: str, advice: str, status: int | None = None) -> FetchError:
        return failed(self.url, self.what, why, advice, status)


def session() -> requests.Session:
    """Return a session for packages that ask services themselves, as pyvo and astroquery.

    It obeys the rules of this module: never offline, time limits, another try when the server is
    busy, no redirect away from https, a pause between requests to a host. How much is read is up
    to its user.
    """
    from .remote_session import PoliteSession

    return PoliteSession()


def fetch_file(
    url: str,
    target: Path,
    *,
    size: int | None = None,
    sha256: str | None = None,
    check: Callable[[Path], None] | None = None,
    what: str = "",
) -> Path:
    """Fetch a file, once, and return where it is.

    A file that is there already and is what it should be is returned as it is. An interrupted
    download leaves a hidden ``.part``, which the next call continues. Of several processes and
    threads that ask for one file, one fetches it and the others wait.

    Parameters
    ----------
    url : str
        An http or https address.
    target : path
        Where it goes. The server has no say in that.
    size : int, optional
        Bytes it must have.
    sha256 : str, optional
        Hash it must have, in hexadecimal digits.
    check : callable, optional
        Gets the path of the fetched file before it takes its name; raises if it is not what it
        should be.
    what : str, optional
        What to call it in messages; the name of `target` if not given.

    Raises
    ------
    FetchError
        If it cannot be had, or is not what it should be; ``status`` is 404 if it is not there.
    OfflineError
        If the network is forbidden.
    WriteError
        If there is no room, or no permission.
    ExistsError
        If `target` is outside of the cache, there, and something else.
    """
    wanted = _Wanted(url, what or target.name, size, sha256 and sha256.lower(), check)
    if _is_here(target, wanted):
        return target
    refuse_offline(url, wanted.what)
    with locked(target):
        if not _is_here(target, wanted):  # another process may have fetched it meanwhile
            _fetch(target, wanted)
    return target


def _is_here(target: Path, wanted: _Wanted) -> bool:
    """Whether the file is there and right; a wrong one in the cache is dropped."""
    if not verified(target):
        return False
    right = wanted.size in (None, target.stat().st_size) and (
        wanted.sha256 is None or wanted.sha256 == _sha256(target)
    )
    if not right and in_cache(target):
        return not drop(target)
    if not right:
        msg = f"{target} exists already and is not {wanted.what}: move it away"
        raise ExistsError(msg)
    return True


def _fetch(target: Path, wanted: _Wanted) -> None:
    from .remote_session import PoliteSession, connection_to, persist

    part = Part(target, wanted.url, trusted=wanted.sha256 is not None)
    with PoliteSession() as asking, connection_to(wanted.url):
        sha256 = persist(lambda: _attempt(asking, part, wanted), wanted.url, wanted.what)
    keep_origin(target, part.path.stat().st_size, sha256, public_url(wanted.url))
    part.become(target)
    make_room(0, keep=target)


def _attempt(asking: PoliteSession, part: Part, wanted: _Wanted) -> str:
    """Get all, or the rest, of a file into its part; return the hash of the whole."""
    from .remote_session import Passing

    continued = part.size > 0
    if not part.whole:
        _download(asking, part, wanted)
    try:
        return _checked(part.path, wanted)
    except FetchError as error:
        part.drop()
        if continued:  # two halves that do not fit: all of it again
            msg = "what was there did not fit what came"
            raise Passing(msg, wait=0.0) from error
        raise


def _download(asking: PoliteSession, part: Part, wanted: _Wanted) -> None:
    """Ask for what is missing of a part, and append it as it comes."""
    from .remote_session import Passing, breaking

    headers = part.request_headers()
    answer = asking.once("GET", wanted.url, what=wanted.what, headers=headers, stream=True)
    with closing(answer), breaking():
        got = _start(answer, part, wanted)
        length = _content_length(answer)
        total = None if length is None else got + length
        blocks = _blocks(answer)
        first = next(blocks, b"")
        if got == 0:
            _refuse_page(first, wanted)
        most = _expected(total, wanted)
        make_room(length or 0)
        if got == 0:
            part.drop()
            part.describe(answer.headers, total)
        with part.opened() as file, _progress(wanted.what, got, total) as bar:
            for block in chain((first,), blocks):
                got += len(block)
                if got > most:
                    break
                part.append(file, block)
                bar.update(len(block))
    if got > most:
        part.drop()
        why = f"it goes on beyond {most} bytes"
        raise wanted.failed(why, "report it to the archive")
    if total is not None and got < total:
        msg = f"the connection broke after {got} of {total} bytes"
        raise Passing(msg)
    if part.path.stat().st_size != got:
        part.drop()
        msg = "somebody else removed the part"
        raise Passing(msg)


def _start(answer: requests.Response, part: Part, wanted: _Wanted) -> int:
    """Return the byte at which the body of an answer begins; raise if it is no such answer."""
    from .remote_session import Passing

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
    raise _refusal(answer, wanted)


def _refusal(answer: requests.Response, wanted: _Wanted) -> Exception:
    """Return the trouble, passing or not, that a status is."""
    from .remote_session import busy

    status = answer.status_code
    if status in (408, 425, 429) or status >= 500:
        return busy(answer)
    if status in (404, 410):
        return wanted.failed(f"it is not there ({status})", "ask the archive for it", status)
    if status in (401, 403, 407):
        return wanted.failed(f"the server refuses ({status})", "ask the archive", status)
    return wanted.failed(f"the server answers {status}", "report it to the archive", status)


def _content_length(answer: requests.Response) -> int | None:
    said = answer.headers.get("Content-Length", "").strip()
    known = re.fullmatch("[0-9]{1,18}", said) and "Transfer-Encoding" not in answer.headers
    return int(said) if known else None


def _expected(total: int | None, wanted: _Wanted) -> int:
    """Return the number of bytes not to go beyond; raise if more or other were announced."""
    if total is not None and wanted.size not in (None, total):
        why = f"the server has {total} bytes, not {wanted.size}"
        raise wanted.failed(why, "the archive's file is another one: report it")
    most = rules.MANNERS.largest if wanted.size is None else wanted.size
    if total is not None and total > most:
        why = f"it has {total} bytes, too many to be true"
        raise wanted.failed(why, "report it to the archive")
    return most


def _refuse_encoding(answer: requests.Response, part: Part, wanted: _Wanted) -> None:
    """Refuse what was compressed on the way; a .gz file may be said to be, which is harmless."""
    said = answer.headers.get("Content-Encoding", "identity").lower()
    zipped = ".gz" in part.path.suffixes and said in ("gzip", "x-gzip")
    if said != "identity" and not zipped:
        why = f"the server sends it encoded ({said[:20]}), which was not asked for"
        raise wanted.failed(why, "report it to the archive")


def _refuse_page(start: bytes, wanted: _Wanted) -> None:
    if _MARKUP.match(start):
        raise wanted.failed(_page(start), "look at that address in a browser")


def _page(start: bytes) -> str:
    title = _TITLE.search(start)
    said = " ".join(title[1].decode("utf-8", "replace").split())[:80] if title else ""
    return "the server sends a web page (HTML)" + (f" {said!r}" if said else "") + " instead"


def _blocks(answer: requests.Response) -> Iterator[bytes]:
    """Yield the bytes of an answer as they come, so that none is lost when it breaks."""
    while block := answer.raw.read1(_BLOCK, decode_content=False):
        yield block


def _checked(path: Path, wanted: _Wanted) -> str:
    """Return the hash of a fetched file that is what was asked for; raise if it is not."""
    with path.open("rb") as file:
        start = file.read(4096)
    _refuse_page(start, wanted)
    got = path.stat().st_size
    if wanted.size not in (None, got):
        why = f"it has {got} bytes, not {wanted.size}"
        raise wanted.failed(why, "report it to the archive")
    sha256 = _sha256(path)
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


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _progress(what: str, start: int, total: int | None) -> Any:
    from tqdm import tqdm

    quiet = not sys.stderr.isatty()
    return tqdm(
        desc=what, initial=start, total=total, unit="B", unit_scale=True, delay=1, leave=False,
        disable=quiet,
    )  # fmt: skip


def fetch_bytes(url: str, *, what: str = "", limit: int = 64_000_000) -> bytes:
    """Fetch a small answer of a service, or an index page, into memory.

    Parameters
    ----------
    url : str
        An http or https address.
    what : str, optional
        What to call it in messages.
    limit : int, optional
        Bytes, unpacked, beyond which it is refused.

    Raises
    ------
    FetchError
        If it cannot be had; ``status`` is what the server answered, if an error.
    OfflineError
        If the network is forbidden.
    """
    from .remote_session import PoliteSession, connection_to, persist

    wanted = _Wanted(url, what or "the answer", None, None, None)
    refuse_offline(url, wanted.what)
    with PoliteSession() as asking, connection_to(url):
        return persist(lambda: _answer(asking, wanted, limit), url, wanted.what)


def _answer(asking: PoliteSession, wanted: _Wanted, limit: int) -> bytes:
    from .remote_session import Passing, breaking

    answer = asking.once("GET", wanted.url, what=wanted.what, stream=True)
    with closing(answer):
        if answer.status_code != 200:
            raise _refusal(answer, wanted)
        said = answer.headers.get("Content-Encoding", "identity").lower()
        unpack = zlib.decompressobj(47) if said in ("gzip", "x-gzip", "deflate") else None
        if unpack is None and said != "identity":
            why = f"the server sends it encoded ({said[:20]}), which was not asked for"
            raise wanted.failed(why, "report it to the archive")
        content, came = bytearray(), 0
        with breaking():
            for block in _blocks(answer):
                came += len(block)
                content += _unpacked(unpack, block, limit, wanted)
                if len(content) > limit:
                    why = f"it has more than {limit} bytes"
                    raise wanted.failed(why, "ask for less at a time")
    total = _content_length(answer)
    if (total is not None and came < total) or (unpack is not None and not unpack.eof):
        msg = f"the connection broke after {came} bytes"
        raise Passing(msg)
    return bytes(content)


def _unpacked(unpack: Any, block: bytes, limit: int, wanted: _Wanted) -> bytes:
    """Return what a block unpacks to, though never much more than the limit: it may be a bomb."""
    if unpack is None:
        return block
    try:
        content: bytes = unpack.decompress(block, limit + 1)
    except zlib.error as error:
        why = "it cannot be unpacked"
        raise wanted.failed(why, "report it to the archive") from error
    return content
