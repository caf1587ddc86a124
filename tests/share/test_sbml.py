"""SBML that another simulator solves to the package's own numbers: every shipped model, every way of giving."""

from dataclasses import replace

import libsbml
import numpy as np
import pytest
import roadrunner

from pbpk.body.expansion import read_model
from pbpk.body.library import LIBRARY
from pbpk.errors import InputError, ModelFileError, ScenarioError
from pbpk.predict.scenario import Scenario, ScenarioDose, read_scenarios
from pbpk.share.sbml import sbml_text, write_sbml

HOURS = np.array([0.0, 0.5, 6.0, 24.5, 50.0, 168.0])
SHIPPED = {each.name: each for each in read_scenarios()}
CELLS = 1e6
MSC = read_model("msc", "mouse", "FND")
PUBLISHED = sorted(path.stem for path in (LIBRARY / "published").glob("*.toml"))


def simulated(text, hours=HOURS, absolute=1e-6):
    """Amounts of libRoadRunner by the names of the states, at some hours."""
    runner = roadrunner.RoadRunner(text)
    runner.integrator.relative_tolerance, runner.integrator.absolute_tolerance = 1e-9, absolute
    runner.integrator.maximum_num_steps = 200_000
    document = libsbml.readSBMLFromString(text)
    species = document.getModel().getListOfSpecies()
    names = {each.getId(): each.getName() for each in species}
    runner.selections = ["time", *names]
    return dict(zip(names.values(), np.asarray(runner.simulate(times=list(hours)))[:, 1:].T, strict=True))


def middle(model):
    return np.array([float(p.prior.value(np.zeros(1))[0]) for p in model.parameters])


def agrees(model, scenario, cells=CELLS, modifiers=None, hours=HOURS, theta=None):
    theta = middle(model) if theta is None else theta
    found = simulated(sbml_text(model, theta, scenario, cells, modifiers), hours, absolute=1e-12 * cells)
    switches = {**scenario.switches, **(modifiers or {})}
    exact = model.solve(theta, scenario.given(cells), hours, switches, "full")
    assert set(found) == set(model.states)
    for i, state in enumerate(model.states):
        np.testing.assert_allclose(found[state][1:], exact[1:, i], atol=1e-6 * cells, rtol=0, err_msg=state)
    assert exact[-1].max() > 1e-3 * cells


@pytest.mark.parametrize("name", ["iv_bolus", "portal_vein", "iv_infusion_10_min", "three_split_iv"])
def test_ways_of_giving(name):
    agrees(MSC, SHIPPED[name])


def test_a_product_that_is_partly_dead_at_a_draw_of_its_own():
    late = Scenario("late", "late", "", (ScenarioDose(route="iv", share=0.4, hours=2.0),
                                         ScenarioDose(route="artery", share=0.6, hours=3.0, duration_min=30.0)),
                    viability=0.7)  # fmt: skip
    agrees(MSC, late, theta=MSC.draw_prior(1, 5)[0])


def test_rates_that_move_with_amounts_and_hours():
    agrees(MSC, replace(SHIPPED["iv_bolus"], modifiers={"capacity_lung": 2e5}))
    agrees(MSC, replace(SHIPPED["iv_bolus"], injury={"kidney": 3.0}, modifiers={"fade_kidney": 0.01}))


def test_cells_of_another_size():
    wide = replace(SHIPPED["iv_bolus"], diameter_ratio=1.3)
    usual, changed = (simulated(sbml_text(MSC, None, each, CELLS)) for each in (SHIPPED["iv_bolus"], wide))
    assert changed["lung.arrested"][1] > 1.02 * usual["lung.arrested"][1]


def test_t_cells_that_pass_many_times():
    agrees(read_model("t_cell", "mouse", "51Cr"), SHIPPED["iv_infusion_10_min"])


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_models(name):
    model = read_model(name)
    route = next(each for each, how in model.routes.items() if not how.needs)
    agrees(model, Scenario("one", "one", "", (ScenarioDose(route=route),)), hours=np.array([0.0, 1.0, 24.0]))


def test_what_is_written_is_consistent(tmp_path):
    path = write_sbml(MSC, tmp_path / "msc.xml", None, SHIPPED["three_split_iv"], CELLS)
    document = libsbml.readSBMLFromFile(str(path))
    document.checkConsistency()
    errors = [document.getError(i) for i in range(document.getNumErrors())]
    assert not [each.getMessage() for each in errors if each.getSeverity() >= libsbml.LIBSBML_SEV_WARNING]
    assert (document.getLevel(), document.getVersion()) == (3, 2)
    assert document.getModel().getNumEvents() == 2
    assert document.getModel().getNumReactions() == len(MSC.source_states)


def test_hostile_words_stay_words():
    odd = replace(SHIPPED["iv_bolus"], title='<b>&"]]>', about="α $x$ <script>")
    text = sbml_text(MSC, None, odd, CELLS)
    assert "<script>" not in text
    assert libsbml.readSBMLFromString(text).getNumErrors(libsbml.LIBSBML_SEV_ERROR) == 0


@pytest.mark.parametrize(
    ("how", "error", "words"),
    [
        ({"scenario": SHIPPED["iv_bolus"]}, ScenarioError, "say `cells`"),
        ({"theta": np.ones(3)}, InputError, "theta must be"),
        ({"modifiers": {"capacity_lng": 1.0}}, ModelFileError, "Did you mean `capacity_lung`"),
        ({"scenario": Scenario("for ever", "", "", (ScenarioDose(route="iv", interval_h=24.0, ss=1),)), "cells": 1.0},
         ScenarioError, "write out with `addl`"),
    ],
)  # fmt: skip
def test_what_sbml_cannot_say_is_refused(how, error, words):
    with pytest.raises(error, match=words):
        sbml_text(MSC, **how)
