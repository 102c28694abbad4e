"""Where the locator explorer finds the raw frames of a scan that a person has chosen."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import NotFoundError
from ..raw import open_scan
from ..scan import BANDS, ScanId
from .frames import FramesExplorer, frames

if TYPE_CHECKING:
    from astropy.coordinates import SkyCoord

__all__ = ["Archive", "frames_of", "raw_file"]

#: A folder of night folders, or a function from a scan to a path or an open scan.
Archive = str | PathLike[str] | Callable[[ScanId], Any]


def raw_file(folder: str | PathLike[str], scan_id: ScanId) -> Path:
    """Return a raw file of a scan in a folder of night folders: J if it is there, else H, Ks.

    Raises
    ------
    NotFoundError
        If there is none; it says which file would be needed.
    """
    night = Path(folder).expanduser() / scan_id.night
    for band in BANDS:
        for suffix in (".rds.gz", ".rds", ".rdo.gz", ".rdo"):
            path = night / f"{scan_id.stem(band)}{suffix}"
            if path.is_file():
                return path
    message = (
        f"the raw frames of {scan_id} are not here: put {scan_id.night}/{scan_id.stem('j')}.rds.gz"
        f" (or another band) into {night.parent}"
    )
    raise NotFoundError(message)


def frames_of(
    archive: Archive | None, scan_id: ScanId, frame: int, target: SkyCoord | None
) -> FramesExplorer:
    """Return a frame explorer of a scan, on the frame and with the target marked.

    Parameters
    ----------
    archive : folder or callable, or None
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
    if archive is None:
        message = (
            f"to see frames, give locator(…, archive=folder) the folder that holds "
            f"{scan_id.night}/{scan_id.stem('j')}.rds.gz"
        )
        raise NotFoundError(message)
    found = archive(scan_id) if callable(archive) else raw_file(archive, scan_id)
    if found is None:
        message = f"the function given as archive knows no raw frames of {scan_id}"
        raise NotFoundError(message)
    scan = open_scan(found) if isinstance(found, str | PathLike) else found
    seen = 0 <= frame < scan.n_frames
    return frames(scan, frame=int(frame) if seen else None, target=target)
