from __future__ import annotations

import mmap
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from astropy import units as u

import twomass_nb as tm
from twomass_nb.array import ArrayGeometry
from twomass_nb.errors import LayoutError, NotFoundError, RawFileError, ScanNameError
from twomass_nb.raw import reader, source
from twomass_nb.raw.layout import AXES

LAYOUT = tm.Layout("f b r Y X y x")
PAR = """FN_PRFX = 'k1186063' / file
NUMFRMS = 40 / frames
TELNAME = 'CTIO' /
SCANDIR = 'n' /
RA_SOS = '17:44:48.00' /
DEC_SOS = '-42:09:00.0' /
"""


@pytest.fixture(autouse=True)
def _nothing_learnt_before(tmp_path, monkeypatch):
    monkeypatch.setenv("TWOMASS_NB_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def rds(write, science):
    return write("k1186063.rds.gz", science, LAYOUT)


@pytest.mark.parametrize("name", ["k1186063.rds", "k1186063.rds.gz"])
@pytest.mark.parametrize("how", ["detected", "given"])
def test_rds(write, science, name, how):
    path = write(name, science, LAYOUT)
    scan = tm.open_scan(path, layout=LAYOUT if how == "given" else None)
    assert scan.n_frames == 40
    assert scan.layout == LAYOUT
    assert how[:4] in scan.layout_source or scan.layout_source.startswith("found")
    np.testing.assert_array_equal(scan.r1.array, science[:, 0])
    np.testing.assert_array_equal(scan.r2.array, science[:, 1])
    assert not scan.truncated


@pytest.mark.parametrize("high_first", [True, False])
@pytest.mark.parametrize("name", ["k1186063.rdo", "k1186063.rdo.gz"])
def test_rdo_needs_no_detection(write, science, name, high_first):
    order = tm.Layout(AXES, high_first)
    scan = tm.open_scan(write(name, science[:3], order))
    np.testing.assert_array_equal(scan.frames, science[:3])
    assert scan.layout == order
    assert scan.frames.dtype == np.uint16


def test_frames_are_what_the_archive_describes(rds, science):
    scan = tm.open_scan(rds)
    frame = scan.r2(7)
    assert frame.shape == (256, 256)
    assert frame.dtype == np.uint16
    assert not frame.flags.writeable
    assert not scan.r1.array.flags.writeable
    assert scan.r1.array.shape == (40, 256, 256)
    difference = scan.difference(7)
    assert difference.dtype == np.int32
    np.testing.assert_array_equal(difference, science[7, 1].astype(int) - science[7, 0])


def test_negative_differences_are_kept(write, science):
    swapped = science[:2, ::-1].copy()
    scan = tm.open_scan(write("k1186063.rdo", swapped))
    assert scan.difference(0).min() < 0


@pytest.mark.parametrize("i", [-1, 40, 41, 1.0, None, "3", True, np.nan])
def test_frames_that_are_not_there(rds, i):
    scan = tm.open_scan(rds)
    for ask in (scan.r1, scan.r2, scan.difference, scan.wcs):
        with pytest.raises(NotFoundError, match="frames 0 to 39"):
            ask(i)


def test_numpy_integers_are_frame_numbers(rds):
    scan = tm.open_scan(rds)
    np.testing.assert_array_equal(scan.r1(np.int64(3)), scan.r1(3))


def test_without_cache_nothing_is_kept(rds, science):
    scan = tm.open_scan(rds, cache=False)
    np.testing.assert_array_equal(scan.r1(39), science[39, 0])
    np.testing.assert_array_equal(scan.r2.array, science[:, 1])
    assert scan._source._frames is None
    assert not (rds.parents[1] / "cache" / "frames").exists()


def test_uncompressed_rdo_is_mapped_not_read(write, science):
    native = tm.Layout(AXES, high_first=sys.byteorder == "big")
    scan = tm.open_scan(write("k1186063.rdo", science, native))
    base = scan.frames
    while isinstance(base, np.ndarray):
        base = base.base
    assert isinstance(base, mmap.mmap)


def test_a_broken_file_is_refused_when_it_is_opened(write, science):
    path = write("k1186063.rds.gz", science[:2], LAYOUT)
    path.write_bytes(path.read_bytes()[:20_000])
    for layout in (None, LAYOUT):
        with pytest.raises(RawFileError, match="first frame"):
            tm.open_scan(path, layout=layout)


def test_opening_reads_no_pixels_where_nothing_in_them_must_be_found(write, science, monkeypatch):
    path = write("k1186063.rds.gz", science[:2], LAYOUT)
    for reading in ("read_content", "decode_file"):
        monkeypatch.setattr(source, reading, None)
    scan = tm.open_scan(path, layout=LAYOUT)
    assert scan.band == "k"
    with pytest.raises(TypeError):
        scan.r1(0)


# What the name says ----------------------------------------------------------------------


def test_identity(rds):
    scan = tm.open_scan(rds)
    assert scan.scan_id == tm.ScanId("2000-05-29", "s", 63)
    assert scan.band == "k"
    assert scan.folder == rds.parent
    assert "000529s063" in repr(scan)
    assert "Ks" in repr(scan)
    assert "SIMULATED" not in repr(scan)


def test_hemisphere_from_the_par(write, science, tmp_path):
    path = write("k1186063.rdo", science[:1]).rename(tmp_path / "k1186063.rdo")
    assert tm.open_scan(path).scan_id is None
    (tmp_path / "k1186063.par").write_text(PAR)
    assert tm.open_scan(path).scan_id == tm.ScanId("2000-05-29", "s", 63)


def test_a_name_of_ones_own(write, science):
    scan = tm.open_scan(write("mine.rdo", science[:1]), band="Ks")
    assert (scan.scan_id, scan.band, scan.par) == (None, "k", None)
    with pytest.raises(NotFoundError, match="open the file of band j by its path"):
        scan.sibling("j")


def test_band_must_agree(rds):
    assert tm.open_scan(rds, band="Ks").band == "k"
    with pytest.raises(NotFoundError, match="is band k, not j"):
        tm.open_scan(rds, band="j")


def test_a_name_that_contradicts_its_folder(write, science, tmp_path):
    path = write("k1186063.rdo", science[:1])
    other = tmp_path / "000530s"
    other.mkdir()
    with pytest.raises(ScanNameError, match="contradicts"):
        tm.open_scan(path.rename(other / path.name))


def test_siblings(write, science, rds):
    write("j1186063.rdo", science[:2])
    scan = tm.open_scan(rds)
    assert scan.sibling("k") is scan
    other = scan.sibling("j")
    assert (other.band, other.n_frames, other.scan_id) == ("j", 2, scan.scan_id)
    with pytest.raises(NotFoundError, match="expected h1186063"):
        scan.sibling("h")


def test_a_scan_is_not_a_path():
    with pytest.raises(NotFoundError, match="is a scan, not a file"):
        reader.open_scan(tm.ScanId("2000-05-29", "s", 63))


# What the .par says ----------------------------------------------------------------------


def test_prediction_from_the_start_of_scan(rds):
    rds.with_name("k1186063.par").write_text(PAR)
    scan = tm.open_scan(rds)
    assert not scan.simulated
    assert scan.track.source == "sos"
    assert scan.track.n_frames == 40
    assert scan.track.step > 0
    center = scan.wcs(0).pixel_to_world(127.5, 127.5)
    assert center.ra.deg == pytest.approx(266.2)
    assert center.dec.deg == pytest.approx(-42.15 + 371 / 3600, abs=1e-6)
    k, j = scan.geometry(), scan.geometry("j")
    assert k == ArrayGeometry.preset("South", "k", sign="header")
    assert j == ArrayGeometry.preset("South", "j")


def test_a_simulation_says_so_and_knows_its_track(rds):
    track = "TRK_RA = 10.0\nTRK_DEC = -5.0\nTRK_PA = 0.5\nTRK_STEP = -82.2\n"
    own = "TRK_ROT = 0.3\nTRK_SCAL = 1.99\nSIMULATE = T\n"
    rds.with_name("k1186063.par").write_text(PAR + track + own)
    scan = tm.open_scan(rds)
    assert scan.simulated
    assert "SIMULATED" in repr(scan)
    assert scan.track.source == "sim"
    assert scan.track.uncertainty == (0, 0)
    assert scan.wcs(0).wcs.crval == pytest.approx([10, -5])
    assert scan.geometry().rotation == 0.3 * u.deg
    assert scan.geometry("j") == ArrayGeometry.preset("South", "j")


def test_where_nothing_says_where(rds):
    with pytest.raises(NotFoundError, match="not beside it"):
        tm.open_scan(rds).wcs(0)
    rds.with_name("k1186063.par").write_text("NUMFRMS = 40\n")
    with pytest.raises(NotFoundError, match="RA_SOS"):
        _ = tm.open_scan(rds).track


def test_more_frames_in_the_table_than_in_the_file(rds):
    rds.with_name("k1186063.par").write_text(PAR.replace("40", "274"))
    with pytest.warns(tm.TwomassWarning, match="holds 40 frames, its .par says 274"):
        scan = tm.open_scan(rds)
    assert scan.n_frames == 40


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\0\0", b"<html>"])
def test_a_broken_par_does_not_hide_the_frames(rds, science, content):
    rds.with_name("k1186063.par").write_bytes(content)
    with pytest.warns(tm.TwomassWarning, match=r"read without its parameter file: .*\.par") as told:
        scan = tm.open_scan(rds)
    np.testing.assert_array_equal(scan.r1(3), science[3, 0])
    assert scan.par is None
    assert [one.filename for one in told] == [__file__]
    with pytest.warns(tm.TwomassWarning, match="read without its parameter file"):
        tm.convert(rds, rds.parent / "elsewhere" / "k1186063.rdo")


def test_warnings_are_given_once_where_the_person_asked(rds, science):
    rds.write_bytes(rds.read_bytes()[:-30_000])
    for ask in (lambda scan: scan.n_frames, lambda scan: scan.r1(0), lambda scan: scan.frames):
        scan = reader.RawScan(rds, layout=LAYOUT)
        with pytest.warns(tm.TwomassWarning, match="cut off") as told:
            ask(scan)
        assert [one.filename for one in told] == [__file__]
        np.testing.assert_array_equal(scan.frames, science[: scan.n_frames])


def test_a_file_that_is_gone_is_still_known(rds, science):
    scan = tm.open_scan(rds)
    np.testing.assert_array_equal(scan.r1(0), science[0, 0])
    rds.unlink()
    assert not scan.simulated
    assert "40 frames" in repr(scan)
    np.testing.assert_array_equal(scan.r1(1), science[1, 0])


# Orders that the content does not say ----------------------------------------------------


def test_a_dark_is_opened_by_the_pair_it_comes_with(write, simulated):
    dark = simulated("k", 16, 32, "dark")
    path = write("k1186995.rds.gz", dark, LAYOUT)
    write("k1186995.rdo.gz", dark)
    scan = tm.open_scan(path)
    np.testing.assert_array_equal(scan.frames, dark)
    assert scan.layout_source == "learnt from k1186995.rdo.gz"


def test_a_dark_is_opened_in_the_order_of_its_night(write, simulated, rds):
    dark = simulated("k", 16, 32, "dark")
    scan = tm.open_scan(write("k1186995.rds.gz", dark, LAYOUT))
    np.testing.assert_array_equal(scan.frames, dark)
    assert scan.layout_source == "that of its night, found in k1186063.rds.gz"


def test_a_dark_that_contradicts_its_night_is_refused(write, simulated, rds):
    dark = write("k1186995.rds.gz", simulated("k", 16, 32, "dark"), tm.Layout("b f r Y X y x"))
    with pytest.raises(LayoutError, match="its high bytes are elsewhere"):
        tm.open_scan(dark).r1(0)


def test_a_dark_alone_is_refused(write, simulated):
    path = write("k1186995.rds.gz", simulated("k", 16, 32, "dark"), LAYOUT)
    with pytest.raises(LayoutError, match="could not tell apart"):
        tm.open_scan(path).r1(0)


def test_rdo_in_another_order_is_no_rdo(write, science):
    path = write("k1186063.rdo", science[:1])
    with pytest.raises(LayoutError, match="whose order is"):
        tm.open_scan(path, layout=LAYOUT).r1(0)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_memory_stays_near_twice_the_frames(write, science):
    path = write("k1186063.rds.gz", np.resize(science, (200, 2, 256, 256)), LAYOUT)
    code = (
        "import re, pathlib; import twomass_nb as tm\n"
        "from twomass_nb import raw, tables; import astropy.units\n"
        "status = pathlib.Path('/proc/self/status')\n"
        "used = lambda: int(re.search(r'VmHWM:\\s*(\\d+)', status.read_text())[1])\n"
        "before = used()\n"
        f"tm.open_scan({str(path)!r}, layout=tm.Layout('f b r Y X y x')).r1(0)\n"
        "print(used() - before)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 1.0 < int(out.stdout) * 1024 / (200 * 262_144) < 2.2
