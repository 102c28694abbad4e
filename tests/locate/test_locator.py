from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import Longitude, SkyCoord
from astropy.table import Column, MaskedColumn, Table
from astropy.utils.masked import Masked
from hypothesis import given, settings
from hypothesis import strategies as st

from twomass_nb.array.track import lonlat
from twomass_nb.atlas import AtlasImage, scan_table_from_atlas
from twomass_nb.errors import NotFoundError, PositionError, TableError
from twomass_nb.locate import ScanLocator
from twomass_nb.scan import ScanId
from twomass_nb.simulate.scan_table import scan_table

COLUMNS = [
    "scan_id", "date", "hemis", "scan", "tile", "sd", "source", "dist_edge_ew", "dist_edge_ns",
    "dist_edge_flg", "first_frame", "last_frame", "best_frame", "x", "y",
]  # fmt: skip


def at(ra, dec, **options):
    return SkyCoord(ra, dec, unit="deg", **options)


def random_sky(seed, n):
    rng = np.random.default_rng(seed)
    return rng.uniform(0, 360, n), np.rad2deg(np.arcsin(rng.uniform(-1, 1, n)))


def test_covering_has_the_columns_of_the_contract(survey):
    found = survey.covering(at(10.68479, 41.26906))
    assert found.colnames == COLUMNS
    assert len(found) >= 1
    assert found["dist_edge_ew"].unit == found["dist_edge_ns"].unit == u.arcsec
    assert found["x"].unit == found["y"].unit == u.pix
    for row in found:
        assert str(ScanId(row["date"], row["hemis"], row["scan"])) == row["scan_id"]
        assert row["source"] == "sim"
    assert found.meta["SIMULATE"] is True
    assert "simulated" in found.meta["source"]


def test_query_covering_and_covering_many_agree(few):
    ra, dec = random_sky(1, 400)
    i, k = few.query(ra, dec)
    many = few.covering_many(at(ra, dec))
    assert np.array_equal(many[0], i)
    assert np.array_equal(many[1], k)
    assert i.dtype.kind == k.dtype.kind == "i"
    assert np.all(np.diff(i * len(few) + k) > 0)  # by position, then scan
    for j in range(0, 400, 40):
        one = few.covering(at(ra[j], dec[j]))
        assert one["scan_id"].tolist() == [
            str(ScanId(*few.table[int(m)]["date", "hemis", "scan"])) for m in k[i == j]
        ]
        assert np.array_equal(few.query(ra[j], dec[j])[1], k[i == j])


def test_one_position_and_many_agree_to_the_last_bit(few):
    corners = few.footprints.corners
    rng = np.random.default_rng(15)
    k, e, t = rng.integers(0, len(few), 1500), rng.integers(0, 4, 1500), rng.uniform(0, 1, 1500)
    ra, dec = lonlat((1 - t)[:, None] * corners[k, e] + t[:, None] * corners[k, (e + 1) % 4])
    for margin in (0.0, 30.0, 100.0, 5000.0):
        i, found = few.query(ra[:300], dec[:300], margin)
        for j in range(300):
            assert np.array_equal(few.query(ra[j], dec[j], margin)[1], found[i == j])
    assert len(few.query(ra, dec)[0]) > 300


def test_positions_in_every_frame_and_shape(few):
    ra, dec = random_sky(2, 12)
    wanted = few.query(ra, dec, 3600.0)
    coords = at(ra, dec)
    for there in (coords, coords.galactic, coords.reshape(3, 4), coords.fk5):
        found = few.covering_many(there, margin=1 * u.deg)
        assert all(np.array_equal(a, b) for a, b in zip(found, wanted, strict=True))
    assert len(few.query(ra - 360, dec, 3600.0)[0]) == len(wanted[0])
    assert all(len(part) == 0 for part in few.query([], []))


