"""The command: what it prints, where, and the code it leaves with."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

import twomass_nb as tm
from twomass_nb.cli import main

COLUMNS = {
    "scan_id", "date", "hemis", "scan", "tile", "sd", "source", "dist_edge_ew", "dist_edge_ns",
    "dist_edge_flg", "first_frame", "last_frame", "best_frame", "x", "y",
}  # fmt: skip


@pytest.fixture(autouse=True)
def empty_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("TWOMASS_NB_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="session")
def raw_path(short_sample) -> Path:
    return short_sample / "000529s" / "j1186063.rds.gz"


def one_line(text: str) -> str:
    """Return the one line of an error; a simulated table is announced in a line before."""
    lines = [line for line in text.splitlines() if not line.startswith("twomass-nb: SIMULATED")]
    assert text.endswith("\n")
    assert len(lines) == 1, text
    return lines[0]


def test_locate_json_is_the_contracts(short_sample, capsys):
    table = short_sample / "scan_table.csv"
    row = tm.read_scan_table(table)[0]
    code = main(["locate", f"{row['ra']} {row['dec']}", "--table", str(table), "--json"])
    captured = capsys.readouterr()
    answer = json.loads(captured.out)
    assert code == 0
    assert answer["position"]["ra"] == pytest.approx(row["ra"])
    assert answer["position"]["dec"] == pytest.approx(row["dec"])
    assert answer["table"] == {"source": str(table), "rows": len(tm.read_scan_table(table))}
    scan = next(s for s in answer["scans"] if s["scan_id"] == "000529s063")
    assert set(scan) >= COLUMNS
    assert scan["dist_edge_ew"] > 0
    assert isinstance(scan["best_frame"], int)


def test_locate_takes_a_declination_for_no_option(short_sample, capsys):
    table = str(short_sample / "scan_table.csv")
    assert main(["locate", "00:00:00", "-89:59:00", "--table", table]) == 1
    assert "no option" not in one_line(capsys.readouterr().err)


def test_locate_without_a_table_says_how_to_get_one(capsys, empty_cache):
    assert main(["locate", "10 -30"]) == 1
    message = one_line(capsys.readouterr().err)
    assert "--table" in message
    assert "--simulated" in message
    assert str(empty_cache) in message


def test_locate_finds_the_table_kept_in_the_cache(short_sample, empty_cache, capsys):
    empty_cache.mkdir()
    kept = empty_cache / "twomass_scn.csv"
    kept.write_bytes((short_sample / "scan_table.csv").read_bytes())
    row = tm.read_scan_table(kept)[0]
    assert main(["locate", f"{row['ra']} {row['dec']}", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["table"]["source"] == str(kept)


def test_the_simulated_table_answers_only_when_asked_and_says_so(capsys):
    assert main(["locate", "274.99", "-16.25", "--simulated", "--json"]) == 0
    captured = capsys.readouterr()
    assert "SIMULATED" in captured.err
    answer = json.loads(captured.out)
    assert answer["table"] == {"source": "simulated", "rows": 59731}
    assert {scan["source"] for scan in answer["scans"]} == {"sim"}


def test_locate_where_no_scan_is(short_sample, capsys):
    assert main(["locate", "0 89", "--table", str(short_sample / "scan_table.csv"), "--json"]) == 1
    captured = capsys.readouterr()
    assert json.loads(captured.out)["scans"] == []
    assert "covers" in one_line(captured.err)


@pytest.mark.parametrize("position", ["M31", "nan nan", "10 91"])
def test_a_bad_position_is_one_line(position, capsys):
    assert main(["locate", position, "--simulated"]) == 1
    assert capsys.readouterr().err.splitlines()[-1].startswith("twomass-nb: ")


def test_a_simulated_table_says_so_wherever_it_is_from(short_sample, capsys):
    table = str(short_sample / "scan_table.csv")
    assert main(["locate", "266.1695 -39.93", "--table", table]) in (0, 1)
    assert "SIMULATED" in capsys.readouterr().err


def test_no_simulated_scans_are_no_scans(tmp_path, capsys):
    assert main(["index", "build", str(tmp_path / "index"), "--simulated", "0"]) == 1
    one_line(capsys.readouterr().err)


def test_a_reader_that_has_read_enough_is_no_error(short_sample):
    command = f"{sys.executable} -m twomass_nb info {short_sample}/000529s/j1186063.par | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
    assert done.stderr == ""


def test_layout_learn_and_detect_agree(raw_path, tmp_path, capsys):
    rdo = tmp_path / "j1186063.rdo"
    tm.convert(raw_path, rdo)
    assert main(["layout", "learn", str(raw_path), str(rdo)]) == 0
    learnt = capsys.readouterr().out.strip()
    assert main(["layout", "detect", str(raw_path)]) == 0
    assert capsys.readouterr().out.startswith(learnt)


@pytest.mark.parametrize("words", [[], ["locate"], ["fits", "x.rds", "first"], ["fly"]])
def test_wrong_words_exit_with_2(words, capsys):
    with pytest.raises(SystemExit) as left:
        main(words)
    assert left.value.code == 2
    capsys.readouterr()


def test_the_traceback_is_for_debugging_only(capsys):
    assert main(["locate", "M31", "--simulated"]) == 1
    assert "Traceback" not in capsys.readouterr().err
    assert main(["--debug", "locate", "M31", "--simulated"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_the_module_is_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "twomass_nb", "--version"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == f"twomass-nb {tm.__version__}"


def test_lab_copies_examples_once_and_passes_words_on(monkeypatch, tmp_path):
    called = []
    monkeypatch.setattr(
        subprocess,
        "run",
        lambda command, **kw: called.append(command) or subprocess.CompletedProcess(command, 0),
    )
    first = "01_from_a_position_to_raw_frames.ipynb"
    (tmp_path / first).write_text("mine")
    assert main(["lab", str(tmp_path), "--", "--no-browser", "--port=9"]) == 0
    assert called[0][-3:] == [first, "--no-browser", "--port=9"]
    assert (tmp_path / first).read_text() == "mine"


def test_lab_serves_the_first_example(tmp_path, short_sample):
    """The second half of `make demo`: a real JupyterLab, on loopback, with the notebook in it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [
        "--no-browser",
        "--allow-root",
        f"--ServerApp.port={port}",
        "--IdentityProvider.token=t",
    ]
    log = tmp_path / "log"
    with log.open("wb") as stream:
        lab = subprocess.Popen(
            [sys.executable, "-m", "twomass_nb", "lab", str(tmp_path / "nb"), "--", *words],
            stderr=stream,
            start_new_session=True,
        )
    try:
        url = f"http://127.0.0.1:{port}/api/contents?token=t"
        for _ in range(300):
            try:
                with urllib.request.urlopen(url, timeout=5) as answer:
                    names = [entry["name"] for entry in json.load(answer)["content"]]
                break
            except OSError:
                assert lab.poll() is None, log.read_text()
                time.sleep(0.1)
        assert "01_from_a_position_to_raw_frames.ipynb" in names
    finally:
        os.killpg(lab.pid, signal.SIGTERM)
        lab.wait(30)


