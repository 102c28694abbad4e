"""Fetching by the rules: once for all who ask, politely, never where we were told not to go."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twomass_nb import TwomassError
from twomass_nb.archive import remote_manners, remote_session, remote_trouble
from twomass_nb.archive.remote import fetch_bytes, fetch_file, safe_name, session
from twomass_nb.archive.remote_manners import public_url
from twomass_nb.cache import cache_folder, locked, origin
from twomass_nb.errors import ExistsError, FetchError, OfflineError, WriteError

WHOLE = b"".join(hashlib.sha256(b"%d" % i).digest() for i in range(10_000))
SHA256 = hashlib.sha256(WHOLE).hexdigest()
NAME = "j1186063.rds.gz"


@pytest.fixture
def target(own_cache) -> Path:
    return own_cache / "archive" / NAME


# ---- what is there already --------------------------------------------------------------------


def test_a_file_is_fetched_once_and_says_where_from(serve, target):
    server = serve(files={NAME: WHOLE})
    url = server.url(f"{NAME}?token=verysecret")
    for _ in range(2):
        assert fetch_file(url, target, size=len(WHOLE), sha256=SHA256.upper()) == target
    assert len(server.log) == 1
    assert server.log[0].headers["user-agent"].startswith("twomass_nb/")
    assert server.log[0].headers["accept-encoding"] == "identity"
    noted = origin(target)
    assert (noted["size"], noted["sha256"]) == (len(WHOLE), SHA256)
    assert noted["from"] == server.url(f"{NAME}?token=...")
    assert "verysecret" not in "".join(p.read_text("latin-1") for p in target.parent.iterdir())


def test_another_file_in_the_cache_is_replaced_but_one_of_a_person_is_not(serve, target, tmp_path):
    server = serve(files={NAME: WHOLE})
    for path in (target, tmp_path / "mine" / NAME):
        path.parent.mkdir(parents=True)
        path.write_bytes(b"something else")
    fetch_file(server.url(NAME), target, sha256=SHA256)
    assert target.read_bytes() == WHOLE
    with pytest.raises(ExistsError, match="is not the J scan: move it away"):
        fetch_file(server.url(NAME), tmp_path / "mine" / NAME, sha256=SHA256, what="the J scan")
    assert (tmp_path / "mine" / NAME).read_bytes() == b"something else"


def test_outside_of_the_cache_only_the_file_itself_appears(serve, own_cache, tmp_path):
    server = serve(files={NAME: WHOLE})
    fetch_file(server.url(NAME), tmp_path / "mine" / NAME)
    assert [p.name for p in (tmp_path / "mine").iterdir()] == [NAME]


def test_a_part_that_is_whole_is_only_checked(serve, target):
    server = serve(files={NAME: WHOLE})

    def killed(path: Path) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch_file(server.url(NAME), target, check=killed)
    assert not target.exists()
    fetch_file(server.url(NAME), target)
    assert target.read_bytes() == WHOLE
    assert len(server.log) == 1


def test_ctrl_c_leaves_a_part_that_is_continued(serve, target, monkeypatch):
    server = serve(files={NAME: WHOLE}, fault="cut at 1/4", times=1)

    def interrupt(_: float) -> None:  # while waiting for the second try
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(remote_trouble.time, "sleep", interrupt)
        patch.setattr(remote_session._TURNS, "wait", lambda host: None)
        with pytest.raises(KeyboardInterrupt):
            fetch_file(server.url(NAME), target)
    assert {p.name for p in target.parent.iterdir()} == {f".{NAME}.part", f".{NAME}.part.json"}
    fetch_file(server.url(NAME), target)
    assert target.read_bytes() == WHOLE
    assert server.ranges() == [None, "bytes=80000-"]


# ---- many who ask -----------------------------------------------------------------------------

_ASK = """
import sys
from pathlib import Path
from twomass_nb.archive.remote import fetch_file
fetch_file(sys.argv[1], Path(sys.argv[2]))
"""


def _asking(url: str, target: Path) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-W", "error", "-c", _ASK, url, str(target)])


def test_processes_and_threads_that_ask_at_once_share_one_download(serve, target):
    server = serve(files={NAME: WHOLE})
    started = threading.Event()

    def answer(handler) -> None:
        started.set()
        time.sleep(0.3)  # long enough for the others to find the lock taken
        handler.good()

    server.answer = answer
    others = [_asking(server.url(NAME), target) for _ in range(2)]
    assert started.wait(60)
    threads = [
        threading.Thread(target=fetch_file, args=(server.url(NAME), target)) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [other.wait(60) for other in others] == [0, 0]
    assert len(server.log) == 1
    assert target.read_bytes() == WHOLE


def test_kill_9_in_the_middle_leaves_a_part_that_is_continued(serve, target):
    server = serve(files={NAME: WHOLE})
    half = len(WHOLE) // 2

    def answer(handler) -> None:
        handler.head(200, Content_Length=len(WHOLE))
        handler.wfile.write(WHOLE[:half])
        handler.wfile.flush()
        server.over.wait(60)

    server.answer = answer
    asking = _asking(server.url(NAME), target)
    part = target.with_name(f".{NAME}.part")
    end = time.monotonic() + 60
    while not (part.exists() and part.stat().st_size == half) and time.monotonic() < end:
        time.sleep(0.01)
    os.kill(asking.pid, signal.SIGKILL)
    assert asking.wait(60) == -signal.SIGKILL
    assert not target.exists()
    server.answer = None
    fetch_file(server.url(NAME), target, sha256=SHA256)  # nobody holds the lock of the dead
    assert server.ranges() == [None, f"bytes={half}-"]
    assert target.read_bytes() == WHOLE


def test_at_most_two_connections_to_a_host_at_a_time(serve, own_cache):
    server = serve(files={f"{k}": WHOLE for k in range(6)})
    now, most, lock = [0], [0], threading.Lock()

    def answer(handler) -> None:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.03)
        with lock:
            now[0] -= 1
        handler.good()

    server.answer = answer
    threads = [
        threading.Thread(
            target=fetch_file, args=(server.url(f"{k}"), own_cache / "archive" / f"{k}")
        )
        for k in range(3)
    ]
    threads += [threading.Thread(target=fetch_bytes, args=(server.url(f"{k}"),)) for k in (3, 4, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(server.log) == 6
    assert most[0] <= 2


def test_there_is_a_pause_between_two_requests_to_a_host(haste, monkeypatch):
    haste(interval=0.5)
    waits = []
    monkeypatch.setattr(remote_session.time, "monotonic", lambda: 100.0)
    monkeypatch.setattr(remote_session.time, "sleep", waits.append)
    turns = remote_session._Turns()
    for host in ("a", "a", "b", "a"):
        turns.wait(host)
    assert waits == [0.0, 0.5, 0.0, 1.0]


def test_every_request_waits_its_turn_redirected_ones_and_sessions_too(serve, monkeypatch):
    server = serve(files={"a": b"x"}, fault="redirect to itself", times=1)
    hosts = []
    monkeypatch.setattr(remote_session._TURNS, "wait", hosts.append)
    fetch_bytes(server.url("a"))
    with session() as asking:
        asking.get(server.url("a"))
    assert hosts == [server.address.removeprefix("http://")] * 3


# ---- how long to wait -------------------------------------------------------------------------


def test_each_wait_is_longer_but_bounded_and_never_the_same(serve, haste, monkeypatch):
    haste(attempts=9, back_off=1.0, back_off_most=10.0)
    waits = []
    server = serve(fault="500")
    monkeypatch.setattr(remote_session._TURNS, "wait", lambda host: None)
    monkeypatch.setattr(remote_trouble.time, "sleep", waits.append)
    with pytest.raises(FetchError):
        fetch_bytes(server.url("a"))
    assert len(waits) == 8
    for k, wait in enumerate(waits):
        longest = min(2.0**k, 10.0)
        assert longest / 2 <= wait <= longest
    assert len(set(waits)) == 8


@pytest.mark.parametrize(
    ("said", "wait"),
    [("7", 7.0), ("0", 0.0), ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0), ("120", 120.0)],
)
def test_what_a_busy_server_asks_for_is_waited(said, wait, serve, monkeypatch):
    waits = []
    server = serve(files={"a": b"x"})
    server.answer = lambda handler: (
        handler.head(503, Retry_After=said, Content_Length=0)
        if len(server.log) == 1
        else handler.good()
    )
    monkeypatch.setattr(remote_session._TURNS, "wait", lambda host: None)
    monkeypatch.setattr(remote_trouble.time, "sleep", waits.append)
    assert fetch_bytes(server.url("a")) == b"x"
    assert waits == [wait]


@pytest.mark.parametrize("said", ["soon", "-1", "1e9", "\u00b2", "Wed, 99 Oct 2015 07:28:00 GMT"])
def test_nonsense_about_waiting_is_ignored(said, serve):
    server = serve(files={"a": b"x"})
    server.answer = lambda handler: (
        handler.head(429, Retry_After=said, Content_Length=0)
        if len(server.log) == 1
        else handler.good()
    )
    assert fetch_bytes(server.url("a")) == b"x"


# ---- where not to go --------------------------------------------------------------------------


def test_offline_says_what_would_have_been_fetched_from_where(serve, target, monkeypatch):
    server = serve(files={NAME: WHOLE})
    monkeypatch.setenv("TWOMASS_NB_OFFLINE", "1")
    url = server.url(NAME)
    with pytest.raises(OfflineError, match=f"scan 63 in J would have been fetched from {url}"):
        fetch_file(url, target, what="scan 63 in J")
    with pytest.raises(OfflineError, match="TWOMASS_NB_OFFLINE"):
        fetch_bytes(url)
    with session() as asking, pytest.raises(OfflineError, match=url):
        asking.post(url)
    assert server.log == []
    assert not target.parent.exists()
    monkeypatch.setenv("TWOMASS_NB_OFFLINE", "0")
    fetch_file(url, target)
    monkeypatch.setenv("TWOMASS_NB_OFFLINE", "1")
    assert fetch_file(url, target) == target  # what is here needs no network


def test_a_dead_host_is_named_in_clear_words(serve, target):
    with serve_and_stop(serve) as url, pytest.raises(FetchError) as caught:
        fetch_file(url, target)
    assert str(caught.value) == (
        f"{NAME} of {url}: the host could not be reached (Connection refused), tried 2 times; "
        "check the network"
    )
    assert caught.value.status is None


def serve_and_stop(serve):
    """An address at which nobody listens any more."""
    from contextlib import nullcontext

    from servers import served

    with served() as server:
        url = server.url(NAME)
    return nullcontext(url)


def test_a_host_nobody_knows_is_named_in_clear_words(serve, target):
    with pytest.raises(FetchError, match="the host could not be reached"):
        fetch_file(f"http://no-such-host.invalid/{NAME}", target)


@pytest.mark.parametrize(
    "url", ["ftp://x/y", "file:///etc/passwd", "/etc/passwd", "", "http://", "http://[x", "http:a"]
)
def test_what_is_no_web_address_is_refused(url, network, target):
    for ask in (lambda: fetch_file(url, target), lambda: fetch_bytes(url)):
        with pytest.raises(FetchError, match="no http or https address"):
            ask()


@pytest.fixture
def serve_tls(serve, monkeypatch):
    """Start servers that speak TLS, and believe their certificate."""
    from servers import CERTIFICATE

    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(CERTIFICATE))
    return lambda **how: serve(tls=True, **how)


def test_from_https_it_never_goes_to_http(serve_tls, serve, target):
    plain, safe = serve(files={NAME: WHOLE}), serve_tls(files={NAME: WHOLE})
    safe.answer = lambda handler: handler.head(302, Content_Length=0, Location=plain.url(NAME))
    for ask in (lambda: fetch_file(safe.url(NAME), target), lambda: session().get(safe.url(NAME))):
        with pytest.raises(FetchError, match="sends us on to http:"):
            ask()
    assert plain.log == []
    safe.answer = None
    plain.answer = lambda handler: handler.head(301, Content_Length=0, Location=safe.url(NAME))
    assert fetch_file(plain.url(NAME), target).read_bytes() == WHOLE  # to https is fine


@pytest.mark.parametrize("fault", ["cut at 2/4", "trickle", "trickled header", "silent"])
def test_over_tls_the_same_faults_have_the_same_outcomes(fault, serve_tls, haste, target):
    haste(slow_for=0.1, silence=0.3 if fault == "silent" else 5.0)
    server = serve_tls(files={NAME: WHOLE}, fault=fault)
    with pytest.raises(FetchError, match="the connection broke"):
        fetch_file(server.url(NAME), target)
    haste(silence=5.0, slow_for=5.0)
    server.fault = ""
    assert fetch_file(server.url(NAME), target).read_bytes() == WHOLE
    if fault == "cut at 2/4":
        assert server.ranges()[-1] == "bytes=160000-"


def test_a_host_that_does_not_prove_who_it_is_is_refused_at_once(serve, target):
    server = serve(tls=True, files={NAME: WHOLE})
    with pytest.raises(FetchError, match="does not prove who it is"):
        fetch_file(server.url(NAME), target)
    assert server.log == []


def test_a_few_redirects_are_followed(serve, target):
    there = serve(files={NAME: WHOLE})
    here = serve()
    here.answer = lambda handler: handler.head(302, Content_Length=0, Location=there.url(NAME))
    fetch_file(here.url("elsewhere"), target)
    assert target.read_bytes() == WHOLE


def test_the_proxy_of_the_environment_is_used(serve, target, monkeypatch):
    proxy = serve()
    proxy.answer = lambda handler: handler.head(200, Content_Length=0)
    monkeypatch.setenv("http_proxy", proxy.address.replace("//", "//me:hunter2@"))
    fetch_bytes("http://archive.example/file")
    assert [asked.path for asked in proxy.log] == ["http://archive.example/file"]
    with serve_and_stop(serve) as dead:
        monkeypatch.setenv("http_proxy", dead.replace("//", "//me:hunter2@"))
        with pytest.raises(FetchError, match="the proxy could not be reached") as caught:
            fetch_bytes("http://archive.example/file")
    assert "hunter2" not in str(caught.value)


def test_no_secret_of_an_address_is_shown(serve, caplog):
    server = serve(fault="404")
    url = server.url("file?token=hunter2&ra=1").replace("//", "//me:hunter2@")
    caplog.set_level("INFO")
    with pytest.raises(FetchError) as caught:
        fetch_bytes(url)
    assert "hunter2" not in str(caught.value) + caplog.text
    assert "ra=1" in str(caught.value)


@given(st.text(), st.text(), st.text())
def test_no_user_nor_password_is_shown_whatever_they_are(user, password, path):
    from urllib.parse import quote

    shown = public_url(f"https://{quote(user, '')}:{quote(password, '')}@host/{quote(path)}")
    assert shown == f"https://host/{quote(path)}"


# ---- what a server says -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd", "/etc/passwd", "..", ".", "", ".bashrc", "a/b", "a\\b", "C:x", "con",
     "NUL.gz", "a\nb", "a\x00b", "x" * 201, "~root", "-rf/", "\u202ename", "a b"],
)  # fmt: skip
def test_a_name_that_is_no_plain_name_is_refused(name):
    with pytest.raises(FetchError, match="not taken") as caught:
        safe_name(name)
    assert "\n" not in str(caught.value)


@given(st.text(max_size=30))
def test_a_name_that_is_taken_stays_in_its_folder(name):
    try:
        taken = safe_name(name)
    except FetchError:
        return
    assert taken == name
    assert (Path("/a/b") / taken).parent == Path("/a/b")
    assert Path(taken).name == taken
    assert not taken.startswith(".")


@pytest.mark.parametrize(
    "name",
    ["j1186063.rds.gz", "aJ_asky_000529s0630256.fits", "h970607n003M009.fits.bz2",
     "2mass-atlas-000529s-j0630256.fits", "ji0630256.fits.gz"],
)  # fmt: skip
def test_names_of_the_archive_are_taken(name):
    assert safe_name(name) == name


def test_words_of_a_server_cannot_steer_a_terminal(serve, target):
    server = serve()
    page = b"<html><title>\x1b]0;owned\x07 \x1b[31m no\r\n file</title>"
    server.answer = lambda handler: (
        handler.head(200, Content_Length=len(page)),
        handler.wfile.write(page),
    )
    with pytest.raises(FetchError) as caught:
        fetch_file(server.url(NAME), target)
    assert str(caught.value).isprintable()


# ---- what the system says ---------------------------------------------------------------------


def test_a_full_disk_is_said_and_not_kept_full(serve, target, monkeypatch):
    from twomass_nb.archive.remote_part import Part

    class Full:
        """A file on a disk with room for 1000 bytes."""

        def __init__(self, file):
            self._file, self._room = file, 1000

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self._file.close()

        def write(self, rest):
            import errno

            if not self._room:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            n = self._file.write(rest[: self._room])
            self._room -= n
            return n

    opened = Part.opened
    monkeypatch.setattr(Part, "opened", lambda self: Full(opened(self)))
    server = serve(files={NAME: WHOLE})
    with pytest.raises(WriteError, match="No space left on device; make room") as caught:
        fetch_file(server.url(NAME), target)
    assert str(target) in str(caught.value)
    assert list(target.parent.iterdir()) == []
    assert len(server.log) == 1


def test_a_cache_that_cannot_be_made_is_said_but_what_is_in_it_is_used(
    serve, tmp_path, monkeypatch
):
    server = serve(files={NAME: WHOLE})
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("TWOMASS_NB_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(WriteError, match="set TWOMASS_NB_CACHE"):
        fetch_file(server.url(NAME), cache_folder() / "archive" / NAME)
    assert server.log == []


def test_a_folder_that_cannot_be_written_is_said(serve, own_cache, tmp_path):
    server = serve(files={NAME: WHOLE})
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(WriteError, match=NAME):
        fetch_file(server.url(NAME), tmp_path / "file" / NAME)


# ---- for other packages -----------------------------------------------------------------------


def test_a_session_asks_again_when_the_server_is_busy_and_passes_on_its_answers(serve):
    server = serve(files={"a": b"x"}, fault="503", times=2)
    with session() as asking:
        assert asking.get(server.url("a")).content == b"x"
        assert len(server.log) == 3
        assert asking.get(server.url("b")).status_code == 404
        server.fault, server.times = "500", None  # a TAP service's "your query is wrong"
        assert asking.get(server.url("a")).status_code == 500
        server.fault = "503"
        with pytest.raises(FetchError, match="answers 503"):
            asking.get(server.url("a"))


@pytest.mark.parametrize("fault", ["silent", "trickled header", "trickle"])
def test_a_session_hangs_no_more_than_we_do(fault, serve, haste):
    haste(silence=0.05, slow_for=0.1, attempts=2)
    server = serve(files={"a": WHOLE}, fault=fault)
    import requests

    with session() as asking, pytest.raises((TwomassError, requests.ConnectionError)):
        asking.get(server.url("a"))


def test_a_slow_reader_is_no_slow_server(serve, haste):
    haste(slow_for=0.01, slowest=1e6)
    server = serve(files={"a": WHOLE * 20})
    with session() as asking, asking.get(server.url("a"), stream=True) as answer:
        got = b""
        for block in answer.iter_content(1 << 20):
            got += block
            time.sleep(0.02)
    assert got == WHOLE * 20


# ---- locks ------------------------------------------------------------------------------------


def test_a_lock_may_be_taken_again_by_who_holds_it(own_cache):
    with locked(own_cache / "a"), locked(own_cache / "a"), locked(own_cache / "b"):
        pass


def test_manners_are_for_small_old_servers():
    assert remote_manners.Manners().together == 2
    assert remote_manners.Manners().interval >= 0.1
