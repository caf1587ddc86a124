"""Two people of 10 and 80 kg, drawn from equations written here: with their weights the fit finds the truth again."""

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from pbpk.assay.counts import count_cells
from pbpk.assay.study import read_study
from pbpk.body.species import read_species
from pbpk.infer.draws.fit import fit
from pbpk.infer.draws.summary import parameters
from pbpk.predict.record import model_of

pytestmark = pytest.mark.proof
KWAN = Path(__file__).parents[2] / "data" / "kwan_1976_indomethacin_human"
HOURS = np.array([0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0])
TRUTH = {"clearance": 12.0, "partition_slow": 0.3, "extracted_slow": 0.1, "partition_liver": 1.0, "partition_fast": 1.0}
PEOPLE = {"child": (10.0, 20.0, 0.0), "man": (80.0, 120.0, 0.5)}  # kg, mg, hours of infusion
SCATTER = 0.05  # SD of the logarithm of a value


def concentrations(weight, dose, infusion):
    """Drug in blood [mg/L] of a person of `weight` kg: volumes with weight, flows and clearance with its 3/4 power."""
    numbers, size = read_species("human").numbers(), weight / 70.0
    volume = {name.removeprefix("volume_"): v * size / 1e3 for name, v in numbers.items() if name.startswith("volume_")}
    flow = {name.removeprefix("artery_"): q * size**0.75 / 1e3 for name, q in numbers.items()
            if name.startswith("artery_")}  # fmt: skip
    blood = volume["vein"] + volume["artery"]
    fast = sum(volume[organ] for organ in ("lung", "kidney", "heart", "spleen", "gut"))
    liver_flow = flow["liver"] + flow["spleen"] + flow["gut"]
    fast_flow, slow_flow = flow["kidney"] + flow["heart"], TRUTH["extracted_slow"] * flow["rest"]

    tissues = {"fast": fast, "slow": volume["rest"], "liver": volume["liver"]}
    spaces = np.array([blood, *(v * TRUTH[f"partition_{name}"] for name, v in tissues.items())])

    def slope(t, amount):
        c, c_fast, c_slow, c_liver = amount / spaces
        to_fast, to_slow = fast_flow * (c - c_fast), slow_flow * (c - c_slow)
        to_liver = liver_flow * (c - c_liver)
        given = dose / infusion if t < infusion else 0.0
        return [given - to_fast - to_slow - to_liver, to_fast, to_slow,
                to_liver - TRUTH["clearance"] * size**0.75 * c_liver]  # fmt: skip

    start = [0.0 if infusion else dose, 0.0, 0.0, 0.0]
    solved = solve_ivp(slope, (0.0, 9.0), start, "Radau", HOURS, rtol=1e-8, atol=1e-10, max_step=0.1)
    return solved.y[0] / blood


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A synthetic study of both, written as a person would."""
    folder = tmp_path_factory.mktemp("weights") / "synthetic_people"
    shutil.copytree(KWAN, folder)
    text = (folder / "study.toml").read_text()
    (folder / "study.toml").write_text(text.replace('kind = "real"', 'kind = "synthetic"'))
    rng = np.random.default_rng(7)
    doses = [["group", "animal", "hours", "amount", "unit", "route", "duration_min"]]
    animals, values = [["animal", "group", "body_weight_g"]], [["group", "animal", "organ", "hours", "value", "unit",
                                                               "readout"]]  # fmt: skip
    for person, (weight, dose, infusion) in PEOPLE.items():
        doses.append(["iv", person, 0, dose / weight, "mg/kg", "iv", 60 * infusion])
        animals.append([person, "iv", 1000 * weight])
        noisy = concentrations(weight, dose, infusion) * np.exp(SCATTER * rng.standard_normal(HOURS.size))
        values += [["iv", person, "plasma", hour, value, "mg/L", "drug"]
                   for hour, value in zip(HOURS[infusion < HOURS], noisy[infusion < HOURS], strict=True)]  # fmt: skip
    for name, rows in (("doses", doses), ("animals", animals), ("measurements", values)):
        with (folder / f"{name}.csv").open("w", newline="") as file:
            csv.writer(file).writerows(rows)
    return folder


def learned(folder):
    study = read_study(folder)
    posterior = fit(model_of(study), count_cells(study), seed=1, chains=2, draws=300, tune=500)
    return parameters(posterior).set_index("parameter")


@pytest.fixture(scope="module")
def weighed(study):
    return learned(study)


@pytest.fixture(scope="module")
def unweighed(study):
    """The same without weights; doses in mg, as they were."""
    folder = study.with_name("synthetic_strangers")
    shutil.copytree(study, folder)
    (folder / "animals.csv").unlink()
    text = (folder / "doses.csv").read_text()
    for weight, dose, _ in PEOPLE.values():
        assert f",{dose / weight},mg/kg" in text
        text = text.replace(f",{dose / weight},mg/kg", f",{dose},mg")
    (folder / "doses.csv").write_text(text)
    return learned(folder)


def test_with_their_weights_the_truth_is_found(weighed):
    assert weighed["rhat"].max() < 1.05
    for name in ("clearance", "partition_slow", "extracted_slow"):
        row, truth = weighed.loc[name], TRUTH[name] * (1e3 if name == "clearance" else 1.0)
        assert row["q2.5"] < truth < row["q97.5"], name
    assert weighed.loc["clearance", "q50"] == pytest.approx(12e3, rel=0.1)
    assert weighed.loc["spread", "q50"] < 0.15


def test_without_them_it_is_not(unweighed, weighed):
    assert unweighed.loc["spread", "q2.5"] > 3.0 * weighed.loc["spread", "q97.5"]
    low, high = unweighed.loc["clearance", ["q2.5", "q97.5"]]
    assert not low < 12e3 < high
