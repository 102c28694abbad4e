"""Filters, boxes and lists are answered as the locator answers; what is exported says the same."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import Table
from bokeh.events import SelectionGeometry
from mocpy import MOC
from regions import PolygonSkyRegion, Regions

from twomass_nb.errors import PositionError, TwomassError
from twomass_nb.explore import locator
from twomass_nb.explore.locator_colours import offered, scale_of
from twomass_nb.explore.locator_export import KINDS, code, write
from twomass_nb.explore.locator_plane import find_positions
from twomass_nb.locate import ScanLocator
from twomass_nb.simulate.scan_table import scan_table

LIST = "M 17, 274.99 -16.25\n\n10.5 85.2  # near the pole\n0.01 -89.9\n"


@pytest.fixture(scope="module")
def loc():
    return ScanLocator(scan_table(65_000))


@pytest.fixture
def explorer(loc):
    return locator(loc, "274.99 -15.99")


def box(explorer, x0, y0, x1, y1):
    root = explorer.figure.root
    geometry = {"type": "rect", "x0": x0, "y0": y0, "x1": x1, "y1": y1}
    root._trigger_event(SelectionGeometry(root, geometry=geometry, final=True))


# filters ---------------------------------------------------------------------------------------


def test_filters_ask_the_locators_selections(explorer, loc):
    filters = explorer.panels.filters
    everything = list(explorer.table["scan_id"])
    filters.hemis.value = "s"
    filters.quality.value = 8
    filters.first.value = dt.date(1999, 1, 1)
    selection = {"hemis": "s", "dates": ("1999-01-01", None), "quality": 8}
    assert filters.selection == explorer.model.selection == selection
    expected = loc.covering(explorer.position, **selection)["scan_id"]
    assert list(explorer.table["scan_id"]) == list(expected)
    shown = explorer.model.footprints().i_scan
    assert len(shown) > 0
    assert np.isin(shown, loc.select(**selection)).all()
    assert f"{len(loc.select(**selection)):,} of 65,000" in explorer.count.value
    filters.clear.click()
    assert explorer.model.selection == {}
    assert list(explorer.table["scan_id"]) == everything


def test_filters_offer_what_the_table_has(explorer, loc):
    filters = explorer.panels.filters
    assert {value for _, value in filters.s_type.options} == {"", "sci", "cal"}
    filters.s_type.value = "cal"
    assert set(explorer.model.footprints().i_scan) <= set(loc.select(s_type="cal"))
    bare = loc.table["date", "hemis", "scan", "sd"]
    for k in range(1, 5):
        bare[f"ra_{k}"], bare[f"dec_{k}"] = loc.table[f"ra_{k}"], loc.table[f"dec_{k}"]
    plain = locator(ScanLocator(bare[:50]))
    assert plain.panels.filters.s_type is None
    assert plain.panels.filters.quality is None
    assert plain.panels.filters.epochs is None
    assert "quality" not in plain.colour.options


def test_a_bad_filter_is_told_and_changes_nothing(explorer):
    before = explorer.table
    explorer._filter({"tile": [1], "nonsense": 2})
    assert "role='alert'" in explorer.telling.value
    assert explorer.table is before
    assert explorer.model.selection == {}


# colours ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["date", "quality", "depth"])
def test_colours_say_the_tables_values(explorer, loc, kind):
    assert kind in explorer.colour.options
    explorer.colour.value = kind
    shown = explorer.model.footprints()
    rows = shown.i_scan
    if kind == "date":
        expected = loc.table["date"][rows].astype("datetime64[D]").astype(float)
    elif kind == "quality":
        expected = loc.table["qual"][rows].astype(float)
    else:
        middles = loc.footprints.corners[rows].sum(axis=1)
        coords = SkyCoord(*middles.T, representation_type="cartesian")
        expected = [len(loc.query(c.spherical.lon.deg, c.spherical.lat.deg)[1]) for c in coords]
        expected = np.log10(expected)
    np.testing.assert_allclose(shown.scale.values, expected)
    fills = np.array(explorer.figure.footprints.data["fill"])
    assert (len(set(fills)) > 1) == (len(set(shown.scale.values)) > 1)
    assert len(set(fills)) == len(set(shown.scale.values))


def test_an_unknown_quality_has_no_colour_of_the_scale(loc):
    table = scan_table(300)
    table["qual"] = np.ma.masked_greater(table["qual"], 9)
    scale = scale_of("quality", table, np.arange(300))
    np.testing.assert_array_equal(np.isnan(scale.values), np.ma.getmaskarray(table["qual"]))
    assert offered(loc.table) == ["covering", "date", "quality", "depth"]


# nights ----------------------------------------------------------------------------------------


def test_nights_are_those_of_the_scans(explorer, loc):
    months = explorer.nights.months.data
    assert sum(months["scans"]) == len(loc)
    explorer.ask_list(LIST)
    explorer.choice.chosen = 1
    listed = explorer.nights.listed.data
    nights = np.asarray(explorer.table["date"]).astype(str)
    assert listed["date"] == sorted(set(nights))
    assert sum(listed["scans"]) == len(explorer.table)
    for text, time, colour in zip(listed["date"], listed["night"], listed["colour"], strict=True):
        assert time == np.datetime64(text, "ms").astype(float)
        assert (colour == "#ff5a1f") == (text == nights[1])
    explorer.panels.filters.first.value = dt.date(2000, 3, 1)
    months = explorer.nights.months.data
    kept = {m: n for m, n in zip(months["month"], months["scans"], strict=True) if n}
    assert sum(kept.values()) == len(loc.select(dates=("2000-03-01", None)))
    assert min(kept) == "2000-03"


# a box -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["274.99 -15.99", "0 0", "359.99 89.95", "100 -89.99"])
def test_a_box_lists_what_overlaps_it(explorer, loc, place):
    explorer.go(place)
    box(explorer, 0.3, 0.1, -0.2, -0.25)
    plane = explorer.model.plane
    corners = [plane.sky(x, y) for x, y in ((-0.2, -0.25), (0.3, -0.25), (0.3, 0.1), (-0.2, 0.1))]
    region = PolygonSkyRegion(SkyCoord([c.ra for c in corners], [c.dec for c in corners]))
    expected = list(loc.overlapping(region)["scan_id"])
    assert list(explorer.table["scan_id"]) == expected
    assert explorer.state["asked"] == "box"
    inside = loc.query(*(getattr(plane.sky(0.05, -0.1), name).deg for name in ("ra", "dec")))[1]
    assert set(inside) <= set(explorer.model.rows)
    assert set(expected) == {
        name
        for name, listed in zip(
            explorer.model.footprints().names, explorer.model.footprints().covers, strict=True
        )
        if listed
    }
    assert len(explorer.choice.rows) == len(expected)
    explorer.model.tap(0, 0)
    assert explorer.model.box is None
    assert explorer.state["asked"] == "position"


def test_a_box_without_area_lists_what_covers_it(explorer, loc):
    box(explorer, 0.1, 0.1, 0.1, 0.1)
    place = explorer.model.plane.sky(0.1, 0.1)
    assert list(explorer.model.rows) == list(loc.query(place.ra.deg, place.dec.deg)[1])


# a list ----------------------------------------------------------------------------------------


def test_a_list_names_its_targets(explorer, loc):
    explorer.panels.list.text.value = LIST
    explorer.panels.list.button.click()
    names, coords = find_positions(LIST)
    assert names == ["M 17", "near the pole", "0.01 -89.9"]
    i_coord, i_scan = loc.covering_many(coords)
    assert [names[i] for i in i_coord] == list(explorer.table["target"])
    np.testing.assert_array_equal(explorer.model.rows, i_scan)
    assert explorer.choice.columns[0]["label"] == "target"
    last = len(explorer.table) - 1
    explorer.choice.chosen = last
    assert explorer.position.separation(coords[2]).arcsec < 1e-6
    assert explorer.model.plane.center.separation(coords[2]).arcsec < 1e-6
    assert str(explorer.selected) == explorer.table["scan_id"][last]
    assert "3 of 3 targets" in explorer.count.value


@pytest.mark.parametrize(
    ("line", "name", "ra", "dec"),
    [
        ("274.99 -16.25", "274.99 -16.25", 274.99, -16.25),
        ("M 17, 274.99, -16.25", "M 17", 274.99, -16.25),
        ("M 17\t18:19:57.6 -16:15:00", "M 17", 274.99, -16.25),
        ("7; 274.99 -16.25", "7", 274.99, -16.25),
        ("274.99, -16.25 # seven", "seven", 274.99, -16.25),
    ],
)
def test_lines_of_a_list(line, name, ra, dec):
    names, coords = find_positions(line)
    assert names == [name]
    assert coords.separation(SkyCoord(ra, dec, unit="deg")).arcsec.max() < 1e-3


@pytest.mark.parametrize("line", ["12", "M 17, 400 20", "M 17, here", "M 17", "1, 2, 3, 4"])
def test_a_bad_line_is_named(explorer, line, monkeypatch):
    monkeypatch.setenv("TWOMASS_NB_OFFLINE", "1")
    before = explorer.table
    with pytest.raises(PositionError, match=r"^line 3: "):
        explorer.ask_list(f"1 2\n\n{line}\n")
    with pytest.raises(PositionError, match="empty"):
        explorer.ask_list(" \n")
    assert explorer.table is before


# export ----------------------------------------------------------------------------------------


def ask(explorer, kind):
    if kind == "box":
        box(explorer, 0.2, 0.2, -0.2, -0.2)
    elif kind == "list":
        explorer.ask_list(LIST)


@pytest.mark.parametrize("kind", ["position", "box", "list"])
def test_files_hold_the_answer_and_say_simulated(explorer, loc, kind, tmp_path):
    ask(explorer, kind)
    table, rows = explorer.table, explorer.model.rows
    for what, ending in KINDS.items():
        path = write(explorer.model, what, tmp_path / f"scans{ending}")
        head = path.read_bytes()[:20000].decode("latin-1")
        assert "SIMULATE" in head.upper()
        if ending in (".csv", ".ecsv"):
            words = {"format": "ascii.csv", "comment": "#"} if ending == ".csv" else {}
            back = Table.read(path, **words)
            assert list(back["scan_id"]) == list(table["scan_id"])
            assert back.colnames == table.colnames
        elif ending == ".reg":
            found = Regions.read(str(path), format="ds9")
            assert sorted(region.meta["text"] for region in found) == sorted(set(table["scan_id"]))
        else:
            assert MOC.load(path, format="fits") == loc.moc(rows=rows)
            assert fits.getheader(path, 1)["SIMULATE"]
    with pytest.raises(TwomassError, match="exists already"):
        write(explorer.model, "table, CSV", tmp_path / "scans.csv")


@pytest.mark.parametrize("kind", ["position", "box", "list"])
def test_the_code_asks_the_same(explorer, kind):
    ask(explorer, kind)
    explorer.panels.filters.hemis.value = "s"
    text = code(explorer.model)
    assert explorer.panels.export.code.value == text
    assert "simulated" in text
    *lines, last = text.strip().splitlines()
    space = {}
    exec("\n".join([*lines, f"answer = {last}"]), space)
    if kind == "list":
        np.testing.assert_array_equal(space["answer"][1], explorer.model.rows)
    else:
        assert list(space["answer"]["scan_id"]) == list(explorer.table["scan_id"])


def test_the_panel_writes_and_tells(explorer, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    export = explorer.panels.export
    export.button.click()
    assert Path("scans.csv").is_file()
    assert "Written" in export.telling.value
    export.button.click()
    assert "exists already" in export.telling.value
    export.kind.value = "area, MOC"
    assert export.path.value == "scans.moc.fits"
    export.button.click()
    assert Path("scans.moc.fits").is_file()
    explorer.panels.filters.first.value = dt.date(2010, 1, 1)
    export.path.value = "none.moc.fits"
    export.button.click()
    assert "nothing to write" in export.telling.value
    assert not Path("none.moc.fits").exists()


def test_panels_are_in_the_page_only_when_open(explorer):
    panels = explorer.panels
    assert panels.children == ()
    panels.buttons["List"].value = True
    assert panels.children == (panels.list,)
    panels.buttons["List"].value = False
    assert panels.children == ()
