"""Positions as people write them."""

from __future__ import annotations

import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from hypothesis import given
from hypothesis import strategies as st

from twomass_nb.errors import PositionError
from twomass_nb.locate.position import parse_position

M17 = SkyCoord(274.998757, -16.2469759, unit="deg")


@pytest.mark.parametrize(
    "text",
    [
        "274.998757 -16.2469759",
        "274.998757,-16.2469759",
        "274.998757, -16.2469759",
        "274.998757-16.2469759",
        "18:19:59.70168 -16:14:49.1132",
        "18 19 59.70168 -16 14 49.1132",
        "18h19m59.70168s -16d14m49.1132s",
        "18h19m59.70168s, −16d14m49.1132s",
        "274d59m55.5252s -16d14m49.1132s",
        M17.galactic.to_string(precision=9).join(("l=", "")).replace(" ", " b="),
    ],
)
def test_one_position_in_many_spellings(text):
    assert parse_position(text).separation(M17) < 0.01 * u.arcsec


@given(st.floats(0, 359.999999), st.floats(-90, 90))
def test_what_astropy_writes_is_read(ra, dec):
    coord = SkyCoord(ra, dec, unit="deg")
    for style in ("decimal", "hmsdms"):
        text = coord.to_string(style, precision=9)
        assert parse_position(text).separation(coord) < 1e-5 * u.arcsec  # 9 decimals of a degree


@pytest.mark.parametrize(
    "text", ["", "M 31", "12", "1 2 3", "10 91", "nan nan", "370 0", "10 -", "a b", "10:70:00 5"]
)
def test_what_is_not_a_position_is_refused_in_one_line(text):
    with pytest.raises(PositionError) as caught:
        parse_position(text)
    assert "\n" not in str(caught.value)
