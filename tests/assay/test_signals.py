"""Readings and the unknowns they share: estimates, covariance, what controls teach, parts put together."""

import numpy as np
import pytest
from scipy import optimize, stats

from pbpk.assay.signals import Response, Signals, learn, merge
from pbpk.errors import AssayError

NAMES = ("blank", "log_slope", "log_s0", "log_cv")
PRIOR_SD = np.array([np.inf, np.inf, 1.0, 0.5])
START = np.array([0.0, 0.0, 0.0, np.log(0.02)])
TRUTH = np.array([0.4, 0.1, np.log(0.8), np.log(0.02)])
AMOUNTS = np.repeat([0.0, 5.0, 10.0, 50.0, 200.0], [12, 6, 6, 6, 6])


def readings(amounts, seed=None, own=0.5, u=TRUTH):
    """Readings of amounts by the model itself."""
    n = len(amounts)
    blank, gain, s0, cv = (np.zeros((n, 4)) for _ in range(4))
    blank[:, 0] = gain[:, 1] = s0[:, 2] = cv[:, 3] = 1.0
    one = Response(np.zeros(n), np.full(n, own**2), np.zeros(n, bool), blank, gain, np.zeros(n), s0, cv, np.ones(n),
                   np.ones(n))  # fmt: skip
    rise = one.rise(u, amounts)
    noise = np.zeros(n)
    if seed is not None:
        noise = np.sqrt(one.scatter(u, rise)) * np.random.default_rng(seed).standard_normal(n)
    return Response(**{**vars(one), "value": blank @ u + rise + noise})


def learned(seed):
    return learn(NAMES, START, PRIOR_SD, readings(AMOUNTS, seed), AMOUNTS)


def test_the_most_probable_unknowns_are_those_of_another_search():
    """With the blank and the slope integrated out by Laplace, the scatter that is left most probable is the same."""
    shared = learned(1)

    def surprise(u):
        r = shared.controls
        rise = r.rise(u, AMOUNTS)
        slopes = np.column_stack([np.ones(len(AMOUNTS)), rise])
        volume = np.linalg.slogdet((slopes / r.scatter(u, rise)[:, None]).T @ slopes)[1]
        return -(shared.log_density(u) - 0.5 * volume)

    found = optimize.minimize(surprise, TRUTH, method="Nelder-Mead",
                              options={"xatol": 1e-9, "fatol": 1e-12, "maxiter": 20000})  # fmt: skip
    np.testing.assert_allclose(shared.mean[2:], found.x[2:], atol=5e-3)
    np.testing.assert_array_less(np.abs(shared.mean - found.x), 0.05 * np.sqrt(np.diag(shared.covariance)))


def test_the_unknowns_are_covered():
    inside = []
    for seed in range(150):
        shared = learned(seed)
        inside.append(np.abs(shared.mean - TRUTH)[:2] < 1.96 * np.sqrt(np.diag(shared.covariance))[:2])
    covered = np.mean(inside)
    assert stats.binom.ppf(0.001, 300, 0.95) / 300 <= covered


def test_estimates_and_their_covariance_are_those_of_many_plates():
    """Single amounts, and the mean of many, whose doubt is what they share; else it is told far too small."""
    amounts = np.array([0.0, 2.0, 40.0] + [150.0] * 30)
    mean = np.where(amounts == 150.0, 1 / 30, 0.0)
    errors, told, alone = [], [], []
    for seed in range(400):
        signals = Signals(learned(seed), readings(amounts, 10_000 + seed), np.arange(len(amounts)))
        amount, own, _ = signals.estimates()
        errors.append([*(amount - amounts)[:4], mean @ (amount - amounts)])
        covariance = signals.covariance()
        told.append([*np.sqrt(np.diag(covariance))[:4], np.sqrt(mean @ covariance @ mean)])
        alone.append(np.sqrt(mean @ signals.as_independent().covariance() @ mean))
        assert (np.diag(covariance) > own**2).all()
    seen, told = np.std(errors, axis=0), np.mean(told, axis=0)
    np.testing.assert_allclose(seen, told, rtol=0.12)
    assert np.mean(alone) < 0.6 * seen[-1]
    np.testing.assert_allclose(np.mean(errors, axis=0) / told, 0.0, atol=4 / np.sqrt(400))


def test_independent_signals_keep_widths_and_lose_what_they_share():
    signals = Signals(learned(1), readings(np.array([10.0, 100.0]), 5), np.arange(2))
    alone = signals.as_independent()
    np.testing.assert_allclose(alone.estimates()[0], signals.estimates()[0])
    np.testing.assert_allclose(np.diag(alone.covariance()), np.diag(signals.covariance()))
    assert alone.covariance()[0, 1] == 0.0
    assert alone.shared.names == ()


def test_unknowns_that_nothing_tells_are_named():
    with pytest.raises(AssayError, match=r"nothing tells log_slope"):
        learn(NAMES, START, PRIOR_SD, readings(np.zeros(5), 1), np.zeros(5))
    doubled = readings(AMOUNTS, 1)
    wide = {name: np.hstack([getattr(doubled, name), getattr(doubled, name)[:, [1]] * (name == "gain")])
            for name in ("blank", "gain", "s0", "cv")}  # fmt: skip
    with pytest.raises(AssayError, match=r"tell log_slope and log_load only together"):
        learn((*NAMES, "log_load"), np.append(START, 0.0), np.append(PRIOR_SD, np.inf),
              Response(**{**vars(doubled), **wide}), AMOUNTS)  # fmt: skip


def test_parts_put_together_share_nothing():
    one = Signals(learned(1), readings(np.array([10.0, 100.0]), 5), np.array([0, 2]))
    two = Signals(learned(2), readings(np.array([30.0]), 6), np.array([1]))
    assert merge([]) is None
    assert merge([one]) is one
    whole = merge([one, two])
    assert list(whole.rows) == [0, 2, 1]
    np.testing.assert_allclose(whole.estimates()[0], [*one.estimates()[0], *two.estimates()[0]])
    covariance = whole.covariance()
    np.testing.assert_allclose(covariance[:2, :2], one.covariance())
    np.testing.assert_allclose(covariance[2:, 2:], two.covariance())
    np.testing.assert_array_equal(covariance[:2, 2], 0.0)
    both = one.shared.log_density(one.shared.mean) + two.shared.log_density(two.shared.mean)
    assert whole.shared.log_density(whole.shared.mean) == pytest.approx(both)
