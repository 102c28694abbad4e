"""How a calibrator is made from scans: darks, then twilights, then what they say of pixels."""

from __future__ import annotations

from collections.abc import Iterable
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import CalibrationError
from ..night import Night, open_night
from ..scan import BAND_NAMES, parse_band
from .calibrator import Calibrator
from .darks import combine
from .flags import Flag
from .leftout import name_of
from .matching import require_one_kind, require_type
from .pixels import pixel_flags
from .response import first_column_map, responsivity
from .saturation import DIGITAL_LIMIT
from .twilights import respond

if TYPE_CHECKING:
    from ..raw import RawScan

__all__ = ["from_night", "from_scans"]

# A pixel's own noise counts where it is so many times the usual: else it is only badly known.
_OWN_NOISE = 1.5


def from_scans(darks: Iterable[RawScan], twilights: Iterable[RawScan]) -> Calibrator:
    """Make a calibrator; see `Calibrator.from_scans`."""
    darks, twilights = _listed(darks, "dark"), _listed(twilights, "twilight")
    require_one_kind([*darks, *twilights])
    require_type(darks, ("dar",), "dark")
    require_type(twilights, ("flt",), "twilight")
    dark = combine(darks)
    twilight = respond(twilights, dark)
    response = responsivity(twilight)
    mask = pixel_flags(dark, twilight)
    mask[first_column_map(response.first_columns) != 1] |= np.uint8(Flag.FIRST_COLUMN)
    return Calibrator(
        band=str(darks[0].band),
        darks=tuple(map(name_of, darks)),
        twilights=tuple(map(name_of, twilights)),
        dark=dark.difference,
        dark_error=dark.difference_error,
        dark_r1=dark.r1,
        dark_r1_error=dark.r1_error,
        noise=_usual_noise(dark.noise),
        noise_r1=_usual_noise(dark.r1_noise),
        responsivity=response.map,
        responsivity_error=response.error,
        share1=twilight.share1.astype(np.float32),
        saturation=np.full(dark.r1.shape, DIGITAL_LIMIT, np.float32),
        mask=mask,
        gain=twilight.gain,
        n_dark=dark.n_frames,
        n_twilight=len(twilight.levels),
        levels=(float(twilight.levels.min()), float(twilight.levels.max())),
        star_pixels=twilight.star_pixels,
        nonlinearity=response.nonlinearity,
        first_columns=response.first_columns,
        left_out=(*dark.left_out, *twilight.left_out),
        simulated=darks[0].simulated,
    )


def from_night(folder: Night | str | PathLike[str], band: str) -> Calibrator:
    """Make a calibrator of a night; see `Calibrator.from_night`."""
    night = folder if isinstance(folder, Night) else open_night(folder)
    band = parse_band(band)
    found = {"dark": night.darks(band), "twilight": night.twilights(band)}
    for what, scans in found.items():
        if not scans:
            msg = (
                f"the night {night.name} has no {what} scan in {BAND_NAMES[band]} in "
                f"{night.folder}: find one of another night with calibrate.nearest"
            )
            raise CalibrationError(msg)
    darks, twilights = ([night.open(scan, band) for scan in scans] for scans in found.values())
    return from_scans(darks, twilights)


def _listed(scans: Iterable[RawScan] | RawScan, what: str) -> list[RawScan]:
    listed: list[Any] = [scans] if hasattr(scans, "frames") else list(scans)
    if not listed:
        msg = f"there are no {what} scans: give at least one, as open_scan opens it"
        raise CalibrationError(msg)
    for scan in listed:
        if not hasattr(scan, "frames"):
            msg = f"{scan!r} is no open scan: open it with open_scan first"
            raise CalibrationError(msg)
    return listed


def _usual_noise(noise: NDArray[np.float32]) -> NDArray[np.float32]:
    usual = np.float32(np.median(noise))
    return np.where(noise > _OWN_NOISE * usual, noise, usual).astype(np.float32)
