from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.table import Table
from hypothesis import given, settings
from hypothesis import strategies as st

from twomass_nb.array.track import lonlat, unit_vector
from twomass_nb.errors import TableError, TwomassWarning
from twomass_nb.locate import Footprints, ScanLocator

ARCSEC = np.pi / 180 / 3600
# The archive's own row: a southbound scan, 1 east and 2 west at its start in the north.
CENTER = (91.8221, 32.9312)
REAL = [(91.9079, 36.0078), (91.7337, 36.0071), (91.9045, 29.8552), (91.7422, 29.8545)]


def table_of(corners, sd="s"):
    row = {"date": "1998-01-15", "hemis": "n", "scan": 42, "sd": sd}
    for k, (ra, dec) in enumerate(corners, start=1):
        row |= {f"ra_{k}": float(ra) % 360, f"dec_{k}": float(dec)}
    return Table([row])


def distances(table, ra, dec):
    footprints = Footprints.from_table(table)
    point = unit_vector([ra], [dec])
    south = np.asarray(table["sd"]) == "s"
    ew, ns, flag = footprints.nearest_edges(np.array([0]), point, south)
    return float(ew[0]), float(ns[0]), str(flag[0])


def rotation(axis, angle):
    x, y, z = axis / np.linalg.norm(axis)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


rotations = st.builds(
    lambda axis, angle: rotation(np.array(axis) + np.array([0, 0, 1e-3]), angle),
    st.tuples(*[st.floats(0, 1)] * 3),
    st.floats(-np.pi, np.pi),
)


def rotated(table, matrix):
    ra, dec = lonlat(
        unit_vector(*[[float(table[f"{axis}_{k}"][0]) for k in "1234"] for axis in ("ra", "dec")])
        @ matrix.T
    )
    return table_of(list(zip(ra, dec, strict=True)), table["sd"][0])


def test_the_known_row_contains_its_centre():
    loc = ScanLocator(table_of(REAL))
    found = loc.covering(SkyCoord(*CENTER, unit="deg"))
    assert len(found) == 1
    # Half of 8.45 arcmin from an edge in the west, half of 6.15 degrees from one in the south.
    assert found["dist_edge_ew"][0] == pytest.approx(253, abs=2)
    assert found["dist_edge_ns"][0] == pytest.approx(11074, abs=5)


@pytest.mark.parametrize("sd", ["n", "s"])
@pytest.mark.parametrize(
    ("offset", "flag"),
    [((100, 3000), "ne"), ((-100, 3000), "nw"), ((100, -3000), "se"), ((-100, -3000), "sw")],
)
def test_edges_are_named_by_the_sky_whichever_way_the_scan_went(sd, offset, flag):
    # corners of a scan on the equator, in the order of its direction
    south, north = -3.0, 3.0
    start, end = (south, north) if sd == "n" else (north, south)
    table = table_of([(10.1, start), (9.9, start), (10.1, end), (9.9, end)], sd)
    east, up = offset
    ew, ns, found = distances(table, 10 + east / 3600, up / 3600)
    assert found == flag
    assert ew == pytest.approx(360 - 100, abs=0.5)
    assert ns == pytest.approx(3 * 3600 - 3000, abs=0.5)


def test_distances_are_negative_outside():
    table = table_of([(10.1, -3), (9.9, -3), (10.1, 3), (9.9, 3)], "n")
    ew, ns, flag = distances(table, 10.11, 3.01)
    assert (ew, ns) == (pytest.approx(-36, abs=0.1), pytest.approx(-36, abs=0.1))
    assert flag == "ne"


@given(rotations, st.floats(-1.2, 1.2), st.floats(-1.2, 1.2), st.floats(-100, 2000))
@settings(deadline=None, max_examples=60)
def test_nothing_depends_on_where_on_the_sky_a_scan_lies(matrix, along, across, margin):
    table = table_of(REAL)
    corners = unit_vector(*np.array(REAL).T)
    point = (1 + along) / 2 * corners[:2].mean(0) + (1 - along) / 2 * corners[2:].mean(0)
    point = point + across / 2 * (corners[0] - corners[1])
    point = point / np.linalg.norm(point)
    there = matrix @ point
    ours = Footprints.from_table(table)
    theirs = Footprints.from_table(rotated(table, matrix))
    i = np.array([0])
    here = ours.distances(i, point[None])[0]
    assert np.allclose(here, theirs.distances(i, there[None])[0], atol=1e-6)
    if np.abs(here + margin).min() > 1e-6:  # else rounding decides
        loc = ScanLocator(rotated(table, matrix))
        found = len(loc.query(*lonlat(there), margin)[0])
        assert found == np.all(here >= -margin)


