from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from astropy.table import Table

import twomass_nb as tm
from twomass_nb.errors import ExistsError, NotFoundError, TableError
from twomass_nb.tables.sql import store
from twomass_nb.tables.sql.sources import found_here

DUMP = "COPY raw_scans (date, hemis, scan, s_type) FROM stdin;\n2000-05-29\ts\t{}\tsci\n\\.\n"
FILES = "COPY f (file, size) FROM stdin;\nj1186063.rds.gz\t21345678\n\\.\n"


def raw_scans(*scans):
    n = len(scans)
    return Table({"date": ["2000-05-29"] * n, "hemis": ["s"] * n, "scan": list(scans)})


def scans_of(catalog):
    return catalog.sql("SELECT scan FROM scans ORDER BY scan")["scan"].tolist()


def test_it_is_kept_where_it_was_asked_for_and_opened_by_its_path(tmp_path):
    path = tmp_path / "it's a folder" / "archive"
    made = tm.catalog(raw_scans=raw_scans(1, 2), path=path)
    assert made.path == path
    assert scans_of(tm.catalog(path=path)) == [1, 2]
    names = sorted(p.name for p in path.iterdir())
    assert [name.split("-")[0] for name in names] == ["catalog.json", "raw_scans", "scans"]


def test_it_is_written_over_only_when_told(tmp_path):
    path = tmp_path / "archive"
    tm.catalog(raw_scans=raw_scans(1), path=path)
    with pytest.raises(ExistsError, match="exists already"):
        tm.catalog(raw_scans=raw_scans(2), path=path)
    assert scans_of(tm.catalog(path=path)) == [1]
    assert scans_of(tm.catalog(raw_scans=raw_scans(2), path=path, overwrite=True)) == [2]
    assert len(list(path.glob("*.parquet"))) == 2  # the old ones are swept


def test_a_folder_with_other_things_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(ExistsError):
        tm.catalog(raw_scans=raw_scans(1), path=tmp_path, overwrite=True)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]


