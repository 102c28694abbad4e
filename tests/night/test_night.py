"""A night opened as a whole: what it says is there, and each fault planted in it, by its code."""

from __future__ import annotations

import gzip
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

import twomass_nb as tm
from twomass_nb.errors import NotFoundError
from twomass_nb.night import look
from twomass_nb.scan import ScanId

FILE = "k1186063.rds.gz"


def test_a_whole_night_has_no_problems(whole_night):
    night = tm.open_night(whole_night)
    assert night.problems == []
    assert (night.name, night.hemis, len(night)) == ("000529s", "s", 3)
    assert list(night) == [ScanId("2000-05-29", "s", n) for n in (63, 990, 995)]
    assert list(night.scans["s_type"]) == ["sci", "flt", "dar"]
    for name in ("frames_lgo", "frames_j", "frames_par_h", "frames_k"):
        assert list(night.scans[name]) == [9, 9, 9]


def test_scans_are_found_by_any_name(whole_night):
    night = tm.open_night(whole_night)
    for scan in (63, "000529s063", ScanId("2000-05-29", "s", 63), "63", np.int64(63)):
        assert scan in night
        assert night[scan]["scan"] == 63
    assert 64 not in night
    assert "990502n063" not in night
    with pytest.raises(NotFoundError, match="no scan 64"):
        night[64]


def test_scans_open_in_a_band(whole_night):
    night = tm.open_night(whole_night)
    scan = night.open(63, "Ks")
    assert (str(scan.scan_id), scan.band, scan.n_frames) == ("000529s063", "k", 9)
    assert night.open(995, "k").path.name == "k1186995.rdo.gz"  # of a pair, the documented one
    with pytest.raises(NotFoundError, match="no raw file of scan 64 in band j"):
        night.open(64, "j")


def test_darks_and_twilights_of_a_band(night):
    (night / "j1186995.rdo.gz").unlink()
    found = tm.open_night(night)
    assert found.darks("k") == [ScanId("2000-05-29", "s", 995)]
    assert found.darks("j") == []
    assert found.twilights("h") == [ScanId("2000-05-29", "s", 990)]


def test_what_is_simulated_says_so(whole_night):
    night = tm.open_night(whole_night)
    assert night.simulated
    assert "SIMULATED" in repr(night)
    assert "SIMULATED" in night._repr_html_()
    assert "000529s063" in night._repr_html_()
    assert night.scans.meta["SIMULATE"]


def test_nothing_is_unpacked(whole_night, monkeypatch):
    def refuse(*_):
        pytest.fail("a raw file was unpacked")

    monkeypatch.setattr(look, "read_content", refuse)
    assert len(tm.open_night(whole_night)) == 3


# Faults ---------------------------------------------------------------------------------


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def _another_band(night):
    for path in night.glob("h1186063*"):
        path.unlink()


def _no_par(night):
    (night / "k1186063.par").unlink()


def _par_of_another(night):
    shutil.copy(night / "k1186990.par", night / "k1186063.par")


def _broken_par(night):
    (night / "k1186063.par").unlink()
    (night / "k1186063.par.gz").write_bytes(gzip.compress(b"NUMFRMS = 9\n" * 99)[:-9])


def _fewer_in_par(night):
    edit(night / "k1186063.par", "NUMFRMS =                    9", "NUMFRMS =                   40")


def _one_more_in_par(night):
    edit(night / "k1186063.par", "NUMFRMS =                    9", "NUMFRMS =                   10")


def _a_pipe_for_a_par(night):
    (night / "k1186063.par").unlink()
    os.mkfifo(night / "k1186063.par")


def _log_of_another_night(night):
    edit(night / "000529s.lgo", "ORDate   = 000529", "ORDate   = 000530")


def _a_scan_gone(night):
    for path in night.glob("?1186990*"):
        path.unlink()


