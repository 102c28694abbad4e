"""Catalogues in, answers out: the same as position by position, in every format."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
from astropy.table import Table

from twomass_nb.errors import ExistsError, NotFoundError, PositionError, TableError
from twomass_nb.locate import ScanLocator, reading
from twomass_nb.locate import catalog as module
from twomass_nb.locate.catalog import locate_catalog
from twomass_nb.simulate.scan_table import scan_table

N = 700


@pytest.fixture(scope="module")
def positions():
    rng = np.random.default_rng(8)
    dec = np.rad2deg(np.arcsin(rng.uniform(-1, 1, N)))
    names = [f'a "{i}", é & <b>' for i in range(N)]
    return Table({"name": names, "RAJ2000": rng.uniform(0, 360, N), "DEJ2000": dec})


def write(table, path, form):
    if form == "parquet":
        import pyarrow as pa
        from pyarrow import parquet

        columns = {name: table[name].tolist() for name in table.colnames}
        parquet.write_table(pa.table(columns), path)
    elif form.startswith("votable"):
        kind = {"votable": "tabledata", "votable-binary": "binary2"}[form]
        table.write(path, format="votable", tabledata_format=kind)
    else:
        table.write(path, format="ascii.csv")
    if form == "csv.gz":
        path.write_bytes(gzip.compress(path.read_bytes()))


def read(path):
    if path.suffix == ".parquet":
        from pyarrow import parquet

        return parquet.read_table(path).to_pydict()
    table = Table.read(path, format="votable" if path.suffix == ".vot" else "ascii.csv",
                       **({} if path.suffix == ".vot" else {"comment": "#"}))  # fmt: skip
    return {name: np.ma.asarray(table[name]).tolist() for name in table.colnames}


@pytest.mark.parametrize("form", ["csv", "csv.gz", "votable", "votable-binary", "parquet"])
@pytest.mark.parametrize("suffix", [".csv", ".vot", ".parquet"])
def test_every_format_gives_what_query_gives(few, positions, tmp_path, form, suffix, monkeypatch):
    monkeypatch.setattr(reading, "PIECE", 200)  # several pieces
    monkeypatch.setattr(module, "_POSITIONS", 90)
    monkeypatch.setattr(module, "_ROWS", 50)
    source, target = tmp_path / "catalogue", tmp_path / f"out{suffix}"
    write(positions, source, form)
    read_, rows = locate_catalog(few, source, target, margin=9000.0, keep=["name"])
    i, k = few.query(positions["RAJ2000"], positions["DEJ2000"], 9000.0)
    assert (read_, rows) == (N, len(i))
    assert len(i) > 200
    found = read(target)
    assert found["row"] == i.tolist()
    assert found["name"] == positions["name"][i].tolist()
    assert np.allclose(found["ra"], positions["RAJ2000"][i], atol=1e-9)
    assert found["scan_id"] == few.scans(k)["scan_id"].tolist()
    ew, ns, _ = few.footprints.nearest_edges(
        k,
        module.answer.__globals__["unit_vector"](positions["RAJ2000"][i], positions["DEJ2000"][i]),
        np.asarray(few.table["sd"][k]) == "s",
    )
    assert np.allclose(found["dist_edge_ew"], ew, atol=1e-3)
    assert np.allclose(found["dist_edge_ns"], ns, atol=1e-3)
    assert set(found["source"]) == {"sim"}
    content = target.read_bytes()
    assert b"SIMULATE" in content
    assert sorted(p.name for p in tmp_path.iterdir()) == ["catalogue", target.name]


@pytest.mark.parametrize("suffix", [".csv", ".vot", ".parquet"])
def test_no_position_is_covered(few, tmp_path, suffix):
    source, target = tmp_path / "c.csv", tmp_path / f"o{suffix}"
    i = np.flatnonzero(few.coverage(8) == 0)[0]
    import healpy as hp

    ra, dec = hp.pix2ang(8, i, lonlat=True)
    source.write_text(f"ra,dec\n{ra},{dec}\n")
    assert locate_catalog(few, source, target) == (1, 0)
    assert "scan_id" in read(target)


@pytest.mark.parametrize(
    ("content", "error", "why"),
    [
        ("ra,dec\n1,2\n3,95\n", PositionError, r"row 1 \(RA 3, Dec 95\) is not on the sky"),
        ("ra,dec\n1,2\nx,5\n", TableError, "row 1: RA is 'x', not a number"),
        ("ra,dec\n1,nan\n", PositionError, "row 0 .* not on the sky"),
        ("ra,dec\n1,2,3\n", TableError, "row 0 has 3 values, not 2"),
        ("lon,lat\n1,2\n", TableError, "no column ra or .*: it has lon, lat"),
        ("", TableError, "not a catalogue"),
        (b"\x00\x01", TableError, "not a catalogue"),
        (b"PAR1 is not enough", TableError, "broken Parquet"),
        ("<VOTABLE><RESOURCE>", TableError, "broken VOTable"),
        ("<html></html>", TableError, "without a table"),
        (gzip.compress(b"ra,dec\n1,2\n", mtime=0)[:-9], TableError, "cannot be read"),
    ],
)
def test_catalogues_that_cannot_be(few, tmp_path, content, error, why):
    source = tmp_path / "c"
    source.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(error, match=why):
        locate_catalog(few, source, tmp_path / "out.csv")
    assert [p.name for p in tmp_path.iterdir()] == ["c"]


def test_targets_that_cannot_be(few, tmp_path):
    (tmp_path / "c.csv").write_text("ra,dec\n1,2\n")
    (tmp_path / "o.csv").write_text("mine")
    with pytest.raises(ExistsError):
        locate_catalog(few, tmp_path / "c.csv", tmp_path / "o.csv")
    assert (tmp_path / "o.csv").read_text() == "mine"
    with pytest.raises(TableError, match="does not say its format"):
        locate_catalog(few, tmp_path / "c.csv", tmp_path / "o.txt")
    with pytest.raises(NotFoundError):
        locate_catalog(few, tmp_path / "none.csv", tmp_path / "p.csv")


def test_the_catalogue_itself_is_not_written_over(few, tmp_path):
    source = tmp_path / "cat.csv"
    source.write_text("ra,dec\n1,2\n")
    (tmp_path / "link.csv").symlink_to(source)
    (tmp_path / "hard.csv").hardlink_to(source)
    for name in ("cat.csv", "link.csv", "hard.csv"):
        for overwrite in (True, False):
            with pytest.raises(ExistsError, match="is the catalogue itself"):
                locate_catalog(few, source, tmp_path / name, overwrite=overwrite)
    assert source.read_text() == "ra,dec\n1,2\n"
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize("suffix", [".csv", ".vot", ".parquet"])
def test_the_answer_is_called_simulated_if_any_row_of_it_is(tmp_path, suffix, monkeypatch):
    monkeypatch.setattr(reading, "PIECE", 1)
    table = scan_table(20)
    table["source"] = ["scn", *["sim"] * 19]
    loc = ScanLocator(table)
    lines = [f"{table['ra'][i]},{table['dec'][i]}" for i in (0, 0, 5)]
    for n, said in ((2, False), (3, True)):
        source, target = tmp_path / f"{n}.txt", tmp_path / f"out{n}{suffix}"
        source.write_text("\n".join(["ra,dec", *lines[:n]]))
        positions, rows = locate_catalog(loc, source, target)
        assert positions == n <= rows
        assert ({"sim"} <= set(read(target)["source"])) is said
        assert (b"SIMULATE" in target.read_bytes()) is said


def test_a_long_catalogue_needs_no_more_memory_than_a_short_one(few, tmp_path):
    import tracemalloc

    peaks = []
    for n in (40_000, 160_000):
        rng = np.random.default_rng(1)
        source = tmp_path / f"{n}.csv"
        lines = (f"{ra:.5f},{dec:.5f}" for ra, dec in zip(rng.uniform(0, 360, n),
                 rng.uniform(-90, 90, n), strict=True))  # fmt: skip
        source.write_text("\n".join(["ra,dec", *lines]))
        tracemalloc.start()
        locate_catalog(few, source, tmp_path / f"{n}-out.csv")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]
