"""What the dither explorer shows, as plain numbers: geometry of each band, phases, maps, counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from astropy import units as u
from numpy.typing import NDArray

from ..array import ArrayGeometry
from ..array.geometry import PERIODS, PLATE_SCALES, ROTATIONS, SIZE
from ..array.response import response, star_pixels, star_response
from ..array.sampling import brightness_scatter, column_signal, distinct_places
from ..atlas import AtlasImage
from ..errors import NotFoundError
from ..scan import BAND_NAMES, BANDS, parse_band

__all__ = ["LIMITS", "PRESETS", "QUANTITIES", "DitherModel", "Preset"]


@dataclass(frozen=True)
class Preset:
    """A dither that was used: step in arcsec, and rotations in degrees without the camera's.

    Attributes
    ----------
    camera : float
        Rotation of the whole camera, degrees, which adds to that of each array.
    errors : dict of float
        Uncertainties of the rotations, degrees, where they are published.
    """

    step: float
    rotations: dict[str, float]
    camera: float
    source: str
    errors: dict[str, float] = field(default_factory=dict)


def _period(name: str) -> Preset:
    """Rotations of a period; steps: from 1997-05-14 on in the north, headers in the south."""
    rotations = {band: ROTATIONS[name][band][0] for band in BANDS}
    errors = {band: ROTATIONS[name][band][1] for band in BANDS}
    step = 82.2 if name == "South" else 82.8
    return Preset(step, rotations, 0.0, "UMass, array rotation relative to N-S", errors)


# T. Chester gives the rotations of the arrays at both dates, and that of the camera; their
# difference agrees with the camera's to .006 degrees, so each date keeps its own.
PRESETS = {
    **{name: _period(name) for name in PERIODS},
    "1997-05-14": Preset(
        82.80, {"j": 0.487, "h": 0.551, "k": 0.445}, -0.11, "T. Chester, 2 June 1997"
    ),
    "1997-04-18": Preset(
        83.22, {"j": 0.489, "h": 0.551, "k": 0.452}, 0.0, "T. Chester, 2 June 1997"
    ),
}

#: Ends of the sliders: step and plate scale in arcsec, rotations in degrees, width in arcsec.
LIMITS = {
    "step": (80.0, 86.0),
    "rotation": (-0.8, 0.8),
    "camera": (-0.3, 0.3),
    "scale": (1.95, 2.05),
    "fwhm": (1.4, 4.0),
}
#: What the map can show: its name, its unit, and how to read it.
QUANTITIES = {
    "distinct places": "of {n}; more is better",
    "brightness scatter": "%; less is better",
}
_GRID = (121, 81)  # of the map: steps, rotations
_HALF_SCAN = 253.0  # arcsec from the middle of a scan to its edge (headers, see array/track.py)


class DitherModel:
    """A step, a rotation and a pixel: where a star falls, and how well that samples it.

    Parameters
    ----------
    preset : str
        A key of `PRESETS`.
    band : {"j", "h", "k"}
    images : iterable of `~twomass_nb.AtlasImage` or path, optional
        Real coadds whose own steps are laid over.

    Attributes
    ----------
    step, camera, fwhm : float
        Frame step (arcsec), rotation of the camera (degrees), width of a star (arcsec).
    scales, rotations : dict of float
        Plate scale (arcsec a pixel) and rotation without the camera's (degrees) of each band.
    n : {6, 7}
        Frames that see a star.
    start : (float, float)
        Where in its pixel the first frame has the star: along, across, from -0.5 to 0.5.
    header_sign : bool
        Whether Ks in the south has the sign that headers show, not the published one.
    quantity : str
        What the map shows, a key of `QUANTITIES`.
    """

    def __init__(self, preset: str = "South", band: str = "k", images: Any = ()) -> None:
        self.n = 6
        self.fwhm = 2.3
        self.start = (0.0, 0.0)
        self.header_sign = False
        self.quantity = "distinct places"
        self.band = parse_band(band)
        self.measured = [_measure(image) for image in _listed(images)]
        self.show_preset(preset)

    def show_preset(self, name: str) -> None:
        """Turn to a dither that was used.

        Raises
        ------
        NotFoundError
            If there is no such preset.
        """
        preset = PRESETS.get(name)
        if preset is None:
            message = f"there is no dither {name!r}: the presets are {', '.join(PRESETS)}"
            raise NotFoundError(message)
        self.preset = name
        self.step, self.camera = preset.step, preset.camera
        self.rotations = dict(preset.rotations)
        self.scales = dict(PLATE_SCALES)
        if self.header_sign and name == "South":
            self.rotations["k"] *= -1

    def choose_sign(self, header: bool) -> None:
        """Take the published sign of the rotation of Ks in the south, or that of the headers."""
        if header != self.header_sign:
            self.header_sign = header
            if self.preset == "South":
                self.rotations["k"] *= -1

    # geometry ----------------------------------------------------------------------------------

    def geometry(self, band: str | None = None) -> ArrayGeometry:
        """Return how a band's array lies on the sky; the band shown if not given."""
        band = band or self.band
        rotation = self.rotations[band] + self.camera
        return ArrayGeometry(self.scales[band] * u.arcsec, rotation * u.deg)

    def rotation_error(self, band: str) -> float | None:
        """Return the published uncertainty of a band's rotation, degrees; None once it is moved."""
        preset = PRESETS[self.preset]
        moved = abs(self.rotations[band]) != abs(preset.rotations[band])
        return None if moved or self.camera else preset.errors.get(band)

    def steps(self) -> list[tuple[str, int, float, float]]:
        """Return rows of (band, frames, in-scan, cross-scan): pixels after one and six frames."""
        rows = []
        for band in BANDS:
            for n in (1, 6):
                along, across = self.geometry(band).dither(self.step * u.arcsec, n)
                rows.append((band, n, float(along), float(across)))
        return rows

    def phases(self, band: str | None = None) -> NDArray[np.float64]:
        """Return where in a pixel the star falls, (n, 2): along, across, from -0.5 to 0.5."""
        moved = self.geometry(band).phases(self.step * u.arcsec, self.n) + self.start
        return np.asarray(moved - np.rint(moved))

    def path(self) -> NDArray[np.float64]:
        """Return the star's places on the array, shape (m, 2): row, column, one row a frame.

        It comes in at an edge and leaves at the other; the middle of its path is the middle of
        the array.
        """
        along, across = self.geometry().dither(self.step * u.arcsec)
        reach = int(SIZE / abs(along) / 2)
        frame = np.arange(-reach, reach + 1)
        middle = (SIZE - 1) / 2
        return np.stack([middle + frame * along, middle + frame * across], axis=1)

    def drift(self) -> float:
        """Return how far a star moves across the columns while it crosses the array, pixels."""
        return float(SIZE * np.tan(self.geometry().rotation.to_value(u.rad)))

    # sampling ----------------------------------------------------------------------------------

    def distinct(self, band: str | None = None) -> float:
        """Return on how many really different places in a pixel the star falls."""
        return float(distinct_places(self.phases(band)))

    def scatter(self, band: str | None = None) -> float:
        """Return by how much its brightness depends on where it starts, in per cent."""
        return 100 * float(brightness_scatter(self.phases(band), self._fwhm_pixels(band)))

    def _fwhm_pixels(self, band: str | None = None) -> float:
        return self.fwhm / self.scales[band or self.band]

    def quality_map(self) -> tuple[NDArray[np.float64], tuple[float, ...], tuple[float, ...]]:
        """Return the map of `quantity`, and the ends of its steps and of its rotations.

        Returns
        -------
        image : array, shape (81, 121)
            Rows are rotations of the array (the camera's included), columns steps.
        steps, rotations : (low, high)
            Arcsec and degrees.
        """
        scale = round(self.scales[self.band], 4)
        image = _quality(self.quantity, scale, self.n, round(self.fwhm, 2))
        return image, LIMITS["step"], LIMITS["rotation"]

    def pixel(self, n: int = 50) -> NDArray[np.float64]:
        """Return the response within a pixel, shape (n, n), relative to its mean."""
        place = (np.arange(n) + 0.5) / n - 0.5
        along = response(place)
        return np.outer(along, along)

    def counts(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return how star counts vary across a scan: distance to the edge (arcsec), per cent.

        Of stars near the limit as many more are found as are brighter; counts are taken to rise
        as 10**(0.4 m), so that they vary as the signal does.
        """
        edge = np.linspace(0, 20, 401)
        across = (_HALF_SCAN - edge) / self.scales[self.band]
        signal = column_signal(across, self.phases(), self._fwhm_pixels())
        return edge, 100 * (signal - 1)

    def star_image(self) -> NDArray[np.float64]:
        """Return a star of the frames put together, as a fraction of its light a square arcsec.

        Each pixel's signal is spread evenly over the pixel, as the simplest coadd does.

        Returns
        -------
        array, shape (64, 64)
            16 arcsec a side, in steps of a quarter of an arcsec, the star in the middle.
        """
        scale, half = self.scales[self.band], 6
        cells = (np.arange(65) - 32) / 4  # edges, arcsec from the star
        pixels = np.arange(-half, half + 2) - 0.5
        image = np.zeros((64, 64))
        for along, across in self.phases():
            rows, columns = (_overlap(cells, (pixels - at) * scale) for at in (along, across))
            image += rows @ star_pixels(along, across, self.fwhm / scale, half) @ columns.T
        return image / self.n * 16

    def star_signal(self) -> float:
        """Return the brightness of this star by its places, in per cent above the mean."""
        phases = self.phases()
        return 100 * float(star_response(*phases.T, self._fwhm_pixels()).mean() - 1)

    # what it says of itself --------------------------------------------------------------------

    def title(self) -> str:
        """Band, and the dither."""
        return f"{BAND_NAMES[self.band]} · step {self.step:.2f}″ · {self.preset}"

    def sign_note(self) -> str:
        """Say what the sources disagree about, where they do."""
        if self.preset != "South":
            return ""
        used = "headers" if self.header_sign else "published table"
        return (
            "Ks in the south: the published table has +0.175°, the headers of real Atlas Images "
            f"show the opposite sign (−0.12° to −0.19°). Shown: the sign of the {used}."
        )

    def state(self) -> dict[str, Any]:
        """Return everything that is chosen, as JSON can hold it."""
        return {
            "preset": self.preset,
            "band": self.band,
            "step": self.step,
            "camera": self.camera,
            "scales": dict(self.scales),
            "rotations": dict(self.rotations),
            "n": self.n,
            "fwhm": self.fwhm,
            "start": list(self.start),
            "header_sign": self.header_sign,
            "quantity": self.quantity,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Turn to what `state` returned.

        Raises
        ------
        NotFoundError
            If it names what is not there.
        """
        unknown = set(state) - set(self.state())
        if unknown:
            message = f"the state of a dither explorer has no {', '.join(sorted(unknown))}"
            raise NotFoundError(message)
        if "header_sign" in state:
            self.header_sign = bool(state["header_sign"])
        if "preset" in state:
            self.show_preset(state["preset"])
        for name, value in state.items():
            if name in ("scales", "rotations"):
                setattr(self, name, {band: float(value[band]) for band in BANDS})
            elif name == "start":
                self.start = (float(value[0]), float(value[1]))
            elif name == "band":
                self.band = parse_band(value)
            elif name not in ("preset", "header_sign"):
                setattr(self, name, value)


@lru_cache(maxsize=32)
def _quality(quantity: str, scale: float, n: int, fwhm: float) -> NDArray[np.float64]:
    steps = np.linspace(*LIMITS["step"], _GRID[0])
    angles = np.deg2rad(np.linspace(*LIMITS["rotation"], _GRID[1]))[:, None]
    one = np.stack([steps * np.cos(angles), steps * np.sin(angles)], axis=-1) / scale
    phases = np.arange(n)[:, None] * one[..., None, :]
    if quantity == "distinct places":
        return np.asarray(distinct_places(phases))
    return np.asarray(100 * brightness_scatter(phases, fwhm / scale))


def _overlap(cells: NDArray[np.float64], pixels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return which share of each pixel (column) lies in each cell (row), from their edges."""
    low = np.maximum(cells[:-1, None], pixels[:-1])
    high = np.minimum(cells[1:, None], pixels[1:])
    return np.asarray(np.clip(high - low, 0, None) / np.diff(pixels))


def _listed(images: Any) -> Iterable[Any]:
    if isinstance(images, AtlasImage) or not hasattr(images, "__iter__") or isinstance(images, str):
        return [images]
    return images


def _measure(image: Any) -> tuple[str, str, float, float]:
    """Return name, band, step (arcsec) and rotation (degrees) of a real coadd's own header."""
    if not isinstance(image, AtlasImage):
        image = AtlasImage.open(image)
    across, along = (float(part.to_value(u.arcsec)) for part in image.frame_step)
    rotation = float(np.rad2deg(np.arctan(across / along)))
    return f"{image.scan_id} {image.coadd}", image.band, float(np.hypot(along, across)), rotation
