from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twomass_nb.tables.cells import angles, guessed, iso_dates, reals, texts, wholes


def cells(*values):
    data = np.array([b"" if v is None else v.encode() for v in values])
    return data, np.array([v is None for v in values])


def plain(found):
    return [
        None if bad else value for value, bad in zip(*map(np.ndarray.tolist, found), strict=True)
    ]


@given(st.lists(st.one_of(st.none(), st.integers(-(10**17), 10**17)), min_size=1))
def test_whole_numbers_come_back(numbers):
    assert plain(wholes(*cells(*(n if n is None else f" {n} " for n in numbers)))) == numbers


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_numbers_come_back(numbers):
    assert plain(reals(*cells(*map(repr, numbers)))) == numbers


@given(st.lists(st.one_of(st.none(), st.text(alphabet="aä€ \t", max_size=5)), min_size=1))
def test_texts_come_back_stripped_and_empty_ones_are_null(values):
    expected = [(v or "").strip() or None for v in values]
    assert plain(texts(*cells(*values))) == expected


def test_text_of_the_observatories_computers():
    assert texts(np.array([b"Erh\xf6ht"]), np.array([False]))[0].tolist() == ["Erhöht"]


@pytest.mark.parametrize("odd", ["", "-", "--1", "1-2", "1.5", "x1", "1" * 19, "٣"])
def test_what_is_no_whole_number_is_null(odd):
    assert plain(wholes(*cells(odd, "7"))) == [None, 7]


@pytest.mark.parametrize("odd", ["nan", "inf", "1,5", "x", ""])
def test_what_is_no_number_is_null(odd):
    assert plain(reals(*cells(odd, "7.5"))) == [None, 7.5]


def test_angles_within_their_limits():
    found = angles(*cells("-00:30:00", "12:60:00", "x", None, "91:00:00", "+89:59:60"), -90, 90)
    assert plain(found) == [-0.5, None, None, None, None, None]
    assert plain(angles(*cells("12.5", "25"), 0, 24)) == [12.5, None]


def test_dates_in_both_forms_and_others_as_they_are():
    found = iso_dates(*cells("2000-05-29", "000529", "970607", "2000-05-29 00:00:00", "soon", None))
    assert plain(found) == ["2000-05-29", "2000-05-29", "1997-06-07", "2000-05-29", "soon", None]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["1", None, "-3"], [1, None, -3]),
        (["1", "2.5", "1e3"], [1.0, 2.5, 1000.0]),
        (["0136", "0137"], ["0136", "0137"]),
        (["0", "0.5"], [0.0, 0.5]),
        (["1", "a"], ["1", "a"]),
        (["nan", "1"], ["nan", "1"]),
        ([None, None], [None, None]),
    ],
)
def test_guesses(values, expected):
    assert guessed(*cells(*values)).tolist() == expected
