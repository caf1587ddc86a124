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
