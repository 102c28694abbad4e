"""Files that are fetched are whole and checked, come after their .par, and come once."""

from __future__ import annotations

import gzip
import json
import sys
from functools import partial

import pytest

import twomass_nb as tm
from twomass_nb.archive import irsa
from twomass_nb.archive.fetch import check_par, check_raw
from twomass_nb.cli import main
from twomass_nb.errors import (
    FetchError,
    NotFoundError,
    OfflineError,
    ScanMissingError,
    TwomassWarning,
)
from twomass_nb.raw.layout import FRAME_BYTES

SCAN = tm.ScanId("2000-05-30", "s", 64)  # in no sample
RAW = gzip.compress(bytes(2 * FRAME_BYTES), 1)
PAR = b"NUMFRMS = 2\nTELNAME = 'CTIO'\n"


@pytest.fixture(autouse=True)
def _nothing_set(own_cache, monkeypatch):
    for name in ("ARCHIVE", "MIRROR", "UMASS_RAW", "UMASS_IMAGES"):
        monkeypatch.delenv(f"TWOMASS_NB_{name}", raising=False)


@pytest.fixture
def mirror(serve, monkeypatch):
    files = {}
    for band in "jhk":
        files[f"000530s/{SCAN.stem(band)}.par"] = PAR
        files[f"000530s/{SCAN.stem(band)}.rds.gz"] = RAW
    server = serve(files=files)
    monkeypatch.setenv("TWOMASS_NB_MIRROR", server.address)
    return server


def names(server):
    return [asked.path.rsplit("/", 1)[1] for asked in server.log]


def kept(own_cache):
    """Names of what the cache has, whole or not."""
    folder = own_cache / "archive" / "raw"
    return {p.name for p in folder.rglob("*") if p.is_file() and not p.name.endswith(".lock")}


def test_what_is_fetched_comes_once(mirror, own_cache, monkeypatch):
    paths = tm.fetch("000530s064")
    folder = own_cache / "archive" / "raw" / "000530s"
    assert paths == [folder / f"{SCAN.stem(band)}.rds.gz" for band in "jhk"]
    assert all(path.read_bytes() == RAW for path in paths)
    assert names(mirror)[:2] == ["j1187064.par", "j1187064.rds.gz"]  # never one without the other
    monkeypatch.setenv("TWOMASS_NB_OFFLINE", "1")
    assert tm.fetch(SCAN, "h") == [paths[1]]
    assert len(mirror.log) == 6


def test_what_is_here_is_not_fetched(mirror, tmp_path, monkeypatch):
    folder = tmp_path / "disk" / "000530s"
    folder.mkdir(parents=True)
    (folder / "k1187064.rds").write_bytes(bytes(FRAME_BYTES))
    monkeypatch.setenv("TWOMASS_NB_ARCHIVE", str(tmp_path / "disk"))
    assert tm.fetch(SCAN, "k") == [folder / "k1187064.rds"]
    assert not mirror.log


def test_bands_that_can_be_had_are_kept(mirror, own_cache):
    del mirror.files["000530s/h1187064.rds.gz"]
    with pytest.raises(ScanMissingError, match=r"H is at hand.*404") as caught:
        tm.fetch(SCAN)
    assert "h1187064.rds.gz" in str(caught.value)
    assert "j1187064.rds.gz" not in str(caught.value)
    assert {"j1187064.rds.gz", "k1187064.rds.gz"} <= kept(own_cache)
    mirror.files["000530s/h1187064.rds.gz"] = RAW
    before = len(mirror.log)
    assert len(tm.fetch(SCAN)) == 3
    assert names(mirror)[before:] == ["h1187064.rds.gz"]


