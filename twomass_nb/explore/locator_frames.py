"""How the frames of a scan that a person has chosen in the locator are found and opened."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from typing import TYPE_CHECKING, Any

from ..archive import find_files
from ..errors import NotFoundError
from ..raw import open_scan
from ..scan import ScanId
from .frames import FramesExplorer, frames

if TYPE_CHECKING:
    from astropy.coordinates import SkyCoord

__all__ = ["Archive", "frames_of"]

#: A folder as `find_files` takes them, or a function from a scan to a path or an open scan.
Archive = str | PathLike[str] | Callable[[ScanId], Any]


def frames_of(
    archive: Archive | None, scan_id: ScanId, frame: int, target: SkyCoord | None
) -> FramesExplorer:
    """Return a frame explorer of a scan, on the frame and with the target marked.

    Parameters
    ----------
    archive : folder or callable, or None
        Where its files are looked for; None: in the folders of ``TWOMASS_NB_ARCHIVE`` and among
        what was fetched. J is shown if it is there, else H or Ks.
    scan_id : ScanId
    frame : int
        Frame predicted to see the target best; -1 for none. A file that ends before it opens on
        the frame that comes nearest.
    target : `~astropy.coordinates.SkyCoord` or None

    Raises
    ------
    TwomassError
        If the scan's files are not there, or cannot be read.
    """
    found = archive(scan_id) if callable(archive) else find_files(scan_id, roots=archive)[0].path
    if found is None:
        message = f"the function given as archive knows no raw frames of {scan_id}"
        raise NotFoundError(message)
    scan = open_scan(found) if isinstance(found, str | PathLike) else found
    seen = 0 <= frame < scan.n_frames
    return frames(scan, frame=int(frame) if seen else None, target=target)
