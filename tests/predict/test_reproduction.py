"""Two runs compared: the same bytes, chance, or something else; and what was not the same beforehand."""

import json
import shutil

import numpy as np
import pytest
import xarray as xr
from madeup import NOW, SETTINGS, made_up
from mousestudy import CHAIN, CHAINED, RATE, organ_rows, write_rows, write_small

from pbpk.errors import RunError
from pbpk.infer.draws.posterior import write_posterior
from pbpk.predict.provenance import how_fitted, read_outputs
from pbpk.predict.record import write_manifest
from pbpk.predict.reproduction import _quantile_errors, read_reproduction, standard_errors
from pbpk.predict.run import assemble, describe
from pbpk.share.tables import write_tables


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    model = write_small(folder / "small.toml", CHAIN, CHAINED, {"go": RATE, "die": RATE}, noise=0.3)
    rows = organ_rows((1.0, 24.0, 96.0), ("lung", "liver"), n=3, value=20.0)
    return write_rows(folder / "study", rows, model=model)


@pytest.fixture(scope="module")
def write_run(study, tmp_path_factory):
    """Folder of a run without pages, of made-up draws."""

    def write(**how):
        folder = tmp_path_factory.mktemp("runs")
        posterior = made_up(study, **how)
        about, model = posterior.joint.study, posterior.joint.model
        manifest = describe(about, model, SETTINGS, NOW) | how_fitted(posterior, SETTINGS) | {"converged": True}
        write_tables(assemble(about, posterior, None, manifest), folder)
        write_posterior(posterior, folder / "posterior.nc")
        write_manifest(manifest | {"outputs": read_outputs(folder)}, folder)
        return folder

    return write


@pytest.fixture(scope="module")
def run(write_run):
    return write_run(seed=1)


def edited(run, out, **told):
    """A copy of a run with another manifest."""
    shutil.copytree(run, out)
    manifest = json.loads((out / "manifest.json").read_text())
    write_manifest(manifest | told | {"outputs": read_outputs(out)}, out)
    return out


def test_the_same_draws_are_the_same_bytes(run, write_run):
    found = read_reproduction(run, write_run(seed=1))
    assert found.passed
    assert found.to_the_byte
    assert not found.other
    assert {"posterior.nc", "parameters.csv", "counts.csv"} <= set(found.same)
    assert found.changed == ()
    assert (found.k, found.compared) == (0.0, 0)


@pytest.mark.parametrize("seed", range(2, 8))
def test_other_draws_of_the_same_posterior_differ_by_chance(run, write_run, seed):
    found = read_reproduction(run, write_run(seed=seed))
    assert found.passed, found.apart
    assert not found.to_the_byte
    assert "posterior.nc" in found.other
    assert "counts.csv" in found.same  # no draw has a say in them
    assert found.compared > 30
    assert 0.5 < found.worst < found.k
    assert 3.3 < found.k < 5.0


@pytest.mark.parametrize("scale", [0.25, 0.36])
def test_another_posterior_does_not_pass(run, write_run, scale):
    found = read_reproduction(run, write_run(seed=2, scale=scale))
    assert not found.passed
    assert any(sentence.startswith("SD of `") and "standard errors" in sentence for sentence in found.apart)


def test_a_mean_that_moved_is_named(run, write_run):
    other = write_run(seed=2, scale=np.array([0.3, 0.3, 0.3, 0.31]))
    assert read_reproduction(run, other).passed  # 3 % of an SD is nothing that a thousand draws tell
    moved = write_run(seed=2)
    with xr.open_datatree(moved / "posterior.nc", engine="h5netcdf") as drawn:
        tree = drawn.load().copy(deep=True)
    tree["posterior"]["go"][:] = tree["posterior"]["go"] * 1.1
    (moved / "posterior.nc").unlink()
    tree.to_netcdf(moved / "posterior.nc", engine="h5netcdf")
    manifest = json.loads((moved / "manifest.json").read_text())
    write_manifest(manifest | {"outputs": read_outputs(moved)}, moved)
    assert any(sentence.startswith("mean of `go`") for sentence in read_reproduction(run, moved).apart)


