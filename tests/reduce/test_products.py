"""What a reduction leaves behind: files, marks, figures; and that they are what they should be."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import QTable

import twomass_nb as tm
from twomass_nb.atlas import find_coadds
from twomass_nb.coadd import Coadd
from twomass_nb.reduce import reduce_scan
from twomass_nb.reduce.keeping import load_positions, load_sky, save_positions, save_sky

IMAGES = ["ji0630009", "ji0630021", "ki0630009", "ki0630021", "ki0640009"]


def test_every_product_is_there(undisturbed):
    folder = undisturbed.folder
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    expected = {".reduce.lock", "reduce.journal", "reduce.log"}
    expected |= {f"{band}_calibrator.fits" for band in "jk"}
    for scan, bands in ((63, "jk"), (64, "k")):
        expected |= {
            f"s0{scan}/{name}" for name in ("sources.ecsv", "quality.json", "quality.ecsv")
        }
        for band in bands:
            names = ("calibrator.fits", "sky.fits", "positions.ecsv", "frames.fits", "sources.ecsv")
            expected |= {f"s0{scan}/{band}_{name}" for name in names}
    for name in IMAGES:
        expected |= {f"s{name[2:5]}/coadd/{name}{end}" for end in (".fits", "_sources.ecsv")}
    assert found == expected
    assert undisturbed.ok
    assert len(undisturbed.made) == 21


def test_simulated_stays_simulated_in_all_of_them(undisturbed):
    folder = undisturbed.folder
    for path in folder.rglob("*.fits"):
        with fits.open(path) as hdus:
            assert all(hdu.header["SIMULATE"] for hdu in hdus), path
    for path in folder.rglob("*.ecsv"):
        assert QTable.read(path).meta["SIMULATE"] is True, path
    assert json.loads((folder / "s063/quality.json").read_text())["simulated"] is True
    assert (folder / "reduce.log").read_text().startswith("SIMULATED")
    assert undisturbed.simulated
    assert "SIMULATED" in repr(undisturbed)
    assert "SIMULATED" in undisturbed.summary


def test_a_coadd_of_ours_is_not_taken_for_one_of_the_survey(undisturbed):
    image = Coadd.open(undisturbed.folder / "s063/coadd/ki0630009.fits")
    assert image.header["ORIGIN"] == "twomass_nb"
    assert image.coadd == 9
    assert find_coadds(undisturbed.folder, image.scan_id, "k") == []


def test_the_images_are_those_that_stack_makes(undisturbed, shared_disk):
    folder = undisturbed.folder
    scan = tm.open_scan(shared_disk / "000529s/k1186063.rdo.gz")
    ours = Coadd.open(folder / "s063/coadd/ki0630021.fits")
    again = tm.coadd.stack(
        scan,
        tm.calibrate.Calibrator.load(folder / "s063/k_calibrator.fits"),
        like=ours,
        positions=load_positions(folder / "s063/k_positions.ecsv"),
        sky=load_sky(folder / "s063/k_sky.fits"),
    )
    np.testing.assert_array_equal(again.data, ours.data)
    np.testing.assert_array_equal(again.coverage, ours.coverage)


def test_calibrated_frames_are_those_of_the_calibrator(undisturbed, shared_disk):
    folder = undisturbed.folder / "s063"
    scan = tm.open_scan(shared_disk / "000529s/j1186063.rdo.gz")
    calibrator = tm.calibrate.Calibrator.load(folder / "j_calibrator.fits")
    with fits.open(folder / "j_frames.fits") as hdus:
        assert [hdu.name for hdu in hdus] == ["PRIMARY", "UNCERT", "FLAGS"]
        assert hdus[0].shape == (20, 256, 256)
        hdus.verify("exception")
        one = calibrator.science(scan, 7, sky=load_sky(folder / "j_sky.fits"))
        np.testing.assert_array_equal(hdus[0].data[7], np.where(one.mask, np.nan, one.pixels))
        np.testing.assert_array_equal(hdus["UNCERT"].data[7], np.sqrt(one.variance))
        np.testing.assert_array_equal(hdus["FLAGS"].data[7], one.flags)


def test_kept_positions_and_offsets_are_what_they_were(undisturbed, shared_disk, tmp_path):
    folder = undisturbed.folder / "s064"
    positions, sky = load_positions(folder / "k_positions.ecsv"), load_sky(folder / "k_sky.fits")
    save_positions(positions, tmp_path / "positions.ecsv")
    save_sky(sky, tmp_path / "sky.fits")
    for name, ours in (("positions.ecsv", positions), ("sky.fits", sky)):
        assert (tmp_path / name).read_bytes() == (folder / f"k_{name}").read_bytes()
        assert ours.simulated
    assert positions.scan == sky.scan == "000529s064"
    scan = tm.open_scan(shared_disk / "000529s/k1186064.rdo.gz")
    # the simulator's own track is the prediction, and there is no reference: it stays
    off = positions.wcs(10).pixel_to_world(127.5, 127.5).separation(scan.track.center(10))
    assert off.arcsec < 0.5


def test_a_star_that_two_images_share_is_listed_once(undisturbed):
    folder = undisturbed.folder / "s063"
    stars = QTable.read(folder / "k_sources.ecsv")
    single = [QTable.read(folder / f"coadd/ki06300{n}_sources.ecsv") for n in ("09", "21")]
    assert set(stars["coadd"]) == {9, 21}
    assert len(stars) < sum(map(len, single))
    place = SkyCoord(stars["ra"], stars["dec"])
    _, apart, _ = place.match_to_catalog_sky(place, nthneighbor=2)
    shared = [
        SkyCoord(a["ra"], a["dec"]).match_to_catalog_sky(SkyCoord(b["ra"], b["dec"]))[1].arcsec
        for a, b in (single, single[::-1])
    ]
    assert min(map(min, shared)) < 0.5  # there are such stars
    within = dict(zip((9, 21), single, strict=True))
    for row in stars[apart.arcsec < 1.5]:  # close pairs are those of one image
        same = within[row["coadd"]]
        near = SkyCoord(row["ra"], row["dec"]).separation(SkyCoord(same["ra"], same["dec"]))
        assert (near.arcsec < 1.5).sum() > 1


def test_magnitudes_have_the_zero_point_of_the_surveys_images(undisturbed):
    tied = QTable.read(undisturbed.folder / "s063/k_sources.ecsv")
    nominal = QTable.read(undisturbed.folder / "s064/k_sources.ecsv")
    assert "MAGZP" in tied.meta["zero_point_from"]
    assert nominal.meta["zero_point_from"].startswith("nominal")
    assert "MAGZP" not in fits.getheader(undisturbed.folder / "s064/coadd/ki0640009.fits")
    merged = QTable.read(undisturbed.folder / "s063/sources.ecsv")
    both = merged[merged["n"] == 2]
    assert len(both) > 30
    assert {"j_m", "k_m"} <= set(merged.colnames)


def test_stars_are_confirmed_by_their_frames(undisturbed):
    stars = QTable.read(undisturbed.folder / "s063/coadd/ki0630009_sources.ecsv")
    bright = stars[(stars["snr"] > 60) & (stars["flags"] == 0)]
    assert len(bright) > 10
    # the scan's own first frames apart, a place is on six or seven frames, and a star on them all
    inner = bright[bright["n_frames"] >= 6]
    assert len(inner) > 0.8 * len(bright)
    assert (inner["n_found"] == inner["n_frames"]).mean() > 0.9
    assert not bright["solo"].any()


def test_the_surveys_images_are_compared_with(shared_disk, undisturbed, tmp_path):
    shutil.copytree(undisturbed.folder, tmp_path / "000529s")
    scan = shared_disk / "000529s/k1186063.rdo.gz"
    done = reduce_scan(scan, tmp_path, compare=True)
    assert [str(one.task) for one in done.made] == ["s063 k compare 9", "s063 k compare 21"]
    page = (tmp_path / "000529s/s063/compare/ki0630009.html").read_text()
    assert "SIMULATED" in page
    said = json.loads((tmp_path / "000529s/s063/quality.json").read_text())
    assert set(said["bands"]["k"]["compare"]) == {"9", "21"}
    assert said["bands"]["k"]["compare"]["9"]["verdict"]


def test_quality_figures(undisturbed):
    table = undisturbed.quality
    assert [f"{r['band']}i{r['scan_id'][-3:]}{r['coadd']:04d}" for r in table] == IMAGES
    assert (table["error"] == "").all()
    # what an error plane says is what pixels scatter by, but for the kernel's share
    assert (table["noise"] / table["uncertainty"] > 0.5).all()
    assert (table["noise"] / table["uncertainty"] < 1.5).all()
    assert (table["coverage"][table["coadd"] == 9] == 6).all()
    assert (table["coverage"][table["coadd"] == 21] < 6).all()  # the scan ends in it
    assert not table["stale"].any()
    assert undisturbed.warnings == []
    said = json.loads(
        (undisturbed.folder / "s063/quality.json").read_text(), parse_constant=pytest.fail
    )
    assert said["failed"] == {}
    assert said["bands"]["j"]["calibrator"]["darks"] == ["000531s090"]
    assert said["bands"]["k"]["positions"]["frames_measured"] == 20
    assert set(said["bands"]["k"]["image"]) == {"9", "21"}


def test_the_log_says_what_was_chosen_and_why(undisturbed):
    log = (undisturbed.folder / "reduce.log").read_text()
    assert "j calibrator: 000529s (the same night) has no dark in j" in log
    assert "darks 000531s090: the nearest, 2 days away" in log
    assert "s064 k image 9: made in" in log


def test_nothing_is_written_beside_the_raw_files(undisturbed, shared_disk):
    kinds = {path.name.partition(".")[2] for path in shared_disk.rglob("*") if path.is_file()}
    assert kinds == {"rdo.gz", "par", "lgo", "fits.gz"}
