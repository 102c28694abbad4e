"""A stretch in the palette shows what the same stretch of the numbers would show."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.visualization import AsinhStretch, LinearStretch, LogStretch, SqrtStretch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from twomass_nb.explore import colours

SAME = {
    "linear": LinearStretch(),
    "sqrt": SqrtStretch(),
    "asinh": AsinhStretch(0.1),
    "log": LogStretch(1000),
}


@pytest.mark.parametrize("stretch", colours.STRETCHES)
def test_the_palette_is_the_stretch(stretch):
    levels = np.linspace(0, 1, colours.LEVELS[stretch])
    expected = np.rint(SAME[stretch](levels) * 255).astype(int)
    from bokeh.palettes import Cividis256

    shown = [Cividis256.index(c) for c in (p.upper() for p in colours.palette("cividis", stretch))]
    assert np.abs(np.array(shown) - expected).max() <= 1


@pytest.mark.parametrize("name", [name for name in colours.MAPS if name != "grey, dark stars"])
def test_brighter_is_always_lighter(name):
    # what makes a map readable without colour vision: lightness rises all the way
    rgb = colours.rgb_table(name, "linear").astype(float)
    lightness = rgb @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(lightness) > -1.0).all()
    assert lightness[-1] - lightness[0] > 120


@given(
    arrays(np.float32, (8, 8), elements=st.floats(-1e5, 1e5, width=32) | st.just(np.nan)),
    st.sampled_from(list(colours.LIMITS)),
)
def test_limits_are_always_a_range(data, how):
    low, high = colours.limits(data, how)
    assert np.isfinite([low, high]).all()
    assert low < high


def test_limits_hold_the_percentage_asked_for():
    data = np.random.default_rng(1).normal(size=(256, 256))
    for how, percent in (("99 %", 99), ("95 %", 95)):
        low, high = colours.limits(data, how)
        inside = np.mean((data >= low) & (data <= high)) * 100
        assert inside == pytest.approx(percent, abs=0.01)
    assert colours.limits(data, "min – max") == (data.min(), data.max())
