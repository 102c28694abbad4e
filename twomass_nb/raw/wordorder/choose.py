"""Which word order a file is opened with: given, documented, found in its content, or learnt.

A file's own content speaks first. Where it leaves the order open, in turn: the pair beside the
file; the order of its night; one learnt before, if it is the only one that the content does not
contradict; the archive's converter. What is not proven for this very file says so in its source.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...errors import LayoutError, TwomassError, warn
from ..beside import kind_of
from ..inflate import Content
from ..layout import AXES, FRAME_BYTES, Layout, reorder_bytes
from .byteorder import high_is_first
from .converter import converter, learn_with
from .detect import Finding, contradicts, detect_layout, examine, refusal
from .learn import MOST_FRAMES, learn, marked_simulated
from .remember import Learnt, remember, remembered

__all__ = ["Choice", "choose"]

_TRIES = 8  # other files of a folder that are looked at
_RDO = (Layout(AXES, high_first=True), Layout(AXES, high_first=False))
# Orders known in this session, by folder: a night's files were written by one program. They are
# used only for files whose own content leaves the order open, and does not contradict them.
_known: dict[Path, tuple[Layout, str]] = {}


@dataclass(frozen=True)
class Choice:
    """How to decode a file.

    Attributes
    ----------
    layout : Layout
    source : str
        How it is known.
    content : Content or None
        What to decode in the place of the file's own content: what the archive's converter made
        of it, where no word order explains what it did.
    """

    layout: Layout
    source: str
    content: Content | None = None


def choose(path: Path, content: Content, given: Layout | None) -> Choice:
    """Return how to decode a file.

    Raises
    ------
    LayoutError
        If it is not known, or what was given contradicts the file's kind.
    """
    if kind_of(path) == "rdo":
        return Choice(*_documented(path, content, given))
    if given is not None:
        return Choice(given, "given")
    simulated = marked_simulated(path)
    proven = [one for one in remembered() if one.evidence.simulated == simulated]
    for one in {one.layout: one for one in proven if _is_more_than_an_order(one.layout)}.values():
        if sure := _confirmed(content, one):
            return Choice(one.layout, sure)
    finding = examine(content)
    if len(finding.possible) == 1:
        return Choice(finding.possible[0], _found(path, finding, proven))
    if _leaves_room(content) and (twin := _pair(path)) and not content.truncated:
        learnt = learn(path, twin)
        remember(learnt)
        _known[path.absolute().parent] = learnt.layout, str(learnt.evidence)
        return Choice(learnt.layout, f"learnt from {twin.name}")
    return _by_others(path, content, finding, proven)


def _documented(path: Path, content: Content, given: Layout | None) -> tuple[Layout, str]:
    """Return the order of ``.rdo``; only its byte order is not documented."""
    if given is not None:
        if given not in _RDO:
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


def _found(path: Path, finding: Finding, proven: list[Learnt]) -> str:
    """Say how the order found in a file's content is known; it goes before what others have.

    An order from a pair is exact for that pair; the archive's files most likely have all the
    same. So where the only one learnt differs, a person must know.
    """
    layout = finding.possible[0]
    text = f"found in its content, confidence {finding.confidence:.2f}"
    if agreeing := [one for one in proven if one.layout == layout]:
        return f"{agreeing[0].evidence}; {text}"
    _known[path.absolute().parent] = layout, f"found in {path.name}"
    if len({one.layout for one in proven}) != 1:
        return text
    other = f"not {proven[0].layout}, {proven[0].evidence}"
    if not proven[0].evidence.simulated:  # simulated folders have orders of their own
        warn(
            f"the content of {path.name} shows the word order {layout}, {other}: look at a frame, "
            "or give layout="
        )
    return f"{text}; {other}"


def _is_more_than_an_order(layout: Layout) -> bool:
    return bool(layout.block or layout.difference)


def _confirmed(content: Content, learnt: Learnt) -> str:
    """Say how well content, once put in the order of ``.rdo``, shows that it was the right one."""
    if not (plain := _as_rdo(content, learnt.layout)):
        return ""
    finding = examine(plain)
    if finding.possible != (Layout(AXES, learnt.layout.high_first),):
        return ""
    return f"{learnt.evidence}; found in its content, confidence {finding.confidence:.2f}"


def _as_rdo(content: Content, layout: Layout) -> Content | None:
    """Return content in the order of ``.rdo``; None if no frame of a cut file is whole in it."""
    n = layout.whole_frames(content.n_frames) if content.truncated else content.n_frames
    if n == 0:
        return None
    data = reorder_bytes(content.data[: n * FRAME_BYTES], n, layout, Layout.RDO)
    return Content(data, content.truncated)


def _by_others(path: Path, content: Content, finding: Finding, proven: list[Learnt]) -> Choice:
    """Choose an order that is not proven for this file by the file itself."""
    folder = path.absolute().parent
    refused = []

    def fits(layout: Layout, source: str) -> bool:
        why = _contradiction(content, layout)
        if why:
            refused.append(f"the word order {source} ({layout}) is not its own: {why}")
        return not why

    night = _known.get(folder) or (_learn_in(folder, path) if _leaves_room(content) else None)
    if night and fits(*night):
        return Choice(night[0], f"that of its night, {night[1]}")
    others = {one.layout: str(one.evidence) for one in reversed(proven)}
    left = [(layout, source) for layout, source in others.items() if fits(layout, source)]
    if len(left) == 1:
        layout, source = left[0]
        warn(
            f"the content of {path.name} does not tell its word order: it is read in that of other "
            f"files, {layout}, {source}; look at a frame, or give layout="
        )
        return Choice(layout, f"that of other files, {source}; its own content leaves it open")
    if not content.truncated and (program := converter()):
        return _converted(program, path, content)
    if len(left) > 1:
        orders = " and ".join(f"{layout} ({source})" for layout, source in left[:2])
        refused.insert(0, f"of those learnt before, {orders} are possible")
    raise LayoutError("; ".join([refusal(path, finding), *refused[:2]]))


def _leaves_room(content: Content) -> bool:
    """Whether other files can be read while this one is in memory, and all stays below 2 GiB."""
    return content.n_frames <= MOST_FRAMES


def _contradiction(content: Content, layout: Layout) -> str:
    """Say why a file cannot have an order that others have; empty if it may."""
    if not content.truncated and not _is_more_than_an_order(layout):
        return contradicts(content, layout)
    if not (plain := _as_rdo(content, layout)):
        return "it is cut off, and no frame would be whole"
    return contradicts(plain, Layout(AXES, layout.high_first))


def _converted(program: Path, path: Path, content: Content) -> Choice:
    """Let the archive's converter tell the order; or convert, if no order explains it."""
    learnt, rdo = learn_with(program, path, content)
    layout = learnt.layout if learnt else Layout.RDO
    with suppress(LayoutError):
        layout = layout if learnt else _documented(path, rdo, None)[0]
    if why := _contradiction(content if learnt else rdo, layout):
        msg = f"what {program.name} makes of {path.name} is no camera's: {why}; give layout="
        raise LayoutError(msg)
    if learnt is None:
        return Choice(layout, f"converted by {program.name}; byte order from its content", rdo)
    remember(learnt)
    _known[path.absolute().parent] = learnt.layout, str(learnt.evidence)
    return Choice(learnt.layout, str(learnt.evidence))


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
            learnt = learn(rds, twin)
            remember(learnt)
            _known[folder] = learnt.layout, str(learnt.evidence)
            return _known[folder]
    for rds in others[:: max(1, len(others) // _TRIES)]:
        with suppress(TwomassError):
            _known[folder] = detect_layout(rds)[0], f"found in {rds.name}"
            return _known[folder]
    return None
