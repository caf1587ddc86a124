"""Modifiers that a study switches on: estimated with their prior, in the groups they hold in, or refused."""

import numpy as np
import pytest

from pbpk.body.species import read_species
from pbpk.errors import ModelFileError, StudyError
from pbpk.infer.density.gradient import Seen, SeenMoving
from pbpk.infer.density.likelihood import operation
from pbpk.infer.matched.joint import predict_percent
from pbpk.infer.matched.switches import switches_of
from pbpk.predict.extrapolation import extrapolate
from pbpk.predict.forecast import answer
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
        assert seen[live] == pytest.approx(without[live], rel=1e-12)  # no cell is lost with it


def test_cells_are_followed_apart_from_their_label(live_and_label):
    """Exact for any doses: what is counted as cells is solved without the loss, so it needs no factor."""
    by_readout = {frozenset(live_and_label.counts.table["readout"].iloc[list(e.rows)]): e.modifiers
                  for e in live_and_label.experiments}  # fmt: skip
    assert by_readout == {frozenset({"label"}): ("leak",), frozenset({"live"}): ()}


def test_a_capacity_makes_the_fit_count_cells(write_joint):
    joint = write_joint(T_CELLS, [LUNG | {"hours": 1, "readout": "live"}], DOSED, edits=with_more(CAPACITY))
    (experiment,) = joint.experiments
    assert operation(experiment) is SeenMoving
    assert "lung.arrested" in experiment.model.moving
    assert experiment.schedule.entry.sum() == pytest.approx(1e6)
    roomy, full = (joint.theta(np.zeros((1, len(joint.free)))) for _ in range(2))
    roomy[:, joint.names.index("capacity_lung")] = 1e12
    full[:, joint.names.index("capacity_lung")] = 1e4
    most, least = (predict_percent(joint, theta)["dose"][0, 0] for theta in (roomy, full))
    assert least <= 1.0 + 1e-6 < most  # 1e4 of 1e6 cells


def test_a_modifier_may_hold_in_some_groups_only(write_joint):
    rows = [LUNG, LUNG | {"group": "other"}]
    doses = [*DOSED, DOSED[0] | {"group": "other"}]
    other = '[[groups]]\nname = "other"\nroute = "iv"\n\n'
    edits = [("[[groups]]", other + "[[groups]]"), *with_more(LEAK + 'groups = ["other"]\n')]
    joint = write_joint(T_CELLS, rows, doses, edits=edits)
    assert {e.group: e.modifiers for e in joint.experiments} == {"iv": (), "other": ("leak",)}
    assert all(operation(e) is Seen for e in joint.experiments)
    assert switches_of(joint.model, joint.study, "iv") == {}


def test_what_a_study_taught_of_a_modifier_is_in_its_forecasts(write_joint):
    joint = write_joint(T_CELLS, [LUNG], DOSED, edits=with_more(CAPACITY))
    assert joint.standing == ("capacity_lung",)
    theta = joint.theta(np.zeros((2, len(joint.free))))
    theta[:, joint.names.index("capacity_lung")] = 1e12, 1e4
    iv = Scenario("iv", "iv", "", (ScenarioDose(route="iv"),), cells=1e6)
    told = {"hours": np.array([1.0]), "cells": 1e6, "standing": joint.standing}
    forecast = answer(joint.model, theta, joint.names, [iv], **told)
    roomy, full = forecast["cells"][0].sel(organ="lung", state="live").to_numpy().ravel()
    assert full <= 1.001e4 < roomy
    assert forecast["evidence"].item() == "hypothesis"  # that a lung has a capacity is one, whatever its size
    elsewhere = extrapolate(joint.model, theta, joint.names, read_species("rat"), standing=joint.standing)
    (row,) = (row for row in elsewhere.rows if row.name == "capacity_lung")
    assert row.how == "scaled"
    np.testing.assert_allclose(elsewhere.theta[:, -1], np.array([1e12, 1e4]) * row.factor)


def test_what_only_labels_lose_is_not_forecast(live_and_label):
    assert "leak" in live_and_label.names
    assert live_and_label.standing == ()


def test_an_injured_organ_has_the_prior_of_the_study(write_joint):
    more = '\n[modifiers.injury_kidney_left]\nprior = "lognormal(median=9, sigma=0.1)"\nsource = "none"\n'
    more += 'groups = ["portal_injured"]\n'
    joint = write_joint(FND, edits=with_more(more))
    (injury,) = (p for p in joint.estimated if p.name == "injury_kidney_left")
    assert injury.prior.centre == 9.0


def test_a_route_that_needs_a_number_is_refused_in_a_study_too(write_joint):
    doses = [DOSED[0] | {"route": "intraperitoneal"}]
    edits = [('route = "iv"', 'route = "intraperitoneal"')]
    with pytest.raises(ModelFileError, match="the route `intraperitoneal` needs `absorption_peritoneum`"):
        write_joint(T_CELLS, [LUNG], doses, edits=edits)
    asked = with_more(
        '\n[modifiers.absorption_peritoneum]\nprior = "lognormal(median=0.1, sigma=1)"\nsource = "none"\n'
    )
    (experiment,) = write_joint(T_CELLS, [LUNG], doses, edits=[*edits, *asked], folder="told").experiments
    assert experiment.modifiers == ("absorption_peritoneum",)


def test_a_steady_state_of_rates_that_move_is_refused(write_joint):
    doses = [DOSED[0] | {"ss": 1, "interval_h": 168}]
    with pytest.raises(StudyError, match="the rates of t_cell move, so its steady state is no series"):
        write_joint(T_CELLS, [LUNG], doses, edits=with_more(CAPACITY))


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


RIVAL = [('model = "t_cell"', 'model = "t_cell:lung_capacity"')]


def test_what_a_rival_estimates_holds_in_every_group_and_in_its_forecasts(write_joint):
    joint = write_joint(T_CELLS, [LUNG | {"hours": 1}], DOSED, edits=RIVAL)
    assert joint.estimated[joint.names.index("capacity_lung")].source == "lung_of_a_mouse"
    assert [experiment.modifiers for experiment in joint.experiments] == [("capacity_lung",)]
    assert joint.standing == ("capacity_lung",)
    model, seen = joint.model, []
    for capacity in (1e3, 1e12):
        theta = joint.theta(np.zeros((1, len(joint.free))))
        theta[:, joint.names.index("capacity_lung")] = capacity
        forecast = answer(model, theta, joint.names, [Scenario("iv", "t", "a", (ScenarioDose(route="iv"),))], 1e6,
                            standing=joint.standing)  # fmt: skip
        held = forecast["cells"].sel(organ="lung", state="live").isel(scenario=0, draw=0)
        seen.append(float(held.sel(hours=24.0, method="nearest")))  # at first more are passing through it
    assert seen[0] <= 1e3 * (1.0 + 1e-6) < seen[1]


def test_the_prior_of_the_study_is_that_of_a_rival_too(write_joint):
    edits = [*RIVAL, *with_more(CAPACITY + 'groups = ["iv"]\n')]
    joint = write_joint(T_CELLS, [LUNG | {"hours": 1}], DOSED, edits=edits)
    assert joint.names.count("capacity_lung") == 1
    capacity = joint.estimated[joint.names.index("capacity_lung")]
    assert (capacity.prior.centre, capacity.source) == (2e5, "none")
    assert switches_of(joint.model, joint.study, "iv") == {"capacity_lung": capacity}
