"""Where the processed images of a simulated scan lie, and what their headers say.

They are painted from the same made-up sky as the frames, not made by coadding those.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from ..array.track import ScanTrack
from ..atlas import AtlasImage
from ..scan import BANDS
from .files import FRAME_TIME, Observation, clock, keywords
from .sky import MAGZP, SKYSIG, StarField

__all__ = ["coadd_grid", "write_coadds"]

_SHAPE = (1024, 512)
_PIXEL = 0.0002777777845  # CDELT of real headers
#: Neighbours start 970 rows apart. Along the scan the first one's centre is 668 arcsec north of
#: the first frame's, or 664 south of it, as USYREF of real headers shows.
_EVERY, _FIRST = 970, {"n": 668, "s": -664}
#: Images of a whole scan; real ones end with one of 698 rows, here all have 1024.
_IMAGES = 23
# Noise is kept in steps of 1/16 DN: the files pack to half the size.
_STEPS = 16


def coadd_grid(track: ScanTrack) -> list[tuple[int, float]]:
    """Return number and offset of the centre from the first frame (arcsec north) of the coadds."""
    direction = "s" if track.step < 0 else "n"
    sign = np.sign(track.step)
    length = abs(track.step) * (track.n_frames - 1)
    centers = (_FIRST[direction] + sign * _EVERY * k for k in range(_IMAGES))
    return [
        (1 + round(center / track.step), float(center))
        for center in centers
        if abs(center) - 300 < length
    ]


def _header(
    observation: Observation, band: str, coadd: int, center: float, skyval: float
) -> fits.Header:
    track, geometry = observation.track, observation.geometry[band]
    ra, dec = track.positions(center, 0.0)
    angle = geometry.rotation.to_value("rad")
    offset = FRAME_TIME / 2
    ut = observation.ut + (offset + (coadd - 1) * FRAME_TIME) / 3600
    header = fits.Header()
    header["SIMULATE"] = (True, "this is a simulation by twomass_nb")
    for key, said in keywords(observation, band).items():
        header[key] = said
    for key, value, comment in (
        ("ORIGIN", "twomass_nb simulation", "not a 2MASS product"),
        ("CTYPE1", "RA---SIN", "Orthographic Projection"),
        ("CTYPE2", "DEC--SIN", "Orthographic Projection"),
        ("CRPIX1", _SHAPE[1] / 2 + 0.5, "Axis 1 Reference Pixel"),
        ("CRPIX2", _SHAPE[0] / 2 + 0.5, "Axis 2 Reference Pixel"),
        ("CRVAL1", float(ra), "RA  at Frame Center, J2000 (deg)"),
        ("CRVAL2", float(dec), "Dec at Frame Center, J2000 (deg)"),
        ("CROTA2", -_pa_at(track, center), "Image Twist +AXIS2 W of N, J2000 (deg)"),
        ("CDELT1", -_PIXEL, "Axis 1 Pixel Size (degs)"),
        ("CDELT2", _PIXEL, "Axis 2 Pixel Size (degs)"),
        ("USXREF", -256.5, "U-scan X at Grid (0,0)"),
        ("USYREF", center - _SHAPE[0] / 2, "U-scan Y at Grid (0,0)"),
        ("SKYVAL", skyval, "Sky level (DN)"),
        ("SKYSIG", SKYSIG[band], "Noise (DN)"),
        ("MAGZP", MAGZP[band], "Zero point, as in a real header"),
        ("DXFS", float(track.step * np.sin(angle)), "Cross-scan Frame Step (arcsec)"),
        ("DYFS", float(track.step * np.cos(angle)), "In-scan Frame Step (arcsec)"),
        ("UT_OFF1", offset, "UT Offset (IC),SOS to frm#1 Cntr (secs)"),
        ("UT", clock(ut), "Time of Frame (IC) (sxgsml)"),
        ("EQUINOX", 2000.0, "Equinox"),
    ):
        header[key] = (value, comment)
    header["HISTORY"] = "SIMULATED by twomass_nb: painted from the sky that the frames of this"
    header["HISTORY"] = "simulated scan see, not made by coadding them; noise is white"
    return header


def _pa_at(track: ScanTrack, along: float) -> float:
    """Position angle of the track's northward direction, `along` arcsec north of its start."""
    return ScanTrack(track.ra, track.dec, track.pa, along, 2).pa_at(1)


def write_coadds(
    folder: Path, observation: Observation, band: str, sky: StarField, seed: int
) -> None:
    """Write the scan's coadds in one band into ``s063/image`` of its night's folder."""
    place = folder / observation.scan_id.coadd_folder
    place.mkdir(parents=True, exist_ok=True)
    scan_id = observation.scan_id
    for coadd, center in coadd_grid(observation.track):
        rng = np.random.default_rng([seed, scan_id.day_no, scan_id.scan, BANDS.index(band), coadd])
        header = _header(observation, band, coadd, center, sky.skyval)
        blank: NDArray[np.float32] = np.empty(_SHAPE, np.float32)
        wcs = AtlasImage(blank, header).wcs
        data = sky.coadd(wcs, _SHAPE) + np.float32(sky.skyval)
        data += SKYSIG[band] * rng.standard_normal(_SHAPE, np.float32)
        data = np.rint(data * _STEPS) / _STEPS
        name = scan_id.coadd_name(band, coadd) + ".gz"
        AtlasImage(data.astype(np.float32), header).write_to(place / name, overwrite=True)
