"""The word order from one file alone: decided by what only real frames can look like, or refused.

It goes from what is certain to what is less so, and every step leaves those orders that
it cannot exclude:

1. axis b: the high bytes of words take few values, the low bytes nearly all of them;
2. axis f: a pixel keeps its own level from frame to frame;
3. axis r: what rises above it for a moment in read 1 (52 ms) does so in read 2 (1350 ms), and
   what is bright in read 2 leaves its echo in read 1;
4. axes x and y, against X and Y: the image of a star covers neighbouring pixels;
5. x against y, and X against Y: a star is found again a frame later, 41 or 42 rows on, also
   when it passes from one quadrant row to the next.

Steps 3 to 5 need stars: darks and twilights end there with a refusal. The thresholds are far
from what right and wrong orders give; docs/word-order.md has the measurements.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import LayoutError
from ...files import as_path
from ..inflate import Content, read_content
from ..layout import LENGTHS, Layout
from .confidence import confidence
from .evidence import Words, byte_planes, column_spread, frame_scatter, halves_apart
from .orders import all_orders
from .stars import Excursions, liveliest, moving_stars, neighbours, stronger_in_second

__all__ = ["Finding", "contradicts", "detect_layout", "examine", "refusal"]

FEWEST_FRAMES = 8
_WINDOWS = (48, 144)  # successive frames looked at; more only where these show too few stars

_ENTROPIES_DIFFER = 1.0  # bits; right: 2 and more
_ENTROPIES_RIVAL = 0.6  # a wrong stride may share up to 0.4 of the right one's difference
_SCATTER_LESS = 0.4  # in the logarithm; right: 1 and more below words at random
_SCATTER_ROUGH = 0.4  # nearer rivals are measured again with more pairs
_MORE_PAIRS = 20_000
_SCATTER_RIVAL = 0.03  # right strides were below wrong ones by .04 and more; errors are below .015
_JUMPS = 2  # of the three measures of scatter: where it separates this far, it decides alone
_SCATTER_TRUE = 0.3  # right strides are less than this above the least, by one measure or the other
_JUMPS_RIVAL = 0.7  # in twilights right strides were below wrong ones by 1.2 and more
_IN_READ_2 = 0.9  # right: above .95; anything else: about half
_IN_READ_2_RIVAL = 0.8
_ECHO = 0.5  # right: .7 and more in normal exposures
_ECHO_RIVAL = 0.4  # wrong: up to .17
_FEWEST_EVENTS = 40
_NEIGHBOURS = 0.15  # right: above .3
_NEIGHBOURS_RIVAL = 0.6
_FOUND_AGAIN = 0.3  # right: above .5; wrong: near 0
_FOUND_AGAIN_RIVAL = 0.5
_FEWEST_CROSSERS = 15


_READS_SPREAD = 3.0  # right: below .4 in darks; darks with another axis for r: mostly above 8
_LIGHT = 4.0  # right, where light parts the reads: above 8; other axes: mostly below 3
_COLUMN_SPREAD = 1.7  # right: up to 1.6 where bars are weak; most wrong orders: 2 to 20


@dataclass(frozen=True)
class Finding:
    """What a file's content says about its word order.

    Attributes
    ----------
    possible : tuple of Layout
        The orders that its content does not exclude.
    confidence : float
        When one is left: the share of such findings that are right, at least; see `confidence`.
        Otherwise 0.
    margin : float
        When one is left: how far the weakest step was from not deciding, 0 to 1.
    reason : str
        Why more than one is left.
    """

    possible: tuple[Layout, ...]
    confidence: float
    reason: str = ""
    margin: float = 0.0

    @property
    def undecided(self) -> str:
        """The axes that were not told apart, as ``"Y y X x"``."""
        if len(self.possible) < 2:
            return ""
        columns = zip(*(layout.axes for layout in self.possible), strict=True)
        axes = {a for column in columns if len(set(column)) > 1 for a in column}
        return " ".join(a for a in "frYyXxb" if a in axes)


def detect_layout(path: Any) -> tuple[Layout, float]:
    """Find the word order of a raw file from its content.

    Parameters
    ----------
    path : path
        One ``.rds`` file, compressed or not, of a science scan of 8 frames or more.

    Returns
    -------
    layout : Layout
    confidence : float
        At least this share of such findings was right in the study of simulated scans
        (docs/word-order.md), 0.92 to 0.99: the nearer its weakest step was to not deciding, the
        lower.

    Raises
    ------
    LayoutError
        If the content does not tell the order; names the axes that stay unknown.
    RawFileError
        If the file is broken.
    """
    path = as_path(path)
    finding = examine(read_content(path))
    if len(finding.possible) == 1:
        return finding.possible[0], finding.confidence
    raise LayoutError(refusal(path, finding))


def refusal(path: Path, finding: Finding) -> str:
    """Say which axes stay unknown, why, and the ways out."""
    what = f"could not tell apart the axes {finding.undecided} ({finding.reason})"
    return (
        f"the word order of {path.name} is not certain from its content: {what}; give layout=, "
        "or learn it with learn_layout(rds, rdo) from a pair"
    )


def examine(content: Content) -> Finding:
    """Find the orders that a file's content leaves possible."""
    data, n = content.data, content.n_frames
    orders, strides = all_orders(n)
    if content.truncated:  # only with frames in one piece does a cut file have whole frames
        whole = np.array([order[0] == "f" for order in orders])
        orders, strides = orders[whole], strides[whole]
    found, words_margin = _find_words(data, n, strides)
    if found is None:
        both = (True, False)
        every = tuple(Layout(str(o), high) for o in orders for high in both)
        return Finding(every, 0.0, "no split of its bytes looks like high and low bytes")
    left = strides[:, 6] == found.b
    orders, strides = orders[left], strides[left]

    def unknown(which: NDArray[np.str_], reason: str) -> Finding:
        return Finding(tuple(Layout(str(o), found.high_first) for o in which), 0.0, reason)

    if n < FEWEST_FRAMES:
        return unknown(orders, f"{n} frames are too few, it takes {FEWEST_FRAMES}")
    slots, frames_margin = _find_frames(found, strides)
    if not slots:
        return unknown(orders, "no pixel keeps its level from frame to frame")
    left = np.isin(strides[:, 0], slots)
    if len(slots) > 1:
        return unknown(orders[left], "several axes could be that of frames")
    for window in _WINDOWS:
        stage = _find_pixels(found, slots[0], orders[left], min(window, n))
        if stage.margin > 0:
            layout = Layout(stage.orders[0], found.high_first)
            margin = min(words_margin, frames_margin, stage.margin)
            return Finding((layout,), confidence(margin), margin=margin)
        if n <= window:
            break
    return unknown(np.array(stage.orders), stage.reason)


