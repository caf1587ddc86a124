"""Draws for questions: from priors, and about a real study without waiting for a fit."""

import importlib.util
from pathlib import Path

import pytest

from pbpk.assay.counts import count_cells
from pbpk.assay.study import read_study
from pbpk.infer.matched.joint import join
from pbpk.predict.record import model_of

ROOT = Path(__file__).parents[2]
_spec = importlib.util.spec_from_file_location("predict_draws", ROOT / "tests" / "infer" / "draws.py")
draws = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(draws)


@pytest.fixture(scope="session")
def khot_folder():
    return ROOT / "data" / "khot_2019_t_cells_mouse"


@pytest.fixture(scope="session")
def make_posterior():
    """A posterior about a study, by its folder."""

    def make(folder, **how):
        study = read_study(folder)
        return draws.make_posterior(join(model_of(study), count_cells(study)), **how)

    return make


@pytest.fixture(scope="session")
def khot(make_posterior, khot_folder):
    return make_posterior(khot_folder)
