"""One run for all tests of the report; tests that change it copy it first."""

import importlib.util
from pathlib import Path

import pytest

from pbpk.infer.design.prior_check import check_prior

ROOT = Path(__file__).parents[2]
_spec = importlib.util.spec_from_file_location("report_runs", Path(__file__).with_name("runs.py"))
runs = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(runs)


@pytest.fixture(scope="session")
def make_run():
    def make(study, **how):
        return runs.make_run(ROOT / "data" / study, **how)

    return make


@pytest.fixture(scope="session")
def khot(make_run):
    return make_run("khot_2019_t_cells_mouse")


@pytest.fixture(scope="session")
def zhuang(make_run):
    return make_run("zhuang_2021_fnd_msc_mouse", scenarios=0)


@pytest.fixture(scope="session")
def patients(make_run):
    return make_run("gholamrezanezhad_2011_msc_human", scenarios=0)


_spec = importlib.util.spec_from_file_location("report_sampled", Path(__file__).with_name("sampled.py"))
sampled_runs = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(sampled_runs)


@pytest.fixture(scope="session")
def make_sampled():
    return sampled_runs.make_sampled


@pytest.fixture(scope="session")
def sampled(make_sampled):
    """A run with draws, energies and all its tables."""
    return make_sampled()


@pytest.fixture(scope="session")
def believed(sampled):
    return check_prior(sampled.joint, 100)


_spec = importlib.util.spec_from_file_location("report_plated", Path(__file__).with_name("plated.py"))
plated_studies = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(plated_studies)


@pytest.fixture(scope="session")
def make_plated():
    return plated_studies.make_plated


@pytest.fixture(scope="session")
def plated(make_plated):
    return make_plated()


@pytest.fixture(scope="session")
def plain_plate(make_plated):
    """One plate, no rules, names of wells that tell no place."""
    return make_plated(faults=False, preset="none", plates=("spleen",), rename=lambda well: f"tube {well} & <b>")
