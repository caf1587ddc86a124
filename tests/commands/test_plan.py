"""A plan is frozen before the fit, from the command line, and says what is in it."""

import json
import shutil
from pathlib import Path

import pytest
from saying import say

from pbpk.predict.filing.frozen import read_plan, seal_of

KHOT = Path(__file__).parents[2] / "data" / "khot_2019_t_cells_mouse"
CRITERIA = '\n[[criteria]]\nid = "rhat"\nquantity = "rhat_max"\ncomparison = "<="\nthreshold = 1.01\n'


@pytest.fixture
def study(tmp_path):
    folder = tmp_path / "khot"
    shutil.copytree(KHOT, folder)
    return folder


@pytest.fixture
def asked(study):
    said = say("plan", study, "--template")
    assert said.code == 0, said.err
    with (study / "report.toml").open("a") as file:
        file.write(CRITERIA)
    return study


def test_a_template_then_a_plan(study):
    said = say("plan", study, "--template")
    assert said.code == 0, said.err
    assert "63 questions to answer" in said.out
    said = say("plan", study)
    assert said.code == 2
    assert "report.toml has no [[criteria]]" in said.err
    with (study / "report.toml").open("a") as file:
        file.write(CRITERIA)
    said = say("plan", study, "--seed", 7, "--scenarios", "portal_vein", "--cells", "1e6")
    assert said.code == 0, said.err
    plan = read_plan(study)
    assert seal_of(plan) in said.out
    assert plan["settings"]["seed"] == 7
    assert list(plan["scenarios"]) == ["portal_vein"]
    assert plan["scenarios"]["portal_vein"]["cells"] == 1e6
    for words in ("Criterion rhat: rhat_max <= 1.01.", "measured values among them", "seed 7", "portal_vein",
                  "The data were at hand", "Not said in the plan: assessment.question_of_interest"):  # fmt: skip
        assert words in said.out
    assert "assessment.outcome" not in said.out


def test_what_stands_is_not_replaced(asked):
    assert say("plan", asked).code == 0
    before = (asked / "plan.json").read_bytes()
    for words, told in ((["--template"], "exists already and is not replaced"), ([], "--supersede"),
                        (["--supersede", " "], "needs a reason")):  # fmt: skip
        said = say("plan", asked, *words)
        assert said.code == 2
        assert told in said.err
        assert "Traceback" not in said.err
    assert (asked / "plan.json").read_bytes() == before
    said = say("plan", asked, "--supersede", "more draws", "--draws", "2000")
    assert said.code == 0, said.err
    assert "kept as plan-1.json: more draws" in said.out
    assert (asked / "plan-1.json").read_bytes() == before
    assert read_plan(asked)["settings"]["draws"] == 2000


def test_before_anything_was_measured(asked):
    (asked / "measurements.csv").unlink()
    said = say("plan", asked)
    assert said.code == 0, said.err
    assert "nothing measured yet" in said.out
    assert "The data were at hand" not in said.out
    assert read_plan(asked)["data"]["at_hand"] is False
    assert say("check", asked).code == 2  # anything else still asks for the table


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('quantity = "rhat_max"', 'quantity = "inside_share"\norgan = "livr"', "Did you mean `liver`?"),
        ('quantity = "rhat_max"', 'quantity = "contraction"\nparameter = "grams_livr"', "Did you mean `grams_liver`?"),
        ('quantity = "rhat_max"', 'quantity = "interval_width"\nscenario = "ivbolus"\nendpoint = "AUC liver"',
         "Did you mean `iv_bolus`?"),
        ('quantity = "rhat_max"', 'quantity = "interval_width"\nscenario = "iv_bolus"\nendpoint = "AUC livr"',
         "criterion `rhat`: endpoint `AUC livr`: `livr` is no organ of the answer. Did you mean `liver`?"),
        ('quantity = "rhat_max"', 'quantity = "rhat"', "Did you mean `rhat_max`?"),
        ('threshold = 1.01', 'threshold = nan', "finite"),
    ],
)  # fmt: skip
def test_a_criterion_that_cannot_be_judged_is_told_before_the_fit(asked, old, new, told):
    path = asked / "report.toml"
    path.write_text(path.read_text().replace(old, new))
    said = say("plan", asked)
    assert said.code == 2
    assert told in said.err
    assert not (asked / "plan.json").exists()


def test_the_shipped_example_can_be_planned(tmp_path):
    example = KHOT.parent / "synthetic_fnd_mouse"
    folder = tmp_path / "synthetic_fnd_mouse"
    shutil.copytree(example, folder)
    said = say("plan", folder)
    assert said.code == 0, said.err
    assert "Not said in the plan" not in said.out
    plan = read_plan(folder)
    assert plan["data"]["at_hand"]
    assert any(name.startswith("traces/") for name in plan["data"]["files"])
    assert json.dumps(plan["question"]).count('""') == 0
