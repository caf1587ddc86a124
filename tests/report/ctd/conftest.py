"""Runs of the shipped studies with areas of their real values, and real answers to scenarios of draws of the prior."""

import shutil

import numpy as np
import pandas as pd
import pytest

from pbpk.body.library import LIBRARY
from pbpk.infer.draws.posterior import prior_theta
from pbpk.predict.contrast import contrast_scenarios
from pbpk.predict.exposure import exposure
from pbpk.predict.forecast import answer, forecast_table
from pbpk.predict.scenario import read_scenarios
from pbpk.predict.studied import studied_by
from pbpk.share.tables import write_tables

STUDIES = (
    "khot_2019_t_cells_mouse",
    "gholamrezanezhad_2011_msc_human",
    "zhuang_2021_fnd_msc_mouse",
    "synthetic_fnd_mouse",
    "boeckmann_1994_theophylline_human",
    "kwan_1976_indomethacin_human",
    "barone_2018_fnd_rat",
)
SCENARIOS = ("iv_bolus", "portal_vein", "iv_vasodilator")
CELLS = STUDIES[:4]


@pytest.fixture(scope="session")
def run_of(make_run):
    """A run of a shipped study, by its name."""
    made = {}

    def find(name):
        if name not in made:
            made[name] = _completed(make_run(name, scenarios=0), asked=name in CELLS[:3])
        return made[name]

    return find


def _completed(run, asked):
    found = exposure(run.joint.counts)
    for column, factor in (("q50", 1.1), ("q2.5", 0.8), ("q97.5", 1.5), ("arrows_q50", 1.2)):
        found[column] = found["value"] * factor
    found["flag"] = found["flag"].fillna("")
    run.exposure, run.animals = found, pd.DataFrame()
    if asked:
        joint = run.joint
        asked = [read_scenarios(LIBRARY / "scenarios" / f"{name}.toml")[0] for name in SCENARIOS]
        theta = prior_theta(joint, 40, 1)
        hours = np.array([0.0, 0.05, 1.0, 6.0, 24.0, 72.0, 168.0, 336.0])
        forecast = answer(joint.model, theta, joint.names, asked, 1e6, hours, 1, studied_by(joint), joint.standing)
        run.forecast, run.contrasts = forecast_table(forecast), contrast_scenarios(forecast)
    return run


@pytest.fixture(scope="session")
def folder_of(run_of, tmp_path_factory):
    """What the run folder of a study holds that sources name."""
    made = {}

    def find(name):
        if name not in made:
            folder = tmp_path_factory.mktemp(name)
            run = run_of(name)
            write_tables(run, folder)
            shutil.copytree(run.study.folder, folder / "study" / name, ignore=shutil.ignore_patterns("traces"))
            made[name] = folder
        return made[name]

    return find


@pytest.fixture(params=STUDIES)
def study(request):
    return request.param


ODD_GROUP = "iv & portal #1=a <b>"
ODD = {
    "study.toml": """
title = "Odd <b>names</b> & 2 doses"
kind = "synthetic"
species = "mouse"
model = "msc"
label = "FND"
denominator = "dose"
strain = "NSG"
[product]
cell_type = "MSC"
lot = "L-7"
diameter_um = 21.5
viability = 0.9
[readouts.qpcr]
copies_per_cell = { median = 2.0, sigma = 0.01, source = "single-copy gene, diploid" }
extraction_yield = { median = 0.6, sigma = 0.15, source = "a test" }
cv = { median = 0.15, sigma = 0.3, source = "a test" }
[tissues]
lung = "lung"
liver = "liver"
liver_left = "spleen"
spleen_tip = "spleen"
thyroid = "none"
blood = "blood"
[[groups]]
name = "iv & portal #1=a <b>"
route = ["iv", "portal_vein"]
[[groups]]
name = "control"
route = "iv"
treatment = "heparin"
injured = "kidney"
anticoagulant = 2.0
[[sources]]
key = "test"
text = "a test"
[reporting]
study_number = "S-1"
glp = "no"
""",
    "doses.csv": """group,hours,cells,route,addl,interval_h,duration_min
iv & portal #1=a <b>,0,500000,iv,1,24,10
control,0,1000000,iv,,,
""",
    "measurements.csv": """group,animal,organ,hours,value,unit,sd,n,lloq,below_lloq,readout,fraction
iv & portal #1=a <b>,,lung,1,60,percent_dose,5,4,,,label,
iv & portal #1=a <b>,,lung,24,30,percent_dose,4,4,,,label,
iv & portal #1=a <b>,,lung,72,10,percent_dose,3,4,,,label,
iv & portal #1=a <b>,,lung,168,,percent_dose,,4,0.5,true,label,
iv & portal #1=a <b>,,blood,1,5,percent_dose,1,4,,,label,
iv & portal #1=a <b>,,blood,24,2,percent_dose,0.5,4,,,label,
iv & portal #1=a <b>,,blood,72,1,percent_dose,0.2,4,,,label,
iv & portal #1=a <b>,,thyroid,72,3,percent_dose,1,4,,,label,
iv & portal #1=a <b>,,liver_left,24,3,percent_dose,1,4,,,label,
iv & portal #1=a <b>,,spleen_tip,24,3,percent_dose,1,4,,,label,
iv & portal #1=a <b>,,spleen_tip,72,3,percent_dose,1,4,,,label,
control,c1,liver,24,50,copies,,,,,dna,0.001
control,c2,liver,24,80,copies,,,,,dna,0.001
control,c3,liver,24,,copies,,,,true,dna,0.001
""",
    "organ_weights.csv": "organ,weight_g\nliver,1.5\n",
    "animals.csv": "group,animal,sex,body_weight_g\ncontrol,c1,female,21\ncontrol,c2,male,22\ncontrol,c3,female,23\n",
}


@pytest.fixture(scope="session")
def odd(make_run, tmp_path_factory):
    place = tmp_path_factory.mktemp("odd")
    folder = place / "study" / "odd"
    folder.mkdir(parents=True)
    for name, text in ODD.items():
        (folder / name).write_text(text)
    run = _completed(make_run(folder, scenarios=0), asked=True)
    write_tables(run, place)
    return run, place
