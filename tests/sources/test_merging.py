"""Bands merged by position: what must hold for any lists."""

from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u
from astropy.table import Table
from hypothesis import given, settings
from hypothesis import strategies as st

from twomass_nb.errors import TableError
from twomass_nb.sources import merge

# Places in arcsec of a crowded field: lists share and repeat them.
PLACES = st.lists(st.tuples(st.integers(0, 24), st.integers(0, 24)), max_size=12, unique=True).map(
    lambda pairs: np.array(pairs, float).reshape(-1, 2) * 0.7
)


def listed(places, ra=359.9995, dec=-30.0):
    """Return a table of sources at some arcsec from a place on the line of RA 0."""
    east = places[:, 0] / 3600 / np.cos(np.deg2rad(dec))
    return Table(
        {
            "ra": ((ra + east) % 360) * u.deg,
            "dec": (dec + places[:, 1] / 3600) * u.deg,
            "mag": 10 + np.arange(len(places)) * 0.1,
            "flags": np.arange(len(places)),
        }
    )


def said(merged, tables):
    """Return what a merged table says, in terms of positions instead of rows."""
    rows = set()
    for row in merged:
        members = []
        for name, table in tables.items():
            if (i := row[f"{name}_row"]) >= 0:
                members.append((name, float(table["ra"][i]), float(table["dec"][i])))
        rows.add((frozenset(members), bool(row["confused"]), row["ra"].value, row["dec"].value))
    return rows


@settings(max_examples=60, deadline=None)
@given(j=PLACES, h=PLACES, k=PLACES, seed=st.integers(0, 99))
def test_no_order_matters_and_nothing_is_lost(j, h, k, seed):
    tables = {"j": listed(j), "h": listed(h), "k": listed(k)}
    merged = merge(tables)
    for name, table in tables.items():
        found = np.asarray(merged[f"{name}_row"])
        assert sorted(found[found >= 0]) == list(range(len(table)))
    there = [np.asarray(merged[f"{name}_row"]) >= 0 for name in tables]
    assert list(merged["n"]) == list(np.sum(there, axis=0))
    rng = np.random.default_rng(seed)
    mixed = {name: table[rng.permutation(len(table))] for name, table in tables.items()}
    mixed = {name: mixed[name] for name in rng.permutation(list(mixed))}
    again = merge(mixed)
    assert said(again, mixed) == said(merged, tables)
    assert list(again["group"]) == list(merged["group"])


@settings(max_examples=40, deadline=None)
@given(j=PLACES, h=PLACES)
def test_groups_are_what_is_linked(j, h):
    tables = {"j": listed(j), "h": listed(h)}
    merged = merge(tables)
    group = np.concatenate([_groups_of(merged, name, len(t)) for name, t in tables.items()])
    places = np.concatenate([j, h])
    near = np.linalg.norm(places[:, None] - places, axis=-1) < 2
    linked = np.linalg.matrix_power(near.astype(float), max(len(places), 1)) > 0
    assert (linked == (group[:, None] == group)).all()


def _groups_of(merged, name, n):
    group = np.full(n, -1)
    found = np.asarray(merged[f"{name}_row"])
    group[found[found >= 0]] = np.asarray(merged["group"])[found >= 0]
    return group


def test_a_star_in_three_bands_is_one_source_with_all_it_has():
    places = np.array([[0.0, 0.0], [30.0, 0.0]])
    tables = {b: listed(places + 0.1 * i) for i, b in enumerate("khj")}
    merged = merge(tables)
    assert len(merged) == 2
    assert merged["n"].tolist() == [3, 3]
    assert not merged["confused"].any()
    assert np.all(merged["spread"] < 0.2 * u.arcsec)
    assert set(merged["j_m"].value) == {10.0, 10.1}
    assert merged.colnames[:6] == ["ra", "dec", "spread", "n", "group", "confused"]
    of_rows = [name for name in merged.colnames if name.endswith("_row")]
    assert of_rows == ["j_row", "h_row", "k_row"]


def test_what_a_band_lacks_is_nan_and_confusion_is_said():
    j = listed(np.array([[0.0, 0.0], [1.4, 0.0], [50.0, 0.0]]))
    h = listed(np.array([[0.2, 0.0]]))
    merged = merge({"j": j, "h": h})
    assert len(merged) == 3
    assert merged["confused"].tolist().count(True) == 2
    assert merged.meta["confused"] == 1
    both = merged[merged["n"] == 2]
    assert (both["j_row"][0], both["h_row"][0]) == (0, 0)
    assert np.isnan(merged["h_m"][merged["h_row"] < 0]).all()


def test_empty_lists_merge_and_no_lists_are_refused():
    assert len(merge({"j": listed(np.zeros((0, 2))), "h": listed(np.zeros((0, 2)))})) == 0
    with pytest.raises(TableError, match="nothing to merge"):
        merge({})
    with pytest.raises(TableError, match="ra and dec"):
        merge({"j": Table({"x": [1.0]})})
