"""The maps of one array at one time, and the arithmetic that takes raw reads through them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .flags import Flag
from .leftout import LeftOut
from .response import FirstColumn, first_column_map
from .saturation import DIGITAL_LIMIT, lost_light, saturation_flags

__all__ = ["Maps", "Pixels"]

Pixels = NDArray[np.float32]


@dataclass(frozen=True, eq=False, repr=False)
class Maps:
    """What a calibrator is made of; see `twomass_nb.calibrate.Calibrator`.

    Maps are arrays of float32 of shape (256, 256), in DN as they were read out.

    Attributes
    ----------
    band : {"j", "h", "k"}
    darks, twilights : tuple of str
        The scans it is made from, as ``"000602s090"``.
    dark, dark_error : array
        r2 - r1 without light, and its standard error.
    dark_r1, dark_r1_error : array
        The same of read 1.
    noise, noise_r1 : array
        Standard deviation of r2 - r1, and of read 1, in a single dark frame.
    responsivity, responsivity_error : array
        Relative, the median is 1; NaN where it is not known.
    share1 : array
        Signal of read 1 over that of r2 - r1.
    saturation : array
        Raw value from which on a pixel is saturated; 65535 where no star has shown it, see
        `with_saturation`.
    mask : array of uint8
        `Flag` bits that pixels have in any frame.
    gain : float
        Electrons a DN.
    n_dark, n_twilight : int
        Frames used.
    levels : tuple of float
        Lowest and highest level of the twilight frames used, DN.
    star_pixels : int
        Values of twilight frames left out for the stars in them.
    nonlinearity : float
        By what share the slopes of the twilight exaggerated the differences between pixels.
    first_columns : tuple of FirstColumn
        The first column read of each quadrant in bright twilight.
    left_out : tuple of LeftOut
        Frames and scans not used, and why.
    canonical : tuple of str
        Nights whose mean the responsivity is; empty where it is that of `twilights`.
    simulated : bool
    """

    band: str
    darks: tuple[str, ...]
    twilights: tuple[str, ...]
    dark: Pixels
    dark_error: Pixels
    dark_r1: Pixels
    dark_r1_error: Pixels
    noise: Pixels
    noise_r1: Pixels
    responsivity: Pixels
    responsivity_error: Pixels
    share1: Pixels
    saturation: Pixels
    mask: NDArray[np.uint8]
    gain: float
    n_dark: int
    n_twilight: int
    levels: tuple[float, float]
    star_pixels: int
    nonlinearity: float
    first_columns: tuple[FirstColumn, ...]
    left_out: tuple[LeftOut, ...]
    simulated: bool
    canonical: tuple[str, ...] = ()

    @property
    def saturation_seen(self) -> bool:
        """Whether a limit of saturation was measured in any quadrant."""
        return bool((self.saturation < DIGITAL_LIMIT).any())

    def pixels(
        self, both: NDArray[np.uint16], read: str = "r2-r1", correct_first_column: bool = False
    ) -> Pixels:
        """Calibrate raw reads, (..., 2, 256, 256) of uint16, without their sky offset.

        Returns
        -------
        array of float32, shape (..., 256, 256)
            NaN in bad pixels.
        """
        signal = self.signal(both, read)
        signal /= self.divisor(read, correct_first_column)
        return signal

    def signal(self, both: NDArray[np.uint16], read: str) -> Pixels:
        """Return raw reads above the dark, DN."""
        first = both[..., 0, :, :].astype(np.float32)
        if read == "r1":
            return first - self.dark_r1
        return both[..., 1, :, :] - first - self.dark

    def divisor(self, read: str, correct_first_column: bool = False) -> Pixels:
        """Return what signals are divided by: responsivity, and for r1 its share of the light."""
        divisor = np.where(self.mask & np.uint8(Flag.BAD), np.nan, self.responsivity)
        if correct_first_column:
            divisor = divisor / first_column_map(self.first_columns)
        if read == "r1":
            divisor = divisor * self.share1
        return divisor.astype(np.float32)

    def variance(
        self, signal: Pixels, read: str, divisor: Pixels, relative_error: Pixels
    ) -> Pixels:
        """Return the variance of calibrated pixels.

        It is of the noise of reading and of photons, of the dark and of the responsivity; the
        last two are the same in all frames, but not in the frames of a place of the sky, which
        moves from pixel to pixel.

        Parameters
        ----------
        signal, divisor : array, shape (256, 256)
            See `signal` and `divisor`.
        relative_error : array, shape (256, 256)
            Of the responsivity.
        """
        noise, dark = (
            (self.noise_r1, self.dark_r1_error) if read == "r1" else (self.noise, self.dark_error)
        )
        variance = noise**2 + dark**2 + np.maximum(signal, 0) / np.float32(self.gain)
        variance += (signal * relative_error) ** 2
        return np.asarray(variance / divisor**2)

    def lost(self, both: NDArray[np.uint16]) -> NDArray[np.bool_]:
        """Say in which pixels of raw reads r2 - r1 lacks light that read 1 foretells."""
        return lost_light(
            self.signal(both, "r1"), self.signal(both, "r2-r1"), self.share1, self.noise_r1,
            self.gain,
        )  # fmt: skip

    def frame_flags(self, both: NDArray[np.uint16]) -> NDArray[np.uint8]:
        """Return the flags of raw reads, (2, 256, 256): those of the pixels and of saturation."""
        full = saturation_flags(both, self.saturation, self.lost(both), self.noise)
        return np.asarray(self.mask | full)
