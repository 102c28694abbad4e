"""A scan's files are found in every layout that the archive has, and never another scan's."""

from __future__ import annotations

import os
import warnings

import pytest
from astropy.table import Table

from twomass_nb.archive import find_files, folders
from twomass_nb.archive.labels import labels_of
from twomass_nb.cache import cache_folder
from twomass_nb.errors import ScanMissingError, ScanNameError, TwomassError, TwomassWarning
from twomass_nb.scan import ScanId

SOUTH = ScanId("2000-05-29", "s", 63)
NORTH = ScanId("2000-05-29", "n", 63)
# Four files that the tapes have cut off (seed 000): scan, band.
CUT = [
    (ScanId("1998-09-21", "n", 83), "k"),
    (ScanId("2000-04-06", "n", 137), "k"),
    (ScanId("2000-05-19", "n", 110), "k"),
    (ScanId("1999-05-08", "s", 112), "k"),
]
RAW_SCANS = """\
    date    | day_no | hemis | scan | s_type | frames | as_cat | tape_label | disk_label
------------+--------+-------+------+--------+--------+--------+------------+------------
 2000-05-29 |   1186 | s     |   62 | sci    |    274 | y      | raws0136   | s04
 2000-05-29 |   1186 | n     |   63 | sci    |    273 | y      | rawn0149   | n01
"""


@pytest.fixture(autouse=True)
def _no_roots(monkeypatch, tmp_path):
    monkeypatch.delenv("TWOMASS_NB_ARCHIVE", raising=False)
    monkeypatch.setenv("TWOMASS_NB_CACHE", str(tmp_path / "own cache"))


def put(folder, name="k1186063.rds.gz", text=b"raw"):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(text)
    return folder / name


def par(telescope):
    return f"FN_PRFX = 'k1186063'\nTELNAME = '{telescope}'\n".encode()


def only(scan_id, root, band="k"):
    (found,) = find_files(scan_id, band, roots=root)
    return found


# Layouts ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("below", "where"),
    [
        ("000529s", "disk"),
        ("s04/000529s", "disk"),
        ("first disk/000529s", "disk"),
        ("000529S", "disk"),
        ("raws0136", "tape"),
        ("RAWS0136", "tape"),
        ("RAWS0136s", "tape"),  # as seed 000 has it once
    ],
)
def test_a_scan_is_found_in_every_layout(tmp_path, below, where):
    path = put(tmp_path / "root" / below)
    parameters = put(path.parent, "k1186063.par", par("CTIO"))
    for root in (tmp_path / "root", path.parent):
        found = only(SOUTH, root)
        assert (found.path, found.par, found.where) == (path, parameters, where)
        assert (found.scan_id, found.band, found.root) == (SOUTH, "k", root)
        assert not found.simulated
    with pytest.raises(ScanMissingError):
        find_files(NORTH, "k", roots=tmp_path / "root")


def test_the_hemispheres_are_kept_apart(tmp_path):
    paths = {
        (scan_id.hemis, layout): put(tmp_path / layout / name)
        for layout in ("disks", "tapes")
        for scan_id, name in (
            (SOUTH, "000529s" if layout == "disks" else "raws0136"),
            (NORTH, "000529n" if layout == "disks" else "RAWN0149"),
        )
    }
    for (hemis, layout), path in paths.items():
        scan_id = SOUTH if hemis == "s" else NORTH
        assert only(scan_id, tmp_path / layout).path == path


def test_a_stack_of_disks_is_not_searched_through(tmp_path, monkeypatch):
    """35 disks of 19 nights: one folder is listed, and the scan's own night looked for on each."""
    for k in range(1, 36):
        disk = tmp_path / f"{'s' if k % 2 else 'n'}{k:02d}"
        for day in range(10, 29):
            (disk / f"0005{day}{disk.name[0]}").mkdir(parents=True)
    path = put(tmp_path / "s33" / "000529s")
    listed, asked = [], []
    scan, mode = os.scandir, folders.mode_of
    monkeypatch.setattr(os, "scandir", lambda p: listed.append(p) or scan(p))
    monkeypatch.setattr(folders, "mode_of", lambda p: asked.append(p) or mode(p))
    assert only(SOUTH, tmp_path).path == path
    assert listed == [tmp_path]
    assert len(asked) < 60
    assert not any(p.parts[-3].startswith("n") for p in asked)


def test_several_roots_are_tried_in_order(tmp_path, monkeypatch):
    first, second = put(tmp_path / "a" / "000529s"), put(tmp_path / "b" / "000529s")
    j = put(tmp_path / "b" / "000529s", "j1186063.rds.gz")
    roots = [tmp_path / "gone", tmp_path / "a", tmp_path / "b"]
    monkeypatch.setenv("TWOMASS_NB_ARCHIVE", os.pathsep.join(map(str, roots)))
    assert [file.path for file in find_files(SOUTH)] == [j, first]
    assert [file.path for file in find_files(str(SOUTH), "Ks")] == [first]
    assert [file.path for file in find_files(SOUTH, "k", roots=tmp_path / "b")] == [second]


