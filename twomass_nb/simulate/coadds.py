"""Where the processed images of a simulated scan lie, and what their headers say.

They are painted from the same made-up sky as the frames, not made by coadding those.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from ..atlas import AtlasImage
from ..atlas.nominal import MAGZP
from ..atlas.tiling import COLUMNS, TileImage, place_cards, step_cards, tile_images
from ..scan import BANDS
from .files import FRAME_TIME, Observation, clock, keywords
from .sky import SKYSIG, StarField

__all__ = ["write_coadds"]

# Noise is kept in steps of 1/16 DN: the files pack to half the size.
_STEPS = 16


def _header(observation: Observation, band: str, image: TileImage, skyval: float) -> fits.Header:
    track, geometry = observation.track, observation.geometry[band]
    offset = FRAME_TIME / 2
    ut = observation.ut + (offset + (image.coadd - 1) * FRAME_TIME) / 3600
    header = fits.Header()
    header["SIMULATE"] = (True, "this is a simulation by twomass_nb")
    for key, said in keywords(observation, band).items():
        header[key] = said
    for key, value, comment in (
        ("ORIGIN", "twomass_nb simulation", "not a 2MASS product"),
        *place_cards(track, image.center, (image.rows, COLUMNS)),
        ("SKYVAL", skyval, "Sky level (DN)"),
        ("SKYSIG", SKYSIG[band], "Noise (DN)"),
        ("MAGZP", MAGZP[band], "Zero point, as in a real header"),
        *step_cards(track.step, geometry.rotation.to_value("rad")),
        ("UT_OFF1", offset, "UT Offset (IC),SOS to frm#1 Cntr (secs)"),
        ("UT", clock(ut), "Time of Frame (IC) (sxgsml)"),
        ("EQUINOX", 2000.0, "Equinox"),
    ):
        header[key] = (value, comment)
    header["HISTORY"] = "SIMULATED by twomass_nb: painted from the sky that the frames of this"
    header["HISTORY"] = "simulated scan see, not made by coadding them; noise is white"
    return header


def write_coadds(
    folder: Path, observation: Observation, band: str, sky: StarField, seed: int
) -> None:
    """Write the scan's coadds in one band into ``s063/image`` of its night's folder."""
    place = folder / observation.scan_id.coadd_folder
    place.mkdir(parents=True, exist_ok=True)
    scan_id = observation.scan_id
    for image in tile_images(observation.track):
        key = [seed, scan_id.day_no, scan_id.scan, BANDS.index(band), image.coadd]
        rng = np.random.default_rng(key)
        shape = (image.rows, COLUMNS)
        header = _header(observation, band, image, sky.skyval)
        blank: NDArray[np.float32] = np.empty(shape, np.float32)
        wcs = AtlasImage(blank, header).wcs
        data = sky.coadd(wcs, shape) + np.float32(sky.skyval)
        data += SKYSIG[band] * rng.standard_normal(shape, np.float32)
        data = np.rint(data * _STEPS) / _STEPS
        name = scan_id.coadd_name(band, image.coadd) + ".gz"
        AtlasImage(data.astype(np.float32), header).write_to(place / name, overwrite=True)