@given(st.floats(0, 360), st.floats(-90, 90), st.floats(-200, 4000), st.floats(0, 4000))
@settings(deadline=None, max_examples=60)
def test_a_wider_margin_finds_no_fewer(few, ra, dec, margin, more):
    less = set(few.query(ra, dec, margin)[1].tolist())
    assert less <= set(few.query(ra, dec, margin + more)[1].tolist())


def test_distances_say_who_is_covered_at_which_margin(few):
    coord = at(few.table["ra_1"][40], few.table["dec_1"][40])
    found = few.covering(coord, margin=400 * u.arcsec)
    nearest = np.minimum(found["dist_edge_ew"], found["dist_edge_ns"])
    assert (nearest >= -400).all()
    for margin in (0, 100, 390):
        within = few.covering(coord, margin=margin * u.arcsec)
        assert np.count_nonzero(nearest >= -margin) == len(within)


def test_frames_see_what_the_footprint_covers(survey):
    ra, dec = random_sky(3, 150)
    for j in range(len(ra)):
        found = survey.covering(at(ra[j], dec[j]))
        seen = found["best_frame"] >= 0
        # The J array reaches 255 arcsec to either side, turned by up to 0.4 degrees.
        assert seen[found["dist_edge_ew"] > 5].all()
        some = found[seen]
        assert (some["first_frame"] >= 0).all()
        assert (some["first_frame"] <= some["best_frame"]).all()
        assert (some["best_frame"] <= some["last_frame"]).all()
        assert (some["last_frame"] <= 273).all()
        assert (some["last_frame"] - some["first_frame"] <= 6).all()  # six or seven frames
        for name in "xy":
            assert (some[name] >= -0.5).all()
            assert (some[name] <= 255.5).all()
        assert (found[~seen]["first_frame"] == -1).all()
        assert np.isnan(found[~seen]["x"]).all()


def test_the_pixel_follows_the_sky(survey):
    row = survey.table[30000]
    i = 30000
    coord = at(row["ra"], row["dec"])

    def pixel(where):
        found = survey.covering(where)
        found = found[found["scan_id"] == str(ScanId(row["date"], row["hemis"], row["scan"]))]
        return found["best_frame"][0], found["x"][0], found["y"][0]

    frame, x, y = pixel(coord)
    assert x == pytest.approx(127.5, abs=2.5)
    assert y == pytest.approx(127.5, abs=42)  # a frame is no more than half a step off
    assert frame == pytest.approx(135, abs=3)
    west = pixel(coord.directional_offset_by(270 * u.deg, 40 * u.arcsec))
    north = pixel(coord.directional_offset_by(0 * u.deg, 10 * u.arcsec))
    assert west[1] - x == pytest.approx(20, abs=0.1)  # x rises to the west
    step = 82.2 / 1.9966 * (-1 if row["sd"] == "s" else 1)
    assert north[2] - y + (north[0] - frame) * step == pytest.approx(5, abs=0.1)
    assert i in survey.query(row["ra"], row["dec"])[1]


@pytest.mark.parametrize(
    ("ra", "dec"), [(np.nan, 0), (0, np.nan), (np.inf, 0), (0, 90.0001), (0, -91), (0, np.inf)]
)
def test_positions_that_are_not_on_the_sky(few, ra, dec):
    with pytest.raises(PositionError, match=r"position 1 .*is not on the sky"):
        few.query([0.0, ra], [0.0, dec])


def test_what_is_not_one_position(few):
    with pytest.raises(PositionError, match="takes one position, not 2: use covering_many"):
        few.covering(at([1, 2], [3, 4]))
    for wrong in ("10 20", (10.0, 20.0), None):
        with pytest.raises(PositionError, match="give a SkyCoord"):
            few.covering(wrong)
    with pytest.raises(PositionError, match="not on the sky"):
        few.covering(at(np.nan, 0))


