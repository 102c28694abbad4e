"""A whole scan as FITS: what is in the cube, where and when its frames are, and the way back."""

from __future__ import annotations

import gzip
import shutil
import subprocess

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import QTable
from astropy.wcs import WCS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import twomass_nb as tm
from twomass_nb.array import ScanTrack
from twomass_nb.errors import ExistsError, LayoutError, NotFoundError, RawFileError
from twomass_nb.raw.fits_cube import cube_wcs
from twomass_nb.raw.layout import AXES

LAYOUT = tm.Layout("f b r Y X y x")
PAR = """SIMULATE = T / this is a simulation
NUMFRMS = 8
TELNAME = 'CTIO'
UT_SOS = '05:45:00.00'
UT_EOS = '05:45:12.00'
TRK_RA = 266.2
TRK_DEC = -42.05
TRK_PA = 0.3
TRK_STEP = -82.2
TRK_ROT = -0.175
TRK_SCAL = 1.9839
"""
CORNERS = np.array([[0, 0], [255, 0], [0, 255], [255, 255], [127.5, 127.5]])


@pytest.fixture
def scan(write, science):
    path = write("k1186063.rds.gz", science[:8], LAYOUT)
    path.with_name("k1186063.par").write_text(PAR)
    return tm.open_scan(path, layout=LAYOUT)


def header_blocks(path):
    """Return where the headers and the data of a FITS file begin, and where it ends."""
    with fits.open(path, disable_image_compression=True) as hdus:
        places = [hdu.fileinfo() for hdu in hdus]
    places = [place[key] for place in places for key in ("hdrLoc", "datLoc")]
    return places, path.stat().st_size


# What is in it -----------------------------------------------------------------------------


@pytest.mark.parametrize("compress", [False, True])
def test_numbers_equal_the_readers(scan, tmp_path, compress):
    path = scan.to_fits_cube(tmp_path, compress=compress)
    assert path == tmp_path / "k1186063_cube.fits"
    with fits.open(path, checksum=True) as hdus:
        hdus.verify("exception")
        assert [hdu.name for hdu in hdus] == ["PRIMARY", "R1", "R2", "FRAMES"]
        for name, read in (("R1", scan.r1), ("R2", scan.r2)):
            assert hdus[name].data.dtype == np.uint16
            np.testing.assert_array_equal(hdus[name].data, read.array)
            assert hdus[name].header["READ"] == name.lower()
            assert hdus[name].header["SIMULATE"] is True


def test_extreme_words_survive_compression(write, tmp_path):
    frames = np.zeros((2, 2, 256, 256), np.uint16)
    frames[0, 0, ::2], frames[1, 1] = 65535, np.arange(65536).reshape(256, 256)
    scan = tm.open_scan(write("k1186063.rdo", frames), layout=tm.Layout.RDO)
    with fits.open(scan.to_fits_cube(tmp_path, compress=True)) as hdus:
        np.testing.assert_array_equal(hdus["R1"].data, frames[:, 0])
        np.testing.assert_array_equal(hdus["R2"].data, frames[:, 1])


def test_compressed_each_frame_is_a_tile(scan, tmp_path):
    path = scan.to_fits_cube(tmp_path, compress=True)
    with fits.open(path, disable_image_compression=True) as hdus:
        header = hdus["R2"].header
        assert header["ZCMPTYPE"] == "RICE_1"
        assert [header[f"ZTILE{k}"] for k in (1, 2, 3)] == [256, 256, 1]
        assert header["NAXIS2"] == 8
    assert path.stat().st_size < 0.7 * scan.frames.nbytes
    with fits.open(path) as hdus:  # one frame, without the others
        np.testing.assert_array_equal(hdus["R2"].section[5], scan.r2(5))


def test_header_says_what_it_is(scan, tmp_path):
    header = fits.getheader(scan.to_fits_cube(tmp_path))
    expected = {
        "RAWCUBE": True, "FRAME1": 0, "FRAME2": 7, "NUMFRMS": 8, "FN_PRFX": "k1186063",
        "FILTER": "k", "HEMIS": "s", "LAYOUT": str(LAYOUT), "LAYSRC": "given",
        "SRCFILE": "k1186063.rds.gz", "SRCSIZE": scan.path.stat().st_size, "SIMULATE": True,
        "DATE-OBS": "2000-05-29T05:45:00.00", "DATE-END": "2000-05-29T05:45:12.00",
    }  # fmt: skip
    assert {key: header.get(key) for key in expected} == expected
    assert len(header["SHA256"]) == 64


