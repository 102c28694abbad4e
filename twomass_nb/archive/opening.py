"""How a scan is opened by its identity: found wherever its bytes are, then read as a path is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import NotFoundError, ScanNameError
from ..raw import Layout, RawScan
from ..raw import open_scan as open_file
from ..scan import FileName, ScanId, parse_band
from ..tables import Par, read_par
from .fetch import raw_file
from .finder import FoundFile, find_files

__all__ = ["open_scan"]


def open_scan(
    path: Any, band: str | None = None, layout: Layout | None = None, cache: bool = True
) -> RawScan:
    """Open a raw scan, by its path or by its identity.

    Parameters
    ----------
    path : path, ScanId or str
        A file, ``.rds`` or ``.rdo``, as they are or with ``.gz``. Or a scan, as a `ScanId` or as
        its text (``"000529s063"``, where no file has that name): its file is looked for in the
        folders of ``TWOMASS_NB_ARCHIVE``, among what was fetched, and fetched from the mirror
        ``TWOMASS_NB_MIRROR`` if that is set; see `twomass_nb.archive.find_files`.
    band : {"j", "h", "k"}, optional
        Needed for a scan. For a file only if its name does not say it; where it does, it must
        agree.
    layout : Layout, optional
        Word order of an ``.rds`` file; found or learnt if not given.
    cache : bool, optional
        Whether decoded frames are kept.

    Returns
    -------
    RawScan

    Raises
    ------
    ScanMissingError
        If a scan's file is nowhere: it names every place looked at, and its tape and disk.
    NotFoundError
        If there is no such file, or the band of a scan is not said.
    RawFileError
        If it is no raw file, or broken.
    LayoutError
        If the word order is not certain.

    Warns
    -----
    TwomassWarning
        If the file is cut off, or its .par file has another number of frames.
    """
    scan_id = _scan_asked(path)
    if scan_id is None:
        return open_file(path, band, layout, cache)
    if band is None:
        here = ", ".join(found.band for found in find_files(scan_id))
        msg = f"{scan_id} has files in {here}: say which band, as open_scan({scan_id!r}, band='k')"
        raise NotFoundError(msg)
    scan = _LocatedScan(raw_file(scan_id, parse_band(band)), layout, cache)
    if scan.must_be_read:
        _ = scan.n_frames
    return scan


class _LocatedScan(RawScan):
    """A raw scan whose identity is known from where it was found; its siblings are looked for.

    A tape's folder says the hemisphere, which a `RawScan` by itself could only read in the .par;
    and on disks that show names in upper case, the finder knows which file that is.
    """

    def __init__(self, found: FoundFile, layout: Layout | None, cache: bool) -> None:
        super().__init__(found.path, found.band, layout, cache)
        self.scan_id = found.scan_id
        self._par_beside, self._decoded_kept = found.par, cache

    def _read_par(self) -> Par | None:
        return read_par(self._par_beside) if self._par_beside else None

    def sibling(self, band: str) -> RawScan:
        """Open the same scan in another band, from the same folder if it is there."""
        try:
            other = super().sibling(band)
        except NotFoundError:
            return open_scan(self.scan_id, band, cache=self._decoded_kept)
        other.scan_id = self.scan_id
        return other


def _scan_asked(path: Any) -> ScanId | None:
    """Return the scan that is asked for by its identity; None for anything that is a path."""
    if isinstance(path, ScanId):
        return path
    if not isinstance(path, str) or Path(path).exists():
        return None
    try:
        FileName.parse(path)
    except ScanNameError:
        pass
    else:
        return None  # the name of a file
    try:
        return ScanId.parse(path)
    except ScanNameError:
        return None
