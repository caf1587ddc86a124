"""Powers of one draw's exponential against scipy and closed forms, and the laws they must obey."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from pbpk.body.doubling import FINEST, advance, powers_of

quick = settings(max_examples=40, deadline=None, derandomize=True)
LONGEST = 336.0
HOURS = [0.0, 1e-3, 0.5, 24.0, 335.9, LONGEST]


def network(seed, n=6, slowest=1e-3, fastest=1e5):
    """Matrix [1/h] of a closed random network whose rates span many orders of magnitude."""
    rng = np.random.default_rng(seed)
    k = np.where(rng.random((n, n)) < 0.6, np.exp(rng.uniform(np.log(slowest), np.log(fastest), (n, n))), 0.0)
    np.fill_diagonal(k, 0.0)
    return k - np.diag(k.sum(0))


@quick
@given(st.integers(0, 10_000))
def test_exponentials_of_a_dense_matrix(seed):
    k, start = network(seed, fastest=30.0), np.random.default_rng(seed).random(6)
    powers = powers_of(k, 6, LONGEST)
    for hour in HOURS:
        found = advance(k, powers, LONGEST, start, hour)
        np.testing.assert_allclose(found, expm(k * hour) @ start, rtol=1e-9, atol=1e-13)


@quick
@given(st.integers(0, 10_000))
def test_columns_are_shares(seed):
    k = network(seed, fastest=1e8)
    powers = powers_of(k, 6, LONGEST)
    assert (powers >= 0.0).all()
    np.testing.assert_allclose(powers.sum(1), 1.0, rtol=1e-14)
    assert -k.diagonal().min() * LONGEST / 2.0 ** (len(powers) - 1) <= FINEST


@pytest.mark.parametrize("fast", [1e3, 1e7, 1e11])
def test_a_slow_rate_keeps_its_digits_beside_a_fast_one(fast):
    """0 and 1 exchange fast, in the ratio 1 : 3; 1 leaks into 2 slowly."""
    leak = 1e-3
    k = np.array([[-3 * fast, fast, 0.0], [3 * fast, -fast - leak, 0.0], [0.0, leak, 0.0]])
    row = advance(k, powers_of(k, 3, 100.0), 100.0, np.array([1.0, 0, 0]), 100.0)
    left = np.exp(-0.75 * leak * 100.0)  # in the limit of a fast exchange
    np.testing.assert_allclose(row, [left / 4, 3 * left / 4, 1 - left], rtol=max(1e-9, 10 * leak / fast))


def test_a_pump_feeds_and_stays():
    """Into one state that leaks: the closed form of a constant infusion."""
    leak, hours = 0.3, 5.0
    k = np.array([[-leak, 0.0, 2.0], [leak, 0.0, 0.0], [0.0, 0.0, 0.0]])
    row = advance(k, powers_of(k, 2, hours), hours, np.array([0.0, 0.0, 1.0]), hours)
    held = 2.0 / leak * (1 - np.exp(-leak * hours))
    np.testing.assert_allclose(row, [held, 2.0 * hours - held, 1.0], rtol=1e-12)
