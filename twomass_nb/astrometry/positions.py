"""Where the frames of a scan really looked, and how well that is known."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.wcs import WCS
from numpy.typing import NDArray

from ..array import ArrayGeometry, ScanTrack
from ..errors import NotFoundError

__all__ = ["Positions"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class Positions:
    """Positions of a scan's frames; made by `twomass_nb.astrometry.reconstruct`.

    Attributes
    ----------
    scan, band : str
        Which scan, as ``"990502s135"``.
    track : ScanTrack
        The great circle and the mean step that fit the frames best. Without a reference its
        place and direction on the sky are as predicted, and so is its `uncertainty`.
    geometry : ArrayGeometry
        Rotation of the array against the track, measured, with its error. The plate scale is
        measured if there is a reference, else as given; so is the parity.
    step, step_error : (float, float)
        Mean in-scan and cross-scan step of a frame, arcsec: DYFS and DXFS of Atlas headers.
    offsets : array, shape (n_frames, 2)
        Arcsec (along, west) of each frame's centre from the track; 0 for frames not measured.
    errors : array, shape (n_frames, 2)
        Of the centres: against the reference if there is one, else against the mean of the frames
        measured. They grow away from frames measured.
    matched : array of int, shape (n_frames,)
        Stars of each frame that were matched with other frames or the reference.
    reference : str
        What the positions are relative to.
    reference_stars : int
        Stars of the reference that were found in frames.
    fwhm : float
        Of the stars, arcsec; NaN if there are none.
    jitter : float
        How far frames lie off a smooth track, arcsec rms a direction.
    star_error : float
        Error of a star's place in a frame beyond that of noise, arcsec.
    plate_scale_error : float
        Arcsec a pixel; NaN if it was not measured.
    simulated : bool
    """

    scan: str
    band: str
    track: ScanTrack
    geometry: ArrayGeometry
    step: tuple[float, float]
    step_error: tuple[float, float]
    offsets: Floats
    errors: Floats
    matched: NDArray[np.int64]
    reference: str
    reference_stars: int
    fwhm: float
    jitter: float
    star_error: float
    plate_scale_error: float
    simulated: bool

    def wcs(self, i: int) -> WCS:
        """Return the WCS of frame `i`: TAN, shape (256, 256).

        Raises
        ------
        NotFoundError
            If the scan has no such frame.
        """
        n = self.track.n_frames
        if not 0 <= i < n:
            msg = f"there is no frame {i}: this scan has frames 0 to {n - 1}"
            raise NotFoundError(msg)
        along, west = self.offsets[i]
        at = i * self.track.step + along
        ra, dec = self.track.positions(at, west)
        return self.geometry.frame_wcs(
            SkyCoord(ra, dec, unit="deg"), self.track.pa_at(at / self.track.step)
        )

    @property
    def measured(self) -> NDArray[np.bool_]:
        """Which frames had stars matched."""
        return np.asarray(self.matched > 0)

    def __repr__(self) -> str:
        mark = ", SIMULATED" if self.simulated else ""
        n = int(self.measured.sum())
        if not n:
            return f"<Positions {self.scan} {self.band}: {self.reference}{mark}>"
        text = "; ".join(f"{name.lower()} {value}" for name, value in self._facts())
        return f"<Positions {self.scan} {self.band}: {text}{mark}>"

    def _repr_html_(self) -> str:
        mark = " · SIMULATED" if self.simulated else ""
        rows = "".join(
            f"<tr><td>{escape(name)}</td><td style='text-align:left'>{escape(value)}</td></tr>"
            for name, value in self._facts()
        )
        return f"<b>Positions {escape(self.scan)} {self.band}{mark}</b><table>{rows}</table>"

    def _facts(self) -> list[tuple[str, str]]:
        n = int(self.measured.sum())
        rotation, error = self.geometry.rotation.value, self.geometry.rotation_error
        give = f" ± {error.value:.4f}" if error is not None else ""
        scale = self.geometry.plate_scale.value
        known = np.isfinite(self.plate_scale_error)
        facts = [
            ("Relative to", self.reference),
            ("Frames measured", f"{n} of {self.track.n_frames}"),
            ("Rotation", f"{rotation:+.4f}{give} deg"),
            ("In-scan step", f"{self.step[0]:.4f} ± {self.step_error[0]:.4f} arcsec"),
            ("Cross-scan step", f"{self.step[1]:.4f} ± {self.step_error[1]:.4f} arcsec"),
            (
                "Plate scale",
                f"{scale:.5f} ± {self.plate_scale_error:.5f} arcsec"
                if known
                else f"{scale:.4f} arcsec, given",
            ),
        ]
        if n:
            stars = int(np.median(self.matched[self.measured]))
            middle = float(np.median(self.errors[self.measured]))
            facts += [
                ("Stars a frame", str(stars)),
                ("Error of a frame", f"{middle:.3f} arcsec"),
                ("Jitter", f"{self.jitter:.3f} arcsec"),
                ("Width of stars", f"{self.fwhm:.2f} arcsec"),
            ]
        return facts
