"""How sure an order found in content is: what the study of simulated scans allows to say.

The margin of a finding says how far its weakest step was from not deciding, 0 to 1. Among the
scans of the study with margins as small none was wrong; of n cases without a failure one may
say, at 95 %, that less than 3/n fail. So the number is a bound, and no better than the study was
long. Real frames can differ from simulated ones: that is not in it.
"""

from __future__ import annotations

__all__ = ["confidence"]

# Margin, and how many scans of the study were found with this margin or a smaller one:
# `python benchmarks/word_order.py 24` prints it; docs/word-order.md has the study.
_STUDY = ((0.181, 40), (0.378, 80), (0.627, 160), (0.890, 320), (1.0, 330))


def confidence(margin: float) -> float:
    """Return how large a share of findings with margins as small is right, at least.

    Parameters
    ----------
    margin : float

    Returns
    -------
    float
        1 - 3/n, n being the scans found with margins up to the next one of the study.
    """
    return 1 - 3 / next(count for most, count in _STUDY if margin <= most)