def test_a_packed_par_will_do_and_none_is_said(mirror, own_cache):
    del mirror.files["000530s/j1187064.par"]
    mirror.files["000530s/j1187064.par.gz"] = gzip.compress(PAR)
    (path,) = tm.fetch(SCAN, "j")
    assert path.with_name("j1187064.par.gz").exists()
    del mirror.files["000530s/k1187064.par"]
    with pytest.warns(TwomassWarning, match=r"k1187064\.rds\.gz has no \.par beside it"):
        tm.fetch(SCAN, "k")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (RAW[:-20], "damaged"),
        (RAW[:-8] + b"\0\0\0\0" + RAW[-4:], "damaged"),  # another checksum
        (gzip.compress(bytes(FRAME_BYTES + 2)), "no whole number of frames"),
        (gzip.compress(b""), "no whole number of frames"),
        (b"SIMPLE  =                    T", "not gzip"),
        (b"<html>gone</html>", "web page"),
        (b"<?xml?><a/>", "not gzip"),
    ],
)
def test_what_is_no_raw_file_never_takes_its_name(mirror, own_cache, content, words):
    mirror.files["000530s/k1187064.rds.gz"] = content
    with pytest.raises(ScanMissingError, match=words):
        tm.fetch(SCAN, "k")
    assert "k1187064.rds.gz" not in kept(own_cache)
    mirror.files["000530s/k1187064.rds.gz"] = RAW
    assert tm.fetch(SCAN, "k")[0].read_bytes() == RAW


def test_a_bomb_is_not_unpacked_to_its_end(mirror, own_cache, monkeypatch):
    monkeypatch.setattr(sys.modules["twomass_nb.archive.fetch"], "_MOST_BYTES", FRAME_BYTES)
    with pytest.raises(ScanMissingError, match=f"unpacks to more than {FRAME_BYTES} bytes"):
        tm.fetch(SCAN, "k")
    assert "k1187064.rds.gz" not in kept(own_cache)


@pytest.mark.parametrize("content", [b"", b"  \n", b"\0\1\2", b"<html>", b"\n<?xml?>"])
def test_what_is_no_par_never_takes_its_name(mirror, own_cache, content):
    mirror.files["000530s/k1187064.par"] = content
    with pytest.raises(ScanMissingError, match=r"no text|web page|marked up"):
        tm.fetch(SCAN, "k")
    assert not [name for name in kept(own_cache) if not name.startswith(".")]


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"TELNAME = 'MT. HOPKINS'\n", "says hemisphere n"),
        (b"FN_PRFX = 'k1187065'\nTELNAME = 'CTIO'\n", "says k1187065"),
        (b"FN_PRFX = 'j1187064'\n", "says j1187064"),
    ],
)
def test_files_of_another_scan_are_not_taken(mirror, own_cache, content, words, pack):
    """The raw file itself names no scan: only the .par beside it does."""
    mirror.files["000530s/k1187064.par"] = pack(content)
    with pytest.raises(ScanMissingError, match=words):
        tm.fetch(SCAN, "k")
    with pytest.raises(ScanMissingError, match=words):
        tm.open_scan(SCAN, "k")
    assert not [name for name in kept(own_cache) if not name.startswith(".")]


def test_a_par_that_is_gone_is_fetched_again(mirror, own_cache, monkeypatch):
    (path,) = tm.fetch(SCAN, "k")
    par = path.with_name("k1187064.par")
    par.unlink()
    mirror.log.clear()
    tm.find_files(SCAN, "k")
    assert not mirror.log  # only who fetches is online
    assert tm.fetch(SCAN, "k") == [path]
    assert names(mirror) == ["k1187064.par"]
    assert par.read_bytes() == PAR
    par.write_bytes(b"damaged")
    with pytest.warns(TwomassWarning, match=r"k1187064\.par in the cache was damaged"):
        tm.fetch(SCAN, "k")
    assert par.read_bytes() == PAR
    par.unlink()
    monkeypatch.setenv("TWOMASS_NB_OFFLINE", "1")
    assert tm.fetch(SCAN, "k") == [path]


