"""A mosaic keeps what its images show: stars stay where and as bright as they are, seams go."""

from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from photutils.aperture import ApertureStats, CircularAnnulus, CircularAperture
from photutils.centroids import centroid_2dg, centroid_sources
from photutils.detection import DAOStarFinder

from twomass_nb.atlas import cut_out
from twomass_nb.atlas.cutting import grid
from twomass_nb.atlas.mosaic import _blocks, cut_piece, join

# Where the scans of M17 and their coadds meet, and the middle of the images of NGC 309.
M17 = SkyCoord(275.185, -16.16, unit="deg")
NGC309 = SkyCoord(14.1889, -10.0321, unit="deg")


def plain(data):
    return np.nan_to_num(data - np.nanmedian(data))


def isolated_stars(data, threshold):
    """Pixel positions of stars with nothing near, by DAOFIND."""
    found = DAOStarFinder(threshold, 2.8)(plain(data))
    x, y = np.array(found["x_centroid"]), np.array(found["y_centroid"])
    apart = np.hypot(x[:, None] - x, y[:, None] - y)
    np.fill_diagonal(apart, np.inf)
    height, width = data.shape
    inside = (x > 30) & (x < width - 30) & (y > 30) & (y < height - 30)
    keep = (apart.min(axis=1) > 20) & inside
    return x[keep], y[keep]


def centroids(data, x, y):
    return np.array(centroid_sources(plain(data), x, y, box_size=9, centroid_func=centroid_2dg))


def fluxes(data, x, y):
    at = np.column_stack([x, y])
    sky = ApertureStats(plain(data), CircularAnnulus(at, 10, 16)).median
    aperture = CircularAperture(at, 6)
    return ApertureStats(plain(data), aperture).sum - sky * aperture.area


@pytest.mark.parametrize("band", ["j", "h", "k"])
def test_real_stars_keep_their_flux_and_place(ngc309, band):
    (image,) = (one for one in ngc309 if one.band == band)
    noise = 1.4826 * np.nanmedian(np.abs(image.data - np.nanmedian(image.data)))
    x, y = centroids(image.data, *isolated_stars(image.data, 30 * noise))
    assert len(x) >= 8
    # half a pixel off the image's own grid, where interpolation does most
    position = SkyCoord(NGC309.ra + 0.5 * u.arcsec, NGC309.dec + 0.5 * u.arcsec)
    wcs, shape = grid(position, 1000 * u.arcsec)
    made = join([cut_piece(image, wcs, shape)], shape).data
    u_, v_ = centroids(made, *wcs.world_to_pixel(image.wcs.pixel_to_world(x, y)))
    change = -2.5 * np.log10(fluxes(made, u_, v_) / fluxes(image.data, x, y))
    assert np.abs(change).max() < 0.02
    assert np.abs(np.median(change)) < 0.005
    moved = wcs.pixel_to_world(u_, v_).separation(image.wcs.pixel_to_world(x, y))
    assert moved.max() < 0.1 * u.arcsec
    assert np.median(moved) < 0.02 * u.arcsec


def test_bands_of_a_cutout_lie_on_each_other(ngc309):
    made = cut_out(ngc309, NGC309, 460 * u.arcsec)
    x, y = isolated_stars(made.j.data, 20)
    place = {band: centroids(made.images[band].data, x, y) for band in "jhk"}
    for band in "hk":
        apart = np.hypot(*(place[band] - place["j"]))
        assert np.median(apart) < 0.2
        assert apart.max() < 0.3
    assert made.j.wcs.wcs.compare(made.k.wcs.wcs)


def test_no_seam_between_coadds_of_a_scan(m17):
    """They hold the same pixels, so the joined image is each of them but for a constant."""
    pair = [image for image in m17 if image.scan_id.scan == 144]
    seam = SkyCoord(275.37, -16.17, unit="deg")
    both = cut_out(pair, seam, 360 * u.arcsec, "k").k.data
    for image in pair:
        with pytest.warns(match="Ks 5.%"):
            alone = cut_out([image], seam, 360 * u.arcsec, "k").k.data
        difference = both - alone
        difference -= np.nanmedian(difference)
        assert np.nanpercentile(np.abs(difference), 99) < 0.05  # sky noise is 1.5 DN
        # and no step where the other one begins
        rows = difference[np.isfinite(difference).any(axis=1)]
        assert np.abs(np.nanmedian(rows, axis=1)).max() < 0.02


