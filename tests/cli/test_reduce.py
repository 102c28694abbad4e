"""``twomass-nb reduce``: what it prints, where, and the code it leaves with."""

from __future__ import annotations

import json
import shutil

import pytest

import twomass_nb as tm
from twomass_nb.cli import main
from twomass_nb.reduce import steps

LUCK, STARS = tm.TwomassError("no luck"), tm.TwomassError("no stars")


@pytest.fixture
def quick(monkeypatch):
    """Let no piece take its time: what is asked for is what is looked at here."""
    done = []

    def look(task):
        done.append(str(task.name))
        if task.name.kind == "sky" and task.name.band == "h":
            raise LUCK
        if task.name.kind == "positions":
            raise STARS
        return [], {"reasons": []}

    for kind in steps.STEPS:
        monkeypatch.setitem(steps.STEPS, kind, look)
    return done


def run(*words: object) -> int:
    return main(["reduce", *map(str, words), "--workers", "1"])


def test_a_failure_is_one_line_and_exit_1(short_sample, tmp_path, quick, capsys):
    assert run(short_sample / "000529s", "--out", tmp_path, "--bands", "kh") == 1
    said = capsys.readouterr()
    assert said.err.count("\n") == 1
    assert "pieces of work failed, the first: s063 h sky: no luck (see " in said.err
    assert "000529s (SIMULATED)" in said.out
    assert set(quick) >= {"h calibrator", "k calibrator", "s063 k sky", "s063 k frames"}


def test_json_says_what_was_made(short_sample, tmp_path, quick, capsys):
    words = [short_sample / "000529s/k1186063.rds.gz", "--out", tmp_path, "--no-frames", "--json"]
    assert run(*words) == 1
    said = json.loads(capsys.readouterr().out)
    assert said["simulated"] is True
    assert set(said["made"]) == {"k calibrator", "s063 k sky"}
    assert said["failed"]["s063 k positions"] == "no stars"
    assert said["failed"]["s063 k sources"] == "not made, for want of s063 k positions"


def test_a_scan_by_its_identity(short_sample, tmp_path, quick, capsys, monkeypatch):
    monkeypatch.setenv("TWOMASS_NB_ARCHIVE", str(short_sample))
    assert run("000529s063", "--out", tmp_path, "--no-frames") == 1
    assert {"s063 j sky", "s063 h sky", "s063 k sky"} <= set(quick)
    monkeypatch.delenv("TWOMASS_NB_ARCHIVE")
    assert run("000530s063", "--out", tmp_path) == 1
    assert "000530s063" in capsys.readouterr().err
    assert not (tmp_path / "000530s").exists()


def test_nights_of_darks_and_twilights_can_be_named(short_sample, tmp_path, quick, capsys):
    raw = tmp_path / "000529s"
    shutil.copytree(short_sample / "000529s", raw, ignore=shutil.ignore_patterns("s063"))
    out = tmp_path / "out"
    assert run(raw, "--out", out, "--bands", "k", "--nights", short_sample) == 1
    log = (out / "000529s/reduce.log").read_text()
    assert "no dark" not in log
    assert run(raw, "--out", tmp_path / "other", "--bands", "k") == 1
    assert "no dark" in (tmp_path / "other/000529s/reduce.log").read_text()


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["000529s063", "--scans", "63"],
        ["000529s063", "--night", "000529s"],
        ["000529s063", "--scans", "one"],
        ["000529s063", "--scans", "72-70"],
        ["000529s063", "--workers", "many"],
    ],
)
def test_words_that_are_off(words, tmp_path, capsys):
    with pytest.raises(SystemExit) as error:
        main(["reduce", *words, "--out", str(tmp_path)])
    assert error.value.code == 2
    assert "usage" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["k1186063.rds.gz"], "there is no file"),
        (["000529s063", "--kernel", "gauss"], "there is no kernel 'gauss'"),
        (["000529s063", "--bands", "jx"], "'x' is not a 2MASS band"),
    ],
)
def test_errors_are_clear(words, said, short_sample, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("TWOMASS_NB_ARCHIVE", str(short_sample))
    assert run(*words, "--out", tmp_path) == 1
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1