def test_chains_that_disagree_tell_nothing_of_chance(run, write_run, tmp_path):
    torn = edited(write_run(seed=3), tmp_path / "torn", converged=False)
    assert any("its chains do not agree" in sentence for sentence in read_reproduction(run, torn).apart)
    same = edited(run, tmp_path / "same", converged=False)
    assert read_reproduction(run, same).passed  # bytes need no chance


def test_what_was_measured_may_not_differ(run, tmp_path):
    other = edited(run, tmp_path / "other")
    text = (other / "counts.csv").read_text()
    (other / "counts.csv").write_text(text.replace("200000", "200001", 1))
    write_manifest(json.loads((other / "manifest.json").read_text()) | {"outputs": read_outputs(other)}, other)
    (sentence,) = read_reproduction(run, other).apart
    assert sentence == "counts.csv: column `cells` does not come from draws and differs."
    (other / "counts.csv").write_text(text.partition("\n")[0] + "\n")
    write_manifest(json.loads((other / "manifest.json").read_text()) | {"outputs": read_outputs(other)}, other)
    assert read_reproduction(run, other).apart == ("counts.csv: has other rows or columns.",)
    (other / "counts.csv").unlink()
    write_manifest(json.loads((other / "manifest.json").read_text()) | {"outputs": read_outputs(other)}, other)
    assert "counts.csv: was written by one of the two runs only." in read_reproduction(run, other).apart


def test_what_was_not_the_same_beforehand_is_said(run, tmp_path):
    manifest = json.loads((run / "manifest.json").read_text())
    inputs = manifest["inputs"] | {"study/doses.csv": "0" * 64, "study/traces/a.csv": "1" * 64}
    needs = [each | {"version": "0.0.1"} if each["name"] == "numpy" else each for each in manifest["dependencies"]]
    threads = manifest["threads"] | {"OMP_NUM_THREADS": "8"}
    was = edited(run, tmp_path / "was", inputs=inputs, dependencies=needs, threads=threads, python="3.0.0")
    found = read_reproduction(was, run)
    told = {sentence.split(":")[0]: sentence for sentence in found.changed}
    assert set(told) == {"input study/doses.csv", "numpy", "threads, OMP_NUM_THREADS", "python"}  # no raw light
    assert told["numpy"].startswith("numpy: 0.0.1 then, ")
    assert told["python"] == f"python: 3.0.0 then, {manifest['python']} now"
    assert found.passed
    assert found.to_the_byte


def test_a_run_that_does_not_say_what_it_wrote_cannot_be_compared(run, tmp_path):
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(RunError, match="does not say what it wrote"):
        read_reproduction(run, tmp_path)


def test_errors_of_quantiles_are_those_of_draws():
    """The allowed error is no smaller than the real one, of a normal, a skewed and a heavy-tailed posterior."""
    rng = np.random.default_rng(1)
    n = 400
    for draw in (rng.standard_normal, lambda size: np.exp(rng.standard_normal(size)), rng.standard_exponential,
                 lambda size: rng.laplace(size=size)):  # fmt: skip
        samples = np.quantile(draw((2000, n)), (0.025, 0.5, 0.975), axis=1).T
        allowed = _quantile_errors(samples.mean(axis=0, keepdims=True), n)[0]
        real = samples.std(axis=0)
        assert (allowed > 0.9 * real).all()
        assert (allowed[1:] < 3.5 * real[1:]).all()  # nor so wide that all would pass


def test_numbers_without_an_error_must_be_equal():
    one, two = np.array([1.0, 1.0, np.nan, np.nan, 2.0]), np.array([1.0, 2.0, np.nan, 1.0, 4.0])
    error = np.array([0.0, 0.0, 0.0, 0.0, 1.0])
    far = standard_errors(one, two, error, error)
    np.testing.assert_allclose(far, [0.0, np.inf, 0.0, np.inf, np.sqrt(2.0)])
