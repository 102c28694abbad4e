"""Integrity: a whole night passes, each planted fault is found by its code, nothing is written."""

from __future__ import annotations

import bz2
import gzip
import json
import os
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import twomass_nb as tm
from twomass_nb.cache import cache_folder
from twomass_nb.cli import main
from twomass_nb.errors import ExistsError, NotFoundError, TwomassError
from twomass_nb.night import CheckReport, Finding
from twomass_nb.raw.layout import FRAME_BYTES
from twomass_nb.raw.packing import packed

FILE = "k1186063.rds.gz"


def everything(folder: Path) -> dict[str, tuple[int, int]]:
    return {
        str(p.relative_to(folder)): (p.stat().st_size, p.stat().st_mtime_ns)
        for p in sorted(folder.rglob("*"))
    }


def found(report: CheckReport) -> list[tuple[str, str, str]]:
    return [(one.code, one.severity, one.file) for one in report.all_findings]


# A whole night --------------------------------------------------------------------------


@pytest.mark.parametrize("quick", [False, True])
def test_a_whole_night_has_no_findings(whole_night, quick):
    cached = cache_folder() / "frames"
    before = everything(whole_night), everything(cached)
    report = tm.check(whole_night, quick=quick)
    assert report.ok
    assert report.all_findings == []
    assert report.nights == ["000529s"]
    assert (everything(whole_night), everything(cached)) == before
    files = report.files
    raw = files[files["kind"] == "raw"]
    assert len(raw) == 10  # 3 scans in 3 bands, and the other one of a pair
    assert set(raw["frames"]) == {9}
    assert set(files["status"]) == {"ok"}
    assert "SIMULATED" in report.summary
    assert "SIMULATED" in repr(report)
    assert files.meta["SIMULATE"]


def test_a_look_says_all_it_saw(whole_night):
    report = tm.check(whole_night / "k1186995.rds.gz")
    (row,) = report.files
    assert row["sha256"] == _sha256(whole_night / "k1186995.rds.gz")
    assert row["size"] == (whole_night / "k1186995.rds.gz").stat().st_size
    assert tm.Layout(row["layout"])
    assert row["layout_source"]
    assert row["seconds"] > 0


def _sha256(path: Path) -> str:
    import hashlib

    return hashlib.sha256(path.read_bytes()).hexdigest()


# Faults of a file -----------------------------------------------------------------------


def _cut(path):
    path.write_bytes(path.read_bytes()[:-50_000])


def _wrong_checksum(path):
    content = bytearray(path.read_bytes())
    content[-6] ^= 1
    path.write_bytes(content)


def _broken_inside(path):
    header, stored = path.read_bytes()[:2] + b"\x08" + bytes(6) + b"\xff", b"\0\xe8\3\x17\xfc"
    # a stored block of 1000 bytes, and one of a type that there is not
    path.write_bytes(header + stored + bytes(1000) + b"\x07" + bytes(1000))


def _rubbish_behind(path):
    path.write_bytes(path.read_bytes() + b"something else")


def _no_bytes(path):
    path.write_bytes(b"")


def _bzip2(path):
    path.write_bytes(bz2.compress(bytes(1000)))


def _no_whole_frames(path):
    path.write_bytes(b"".join(packed(np.zeros(2 * FRAME_BYTES + 7, np.uint8), simulated=True)))


def _of_the_language_r(path):
    path.write_bytes(gzip.compress(b"X\n\0\0\0\3\0\4\2\0" + bytes(100)))


def _all_zero(path):
    path.write_bytes(b"".join(packed(np.zeros(9 * FRAME_BYTES, np.uint8), simulated=True)))


def _a_folder(path):
    path.unlink()
    path.mkdir()


def _a_pipe(path):
    path.unlink()
    os.mkfifo(path)


def _a_link_to_nothing(path):
    path.unlink()
    path.symlink_to("gone.rds.gz")


