"""How sure an order found in content is: what the study of simulated scans allows to say.

The margin of a finding says how far its weakest step was from not deciding, 0 to 1. Among the
scans of the study with no larger margin none was wrong; of n cases without a failure one may
say, at 95 %, that less than 3/n fail. So the number is a bound, and no better than the study was
long. Real frames can differ from simulated ones: that is not in it.
"""

from __future__ import annotations

__all__ = ["confidence"]

# Margin, and how many scans of the study were found with this margin or a smaller one:
# `python benchmarks/word_order.py 24` prints it; docs/word-order.md has the study.
_STUDY = (
    (0.041, 10),
    (0.108, 20),
    (0.181, 40),
    (0.378, 80),
    (0.627, 160),
    (0.890, 320),
    (0.942, 330),
)
_LEAST = 0.5


def confidence(margin: float) -> float:
    """Return the share of findings with such a margin, or a smaller one, that are right.

    Parameters
    ----------
    margin : float

    Returns
    -------
    float
        0.5 to 1 - 3/N, where N is the number of scans found in the study.
    """
    n = max((count for least, count in _STUDY if least <= margin), default=0)
    return max(_LEAST, 1 - 3 / n) if n else _LEAST
