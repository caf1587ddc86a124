"""Areas by closed forms, and against the ones that Khot 2019 print."""

import csv
import shutil

import numpy as np
import pandas as pd
import pytest

from pbpk.assay.counts import count_cells
from pbpk.assay.study import read_study
from pbpk.errors import InputError
from pbpk.infer.draws.summary import mean_animals
from pbpk.infer.matched.joint import predict_percent
from pbpk.predict.exposure import compare_exposure, exposure
from pbpk.predict.forecast import answer
from pbpk.predict.noncompartmental.profile import analyse, curve_of
from pbpk.predict.noncompartmental.rules import Rules
from pbpk.predict.scenario import read_scenarios


def carried(hours, values):
    """Area by linear trapezoids from 0 h, with the first value carried back."""
    return np.trapezoid(np.concatenate([values[:, :1], values], axis=1), np.concatenate([[0.0], hours]), axis=1)


def area_table(counts, *more):
    """Areas to the last value of all animals together, by organ."""
    table = exposure(counts, *more)
    return table[(table["parameter"] == "AUClast") & (table["animal"] == "")].set_index("organ")


# weights cancel in per-gram areas; the gut is two printed tissues and the rest six
@pytest.mark.parametrize("organ", ["lung", "liver", "spleen", "kidney", "blood", "heart"])
def test_the_areas_of_khot_2019_are_as_printed(khot_folder, organ):
    with (khot_folder / "published_auc.csv").open() as file:
        printed = {row["organ"]: row for row in csv.DictReader(file)}[organ]
    table = area_table(count_cells(read_study(khot_folder)))
    found = table.loc[organ]
    assert found["unit"] == "percent_dose_per_g*h" == printed["unit"]
    assert found["published"] == float(printed["auc"])
    assert abs(found["value"] - float(printed["auc"])) < float(printed["error"])
    assert found["n"] == 15


def test_pooled_organs_have_areas_without_a_print(khot_folder):
    table = area_table(count_cells(read_study(khot_folder)))
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
    table = area_table(count_cells(read_study(khot_folder)))
    assert table.loc["gut", "value"] == pytest.approx(total)


def test_the_fit_is_summed_by_the_same_rule(khot):
    counts = khot.joint.counts
    found = area_table(counts, khot)
    rows = counts.table[counts.table["organ"] == "lung"]
    hours, weight = rows["hours"].to_numpy(), rows["weight_g"].iloc[0]
    percent = predict_percent(khot.joint, khot.theta())["dose"]
    by_hand = np.quantile(carried(hours, mean_animals(khot, percent)[:, rows.index]) / weight, [0.025, 0.5, 0.975])
    np.testing.assert_allclose(found.loc["lung", ["q2.5", "q50", "q97.5"]].astype(float), by_hand)
    arrows = percent[:, rows.index]
    assert found.loc["lung", "arrows_q50"] == pytest.approx(np.median(carried(hours, arrows)) / weight)
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
    (found,) = area_table(count_cells(read_study(folder))).to_dict("records")
    assert found["value"] == pytest.approx(4.0 * 10)
    assert found["n"] == 6


@pytest.mark.parametrize("study", ["gholamrezanezhad_2011_msc_human", "zhuang_2021_fnd_msc_mouse"])
def test_ranges_and_unknown_denominators_have_no_area(khot_folder, study):
    table = exposure(count_cells(read_study(khot_folder.parent / study)))
    assert table.empty
    assert {"group", "organ", "readout", "parameter", "value", "unit", "n"} <= set(table)


def test_percentages_of_what_was_recovered_have_no_area(khot_folder, make_posterior, tmp_path):
    folder = tmp_path / "recovered"
    shutil.copytree(khot_folder, folder)
    text = (folder / "study.toml").read_text()
    new = 'denominator = "recovered"\nharvested = ["lung", "liver", "spleen"]'
    (folder / "study.toml").write_text(text.replace('denominator = "dose"', new))
    posterior = make_posterior(folder, draws=50)
    assert exposure(posterior.joint.counts, posterior).empty


