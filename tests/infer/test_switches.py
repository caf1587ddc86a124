"""Modifiers that a study switches on: estimated with their prior, in the groups they hold in, or refused."""

import numpy as np
import pytest

from pbpk.errors import StudyError
from pbpk.infer.gradient import Seen, SeenMoving
from pbpk.infer.joint import predict_percent
from pbpk.infer.likelihood import build, fixed_inputs, operation
from pbpk.infer.switches import switches_of
from pbpk.predict.forecast import simulate
from pbpk.predict.scenario import Scenario, ScenarioDose

FND = "zhuang_2021_fnd_msc_mouse"
T_CELLS = "khot_2019_t_cells_mouse"
LUNG = {"group": "iv", "organ": "lung", "hours": 24, "value": 30, "unit": "percent_dose", "readout": "label"}
DOSED = [{"group": "iv", "hours": 0, "cells": 1e6, "route": "iv"}]
LEAK = "\n[modifiers.leak]\n"
CAPACITY = '\n[modifiers.capacity_lung]\nprior = "lognormal(median=2e5, sigma=0.5)"\nsource = "none"\n'


def with_more(more):
    return [("[product]", more + "\n[product]")]


@pytest.fixture
def live_and_label(write_joint):
    """Label and live cells of the same lung, one day and three after a dose, with a leak to estimate."""
    rows = [LUNG | {"hours": h, "readout": r} for h in (24, 72) for r in ("label", "live")]
    return write_joint(T_CELLS, rows, DOSED, edits=with_more(LEAK))


def test_a_leak_has_its_prior_and_moves_label_from_the_living(live_and_label):
    joint = live_and_label
    leak = joint.names.index("leak")
    assert joint.estimated[leak].source == "fang_2011"
    theta = joint.theta(np.zeros((1, len(joint.free))))
    off = theta.copy()
    off[:, leak] = 0.0
    on = theta.copy()
    on[:, leak] = 0.01
    table = joint.counts.table
    seen, without = (predict_percent(joint, t)["dose"][0] for t in (on, off))
    for hour in (24.0, 72.0):
        label, live = (np.flatnonzero((table["readout"] == r) & (table["hours"] == hour))[0] for r in ("label", "live"))
        assert seen[label] < without[label]  # what living cells lost is in the blood, then in the liver
        assert seen[live] == pytest.approx(without[live], rel=2e-3)  # no cell is lost with it


def test_the_likelihood_counts_cells_as_the_prediction_does(live_and_label):
    """The term of the readings moves with the leak as that of the predicted percentages does."""
    joint = live_and_label
    model = build(joint)
    logp = model.compile_logp(jacobian=False, sum=True)
    z = np.zeros(len(joint.free))
    at = [p.name for p in joint.free].index("leak")
    values = []
    for step in (-1.0, 0.0, 1.5):
        z[at] = step
        values.append(float(logp({"z": z})) + 0.5 * step**2)
    table = joint.counts.table
    names = [p.name for p in joint.free]
    s2 = sum(joint.free[names.index(name)].prior.centre ** 2 for name in ("spread", "misfit"))
    expected = []
    for step in (-1.0, 0.0, 1.5):
        z[at] = step
        off = np.log(table["percent"].to_numpy()) - np.log(
            predict_percent(joint, joint.theta(z[np.newaxis]))["dose"][0]
        )
        expected.append(-0.5 * (off**2).sum() / s2)
    np.testing.assert_allclose(np.diff(values), np.diff(expected), rtol=1e-6, atol=1e-9)


def test_a_capacity_makes_the_fit_count_cells(write_joint):
    joint = write_joint(T_CELLS, [LUNG | {"hours": 1, "readout": "live"}], DOSED, edits=with_more(CAPACITY))
    (experiment,) = joint.experiments
    assert operation(joint, experiment).__class__ is SeenMoving
    assert "lung.arrested" in experiment.model.moving
    assert experiment.schedule.entry.sum() == pytest.approx(1e6)
    roomy, full = (joint.theta(np.zeros((1, len(joint.free)))) for _ in range(2))
    roomy[:, joint.names.index("capacity_lung")] = 1e12
    full[:, joint.names.index("capacity_lung")] = 1e4
    most, least = (predict_percent(joint, theta)["dose"][0, 0] for theta in (roomy, full))
    assert least <= 1.0 + 1e-6 < most  # 1e4 of 1e6 cells
    assert len(fixed_inputs(joint, experiment)) == 22


def test_a_modifier_may_hold_in_some_groups_only(write_joint):
    rows = [LUNG, LUNG | {"group": "other"}]
    doses = [*DOSED, DOSED[0] | {"group": "other"}]
    other = '[[groups]]\nname = "other"\nroute = "iv"\n\n'
    edits = [("[[groups]]", other + "[[groups]]"), *with_more(LEAK + 'groups = ["other"]\n')]
    joint = write_joint(T_CELLS, rows, doses, edits=edits)
    assert {e.group: e.modifiers for e in joint.experiments} == {"iv": (), "other": ("leak",)}
    assert all(operation(joint, e).__class__ is Seen for e in joint.experiments)
    assert switches_of(joint.model, joint.study, "iv") == {}


def test_what_a_study_taught_of_a_modifier_is_in_its_forecasts(live_and_label):
    joint = live_and_label
    theta = joint.theta(np.zeros((2, len(joint.free))))
    theta[1, joint.names.index("leak")] = 0.5
    iv = Scenario("iv", "iv", "", (ScenarioDose(route="iv"),))
    cells = simulate(joint.model, theta, joint.names, [iv], hours=np.array([24.0]))["cells"][0]
    little, much = cells.sel(organ="lung", state="live").to_numpy().ravel()
    assert much < 0.01 * little


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("\n[modifiers.laek]\n", "modifiers.laek: it is not a modifier of t_cell. Did you mean `leak`?"),
        ("\n[modifiers.capacity_lung]\n", "nobody knows the size of `capacity_lung`; give it a prior"),
        (CAPACITY.replace("lognormal", "lognorm"), "modifiers.capacity_lung: "),
        (LEAK + 'groups = ["vi"]\n', "modifiers.leak: groups: `vi` is none. Choose from `iv`."),
    ],
)
def test_what_cannot_be_switched_on_is_one_sentence(write_joint, more, said):
    with pytest.raises(StudyError) as refusal:
        write_joint(T_CELLS, [LUNG], DOSED, edits=with_more(more))
    assert said in str(refusal.value)
