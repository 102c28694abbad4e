"""Which byte of a word is the high one, judged from content: high bytes vary little."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["entropy", "high_is_first"]

# Entropies (bits) of the two bytes of real-looking words differ by 2 or more; planes that are
# split wrongly, or both noise, differ by less than 0.1.
_LEAST_DIFFERENCE = 0.7


def entropy(values: NDArray[np.uint8]) -> float:
    """Return the entropy, in bits, of the distribution of byte values."""
    share = np.bincount(values.ravel(), minlength=256) / values.size
    share = share[share > 0]
    return float(-(share * np.log2(share)).sum())


def high_is_first(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> bool | None:
    """Tell whether the first bytes of words are the high ones.

    The high byte of a smooth image takes few values, the low byte nearly all of them.

    Parameters
    ----------
    first, second : array of uint8
        The first and the second bytes of the same words.

    Returns
    -------
    bool or None
        None where the content does not say.
    """
    difference = entropy(second) - entropy(first)
    if abs(difference) < _LEAST_DIFFERENCE:  # nearly empty content: look at each value once
        values = np.unique(first.astype(np.uint16) << 8 | second)
        difference = entropy((values & 255).astype(np.uint8)) - entropy(
            (values >> 8).astype(np.uint8)
        )
    return None if abs(difference) < _LEAST_DIFFERENCE else difference > 0
