"""Draws on disk and back, thinned evenly, opened by others."""

from dataclasses import replace

import arviz as az
import numpy as np
import pytest
import xarray as xr

from pbpk.errors import RunError
from pbpk.infer.draws.posterior import prior_theta, read_posterior, write_posterior


def test_written_and_read_again(fitted, tmp_path):
    path = tmp_path / "posterior.nc"
    before = dict(fitted.tree.attrs)
    write_posterior(fitted, path)
    assert dict(fitted.tree.attrs) == before  # writing changes nothing in memory
    again = read_posterior(path, fitted.joint)
    for group in ("posterior", "prior"):
        np.testing.assert_array_equal(again.theta(group=group), fitted.theta(group=group))
    assert again.readings == pytest.approx(fitted.readings)
    assert again.seconds == {}  # the clock is no part of the draws
    assert again.diagnostics == fitted.diagnostics
    assert again.each == fitted.each
    assert again.tree["posterior"]["loss_lung"].attrs["unit"] == "1/h"


def test_the_same_draws_are_the_same_bytes(fitted, tmp_path):
    later = replace(fitted, seconds={"compile": 9.0, "sample": 9.0}, tree=fitted.tree.copy())
    for path, drawn, when in (("one.nc", fitted, "2026-01-31"), ("two.nc", later, "2027-01-31")):
        drawn.tree["sample_stats"].attrs["created_at"] = when
        write_posterior(drawn, tmp_path / path)
        assert drawn.tree["sample_stats"].attrs["created_at"] == when  # in memory it stays
    assert (tmp_path / "one.nc").read_bytes() == (tmp_path / "two.nc").read_bytes()


def test_no_file_is_no_fit(fitted, tmp_path):
    with pytest.raises(RunError, match=r"posterior\.nc: there is no such file; the run has no fit"):
        read_posterior(tmp_path / "posterior.nc", fitted.joint)


def test_a_fit_of_other_parameters_is_refused(fitted, shipped, tmp_path):
    path = tmp_path / "posterior.nc"
    write_posterior(fitted, path)
    with pytest.raises(RunError, match=r"no parameter `recovery`; the model changed since, fit again"):
        read_posterior(path, shipped("gholamrezanezhad"))


def test_arviz_opens_it(fitted, tmp_path):
    path = tmp_path / "posterior.nc"
    write_posterior(fitted, path)
    table = az.summary(xr.open_datatree(path, engine="h5netcdf").load(), var_names=["E_lung", "loss_lung"])
    column = fitted.theta()[:, fitted.joint.names.index("E_lung")]
    assert list(table.index) == ["E_lung", "loss_lung"]
    assert float(table.loc["E_lung", "mean"]) == pytest.approx(column.mean(), rel=0.05)


def test_columns_are_the_parameters_in_their_order(fitted):
    theta = fitted.theta()
    assert theta.shape == (400, len(fitted.joint.names))
    for i, name in enumerate(fitted.joint.names):
        np.testing.assert_array_equal(theta[:, i], fitted.tree["posterior"][name].to_numpy().ravel())


def test_thinning_spans_all_chains(fitted):
    thin = fitted.theta(5)
    np.testing.assert_array_equal(thin[[0, -1]], fitted.theta()[[0, -1]])
    assert len(thin) == 5
    np.testing.assert_array_equal(fitted.theta(10_000), fitted.theta())


def test_prior_draws_follow_the_seed(fitted):
    one, same, other = (prior_theta(fitted.joint, 50, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    moving = [not p.prior.is_fixed for p in fitted.joint.estimated]
    assert (one[:, moving] != other[:, moving]).all()
