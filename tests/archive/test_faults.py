"""Whatever a server does: the right bytes, or a clear error and nothing but a part to go on with.

Run this file (``python tests/archive/test_faults.py``) for the table of fault and outcome.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from twomass_nb.archive.remote import fetch_bytes, fetch_file
from twomass_nb.cache import cache_folder, origin
from twomass_nb.errors import FetchError, TwomassError

#: What is fetched: bytes that are not the same backwards, nor in any other place.
WHOLE = b"".join(hashlib.sha256(b"%d" % i).digest() for i in range(10_000))
NAME = "j1186063.rds.gz"
KNOWN = {"size": len(WHOLE), "sha256": hashlib.sha256(WHOLE).hexdigest()}


class Case(NamedTuple):
    """A fault, what is known of the file, and what must come of it."""

    fault: str
    outcome: str  # a part of the error's text; empty if the file comes all the same
    part: bool = False  # whether a part stays, from which a second try goes on
    tries: int | None = None  # requests that reach the server
    known: dict[str, Any] = {}  # noqa: RUF012


CASES = (
    Case("trickle", "bytes a second", part=True, tries=5),
    Case("trickled header", "bytes a second", tries=5),
    Case("silent", "no answer in time", tries=5),
    Case("nothing", "the connection broke", tries=5),
    Case("no HTTP", "the connection broke", tries=5),
    Case("cut at 0/4", "the connection broke (cut short)", tries=5),
    Case("cut at 1/4", "the connection broke (cut short)", part=True, tries=5),
    Case("cut at 2/4", "the connection broke (cut short)", part=True, tries=5),
    Case("cut at 3/4", "the connection broke (cut short)", part=True, tries=5),
    Case("truncated", "after 160000 of 320000 bytes", part=True, tries=5, known=KNOWN),
    Case("wrong length", "320004 bytes, not 320000", tries=1, known=KNOWN),
    Case("wrong bytes", "its SHA-256 is", tries=1, known=KNOWN),
    Case("announces too much", "too many to be true", tries=1),
    Case("nonsense length", "", tries=1, known=KNOWN),
    Case("endless", "goes on beyond", tries=1),
    Case("encoded", "sends it encoded (br)", tries=1),
    Case("404", "it is not there (404)", tries=1),
    Case("403", "the server refuses (403)", tries=1),
    Case("204", "the server answers 204", tries=1),
    Case("429", "the server answers 429", tries=5),
    Case("429 for an hour", "asks to come back in 3600 s", tries=1),
    Case("500", "the server answers 500", tries=5),
    Case("503", "the server answers 503", tries=5),
    Case("HTML", "sends a web page (HTML) 'Please log in' instead", tries=1),
    Case("HTML, said to be data", "sends a web page (HTML) 'Please log in' instead", tries=1),
    Case("redirect loop", "redirected more than 5 times", tries=6),
    Case("redirect to itself", "redirected more than 5 times", tries=6),
    Case("redirect to a file", "sends us on to file:///etc/passwd", tries=1),
    Case("redirect to ftp", "sends us on to ftp://127.0.0.1/x", tries=1),
    Case("redirect to nowhere", "sends us on to an address that is none", tries=1),
    Case("hostile name", "", tries=1),
    Case("range ignored", "", tries=1),
    Case("another range", "the server answers 206", tries=5),
    Case("always 416", "the server answers 416", tries=5),
)
#: What can be found only if something is known about the file.
UNKNOWABLE = {"wrong length", "wrong bytes", "truncated", "nonsense length"}


def _fetch(server, known: dict[str, Any]) -> tuple[Path, FetchError | None]:
    target = cache_folder() / "archive" / "000529s" / NAME
    try:
        return fetch_file(server.url(NAME), target, **known), None
    except FetchError as error:
        return target, error


def _hurry(fault: str) -> dict[str, float]:
    """Return the time limits short where the fault is about them; else a busy machine fails."""
    quick = {"silent": {"silence": 0.05}, "trickle": {"slow_for": 0.1}}
    quick["trickled header"] = quick["trickle"]
    return {"largest": 50_000_000, **quick.get(fault, {})}


def _left(target: Path) -> set[str]:
    return {p.name for p in target.parent.iterdir()} if target.parent.exists() else set()


_PART = {f".{NAME}.part", f".{NAME}.part.json"}
_DONE = {NAME, f".{NAME}.json"}


def test_every_fault_is_in_the_table():
    from servers import FAULTS

    assert set(FAULTS) - {"gzip bomb"} == {case.fault for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.fault)
def test_a_fault_has_its_outcome_and_a_second_try_goes_on(case, serve, haste, own_cache):
    haste(**_hurry(case.fault))
    server = serve(files={NAME: WHOLE}, fault=case.fault)
    target, error = _fetch(server, case.known)
    assert len(server.log) == case.tries
    if case.outcome:
        assert case.outcome in str(error)
        assert "\n" not in str(error)
        assert NAME in str(error)
        assert _left(target) == (_PART if case.part else set())
        had = (target.parent / f".{NAME}.part").stat().st_size if case.part else 0
        assert (had > 0) == case.part
        if case.fault.startswith("cut"):
            assert had == len(WHOLE) * int(case.fault[7]) // 4  # nothing that came is lost
    else:
        assert error is None
        had = 0

    server.fault = ""
    server.log.clear()
    target, error = _fetch(server, case.known)
    assert error is None
    assert target.read_bytes() == WHOLE
    assert _left(target) == _DONE
    assert origin(target)["sha256"] == KNOWN["sha256"]
    if case.part:
        assert server.ranges() == [f"bytes={had}-"]
    elif case.outcome:
        assert server.ranges() == [None]
    else:
        assert server.log == []  # it was there


@pytest.mark.parametrize("case", [c for c in CASES if c.tries == 5], ids=lambda c: c.fault)
def test_a_fault_that_passes_is_not_even_noticed(case, serve, haste, own_cache):
    haste(**_hurry(case.fault))
    server = serve(files={NAME: WHOLE}, fault=case.fault, times=1)
    target, error = _fetch(server, case.known)
    assert error is None
    assert target.read_bytes() == WHOLE
    if case.part:
        assert server.ranges()[1] is not None


def test_a_line_that_breaks_at_every_quarter_is_gone_through_in_four(serve, own_cache):
    server = serve(files={NAME: WHOLE})

    def answer(handler) -> None:
        from servers import FAULTS

        if len(server.log) > 3:
            handler.good()
        else:
            FAULTS[f"cut at {len(server.log)}/4"](handler)

    server.answer = answer
    target, error = _fetch(server, {})
    assert error is None
    assert target.read_bytes() == WHOLE
    quarter = len(WHOLE) // 4
    assert server.ranges() == [None] + [f"bytes={k * quarter}-" for k in (1, 2, 3)]


@pytest.mark.parametrize("fault", ["range ignored", "another range", "always 416", "500", "HTML"])
def test_a_part_survives_what_else_goes_wrong(fault, serve, own_cache):
    """The first quarter is there; now the server misbehaves; then all is well again."""
    server = serve(files={NAME: WHOLE}, fault="cut at 1/4")
    _fetch(server, {})
    server.fault = fault
    target, error = _fetch(server, {})
    assert (error is None) == (fault == "range ignored")
    kept = fault in ("500", "HTML")
    assert _left(target) == (_DONE if error is None else _PART if kept else set())
    server.fault = ""
    server.log.clear()
    target, error = _fetch(server, {})
    assert error is None
    assert target.read_bytes() == WHOLE
    if kept:
        assert server.ranges() == ["bytes=80000-"]


def test_another_version_is_not_mixed_with_the_part_of_the_first(serve, own_cache):
    server = serve(files={NAME: WHOLE}, fault="cut at 2/4")
    _fetch(server, {})
    server.fault, server.etag, server.files = "", '"2"', {NAME: WHOLE[::-1]}
    target, _ = _fetch(server, {})
    assert target.read_bytes() == WHOLE[::-1]
    assert server.log[-1].headers["if-range"] == '"1"'


def test_a_server_that_lies_about_its_version_is_found_out_by_the_answer(serve, own_cache):
    """It goes on with the new file where the old one broke, as one that ignores If-Range."""
    server = serve(files={NAME: WHOLE}, fault="cut at 2/4")
    _fetch(server, {})
    server.fault, server.etag, server.files = "", '"2"', {NAME: WHOLE[::-1]}

    def answer(handler) -> None:
        del handler.headers["If-Range"]
        handler.good()

    server.answer = answer
    target, _ = _fetch(server, {})
    assert target.read_bytes() == WHOLE[::-1]


@pytest.mark.parametrize("etag", [None, 'W/"1"'])
def test_a_part_of_no_version_is_continued_only_if_the_hash_is_known(etag, serve, own_cache):
    server = serve(files={NAME: WHOLE}, fault="cut at 2/4", etag=etag)
    target, _ = _fetch(server, {})
    assert server.ranges() == [None] * 5
    server.log.clear()
    target, _ = _fetch(server, KNOWN)
    assert server.ranges()[1:] == ["bytes=160000-"] * 4
    # The old half was of something else: the hash tells, and all of it is fetched again.
    (target.parent / f".{NAME}.part").write_bytes(WHOLE[:160_000][::-1])
    server.fault = ""
    server.log.clear()
    target, error = _fetch(server, KNOWN)
    assert error is None
    assert server.ranges() == ["bytes=160000-", None]
    assert target.read_bytes() == WHOLE


def test_what_a_check_refuses_never_takes_the_name(serve, own_cache):
    server = serve(files={NAME: WHOLE})

    def check(path: Path) -> None:
        assert path.read_bytes() == WHOLE
        msg = "it is no gzip file"
        raise TwomassError(msg)

    target, error = _fetch(server, {"check": check})
    assert "not what it should be (it is no gzip file)" in str(error)
    assert _left(target) == set()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.fault)
def test_small_answers_meet_the_same_faults(case, serve, haste, own_cache):
    haste(**_hurry(case.fault))
    server = serve(files={NAME: WHOLE}, fault=case.fault)
    if case.fault.startswith("HTML") or (case.fault in UNKNOWABLE) or not case.outcome:
        assert fetch_bytes(server.url(NAME))  # index pages are HTML; nothing else is known
        return
    with pytest.raises(FetchError) as caught:
        fetch_bytes(server.url(NAME), limit=1_000_000)
    assert "\n" not in str(caught.value)
    server.fault = ""
    assert fetch_bytes(server.url(NAME)) == WHOLE


def test_a_bomb_does_not_go_off(serve, own_cache):
    server = serve(fault="gzip bomb")
    with pytest.raises(FetchError, match="more than 1000000 bytes"):
        fetch_bytes(server.url("answer.xml"), limit=1_000_000)
    assert len(fetch_bytes(server.url("answer.xml"))) == 20_000_000


def test_no_name_of_a_server_leads_out_of_the_folder(serve, own_cache, tmp_path):
    server = serve(files={NAME: WHOLE}, fault="hostile name")
    target, error = _fetch(server, {})
    assert error is None
    assert _left(target) == _DONE
    assert {p.name for p in own_cache.iterdir()} == {"archive", ".locks"}


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", __file__]))
