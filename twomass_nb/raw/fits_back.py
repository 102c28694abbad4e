"""How a FITS cube becomes the bytes of its raw file again: only if it is whole and unchanged."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from ..errors import NotFoundError, RawFileError, TwomassError
from .fits_cube import READS, rdo_hash
from .inflate import MAX_BYTES
from .layout import FRAME_BYTES, Layout

__all__ = ["Cube", "read_cube"]

_PIECE = 16  # frames taken at a time, so that little more than the scan itself is in memory


@dataclass(frozen=True)
class Cube:
    """A scan read from FITS.

    Attributes
    ----------
    data : array of uint8
        The bytes of the ``.rdo`` file.
    n_frames : int
    layout : Layout
        Word order of the raw file the cube was made from.
    from_rds : bool
        Whether that was an ``.rds`` file.
    simulated : bool
    """

    data: NDArray[np.uint8]
    n_frames: int
    layout: Layout
    from_rds: bool
    simulated: bool


def read_cube(path: Path) -> Cube:
    """Read a cube that `RawScan.to_fits_cube` wrote, compressed or not.

    Raises
    ------
    NotFoundError
        If there is no such file.
    RawFileError
        If it is no such cube, not of all frames, or not what was written: cut off, damaged,
        edited, or without checksums that could tell.
    """
    if not path.exists():
        msg = f"there is no file {path}"
        raise NotFoundError(msg)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # astropy only warns of what does not fit together
            # files opened here: astropy does not close its own when it fails
            with path.open("rb") as file, fits.open(file, disable_image_compression=True) as hdus:
                n = _frames_of(path, hdus)
                _check_sums(path, hdus)
            with path.open("rb") as file, fits.open(file, checksum=True) as hdus:
                return _read(path, hdus, n)
    except TwomassError:
        raise
    except Exception as error:  # of many kinds: whatever is wrong, these are not the frames
        why = " ".join(str(error).split()).rstrip(".")
        msg = f"{path} is damaged, edited or no FITS ({why}): write the cube again"
        raise RawFileError(msg) from None


def _frames_of(path: Path, hdus: fits.HDUList) -> int:
    """Return how many frames a cube has, from its headers alone, if it is one of a whole scan."""
    header, why = hdus[0].header, ""
    if header.get("RAWCUBE") is not True:
        why = "is FITS, but no cube of a raw scan as to_fits_cube writes it"
        if header.get("READ") in ("r1", "r2", "r2-r1"):
            why = f"is one frame's {header['READ']}: a raw file comes back from a whole cube only"
    elif header.get("CUTOFF"):
        why = "was made from a file that is cut off: a raw file from it would look whole"
    elif header["FRAME1"] != 0 or header["FRAME2"] != header["NUMFRMS"] - 1:
        why = (
            f"has frames {header['FRAME1']} to {header['FRAME2']} of {header['NUMFRMS']}: a raw "
            "file comes back from a cube of all frames only"
        )
    elif not 0 < header["NUMFRMS"] * FRAME_BYTES <= MAX_BYTES:
        why = f"claims {header['NUMFRMS']} frames: no scan has as many"
    if why:
        msg = f"{path} {why}"
        raise RawFileError(msg)
    return int(header["NUMFRMS"])


def _check_sums(path: Path, hdus: fits.HDUList) -> None:
    """Refuse what lacks a part, or checksums: others wrote it after us."""
    names = [hdu.name for hdu in hdus]
    if names != ["PRIMARY", *READS, "FRAMES"]:
        msg = f"{path} has the parts {', '.join(names)}: it is cut off or edited"
        raise RawFileError(msg)
    for hdu in hdus:
        if not {"CHECKSUM", "DATASUM"} <= set(hdu.header):
            msg = f"{path} has no checksums in {hdu.name}: it was edited; write the cube again"
            raise RawFileError(msg)
    last = hdus[-1].fileinfo()
    if path.stat().st_size != last["datLoc"] + last["datSpan"]:
        msg = f"{path} is cut off, or has more at its end than was written: write the cube again"
        raise RawFileError(msg)


def _read(path: Path, hdus: fits.HDUList, n: int) -> Cube:
    header = hdus[0].header
    layout = Layout(header["LAYOUT"])
    words = np.empty((n, 2, 256, 256), ">u2" if layout.high_first else "<u2")
    for at in range(0, n, _PIECE):
        piece = slice(at, min(at + _PIECE, n))
        for k, name in enumerate(READS):
            words[piece, k] = hdus[name].section[piece]
    if rdo_hash(words, layout.high_first) != header["RDOSHA"]:
        msg = f"{path} has other pixels than were written: they were edited; write the cube again"
        raise RawFileError(msg)
    source = str(header["SRCFILE"]).lower().removesuffix(".gz")
    simulated = any(hdu.header.get("SIMULATE") for hdu in hdus)  # each of them was marked
    data = words.reshape(-1).view(np.uint8)
    return Cube(data, n, layout, source.endswith(".rds"), simulated)
