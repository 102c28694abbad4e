"""An Atlas Image says which scan, band, coadd and frames it is, whatever its file is called."""

from __future__ import annotations

import bz2
import gzip
import shutil
import warnings

import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.nddata import Cutout2D

from twomass_nb.array.geometry import ArrayGeometry
from twomass_nb.array.track import FOOTPRINT_LENGTH, HALF_WIDTH
from twomass_nb.atlas import AtlasImage, find_coadds, scan_table_from_atlas, track_of
from twomass_nb.errors import AtlasError, TwomassWarning
from twomass_nb.scan import FileName, ScanId

M17 = "aK_asky_990502s1350080.fits.gz"


@pytest.fixture(scope="module")
def images(real_data):
    return [AtlasImage.open(path) for path in sorted((real_data / "atlas").glob("*.fits.gz"))]


@pytest.fixture
def plain(real_data):
    """An unpacked copy of a real image: (pixels, header) to spoil."""
    with gzip.open(real_data / "atlas" / M17) as file, fits.open(file) as hdus:
        return hdus[0].data.copy(), hdus[0].header.copy()


def written(folder, data, header, name="x.fits"):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fits.PrimaryHDU(data, header).writeto(folder / name)
    return folder / name


def test_all_real_images_are_identified(images):
    assert len(images) == 11
    for image in images:
        name = FileName.parse(image.path.name)
        assert (image.scan_id, image.band, image.coadd) == (name.scan_id, name.band, name.coadd)
        assert image.data.shape == (1024, 512)
        assert image.data.dtype == np.float32
        assert not image.simulated
        assert image.n_frames == 274
        # a row of sky is seen by 6 or 7 frames: 1024 rows by 12.4 steps more
        assert image.last_frame - image.first_frame + 1 in (18, 19, 20)
        assert image.first_frame < image.coadd - 1 < image.last_frame


def test_frame_steps_and_rotations_are_those_of_the_headers(images):
    by_band = {im.band: im for im in images if im.scan_id.scan == 62}
    assert by_band["j"].rotation.to_value(u.deg) == pytest.approx(0.277, abs=5e-4)
    assert by_band["h"].rotation.to_value(u.deg) == pytest.approx(0.303, abs=5e-4)
    assert by_band["k"].rotation.to_value(u.deg) == pytest.approx(-0.121, abs=5e-4)
    m17 = [im.rotation.to_value(u.deg) for im in images if im.scan_id.scan != 62]
    assert np.mean(m17) == pytest.approx(-0.19, abs=0.01)
    for image in images:
        dx, dy = image.frame_step
        assert dx.unit == dy.unit == u.arcsec
        assert 82.1 < abs(dy.value) < 83.0
        assert (dy < 0) == (image.direction == "s")


def test_centre_is_seen_best_by_the_frame_of_its_number(images):
    for image in images:
        centre = image.wcs.pixel_to_world(255.5, 511.5)
        assert centre.ra.deg == pytest.approx(image.header["CRVAL1"], abs=1e-9)
        assert centre.dec.deg == pytest.approx(image.header["CRVAL2"], abs=1e-9)
        geometry = ArrayGeometry.preset("South", image.band)
        # the mean step of the scan's own images, and of this one alone
        for track in (image.track, track_of([im for im in images if im.scan_id == image.scan_id])):
            *_, best, x, y = track.frames_seeing(centre.ra.deg, centre.dec.deg, geometry)
            assert abs(best - (image.coadd - 1)) <= 1
            assert 100 < x < 156
            assert 0 <= y < 256


def test_coadds_of_a_scan_agree_on_its_first_frame(images):
    for scan in (135, 142, 143, 144):
        one, two = (im for im in images if im.scan_id.scan == scan)
        assert one.track.dec == pytest.approx(two.track.dec, abs=0.01 / 3600)
        assert one.track.ra == pytest.approx(two.track.ra, abs=0.01 / 3600)
        both = track_of([one, two])
        low, high = sorted([one.track.step, two.track.step])
        assert low < both.step < high
        assert track_of(one) == one.track
        header = one.header
        assert one.track.step == pytest.approx((header["USYREF"] + 512) / (one.coadd - 1))
        dec = header["CRVAL2"] - (header["USYREF"] + 512) / 3600
        assert one.track.dec == pytest.approx(dec, abs=0.01 / 3600)


