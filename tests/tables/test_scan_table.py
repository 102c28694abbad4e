from __future__ import annotations

import gzip
import io

import numpy as np
import pytest
from astropy import units as u
from astropy.table import MaskedColumn, QTable, Table

from twomass_nb.errors import NotFoundError, TableError, TwomassWarning
from twomass_nb.simulate.inventory import write_dump
from twomass_nb.simulate.scan_table import scan_table
from twomass_nb.tables import as_scan_table, is_simulated, read_scan_table
from twomass_nb.tables.columns import CORNERS, DVD_COLUMNS

# The one row of the archive's own table known here: a southbound scan, its centre and corners.
# Identity, tile and what follows the corners are made up.
REAL_ROW = (
    "12345|n|1998-01-15|42|123456|91.8221|32.9312|179.123|5.456|91.9079|36.0078|91.7337|36.0071|"
    "91.9045|29.8552|91.7422|29.8545|s|10|0|0|0|0|3.5|2450828.6|1.05|12.3|0.5|40|5.5|5.1|950|0|1"
)


def dvd_line(columns=65):
    fields = REAL_ROW.split("|")
    return "|".join([*fields, *["\\N"] * (columns - len(fields))]) + "\n"


def write(path, text):
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.fixture(scope="module")
def small():
    return scan_table(40, seed=3)


def test_the_known_row_of_the_dvd(tmp_path):
    table = read_scan_table(write(tmp_path / "scn", dvd_line()))
    assert table.meta["format"] == "dvd"
    assert tuple(table.colnames) == DVD_COLUMNS
    row = table[0]
    assert (row["date"], row["hemis"], row["scan"], row["sd"]) == ("1998-01-15", "n", 42, "s")
    assert (row["ra"], row["dec"]) == (91.8221, 32.9312)
    assert (row["ra_1"], row["dec_1"], row["ra_4"], row["dec_4"]) == (
        91.9079, 36.0078, 91.7422, 29.8545,
    )  # fmt: skip
    assert table["ra_1"].unit == u.deg
    assert table["ut"].unit == u.hour
    assert np.ma.is_masked(row["rel2"])
    assert not is_simulated(table)


def test_the_dvd_has_65_columns_and_64_without_the_one_that_mirrors_lack(tmp_path):
    assert len(DVD_COLUMNS) == 65
    table = read_scan_table(write(tmp_path / "scn", dvd_line(64)))
    assert "j_zperr_ap" not in table.colnames
    assert len(table.colnames) == 64


def test_columns_of_the_schema_are_all_known(real_data):
    schema = Table.read(real_data / "schema" / "twomass_scn_columns.csv", format="ascii.csv")
    theirs = [name for name in schema["name"] if name not in ("cx", "cy", "cz", "htmID")]
    assert [name for name in DVD_COLUMNS if name != "j_zperr_ap"] == theirs


@pytest.mark.parametrize("end", ["|", ""])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_dvd_files_gzipped_or_with_a_bar_at_the_end(tmp_path, end, pack):
    text = (dvd_line().strip() + end + "\n").encode()
    table = read_scan_table(write(tmp_path / "scn.dat", pack(text)))
    assert table["ra_3"][0] == 91.9045


def test_dvd_files_may_have_a_header(tmp_path):
    names = ["scan_key", "hemis", "date", "scan", "tile", "ra", "decl", "glon", "glat", *CORNERS]
    fields = dvd_line().split("|")[: len(names) + 1]
    head = "|".join([*names, "sd"])
    for text in (
        f"{head}\n{'|'.join(fields)}\n",
        f"# a comment\n {head} \n---+---\n{'|'.join(fields)}\n(1 row)\n",
    ):
        table = read_scan_table(write(tmp_path / "scn", text))
        assert table["dec"][0] == 32.9312
        assert table["sd"][0] == "s"


def test_an_unknown_number_of_columns_is_read_as_far_as_it_is_certain(tmp_path):
    path = write(tmp_path / "scn", dvd_line(70))
    with pytest.warns(TwomassWarning, match="70 columns where twomass_scn has 65"):
        table = read_scan_table(path)
    assert table["ra_3"][0] == 91.9045
    assert table.colnames[17:19] == ["sd", "column_19"]


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("|n|1998", "|x|1998", "hemis would be 'x'"),
        ("1998-01-15", "19980115", "date would be '19980115'"),
        ("|s|10|", "|12|10|", "sd would be '12'"),
        ("91.9079|36.0078", "36.0078|91.9079", "far from the centre"),
        ("91.8221", "\\N", "not be numbers"),
        ("12345|n|", "n|12345|", "hemis would be '12345'"),
    ],
)
def test_a_file_in_another_order_is_refused(tmp_path, old, new, why):
    path = write(tmp_path / "scn", dvd_line().replace(old, new, 1))
    with pytest.raises(TableError, match=f"do not fit the order of twomass_scn.*{why}"):
        read_scan_table(path)


