from __future__ import annotations

import sys

import numpy as np
import pytest
from astropy.table import Table

import twomass_nb as tm
from twomass_nb.array.hardware import HARDWARE_EVENTS
from twomass_nb.errors import ExistsError, NotFoundError, TableError
from twomass_nb.simulate.inventory import raw_archive, write_dump
from twomass_nb.tables.sql import QUERIES

#: Values for the parameters of the documented queries.
VALUES = {
    "nights_between": {"after": "focus", "before": "h-array"},
    "repeats": {"tile": 318737},
    "disk": {"disk": "S04"},
}

# The rows of seed 000.
RAW = """\
    date    | day_no | hemis | scan |  tile  | s_dir | s_type | frames | as_cat | tape_label | disk_label
------------+--------+-------+------+--------+-------+--------+--------+--------+------------+------------
 1998-10-10 |    589 | s     |    1 |  90234 | n     | cal    |     48 | n      | raws0032   | s15
 2000-05-29 |   1186 | s     |   63 | 318737 | n     | sci    |    274 | y      | raws0136   | s04
 2000-05-31 |   1188 | s     |  155 | 199998 | s     | flt    |     53 | n      | raws0136   | s04
 2000-06-02 |   1190 | s     |   90 | 199999 | n     | dar    |     48 | n      | raws0136   | s04
 2000-06-02 |   1190 | s     |   91 | 318737 | n     | sci    |    274 | y      | raws0136   | s04
"""  # noqa: E501
LGO = r"""\CHAR Logfile  = 000529s.lgo
\CHAR ORDate   = 000529 \CHAR Hemisp   = s
\--------------------------------------------------------------------------------------------
|Scn| sr_UT     |StrpID|R|sr_RA_2000 |sr_Dec_2000| Air_M|Frms|D|Typ| Comment                 |
\--------------------------------------------------------------------------------------------
 001 22:37:16.00  92397 - 11:21:49.10 -13:51:41.0 1.070   048 n cal
 063 02:38:46.00 318737 - 11:21:49.43 -12:34:52.9 1.080   274 n sci
"""
FILES = """COPY inventory (file, size, disk_label) FROM stdin;
000529s/j1186063.rds.gz\t21345678\ts04
000529s/j1186063.par.gz\t4321\ts04
000529s/000529s.lgo\t12345\ts04
\\.
"""


@pytest.fixture(scope="session")
def files(tmp_path_factory):
    """The tables of a person who has a little of everything, as paths."""
    tmp_path = tmp_path_factory.mktemp("tables")
    made = {"raw_scans": RAW, "000529s.lgo": LGO, "inventory.dump": FILES}
    for name, text in made.items():
        (tmp_path / name).write_text(text)
    return dict(zip(("raw_scans", "lgo", "inventory"), map(tmp_path.joinpath, made), strict=True))


@pytest.fixture(scope="session")
def small(files):
    return tm.catalog(**files)


@pytest.fixture(scope="session")
def archive():
    return raw_archive(2_000)


@pytest.fixture(scope="session")
def simulated(archive):
    return tm.catalog(**vars(archive))


def test_tables_are_typed_and_joined(small):
    assert small.tables["table"].tolist()[:4] == ["raw_scans", "lgo", "inventory", "scans"]
    assert small.tables["rows"].tolist()[:4] == [5, 2, 3, 6]
    types = small.describe("scans")
    kinds = dict(zip(types["column"], types["type"], strict=True))
    assert (kinds["date"], kinds["scan"], kinds["airm"]) == ("DATE", "INTEGER", "DOUBLE")
    found = small.sql("SELECT * FROM scans WHERE scan = 63")
    assert len(found) == 1
    row = found[0]
    assert (row["date"], row["hemis"], row["day_no"]) == ("2000-05-29", "s", 1186)
    assert tm.ScanId(row["date"], row["hemis"], row["scan"]).stem("j") == "j1186063"
    assert (row["s_type"], row["frames"], row["disk_label"]) == ("sci", 274, "s04")
    assert (row["files"], row["raw_files"], row["bytes"]) == (2, 1, 21349999)
    assert row["ut"] == pytest.approx(2 + 38 / 60 + 46 / 3600)
    assert row["in_raw_scans"]
    assert row["in_lgo"]
    assert not row["in_twomass_scn"]
    assert "SIMULATE" not in found.meta
    assert not small.simulated


def test_nulls_are_nulls(small):
    found = small.sql("SELECT scan, tape_label, ut, tile FROM scans ORDER BY date, scan")
    assert found["ut"].mask.tolist() == [True, False, False, True, True, True]
    assert found["tape_label"].mask.tolist() == [False, True, False, False, False, False]
    n = small.sql("SELECT count(comment) AS a, count(*) AS b FROM lgo")
    assert (n["a"][0], n["b"][0]) == (0, 2)


