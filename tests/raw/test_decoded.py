"""Frames kept in the cache: the right ones, or none; whoever writes, drops, breaks or is killed."""

from __future__ import annotations

import gc
import gzip
import os
import pickle
import signal
import subprocess
import sys
import time
import weakref
from pathlib import Path

import numpy as np
import pytest

import twomass_nb as tm
from twomass_nb import cache
from twomass_nb.errors import RawFileError
from twomass_nb.raw import decoded, source

LAYOUT = tm.Layout("f b r Y X y x")
OTHER = tm.Layout("f b r Y X x y")
AGO = 1_000_000_000  # a time, s, long before any file of these tests is read
INNERMOST = tm.Layout("r Y y X x b f")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("TWOMASS_NB_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "frames"


@pytest.fixture
def rds(write, science) -> Path:
    return write("k1186063.rds.gz", science[:6], LAYOUT)


@pytest.fixture
def unread(monkeypatch):
    """Fail when the file itself is read."""

    def refuse() -> None:
        for reading in ("read_content", "decode_file"):
            monkeypatch.setattr(source, reading, None)

    return refuse


def read(path: Path, layout: tm.Layout | None = LAYOUT) -> np.ndarray:
    """Return the frames, once they are stored."""
    scan = tm.open_scan(path, layout=layout)
    frames = scan.frames
    stored(scan)
    return frames


def stored(scan: tm.RawScan) -> None:
    """Wait until the frames of a scan are stored."""
    if scan._source._storing:
        scan._source._storing[0].join()


def age(monkeypatch) -> None:
    """Let the files of this test be old enough to be known by their status."""
    monkeypatch.setattr(decoded, "_RACY", 0)


@pytest.mark.parametrize("layout", [LAYOUT, INNERMOST, tm.Layout("f r Y y X x b", False, 4, "f")])
@pytest.mark.parametrize("name", ["k1186063.rds.gz", "k1186063.rds"])
def test_frames_come_from_the_cache_the_second_time(
    write, science, unread, monkeypatch, layout, name
):
    age(monkeypatch)
    path = write(name, science[:6], layout)
    np.testing.assert_array_equal(read(path, layout), science[:6])
    if name.endswith(".gz") or layout != LAYOUT:
        unread()
    again = tm.open_scan(path, layout=layout)
    np.testing.assert_array_equal(again.r2(4), science[4, 1])
    assert not again.r2(4).flags.writeable
    np.testing.assert_array_equal(again.frames, science[:6])
    assert again.n_frames == 6


def test_what_was_found_is_found_again(rds, write, science, unread, monkeypatch):
    age(monkeypatch)
    path = write("k1186063.rds.gz", science, LAYOUT)
    first = tm.open_scan(path)
    np.testing.assert_array_equal(first.r1(39), science[39, 0])
    stored(first)
    unread()
    again = tm.open_scan(path)
    assert (again.layout, again.layout_source) == (LAYOUT, first.layout_source)
    np.testing.assert_array_equal(again.r1(39), science[39, 0])


def test_an_order_is_chosen_again_once_another_was_learnt(write, science, unread, monkeypatch):
    age(monkeypatch)
    path = write("k1186063.rds.gz", science, LAYOUT)
    read(path, None)
    learnt = cache.cache_folder() / "layouts" / "new.json"
    learnt.parent.mkdir(exist_ok=True)
    learnt.write_text("{}")
    unread()
    with pytest.raises(TypeError):
        tm.open_scan(path)


def test_an_order_of_other_files_is_chosen_anew_every_time(write, simulated, science, monkeypatch):
    age(monkeypatch)
    write("k1186063.rds.gz", science, LAYOUT)
    dark = simulated("k", 16, 32, "dark")
    path = write("k1186995.rds.gz", dark, LAYOUT)
    for _ in range(2):
        np.testing.assert_array_equal(read(path, None), dark)
    assert decoded.recall(path, "rds")[1] is None


def test_every_layout_has_frames_of_its_own(rds, science, monkeypatch):
    age(monkeypatch)
    for _ in range(2):
        np.testing.assert_array_equal(read(rds), science[:6])
        np.testing.assert_array_equal(read(rds, OTHER), OTHER.decode(LAYOUT.encode(science[:6]), 6))


def test_a_file_changed_before_its_hash_is_known_stores_nothing(rds, science, folder, monkeypatch):
    """Frames are hashed while they are looked at; by then the file may be another."""
    age(monkeypatch)
    new = gzip.compress(LAYOUT.encode(science[6:12]), 1)

    def late(path):
        path.write_bytes(new)
        return decoded.digest_of(path)

    with monkeypatch.context() as patch:
        patch.setattr(source, "digest_of", late)
        np.testing.assert_array_equal(read(rds), science[:6])
    assert list(folder.glob("*.frames")) == []
    np.testing.assert_array_equal(read(rds), science[6:12])


def test_a_file_just_written_is_hashed_as_it_is_read(rds, science, monkeypatch):
    """Another of the same size and times could not be told from it later."""
    monkeypatch.setattr(source, "digest_of", None)
    np.testing.assert_array_equal(read(rds), science[:6])
    assert decoded.recall(rds, "rds")


def test_a_copy_needs_no_room(rds, folder, science):
    read(rds)
    copy = rds.with_name("k1186064.rds.gz")
    copy.write_bytes(rds.read_bytes())
    np.testing.assert_array_equal(read(copy), science[:6])
    assert len(list(folder.glob("*.frames"))) == 1


def test_a_file_rewritten_at_once_with_the_same_size_and_time(night, science):
    """The times of the two may be equal, as the size is: only the content differs."""
    path = night / "k1186063.rds"
    for frames in (science[:2], science[2:4], science[4:6]):
        path.write_bytes(INNERMOST.encode(frames))
        os.utime(path, (AGO, AGO))
        np.testing.assert_array_equal(read(path, INNERMOST), frames)


def test_a_file_is_hashed_again_only_while_its_times_say_little(rds, monkeypatch):
    read(rds)
    hashed = []
    monkeypatch.setattr(decoded, "digest_of", lambda path: hashed.append(path) or "")
    assert decoded.recall(rds, "rds") is None
    assert hashed
    age(monkeypatch)
    assert decoded.recall(rds, "rds") is not None
    assert len(hashed) == 1


def test_warnings_are_repeated(rds, science, unread, monkeypatch):
    age(monkeypatch)
    rds.write_bytes(rds.read_bytes()[:-30_000])
    for _ in range(2):
        with pytest.warns(tm.TwomassWarning, match="last whole frame is 4"):
            scan = tm.open_scan(rds, layout=LAYOUT)
        np.testing.assert_array_equal(scan.frames, science[:5])
        stored(scan)
        unread()


# Broken, dropped, refused ----------------------------------------------------------------


@pytest.mark.parametrize("where", [5, 3 * 262_144 + 17, -3, -25, -400])
@pytest.mark.parametrize("suffix", ["frames", "seen"])
def test_a_flipped_bit_in_the_cache(rds, folder, science, monkeypatch, where, suffix):
    age(monkeypatch)
    read(rds)
    (path,) = folder.glob(f"*.{suffix}")
    content = bytearray(path.read_bytes())
    content[where % len(content)] ^= 4
    path.write_bytes(content)
    scan = tm.open_scan(rds, layout=LAYOUT)
    for i in range(6):
        np.testing.assert_array_equal(scan.frame(i), science[i])
    np.testing.assert_array_equal(scan.frames, science[:6])
    stored(scan)
    np.testing.assert_array_equal(read(rds), science[:6])
    content[where % len(content)] ^= 4
    if suffix == "frames":
        assert path.read_bytes() == content  # it was written anew


@pytest.mark.parametrize("size", [0, 3, 300_000])
def test_a_file_of_the_cache_cut_short(rds, folder, science, monkeypatch, size):
    age(monkeypatch)
    read(rds)
    scan = tm.open_scan(rds, layout=LAYOUT)
    np.testing.assert_array_equal(scan.frame(0), science[0])
    (path,) = folder.glob("*.frames")
    os.truncate(path, size)
    np.testing.assert_array_equal(scan.frame(5), science[5])  # it is mapped
    np.testing.assert_array_equal(read(rds), science[:6])


def test_dropped_while_it_is_read(rds, science, monkeypatch):
    age(monkeypatch)
    read(rds)
    scan = tm.open_scan(rds, layout=LAYOUT)
    np.testing.assert_array_equal(scan.frame(0), science[0])
    cache.make_room(cache.cache_limit())
    np.testing.assert_array_equal(scan.frame(5), science[5])
    np.testing.assert_array_equal(read(rds), science[:6])


def test_the_least_recently_used_go_first(write, science, folder, monkeypatch):
    monkeypatch.setenv("TWOMASS_NB_CACHE_SIZE", "1.2 MB")
    for i in range(4):
        read(write(f"k118606{i}.rds.gz", science[2 * i : 2 * i + 2], LAYOUT))
    kept = list(folder.glob("*.frames"))
    assert len(kept) == 2
    assert sum(path.stat().st_size for path in kept) < 1_200_000


def test_a_scan_larger_than_the_cache_is_not_stored(rds, folder, science, monkeypatch):
    monkeypatch.setenv("TWOMASS_NB_CACHE_SIZE", "1 MB")
    np.testing.assert_array_equal(read(rds), science[:6])
    assert not list(folder.glob("*.frames"))


def test_a_cache_that_cannot_be_written_is_done_without(rds, folder, science):
    folder.parent.mkdir(exist_ok=True)
    folder.write_text("a file in its place")
    np.testing.assert_array_equal(read(rds), science[:6])


def test_a_full_disk_leaves_nothing(rds, folder, science, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(decoded, "sealed", full)
    np.testing.assert_array_equal(read(rds), science[:6])
    assert not list(folder.rglob("*.*"))


def test_without_cache_it_is_not_touched(rds, folder, science):
    scan = tm.open_scan(rds, layout=LAYOUT, cache=False)
    np.testing.assert_array_equal(scan.frames, science[:6])
    np.testing.assert_array_equal(scan.frame(3), science[3])
    assert not folder.exists()


def test_frames_leave_memory_with_the_scan(rds):
    scan = tm.open_scan(rds, layout=LAYOUT, cache=False)
    gc.disable()
    try:
        kept = weakref.ref(scan.frames)
        scan.r1(0)
        content = weakref.ref(scan._source._content.data)
        del scan
        assert kept() is None
        assert content() is None
    finally:
        gc.enable()


def test_once_stored_frames_are_mapped_rather_than_kept(rds, science):
    scan = tm.open_scan(rds, layout=LAYOUT)
    kept = weakref.ref(scan.frames)
    stored(scan)
    np.testing.assert_array_equal(scan.frame(2), science[2])
    assert kept() is None


# Several processes -----------------------------------------------------------------------

DECODE = """
import sys, twomass_nb as tm
from twomass_nb.raw import decoded
print("ready", flush=True)
for i in range(int(sys.argv[2])):
    frames = tm.open_scan(sys.argv[1], layout=tm.Layout("r Y y X x b f")).frames
    if i % 3 == 0:
        for path in (decoded.cache_folder() / "frames").glob("*.*"):
            path.unlink(missing_ok=True)
"""


def test_one_of_two_processes_is_killed_midway(write, science, folder):
    path = write("k1186063.rds.gz", science, INNERMOST)
    command = [sys.executable, "-c", DECODE, str(path)]
    one, two = (subprocess.Popen([*command, str(n)], stdout=subprocess.PIPE) for n in (1000, 12))
    for process in (one, two):
        process.stdout.readline()
    time.sleep(0.05)
    one.send_signal(signal.SIGKILL)
    one.communicate()
    two.communicate()
    assert two.returncode == 0
    for _ in range(2):
        np.testing.assert_array_equal(read(path, INNERMOST), science)


def test_what_a_dead_process_left_is_cleaned_up(rds, folder):
    folder.mkdir(parents=True)
    old, new = folder / ".a.frames.x.part", folder / ".b.frames.x.part"
    old.touch()
    new.touch()
    os.utime(old, (AGO, AGO))
    read(rds)
    assert [p.name for p in folder.glob(".*.part")] == [new.name]


def test_a_process_ends_only_after_its_frames_are_stored(rds, folder, science, unread, monkeypatch):
    code = f"import twomass_nb as tm; tm.open_scan({str(rds)!r}, layout=tm.Layout('fbrYXyx')).r1(0)"
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)
    age(monkeypatch)
    unread()
    np.testing.assert_array_equal(tm.open_scan(rds, layout=LAYOUT).frames, science[:6])


def test_a_scan_is_pickled_as_its_path(rds, science):
    scan = tm.open_scan(rds, layout=LAYOUT, cache=False)
    assert len(pickle.dumps(scan)) < 1000
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(scan)).r1(5), science[5, 0])


