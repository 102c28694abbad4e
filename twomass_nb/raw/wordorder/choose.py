"""Which word order a file is opened with: given, documented, detected, learnt, or its night's."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np

from ...errors import LayoutError, TwomassError
from ..beside import kind_of
from ..inflate import Content
from ..layout import AXES, Layout
from .byteorder import high_is_first
from .detect import contradicts, detect_layout, examine, refusal
from .learn import learn_layout

__all__ = ["choose_layout"]

_TRIES = 8  # other files of a folder that are looked at
# Orders known in this session, by folder: a night's files were written by one program. They are
# used only for files whose own content leaves the order open, and does not contradict them.
_known: dict[Path, tuple[Layout, str]] = {}


def choose_layout(path: Path, content: Content, given: Layout | None) -> tuple[Layout, str]:
    """Return the word order to decode a file with, and how it is known.

    Raises
    ------
    LayoutError
        If it is not known, or what was given contradicts the file's kind.
    """
    if kind_of(path) == "rdo":
        return _documented(path, content, given)
    folder = path.absolute().parent
    if given is not None:
        return given, "given"
    finding = examine(content)
    if len(finding.possible) == 1:
        layout = finding.possible[0]
        _known[folder] = layout, f"found in {path.name}"
        return layout, f"found in its content, confidence {finding.confidence:.2f}"
    if (twin := _pair(path)) and not content.truncated:
        layout = learn_layout(path, twin)
        _known[folder] = layout, f"learnt from {path.name} and {twin.name}"
        return layout, f"learnt from {twin.name}"
    if known := _known.get(folder) or _learn_in(folder, path):
        layout, source = known
        if not (why := contradicts(content, layout)):
            return layout, f"that of its night, {source}"
        msg = f"{path.name} does not have the word order {source} ({layout}): {why}; give layout="
        raise LayoutError(msg)
    raise LayoutError(refusal(path, finding))


def _documented(path: Path, content: Content, given: Layout | None) -> tuple[Layout, str]:
    """Return the order of ``.rdo``; only its byte order is not documented."""
    if given is not None:
        if given.axes != AXES:
            msg = f"{path.name} is an .rdo file, whose order is {Layout.RDO}: {given} is another"
            raise LayoutError(msg)
        return given, "given"
    words = content.data.reshape(-1, 2)
    some = np.asarray(words[:: max(1, len(words) >> 20)])
    high_first = high_is_first(some[:, 0], some[:, 1])
    if high_first is None:
        msg = (
            f"the content of {path.name} does not say which byte of its words is high: give "
            "layout=Layout('f r Y y X x b', high_first=...)"
        )
        raise LayoutError(msg)
    return Layout(AXES, high_first), "documented; byte order from its content"


def _pair(rds: Path) -> Path | None:
    """Return the ``.rdo`` file of the same scan in the same folder."""
    stem = rds.name.lower().removesuffix(".gz").removesuffix(".rds")
    for name in (f"{stem}.rdo", f"{stem}.rdo.gz"):
        if (twin := rds.with_name(name)).is_file():
            return twin
    return None


def _learn_in(folder: Path, path: Path) -> tuple[Layout, str] | None:
    """Learn from the first pair that a folder holds, or detect the order of another scan of it."""
    others = [p for p in sorted([*folder.glob("*.rds.gz"), *folder.glob("*.rds")]) if p != path]
    paired = [(p, twin) for p in others if (twin := _pair(p))]
    for rds, twin in paired[:_TRIES]:
        with suppress(TwomassError):  # a broken pair says nothing about this file
            _known[folder] = learn_layout(rds, twin), f"learnt from {rds.name} and {twin.name}"
            return _known[folder]
    for rds in others[:: max(1, len(others) // _TRIES)]:
        with suppress(TwomassError):
            _known[folder] = detect_layout(rds)[0], f"found in {rds.name}"
            return _known[folder]
    return None
