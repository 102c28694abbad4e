"""A pixel is read when its place in its quadrant says, 6 microseconds after the one before."""

from __future__ import annotations

import numpy as np
import pytest
from astropy import units as u

from twomass_nb.array import readout
from twomass_nb.errors import NotFoundError


def test_each_quadrant_begins_at_its_lower_left_and_goes_along_the_row():
    for x, y in ((0, 0), (128, 0), (0, 128), (128, 128)):
        assert readout.read_before(x, y) == 0
        assert readout.read_before(x + 1, y) == 1
        assert readout.read_before(x + 127, y) == 127
        assert readout.read_before(x, y + 1) == 128
        assert readout.read_before(x + 127, y + 127) == 128 * 128 - 1


def test_four_pixels_are_read_at_each_time():
    y, x = np.mgrid[:256, :256]
    _, counts = np.unique(readout.read_before(x, y), return_counts=True)
    assert counts.size == 128 * 128
    assert (counts == 4).all()
    names = np.array(readout.QUADRANTS)[readout.quadrant(x, y)]
    assert names[0, 0] == "lower left"
    assert names[0, 255] == "lower right"
    assert names[255, 0] == "upper left"
    assert names[255, 255] == "upper right"


def test_times():
    assert readout.time_in_read(5, 4).to_value(u.ms) == pytest.approx(3.102)  # 517 pixels
    assert readout.time_in_read(255, 255).to_value(u.ms) == pytest.approx(16383 * 0.006)
    assert readout.time_after_reset(0, 0, "r1") == 52 * u.ms
    assert readout.time_after_reset(0, 0, "r2") == 1350 * u.ms
    assert readout.time_after_reset(5, 4, "r2").to_value(u.ms) == pytest.approx(1353.102)


@pytest.mark.parametrize("place", [(-1, 0), (256, 0), (0, 1.5), (np.array([0, 300]), 1)])
def test_what_is_no_pixel_is_refused(place):
    with pytest.raises(NotFoundError, match="no pixel"):
        readout.time_in_read(*place)
    with pytest.raises(NotFoundError, match="not a read"):
        readout.time_after_reset(0, 0, "r3")
