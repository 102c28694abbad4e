"""Regions, depth, MOCs, tiles and nights, against positions one by one."""

from __future__ import annotations

import numpy as np
import pytest
import regions
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.table import Table, vstack
from mocpy import MOC

from twomass_nb.array.track import lonlat, unit_vector
from twomass_nb.errors import NotFoundError, PositionError, ScanNameError, TableError
from twomass_nb.locate import ScanLocator
from twomass_nb.scan import ScanId
from twomass_nb.simulate.scan_table import scan_table


def at(ra, dec):
    return SkyCoord(ra, dec, unit="deg")


def within(loc, keep):
    """Scans that cover any of the places of a fine grid over the sky for which `keep` is true."""
    rng = np.random.default_rng(0)
    ra, dec = rng.uniform(0, 360, 400_000), np.rad2deg(np.arcsin(rng.uniform(-1, 1, 400_000)))
    inside = keep(at(ra, dec))
    return set(loc.query(ra[inside], dec[inside])[1].tolist())


CENTERS = [(10.0, 20.0), (0.01, -45.0), (120.0, 89.9), (200.0, -90.0), (359.99, 3.0)]


@pytest.mark.parametrize("center", CENTERS)
@pytest.mark.parametrize("radius", [0.001, 1.0, 7.0])
def test_circles(survey, center, radius):
    circle = regions.CircleSkyRegion(at(*center), radius * u.deg)
    found = survey.overlapping(circle)
    assert np.all(np.diff(found["i_scan"]) > 0)
    rows = set(found["i_scan"].tolist())
    assert set(survey.query(*center)[1].tolist()) <= rows
    inside = within(survey, lambda c: c.separation(circle.center) < circle.radius)
    assert inside <= rows
    # no scan is listed that the margin does not reach
    assert rows <= set(survey.query(*center, min(radius * 3600 * 1.0001, 36000))[1].tolist())


def test_a_circle_that_just_touches_an_edge(few):
    corners = few.footprints.corners[40]
    outward = -few.footprints.normals[40, 1]
    middle = corners[1] + corners[2]
    for away, hit in ((0.9999, True), (1.0001, False)):
        angle = np.deg2rad(0.5 * away)
        point = np.cos(angle) * middle / np.linalg.norm(middle) + np.sin(angle) * outward
        circle = regions.CircleSkyRegion(at(*lonlat(point)), 0.5 * u.deg)
        assert (40 in few.overlapping(circle)["i_scan"]) == hit


def box(ra, dec, size):
    corners = [(-1, -1), (1, -1), (1, 1), (-1, 1)]
    frame = at(ra, dec).skyoffset_frame()
    x, y = np.array(corners).T * size
    return SkyCoord(x, y, unit="deg", frame=frame).icrs


@pytest.mark.parametrize("center", CENTERS)
@pytest.mark.parametrize("size", [0.02, 2.5])
def test_polygons(survey, center, size):
    vertices = box(*center, size)
    rows = set(survey.overlapping(regions.PolygonSkyRegion(vertices))["i_scan"].tolist())
    v = unit_vector(vertices.ra.deg, vertices.dec.deg)
    normals = np.cross(v, np.roll(v, -1, axis=0))
    normals *= np.sign(normals @ v.sum(axis=0))[:, None]

    def inside(coords):
        return (unit_vector(coords.ra.deg, coords.dec.deg) @ normals.T >= 0).all(axis=1)

    assert within(survey, inside) <= rows
    assert set(survey.query(*center)[1].tolist()) <= rows
    round_ = regions.CircleSkyRegion(at(*center), 1.001 * np.hypot(size, size) * u.deg)
    assert rows <= set(survey.overlapping(round_)["i_scan"].tolist())
    reverse = regions.PolygonSkyRegion(vertices[::-1])
    assert rows == set(survey.overlapping(reverse)["i_scan"].tolist())


def test_a_concave_polygon_leaves_out_what_lies_in_its_bay(survey):
    # a U, open to the north; its bay is a degree wide
    ra = [100, 96, 96, 97.5, 97.5, 98.5, 98.5, 100]
    dec = [20, 20, 28, 28, 21, 21, 28, 28]
    u_shape = regions.PolygonSkyRegion(at(ra, dec))
    whole = regions.PolygonSkyRegion(at([100, 96, 96, 100], [20, 20, 28, 28]))
    rows = set(survey.overlapping(u_shape)["i_scan"].tolist())
    both = set(survey.overlapping(whole)["i_scan"].tolist())
    assert rows < both
    for row in both - rows:
        assert 97.5 < survey.table["ra"][row] < 98.5


