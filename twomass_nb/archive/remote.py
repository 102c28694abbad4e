"""The one place that downloads: whole and checked, or nothing but a part that can be continued.

Why not pooch, nor ``astropy.utils.data``: both get a file by one request into a temporary file and
begin again from nothing when it breaks; neither continues a part, nor tells two processes to wait
for one download, notices a server that trickles, keeps from https to http, or leaves time between
requests. What they do have, a hash check and a progress bar, is the small part of this. `requests`
and urllib3 do the talking, `filelock` the waiting.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..cache import drop, in_cache, keep_origin, locked, make_room, verified
from ..errors import ExistsError, FetchError
from .remote_answer import (
    Wanted,
    blocks_of,
    checked,
    length_of,
    most_bytes,
    refusal,
    refuse_page,
    sha256_of,
    start_of,
    unpacked,
)
from .remote_manners import public_url, refuse_offline, safe_name
from .remote_part import Part
from .remote_trouble import Passing, persist

if TYPE_CHECKING:
    import requests

    from .remote_session import PoliteSession

__all__ = ["fetch_bytes", "fetch_file", "safe_name", "session"]


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
    wanted = Wanted(url, what or target.name, size, sha256 and sha256.lower(), check)
    if _is_here(target, wanted):
        return target
    refuse_offline(url, wanted.what)
    with locked(target):
        if not _is_here(target, wanted):  # another process may have fetched it meanwhile
            _fetch(target, wanted)
    return target


def _is_here(target: Path, wanted: Wanted) -> bool:
    """Whether the file is there and right; a wrong one in the cache is dropped."""
    if not verified(target):
        return False
    right = wanted.size in (None, target.stat().st_size) and (
        wanted.sha256 is None or wanted.sha256 == sha256_of(target)
    )
    if not right and in_cache(target):
        return not drop(target)
    if not right:
        msg = f"{target} exists already and is not {wanted.what}: move it away"
        raise ExistsError(msg)
    return True


def _fetch(target: Path, wanted: Wanted) -> None:
    from .remote_session import PoliteSession, connection_to

    part = Part(target, wanted.url, trusted=wanted.sha256 is not None)
    with PoliteSession() as asking, connection_to(wanted.url):
        sha256 = persist(lambda: _attempt(asking, part, wanted), wanted.url, wanted.what)
    keep_origin(target, part.path.stat().st_size, sha256, public_url(wanted.url))
    part.become_target()
    make_room(0, keep=target)


def _attempt(asking: PoliteSession, part: Part, wanted: Wanted) -> str:
    """Get all, or the rest, of a file into its part; return the hash of the whole."""
    continued = part.size > 0
    if not part.whole:
        _download(asking, part, wanted)
    try:
        return checked(part.path, wanted)
    except FetchError as error:
        part.drop()
        if continued:  # two halves that do not fit: all of it again
            msg = "what was there did not fit what came"
            raise Passing(msg, wait=0.0) from error
        raise


def _download(asking: PoliteSession, part: Part, wanted: Wanted) -> None:
    """Ask for what is missing of a part, and append it as it comes."""
    from .remote_session import breaking

    headers = part.request_headers()
    answer = asking.once("GET", wanted.url, what=wanted.what, headers=headers, stream=True)
    with closing(answer), breaking():
        got = start_of(answer, part, wanted)
        length = length_of(answer)
        total = wanted.size if length is None else got + length
        blocks = blocks_of(answer)
        first = next(blocks, b"")
        if got == 0:
            refuse_page(first, wanted)
        most = most_bytes(total, wanted)
        if in_cache(part.path):
            make_room(length or 0)
        if got == 0:
            part.drop()
        with part.opened() as file, _progress(wanted.what, got, total) as bar:
            if got == 0:
                part.describe(answer.headers, total)
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
    from .remote_session import PoliteSession, connection_to

    wanted = Wanted(url, what or "the answer", None, None, None)
    refuse_offline(url, wanted.what)
    with PoliteSession() as asking, connection_to(url):
        return persist(lambda: _answer(asking, wanted, limit), url, wanted.what)


def _answer(asking: PoliteSession, wanted: Wanted, limit: int) -> bytes:
    from .remote_session import breaking

    answer = asking.once("GET", wanted.url, what=wanted.what, stream=True)
    with closing(answer):
        if answer.status_code != 200:
            raise refusal(answer, wanted)
        said = answer.headers.get("Content-Encoding", "identity").lower()
        unpack = zlib.decompressobj(47) if said in ("gzip", "x-gzip", "deflate") else None
        if unpack is None and said != "identity":
            why = f"the server sends it encoded ({said[:20]}), which was not asked for"
            raise wanted.failed(why, "report it to the archive")
        content, came = bytearray(), 0
        with breaking():
            for block in blocks_of(answer):
                came += len(block)
                content += unpacked(unpack, block, limit, wanted)
                if len(content) > limit:
                    why = f"it has more than {limit} bytes"
                    raise wanted.failed(why, "ask for less at a time")
    total = length_of(answer)
    if (total is not None and came < total) or (unpack is not None and not unpack.eof):
        msg = f"the connection broke after {came} bytes"
        raise Passing(msg)
    return bytes(content)
