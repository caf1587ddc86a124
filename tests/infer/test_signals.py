"""Readings in the fit: which stand clear, what a laboratory would find again, and the term as PyTensor sees it."""

from dataclasses import replace

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest

from pbpk.assay.signals import Response, Signals, learn
from pbpk.infer.signals import controls_term, is_clear, readings_term, replicates, unknowns

NAMES = ("blank", "log_slope", "log_s0", "log_cv")
PRIOR_SD = np.array([np.inf, np.inf, 1.0, 0.5])
START = np.array([0.0, 0.0, 0.0, np.log(0.02)])
TRUTH = np.array([0.4, 0.1, np.log(0.5), np.log(0.03)])


def response(amounts, rng=None, counted=False):
    n = len(amounts)
    blank, gain, s0, cv = (np.zeros((n, 4)) for _ in range(4))
    blank[:, 0] = gain[:, 1] = s0[:, 2] = cv[:, 3] = 1.0
    floor = 0.0 if counted else 1.0
    one = Response(np.zeros(n), np.full(n, 0.25 * floor), np.full(n, counted), blank, gain, np.zeros(n), s0, cv,
                   np.full(n, floor), np.ones(n))  # fmt: skip
    rise = one.rise(TRUTH, amounts)
    noise = 0.0 if rng is None else np.sqrt(one.scatter(TRUTH, rise)) * rng.standard_normal(n)
    return replace(one, value=blank @ TRUTH + rise + noise)


@pytest.fixture(scope="module")
def signals():
    rng = np.random.default_rng(1)
    amounts = np.repeat([0.0, 5.0, 10.0, 50.0, 200.0], [8, 3, 3, 3, 3])
    shared = learn(NAMES, START, PRIOR_SD, response(amounts, rng), amounts)
    return Signals(shared, response(np.array([0.0, 2.0, 40.0, 150.0, 60.0]), rng), np.array([3, 0, 1, 2, 4]))


CELLS = np.array([0, 1, 1, 0, 2])  # of rows 0 to 4


def test_clear_is_far_above_noise(signals):
    assert list(is_clear(signals)) == [False, False, True, True, True]
    counted = replace(signals, response=response(np.array([3.0, 30.0, 80.0]), counted=True))
    assert list(is_clear(counted)) == [False, False, True]


def test_the_term_is_the_likelihood_and_its_gradient_is_its_own(signals):
    point = pt.dvector()
    m, spread, misfit, u = point[:5], point[5], point[6], point[7:]
    total = readings_term(signals, CELLS, np.full(5, np.nan), m, spread, misfit, u)
    both = pytensor.function([point], [total, pt.grad(total, point)], mode="NUMBA")
    at = np.concatenate([np.log([2.0, 40.0, 140.0, 0.3, 55.0]), [0.2, 0.1], signals.shared.mean])
    value, gradient = both(at)
    assert np.isfinite(value)
    for i in range(len(at)):
        step = np.zeros_like(at)
        step[i] = 1e-5
        assert gradient[i] == pytest.approx((both(at + step)[0] - both(at - step)[0]) / 2e-5, rel=1e-4, abs=1e-5)


def test_the_controls_replace_the_normal_that_stands_for_them(signals):
    z = pt.dvector()
    term = controls_term(signals, z)
    both = pytensor.function([z], [term, pt.grad(term, z)], mode="NUMBA")
    assert both(np.zeros(4))[0] == pytest.approx(0.0, abs=1e-9)
    shared = signals.shared
    at = np.array([0.5, -1.0, 0.3, 0.8])
    by_hand = shared.log_density(unknowns(signals, at)) - shared.log_density(shared.mean) + 0.5 * at @ at
    value, gradient = both(at)
    assert value == pytest.approx(by_hand, abs=1e-9)
    for i in range(4):
        step = np.zeros(4)
        step[i] = 1e-5
        assert gradient[i] == pytest.approx((both(at + step)[0] - both(at - step)[0]) / 2e-5, rel=1e-4, abs=1e-6)


def test_unknowns_have_the_mean_and_covariance_of_the_controls(signals):
    u = unknowns(signals, np.random.default_rng(1).standard_normal((40_000, 4)))
    np.testing.assert_allclose(u.mean(axis=0), signals.shared.mean, atol=5 * u.std(axis=0).max() / 200)
    sd = np.sqrt(np.diag(signals.shared.covariance))
    np.testing.assert_allclose(np.cov(u.T) / np.outer(sd, sd), signals.shared.covariance / np.outer(sd, sd), atol=0.03)


def test_replicates_scatter_as_estimates_do(signals):
    rng = np.random.default_rng(2)
    u = unknowns(signals, rng.standard_normal((20_000, 4)))
    amount, _, _ = signals.estimates()
    again = replicates(signals, u, np.tile(np.maximum(amount, 0.0), (len(u), 1)), rng)
    sd = np.sqrt(np.diag(signals.covariance()))
    np.testing.assert_allclose(again.mean(axis=0), np.maximum(amount, 0.0), atol=0.05 * sd.max())
    np.testing.assert_allclose(again.std(axis=0), sd, rtol=0.15)


def test_replicates_of_counts_are_whole_numbers_with_their_variance(signals):
    counted = replace(signals, response=response(np.array([4.0, 60.0]), counted=True))
    rng = np.random.default_rng(3)
    u = np.tile(signals.shared.mean, (20_000, 1))
    found = replicates(counted, u, np.tile([4.0, 60.0], (len(u), 1)), rng)
    r, mean = counted.response, signals.shared.mean
    counts = found * r.rise(mean, 1.0) + r.blank @ mean
    np.testing.assert_allclose(counts, np.round(counts), atol=1e-9)
    rise = r.rise(mean, np.array([4.0, 60.0]))
    np.testing.assert_allclose(counts.mean(axis=0), rise + mean[0], rtol=0.02)
    np.testing.assert_allclose(counts.var(axis=0), rise + mean[0] + r.relative(mean) * rise**2, rtol=0.06)
