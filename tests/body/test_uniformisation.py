"""One dose through a network: against scipy's exponential, closed forms of an infusion, and the gradient of both."""

import numpy as np
import pytest
from scipy.linalg import expm

from pbpk.body.elimination import matrix
from pbpk.body.uniformisation import follow_dose, follow_dose_adjoint, sweep, sweep_adjoint

RNG = np.random.default_rng(8)
W = RNG.gamma(0.5, 1.0, (5, 5)) * (1 - np.eye(5))
K = matrix(W)
START = RNG.random(5)
HOURS = np.array([3.0, 0.0, 0.4, 25.0])


def test_every_hour_is_an_exponential():
    expected = [expm(K * hour) @ START for hour in HOURS]
    np.testing.assert_allclose(sweep(K, START, HOURS), expected, rtol=1e-11)


def test_nothing_moves_without_rates():
    np.testing.assert_allclose(sweep(np.zeros((5, 5)), START, HOURS), np.tile(START, (4, 1)), rtol=1e-14)


@pytest.mark.parametrize("duration", [0.0, 2.0])
def test_a_dose_enters_at_once_or_by_and_by(duration):
    found = follow_dose(K, START, 1.0, duration, HOURS)[0]
    for hour, states in zip(HOURS, found, strict=True):
        if hour < 1.0:
            assert not states.any()
        elif duration == 0.0:
            np.testing.assert_allclose(states, expm(K * (hour - 1.0)) @ START, rtol=1e-11)
        else:  # the integral of the exponential, by a larger exponential (Van Loan 1978)
            whole = np.zeros((6, 6))
            whole[:5, :5], whole[:5, 5] = K, START / duration
            ran = min(hour - 1.0, duration)
            filled = expm(whole * ran)[:5, 5]
            np.testing.assert_allclose(states, expm(K * (hour - 1.0 - ran)) @ filled, rtol=1e-11)


def test_the_gradient_of_the_sweep_is_that_of_the_exponential():
    bar = RNG.standard_normal((HOURS.size, 5))
    k_bar, start_bar = sweep_adjoint(K, START, HOURS, bar)
    np.testing.assert_allclose(start_bar, sum(expm(K * h).T @ b for h, b in zip(HOURS, bar, strict=True)), rtol=1e-10)
    for i in range(5):
        for j in range(5):
            if i != j:  # a rate from j to i, so that the column still sums to nothing
                change = np.zeros((5, 5))
                change[i, j], change[j, j] = 1.0, -1.0
                ends = [(bar * sweep(K + t * change, START, HOURS)).sum() for t in (2e-4, 1e-4, -1e-4, -2e-4)]
                slope = (8 * (ends[1] - ends[2]) - (ends[0] - ends[3])) / 12e-4
                assert (k_bar * change).sum() == pytest.approx(slope, rel=1e-7, abs=1e-9)


def test_the_gradient_by_what_enters_is_linear():
    bar = RNG.standard_normal((HOURS.size, 5))
    for duration in (0.0, 2.0):
        _, entry_bar = follow_dose_adjoint(K, START, 1.0, duration, HOURS, bar)
        by_unit = [(bar * follow_dose(K, unit, 1.0, duration, HOURS)[0]).sum() for unit in np.eye(5)]
        np.testing.assert_allclose(entry_bar, by_unit, rtol=1e-10)


def test_absurd_rates_are_told_by_nan():
    assert np.isnan(sweep(1e9 * K, START, HOURS)).all()
    assert np.isnan(sweep_adjoint(1e9 * K, START, HOURS, np.ones((4, 5)))[1]).all()
