from __future__ import annotations

import contextlib
import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twomass_nb.errors import TableError, TwomassWarning
from twomass_nb.tables.dumps import read_dump, tables_in

# What COPY writes for characters that would break its lines; from PostgreSQL's manual.
ESCAPES = {"\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t",
           "\v": "\\v"}  # fmt: skip


def copied(rows, head="COPY t (a, b, c) FROM stdin;"):
    def cell(value):
        return "\\N" if value is None else "".join(ESCAPES.get(c, c) for c in value)

    lines = ["\t".join(cell(value) for value in row) for row in rows]
    return "\n".join([head, *lines, "\\.", ""])


def columns(table):
    """Its cells as text, or None where null, column by column."""
    found = []
    for i in range(table.width):
        cells, null = table.cells(i)
        found.append([None if n else c.decode() for c, n in zip(cells.tolist(), null, strict=True)])
    return found


ROWS = [["1", "one", None], [None, "", "x"]]
CELL = st.one_of(st.none(), st.text(st.characters(exclude_characters="\0", codec="utf-8")))


@given(st.lists(st.tuples(CELL, CELL, CELL), min_size=1))
def test_what_copy_writes_comes_back(rows):
    (table,) = tables_in(copied(rows).encode(), "x")
    assert table.columns == ["a", "b", "c"]
    assert columns(table) == [list(column) for column in zip(*rows, strict=True)]


def test_several_tables_amid_other_sql():
    text = (
        "--\n-- PostgreSQL database dump\n--\nSET client_encoding = 'LATIN1';\n"
        "CREATE TABLE public.files (\n    name character varying(20) DEFAULT 'a,b'::text,\n"
        '    "size" numeric(10,2) NOT NULL,\n    CONSTRAINT k PRIMARY KEY (name)\n);\n'
        + copied(ROWS, 'COPY public."Scans" ("date", b, c) FROM stdin;')
        + copied([["j", "5"]], "COPY files FROM stdin;")
        + copied([], "COPY nothing (a) FROM stdin;")
        + "CREATE INDEX i ON files USING btree (name);\n"
    )
    scans, files, nothing = tables_in(text.encode(), "x")
    assert (scans.name, scans.columns) == ("scans", ["date", "b", "c"])
    assert (files.name, files.columns) == ("files", ["name", "size"])
    assert (len(scans), len(files), len(nothing)) == (2, 1, 0)
    assert columns(scans) == [["1", None], ["one", ""], [None, "x"]]


@pytest.mark.parametrize(
    ("head", "mark", "null"),
    [
        ("COPY t FROM stdin USING DELIMITERS '|' WITH NULL AS '';", "|", ""),
        ("COPY t FROM stdin WITH (DELIMITER ',', NULL 'none');", ",", "none"),
        ("copy t from STDIN;", "\t", "\\N"),
    ],
)
def test_other_marks(head, mark, null):
    text = f"{head}\n1{mark}{null}\n2{mark}b\n\\.\n"
    (table,) = tables_in(text.encode(), "x")
    assert columns(table) == [["1", "2"], [None, "b"]]
    assert table.columns is None


def test_lines_may_end_as_on_other_systems_and_breaks_may_be_escaped():
    (table,) = tables_in(copied(ROWS).replace("\n", "\r\n").encode(), "x")
    assert columns(table) == [["1", None], ["one", ""], [None, "x"]]
    (table,) = tables_in(b"COPY t FROM stdin;\na\\\nb\tc\\\td\\\\\ne\tf\\101\\x42\n\\.\n", "x")
    assert columns(table) == [["a\nb", "e"], ["c\td\\", "fAB"]]


def test_inserts_are_read_like_copies():
    text = (
        "INSERT INTO t (a, b) VALUES (1, 'it''s; (a) \\ \"test\"');\n"
        "INSERT INTO t (a, b) VALUES (NULL, 'x'), (-2.5, '2000-05-29'::date);\n"
    )
    (table,) = tables_in(text.encode(), "x")
    assert table.columns == ["a", "b"]
    assert columns(table) == [["1", None, "-2.5"], ['it\'s; (a) \\ "test"', "x", "2000-05-29"]]


def test_what_psql_prints():
    text = (
        "twomass=> select * from t;\n a | b \n---+---\n 1 | x\n 2 |  \n(2 rows)\n\n"
        "a word\n c | d \n---+---\n 3 | y\n"
    )
    first, second = tables_in(text.encode(), "x")
    assert columns(first) == [[" 1 ", " 2 "], [" x", "  "]]
    assert first.unknown == ["a word"]
    assert (second.columns, columns(second)) == (["c", "d"], [[" 3 "], [" y"]])


def test_files_that_break_off_say_so():
    text = copied(ROWS)
    with pytest.warns(TwomassWarning, match="breaks off in table t"):
        (table,) = tables_in(text[:-6].encode(), "x")
    assert len(table) == 1
    assert table.unknown == ["\\N\t"]
    with pytest.warns(TwomassWarning, match="says 3 rows and has 1"):
        (table,) = tables_in(b" a | b\n---+---\n 1 | 2\n(3 rows)\n", "x")


def test_rows_of_other_lengths_and_other_formats_are_refused():
    with pytest.raises(TableError, match="x: row 1 has 2 values for 3 columns"):
        tables_in(copied([["1", "2", "3"], ["4", "5"], ["6", "7", "8", "9"]]).encode(), "x")
    with pytest.raises(TableError, match="copied as CSV"):
        tables_in(b"COPY t FROM stdin WITH CSV;\n1,2\n\\.\n", "x")


def test_files_gzipped_simulated_binary(tmp_path):
    path = tmp_path / "dump"
    path.write_bytes(gzip.compress(b"-- SIMULATE = T\n" + copied(ROWS).encode()))
    (table,), simulated = read_dump(path)
    assert (len(table), simulated) == (2, True)
    path.write_text(copied([["SIMULATE = T", "", ""]]))
    assert read_dump(path)[1] is False
    path.write_bytes(b"PGDMP\0\1")
    with pytest.raises(TableError, match="binary"):
        read_dump(path)


@given(st.binary())
def test_any_bytes_are_survived(data):
    with contextlib.suppress(TableError):
        tables_in(b"COPY t FROM stdin;\n" + data + b"\n\\.\n", "x")


@pytest.mark.parametrize(
    "hostile",
    [
        b"INSERT INTO t VALUES (" + b"''" * 100_000,
        b"INSERT INTO t VALUES (" + b"x" * 200_000,
        b"INSERT INTO t VALUES\n" * 20_000,
        b"CREATE TABLE a (" * 20_000 + b"COPY a FROM stdin;\n1\n\\.\n",
        b"CREATE " * 50_000 + b"COPY a FROM stdin;\n1\n\\.\n",
        b"-+-\n" * 5_000,
        b"COPY t FROM stdin;\n\\.\n" * 5_000,
        b" " * 200_000 + b"\n" * 200_000,
    ],
    ids=range(8),
)
def test_hostile_text_takes_no_more_time_than_its_length_deserves(hostile):
    # a pattern that backtracks over these would never come back
    with contextlib.suppress(TableError):
        tables_in(hostile, "x")