def test_subjects_with_a_curve_are_analysed_one_by_one(khot_folder):
    counts = count_cells(read_study(khot_folder.parent / "boeckmann_1994_theophylline_human"))
    found = exposure(counts)
    raw = counts.table[counts.table["animal"] == "1"]
    rules = Rules()
    curve = curve_of(raw["hours"].to_numpy(), raw["percent"].fillna(0.0).to_numpy(), raw["below_lloq"].to_numpy())
    alone = analyse(curve, rules).parameters
    own = found[found["animal"] == "1"].set_index("parameter")["value"]
    for name in ("AUClast", "AUCinf_obs", "half_life", "Cmax", "MRTinf_obs"):
        assert own[name] == alone[name]
    assert own["CL_F"] == pytest.approx(100.0 / alone["AUCinf_obs"])
    assert not {"residence_last", "CL", "Vss"} & set(own.index)
    each = found[(found["animal"] != "") & (found["parameter"] == "AUClast")]["value"]
    (mean,) = found[(found["animal"] == "") & (found["parameter"] == "AUClast")].to_dict("records")
    assert (len(each), mean["n"], mean["df"]) == (12, 12, 11.0)
    assert mean["value"] == pytest.approx(each.mean())
    assert mean["se"] == pytest.approx(each.std(ddof=1) / np.sqrt(12.0))


def test_residence_is_that_of_the_whole_organ(khot_folder):
    """Areas are per gram where the print is; residence counts what the organ holds."""
    counts = count_cells(read_study(khot_folder))
    found = exposure(counts).set_index(["organ", "parameter"])["value"]
    weight = counts.table[counts.table["organ"] == "liver"]["weight_g"].iloc[0]
    assert found["liver", "residence_last"] == pytest.approx(found["liver", "AUClast"] * weight / 100.0)


def test_the_fit_stands_beside_every_parameter(khot):
    found = exposure(khot.joint.counts, khot, Rules(partial=((0.0, 24.0),))).set_index(["organ", "parameter"])
    for name in ("Cmax", "AUClast", "AUMClast", "AUC0-24h", "half_life", "residence_last"):
        row = found.loc[("spleen", name)]
        assert row["q2.5"] < row["q50"] < row["q97.5"], name
    assert found.loc[("spleen", "AUClast"), "arrows_q50"] > 0.0


def test_groups_are_compared_organ_by_organ(khot_folder):
    counts = count_cells(read_study(khot_folder.parent / "synthetic_fnd_mouse"))
    areas = exposure(counts).set_index(["group", "organ", "parameter"])
    found = compare_exposure(counts, "portal", "iv").set_index("organ")
    assert len(found) == 7
    for organ, row in found.iterrows():
        portal, iv = (areas.loc[(group, organ, "AUClast")] for group in ("portal", "iv"))
        assert row["difference"] == pytest.approx(portal["value"] - iv["value"])
        assert row["se"] == pytest.approx(np.hypot(portal["se"], iv["se"]))
        assert row["ratio_low"] < row["ratio"] < row["ratio_high"]
    assert found.loc["lung", "high"] < 0.0 < found.loc["liver", "low"]


@pytest.mark.parametrize(
    ("names", "said"), [(("portl", "iv"), "Did you mean `portal`"), (("portal", "lung"), "no group")]
)
def test_groups_that_are_not_there(khot_folder, names, said):
    counts = count_cells(read_study(khot_folder.parent / "synthetic_fnd_mouse"))
    with pytest.raises(InputError, match=said):
        compare_exposure(counts, *names)


def written(khot_folder, folder, rows):
    """Counts of Khot's study with other rows in its spleen: hour, animal, value, limit."""
    shutil.copytree(khot_folder, folder)
    text = "group,animal,organ,hours,value,unit,lloq,below_lloq\n"
    for hour, animal, value, limit in rows:
        below = value < limit
        text += f"iv,{animal},spleen,{hour},{'' if below else value},percent_dose,{limit},{str(below).lower()}\n"
    (folder / "measurements.csv").write_text(text)
    (folder / "published_auc.csv").unlink()
    return count_cells(read_study(folder))


