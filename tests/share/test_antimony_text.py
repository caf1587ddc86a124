"""Antimony that loads again, and that another simulator solves to the package's own numbers."""

import sys

import antimony
import numpy as np
import pytest
import roadrunner

from pbpk.body.expansion import read_model
from pbpk.errors import RunError, ShareError
from pbpk.predict.scenario import Scenario, ScenarioDose
from pbpk.share.antimony_text import antimony_text, write_antimony
from pbpk.share.sbml import sbml_text

CELLS = 1e6
MSC = read_model("msc", "mouse", "FND")
GIVEN = Scenario("given", "given", "", (ScenarioDose(route="iv", share=0.4, hours=2.0),
                                        ScenarioDose(route="artery", share=0.6, hours=3.0, duration_min=30.0)),
                 viability=0.7, modifiers={"capacity_lung": 2e5})  # fmt: skip


@pytest.fixture(scope="module")
def sbml():
    return sbml_text(MSC, None, GIVEN, CELLS)


def test_it_loads_back_and_has_the_same_numbers(sbml):
    text = antimony_text(sbml)
    antimony.clearPreviousLoads()
    assert antimony.loadAntimonyString(text) >= 0, antimony.getLastError()
    runner = roadrunner.RoadRunner(antimony.getSBMLString(antimony.getMainModuleName()))
    runner.integrator.relative_tolerance, runner.integrator.absolute_tolerance = 1e-9, 1e-6
    runner.integrator.maximum_num_steps = 200_000
    hours = np.array([0.0, 2.5, 6.0, 24.5, 168.0])
    runner.selections = ["time", *(state.replace(".", "_") for state in MSC.states)]
    found = np.asarray(runner.simulate(times=list(hours)))[1:, 1:]
    middle = np.array([p.prior.value(0.0) for p in MSC.parameters])
    exact = MSC.solve(middle, GIVEN.given(CELLS), hours, GIVEN.switches, "full")[1:]
    np.testing.assert_allclose(found, exact, atol=1e-6 * CELLS, rtol=0)
    assert exact[-1].max() > 1e-3 * CELLS


def test_what_is_no_sbml_is_told_in_one_line():
    with pytest.raises(ShareError, match=r"antimony does not read the model: [^\n]+\.$"):
        antimony_text("<sbml>")


def test_a_missing_package_is_named(sbml, monkeypatch):
    monkeypatch.setitem(sys.modules, "antimony", None)
    with pytest.raises(ShareError, match=r"pip install 'pbpk\[exchange\]'\.$"):
        antimony_text(sbml)


def test_a_file_that_cannot_be_written(sbml, tmp_path):
    with pytest.raises(RunError, match="choose another --out"):
        write_antimony(sbml, tmp_path / "nowhere" / "msc.ant")
