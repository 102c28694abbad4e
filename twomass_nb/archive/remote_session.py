"""How to ask a server: when, how often, how long to wait, where it may send us, in clear words."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
import urllib3.exceptions
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from .. import __version__
from ..errors import TwomassError
from . import remote_manners as rules
from .remote_manners import failed, host_of, public_url, refuse_offline
from .remote_trouble import Passing, busy, persist

__all__ = ["PoliteSession", "breaking", "connection_to"]

#: Answers after which it is worth to ask again; 500 too for files, but a service says with it
#: that the question is wrong.
_BUSY = (429, 502, 503, 504)


class _TooSlow(OSError):
    """An answer that trickles."""


class _Paced(io.RawIOBase):
    """What a socket receives; raises when it comes so slowly that it will never end.

    The wait for the first bytes does not count, nor the time the reader takes for himself.
    """

    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self._began: bool = False
        self._spent = self._got = 0.0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        start = time.monotonic()
        n: int = self._raw.readinto(buffer)
        if self._began:
            self._spent += time.monotonic() - start
            self._got += n
        self._began = True
        if n and self._spent > rules.MANNERS.slow_for:
            if self._got < rules.MANNERS.slowest * self._spent:
                msg = f"it came at {self._got / self._spent:.0f} bytes a second"
                raise _TooSlow(msg)
            self._spent = self._got = 0.0
        return n

    def close(self) -> None:
        self._raw.close()
        super().close()


class _PacedSocket:
    """A socket, except that what is read from it is paced, header and body, whoever reads."""

    def __init__(self, sock: Any) -> None:
        self._sock = sock

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def makefile(self, mode: str, *_: Any, **__: Any) -> io.BufferedReader:
        return io.BufferedReader(_Paced(self._sock.makefile(mode, buffering=0)))


class _Http(HTTPConnection):
    def connect(self) -> None:
        super().connect()
        self.sock: Any = _PacedSocket(self.sock)


class _Https(HTTPSConnection):
    def connect(self) -> None:
        super().connect()
        self.sock: Any = _PacedSocket(self.sock)


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _Http


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _Https


_POOLS = {"http": _HttpPool, "https": _HttpsPool}


class _Turns:
    """When the next request to each host may start, and how many may be open; for all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next: dict[str, float] = {}
        self._open: dict[str, threading.BoundedSemaphore] = {}

    def wait(self, host: str) -> None:
        with self._lock:
            now = time.monotonic()
            start = max(now, self._next.get(host, 0.0))
            self._next[host] = start + rules.MANNERS.interval
        time.sleep(start - now)

    def connections(self, host: str) -> threading.BoundedSemaphore:
        with self._lock:
            if host not in self._open:
                self._open[host] = threading.BoundedSemaphore(rules.MANNERS.together)
            return self._open[host]


_TURNS = _Turns()


@contextmanager
def connection_to(url: str) -> Iterator[None]:
    """Hold one of the few connections that we allow ourselves to a host."""
    with _TURNS.connections(host_of(url)):
        yield


class _Adapter(HTTPAdapter):
    """Sends one request: never offline, in its turn, with time limits, paced."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager

    def send(self, request: Any, *args: Any, **kwargs: Any) -> requests.Response:
        refuse_offline(request.url)
        _TURNS.wait(host_of(request.url))
        if kwargs.get("timeout") is None:
            kwargs["timeout"] = (rules.MANNERS.connect, rules.MANNERS.silence)
        return super().send(request, *args, **kwargs)


class PoliteSession(requests.Session):
    """A session of requests that obeys our rules; proxies and certificates as requests has them."""

    def __init__(self) -> None:
        super().__init__()
        self.max_redirects = rules.MANNERS.redirects
        # Compressed on the way, a file could not be resumed, nor its size be checked.
        self.headers.update(
            {"User-Agent": f"twomass_nb/{__version__}", "Accept-Encoding": "identity"}
        )
        self.mount("http://", _Adapter())
        self.mount("https://", _Adapter())

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Return where an answer sends us, if it may."""
        target = super().get_redirect_target(resp)
        if target is None:
            return None
        resp.close()  # its body may be endless, and is of no use
        try:
            there = urljoin(resp.url, target)
            scheme = urlsplit(there).scheme
        except ValueError:
            there, scheme = target, ""
        if scheme not in ("http", "https") or (scheme == "http" and resp.url.startswith("https:")):
            why = f"the server sends us on to {public_url(there)}, where we do not go"
            raise failed(resp.url, "", why, "report it to the archive")
        return target

    def once(
        self, method: str, url: str, *args: Any, what: str = "", **kwargs: Any
    ) -> requests.Response:
        """Ask once. Troubles become `Passing` or, where asking again is no use, `FetchError`."""
        host_of(url)
        try:
            return super().request(method, url, *args, **kwargs)
        except requests.TooManyRedirects as error:
            why = f"redirected more than {self.max_redirects} times, in a loop it seems"
            raise failed(url, what, why, "report it to the archive") from error
        except requests.exceptions.SSLError as error:
            if "CERTIFICATE_VERIFY_FAILED" not in repr(error):
                raise passing(error) from error
            why = f"the host does not prove who it is ({_reason(error)})"
            raise failed(url, what, why, "check the clock and certificates here") from error
        except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema) as error:
            raise failed(url, what, "that is no address", "correct it") from error
        except requests.RequestException as error:
            raise passing(error) from error

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> requests.Response:  # type: ignore[override]
        """Ask, again if the server is busy; for services of other packages, as pyvo's."""

        def ask() -> requests.Response:
            response = self.once(method, url, *args, **kwargs)
            if response.status_code in _BUSY:
                response.close()
                raise busy(response)
            return response

        return persist(ask, url, "the answer")


@contextmanager
def breaking() -> Iterator[None]:
    """Turn what requests, urllib3 and the socket raise while reading into `Passing` trouble."""
    try:
        yield
    except TwomassError:
        raise
    except (requests.RequestException, HTTPError, OSError) as error:
        raise passing(error) from error


def passing(error: BaseException) -> Passing:
    """Return the trouble that an exception of requests, urllib3 or the socket stands for."""
    reason = _reason(error)
    if isinstance(error, requests.exceptions.ProxyError):
        return Passing(f"the proxy could not be reached ({reason})", unreached=True)
    if any(isinstance(one, NewConnectionError | ConnectTimeoutError) for one in _nested(error)):
        return Passing(f"the host could not be reached ({reason})", unreached=True)
    return Passing(f"the connection broke ({reason})")


def _reason(error: BaseException) -> str:
    """Return what the system said at the bottom of nested exceptions, never with an address."""
    nested = _nested(error)
    for one in nested:
        if isinstance(one, _TooSlow):
            return str(one)
    for one in nested:
        if isinstance(one, OSError) and one.strerror:
            return one.strerror
    timeouts = (TimeoutError, urllib3.exceptions.TimeoutError)
    return "no answer in time" if any(isinstance(o, timeouts) for o in nested) else "cut short"


def _nested(error: BaseException) -> list[BaseException]:
    """Return an exception and all that it came from, by any of the ways in use."""
    found: list[BaseException] = []
    todo: list[Any] = [error]
    while todo:
        one = todo.pop()
        if isinstance(one, BaseException) and one not in found:
            found.append(one)
            todo += [*one.args, getattr(one, "reason", None), one.__cause__, one.__context__]
    return found
