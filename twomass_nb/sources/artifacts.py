"""Which sources a bright star has made: afterimages, diffraction spikes, fragments of its halo."""

from __future__ import annotations

from typing import Any

import numpy as np
from astropy import units as u
from numpy.typing import NDArray

from ..errors import TableError
from .flags import SourceFlag
from .matching import positions, values

__all__ = ["flag_artifacts"]

# No source at hand gives sizes but the frame step: all others are chosen.
#: Stars from this magnitude on make artifacts, in J, H and Ks alike.
BRIGHT = 8.0
#: Afterimages: as many frames after the star, within so many arcsec of their places, and fainter
#: by at least so many magnitudes, and so many more with every frame. The simulator's first is at
#: .004 of the charge, and a frame later .8 of it (.24 mag) is left.
AFTER, AFTER_RADIUS, AFTER_FAINTER, AFTER_FADES = 20, 3.0, 4.0, 0.1
#: Halo: radius in arcsec of a star of magnitude 8, and how it grows with brighter ones; what is
#: fainter than the star by so many magnitudes is taken for a fragment of it.
HALO, HALO_GROWS, HALO_FAINTER = 6.0, 0.12, 3.0
#: Spikes, along rows and columns: length of a star of magnitude 8, and how it grows; half width.
SPIKE, SPIKE_GROWS, SPIKE_WIDTH, SPIKE_FAINTER = 15.0, 0.2, 2.0, 4.0


def flag_artifacts(
    table: Any, *, stars: Any = None, step: u.Quantity | None = None, bright: float = BRIGHT
) -> Any:
    """Flag the sources that bright stars near them may have made.

    Persistence: a pixel that a bright star filled glows in the frames that follow, when it looks
    at a place one, two, ... frame steps farther along the scan. Spikes lie along rows and
    columns. Fragments of a halo surround the star. Sizes grow with brightness; the constants of
    this module have them.

    Ghosts by reflection are not flagged, nor rows that a star disturbs in other quadrants: no
    source at hand gives their places.

    Parameters
    ----------
    table : `~astropy.table.Table`
        Of `detect`; or with ``ra``, ``dec``, ``mag`` and ``flags``.
    stars : `~astropy.table.Table`, optional
        The bright stars, with ``ra``, ``dec`` and ``mag``, where they are not those of the table:
        a star off the image leaves afterimages on it, too.
    step : `~astropy.units.Quantity`, optional
        The frame step (cross-scan and in-scan, arcsec, as DXFS and DYFS); that of the image
        (``table.meta["frame_step"]``) unless given.
    bright : float, optional
        Faintest magnitude of a star that makes artifacts.

    Returns
    -------
    `~astropy.table.Table`
        A copy with the bits PERSISTENCE, SPIKE and HALO of ``flags`` set. ``meta["artifacts"]``
        says how many of each.

    Raises
    ------
    TableError
        If there are no positions, no magnitudes or no frame step.
    """
    along = _in_scan(table, step)
    flagged = table.copy()
    flags = np.array(table["flags"])
    mag = _magnitudes(table)
    ra, dec = positions(table)
    source = table if stars is None else stars
    star_mag = _magnitudes(source)
    chosen = star_mag <= bright
    for s_ra, s_dec, s_mag in zip(
        *(one[chosen] for one in positions(source)), star_mag[chosen], strict=True
    ):
        north = (dec - s_dec) * 3600
        west = -((ra - s_ra + 180) % 360 - 180) * np.cos(np.deg2rad(dec)) * 3600
        flags |= _made(west, north, mag - s_mag, bright - s_mag, along)
    flagged["flags"] = flags
    flagged.meta["artifacts"] = {
        name: int(np.count_nonzero(flags & SourceFlag[name.upper()]))
        for name in ("persistence", "spike", "halo")
    }
    return flagged


def _made(
    west: NDArray[np.float64], north: NDArray[np.float64], fainter: NDArray[np.float64],
    over: float, along: float,
) -> NDArray[np.int64]:  # fmt: skip
    """Return the flags of sources at some arcsec from one star, `over` mag brighter than needed."""
    distance = np.hypot(west, north)
    frames = np.rint(north / along)
    after = (frames >= 1) & (frames <= AFTER)
    after &= np.hypot(west, north - frames * along) <= AFTER_RADIUS
    after &= fainter >= AFTER_FAINTER + AFTER_FADES * (frames - 1)
    halo = (distance > 0) & (distance <= HALO * 10 ** (HALO_GROWS * over))
    halo &= fainter >= HALO_FAINTER
    across, length = np.sort(np.abs([west, north]), axis=0)
    spike = (across <= SPIKE_WIDTH) & (length <= SPIKE * 10 ** (SPIKE_GROWS * over))
    spike &= (fainter >= SPIKE_FAINTER) & (distance > 0)
    return (
        after * SourceFlag.PERSISTENCE | halo * SourceFlag.HALO | spike * SourceFlag.SPIKE
    ).astype(np.int64)


def _magnitudes(table: Any) -> NDArray[np.float64]:
    if "mag" not in table.colnames:
        msg = "artifacts need magnitudes: give a table with a column mag, as detect returns it"
        raise TableError(msg)
    return values(table["mag"], "mag")


def _in_scan(table: Any, step: u.Quantity | None) -> float:
    """Return the step along the scan, arcsec northward."""
    if step is None and "frame_step" not in table.meta:
        msg = "where afterimages lie takes the frame step: give step=image.frame_step"
        raise TableError(msg)
    dx, dy = table.meta["frame_step"] if step is None else step.to_value(u.arcsec)
    # a frame's pixels move with the telescope, along the scan, however the array is turned
    return float(np.copysign(np.hypot(dx, dy), dy))
