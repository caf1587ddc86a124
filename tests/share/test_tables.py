"""Tables that others read: columns, units, digits, and cells that are cells."""

import importlib.util
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pbpk.assay.counts import count_cells
from pbpk.assay.study import read_study
from pbpk.infer.matched.joint import join
from pbpk.predict.forecast import answer
from pbpk.predict.record import model_of
from pbpk.predict.run import assemble, describe
from pbpk.predict.scenario import read_scenarios
from pbpk.share.tables import PARAMETER_COLUMNS, counts_table, write_table, write_tables

ROOT = Path(__file__).parents[2]
KHOT = ROOT / "data" / "khot_2019_t_cells_mouse"
_spec = importlib.util.spec_from_file_location("share_draws", ROOT / "tests" / "infer" / "draws.py")
draws = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(draws)

PROMISED = {
    "counts": {"group", "animal", "organ", "hours", "readout", "cells", "sd", "low", "high", "below_limit"},
    "parameters": {
        "parameter",
        "unit",
        "mean",
        "sd",
        "q2.5",
        "q50",
        "q97.5",
        "rhat",
        "ess_bulk",
        "ess_tail",
        "learned",
    },
    "predictions": {"group", "organ", "readout", "hours", "value", "q2.5", "q50", "q97.5"},
    "forecast": {"scenario", "organ", "state", "hours", "mean", "q2.5", "q50", "q97.5"},
    "exposure": {"group", "organ", "readout", "parameter", "unit", "n"},
}


def make_run(folder, scenarios=1):
    study = read_study(folder)
    posterior = draws.make_posterior(join(model_of(study), count_cells(study)), draws=50)
    answers = None
    if scenarios:
        asked = read_scenarios()[:scenarios]
        answers = answer(posterior.joint.model, posterior.theta(20), posterior.joint.names, asked)
    return assemble(study, posterior, answers, describe(study, posterior.joint.model, {"seed": 1}, "2026-01-31"))


@pytest.fixture(scope="module")
def khot():
    return make_run(KHOT)


@pytest.fixture
def write_study(tmp_path):
    def write(rows, doses=None, source=KHOT):
        folder = tmp_path / "study"
        shutil.copytree(source, folder)
        (folder / "measurements.csv").write_text(rows)
        if doses:
            (folder / "doses.csv").write_text(doses)
        return folder

    return write


def test_the_promised_columns_are_there(khot, tmp_path):
    written = write_tables(khot, tmp_path)
    assert {path.stem for path in written} == set(PROMISED)
    for path in written:
        table = pd.read_csv(path)
        assert len(table) > 0
        assert PROMISED[path.stem] <= set(table), path.stem
        assert b"\r" not in path.read_bytes()


def test_what_is_read_back_is_what_was_there(khot, tmp_path):
    write_tables(khot, tmp_path)
    back = pd.read_csv(tmp_path / "parameters.csv")
    assert list(back) == PARAMETER_COLUMNS
    assert list(back["parameter"]) == list(khot.parameters["parameter"])
    np.testing.assert_allclose(back["mean"], khot.parameters["mean"], rtol=1e-5)
    back = pd.read_csv(tmp_path / "forecast.csv")
    np.testing.assert_allclose(back["q50"], khot.forecast["q50"], rtol=1e-5, atol=1e-300)


def test_no_scenario_no_forecast(tmp_path):
    names = {path.name for path in write_tables(make_run(KHOT, scenarios=0), tmp_path)}
    assert "forecast.csv" not in names
    assert not (tmp_path / "forecast.csv").exists()


def test_the_same_run_gives_the_same_bytes(khot, tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write_tables(khot, tmp_path / name)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_six_digits_and_unix_lines(tmp_path):
    path = write_table(pd.DataFrame({"a": [1 / 3, 2e9 / 3], "b": [None, "x,y"]}), tmp_path / "t.csv")
    assert path.read_bytes() == b'a,b\n0.333333,\n6.66667e+08,"x,y"\n'


def test_counts_are_the_values_times_the_dose(khot):
    raw = pd.read_csv(KHOT / "measurements.csv")
    lung = raw[raw["organ"] == "lung"].sort_values("hours")
    table = counts_table(khot.joint.counts)
    mine = table[table["organ"] == "lung"]
    np.testing.assert_allclose(mine["cells"], lung["value"] * 0.204 / 100 * 2e7)
    assert set(table["unit"]) == {"cells"}


def test_an_animals_counts_are_of_its_own_dose(write_study):
    rows = "group,animal,organ,hours,value,unit\n" + "".join(f"iv,{a},lung,1,50,percent_dose\n" for a in "abc")
    doses = "group,animal,hours,cells,route\niv,a,0,1e6,iv\niv,b,0,2e6,iv\niv,b,0.5,2e6,iv\niv,,0,8e6,iv\n"
    table = counts_table(make_run(write_study(rows, doses), 0).joint.counts).set_index("animal")["cells"]
    assert dict(table) == pytest.approx({"a": 0.5e6, "b": 2e6, "c": 4e6})


def test_ranges_and_limits_keep_their_kind(write_study):
    rows = (
        "group,animal,organ,hours,value,unit,low,high,lloq,below_lloq,sd,n\n"
        "iv,,lung,1,,percent_dose,10,30,,,,3\n"
        "iv,a,liver,1,,percent_dose,,,0.5,true,,\n"
        "iv,,spleen,1,4,percent_dose,,,,,1,3\n"
    )
    table = counts_table(make_run(write_study(rows), 0).joint.counts).set_index("organ")
    assert (table.loc["lung", "low"], table.loc["lung", "high"]) == pytest.approx((2e6, 6e6))
    assert np.isnan(table.loc["lung", "cells"])
    assert list(table["below_limit"][table["below_limit"]].index) == ["liver"]
    assert (table.loc["spleen", "cells"], table.loc["spleen", "sd"]) == pytest.approx((8e5, 2e5))


def test_a_percentage_of_nobody_knows_what_stays_one():
    table = counts_table(make_run(ROOT / "data" / "zhuang_2021_fnd_msc_mouse", 0).joint.counts)
    assert set(table["unit"]) == {"percent, denominator not stated"}
    assert table["high"].max() == 70.0


def test_a_percentage_of_what_was_recovered_is_not_cells(write_study):
    folder = write_study("group,animal,organ,hours,value,unit\niv,a,lung,1,50,percent_dose\n")
    text = (folder / "study.toml").read_text()
    new = 'denominator = "recovered"\nharvested = ["lung", "liver"]'
    (folder / "study.toml").write_text(text.replace('denominator = "dose"', new))
    table = counts_table(make_run(folder, 0).joint.counts)
    assert (table.loc[0, "cells"], table.loc[0, "unit"]) == (50.0, "percent of recovered")
