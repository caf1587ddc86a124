import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate

from pbpk.assay.readouts.isotope import decayed_seconds, gamma_signals
from pbpk.errors import StudyError

HALF = 67.3


@given(st.floats(1.0, 1e5), st.floats(0.0, 400.0), st.floats(0.5, 5000.0))
def test_time_at_full_activity_is_the_integral_of_decay(seconds, hours, half):
    whole, _ = integrate.quad(lambda t: 2.0 ** (-(hours + t / 3600.0) / half), 0.0, seconds)
    assert decayed_seconds(seconds, hours, half) == pytest.approx(whole, rel=1e-6, abs=1e-9)


def test_hours_that_are_seconds_are_refused():
    with pytest.raises(StudyError, match="half-lives after the dose, when nothing is left"):
        decayed_seconds(60.0, 90_000.0, HALF)


def test_a_short_count_after_one_half_life_is_half_as_long():
    assert decayed_seconds(60.0, HALF, HALF) == pytest.approx(30.0, rel=1e-3)


def test_a_row_in_closed_form(readouts, written):
    settings = readouts().gamma
    row = written(value=9000.0, unit="counts", seconds=120.0, counted_hours=30.0)
    signals = gamma_signals([row], settings)
    amount, own, _ = signals.estimates()
    rate = (250000 - 2.0 * 60.0) / decayed_seconds(60.0, 2.0, HALF)
    slope = rate * decayed_seconds(120.0, 30.0, HALF)
    assert amount == pytest.approx([(9000.0 - 240.0) / slope])
    assert own == pytest.approx([math.sqrt(9000.0) / slope])
    # what the standard and the background were counted for is all that is shared
    of_standard = (250000 + (60.0 / 600.0) ** 2 * 1200) / (250000 - 120.0) ** 2
    of_both = 2.0 * amount[0] * (120.0 / slope) * (60.0 * 1200 / 600.0**2) / (250000 - 120.0)
    of_background = (120.0 / slope) ** 2 * 1200 / 600.0**2
    shared = amount[0] ** 2 * of_standard - of_both + of_background
    assert signals.covariance()[0, 0] == pytest.approx(own[0] ** 2 + shared, rel=1e-6)


def test_the_efficiency_cancels(readouts, written):
    row = written(value=9000.0, unit="counts", seconds=120.0, counted_hours=30.0)
    twice = written(value=18000.0, unit="counts", seconds=120.0, counted_hours=30.0)
    once, _, _ = gamma_signals([row], readouts().gamma).estimates()
    doubled = {"standard_counts": 500000, "background_counts": 2400}
    again, _, _ = gamma_signals([twice], readouts(gamma=doubled).gamma).estimates()
    assert again == pytest.approx(once)


@pytest.mark.parametrize(("hours", "background", "cv"), [(24.0, 1200, None), (400.0, 1200, None), (24.0, 60, 0.1)])
def test_estimates_agree_with_simulated_counts(readouts, written, agreement, hours, background, cv):
    percent, rate = 8.0, 4200.0

    def once(rng):
        def scattered():
            return rng.gamma(1 / cv**2, cv**2) if cv else 1.0

        standard = rate * decayed_seconds(60.0, 2.0, HALF) * scattered() + background / 600.0 * 60.0
        changes = {"background_counts": int(rng.poisson(background)), "standard_counts": int(rng.poisson(standard))}
        if cv:
            changes["cv"] = {"median": cv, "sigma": 0.01, "source": "x"}
        mean = percent * rate * decayed_seconds(120.0, hours, HALF) * scattered() + background / 600.0 * 120.0
        row = written(value=float(rng.poisson(mean)), unit="counts", seconds=120.0, counted_hours=hours)
        signals = gamma_signals([row], readouts(gamma=changes).gamma)
        return signals.estimates()[0][0], math.sqrt(signals.covariance()[0, 0])

    bias, error, covered = agreement(once, percent)
    # a ratio is read too high by the relative variance of its denominator
    assert abs(bias - (cv or 0.0) ** 2) < 3.0 * error
    assert 0.91 < covered < 0.99


def test_decay_does_not_widen_what_was_counted(readouts, written):
    """The same counts late mean more label, with the same relative doubt."""
    early, late = (
        gamma_signals(
            [written(value=50000.0, unit="counts", seconds=120.0, counted_hours=hours)], readouts().gamma
        ).estimates()
        for hours in (24.0, 24.0 + 2 * HALF)
    )
    assert late[0] / early[0] == pytest.approx(4.0)
    assert late[1] / late[0] == pytest.approx(early[1] / early[0])


@pytest.mark.parametrize(
    ("row", "changes", "said"),
    [
        ({"seconds": None}, {}, "row 2: `seconds` is missing"),
        ({"counted_hours": None}, {}, "row 2: `counted_hours` is missing"),
        ({"counted_hours": 3.0}, {}, "row 2: counted at 3 h, before it was taken"),
        ({}, {"standard_counts": 130}, r"\[readouts.gamma\]: the standard does not stand above the background"),
    ],
)
def test_what_cannot_be_counted(readouts, written, row, changes, said):
    rows = [written(**{"value": 9000.0, "unit": "counts", "seconds": 120.0, "counted_hours": 30.0, **row})]
    with pytest.raises(StudyError, match=said):
        gamma_signals(rows, readouts(gamma=changes).gamma)


def test_two_organs_are_wrong_together(readouts, written):
    rows = [written(number=i, value=9e5, unit="counts", seconds=600.0, counted_hours=30.0) for i in (2, 3)]
    covariance = gamma_signals(rows, readouts().gamma).covariance()
    assert covariance[0, 1] / covariance[0, 0] > 0.7
    assert np.linalg.eigvalsh(covariance).min() > 0.0
