from __future__ import annotations

import datetime as dt

from twomass_nb.array import period_of
from twomass_nb.array.hardware import HARDWARE_EVENTS
from twomass_nb.scan import ScanId

EVENTS = {event.name: event for event in HARDWARE_EVENTS}


def test_what_the_archive_says():
    assert EVENTS["focus"].first == EVENTS["focus"].last == dt.date(1997, 7, 13)
    assert EVENTS["preamplifiers"].first == dt.date(1999, 1, 18)
    assert EVENTS["preamplifiers"].hemis == "s"
    assert {e.name for e in HARDWARE_EVENTS if e.hemis == "s"} == {"preamplifiers"}
    assert len(EVENTS) == len(HARDWARE_EVENTS)
    assert all(event.first <= event.last for event in HARDWARE_EVENTS)


def test_the_geometry_changes_with_the_h_array():
    event = EVENTS["h-array"]
    assert not event.exact
    assert period_of(ScanId(event.first, "n", 1)) == "North1"
    assert period_of(ScanId(event.last, "n", 1)) == "North2"


def test_nights_of_a_month_in_which_something_changed_are_on_neither_side():
    event = EVENTS["h-array"]
    assert (event.old_until, event.new_from) == (dt.date(1999, 7, 31), dt.date(1999, 9, 1))
    event = EVENTS["preamplifiers"]  # "data taken after 990117"
    assert (event.old_until, event.new_from) == (dt.date(1999, 1, 17), dt.date(1999, 1, 18))
