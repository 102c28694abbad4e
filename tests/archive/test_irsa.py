"""Answers of IRSA are believed when they are whole and right, and never otherwise."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.table import Table, vstack
from astropy.wcs import WCS
from irsa_answers import COLUMNS, answering, listing, page_of, status, votable
from regions import CircleSkyRegion, PolygonSkyRegion

from twomass_nb import fetch, read_scan_table, scan_table_from_atlas, simulate
from twomass_nb.archive import irsa_atlas, irsa_scans
from twomass_nb.archive.irsa import fetch_atlas, fetch_scan_table, fetch_sources, find_atlas
from twomass_nb.archive.irsa_atlas import fetch_image
from twomass_nb.archive.irsa_service import on_service
from twomass_nb.archive.places import known_scan_table
from twomass_nb.atlas import AtlasImage
from twomass_nb.cache import origin
from twomass_nb.errors import FetchError, NotFoundError, OfflineError, TwomassError, TwomassWarning
from twomass_nb.scan import FileName, ScanId

M31 = CircleSkyRegion(SkyCoord(10.68479, 41.26906, unit="deg"), 1 * u.arcsec)
SIA = {"000808s": SkyCoord(1.0, 1.0, unit="deg"), "990309s": SkyCoord(139.8, -31.1, unit="deg")}


@pytest.fixture
def irsa(serve, own_cache, monkeypatch):
    """Start a stand-in for IRSA that answers as a function of path and query says."""

    def start(answer):
        server = serve(answer=answering(answer))
        monkeypatch.setenv("TWOMASS_NB_IRSA", server.address)
        return server

    return start


@pytest.fixture
def real(real_data):
    return lambda name: (real_data / "irsa" / f"{name}.xml").read_bytes()


# Lists of Atlas Images -------------------------------------------------------------------


@pytest.mark.parametrize("night", SIA)
def test_real_lists_of_images_agree_with_their_own_names(irsa, real, night):
    server = irsa(lambda path, query: real(f"sia_{night}"))
    found = find_atlas(SIA[night], 0.1 * u.deg)
    assert len(found) == 9  # 18 rows: each image also as a page
    assert found["ra"].unit == found["dec"].unit == found["crota2"].unit == u.deg
    assert found["bref"].unit == u.m
    assert found["seesh"].unit == u.arcsec
    assert found["magzp"].unit == found["msnr10"].unit == u.mag
    for row in found:
        query = parse_qs(urlsplit(row["url"]).query)
        name = FileName.parse(f"{query['dh'][0]}/s{query['scan'][0]}/image/{query['name'][0]}")
        scan_id = ScanId.parse(str(row["scan_id"]))
        assert (name.scan_id, name.band, name.coadd) == (scan_id, row["band"], row["coadd"])
        assert scan_id.night == night
        place = SkyCoord(row["ra"], row["dec"], unit="deg")
        assert place.separation(SIA[night]) < 0.25 * u.deg
    keys = {(row["scan_id"], row["band"], row["coadd"]) for row in found}
    assert len(keys) == 9
    (asked,) = server.log
    assert "ds=asky" in asked.path
    assert "SIZE=0.1" in asked.path


def test_only_the_bands_asked_for_are_listed(irsa, real):
    irsa(lambda path, query: real("sia_990309s"))
    assert set(find_atlas(SIA["990309s"], bands="jk")["band"]) == {"j", "k"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"<TD>209</TD>", b"<TD>210</TD>"),
        (b"name=ji0630209", b"name=ji0630210"),
        (b"Image: 990309 s 063 0209", b"Image: 990309 s 064 0209"),
        (b"Image: 990309 s 063 0209", b"Image: 990309 n 063 0209"),
        (b"<TD>J</TD>", b"<TD>H</TD>"),
        (b"dh=990309s", b"dh=990309n"),
        (b"Image: 990309 s 063 0209", b"nothing"),
        (b"name=ji0630209.fits", b"name=../../etc/passwd"),
        (b"<TD>990309</TD>", b"<TD>991399</TD>"),
    ],
)
def test_a_list_that_contradicts_itself_is_refused(irsa, real, old, new):
    content = real("sia_990309s")
    assert old in content
    irsa(lambda path, query: content.replace(old, new))
    with pytest.raises(FetchError, match="report it to IRSA") as caught:
        find_atlas(SIA["990309s"])
    assert "\n" not in str(caught.value)


MISBEHAVIOUR = {
    "error": (lambda c: status(c, "ERROR", "unknown\ntable"), "ERROR: unknown table"),
    "overflow": (lambda c: status(c, "OVERFLOW"), "limit of rows"),
    "page": (
        lambda c: b"<html><head><title>503 Sorry</title></head></html>",
        "web page: '503 Sorry'",
    ),
    "text": (lambda c: b'[struct stat="ERROR", msg="no such table"]', "no such table"),
    "empty": (lambda c: b"", "no VOTable"),
    "cut": (lambda c: c[: len(c) // 2], "no VOTable"),
    "no table": (lambda c: c[: c.index(b"<TABLE>")] + b"</RESOURCE></VOTABLE>", "no table"),
    "column": (lambda c: c.replace(b'"download"', b'"upload"'), "lacks download"),
    "wrong table": (lambda c: votable(Table({"a": [1]})), "lacks name, download"),
}  # fmt: skip


@pytest.mark.parametrize("fault", MISBEHAVIOUR)
def test_misbehaviour_is_one_clear_line(irsa, real, fault):
    change, words = MISBEHAVIOUR[fault]
    irsa(lambda path, query: change(real("sia_000808s")))
    with pytest.raises(FetchError, match=words) as caught:
        find_atlas(SIA["000808s"])
    assert "\n" not in str(caught.value)
    assert "127.0.0.1" in str(caught.value)


def test_a_place_without_images_is_an_empty_list(irsa, real):
    content = real("sia_000808s")
    start, end = content.index(b"<TABLEDATA>") + 11, content.index(b"</TABLEDATA>")
    irsa(lambda path, query: content[:start] + content[end:])
    assert len(find_atlas(SIA["000808s"])) == 0


def test_offline_it_says_what_would_have_been_asked(irsa, monkeypatch):
    server = irsa(lambda path, query: None)
    monkeypatch.setenv("TWOMASS_NB_OFFLINE", "1")
    with pytest.raises(OfflineError, match=r"list of Atlas Images at 1\.0000 1\.0000"):
        find_atlas(SIA["000808s"])
    assert not server.log


def test_no_answer_leads_elsewhere(monkeypatch):
    url = "http://irsa.ipac.caltech.edu:80/cgi-bin/x?a=b"
    assert on_service(url) == "https://irsa.ipac.caltech.edu/cgi-bin/x?a=b"
    monkeypatch.setenv("TWOMASS_NB_IRSA", "https://mirror.example/irsa/")
    assert on_service(url) == "https://mirror.example/irsa/cgi-bin/x?a=b"
    for elsewhere in ("http://evil.example/x", "file:///etc/passwd", "x", "http://[", ""):
        with pytest.raises(FetchError, match="we do not go"):
            on_service(elsewhere)


# Atlas Images ------------------------------------------------------------------------------


SCAN = ScanId("1999-05-02", "s", 144)


def test_an_image_is_what_its_list_says_before_it_takes_its_name(irsa, real, real_data, own_cache):
    content = (real_data / "atlas" / "aK_asky_990502s1440186.fits.gz").read_bytes()
    lists = listing(real("sia_990309s"), [(SCAN, "k", 186), (SCAN, "k", 198)])
    server = irsa(lambda path, query: lists if path.endswith("nph-im_sia") else content)
    right, wrong = find_atlas(SIA["990309s"])
    path = fetch_image(right)
    assert path == own_cache / "archive/atlas/990502s/s144/image/ki1440186.fits"
    assert path.read_bytes() == content
    n_asked = len(server.log)
    assert fetch_image(right) == path
    assert len(server.log) == n_asked
    with pytest.raises(FetchError, match=r"990502s144 k coadd 198.*coadd 186"):
        fetch_image(wrong)
    left = [p for p in (own_cache / "archive").rglob("*") if p.is_file() and p.name[0] != "."]
    assert left == [path]


def test_a_simulated_image_is_not_taken_for_a_real_one(irsa, real, real_data, tmp_path):
    image = AtlasImage.open(real_data / "atlas" / "aK_asky_990502s1440186.fits.gz")
    image.header["SIMULATE"] = True
    content = image.write_to(tmp_path / "x.fits").read_bytes()
    lists = listing(real("sia_990309s"), [(SCAN, "k", 186)])
    irsa(lambda path, query: lists if path.endswith("nph-im_sia") else content)
    (row,) = find_atlas(SIA["990309s"])
    with pytest.raises(FetchError, match="simulated"):
        fetch_image(row)


@pytest.fixture
def scan_144(own_cache, real_data):
    """A scan table in the cache that has scan 144, as its real images predict it."""
    images = sorted((real_data / "atlas").glob("*990502s144*"))
    table = scan_table_from_atlas(images)
    own_cache.mkdir()
    table.write(own_cache / "twomass_scn.csv", format="ascii.csv")


@pytest.mark.usefixtures("scan_144")
def test_images_of_a_scan_are_looked_for_along_it(irsa, real, real_data, monkeypatch):
    monkeypatch.setattr(irsa_atlas, "_EVERY", 0.5)
    asked = []

    def answer(path, query):
        if not path.endswith("nph-im_sia"):
            coadd = query["name"][-9:-5]
            return (real_data / "atlas" / f"aK_asky_990502s144{coadd}.fits.gz").read_bytes()
        ra, dec = map(float, query["POS"].split(","))
        asked.append((ra, dec))
        there = [c for c, at in ((186, -16.035), (198, -16.304)) if abs(at - dec) < 0.3]
        other = ScanId("1999-05-02", "s", 143)
        return listing(real("sia_990309s"), [(other, "k", 80), *((SCAN, "k", c) for c in there)])

    server = irsa(answer)
    paths = fetch_atlas(SCAN)
    assert [path.name for path in paths] == ["ki1440186.fits", "ki1440198.fits"]
    ra, dec = np.array(asked).T
    assert np.abs(ra - 275.37).max() < 0.02
    assert dec[0] - dec[-1] == pytest.approx(6.147, abs=0.01)  # it went south
    assert np.abs(np.diff(dec)).max() <= 0.5
    n_asked = len(server.log)
    assert fetch_atlas(str(SCAN), "k", [198, 186]) == paths
    assert len(server.log) == n_asked
    good = paths[0].read_bytes()
    paths[0].write_bytes(good[:-1] + b"x")
    with pytest.warns(TwomassWarning, match="ki1440186.fits in the cache was damaged"):
        assert fetch_atlas(str(SCAN), "k", [198, 186]) == paths
    assert paths[0].read_bytes() == good
    monkeypatch.setattr(irsa_atlas, "_EVERY", 3.0)
    with pytest.raises(NotFoundError, match=r"no Atlas Images of 990502s144 k 1\b"):
        fetch_atlas(SCAN, "k", [1])
    with pytest.raises(NotFoundError, match="990502s145 is not in"):
        fetch_atlas("990502s145")


@pytest.mark.usefixtures("own_cache")
def test_without_a_scan_table_it_says_how_to_get_one():
    with pytest.raises(NotFoundError, match="--what tables"):
        fetch_atlas(SCAN)


# Sources of the catalogues -------------------------------------------------------------------


def test_real_sources_have_units_positions_and_scans(irsa, real):
    server = irsa(lambda path, query: real("gator_psc_cone"))
    table = fetch_sources(M31, service="gator")
    (row,) = table
    assert table["ra"].unit == table["dec"].unit == u.deg
    assert (row["ra"], row["dec"]) == (10.684737, 41.269035)  # float would lose 0.05 arcsec
    assert table["ra"].dtype == np.float64
    assert table["j_m"].unit == table["h_k"].unit == u.mag
    assert table["err_maj"].unit == table["dist"].unit == u.arcsec
    assert row["designation"] == "00424433+4116085"
    assert row["scan_id"] == "971024n008"
    assert np.ma.is_masked(row["dist_opt"])
    query = parse_qs(urlsplit(server.log[0].path).query)
    assert query["catalog"] == ["fp_psc"]
    assert query["objstr"] == ["10.6847900 +41.2690600"]
    assert query["radius"] == ["1.000"]


def test_real_sources_of_a_polygon(irsa, real):
    corners = SkyCoord([10.1, 10.0, 10.0], [10.1, 10.1, 10.0], unit="deg")
    server = irsa(lambda path, query: real("gator_psc_polygon"))
    table = fetch_sources(PolygonSkyRegion(corners), service="gator")
    assert len(table) == 7
    assert set(table["scan_id"]) == {"000921n064"}
    assert parse_qs(urlsplit(server.log[0].path).query)["spatial"] == ["polygon"]
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.cdelt = ["RA---TAN", "DEC--TAN"], [10, 10], [-1e-3, 1e-3]
    place = SkyCoord(table["ra"], table["dec"])
    assert PolygonSkyRegion(corners).contains(place, wcs).all()


SOURCE_FAULTS = {
    "promised": (lambda c: c.replace(b'"RowsRetrieved" datatype="char" arraysize="*" value="7"',
                                     b'"RowsRetrieved" datatype="char" arraysize="*" value="8"'),
                 "7 rows where 8 were promised"),
    "catalogue": (lambda c: c.replace(b"(fp_psc)", b"(fp_xsc)"), "not fp_psc"),
    "columns": (lambda c: c.replace(b'"j_msigcom"', b'"other"'), "lacks j_msigcom"),
}  # fmt: skip


@pytest.mark.parametrize("fault", SOURCE_FAULTS)
def test_sources_that_are_not_all_or_not_those_are_refused(irsa, real, fault):
    change, words = SOURCE_FAULTS[fault]
    irsa(lambda path, query: change(real("gator_psc_polygon")))
    corners = SkyCoord([10.1, 10.0, 10.0], [10.1, 10.1, 10.0], unit="deg")
    with pytest.raises(FetchError, match=words):
        fetch_sources(PolygonSkyRegion(corners), service="gator")


def test_sources_of_another_place_are_refused(irsa, real):
    irsa(lambda path, query: real("gator_psc_polygon"))
    with pytest.raises(FetchError, match="beyond its radius"):
        fetch_sources(M31, service="gator")


def sources():
    return Table(
        {
            "ra": [10.6847], "dec": [41.26904], "designation": ["00424433+4116085"],
            "j_m": [9.453], "j_msigcom": [0.052], "date": ["1997-10-24"], "hemis": ["n"],
            "scan": [8],
        }
    )  # fmt: skip


@pytest.mark.usefixtures("scan_144")
def test_tap_is_asked_for_circles_polygons_and_scans(irsa):
    asked = []

    def answer(path, query):
        assert path == "/TAP/sync"
        asked.append(query["QUERY"])
        return votable(sources())

    irsa(answer)
    (row,) = fetch_sources(M31)
    assert row["scan_id"] == "971024n008"
    fetch_sources(PolygonSkyRegion(SkyCoord([1, 2, 2], [1, 1, 2], unit="deg")))
    fetch_sources(SCAN)
    circle, polygon, scan = asked
    assert "FROM fp_psc WHERE" in circle
    assert "CIRCLE('ICRS',10.68479,41.26906,0.00027" in circle
    assert "POLYGON('ICRS',1.0,1.0,2.0,1.0,2.0,2.0)" in polygon
    assert scan.endswith(" AND date='1999-05-02' AND hemis='s' AND scan=144")
    corners = np.array(scan.split("POLYGON('ICRS',")[1].split(")")[0].split(","), float)
    ra, dec = corners[::2], corners[1::2]
    assert (ra[[0, 3]] > ra[[1, 2]]).all()  # around it: east, west, west, east
    assert (dec[:2] > dec[2:] + 6).all()


def test_a_cut_off_answer_is_never_taken_for_all(irsa):
    irsa(lambda path, query: status(votable(sources()), "OVERFLOW"))
    with pytest.raises(FetchError, match="limit of rows; ask for less"):
        fetch_sources(M31)


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda: fetch_sources(M31, "usno"), "'psc' or 'xsc'"),
        (lambda: fetch_sources(M31, service="sql"), "'tap' or 'gator'"),
        (lambda: fetch_sources(42), "CircleSkyRegion"),
        (lambda: fetch("990502s144", "k", "atlas", coadds=5), "no numbers"),
        (lambda: find_atlas("275 -16"), "not one position"),
        (lambda: find_atlas(M31.center, 5), "no size"),
        (lambda: find_atlas(M31.center, "x"), "no size"),
        (lambda: find_atlas(M31.center, bands=5), "not a 2MASS band"),
        (lambda: fetch_atlas("990502s144", "k", ["a"]), "no numbers"),
        (lambda: fetch_atlas("990502s144", "k", [1.5]), "no numbers"),
        (lambda: fetch_sources("990502s144", service="gator"), "does not know scans"),
    ],
)
@pytest.mark.usefixtures("own_cache")
def test_what_cannot_be_asked_is_said(ask, words):
    with pytest.raises(TwomassError, match=words):
        ask()


# The scan table ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def survey():
    """The scan table as IRSA might have it, its names for columns, in fewer rows."""
    table = simulate.scan_table(n=3000, seed=5)[list(COLUMNS)]
    table.rename_columns(["scan_key", "sd"], ["cntr", "scan_dir"])
    table.meta.clear()
    return table


@pytest.fixture(scope="module")
def all_pages(survey):
    """Answers to the page queries, made once."""
    queries = [
        f"SELECT * FROM fp_scan_dat WHERE ra >= {15 * i} AND ra < {15 * i + 15}" for i in range(24)
    ]
    return {query: votable(page_of(survey, query)) for query in queries}


@pytest.fixture
def pages(all_pages, survey, monkeypatch):
    monkeypatch.setattr(irsa_scans, "ROWS", len(survey))
    return all_pages.__getitem__


def test_the_scan_table_comes_whole_and_is_known(irsa, pages, survey):
    server = irsa(lambda path, query: pages(query["QUERY"]))
    path = fetch_scan_table()
    assert len(server.log) == 24
    assert known_scan_table() == path
    table = read_scan_table(path)
    assert len(table) == 3000
    assert table.meta["SIMULATE"]  # it is what this stand-in has: rows say source "sim"
    assert table["ra_1"].unit == u.deg
    order, expected = np.argsort(table["scan_key"]), np.argsort(survey["cntr"])
    assert (np.asarray(table["sd"])[order] == np.asarray(survey["scan_dir"])[expected]).all()
    for name in ("date", "hemis", "scan", "ra_1", "dec_4"):
        assert (np.asarray(table[name])[order] == np.asarray(survey[name])[expected]).all()
    assert fetch_scan_table() == path
    assert fetch(what="tables") == [path]
    assert len(server.log) == 24
    assert origin(path)["from"] == f"{server.address}/TAP fp_scan_dat"
    assert [p.name for p in path.parent.iterdir() if p.name[0] != "."] == [path.name]
    assert not any(p.is_dir() for p in path.parent.iterdir())


def test_a_damaged_scan_table_is_not_believed(irsa, pages):
    server = irsa(lambda path, query: pages(query["QUERY"]))
    path = fetch_scan_table()
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    path.write_bytes(damaged)
    with (
        pytest.warns(TwomassWarning, match="was damaged and is dropped"),
        pytest.raises(NotFoundError, match="no scan table known"),
    ):
        known_scan_table()
    assert fetch_scan_table() == known_scan_table()
    path.write_bytes(damaged)
    with pytest.warns(TwomassWarning, match="was damaged and is dropped"):
        fetch_scan_table()
    assert len(server.log) == 3 * 24


def test_the_survey_has_59731_scans(irsa, all_pages):
    irsa(lambda path, query: all_pages[query["QUERY"]])
    with pytest.raises(FetchError, match="it has 3000 rows, not 59731; nothing of it was kept"):
        fetch_scan_table()


def test_a_broken_fetch_goes_on_where_it_stopped(irsa, pages, own_cache):
    broken = [True]

    def answer(path, query):
        if broken[0] and "ra >= 150 " in query["QUERY"]:
            return status(pages(query["QUERY"]), "ERROR", "the database is tired")
        return pages(query["QUERY"])

    server = irsa(answer)
    with pytest.raises(FetchError, match=r"page 11 of 24.*the database is tired"):
        fetch_scan_table()
    with pytest.raises(NotFoundError):
        known_scan_table()
    assert len(server.log) == 11
    broken[0] = False
    assert len(read_scan_table(fetch_scan_table())) == 3000
    assert len(server.log) == 11 + 14


@pytest.fixture
def small(monkeypatch, survey):
    """The same in fewer pages and rows: what must be refused is refused of two pages, too."""
    monkeypatch.setattr(irsa_scans, "_PAGES", 2)
    some = survey[::5]
    monkeypatch.setattr(irsa_scans, "ROWS", len(some))
    made = [
        votable(page_of(some, f"SELECT * FROM fp_scan_dat WHERE ra >= {a} AND ra < {a + 180}"))
        for a in (0, 180)
    ]
    return lambda query: made["ra >= 180" in query["QUERY"]], some


def faulty(name, good, some):
    """Answers with a fault in the second page."""
    first, second = some[some["ra"] < 180], some[some["ra"] >= 180]
    twice = second.copy()
    twice[1] = first[0]
    twice["ra"][1] = 200.0
    lacking = second.copy()
    lacking.remove_column("dec_3")
    directionless = second.copy()
    directionless.remove_column("scan_dir")
    wild = second.copy()
    wild["dec_3"][5] = 91.0
    return {
        "fewer": votable(second[1:]),
        "more": votable(vstack([second, second[:1]])),
        "overflow": status(votable(second), "OVERFLOW"),
        "first again": votable(first),
        "none": votable(second[:0]),
        "twice": votable(twice),
        "lacking": votable(lacking),
        "direction": votable(directionless),
        "wild": votable(wild),
        "page": b"<html><title>Maintenance</title></html>",
        "other": votable(sources()),
    }[name]


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("fewer", r"it has 599 rows, not 600"),
        ("more", r"it has 601 rows, not 600"),
        ("overflow", "limit of rows"),
        ("first again", "rows of another page"),
        ("none", "has no rows"),
        ("twice", "1 of its rows are of a scan that another row is of"),
        ("lacking", "lacks dec_3"),
        ("direction", "it lacks sd"),
        ("wild", "dec_3 is not on the sky"),
        ("page", "Maintenance"),
        ("other", "lacks ra_1"),
    ],
)
def test_a_scan_table_that_is_not_whole_is_not_kept(irsa, small, own_cache, fault, words):
    good, some = small
    bad = faulty(fault, good, some)
    irsa(lambda path, query: bad if "ra >= 180" in query["QUERY"] else good(query))
    with pytest.raises(FetchError, match=words) as caught:
        fetch_scan_table()
    assert "\n" not in str(caught.value)
    with pytest.raises(NotFoundError):
        known_scan_table()
    irsa(lambda path, query: good(query))
    assert len(read_scan_table(fetch_scan_table())) == len(some)


def test_offline_the_scan_table_is_not_fetched(irsa, monkeypatch):
    server = irsa(lambda path, query: None)
    monkeypatch.setenv("TWOMASS_NB_OFFLINE", "1")
    with pytest.raises(OfflineError, match="page 1 of 24 of the scan table fp_scan_dat"):
        fetch_scan_table()
    assert not server.log