def test_values_of_one_animal_at_one_hour_are_averaged(khot_folder, tmp_path):
    twice = written(khot_folder, tmp_path / "twice", [(1, "x", 4.0, 0.1), (4, "y", 6.0, 0.1), (10, "z", 2.0, 0.1),
                                                      (10, "z", 3.0, 0.1)])  # fmt: skip
    once = written(khot_folder, tmp_path / "once", [(1, "x", 4.0, 0.1), (4, "y", 6.0, 0.1), (10, "z", 2.5, 0.1)])
    found, right = (area_table(counts).loc["spleen"] for counts in (twice, once))
    assert (found["value"], found["n"]) == (right["value"], right["n"]) == (4.0 + 15.0 + 6.0 * 4.25, 3)
    dense = [(hour, "x", value, 0.1) for hour, value in ((1, 4.0), (4, 6.0), (10, 2.0), (10, 3.0))]
    (whole,) = area_table(written(khot_folder, tmp_path / "dense", dense)).to_dict("records")
    assert whole["value"] == right["value"]


def test_a_subject_without_a_value_above_its_limit_has_an_area_of_zero(khot_folder, tmp_path):
    rows = [(hour, "x", value, 0.1) for hour, value in ((1, 4.0), (4, 6.0), (10, 2.0))]
    rows += [(hour, "y", 0.0, 0.1) for hour in (1, 4, 10)]
    counts = written(khot_folder, tmp_path / "below", rows)
    found = exposure(counts)
    own = found[found["parameter"] == "AUClast"].set_index("animal")
    assert own.loc["y", "value"] == 0.0
    assert own.loc["y", "flag"] == "no value is above its limit"
    assert (own.loc["", "value"], own.loc["", "n"]) == (own.loc["x", "value"] / 2.0, 2)


def test_means_that_are_all_zero_are_told(khot_folder, tmp_path):
    """At each hour most animals are below the limit, so every mean is zero and there is no tail."""
    rows = [
        (hour, f"{hour}{a}", value, 0.1) for hour in (1, 4, 10) for a, value in (("a", 5.0), ("b", 0.0), ("c", 0.0))
    ]
    found = exposure(written(khot_folder, tmp_path / "zero", rows)).set_index("parameter")
    assert found.loc["AUClast", "value"] == 0.0
    assert "no mean is above its limit" in found.loc["lambda_z", "flag"]


@pytest.mark.parametrize(
    ("start", "words", "area"),
    [
        ("carry_back", "carried back", 4.0 + 15.0 + 25.5),
        ("zero", "zero at 0 h", 2.0 + 15.0 + 25.5),
        ("first", "begin with the first sample", 15.0 + 25.5),
        ("back_extrapolate", "begin with the first sample", 15.0 + 25.5),  # means have no bolus
    ],
)
def test_what_stands_at_0_h_is_what_the_flag_says(khot_folder, tmp_path, start, words, area):
    counts = written(khot_folder, tmp_path / start, [(1, "x", 4.0, 0.1), (4, "y", 6.0, 0.1), (10, "z", 2.5, 0.1)])
    found = exposure(counts, rules=Rules(start=start, partial=((0.0, 10.0),))).set_index("parameter")
    assert found.loc["AUClast", "value"] == pytest.approx(area)
    assert words in found.loc["AUClast", "flag"]
    whole = found.loc["AUC0-10h", "value"]
    assert np.isnan(whole) if "begin" in words else whole == pytest.approx(area)


def test_a_forecast_has_the_areas_of_its_curves(khot):
    scenarios = [scenario for scenario in read_scenarios(None, khot.joint.model) if scenario.name == "iv_bolus"]
    hours = np.concatenate([[0.0], np.geomspace(0.01, 336.0, 400)])
    told = answer(khot.joint.model, khot.theta(20), khot.joint.names, scenarios, 1e6, hours)
    found = exposure(told, rules=Rules(partial=((0.0, 24.0),))).set_index(["organ", "state", "parameter"])
    held = told["cells"].sel(organ="liver", state="live", scenario="iv_bolus").to_numpy()
    by_hand = np.quantile(np.trapezoid(held, hours, axis=1), [0.025, 0.5, 0.975])
    row = found.loc[("liver", "live", "AUClast")]
    np.testing.assert_allclose([row["low"], row["value"], row["high"]], by_hand, rtol=2e-3)
    assert row["unit"] == "cells*h"
    assert found.loc[("liver", "live", "residence_last"), "value"] == pytest.approx(row["value"] / 1e6)
    assert found.loc[("liver", "live", "AUC0-24h"), "value"] < row["value"]
    assert {"live", "label", "total"} == set(found.index.get_level_values("state"))
