"""Noncompartmental analysis from the command line."""

import pandas as pd
import pytest
from saying import say

FND = "data/synthetic_fnd_mouse"


def test_a_study_is_analysed_and_its_groups_compared(tmp_path):
    out = tmp_path / "areas"
    said = say("exposure", FND, "--compare", "portal,iv", "--partial", "0-24", "--out", out)
    assert said.code == 0, said.err
    for words in ("residence", "portal - iv", "Bonferroni", "carried back to 0 h", "exposure.csv"):
        assert words in said.out
    table = pd.read_csv(out / "exposure.csv")
    assert {"AUClast", "AUC0-24h", "Cmax", "residence_last"} <= set(table["parameter"])
    assert len(pd.read_csv(out / "contrasts.csv")) == 7
    again = say("exposure", FND, "--out", out)
    assert again.code == 2
    assert "--force" in again.err


def test_answers_to_scenarios_have_exposure(tmp_path):
    assert say("simulate", "msc", "iv_bolus", "--cells", "1e6", "--out", tmp_path / "answers").code == 0
    said = say("exposure", tmp_path / "answers")
    assert said.code == 0, said.err
    assert "live" in said.out
    assert "residence" in said.out
    refused = say("exposure", tmp_path / "answers", "--compare", "a,b")
    assert refused.code == 2
    assert "two groups of a study" in refused.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--compare", "iv"], "names 1"),
        (["--compare", "iv,portl"], "Did you mean `portal`"),
        (["--partial", "24"], "write it as 0-24"),
        (["--start", "carry"], "carry_back"),
    ],
)
def test_a_mistake_is_one_sentence(words, said):
    found = say("exposure", FND, *words)
    assert found.code == 2
    assert said in found.err
    assert "Traceback" not in found.err


def test_a_study_without_areas_says_so():
    said = say("exposure", "data/zhuang_2021_fnd_msc_mouse")
    assert said.code == 0
    assert "no area" in said.out
