"""Runs and courses that checks are asked of; nothing is sampled."""

from pathlib import Path

import pytest
from madeup import made_up, write_made_up

from pbpk.infer.draws.summary import parameters, predictions
from pbpk.predict.audit import write_audit
from pbpk.predict.qualification.courses import shipped_course
from pbpk.share.tables import PARAMETER_COLUMNS, write_table

ROOT = Path(__file__).parents[3]
KHOT = ROOT / "data" / "khot_2019_t_cells_mouse"
FND = ROOT / "data" / "synthetic_fnd_mouse"
AGREEING = 0  # seed of made-up draws whose chains agree


@pytest.fixture(scope="session")
def posterior():
    return made_up(KHOT, seed=AGREEING)


@pytest.fixture(scope="session")
def lit():
    """A posterior of a study with raw light."""
    return made_up(FND)


@pytest.fixture(scope="session")
def msc():
    return shipped_course("msc")


@pytest.fixture
def khot_run(tmp_path):
    """A run with its tables and its record."""
    out, made = write_made_up(KHOT, tmp_path / "run", seed=AGREEING)
    write_table(parameters(made)[PARAMETER_COLUMNS], out / "parameters.csv")
    write_table(predictions(made, 1), out / "predictions.csv")
    write_audit(out, "run")
    return out


@pytest.fixture
def verdicts():
    """Names of the checks that did not pass."""

    def read(checks):
        return [check.name for check in checks if not check.passed]

    return read
