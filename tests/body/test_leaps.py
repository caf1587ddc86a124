"""Leaps over thousands of turnovers, against scipy, steps, and differences in 50 digits."""

import mpmath
import numpy as np
import pytest
from scipy.linalg import expm, expm_frechet

from pbpk.body.leaps import MANY, MOST, leap, leap_adjoint, turnovers
from pbpk.body.uniformisation import follow_dose, follow_dose_adjoint, sweep, sweep_adjoint

HOURS = np.array([0.0, 0.2, 1.0, 7.3, 48.0])


def network(seed, n=9, fastest=300.0):
    """Rates over five decades; the last state keeps what it gets."""
    rng = np.random.default_rng(seed)
    k = np.exp(rng.uniform(np.log(1e-3), np.log(fastest), (n, n))) * (rng.random((n, n)) < 0.4)
    np.fill_diagonal(k, 0.0)
    k[:, -1] = 0.0
    return k - np.diag(k.sum(axis=0))


@pytest.mark.parametrize("seed", range(6))
def test_states_are_those_of_steps(seed):
    k, start = network(seed), np.random.default_rng(seed).random(9)
    assert turnovers(k, HOURS) > MANY
    found, steps = leap(k, start, HOURS), sweep(k, start, HOURS)
    np.testing.assert_allclose(found, steps, rtol=1e-9, atol=1e-14)
    np.testing.assert_allclose(found.sum(axis=1), start.sum(), rtol=1e-12)
    assert (found >= 0.0).all()


@pytest.mark.parametrize("seed", range(6))
def test_the_gradient_is_that_of_steps(seed):
    rng = np.random.default_rng(seed)
    k, start, bar = network(seed), rng.random(9), rng.standard_normal((HOURS.size, 9))
    for mine, theirs in zip(leap_adjoint(k, start, HOURS, bar), sweep_adjoint(k, start, HOURS, bar), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-7, atol=1e-9 * abs(theirs).max())


def test_the_gradient_is_frechets():
    k, start = network(3), np.random.default_rng(3).random(9)
    bar = np.random.default_rng(4).standard_normal((1, 9))
    k_bar, start_bar = leap_adjoint(k, start, np.array([12.0]), bar)
    frechet = expm_frechet(k.T * 12.0, np.outer(bar[0], start), compute_expm=False) * 12.0
    np.testing.assert_allclose(k_bar, frechet, rtol=1e-7, atol=1e-9 * abs(frechet).max())
    np.testing.assert_allclose(start_bar, expm(k.T * 12.0) @ bar[0], rtol=1e-8, atol=1e-11)


def test_rates_a_million_times_too_fast_are_followed_and_absurd_ones_told_by_nan():
    """A sampler that warms up leaps there: it must come back, with a gradient, at once."""
    k, start, bar = network(1, fastest=1e6), np.ones(9), np.ones((5, 9))
    assert turnovers(k, HOURS) > 1e7
    assert np.isfinite(leap(k, start, HOURS)).all()
    assert np.isfinite(leap_adjoint(k, start, HOURS, bar)[0]).all()
    absurd = k * (1.1 * MOST / turnovers(k, HOURS))
    assert np.isnan(leap(absurd, start, HOURS)).all()
    assert np.isnan(leap_adjoint(absurd, start, HOURS, bar)[0]).all()
    k[0, 0] = np.inf
    assert turnovers(k, HOURS) == np.inf


def test_small_numbers_keep_their_digits():
    """A chain into a trickle: 1e-10 of the dose, against fifty digits."""
    k = np.zeros((4, 4))
    for at, rate in enumerate((400.0, 1e-6, 1e-5)):
        k[at + 1, at] += rate
        k[at, at] -= rate
    found = leap(k, np.array([1.0, 0.0, 0.0, 0.0]), np.array([24.0]))[0]
    with mpmath.workdps(50):
        exact = mpmath.expm(mpmath.matrix(k.tolist()) * 24) * mpmath.matrix([1, 0, 0, 0])
    np.testing.assert_allclose(found[1:], [float(x) for x in exact][1:], rtol=1e-9)


def test_an_infusion_is_pumped_through_leaps():
    k, entry = network(2), np.random.default_rng(2).random(9)
    bar = np.random.default_rng(5).standard_normal((HOURS.size, 9))
    states, _ = follow_dose(k, entry, 0.1, 2.0, HOURS)
    held = np.zeros((HOURS.size, 9))
    for m, hour in enumerate(HOURS):  # by parts: the integral of exp over the time it ran
        ran = min(max(hour - 0.1, 0.0), 2.0)
        if ran > 0.0:
            whole = np.zeros((10, 10))
            whole[:9, :9], whole[:9, 9] = k, entry / 2.0
            held[m] = expm(k * (hour - 0.1 - ran)) @ (expm(whole * ran)[:9, 9])
    np.testing.assert_allclose(states, held, rtol=1e-8, atol=1e-11)
    k_bar, entry_bar = follow_dose_adjoint(k, entry, 0.1, 2.0, HOURS, bar)
    by_unit = [(bar * follow_dose(k, unit, 0.1, 2.0, HOURS)[0]).sum() for unit in np.eye(9)]
    np.testing.assert_allclose(entry_bar, by_unit, rtol=1e-7, atol=1e-9)
    i, j = np.argwhere(k > 1.0)[0]
    step = np.zeros_like(k)
    step[i, j], step[j, j] = 1.0, -1.0
    ends = [(bar * follow_dose(k + h * step, entry, 0.1, 2.0, HOURS)[0]).sum() for h in (-1e-4, 1e-4)]
    assert (k_bar * step).sum() == pytest.approx((ends[1] - ends[0]) / 2e-4, rel=1e-4, abs=1e-8)