def _not_in_the_log(night):
    lines = (night / "000529s.lgo").read_text().splitlines()
    kept = "\n".join(line for line in lines if not line.startswith(" 990")) + "\n"
    (night / "000529s.lgo").write_text(kept)


def _twice_in_the_log(night):
    path = night / "000529s.lgo"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines, lines[-1]]) + "\n")


def _no_log(night):
    (night / "000529s.lgo").unlink()


def _a_broken_log(night):
    (night / "000529s.lgo").write_text("no log\n")


def _of_another_night(night):
    shutil.copy(night / FILE, night / "k1187063.rds.gz")


def _a_northern_log(night):
    shutil.copy(night / "000529s.lgo", night / "000529n.lgo")


def _a_northern_par(night):
    edit(night / "k1186063.par", "CTIO", "FLWO")


def _a_copy(night):
    (night / "k1186063.rds").write_bytes(gzip.decompress((night / FILE).read_bytes()))


def _a_real_par(night):
    edit(night / "k1186063.par", "SIMULATE=                    T", "SIMULATE=                    F")


def _listed_and_gone(night):
    (night / "000529s.dir").write_text(f"{FILE} {(night / FILE).stat().st_size}\nk1186064.par 99\n")


def _of_another_size(night):
    (night / "000529s.dir").write_text(f"{FILE} {(night / FILE).stat().st_size + 1}\n")


#: How a night is spoiled, and the one finding that follows: code, severity, file.
FAULTS = {
    _another_band: ("band-missing", "warning", "."),
    _no_par: ("par-missing", "warning", "."),
    _par_of_another: ("par-of-another", "error", "k1186063.par"),
    _broken_par: ("par-unreadable", "error", "k1186063.par.gz"),
    _fewer_in_par: ("frames-differ", "error", FILE),
    _one_more_in_par: ("frames-differ", "warning", FILE),
    _a_pipe_for_a_par: ("not-a-file", "error", "k1186063.par"),
    _log_of_another_night: ("table-of-another", "error", "000529s.lgo"),
    _a_scan_gone: ("scans-missing", "warning", "."),
    _not_in_the_log: ("not-in-log", "warning", "."),
    _twice_in_the_log: ("listed-twice", "warning", "."),
    _no_log: ("log-missing", "note", "."),
    _a_broken_log: ("table-unreadable", "error", "000529s.lgo"),
    _of_another_night: ("name-contradicts", "error", "k1187063.rds.gz"),
    _a_northern_log: ("both-hemispheres", "error", "."),
    _a_northern_par: ("both-hemispheres", "error", "."),
    _a_copy: ("copies", "note", "k1186063.rds.gz"),
    _a_real_par: ("simulated-mixed", "error", "."),
    _listed_and_gone: ("files-missing", "error", "."),
    _of_another_size: ("size-differs", "error", FILE),
}


@pytest.mark.parametrize("spoiled", FAULTS, ids=lambda f: f.__name__.strip("_"))
def test_a_planted_fault_is_the_one_that_is_found(night, spoiled):
    spoiled(night)
    found = [(one.code, one.severity, one.file) for one in tm.open_night(night).problems]
    assert found == [FAULTS[spoiled]]


def test_findings_say_what_and_what_to_do(night):
    _fewer_in_par(night)
    (one,) = tm.open_night(night).problems
    assert one.text == "it speaks of 9 frames; its .par says 40"
    assert "trust the file" in one.advice
    assert FILE in str(one)


def test_a_cut_file_is_suspected_by_its_end(night):
    path = night / FILE
    path.write_bytes(path.read_bytes()[:-1000])
    (one,) = tm.open_night(night).problems
    assert (one.code, one.severity) == ("trailer-odd", "warning")


def test_a_file_of_the_other_observatory_does_not_open(night):
    _a_northern_par(night)
    with pytest.raises(NotFoundError, match="the other observatory"):
        tm.open_night(night).open(63, "k")


