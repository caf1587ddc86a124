"""The run folder as the rooms after the fit see it: tied to what made it, and read without its study."""

import json

import numpy as np
import pytest
from madeup import write_made_up

from pbpk.errors import RunError
from pbpk.predict.origin import read_run
from pbpk.predict.record import read_manifest, read_models, read_recorded


@pytest.fixture(scope="module")
def run(tmp_path_factory, khot_folder):
    return write_made_up(khot_folder, tmp_path_factory.mktemp("runs") / "run", draws=50)


def test_the_draws_are_those_that_were_written(run):
    folder, posterior = run
    found = read_recorded(folder / "posterior.nc")
    theta = posterior.theta()
    for i, name in enumerate(posterior.joint.names):
        np.testing.assert_array_equal(found[name], theta[:, i])


def test_the_model_is_that_of_the_fit(run):
    folder, posterior = run
    model, fixed = read_models(folder, read_manifest(folder))
    assert model.parameters == posterior.joint.model.parameters
    assert model.states == posterior.joint.model.states
    theta = posterior.theta(5)[:, : len(model.parameters)]
    np.testing.assert_array_equal(model.rates(theta), posterior.joint.model.rates(theta))
    assert fixed is model  # nothing of the animal was estimated


def test_a_changed_study_is_refused_without_reading_it(run, tmp_path):
    import shutil

    shutil.copytree(run[0], tmp_path / "run")
    (path,) = (tmp_path / "run" / "study").glob("*/measurements.csv")
    path.write_text(path.read_text() + "\n")
    with pytest.raises(RunError, match=r"measurements\.csv: has changed since the run was made"):
        read_run(tmp_path / "run")
    path.unlink()
    with pytest.raises(RunError, match="was there when the run was made and is gone"):
        read_run(tmp_path / "run")


def test_a_run_that_does_not_say_what_it_had_asks_for_a_new_fit(run, tmp_path):
    import shutil

    shutil.copytree(run[0], tmp_path / "run")
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    del manifest["studied"]
    (tmp_path / "run" / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(RunError, match="fit again with `pbpk run`"):
        read_run(tmp_path / "run")


def test_draws_that_cannot_be_read_are_said_to(tmp_path):
    (tmp_path / "posterior.nc").write_text("no draws")
    with pytest.raises(RunError, match=r"posterior\.nc: cannot be read"):
        read_recorded(tmp_path / "posterior.nc")
