"""The running mean of responsivity over nights: what agrees joins it, what does not is left out.

"Each nightly responsivity image is compared to a running mean of the responsivity maps from the
previous five nights" (Explanatory Supplement, IV.2). A cloud over a whole twilight shows nowhere
else.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import CalibrationError
from ..scan import BAND_NAMES, ScanId
from .flags import Flag
from .matching import require_no_event
from .shutter import BLOCK, block_medians

if TYPE_CHECKING:
    from .calibrator import Calibrator

__all__ = ["NIGHTS", "Canonical", "Comparison"]

#: Nights in the mean, at most.
NIGHTS = 5
# Chosen: parts of the array must agree within 1 % and so many errors; of single pixels, no more
# than 1 % may be off by so many errors and 3 %.
_PARTS, _PIXELS, _SIGMA, _SHARE = 0.01, 0.03, 5.0, 0.01


@dataclass(frozen=True)
class Comparison:
    """How a night's responsivity compares with the mean of those before it.

    Attributes
    ----------
    night : str
        As ``"000531s"``.
    accepted : bool
    reason : str
        Why it was, or was not.
    parts : float
        Largest deviation of a part (32 x 32 pixels) of the array.
    pixels : float
        Share of the pixels that deviate.
    """

    night: str
    accepted: bool
    reason: str
    parts: float
    pixels: float


class Canonical:
    """Running mean of the responsivity of one array, of up to five nights.

    Attributes
    ----------
    members : list of Calibrator
        The nights in the mean, in the order in which they were offered.
    history : list of Comparison
        All nights offered.
    """

    def __init__(self) -> None:
        self.members: list[Calibrator] = []
        self.history: list[Comparison] = []

    def offer(self, calibrator: Calibrator) -> Comparison:
        """Compare a night with the mean; take it in, and the oldest out, if it agrees.

        The first night is taken as it is.

        Parameters
        ----------
        calibrator : Calibrator

        Raises
        ------
        CalibrationError
            If it is of another band, site or state of the hardware than those in the mean, or of
            a night offered before.
        """
        night = _night_of(calibrator)
        if night != "?" and night in [one.night for one in self.history]:
            msg = f"{night} has been offered before: offer each night once"
            raise CalibrationError(msg)
        if not self.members:
            verdict = Comparison(night, True, "the first night", 0.0, 0.0)
        else:
            self._require_like(calibrator, night)
            verdict = self._compare(calibrator, night)
        self.history.append(verdict)
        if verdict.accepted:
            self.members = [*self.members, calibrator][-NIGHTS:]
        return verdict

    @property
    def responsivity(self) -> NDArray[np.float32]:
        """Mean of the nights, its median is 1; array of float32, (256, 256)."""
        self._require_some()
        nights = [one.responsivity for one in self.members]
        mean = np.asarray(np.mean(nights, axis=0, dtype=np.float64))
        return np.asarray(mean / np.nanmedian(mean), np.float32)

    @property
    def error(self) -> NDArray[np.float32]:
        """Its error, from the errors of the nights, (256, 256)."""
        self._require_some()
        squares = [one.responsivity_error.astype(np.float64) ** 2 for one in self.members]
        return (np.sqrt(np.sum(squares, axis=0)) / len(self.members)).astype(np.float32)

    @property
    def nights(self) -> tuple[str, ...]:
        """The nights in the mean."""
        return tuple(_night_of(one) for one in self.members)

    def apply(self, calibrator: Calibrator) -> Calibrator:
        """Return a calibrator with the mean responsivity instead of its own."""
        self._require_some()
        self._require_like(calibrator, _night_of(calibrator))
        return replace(
            calibrator,
            responsivity=self.responsivity,
            responsivity_error=self.error,
            canonical=self.nights,
        )

    def _require_some(self) -> None:
        if not self.members:
            msg = "no night has been offered yet: offer(calibrator) starts the mean"
            raise CalibrationError(msg)

    def _require_like(self, calibrator: Calibrator, night: str) -> None:
        last = self.members[-1]
        if calibrator.band != last.band or calibrator.simulated != last.simulated:
            kinds = [
                f"{BAND_NAMES[one.band]}{' SIMULATED' if one.simulated else ''}"
                for one in (calibrator, last)
            ]
            msg = f"{night} is of {kinds[0]}, the mean of {kinds[1]}: keep a mean for each"
            raise CalibrationError(msg)
        for name in (self.nights[0], self.nights[-1]):
            if "?" not in name + night:
                require_no_event(ScanId.parse(f"{night}001"), ScanId.parse(f"{name}001"))

    def _compare(self, calibrator: Calibrator, night: str) -> Comparison:
        mean, error = self.responsivity, self.error
        with np.errstate(divide="ignore", invalid="ignore"):
            off = calibrator.responsivity / mean - 1
            doubt = np.hypot(calibrator.responsivity_error, error) / np.abs(mean)
        bad = np.uint8(Flag.BAD | Flag.FIRST_COLUMN)
        good = ((calibrator.mask & bad) == 0) & np.isfinite(off) & np.isfinite(doubt)
        middle = np.median(off[good])
        parts = block_medians(np.where(good, off, middle)[None])[0]
        part_error = 1.2533 * float(np.median(doubt[good])) / BLOCK
        worst = float(np.max(np.abs(parts)))
        share = float(np.mean(np.abs(off[good]) > np.maximum(_SIGMA * doubt[good], _PIXELS)))
        if worst > max(_PARTS, _SIGMA * part_error):
            reason = f"part of the array is {worst:.1%} off the mean: a cloud, or the array changed"
        elif share > _SHARE:
            reason = f"{share:.1%} of the pixels are off the mean"
        else:
            reason = f"agrees: parts within {worst:.2%}, {share:.2%} of the pixels off"
            return Comparison(night, True, reason, worst, share)
        return Comparison(night, False, reason, worst, share)

    def __repr__(self) -> str:
        nights = ", ".join(self.nights) or "no night"
        out = sum(not one.accepted for one in self.history)
        mark = ", SIMULATED" if self.members and self.members[0].simulated else ""
        return f"<Canonical of {nights}; {out} rejected{mark}>"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{one.night}</td><td>{'in' if one.accepted else 'rejected'}</td>"
            f"<td style='text-align:left'>{one.reason}</td></tr>"
            for one in self.history
        )
        mark = " · SIMULATED" if self.members and self.members[0].simulated else ""
        return f"<b>Canonical responsivity{mark}</b><table>{rows}</table>"


def _night_of(calibrator: Calibrator) -> str:
    """Return the night of the twilights, ``"?"`` where their files do not say it."""
    name = calibrator.twilights[0]
    return "?" if "." in name else name[:7]