@pytest.mark.parametrize("margin", [5, 5.0, "5 arcsec", 5 * u.m, [1, 2] * u.arcsec, None])
def test_margins_must_be_angles(few, margin):
    with pytest.raises(PositionError, match=r"is not an angle: give one as 5 \* u.arcsec"):
        few.covering(at(0, 0), margin=margin)


@pytest.mark.parametrize("margin", [np.nan, np.inf, 36001.0, -1e9])
def test_margins_beyond_use(few, margin):
    with pytest.raises(PositionError, match="must be within 10 degrees"):
        few.query(0, 0, margin)


def test_what_has_a_unit_is_turned_into_degrees(few):
    ra, dec = few.table["ra"][7], few.table["dec"][7]
    expected = few.query(ra, dec, 5.0)[1].tolist()
    assert 7 in expected
    for unit in (u.deg, u.rad, u.arcmin):
        asked = (np.array([ra]) * u.deg).to(unit), (np.array([dec]) * u.deg).to(unit)
        assert few.query(*asked, 5.0)[1].tolist() == expected
        columns = (Column(part.value, unit=unit) for part in asked)
        assert few.query(*columns, 5.0)[1].tolist() == expected
    assert few.query(Longitude(ra / 15, "hourangle"), dec, 5 * u.arcsec)[1].tolist() == expected
    assert few.query(MaskedColumn([ra]), [dec], np.float32(5))[1].tolist() == expected
    assert few.query(Masked([ra] * u.deg, mask=[False]), dec, 5)[1].tolist() == expected
    whole = few.query(np.array([10, 20]), [[5], [6], [7]], 90_00)
    assert whole[0].max(initial=0) < 6  # every RA with every Dec


@pytest.mark.parametrize(
    "ra",
    [
        np.ma.array([1.0, 2.0], mask=[False, True]),
        np.ma.array([1, 2], mask=[False, True]),
        MaskedColumn([1.0, 2.0], mask=[False, True], unit="deg"),
        Masked([1.0, 2.0] * u.deg, mask=[False, True]),
    ],
)
def test_masked_positions_are_refused(few, ra):
    with pytest.raises(PositionError, match=r"position 1 \(RA nan, .*not on the sky"):
        few.query(ra, [1.0, 2.0])
    with pytest.raises(PositionError, match="RA nan"):
        few.query(ra[1], 2.0)


@pytest.mark.parametrize(
    ("ra", "dec", "margin", "why"),
    [
        (1 * u.m, 2.0, 0.0, "ra is in m, which is not an angle"),
        (1.0, Column([2.0], unit="Jy"), 0.0, "dec is in Jy, which is not an angle"),
        ("1.5", 2.0, 0.0, "ra='1.5' is not a number of degrees"),
        (["1", "2"], [2.0, 3.0], 0.0, "is not a number of degrees"),
        (1.0, np.array(["x"], object), 0.0, "dec=.* is not a number of degrees"),
        (1.0, [[1.0], [2.0, 3.0]], 0.0, "dec=.* is not a number of degrees"),
        (1.0, 2j, 0.0, "dec=2j is not a number of degrees"),
        (1.0, None, 0.0, "not on the sky|not a number"),
        ([1.0, 2.0, 3.0], [1.0, 2.0], 0.0, r"do not go together: .*\(3,\) and \(2,\)"),
        (1.0, 2.0, "5", "margin='5' is not a number of arcsec"),
        (1.0, 2.0, None, "margin=None is not a number"),
        (1.0, 2.0, [1.0, 2.0], "is not a number of arcsec"),
        (1.0, 2.0, 5 * u.s, "is not an angle"),
        (1.0, 2.0, np.nan, "must be within 10 degrees"),
    ],
)
def test_questions_that_are_no_numbers(few, ra, dec, margin, why):
    with pytest.raises(PositionError, match=why) as caught:
        few.query(ra, dec, margin)
    assert "\n" not in str(caught.value)


