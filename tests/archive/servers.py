"""Servers on the loopback that misbehave on purpose, in every way a test names."""

from __future__ import annotations

import gzip
import re
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

__all__ = ["CERTIFICATE", "FAULTS", "Asked", "Server", "served"]


@dataclass
class Asked:
    """One request that came."""

    path: str
    headers: dict[str, str]
    when: float

    @property
    def range(self) -> str | None:
        return self.headers.get("range")


@dataclass
class Server:
    """What a server has and how it behaves; a test may change both while it runs.

    `fault` names one of `FAULTS`; only the first `times` requests meet it, all if None.
    `answer`, if given, takes over: it gets the handler and does what it likes.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    fault: str = ""
    times: int | None = None
    etag: str = '"1"'
    answer: Callable[[Handler], None] | None = None
    log: list[Asked] = field(default_factory=list)
    address: str = ""
    over: Event = field(default_factory=Event)

    def url(self, path: str) -> str:
        return f"{self.address}/{path}"

    def ranges(self) -> list[str | None]:
        """What was asked for, request by request."""
        return [asked.range for asked in self.log]


class Handler(BaseHTTPRequestHandler):
    """Answers GET with files, ranges of them, or a fault."""

    protocol_version = "HTTP/1.1"
    state: Server

    def do_GET(self) -> None:
        state = self.state
        headers = {name.lower(): value for name, value in self.headers.items()}
        state.log.append(Asked(self.path, headers, time.monotonic()))
        self.close_connection = True
        faulty = state.fault and (state.times is None or len(state.log) <= state.times)
        if state.answer is not None:
            state.answer(self)
        elif faulty:
            FAULTS[state.fault](self)
        else:
            self.good()

    do_POST = do_GET

    def content(self) -> bytes | None:
        return self.state.files.get(self.path.lstrip("/").partition("?")[0])

    def head(self, status: int, **headers: Any) -> None:
        """Send status and headers; underscores stand for hyphens."""
        self.send_response(status)
        for name, value in {"ETag": self.state.etag, "Connection": "close", **headers}.items():
            if value is not None:
                self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()

    def good(self) -> None:
        """Answer as a good server does."""
        whole = self.content()
        if whole is None:
            self.head(404, Content_Length=0)
            return
        start = self.asked_start()
        if start is None:
            self.head(200, Content_Length=len(whole), Content_Type="application/octet-stream")
            self.wfile.write(whole)
        elif start >= len(whole):
            self.head(416, Content_Length=0, Content_Range=f"bytes */{len(whole)}")
        else:
            said = f"bytes {start}-{len(whole) - 1}/{len(whole)}"
            self.head(206, Content_Length=len(whole) - start, Content_Range=said)
            self.wfile.write(whole[start:])

    def asked_start(self) -> int | None:
        """The first byte asked for, if a range is asked for of just this version."""
        match = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if match is None or self.headers.get("If-Range", self.state.etag) != self.state.etag:
            return None
        return int(match[1])

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def _cut(quarter: int) -> Callable[[Handler], None]:
    """Break the connection after each quarter of the whole, wherever it began."""

    def fault(handler: Handler) -> None:
        whole = handler.content() or b""
        start = handler.asked_start() or 0
        end = max(len(whole) * quarter // 4, start)
        if start:
            said = f"bytes {start}-{len(whole) - 1}/{len(whole)}"
            handler.head(206, Content_Length=len(whole) - start, Content_Range=said)
        else:
            handler.head(200, Content_Length=len(whole))
        handler.wfile.write(whole[start:end])

    return fault


def _status(status: int, **headers: Any) -> Callable[[Handler], None]:
    return lambda handler: handler.head(status, Content_Length=0, **headers)


def _with(change: Callable[[bytes], bytes], **headers: Any) -> Callable[[Handler], None]:
    """Send the file changed, with its length as it then is unless `headers` say other."""

    def fault(handler: Handler) -> None:
        body = change(handler.content() or b"")
        handler.head(200, **{"Content_Length": len(body), **headers})
        handler.wfile.write(body)

    return fault


def _trickle(handler: Handler) -> None:
    """Send a byte now and then, without end, each in time for a read timeout."""
    whole = handler.content() or b""
    handler.head(200, Content_Length=len(whole))
    for byte in whole:
        if handler.state.over.wait(0.01):
            return
        handler.wfile.write(bytes([byte]))


def _trickled_header(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
    while not handler.state.over.wait(0.01):
        handler.wfile.write(b"x")


def _silent(handler: Handler) -> None:
    handler.state.over.wait(30)


def _endless(handler: Handler) -> None:
    handler.head(200)
    while not handler.state.over.is_set():
        handler.wfile.write(bytes(65536))


def _ignored_range(handler: Handler) -> None:
    whole = handler.content() or b""
    handler.head(200, Content_Length=len(whole))
    handler.wfile.write(whole)


def _other_range(handler: Handler) -> None:
    """Answer 206 with a part that was not asked for."""
    whole = handler.content() or b""
    handler.head(206, Content_Length=8, Content_Range=f"bytes 0-7/{len(whole)}")
    handler.wfile.write(whole[:8])


def _loop(handler: Handler) -> None:
    there = handler.path.rstrip("/")
    handler.head(302, Content_Length=0, Location=there + "/a" if len(there) < 900 else "/a")


_BOMB = gzip.compress(bytes(20_000_000), 1)
_PAGE = b"<!DOCTYPE html>\n<html><head><title>Please log\n in</title></head><body>no</body></html>"

#: Fault by fault: what the server does instead of what it should.
FAULTS: dict[str, Callable[[Handler], None]] = {
    "trickle": _trickle,
    "trickled header": _trickled_header,
    "silent": _silent,
    "endless": _endless,
    "truncated": _with(lambda body: body[: len(body) // 2], Content_Length=None),
    "wrong length": _with(lambda body: body + b"more"),
    "wrong bytes": _with(lambda body: body[::-1]),
    "announces too much": _with(lambda body: body, Content_Length=10**15),
    "nonsense length": _with(lambda body: body, Content_Length="\u00b2"),
    "encoded": _with(lambda body: body, Content_Encoding="br"),
    "gzip bomb": _with(lambda _: _BOMB, Content_Encoding="gzip"),
    "404": _status(404),
    "403": _status(403),
    "429": _status(429, Retry_After=0),
    "429 for an hour": _status(429, Retry_After=3600),
    "500": _status(500),
    "503": _status(503, Retry_After=0),
    "204": _status(204),
    "HTML": _with(lambda _: _PAGE, Content_Type="text/html"),
    "HTML, said to be data": _with(lambda _: _PAGE, Content_Type="application/fits"),
    "redirect loop": _loop,
    "redirect to itself": lambda handler: _status(302, Location=handler.path)(handler),
    "redirect to a file": _status(302, Location="file:///etc/passwd"),
    "redirect to ftp": _status(301, Location="ftp://127.0.0.1/x"),
    "redirect to nowhere": _status(302, Location="http://[::bad/x"),
    "hostile name": _with(
        lambda body: body, Content_Disposition='attachment; filename="../../../etc/passwd"'
    ),
    "range ignored": _ignored_range,
    "another range": _other_range,
    "always 416": _status(416, Content_Range="bytes */1"),
    "nothing": lambda handler: None,
    "no HTTP": lambda handler: handler.wfile.write(b"SSH-2.0-OpenSSH\r\n"),
    **{f"cut at {q}/4": _cut(q) for q in range(4)},
}


#: Who believes this certificate believes the servers that speak TLS.
CERTIFICATE = Path(__file__).with_name("loopback.pem")


@contextmanager
def served(tls: bool = False, **how: Any) -> Iterator[Server]:
    """Run a server on the loopback while the context lasts."""
    state = Server(**how)
    handler = type("Bound", (Handler,), {"state": state})
    server = _Quiet(("127.0.0.1", 0), handler)
    state.address = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield state
    finally:
        state.over.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Quiet(ThreadingHTTPServer):
    daemon_threads = False
    block_on_close = True

    def handle_error(self, *_: Any) -> None:
        """Say nothing: clients that hang up are what the tests are about."""
