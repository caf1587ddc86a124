"""What was not done as planned is found by comparing, and each row asks for its reason."""

import json
from dataclasses import replace
from types import MappingProxyType

import pytest

from pbpk.infer.draws.fit import DRAWS
from pbpk.predict.filing.authored import Deviation
from pbpk.predict.filing.deviations import NOTHING, USUAL_DRAWS, Deviated, deviations, deviations_table, unexplained


def copied(plan):
    return json.loads(json.dumps(plan))


def found(filed, plan=None, run=None, authored=None):
    rows = deviations(plan or filed.plan, run or filed.run, authored or filed.authored)
    return {row.what: (row.planned, row.done) for row in rows}


def with_manifest(run, **changes):
    return replace(run, manifest={**run.manifest, **changes})


def test_what_was_done_as_planned_has_no_row(filed):
    assert deviations(filed.plan, filed.run, filed.authored) == ()


@pytest.mark.parametrize(
    ("path", "value", "what", "planned", "done"),
    [
        (("settings", "seed"), 2, "settings.seed", "2", "1"),
        (("settings", "physiology"), "spread", "settings.physiology", "spread", NOTHING),
        (("criteria", "rhat", "threshold"), 1.05, "criteria.rhat.threshold", "1.05", "1.01"),
        (("criteria", "gone"), {"quantity": "ess_min"}, "criteria.gone", "quantity ess_min", NOTHING),
        (("priors", "E_lung", "prior"), "normal(mean=0, sd=1)", "priors.E_lung.prior", "normal(mean=0, sd=1)", None),
        (("data", "files", "doses.csv"), "0" * 64, "data.doses.csv", "0" * 12, None),
        (("question", "question_of_interest"), "another", "question.question_of_interest", "another", "said"),
        (("ratings", "model_influence"), "high", "ratings.model_influence", "high", "medium"),
        (("model", "name"), "msc", "model.name", "msc", "t_cell"),
        (("likelihood", "blq_rule"), "half the limit", "likelihood.blq_rule", "half the limit", None),
        (("scenarios", "iv_bolus", "cells"), 2e6, "scenarios.iv_bolus.cells", "2000000", "1000000"),
        (("scenarios", "iv_bolus", "doses"), [], "scenarios.iv_bolus.doses[1]", NOTHING, None),
        (("scenarios", "arterial"), {}, "scenarios.arterial", "asked", "not answered"),
        (("design", "strain"), "BALB/c", "design.strain", "BALB/c", None),
        (("design", "groups"), [], "design.groups[1]", NOTHING, None),
    ],
)
def test_each_difference_is_a_row(filed, path, value, what, planned, done):
    plan = copied(filed.plan)
    here = plan
    for name in path[:-1]:
        here = here[name]
    here[path[-1]] = value
    rows = found(filed, plan)
    assert rows[what][0] == planned
    assert done is None or rows[what][1] == done
    assert all(name.startswith(".".join(path[:1])) for name in rows)  # and nothing else


def test_a_scenario_that_was_not_planned(filed):
    plan = copied(filed.plan)
    del plan["scenarios"]["iv_bolus"]
    assert found(filed, plan) == {"scenarios.iv_bolus": ("not asked", "answered")}


def test_a_fit_alone_answers_nothing(filed):
    rows = found(filed, run=replace(filed.run, draws=None))
    assert rows == {f"scenarios.{name}": ("asked", "not answered") for name in ("iv_bolus", "portal_vein")}


@pytest.mark.parametrize(("draws", "told"), [(800, False), (1600, False), (801, True), (250, True)])
def test_draws_that_nobody_chose(filed, draws, told):
    plan = copied(filed.plan)
    plan["settings"]["draws"] = None
    run = with_manifest(filed.run, settings={**filed.run.manifest["settings"], "draws": draws})
    rows = found(filed, plan, run)
    assert ("settings.draws" in rows) == told
    assert not told or rows == {"settings.draws": ("800, or 1600 where needed", str(draws))}