@pytest.mark.parametrize("query", QUERIES)
def test_documented_queries_answer_even_where_little_is_known(small, query):
    small.ask(query, **VALUES.get(query, {}))


def test_what_the_documented_queries_say(small):
    without = small.ask("scans_without_darks")
    assert without["scan"].tolist() == [1, 1, 63, 155]
    nights = small.ask("nights_between", after="preamplifiers", before="preamplifiers")
    assert len(nights) == 0
    assert small.ask("repeats", tile=318737)["date"].tolist() == ["2000-05-29", "2000-06-02"]
    disk = small.ask("disk", disk="S04")
    assert disk["folder"].tolist() == ["000529s", "000531s", "000602s"]
    assert disk["scans"].tolist() == [1, 1, 2]
    assert disk["scans"].dtype.kind == "i"
    assert small.ask("truncated")["file"].tolist() == [
        "k0570083.rds.gz", "k0799112.rds.gz", "k1133137.rds.gz", "k1176110.rds.gz",
    ]  # fmt: skip
    assert (63, 2) in small.ask("incomplete")["scan", "files"].as_array().tolist()


def test_long_exposures_need_darks_of_their_own(tmp_path):
    text = RAW + " 2000-06-02 |   1190 | s     |   92 | 1 | n | lsc | 48 | n | raws0136 | s04\n"
    (tmp_path / "raw_scans").write_text(text)
    without = tm.catalog(raw_scans=tmp_path / "raw_scans").ask("scans_without_darks")
    assert (92 in without["scan"], 91 in without["scan"]) == (True, False)


def test_nights_between_events_are_surely_between(simulated):
    events = {event.name: event for event in HARDWARE_EVENTS}
    after, before = events["focus"], events["h-array"]
    found = simulated.ask("nights_between", after="focus", before="h-array")
    expected = simulated.sql(
        "SELECT DISTINCT date FROM raw_scans WHERE hemis = 'n' AND date BETWEEN ? AND ?",
        [after.new_from, before.old_until],
    )
    assert len(found) > 0
    assert sorted(found["date"]) == sorted(expected["date"])
    assert set(found["hemis"]) == {"n"}


def test_every_answer_agrees_with_plain_astropy(simulated, archive):
    raw = archive.raw_scans
    keys = set(zip(raw["date"], raw["hemis"], raw["scan"], strict=True))
    assert simulated.sql("SELECT count(*) AS n FROM scans")["n"][0] == len(keys)
    with_dark = {(r["date"], r["hemis"]) for r in raw if r["s_type"] == "dar"}
    without = {(d, h, s) for d, h, s in keys if (d, h) not in with_dark}
    found = simulated.ask("scans_without_darks")
    assert set(zip(found["date"], found["hemis"], found["scan"], strict=True)) == without
    twice = simulated.ask("listed_twice")
    assert twice["date", "hemis", "scan"].as_array().tolist() == [
        ("1997-04-23", "n", 2), ("1997-04-23", "n", 45),
    ]  # fmt: skip
    assert len(simulated.ask("incomplete")) == 0


def test_simulated_rows_are_never_passed_off_as_real(simulated, small, files, archive):
    assert "SIMULATED" in repr(simulated)
    assert simulated.sql("SELECT 1 AS a FROM lgo").meta["SIMULATE"] is True
    assert "SIMULATE" not in simulated.sql("SELECT name FROM hardware_events").meta
    assert "SIMULATED" not in repr(small)
    mixed = tm.catalog(raw_scans=[files["raw_scans"], archive.raw_scans])
    assert "partly SIMULATED" in repr(mixed)
    counted = mixed.sql("SELECT simulated, count(*) AS n FROM raw_scans GROUP BY ALL ORDER BY n")
    assert counted["simulated"].tolist() == [False, True]
    assert counted["n"].tolist() == [5, 2000]


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("SELECT * FROM read_csv('/etc/passwd')", "disabled by configuration"),
        ("SELECT * FROM read_text('{path}')", "disabled by configuration"),
        ("COPY scans TO '{path}'", "one SELECT at a time"),
        ("ATTACH '{path}'", "one SELECT at a time"),
        ("DROP VIEW scans", "one SELECT at a time"),
        ("SET enable_external_access = true", "one SELECT at a time"),
        ("SELECT 1; SELECT 2", "one SELECT at a time"),
        ("EXPLAIN ANALYZE COPY scans TO '{path}'", "one SELECT at a time"),
        ("", "one SELECT at a time"),
        ("SELEC 1", "syntax error"),
        ("SELECT nope FROM scans", "nope"),
        ("SELECT * FROM twomass_scn", "no table twomass_scn: give scans="),
        ("SELECT * FROM nothing", "nothing does not exist"),
        ("SELECT scan FROM scans WHERE scan = $a", "parameter"),
    ],
)
def test_nothing_is_written_or_read_elsewhere_and_errors_are_one_line(small, tmp_path, query, why):
    path = tmp_path / "x.csv"
    with pytest.raises(TableError, match=why) as error:
        small.sql(query.format(path=path))
    assert "\n" not in str(error.value)
    assert not path.exists()
    python_variable = Table({"a": [1]})  # DuckDB would find it by name
    with pytest.raises(TableError):
        small.sql("SELECT * FROM python_variable")
    assert len(python_variable) == 1


