"""A check that was stopped, by whatever, carries on, and reads nothing twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import twomass_nb as tm
from twomass_nb.cli import main
from twomass_nb.errors import TwomassError, WriteError
from twomass_nb.night import CheckReport, Finding, checking
from twomass_nb.night.journal import Journal
from twomass_nb.night.look import Record, look_into

N_RAW = 10


@pytest.fixture
def looked(monkeypatch) -> list[str]:
    """Names of the files that were looked into."""
    names: list[str] = []

    def counted(path, record):
        names.append(path.name)
        return look_into(path, record)

    monkeypatch.setattr(checking, "look_into", counted)
    return names


def test_unchanged_files_are_not_read_again(night, tmp_path, looked):
    journal = tmp_path / "journal"
    first = tm.check(night, journal=journal)
    assert len(looked) == N_RAW
    second = tm.check(night, journal=journal)
    assert len(looked) == N_RAW
    assert second.records == first.records
    changed = night / "k1186063.rds.gz"
    changed.write_bytes(changed.read_bytes()[:-100])
    os.utime(night / "j1186063.rdo.gz")
    third = tm.check(night, journal=journal)
    assert sorted(looked[N_RAW:]) == ["j1186063.rdo.gz", "k1186063.rds.gz"]
    assert [one.code for one in third.all_findings] == ["gzip-cut"]
    assert [one.code for one in tm.check(night, journal=journal).all_findings] == ["gzip-cut"]
    assert len(looked) == N_RAW + 2


def test_a_table_that_changed_is_compared_anew(night, tmp_path, looked):
    journal = tmp_path / "journal"
    tm.check(night, journal=journal)
    par = night / "k1186063.par"
    par.write_text(par.read_text().replace("NUMFRMS =                    9", "NUMFRMS =  99"))
    report = tm.check(night, journal=journal)
    assert [one.code for one in report.all_findings] == ["frames-differ"]
    assert len(looked) == N_RAW


def test_an_interrupted_check_returns_what_it_has(night, tmp_path, monkeypatch, capsys):
    calls: list[str] = []

    def interrupted(path, record):
        calls.append(path.name)
        if len(calls) == 5:
            raise KeyboardInterrupt
        return look_into(path, record)

    monkeypatch.setattr(checking, "look_into", interrupted)
    journal, path = tmp_path / "journal", tmp_path / "report.json"
    words = ["check", str(night), "--resume", str(journal), "--report", str(path)]
    assert main(words) == 130
    assert "UNFINISHED" in capsys.readouterr().out
    report = CheckReport.from_json(path)
    assert not report.finished
    assert not report.ok
    assert "not checked" in report.files["status"]
    monkeypatch.setattr(checking, "look_into", look_into)
    assert main(words) == 0  # an unfinished report may be replaced
    assert CheckReport.from_json(path).finished
    assert len(CheckReport.from_json(path).records) == len(tm.check(night, quick=True).records)


_SLOW = """
import sys, time
from twomass_nb.night import checking
look = checking.look_into
def slow(path, record):
    time.sleep(0.1)
    return look(path, record)
checking.look_into = slow
checking.check(sys.argv[1], journal=sys.argv[2])
"""


def test_a_killed_check_carries_on(night, tmp_path, looked):
    journal = tmp_path / "journal"
    process = subprocess.Popen([sys.executable, "-c", _SLOW, str(night), str(journal)])
    deadline = time.monotonic() + 60
    while not journal.exists() or journal.read_bytes().count(b"\n") < 4:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    kept = journal.read_bytes().count(b"\n") - 1
    assert 3 <= kept < N_RAW
    report = tm.check(night, journal=journal)
    assert report.ok
    assert len(looked) == N_RAW - kept


_CUT = Finding("error", "gzip-cut", "a", "é\nb", "c")
RECORDS = [
    Record(f"000529s/k118600{i}.rds.gz", "raw", 10 + i, 20 + i, frames=i or None, findings=found)
    for i, found in enumerate([[], [_CUT], [], [_CUT, _CUT]])
]


def known(path) -> list[Record]:
    with Journal(path) as journal:
        found = [journal.known(one.file, one.size, one.mtime_ns) for one in RECORDS]
    return [one for one in found if one is not None]


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_a_journal_torn_anywhere_keeps_its_whole_lines(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("torn") / "journal"
    ends = []
    with Journal(path) as journal:
        for record in RECORDS:
            journal.add(record)
            ends.append(path.stat().st_size)
    cut = data.draw(st.integers(0, ends[-1]))
    path.write_bytes(path.read_bytes()[:cut])
    n = sum(end <= cut for end in ends)
    assert known(path) == RECORDS[:n]
    with Journal(path) as journal:  # and what is added then is not lost in the torn line
        for record in RECORDS[n:]:
            journal.add(record)
    assert known(path) == RECORDS


def test_a_damaged_line_costs_its_file_only(tmp_path):
    path = tmp_path / "journal"
    with Journal(path) as journal:
        for record in RECORDS:
            journal.add(record)
    lines = path.read_bytes().splitlines(keepends=True)
    lines[2] = b"\x00\xff {]\n"
    path.write_bytes(b"".join(lines))
    assert known(path) == [RECORDS[0], *RECORDS[2:]]


def test_a_look_that_failed_is_tried_again(tmp_path):
    record = Record("a", "raw", 1, 2, findings=[Finding("error", "unreadable", "a", "", "")])
    with Journal(tmp_path / "journal") as journal:
        journal.add(record)
    with Journal(tmp_path / "journal") as journal:
        assert journal.known("a", 1, 2) is None


@pytest.mark.parametrize("content", [b"my thesis", b"my thesis\n", b'{"a": 1}\n{"b": 2}\n'])
def test_no_other_file_is_taken_for_a_journal(tmp_path, whole_night, content):
    path = tmp_path / "thesis.txt"
    path.write_bytes(content)
    with pytest.raises(TwomassError, match="not the journal of a check"):
        tm.check(whole_night, journal=path)
    assert path.read_bytes() == content


def test_a_journal_that_cannot_be_written(tmp_path, whole_night):
    (tmp_path / "file").write_text("")
    with pytest.raises(WriteError, match="cannot be written"):
        tm.check(whole_night, journal=tmp_path / "file" / "journal")
