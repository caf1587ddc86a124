"""The mavoglurant model, as a file, against the equations of the paper written by hand, at several body weights."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from blind import elmokadem_2023

from pbpk.assay.counts import count_cells
from pbpk.assay.study import read_study
from pbpk.body.equations import check_units, unsourced
from pbpk.body.expansion import read_model
from pbpk.body.scaling import scaled
from pbpk.body.species import read_species
from pbpk.dosing import Dose
from pbpk.infer.joint import join, predict_percent
from pbpk.predict.run import model_of

STUDY = Path(__file__).parents[2] / "data" / "wendling_2016_mavoglurant_human"
HOURS = np.array([0.05, 0.2, 1.0, 6.0, 48.0])


@pytest.mark.parametrize("weight_kg", [61.9, 70.0, 103.5])
def test_the_file_is_the_paper(weight_kg):
    species = scaled(read_species("human"), body_weight=1000.0 * weight_kg)
    model = read_model("elmokadem_2023", species=species)
    medians = np.array([p.prior.centre for p in model.parameters])
    found = model.solve(medians, [Dose("iv", 25.0, 0.0, 1.0 / 6.0)], HOURS)
    expected = elmokadem_2023.curves(weight_kg, HOURS, 25.0, 1.0 / 6.0)
    for i, state in enumerate(model.states):
        own = expected[state.removesuffix(".tissue")]
        np.testing.assert_allclose(found[:, i], own, rtol=1e-6, atol=1e-9 * 25.0, err_msg=state)


def test_plasma_is_blood_over_the_ratio_of_the_two():
    model = read_model("elmokadem_2023", species="human")
    medians = np.array([p.prior.centre for p in model.parameters])
    registers = np.array([model.volume_registers[name] for name in ("blood", "plasma")])
    blood, plasma = model.volume_in(medians[np.newaxis], registers)[0]
    assert blood == pytest.approx(1000.0 * 0.0562 * 70.0 / 1.040)  # mL
    assert plasma / blood == pytest.approx(0.61)


def test_units_and_sources_are_all_there():
    model = read_model("elmokadem_2023", species="human")
    assert check_units(model) == []
    assert unsourced(model) == []
    assert model.is_linear
    assert len(model.states) == 17  # the paper's sixteen and what is eliminated


def test_people_of_their_own_weight_and_clearance_are_those_of_the_paper():
    """Every sample of the study at a point of the prior: concentrations of twenty people by matrix exponentials."""
    study = read_study(STUDY)
    joint = join(model_of(study), count_cells(study))
    theta = joint.theta(0.5 * np.random.default_rng(4).standard_normal((1, len(joint.free))))
    value = dict(zip(joint.names, theta[0], strict=True))
    assert value["misfit"] == 0.0
    log_kb = dict(elmokadem_2023.LOG_KB)
    for organ in ("brain", "muscle", "adipose", "bone", "rest"):
        log_kb[organ] = np.log(value[f"partition_{organ}"])
    table = joint.counts.table.assign(expected=predict_percent(joint, theta)["dose"][0])
    doses, weights = (pd.read_csv(STUDY / f"{name}.csv").set_index("animal") for name in ("doses", "animals"))
    for animal, rows in table.groupby("animal"):
        weight, dose = weights.loc[int(animal), "body_weight_g"] / 1000, doses.loc[int(animal)]
        clint = np.log(value["CLint"] / 1000) + value["between_CLint"] * value[f"animal:CLint:iv:{animal}"]  # L/h
        after = rows[rows["hours"] > dose["duration_min"] / 60]
        assert len(after) > 10
        given = (after["hours"], dose["amount"], dose["duration_min"] / 60)
        by_hand = elmokadem_2023.plasma(weight, *given, log_kb, clint)
        np.testing.assert_allclose(after["expected"] / 100 * dose["amount"] * 1000, by_hand, rtol=1e-6)  # mL in a L
