"""Which order the words of an ``.rds`` file have: learnt from a pair, found in content, chosen."""

from .choose import choose_layout
from .detect import detect_layout
from .learn import learn_layout

__all__ = ["choose_layout", "detect_layout", "learn_layout"]