#: How one file is spoiled, and the one finding that follows.
FILE_FAULTS = {
    _cut: ("gzip-cut", "error"),
    _wrong_checksum: ("gzip-crc", "error"),
    _broken_inside: ("gzip-damaged", "error"),
    _rubbish_behind: ("gzip-rubbish", "warning"),
    _no_bytes: ("empty", "error"),
    _bzip2: ("not-gzip", "error"),
    _no_whole_frames: ("not-raw", "error"),
    _of_the_language_r: ("not-raw", "error"),
    _all_zero: ("frames-constant", "error"),
    _a_folder: ("not-a-file", "error"),
    _a_pipe: ("not-a-file", "error"),
    _a_link_to_nothing: ("not-a-file", "error"),
}


@pytest.mark.parametrize("spoiled", FILE_FAULTS, ids=lambda f: f.__name__.strip("_"))
def test_a_spoiled_file_is_the_one_that_is_found(night, spoiled):
    spoiled(night / FILE)
    report = tm.check(night)
    code, severity = FILE_FAULTS[spoiled]
    assert found(report) == [(code, severity, FILE)]
    assert report.ok == (severity != "error")
    status = dict(zip(report.files["file"], report.files["status"], strict=True))
    assert Counter(status.values()) == {severity: 1, "ok": len(status) - 1}
    assert status[FILE] == severity


def test_a_cut_file_says_where_and_what_is_left(night):
    _cut(night / FILE)
    (one,) = tm.check(night).all_findings
    size = (night / FILE).stat().st_size
    assert f"it ends at byte {size}" in one.text
    assert "8 frames" in one.text or "7 frames" in one.text


def test_rubbish_alone_takes_no_frames(night):
    _rubbish_behind(night / FILE)
    report = tm.check(night / FILE)
    assert list(report.files["frames"]) == [9]
    assert report.ok


# Faults of frames -----------------------------------------------------------------------


def _one_value(frames):
    frames[3, 1] = 4711


def _read_twice(frames):
    frames[2:5, 1] = frames[2:5, 0]


def _at_the_top(frames):
    frames[7, 1, :40] = 65535


def _stuck(frames):
    frames[6] = frames[5]


def _lost_half(frames):
    return frames[:4]


FRAME_FAULTS = {
    _one_value: ("frames-constant", "warning", "frames 3:"),
    _read_twice: ("reads-equal", "warning", "frames 2-4:"),
    _at_the_top: ("frames-saturated", "warning", "frames 7:"),
    _stuck: ("frames-repeated", "warning", "frames 6:"),
    _lost_half: ("frames-differ", "error", "it holds 4 frames; the log says 9, its .par says 9"),
}


@pytest.mark.parametrize("spoiled", FRAME_FAULTS, ids=lambda f: f.__name__.strip("_"))
def test_spoiled_frames_are_found_and_numbered(night, spoil, spoiled):
    spoil(night / FILE, spoiled)
    report = tm.check(night)
    code, severity, text = FRAME_FAULTS[spoiled]
    assert found(report) == [(code, severity, FILE)]
    assert report.all_findings[0].text.startswith(text)


def test_a_pair_that_does_not_agree(night, spoil):
    def one_pixel(frames):
        frames[0, 0, 0, 0] += 1

    spoil(night / "k1186995.rdo.gz", one_pixel, tm.Layout("f r Y y X x b"))
    (one,) = tm.check(night).all_findings
    # What the pair taught is lost too, where the order is not remembered.
    assert one.code in ("copies-differ", "layout-unknown")
    assert one.file == "k1186995.rds.gz"


def test_an_unknown_word_order_is_no_fault_of_a_dark(tmp_path, whole_night, monkeypatch):
    monkeypatch.setenv("TWOMASS_NB_CACHE", str(tmp_path / "cache"))  # no order remembered
    folder = tmp_path / "000529s"
    folder.mkdir()
    for name in ("k1186995.rds.gz", "k1186995.par"):
        shutil.copy(whole_night / name, folder)
    log = (whole_night / "000529s.lgo").read_text().splitlines()
    kept = [line for line in log if not line.startswith((" 063", " 990"))]
    (folder / "000529s.lgo").write_text("\n".join(kept) + "\n")
    report = tm.check(folder)
    assert [(f.code, f.severity) for f in report.all_findings if f.file != "."] == [
        ("layout-unknown", "note")
    ]
    assert report.ok


# Faults of tables are found here as open_night finds them --------------------------------


