"""How well a coadd of ours agrees with the survey's image: what was found, against its limits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..atlas import AtlasImage
from ..scan import BAND_NAMES
from .comparison_grid import Pair
from .comparison_psf import Blur
from .comparison_sky import Background, Noise
from .comparison_trends import FALSE_ALARM, LEAST, Trend

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["LIMITS", "Check", "Comparison"]

#: Stars so much brighter than the limit are what the limits are for.
BRIGHTER = 3.0
#: Limits: magnitudes rms; arcsec rms; background in sigmas of the sky.
LIMITS = {"d_mag": 0.02, "place": 0.1, "sky": 1.0}
#: Fewest stars of which a scatter is judged.
_FEWEST = 3


@dataclass(frozen=True)
class Check:
    """A number against the most it may be, or the `least`; `ok` is None where it is not judged."""

    what: str
    value: float
    error: float
    limit: float
    unit: str
    ok: bool | None
    note: str = ""
    least: bool = False

    @property
    def bound(self) -> str:
        """The limit in words of mathematics: the most the value may be, or the least."""
        return f"{'≥' if self.least else '≤'} {self.limit:g}"

    def __str__(self) -> str:
        said = {True: "yes", False: "NO", None: "not judged"}[self.ok]
        value = "-" if np.isnan(self.value) else f"{self.value:.4f} ± {self.error:.4f}"
        return f"{self.what}: {value} ({self.bound}) {self.unit}: {said}" + (
            f" ({self.note})" if self.note else ""
        )


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """A coadd of ours beside the real image; made by `compare_images`.

    Differences are ours less the real one. Both are blurred to the same width before stars
    are measured; `blur` says by how much.

    Attributes
    ----------
    ours, real : AtlasImage
    pair : Pair
        The pixels both have.
    stars : `~astropy.table.Table`
        Isolated stars measured in both: x, y (pixels of the real image), ra, dec, mag, peak, d_mag,
        d_ra (times cos dec), d_dec (arcsec), and what the noise of the sky alone makes of them.
        ``meta["limit"]`` is the magnitude of signal to noise 10 in the real image.
    blur : Blur
    star_ours, star_real : array, shape (25, 25)
        Mean stars, the light within 4.5 pixels 1; NaN if there are none.
    fwhm_ours, fwhm_real : array, shape (2, 2)
        FWHM across and along the scan, arcsec, and the errors of those.
    background : Background
    noise_ours, noise_real : Noise
    sky_sigma : float
        SKYSIG of the real image, DN: the unit of the background.
    trends : list of Trend
    scale : float
        Arcsec a pixel.
    difference, matched_difference : array
        As the pixels are; with stars equally wide in both. DN.
    """

    ours: AtlasImage
    real: AtlasImage
    pair: Pair
    stars: Table
    blur: Blur
    star_ours: NDArray[np.float64]
    star_real: NDArray[np.float64]
    fwhm_ours: NDArray[np.float64]
    fwhm_real: NDArray[np.float64]
    background: Background
    noise_ours: Noise
    noise_real: Noise
    sky_sigma: float
    trends: list[Trend]
    scale: float
    matched_difference: NDArray[np.float64]

    @property
    def difference(self) -> NDArray[np.float64]:
        """Ours less the real image, DN."""
        return self.pair.ours - self.pair.real

    @property
    def simulated(self) -> bool:
        """Whether one of the two is not of a real observation."""
        return bool(self.ours.simulated or self.real.simulated)

    @property
    def title(self) -> str:
        """Scan, band and coadd; SIMULATED when so."""
        words = f"{self.real.scan_id} · {BAND_NAMES[self.real.band]} · coadd {self.real.coadd}"
        return words + (" · SIMULATED" if self.simulated else "")

    @property
    def bright(self) -> Table:
        """The stars that the limits are for: `BRIGHTER` magnitudes above the limit or more."""
        return self.stars[np.asarray(self.stars["mag"]) <= self.stars.meta["limit"] - BRIGHTER]

    # scatter ----------------------------------------------------------------------------------

    @cached_property
    def offsets(self) -> dict[str, tuple[float, float]]:
        """Median difference of the bright stars and its error: d_mag, d_mag_whole, d_ra, d_dec.

        d_mag is of the middle of stars, d_mag_whole of all their light.
        """
        names = ("d_mag", "d_mag_whole", "d_ra", "d_dec")
        return {name: _offset(self._values(name)) for name in names}

    def _values(self, name: str) -> NDArray[np.float64]:
        """Return a column for the bright stars; for all where those are too few."""
        stars = self.bright if len(self.bright) >= _FEWEST else self.stars
        return np.asarray(stars[name], float)

    @cached_property
    def by_magnitude(self) -> Table:
        """Scatter in bins of a magnitude: plain and robust rms, and what noise alone would give.

        Photometry is about the offset of all, astrometry about 0: each of two coordinates.
        """
        from astropy.table import Table

        rows = []
        mag = np.asarray(self.stars["mag"], float)
        for low in range(int(np.floor(mag.min())), int(np.ceil(mag.max()))) if len(mag) else ():
            part = self.stars[(mag >= low) & (mag < low + 1)]
            if len(part) < _FEWEST:
                continue
            off = np.asarray(part["d_mag"], float) - self.offsets["d_mag"][0]
            row = [low, low + 1, len(part), _rms(off), _robust(off), _rms(part["mag_noise"])]
            for name in ("d_ra", "d_dec"):
                row += [_rms(part[name]), _robust(part[name])]
            rows.append((*row, _rms(part["place_noise"])))
        names = (
            "from", "to", "n", "mag_rms", "mag_robust", "mag_noise", "ra_rms", "ra_robust",
            "dec_rms", "dec_robust", "place_noise",
        )  # fmt: skip
        return Table(rows=rows or None, names=names)

    # verdict ----------------------------------------------------------------------------------

    @cached_property
    def checks(self) -> list[Check]:
        """Every number that has a limit, against it."""
        bright = self.bright
        n = len(bright)
        few = f"{n} stars" if n else "no star is that bright and alone"
        shift, place = self.offsets["d_mag_whole"], np.hypot(bright["d_ra"], bright["d_dec"])
        scatter = np.asarray(bright["d_mag"], float) - self.offsets["d_mag"][0]
        found = [
            _check("photometry, rms about the offset", _rms(scatter), "d_mag", "mag", n, few),
            _check("photometry, offset of all", shift[0], "d_mag", "mag", n, few, shift[1]),
            _check("astrometry, rms of distances", _rms(place), "place", "arcsec", n, few),
        ]
        return [*found, *self._sky_checks(), self._trend_check()]

    def _sky_checks(self) -> list[Check]:
        """Judge the background, but not what no coadd could change: drift of the sky, noise."""
        sky, sigma = self.background, self.sky_sigma
        level = _check(
            "background, level", sky.median / sigma, "sky", "SKYSIG", error=sky.median_error / sigma
        )
        if self.ours.simulated and not self.real.simulated:
            note = "a simulated sky drifts by percents: its level is not the real one's"
            level = replace(level, ok=None, note=note)
        boxes = _check(
            "background, rms of 32 pixel boxes", sky.boxes_rms / sigma, "sky", "SKYSIG",
            error=sky.boxes_noise / sigma,
        )  # fmt: skip
        pixel = _check("background, rms a pixel", sky.rms / sigma, "sky", "SKYSIG", error=0.0)
        noise = float(np.hypot(self.noise_ours.sigma, self.noise_real.sigma)) / sigma
        if pixel.ok is False and noise > LIMITS["sky"]:
            note = f"the noise of both, were it independent, is {noise:.2f}"
            pixel = replace(pixel, ok=None, note=note)
        return [level, boxes, pixel]

    def _trend_check(self) -> Check:
        what = "trends, chance of the least likely"
        if not self.trends:
            few = f"fewer than {LEAST} stars"
            return Check(what, np.nan, 0.0, FALSE_ALARM, "", None, few, least=True)
        there = [trend for trend in self.trends if trend.found]
        said = [f"{t.words}{', too small to matter' * t.ok}" for t in there]
        least = min(trend.chance for trend in self.trends)
        ok = all(trend.ok for trend in there)
        note = "; ".join(said) or f"{len(self.trends)} asked"
        return Check(what, least, 0.0, FALSE_ALARM, "", ok, note, least=True)

    def ok(self) -> bool:
        """Whether nothing that can be judged is beyond its limit."""
        return all(check.ok is not False for check in self.checks)

    @property
    def verdict(self) -> str:
        """One line: agrees, or where not, and what could not be judged."""
        wrong = [check.what for check in self.checks if check.ok is False]
        left = [check.what for check in self.checks if check.ok is None]
        said = f"does not agree: {'; '.join(wrong)}" if wrong else "agrees within the limits"
        return said + (f". Not judged: {'; '.join(left)}" if left else "")

    # what it says of itself -------------------------------------------------------------------

    @property
    def table(self) -> Table:
        """The checks, then the other numbers: what, value, error, unit, limit, ok."""
        from astropy.table import Table

        rows = [
            (c.what, c.value, c.error, c.unit, c.limit, "" if c.ok is None else str(c.ok))
            for c in self.checks
        ]
        rows += [
            (what, value, error, unit, np.nan, "") for what, value, error, unit in self.numbers
        ]
        names = ("what", "value", "error", "unit", "limit", "ok")
        return Table(rows=rows, names=names, meta={"SIMULATE": self.simulated})

    @property
    def numbers(self) -> list[tuple[str, float, float, str]]:
        """What has no limit: offsets, noise, correlation, resolution (value, error, unit)."""
        sky, sigma = self.background, self.sky_sigma
        n = len(self._values("d_mag"))
        rows = [
            ("offset in RA", *self.offsets["d_ra"], "arcsec"),
            ("offset in Dec", *self.offsets["d_dec"], "arcsec"),
            ("stars compared", float(n), 0.0, ""),
            ("difference a pixel, stars equally wide", sky.matched_rms / sigma, 0.0, "SKYSIG"),
            ("largest difference of a 32 pixel box", sky.boxes_max / sigma, 0.0, "SKYSIG"),
        ]
        for name, noise, fwhm in (
            ("ours", self.noise_ours, self.fwhm_ours),
            ("real", self.noise_real, self.fwhm_real),
        ):
            rows += [
                (f"noise a pixel, {name}", noise.sigma, noise.error, "DN"),
                (f"correlation of neighbours, {name}", noise.correlation[0], 0.0, ""),
                (f"correlation length, {name}", noise.length * self.scale, 0.0, "arcsec"),
                (f"FWHM across the scan, {name}", fwhm[0, 0], fwhm[1, 0], "arcsec"),
                (f"FWHM along the scan, {name}", fwhm[0, 1], fwhm[1, 1], "arcsec"),
            ]
        return [(what, float(value), float(error), unit) for what, value, error, unit in rows]

    @property
    def summary(self) -> str:
        """The verdict and the checks, a line each."""
        return "\n".join([f"{self.title}: {self.verdict}", *map(str, self.checks)])

    def __repr__(self) -> str:
        return f"<Comparison {self.title}: {self.verdict}, {len(self.bright)} bright stars>"

    def _repr_html_(self) -> str:
        head = f"<p><b>{escape(self.title)}</b>: {escape(self.verdict)}</p>"
        return head + "".join(self.table.pformat(html=True, max_lines=-1, max_width=-1))


def _check(
    what: str, value: float, kind: str, unit: str, n: int | None = None, few: str = "",
    error: float | None = None,
) -> Check:  # fmt: skip
    """Judge a number; a scatter of n stars has the error of one."""
    limit = LIMITS[kind]
    if n is not None and n < _FEWEST:
        return Check(what, np.nan, np.nan, limit, unit, None, few)
    if error is None:
        error = value / np.sqrt(2 * (n or 1))
    note = f"{n} stars" if n is not None else ""
    return Check(what, float(value), float(error), limit, unit, bool(abs(value) <= limit), note)


def _offset(values: NDArray[np.float64]) -> tuple[float, float]:
    if len(values) == 0:
        return 0.0, np.nan
    return float(np.median(values)), float(1.25 * _robust(values) / np.sqrt(len(values)))


def _rms(values: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.mean(np.asarray(values, float) ** 2))) if len(values) else np.nan


def _robust(values: NDArray[np.float64]) -> float:
    values = np.asarray(values, float)
    return float(1.4826 * np.median(np.abs(values - np.median(values))))
