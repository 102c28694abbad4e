"""The exact word order from a pair, the same scan as .rds and as .rdo, and the evidence for it."""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path
from typing import Any

from ... import __version__
from ...errors import LayoutError, TwomassError
from ...files import as_path
from ..beside import par_of
from ..inflate import Content, read_content
from ..layout import AXES, Layout
from ..packing import says_simulated
from .byteorder import high_is_first
from .fit import Fit, search
from .remember import Evidence, FileSeen, Learnt, remember

__all__ = ["MOST_FRAMES", "learn", "learn_from", "learn_layout", "marked_simulated", "seen"]

#: Longest scan to learn from: with all that is compared it is in memory four times, and beside
#: another scan whose order is looked for that must stay below 2 GiB.
MOST_FRAMES = 1000


def learn_layout(rds: Any, rdo: Any) -> Layout:
    """Find the word order of an ``.rds`` file from the ``.rdo`` file of the same scan.

    Orders over the whole scan are tried first, then within blocks of frames, then differences
    modulo 65536. What is learnt is remembered, with its evidence, for other files
    (`open_scan` tries it; ``twomass-nb layout list`` shows it).

    Parameters
    ----------
    rds, rdo : path
        The two files, compressed or not.

    Returns
    -------
    Layout
        The one order under which the files agree byte for byte. Which byte is high is judged
        from the content, since a pair cannot say (unless there are differences).

    Raises
    ------
    LayoutError
        If no order fits (its attribute `tried` lists what was tried), if several do, if the sizes
        differ, if a file is cut off or longer than 1,000 frames, or if the names say that they
        were given the wrong way round.
    RawFileError
        If a file is broken.
    """
    learnt = learn(rds, rdo)
    remember(learnt)
    return learnt.layout


def learn(rds: Any, rdo: Any) -> Learnt:
    """Find a word order as `learn_layout` does, and return it with its evidence.

    Nothing is remembered.
    """
    rds, rdo = as_path(rds), as_path(rdo)
    if ".rdo" in rds.suffixes[-2:] or ".rds" in rdo.suffixes[-2:]:
        msg = f"{rds.name} and {rdo.name}: give the .rds file first, then the .rdo of the same scan"
        raise LayoutError(msg)
    contents = []
    for path in (rds, rdo):
        contents.append(read_content(path))
        if contents[-1].n_frames > MOST_FRAMES:
            msg = f"{path.name} has more than {MOST_FRAMES} frames: learn from a shorter scan"
            raise LayoutError(msg)
    a, b = contents
    files = (seen(rds), seen(rdo))
    return learn_from(a, b, files, marked_simulated(rds) or marked_simulated(rdo))


def seen(path: Path) -> FileSeen:
    """Return name, size and hash of a file."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return FileSeen(path.name, path.stat().st_size, digest)


def marked_simulated(path: Path) -> bool:
    """Whether a file, or the parameter file beside it, says that it is simulated."""
    if says_simulated(path):
        return True
    try:
        par = par_of(path)
    except TwomassError:  # a name of its own, or a parameter file that cannot be read
        return False
    return par is not None and par.simulated


def learn_from(
    rds: Content, rdo: Content, files: tuple[FileSeen, FileSeen], simulated: bool, teacher: str = ""
) -> Learnt:
    """Find the order that turns the content of one file into that of the other.

    Parameters
    ----------
    rds, rdo : Content
    files : tuple of FileSeen
        What they were read from, for the evidence and for messages.
    simulated : bool
        Whether one of them is.
    teacher : str, optional
        What made `rdo`, if not the archive.
    """
    names = [file.name for file in files]
    for name, content in zip(names, (rds, rdo), strict=True):
        if content.truncated:
            msg = f"{name} is cut off: learning a word order needs two whole files"
            raise LayoutError(msg)
    if rds.data.size != rdo.data.size:
        msg = (
            f"{names[0]} has {rds.n_frames} frames and {names[1]} {rdo.n_frames}: "
            "they are not the same scan"
        )
        raise LayoutError(msg)
    fit = search(rds.data, rdo.data, rds.n_frames)
    if not fit.layouts:
        msg = (
            f"no word order turns {names[0]} into {names[1]}: tried all orders of the axes f r Y y "
            "X x b, over the whole scan, within blocks of frames, and with differences (attribute "
            "tried of the error, and --json, have the list); make sure they are the same scan"
        )
        error = LayoutError(msg)
        error.tried = tuple(fit.tried)
        raise error
    evidence = Evidence(
        files=files,
        n_frames=rds.n_frames,
        bytes_compared=int(rds.data.size),
        tried=tuple(fit.tried),
        simulated=simulated,
        teacher=teacher,
        swapped=fit.swapped,
        date=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        software=f"twomass_nb {__version__}",
    )
    return Learnt(_the_one(fit, names, rdo), evidence)


def _the_one(fit: Fit, names: list[str], rdo: Content) -> Layout:
    """Return the order that fits, with the byte order that the content shows."""
    words = rdo.data.reshape(-1, 2)
    high_first = high_is_first(words[:, 0], words[:, 1])
    if fit.swapped and high_first is not None:
        high_first = not high_first
    fitting = fit.layouts
    if fitting[0].difference and len(fitting) > 1 and high_first is not None:
        fitting = [one for one in fitting if one.high_first == high_first] or fitting
    if len(fitting) > 1 or fit.open:
        raise LayoutError(_ambiguous(fitting, sorted(fit.open), names))
    only = fitting[0]
    if only.difference:
        return only  # under the other byte order the differences would not fit
    if high_first is None:
        msg = (
            f"the order of {names[0]} is '{' '.join(only.axes)}', but the content does not say "
            "which byte is high: give Layout(order, high_first=...) yourself"
        )
        raise LayoutError(msg)
    return Layout(only.axes, high_first, only.block)


def _ambiguous(fitting: list[Layout], still_open: list[str], names: list[str]) -> str:
    """Say which axes a pair does not tell apart, and two orders that both fit."""
    orders = [*(one.axes for one in fitting), *still_open]
    columns = zip(*orders, strict=True)
    differ = {a for column in columns if len(set(column)) > 1 for a in column}
    if differ:
        what = f"the axes {' '.join(a for a in AXES if a in differ)}"
        one, two = (f"'{' '.join(order)}'" for order in orders[:2])
    else:
        what, (one, two) = "their blocks or differences", (f"'{o}'" for o in fitting[:2])
    return (
        f"{names[0]} and {names[1]} do not tell {what} apart: {one} and {two} both fit; "
        "learn from a pair whose frames differ more"
    )
