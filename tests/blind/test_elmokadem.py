"""The mavoglurant model, as a file, against the equations of the paper written by hand, at several body weights."""

import numpy as np
import pytest
from blind import elmokadem_2023

from pbpk.assay.counts import count_cells
from pbpk.assay.study import read_study
from pbpk.body.equations import check_units, unsourced
from pbpk.body.expansion import read_model
from pbpk.body.scaling import scaled
from pbpk.body.species import read_species
from pbpk.dosing import Dose
from pbpk.infer.matched.joint import join, predict_percent
from pbpk.predict.record import model_of

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


PEOPLE = {"1": (94.3, 1 / 3), "2": (61.9, 1 / 6), "3": (80.0, 1 / 6)}  # weight [kg], infusion [h]; nobody's
ABOUT = """
title = "SYNTHETIC: three people for the arithmetic"
kind = "synthetic"
species = "human"
model = "elmokadem_2023"
label = "none"
denominator = "dose"
[product]
cell_type = "mavoglurant, no cells"
[[groups]]
name = "iv"
route = "iv"
[between.CLint]
prior = "half_cauchy(scale=0.5)"
source = "none"
[[sources]]
key = "none"
text = "nobody measured this"
"""


def write_people(folder):
    """Three people with doses, weights and hours; their values mean nothing."""
    rows = {
        "doses": ["group,animal,hours,amount,unit,route,duration_min"]
        + [f"iv,{who},0,25,mg,iv,{60 * lasts:g}" for who, (_, lasts) in PEOPLE.items()],
        "animals": ["animal,group,body_weight_g"] + [f"{who},iv,{1000 * kg:g}" for who, (kg, _) in PEOPLE.items()],
        "measurements": ["group,animal,organ,hours,value,unit,readout"]
        + [f"iv,{who},plasma,{hour:g},100,ng/mL,drug" for who in PEOPLE for hour in HOURS],
    }
    (folder / "study.toml").write_text(ABOUT)
    for name, lines in rows.items():
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n")
    return folder


def test_people_of_their_own_weight_and_clearance_are_those_of_the_paper(tmp_path):
    """At a point of the prior: concentrations after the infusion by matrix exponentials."""
    study = read_study(write_people(tmp_path))
    joint = join(model_of(study), count_cells(study))
    theta = joint.theta(0.5 * np.random.default_rng(4).standard_normal((1, len(joint.free))))
    value = dict(zip(joint.names, theta[0], strict=True))
    assert value["misfit"] == 0.0
    log_kb = dict(elmokadem_2023.LOG_KB)
    for organ in ("brain", "muscle", "adipose", "bone", "rest"):
        log_kb[organ] = np.log(value[f"partition_{organ}"])
    table = joint.counts.table.assign(expected=predict_percent(joint, theta)["dose"][0])
    for who, (weight, lasts) in PEOPLE.items():
        clint = np.log(value["CLint"] / 1000) + value["between_CLint"] * value[f"animal:CLint:iv:{who}"]  # L/h
        after = table[(table["animal"] == who) & (table["hours"] > lasts)]
        assert len(after) >= 3
        by_hand = elmokadem_2023.plasma(weight, after["hours"], 25.0, lasts, log_kb, clint)
        np.testing.assert_allclose(after["expected"] / 100 * 25.0 * 1000, by_hand, rtol=1e-6)  # mL in a L
