"""Morris' effects of a model whose logarithm is linear are its slopes, without scatter."""

import numpy as np
import pytest
from scipy.special import ndtri

from pbpk.predict.endpoint import parse_endpoints, question
from pbpk.predict.scenario import Scenario, ScenarioDose
from pbpk.predict.sensitivity.inputs import inputs_of
from pbpk.predict.sensitivity.morris import morris

IV = Scenario("iv", "iv", "", (ScenarioDose(route="iv"),))


@pytest.fixture(scope="module")
def inputs(chain):
    return inputs_of(question(chain, IV, parse_endpoints("residence liver"), np.geomspace(0.01, 4000.0, 300)), "prior")


def test_effects_are_slopes_between_quantiles(inputs):
    """Ln residence in the liver falls by sigma z of the loss: an effect is that over half the way between its ends."""
    found = morris(inputs, trajectories=40).set_index("parameter")
    levels = np.linspace(0.025, 0.975, 8)
    steps = np.abs(ndtri(levels[4:]) - ndtri(levels[:-4])) * 0.8 / (4.0 / 7.0)
    assert steps.min() * 0.95 <= found.loc["loss", "mu_star"] <= steps.max() * 1.05
    assert found.loc["loss", "mu"] == pytest.approx(-found.loc["loss", "mu_star"], rel=1e-9)
    assert found.loc["release", "mu_star"] < 0.02 * found.loc["loss", "mu_star"]
    assert found.index[0] == "loss"
    assert (found["evaluations"] == 40 * 4).all()


def test_the_same_seed_walks_the_same_way(inputs):
    one, same, other = (morris(inputs, trajectories=8, seed=seed) for seed in (1, 1, 2))
    assert one.equals(same)
    assert not one.equals(other)