def test_a_small_polygon_inside_a_scan_and_a_scan_inside_a_polygon(few):
    row = few.table[40]
    small = regions.PolygonSkyRegion(box(row["ra"], row["dec"], 0.01))
    assert 40 in few.overlapping(small)["i_scan"]
    large = regions.PolygonSkyRegion(box(row["ra"], row["dec"], 10.0))
    assert 40 in few.overlapping(large)["i_scan"]


@pytest.mark.parametrize("order", [4, 9, 13])
def test_mocs(survey, order):
    moc = MOC.from_cone(30 * u.deg, 40 * u.deg, radius=1.3 * u.deg, max_depth=order)
    rows = set(survey.overlapping(moc)["i_scan"].tolist())
    inside = within(survey, lambda c: moc.contains_lonlat(c.ra, c.dec))
    assert inside
    assert inside <= rows
    reach = 1.3 + 2 * 58.6 / 2**order * 1.5
    wide = survey.overlapping(regions.CircleSkyRegion(at(30, 40), reach * u.deg))
    assert rows <= set(wide["i_scan"].tolist())


def test_the_whole_sky_and_nothing(few):
    assert len(few.overlapping(MOC.from_string("0/0-11"))) == len(few)
    assert len(few.overlapping(MOC.new_empty(5))) == 0


def test_regions_that_are_none(few):
    for wrong in ("a circle", at(1, 2), regions.PixCoord(1, 2)):
        with pytest.raises(PositionError, match="give a circle or a polygon"):
            few.overlapping(wrong)
    pixels = regions.CirclePixelRegion(regions.PixCoord(1, 2), 3)
    with pytest.raises(PositionError, match="give a circle or a polygon"):
        few.overlapping(pixels)
    with pytest.raises(PositionError, match="within 60 degrees"):
        few.overlapping(regions.PolygonSkyRegion(at([0, 120, 240], [0, 0, 0])))


def test_depth_of_a_selection(survey):
    parts = [survey.coverage(16, hemis=hemis) for hemis in "ns"]
    assert np.array_equal(parts[0] + parts[1], survey.coverage(16))
    assert parts[0][-1] == 0  # the south pole is not seen from Mt. Hopkins


def test_a_moc_holds_its_scans_and_little_else(few):
    rows = np.arange(3, 60)
    moc = few.moc(rows=rows)
    corners = few.footprints.corners[rows]
    t, s = np.random.default_rng(1).uniform(0, 1, (2, 57, 500, 1))
    inside = (1 - t) * ((1 - s) * corners[:, None, 0] + s * corners[:, None, 1]) + t * (
        (1 - s) * corners[:, None, 3] + s * corners[:, None, 2]
    )
    ra, dec = lonlat(inside.reshape(-1, 3))
    assert moc.contains_lonlat(ra * u.deg, dec * u.deg).all()
    rng = np.random.default_rng(2)
    ra, dec = rng.uniform(0, 360, 200_000), np.rad2deg(np.arcsin(rng.uniform(-1, 1, 200_000)))
    covered = np.asarray(moc.contains_lonlat(ra * u.deg, dec * u.deg))
    i, k = few.query(ra, dec, 120.0)  # cells of order 12 reach 1.1 arcmin
    near = np.zeros(len(ra), bool)
    near[i[np.isin(k, rows)]] = True
    assert not (covered & ~near).any()


def test_a_moc_of_what_was_seen_more_than_once(survey):
    dec_low = survey.select(rows=np.flatnonzero(survey.table["dec"] > 86))
    moc = survey.moc(order=8, min_depth=3, rows=dec_low)
    depth = survey.coverage(256, rows=dec_low)
    assert moc.sky_fraction == pytest.approx(np.mean(depth >= 3), rel=1e-9)
    assert moc.sky_fraction > 0


def test_a_moc_can_be_written_and_read_again(few, tmp_path):
    moc = few.moc(order=7)
    moc.save(tmp_path / "m.fits", format="fits")
    assert MOC.load(tmp_path / "m.fits", format="fits") == moc
    assert few.moc(rows=[]).empty()
    with pytest.raises(PositionError, match="order 99"):
        few.moc(order=99)