def test_no_secret_of_a_mirrors_address_is_shown(mirror, own_cache, monkeypatch):
    address = mirror.address.replace("//", "//joe:hush@")
    monkeypatch.setenv("TWOMASS_NB_MIRROR", address)
    del mirror.files["000530s/k1187064.par"]
    with pytest.warns(TwomassWarning, match="no .par beside it") as said:
        tm.fetch(SCAN, "k")
    mirror.files.clear()
    with pytest.raises(ScanMissingError, match="404") as caught:
        tm.fetch(SCAN, "j")
    monkeypatch.setenv("TWOMASS_NB_OFFLINE", "1")
    with pytest.raises(OfflineError) as offline:
        tm.fetch(SCAN, "j")
    told = [*(str(one.message) for one in said), str(caught.value), str(offline.value)]
    told += [str(one) for one in caught.value.looked]
    told += [p.read_text() for p in own_cache.rglob("*.json")]
    assert mirror.address in told[1]
    assert not [text for text in told if "joe" in text or "hush" in text]


def test_checks_take_what_is_right(tmp_path):
    check_par_of_k = partial(check_par, scan_id=SCAN, band="k")
    for name, content, check in (
        ("a", RAW, check_raw),
        ("b", PAR, check_par_of_k),
        ("c", gzip.compress(PAR), check_par_of_k),
        ("d", b"a syntax that nobody has seen\n", check_par_of_k),
    ):
        (tmp_path / name).write_bytes(content)
        check(tmp_path / name)
    with pytest.raises(FetchError):
        check_raw(tmp_path / "b")


def test_offline_says_what_would_have_been_fetched(mirror, monkeypatch):
    monkeypatch.setenv("TWOMASS_NB_OFFLINE", "1")
    with pytest.raises(OfflineError, match=r"k1187064\.rds\.gz with its \.par would have been"):
        tm.fetch(SCAN, "k")
    assert not mirror.log


def test_without_a_source_the_archive_must_be_asked():
    with pytest.raises(ScanMissingError, match=r"TWOMASS_NB_MIRROR is not set.*ask the archive"):
        tm.fetch(SCAN, "k")


def test_the_archives_sample_is_asked_for_at_umass_when_a_person_fetches_it(serve, monkeypatch):
    sample = tm.ScanId("2000-06-02", "s", 90)
    server = serve(
        files={f"x/{sample.stem('k')}{end}": c for end, c in ((".par", PAR), (".rds.gz", RAW))}
    )
    monkeypatch.setenv("TWOMASS_NB_UMASS_RAW", server.url("x"))
    with pytest.raises(ScanMissingError):
        tm.open_scan(sample, "k")  # nobody said fetch
    assert not server.log
    (path,) = tm.fetch(sample, "k")
    assert path.parent.name == "000602s"


def test_atlas_images_and_tables_come_from_irsa(monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(irsa, "fetch_atlas", lambda *a: asked.append(a) or [tmp_path])
    monkeypatch.setattr(irsa, "fetch_scan_table", lambda: tmp_path)
    assert tm.fetch(SCAN, "Ks", "atlas", coadds=range(3, 5)) == [tmp_path]
    assert tm.fetch(SCAN, what="atlas") == [tmp_path]
    assert asked == [(SCAN, ("k",), [3, 4]), (SCAN, ("j", "h", "k"), None)]
    assert tm.fetch(what="tables") == [tmp_path]


def test_questions_without_an_answer():
    for arguments, words in (((), "which scan"), ((SCAN, "k", "moon"), "'moon' cannot be fetched")):
        with pytest.raises(NotFoundError, match=words):
            tm.fetch(*arguments)


def test_the_command_prints_where_files_are(mirror, capsys):
    assert main(["fetch", "000530s064", "--band", "k"]) == 0
    (path,) = capsys.readouterr().out.split()
    assert path.endswith("000530s/k1187064.rds.gz")
    assert main(["fetch", "2000-05-30 s 64", "--band", "k", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["files"] == [path]
    mirror.files.clear()
    assert main(["fetch", "000530s065"]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "ask the archive for j1187065.rds.gz" in said
    for words in (["fetch"], ["fetch", "000530s064", "--what", "tables"]):
        with pytest.raises(SystemExit) as caught:
            main(words)
        assert caught.value.code == 2