@given(rotations)
@settings(deadline=None, max_examples=20)
def test_the_index_holds_every_place_of_a_footprint(matrix):
    table = rotated(table_of(REAL), matrix)
    loc = ScanLocator(table)
    corners = loc.footprints.corners[0]
    t, s = np.meshgrid(np.linspace(0, 1, 300), np.linspace(0, 1, 9))
    t, s = t.ravel()[:, None], s.ravel()[:, None]
    points = (1 - t) * ((1 - s) * corners[0] + s * corners[1]) + t * (
        (1 - s) * corners[3] + s * corners[2]
    )
    ra, dec = lonlat(points)
    assert set(loc.query(ra, dec, 1e-6)[0]) == set(range(len(ra)))


@pytest.mark.parametrize(
    "shuffle", [(0, 2, 1, 3), (0, 1, 3, 2), (1, 0, 2, 3), (3, 1, 2, 0), (0, 3, 2, 1)]
)
def test_shuffled_corners_are_refused_with_the_row_named(shuffle):
    # 3 and 4, or 1 and 2 exchanged make a bow-tie; the others turn the scan on its side
    corners = [REAL[k] for k in shuffle]
    with pytest.raises(
        TableError, match=r"row 0 \(1998-01-15 n 42\): its corners are degenerate or out of order"
    ):
        Footprints.from_table(table_of(corners))


@pytest.mark.parametrize(
    "corners",
    [
        [REAL[0]] * 4,  # a point
        [REAL[0], REAL[1], REAL[0], REAL[3]],  # a triangle
        [(10, 0), (10, 0), (10, 6), (10, 6)],  # a line
        [(10, 0), (10 - 1e-5, 0), (10, 6), (10 - 1e-5, 6)],  # a hair
        [(10.1, 0), (9.9, 0), (10.1, 6), (10.05, 0.001)],  # not convex
    ],
)
def test_degenerate_corners_are_refused(corners):
    with pytest.raises(TableError, match="its corners are degenerate or out of order"):
        Footprints.from_table(table_of(corners))


@pytest.mark.parametrize(
    "corners",
    [
        [(10, -40), (0, -40), (10, 40), (0, 40)],
        [(0, 0), (90, 0), (0, 90), (180, 0)],
        [(0, 0), (180, 0), (90, 0), (270, 0)],
    ],
)
def test_corners_all_over_the_sky_are_refused(corners):
    with pytest.raises(TableError, match=r"row 0 .*too far apart"):
        Footprints.from_table(table_of(corners))


def test_exchanged_sides_still_have_an_inside():
    # east and west exchanged at both ends: the parity is wrong, the area is the same
    mirrored = [REAL[1], REAL[0], REAL[3], REAL[2]]
    with pytest.warns(TwomassWarning, match=r"row 0 .* east and west .*exchanged"):
        loc = ScanLocator(table_of(mirrored))
    assert len(loc.query(*CENTER)[0]) == 1
    assert len(loc.query(CENTER[0] + 0.2, CENTER[1])[0]) == 0


def test_a_direction_that_contradicts_the_corners_is_said():
    with pytest.warns(TwomassWarning, match="with sd as given"):
        Footprints.from_table(table_of(REAL, sd="n"))


def test_distance_to_an_edge_is_an_angle_on_the_sky():
    table = table_of(REAL)
    east = SkyCoord(*REAL[0], unit="deg"), SkyCoord(*REAL[2], unit="deg")
    # a position 20 arcsec inside the middle of the eastern edge, by astropy's own geometry
    middle = east[0].directional_offset_by(
        east[0].position_angle(east[1]), east[0].separation(east[1]) / 2
    )
    inward = middle.position_angle(east[1]) + 90 * u.deg
    point = middle.directional_offset_by(inward, 20 * u.arcsec)
    ew, _, flag = distances(table, point.ra.deg, point.dec.deg)
    assert ew == pytest.approx(20, abs=1e-6)
    assert flag[1] == "e"
