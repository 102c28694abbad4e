"""Which frames cannot be right: constant, repeated, saturated, or one read as the other."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .finding import Finding, finding

__all__ = ["frame_faults", "spans"]

# Shares of a read's pixels, chosen far from what good frames show: of simulated ones, 0.02% at most
# have the highest value, and 5.5% (of darks, whose reads differ least) have r1 = r2.
_AT_THE_TOP = 0.10
_READS_EQUAL = 0.50
_AT_ONCE = 16  # frames whose masks are in memory


def frame_faults(frames: NDArray[np.uint16], name: str) -> list[Finding]:
    """Return what is wrong with the pixels of a scan.

    A read is saturated if a tenth of its pixels or more have its one highest value: the
    converter's 65535, or the level of the array if that is the same for all pixels.

    Parameters
    ----------
    frames : array of uint16, shape (n, 2, 256, 256)
    name : str
        Of the file, for the findings.
    """
    marks: dict[str, list[NDArray[np.bool_]]] = {code: [] for code in _TEXTS}
    before: NDArray[np.uint16] | None = None
    for start in range(0, len(frames), _AT_ONCE):
        block = frames[start : start + _AT_ONCE]
        for code, mark in _marks(block, before).items():
            marks[code].append(mark)
        before = block[-1]
    found = []
    for code, parts in marks.items():
        numbers = np.flatnonzero(np.concatenate(parts))
        if numbers.size:
            every = numbers.size == len(frames)
            severity = "error" if every and code == "frames-constant" else None
            text = f"{'all frames' if every else 'frames ' + spans(numbers)}: {_TEXTS[code]}"
            found.append(finding(code, name, text, severity=severity))
    return found


_TEXTS = {
    "frames-constant": "all pixels of a read have one value",
    "reads-equal": "half of the pixels or more have the same value in both reads",
    "frames-saturated": "a tenth of the pixels of a read or more have its highest value",
    "frames-repeated": "the same, pixel for pixel, as the frame before",
}


def _marks(
    block: NDArray[np.uint16], before: NDArray[np.uint16] | None
) -> dict[str, NDArray[np.bool_]]:
    flat = block.reshape(len(block), 2, -1)
    low, high = flat.min(axis=2), flat.max(axis=2)
    constant = (low == high).any(axis=1)
    top = np.array([_share(read == peak) for read, peak in _reads(flat, high)]).reshape(-1, 2)
    before_each = zip([before, *block[:-1]], block, strict=True)
    repeated = [b is not None and np.array_equal(b, frame) for b, frame in before_each]
    equal = np.array([_share(r1 == r2) for r1, r2 in flat])
    # What is constant is all at its top, and the same as any frame like it: said once.
    return {
        "frames-constant": constant,
        "reads-equal": (equal >= _READS_EQUAL) & ~constant,
        "frames-saturated": (top >= _AT_THE_TOP).any(axis=1) & ~constant,
        "frames-repeated": np.array(repeated) & ~constant,
    }


def _reads(flat: NDArray[np.uint16], high: NDArray[np.uint16]) -> Any:
    return zip(flat.reshape(-1, flat.shape[-1]), high.ravel(), strict=True)


def _share(mask: NDArray[np.bool_]) -> float:
    return float(np.count_nonzero(mask)) / mask.size


def spans(numbers: Any) -> str:
    """Return one number or more, rising, as ``"3, 7-9, 12"``, cut short after eight spans."""
    values = [int(n) for n in numbers]
    starts = [i for i, n in enumerate(values) if i == 0 or values[i - 1] != n - 1]
    ends = [*(i - 1 for i in starts[1:]), len(values) - 1]
    parts = [
        str(values[a]) if a == b else f"{values[a]}-{values[b]}"
        for a, b in zip(starts, ends, strict=True)
    ]
    more = f" and {len(parts) - 8} more spans" if len(parts) > 8 else ""
    return ", ".join(parts[:8]) + more