@pytest.mark.parametrize(
    ("name", "tape", "disk"),
    [
        ("980921n/k0570083.rds.gz", "rawn0057", "n12"),
        ("000406n/k1133137.rds.gz", "rawn0141", "n03"),
        ("000519n/k1176110.rds.gz", "rawn0147", "n02"),
        ("990508s/k0799112.rds.gz", "raws0070", "s11"),
    ],
)
def test_files_known_to_be_cut_on_tape_are_named(tmp_path, night, name, tape, disk):
    path = tmp_path / name
    path.parent.mkdir()
    shutil.copy(night / FILE, path)
    known = [one for one in tm.open_night(path.parent).problems if one.code == "known-cut"]
    assert [one.file for one in known] == [path.name]
    assert tape in known[0].text
    assert disk in known[0].advice


def test_the_same_stem_of_the_other_hemisphere_is_not_known(tmp_path, night):
    path = tmp_path / "980921s" / "k0570083.rds.gz"
    path.parent.mkdir()
    shutil.copy(night / FILE, path)
    assert "known-cut" not in {one.code for one in tm.open_night(path.parent).problems}


def test_the_raw_scan_table_is_compared(whole_night, tmp_path):
    rows = "\n".join(
        f" {date} | 1186 | s | {scan} | 318737 | n | sci | {n} | y | raws0136 | s04"
        for date, scan, n in (("2000-05-29", 63, 9), ("2000-05-29", 64, 9), ("2000-05-30", 65, 9))
    )
    head = "date|day_no|hemis|scan|tile|s_dir|s_type|frames|as_cat|tape_label|disk_label"
    table = tmp_path / "raw_scans.txt"
    table.write_text(f"{head}\n{'+'.join(['-----'] * 11)}\n{rows}\n")
    night = tm.open_night(whole_night, raw_scans=table)
    assert list(night.scans["scan"]) == [63, 64, 990, 995]
    assert night[63]["frames_raw_scans"] == 9
    assert [one.code for one in night.problems] == ["scans-missing"]


# Tapes ----------------------------------------------------------------------------------


@pytest.fixture
def tape(night, northern_night, tmp_path) -> Path:
    """A flat folder with the files of two nights of one observatory."""
    folder = tmp_path / "raws0136"
    folder.mkdir()
    for path in night.iterdir():
        if path.is_file():
            shutil.copy(path, folder / path.name)
            shutil.copy(path, folder / path.name.replace("1186", "1187").replace("0529s", "0530s"))
    return folder


def test_a_tape_of_several_nights_names_them(tape):
    with pytest.raises(NotFoundError, match=r"2 nights \(000529s, 000530s\).*night='000529s'"):
        tm.open_night(tape)


def test_a_night_of_a_tape_is_chosen(tape):
    night = tm.open_night(tape, night="000529s")
    assert (night.name, len(night), night.problems) == ("000529s", 3, [])
    assert night.open(63, "k").scan_id is None or night.open(63, "k").band == "k"
    with pytest.raises(NotFoundError, match="does not hold the night 990502n"):
        tm.open_night(tape, night="990502n")


def test_a_folder_that_says_no_hemisphere_asks_for_it(night, tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    shutil.copy(night / FILE, folder)
    with pytest.raises(NotFoundError, match="night='000529n' or night='000529s'"):
        tm.open_night(folder)
    assert tm.open_night(folder, night="000529s").hemis == "s"
    shutil.copy(night / "k1186063.par", folder)  # TELNAME says it
    assert tm.open_night(folder).hemis == "s"


def test_no_night(tmp_path, night):
    with pytest.raises(NotFoundError, match="cannot be listed"):
        tm.open_night(tmp_path / "gone")
    with pytest.raises(NotFoundError, match="is a file"):
        tm.open_night(night / FILE)
    (tmp_path / "empty").mkdir()
    with pytest.raises(NotFoundError, match="no file of the raw archive"):
        tm.open_night(tmp_path / "empty")
