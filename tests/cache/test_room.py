"""The cache keeps its limit, drops the longest unused first, and survives who is killed in it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twomass_nb import cache
from twomass_nb.errors import NotFoundError, WriteError


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """An empty cache of the test's own."""
    monkeypatch.setenv("TWOMASS_NB_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def _put(path: Path, size: int, age: float) -> Path:
    """Write a file last used so many seconds ago."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(size))
    when = time.time() - age
    os.utime(path, (when, when))
    return path


def _sizes(folder: Path) -> int:
    return sum(p.stat().st_size for kind in cache.DISPOSABLE for p in (folder / kind).rglob("*"))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    sizes=st.lists(st.integers(0, 100), max_size=8),
    limit=st.integers(0, 400),
    more=st.integers(0, 200),
)
def test_the_longest_unused_go_and_no_more_than_need_be(folder, sizes, limit, more):
    for kind in cache.DISPOSABLE:
        if (folder / kind).exists():
            cache.clear(kind)
    files = [
        _put(folder / cache.DISPOSABLE[k % 2] / f"{k}", size, age=100 - k)
        for k, size in enumerate(sizes)
    ]
    cache.make_room(more, limit=limit)
    kept = [file.exists() for file in files]
    assert kept == sorted(kept)  # from some age on, all are kept
    left = _sizes(folder)
    assert left + more <= limit or left == 0
    if not all(kept):  # the youngest that went had to
        assert left + sizes[kept.count(False) - 1] + more > limit


def test_what_was_used_stays_longer_and_its_times_stay_what_they_are(folder):
    old = _put(folder / "archive" / "old", 10, age=100)
    cache.keep_origin(old, 10, "0" * 64, "http://x")
    note = old.with_name(".old.json")
    os.utime(note, (1, 1))
    other = _put(folder / "archive" / "other", 10, age=50)
    before = old.stat()
    cache.mark_used(old)
    assert (old.stat().st_mtime_ns, old.stat().st_ctime_ns) == (
        before.st_mtime_ns,
        before.st_ctime_ns,
    )
    cache.make_room(0, limit=10 + note.stat().st_size)
    assert old.exists()
    assert not other.exists()


def test_only_what_is_disposable_goes_and_its_note_with_it(folder):
    kept = [_put(folder / kind / "x", 50, age=1e6) for kind in ("tables", "layouts", "sample")]
    gone = _put(folder / "archive" / "000529s" / "x", 50, age=1)
    cache.keep_origin(gone, 50, "0" * 64, "http://x")
    cache.make_room(0, limit=0)
    assert all(path.exists() for path in kept)
    assert list((folder / "archive").rglob("x*")) == []
    assert _sizes(folder / "archive") == 0


def test_parts_count_but_stay_until_they_are_stale(folder):
    part = _put(folder / "archive" / ".a.part", 60, age=3600)
    stale = _put(folder / "archive" / ".b.part", 60, age=8 * 86400)
    alone = _put(folder / "archive" / ".c.json", 60, age=8 * 86400)
    file = _put(folder / "archive" / "d", 60, age=1)
    cache.make_room(0, limit=100)
    assert part.exists()
    assert not any(path.exists() for path in (stale, alone, file))


def test_a_file_that_is_kept_is_kept(folder):
    file = _put(folder / "archive" / "a", 60, age=1)
    cache.make_room(0, keep=file, limit=10)
    assert file.exists()


def test_an_open_file_that_was_dropped_stays_readable(folder):
    file = _put(folder / "frames" / "a", 60, age=1)
    with file.open("rb") as stream:
        cache.make_room(0, limit=0)
        assert not file.exists()
        assert stream.read() == bytes(60)


_DROPPING = """
import sys, time
from pathlib import Path
from twomass_nb import cache
unlink = Path.unlink
def slow(self, missing_ok=False):
    unlink(self, missing_ok=missing_ok)
    print(self.name, flush=True)
    time.sleep(float(sys.argv[1]))
Path.unlink = slow
cache.make_room(0, limit=int(sys.argv[2]))
"""


def _dropping(pause: float, limit: int) -> subprocess.Popen:
    words = [sys.executable, "-W", "error", "-c", _DROPPING, str(pause), str(limit)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)


def test_two_processes_that_make_room_at_once_drop_no_more_than_one(folder):
    files = [_put(folder / "archive" / f"{k:02d}", 100, age=100 - k) for k in range(20)]
    both = [_dropping(0.01, 1000) for _ in range(2)]
    for process in both:
        process.communicate(timeout=60)
    assert [process.returncode for process in both] == [0, 0]
    assert [file.exists() for file in files] == [False] * 10 + [True] * 10


def test_kill_9_in_the_middle_of_dropping_leaves_whole_files_and_no_lock(folder):
    files = [_put(folder / "archive" / f"{k:02d}", 100, age=100 - k) for k in range(20)]
    for file in files:
        cache.keep_origin(file, 100, _SHA256_OF_100_ZEROS, "http://x")
    notes = sum(note.stat().st_size for note in (folder / "archive").glob(".*"))
    killed = _dropping(60, 0)
    assert killed.stdout.readline().strip() == "00"
    os.kill(killed.pid, signal.SIGKILL)
    killed.communicate(timeout=60)
    assert [file.exists() for file in files] == [False] + [True] * 19
    assert all(cache.verified(file, used=False) for file in files[1:])
    cache.make_room(0, limit=1000 + notes)
    assert sum(file.exists() for file in files) == 10


_SHA256_OF_100_ZEROS = "cd00e292c5970d3c5e2f0ffa5171e555bc46bfc4faddfb4a418b6840b86e79a3"


def test_a_cache_that_is_not_there_or_cannot_be_written_needs_no_room(tmp_path, monkeypatch):
    monkeypatch.setenv("TWOMASS_NB_CACHE", str(tmp_path / "none"))
    cache.make_room(10, limit=0)
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("TWOMASS_NB_CACHE", str(tmp_path / "file"))
    cache.make_room(10, limit=0)
    assert list(cache.usage()["kind"]) == []
    with pytest.raises(WriteError, match="set TWOMASS_NB_CACHE"), cache.locked(tmp_path / "a"):
        pass


def test_usage_and_contents_say_what_is_there(folder):
    _put(folder / "frames" / "f", 1000, age=100)
    _put(folder / "archive" / "000529s" / "a", 100, age=200)
    _put(folder / "archive" / ".b.part", 10, age=1)
    _put(folder / "layouts" / "l", 1, age=300)
    _put(folder / "twomass_scn.csv", 5, age=1)  # a person's own: none of our kinds
    used = cache.usage()
    assert used.colnames == ["kind", "files", "bytes", "disposable"]
    assert [tuple(row) for row in used] == [
        ("archive", 1, 110, True),
        ("frames", 1, 1000, True),
        ("layouts", 1, 1, False),
    ]
    assert list(cache.contents()["file"]) == ["l", "000529s/a", "f"]


def test_clear_removes_one_kind_and_says_how_much(folder):
    _put(folder / "archive" / "000529s" / "a", 100, age=1)
    layout = _put(folder / "layouts" / "l", 1, age=1)
    assert cache.clear("archive") == 100
    assert list((folder / "archive").iterdir()) == []
    assert layout.exists()


@pytest.mark.parametrize("kind", ["", ".", "..", "../..", ".locks", "no", "archive/000529s"])
def test_clear_refuses_what_is_no_kind(folder, kind):
    file = _put(folder / "archive" / "000529s" / "a", 100, age=1)
    with cache.locked(file):
        pass
    with pytest.raises(NotFoundError, match="it has archive"):
        cache.clear(kind)
    assert file.exists()


def test_clear_does_not_follow_links_out_of_the_cache(folder, tmp_path):
    outside = _put(tmp_path / "mine" / "a", 100, age=1)
    (folder / "archive").mkdir(parents=True)
    (folder / "archive" / "link").symlink_to(outside.parent)
    cache.clear("archive")
    assert outside.exists()
