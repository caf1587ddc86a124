"""The body rebuilt by hand from its equations and numbers alone, and integrated by another solver.

Nothing of `pbpk` but the answer is used: numbers are read from the TOML files as plain text, every equation stands
below as it stands on paper, and scipy's Radau integrates blood and tissue together at a relative tolerance of 1e-9.
"""

import re
import tomllib
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from pbpk.body.expansion import read_model
from pbpk.dosing import Dose

MODELS = Path(__file__).parents[2] / "models"
ORGANS = ["lung", "liver", "spleen", "kidney", "heart", "gut", "rest"]
FED = ["liver", "spleen", "kidney", "heart", "gut", "rest"]
TO_VEIN = ["liver", "kidney", "heart", "rest"]
KINDS = ["E", "loss", "alive", "transfer", "weight"]
HOURS = np.array([0.05, 0.25, 1.0, 6.0, 24.0, 72.0, 168.0])
ENTRY = {"iv": "vein", "artery": "artery", "portal_vein": ("V", "liver")}
STATES = ["vein", "artery", *((s, o) for s in "VAD" for o in ORGANS), "B", "excreted"]
AT = {state: i for i, state in enumerate(STATES)}
CASES = ["msc medians", "msc draw 1", "msc draw 2", "t_cell medians"]

# What taking the blood as in balance costs, from each hour on, as a relative error in any organ. A cell needs about
# 4 s for a round, so cells that pass many times (T cells) are late by minutes in all, MSC by seconds.
COST = {
    "msc medians": {0.05: 5e-4},
    "msc draw 1": {0.05: 1e-3, 6.0: 5e-4},
    "msc draw 2": {0.05: 5e-4},
    "t_cell medians": {0.05: 0.1, 0.25: 3e-3, 6.0: 1e-3, 24.0: 5e-4},
}


def priors(model):
    """Form, centre and sigma of each parameter, from the text of the model files."""
    files = [tomllib.loads((MODELS / f"{name}.toml").read_text()) for name in dict.fromkeys(["msc", model])]
    names = [f"{kind}_{organ}" for kind in KINDS for organ in ORGANS] + ["uptake", "excretion"]
    entries = {key: entry for file in files for key, entry in file["parameters"].items()}
    found = {}
    for name in names:
        entry = entries.get(name) or entries[re.sub("_.*", "_{organ}", name)]
        form, *numbers = re.match(r"(\w+)\(\w+=([\d.]+)(?:, sigma=([\d.]+))?\)", entry["prior"]).groups()
        found[name] = (form, *(float(number) for number in numbers if number))
    return found


def draw(case):
    """One value for each parameter: the prior's median, or a random draw of it."""
    model = case.split()[0]
    rng = np.random.default_rng([7, CASES.index(case)])
    values = {}
    for name, (form, centre, *sigma) in priors(model).items():
        step = 0.0 if "medians" in case or form == "fixed" else sigma[0] * rng.standard_normal()
        logit = np.log(centre / (1 - centre)) + step if form == "logit_normal" else 0.0
        values[name] = 1 / (1 + np.exp(-logit)) if form == "logit_normal" else centre * np.exp(step)
    return values


