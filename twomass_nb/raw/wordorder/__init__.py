"""Which order the words of an ``.rds`` file have: learnt from a pair, found in content, chosen."""

from .detect import detect_layout
from .learn import learn_layout

__all__ = ["detect_layout", "learn_layout"]
