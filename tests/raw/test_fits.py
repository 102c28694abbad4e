from __future__ import annotations

import hashlib
import resource

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

import twomass_nb as tm
from twomass_nb.errors import NotFoundError, TwomassError, WriteError

LAYOUT = tm.Layout("f b r Y X y x")
PAR = """SIMULATE = T / this is a simulation
NUMFRMS = 8
TELNAME = 'CTIO'
TRK_RA = 266.2
TRK_DEC = -42.05
TRK_PA = 0.0
TRK_STEP = 82.2
TRK_ROT = -0.175
TRK_SCAL = 1.9839
UT_SOS = '05:45:00.00'
UT_EOS = '05:45:12.00'
"""


@pytest.fixture
def scan(write, science):
    path = write("k1186063.rds.gz", science[:8], LAYOUT)
    path.with_suffix("").with_suffix(".par").write_text(PAR)
    return tm.open_scan(path, layout=LAYOUT)


@pytest.mark.parametrize("read", ["r1", "r2", "r2-r1"])
def test_numbers_equal_the_readers(scan, tmp_path, read):
    path = scan.to_fits(5, read, tmp_path)
    assert path == tmp_path / f"k1186063_{read}_5.fits"
    wanted = {"r1": scan.r1(5), "r2": scan.r2(5), "r2-r1": scan.difference(5)}[read]
    with fits.open(path) as hdus:
        hdus.verify("exception")
        assert hdus[0].data.dtype.newbyteorder("=") == wanted.dtype
        np.testing.assert_array_equal(hdus[0].data, wanted)


def test_header_says_what_it_is(scan, tmp_path):
    path = scan.to_fits(3, "r2-r1", tmp_path / "one.fits")
    header = fits.getheader(path)
    content = scan.path.read_bytes()
    expected = {
        "ORDATE": "000529", "DAYNUM": "1186", "FN_PRFX": "k1186063", "SCANNO": 63, "HEMIS": "s",
        "FILTER": "k", "FRAME": 3, "NUMFRMS": 8, "READ": "r2-r1", "EXPTIME": 1.298,
        "BUNIT": "DN", "LAYOUT": str(LAYOUT), "SRCFILE": "k1186063.rds.gz", "SRCSIZE": len(content),
        "SHA256": hashlib.sha256(content).hexdigest(), "LAYSRC": "given", "SIMULATE": True,
    }  # fmt: skip
    assert {key: header.get(key) for key in expected} == expected
    assert "counted from 0" in header.comments["FRAME"]
    assert tm.__version__ in str(header["CREATOR"])


@pytest.mark.parametrize(("read", "seconds"), [("r1", 0.052), ("r2", 1.35), ("r2-r1", 1.298)])
def test_exposures(scan, tmp_path, read, seconds):
    assert fits.getheader(scan.to_fits(0, read, tmp_path))["EXPTIME"] == seconds


def test_wcs_is_the_readers(scan, tmp_path):
    wcs = WCS(fits.getheader(scan.to_fits(7, "r2", tmp_path)))
    one, two = wcs.pixel_to_world(10, 200), scan.wcs(7).pixel_to_world(10, 200)
    assert one.separation(two).arcsec < 1e-4


def test_the_time_is_that_of_the_frame_and_its_error_is_said(scan, tmp_path):
    path = scan.to_fits(7, "r1", tmp_path)
    header = fits.getheader(path)
    assert header["DATE-OBS"] == scan.times.middle[7].isot == "2000-05-29T05:45:11.25"
    assert header["MJD-OBS"] == pytest.approx(scan.times.middle[7].mjd, abs=1e-7)
    assert (header["TIMESYS"], header["TIMSYER"]) == ("UTC", 1.75)
    assert "the day is that of the night" in " ".join(header["COMMENT"])
    assert WCS(header).wcs.dateobs == header["DATE-OBS"]


