"""What a measurement of an artifact is: a value, its uncertainty, and the unit of both."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from astropy import units as u

__all__ = ["DN", "Measured", "measured", "rms_without_noise"]

_WORDS = {"adu": "DN", "adu / s": "DN/s", "deg": "°", "pix": "pixel", "arcsec": "″"}
#: Data numbers: adu is the FITS standard's word for them.
DN = u.adu


@dataclass(frozen=True)
class Measured:
    """A number, or one a quadrant, with its uncertainty.

    Attributes
    ----------
    value, error : `~astropy.units.Quantity`
        Of one shape; `error` is one standard deviation. Quadrants are in the order lower left,
        lower right, upper left, upper right. NaN where nothing could be measured.
    """

    value: u.Quantity
    error: u.Quantity

    def texts(self) -> list[str]:
        """Write each number with uncertainty and unit, to two figures of the uncertainty."""
        unit = str(self.value.unit)
        unit = _WORDS.get(unit, unit)
        pairs = zip(np.ravel(self.value.value), np.ravel(self.error.value), strict=True)
        return [_told(float(a), float(e), unit) for a, e in pairs]

    def __str__(self) -> str:
        return ", ".join(self.texts())


def measured(value: object, error: object, unit: object = DN) -> Measured:
    """Return numbers with their unit."""
    return Measured(u.Quantity(value, unit), u.Quantity(error, unit))


def rms_without_noise(power: object, error: object, unit: object = DN) -> Measured:
    """Return the root of a mean square from which the noise's own has been taken.

    Noise may have made `power` negative. The uncertainty is half of how far the root moves if the
    power changes by two of its errors, so that the two agree also near 0.
    """
    power, spread = np.maximum(np.asarray(power, float), 0.0), np.asarray(error, float)
    root, low, high = (np.sqrt(np.maximum(power + k * spread, 0)) for k in (0, -2, 2))
    return measured(root, np.maximum(root - low, high - root) / 2, unit)


def _told(value: float, error: float, unit: str) -> str:
    if not np.isfinite(value):
        return "not measured"
    if not np.isfinite(error) or error <= 0:
        text = f"{value:.4g}"
    else:
        digits = int(np.clip(1 - np.floor(np.log10(error)), 0, 6))
        text = f"{value:.{digits}f} ± {error:.{digits}f}"
    return f"{text} {unit}".strip().replace("-", "−")