def test_tables_that_make_no_locator():
    table = scan_table(5)
    with pytest.raises(TableError, match="no rows"):
        ScanLocator(table[:0])
    with pytest.raises(TableError, match="lacks"):
        ScanLocator(Table({"ra": [1.0]}))
    table["ra_2"], table["ra_3"] = table["ra_3"].copy(), table["ra_2"].copy()
    table["dec_2"], table["dec_3"] = table["dec_3"].copy(), table["dec_2"].copy()
    with pytest.raises(TableError, match=r"row 0 .*and 4 more rows"):
        ScanLocator(table)


@pytest.mark.parametrize("what", ["x.csv", Path("x.csv"), None, {"ra": [1.0]}])
def test_what_is_no_table_makes_no_locator(what):
    with pytest.raises(TableError, match=r"read a file with read_scan_table"):
        ScanLocator(what)


def test_the_table_is_as_given_and_who_it_is_from_is_said():
    table = scan_table(20)
    table.meta["path"] = "scn.gz"
    loc = ScanLocator(table)
    assert len(loc) == 20
    assert all(np.array_equal(loc.table[n], table[n]) for n in table.colnames)
    assert loc.simulated
    assert repr(loc) == "<ScanLocator: simulated, never observed; 20 scans from scn.gz>"
    del table["source"]
    del table.meta["SIMULATE"]
    real = ScanLocator(table)
    assert not real.simulated
    assert "simulated" not in repr(real)
    row = table[3]
    assert real.covering(at(row["ra"], row["dec"]))["source"].tolist() == ["scn"]


def test_a_table_without_tiles_has_none_in_the_answer():
    table = scan_table(20)
    del table["tile"]
    found = ScanLocator(table).covering(at(table["ra"][3], table["dec"][3]))
    assert found["tile"].mask.all()


# --- saved and loaded ----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["index", "index.npz", "scans.index v1"])
def test_a_saved_locator_is_the_same(tmp_path, few, name):
    path = tmp_path / name
    few.save(path)
    few.save(path)  # again, over the first
    assert [p.name for p in tmp_path.iterdir()] == [name]
    loc = ScanLocator.load(path)
    assert loc.simulated
    assert repr(loc) == repr(few)
    assert loc.table.colnames == few.table.colnames
    for column in few.table.colnames:
        assert np.array_equal(loc.table[column], few.table[column])
        assert loc.table[column].unit == few.table[column].unit
    ra, dec = random_sky(4, 2000)
    for margin in (0.0, 500.0):
        pairs = zip(loc.query(ra, dec, margin), few.query(ra, dec, margin), strict=True)
        assert all(np.array_equal(a, b) for a, b in pairs)
    row = few.table[7]
    ours, theirs = (some.covering(at(row["ra"], row["dec"])) for some in (loc, few))
    assert all(np.array_equal(ours[n], theirs[n]) for n in COLUMNS)


def test_masks_and_odd_columns_survive(tmp_path):
    table = scan_table(5)
    table["n"] = MaskedColumn([1, 2, 3, 4, 5], mask=[0, 1, 0, 0, 0])
    table["words"] = np.array(["a", "longer", "", "ü", "z"], dtype=object)
    table.meta["odd"] = {"set": {1}, "list": [1, 2]}
    ScanLocator(table).save(tmp_path / "i")
    back = ScanLocator.load(tmp_path / "i").table
    assert back["n"].mask.tolist() == [False, True, False, False, False]
    assert back["words"].tolist() == table["words"].tolist()
    assert back.meta["odd"] == {"set": "{1}", "list": [1, 2]}


def saved(few):
    out = io.BytesIO()
    np.savez(out, head=np.frombuffer(b'{"kind": "something else"}', np.uint8))
    return out.getvalue()


