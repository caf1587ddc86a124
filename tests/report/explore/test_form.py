"""A form is a scenario and a scenario is a form: to the digit, through the file that is downloaded."""

from dataclasses import replace

import numpy as np
import pytest

from pbpk.errors import ScenarioError
from pbpk.predict.scenario import read_scenarios, scenario_of, scenario_toml
from pbpk.report.explore.form import Form, asked, dose_words, equal_doses, kept_words

IV = Form(title="Asked", route="iv")
ODD = {
    "title": "Odd", "about": "what no field holds", "sex": "female", "species": "human", "clotting": 0.2,
    "anticoagulant": 4.0, "modifiers": {"capacity_lung": 2e4}, "injury": {"kidney": 2.5, "liver": 1.5},
    "doses": [{"route": "iv", "share": 0.6}, {"route": "portal_vein", "share": 0.4, "hours": 12.0}],
}  # fmt: skip


def read_back(scenario, folder):
    path = folder / f"{scenario.name}.toml"
    path.write_text(scenario_toml(scenario))
    (found,) = read_scenarios(path)
    return replace(found, file=None)


def test_every_shipped_scenario_comes_back_from_its_form(starts):
    for name, scenario in starts.items():
        assert asked(Form.of(scenario), starts) == replace(scenario, file=None), name


def test_what_no_field_holds_is_kept_and_told(tmp_path):
    odd = scenario_of("odd", ODD)
    form = Form.of(odd)
    assert form.way == "file"
    again = asked(form, {"odd": odd})
    assert again == odd
    assert read_back(again, tmp_path) == odd
    for words in ("sex female", "clotting 0.2", "anticoagulant 4", "capacity_lung 20000", "injury of the liver (1.5)"):
        assert words in kept_words(odd)
    assert dose_words(odd) == "60 % iv at 0 h; 40 % portal vein at 12 h"
    given = asked(replace(form, way="equal", route="iv", doses="2", interval_h="6"), {"odd": odd})
    assert equal_doses(given).doses == 2
    assert given.about == ""  # no longer what the file was about


@pytest.mark.parametrize("seed", range(20))
def test_any_fields_become_a_file_that_reads_as_the_same(origin, starts, tmp_path, seed):
    rng = np.random.default_rng(seed)
    organs = [*origin.model.organs, ""]
    doses = int(rng.integers(1, 8))
    form = Form(
        title=str(rng.choice(["IV bolus", 'A "quoted" = title\\', "# Ünïcode — 2", "  "])),
        start=str(rng.choice([*starts, "nobody"])),
        species=str(rng.choice(["", "human", "rat"])),
        body_weight_g=str(rng.choice(["", "321.5"])),
        rates=str(rng.choice(["carried", "allometric"])),
        dose=str(rng.choice(["", f"{rng.lognormal(14, 2)!r}", "2e6"])),
        per=str(rng.choice(["cells", "cells_per_kg"])),
        route=str(rng.choice(["iv", "portal_vein", "kidney_artery"])),
        doses=str(doses),
        interval_h=f"{rng.uniform(0.5, 72)!r}",
        duration_min=f"{rng.uniform(0, 60):.2f}",
        diameter_ratio=f"{rng.uniform(0.4, 2)!r}",
        viability=f"{rng.uniform(1, 100):.1f}",
        vasodilated=str(rng.choice(organs)),
        injured=str(rng.choice(organs)),
        arrest=f"{rng.uniform(0.2, 5)!r}",
    )
    scenario = asked(form, starts, taken=["iv_bolus"])
    assert read_back(scenario, tmp_path) == scenario
    assert scenario.name != "iv_bolus"
    assert len(scenario.given(1.0)) == doses
    assert sum(dose.cells for dose in scenario.given(1.0)) == pytest.approx(1.0, rel=1e-12)
    again = asked(Form.of(scenario), {scenario.name: scenario})
    assert again == scenario


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("dose", "1,5", "the dose is `1,5`: write a point for the comma."),
        ("dose", "many", "the dose is `many`: write a number, as 20 or 1e6."),
        ("dose", "-3", "give a number above 0"),
        ("dose", "nan", "give a number above 0"),
        ("doses", "2.5", "give a whole number from 1 on"),
        ("doses", "1e9", "at most 60"),
        ("doses", "", "the number of doses is ``"),
        ("viability", "101", "at most 100"),
        ("diameter_ratio", "0", "the cell diameter is `0`"),
        ("duration_min", "-1", "the infusion time is `-1`: give a number of at least 0"),
        ("body_weight_g", "heavy", "the body weight is `heavy`"),
    ],
)
def test_what_cannot_be_is_one_sentence(field, text, said):
    with pytest.raises(ScenarioError) as problem:
        asked(replace(IV, **{field: text}), {})
    assert said in str(problem.value)
    assert "\n" not in str(problem.value)


def test_what_a_browser_sends_is_text_of_known_fields():
    form = Form.sent({"title": 7, "dose": "x" * 9000, "evil": "no", "route": "iv"})
    assert form.title == "7"
    assert len(form.dose) == 400
    assert Form.sent({}).title == ""


def test_doses_that_are_not_alike_are_no_way(starts):
    assert equal_doses(starts["three_split_iv"]).interval_h == 24.0
    for doses in (
        [{"route": "iv", "share": 0.6}, {"route": "iv", "share": 0.4, "hours": 24.0}],
        [{"route": "iv", "share": 0.5}, {"route": "artery", "share": 0.5, "hours": 24.0}],
        [{"route": "iv", "share": 1.0, "hours": 3.0}],
        [{"route": "iv", "share": 0.5}, {"route": "iv", "share": 0.5}],
        [{"route": "iv", "ss": 1, "interval_h": 24.0}],
    ):
        assert equal_doses(scenario_of("x", {"title": "x", "doses": doses})) is None
