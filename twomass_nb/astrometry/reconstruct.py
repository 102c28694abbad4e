"""From a scan's frames to where they looked: stars, links, least squares, reference."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from astropy import units as u
from numpy.typing import NDArray

from ..array.geometry import CENTER
from ..errors import NotFoundError, needs, warn
from .derive import Derived, derive
from .links import follow
from .positions import Positions
from .solve import Observed, Solution, solve
from .stars import Stars, measure_stars
from .tie import Reference, read_reference, tied

if TYPE_CHECKING:
    from ..calibrate import Calibrator
    from ..calibrate.sky import SkyOffsets
    from ..raw import RawScan

__all__ = ["reconstruct"]

# Where either side has fewer stars it says nothing that they do not fit; `Positions.reference` says
# what places stand on.
_ENOUGH = 10


def reconstruct(
    scan: RawScan,
    calibrator: Calibrator,
    *,
    sky: SkyOffsets | None = None,
    frames: Iterable[int] | None = None,
    reference: Any = None,
) -> Positions:
    """Measure where the frames of a scan looked, from the stars in them.

    Frames are compared with each other: that gives their steps, in units of the plate scale, and
    the rotation of the array against the direction of motion. Only a reference tells where on the
    sky they are, how the scan is directed there, the plate scale, and whether east is left.

    Parameters
    ----------
    scan : RawScan
    calibrator : Calibrator
    sky : SkyOffsets, optional
        Of the scan, see `Calibrator.sky_offsets`.
    frames : sequence of int, optional
        Frames to measure, counted from 0; all unless given. The others are put on the track.
    reference : AtlasImage, sequence of them, or table with ra and dec (deg), optional
        Stars whose places on the sky are known.

    Returns
    -------
    Positions
        Where there are no stars, as predicted.

    Raises
    ------
    NotFoundError
        If nothing says where about the scan was pointed, or it has no such frame.
    AtlasError
        If the reference is none.
    TwomassError
        If SciPy is not installed.

    Warns
    -----
    TwomassWarning
        If the reference does not fit, or fits only with east on the other side.
    """
    needs("scipy", "reduce")
    chosen = _chosen(scan.n_frames, frames)
    known = read_reference(reference) if reference is not None else None
    stars, width = measure_stars(scan, calibrator, chosen, sky)
    geometry, track = scan.geometry(), scan.track
    in_scan, cross_scan = geometry.dither(track.step * u.arcsec)
    star, motion = follow(stars, chosen, np.array([cross_scan, in_scan]))
    seen = _seen(stars, star)
    if len(seen.star):  # frames before the first star and after the last are on the track
        chosen, seen = chosen[seen.frame.min() : seen.frame.max() + 1], _from_first(seen)
    solution = solve(seen, chosen, motion) if len(seen.star) else None
    derived = derive(chosen, track, geometry, solution, tied=False)
    found = None
    if known is not None:
        found = tied(chosen, seen, solution, derived, known)
        if found is None and min(len(known.ra), len(np.unique(seen.star))) >= _ENOUGH:
            warn(f"no stars fit {known.text}: where on the sky the frames are is as predicted")
    if found is not None:
        seen, solution, derived = found
    return _positions(scan, chosen, seen, solution, derived, known if found else None, width)


def _chosen(n_frames: int, frames: Iterable[int] | None) -> NDArray[np.int64]:
    chosen = np.unique(np.fromiter(range(n_frames) if frames is None else frames, np.int64))
    outside = chosen[(chosen < 0) | (chosen >= n_frames)]
    if not len(chosen) or len(outside):
        what = f"there is no frame {outside[0]}" if len(outside) else "no frames were given"
        msg = f"{what}: this scan has frames 0 to {n_frames - 1}"
        raise NotFoundError(msg)
    return chosen


def _seen(stars: Stars, star: NDArray[np.int64]) -> Observed:
    """Return the stars seen in two frames or more."""
    linked = star >= 0
    some = stars.take(linked)
    place = np.stack([some.x, some.y], axis=1) - CENTER
    error = np.stack([some.error, some.error], axis=1)
    return Observed(some.frame, star[linked], place, error, some.flux)


def _from_first(seen: Observed) -> Observed:
    return seen._replace(frame=seen.frame - seen.frame.min())


def _positions(
    scan: RawScan, frames: NDArray[np.int64], seen: Observed, solution: Solution | None,
    derived: Derived, known: Reference | None, width: float,
) -> Positions:  # fmt: skip
    matched = np.zeros(scan.n_frames, np.int64)
    jitter = floor = fwhm = float("nan")
    n_reference = 0
    scale = float(derived.geometry.plate_scale.value)
    if solution is not None:
        used = seen.frame[solution.used]
        matched[frames] = np.bincount(used[used >= 0], minlength=len(frames))
        jitter, floor, fwhm = solution.jitter * scale, solution.floors[0] * scale, width * scale
        n_reference = int((used < 0).sum())
    text = known.text if known else _predicted(derived)
    return Positions(
        str(scan.scan_id or scan.path.name), str(scan.band), derived.track, derived.geometry,
        derived.step, derived.step_error, derived.offsets, derived.errors, matched, text,
        n_reference, fwhm, jitter, floor, derived.plate_scale_error,
        scan.simulated or bool(known and known.simulated),
    )  # fmt: skip


def _predicted(derived: Derived) -> str:
    along, across = derived.track.uncertainty
    return f"the predicted place of the scan ({along:.0f} arcsec along, {across:.0f} across)"
