"""A report becomes final when nothing speaks against it, and each thing that does is one sentence."""

import json
import re
from dataclasses import replace

import pytest

from pbpk.predict.audit import Verified
from pbpk.predict.filing.authored import Authored, missing
from pbpk.predict.filing.deviations import deviations
from pbpk.predict.filing.finality import may_be_final, remarks
from pbpk.predict.filing.judging import judge

WHOLE = Verified((), 10, "a" * 64)


def reasons(filed, run=None, authored=None, plan=..., verified=WHOLE, judged=None):
    run, authored = run or filed.run, authored or filed.authored
    plan = filed.plan if plan is ... else plan
    deviated = () if plan is None else deviations(plan, run, authored)
    judged = judge(authored.criteria, run) if judged is None else judged
    found = may_be_final(run, authored, plan, judged, deviated, verified)
    assert all("\n" not in each and each for each in found)
    return found


def test_a_whole_report_may_be_final(filed):
    assert reasons(filed) == ()


def test_a_blank_field_keeps_it_open(filed):
    blank = filed.authored.model_copy(update={"summary": filed.authored.summary.model_copy(update={"rationale": " "})})
    assert reasons(filed, authored=blank) == (
        "TO BE COMPLETED: summary.rationale: Why was the analysis done, in brief?",
    )


def test_every_blank_field_keeps_it_open(filed):
    said = [each for each in reasons(filed, authored=Authored()) if each.startswith("TO BE COMPLETED: ")]
    for each in missing(Authored()):
        assert f"TO BE COMPLETED: {each}" in said


def test_a_run_that_did_not_converge(filed):
    bad = replace(filed.run.diagnostics, sentences=("the chains disagree",))
    run = replace(filed.run, posterior=replace(filed.run.posterior, diagnostics=bad))
    assert reasons(filed, run=run) == ("The fit has not converged: the chains disagree.",)
    told = replace(filed.run, manifest={**filed.run.manifest, "converged": False})
    assert reasons(filed, run=told) == ("The manifest says that the fit has not converged; fit again.",)


def test_nothing_that_is_said_makes_an_unconverged_run_final(filed):
    bad = replace(filed.run.diagnostics, sentences=("the chains disagree",), max_rhat=2.0)
    run = replace(filed.run, posterior=replace(filed.run.posterior, diagnostics=bad))
    talk = filed.authored.discussion.model_copy(update={"unmet": {"rhat": "it does not matter"}})
    authored = filed.authored.model_copy(update={"discussion": talk})
    assert any("has not converged" in each for each in reasons(filed, run=run, authored=authored))


def test_a_quick_approximation(filed):
    run = replace(filed.run, posterior=replace(filed.run.posterior, method="variational"))
    assert reasons(filed, run=run) == ("The draws are a quick approximation; fit without --quick.",)


def test_no_plan(filed):
    bare = {name: value for name, value in filed.run.manifest.items() if name != "plan"}
    said = "No plan was frozen before the fit; freeze one with `pbpk plan` and fit again."
    assert reasons(filed, plan=None) == (said,)
    assert reasons(filed, run=replace(filed.run, manifest=bare)) == (said,)  # frozen afterwards


def test_another_plan_than_that_of_the_fit(filed):
    (said,) = reasons(filed, plan={**filed.plan, "plan_sha256": "b" * 64})
    assert "The plan (bbbbbbbbbbbb) is not the one that the run follows" in said


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda frozen: frozen.pop("rhat"), "Criterion `rhat` was not frozen before the fit"),
        (lambda frozen: frozen["rhat"].update(threshold=1.05), "Criterion `rhat` is not what was frozen"),
        (lambda frozen: frozen.update(more={}), "Criterion `more` was frozen and is gone"),
    ],
)
def test_criteria_are_those_that_were_frozen(filed, change, said):
    plan = json.loads(json.dumps(filed.plan))
    change(plan["criteria"])
    found = reasons(filed, plan=plan)
    assert found[0].startswith(said)
    assert any(each.startswith('TO BE COMPLETED: deviations "criteria.') for each in found)


def test_a_criterion_that_is_not_met_must_be_discussed(filed):
    own = filed.authored
    strict = [own.criteria[0].model_copy(update={"threshold": 0.9}), own.criteria[1]]
    authored = own.model_copy(update={"criteria": strict})
    plan = json.loads(json.dumps(filed.plan))
    plan["criteria"]["rhat"]["threshold"] = 0.9
    (said,) = reasons(filed, authored=authored, plan=plan)
    assert re.fullmatch(
        r"rhat: rhat_max is \S+, asked is <= 0.9: not met. Discuss it under \[discussion.unmet\].", said
    )
    talk = own.discussion.model_copy(update={"unmet": {"rhat": "because"}})
    assert reasons(filed, authored=authored.model_copy(update={"discussion": talk}), plan=plan) == ()
    assert reasons(filed, judged=())[0] == "Criterion `rhat` was not held against the run."


def test_a_broken_record(filed):
    assert reasons(filed, verified=None) == ("Nobody compared the run with its record; `pbpk verify` does.",)
    changed = Verified(("table.csv: is not the file that was written today.",), 10, "a" * 64)
    assert reasons(filed, verified=changed) == changed.problems


def test_a_deviation_without_a_reason(filed):
    settings = {**filed.run.manifest["settings"], "seed": 7}
    run = replace(filed.run, manifest={**filed.run.manifest, "settings": settings})
    (said,) = reasons(filed, run=run)
    assert said.startswith('TO BE COMPLETED: deviations "settings.seed": Why was it not done as planned?')


def test_what_is_told_of_a_plan_though_it_hinders_nothing(filed):
    assert remarks(None) == ()
    (said,) = remarks(filed.plan)
    assert said.endswith("when the data were at hand.")
    early = {**filed.plan, "data": {"at_hand": False, "files": {}}}
    assert remarks(early) == ()
    old = {
        "kept_as": "plan-1.json",
        "reason": "more animals",
        "intact": True,
        "plan_sha256": "c" * 64,
        "frozen": "then",
    }
    (said,) = remarks(early | {"supersedes": old})
    assert said == "The plan supersedes an earlier one (cccccccccccc, frozen then), kept as plan-1.json: more animals"
    (said,) = remarks(
        early | {"supersedes": {"kept_as": "plan-1.json", "reason": "r", "intact": False, "file_sha256": ""}}
    )
    assert "(changed since)" in said
