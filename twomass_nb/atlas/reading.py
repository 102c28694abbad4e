"""How an Atlas Image gets from a file to memory and back: packing, FITS, and what is broken."""

from __future__ import annotations

import bz2
import io
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from ..errors import AtlasError
from ..files import whole_file

__all__ = ["read_header", "read_image", "read_planes", "write_image"]


def _unpack(path: Path) -> bytes:
    from isal import igzip, igzip_lib

    _refuse_pipe(path)
    try:
        raw = path.read_bytes()
        if raw[:2] == b"\x1f\x8b":
            return igzip.decompress(raw)
        return bz2.decompress(raw) if raw[:3] == b"BZh" else raw
    except FileNotFoundError:
        msg = f"there is no file {path}"
    except IsADirectoryError:
        msg = f"{path} is a folder, not an image: use find_coadds to list the images in it"
    except (EOFError, zlib.error, igzip_lib.IsalError):  # type: ignore[misc]
        msg = f"{path} is truncated or broken: it cannot be unpacked; get it again"
    except (OSError, ValueError) as error:
        msg = f"{path} cannot be read: {error}"
    raise AtlasError(msg)


def _refuse_pipe(path: Path) -> None:
    if (
        path.exists() and not path.is_file() and not path.is_dir()
    ):  # it could be waited for for ever
        msg = f"{path} is a pipe or a device, not an image"
        raise AtlasError(msg)


def read_image(path: Path) -> tuple[NDArray[np.float32], fits.Header]:
    """Read pixels and header of a FITS image, plain or packed with gzip or bzip2.

    Raises
    ------
    AtlasError
        If the file is missing, broken, or no FITS image of two axes.
    """
    content = _unpack(path)
    if not content.startswith(b"SIMPLE  ="):
        msg = f"{path} is not a FITS file" if content else f"{path} is empty"
        raise AtlasError(msg)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # old cards; a short file is found below
            with fits.open(io.BytesIO(content), memmap=False) as hdus:
                hdu: Any = hdus[0]
                header = hdu.header.copy()
                if header.get("NAXIS") != 2:
                    msg = f"{path} is not a 2MASS Atlas Image: it holds no image of two axes"
                    raise AtlasError(msg)
                size = abs(header["BITPIX"]) // 8 * header["NAXIS1"] * header["NAXIS2"]
                if len(content) < hdu.fileinfo()["datLoc"] + size:
                    msg = f"{path} is truncated: its pixels are not all there; get it again"
                    raise AtlasError(msg)
                data = np.asarray(hdu.data).astype(np.float32)  # native byte order
    except (OSError, ValueError, KeyError, TypeError, IndexError, fits.VerifyError) as error:
        if isinstance(error, AtlasError):
            raise
        msg = f"{path} is a broken FITS file: {' '.join(str(error).split())}"
        raise AtlasError(msg) from None
    return data, header


def read_header(path: Path) -> fits.Header:
    """Read the header of a FITS image alone, plain or packed; the pixels are not looked at.

    Raises
    ------
    AtlasError
        If the file is missing, broken, or not FITS.
    """
    from isal import igzip

    _refuse_pipe(path)
    try:
        with path.open("rb") as file:
            start = file.read(3)
        opener: Any = (
            igzip.open if start[:2] == b"\x1f\x8b" else bz2.open if start == b"BZh" else open
        )
        with warnings.catch_warnings(), opener(path, "rb") as file:
            warnings.simplefilter("ignore")
            return fits.Header.fromfile(file)
    except (EOFError, OSError, ValueError, zlib.error) as error:
        why = getattr(error, "strerror", None) or " ".join(str(error).split())
        msg = f"{path} cannot be read as a FITS image: {why}"
        raise AtlasError(msg) from None


def read_planes(path: Path, names: tuple[str, ...]) -> list[NDArray[np.float32]]:
    """Read the image extensions of these names from a FITS file, plain or packed.

    Raises
    ------
    AtlasError
        If one is not there, or the file is broken.
    """
    try:
        with fits.open(io.BytesIO(_unpack(path)), memmap=False) as hdus:
            return [np.asarray(hdus[name].data).astype(np.float32) for name in names]
    except (OSError, ValueError, KeyError, TypeError, fits.VerifyError) as error:
        if isinstance(error, AtlasError):
            raise
        msg = f"{path} has no whole planes {', '.join(names)}: {' '.join(str(error).split())}"
        raise AtlasError(msg) from None


def write_image(path: Path, data: NDArray[np.float32], header: fits.Header) -> None:
    """Write a FITS image, packed if the name ends in ``.gz``; whole or not at all."""
    buffer = io.BytesIO()
    fits.PrimaryHDU(np.asarray(data, np.float32), header).writeto(buffer)
    content = buffer.getvalue()
    if path.suffix == ".gz":
        from isal import igzip

        content = igzip.compress(content, compresslevel=1, mtime=0)
    with whole_file(path) as file:
        file.write(content)