@pytest.mark.parametrize(
    ("what", "why"),
    [("empty", "is empty"), ("text", "not a scan index"), ("npy", "not a scan index"),
     ("older", "of an older version"), ("cut", "cut short"), ("longer", "cut short"),
     ("head cut", "cut short|broken"), ("head", "a broken scan index")],
)  # fmt: skip
def test_what_is_not_an_index_is_refused(tmp_path, few, what, why):
    path = tmp_path / "x"
    few.save(path)
    data = path.read_bytes()
    npy = io.BytesIO()
    np.save(npy, np.arange(5))
    content = {
        "empty": b"", "text": b"hello", "npy": npy.getvalue(), "older": saved(few),
        "cut": data[:-2000], "longer": data + b"x", "head cut": data[:40],
        "head": data[:60] + b"!" + data[61:],
    }  # fmt: skip
    path.write_bytes(content[what])
    with pytest.raises(TableError, match=why) as error:
        ScanLocator.load(path)
    assert "build it again" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_changed_byte_is_found_when_it_is_looked_for(tmp_path, few):
    path = tmp_path / "x"
    few.save(path)
    ScanLocator.load(path)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 255
    path.write_bytes(data)
    with pytest.raises(TableError, match=r"broken: the bytes of .* have changed"):
        ScanLocator.load(path)


