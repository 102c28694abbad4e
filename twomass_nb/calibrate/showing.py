"""What a calibrator says of itself: what it was made from, what was left out, and why."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from ..scan import BAND_NAMES
from .flags import Flag

if TYPE_CHECKING:
    from .calibrator import Calibrator

__all__ = ["as_html", "as_text"]


def as_text(calibrator: Calibrator) -> str:
    """Return one line."""
    mark = ", SIMULATED" if calibrator.simulated else ""
    return (
        f"<Calibrator {BAND_NAMES[calibrator.band]}: {calibrator.n_dark} dark frames of "
        f"{', '.join(calibrator.darks)}; {calibrator.n_twilight} twilight frames of "
        f"{', '.join(calibrator.twilights)}; {len(calibrator.left_out)} left out{mark}>"
    )


def as_html(calibrator: Calibrator) -> str:
    """Return a table, and a list of what was left out."""
    mark = " · SIMULATED" if calibrator.simulated else ""
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td style='text-align:left'>{escape(text)}</td></tr>"
        for name, text in facts(calibrator)
    )
    out = "".join(f"<li>{escape(str(one))}</li>" for one in calibrator.left_out)
    left_out = f"<details><summary>Left out</summary><ul>{out}</ul></details>" if out else ""
    title = f"<b>Calibrator {BAND_NAMES[calibrator.band]}{mark}</b>"
    return f"{title}<table>{rows}</table>{left_out}"


def facts(calibrator: Calibrator) -> Iterator[tuple[str, str]]:
    """Yield what there is to say, as names and texts."""
    low, high = calibrator.levels
    yield "Darks", f"{calibrator.n_dark} frames of {', '.join(calibrator.darks)}"
    frames = f"{calibrator.n_twilight} frames of {', '.join(calibrator.twilights)}"
    stars = f"{calibrator.star_pixels} pixels with stars left out"
    yield "Twilights", f"{frames}, {low:.0f} to {high:.0f} DN; {stars}"
    noise, noise_r1 = np.median(calibrator.noise), np.median(calibrator.noise_r1)
    yield "Noise of a dark frame", f"{noise:.2f} DN in r2-r1, {noise_r1:.2f} DN in r1"
    yield "Gain", f"{calibrator.gain:.2f} electrons a DN, from the noise of the twilight"
    error = f"known to {np.nanmedian(calibrator.responsivity_error):.2%}"
    nights = ", ".join(calibrator.canonical)
    yield "Responsivity", f"{error}, mean of the nights {nights}" if nights else error
    change = f"differences between pixels {calibrator.nonlinearity:+.1%}, taken out"
    yield "Slopes against the faintest twilight", change
    for one in calibrator.first_columns:
        if one.departs:
            text = f"{one.excess:+.1%} ± {one.error:.2%} in the twilight: flagged"
            yield f"First column, {one.quadrant}", text
    counts = {flag.name: np.count_nonzero(calibrator.mask & np.uint8(flag)) for flag in Flag}
    yield "Pixels", ", ".join(f"{n} {name}" for name, n in counts.items() if n) or "all good"
    seen = calibrator.saturation_seen
    yield "Saturation", "measured" if seen else "not seen yet: with_saturation(scan) measures it"
    if calibrator.left_out:
        yield "Left out", f"{len(calibrator.left_out)} frames or scans"