def test_the_table_of_frames_has_units_times_and_places(scan, tmp_path):
    path = scan.to_fits_cube(tmp_path, range(2, 7))
    frames = QTable.read(path, hdu="FRAMES", astropy_native=True)
    assert list(frames["FRAME"]) == [2, 3, 4, 5, 6]
    assert frames["RA"].unit == frames["DEC"].unit == u.deg
    assert frames["CD"].unit == u.deg / u.pix
    where = SkyCoord(frames["RA"], frames["DEC"])
    np.testing.assert_allclose(where.separation(scan.track.center(np.arange(2, 7))).arcsec, 0)
    assert list(frames["UT"]) == list(scan.times.middle[2:7].isot)
    np.testing.assert_allclose(frames["MJD"].to_value(u.d), scan.times.middle[2:7].mjd)
    for row in frames:
        np.testing.assert_array_equal(
            row["CD"].value.reshape(2, 2), scan.wcs(int(row["FRAME"])).wcs.cd
        )


@pytest.mark.parametrize("frames", [range(3, 4), range(2, 7), range(8)])
def test_a_range_keeps_the_numbers_of_its_frames(scan, tmp_path, frames):
    path = scan.to_fits_cube(tmp_path, frames)
    wanted = "" if len(frames) == 8 else f"_{frames[0]}-{frames[-1]}"
    assert path.name == f"k1186063_cube{wanted}.fits"
    with fits.open(path) as hdus:
        np.testing.assert_array_equal(hdus["R1"].data, scan.r1.array[frames.start : frames.stop])
        wcs = WCS(hdus["R1"].header)
        for k, i in enumerate(frames):
            assert wcs.wcs_pix2world([[0, 0, k]], 0)[0][2] == pytest.approx(i)
            middle = wcs[k].pixel_to_world(127.5, 127.5)
            assert middle.separation(scan.track.center(i)).arcsec < 1e-4


