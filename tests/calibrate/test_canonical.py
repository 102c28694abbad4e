from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from twomass_nb.calibrate import Canonical
from twomass_nb.errors import CalibrationError


@pytest.fixture
def on(made):
    """The same calibrator as of another night, its responsivity measured anew, or changed."""

    def of(night: str, factor=1.0, **changes):
        one = made.calibrator
        rng = np.random.default_rng(int(night[:6]))
        noise = rng.standard_normal((256, 256)) * one.responsivity_error
        twilights = tuple(night + name[7:] for name in one.twilights)
        darks = tuple(night + name[7:] for name in one.darks)
        values = ((one.responsivity + noise) * factor).astype(np.float32)
        return replace(one, twilights=twilights, darks=darks, responsivity=values, **changes)

    return of


def test_nights_that_agree_join_the_mean_and_make_it_better(on, made):
    canonical = Canonical()
    for day in range(1, 7):
        assert canonical.offer(on(f"00050{day}s")).accepted
    assert canonical.nights == tuple(f"00050{day}s" for day in range(2, 7))  # five of them
    truth = made.calibrator.responsivity
    good = np.isfinite(truth) & (made.calibrator.mask == 0)
    pull = ((canonical.responsivity - truth) / canonical.error)[good]
    assert np.mean(np.abs(pull) < 2) == pytest.approx(0.955, abs=0.02)
    assert np.nanmedian(canonical.error) < 0.5 * np.nanmedian(made.calibrator.responsivity_error)
    assert "000506s" in repr(canonical)
    assert "SIMULATED" in repr(canonical)


def test_a_night_under_a_cloud_is_rejected_and_says_why(on):
    canonical = Canonical()
    canonical.offer(on("000501s"))
    cloudy = canonical.offer(on("000502s", np.linspace(0.98, 1.02, 256)))
    assert not cloudy.accepted
    assert "part of the array is 1." in cloudy.reason
    assert canonical.nights == ("000501s",)
    assert canonical.offer(on("000503s")).accepted
    assert "rejected" in canonical._repr_html_()


def test_single_pixels_that_changed_are_rejected(on):
    canonical = Canonical()
    canonical.offer(on("000501s"))
    changed = np.where(np.random.default_rng(0).random((256, 256)) < 0.02, 1.1, 1.0)
    verdict = canonical.offer(on("000502s", changed))
    assert not verdict.accepted
    assert "of the pixels" in verdict.reason


def test_the_mean_can_be_used(on, made):
    canonical = Canonical()
    canonical.offer(on("000501s"))
    used = canonical.apply(made.calibrator)
    np.testing.assert_array_equal(used.responsivity, canonical.responsivity)
    assert used.canonical == ("000501s",)


def test_what_does_not_belong_to_a_mean_is_refused(on, made):
    canonical = Canonical()
    with pytest.raises(CalibrationError, match="no night has been offered"):
        canonical.apply(made.calibrator)
    canonical.offer(on("000501s"))
    with pytest.raises(CalibrationError, match="offered before"):
        canonical.offer(on("000501s"))
    with pytest.raises(CalibrationError, match="keep a mean for each"):
        canonical.offer(on("000502s", band="h"))
    with pytest.raises(CalibrationError, match="keep a mean for each"):
        canonical.offer(on("000502s", simulated=False))
    with pytest.raises(CalibrationError, match="preamplifiers"):
        canonical.offer(on("990110s"))
    with pytest.raises(CalibrationError, match="different sites"):
        canonical.offer(on("000502n"))
