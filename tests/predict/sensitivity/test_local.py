"""Normalised coefficients against closed forms."""

import numpy as np
import pytest

from pbpk.body.species import read_species
from pbpk.predict.endpoint import parse_endpoints, question
from pbpk.predict.origin import read_prior
from pbpk.predict.scenario import Scenario, ScenarioDose
from pbpk.predict.sensitivity.inputs import inputs_of
from pbpk.predict.sensitivity.local import graded, local

IV = Scenario("iv", "iv", "", (ScenarioDose(route="iv"),))
HOURS = np.geomspace(0.01, 4000.0, 400)


def ask(chain, text):
    return inputs_of(question(chain, IV, parse_endpoints(text), HOURS), "prior")


def coefficients(table, endpoint):
    return table[table["endpoint"] == endpoint].set_index("parameter")["coefficient"]


def test_a_chain_has_closed_forms(chain):
    table = local(ask(chain, "residence lung, residence liver, 2h lung"), points=3)
    lung, liver = (coefficients(table, f"residence {organ}") for organ in ("lung", "liver"))
    assert lung["release"] == pytest.approx(-1.0, abs=2e-3)
    assert lung["away"] == pytest.approx(-0.5 / 1.5, abs=2e-3)
    assert liver["loss"] == pytest.approx(-1.0, abs=2e-3)
    assert liver["release"] == pytest.approx(0.0, abs=2e-3)
    assert liver["away"] == pytest.approx(-0.5 / 1.5, abs=2e-3)
    early = coefficients(table, "2h lung")  # exp(-release (1 + away) t)
    assert early["release"] == pytest.approx(-0.3 * 1.5 * 2.0, rel=1e-6)
    assert early["away"] == pytest.approx(-0.3 * 0.5 * 2.0, rel=1e-6)


def test_shares_of_variance_are_those_of_a_linear_model(chain):
    """Ln residence in the lung has SD 0.4 from release and 0.2/3 from what dies with it."""
    table = local(ask(chain, "residence lung"), points=2).set_index("parameter")
    parts = np.array([0.4**2, (0.2 / 3.0) ** 2])
    np.testing.assert_allclose(table.loc[["release", "away"], "variance_share"], parts / parts.sum(), atol=0.01)


def test_the_range_holds_the_middle_and_the_largest_come_first(chain):
    table = local(ask(chain, "2h lung"), points=10)
    assert (table["least"] <= table["coefficient"]).all()
    assert (table["most"] >= table["coefficient"]).all()
    assert table["coefficient"].abs().is_monotonic_decreasing
    assert (table["most"] > table["least"]).all()


def test_a_share_has_a_coefficient_by_its_log_odds():
    prior = read_prior("msc", read_species("mouse"), "FND", draws=50)
    inputs = inputs_of(question(prior, IV, parse_endpoints("AUC liver live"), np.geomspace(0.05, 336, 60)), "prior")
    table = local(inputs, points=1).set_index("parameter")
    row, middle = table.loc["E_lung"], inputs.middle[prior.names.index("E_lung")]
    assert row["coefficient"] == pytest.approx(row["per_log_odds"] / (1.0 - middle))
    assert np.isnan(table.loc["loss_liver", "per_log_odds"])


@pytest.mark.parametrize(
    ("value", "grade"),
    [
        (0.5, "high"),
        (-0.5, "high"),
        (0.499, "medium"),
        (0.2, "medium"),
        (-0.19, "low"),
        (0.1, "low"),
        (0.09, "negligible"),
    ],
)
def test_grades_are_those_of_who_ipcs(value, grade):
    assert graded(value) == grade