def derivative(y, p, mouse, share_of_blood):
    """Right side of the equations: organ blood V, arrested A, label D, free label B."""
    flow, blood = {}, {}
    for organ in ORGANS:
        entry = mouse["organs"][organ]
        blood[organ] = entry["volume"]["value"] * entry["vascular"]["value"] * share_of_blood
        flow[organ] = entry["artery"]["value"] if organ != "lung" else mouse["cardiac_output"]["value"]
    into = dict(flow)
    flow["liver"] += flow["spleen"] + flow["gut"]
    in_vein = y[AT["vein"]] / (mouse["volume_vein"]["value"] * share_of_blood)
    in_artery = y[AT["artery"]] / (mouse["volume_artery"]["value"] * share_of_blood)
    in_blood = {organ: y[AT["V", organ]] / blood[organ] for organ in ORGANS}
    free = y[AT["B"]]

    dy = np.zeros(len(STATES))
    dy[AT["vein"]] = sum(flow[o] * in_blood[o] for o in TO_VEIN) - flow["lung"] * in_vein
    dy[AT["artery"]] = flow["lung"] * in_blood["lung"] - in_artery * sum(into[o] for o in FED)
    for o in ORGANS:
        v, a, d = (y[AT[s, o]] for s in "VAD")
        inflow = flow["lung"] * in_vein if o == "lung" else into[o] * in_artery
        if o == "liver":
            inflow += flow["spleen"] * in_blood["spleen"] + flow["gut"] * in_blood["gut"]
        arrest = p[f"E_{o}"] / (1 - p[f"E_{o}"]) * flow[o] / blood[o]
        release = p[f"loss_{o}"] * p[f"alive_{o}"]
        death = p[f"loss_{o}"] - release
        taken = p["uptake"] * p[f"weight_{o}"] * free
        given = p[f"transfer_{o}"] * d
        dy[AT["V", o]] = inflow - flow[o] * in_blood[o] - arrest * v + release * a
        dy[AT["A", o]] = arrest * v - (release + death) * a
        dy[AT["D", o]] = death * a - given + taken
        dy[AT["B"]] += given - taken
    dy[AT["B"]] -= p["excretion"] * free
    dy[AT["excreted"]] = p["excretion"] * free
    return dy


@cache
def by_hand(case, route, share_of_blood=1.0, inside="VAD"):
    """Label in each organ per cell given, (time, organ), integrated in full."""
    mouse = tomllib.loads((MODELS / "species" / "mouse.toml").read_text())
    p = draw(case)
    jacobian = np.array([derivative(e, p, mouse, share_of_blood) for e in np.eye(len(STATES))]).T  # it is linear
    start = np.zeros(len(STATES))
    start[AT[ENTRY[route]]] = 1.0
    found = solve_ivp(lambda t, y: derivative(y, p, mouse, share_of_blood), (0, HOURS[-1]), start, method="Radau",
                      t_eval=HOURS, jac=jacobian, rtol=1e-9, atol=1e-12)  # fmt: skip
    assert found.success
    return np.array([sum(found.y[AT[s, o]] for s in inside) for o in ORGANS]).T


def by_pbpk(case, route, hours, fidelity="reduced"):
    model = read_model(case.split()[0], "mouse")
    p = draw(case)
    theta = np.array([p[name] for name in model.parameter_names])
    y = model.solve(theta, [Dose(route, 1.0)], hours, fidelity=fidelity)
    return np.array([y @ model.observer(organ, "label") for organ in ORGANS]).T


def held_by_pbpk(case, route):
    """As `by_pbpk`, without the cells that are passing through an organ's blood."""
    model = read_model(case.split()[0], "mouse")
    p = draw(case)
    y = model.solve(np.array([p[name] for name in model.parameter_names]), [Dose(route, 1.0)], HOURS)
    at = model.states.index
    return np.array([y[:, at(f"{o}.arrested")] + y[:, at(f"{o}.label")] for o in ORGANS]).T


@pytest.mark.parametrize("route", ENTRY)
@pytest.mark.parametrize("case", CASES)
def test_the_blood_may_be_eliminated(case, route):
    apart = np.abs(by_pbpk(case, route, HOURS) / by_hand(case, route) - 1)
    for hour, bound in COST[case].items():
        assert apart[hour <= HOURS].max() <= bound, f"from {hour} h on"


@pytest.mark.parametrize("route", ENTRY)
@pytest.mark.parametrize("case", CASES)
def test_elimination_is_the_limit_of_little_blood(case, route):
    apart = np.abs(held_by_pbpk(case, route) / by_hand(case, route, share_of_blood=1e-4, inside="AD") - 1)
    assert apart.max() <= 1e-5


@pytest.mark.parametrize("route", ENTRY)
@pytest.mark.parametrize("case", CASES)
def test_the_full_system_is_the_equations(case, route):
    apart = np.abs(by_pbpk(case, route, HOURS, "full") / by_hand(case, route) - 1)
    assert apart.max() <= 1e-6


def test_every_parameter_of_the_model_is_in_the_rebuild():
    assert set(read_model("msc", "mouse").parameter_names) == set(priors("msc"))