def test_the_same_sources_are_read_once_and_changed_ones_again(tmp_path, monkeypatch):
    monkeypatch.setenv("TWOMASS_NB_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "raw_scans"
    path.write_text(DUMP.format(1))
    first = tm.catalog(raw_scans=path)
    stamps = [p.stat().st_mtime_ns for p in sorted(first.path.iterdir())]
    again = tm.catalog(raw_scans=path)
    assert again.path == first.path
    assert [p.stat().st_mtime_ns for p in sorted(again.path.iterdir())] == stamps
    path.write_text(DUMP.format(22))
    assert scans_of(tm.catalog(raw_scans=path)) == [22]
    assert not first.path.exists()  # made of what the file held before
    with pytest.raises(TableError, match="open it again"):
        scans_of(first)


def test_tables_in_memory_are_told_apart_by_their_content():
    one, same, other = (tm.catalog(raw_scans=raw_scans(n)) for n in (1, 1, 2))
    assert one.path == same.path != other.path
    masked = Table(raw_scans(1), masked=True)
    masked["hemis"].mask = True
    assert tm.catalog(raw_scans=masked).path != one.path
    simulated = raw_scans(1)
    simulated.meta["SIMULATE"] = True
    assert tm.catalog(raw_scans=simulated).simulated


@pytest.mark.parametrize("root", ["disks/s04", "disks"])
def test_whatever_is_on_this_machine_is_found(tmp_path, monkeypatch, root):
    cache, disk = tmp_path / "cache", tmp_path / "disks" / "s04"
    monkeypatch.setenv("TWOMASS_NB_CACHE", str(cache))
    roots = [str(tmp_path / root), str(tmp_path / "none")]
    monkeypatch.setenv("TWOMASS_NB_ARCHIVE", os.pathsep.join(roots))
    with pytest.raises(TableError, match="no table for a catalogue: give scans="):
        tm.catalog()
    (cache / "tables").mkdir(parents=True)
    (cache / "tables" / "raw_scans.dump").write_text(DUMP.format(1))
    (disk / "000529s").mkdir(parents=True)
    (disk / "disk_s04").write_text(FILES)
    (disk / "disk_s05").touch()
    (disk / "000529s" / "000529s.dir").write_text("21345678 j1186063.rds.gz\n")
    (disk / "000529s" / "j1186063.par").write_text("X = 1\n")
    found = {name: [p.name for p in paths] for name, paths in found_here().items()}
    assert found == {"raw_scans": ["raw_scans.dump"], "inventory": ["000529s.dir", "disk_s04"]}
    made = tm.catalog()
    assert made.sql("SELECT files, disk_label FROM scans WHERE scan = 63")["files"].tolist() == [1]


def test_pipes_in_a_root_are_not_waited_for(tmp_path, monkeypatch):
    night = tmp_path / "000529s"
    night.mkdir()
    for pipe in (tmp_path / "raw_scans", tmp_path / "twomass_scn", night / "000529s.lgo"):
        os.mkfifo(pipe)
    monkeypatch.setenv("TWOMASS_NB_ARCHIVE", str(tmp_path))
    assert found_here() == {}
    with pytest.raises(NotFoundError, match="raw_scans: this is no file"):
        tm.catalog(raw_scans=tmp_path / "raw_scans")


def test_a_night_of_a_summary_is_not_counted_again_by_its_own_files(tmp_path):
    summary = tmp_path / "inventory.dump"
    summary.write_text(FILES.replace("j1186063", "000529s/j1186063"))
    for night in ("000529s", "000530s"):
        day = int(night[4:6]) + 1186 - 29
        (tmp_path / f"{night}.dir").write_text(f"21345678 j{day}063.rds.gz\n")
    made = tm.catalog(inventory=[tmp_path / "000529s.dir", summary, tmp_path / "000530s.dir"])
    found = made.sql("SELECT date, files FROM scans ORDER BY date")
    assert found["date"].tolist() == ["2000-05-29", "2000-05-30"]
    assert found["files"].tolist() == [1, 1]


@pytest.mark.parametrize("harm", ["cut", "one byte", "gone", "list", "version"])
def test_a_damaged_catalogue_says_so(tmp_path, harm):
    path = tmp_path / "archive"
    tm.catalog(raw_scans=raw_scans(1), path=path)
    victim, listed = next(path.glob("scans-*")), path / "catalog.json"
    if harm == "cut":
        victim.write_bytes(victim.read_bytes()[:-1])
    elif harm == "one byte":
        content = bytearray(victim.read_bytes())
        content[len(content) // 3] ^= 1
        victim.write_bytes(content)
    elif harm == "gone":
        victim.unlink()
    elif harm == "list":
        listed.write_text("{")
    else:
        listed.write_text(json.dumps({**json.loads(listed.read_text()), "format": 99}))
    with pytest.raises(TableError, match=r"build (one|the catalogue again|it again)"):
        tm.catalog(path=path)


@pytest.mark.parametrize(
    "change",
    [
        {"file": "/etc/passwd"},
        {"file": "../../scans-0123456789abcdef.parquet"},
        {"file": 5},
        {"name": "x AS SELECT 1; COPY (SELECT 1) TO 'stolen'; --"},
    ],
)
def test_a_list_from_elsewhere_leads_to_no_other_file_nor_sql(tmp_path, change):
    path = tmp_path / "archive"
    tm.catalog(raw_scans=raw_scans(1), path=path)
    listed = json.loads((path / "catalog.json").read_text())
    table = listed["tables"].pop("scans")
    name = change.get("name", "scans")
    listed["tables"][name] = {**table, "file": change.get("file", table["file"])}
    (path / "catalog.json").write_text(json.dumps(listed))
    with pytest.raises(TableError, match="is not a catalogue"):
        tm.catalog(path=path)


def test_a_damaged_catalogue_in_the_cache_is_built_again():
    rows = raw_scans(1)
    path = tm.catalog(raw_scans=rows).path
    next(path.glob("scans-*")).write_bytes(b"")
    assert scans_of(tm.catalog(raw_scans=rows)) == [1]


def test_a_failed_build_leaves_the_old_catalogue(tmp_path, monkeypatch):
    path = tmp_path / "archive"
    tm.catalog(raw_scans=raw_scans(1), path=path)

    def fail(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(store, "_write_scans", fail)
        with pytest.raises(KeyboardInterrupt):
            tm.catalog(raw_scans=raw_scans(2), path=path, overwrite=True)
    assert scans_of(tm.catalog(path=path)) == [1]
    assert scans_of(tm.catalog(raw_scans=raw_scans(2), path=path, overwrite=True)) == [2]


BUILD = """
import sys
import twomass_nb as tm
made = tm.catalog(raw_scans=sys.argv[1])
print(made.sql("SELECT count(*) AS n FROM scans")["n"][0], made.path)
"""


def many(path: Path, n: int) -> Path:
    rows = "".join(f"2000-05-29\ts\t{i}\tsci\n" for i in range(1, n + 1))
    path.write_text(f"COPY raw_scans (date, hemis, scan, s_type) FROM stdin;\n{rows}\\.\n")
    return path


def test_two_processes_build_one_catalogue_once(tmp_path, monkeypatch):
    monkeypatch.setenv("TWOMASS_NB_CACHE", str(tmp_path / "cache"))
    command = [sys.executable, "-c", BUILD, str(many(tmp_path / "raw_scans", 999))]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    answers = [process.communicate(timeout=60)[0].split() for process in both]
    assert answers[0] == answers[1]
    assert answers[0][0] == "999"
    assert len(list(Path(answers[0][1]).glob("*.parquet"))) == 2


@pytest.mark.parametrize("wait", [0.0, 0.1])
def test_a_killed_build_leaves_nothing_that_is_taken_for_a_catalogue(tmp_path, monkeypatch, wait):
    cache = tmp_path / "cache"
    monkeypatch.setenv("TWOMASS_NB_CACHE", str(cache))
    path = many(tmp_path / "raw_scans", 999)
    process = subprocess.Popen(
        [sys.executable, "-c", BUILD, str(path)], stdout=subprocess.DEVNULL, text=True
    )
    while process.poll() is None and not cache.exists():
        time.sleep(0.01)
    time.sleep(wait)
    process.send_signal(signal.SIGKILL)
    process.wait()
    made = tm.catalog(raw_scans=path)
    assert scans_of(made) == list(range(1, 1000))
    assert {p.suffix for p in made.path.iterdir()} <= {".parquet", ".json"}


def test_threads_may_ask_at_the_same_time():
    made = tm.catalog(raw_scans=raw_scans(*range(1, 100)))
    found: list[list[int]] = []
    threads = [threading.Thread(target=lambda: found.append(scans_of(made))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [list(range(1, 100))] * 8


def test_types_of_all_kinds_of_columns_survive(tmp_path):
    table = raw_scans(1, 2)
    table["size"] = np.array([2**40, 1])
    table["x"] = [np.nan, 0.5]
    table["y"] = np.array([True, False])
    table["z"] = np.array([b"a", b""])
    table["w"] = np.array(["u", None], dtype=object)
    table["t"] = np.array(["2000-05-29", "2000-05-30"], "datetime64[D]")
    found = tm.catalog(inventory=table).sql("SELECT * FROM inventory ORDER BY scan")
    assert found["size"].tolist() == [2**40, 1]
    assert found["x"].tolist() == [None, 0.5]
    assert found["y"].tolist() == [True, False]
    assert found["z"].tolist() == ["a", None]
    assert found["w"].tolist() == ["u", None]
    assert found["t"].tolist() == ["2000-05-29", "2000-05-30"]


def test_one_bad_file_among_many_is_left_out_with_a_word(tmp_path):
    good, bad = tmp_path / "raw_scans", tmp_path / "raw_scans.old"
    good.write_text(DUMP.format(1))
    bad.write_text("not a dump")
    with pytest.warns(tm.TwomassWarning, match=r"left out .*raw_scans\.old"):
        assert scans_of(tm.catalog(raw_scans=[bad, good])) == [1]
    with pytest.raises(TableError, match="neither a COPY block"):
        tm.catalog(raw_scans=bad)
    with (
        pytest.warns(tm.TwomassWarning, match="left out"),
        pytest.raises(TableError, match="no source of the table raw_scans"),
    ):
        tm.catalog(raw_scans=[bad, bad])


def test_tables_that_do_not_fit_together_say_so():
    odd = raw_scans(2)
    odd["date"], odd["scan"] = ["2000-05-30"], ["two"]
    with pytest.raises(TableError, match="do not fit together"):
        tm.catalog(raw_scans=[raw_scans(1), odd])


def test_a_table_without_rows_says_so():
    with pytest.raises(TableError, match="no rows"):
        tm.catalog(raw_scans=raw_scans(1)[:0])