def test_neighbouring_scans_are_brought_to_one_sky(m17):
    wcs, shape = grid(M17, 1800 * u.arcsec)
    pieces = [cut_piece(image, wcs, shape) for image in m17]
    made = join(pieces, shape)

    def steps(corrected):
        found = []
        for i, one in enumerate(pieces):
            for j in range(i):
                for d, _, t_one, t_other in _blocks(one, pieces[j], made.scales[i], made.scales[j]):
                    sky = made.offsets[i] - made.offsets[j]
                    sky += made.slopes[i] * t_one - made.slopes[j] * t_other
                    found.append(abs(d + corrected * sky))
        return np.array(found)

    assert steps(0).max() > 6
    assert np.median(steps(1)) < 0.2
    assert steps(1).max() < 1.5
    assert np.average(made.offsets) == pytest.approx(0, abs=0.1)
    assert np.abs(made.slopes).max() < 5


def test_the_rim_is_trimmed(ngc309):
    """No pixel comes from beyond the centres of an image's outermost pixels."""
    image = ngc309[0]
    wcs, shape = grid(NGC309, 1200 * u.arcsec)
    piece = cut_piece(image, wcs, shape)
    rows, cols = np.nonzero(np.isfinite(piece.data))
    where = wcs.pixel_to_world(cols + piece.cols.start, rows + piece.rows.start)
    x, y = image.wcs.world_to_pixel(where)
    assert x.min() >= 1 - 1e-6
    assert x.max() <= 510 + 1e-6
    assert y.min() >= 1 - 1e-6
    assert y.max() <= 1022 + 1e-6
    assert ((piece.weight > 0) == np.isfinite(piece.data)).all()


@pytest.mark.parametrize(("ra", "dec"), [(0.0, 10.0), (180.0, 89.93), (33.0, -89.999), (266, -42)])
def test_unlike_images_join_anywhere_on_the_sky(placed, ra, dec):
    """Two scans side by side: other sky, other zero point; over RA 0 and at the poles."""
    centre = SkyCoord(ra, dec, unit="deg")
    east, west = (centre.directional_offset_by(a * u.deg, 230 * u.arcsec) for a in (90, 270))
    stars = [
        (p.ra.deg, p.dec.deg)
        for p in (
            centre.directional_offset_by(a * u.deg, r * u.arcsec)
            for a, r in ((0, 0), (90, 100), (270, 100), (0, 60), (180, 90))
        )
    ]

    def twist(there):
        """CROTA2 that makes an image there lie as its neighbour does (meridians converge)."""
        angle = centre.position_angle(there) - there.position_angle(centre) - 180 * u.deg
        return float(angle.wrap_at(180 * u.deg).deg)

    images = [
        placed(0, east.ra.deg, east.dec.deg, twist=twist(east), sky=100, stars=stars),
        placed(1, west.ra.deg, west.dec.deg, twist=twist(west), sky=130, magzp=20.8, stars=stars),
    ]
    made = cut_out(images, centre, 300 * u.arcsec, "j")
    assert made.covered("j") == 1
    assert made.coverage["j"].max() == 2
    data = made.j.data
    x, y = made.wcs.world_to_pixel(SkyCoord(stars, unit="deg"))
    flux = fluxes(data, x, y)
    assert flux == pytest.approx(np.full(5, flux[0]), rel=2e-3)
    expected = 1e5 * 10 ** (0.4 * (made.j.meta["MAGZP"] - 21.0))
    assert flux == pytest.approx(np.full(5, expected), rel=3e-3)
    found = centroids(data, x, y)
    assert np.hypot(*(found - np.array([x, y]))).max() < 0.05
    dark = np.hypot(*(np.mgrid[:300, :300][::-1, None] - np.array([x, y])[..., None, None]))
    sky = data[dark.min(axis=0) > 12]
    assert np.ptp(sky) < 0.1


def test_images_that_share_nothing_keep_their_sky(placed):
    centre = SkyCoord(100.0, 0.0, unit="deg")
    images = [placed(0, 100.0, -0.16, sky=100), placed(1, 100.0, 0.16, sky=130)]
    with pytest.warns(match="J 68%"):
        made = cut_out(images, centre, 400 * u.arcsec, "j")
    assert set(np.rint(np.unique(made.j.data[np.isfinite(made.j.data)]))) == {100, 130}
