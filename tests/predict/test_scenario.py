"""Scenario files: the shipped ones fit both models; bad ones are one sentence."""

import numpy as np
import pytest

from pbpk.body.expansion import read_model
from pbpk.errors import ScenarioError
from pbpk.predict.scenario import read_scenarios

BOLUS = '[[doses]]\nroute = "iv"\n'


@pytest.fixture
def write_scenario(tmp_path):
    def write(text, name="asked"):
        path = tmp_path / f"{name}.toml"
        path.write_text('title = "Asked"\n' + text)
        return path

    return write


@pytest.mark.parametrize("model", ["msc", "t_cell"])
@pytest.mark.parametrize("species", ["mouse", "rat", "human"])
def test_the_shipped_scenarios_fit_the_shipped_models(model, species):
    known = read_model(model, species)
    scenarios = read_scenarios()
    assert len(scenarios) >= 6
    for scenario in scenarios:
        scenario.check(known)
        assert scenario.title
        assert scenario.about
        assert sum(dose.cells for dose in scenario.given(1e6)) == pytest.approx(1e6)


def test_the_questions_of_the_planner_are_shipped():
    by_name = {scenario.name: scenario for scenario in read_scenarios()}
    assert [dose.route for dose in by_name["portal_vein"].doses] == ["portal_vein"]
    assert len(by_name["three_split_iv"].doses) == 3
    assert by_name["iv_vasodilator"].vasodilation == {"lung": 1.2}
    assert list(by_name) == sorted(by_name)


def test_one_file_is_one_scenario(write_scenario):
    (scenario,) = read_scenarios(
        write_scenario('cells = 5e5\nviability = 0.8\n[[doses]]\nroute = "iv"\nhours = 2\nduration_min = 30\n')
    )
    (dose,) = scenario.given(scenario.cells)
    assert (scenario.name, scenario.title) == ("asked", "Asked")
    assert (dose.route, dose.cells, dose.hours, dose.duration_h, dose.viability) == ("iv", 5e5, 2.0, 0.5, 0.8)


@pytest.mark.parametrize(
    ("text", "hypothesis"),
    [
        ("", False),
        ("cells = 1e6\nviability = 0.5\n", False),
        ("diameter_ratio = 1.3\n", True),
        ("vasodilation = { lung = 1.2 }\n", True),
        ("injury = { kidney = 3.0 }\n", True),
    ],
)
def test_a_change_of_unmeasured_size_is_a_hypothesis(write_scenario, text, hypothesis):
    (scenario,) = read_scenarios(write_scenario(text + BOLUS))
    assert scenario.is_hypothesis is hypothesis


def test_wide_cells_and_wide_capillaries_undo_each_other(write_scenario):
    (scenario,) = read_scenarios(write_scenario("diameter_ratio = 1.2\nvasodilation = { lung = 1.2 }\n" + BOLUS))
    assert scenario.log_ratio("lung") == pytest.approx(0.0)
    assert scenario.log_ratio("liver") == pytest.approx(np.log(1.2))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('[[doses]]\nroute = "iv"\naddl = 2\n', "`addl` and `ss` need `interval_h`, the hours between doses"),
        ('[[doses]]\nroute = "iv"\ninterval_h = 24\n', "`interval_h` repeats nothing; give `addl` or `ss`"),
        (
            '[[doses]]\nroute = "iv"\naddl = 1\ninterval_h = 24\n',
            "sum to 2; they must sum to 1",
        ),
        (
            '[[doses]]\nroute = "iv"\nshare = 0.5\n',
            "those that follow, sum to 0.5; they must sum to 1",
        ),
        ("cells = -5\n" + BOLUS, r"asked\.toml: line 2: `cells` is `-5`: input should be greater than 0"),
        ("viability = 1.2\n" + BOLUS, "`viability` is `1.2`"),
        ("celsl = 5\n" + BOLUS, "unknown key `celsl`. Did you mean `cells`"),
        ('[[doses]]\nrute = "iv"\n', "line 3: unknown key `doses.0.rute`. Did you mean `route`"),
        (
            "vasodilation = { lung = 0.0 }\n" + BOLUS,
            r"line 2: `vasodilation\.lung` is `0.0`: input should be greater than 0",
        ),
        ("injury = { lung = -1.0 }\n" + BOLUS, r"line 2: `injury\.lung` is `-1.0`: input should be greater than 0"),
        ("", "`doses` is missing"),
        ("doses = []\n", "`doses` is"),
        ('[[doses]]\nroute = "iv"\nhours = -1\n', "`doses.0.hours` is `-1`"),
        ("cells = nan\n" + BOLUS, "`cells` is `nan`"),
        ("cells = = 5\n", "not readable as TOML"),
    ],
)
def test_a_bad_scenario_is_one_sentence(write_scenario, text, sentence):
    path = write_scenario(text)
    with pytest.raises(ScenarioError, match=sentence) as problem:
        read_scenarios(path)
    assert "asked.toml" in str(problem.value)
    assert "\n" not in str(problem.value).strip()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            '[[doses]]\nroute = "portal_vain"\n',
            r"asked\.toml: line 3: the route `portal_vain`.*Did you mean `portal_vein`",
        ),
        ("modifiers = { fade_lng = 2.0 }\n" + BOLUS, "line 2: `fade_lng` is not a modifier.*Did you mean `fade_lung`"),
        ("modifiers.fade_lung = 1.0\nmodifiers.capacity_lung = 9.0\n" + BOLUS, "both change the rate"),
        (
            "vasodilation = { lungs = 1.2 }\n" + BOLUS,
            "line 2: vasodilation: `lungs` is not an organ.*Did you mean `lung`",
        ),
        ("injury = { kidnee = 2.0 }\n" + BOLUS, "line 2: injury: `kidnee` is not an organ.*Did you mean `kidney`"),
    ],
)
def test_what_the_model_does_not_have_is_refused(write_scenario, text, sentence):
    (scenario,) = read_scenarios(write_scenario(text))
    with pytest.raises(ScenarioError, match=sentence):
        scenario.check(read_model("msc"))


def test_an_empty_folder_has_no_questions(tmp_path):
    with pytest.raises(ScenarioError, match="there is no scenario"):
        read_scenarios(tmp_path)


def test_a_missing_file_is_said_to_be_missing(tmp_path):
    with pytest.raises(ScenarioError, match="there is no such file"):
        read_scenarios(tmp_path / "nowhere.toml")


def test_a_shipped_scenario_by_its_name():
    (found,) = read_scenarios("portal_vein")
    assert (found.name, found.doses[0].route) == ("portal_vein", "portal_vein")
