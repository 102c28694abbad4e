"""The frame explorer shows the reader's own numbers, and the coadd that belongs to them."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.coordinates import SkyCoord

from twomass_nb.atlas import AtlasImage
from twomass_nb.errors import NotFoundError, TwomassError
from twomass_nb.explore import sky
from twomass_nb.explore.frames_model import READS, FramesModel


@pytest.fixture
def m17(real_data):
    return [
        AtlasImage.open(real_data / "atlas" / f"aK_asky_990502s13500{coadd}.fits.gz")
        for coadd in (80, 92)
    ]


@pytest.mark.parametrize("read", READS)
def test_pixels_are_the_readers_in_native_order(scan, read):
    model = FramesModel(scan, frame=5)
    model.read = read
    expected = {"r1": scan.r1(5), "r2": scan.r2(5), "r2-r1": scan.difference(5)}[read]
    shown = model.data()
    assert (shown == expected).all()
    assert shown.dtype == (np.int32 if read == "r2-r1" else np.uint16)
    assert shown.dtype.isnative


def test_negative_differences_are_kept(scan):
    assert FramesModel(scan, frame=3).data().min() < 0


def test_starts_in_the_middle_or_where_the_target_is(scan):
    assert FramesModel(scan).frame == scan.n_frames // 2
    target = scan.track.center(17)
    model = FramesModel(scan, target=target)
    assert model.frame == 17
    assert model.target_pixel() == pytest.approx((127.5, 127.5), abs=1e-3)


def test_a_target_off_the_scan_is_not_marked(scan):
    model = FramesModel(scan, target=SkyCoord(10, 40, unit="deg"))
    assert model.frame == scan.n_frames // 2
    assert model.target_pixel() is None


@pytest.mark.parametrize("frame", [-1, 96, 10_000])
def test_no_frame_beyond_the_scan(scan, frame):
    with pytest.raises(NotFoundError, match="frames 0 to 95"):
        FramesModel(scan).go(frame)


def test_bands_are_those_with_files(scan):
    model = FramesModel(scan)
    assert model.bands() == ["j", "k"]
    j = model.data()
    model.show_band("k")
    assert (model.data() != j).any()
    assert " Ks " in model.title()
    with pytest.raises(NotFoundError):
        model.show_band("h")
    assert model.band == "k"


def test_the_title_says_what_it_is(scan):
    model = FramesModel(scan, frame=4)
    assert model.title() == "990502s135 · J · frame 4 of 0–95 · r2 − r1 · SIMULATED"
    scan.simulated = False
    assert "SIMULATED" not in model.title()


def test_limits_by_hand_are_the_frames_own(scan):
    model = FramesModel(scan)
    model.manual = (1.0, 2.0)
    assert model.range_of(model.data()) == (1.0, 2.0)
    assert model.state()["limits"] == "manual"


def test_without_coadds_there_is_none(scan):
    assert FramesModel(scan).coadd() is None


def test_the_nearest_coadd_is_shown(scan, m17):
    model = FramesModel(scan, m17)
    model.show_band("k")
    for frame in range(70, 96):
        model.go(frame)
        shown = model.coadd()
        centers = [
            image.wcs.pixel_to_world(255.5, 511.5).separation(scan.track.center(frame)).arcsec
            for image in m17
        ]
        if abs(centers[0] - centers[1]) > 90:  # a coadd is centred to half a step
            assert shown is m17[int(np.argmin(centers))]
    # a path does as well as an image, one as well as several
    assert FramesModel(scan, m17[0].path).coadd().coadd == 80


def test_nothing_given_is_an_error(scan):
    with pytest.raises(TwomassError, match="atlas="):
        FramesModel(scan, [])


def test_the_outline_is_the_frame_on_the_coadd(scan, m17):
    model = FramesModel(scan, m17[:1], frame=79)
    corners = model.outline(m17[0])
    sky_corners = model.wcs().pixel_to_world([-0.5, 255.5], [-0.5, 255.5])
    x, y = m17[0].wcs.world_to_pixel(sky_corners)
    assert corners[[0, 2]] == pytest.approx(np.stack([x, y], axis=-1), abs=1e-6)
    assert (corners[0] == corners[-1]).all()
    # 256 pixels of 1.9966 arcsec on pixels of 1 arcsec
    sides = np.hypot(*np.diff(corners, axis=0).T)
    assert sides == pytest.approx(256 * 1.9966, rel=1e-3)


def test_terms_are_refused_for_other_projections(scan):
    wcs = scan.wcs(0)
    wcs.wcs.ctype = ["RA---CAR", "DEC--CAR"]
    with pytest.raises(TwomassError, match="TAN and SIN"):
        sky.terms(wcs)
