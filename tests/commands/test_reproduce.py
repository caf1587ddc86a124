"""A run made again: the same bytes from the same inputs, and a word for it where they are not."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import xarray as xr
from saying import say

from pbpk.predict.audit import FILE, SEAL, read_verified, write_audit
from pbpk.predict.provenance import read_outputs
from pbpk.predict.record import write_manifest

ROOT = Path(__file__).parents[2]
APART = {FILE, SEAL, "manifest.json"}


def everything(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def manifest_of(folder):
    return json.loads((folder / "manifest.json").read_text())


def sealed_again(run, **told):
    """The run with another manifest, its record made anew: what a forger would do."""
    write_manifest(manifest_of(run) | told | {"outputs": read_outputs(run)}, run)
    for name in (FILE, SEAL):
        (run / name).unlink()
    write_audit(run, "run")
    return run


def test_two_runs_of_the_same_inputs_are_the_same_bytes(finished, small_study, tmp_path):
    out, copy = tmp_path / "later", tmp_path / "elsewhere" / "study"
    shutil.copytree(small_study, copy)
    words = [Path(sys.executable).with_name("pbpk"), "run", copy, "--quick", "--out", out]
    other = os.environ | {"PYTHONHASHSEED": "7", "PBPK_OPERATOR": "Somebody Else", "PYTHONPATH": str(ROOT)}
    made = subprocess.run(words, capture_output=True, text=True, cwd=ROOT, env=other)
    assert made.returncode == 0, made.stderr
    one, two = everything(finished), everything(out)
    assert set(one) == set(two)
    assert len(one) > 15
    assert {name for name in one if one[name] != two[name]} == APART
    first, second = manifest_of(finished), manifest_of(out)
    assert first["occasion"]["operator"] != second["occasion"]["operator"] == "Somebody Else"
    assert first["occasion"]["run_id"] != second["occasion"]["run_id"]
    del first["occasion"], second["occasion"]
    assert first == second


def test_a_run_is_reproduced_to_the_byte(run, tmp_path):
    before = everything(run)
    said = say("reproduce", run)
    assert said.code == 0, said.err
    assert "reproduced to the byte: every draw and every table" in said.out
    assert "report.html" in said.out.split("Same bytes:")[1]
    assert "Not the same beforehand" not in said.out
    assert everything(run) == before
    assert {path.name for path in tmp_path.iterdir()} == {"run"}  # nothing is left beside it
    (tmp_path / "again").mkdir()
    said = say("reproduce", run, "--out", tmp_path / "again")
    assert said.code == 2
    assert "exists already" in said.err


def test_other_draws_are_not_reproduced(run):
    with xr.open_datatree(run / "posterior.nc", engine="h5netcdf") as drawn:
        tree = drawn.load().copy(deep=True)
    tree["posterior"]["go"][:] = tree["posterior"]["go"] * 1.05
    (run / "posterior.nc").unlink()
    tree.to_netcdf(run / "posterior.nc", engine="h5netcdf")
    sealed_again(run, python="3.0.0")
    said = say("reproduce", run)
    assert said.code == 5
    assert "not reproduced" in said.err
    assert "mean of `go` differs by" in said.out
    assert "python: 3.0.0 then" in said.out


def test_what_was_asked_is_asked_again_of_what_the_run_keeps(no_pages, small_study, tmp_path):
    model = shutil.copy(small_study.parent / "small.toml", tmp_path / "own.toml")
    scenario = shutil.copy(ROOT / "models" / "scenarios" / "iv_bolus.toml", tmp_path / "mine.toml")
    words = ["--scenarios", scenario, "--cells", "2e5", "--seed", "3", "--model", model]
    said = say("run", small_study, "--quick", "--out", tmp_path / "run", *words)
    assert said.code == 0, said.err
    asked = manifest_of(tmp_path / "run")["asked"]
    assert asked["cells"] == 2e5
    assert list(asked["scenarios"]) == ["scenarios/mine.toml"]
    scenario.unlink()
    model.unlink()
    said = say("reproduce", tmp_path / "run", "--out", tmp_path / "again")
    assert said.code == 0, said.err
    assert "reproduced to the byte" in said.out
    assert "forecast.nc" in said.out
    assert read_verified(tmp_path / "again").passed


def test_studies_that_were_fitted_together_are_fitted_together_again(no_pages, small_study, tmp_path):
    file = tmp_path / "both.toml"
    file.write_text(
        f'title = "Two \\"small\\" ones"\n[[studies]]\nfolder = "{small_study}"\nname = "one"\n[[studies]]\n'
        f'folder = "{small_study}"\nname = "two"\n[sharing]\n"go" = "own"\n"die" = {{ two = "shared" }}\n'
    )
    said = say("fit", file, "--quick", "--out", tmp_path / "run", "--force")
    assert said.code == 0, said.err
    assert say("verify", tmp_path / "run").code == 0
    said = say("reproduce", tmp_path / "run")
    assert said.code == 0, said.err
    assert said.out.count("reproduced to the byte") == 2
    alone = say("reproduce", tmp_path / "run" / "one")
    assert alone.code == 2
    assert "was fitted together with two; reproduce" in alone.err
    (tmp_path / "run" / "two" / "counts.csv").write_text("nothing\n")
    said = say("verify", tmp_path / "run")
    assert said.code == 2
    assert "counts.csv: is not the file that was written" in said.err


def test_raw_light_stays_outside_and_its_amplitudes_tell_the_same(run):
    """What a run keeps of light is exact, so only the list of inputs is another."""
    inputs = manifest_of(run)["inputs"] | {"study/traces/plate.csv": "0" * 64}
    sealed_again(run, inputs=inputs)
    said = say("reproduce", run)
    assert said.code == 0, said.err
    assert "reproduced to the byte" in said.out
    assert "traces" not in said.out.split("Same bytes")[0]
    if "Other bytes" in said.out:  # the list of inputs is another, and so is the page that prints it
        assert "Raw light stays outside of a run" in said.out


def test_a_run_that_was_changed_is_not_made_again(run):
    (run / "counts.csv").write_text("nothing\n")
    said = say("reproduce", run)
    assert said.code == 2
    assert "counts.csv: is not the file that was written" in said.err


def test_a_run_that_does_not_say_what_was_asked_is_not_made_again(run):
    told = manifest_of(run)
    del told["asked"]
    write_manifest(told, run)
    for name in (FILE, SEAL):
        (run / name).unlink()
    write_audit(run, "run")
    said = say("reproduce", run)
    assert said.code == 2
    assert "does not say what was asked" in said.err


@pytest.mark.parametrize("what", ["nothing", "empty"])
def test_what_is_no_run_is_one_sentence(tmp_path, what):
    if what == "empty":
        (tmp_path / what).mkdir()
    said = say("reproduce", tmp_path / what)
    assert said.code == 2
    assert len(said.err.strip().splitlines()) == 1
