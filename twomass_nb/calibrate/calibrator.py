"""What a calibrator does: it is made from scans, takes raw frames, is kept and shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from ..errors import CalibrationError
from .flags import unusable
from .leftout import name_of
from .maps import Maps, Pixels
from .matching import require_match, require_usual_exposure
from .saturation import seen_limits
from .science import Science, science
from .sky import SkyOffsets, sky_offsets

if TYPE_CHECKING:
    from astropy.nddata import CCDData
    from dask.array import Array as DaskArray

    from ..night import Night
    from ..raw import RawScan

__all__ = ["READS", "Calibrator"]

READS = ("r1", "r2-r1")


@dataclass(frozen=True, eq=False, repr=False)
class Calibrator(Maps):
    """Turns raw frames of one band into calibrated ones; see `from_scans` and `from_night`.

    What it has are the maps and facts of `~twomass_nb.calibrate.maps.Maps`.
    """

    # Making one ------------------------------------------------------------------------------

    @classmethod
    def from_scans(cls, darks: Iterable[RawScan], twilights: Iterable[RawScan]) -> Calibrator:
        """Make a calibrator from dark and twilight scans.

        Parameters
        ----------
        darks, twilights : open scans, or one
            Of one band, site and state of the hardware.

        Raises
        ------
        CalibrationError
            If there are none, they do not belong together, or too few of their frames are of use.
        """
        from .making import from_scans

        return from_scans(darks, twilights)

    @classmethod
    def from_night(cls, folder: Night | str | PathLike[str], band: str) -> Calibrator:
        """Make a calibrator from the darks and twilights of a night.

        Parameters
        ----------
        folder : path or Night
        band : {"j", "h", "k"}

        Raises
        ------
        CalibrationError
            If the night has none: `twomass_nb.calibrate.nearest` looks in others.
        """
        from .making import from_night

        return from_night(folder, band)

    def with_saturation(self, *scans: RawScan) -> Calibrator:
        """Return this calibrator with limits of saturation measured in scans with bright stars."""

        def frames() -> Iterator[tuple[NDArray[np.uint16], NDArray[np.bool_]]]:
            for scan in scans:
                self.require(scan)
                for i in range(scan.n_frames):
                    both = scan.frame(i)
                    yield both[1], self.lost(both)

        limit = seen_limits(frames(), self.dark_r1)
        return replace(self, saturation=np.minimum(limit, self.saturation))

    # Using it --------------------------------------------------------------------------------

    def require(self, scan: RawScan) -> None:
        """Refuse a scan that this cannot calibrate.

        Raises
        ------
        CalibrationError
            If it is of another band, site or state of the hardware, has long exposures, or one of
            the two is simulated and the other is not.
        """
        require_usual_exposure(scan)
        require_match(scan, self.band, self.simulated, [*self.darks, *self.twilights])

    def frame(
        self,
        scan: RawScan,
        i: int,
        read: str = "r2-r1",
        *,
        sky: SkyOffsets | None = None,
        correct_first_column: bool = False,
    ) -> CCDData:
        """Return a calibrated frame.

        Parameters
        ----------
        scan : RawScan
        i : int
            Frame, counted from 0.
        read : {"r2-r1", "r1"}
            Read 1 is scaled to the light of r2 - r1: more noisy, but good where r2 is full.
        sky : SkyOffsets, optional
            Offsets of the scan, to subtract; see `sky_offsets`.
        correct_first_column : bool, optional
            Whether the responsivity of first columns that are not linear in bright twilight is
            lowered: by their sky offset if it is given, else by what the twilight shows; see
            docs/calibrating.md for what that can and cannot do.

        Returns
        -------
        `~astropy.nddata.CCDData`
            float32 of shape (256, 256) in DN (``adu``), NaN in bad pixels; its ``mask`` is True
            where a pixel is not to be used, ``flags`` says why, ``uncertainty`` is a standard
            deviation, ``wcs`` the predicted one (None if nothing says where it looked), ``meta``
            what was done. Row 0 is the southernmost.

        Raises
        ------
        CalibrationError
            If this cannot calibrate the scan.
        NotFoundError
            If there is no such frame.
        """
        from .frames import as_ccd

        self.require(scan)
        return as_ccd(self, scan, scan.check_frame(i), _read(read), sky, correct_first_column)

    def science(
        self,
        scan: RawScan,
        i: int,
        sky: SkyOffsets | None = None,
        *,
        correct_first_column: bool = False,
    ) -> Science:
        """Return a calibrated frame as plain arrays, made for coadding: r2 - r1, and r1 with it.

        Where read 2 alone is full, there is read 1 scaled to the light of r2 - r1: such pixels
        have the flag ``SATURATED_R2``, are not masked, and their variance is that of read 1.

        Parameters
        ----------
        scan : RawScan
        i : int
            Frame, counted from 0.
        sky : SkyOffsets, optional
            Offsets of the scan in r2 - r1, to subtract.
        correct_first_column : bool, optional
            See `frame`.

        Returns
        -------
        Science
            ``pixels`` and ``variance`` (float32, DN and its square), ``flags`` (uint8) and
            ``mask`` (bool, True: do not use), each of shape (256, 256).

        Raises
        ------
        CalibrationError
            If this cannot calibrate the scan.
        NotFoundError
            If there is no such frame.
        """
        self.require(scan)
        return science(self, scan, scan.check_frame(i), sky, correct_first_column)

    def frames(
        self,
        scan: RawScan,
        read: str = "r2-r1",
        *,
        sky: SkyOffsets | None = None,
        correct_first_column: bool = False,
    ) -> Iterator[CCDData]:
        """Yield the calibrated frames of a scan one by one; see `frame`."""
        for i in range(scan.n_frames):
            yield self.frame(scan, i, read, sky=sky, correct_first_column=correct_first_column)

    def to_dask(
        self, scan: RawScan, read: str = "r2-r1", correct_first_column: bool = False
    ) -> DaskArray:
        """Return all calibrated frames as a lazy Dask array, (n_frames, 256, 256) of float32.

        Raises
        ------
        TwomassError
            If Dask is not installed.
        """
        self.require(scan)
        pixels = cast(Any, self.pixels)  # which gets the blocks as arrays
        return scan.to_dask().map_blocks(
            pixels, _read(read), correct_first_column, dtype=np.float32, drop_axis=1,
            meta=np.empty((0, 0, 0), np.float32),
        )  # fmt: skip

    def flags(self, scan: RawScan, i: int) -> NDArray[np.uint8]:
        """Return the flags of a frame's pixels, `Flag` bits, shape (256, 256)."""
        self.require(scan)
        return self.frame_flags(scan.frame(i))

    def sky_offsets(self, scan: RawScan, read: str = "r2-r1") -> SkyOffsets:
        """Measure the sky offsets of a scan: trimmed averages over blocks of at least 42 frames.

        Frames whose background has structure of its own, as of a nebula, are left out, and the
        nearest others taken. A scan of fewer than 42 frames is one block: the fewer, the more
        of its stars is left in it.

        Parameters
        ----------
        scan : RawScan
        read : {"r2-r1", "r1"}

        Warns
        -----
        TwomassWarning
            If the scan's frames are too few, or the sky has structure in too many of them, for
            the large-scale part of the offsets to be trusted.
        """
        self.require(scan)
        masked = unusable(_read(read))

        def frame(i: int) -> tuple[Pixels, NDArray[np.bool_]]:
            both = scan.frame(i)
            return self.pixels(both, read), (self.frame_flags(both) & masked) != 0

        return sky_offsets(
            frame, scan.n_frames, name_of(scan), self.band, _read(read), scan.simulated
        )

    # Keeping and showing ---------------------------------------------------------------------

    def save(self, path: str | PathLike[str], overwrite: bool = False) -> Path:
        """Write it as a FITS file of some 3 MB.

        Raises
        ------
        ExistsError
            If the file is there already.
        """
        from .storage import save

        return save(self, Path(path), overwrite)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Calibrator:
        """Read what `save` wrote.

        Raises
        ------
        CalibrationError
            If the file is no calibrator, or damaged.
        """
        from .storage import load

        return load(Path(path))

    def __repr__(self) -> str:
        from .showing import as_text

        return as_text(self)

    def _repr_html_(self) -> str:
        from .showing import as_html

        return as_html(self)


def _read(read: str) -> str:
    if read not in READS:
        msg = f"{read!r} is not a read that can be calibrated: use 'r2-r1' or 'r1'"
        raise CalibrationError(msg)
    return read
