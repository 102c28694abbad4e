"""Which troubles may pass, and how often and after how long it is polite to ask again."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, TypeVar

from . import remote_manners as rules
from .remote_manners import failed

if TYPE_CHECKING:
    import requests

__all__ = ["Passing", "busy", "persist"]

T = TypeVar("T")


class Passing(Exception):
    """A trouble that may be over at the next attempt."""

    def __init__(self, why: str, wait: float | None = None, unreached: bool = False) -> None:
        super().__init__(why)
        self.wait = wait
        self.unreached = unreached


def busy(response: requests.Response) -> Passing:
    """Return the trouble that a status of 429 or 5xx is."""
    return Passing(f"the server answers {_status(response)}", _retry_after(response))


def _status(response: requests.Response) -> str:
    return f"{response.status_code} {(response.reason or '')[:60]}".strip()


def _retry_after(response: requests.Response) -> float | None:
    """Return the seconds that a server asks us to wait; it says them, or a date."""
    said = response.headers.get("Retry-After", "").strip()
    if re.fullmatch("[0-9]{1,9}", said):
        return float(said)
    try:
        date = parsedate_to_datetime(said)
    except ValueError:
        return None
    return max(0.0, (date.replace(tzinfo=date.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def persist(attempt: Callable[[], T], url: str, what: str) -> T:
    """Call `attempt` until there is no `Passing` trouble, a few times, waiting longer each time.

    Raises
    ------
    FetchError
        If the trouble does not pass.
    """
    manners = rules.MANNERS
    k = 0
    while True:
        k += 1
        try:
            return attempt()
        except Passing as trouble:
            why = str(trouble)
            wait = trouble.wait
            if wait is not None and wait > manners.retry_after_most:
                why += f" and asks to come back in {wait:.0f} s"
                raise failed(url, what, why, "try again then") from trouble
            most = manners.attempts_unreached if trouble.unreached else manners.attempts
            if k >= most:
                why += f", tried {k} times"
                advice = "check the network" if trouble.unreached else "try again later"
                raise failed(url, what, why, advice) from trouble
        if wait is None:
            longest = min(manners.back_off * 2 ** (k - 1), manners.back_off_most)
            wait = random.uniform(0.5, 1.0) * longest
        time.sleep(wait)
