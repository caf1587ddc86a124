"""What a question is varied in: priors and posterior margins, and what moves nothing."""

from dataclasses import replace

import numpy as np
import pytest

from pbpk.body.species import read_species
from pbpk.errors import InputError
from pbpk.predict.endpoint import parse_endpoints, question
from pbpk.predict.origin import read_prior
from pbpk.predict.scenario import Scenario, ScenarioDose
from pbpk.predict.sensitivity.inputs import inputs_of

IV = Scenario("iv", "iv", "", (ScenarioDose(route="iv"),))
HOURS = np.geomspace(0.05, 168.0, 30)


@pytest.fixture(scope="module")
def prior():
    return read_prior("msc", read_species("mouse"), "FND", draws=300)


def ask(origin, text="Cmax lung live, AUC liver live", scenario=IV, over="prior"):
    return inputs_of(question(origin, scenario, parse_endpoints(text), HOURS), over)


def test_what_moves_nothing_is_left_out(prior):
    found = ask(prior)
    assert "E_lung" in found.names
    assert "excretion" in found.inert  # label in blood moves no living cell
    assert "size_slope" not in found.priors
    assert "size_slope" in ask(prior, scenario=replace(IV, diameter_ratio=1.3)).names


def test_priors_are_varied_by_their_quantiles(prior):
    found = ask(prior)
    z = np.zeros((2, len(found.names)))
    at = found.names.index("E_lung")
    z[1, at] = 1.0
    theta = found.theta(z)
    column = prior.names.index("E_lung")
    np.testing.assert_allclose(theta[:, column], found.priors["E_lung"].value(np.array([0.0, 1.0])), rtol=1e-14)
    others = [i for i in range(theta.shape[1]) if i != column]
    np.testing.assert_array_equal(theta[0, others], theta[1, others])


def test_posterior_margins_are_those_of_the_draws(prior):
    found = ask(prior, over="posterior")
    z = np.random.default_rng(3).standard_normal((4000, len(found.names)))
    at, own = prior.names.index("loss_lung"), prior.column("loss_lung")
    levels = [0.1, 0.5, 0.9]
    np.testing.assert_allclose(np.quantile(found.theta(z)[:, at], levels), np.quantile(own, levels), rtol=0.12)
    assert found.theta(np.zeros((1, len(found.names))))[0, at] == pytest.approx(np.median(own), rel=0.02)


def test_ties_that_are_left_out_are_told(prior):
    theta = prior.theta.copy()
    theta[:, prior.names.index("loss_liver")] = theta[:, prior.names.index("E_lung")] ** 2
    assert (
        "`E_lung` and `loss_liver` (rank correlation +1.00)"
        in ask(replace(prior, theta=theta), over="posterior").left_out
    )
    assert ask(prior).left_out == ""


def test_what_cannot_be_varied_is_refused(prior):
    with pytest.raises(InputError, match="Did you mean `posterior`"):
        ask(prior, over="posteriors")
    fixed = tuple(replace(p, prior=replace(p.prior, form="fixed")) for p in prior.model.parameters)
    still = replace(prior, model=replace(prior.model, parameters=fixed))
    with pytest.raises(InputError, match="hangs on a free parameter"):
        ask(still)
