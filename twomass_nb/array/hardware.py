"""When the hardware of either site changed, as far as we know; nowhere else are such dates kept.

Section 4.2 of the Explanatory Supplement lists the periods of stable hardware and was not at hand:
there are others. Of some we know the day, of others the month or the season only: a night surely
lies between two events from `new_from` of one to `old_until` of the other.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

__all__ = ["HARDWARE_EVENTS", "HardwareEvent"]


@dataclass(frozen=True)
class HardwareEvent:
    """A change of hardware that calibration should not be carried across.

    Attributes
    ----------
    name : str
        As ``"h-array"``; unique.
    hemis : {"n", "s"}
    first, last : datetime.date
        The days between which it happened; one and the same where the day is known: the first
        night of the new state.
    what : str
    source : str
    """

    name: str
    hemis: str
    first: dt.date
    last: dt.date
    what: str
    source: str

    @property
    def exact(self) -> bool:
        """Whether the day is known."""
        return self.first == self.last

    @property
    def old_until(self) -> dt.date:
        """The last night that is surely before it."""
        return self.first - dt.timedelta(days=1)

    @property
    def new_from(self) -> dt.date:
        """The first night that is surely after it."""
        return self.last if self.exact else self.last + dt.timedelta(days=1)


def _on(name: str, hemis: str, day: str, what: str, source: str) -> HardwareEvent:
    return HardwareEvent(name, hemis, *2 * (dt.date.fromisoformat(day),), what, source)


def _within(name: str, hemis: str, first: str, last: str, what: str, source: str) -> HardwareEvent:
    days = dt.date.fromisoformat(first), dt.date.fromisoformat(last)
    return HardwareEvent(name, hemis, *days, what, source)


_ARCHIVE = "UMass raw pixel data archive"

#: Those we know, by site and date. Not datable at all: a gain change of Mt. Hopkins' preamplifiers
#: and temperature cycles of its camera "in the early years". The camera of Cerro Tololo was never
#: warmed. That of Mt. Hopkins was "each summer", when the monsoon closed the observatory: here from
#: June to September, which is our reading.
HARDWARE_EVENTS = (
    _on("dither", "n", "1997-05-14", "camera turned; frame step 83.22 to 82.80 arcsec",
        "T. Chester, 2MASS Previous Dithering Patterns"),
    _on("focus", "n", "1997-07-13", "focus compensated for temperature, 6 micron / K", _ARCHIVE),
    _within("warm-1997", "n", "1997-06-01", "1997-09-30", "camera warmed in summer", _ARCHIVE),
    _within("warm-1998", "n", "1998-06-01", "1998-09-30", "camera warmed in summer", _ARCHIVE),
    _within("warm-1999", "n", "1999-06-01", "1999-09-30", "camera warmed in summer", _ARCHIVE),
    _within("h-array", "n", "1999-08-01", "1999-08-31", "H array changed: North1 | North2",
            _ARCHIVE),
    _within("warm-2000", "n", "2000-06-01", "2000-09-30", "camera warmed in summer", _ARCHIVE),
    _within("mirror", "n", "2000-09-01", "2000-09-30", "radial constraints of the primary mirror",
            _ARCHIVE),
    _on("preamplifiers", "s", "1999-01-18", "gain of the preamplifiers doubled", _ARCHIVE),
)  # fmt: skip