def as_text(table, form):
    """Write a table as a person would; formats that keep no metadata are given none."""
    plain = table.copy()
    if form in ("csv", "ipac"):
        plain.meta.clear()
    if form == "parquet":
        pytest.importorskip("pyarrow")
        import pyarrow as pa
        from pyarrow import parquet

        out = io.BytesIO()
        parquet.write_table(pa.table({n: np.asarray(plain[n]) for n in plain.colnames}), out)
        return out.getvalue()
    if form in ("votable", "fits"):
        out = io.BytesIO()
        plain.meta.pop("comments", None)
        plain.write(out, format=form)
        return out.getvalue()
    if form == "dvd":
        missing = ["\\N"] * len(plain)
        columns = [plain[n].astype(str) if n in plain.colnames else missing for n in DVD_COLUMNS]
        lines = ["|".join(row) for row in zip(*columns, strict=True)]
        return ("# SIMULATE = T\n" + "\n".join(lines) + "\n").encode()
    out = io.StringIO()
    plain.write(out, format=f"ascii.{form}")
    return out.getvalue().encode()


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("form", ["dvd", "csv", "ipac", "ecsv", "votable", "fits", "parquet"])
def test_every_format_is_known_by_its_content_and_says_what_is_simulated(
    tmp_path, small, form, pack
):
    # the name says nothing
    path = write(tmp_path / "table", pack(as_text(small, form)))
    table = read_scan_table(path)
    assert table.meta["format"] == form
    assert table.meta["path"] == str(path)
    assert table.meta["SIMULATE"] is True
    for name in small.colnames:
        if name in table.colnames:
            assert np.array_equal(table[name], small[name]), name
            assert table[name].unit == small[name].unit, name
    assert table["date"].dtype.kind == "U"


def test_other_names_of_the_same_columns(tmp_path, small):
    other = small["date", "hemis", "scan", "sd", "tile", "scan_key", "dec", *CORNERS]
    for old, new in (("date", "xdate"), ("sd", "scan_dir"), ("scan_key", "cntr"), ("dec", "DECL")):
        other.rename_column(old, new)
    other["mine"] = 7
    other.write(tmp_path / "t.csv")
    table = read_scan_table(tmp_path / "t.csv")
    assert {"date", "sd", "scan_key", "dec", "tile", "mine"} <= set(table.colnames)
    assert np.array_equal(table["dec"], small["dec"])


def test_float_positions_of_gator_keep_their_decimals(tmp_path):
    fields = {"date": "char", "hemis": "char", "sd": "char", "scan": "int"}
    values = {"date": "1998-01-15", "hemis": "n", "sd": "s", "scan": "42"}
    for name, value in zip(CORNERS, REAL_ROW.split("|")[9:17], strict=True):
        fields[name], values[name] = "float", value + "01"
    xml = '<?xml version="1.0"?><VOTABLE version="1.0"><RESOURCE><TABLE>'
    for name, kind in fields.items():
        size = ' arraysize="*"' if kind == "char" else ' unit="degrees"'
        xml += f'<FIELD name="{name}" datatype="{kind}"{size} precision="F3"/>'
    xml += "<DATA><TABLEDATA><TR>" + "".join(f"<TD>{v}</TD>" for v in values.values())
    xml += "</TR></TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>"
    table = read_scan_table(write(tmp_path / "gator.xml", xml))
    assert table["ra_1"][0] == 91.907901
    assert table["ra_1"].unit == u.deg


def test_tables_in_memory_of_other_kinds(small):
    quantities = QTable(small)
    for name in CORNERS:
        quantities[name] = quantities[name].to(u.rad)
    table = as_scan_table(quantities)
    assert np.allclose(table["ra_2"], small["ra_2"], rtol=1e-14)
    dates = small.copy()
    dates["date"] = dates["date"].astype("datetime64[s]")
    assert as_scan_table(dates)["date"].tolist() == small["date"].tolist()
    texts = small.copy()
    texts["date"] = [f"{text}T00:00:00" for text in texts["date"]]
    texts["hemis"] = np.char.upper(np.char.encode(texts["hemis"]))
    assert as_scan_table(texts)["hemis"].tolist() == small["hemis"].tolist()
    assert as_scan_table(texts)["date"].tolist() == small["date"].tolist()


def test_what_is_given_is_not_changed(small):
    before = small.copy()
    as_scan_table(small)
    assert small.colnames == before.colnames
    assert all(np.array_equal(small[name], before[name]) for name in small.colnames)


