"""Stars found in pictures whose stars are known."""

from __future__ import annotations

import numpy as np

from twomass_nb.sources import find


def test_an_empty_picture_has_no_stars():
    noise = np.random.default_rng(1).normal(400, 2.0, (256, 256))
    found = find(noise, noise=2.0, fwhm=1.4, threshold=6.0)
    assert len(found) == 0
    assert {"x", "y", "flux", "flux_error", "peak", "snr", "flags"} <= set(found.colnames)
