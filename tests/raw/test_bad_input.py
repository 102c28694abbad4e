"""Files that are broken, cut, foreign or hostile: each a clear error, never a wrong frame."""

from __future__ import annotations

import bz2
import errno
import gzip
import os
import warnings
from pathlib import Path

import numpy as np
import pytest

import twomass_nb as tm
from twomass_nb.errors import LayoutError, NotFoundError, RawFileError, TwomassError
from twomass_nb.raw import inflate, screening
from twomass_nb.raw.layout import FRAME_BYTES

LAYOUT = tm.Layout("f b r Y X y x")
NAMES = ["k1186063.rds", "k1186063.rds.gz", "k1186063.rdo", "k1186063.rdo.gz"]


def refused(path, match, error=RawFileError, layout=LAYOUT):
    layout = layout if ".rds" in path.name else None
    with pytest.raises(error, match=match) as info:
        tm.open_scan(path, layout=layout).r1(0)
    assert isinstance(info.value, TwomassError)
    assert "\n" not in str(info.value)


@pytest.mark.parametrize("name", NAMES)
def test_missing(night, name):
    refused(night / name, "there is no file", NotFoundError)


@pytest.mark.parametrize("name", NAMES)
def test_empty(night, name):
    (night / name).touch()
    refused(night / name, "is empty")


@pytest.mark.parametrize("name", NAMES)
def test_a_folder(night, name):
    (night / name).mkdir()
    refused(night / name, "is a folder")


def test_a_pipe(night):
    os.mkfifo(night / NAMES[0])
    refused(night / NAMES[0], "not a regular file")


def test_a_name_that_says_nothing(write, science):
    refused(write("k1186063.dat", science[:1]), "no raw file by its name")


@pytest.mark.parametrize("name", ["k1186063.rds", "k1186063.rdo"])
@pytest.mark.parametrize("size", [1, FRAME_BYTES - 1, 3 * FRAME_BYTES + 7])
def test_no_whole_number_of_frames(night, name, size):
    for path, content in (
        (night / name, bytes(size)),
        (night / f"{name}.gz", gzip.compress(bytes(size), 1)),
    ):
        path.write_bytes(content)
        refused(path, "no whole number of frames")


def test_nothing_but_a_gzip_header(night):
    path = night / "k1186063.rds.gz"
    path.write_bytes(gzip.compress(b""))
    refused(path, "no whole number of frames")


def test_named_gzip_but_is_not(write, science):
    path = write("k1186063.rds", science[:1], LAYOUT)
    refused(path.rename(path.with_name("k1186063.rds.gz")), "not gzip")


def test_gzip_but_not_named_so(write, science):
    path = write("k1186063.rds.gz", science[:1], LAYOUT)
    refused(path.rename(path.with_name("k1186063.rds")), "give it a name that ends in .gz")


@pytest.mark.parametrize("name", ["model.rds", "model.rds.gz"])
@pytest.mark.parametrize("packed", [True, False])
def test_files_of_the_language_r(night, name, packed):
    content = b"X\n\0\0\0\3\0\4\2\0" + bytes(100)
    path = night / name
    path.write_bytes(gzip.compress(content) if packed else content)
    refused(path, "language R")


def test_other_packings(night):
    path = night / "k1186063.rds.gz"
    path.write_bytes(bz2.compress(bytes(1000)))
    refused(path, "bzip2")


def test_a_damaged_checksum(write, science):
    path = write("k1186063.rds.gz", science[:2], LAYOUT)
    content = bytearray(path.read_bytes())
    content[-6] ^= 1
    path.write_bytes(content)
    refused(path, "damaged")


def test_flipped_bits_never_give_a_wrong_frame(write, science):
    path = write("k1186063.rds.gz", science[:2], LAYOUT)
    good, rng = path.read_bytes(), np.random.default_rng(0)
    for at in [0, 1, 2, 3, *rng.integers(4, len(good), 25)]:
        content = bytearray(good)
        content[at] ^= 1 << int(rng.integers(8))
        path.write_bytes(content)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                frames = tm.open_scan(path, layout=LAYOUT).frames
        except TwomassError:
            continue
        np.testing.assert_array_equal(frames, science[: len(frames)])  # a header's time, say


