"""How a raw file becomes one of the other form: .rds to .rdo and back, not a byte changed."""

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
from ..files import refuse_existing, whole_file
from .beside import kind_of, par_of
from .inflate import is_gzip_name, read_content
from .layout import FRAME_BYTES, Layout, reorder_bytes
from .packing import packed
from .reader import RawScan
from .wordorder import choose_layout

__all__ = ["convert"]

_PIECE = 16 * FRAME_BYTES


def convert(
    src: str | PathLike[str],
    dst: str | PathLike[str],
    layout: Layout | str | None = None,
    overwrite: bool = False,
) -> Path:
    """Convert a raw file between ``.rds`` and ``.rdo``, and between gzipped and not.

    Parameters
    ----------
    src, dst : path
        Names that end in ``.rds``, ``.rdo`` or these with ``.gz``: they say what is wanted.
    layout : Layout or str, optional
        Word order of the ``.rds`` file. It must be given to make one, and is found as in
        `open_scan` to read one. Words are not looked at: which byte is high does not matter.
    overwrite : bool, optional
        Replace `dst` if it is there.

    Returns
    -------
    path
        `dst`. If `src` is simulated, its .par file goes along, so that the copy says so too.

    Raises
    ------
    ExistsError
        If `dst` is there already.
    RawFileError
        If a name has no such ending, or `src` is broken or cut off.
    LayoutError
        If the word order is not known.
    """
    src, dst = Path(src), Path(dst)
    kinds = [kind_of(src), kind_of(dst)]
    refuse_existing(dst, overwrite)
    if dst.exists() and src.exists() and src.samefile(dst):
        msg = f"{src} cannot be converted onto itself: choose another name"
        raise RawFileError(msg)
    if layout is not None and not isinstance(layout, Layout):
        layout = Layout(layout)
    if kinds == ["rdo", "rds"] and layout is None:
        msg = (
            f"to write {dst.name} the word order must be given: layout=, as learn_layout or "
            "detect_layout return it for an .rds file"
        )
        raise LayoutError(msg)
    content = read_content(src)
    if content.truncated:
        msg = f"{src} is cut off: a copy of it would look whole; fetch it again"
        raise RawFileError(msg)
    data = content.data
    if kinds[0] != kinds[1]:
        order = layout or choose_layout(src, content, None)[0]
        ways = (order, Layout.RDO) if kinds[0] == "rds" else (Layout.RDO, order)
        data = reorder_bytes(data, content.n_frames, *ways)
    simulated = RawScan(src).simulated
    beside = par_of(dst)
    if beside is not None and beside.simulated != simulated:
        which = ("real", "simulated")
        msg = (
            f"{src.name} is {which[simulated]}, but the parameter file beside {dst} is of a "
            f"{which[beside.simulated]} scan: choose another folder"
        )
        raise RawFileError(msg)
    copied = _copy_par(src, dst) if simulated and beside is None else None
    try:
        _write(dst, data, simulated)
    except BaseException:
        if copied:
            copied.unlink(missing_ok=True)
        raise
    return dst


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


def _copy_par(src: Path, dst: Path) -> Path | None:
    """Put the parameter file beside the copy first, so that no copy is ever without its mark."""
    for suffix in (".par", ".par.gz"):
        beside, copy = (
            path.with_name(path.name.removesuffix(".gz").rpartition(".")[0] + suffix)
            for path in (src, dst)
        )
        if beside.is_file() and beside != copy:
            with whole_file(copy) as file:
                file.write(beside.read_bytes())
            return copy
    return None
