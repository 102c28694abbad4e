from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest
from astropy.nddata import CCDData

import twomass_nb as tm
from twomass_nb.calibrate import Calibrator, Flag
from twomass_nb.errors import CalibrationError, NotFoundError

LEVEL = 400.0


def usable(ccd: CCDData) -> np.ndarray:
    good = ~ccd.mask
    good[:, ::128] = False
    return good


def test_an_even_sky_comes_out_even_within_the_uncertainty(made, flat_sky):
    scan = flat_sky(LEVEL)
    for read in ("r2-r1", "r1"):
        ccd = made.calibrator.frame(scan, 3, read)
        good = usable(ccd)
        pull = ((ccd.data - LEVEL) / ccd.uncertainty.array)[good]
        assert np.mean(np.abs(pull) < 2) == pytest.approx(0.9545, abs=0.01)
        assert abs(np.mean(pull)) < 0.03


def test_what_a_frame_is(made, flat_sky):
    scan = flat_sky(LEVEL)
    ccd = made.calibrator.frame(scan, 2)
    assert isinstance(ccd, CCDData)
    assert ccd.data.shape == (256, 256)
    assert ccd.data.dtype == ccd.uncertainty.array.dtype == np.float32
    assert ccd.unit == "adu"
    assert ccd.mask.dtype == bool
    assert ccd.uncertainty.uncertainty_type == "std"
    np.testing.assert_allclose(ccd.wcs.wcs.crval, scan.wcs(2).wcs.crval)
    assert ccd.meta["SIMULATE"] is True
    assert ccd.meta["DARK1"] == "000529s995"
    assert (ccd.meta["FRAME"], ccd.meta["READ"], ccd.meta["SKYSUB"]) == (2, "r2-r1", False)
    assert scan.frame(2).dtype == np.uint16  # what came in is as it was