def test_scan_table_has_a_row_a_scan_with_the_image_inside(images):
    table = scan_table_from_atlas(images)
    assert [(r["hemis"], r["scan"]) for r in table] == [("s", n) for n in (135, 142, 143, 144, 62)]
    assert set(table["source"]) == {"atlas"}
    assert list(table["tile"]) == [308164, 308165, 308166, 308167, 303105]
    assert table["ra_1"].unit == "deg"
    assert table["trk_step"].unit == "arcsec"
    for row in table:
        ra, dec = (np.array([row[f"{c}_{k}"] for k in (1, 2, 3, 4)]) for c in ("ra", "dec"))
        assert ra[0] > ra[1]  # east is where RA is greater
        assert ra[2] > ra[3]
        assert (dec[2] > dec[0]) == (row["sd"] == "n")
        width = (ra[::2] - ra[1::2]) * np.cos(np.deg2rad(dec[::2])) * 3600
        assert width == pytest.approx([2 * HALF_WIDTH] * 2, abs=0.1)
        assert abs(dec[2] - dec[0]) * 3600 == pytest.approx(FOOTPRINT_LENGTH, abs=0.1)
        assert row["ra"] == pytest.approx(ra.mean(), abs=1e-3)
        for image in images:
            if image.scan_id.scan == row["scan"]:
                assert dec.min() < image.header["CRVAL2"] < dec.max()
                assert ra[[1, 3]].min() < image.header["CRVAL1"] < ra[[0, 2]].max()


def test_scans_of_both_directions_cover_the_same_tiles(images):
    """M17 scans of the ring from -12 to -18 degrees go north and south in turn."""
    table = scan_table_from_atlas([image for image in images if image.scan_id.scan != 62])
    assert sorted(set(table["sd"])) == ["n", "s"]
    for end in (min, max):
        edges = [end(row["dec_1"], row["dec_3"]) for row in table]
        assert np.ptp(edges) * 3600 < 40
        assert abs(end(edges) - (-18.0078 if end is min else -11.8552)) * 3600 < 40


def test_a_renamed_image_is_still_known(real_data, tmp_path):
    path = tmp_path / "my galaxy.fits.gz"
    shutil.copy(real_data / "atlas" / M17, path)
    image = AtlasImage.open(path)
    assert (image.scan_id, image.band, image.coadd) == (ScanId("1999-05-02", "s", 135), "k", 80)


def test_a_name_that_contradicts_the_header_is_warned_about(real_data, tmp_path):
    path = tmp_path / "aJ_asky_990502s1360081.fits.gz"
    shutil.copy(real_data / "atlas" / M17, path)
    with pytest.warns(TwomassWarning, match=r"scan 990502s136.*band j.*coadd 81"):
        image = AtlasImage.open(path)
    assert image.scan_id.scan == 135


def test_bzip2_and_plain_files_read_the_same(real_data, tmp_path):
    packed = real_data / "atlas" / M17
    content = gzip.decompress(packed.read_bytes())
    (tmp_path / "k990502s135M080.fits.bz2").write_bytes(bz2.compress(content, 1))
    (tmp_path / "ki1350080.fits").write_bytes(content)
    expected = AtlasImage.open(packed)
    for path in tmp_path.iterdir():
        image = AtlasImage.open(path)
        assert np.array_equal(image.data, expected.data, equal_nan=True)
        assert image.coadd == 80


def test_a_cutout_keeps_track_and_knows_its_fewer_frames(plain, tmp_path):
    data, header = plain
    whole = AtlasImage(data, header)
    cut = Cutout2D(data, (200, 800), (100, 60), wcs=whole.wcs)
    small = header.copy()
    small.update(cut.wcs.to_header())
    for key in ("NAXIS1", "NAXIS2"):
        small.pop(key)
    image = AtlasImage.open(written(tmp_path, cut.data, small))
    assert image.data.shape == (100, 60)
    assert image.track == whole.track
    assert whole.first_frame < image.first_frame <= image.last_frame <= whole.last_frame
    assert image.last_frame - image.first_frame + 1 in (7, 8)
    a, b = image.wcs.pixel_to_world(3, 4), whole.wcs.pixel_to_world(3 + 170, 4 + 750)
    assert a.separation(b).arcsec < 1e-3


def test_coadd_one_uses_its_local_step(plain):
    data, header = plain
    header["UT"] = "09:20:52.74"
    header["USYREF"] = -512.0
    image = AtlasImage(data, header)
    assert image.coadd == 1
    assert image.track.step == pytest.approx(header["DYFS"])
    assert image.first_frame == 0


