"""The quick answer: exact where the posterior is normal, and honest where it is not."""

import numpy as np
import pytest

from pbpk.infer.draws.fit import fit
from pbpk.infer.draws.quick import CHAINS, DRAWS, _smoothed, _systematic, approximate
from pbpk.infer.matched.sharing import Together


class Hill:
    """A log-density that is known."""

    def __init__(self, size, density):
        self.size, self.density = size, density

    def __call__(self, point):
        return self.density(point)

    def tree(self, points):
        """Draws as they are."""
        import xarray as xr

        return xr.DataTree.from_dict({"posterior": xr.Dataset({"z": (("chain", "draw", "at"), points)})})


def drawn_from(monkeypatch, hill):
    monkeypatch.setattr("pbpk.infer.draws.quick.Density", lambda given: hill)
    told = []
    sampled, seconds = approximate(None, 1, lambda *state: told.append(state))
    assert told[-1][1] == told[-1][2]
    assert set(seconds) == {"compile", "sample"}
    assert sampled["posterior"]["z"].shape == (CHAINS, DRAWS, hill.size)
    return sampled["posterior"]["z"].to_numpy().reshape(-1, hill.size), sampled.attrs["pareto_k"]


def test_a_normal_posterior_is_met(monkeypatch):
    rng = np.random.default_rng(4)
    half = rng.standard_normal((5, 5))
    precision = half @ half.T + np.eye(5)
    mean = rng.standard_normal(5)
    hill = Hill(5, lambda x: (-0.5 * (x - mean) @ precision @ (x - mean), -precision @ (x - mean)))
    draws, k = drawn_from(monkeypatch, hill)
    sd = np.sqrt(np.diag(np.linalg.inv(precision)))
    np.testing.assert_allclose(draws.mean(axis=0), mean, atol=0.08)
    np.testing.assert_allclose(draws.std(axis=0), sd, rtol=0.08)
    assert k < 0.5


def test_weights_mend_what_is_a_little_off_normal(monkeypatch):
    """A gamma with shape 8 on the logarithmic scale: mean psi(8), variance psi'(8)."""
    hill = Hill(1, lambda x: (float(8 * x[0] - np.exp(x[0])), 8 - np.exp(x)))
    draws, k = drawn_from(monkeypatch, hill)
    assert draws.mean() == pytest.approx(2.0156, abs=0.03)
    assert draws.var() == pytest.approx(0.13314, rel=0.1)
    assert k < 0.7


def test_the_normal_is_moved_from_the_mode_to_the_mass(monkeypatch):
    """A skewed product: gammas of shape 3 on the logarithmic scale, mode log 3, mean psi(3)."""
    hill = Hill(6, lambda x: (float((3 * x - np.exp(x)).sum()), 3 - np.exp(x)))
    draws, _ = drawn_from(monkeypatch, hill)
    np.testing.assert_allclose(draws.mean(axis=0), 0.92278, atol=0.06)
    np.testing.assert_allclose(draws.std(axis=0), 0.6284, rtol=0.12)


def test_a_mode_far_from_the_mass_is_told(monkeypatch):
    """Neal's funnel: its mode is in the neck, where next to nothing lies."""

    def funnel(x):
        v, rest = x[0], x[1:]
        value = -0.5 * v**2 / 9 - 0.5 * (rest**2).sum() * np.exp(-v) - 0.5 * rest.size * v
        slope = np.concatenate([[-v / 9 + 0.5 * (rest**2).sum() * np.exp(-v) - 0.5 * rest.size], -rest * np.exp(-v)])
        return value, slope

    _, k = drawn_from(monkeypatch, Hill(11, funnel))
    assert k > 0.7


def test_draws_come_as_often_as_their_weight_says():
    rng = np.random.default_rng(1)
    weights = rng.dirichlet(np.full(50, 0.3))
    count = np.bincount(_systematic(weights, rng), minlength=50)
    assert count.sum() == 50
    assert (abs(count - 50 * weights) < 1.0).all()


def test_what_cannot_be_computed_weighs_nothing():
    weights, _ = _smoothed(np.array([*np.random.default_rng(1).standard_normal(200), -np.inf]))
    assert weights.sum() == pytest.approx(1.0)
    assert weights[-1] < 1e-6


def test_a_quick_fit_is_marked(shipped, monkeypatch):
    joint = shipped("zhuang")

    def hill(given):
        assert isinstance(given, Together)
        found = Hill(len(joint.free), lambda x: (-0.5 * float(x @ x), -x))
        tree = found.tree

        def with_readings(points):
            import xarray as xr

            told = tree(points)
            shares = np.full((*points.shape[:2], 2), 0.5)
            drawn = told["posterior"].to_dataset().assign(reading=(("chain", "draw", "of"), shares))
            stats = xr.Dataset({"diverging": (("chain", "draw"), np.zeros(points.shape[:2], dtype=bool))})
            return xr.DataTree.from_dict({"posterior": drawn, "sample_stats": stats})

        found.tree = with_readings
        return found

    monkeypatch.setattr("pbpk.infer.draws.quick.Density", hill)
    posterior = fit(joint.model, joint.counts, quick=True)
    assert posterior.method == "variational"
    assert posterior.tree.attrs["pareto_k"] < 0.7
    assert posterior.diagnostics.passed