@pytest.mark.parametrize("upper", [False, True])
def test_the_archives_own_form_comes_first(tmp_path, upper):
    names = [f"k1186063{suffix}" for suffix in (".rds.gz", ".rds", ".rdo", ".rdo.gz")]
    if upper:  # as some file systems of old disks and CDs show names
        names = [name.upper() for name in names]
    paths = [put(tmp_path / "000529s", name) for name in names]
    for path in paths:
        assert only(SOUTH, tmp_path).path == path
        path.unlink()


def test_a_folder_or_another_scan_of_the_name_is_no_file(tmp_path):
    (tmp_path / "000529s" / "k1186063.rds.gz").mkdir(parents=True)
    put(tmp_path / "000529s", "k1186064.rds.gz")
    put(tmp_path / "000530s")  # day 1187 in its folder, 1186 in its name
    with pytest.raises(ScanMissingError):
        find_files(SOUTH, roots=tmp_path)


# Which hemisphere -------------------------------------------------------------------------


def test_a_flat_folder_is_never_guessed(tmp_path):
    path = put(tmp_path / "flat")
    for scan_id in (SOUTH, NORTH):
        with pytest.raises(ScanMissingError, match="nothing tells its hemisphere") as caught:
            find_files(scan_id, "k", roots=tmp_path / "flat")
        assert any(one.place == str(path) for one in caught.value.looked)


@pytest.mark.parametrize(
    "beside",
    [
        ("k1186063.par", par("CTIO")),
        ("000529s.lgo", b""),
        ("990101S.DIR", b""),  # a tape has nights of one observatory only
    ],
)
def test_a_flat_folder_may_tell(tmp_path, beside):
    path = put(tmp_path / "flat")
    put(path.parent, *beside)
    found = only(SOUTH, path.parent)
    assert (found.path, found.where) == (path, "folder")
    with pytest.raises(ScanMissingError, match="say"):
        find_files(NORTH, "k", roots=path.parent)


def test_a_folder_of_both_hemispheres_does_not_tell(tmp_path):
    put(tmp_path / "flat")
    put(tmp_path / "flat", "000529s.lgo")
    put(tmp_path / "flat", "000529n.lgo")
    with pytest.raises(ScanMissingError, match="nothing tells its hemisphere"):
        find_files(SOUTH, "k", roots=tmp_path / "flat")


def test_a_night_folder_further_up_tells(tmp_path):
    path = put(tmp_path / "000529s" / "copied")
    assert only(SOUTH, path.parent).path == path
    with pytest.raises(ScanMissingError):
        find_files(NORTH, "k", roots=path.parent)


def test_a_par_of_the_other_observatory_is_not_overlooked(tmp_path):
    path = put(tmp_path / "000529s")
    put(path.parent, "k1186063.par", par("MT. HOPKINS"))
    with pytest.raises(ScanMissingError, match=r"its \.par says hemisphere n"):
        find_files(SOUTH, "k", roots=tmp_path)


# Files known to be bad --------------------------------------------------------------------


@pytest.mark.parametrize(("scan_id", "band"), CUT)
def test_the_disks_copy_is_preferred_where_the_tapes_is_cut(tmp_path, scan_id, band):
    tape = put(tmp_path / f"raw{scan_id.hemis}0057", f"{scan_id.stem(band)}.rds.gz")
    with pytest.warns(TwomassWarning, match=r"known to be cut off on its tape.*disk has it whole"):
        assert only(scan_id, tmp_path, band).path == tape
    disk = put(tmp_path / "other" / scan_id.night, tape.name)
    for roots in ([tmp_path], [tape.parent, tmp_path / "other"]):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert only(scan_id, roots, band).path == disk


# What is missing --------------------------------------------------------------------------


def test_a_bad_root_is_said_and_the_others_are_tried(tmp_path):
    loop = tmp_path / "loop"
    loop.symlink_to(loop)  # the system refuses to look into it, whoever asks
    file = put(tmp_path, "a file")
    roots = [loop, file, tmp_path / "gone"]
    with pytest.raises(ScanMissingError) as caught:
        find_files(SOUTH, roots=roots)
    said = {one.place: one.outcome for one in caught.value.looked}
    assert "symbolic link" in said[str(loop)]
    assert (said[str(file)], said[str(tmp_path / "gone")]) == ("not a folder", "no such folder")
    for place in roots:
        assert str(place) in str(caught.value)
    path = put(tmp_path / "good" / "000529s")
    assert only(SOUTH, [*roots, tmp_path / "good"]).path == path


