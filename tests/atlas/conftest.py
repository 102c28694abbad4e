"""What the tests of mosaics share: real images, and simulated ones put where a test wants them."""

from __future__ import annotations

import numpy as np
import pytest

from twomass_nb.atlas import AtlasImage, find_coadds
from twomass_nb.scan import ScanId


@pytest.fixture(scope="session")
def m17(real_data) -> list[AtlasImage]:
    """Eight Ks images of four neighbouring scans."""
    return [AtlasImage.open(p) for p in sorted((real_data / "atlas").glob("*_990502s*.fits.gz"))]


@pytest.fixture(scope="session")
def ngc309(real_data) -> list[AtlasImage]:
    """One coadd in H, J and Ks."""
    return [AtlasImage.open(p) for p in sorted((real_data / "atlas").glob("*_001022s*.fits.gz"))]


@pytest.fixture(scope="session")
def coadds(short_sample) -> list[AtlasImage]:
    """Simulated J images of one scan."""
    scan_id = ScanId("2000-05-29", "s", 63)
    return [
        AtlasImage.open(path) for path in find_coadds(short_sample / scan_id.night, scan_id, "j")
    ]


@pytest.fixture(scope="session")
def placed(coadds):
    """Make simulated image number `i` anew: its place, twist, zero point and a sky of stars."""

    def make(i, ra, dec, *, twist=0.0, magzp=21.0, sky=100.0, stars=(), flux=1e5) -> AtlasImage:
        header = coadds[i].header.copy()
        header.update({"CRVAL1": ra % 360, "CRVAL2": dec, "CROTA2": twist, "MAGZP": magzp})
        data = np.full((1024, 512), sky, np.float32)
        image = AtlasImage(data, header)
        y, x = np.mgrid[:1024, :512]
        for star_ra, star_dec in stars:
            u, v = image.wcs.wcs_world2pix(star_ra, star_dec, 0)
            star = np.exp(-((x - u) ** 2 + (y - v) ** 2) / (2 * 1.3**2)) / (2 * np.pi * 1.3**2)
            data += (flux * 10 ** (0.4 * (magzp - 21.0)) * star).astype(np.float32)
        return image

    return make
