"""Which keys work in the frame explorer; they work while something inside it has the focus."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import anywidget
import traitlets

__all__ = ["HELP", "PLOT_KEYS", "STEPS", "Keys"]

#: Frames that a key steps by, and plots that one opens or closes.
STEPS = {"ArrowLeft": -1, "ArrowRight": 1, "PageUp": 10, "PageDown": -10}
PLOT_KEYS = {"c": "cuts", "g": "histogram", "p": "through"}


HELP = """Click into the explorer, then:
← →  one frame back, on (Page keys: ten; Home, End: first, last)
1 2 3 (4)  r1, r2, r2 − r1 (calibrated)
j h k  band
b  blink
c g p  cuts, histogram, pixel through frames
click, Esc  hold a pixel, let it go"""


class Keys(anywidget.AnyWidget):
    """A word that explains the keys, and calls `on_key` with the name of each that is pressed."""

    _esm = (Path(__file__).parent / "frames_keys.js").read_text(encoding="utf-8")  # see bridge.py
    help = traitlets.Unicode(HELP, help="what the tooltip says").tag(sync=True)

    def __init__(self, on_key: Callable[[str], None]) -> None:
        super().__init__()
        self.on_msg(lambda _widget, message, _buffers: on_key(message["key"]))