@pytest.mark.parametrize(
    ("name", "values", "why"),
    [
        ("nope", {}, "no query 'nope': choose of scans_without_darks"),
        ("repeats", {}, r"takes tile \(number of the tile\): got none"),
        ("truncated", {"x": 1}, "takes no values: got x"),
        ("nights_between", {"after": "flood", "before": "focus"}, "no known hardware event"),
        ("nights_between", {"after": "focus", "before": "preamplifiers"}, "different observ"),
    ],
)
def test_questions_that_make_no_sense_say_so(small, name, values, why):
    with pytest.raises(TableError, match=why):
        small.ask(name, **values)


def test_a_query_without_its_table_says_how_to_get_it(files):
    made = tm.catalog(lgo=files["lgo"])
    with pytest.raises(TableError, match="no table inventory: give inventory="):
        made.ask("incomplete")
    assert len(made.ask("scans_without_darks")) == 2


def test_cells_of_an_answer_may_be_asked_for(small):
    row = small.sql("SELECT tile, scan, disk_label FROM scans WHERE tile IS NOT NULL")[0]
    assert row["scan"] in small.ask("repeats", tile=row["tile"])["scan"]
    again = small.sql("SELECT tile FROM scans WHERE scan = ?", [row["scan"]])
    assert row["tile"] in again["tile"]
    assert small.sql("SELECT $a IS NULL AS none", {"a": np.ma.masked})["none"][0]


@pytest.mark.parametrize("given", [None, 5, ["SELECT 1"]])
def test_what_is_no_question_is_said(small, given):
    for ask in (small.sql, small.ask, small.describe if given else small.sql):
        with pytest.raises(TableError, match=r"no SQL|no query|no table"):
            ask(given)
    with pytest.raises(TableError, match="no known hardware event"):
        small.ask("nights_between", after=given, before="focus")


@pytest.mark.parametrize("name", ["scans", "raw_scans", "lgo", "inventory", "path"])
@pytest.mark.parametrize("given", [5, [None], tm.ScanId("2000-05-29", "s", 63), "~nobody/x"])
def test_what_is_no_table_is_said(name, given):
    with pytest.raises((NotFoundError, TableError), match=r"no path|no such file|not a catalogue"):
        tm.catalog(**{name: given})


def test_dates_that_are_none_are_kept_as_they_were_written(tmp_path):
    (tmp_path / "raw_scans").write_text(RAW.replace("1998-10-10", "       970"))
    made = tm.catalog(raw_scans=tmp_path / "raw_scans")
    odd = made.sql("SELECT date, date_given, scan FROM raw_scans WHERE date IS NULL")
    assert odd["date_given"].tolist() == ["970"]
    assert made.sql("SELECT count(*) AS n FROM scans")["n"][0] == 4


def test_dumps_are_loaded_directly(tmp_path, archive):
    paths = {}
    for name in ("raw_scans", "lgo", "inventory"):
        paths[name] = tmp_path / f"{name}.dump"
        write_dump(getattr(archive, name), paths[name], name)
    with pytest.warns(tm.TwomassWarning, match="more than once"):
        loaded = tm.catalog(**paths)
    direct = tm.catalog(**{name: getattr(archive, name) for name in paths})
    assert loaded.simulated
    for name in (*paths, "scans"):
        a, b = (c.sql(f"SELECT * FROM {name} ORDER BY ALL") for c in (loaded, direct))
        for column in b.colnames:
            assert np.array_equal(np.ma.filled(a[column]), np.ma.filled(b[column])), column


def test_the_duckdb_of_the_extra_is_asked_for(files, monkeypatch):
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(TableError, match=r"pip install 'twomass_nb\[scale\]'"):
        tm.catalog(**files)


def test_missing_files(tmp_path):
    with pytest.raises(NotFoundError, match="no such file"):
        tm.catalog(raw_scans=tmp_path / "none")
    with pytest.raises(TableError, match="is not a catalogue"):
        tm.catalog(path=tmp_path / "none")
    (tmp_path / "file").write_text("x")
    with pytest.raises(ExistsError):
        tm.catalog(raw_scans=Table({"date": ["2000-05-29"]}), path=tmp_path / "file")