def test_what_tables_say_is_compared_with_what_files_hold(night):
    (night / "k1186063.par").unlink()
    (night / "000529s.dir").write_text(f"{FILE} 1234567\n")
    shutil.copy(night / FILE, night / "k1187063.rds.gz")
    (night / "notes.txt").write_text("mine\n")
    os.mkfifo(night / "pipe")
    assert sorted(found(tm.check(night))) == [
        ("name-contradicts", "error", "k1187063.rds.gz"),
        ("par-missing", "warning", "."),
        ("size-differs", "error", FILE),
        ("unexpected-file", "note", "notes.txt"),
        ("unexpected-file", "note", "pipe"),
    ]


def test_quick_reads_no_raw_file(night, monkeypatch):
    _cut(night / FILE)
    _no_bytes(night / "k1186990.rds.gz")
    monkeypatch.setattr("twomass_nb.night.look.read_content", lambda *_: pytest.fail("read"))
    assert sorted(found(tm.check(night, quick=True))) == [
        ("empty", "error", "k1186990.rds.gz"),
        ("trailer-odd", "warning", FILE),
    ]


# One file, tapes, disks -----------------------------------------------------------------


def test_one_file_is_checked_for_itself(night):
    for path in night.glob("h*"):
        path.unlink()
    par = night / "k1186063.par"
    par.write_text(par.read_text().replace("NUMFRMS =                    9", "NUMFRMS = 8"))
    assert found(tm.check(night / FILE)) == [("frames-differ", "warning", FILE)]


def test_a_file_with_a_name_of_its_own(night, tmp_path):
    path = shutil.copy(night / "k1186995.rdo.gz", tmp_path / "mine.rdo.gz")
    report = tm.check(path)
    assert report.all_findings == []
    assert list(report.files["frames"]) == [9]


def test_a_tape_holds_several_nights(night, tmp_path):
    folder = tmp_path / "raws0136"
    folder.mkdir()
    for path in night.iterdir():
        shutil.copy(path, folder / path.name)
        new = path.name.replace("1186", "1187").replace("0529s", "0530s")
        if path.name.startswith("k") and not path.name.endswith(".par"):
            shutil.copy(path, folder / new)
    report = tm.check(folder, quick=True)
    assert report.nights == ["000529s", "000530s"]
    codes = {one.code for one in report.all_findings}
    assert codes == {"band-missing", "par-missing", "log-missing"}  # of the second night


@pytest.fixture
def disk(night, northern_night) -> Path:
    """A disk with two nights, its inventory, and a link that leads in a circle."""
    top = night.parent
    shutil.copytree(northern_night, top / northern_night.name)
    (top / "loop").symlink_to(top)
    rows = [
        f"{p.parent.name}/{p.name}\t{p.stat().st_size}"
        for p in sorted(top.glob("[09]*/*"))
        if p.is_file()
    ]
    (top / "disk_s04").write_text(
        "COPY file_inventory (file, size) FROM stdin;\n" + "\n".join(rows) + "\n\\.\n"
    )
    return top


def test_a_disk_is_walked_once_through_all_its_nights(disk):
    report = tm.check(disk, quick=True)
    assert sorted(report.nights) == ["000529s", "990502n"]
    assert len(set(report.files["file"])) == len(report.files)
    # the northern night has one band
    assert sorted(found(report)) == [
        ("band-missing", "warning", "990502n"),
        ("band-missing", "warning", "990502n"),
    ]


def test_a_disk_is_compared_with_its_inventory(disk):
    (disk / "000529s" / "h1186063.par").unlink()
    (disk / "990502n" / "k0793063.rds.gz").write_bytes(b"x")
    codes = {(one.code, one.file) for one in tm.check(disk, quick=True).all_findings}
    assert ("files-missing", "000529s") in codes
    assert ("size-differs", "990502n/k0793063.rds.gz") in codes


def test_a_disk_is_compared_with_its_summary_of_logs(disk):
    (disk / "lgo_inventory").write_text(
        "COPY lgo (date, hemis, scan, frms, sr_ut) FROM stdin;\n"
        "1999-05-02\tn\t63\t99\t05:00:00\n1999-05-02\tn\t64\t9\t05:00:00\n\\.\n"
    )
    report = tm.check(disk, quick=True)
    codes = {(one.code, one.file) for one in report.all_findings if one.code != "band-missing"}
    assert ("frames-differ", "990502n/k0793063.rds.gz") in codes
    assert ("scans-missing", "990502n") in codes
    assert not [one for one in report.all_findings if one.code == "unexpected-file"]