def test_the_raw_file_is_hashed_once(scan, tmp_path, monkeypatch):
    from twomass_nb.raw import fits_header

    hashed = []
    monkeypatch.setattr(
        fits_header.hashlib, "file_digest", lambda *a: hashed.append(a) or hashlib.sha256()
    )
    for i in range(4):
        scan.to_fits(i, "r1", tmp_path)
    assert len(hashed) == 1
    scan.path.write_bytes(scan.path.read_bytes() + b"more")
    scan.to_fits(5, "r1", tmp_path)
    assert len(hashed) == 2


def test_checksums_hold(scan, tmp_path):
    with fits.open(scan.to_fits(4, "r2-r1", tmp_path), checksum=True) as hdus:
        assert {"CHECKSUM", "DATASUM"} <= set(hdus[0].header)


def test_predictions_say_how_uncertain(scan, tmp_path):
    par = scan.path.with_suffix("").with_suffix(".par")
    par.write_text("TELNAME = 'CTIO'\nSCANDIR = 'n'\nRA_SOS = '17:44:48'\nDEC_SOS = '-42:09:00'\n")
    header = fits.getheader(tm.open_scan(scan.path, layout=LAYOUT).to_fits(0, "r2", tmp_path))
    assert "SIMULATE" not in header
    text = repr(header)
    assert "predicted" in text
    assert "uncertainty" in text


def test_without_a_par_there_is_no_wcs(write, science, tmp_path):
    scan = tm.open_scan(write("k1186063.rdo", science[:1]))
    header = fits.getheader(scan.to_fits(0, "r1", tmp_path))
    assert "CRVAL1" not in header
    assert "DATE-OBS" not in header
    assert "No WCS" in str(header["COMMENT"])
    assert "No times" in str(header["COMMENT"])


def test_a_night_of_one_s_own_names(write, science, tmp_path):
    path = write("k1186063.rdo", science[:1]).rename(tmp_path / "Ünïcode and blanks.rdo")
    path.with_suffix(".par").write_text(f"STRIP_ID = {'x' * 90}\nTYPE = 1e999\nUT_SOS = noon\n")
    made = tm.open_scan(path).to_fits(0, "r1", tmp_path / "a.fits")
    with fits.open(made, checksum=True) as hdus:
        hdus.verify("exception")
        assert hdus[0].header["SRCFILE"] == "?n?code and blanks.rdo"


def test_names_like_raw2fits_in_the_folder_one_is_in(scan, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = scan.to_fits(2)
    assert path.name == "k1186063_r2-r1_2.fits"
    assert path.resolve().parent == tmp_path.resolve()


def test_an_existing_file_stays(scan, tmp_path):
    path = scan.to_fits(2, "r1", tmp_path)
    before = path.read_bytes()
    with pytest.raises(TwomassError, match="exists already"):
        scan.to_fits(2, "r1", tmp_path)
    assert path.read_bytes() == before
    scan.to_fits(3, "r1", path, overwrite=True)
    assert fits.getheader(path)["FRAME"] == 3


@pytest.mark.parametrize("read", ["r3", "", "R1", None])
def test_reads_that_are_not_there(scan, tmp_path, read):
    with pytest.raises(NotFoundError, match="not a read"):
        scan.to_fits(0, read, tmp_path)
    assert not list(tmp_path.glob("*.fits"))


def test_frames_that_are_not_there(scan, tmp_path):
    with pytest.raises(NotFoundError, match="frames 0 to 7"):
        scan.to_fits(8, "r1", tmp_path)


@pytest.mark.parametrize("cube", [False, True])
def test_a_full_disk_is_a_clear_error(scan, tmp_path, cube):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    path = tmp_path / "new" / "one.fits"
    scan.r1(0)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
    try:
        with pytest.raises(WriteError, match=r"one\.fits cannot be written"):
            scan.to_fits_cube(path) if cube else scan.to_fits(3, "r1", path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(path.parent.iterdir()) == []