# --- a catalogue of positions, and the index ---------------------------------------------------


@pytest.fixture
def catalogue(short_sample, tmp_path) -> Path:
    row = tm.read_scan_table(short_sample / "scan_table.csv")[0]
    path = tmp_path / "targets.csv"
    path.write_text(f"name,RA,Dec\nfirst,{row['ra']},{row['dec']}\nelsewhere,0,89\n")
    return path


def test_locate_a_catalogue(short_sample, catalogue, tmp_path, capsys):
    table, out = str(short_sample / "scan_table.csv"), tmp_path / "found.csv"
    words = ["locate", "--catalog", str(catalogue), "--out", str(out), "--table", table]
    assert main([*words, "--keep", "name"]) == 0
    assert "for 2 positions" in one_line(capsys.readouterr().out)
    head, *rows = [line for line in out.read_text().splitlines() if line[0] != "#"]
    assert set(head.split(",")) >= COLUMNS | {"row", "ra", "dec", "name"}
    assert all(row.startswith("0,") and ",first," in row for row in rows)
    assert any("000529s063" in row for row in rows)
    assert main(words) == 1
    assert "exists" in one_line(capsys.readouterr().err)
    assert main([*words, "--overwrite", "--ra", "nowhere"]) == 1
    assert "nowhere" in one_line(capsys.readouterr().err)


def test_a_catalogue_that_is_interrupted_leaves_nothing(
    short_sample, catalogue, tmp_path, monkeypatch, capsys
):
    from twomass_nb.locate import ScanLocator

    def stop(*_, **__):
        raise KeyboardInterrupt

    table, before = str(short_sample / "scan_table.csv"), set(tmp_path.iterdir())
    monkeypatch.setattr(ScanLocator, "query", stop)
    words = ["locate", "--catalog", str(catalogue), "--out", str(tmp_path / "found.vot")]
    assert main([*words, "--table", table]) == 130
    assert set(tmp_path.iterdir()) == before
    assert "interrupted" in one_line(capsys.readouterr().err)


@pytest.mark.parametrize(
    "words",
    [["locate", "--catalog", "c.csv"], ["locate", "1 2", "--catalog", "c.csv", "--out", "o.csv"],
     ["locate", "--out", "o.csv"], ["index"], ["index", "build"]],
)  # fmt: skip
def test_wrong_words_about_catalogues_exit_with_2(words, capsys):
    with pytest.raises(SystemExit) as left:
        main(words)
    assert left.value.code == 2
    capsys.readouterr()


def test_an_index_is_built_told_of_and_used(short_sample, tmp_path, capsys):
    table, index = short_sample / "scan_table.csv", tmp_path / "scans.index"
    words = ["index", "build", str(index), "--table", str(table)]
    log = short_sample / "000529s" / "000529s.lgo"
    assert main([*words, "--lgo", str(log)]) == 0
    assert "simulated" in one_line(capsys.readouterr().out)
    assert main(words) == 1
    assert "exists" in one_line(capsys.readouterr().err)
    assert main(["index", "info", str(index), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["scans"] == sum(found["sources"].values())
    assert found["simulated"] is True
    row = tm.read_scan_table(table)[0]
    answers = []
    for name in (table, index):
        assert main(["locate", f"{row['ra']} {row['dec']}", "--table", str(name), "--json"]) == 0
        answers.append(json.loads(capsys.readouterr().out)["scans"])
    scan_ids = [{scan["scan_id"] for scan in scans} for scans in answers]
    assert scan_ids[0] <= scan_ids[1]
    data = bytearray(index.read_bytes())
    data[len(data) // 2] ^= 255
    index.write_bytes(data)
    assert main(["index", "info", str(index)]) == 1
    assert "broken" in one_line(capsys.readouterr().err)


def test_an_index_of_simulated_scans(tmp_path, capsys):
    assert main(["index", "build", str(tmp_path / "i"), "--simulated", "300"]) == 0
    assert main(["index", "info", str(tmp_path / "i")]) == 0
    out = capsys.readouterr().out
    assert "300" in out
    assert main(["locate", "10 20", "--margin", "30000", "--table", str(tmp_path / "i")]) == 0
    assert "SIMULATED" in capsys.readouterr().err
