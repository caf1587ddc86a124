"""Noncompartmental analysis from the command line."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
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
    with xr.open_dataset(out / "exposure.nc", engine="h5netcdf") as found:
        cell = table[(table["group"] == "iv") & (table["organ"] == "lung") & (table["parameter"] == "AUClast")].iloc[0]
        at = {"group": "iv", "organ": "lung", "readout": "label", "animal": "", "parameter": "AUClast"}
        assert float(found["value"].sel(at)) == pytest.approx(cell["value"], rel=1e-14)
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
        (["--interval", "bootstrap"], "Did you mean `bootstrap_t`"),
        (["--below-last", "none"], "below_last"),
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


def test_areas_have_skewed_intervals_where_that_is_asked(tmp_path):
    for how in ("t", "bootstrap_t"):
        assert say("exposure", FND, "--interval", how, "--partial", "0-24", "--out", tmp_path / how).code == 0
    plain, skewed = (
        pd.read_csv(tmp_path / how / "exposure.csv").set_index(["group", "organ", "parameter"])
        for how in ("t", "bootstrap_t")
    )
    areas = plain.index.get_level_values("parameter").isin(["AUClast", "AUC0-24h"])
    pd.testing.assert_frame_equal(plain[~areas], skewed[~areas])
    pd.testing.assert_series_equal(plain["value"], skewed["value"])
    up, down = skewed[areas]["high"] - skewed[areas]["value"], skewed[areas]["value"] - skewed[areas]["low"]
    assert (up > 0.0).all()
    assert (down > 0.0).all()
    assert ((up - down).abs() > 1e-6 * up).all()  # not the same on both sides, as those of t are
    np.testing.assert_allclose(
        plain[areas]["high"] - plain[areas]["value"], plain[areas]["value"] - plain[areas]["low"]
    )
