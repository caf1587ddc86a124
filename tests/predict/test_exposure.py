"""Areas by closed forms, and against the ones that Khot 2019 print."""

import csv
import shutil

import numpy as np
import pandas as pd
import pytest

from pbpk.assay.counts import count_cells
from pbpk.assay.study import read_study
from pbpk.infer.draws.summary import mean_animals
from pbpk.infer.matched.joint import predict_percent
from pbpk.predict.exposure import area, exposure


@pytest.mark.parametrize(
    ("hours", "values", "total"),
    [
        ([1.0, 2.0, 4.0], [3.0, 3.0, 3.0], 12.0),  # a constant, carried back to 0 h
        ([0.0, 2.0, 4.0], [0.0, 2.0, 4.0], 8.0),  # a line through zero: half of base times height
        ([1.0, 3.0], [4.0, 0.0], 4.0 + 4.0),  # a rectangle and a triangle
        ([2.0], [5.0], 10.0),
    ],
)
def test_the_rule_on_shapes_with_known_areas(hours, values, total):
    assert area(np.array(hours), np.array(values)) == pytest.approx(total)


def test_many_curves_at_once_and_a_smooth_one_in_the_limit():
    hours = np.linspace(0.0, 50.0, 4001)
    rates = np.array([[0.1], [0.5]])
    np.testing.assert_allclose(area(hours, np.exp(-rates * hours)), (1 - np.exp(-rates * 50))[:, 0] / rates[:, 0], 1e-4)


# weights cancel in per-gram areas; the gut is two printed tissues and the rest six
@pytest.mark.parametrize("organ", ["lung", "liver", "spleen", "kidney", "blood", "heart"])
def test_the_areas_of_khot_2019_are_as_printed(khot_folder, organ):
    with (khot_folder / "published_auc.csv").open() as file:
        printed = {row["organ"]: row for row in csv.DictReader(file)}[organ]
    table = exposure(count_cells(read_study(khot_folder))).set_index("organ")
    found = table.loc[organ]
    assert found["unit"] == "percent_dose_per_g*h" == printed["unit"]
    assert found["published"] == float(printed["auc"])
    assert abs(found["observed"] - float(printed["auc"])) < float(printed["error"])
    assert found["n"] == 15


def test_pooled_organs_have_areas_without_a_print(khot_folder):
    table = exposure(count_cells(read_study(khot_folder))).set_index("organ")
    assert set(table.index[table["published"].isna()]) == {"gut", "rest"}
    assert table.loc["gut", "unit"] == "percent_dose*h"


def test_the_gut_by_hand(khot_folder):
    raw = pd.read_csv(khot_folder / "measurements.csv")
    weights = pd.read_csv(khot_folder / "organ_weights.csv").set_index("organ")["weight_g"]
    total = 0.0
    for tissue in ("small_intestine", "large_intestine"):
        rows = raw[raw["organ"] == tissue].sort_values("hours")
        steps = np.diff([0.0, *rows["hours"]])
        values = rows["value"].to_numpy() * weights[tissue]
        total += (steps * (np.array([values[0], *values[:-1]]) + values) / 2).sum()
    table = exposure(count_cells(read_study(khot_folder))).set_index("organ")
    assert table.loc["gut", "observed"] == pytest.approx(total)


def test_the_fit_is_summed_by_the_same_rule(khot):
    counts = khot.joint.counts
    found = exposure(counts, khot).set_index("organ")
    rows = counts.table[counts.table["organ"] == "lung"]
    hours, weight = rows["hours"].to_numpy(), rows["weight_g"].iloc[0]
    percent = predict_percent(khot.joint, khot.theta())["dose"]
    by_hand = np.quantile(area(hours, mean_animals(khot, percent)[:, rows.index]) / weight, [0.025, 0.5, 0.975])
    np.testing.assert_allclose(found.loc["lung", ["q2.5", "q50", "q97.5"]].astype(float), by_hand)
    arrows = percent[:, rows.index]
    assert found.loc["lung", "arrows_q50"] == pytest.approx(np.median(area(hours, arrows)) / weight)
    assert (found["q2.5"] < found["q50"]).all()
    assert (found["q50"] < found["q97.5"]).all()


def test_animals_of_one_time_are_averaged(khot_folder, tmp_path):
    folder = tmp_path / "animals"
    shutil.copytree(khot_folder, folder)
    rows = [(h, a, v) for h in (1, 4, 10) for a, v in (("x", 2.0), ("y", 6.0))]
    text = "group,animal,organ,hours,value,unit\n"
    text += "".join(f"iv,{a}{h},spleen,{h},{v},percent_dose\n" for h, a, v in rows)
    (folder / "measurements.csv").write_text(text)
    (folder / "published_auc.csv").unlink()
    (found,) = exposure(count_cells(read_study(folder))).to_dict("records")
    assert found["observed"] == pytest.approx(4.0 * 10)
    assert found["n"] == 6


@pytest.mark.parametrize("study", ["gholamrezanezhad_2011_msc_human", "zhuang_2021_fnd_msc_mouse"])
def test_ranges_and_unknown_denominators_have_no_area(khot_folder, study):
    table = exposure(count_cells(read_study(khot_folder.parent / study)))
    assert table.empty
    assert {"group", "organ", "readout", "parameter", "observed", "unit", "n"} <= set(table)


def test_percentages_of_what_was_recovered_have_no_area(khot_folder, make_posterior, tmp_path):
    folder = tmp_path / "recovered"
    shutil.copytree(khot_folder, folder)
    text = (folder / "study.toml").read_text()
    new = 'denominator = "recovered"\nharvested = ["lung", "liver", "spleen"]'
    (folder / "study.toml").write_text(text.replace('denominator = "dose"', new))
    posterior = make_posterior(folder, draws=50)
    assert exposure(posterior.joint.counts, posterior).empty
