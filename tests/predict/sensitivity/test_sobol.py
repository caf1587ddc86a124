"""Sobol' shares against closed forms: a product of log-normals, and Ishigami's function."""

from dataclasses import replace

import numpy as np
import pytest

from pbpk.errors import InputError
from pbpk.predict.endpoint import parse_endpoints, question
from pbpk.predict.scenario import Scenario, ScenarioDose
from pbpk.predict.sensitivity.inputs import Inputs, inputs_of
from pbpk.predict.sensitivity.sobol import sobol

IV = Scenario("iv", "iv", "", (ScenarioDose(route="iv"),))


@pytest.fixture(scope="module")
def inputs(chain):
    asked = parse_endpoints("residence liver, residence lung")
    return inputs_of(question(chain, IV, asked, np.geomspace(0.01, 4000.0, 300)), "prior")


def test_shares_of_a_sum_are_its_variances(inputs):
    found = sobol(inputs, 512).set_index(["endpoint", "parameter"])
    parts = {"loss": 0.8**2, "away": (0.2 / 3.0) ** 2}
    for name, part in parts.items():
        row = found.loc[("residence liver", name)]
        assert row["first"] == pytest.approx(part / sum(parts.values()), abs=0.03)
        assert row["total"] == pytest.approx(row["first"], abs=0.03)  # nothing together
        assert row["total_low"] - 0.02 <= part / sum(parts.values()) <= row["total_high"] + 0.02
    assert abs(found.loc[("residence liver", "release"), "first"]) < 0.02
    assert found.loc[("residence lung", "release"), "first"] > 0.9


class Ishigami(Inputs):
    """exp of Ishigami's function of three uniform inputs: its logarithm has published shares."""

    def of(self, z):
        from scipy.special import ndtr

        x = np.pi * (2.0 * ndtr(z) - 1.0)
        y = np.sin(x[:, 0]) + 7.0 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])
        return np.exp(y)[:, np.newaxis]


def test_interaction_is_found(inputs):
    """Ishigami & Homma 1990; shares in closed form, a = 7, b = 0.1."""
    question = replace(inputs.question, endpoints=inputs.question.endpoints[:1])
    found = sobol(Ishigami(question, "prior", inputs.names, (), inputs.priors), 2048).set_index("parameter")
    a, b = 7.0, 0.1
    v1, v2 = 0.5 * (1 + b * np.pi**4 / 5) ** 2, a**2 / 8
    v13 = b**2 * np.pi**8 * (1 / 18 - 1 / 50)
    whole = v1 + v2 + v13
    first = dict(zip(inputs.names, (v1, v2, 0.0), strict=True))
    total = dict(zip(inputs.names, (v1 + v13, v2, v13), strict=True))
    for name in inputs.names:
        assert found.loc[name, "first"] == pytest.approx(first[name] / whole, abs=0.03)
        assert found.loc[name, "total"] == pytest.approx(total[name] / whole, abs=0.03)


def test_the_sequence_wants_a_power_of_two(inputs):
    with pytest.raises(InputError, match="take 256, 512 or 1024"):
        sobol(inputs, 500)


def test_progress_ends_with_all(inputs):
    seen = []
    table = sobol(inputs, 64, follow=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (64 * 5, 64 * 5)
    assert (table["evaluations"] == 320).all()