def test_a_night_in_two_places(disk):
    shutil.copytree(disk / "990502n", disk / "old" / "990502n")
    codes = {(one.code, one.file) for one in tm.check(disk, quick=True).all_findings}
    assert ("night-twice", "old/990502n") in codes


def test_a_folder_that_cannot_be_listed_does_not_stop_the_rest(disk, monkeypatch):
    listed = Path.iterdir

    def refuse(path):
        if path.name == "990502n":
            raise PermissionError(13, "Permission denied")  # what anyone but root gets
        return listed(path)

    monkeypatch.setattr(Path, "iterdir", refuse)
    report = tm.check(disk, quick=True)
    assert found(report) == [("folder-unreadable", "error", "990502n")]
    assert report.nights == ["000529s"]


def test_nothing_to_check(tmp_path, night):
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(NotFoundError, match="holds no raw file"):
        tm.check(empty)
    (empty / "notes.txt").write_text("mine")
    (empty / "loop").symlink_to(empty)
    with pytest.raises(NotFoundError, match="holds no raw file"):
        tm.check(empty)
    with pytest.raises(NotFoundError, match="no file of the raw archive"):
        tm.check(empty / "notes.txt")
    with pytest.raises(NotFoundError, match="there is no file or folder"):
        tm.check(tmp_path / "gone")
    tm.check(night, quick=True)


def test_a_failing_look_does_not_stop_the_rest(night, monkeypatch):
    from twomass_nb.night import look

    real = look.read_content

    def fails(path, *args, **kwargs):
        if path.name == FILE:
            raise MemoryError
        return real(path, *args, **kwargs)

    monkeypatch.setattr(look, "read_content", fails)
    report = tm.check(night)
    assert found(report) == [("failed", "error", FILE)]


# The report -----------------------------------------------------------------------------


def test_json_has_all_and_comes_back(night, tmp_path):
    _cut(night / FILE)
    report = tm.check(night)
    path = report.to_json(tmp_path / "report.json")
    said = json.loads(path.read_text())
    assert said["schema"] == "twomass_nb.check/1"
    assert said["counts"] == {"error": 1, "warning": 0, "note": 0}
    assert said["ok"] is False
    assert said["simulated"] is True
    assert {one["status"] for one in said["files"]} == {"ok", "error"}
    assert CheckReport.from_json(path) == report
    with pytest.raises(ExistsError):
        report.to_json(path)
    path.write_text("{}")
    with pytest.raises(TwomassError, match="not the report of a check"):
        CheckReport.from_json(path)


def test_a_summary_is_short(whole_night):
    report = tm.check(whole_night, quick=True)
    report.all_findings += [Finding("note", "copies", f"f{i}", "text", "advice") for i in range(99)]
    assert len(report.summary.splitlines()) == 22
    assert "79 more" in report.summary
    assert "99 notes" in report._repr_html_()


# The command ----------------------------------------------------------------------------


def test_the_command_says_what_and_exits(night, tmp_path, capsys):
    assert main(["check", str(night)]) == 0
    assert "0 errors" in capsys.readouterr().out
    _cut(night / FILE)
    report = tmp_path / "report.json"
    assert main(["check", str(night), "--json", "--report", str(report)]) == 1
    assert json.loads(capsys.readouterr().out) == json.loads(report.read_text())
    assert main(["check", str(night), "--quick", "--report", str(report)]) == 1
    assert "exists already" in capsys.readouterr().err
    assert main(["check", str(night), "--quick", "--report", str(report), "--overwrite"]) == 0
    assert "trailer-odd" in capsys.readouterr().out
    assert main(["check", str(tmp_path / "gone")]) == 1
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("option", ["--report", "--resume"])
def test_nothing_is_written_into_the_archive(night, option, capsys):
    before = everything(night)
    assert main(["check", str(night), option, str(night / "mine.json")]) == 1
    assert "outside" in capsys.readouterr().err
    assert everything(night) == before
