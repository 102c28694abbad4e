"""Sources of simulated frames: confirmed N of M times, and those that a very bright star made."""

from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u
from astropy.table import Table, vstack
from astropy.wcs import WCS
from scipy.spatial import cKDTree

import twomass_nb as tm
from twomass_nb.atlas.nominal import MAGZP
from twomass_nb.errors import TableError
from twomass_nb.simulate.sky import StarField
from twomass_nb.sources import SourceFlag, confirm, detect, find, flag_artifacts
from twomass_nb.sources.matching import vectors

METEOR = 18  # the frame that it falls on


@pytest.fixture(scope="module")
def night(short_sample):
    return short_sample / "000529s"


@pytest.fixture(scope="module")
def scan(night):
    return tm.open_scan(night / "k1186063.rds.gz")


@pytest.fixture(scope="module")
def sky(scan):
    return StarField(scan.track, 63, "k")


@pytest.fixture(scope="module")
def frames(scan):
    """What is found on each frame, and its WCS; the median of all takes off what never changes."""
    pixels = np.stack([scan.difference(i) for i in range(scan.n_frames)]).astype(np.float32)
    pixels -= np.median(pixels, axis=0)
    found = []
    for i, one in enumerate(pixels):
        noise = 1.4826 * np.median(np.abs(one - np.median(one)))
        table, wcs = find(one, noise=noise, fwhm=1.4), scan.wcs(i)
        table["ra"], table["dec"] = wcs.wcs_pix2world(table["x"], table["y"], 0)
        table["mag"] = MAGZP["k"] - 2.5 * np.log10(table["flux"])
        found.append((table, wcs))
    return found


def test_stars_of_a_coadd_are_on_all_frames_that_cover_them(night, frames):
    image = tm.AtlasImage.open(night / "s063/image/ki0630021.fits.gz")
    table = detect(image)
    table = table[(table["flags"] == 0) & (table["mag"] > 6 * u.mag)]
    confirmed = confirm(table, frames)
    inside = (table["x"] > 20) & (table["x"] < 490)
    depth = np.asarray(confirmed["n_frames"])[inside]
    assert set(depth) == {6, 7}
    bright = confirmed[confirmed["n_expected"] >= 3]
    assert len(bright) > 20
    assert np.all(bright["n_found"] >= bright["n_expected"] - 1)
    assert np.mean(bright["n_found"] == bright["n_frames"]) > 0.9
    assert not confirmed["solo"].any()
    assert np.all(confirmed["n_found"] <= confirmed["n_frames"])


def test_what_one_frame_alone_shows_is_solo(frames):
    table, _ = frames[METEOR]
    others = vstack(
        [one["ra", "dec"] for i, (one, _) in enumerate(frames) if i != METEOR],
        metadata_conflicts="silent",
    )
    seen = vectors(others["ra"], others["dec"])
    far, _ = cKDTree(seen).query(vectors(table["ra"], table["dec"]))
    meteor = table[(far * 206265 > 6) & (table["snr"] > 20)]
    assert len(meteor) > 20
    confirmed = confirm(meteor, frames)
    assert np.all(confirmed["n_frames"] >= 5)
    assert np.all(confirmed["n_found"] <= 1)  # 0: at the very edge of its frame
    assert np.mean(confirmed["n_found"] == 1) > 0.95
    assert confirmed["solo"].all()


def test_sources_that_no_frame_covers_count_nothing(frames):
    table = Table({"ra": [10.0], "dec": [80.0], "flux": [1e6]})
    confirmed = confirm(table, frames)
    assert [*confirmed["n_frames", "n_found", "solo"][0]] == [0, 0, False]
    empty = confirm(table[:0], frames)
    assert len(empty) == 0
    assert "solo" in empty.colnames


def test_afterimages_of_the_bright_star_are_flagged_and_stars_are_not(frames, scan, sky):
    star = np.argmin(sky.mag[:, 2])
    bright = Table({"ra": sky.ra[[star]], "dec": sky.dec[[star]], "mag": sky.mag[[star], 2]})
    step = u.Quantity([0, scan.track.step], "arcsec")
    true = cKDTree(vectors(sky.ra, sky.dec))
    made = flagged = taken = stars = 0
    for table, wcs in frames[28:36]:  # the star has left
        assert not _on(wcs, bright)
        after = flag_artifacts(table, stars=bright, step=step)["flags"] & SourceFlag.PERSISTENCE
        far, _ = true.query(vectors(table["ra"], table["dec"]))
        real = far * 206265 < 2
        false = ~real & (np.asarray(table["snr"]) > 7)
        made, flagged = made + false.sum(), flagged + np.sum(after[false] > 0)
        stars, taken = stars + real.sum(), taken + np.sum(after[real] > 0)
    assert made > 25
    assert flagged >= 0.95 * made
    assert taken <= 0.02 * stars


def _on(wcs: WCS, table):
    x, y = wcs.wcs_world2pix(table["ra"], table["dec"], 0)
    return bool(np.all((x > -2) & (y > -2) & (x < 258) & (y < 258)))


def field(east, north, mag):
    """Sources at some arcsec from a star of magnitude 4, the first row."""
    east, north = np.array([0.0, *east]), np.array([0.0, *north])
    table = Table({"ra": (50 + east / 3600 / np.cos(np.deg2rad(-20))) % 360})
    table["dec"] = -20 + north / 3600
    table["mag"] = np.array([4.0, *mag])
    table["flags"] = np.zeros(len(table), int)
    return table


@pytest.mark.parametrize("sign", [1, -1])
def test_each_artifact_is_where_the_star_makes_it(sign):
    step = u.Quantity([0.4, sign * 82.1], "arcsec")
    north = sign * 82.1 * np.array([1, 3, -1, 2])
    table = field([0, 0, 0, 30, 40, 8, 60], [*north, 0.5, 8, 60], [9, 9.5, 9, 9, 10, 9, 9])
    flags = flag_artifacts(table, step=step)["flags"]
    after = flags & SourceFlag.PERSISTENCE > 0
    assert after.tolist() == [False, True, True, False, False, False, False, False]
    assert flags[[0, 4, 7]].tolist() == [0, 0, 0]
    assert flags[5] == SourceFlag.SPIKE
    assert flags[6] == SourceFlag.HALO


def test_faint_stars_make_nothing_and_what_is_missing_is_said():
    step = u.Quantity([0, 82.1], "arcsec")
    table = field([0, 0], [82.1, 3], [13, 13])
    assert not flag_artifacts(table, step=step, bright=3.0)["flags"].any()
    assert not table["flags"].any()
    with pytest.raises(TableError, match="frame step"):
        flag_artifacts(table)
    with pytest.raises(TableError, match="magnitudes"):
        flag_artifacts(table["ra", "dec", "flags"], step=step)


def test_a_coadd_knows_its_frame_step(night):
    image = tm.AtlasImage.open(night / "s063/image/ki0630021.fits.gz")
    table = detect(image)
    assert table.meta["frame_step"] == list(image.frame_step.to_value(u.arcsec))
    # painted of stars alone, which are where the sky put them
    assert set(flag_artifacts(table).meta["artifacts"]) == {"persistence", "spike", "halo"}
