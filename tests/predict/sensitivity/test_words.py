"""Sentences of a sensitivity analysis say what the tables hold."""

import numpy as np
import pytest

from pbpk.predict.endpoint import parse_endpoints, question
from pbpk.predict.scenario import Scenario, ScenarioDose
from pbpk.predict.sensitivity.inputs import inputs_of
from pbpk.predict.sensitivity.local import local
from pbpk.predict.sensitivity.morris import morris
from pbpk.predict.sensitivity.sobol import sobol
from pbpk.predict.sensitivity.words import sentences

IV = Scenario("iv", "iv", "", (ScenarioDose(route="iv"),))


@pytest.fixture(scope="module")
def inputs(chain):
    return inputs_of(question(chain, IV, parse_endpoints("2h lung"), np.geomspace(0.01, 400.0, 60)), "prior")


def test_each_method_has_its_sentence(inputs):
    tables = {"local": local(inputs, points=1), "sobol": sobol(inputs, 64)}
    said = sentences(inputs, tables)
    assert said[0].startswith("Near the middle, `release` (-0.90) has a high coefficient for 2h lung")
    assert said[1].startswith("Of the variance of ln 2h lung `release` (")
    assert " brings most" in said[1] or " bring most" in said[1]
    assert said[2] == "1 free parameter moves nothing that was asked and was left out."
    (screened, _) = sentences(inputs, {"morris": morris(inputs, 8)})
    assert screened.startswith("Over all that is believed, `release` and `away` move 2h lung most")
