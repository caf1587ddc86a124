"""Coordinates in which the posterior is round: exact on a normal, and two hills are begun apart."""

import numpy as np
import nutpie
import pymc as pm
import pytest
from pytensor.compile.sharedvalue import shared

from pbpk.infer.likelihood import build
from pbpk.infer.whitening import climb_of, curvature, highest, rounding, whitened

HALF = np.random.default_rng(5).standard_normal((4, 4))
PRECISION = HALF @ HALF.T + np.eye(4)
MEAN = np.array([1.0, -2.0, 0.5, 3.0])


def compiled_with(log_density, size):
    with pm.Model() as model:
        centre, factor = shared(np.zeros(size), name="centre"), shared(np.eye(size), name="factor")
        whole = centre + factor @ pm.Flat("w", shape=size)
        pm.Potential("density", log_density(whole))
        pm.Deterministic("z", whole)
    return nutpie.compile_pymc_model(model)


@pytest.fixture(scope="module")
def normal():
    return compiled_with(lambda x: -0.5 * (x - MEAN) @ PRECISION @ (x - MEAN), 4)


def test_the_compiled_density_is_asked_without_the_sampler(normal):
    value, slope = climb_of(normal)(np.zeros(4))
    assert value == pytest.approx(-0.5 * MEAN @ PRECISION @ MEAN, rel=1e-12)
    np.testing.assert_allclose(slope, PRECISION @ MEAN, rtol=1e-12)


def test_the_highest_point_and_the_curvature_of_a_normal(normal):
    density = climb_of(normal)
    point, top = highest(density, np.zeros(4))
    np.testing.assert_allclose(point, MEAN, atol=1e-4)
    assert top == pytest.approx(0.0, abs=1e-6)
    np.testing.assert_allclose(curvature(density, point), PRECISION, rtol=1e-6, atol=1e-6)
    factor = rounding(density, point)
    np.testing.assert_allclose(factor @ factor.T, np.linalg.inv(PRECISION), rtol=1e-5, atol=1e-7)


def test_every_chain_walks_in_a_round_place_and_draws_come_back_as_they_were(normal):
    chains = whitened(normal, [1, 2])
    value = climb_of(chains[0])(np.zeros(4))[0]
    assert value == pytest.approx(0.0, abs=1e-6)
    w = np.random.default_rng(1).standard_normal(4)
    assert climb_of(chains[0])(w)[0] == pytest.approx(-0.5 * w @ w, rel=1e-5)
    begins = [chain.initial_point_func(0) for chain in chains]
    assert not np.allclose(*begins)
    assert max(abs(begin).max() for begin in begins) < 5.0
    tree = nutpie.sample(chains[0], chains=2, draws=2000, tune=200, seed=1, progress_bar=False)
    z = tree["posterior"]["z"].to_numpy().reshape(-1, 4)
    np.testing.assert_allclose(z.mean(axis=0), MEAN, atol=0.12)
    np.testing.assert_allclose(np.cov(z.T), np.linalg.inv(PRECISION), atol=0.12)


def test_two_hills_are_begun_apart():
    """So that chains disagree where one walk would see only its own hill."""
    import pytensor.tensor as pt

    hills = compiled_with(lambda x: pt.logaddexp(-8.0 * (x[0] - 1.0) ** 2, -8.0 * (x[0] + 1.0) ** 2) - x[1] ** 2, 2)
    chains = whitened(hills, list(range(8)))
    moved = chains[0].shared_data
    names = {var.name: key for var, key in chains[0].shared_var_keys.items()}
    centre, factor = (moved[names[name]] for name in ("centre", "factor"))
    begins = np.array([centre + factor @ chain.initial_point_func(0) for chain in chains])[:, 0]
    assert (begins > 0.3).any()
    assert (begins < -0.3).any()


def test_a_place_without_a_density_is_left(normal):
    def cliff(point):
        return (-np.inf, np.zeros(2)) if point[0] > 1.0 else (-float(point @ point), -2.0 * point)

    point, top = highest(cliff, np.array([0.9, 0.9]))
    assert top == pytest.approx(0.0, abs=1e-6)
    assert abs(point).max() < 1e-3


def test_the_rounded_model_is_the_same_posterior(shipped):
    joint = shipped("kwan")
    round_, plain = build(joint, rounded=True), build(joint)
    w = 0.3 * np.random.default_rng(2).standard_normal((2, len(joint.free)))
    found = [
        [float(model.compile_logp(mode="NUMBA")({name: x})) for x in w] for model, name in ((round_, "w"), (plain, "z"))
    ]
    assert found[0][1] - found[0][0] == pytest.approx(found[1][1] - found[1][0], rel=1e-9)
