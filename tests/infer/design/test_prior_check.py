"""A mistake of scale is found before the fit, and the shipped studies, which have none, are let pass."""

import csv
from pathlib import Path

import numpy as np
import pytest

from pbpk.infer.design.prior_check import check_prior, fold

DATA = Path(__file__).parents[3] / "data"
T_CELLS, PATIENTS, PARTICLES = "khot_2019_t_cells_mouse", "gholamrezanezhad_2011_msc_human", "barone_2018_fnd_rat"
NUMBERS = ("value", "low", "high", "sd", "lloq")


def read_rows(name, file):
    with (DATA / name / file).open() as text:
        return list(csv.DictReader(text))


def rows_of(name, factor=1.0, unit="", organs=None):
    """Rows of a shipped study, their numbers times a factor, perhaps with another word for the unit."""
    rows = read_rows(name, "measurements.csv")
    for row in rows:
        if organs is None or row["organ"] in organs:
            row.update({key: repr(float(row[key]) * factor) for key in NUMBERS if row.get(key)})
            row["unit"] = unit or row["unit"]
    return rows


def doses_of(name, cells):
    return [row | {"cells": cells} for row in read_rows(name, "doses.csv")]


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("word", ["khot", "gholamrezanezhad", "zhuang", "kwan", "boeckmann"])
def test_shipped_studies_are_as_their_priors_believe(shipped, word, seed):
    found = check_prior(shipped(word), seed=seed)
    assert found.sentences == ()
    assert found.passed


@pytest.mark.parametrize("study", [T_CELLS, PATIENTS, PARTICLES])
def test_fractions_taken_for_percent_are_found(write_joint, study):
    first = check_prior(write_joint(study, rows_of(study, 0.01))).sentences[0]
    assert first.startswith("the values of all organs together lie below what the prior allows")
    assert "percent or fraction" in first


def test_cells_per_gram_taken_for_cells_are_found(write_joint):
    per_gram = 2e7 / 100.0  # cells/g in a percent of the dose per gram
    right = check_prior(write_joint(T_CELLS, rows_of(T_CELLS, per_gram, "cells_per_g")))
    assert right.passed
    wrong = check_prior(write_joint(T_CELLS, rows_of(T_CELLS, per_gram, "cells"), folder="wrong"))
    assert any("`spleen` lie above" in sentence and "unit" in sentence for sentence in wrong.sentences)


@pytest.mark.parametrize(("cells", "side"), [("2e4", "above"), ("2e10", "below")])
def test_a_dose_off_by_a_thousand_is_found(write_joint, cells, side):
    rows = rows_of(T_CELLS, 2e7 / 100.0, "cells_per_g")
    found = check_prior(write_joint(T_CELLS, rows, doses_of(T_CELLS, cells))).sentences
    assert f"together lie {side} what the prior allows" in found[0]
    assert "the dose" in found[0]
    assert any("hold together" in sentence for sentence in found) == (side == "above")


def test_one_organ_in_another_unit_is_named_alone(write_joint):
    found = check_prior(write_joint(T_CELLS, rows_of(T_CELLS, 100.0, organs={"spleen"}))).sentences
    (sentence,) = [sentence for sentence in found if "what the prior allows, " in sentence]
    assert sentence.startswith("all 5 values of `spleen` lie above what the prior allows, ")
    assert "-fold above its median: the unit, the denominator or the dose may be wrong" in sentence


def test_the_table_has_a_row_for_each_value(shipped):
    joint = shipped("khot")
    table = check_prior(joint).table
    assert len(table) == len(joint.counts.table)
    levels = table[["p0.5", "p2.5", "p25", "p50", "p75", "p97.5", "p99.5"]].to_numpy()
    assert (np.diff(levels, axis=1) > 0.0).all()
    high = table["value"] > table["p99.5"]
    assert (table["side"] == "above").equals(high)
    assert (table["quantile"][high] > 0.99).all()
    middle = (table["value"] > table["p25"]) & (table["value"] < table["p75"])
    assert table["quantile"][middle].between(0.25, 0.75).all()
    assert middle.any()


def test_same_seed_same_check(shipped):
    joint = shipped("zhuang")
    assert check_prior(joint, 50, 4).table.equals(check_prior(joint, 50, 4).table)


def test_factors_are_written_short():
    assert (fold(np.log(12.3)), fold(-np.log(2.54)), fold(np.log(4321.0))) == ("12-fold", "2.5-fold", "4 300-fold")
