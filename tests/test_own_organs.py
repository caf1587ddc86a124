"""A user's own animal and own model, with organs that no shipped model has, from the check to the report.

Every number below is made up for this test and describes no animal.
"""

import json
import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from saying import say

from pbpk.body.expansion import read_model
from pbpk.dosing import Dose

OWN = ["pancreas", "tumour", "brain", "kidney_left", "kidney_right", "lymph"]
FLOWS = {"liver": 100, "pancreas": 30, "tumour": 40, "brain": 60, "kidney_left": 80, "kidney_right": 70, "lymph": 20}
ORGANS = ["lung", *FLOWS]

SPECIES = """
name = "chimera"
about = "made up for a test; no such animal"
body_weight = { value = 30, unit = "g", source = "made_up" }
cardiac_output = { value = 400, unit = "mL/h", source = "made_up" }
volume_vein = { value = 1.0, unit = "mL", source = "made_up" }
volume_artery = { value = 0.5, unit = "mL", source = "made_up" }

[sources.made_up]
text = "made up for a test"
"""
ORGAN = """
[organs.{name}]
volume = {{ value = {volume}, unit = "mL", source = "made_up" }}
vascular = {{ value = 0.1, unit = "1", source = "made_up" }}
density = {{ value = 1.0, unit = "g/mL", source = "made_up" }}
"""
ARTERY = 'artery = {{ value = {flow}, unit = "mL/h", source = "made_up" }}\n'

# Cells stop in organs and leave them into the blood or, from some, into the lymph, which drains into the vein.
MODEL = """
name = "own"
about = "made up for a test"
amount = "cells"
organs = ["lung", "liver", "pancreas", "tumour", "brain", "kidney_left", "kidney_right", "lymph"]
arrows = [
  "vein              -> lung.blood      : cardiac_output / volume_vein",
  "lung.blood        -> artery          : cardiac_output / blood_lung",
  "artery            -> {fed}.blood     : artery_{fed} / volume_artery",
  "pancreas.blood    -> liver.blood     : artery_pancreas / blood_pancreas",
  "liver.blood       -> vein            : (artery_liver + artery_pancreas) / blood_liver",
  "{returning}.blood -> vein            : artery_{returning} / blood_{returning}",
  "{organ}.blood     -> {organ}.tissue  : stop_{organ} / blood_{organ} * unit_flow",
  "{organ}.tissue    -> {organ}.blood   : leave",
  "{drained}.tissue  -> lymph.node      : drain",
  "lymph.node        -> vein            : return",
  "{organ}.tissue    -> gone            : death",
]
passing = ["vein", "artery", "{organ}.blood"]
outside = ["gone"]

[kinds]
live = ["vein", "artery", "{organ}.blood", "{organ}.tissue", "lymph.node"]

[groups]
fed       = ["liver", "pancreas", "tumour", "brain", "kidney_left", "kidney_right", "lymph"]
returning = ["tumour", "brain", "kidney_left", "kidney_right", "lymph"]
drained   = ["tumour", "pancreas"]

[routes]
iv = "vein"
into_tumour = "tumour.tissue"

[readouts]
label = ["live"]

[observe]
blood = ["vein", "artery"]

[constants]
unit_flow = { value = 1.0, unit = "mL/h", source = "made_up" }

[where]
"blood_{organ}" = "volume_{organ} * vascular_{organ}"

[parameters.stop_lung]
unit = "1"
prior = "lognormal(median=800, sigma=0.5)"
source = "made_up"

[parameters."stop_{organ}"]
unit = "1"
prior = "lognormal(median=20, sigma=0.5)"
source = "made_up"

[parameters.leave]
unit = "1/h"
prior = "lognormal(median=0.05, sigma=0.5)"
source = "made_up"

[parameters.drain]
unit = "1/d"
prior = "lognormal(median=0.2, sigma=0.5)"
source = "made_up"

[parameters.return]
unit = "1/h"
prior = "lognormal(median=0.02, sigma=0.5)"
source = "made_up"

[parameters.death]
unit = "1/h"
prior = "lognormal(median=0.01, sigma=0.5)"
source = "made_up"

[noise.spread]
unit = "1"
prior = "lognormal(median=0.2, sigma=0.3)"
source = "made_up"

[noise.misfit]
unit = "1"
prior = "lognormal(median=0.1, sigma=0.3)"
source = "made_up"

[sources.made_up]
text = "made up for a test"
"""
# The same file with one word more: the tumour can hold so many cells and no more.
ROOM = (
    "stop_{organ} / blood_{organ} * unit_flow",
    "stop_{organ} / blood_{organ} * unit_flow * (1 - {organ}.tissue / room)",
)
ROOM_SIZE = """
[parameters.room]
unit = "cells"
prior = "lognormal(median=500000, sigma=0.3)"
source = "made_up"
"""

STUDY = """
title = "Cells in a chimera, made up for a test"
kind = "synthetic"
species = "{species}"
model = "{model}"
label = "none"
denominator = "dose"

[product]
cell_type = "made up"

[tissues]
{tissues}

[[groups]]
name = "iv"
route = "iv"

[[sources]]
key = "made_up"
text = "made up for a test"
licence = "none"
"""
SCENARIO = 'title = "Into the tumour"\ncells = 1e5\n[[doses]]\nroute = "into_tumour"\n'
CELLS = 1e6
WIDE = "median=1.0, sigma=0.1"