def test_a_quick_look_has_as_many_draws_as_it_has(filed):
    plan = copied(filed.plan)
    plan["settings"] |= {"draws": None, "quick": True}
    settings = {**filed.run.manifest["settings"], "draws": 1000}
    assert found(filed, plan, with_manifest(filed.run, settings=settings | {"quick": True})) == {}
    assert set(found(filed, plan, with_manifest(filed.run, settings=settings))) == {"settings.draws", "settings.quick"}


def test_a_model_that_only_digits_tell_apart(filed):
    plan = copied(filed.plan)
    plan["model"]["registry_sha256"] = "0" * 64
    assert list(found(filed, plan)) == ["model.registry_sha256"]
    plan["priors"]["E_lung"]["source"] = "elsewhere"
    assert list(found(filed, plan)) == ["priors.E_lung.source"]


def test_data_that_came_after_the_plan_are_as_planned(filed):
    plan = copied(filed.plan)
    plan["data"] = {"at_hand": False, "files": {"doses.csv": plan["data"]["files"]["doses.csv"]}}
    assert found(filed, plan) == {}
    plan["data"]["files"]["doses.csv"] = "1" * 64
    assert list(found(filed, plan)) == ["data.doses.csv"]
    plan["data"] = {"at_hand": True, "files": {}}
    assert "data.measurements.csv" in found(filed, plan)


def test_amplitudes_stand_for_traces(filed):
    light = {"study/traces/lung.parquet": "a" * 64, "study/wells.csv": "b" * 64}
    plan = copied(filed.plan)
    plan["data"]["files"] |= {name.removeprefix("study/"): digest for name, digest in light.items()}
    inputs = filed.run.manifest["inputs"] | light | {"study/amplitudes.csv": "c" * 64}
    assert found(filed, plan, with_manifest(filed.run, inputs=inputs)) == {}
    changed = inputs | {"study/traces/lung.parquet": "d" * 64}
    assert found(filed, plan, with_manifest(filed.run, inputs=changed)) == {
        "data.traces/lung.parquet": ("a" * 12, "d" * 12)
    }


def test_the_model_that_ran_is_compared_not_its_name(filed):
    joint = filed.run.joint
    name = next(iter(joint.model.constants))
    constants = MappingProxyType(dict(joint.model.constants) | {name: 3.0 * joint.model.constants[name]})
    posterior = replace(filed.run.posterior, joint=replace(joint, model=replace(joint.model, constants=constants)))
    assert list(found(filed, run=replace(filed.run, posterior=posterior))) == [f"numbers.{name}.value"]


def test_reasons_are_the_authors(filed):
    plan = copied(filed.plan)
    plan["settings"] |= {"seed": 2, "tune": 7}
    said = [Deviation(what="settings.*", reason="wide"), Deviation(what="settings.seed", reason="exact"),
            Deviation(what="one animal was lost", reason="it died")]  # fmt: skip
    authored = filed.authored.model_copy(update={"deviations": said})
    rows = deviations(plan, filed.run, authored)
    assert {row.what: row.reason for row in rows} == {
        "settings.seed": "exact", "settings.tune": "wide", "one animal was lost": "it died",
    }  # fmt: skip
    assert unexplained(rows) == ()
    table = deviations_table(rows)
    assert table.columns.tolist() == ["what", "planned", "done", "reason"]
    assert table.iloc[-1].tolist() == ["one animal was lost", "", "", "it died"]


def test_a_row_without_a_reason_is_missing(filed):
    plan = copied(filed.plan)
    plan["settings"]["seed"] = 2
    (gap,) = unexplained(deviations(plan, filed.run, filed.authored))
    assert gap.name == 'deviations "settings.seed"'
    assert unexplained((Deviated("a", "1", "2", " "),))
    assert not deviations_table(()).size


def test_the_usual_draws_are_those_of_a_fit():
    assert USUAL_DRAWS == (DRAWS, 2 * DRAWS)