def test_a_scan_over_midnight_has_its_coadds(plain):
    data, header = plain
    header["UT_SOS"], header["UT_EOS"], header["UT"] = "23:59:02.00", "00:05:49.00", "00:01:00.09"
    assert AtlasImage(data, header).coadd == 80


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("USYREF", None, "no USYREF"),
        ("FN_PRFX", "k0793136", "contradicts itself: FN_PRFX"),
        ("SCANDIR", "s", "contradicts itself: SCANDIR"),
        ("TELNAME", "Palomar", "neither"),
        ("FILTER", "z", "band"),
        ("UT", "09:22:50.80", "whole number"),
        ("UT", "nine", "not a time"),
        ("UT_EOS", "09:20:52.00", "are the same"),
        ("ORDATE", "991399", "date"),
        ("DYFS", "x", "not a number"),
        ("NUMFRMS", 0, "no frames"),
    ],
)
def test_a_spoilt_header_is_one_clear_line(plain, tmp_path, key, value, words):
    data, header = plain
    if value is None:
        del header[key]
    else:
        header[key] = value
    with pytest.raises(AtlasError, match=words) as caught:
        AtlasImage.open(written(tmp_path, data, header))
    assert "\n" not in str(caught.value)


def test_bad_files_are_one_clear_line(real_data, tmp_path, plain):
    packed = (real_data / "atlas" / M17).read_bytes()
    content = gzip.decompress(packed)
    bad = {
        "cut.fits.gz": (packed[:200_000], "truncated"),
        "cut.fits": (content[:500_000], "truncated"),
        "header.fits": (content[:3000], "truncated|broken"),
        "cut.fits.bz2": (bz2.compress(content[:9000], 1)[:-30], "truncated|unpacked|read"),
        "flipped.fits.gz": (packed[:1000] + b"\0" * 50 + packed[1050:], "unpacked"),
        "text.fits": (b"hello", "not a FITS"),
        "empty.fits": (b"", "empty"),
    }
    for name, (bytes_, words) in bad.items():
        (tmp_path / name).write_bytes(bytes_)
        with pytest.raises(AtlasError, match=words) as caught:
            AtlasImage.open(tmp_path / name)
        assert "\n" not in str(caught.value)
        assert name in str(caught.value)
    with pytest.raises(AtlasError, match="there is no file"):
        AtlasImage.open(tmp_path / "none.fits")
    with pytest.raises(AtlasError, match="is a folder"):
        AtlasImage.open(tmp_path)
    with pytest.raises(AtlasError, match="not a 2MASS Atlas Image"):
        AtlasImage.open(written(tmp_path, np.zeros((4, 4), "f4"), None))
    with pytest.raises(AtlasError, match="two axes"):
        AtlasImage.open(written(tmp_path, np.zeros((2, 4, 4), "f4"), plain[1], "cube.fits"))


def test_several_scans_have_no_common_track(images):
    with pytest.raises(AtlasError, match="several scans"):
        track_of(images)
    with pytest.raises(AtlasError, match="at least one"):
        track_of([])


def test_only_simulated_images_are_written(plain, tmp_path):
    data, header = plain
    with pytest.raises(AtlasError, match="real image"):
        AtlasImage(data, header).write_to(tmp_path / "a.fits")
    header["SIMULATE"] = True
    image = AtlasImage(data, header)
    assert "simulated" in repr(image)
    for name in ("a.fits", "a.fits.gz"):
        image.write_to(tmp_path / name)
        again = AtlasImage.open(tmp_path / name)
        assert again.simulated
        assert np.array_equal(again.data, image.data, equal_nan=True)
    with pytest.raises(AtlasError, match="there already"):
        image.write_to(tmp_path / "a.fits")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.fits", "a.fits.gz"]
    assert set(scan_table_from_atlas(image)["source"]) == {"sim"}


def test_coadds_are_found_by_their_names(tmp_path):
    scan_id = ScanId("2000-05-29", "s", 63)
    folder = tmp_path / "000529s"
    inner = folder / "s063" / "image"
    inner.mkdir(parents=True)
    for name in ("ji0630186.fits.gz", "ji0630080.fits.gz", "hi0630080.fits.gz", "notes.txt"):
        (inner / name).touch()
    for name in ("aJ_asky_000529s0630092.fits.gz", "aJ_asky_000529s0640092.fits.gz", "x.fits"):
        (folder / name).touch()
    names = [path.name for path in find_coadds(folder, scan_id, "J")]
    assert names == ["ji0630080.fits.gz", "aJ_asky_000529s0630092.fits.gz", "ji0630186.fits.gz"]
    assert find_coadds(folder, scan_id, "k") == []
    assert find_coadds(tmp_path / "nowhere", scan_id, "k") == []
