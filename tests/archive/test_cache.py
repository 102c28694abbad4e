"""Fetching and the cache: what is damaged is fetched again, and the limit holds meanwhile."""

from __future__ import annotations

import hashlib
import json

import pytest

from twomass_nb import TwomassWarning, cache
from twomass_nb.archive.remote import fetch_file
from twomass_nb.cli import main

FILES = {f"{k}": hashlib.sha256(b"%d" % k).digest() * 1000 for k in range(5)}


def test_a_damaged_file_is_fetched_again(serve, own_cache):
    server = serve(files=FILES)
    target = own_cache / "archive" / "0"
    fetch_file(server.url("0"), target)
    target.write_bytes(FILES["0"][:-1] + b"x")
    with pytest.warns(TwomassWarning, match="damaged"):
        fetch_file(server.url("0"), target)
    assert target.read_bytes() == FILES["0"]
    assert len(server.log) == 2


def test_the_limit_holds_while_files_come(serve, own_cache, monkeypatch):
    monkeypatch.setenv("TWOMASS_NB_CACHE_SIZE", "100 kB")  # three files
    server = serve(files=FILES)
    targets = [own_cache / "archive" / name for name in FILES]
    for target in targets:
        fetch_file(server.url(target.name), target)
        used = cache.usage()
        assert sum(used["bytes"]) <= 100_000
    assert [target.exists() for target in targets] == [False, False, True, True, True]


def test_a_file_beyond_the_limit_is_fetched_all_the_same(serve, own_cache, monkeypatch):
    monkeypatch.setenv("TWOMASS_NB_CACHE_SIZE", "1 kB")
    server = serve(files=FILES)
    for name in "01":
        assert fetch_file(server.url(name), own_cache / "archive" / name).exists()
    assert not (own_cache / "archive" / "0").exists()


# ---- twomass-nb cache -------------------------------------------------------------------------


@pytest.fixture
def full(serve, own_cache):
    """A cache with five files fetched and one layout learnt."""
    server = serve(files=FILES)
    for name in FILES:
        fetch_file(server.url(name), own_cache / "archive" / name)
    (own_cache / "layouts").mkdir()
    (own_cache / "layouts" / "l.json").write_text("{}")
    return own_cache


def _said(capsys, *words: str, code: int = 0):
    assert main(["cache", *words, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def test_info_says_where_how_big_and_what(full, capsys):
    found = _said(capsys)
    assert found == _said(capsys, "info")
    assert (found["folder"], found["limit"]) == (str(full), 20_000_000_000)
    kinds = {kind["kind"]: kind for kind in found["kinds"]}
    assert kinds["archive"]["files"] == 5
    assert found["used"] == kinds["archive"]["bytes"] > 160_000
    assert main(["cache"]) == 0
    said = capsys.readouterr().out
    assert str(full) in said
    assert "20.0 GB" in said


def test_list_says_each_file_and_where_it_is_from(full, capsys):
    found = _said(capsys, "list")
    assert {row["file"] for row in found} == {*FILES, "l.json"}
    assert {row["bytes"] for row in found if row["kind"] == "archive"} == {32_000}
    assert next(row["from"] for row in found if row["file"] == "3").endswith("/3")
    assert main(["cache", "list"]) == 0
    assert "32.0 kB  archive/3  http://127.0.0.1" in capsys.readouterr().out


def test_clear_clears_what_is_named(full, capsys):
    assert set(_said(capsys, "clear", "archive")) == {"archive"}
    assert _said(capsys)["used"] == 0
    assert main(["cache", "clear", "everything"]) == 1
    assert "it has archive, layouts" in capsys.readouterr().err
    assert (full / "layouts" / "l.json").exists()


def test_limit_drops_what_is_beyond_it(full, capsys, monkeypatch):
    assert _said(capsys, "limit")["dropped"] == 0
    found = _said(capsys, "limit", "70 kB")
    assert found["limit"] == 70_000
    assert 32_000 < found["used"] <= 70_000
    monkeypatch.setenv("TWOMASS_NB_CACHE_SIZE", "0")
    assert _said(capsys, "limit")["used"] == 0


def test_verify_finds_the_damaged_and_drops_them(full, capsys):
    assert _said(capsys, "verify") == {"right": 5, "damaged": [], "others": 1}
    (full / "archive" / "3").write_bytes(b"broken")
    found = _said(capsys, "verify", code=1)
    assert found == {"right": 4, "damaged": ["archive/3"], "others": 1}
    assert not (full / "archive" / "3").exists()
    assert _said(capsys, "verify")["right"] == 4


def test_an_empty_cache_is_no_trouble(own_cache, capsys):
    assert _said(capsys)["kinds"] == []
    assert _said(capsys, "list") == []
    assert _said(capsys, "verify")["right"] == 0
    assert not own_cache.exists()
    assert main(["cache", "limit"]) == 0
