"""``twomass-nb catalog``: what it prints, where, and the code it leaves with."""

from __future__ import annotations

import json

import pytest

from twomass_nb.cli import main

RAW = (
    "COPY raw_scans (date, hemis, scan, tile, s_type, disk_label) FROM stdin;\n"
    "2000-05-29\ts\t63\t318737\tsci\ts04\n2000-06-02\ts\t90\t\\N\tdar\ts04\n\\.\n"
)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("catalog")
    (folder / "raw_scans.dump").write_text(RAW)
    words = ["catalog", "build", str(folder / "archive")]
    assert main([*words, "--raw-scans", str(folder / "raw_scans.dump")]) == 0
    return str(folder / "archive")


def test_a_select_and_a_documented_query(built, capsys):
    query = "SELECT scan, tile FROM scans ORDER BY scan"
    assert main(["catalog", "sql", query, "--catalog", built, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == [
        {"scan": 63, "tile": 318737}, {"scan": 90, "tile": None},
    ]  # fmt: skip
    assert main(["catalog", "sql", query, "--catalog", built, "--format", "csv"]) == 0
    assert capsys.readouterr().out.split() == ["scan,tile", "63,318737", "90,"]
    assert main(["catalog", "sql", "repeats", "tile=318737", "--catalog", built]) == 0
    assert "2000-05-29" in capsys.readouterr().out
    assert main(["catalog", "sql", "disk", "disk=s04", "--catalog", built]) == 0
    assert "000602s" in capsys.readouterr().out


def test_info(built, capsys):
    assert main(["catalog", "info", "--catalog", built]) == 0
    captured = capsys.readouterr()
    assert "scans_without_darks" in captured.out
    assert captured.err == ""
    assert main(["catalog", "info", "--catalog", built, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["simulated"] is False
    assert {"table": "raw_scans", "rows": 2}.items() <= found["tables"][0].items()


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["repeats", "tile=1"], "no row answers"),
        (["repeats", "tile"], "write name=value"),
        (["SELECT", "1"], "put a SELECT into quotes"),
        (["SELECT 1", "x"], "put it into quotes"),
        (["nope"], "no query 'nope'"),
        (["SELECT * FROM lgo"], "no table lgo: give lgo="),
        (["DROP VIEW scans"], "one SELECT at a time"),
    ],
)
def test_errors_are_one_line(built, capsys, words, why):
    assert main(["catalog", "sql", *words, "--catalog", built]) == 1
    error = capsys.readouterr().err
    assert why in error
    assert error.count("\n") == 1


def test_simulated_tables_say_so(tmp_path, capsys):
    path = str(tmp_path / "archive")
    assert main(["catalog", "build", path, "--simulated", "2000"]) == 0
    assert "SIMULATED" in capsys.readouterr().err
    query = "SELECT count(*) AS n FROM inventory"
    assert main(["catalog", "sql", query, "--catalog", path]) == 0
    captured = capsys.readouterr()
    assert captured.out.split() == ["n", "-----", "11988"]
    assert "SIMULATED" in captured.err
    assert main(["catalog", "build", path, "--simulated", "2000"]) == 1
    assert main(["catalog", "build", path, "--simulated", "--lgo", "x"]) == 1
    assert "give no others" in capsys.readouterr().err
    assert main(["catalog", "build", path, "--simulated", "-5"]) == 1
    assert "of -5 scans makes no sense" in capsys.readouterr().err