def test_missing_columns_are_named(tmp_path, small):
    part = small.copy()
    part.remove_columns(["sd", "dec_3"])
    part.write(tmp_path / "t.csv")
    with pytest.raises(TableError, match=r"it lacks sd, dec_3"):
        read_scan_table(tmp_path / "t.csv")


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("ra_2", np.nan, "ra_2 is not on the sky"),
        ("ra_2", 361.0, "ra_2 is not on the sky"),
        ("ra_2", -0.1, "ra_2 is not on the sky"),
        ("dec_4", -90.001, "dec_4 is not on the sky"),
        ("dec_4", np.inf, "dec_4 is not on the sky"),
        ("hemis", "x", "hemis is neither n nor s"),
        ("sd", "-", "sd is neither n nor s"),
        ("scan", 0, "scan is not a whole number"),
        ("scan", 1000, "scan is not a whole number"),
        ("date", "1997-02-28", "date is not a day of the survey"),
        ("date", "1998-02-31", "date is not a day of the survey"),
        ("date", "29/05/00", "date is not a day of the survey"),
    ],
)
def test_impossible_rows_are_named(small, name, value, why):
    table = small.copy()
    table[name][5] = value
    who = (value if name == n else table[n][5] for n in ("date", "hemis", "scan"))
    with pytest.raises(TableError, match=rf"row 5 \({' '.join(map(str, who))}\): {why}"):
        as_scan_table(table)


def test_missing_values_in_needed_columns(small):
    table = small.copy()
    table["ra_1"] = MaskedColumn(table["ra_1"], mask=np.arange(len(table)) == 7)
    with pytest.raises(TableError, match=r"row 7 .*ra_1 is not on the sky"):
        as_scan_table(table)


def test_duplicates_are_kept_with_a_word(tmp_path, small):
    # as scans 2 and 45 of 1997-04-23 n in the archive's tables
    table = small.copy()
    for name, value in (("date", "1997-04-23"), ("hemis", "n"), ("scan", 2)):
        table[name][3] = table[name][9] = value
    table.write(tmp_path / "t.csv")
    with pytest.warns(TwomassWarning, match="more than once .*: 1997-04-23 n 2$"):
        read = read_scan_table(tmp_path / "t.csv")
    assert len(read) == len(table)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "empty"),
        (b"\x1f\x8b\x08\x00broken", "broken gzip"),
        (b"\0\1\2\3", "not a table of a known format"),
        (b"hello\n", "lacks date"),
        (b"SIMPLE  =                    T", "cannot be read as a fits table"),
        (b"PAR1 but not really", "cannot be read as a parquet table"),
        (b"<html>404 not found</html>", "cannot be read as a votable table"),
        (b"\\fixlen = T\n|  ra|\n", "ipac table|lacks"),
        (b"a,b\n1,2,3,4\n", "cannot be read as a csv table"),
        (dvd_line().encode() * 2 + b"1|2|3\n", "cannot be read as a dvd table"),
        (b"# nothing\n1|2|3\n", "too few columns"),
        (b"date,hemis,scan,sd," + ",".join(CORNERS).encode() + b"\n", "no rows"),
    ],
)
def test_what_is_not_a_scan_table_is_refused_in_one_line(tmp_path, content, why):
    path = write(tmp_path / "x.tbl", content)
    with pytest.raises(TableError, match=why) as error:
        read_scan_table(path)
    assert "\n" not in str(error.value)
    assert str(path) in str(error.value)


def test_missing_files(tmp_path):
    with pytest.raises(NotFoundError, match="no such file"):
        read_scan_table(tmp_path / "none")
    with pytest.raises(TableError, match="folder"):
        read_scan_table(tmp_path)


def test_parquet_without_pyarrow_says_what_to_install(tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(TableError, match=r"needs pyarrow \(pip install 'twomass_nb\[scale\]'\)"):
        read_scan_table(write(tmp_path / "t", b"PAR1xxxx"))


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("named", [True, False])
def test_a_postgresql_dump_is_a_scan_table_too(tmp_path, pack, named):
    columns = f" ({', '.join(DVD_COLUMNS).replace(' dec,', ' decl,')})" if named else ""
    rows = dvd_line().replace("|", "\t")
    text = f"-- PostgreSQL database dump\nCOPY twomass_scn{columns} FROM stdin;\n{rows}\\.\n"
    table = read_scan_table(write(tmp_path / "scn.dump", pack(text.encode())))
    assert table.meta["format"] == "dump"
    assert tuple(table.colnames) == DVD_COLUMNS
    assert (table["date"][0], table["scan"][0], table["ra_1"][0]) == ("1998-01-15", 42, 91.9079)
    assert np.ma.is_masked(table["rel2"][0])
    assert not is_simulated(table)


def test_a_simulated_dump_says_so(tmp_path, small):
    write_dump(small, tmp_path / "scn.dump", "twomass_scn")
    table = read_scan_table(tmp_path / "scn.dump")
    assert is_simulated(table)
    for name in (*CORNERS, "scan", "date"):
        assert np.array_equal(table[name], small[name])
