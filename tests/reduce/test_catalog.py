"""A catalogue of known stars says where the frames looked, and how bright sources are."""

from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.table import QTable, Table

import twomass_nb as tm
from twomass_nb.errors import TableError
from twomass_nb.reduce import reduce_scan
from twomass_nb.simulate.sky import StarField


@pytest.fixture
def known(disk, tmp_path):
    """The true stars of scan 63, but .3 mag fainter than its coadds would say."""
    scan = tm.open_scan(disk / "000529s/k1186063.rdo.gz")
    sky = StarField(scan.track, 1, "k")
    names = ("ra", "dec", "j_m", "h_m", "k_m")
    table = Table([sky.ra, sky.dec, *(sky.mag.T + 0.3)], names=names)
    path = tmp_path / "stars.csv"
    table.write(path)
    return path, table


def test_places_and_magnitudes_are_those_of_the_catalogue(disk, known, tmp_path):
    path, stars = known
    raw, out = disk / "000529s/k1186063.rdo.gz", tmp_path / "out"
    done = reduce_scan(raw, out, catalog=path, frames=False)
    assert done.ok
    positions = QTable.read(done.folder / "s063/k_positions.ecsv")
    assert "a table of" in positions.meta["reference"]
    found = QTable.read(done.folder / "s063/k_sources.ecsv")
    assert "stars.csv" in found.meta["zero_point_from"]
    bright = found[np.asarray(found["snr"]) > 40]
    near, apart, _ = SkyCoord(bright["ra"], bright["dec"], unit="deg").match_to_catalog_sky(
        SkyCoord(stars["ra"], stars["dec"], unit="deg")
    )
    same = apart < 1 * u.arcsec
    assert same.sum() > 10
    off = np.asarray(bright["mag"][same].value) - np.asarray(stars["k_m"])[near[same]]
    assert abs(np.median(off)) < 0.03

    assert not reduce_scan(raw, out, catalog=path, frames=False).made
    stars[:-1].write(path, overwrite=True)
    again = {record.task.kind for record in reduce_scan(raw, out, catalog=path, frames=False).made}
    assert again == {"positions", "image", "sources", "merged"}


def test_a_catalogue_without_stars_places_is_refused_before_anything_is_done(disk, tmp_path):
    path, out = tmp_path / "stars.csv", tmp_path / "out"
    Table([[1.0], [2.0]], names=("x", "y")).write(path)
    raw = disk / "000529s/k1186063.rdo.gz"
    for wrong, match in ((path, "columns ra and dec"), (tmp_path / "no.csv", "cannot be read")):
        with pytest.raises(TableError, match=match):
            reduce_scan(raw, out, catalog=wrong)
    assert not out.exists()
