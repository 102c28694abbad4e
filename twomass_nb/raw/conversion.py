"""How a raw file becomes one of another form: .rds, .rdo, or from FITS, not a byte changed."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from ..errors import LayoutError, RawFileError
from ..files import as_path, refuse_existing, whole_file
from .beside import kind_of, par_of
from .inflate import is_gzip_name, read_content
from .layout import FRAME_BYTES, Layout, reorder_bytes
from .packing import packed
from .reader import RawScan
from .wordorder.choose import choose

__all__ = ["convert"]

_PIECE = 16 * FRAME_BYTES
# Beside a simulated file whose own parameter file is not at hand.
_MARK = b"# SIMULATED by twomass_nb: this scan never was\nSIMULATE = T / this is a simulation\n"


def convert(
    src: str | PathLike[str],
    dst: str | PathLike[str],
    layout: Layout | str | None = None,
    overwrite: bool = False,
) -> Path:
    """Convert a raw file between ``.rds`` and ``.rdo``, gzipped or not, or a FITS cube into one.

    Parameters
    ----------
    src, dst : path
        Names that end in ``.rds``, ``.rdo`` or these with ``.gz``: they say what is wanted.
        `src` may also be a cube of all frames that `RawScan.to_fits_cube` wrote.
    layout : Layout or str, optional
        Word order of the ``.rds`` file. It must be given to make one, unless from a cube of an
        ``.rds`` file, which has it, and is found as in `open_scan` to read one. Words are not
        looked at: which byte is high plays a part only if the order has differences.
    overwrite : bool, optional
        Replace `dst` if it is there.

    Returns
    -------
    path
        `dst`. If `src` is simulated, its .par file goes along, or one that says just that, so
        that the copy says so too.

    Raises
    ------
    ExistsError
        If `dst` is there already.
    RawFileError
        If a name has no such ending, or `src` is broken, edited or cut off.
    LayoutError
        If the word order is not known.
    """
    src, dst = as_path(src), as_path(dst)
    wanted = kind_of(dst)
    if not _is_fits_name(src):
        kind_of(src)
    refuse_existing(dst, overwrite)
    if dst.exists() and src.exists() and src.samefile(dst):
        msg = f"{src} cannot be converted onto itself: choose another name"
        raise RawFileError(msg)
    if layout is not None and not isinstance(layout, Layout):
        layout = Layout(layout)
    take = _from_fits if _is_fits_name(src) else _from_raw
    data, simulated = take(src, dst, wanted, layout)
    beside = par_of(dst)
    if beside is not None and beside.simulated != simulated:
        which = ("real", "simulated")
        msg = (
            f"{src.name} is {which[simulated]}, but the parameter file beside {dst} is of a "
            f"{which[beside.simulated]} scan: choose another folder"
        )
        raise RawFileError(msg)
    mark = _mark(src, dst) if simulated and beside is None else None
    try:
        _write(dst, data, simulated)
    except BaseException:
        if mark:
            mark.unlink(missing_ok=True)
        raise
    return dst


def _from_raw(
    src: Path, dst: Path, wanted: str, layout: Layout | None
) -> tuple[NDArray[np.uint8], bool]:
    """Return the bytes that `dst` is to have, and whether they are simulated."""
    kind = kind_of(src)
    if kind == "rdo" and wanted == "rds" and layout is None:
        raise LayoutError(_order_needed(dst))
    content = read_content(src)
    if content.truncated:
        msg = f"{src} is cut off: a copy of it would look whole; fetch it again"
        raise RawFileError(msg)
    data, n = content.data, content.n_frames
    if kind == "rdo" and wanted == "rds":
        assert layout is not None
        data = reorder_bytes(data, n, Layout.RDO, layout)
    elif kind != wanted:
        choice = choose(src, content, layout)
        if choice.content is not None:  # what the archive's own converter made of it
            data = choice.content.data
        else:
            data = reorder_bytes(data, n, choice.layout, Layout.RDO)
    return data, RawScan(src).simulated


def _from_fits(
    src: Path, dst: Path, wanted: str, layout: Layout | None
) -> tuple[NDArray[np.uint8], bool]:
    """Return the bytes that `dst` is to have, and whether they are simulated."""
    from .fits_back import read_cube  # astropy.io.fits: most conversions need none of it

    cube = read_cube(src)
    if wanted == "rdo":
        return cube.data, cube.simulated
    order = layout or (cube.layout if cube.from_rds else None)
    if order is None:
        raise LayoutError(_order_needed(dst))
    return reorder_bytes(cube.data, cube.n_frames, Layout.RDO, order), cube.simulated


def _order_needed(dst: Path) -> str:
    return (
        f"to write {dst.name} the word order must be given: layout=, as learn_layout or "
        "detect_layout return it for an .rds file"
    )


def _write(dst: Path, data: NDArray[np.uint8], simulated: bool) -> None:
    pieces: Iterable[Any] = (data[at : at + _PIECE].data for at in range(0, data.size, _PIECE))
    if is_gzip_name(dst):
        pieces = packed(data, 2, simulated=simulated)
    shown = tqdm(
        pieces,
        desc=f"writing {dst.name}",
        total=-(-data.size // _PIECE),
        delay=1,
        leave=False,
        disable=not sys.stderr.isatty(),
    )
    with whole_file(dst) as file:
        file.writelines(shown)


def _mark(src: Path, dst: Path) -> Path:
    """Put the parameter file beside the copy first, so that no copy is ever without its mark."""
    from ..tables import read_par

    mark, text = _bare(dst).with_suffix(".par"), _MARK
    for suffix in (".par", ".par.gz"):
        beside = _bare(src).with_suffix(suffix)
        if beside.is_file() and read_par(beside).simulated:
            mark, text = _bare(dst).with_suffix(suffix), beside.read_bytes()
            break
    with whole_file(mark) as file:
        file.write(text)
    return mark


def _bare(path: Path) -> Path:
    return path.with_name(path.name.removesuffix(".gz"))


def _is_fits_name(path: Path) -> bool:
    return path.name.lower().endswith((".fits", ".fit", ".fits.fz"))