def test_it_can_be_written_as_fits(made, flat_sky, tmp_path):
    ccd = made.calibrator.frame(flat_sky(LEVEL), 0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ccd.write(tmp_path / "frame.fits")
    back = CCDData.read(tmp_path / "frame.fits")
    np.testing.assert_array_equal(back.data, ccd.data)
    np.testing.assert_array_equal(back.mask, ccd.mask)
    assert back.meta["SIMULATE"]


def test_frames_are_lazy_and_the_same_one_by_one_or_with_dask(made, flat_sky):
    scan = flat_sky(LEVEL)
    frames = made.calibrator.frames(scan)
    first = next(frames)
    np.testing.assert_array_equal(first.data, made.calibrator.frame(scan, 0).data)
    assert len(list(frames)) == scan.n_frames - 1
    lazy = made.calibrator.to_dask(scan)
    assert lazy.shape == (scan.n_frames, 256, 256)
    assert lazy.dtype == np.float32
    np.testing.assert_array_equal(lazy[5].compute(), made.calibrator.frame(scan, 5).data)


def test_arrays_for_the_coadd_are_those_of_a_frame(made, flat_sky):
    scan = flat_sky(LEVEL, n=12)
    sky = made.calibrator.sky_offsets(scan)
    for offsets in (None, sky):
        one = made.calibrator.science(scan, 3, offsets)
        ccd = made.calibrator.frame(scan, 3, sky=offsets)
        np.testing.assert_array_equal(one.pixels, ccd.data)
        np.testing.assert_array_equal(np.sqrt(one.variance), ccd.uncertainty.array)
        np.testing.assert_array_equal(one.flags, ccd.flags)
        np.testing.assert_array_equal(one.mask, ccd.mask)
        assert [a.dtype for a in one] == [np.float32, np.float32, np.uint8, bool]


def test_hot_and_dead_pixels_put_in_are_found_and_no_others(made):
    camera, mask = made.camera, made.calibrator.mask
    np.testing.assert_array_equal((mask & Flag.HOT) != 0, camera.dark_rate > 3.5)
    np.testing.assert_array_equal((mask & Flag.BAD) != 0, camera.responsivity == 0)
    assert not np.any(mask & (Flag.NOISY | Flag.BISTABLE))
    first = np.zeros((256, 256), bool)
    first[:, ::128] = True
    np.testing.assert_array_equal((mask & Flag.FIRST_COLUMN) != 0, first)


def test_bad_pixels_are_masked_and_have_no_value(made, flat_sky):
    ccd = made.calibrator.frame(flat_sky(LEVEL), 0)
    dead = made.camera.responsivity == 0
    assert np.isnan(ccd.data[dead]).all()
    assert ccd.mask[dead].all()
    assert ccd.mask[made.camera.dark_rate > 3.5].all()
    assert np.isfinite(ccd.data[~ccd.mask]).all()
    np.testing.assert_array_equal(ccd.flags, made.calibrator.flags(flat_sky(LEVEL, number=64), 0))


def test_a_pixel_in_the_first_column_is_flagged_and_can_be_corrected(made, flat_sky):
    scan = flat_sky(8 * LEVEL)
    plain = made.calibrator.frame(scan, 0)
    corrected = made.calibrator.frame(scan, 0, correct_first_column=True)
    first = plain.data[:, ::128], corrected.data[:, ::128]
    too_low, left = (np.nanmedian(one) / (8 * LEVEL) - 1 for one in first)
    assert too_low < -0.05
    assert abs(left) < 0.03
    assert not plain.mask[:, ::128].all()  # flagged, yet of use
    np.testing.assert_array_equal(plain.data[:, 1:128], corrected.data[:, 1:128])
    assert (plain.meta["FIRSTCOL"], corrected.meta["FIRSTCOL"]) == (False, True)


@pytest.mark.parametrize(
    ("what", "kind", "words"),
    [
        ({"band": "h"}, "sci", "bands h and j"),
        ({"night": "000529n"}, "sci", "different sites"),
        ({"night": "990101s"}, "sci", "gain of the preamplifiers doubled"),
        ({"simulated": False}, "sci", "SIMULATED"),
        ({}, "lsc", "long exposures"),
    ],
)
def test_scans_of_another_kind_are_refused(what, kind, words, made, shelf, taken):
    scan = shelf(taken(1).dark[:1], 63, kind, **what)
    for use in (made.calibrator.frame, made.calibrator.science, made.calibrator.flags):
        with pytest.raises(CalibrationError, match=words):
            use(scan, 0)
    with pytest.raises(CalibrationError, match=words):
        made.calibrator.sky_offsets(scan)


def test_what_cannot_make_a_calibrator_is_refused_in_one_line(scans, shelf, taken, made):
    darks, lights = scans(1)
    real = shelf(taken(1).dark, 996, "dar", simulated=False)
    for bad, words in (
        (([], lights), "no dark scans"),
        ((darks, []), "no twilight scans"),
        ((lights, lights), "is no dark scan"),
        ((darks, darks), "is no twilight scan"),
        (([shelf(taken(1).dark, 995, "dar", band="h")], lights), "bands j and h"),
        (([shelf(taken(1).dark, 995, "dar", "990117s")], lights), "hardware changed between"),
        (([*darks, real], lights), "SIMULATED"),
        ((["dark.rdo"], lights), "open_scan"),
    ):
        with pytest.raises(CalibrationError, match=words) as caught:
            Calibrator.from_scans(*bad)
        assert "\n" not in str(caught.value)


def test_one_scan_need_not_be_in_a_list(scans):
    (dark,), lights = scans(1)
    one = Calibrator.from_scans(dark, lights[:2])
    assert (one.n_dark, one.n_twilight) == (24, 28)


def test_a_night_without_darks_points_to_nearest(shelf, taken):
    scan = shelf(taken(1).twilights[0], 990, "flt")
    with pytest.raises(CalibrationError, match=r"no dark scan in J .* calibrate\.nearest"):
        Calibrator.from_night(scan.folder, "j")


def test_no_such_frame_or_read(made, flat_sky):
    scan = flat_sky(LEVEL)
    with pytest.raises(NotFoundError, match="no frame 8"):
        made.calibrator.frame(scan, 8)
    with pytest.raises(CalibrationError, match="'r2' is not a read that can be calibrated"):
        made.calibrator.frame(scan, 0, "r2")


def test_it_says_what_it_was_made_from_and_what_was_left_out(made):
    text = repr(made.calibrator)
    assert "24 dark frames of 000529s995" in text
    assert "SIMULATED" in text
    out = replace(
        made.calibrator,
        left_out=(tm.calibrate.LeftOut("000529s995", 3, "shutter not closed: <b>"),),
    )
    page = out._repr_html_()
    assert "000529s995 frame 3: shutter not closed: &lt;b&gt;" in page
    assert "SIMULATED" in page
    assert "1 left out" in repr(out)


def test_a_calibrator_is_kept_as_it_is(made, tmp_path):
    path = made.calibrator.save(tmp_path / "j.fits")
    back = Calibrator.load(path)
    assert repr(back) == repr(made.calibrator)
    assert back._repr_html_() == made.calibrator._repr_html_()
    for name in ("dark", "dark_r1", "responsivity", "responsivity_error", "mask", "saturation"):
        np.testing.assert_array_equal(getattr(back, name), getattr(made.calibrator, name))
    assert path.stat().st_size < 3_500_000
    with pytest.raises(tm.TwomassError, match="exists already"):
        made.calibrator.save(path)


def test_what_is_no_calibrator_is_not_loaded(made, tmp_path):
    with pytest.raises(NotFoundError, match="no file"):
        Calibrator.load(tmp_path / "none.fits")
    (tmp_path / "text.fits").write_text("SIMPLE or not")
    path = made.calibrator.save(tmp_path / "j.fits")
    content = bytearray(path.read_bytes())
    content[200_000] ^= 1
    (tmp_path / "hurt.fits").write_bytes(content)
    (tmp_path / "cut.fits").write_bytes(content[:300_000])
    for name in ("text", "hurt", "cut"):
        with pytest.raises(CalibrationError, match="no calibrator, or damaged"):
            Calibrator.load(tmp_path / f"{name}.fits")
