"""Scenarios from the command line: from a run, from a prior, side by side, in other animals."""

import pandas as pd
import pytest
from madeup import write_made_up
from saying import say

KHOT = "data/khot_2019_t_cells_mouse"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return write_made_up(KHOT, tmp_path_factory.mktemp("runs") / "khot", draws=60)[0]


def test_a_run_answers_and_compares(run, tmp_path):
    out = tmp_path / "answers"
    said = say("simulate", run, "models/scenarios", "--out", out)
    assert said.code == 0, said.err
    for words in (
        "Scenarios from the fit of",
        "Not in the study",
        "over that of iv_bolus",
        "infers them",
        "contrasts.csv",
    ):
        assert words in said.out
    table = pd.read_csv(out / "forecast.csv", keep_default_na=False)
    late = table[(table["scenario"] == "three_split_iv") & (table["hours"] > 336.0)]
    assert late["beyond"].str.contains("hours").all()
    portal = table[table["scenario"] == "portal_vein"]
    assert len(portal)
    assert portal["beyond"].str.contains("route").all()
    contrasts = pd.read_csv(out / "contrasts.csv")
    assert set(contrasts["against"]) == {"iv_bolus"}
    assert "Each scenario against iv_bolus" in (out / "scenarios.html").read_text()


def test_animals_stand_side_by_side_in_one_file_each(tmp_path):
    folder = tmp_path / "asked"
    folder.mkdir()
    doses = '\n[[doses]]\nroute = "iv"\n'
    (folder / "a_mouse.toml").write_text('title = "Mouse"\ncells_per_kg = 1e7\n' + doses)
    (folder / "b_human.toml").write_text('title = "Human"\nspecies = "human"\ncells_per_kg = 1e6\n' + doses)
    said = say("simulate", "msc", folder, "--out", tmp_path / "out", "--against", "b_human")
    assert said.code == 0, said.err
    contrasts = pd.read_csv(tmp_path / "out" / "contrasts.csv")
    assert set(contrasts["scenario"]) == {"a_mouse"}
    assert set(contrasts["beyond"]) == {"species"}
    table = pd.read_csv(tmp_path / "out" / "forecast.csv")
    assert table.groupby("scenario")["dose_cells"].first().round(-3).to_dict()["a_mouse"] == 280000.0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--against", "portal"], "Did you mean `portal_vein`"),
        (["--label", "FND"], "--label is for a model's prior"),
        (["--rates", "allometric"], "--rates is for another animal"),
    ],
)
def test_a_mistake_is_one_sentence(run, tmp_path, words, said):
    found = say("simulate", run, "models/scenarios", "--out", tmp_path / "out", *words)
    assert found.code == 2
    assert said in found.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('rates = "allometric"', "name it with `species`"),
        ("cells = 1e6\ncells_per_kg = 1e6", "not both"),
        ('species = "humn"', "Did you mean `human`"),
    ],
)
def test_a_scenario_file_that_contradicts_itself(tmp_path, line, said):
    path = tmp_path / "one.toml"
    path.write_text(f'title = "One"\n{line}\n[[doses]]\nroute = "iv"\n')
    found = say("simulate", "msc", path, "--out", tmp_path / "out")
    assert found.code == 2
    assert said in found.err
