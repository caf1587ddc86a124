"""Networks as matrices, and passing states taken out: the Schur complement, and its gradient."""

import numpy as np
import pytest

from pbpk.body.elimination import eliminate, eliminate_adjoint, matrix, network


def random_network(seed):
    """Rates w[i, j] between three or four lasting and one to three passing states, and two doses."""
    rng = np.random.default_rng(seed)
    n_slow, n_fast = int(rng.integers(3, 5)), int(rng.integers(1, 4))
    n = n_slow + n_fast
    w = np.where(rng.random((n, n)) < 0.6, 10.0 ** rng.uniform(-3, 3, (n, n)), 0.0)
    w[n_slow:, 0] += 1.0  # every passing state is left again
    np.fill_diagonal(w, 0.0)
    return w, rng.uniform(0.0, 5.0, (2, n)), n_slow


def test_parallel_arrows_add():
    w = network(np.array([0, 0, 1]), np.array([1, 1, 0]), np.array([2.0, 3.0, 0.5]), 2)
    np.testing.assert_array_equal(w, [[0.0, 5.0], [0.5, 0.0]])
    np.testing.assert_array_equal(matrix(w), [[-5.0, 0.5], [5.0, -0.5]])


@pytest.mark.parametrize("seed", range(20))
def test_elimination_is_the_schur_complement(seed):
    w, entry, n_slow = random_network(seed)
    k = w.T - np.diag(w.sum(1))
    fast = np.linalg.solve(k[n_slow:, n_slow:], np.hstack([k[n_slow:, :n_slow], entry[:, n_slow:].T]))
    reduced = k[:n_slow, :n_slow] - k[:n_slow, n_slow:] @ fast[:, :n_slow]
    arrived = entry[:, :n_slow].T - k[:n_slow, n_slow:] @ fast[:, n_slow:]
    left, at_rest = w.copy(), entry.copy()
    eliminate(left, at_rest, n_slow)
    found = matrix(left[:n_slow, :n_slow])
    np.testing.assert_allclose(found, reduced, rtol=1e-9, atol=1e-9 * np.abs(reduced).max())
    np.testing.assert_allclose(at_rest[:, :n_slow], arrived.T, rtol=1e-9, atol=1e-9)
    assert (left[:n_slow, :n_slow] >= 0.0).all()
    np.testing.assert_allclose(at_rest[:, :n_slow].sum(axis=1), entry.sum(axis=1), rtol=1e-12)  # nobody is lost


@pytest.mark.parametrize("seed", range(10))
def test_its_gradient_is_that_of_differences(seed):
    w, entry, n_slow = random_network(seed)
    rng = np.random.default_rng([seed, 1])
    w_bar, entry_bar = np.zeros_like(w), np.zeros_like(entry)
    w_bar[:n_slow, :n_slow] = rng.standard_normal((n_slow, n_slow))
    np.fill_diagonal(w_bar, 0.0)  # what returns to where it came from is no arrow
    entry_bar[:, :n_slow] = rng.standard_normal((2, n_slow))
    asked = w_bar.copy(), entry_bar.copy()

    def total(rates):
        left, at_rest = rates.copy(), entry.copy()
        eliminate(left, at_rest, n_slow)
        return (asked[0] * left).sum() + (asked[1] * at_rest)[:, :n_slow].sum()

    left, at_rest = w.copy(), entry.copy()
    arriving, leaving, outflow = eliminate(left, at_rest, n_slow)
    eliminate_adjoint(
        w_bar, at_rest, entry_bar, arriving, np.zeros_like(arriving), leaving, outflow, np.zeros_like(outflow), n_slow
    )
    for i, j in zip(*np.nonzero(w), strict=True):
        step = 1e-5 * w[i, j]
        up, down = w.copy(), w.copy()
        up[i, j] += step
        down[i, j] -= step
        by_differences = (total(up) - total(down)) / (2 * step)
        rounding = 1e-11 * abs(total(w)) / step
        assert w_bar[i, j] == pytest.approx(by_differences, rel=1e-5, abs=rounding)