def test_one_dead_disk_does_not_hide_the_others(tmp_path):
    (tmp_path / "s03").mkdir()
    night = tmp_path / "s03" / "000529s"
    night.symlink_to(night)
    path = put(tmp_path / "s04" / "000529s")
    assert only(SOUTH, tmp_path).path == path
    path.unlink()
    with pytest.raises(ScanMissingError) as caught:
        find_files(SOUTH, "k", roots=tmp_path)
    assert any(one.place == str(night) for one in caught.value.looked)


def test_a_root_that_hangs_is_not_waited_for(tmp_path, monkeypatch):
    import threading

    ended = threading.Event()
    hanging = tmp_path / "hanging"
    hanging.mkdir()
    mode = folders.mode_of
    monkeypatch.setattr(folders, "_PATIENCE", 0.05)
    monkeypatch.setattr(folders, "mode_of", lambda p: ended.wait(5) if p == hanging else mode(p))
    path = put(tmp_path / "good" / "000529s")
    try:
        assert only(SOUTH, [hanging, tmp_path / "good"]).path == path
        with pytest.raises(ScanMissingError, match=r"hanging \(does not answer"):
            find_files(NORTH, roots=[hanging])
    finally:
        ended.set()


def test_what_is_missing_is_said_with_tape_and_disk(tmp_path):
    with pytest.raises(ScanMissingError) as caught:
        find_files(SOUTH, "k")
    assert "TWOMASS_NB_ARCHIVE is not set" in str(caught.value)
    assert "k1186063.rds.gz" in str(caught.value)
    assert caught.value.labels == {}
    table = put(cache_folder(), "raw_scans.txt", RAW_SCANS.encode())
    # scan 63 itself is not listed: any scan of the night tells
    expected = {"tape_label": "raws0136", "disk_label": "s04"}
    with pytest.raises(ScanMissingError, match="000529s of tape raws0136 or disk s04") as caught:
        find_files(SOUTH, "k")
    assert caught.value.labels == expected
    assert "\n" not in str(caught.value)
    assert labels_of(SOUTH, table) == expected
    assert labels_of(NORTH)["disk_label"] == "n01"
    assert labels_of(ScanId("2000-06-02", "s", 1)) == {}
    bare = Table({"date": ["2000-05-29"], "hemis": ["s"], "scan": [63]})
    assert labels_of(SOUTH, bare) == {}


def test_simulated_samples_do_not_stand_in(tmp_path, short_sample):
    import shutil

    shutil.copytree(short_sample, cache_folder() / "sample" / "scan63-short")
    with pytest.raises(ScanMissingError):
        find_files(SOUTH)
    found = find_files(SOUTH, roots=short_sample)  # asked for by name, and said
    assert [file.band for file in found] == ["j", "h", "k"]
    assert all(file.simulated for file in found)


def test_what_was_fetched_is_found_last_and_marked_used(tmp_path):
    path = put(cache_folder() / "archive" / "raw" / "000529s")
    os.utime(path, (1e9, 1e9))
    assert only(SOUTH, None).where == "cache"
    assert path.stat().st_mtime > 1.5e9
    mine = put(tmp_path / "000529s")
    assert only(SOUTH, tmp_path).path == mine


def test_read_only_roots_are_only_read(tmp_path):
    path = put(tmp_path / "000529s")
    before = {p: (p.stat().st_mtime_ns, p.stat().st_mode) for p in tmp_path.rglob("*")}
    tmp_path.chmod(0o555)
    path.parent.chmod(0o555)
    try:
        assert only(SOUTH, tmp_path).path == path
        assert {p.name for p in path.parent.iterdir()} == {path.name}
    finally:
        tmp_path.chmod(0o755)
        path.parent.chmod(0o755)
    assert path.stat().st_mtime_ns == before[path][0]


def test_words_that_are_no_scan():
    for words in ("m31", "j1186063.rds.gz", ""):
        with pytest.raises(ScanNameError):
            find_files(words)


@pytest.mark.parametrize("root", [5, None, b"/disk", "a\0b"])
def test_what_is_no_folder_is_said(root):
    for roots in (root, [root]):
        if roots is not None:
            with pytest.raises(TwomassError, match="is no path"):
                find_files(SOUTH, roots=roots)


def test_an_unknown_home_is_a_folder_that_is_not_there(monkeypatch):
    monkeypatch.setenv("TWOMASS_NB_ARCHIVE", "~nobody-of-that-name/disks")
    with pytest.raises(ScanMissingError, match=r"~nobody-of-that-name/disks \(no such folder\)"):
        find_files(SOUTH)


def test_what_is_no_raw_scan_table_is_said(tmp_path):
    for table, words in ((5, "is no path"), (Table({"a": [1]}), "no date, hemis, scan")):
        with pytest.raises(TwomassError, match=words):
            find_files(SOUTH, roots=tmp_path, raw_scans=table)