@pytest.mark.parametrize("layout", [LAYOUT, tm.Layout("f r Y y X x b", high_first=False)])
def test_whole_frames_before_a_cut_are_readable(write, science, layout):
    path = write("k1186063.rds.gz", science[:6], layout)
    whole = path.read_bytes()
    for keep in (0.3, 0.6, 0.9):
        path.write_bytes(whole[: int(keep * len(whole))])
        with pytest.warns(tm.TwomassWarning, match=r"last whole frame is \d") as told:
            scan = tm.open_scan(path, layout=layout)
        frames = scan.frames
        n = len(frames)
        assert scan.truncated
        assert "cut off" in repr(scan)
        assert f"last whole frame is {n - 1}" in str(told[0].message)
        assert 0.3 * keep * 6 - 1 < n < 6
        np.testing.assert_array_equal(frames, science[:n])


def test_a_file_without_its_last_bytes_has_all_frames(write, science):
    path = write("k1186063.rds.gz", science[:2], LAYOUT)
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.warns(tm.TwomassWarning, match="cut off"):
        scan = tm.open_scan(path, layout=LAYOUT)
    np.testing.assert_array_equal(scan.frames, science[:2])
    assert scan.truncated


def test_a_cut_in_the_trailer_does_not_hide_damage(write, science):
    """The checksum is there, the size after it is not."""
    path = write("k1186063.rds.gz", science[:2], LAYOUT)
    content = bytearray(path.read_bytes()[:-4])
    content[-1] ^= 1
    path.write_bytes(content)
    refused(path, "damaged")


def test_a_cut_where_no_frame_is_whole(write, science):
    layout = tm.Layout("Y y X x f r b")
    path = write("k1186063.rds.gz", science[:4], layout)
    path.write_bytes(path.read_bytes()[:-100_000])
    refused(path, "leaves no frame whole", layout=layout)


def test_a_cut_in_the_first_frame(write, science):
    path = write("k1186063.rds.gz", science[:2], LAYOUT)
    path.write_bytes(path.read_bytes()[:1000])
    refused(path, "before the end of its first frame")


def test_several_gzip_members_and_padding(night, science):
    content = LAYOUT.encode(science[:3])
    parts = [content[:100_000], b"", content[100_000:400_000], content[400_000:]]
    path = night / "k1186063.rds.gz"
    path.write_bytes(b"".join(gzip.compress(part, 1) for part in parts) + bytes(10_000))
    scan = tm.open_scan(path, layout=LAYOUT)
    np.testing.assert_array_equal(scan.frames, science[:3])
    assert not scan.truncated


def test_rubbish_after_the_end_is_no_cut(write, science):
    path = write("k1186063.rds.gz", science[:2], LAYOUT)
    path.write_bytes(path.read_bytes() + b"something else")
    for _ in range(2):
        with pytest.warns(tm.TwomassWarning, match="14 bytes of rubbish after its end"):
            scan = tm.open_scan(path, layout=LAYOUT)
        np.testing.assert_array_equal(scan.frames, science[:2])
        assert not scan.truncated


def test_rubbish_that_may_hide_a_part_of_every_frame(write, science):
    layout = tm.Layout("Y y X x f r b")
    path = write("k1186063.rds.gz", science[:2], layout)
    path.write_bytes(path.read_bytes() + b"something else")
    refused(path, "14 bytes of rubbish after its end", layout=layout)


def test_rubbish_in_the_middle_is_damage(night, science):
    content = LAYOUT.encode(science[:2])
    path = night / "k1186063.rds.gz"
    path.write_bytes(gzip.compress(content[:300_000]) + b"X" + gzip.compress(content[300_000:]))
    refused(path, "damaged")


