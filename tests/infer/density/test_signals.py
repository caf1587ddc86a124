"""Readings in the fit: which stand clear, and what a laboratory would find again."""

from dataclasses import replace

import numpy as np
import pytest
from readings import response
from readings import signals as made

from pbpk.infer.density.signals import is_clear, replicates, unknowns


@pytest.fixture(scope="module")
def signals():
    return made()


def test_clear_is_far_above_noise(signals):
    assert list(is_clear(signals)) == [False, False, True, True, True]
    counted = replace(signals, response=response(np.array([3.0, 30.0, 80.0]), counted=True))
    assert list(is_clear(counted)) == [False, False, True]


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
