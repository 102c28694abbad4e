"""A scan opens by its identity wherever its bytes are, with the frames that its path has."""

from __future__ import annotations

import os
import shutil

import numpy as np
import pytest

import twomass_nb as tm
from twomass_nb.errors import NotFoundError, RawFileError, ScanMissingError, TwomassWarning

SCAN = tm.ScanId("2000-05-29", "s", 63)


@pytest.fixture(autouse=True)
def _nothing_set(own_cache, monkeypatch):
    for name in ("ARCHIVE", "MIRROR", "OFFLINE"):
        monkeypatch.delenv(f"TWOMASS_NB_{name}", raising=False)


@pytest.fixture
def disk(short_sample, monkeypatch):
    monkeypatch.setenv("TWOMASS_NB_ARCHIVE", str(short_sample))
    return short_sample


@pytest.mark.parametrize("asked", [SCAN, "000529s063", "2000-05-29 s 63"])
def test_a_scan_opens_by_its_identity(disk, asked):
    scan = tm.open_scan(asked, band="Ks")
    same = tm.open_scan(disk / "000529s" / "k1186063.rds.gz")
    assert (scan.path, scan.scan_id, scan.band) == (same.path, SCAN, "k")
    assert scan.simulated
    assert np.array_equal(scan.frame(7), same.frame(7))
    assert scan.sibling("j").path.name == "j1186063.rds.gz"


def test_a_scan_opens_from_a_tapes_folder(disk, monkeypatch, tmp_path):
    tape = tmp_path / "RAWS0136"
    shutil.copytree(disk / "000529s", tape)
    monkeypatch.setenv("TWOMASS_NB_ARCHIVE", str(tmp_path))
    for path in tape.glob("*.par"):
        path.unlink()  # as if its TELNAME were written in a way we do not know
    scan = tm.open_scan(SCAN, "h")
    assert (scan.path.parent, scan.scan_id) == (tape, SCAN)  # by the tape's label
    assert scan.sibling("j").scan_id == SCAN


def test_a_scan_opens_from_a_disk_with_names_in_upper_case(disk, monkeypatch, tmp_path):
    night = tmp_path / "000529S"
    night.mkdir()
    for band in "jk":
        for suffix in (".rds.gz", ".par"):
            name = SCAN.stem(band) + suffix
            shutil.copy(disk / "000529s" / name, night / name.upper())
    monkeypatch.setenv("TWOMASS_NB_ARCHIVE", str(tmp_path))
    scan = tm.open_scan(SCAN, "k")
    assert scan.par["NUMFRMS"] == scan.n_frames == 40
    assert scan.wcs(3) is not None
    assert scan.sibling("j").par["FN_PRFX"] == "j1186063"


def test_a_broken_parameter_file_hides_no_frames(disk, monkeypatch, tmp_path):
    shutil.copytree(disk / "000529s", tmp_path / "000529s")
    (tmp_path / "000529s" / "k1186063.par").write_bytes(b"\0 not text")
    monkeypatch.setenv("TWOMASS_NB_ARCHIVE", str(tmp_path))
    with pytest.warns(TwomassWarning, match="without its parameter file"):
        scan = tm.open_scan(SCAN, "k")
    assert scan.par is None
    assert scan.frame(3).shape == (2, 256, 256)


def test_a_layout_and_the_cache_are_passed_on(disk):
    scan = tm.open_scan(SCAN, "k", tm.open_scan(SCAN, "k").layout, cache=False)
    assert scan.layout_source == "given"


def test_without_its_band_a_scan_is_not_guessed(disk):
    with pytest.raises(NotFoundError, match=r"has files in j, h, k: say which band"):
        tm.open_scan(SCAN)


def test_a_path_stays_a_path(disk, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NotFoundError, match="there is no file"):
        tm.open_scan("000529s/j1186063.rds.gz")
    with pytest.raises(NotFoundError, match="there is no file"):
        tm.open_scan(tmp_path / "000529s063", "j")  # a Path is never a scan
    (tmp_path / "000529s063").write_bytes(b"a file of that name")
    with pytest.raises(RawFileError):
        tm.open_scan("000529s063", "j")


def test_a_missing_scan_says_where_was_looked(disk):
    other = tm.ScanId("2000-05-29", "s", 64)
    with pytest.raises(ScanMissingError) as caught:
        tm.open_scan(other, "k")
    for words in (str(disk), "TWOMASS_NB_MIRROR is not set", "k1186064.rds.gz", "2000-05-29 s"):
        assert words in str(caught.value)
    assert str(disk) in [one.place for one in caught.value.looked]


def test_a_mirror_is_the_last_place(serve, short_sample, monkeypatch):
    night = short_sample / "000529s"
    names = ("k1186063.par", "k1186063.rds.gz")
    server = serve(files={f"raw/000529s/{name}": (night / name).read_bytes() for name in names})
    monkeypatch.setenv("TWOMASS_NB_MIRROR", server.url("raw/"))
    monkeypatch.setenv("TWOMASS_NB_OFFLINE", "1")
    with pytest.raises(ScanMissingError, match=r"would have been fetched from http") as caught:
        tm.open_scan(SCAN, "k")
    assert server.url("raw/000529s/k1186063.rds.gz") in str(caught.value)
    assert not server.log
    monkeypatch.delenv("TWOMASS_NB_OFFLINE")
    scan = tm.open_scan(SCAN, "k")
    assert np.array_equal(scan.r1(3), tm.open_scan(night / "k1186063.rds.gz").r1(3))
    assert scan.par is not None
    assert [asked.path.rsplit("/", 1)[1] for asked in server.log] == list(names)
    monkeypatch.setenv("TWOMASS_NB_OFFLINE", "1")
    assert tm.open_scan(SCAN, "k").path == scan.path
    assert len(server.log) == 2


def test_the_bands_of_a_scan_may_be_in_several_places(disk, monkeypatch, tmp_path):
    here, there = tmp_path / "a" / "000529s", tmp_path / "b" / "000529s"
    for band, folder in (("k", here), ("j", there)):
        folder.mkdir(parents=True)
        for name in (f"{band}1186063.rds.gz", f"{band}1186063.par"):
            shutil.copy(disk / "000529s" / name, folder)
    monkeypatch.setenv("TWOMASS_NB_ARCHIVE", f"{here.parent}{os.pathsep}{there.parent}")
    scan = tm.open_scan(SCAN, "k")
    assert scan.sibling("j").path.parent == there
    assert scan.sibling("k") is scan
    with pytest.raises(ScanMissingError, match="h1186063"):
        scan.sibling("h")


def test_a_damaged_file_in_the_cache_is_fetched_again(serve, short_sample, monkeypatch):
    night = short_sample / "000529s"
    names = ("k1186063.par", "k1186063.rds.gz")
    server = serve(files={f"000529s/{name}": (night / name).read_bytes() for name in names})
    monkeypatch.setenv("TWOMASS_NB_MIRROR", server.address)
    path = tm.open_scan(SCAN, "k").path
    whole = path.read_bytes()
    path.write_bytes(whole[:-5000] + bytes(5000))
    with pytest.warns(TwomassWarning, match="was damaged and is dropped"):
        tm.open_scan(SCAN, "k")
    assert path.read_bytes() == whole
    assert len(server.log) == 3


def test_a_dead_mirror_is_an_ordinary_outcome(serve, monkeypatch):
    monkeypatch.setenv("TWOMASS_NB_MIRROR", serve(fault="503").address)
    with pytest.raises(ScanMissingError, match="503"):
        tm.open_scan(SCAN, "k")