@pytest.mark.parametrize("what", [None, 3, b"k1186063.rds", ["k1186063.rds"], object()])
def test_what_is_no_path_at_all(what):
    for ask in (
        tm.open_scan,
        tm.detect_layout,
        tm.check,
        tm.open_night,
        lambda it: tm.learn_layout(it, "k1186063.rdo"),
        lambda it: tm.convert(it, "k1186063.rdo"),
        lambda it: tm.convert("k1186063.rds", it),
    ):
        with pytest.raises(TwomassError, match="is no path"):
            ask(what)


def test_names_that_no_file_can_have(night):
    refused(night / "k1186063\0.rds", "is no path", NotFoundError)
    refused(night / ("k" * 5000 + ".rds"), "cannot be read")


def test_links_in_a_circle(night):
    one, two = night / NAMES[0], night / "k1186064.rds"
    one.symlink_to(two)
    two.symlink_to(one)
    refused(one, "cannot be read")


def test_a_file_that_changes_is_not_taken_for_what_it_was(write, science):
    path = write("k1186063.rds.gz", science[:3], LAYOUT)
    scan = tm.open_scan(path, layout=LAYOUT, cache=False)
    assert scan.frames.shape[0] == 3
    write("k1186063.rds.gz", science[3:4], LAYOUT)
    with pytest.raises(RawFileError, match="has changed since it was opened"):
        scan.r1(2)


def test_a_mapped_file_that_shrinks_does_not_end_the_process(write, science):
    for name, layout in ((NAMES[2], None), (NAMES[0], LAYOUT)):
        path = write(name, science[:3], layout or tm.Layout.RDO)
        scan = tm.open_scan(path, layout=layout)
        np.testing.assert_array_equal(scan.r1(2), science[2, 0])
        os.truncate(path, FRAME_BYTES)
        for ask in (lambda scan=scan: scan.r1(2), lambda scan=scan: scan.frames):
            with pytest.raises(RawFileError, match="has changed since it was opened"):
                ask()


def test_very_many_empty_gzip_members(night, monkeypatch):
    monkeypatch.setattr(inflate, "_MOST_MEMBERS", 100)
    path = night / "k1186063.rds.gz"
    path.write_bytes(gzip.compress(b"") * 101)
    refused(path, "more than 100 gzip members")


@pytest.mark.parametrize("most", [1, 1000, FRAME_BYTES])
def test_what_is_inflated_in_small_portions_is_whole(night, science, monkeypatch, most):
    monkeypatch.setattr(inflate, "_MOST_AT_ONCE", most)
    path, frames = night / "k1186063.rds.gz", np.zeros_like(science[: 1 if most == 1 else 3])
    content = LAYOUT.encode(frames)
    path.write_bytes(gzip.compress(content[:100_000]) + gzip.compress(content[100_000:]))
    scan = tm.open_scan(path, layout=LAYOUT)
    np.testing.assert_array_equal(scan.frames, frames)
    assert not scan.truncated


def test_a_gzip_bomb_is_stopped(night, monkeypatch):
    for module in (inflate, screening):
        monkeypatch.setattr(module, "MAX_BYTES", 20 * FRAME_BYTES)
    path = night / "k1186063.rds.gz"
    path.write_bytes(gzip.compress(bytes(40 * FRAME_BYTES), 9))
    refused(path, "more than 20 frames")


def test_a_file_too_large_is_not_mapped(night):
    path = night / "k1186063.rdo"
    with path.open("wb") as file:
        file.truncate(5000 * FRAME_BYTES)  # sparse
    refused(path, "more than 3900 frames")


def test_the_cap_keeps_a_scan_below_2_gib():
    assert 2 * inflate.MAX_BYTES < 2 << 30


@pytest.mark.parametrize("value", [0, 9000])
def test_an_rdo_that_does_not_say_its_byte_order(write, value):
    path = write("k1186063.rdo", np.full((1, 2, 256, 256), value, np.uint16))
    refused(path, "which byte of its words is high", LayoutError)


def test_no_permission(write, science, monkeypatch):
    path = write("k1186063.rdo", science[:1])

    def denied(*_, **__):  # what the system answers anyone but root
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)
    refused(path, "cannot be read: Permission denied")