def contradicts(content: Content, layout: Layout) -> str:
    """Say why a file cannot have a word order that other files have; empty if it may.

    For darks and twilights, whose night's order is known from another file. The bytes must
    split into high and low ones as the order says; pixels must keep their level from frame to
    frame; in read 1 the pixels of a quadrant's column, which share its bar, must be nearly as
    alike as any other order of the words of a frame makes them; and read 2 must be like read 1, or
    above it by the light. What remains open is mainly which of Y and X is which.
    """
    n = content.n_frames
    orders, strides = all_orders(n)
    axes = layout.axes if n > 1 else "f" + layout.axes.replace("f", "")
    mine = strides[list(orders).index(axes)]
    words, _ = _find_words(content.data, n, strides)
    if words is None:
        return "its bytes do not split into high and low ones"
    if (words.b, words.high_first) != (int(mine[6]), layout.high_first):
        return "its high bytes are elsewhere"
    if n >= FEWEST_FRAMES:
        outside = strides[strides[:, 6] == words.b]
        rough = {int(s): frame_scatter(words, int(s)) for s in np.unique(outside[:, 0])}
        above = np.array(rough[int(mine[0])]) - np.min(list(rough.values()), axis=0)
        if above[0] > _SCATTER_TRUE and above[_JUMPS] > _SCATTER_TRUE:
            return "no pixel would keep its level from frame to frame"
    some = words.frames(int(mine[0]), slice(0, n, max(1, n // 2))).astype(np.float32)
    inner = axes.replace("f", "").replace("b", "")
    least = min(column_spread(some, "".join(p)) for p in permutations(inner))
    if column_spread(some, inner) > _COLUMN_SPREAD * least + 1:
        return "the pixels of its columns are not alike"
    apart = halves_apart(some, inner)
    middle, spread = apart["r"]
    alike = min(apart["Y"][1], apart["X"][1])
    if spread > _READS_SPREAD * alike and abs(middle) < _LIGHT * spread:
        return "its reads are not alike, and light does not part them"
    return ""


def _find_words(
    data: NDArray[np.uint8], n: int, strides: NDArray[np.int64]
) -> tuple[Words | None, float]:
    """Find the stride of axis b, and which byte is high; and the margin of that."""
    split = {int(s): byte_planes(data, int(s)) for s in np.unique(strides[:, 6])}
    ranked = sorted(split, key=lambda s: -abs(split[s]))
    best = split[ranked[0]]
    rival = abs(split[ranked[1]]) if len(ranked) > 1 else 0.0
    if abs(best) < _ENTROPIES_DIFFER or rival > _ENTROPIES_RIVAL * abs(best):
        return None, 0.0
    return Words(data, ranked[0], best > 0, n), 1 - rival / (_ENTROPIES_RIVAL * abs(best))


def _find_frames(words: Words, strides: NDArray[np.int64]) -> tuple[list[int], float]:
    """Return the strides that axis f can have; and the margin, if it is one.

    Near misses must be told from the truth with care: with f innermost, for instance, every
    second word along it looks like frames too, and stars in them like stars.
    """
    rough = {int(s): frame_scatter(words, int(s)) for s in np.unique(strides[:, 0])}
    random = frame_scatter(words, None)
    jumps = sorted(one[_JUMPS] for one in rough.values())
    calm = [s for s in rough if rough[s][_JUMPS] < jumps[0] + _JUMPS_RIVAL]
    if len(calm) == 1 and jumps[0] + _SCATTER_LESS < random[_JUMPS]:
        return calm, min([1.0, *(jump - jumps[0] - _JUMPS_RIVAL for jump in jumps[1:2])])
    left: set[int] = set()
    margin = 1.0
    for k in (0, 1):  # two other measures of scatter, which must agree
        least = min(s[k] for s in rough.values())
        if least + _SCATTER_LESS > random[k]:
            return [], 0.0
        close = [s for s in rough if rough[s][k] < least + _SCATTER_ROUGH]
        if len(close) > 1:
            fine = {s: frame_scatter(words, s, _MORE_PAIRS)[k] for s in close}
            nearest = sorted(fine.values())
            close = [s for s in fine if fine[s] < nearest[0] + _SCATTER_RIVAL]
            margin = min(margin, (nearest[1] - nearest[0] - _SCATTER_RIVAL) / _SCATTER_ROUGH)
        left.update(close)
    return sorted(left), margin


@dataclass(frozen=True)
class _Stage:
    """The orders left by the search within a frame; a margin above 0 if it is only one."""

    orders: list[str]
    margin: float
    reason: str = ""


def _find_pixels(words: Words, slot: int, orders: NDArray[np.str_], window: int) -> _Stage:
    """Find the order of r Y y X x, if axis f has the stride `slot`."""
    left = [str(o) for o in orders]
    cube = words.frames(slot, liveliest(words, slot, window))
    found = Excursions(cube)
    inner = {o: _strides_without(o, "fb") for o in left}

    seen = {s: stronger_in_second(cube, found, s) for s in {inner[o]["r"] for o in left}}
    ranked = sorted(seen, key=lambda s: -seen[s][0])
    share, echo, events = seen[ranked[0]]
    rival = max((seen[s][0] for s in ranked[1:]), default=0.0)
    other_echo = max((seen[s][1] for s in ranked[1:]), default=0.0)
    if events < _FEWEST_EVENTS:
        return _Stage(left, 0.0, "it shows too few stars, as darks and twilights do")
    echoes = echo > _ECHO and other_echo < _ECHO_RIVAL * echo
    if share < _IN_READ_2 or (rival > _IN_READ_2_RIVAL and not echoes):
        return _Stage(left, 0.0, "no axis has its stars in the second half alone")
    in_reads = max((share - max(rival, 0.5)) / 0.5, echo - other_echo if echoes else 0.0)
    left = [o for o in left if inner[o]["r"] == ranked[0]]
    in_read_2 = found.in_half(ranked[0], 1)
    inner = {o: _strides_without(o, "fbr") for o in left}

    shapes: dict[tuple[int, ...], float] = {}
    for order in left:
        strides = inner[order]
        close = [neighbours(in_read_2, strides[a], 128) for a in "yx"]
        apart = [neighbours(in_read_2, strides[a], 2) for a in "YX"]
        shapes[_shape(strides)] = min(close) - max(apart)
    ranked_shapes = sorted(shapes.values(), reverse=True)
    if ranked_shapes[0] < _NEIGHBOURS or (
        len(ranked_shapes) > 1 and ranked_shapes[1] > _NEIGHBOURS_RIVAL * ranked_shapes[0]
    ):
        return _Stage(left, 0.0, "images of stars do not show which pixels are neighbours")
    left = [o for o in left if shapes[_shape(inner[o])] == ranked_shapes[0]]

    moves = {o: moving_stars(in_read_2, inner[o]) for o in left}
    score = {o: min(moves[o][:2]) if moves[o][2] >= _FEWEST_CROSSERS else 0.0 for o in left}
    left.sort(key=lambda o: -score[o])
    best, second = score[left[0]], max((score[o] for o in left[1:]), default=0.0)
    if best < _FOUND_AGAIN:
        return _Stage(left, 0.0, "too few stars are found again a frame step further")
    if second > _FOUND_AGAIN_RIVAL * best:
        return _Stage(left, 0.0, "stars seem to move along more than one axis")
    steps = (
        in_reads,
        1 - (ranked_shapes[1] / ranked_shapes[0] if len(ranked_shapes) > 1 else 0.0),
        best - max(second, 0.0),
    )
    return _Stage(left[:1], float(np.clip(min(steps), 0.01, 1.0)))


def _shape(strides: dict[str, int]) -> tuple[int, ...]:
    """Return the strides of the long axes: which is x and which is y is not asked yet."""
    return tuple(sorted((strides["y"], strides["x"])))


def _strides_without(order: str, gone: str) -> dict[str, int]:
    """Strides of the axes, counted in words, once some axes are cut out of an order."""
    strides, step = {}, 1
    for axis in reversed(order):
        if axis not in gone:
            strides[axis] = step
            step *= LENGTHS[axis]
    return strides