def write_all(folder, saturable):
    """Animal, model, study and question of a user, whose counts are what the model says at its medians."""
    animal, model, study = folder / "chimera.toml", folder / "own.toml", folder / "study"
    text = SPECIES
    for i, name in enumerate(ORGANS):
        text += ORGAN.format(name=name, volume=0.2 + 0.1 * i)
        text += ARTERY.format(flow=FLOWS[name]) if name in FLOWS else ""
    animal.write_text(text)
    if saturable:  # the slower solver: fewer unknowns and wide noise, so that the chains take few steps
        known = re.sub(r"lognormal\(median=(800|20), sigma=0.5\)", r"fixed(value=\1)", MODEL.replace(*ROOM) + ROOM_SIZE)
        model.write_text(known.replace("median=0.2, sigma=0.3", WIDE))
    else:
        model.write_text(MODEL)
    (folder / "asked.toml").write_text(SCENARIO)
    study.mkdir()
    tissues = "\n".join(f'{organ} = "{organ}"' for organ in ORGANS)
    (study / "study.toml").write_text(STUDY.format(species=animal, model=model, tissues=tissues))
    (study / "doses.csv").write_text(f"group,hours,cells,route\niv,0,{CELLS:g},iv\n")
    read = read_model(model, animal)
    theta = np.array([p.prior.centre for p in read.parameters])
    hours = np.array([1.0, 24.0] if saturable else [1.0, 24.0, 72.0])
    cells = read.solve(theta, [Dose("iv", CELLS)], hours)
    rows = [
        f"iv,{organ},{hour:g},{cells[i] @ read.observer(organ, 'label') / CELLS * 100:.6g},percent_dose,label,made_up\n"
        for organ in ORGANS
        for i, hour in enumerate(hours)
    ]
    (study / "measurements.csv").write_text("group,organ,hours,value,unit,readout,source\n" + "".join(rows))
    return SimpleNamespace(folder=folder, animal=animal, model=model, study=study, run=folder / "run")


@pytest.fixture(
    scope="module",
    params=[pytest.param(False, id="linear"), pytest.param(True, id="saturable", marks=pytest.mark.proof)],
)
def own(request, tmp_path_factory):
    made = write_all(tmp_path_factory.mktemp("own"), request.param)
    made.saturable = request.param
    words = ("--draws", "100", "--tune", "100", "--allow-unconverged")
    made.fitted = say("fit", made.study, "--out", made.run, *words)
    return made


def test_the_model_says_what_it_is(own):
    said = say("check", own.model, "--species", own.animal)
    assert said.code == 0, said.err
    law = next(line for line in said.out.splitlines() if line.startswith("Conservation: "))
    assert law.startswith("Conservation: d/dt (everything) = 0; d/dt (inside the body) = ")
    assert "death" in law
    assert all(f"{organ}.tissue" in law for organ in ORGANS)
    assert "Units: every rate is 1/time." in said.out
    assert "Parameters that no rate uses: none." in said.out
    assert ("The system is not linear: rates move with " in said.out) == own.saturable
    assert ("The system is linear" in said.out) != own.saturable
    assert say("check", own.study).out.endswith("The study can be fitted.\n")


def test_its_equations_go_into_a_paper(own):
    said = say("check", own.model, "--species", own.animal, "--latex")
    assert said.code == 0, said.err
    assert said.out.startswith("\\begin{align*}\n")
    assert r"\frac{d N_{\mathrm{lymph,node}}}{dt}" in said.out


def test_it_is_fitted(own):
    assert own.fitted.code == 0, own.fitted.err
    manifest = json.loads((own.run / "manifest.json").read_text())
    assert manifest["settings"]["draws"] == 100
    table = pd.read_csv(own.run / "parameters.csv").set_index("parameter")
    learnt = {"room"} if own.saturable else {f"stop_{organ}" for organ in ORGANS}
    assert learnt | {"leave", "drain", "return", "death"} <= set(table.index)
    # counts are the model at its medians, so the fit should not leave them
    for name in ("leave", "death"):
        prior = next(p.prior for p in read_model(own.model, own.animal).parameters if p.name == name)
        assert table["q2.5"][name] < prior.centre < table["q97.5"][name]
    predicted = pd.read_csv(own.run / "predictions.csv")
    assert set(predicted["organ"]) == set(ORGANS)
    assert predicted["q50"].to_numpy() == pytest.approx(predicted["value"].to_numpy(), rel=0.5)


def test_it_answers_a_question(own):
    said = say("simulate", own.run, own.folder / "asked.toml", "--out", own.folder / "answers")
    assert said.code == 0, said.err
    table = pd.read_csv(own.folder / "answers" / "forecast.csv")
    assert set(table["organ"]) >= {*OWN, "blood", "gone"}
    early = table[(table["hours"] == table["hours"].min()) & (table["state"] == "total")].set_index("organ")
    assert early["q50"]["tumour"] == pytest.approx(1e5, rel=0.05)
    late = table[(table["hours"] == table["hours"].max()) & (table["state"] == "total")].set_index("organ")
    assert late["q50"]["lymph"] > early["q50"]["lymph"]  # by the lymph of the tumour
    assert table.groupby(["state", "hours"])["mean"].sum().to_numpy() == pytest.approx(1e5, rel=1e-3)


def test_it_is_reported(own):
    page = (own.run / "report.html").read_text()
    said = say("report", own.run)
    assert said.code == 0, said.err
    assert (own.run / "report.html").read_text() == page
    for organ in OWN:
        assert organ.replace("_", " ") in page
