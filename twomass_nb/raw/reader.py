"""One raw scan as frames: what its file, its name and its parameter file say, read when asked."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import NotFoundError, TwomassWarning
from ..scan import BAND_NAMES, ScanId, parse_band
from .beside import band_of, kind_of, par_of, scan_id_of, sibling_of
from .layout import Layout
from .packing import says_simulated
from .screening import check_before_reading
from .source import FrameSource, Shape

if TYPE_CHECKING:
    from astropy.wcs import WCS
    from dask.array import Array as DaskArray

    from ..array import ArrayGeometry, ScanTrack
    from ..tables import Par
    from .times import FrameTimes

__all__ = ["RawScan", "Read", "open_scan"]


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
        If the file is cut off (naming the last whole frame), something follows its end, or its
        .par file has another number of frames.
    """
    scan = RawScan(path, band, layout, cache)
    if scan.must_be_read:
        _ = scan.n_frames
    return scan


class Read:
    """One of the two reads of a scan: ``scan.r1(i)`` is a frame, ``scan.r1.array`` all of them."""

    def __init__(self, scan: RawScan, index: int) -> None:
        self._scan, self._index = scan, index

    def __call__(self, i: int) -> NDArray[np.uint16]:
        """Return frame `i`, counted from 0: array of uint16, shape (256, 256), read-only.

        Row 0 is the southernmost; x rises to the west.

        Raises
        ------
        NotFoundError
            If the scan has no such frame.
        """
        return self._scan.frame(i)[self._index]

    @property
    def array(self) -> NDArray[np.uint16]:
        """All frames, shape (n_frames, 256, 256); a read-only view."""
        return self._scan.frames[:, self._index]

    def __repr__(self) -> str:
        return f"<r{self._index + 1} of {self._scan!r}>"


class RawScan:
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
        if not isinstance(path, (str, os.PathLike)) or not isinstance(os.fspath(path), str):
            msg = f"{path!r} is no path of a raw file: give its name, as 'j1186063.rds.gz'"
            raise NotFoundError(msg)
        if layout is not None and not isinstance(layout, Layout):
            layout = Layout(layout)
        self.path = Path(path)
        self.folder = self.path.parent
        check_before_reading(self.path)
        self._source = FrameSource(self.path, layout, cache)
        self._warned = False
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

    @property
    def r1(self) -> Read:
        """The first read, 52 ms after the reset."""
        return Read(self, 0)  # not kept: two that know each other outlive their last use

    @property
    def r2(self) -> Read:
        """The second read, 1350 ms after the reset."""
        return Read(self, 1)

    # What the name and the files beside it say -------------------------------------------

    @cached_property
    def scan_id(self) -> ScanId | None:
        """The scan; None if the name, the folder (as ``000529s``) and the .par do not say it."""
        return scan_id_of(self.path, self.par)

    @cached_property
    def par(self) -> Par | None:
        """The parameter file beside the raw file, or None."""
        return par_of(self.path)

    @property
    def simulated(self) -> bool:
        """Whether the file's gzip header or its parameter file says that this scan never was.

        An uncompressed raw file has no room for a mark of its own.
        """
        return says_simulated(self.path) or (self.par is not None and self.par.simulated)

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

    # Pixels -----------------------------------------------------------------------------

    @property
    def must_be_read(self) -> bool:
        """Whether only its whole content can tell how, and if, the file can be opened."""
        return self._source.must_be_read

    @property
    def frames(self) -> NDArray[np.uint16]:
        """All frames, shape (n_frames, 2, 256, 256): axes frame, read, row, column; read-only.

        A memory map for an uncompressed ``.rdo`` in this machine's byte order, and for frames
        found in the cache. A file must not be cut short while it is mapped: where it ends early
        the system ends the process. Single frames are safe from that.
        """
        frames = self._source.frames()
        self._look()
        return frames

    def _look(self) -> tuple[Shape, tuple[Layout, str]]:
        """Return what the file says; warn, once, of a bad end or of a table that differs."""
        shape, chosen = self._source.look()
        if not self._warned:
            self._warned = True
            for text in self._warnings(shape):
                warnings.warn(text, TwomassWarning, stacklevel=4)
        return shape, chosen

    def _warnings(self, shape: Shape) -> Iterator[str]:
        n, name = shape.n_frames, self.path.name
        if shape.truncated:
            yield (
                f"{name} is cut off: its last whole frame is {n - 1}, counted from 0; "
                "fetch it again"
            )
        if shape.rubbish:
            yield (
                f"{name} has {shape.rubbish} bytes of rubbish after its end, which are ignored: "
                f"its last frame is {n - 1}, counted from 0, if they hide no more"
            )
        expected = self.par.get("NUMFRMS") if self.par else None
        if not shape.truncated and expected is not None and expected != n:
            yield f"{name} holds {n} frames, its .par says {expected}: the file counts"

    @property
    def n_frames(self) -> int:
        """Number of (whole) frames in the file."""
        return self._look()[0].n_frames

    @property
    def truncated(self) -> bool:
        """Whether the file is cut off; its frames are those before the cut."""
        return self._look()[0].truncated

    @property
    def layout(self) -> Layout:
        """Word order the file is decoded with."""
        return self._look()[1][0]

    @property
    def layout_source(self) -> str:
        """How the word order is known: given, documented, found, learnt, or that of its night."""
        return self._look()[1][1]

    def check_frame(self, i: int) -> int:
        """Return `i` if it is the number of a frame.

        Raises
        ------
        NotFoundError
            If it is not; frames are counted from 0, and not from the end.
        """
        n = self.n_frames
        if not isinstance(i, (int, np.integer)) or isinstance(i, bool) or not 0 <= i < n:
            msg = f"there is no frame {i!r} in {self.path.name}: it has frames 0 to {n - 1}"
            raise NotFoundError(msg)
        return int(i)

    def frame(self, i: int) -> NDArray[np.uint16]:
        """Return both reads of frame `i`: array of uint16, shape (2, 256, 256), read-only."""
        return self._source.frame(self.check_frame(i))

    def difference(self, i: int) -> NDArray[np.int32]:
        """Return r2 - r1 of frame `i`: array of int32, shape (256, 256); may be negative."""
        both = self.frame(i).astype(np.int32)
        return both[1] - both[0]

    def to_dask(self, frames_per_chunk: int = 16) -> DaskArray:
        """Return all frames as a lazy Dask array, shape (n_frames, 2, 256, 256) of uint16.

        Tasks open the file where they run, also in other processes and on other machines that
        see it under the same path; frames come out of the cache where they are in it. Without a
        cache each chunk reads the whole file again.

        Parameters
        ----------
        frames_per_chunk : int, optional
            4 MB for 16.

        Raises
        ------
        TwomassError
            If Dask is not installed.
        """
        from .lazy import as_dask

        _ = self._look()
        return as_dask(self._source, frames_per_chunk)

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
