"""How we behave to a server, in numbers; and what of an address may be shown or become a name."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from ..errors import FetchError, OfflineError

__all__ = ["MANNERS", "Manners", "failed", "host_of", "public_url", "refuse_offline", "safe_name"]


@dataclass(frozen=True)
class Manners:
    """Times in seconds. All were chosen, for small old servers and long files."""

    connect: float = 15.0
    #: Silence before an answer or within it; long, for a TAP service thinks before it speaks.
    silence: float = 90.0
    #: An answer slower than this, over this long, is a stall and no transfer.
    slowest: float = 500.0  # bytes a second
    slow_for: float = 60.0
    attempts: int = 5
    #: A host that cannot be reached at all is tried fewer times: most often it is our own network.
    attempts_unreached: int = 2
    back_off: float = 1.0
    back_off_most: float = 60.0
    #: A server that asks to come back later than this gets no further request now.
    retry_after_most: float = 120.0
    #: Between the starts of two requests to a host, and connections to it at a time.
    interval: float = 0.2
    together: int = 2
    redirects: int = 5
    #: No file of the archive comes near: a raw scan is 75 MB, the largest table under 1 GB.
    largest: int = 4_000_000_000


MANNERS = Manners()

_SECRET = re.compile(r"pass|pwd|token|secret|sig|key|auth|credential|session", re.IGNORECASE)
_NAME = re.compile(r"[\w+=,@-][\w.+=,@-]{0,199}", re.ASCII)
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)  # of Windows


def public_url(url: str) -> str:
    """Return an address as it may be shown: without user, password and secrets of its query."""
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
        query = parts.query
        if _SECRET.search(query):
            pairs = parse_qsl(query, keep_blank_values=True)
            query = urlencode([(k, "..." if _SECRET.search(k) else v) for k, v in pairs])
    except ValueError:
        return "an address that is none"
    return urlunsplit((parts.scheme, host, parts.path, query, ""))


def host_of(url: str) -> str:
    """Return host and port of an address.

    Raises
    ------
    FetchError
        If it is no http or https address.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        msg = f"{public_url(url)!r} is no http or https address: correct it"
        raise FetchError(msg)
    return parts.netloc.rpartition("@")[2]


def safe_name(text: str) -> str:
    """Return `text` if it can be the name of a file in a folder of ours, whoever said it.

    Raises
    ------
    FetchError
        If it is a path, hidden, empty, too long, or has characters other than letters, digits
        and ``. _ - + = , @``.
    """
    if not _NAME.fullmatch(text) or _RESERVED.fullmatch(text):
        msg = f"the server names a file {text[:80]!r}, which is not taken: report it to the archive"
        raise FetchError(msg)
    return text


def refuse_offline(url: str, what: str = "") -> None:
    """Raise `OfflineError` if the network is forbidden (``TWOMASS_NB_OFFLINE``)."""
    if os.environ.get("TWOMASS_NB_OFFLINE", "0") not in ("", "0"):
        msg = (
            f"{what or 'an answer'} would have been fetched from {public_url(url)}, but "
            "TWOMASS_NB_OFFLINE forbids it: unset it, or get the file in another way"
        )
        raise OfflineError(msg)


def failed(url: str, what: str, why: str, advice: str, status: int | None = None) -> FetchError:
    """Return the error for `what` that cannot be had from `url`."""
    text = f"{what or 'the answer'} of {public_url(url)}: {why}; {advice}"
    # Some of it is a server's own words: one line, and nothing that steers a terminal.
    error = FetchError(" ".join("".join(c if c.isprintable() else " " for c in text).split()))
    error.status = status
    return error
