"""Magnitudes tied to lists of known ones."""

from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u
from astropy.table import MaskedColumn, QTable, Table

from twomass_nb.errors import TableError
from twomass_nb.sources import zero_point

TRUE = 20.3


def lists(n=60, wrong=0, seed=0, noise=0.02):
    """A table of detections and a catalogue that has their magnitudes."""
    rng = np.random.default_rng(seed)
    ra, dec = 10 + rng.uniform(0, 0.2, n), -30 + rng.uniform(0, 0.2, n)
    mag = rng.uniform(9, 14, n)
    snr = rng.uniform(20, 200, n)
    flux = 10 ** (0.4 * (TRUE - mag)) * (1 + rng.normal(0, 1, n) / snr)
    table = QTable({"ra": ra * u.deg, "dec": dec * u.deg, "flux": flux, "snr": snr})
    table["flags"] = 0
    table["mag"] = (19.9 - 2.5 * np.log10(flux)) * u.mag
    table.meta.update(band="h", zero_point=19.9, zero_point_from="MAGZP", limit=15.0)
    known = mag + rng.normal(0, noise, n)
    known[:wrong] += rng.uniform(0.5, 2, wrong)
    catalogue = Table({"ra": ra, "decl": dec + 0.1 / 3600, "h_m": known})
    catalogue["h_msigcom"] = MaskedColumn(np.full(n, noise), mask=np.arange(n) == n - 1)
    return table, catalogue


def test_the_zero_point_comes_back_within_its_error():
    off = []
    for seed in range(40):
        tied = zero_point(*lists(wrong=6, seed=seed), name="PSC")
        off.append((tied.meta["zero_point"] - TRUE) / tied.meta["zero_point_error"])
        assert 50 <= tied.meta["zero_point_stars"] <= 54
    assert np.std(off) < 1.4
    assert abs(np.mean(off)) < 0.6


def test_what_was_used_is_said_and_magnitudes_follow():
    table, catalogue = lists()
    tied = zero_point(table, catalogue, name="PSC")
    assert tied.meta["zero_point_from"] == f"{tied.meta['zero_point_stars']} stars of PSC"
    shift = tied.meta["zero_point"] - 19.9
    assert (tied["mag"] - table["mag"]).value == pytest.approx(shift)
    assert tied.meta["limit"] == pytest.approx(15.0 + shift)
    assert table.meta["zero_point"] == 19.9


def test_flagged_stars_do_not_enter():
    table, catalogue = lists()
    table["flags"][:30] = 4
    table["flux"][:30] *= 2
    tied = zero_point(table, catalogue)
    assert tied.meta["zero_point"] == pytest.approx(TRUE, abs=0.02)


def test_without_enough_stars_a_table_keeps_its_zero_point():
    table, catalogue = lists()
    catalogue["ra"] += 1
    tied = zero_point(table, catalogue)
    assert tied.meta["zero_point"] == 19.9
    assert "too few" in tied.meta["zero_point_from"]
    assert tied.meta["zero_point_stars"] == 0


def test_a_list_of_another_band_is_refused():
    table, catalogue = lists()
    with pytest.raises(TableError, match="no magnitudes of j"):
        zero_point(table, catalogue, band="j")
    other = table.copy()
    other.meta["band"] = "k"
    with pytest.raises(TableError, match="is of band k"):
        zero_point(table, other)