@given(st.floats(-89.9, 89.9), st.floats(-180, 180), st.booleans(), st.integers(1, 274))
@settings(max_examples=25, deadline=None)
def test_one_wcs_holds_for_all_frames(dec, pa, south, n):
    track = ScanTrack(266.2, dec, pa, -82.2 if south else 82.2, 274)
    geometry = tm.ArrayGeometry.preset("South", "k")
    frames = range(274 - n, 274)
    wcs = WCS(cube_wcs(track, geometry, frames).to_header())  # as it is read back
    for i in (frames[0], frames[n // 3], frames[-1]):
        x, y = CORNERS.T
        one = track.wcs(i, geometry).pixel_to_world(x, y)
        ra, dec, _ = wcs.wcs_pix2world(np.c_[CORNERS, np.full(5, i - frames[0])], 0).T
        apart = one.separation(SkyCoord(ra, dec, unit="deg")).arcsec
        assert apart.max() < 0.135
        assert apart[4] < 1e-4


def test_without_a_par_there_are_numbers_of_frames_alone(write, science, tmp_path):
    scan = tm.open_scan(write("k1186063.rdo", science[:3]))
    with fits.open(scan.to_fits_cube(tmp_path, compress=True), checksum=True) as hdus:
        assert hdus["FRAMES"].columns.names == ["FRAME"]
        assert "CTYPE1" not in hdus["R1"].header
        assert "No WCS" in str(hdus["R1"].header["COMMENT"])
        assert "No times" in str(hdus[0].header["COMMENT"])


@pytest.mark.parametrize(
    "frames", [range(0), range(5, 9), range(-2, 3), range(0, 8, 2), range(5, 2, -1), 5, "all"]
)
def test_frames_that_are_not_there(scan, tmp_path, frames):
    with pytest.raises(NotFoundError, match="frames"):
        scan.to_fits_cube(tmp_path, frames)
    assert not list(tmp_path.glob("*.fits"))


def test_an_existing_file_stays_and_an_interrupted_one_vanishes(scan, tmp_path, monkeypatch):
    path = scan.to_fits_cube(tmp_path)
    before = path.read_bytes()
    with pytest.raises(ExistsError):
        scan.to_fits_cube(tmp_path)

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(fits.BinTableHDU, "_prewriteto", interrupted)  # R1 and R2 are written
    with pytest.raises(KeyboardInterrupt):
        scan.to_fits_cube(tmp_path, overwrite=True)
    assert path.read_bytes() == before
    assert list(tmp_path.glob("*cube*")) == [path]


@pytest.mark.skipif(
    shutil.which("fitsverify") is None,
    reason="fitsverify is not installed (Debian: apt-get install fitsverify)",
)
def test_fitsverify_finds_nothing(scan, write, science, tmp_path):
    long = tm.Layout("b f r Y X y x", block=16, difference="r Xx")  # more than a card holds
    bare = tm.open_scan(write("h1186063.rds", science[:1], long), layout=long)
    paths = [
        scan.to_fits(3, "r2-r1", tmp_path),
        scan.to_fits(3, "r1", tmp_path),
        scan.to_fits_cube(tmp_path / "cube.fits"),
        scan.to_fits_cube(tmp_path / "packed.fits", compress=True),
        bare.to_fits_cube(tmp_path / "bare.fits"),
    ]
    done = subprocess.run(
        ["fitsverify", *map(str, paths)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("0 warning(s) and 0 error(s)") == len(paths), done.stdout


# And back ----------------------------------------------------------------------------------


layouts = st.builds(
    tm.Layout,
    st.permutations(AXES).map("".join),
    st.booleans(),
    st.sampled_from([None, 2, 16]),
    st.sampled_from(["", "", "r", "-f", "r Xx"]),
)


@given(layouts, st.integers(1, 3), st.integers(0, 99), st.booleans())
@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_there_and_back_is_byte_exact(tmp_path, layout, n, seed, compress):
    frames = np.random.default_rng(seed).integers(0, 65536, (n, 2, 256, 256), np.uint16)
    rds, cube, rdo, back, direct = (
        tmp_path / name for name in ("a.rds", "a.fits", "a.rdo", "b.rds", "c.rdo")
    )
    rds.write_bytes(layout.encode(frames))
    tm.open_scan(rds, layout=layout).to_fits_cube(cube, compress=compress, overwrite=True)
    tm.convert(cube, rdo, overwrite=True)
    tm.convert(rds, direct, layout, overwrite=True)
    assert rdo.read_bytes() == direct.read_bytes()
    tm.convert(cube, back, overwrite=True)
    assert back.read_bytes() == rds.read_bytes()


@pytest.mark.parametrize("high_first", [True, False])
def test_from_rdo_to_rdo_the_byte_order_stays(write, science, tmp_path, high_first):
    order = tm.Layout(AXES, high_first)
    rdo = write("k1186063.rdo", science[:2], order)
    cube = tm.open_scan(rdo, layout=order).to_fits_cube(tmp_path)
    back = tm.convert(cube, tmp_path / "back.rdo.gz")
    assert gzip.decompress(back.read_bytes()) == rdo.read_bytes()
    with pytest.raises(LayoutError, match="order must be given"):
        tm.convert(cube, tmp_path / "back.rds")
    rds = tm.convert(cube, tmp_path / "back.rds", "f r b Y y X x")
    again = tm.convert(rds, tmp_path / "again.rdo", "f r b Y y X x")
    assert again.read_bytes() == rdo.read_bytes()


@pytest.mark.parametrize("name", ["back.rdo", "back.rdo.gz", "back.rds"])
def test_simulated_stays_simulated(scan, tmp_path, name):
    cube = scan.to_fits_cube(tmp_path / "far" / "cube.fits")
    back = tm.convert(cube, tmp_path / "000529s" / name)
    assert tm.open_scan(back, layout=LAYOUT if "rds" in name else None).simulated


def test_a_simulated_cube_does_not_join_a_real_scan(scan, tmp_path):
    cube = scan.to_fits_cube(tmp_path / "real.fits")
    (tmp_path / "real.par").write_text("TELNAME = 'CTIO'\n")
    with pytest.raises(RawFileError, match="of a real scan"):
        tm.convert(cube, tmp_path / "real.rdo")
    assert tm.open_scan(tm.convert(cube, tmp_path / "other.rdo")).simulated


def refused(path, words, tmp_path):
    with pytest.raises(RawFileError, match=words) as caught:
        tm.convert(path, tmp_path / "back.rdo")
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.glob("back*"))


def test_what_is_not_the_whole_scan_is_no_raw_file(scan, write, science, tmp_path):
    refused(scan.to_fits_cube(tmp_path, range(1, 4)), "frames 1 to 3 of 8", tmp_path)
    refused(scan.to_fits_cube(tmp_path, range(7)), "frames 0 to 6 of 8", tmp_path)
    refused(scan.to_fits(3, "r2-r1", tmp_path), "is one frame's r2-r1", tmp_path)
    cut = write("h1186063.rds.gz", science[:4], LAYOUT)
    cut.write_bytes(cut.read_bytes()[:-100_000])
    with pytest.warns(tm.TwomassWarning, match="cut off"):
        cube = tm.open_scan(cut, layout=LAYOUT).to_fits_cube(tmp_path)
    refused(cube, "cut off", tmp_path)


@pytest.mark.parametrize("compress", [False, True])
def test_one_flipped_bit_anywhere_is_seen(scan, tmp_path, compress):
    path = scan.to_fits_cube(tmp_path, compress=compress)
    whole = path.read_bytes()
    places, end = header_blocks(path)
    rng = np.random.default_rng(8)
    spots = [at + int(rng.integers(0, 2000)) for at in places if at < end]
    for at in [*spots, *rng.integers(0, end, 12)]:
        spoilt = bytearray(whole)
        spoilt[at] ^= 1 << int(rng.integers(0, 7))
        path.write_bytes(spoilt)
        refused(path, str(path), tmp_path)


@pytest.mark.parametrize("compress", [False, True])
def test_a_cut_cube_is_seen(scan, tmp_path, compress):
    path = scan.to_fits_cube(tmp_path, compress=compress)
    whole = path.read_bytes()
    places, end = header_blocks(path)
    for size in {*places, 0, 1000, end // 2, end - 2880, end - 1}:
        path.write_bytes(whole[:size])
        refused(path, str(path), tmp_path)


def test_a_cube_edited_by_others(scan, tmp_path):
    path = scan.to_fits_cube(tmp_path)
    whole = path.read_bytes()
    with fits.open(path, mode="update") as hdus:
        hdus["R2"].data[3, 100, 100] += 1
    refused(path, "other pixels than were written", tmp_path)
    path.write_bytes(whole)
    fits.append(path, np.zeros(3))
    refused(path, "the parts PRIMARY, R1, R2, FRAMES", tmp_path)
    path.write_bytes(whole.replace(b"0529", b"0530", 1))
    refused(path, "Checksum", tmp_path)
    path.write_bytes(whole)
    fits.delval(path, "SIMULATE")  # astropy makes the checksums right again
    assert tm.open_scan(tm.convert(path, tmp_path / "marked.rdo")).simulated
    path.write_bytes(whole)
    at = whole.index(b"CHECKSUM")
    path.write_bytes(whole[:at] + b" " * 160 + whole[at + 160 :])  # DATASUM follows
    refused(path, "no checksums in PRIMARY", tmp_path)


def test_what_is_no_cube(real_data, tmp_path):
    image = next((real_data / "atlas").glob("*.fits.gz"))
    path = tmp_path / "atlas.fits"
    path.write_bytes(gzip.decompress(image.read_bytes()))
    refused(path, "no cube of a raw scan", tmp_path)
    path.write_bytes(b"SIMPLE  =                    T" + b"rubbish" * 900)
    refused(path, "damaged, edited or no FITS", tmp_path)
    path.write_text("")
    refused(path, "damaged, edited or no FITS", tmp_path)
    with pytest.raises(NotFoundError, match="there is no file"):
        tm.convert(tmp_path / "gone.fits", tmp_path / "back.rdo")
