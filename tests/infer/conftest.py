"""Small studies made from the shipped ones, and one short real fit for all tests of this room."""

import csv
import importlib.util
import shutil
from pathlib import Path

import nutpie
import pytest

from pbpk.assay.counts import count_cells
from pbpk.assay.study import read_study
from pbpk.infer.draws.fit import fit
from pbpk.infer.matched.joint import join
from pbpk.predict.record import model_of

DATA = Path(__file__).parents[2] / "data"
_spec = importlib.util.spec_from_file_location("infer_draws", Path(__file__).with_name("draws.py"))
draws = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(draws)


def read_joint(folder):
    study = read_study(folder)
    return join(model_of(study), count_cells(study))


@pytest.fixture
def write_study(tmp_path):
    """Copy a shipped study with other measurements, doses, or words in study.toml."""

    def write(name, rows=None, doses=None, edits=(), folder="study"):
        target = tmp_path / folder
        shutil.copytree(DATA / name, target)
        for file, table in (("measurements.csv", rows), ("doses.csv", doses)):
            if table is not None:
                write_table(target / file, table)
        text = (target / "study.toml").read_text()
        for old, new in edits:
            assert old in text
            text = text.replace(old, new)
        (target / "study.toml").write_text(text)
        return target

    return write


def write_table(path, rows):
    columns = list(dict.fromkeys(column for row in rows for column in row))
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture
def write_joint(write_study):
    """The same, matched with its model."""
    return lambda *given, **more: read_joint(write_study(*given, **more))


@pytest.fixture(scope="session")
def shipped():
    """A shipped study by the first word of its name, matched with its model."""
    folders = {path.name.split("_")[0]: path for path in DATA.iterdir() if path.is_dir()}
    return lambda word: read_joint(folders[word])


@pytest.fixture(scope="session")
def make_posterior():
    return draws.make_posterior


@pytest.fixture(scope="session")
def told():
    """What the shared fit said while it ran."""
    return []


@pytest.fixture(scope="session")
def compiled():
    """What the shared fit compiled, so that it need not be compiled again."""
    return []


@pytest.fixture(scope="session")
def fitted(shipped, told, compiled):
    """Two short chains on the smallest shipped study."""
    joint = shipped("zhuang")
    compile_pymc_model = nutpie.compile_pymc_model

    def keep(model):
        compiled.append(compile_pymc_model(model))
        return compiled[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nutpie, "compile_pymc_model", keep)
        return fit(
            joint.model, joint.counts, seed=5, chains=2, draws=200, tune=300, progress=lambda *step: told.append(step)
        )
