"""One raw scan: frames, and what the file's name and its parameter file say of them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import NotFoundError, TwomassError, warn
from ..scan import BAND_NAMES, ScanId, parse_band
from .beside import band_of, kind_of, par_of, scan_id_of, sibling_of
from .frames import RawFrames
from .layout import Layout
from .packing import says_simulated
from .source import Shape

if TYPE_CHECKING:
    from astropy.wcs import WCS

    from ..array import ArrayGeometry, ScanTrack
    from ..tables import Par
    from .times import FrameTimes

__all__ = ["RawScan", "open_scan"]


def open_scan(
    path: Any, band: str | None = None, layout: Layout | None = None, cache: bool = True
) -> RawScan:
    """Open a raw scan: what is wrong with a file is said here, frames are decoded when asked for.

    A file is read through at once only if its word order must be found in its content or its
    end does not look whole. Otherwise damage in its middle shows with the first frame.

    Parameters
    ----------
    path : path
        ``.rds`` or ``.rdo``, as they are or with ``.gz``.
    band : {"j", "h", "k"}, optional
        For files whose name does not say it. Where the name does, it must agree: another band
        of the scan is ``open_scan(path).sibling(band)``.
    layout : Layout, optional
        Word order of an ``.rds`` file. Otherwise it is detected from the content, or learnt
        from a pair in the folder, or that found for another scan of the folder in this session
        if the content does not contradict it.
    cache : bool, optional
        Whether decoded frames are kept: in memory, and from then on in the cache folder, where
        any frame is found again in a millisecond, by other processes too. If not, only the
        file's own bytes are kept as long as the scan is used, frames are decoded each time they
        are asked for, and the cache folder is not looked at.

    Returns
    -------
    RawScan

    Raises
    ------
    NotFoundError
        If there is no such file.
    RawFileError
        If it is no raw file, or broken.
    LayoutError
        If the word order is not certain.

    Warns
    -----
    TwomassWarning
        If the file is cut off (naming the last whole frame), something follows its end, its .par
        file has another number of frames or cannot be read, or its word order is that of files
        elsewhere since its own content does not tell.
    """
    scan = RawScan(path, band, layout, cache)
    if scan.must_be_read:
        _ = scan.n_frames
    return scan


class RawScan(RawFrames):
    """A raw scan in one band; made by `open_scan`.

    Attributes
    ----------
    path, folder : Path
    band : str or None
        None where neither the name nor the caller says it.
    """

    def __init__(
        self,
        path: Any,
        band: str | None = None,
        layout: Layout | None = None,
        cache: bool = True,
    ) -> None:
        if isinstance(path, ScanId):
            example = f"{path.night}/{path.stem('j')}.rds.gz"
            msg = f"{path!r} is a scan, not a file: give the path of its file, as {example}"
            raise NotFoundError(msg)
        super().__init__(path, layout, cache)
        self._marked = says_simulated(self.path)
        self.band = band_of(self.path)
        if band is not None:
            asked = parse_band(band)
            if self.band not in (None, asked):
                msg = (
                    f"{self.path.name} is band {self.band}, not {asked}: open its own file, or "
                    f"use .sibling({asked!r})"
                )
                raise NotFoundError(msg)
            self.band = asked

    # What the name and the files beside it say -------------------------------------------

    @cached_property
    def scan_id(self) -> ScanId | None:
        """The scan; None if the name, the folder (as ``000529s``) and the .par do not say it."""
        return scan_id_of(self.path, self.par)

    @cached_property
    def par(self) -> Par | None:
        """The parameter file beside the raw file; None if there is none, or none that can be read.

        One that cannot be read does not hide the frames: it is a warning.
        """
        try:
            return self._read_par()
        except TwomassError as error:
            warn(f"{self.path.name} is read without its parameter file: {error}")
            return None

    def _read_par(self) -> Par | None:
        return par_of(self.path)

    @property
    def simulated(self) -> bool:
        """Whether the file's gzip header or its parameter file says that this scan never was.

        An uncompressed raw file has no room for a mark of its own.
        """
        return self._marked or (self.par is not None and self.par.simulated)

    def sibling(self, band: str) -> RawScan:
        """Open the same scan in another band, from the same folder.

        Raises
        ------
        NotFoundError
            If it is not there, or this file's name does not follow the archive's.
        """
        asked = parse_band(band)
        if asked == self.band:
            return self
        path = sibling_of(self.path, asked)
        layout = self._source.given if kind_of(path) == self._source.kind else None
        return RawScan(path, layout=layout, cache=self._source.cache)

    def _warnings(self, shape: Shape) -> Iterator[str]:
        yield from super()._warnings(shape)
        expected, n = self.par.get("NUMFRMS") if self.par else None, shape.n_frames
        if not shape.truncated and expected is not None and expected != n:
            yield f"{self.path.name} holds {n} frames, its .par says {expected}: the file counts"

    # Where it looked --------------------------------------------------------------------

    @cached_property
    def track(self) -> ScanTrack:
        """Where the frames are on the sky: of a simulation exactly, else predicted.

        Raises
        ------
        NotFoundError
            If there is no parameter file, or it does not say.
        """
        from .pointing import track_of

        return track_of(self)

    @cached_property
    def times(self) -> FrameTimes:
        """When the frames were taken, as the parameter file says.

        Raises
        ------
        NotFoundError
            If there is no parameter file, or it does not say.
        """
        from .times import times_of

        return times_of(self)

    def wcs(self, i: int, band: str | None = None) -> WCS:
        """Return the predicted WCS of frame `i`.

        Parameters
        ----------
        i : int
        band : {"j", "h", "k"}, optional
            Whose array geometry to use, if not that of this file.

        Raises
        ------
        NotFoundError
            If there is no such frame, or nothing says where the scan was.
        """
        from .pointing import geometry_of

        i = self.check_frame(i)
        return self.track.wcs(i, geometry_of(self, band))

    def geometry(self, band: str | None = None) -> ArrayGeometry:
        """Return how a band's array lies on the sky."""
        from .pointing import geometry_of

        return geometry_of(self, band)

    def to_fits(
        self, i: int, read: str = "r2-r1", path: Any = None, overwrite: bool = False
    ) -> Path:
        """Write one frame as FITS; see `twomass_nb.raw.fits.write_frame`."""
        from .fits import write_frame

        return write_frame(self, i, read, path, overwrite)

    def to_fits_cube(
        self,
        path: Any = None,
        frames: range | None = None,
        compress: bool = False,
        overwrite: bool = False,
    ) -> Path:
        """Write both reads of all frames, or of a range; see `twomass_nb.raw.fits_cube`."""
        from .fits_cube import write_cube

        return write_cube(self, path, frames, compress, overwrite)

    def __reduce__(self) -> tuple[Any, ...]:
        source = self._source  # opened anew where it is unpickled
        return RawScan, (self.path, self.band, source.given, source.cache)

    def __repr__(self) -> str:
        parts = [str(self.scan_id or self.path.name)]
        if self.band:
            parts.append(BAND_NAMES[self.band])
        if shape := self._source.shape:
            parts.append(f"{shape.n_frames} frames{', cut off' if shape.truncated else ''}")
        if self._source.chosen:
            layout, source = self._source.chosen
            parts.append(f"order {layout}")
            if source.startswith("that of"):  # not certain from this file alone
                parts.append(source)
        if self.simulated:
            parts.append("SIMULATED")
        return f"<RawScan {', '.join(parts)}>"