# Dask ------------------------------------------------------------------------------------


def test_dask(rds, science):
    frames = tm.open_scan(rds, layout=LAYOUT).to_dask(frames_per_chunk=4)
    assert frames.shape == (6, 2, 256, 256)
    assert frames.chunks[0] == (4, 2)
    assert frames.dtype == np.uint16
    np.testing.assert_array_equal(frames.compute(), science[:6])
    np.testing.assert_array_equal(frames[1:6:2, 1, ::50, 7].compute(), science[1:6:2, 1, ::50, 7])
    np.testing.assert_array_equal(frames[5, 0].compute(), science[5, 0])


def test_dask_without_cache(rds, science):
    frames = tm.open_scan(rds, layout=LAYOUT, cache=False).to_dask(4)
    np.testing.assert_array_equal(frames[3:].compute(), science[3:6])


def test_dask_in_other_processes(rds, science):
    frames = tm.open_scan(rds, layout=LAYOUT).to_dask(3)
    mean = frames.mean(axis=0).compute(scheduler="processes", num_workers=2)
    np.testing.assert_allclose(mean, science[:6].mean(axis=0))


def test_dask_never_takes_another_file(rds, write, science):
    frames = tm.open_scan(rds, layout=LAYOUT).to_dask()
    write("k1186063.rds.gz", science[6:9], LAYOUT)
    with pytest.raises(RawFileError, match="has changed"):
        frames.compute()


def test_without_dask(rds, monkeypatch):
    monkeypatch.setitem(sys.modules, "dask.array", None)
    with pytest.raises(tm.TwomassError, match=r"pip install 'twomass_nb\[scale\]'"):
        tm.open_scan(rds, layout=LAYOUT).to_dask()


@pytest.mark.parametrize("chunk", [0, -1, 2.5, "x", None])
def test_dask_takes_whole_frames(rds, chunk):
    with pytest.raises(tm.TwomassError, match="give 1 or more a chunk"):
        tm.open_scan(rds, layout=LAYOUT).to_dask(chunk)


def test_dask_of_a_file_that_changed_before(rds, write, science):
    scan = tm.open_scan(rds, layout=LAYOUT)
    np.testing.assert_array_equal(scan.r1(0), science[0, 0])
    write("k1186063.rds.gz", science[6:8], LAYOUT)
    with pytest.raises(RawFileError, match="has changed"):
        scan.to_dask()
    rds.unlink()
    with pytest.raises(tm.TwomassError, match="there is no file"):
        scan.to_dask()
