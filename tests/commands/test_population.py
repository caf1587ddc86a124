"""A population from the command's side: what is written, what is said, one sentence for each mistake."""

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from pbpk.commands.population import Wanted, tell_population
from pbpk.commands.simulate import Whom
from pbpk.errors import InputError, ModelFileError, PbpkError, RunError, ScenarioError, SpeciesError

MSC = Whom("msc", label="FND")
WANTED = Wanted(150, "25,0.2", endpoints="AUC lung live,24h liver", cells=1e6)
IV = Path("iv_bolus")


def test_tables_rows_and_a_page_are_written(tmp_path, capsys):
    out = tmp_path / "people"
    tell_population(MSC, IV, WANTED, out, False)
    files = sorted(path.name for path in out.iterdir())
    assert files == ["endpoints.csv", "manifest.json", "population.csv", "population.html", "some_subjects.csv",
                     "subjects"]  # fmt: skip
    said = capsys.readouterr().out
    assert "150 subjects, from the prior of msc in mouse" in said
    assert "Bands mix two things" in said
    rows = pd.read_parquet(out / "subjects")
    assert len(rows) == 150
    assert {"AUC lung live", "24h liver", "body_weight_g", "sex", "draw"} <= set(rows)
    told = json.loads((out / "manifest.json").read_text())
    assert told["weights"] == {"all": "lognormal(median=24.5145, sigma=0.198042)"}
    assert "artery_liver" in told["drawn_within_their_spread"]
    with pytest.raises(RunError, match="--force"):
        tell_population(MSC, IV, WANTED, out, False)


def test_another_animal_sexes_and_no_physiology(tmp_path):
    whom = Whom("msc", "human", label="FND")
    out = tmp_path / "patients"
    wanted = replace(WANTED, weight=None, sex="female,male", physiology="fixed", what="variability", curves=True)
    tell_population(whom, IV, wanted, out, False)
    rows = pd.read_parquet(out / "subjects")
    assert set(rows["sex"]) == {"female", "male"}
    assert rows["body_weight_g"].nunique() == 2
    assert (out / "curves.zarr").is_dir()


@pytest.mark.parametrize(
    ("whom", "scenario", "changed", "error", "said"),
    [
        (Whom("msc", "mous"), IV, {}, SpeciesError, "Did you mean `mouse`"),
        (Whom("mscc"), IV, {}, ModelFileError, "Did you mean `msc`"),
        (MSC, Path("iv_bols"), {}, ScenarioError, "Did you mean `iv_bolus`"),
        (MSC, IV, {"what": "doubt"}, InputError, "no kind of population"),
        (MSC, IV, {"weight": "25g"}, InputError, "write mean in grams and CV"),
        (MSC, IV, {"endpoints": "AUX lung"}, InputError, "Did you mean `AUC`"),
        (MSC, IV, {"endpoints": "AUC lng"}, InputError, "Did you mean `lung`"),
        (MSC, IV, {"sex": "male"}, SpeciesError, "no numbers of its own"),
        (MSC, IV, {"physiology": "arter"}, ModelFileError, "physiology: `arter`"),
        (replace(MSC, body_weight=20.0), IV, {}, InputError, "weights, sexes and physiology of its own"),
    ],
)
def test_a_mistake_is_one_sentence_and_leaves_nothing(tmp_path, whom, scenario, changed, error, said):
    with pytest.raises(error, match=said) as found:
        tell_population(whom, scenario, replace(WANTED, **changed), tmp_path / "people", False)
    assert isinstance(found.value, PbpkError)
    assert "\n" not in str(found.value)
    assert not list(tmp_path.iterdir())


def test_an_interruption_leaves_nothing(tmp_path, monkeypatch):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("pbpk.predict.population.asking._tables", stop)
    with pytest.raises(KeyboardInterrupt):
        tell_population(MSC, IV, WANTED, tmp_path / "people", False)
    assert not list(tmp_path.iterdir())
