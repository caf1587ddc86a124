"""Chains that are kept: the same draws whether or not somebody pulled the plug."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import nutpie
import pymc as pm
import pytest

from pbpk.infer.draws.sampling import Checkpoint, Settings, read_chain, sample_chains

SETTINGS = Settings(seed=3, chains=3, draws=60, tune=80, target_accept=0.8)


@pytest.fixture(scope="module")
def normal():
    with pm.Model() as model:
        pm.Normal("z", [1.0, -2.0], [1.0, 3.0], shape=2)
    return nutpie.compile_pymc_model(model)


def silent(done, total, divergences):
    """Tell nobody."""


def test_chains_are_those_of_their_seeds(normal):
    one, again = (sample_chains(normal, SETTINGS, silent) for _ in range(2))
    np.testing.assert_array_equal(one["posterior"]["z"], again["posterior"]["z"])
    assert dict(one["posterior"].sizes)["chain"] == 3
    z = one["posterior"]["z"].to_numpy()
    assert not np.array_equal(z[0], z[1])
    fewer = sample_chains(normal, replace(SETTINGS, chains=2), silent)
    np.testing.assert_array_equal(fewer["posterior"]["z"], z[:2])


def test_finished_chains_are_taken_up_again_and_the_others_drawn(normal, tmp_path):
    kept = Checkpoint(tmp_path / "chains", "this posterior")
    whole = sample_chains(normal, SETTINGS, silent, kept)
    kept.file(SETTINGS, 1).unlink()
    told = []
    resumed = sample_chains(normal, SETTINGS, lambda *state: told.append(state), kept)
    for group, name in (("posterior", "z"), ("sample_stats", "energy"), ("sample_stats", "diverging")):
        np.testing.assert_array_equal(resumed[group][name], whole[group][name])
    assert told[0][0] >= 2 * 140  # two of three were there
    assert told[-1][:2] == (420, 420)
    assert read_chain(kept, SETTINGS, 1) is not None
    assert not list((tmp_path / "chains").glob("*.partial"))


@pytest.mark.parametrize("other", ["another posterior", "another setting"])
def test_chains_of_something_else_are_not_taken(normal, tmp_path, other):
    kept = Checkpoint(tmp_path, "this posterior")
    sample_chains(normal, SETTINGS, silent, kept)
    settings = replace(SETTINGS, target_accept=0.9) if other == "another setting" else SETTINGS
    assert read_chain(Checkpoint(tmp_path, other), settings, 0) is None


def test_half_a_file_is_no_chain(normal, tmp_path):
    kept = Checkpoint(tmp_path, "this posterior")
    sample_chains(normal, SETTINGS, silent, kept)
    path = kept.file(SETTINGS, 0)
    path.rename(path.with_suffix(".partial"))  # as a kill in the middle of writing leaves it
    assert read_chain(kept, SETTINGS, 0) is None
    assert sample_chains(normal, SETTINGS, silent, kept)["posterior"].sizes["chain"] == 3


KILLED = """
import sys
from pathlib import Path
import pbpk
study = pbpk.read_study(sys.argv[1])
counts = pbpk.count_cells(study)
from pbpk.predict.record import model_of
pbpk.fit(model_of(study), counts, seed=4, draws=300, tune=300, checkpoint=Path(sys.argv[2]))
"""


@pytest.mark.proof
def test_a_fit_that_was_killed_goes_on_as_if_it_had_not_been(shipped, tmp_path):
    from pbpk.infer.draws.fit import fit

    joint = shipped("kwan")
    script = tmp_path / "killed.py"
    script.write_text(KILLED)
    process = subprocess.Popen([sys.executable, script, joint.study.folder, tmp_path / "chains"], env=os.environ)
    while process.poll() is None and not list((tmp_path / "chains").glob("*.nc")):
        time.sleep(0.2)
    time.sleep(0.3)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert 0 < len(list((tmp_path / "chains").glob("*.nc"))) < 4
    how = {"seed": 4, "draws": 300, "tune": 300}
    resumed = fit(joint.model, joint.counts, checkpoint=tmp_path / "chains", **how)
    whole = fit(joint.model, joint.counts, **how)
    np.testing.assert_array_equal(resumed.theta(), whole.theta())