# --- selections ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def archive():
    return ScanLocator(scan_table(70_000))


def test_selections(archive):
    table = archive.table
    some = archive.select(hemis="s", s_type="sci", dates=("1999-01-18", "2000-12-31"), quality=8)
    assert len(some)
    rows = table[some]
    assert set(rows["hemis"]) == {"s"}
    assert set(rows["s_type"]) == {"sci"}
    assert rows["qual"].min() >= 8
    assert "1999-01-18" <= min(rows["date"]) <= max(rows["date"]) <= "2000-12-31"
    assert len(archive.select()) == len(archive)
    assert len(archive.select(catalog=True)) == 59731
    assert len(archive.select(catalog=False)) == len(archive) - 59731
    tile = int(table["tile"][-1])
    assert set(table["tile"][archive.select(tile=tile)]) == {tile}
    night = archive.select(dates=str(table["date"][5]))
    assert set(table["date"][night]) == {table["date"][5]}
    assert np.array_equal(archive.select(rows=[7, 3]), [3, 7])
    assert len(archive.select(source="scn")) == 0
    assert len(archive.select(band="k")) == len(archive)


def test_tiles_seen_in_many_nights(archive):
    rows = archive.select(s_type="cal", epochs=5)
    table = archive.table
    tiles = set(table["tile"][rows].tolist())
    assert tiles
    for tile in set(table["tile"][archive.select(s_type="cal")].tolist()):
        own = table[table["tile"] == tile]
        nights = len(set(zip(own["date"], own["hemis"], strict=True)))
        assert (nights >= 5) == (tile in tiles)


@pytest.mark.parametrize(
    ("selection", "why"),
    [({"hemisphere": "n"}, "cannot ask for 'hemisphere': use hemis"), ({"hemis": "x"}, "'x'"),
     ({"dates": "May"}, "write it as 2000-05-29"), ({"band": "z"}, "band"),
     ({"rows": [10**9]}, "rows must be numbers"), ({"dates": ("1999-01-01",) * 3}, "first and")],
)  # fmt: skip
def test_selections_that_cannot_be(few, selection, why):
    with pytest.raises(TableError, match=why):
        few.select(**selection)


def test_a_table_that_does_not_say_is_not_guessed_at():
    table = scan_table(9)
    del table["qual"]
    with pytest.raises(TableError, match="no column qual"):
        ScanLocator(table).select(quality=5)


def test_selections_are_asked_for_everywhere(archive):
    coord = at(10.0, 0.0)
    whole = archive.covering(coord)
    assert set(archive.covering(coord, hemis="n")["hemis"]) <= {"n"}
    assert len(archive.covering(coord, hemis="n")) + len(archive.covering(coord, hemis="s")) == len(
        whole
    )
    circle = regions.CircleSkyRegion(coord, 3 * u.deg)
    assert set(archive.overlapping(circle, hemis="s")["hemis"]) == {"s"}


# --- footprints for others -------------------------------------------------------------------


def test_footprints_as_regions_and_ds9(few):
    listed = few.regions(rows=range(5))
    text = few.ds9(rows=range(5))
    assert "SIMULATE" in text
    parsed = regions.Regions.parse(text, format="ds9")
    assert len(listed) == len(parsed) == 5
    for k, (ours, theirs) in enumerate(zip(listed, parsed, strict=True)):
        name = few.scans([k])["scan_id"][0]
        assert ours.meta["text"] == theirs.meta["text"] == name
        corners = at(*lonlat(few.footprints.corners[k]))
        for coords in (ours.vertices, theirs.vertices):
            apart = coords[:, None].separation(corners[None]).arcsec.min(axis=1)
            assert apart.max() < 1e-3


def test_footprints_as_stcs(few):
    lines = few.stcs(rows=range(40, 60)).splitlines()
    assert len(lines) == 20
    for k, line in enumerate(lines, start=40):
        moc = MOC.from_stcs(line, max_depth=11)
        assert moc.contains_lonlat(*(few.table[k][name] * u.deg for name in ("ra", "dec")))
        assert moc.sky_fraction < 1e-3  # not the rest of the sky


# --- tiles, nights, files ------------------------------------------------------------------