def test_a_loaded_index_is_mapped_and_read_only(tmp_path, few):
    few.save(tmp_path / "x")
    loc = ScanLocator.load(tmp_path / "x")
    for array in (loc.index.levels[-1].scans, loc.footprints.normals, loc.table["ra_1"]):
        assert not np.asarray(array).flags.writeable
        assert not np.asarray(array).flags.owndata


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs Linux's /proc")
def test_two_processes_share_one_file(tmp_path, few):
    path = tmp_path / "x"
    few.save(path)
    code = (
        "import sys; from twomass_nb import ScanLocator;"
        "loc = ScanLocator.load(sys.argv[1]); print(loc.query([10.0, 20.0], [20.0, -80.0], 5e3));"
        "maps = [line for line in open('/proc/self/maps') if line.rstrip().endswith(sys.argv[1])];"
        "print(len(maps), maps[0].split()[1])"
    )
    command = [sys.executable, "-c", code, str(path)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    told = [one.communicate()[0].splitlines() for one in both]
    assert told[0] == told[1]
    assert told[0][0] == str(few.query([10.0, 20.0], [20.0, -80.0], 5e3))
    assert told[0][-1] == "1 r--s"  # one map of the file, read-only, shared


def test_a_map_outlives_the_file_that_replaces_it(tmp_path, few):
    path = tmp_path / "x"
    few.save(path)
    loc = ScanLocator.load(path)
    ScanLocator(scan_table(5)).save(path)
    ra, dec = random_sky(14, 500)
    pairs = zip(loc.query(ra, dec), few.query(ra, dec), strict=True)
    assert all(np.array_equal(a, b) for a, b in pairs)
    assert len(ScanLocator.load(path)) == 5


def test_numbers_are_little_endian_in_the_file(tmp_path, few):
    few.save(tmp_path / "x")
    data = (tmp_path / "x").read_bytes()
    head = json.loads(data[32 : 32 + int.from_bytes(data[16:24], "little")])
    assert head["version"] == 2
    assert all(said["type"][0] in "<|" for said in head["arrays"].values())


def test_an_index_of_a_later_version_is_refused(tmp_path, few, monkeypatch):
    monkeypatch.setattr("twomass_nb.locate.storage._VERSION", 99)
    few.save(tmp_path / "x")
    monkeypatch.undo()
    with pytest.raises(TableError, match="version 99"):
        ScanLocator.load(tmp_path / "x")


def test_missing_files_and_folders(tmp_path, few):
    with pytest.raises(NotFoundError, match="no such file"):
        ScanLocator.load(tmp_path / "none")
    with pytest.raises(TableError, match="cannot be read"):
        ScanLocator.load(tmp_path)
    with pytest.raises(TableError, match="cannot be written"):
        few.save(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(TableError, match="cannot be written"):
        few.save(tmp_path / "file" / "x")


def test_a_failed_save_leaves_what_was_there(tmp_path, few, monkeypatch):
    path = tmp_path / "x"
    path.write_bytes(b"before")

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(TableError, match="No space left on device"):
        few.save(path)
    assert path.read_bytes() == b"before"
    assert [p.name for p in tmp_path.iterdir()] == ["x"]


# --- scans from elsewhere --------------------------------------------------------------------


def log(tmp_path):
    from twomass_nb.tables import read_lgo

    path = tmp_path / "000529s.lgo"
    path.write_text(
        "001 22:37:16.00  92397 - 11:21:49.10 -13:51:41.0 1.070   048 n cal\n"
        "002 22:38:46.00  92397 - 11:21:49.43 -12:34:52.9 1.080   048 s cal\n"
        "003 22:40:15.00 199999 - 11:21:49.76 -13:51:41.0 1.070   048 n dar\n"
        "063 04:00:00.00 318737 n 11:21:49.76 -13:51:41.0 1.070   274 n sci\n"
    )
    return read_lgo(path)


def test_logs_add_scans_with_predicted_footprints(tmp_path):
    scans = scan_table(50)
    loc = ScanLocator(scans, lgo=log(tmp_path))
    assert loc.table["scan"][50:].tolist() == [1, 2, 63]  # not the dark one
    assert all(np.array_equal(loc.table[n][:50], scans[n]) for n in ("scan", "ra_1", "source"))
    middle = at(170.456, -13.0)
    found = loc.covering(middle)
    assert found["source"].tolist() == ["lgo"] * 3
    assert found["best_frame"].min() > 0
    # 48 frames of 82.2 arcsec, the first 371 arcsec after the start and 512 high
    first = loc.covering(at(170.4546, -13.861389 + (371 + 200) / 3600))
    assert dict(zip(first["scan"], first["first_frame"], strict=True))[1] == 0
    assert not len(loc.covering(at(170.456, -14.0)))
    assert loc.simulated  # since its scan table is


def test_some_scans_are_simulated_and_some_are_not(tmp_path):
    made = ScanLocator(scan_table(50), lgo=log(tmp_path))
    made.save(tmp_path / "i")
    for loc in (made, ScanLocator.load(tmp_path / "i")):
        assert loc.simulated
        assert "50 of 53 simulated, never observed" in repr(loc)
        seen, row = at(170.456, -13.0), loc.table[7]
        never = at(row["ra"], row["dec"])
        for ask in (loc.covering, loc.frames):
            assert "SIMULATE" not in ask(seen).meta
            assert ask(never).meta["SIMULATE"] is True
        both = SkyCoord([seen, never])
        i, k = loc.covering_many(both)
        assert "SIMULATE" not in loc.answers(both[:1], (i[i == 0], k[i == 0])).meta
        assert loc.answers(both, (i, k)).meta["SIMULATE"] is True
        assert "SIMULATE" not in loc.scans([50, 52]).meta
        assert loc.scans([7, 52]).meta["SIMULATE"] is True
        assert "SIMULATE" not in loc.ds9(rows=[51])
        assert "SIMULATE" in loc.ds9(rows=[7, 51])
        assert "SIMULATE" not in loc.night("000529s").meta
        assert not ScanLocator(loc.scans([50, 51])).simulated
    assert "SIMULATE" in ScanLocator(scan_table(50)).covering(at(0, -89.99)).meta  # nor is this


def test_scans_of_a_simulated_log_are_simulated(tmp_path):
    night = log(tmp_path)
    night.meta["SIMULATE"] = True
    scans = scan_table(50)
    del scans["source"], scans.meta["SIMULATE"]
    made = ScanLocator(scans, lgo=[night])
    made.save(tmp_path / "i")
    for loc in (made, ScanLocator.load(tmp_path / "i")):
        assert "3 of 53 simulated, never observed" in repr(loc)
        found = loc.covering(at(170.456, -13.0))
        assert found["source"].tolist() == ["sim"] * 3
        assert found["in_scan_error"].tolist() == [125.0] * 3  # as rough as any log's
        assert found.meta["SIMULATE"] is True
        row = loc.table[7]
        real = loc.covering(at(row["ra"], row["dec"]))
        assert set(real["source"]) == {"scn"}
        assert set(real["in_scan_error"]) == {2.0}
        assert "SIMULATE" not in real.meta
        assert loc.select(catalog=True).tolist() == list(range(50))


def test_a_scan_with_known_corners_is_not_taken_from_the_log(tmp_path):
    scans = scan_table(50)
    scans["date"][7], scans["hemis"][7], scans["scan"][7] = "2000-05-29", "s", 2
    loc = ScanLocator(scans, lgo=[log(tmp_path)])
    assert loc.table["scan"][50:].tolist() == [1, 63]


def test_the_raw_scan_table_is_joined(tmp_path):
    raw = Table(
        {"date": ["2000-05-29"] * 2, "hemis": ["s", "n"], "scan": [1, 2], "s_type": ["lca", "sci"],
         "frames": [47, 273], "as_cat": ["n", "y"], "tape_label": ["raws0136", "rawn0001"],
         "disk_label": ["s04", "n01"]}
    )  # fmt: skip
    loc = ScanLocator(scan_table(50), raw_scans=raw, lgo=log(tmp_path))
    found = loc.covering(at(170.456, -13.0))
    assert found.colnames == [*COLUMNS, "s_type", "frames", "as_cat", "tape_label", "disk_label",
                              "in_scan_error", "cross_scan_error"]  # fmt: skip
    assert found["s_type"].tolist() == ["lca", "cal", "sci"]  # what is not listed, from the log
    assert found["frames"].tolist() == [47, 48, 274]
    assert found["tape_label"].tolist() == ["raws0136", None, None]
    loc.save(tmp_path / "i")
    again = ScanLocator.load(tmp_path / "i").covering(at(170.456, -13.0))
    assert again["tape_label"].tolist() == ["raws0136", None, None]
    with pytest.raises(TableError, match="not a raw scan table: it lacks hemis"):
        ScanLocator(scan_table(5), raw_scans=raw["date", "scan"])


def test_real_images_lie_in_their_own_scans_at_their_own_frames(real_data):
    paths = sorted((real_data / "atlas").glob("*.fits.gz"))
    assert len(paths) == 11
    images = [AtlasImage.open(path) for path in paths]
    loc = ScanLocator(scan_table_from_atlas(images))
    assert not loc.simulated
    for image in images:
        ra, dec = image.header["CRVAL1"], image.header["CRVAL2"]
        found = loc.covering(at(ra, dec))
        own = found[found["scan_id"] == str(image.scan_id)]
        assert len(own) == 1
        assert own["source"][0] == "atlas"
        assert abs(int(own["best_frame"][0]) - (image.coadd - 1)) <= 1
        assert own["x"][0] == pytest.approx(127.5, abs=6)


def test_neighbouring_scans_of_m17_overlap_as_their_images_do(real_data):
    images = [AtlasImage.open(p) for p in sorted((real_data / "atlas").glob("aK_asky_990502s*"))]
    loc = ScanLocator(scan_table_from_atlas(images))
    for image in images:
        for other in images:
            ra, dec = other.header["CRVAL1"], other.header["CRVAL2"]
            x, _ = image.wcs.world_to_pixel(at(ra, dec))
            if abs(abs(x - 255.5) - 253) < 15:
                continue  # too near an edge to tell
            covered = str(image.scan_id) in loc.covering(at(ra, dec))["scan_id"]
            assert covered == (abs(x - 255.5) < 253)


def test_depth_map(survey):
    depth = survey.coverage(32)
    assert depth.shape == (12 * 32**2,)
    assert depth.min() >= 1
    assert depth.max() >= 5  # near the poles
    with pytest.raises(PositionError, match="not a power of 2"):
        survey.coverage(33)
