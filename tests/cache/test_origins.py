"""A file in the cache is what was fetched, or it is dropped with a warning."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from twomass_nb import TwomassWarning, cache

CONTENT = b"frames of a scan"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def file(tmp_path, monkeypatch) -> Path:
    """A file fetched into a cache of the test's own."""
    monkeypatch.setenv("TWOMASS_NB_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "cache" / "archive" / "a"
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT)
    cache.keep_origin(path, len(CONTENT), SHA256, "http://archive.example/a")
    return path


def test_a_file_that_is_right_is_hashed_once(file, monkeypatch):
    assert cache.verified(file)
    monkeypatch.setattr(hashlib, "file_digest", None)
    assert cache.verified(file)
    assert cache.origin(file)["from"] == "http://archive.example/a"
    assert cache.origin(file)["when"].endswith("+00:00")


@pytest.mark.parametrize("content", [CONTENT[:-1], CONTENT[::-1], b"", CONTENT + b"x"])
def test_a_damaged_file_is_dropped_with_a_warning(file, content):
    assert cache.verified(file)
    file.write_bytes(content)
    os.utime(file, (1, 1))
    with pytest.warns(TwomassWarning, match="was damaged and is dropped"):
        assert not cache.verified(file)
    assert list(file.parent.iterdir()) == []


def test_damage_behind_the_back_of_the_system_is_found_by_looking_again(file):
    """The disk changed a bit: size and times are what they were."""
    assert cache.verified(file)
    before = file.stat()
    file.write_bytes(CONTENT[::-1])
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.warns(TwomassWarning, match="damaged"):
        assert not cache.verified(file, used=False)


def test_a_file_of_which_nothing_is_known_is_taken_as_it_is(file, tmp_path):
    for path in (file.with_name("b"), tmp_path / "outside"):
        path.write_bytes(b"x")
        assert cache.verified(path)
        assert cache.origin(path) is None
    assert not cache.verified(file.with_name("none"))
    assert not cache.verified(file.parent)


@pytest.mark.parametrize("note", ["", "{}", "[]", "nonsense", '{"size": 3}'])
def test_a_broken_note_is_no_note(file, note):
    file.with_name(".a.json").write_text(note)
    assert cache.origin(file) is None
    assert cache.verified(file)


def test_nothing_is_noted_of_files_outside(file, tmp_path):
    outside = tmp_path / "outside"
    outside.write_bytes(b"x")
    cache.keep_origin(outside, 1, "0" * 64, "http://x")
    assert not (tmp_path / ".outside.json").exists()
    assert cache.verified(outside)