def test_every_observation_of_a_tile(archive):
    row = archive.table[len(archive) - 1]  # a calibration field
    found = archive.find_tile(at(row["ra"], row["dec"]))
    assert row["tile"] in found["tile"]
    own = found[found["tile"] == row["tile"]]
    assert len(own) == np.count_nonzero(archive.table["tile"] == row["tile"])
    assert (np.diff([np.datetime64(d).astype(int) for d in own["date"]]) >= 0).all()
    assert own["covers"].any()
    assert set(found["i_scan"][found["covers"]]) == set(
        archive.query(row["ra"], row["dec"])[1].tolist()
    )
    with pytest.raises(PositionError, match="not one position"):
        archive.find_tile(at([1, 2], [3, 4]))


def test_a_night_has_all_its_scans_also_those_without_a_place(tmp_path):
    scans = scan_table(50)
    scans["date"][:3], scans["hemis"][:3], scans["scan"][:3] = "2000-05-29", "s", [63, 9, 20]
    raw = Table(
        {"date": ["2000-05-29"] * 3, "hemis": ["s"] * 3, "scan": [9, 1, 2], "tile": [5, 0, 0],
         "s_type": ["sci", "dar", "flt"], "frames": [274, 40, 42], "as_cat": ["y", "n", "n"],
         "tape_label": ["raws0136"] * 3, "disk_label": ["s04"] * 3}
    )  # fmt: skip
    loc = ScanLocator(scans, raw_scans=raw)
    loc.save(tmp_path / "i")
    for some in (loc, ScanLocator.load(tmp_path / "i")):
        for name in ("000529s", "2000-05-29 s"):
            night = some.night(name)
            assert night["scan"].tolist() == [1, 2, 9, 20, 63]
            assert night["i_scan"].tolist() == [-1, -1, 1, 2, 0]
            assert night["s_type"].tolist() == ["dar", "flt", "sci", None, None]
            assert night["scan_id"].tolist()[-1] == "000529s063"
    with pytest.raises(NotFoundError, match="000530s"):
        loc.night("000530s")
    with pytest.raises(ScanNameError, match="not a night"):
        loc.night("yesterday")


def test_files_are_named_as_the_archive_does(few):
    files = few.files([0, 7])
    for k, row in zip((0, 7), files, strict=True):
        scan_id = ScanId(*few.table[k]["date", "hemis", "scan"])
        assert row["night"] == scan_id.night
        assert row["k"] == f"{scan_id.stem('k')}.rds.gz"
        assert row["scan_id"] == str(scan_id)


# --- code that asks again --------------------------------------------------------------------


def test_code_repeats_the_query(few, tmp_path):
    few.save(tmp_path / "index")
    loc = ScanLocator.load(tmp_path / "index")
    row = loc.table[40]
    coord = at(row["ra"], row["dec"])
    circle = regions.CircleSkyRegion(coord, 2 * u.deg)
    polygon = regions.PolygonSkyRegion(box(row["ra"], row["dec"], 0.5))
    for method, args, options in (
        ("covering", (coord,), {"margin": 10 * u.arcmin, "hemis": str(row["hemis"])}),
        ("overlapping", (circle,), {"dates": ("1997-01-01", None)}),
        ("overlapping", (polygon,), {}),
        ("coverage", (4,), {"rows": np.array([1, 40])}),
        ("frames", (at([row["ra"], 1.0], [row["dec"], 2.0]),), {"bands": "k", "every": True}),
    ):
        code = loc.code(method, *args, **options)
        *setup, last = code.strip().splitlines()
        scope = {}
        exec("\n".join(setup), scope)
        again, first = eval(last, scope), getattr(loc, method)(*args, **options)
        assert len(first)
        assert np.array_equal(np.asarray(again), np.asarray(first))
    assert "tm.simulate.scan_table(n=5, seed=3)" in ScanLocator(scan_table(5, seed=3)).code("moc")
    with pytest.raises(PositionError, match="no short code makes a MOC"):
        loc.code("overlapping", MOC.new_empty(3))
    with pytest.raises(PositionError, match="no method 'fly'"):
        loc.code("fly")


def test_a_part_or_a_stack_of_tables_is_not_taken_for_the_whole():
    whole = scan_table(5, seed=3)
    for table in (whole[:4], vstack([whole, scan_table(2, seed=4)], metadata_conflicts="silent")):
        loc = ScanLocator(table)
        assert "scan_table(n=" not in loc.code("moc")
        assert "in memory" in loc.source
    assert "scan_table(n=5, seed=3)" in ScanLocator(whole).code("moc")
