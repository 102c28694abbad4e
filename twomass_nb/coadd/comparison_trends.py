"""Whether differences of stars go along with anything: pixel phase, row, column, brightness.

Many questions are asked of the same stars, so some answers look unlikely by chance alone. Here
the differences are dealt out anew among the stars, many times; how often the least likely answer
of all is then as unlikely as what was found is the chance that is given. That counts all the
questions, however alike, and makes no assumption about how differences are distributed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..atlas import AtlasImage

__all__ = ["FALSE_ALARM", "LEAST", "NAMES", "Trend", "causes", "trends"]

#: Chance that a comparison without any trend shows one, over all questions together.
FALSE_ALARM = 0.01
#: What differences are called.
NAMES = {"d_mag": "magnitude", "d_ra": "RA", "d_dec": "Dec"}
#: Fewest stars that trends are looked for in.
LEAST = 20
# A trend matters from this share of what the scatter may be. Frames put exactly where they looked
# leave one of 17 mas with the phase in raw pixels, where stars hardly move across the array.
_MATTERS = 0.2
_DEALS = 999
# What differences scatter by beyond the noise of the sky is sought in these, in units of the
# median noise.
_FLOORS = np.geomspace(0.01, 30, 60)
_CLIP = 4.0
_ENDS = (5, 95)


@dataclass(frozen=True)
class Trend:
    """One question: whether one quantity goes along with another.

    Attributes
    ----------
    of, with_ : str
        "d_mag", "d_ra" or "d_dec", and what it may go along with.
    size : float
        Range of the fitted trend over nine tenths of the stars: magnitudes, arcsec.
    usual : float
        What it would be in one of twenty cases if there were no trend.
    chance : float
        How often one of all the questions would give an answer as unlikely, were there no trend.
    tolerated : float
        Size that does not matter, a fifth of what the scatter may be.
    """

    of: str
    with_: str
    size: float
    usual: float
    chance: float
    tolerated: float

    @property
    def words(self) -> str:
        """What goes along with what, and by how much."""
        unit = "mmag" if self.of == "d_mag" else "mas"
        return f"{NAMES[self.of]} with {self.with_}, {1000 * self.size:.1f} {unit}"

    @property
    def found(self) -> bool:
        """Whether it is there: less likely by chance than `FALSE_ALARM`."""
        return self.chance < FALSE_ALARM

    @property
    def ok(self) -> bool:
        """Whether it is not there, or too small to matter."""
        return not self.found or self.size < self.tolerated


def causes(
    stars: Mapping[str, NDArray[np.float64]], real: AtlasImage, full: float,
    phases: NDArray[np.float64] | None,
) -> dict[str, NDArray[np.float64]]:  # fmt: skip
    """Return what differences may go along with, each of shape (n, terms).

    Parameters
    ----------
    stars : table
        With x and y in the real image, mag and peak.
    full : float
        Peak from which a star is saturated in read 2, DN.
    phases : array, shape (n, 2, 4), or None
        Of raw pixels, see `twomass_nb.coadd.comparison_phases`.
    """
    # Bars of columns and quadrants lie across the scan, as in the frames; along it a star is on
    # all rows of the array in turn, the same ones again after a frame's step.
    x, y, mag, peak = (np.asarray(stars[name], float) for name in ("x", "y", "mag", "peak"))
    step = abs(real.frame_step[1].value)
    width = real.data.shape[1]
    found = {
        "phase in coadd pixels, x": _turns(x),
        "phase in coadd pixels, y": _turns(y),
        "column": x[:, None],
        "half across the scan": np.where(x < (width - 1) / 2, -0.5, 0.5)[:, None],
        "row": y[:, None],
        "row in the frames": _turns(y / step),
        "magnitude": mag[:, None],
        "saturated in read 2": np.where(peak > full, 1.0, 0.0)[:, None],
    }
    if phases is not None:
        found["phase in raw pixels, x"] = phases[:, 0]
        found["phase in raw pixels, y"] = phases[:, 1]
    # what only one or two stars tell apart is not asked
    return {name: terms for name, terms in found.items() if _tells(terms)}


def _tells(terms: NDArray[np.float64]) -> bool:
    off = np.abs(terms - np.median(terms, axis=0)) > 1e-9
    return bool((off.sum(axis=0) >= 3).all())


def _turns(place: NDArray[np.float64]) -> NDArray[np.float64]:
    angle = 2 * np.pi * place
    return np.stack([np.cos(angle), np.sin(angle)], axis=-1)


def trends(
    stars: Mapping[str, NDArray[np.float64]], terms: Mapping[str, NDArray[np.float64]],
    limits: Mapping[str, float], seed: int = 0,
) -> list[Trend]:  # fmt: skip
    """Ask all questions.

    Parameters
    ----------
    stars : table
        With d_mag, d_ra, d_dec and what noise alone makes of them.
    terms : mapping
        From `causes`.
    limits : mapping
        Of each quantity to the scatter that is allowed.

    Returns
    -------
    list of Trend
        None at all if there are less than `LEAST` stars.
    """
    n = len(stars["d_mag"])
    if n < LEAST:
        return []
    asked = []
    rng = np.random.default_rng(seed)
    deals = np.array([rng.permutation(n) for _ in range(_DEALS)])
    for of, limit in limits.items():
        noise = np.asarray(stars["mag_noise" if of == "d_mag" else "place_noise"], float)
        values = np.asarray(stars[of], float)
        noise = _scatter(values - np.median(values), np.nan_to_num(noise))
        scaled = (values - np.average(values, weights=noise**-2)) / noise
        spread = 1.4826 * np.median(np.abs(scaled))
        scaled = np.clip(scaled / spread, -_CLIP, _CLIP)
        for name, columns in terms.items():
            sizes, chances = _fitted(scaled, noise * spread, columns, deals)
            asked.append((of, name, _MATTERS * limit, sizes, chances))
    # in every deal, the least likely answer of all
    least = np.min([chances[1:] for *_, chances in asked], axis=0)
    return [
        Trend(
            of, name, float(sizes[0]), float(np.percentile(sizes[1:], 95)),
            float((1 + np.sum(least <= chances[0])) / (1 + _DEALS)), tolerated,
        )
        for of, name, tolerated, sizes, chances in asked
    ]  # fmt: skip


def _scatter(values: NDArray[np.float64], noise: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what each value scatters by, up to a factor: its noise, and the same for all.

    Only what scatters alike may be dealt out. The most likely of `_FLOORS` is taken.
    """
    usual = max(float(np.median(noise)), 1e-9)
    best, likely = noise, -np.inf
    for floor in _FLOORS:
        scatter = np.hypot(noise, floor * usual)
        scaled = values / scatter
        sigma = 1.4826 * np.median(np.abs(scaled))
        rms = np.sqrt(np.mean(np.clip(scaled, -_CLIP * sigma, _CLIP * sigma) ** 2))
        chance = -len(values) * np.log(max(rms, 1e-12)) - np.log(scatter).sum()
        if chance > likely:
            best, likely = scatter, chance
    return best


def _fitted(
    scaled: NDArray[np.float64], noise: NDArray[np.float64], columns: NDArray[np.float64],
    deals: NDArray[np.int64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:  # fmt: skip
    """Fit a trend to the differences as they are and as dealt out; return sizes and chances."""
    from scipy.stats import chi2

    centred = columns - np.average(columns, axis=0, weights=noise**-2)
    basis, turn = np.linalg.qr(centred / noise[:, None])
    values = np.concatenate([scaled[None], scaled[deals]])
    parts = values @ basis
    explained = (parts**2).sum(axis=1) / scaled.var()
    fit = np.linalg.lstsq(turn, parts.T, rcond=None)[0]
    low, high = np.percentile(centred @ fit, _ENDS, axis=0)
    return high - low, chi2.sf(explained, columns.shape[1])
