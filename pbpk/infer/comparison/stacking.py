"""Weights of models whose mixture predicts what was left out best: stacking."""

import warnings

import arviz as az
import numpy as np
import xarray as xr
from arviz_stats.utils import ELPDData

from pbpk.body.solve import Array


def stacking_weights(elpd: Array) -> Array:
    """Weights w on the simplex that maximise sum over units of log sum over models of w exp(elpd), (model,).

    Yao, Vehtari, Simpson & Gelman 2018, Bayesian Analysis 13:917, doi 10.1214/17-BA1091; found by ArviZ.

    Parameters
    ----------
    elpd : (model, unit), log-density of each unit left out; -inf where a model rules it out
    """
    weights = np.zeros(len(elpd))
    able = np.flatnonzero(np.isfinite(elpd).all(axis=1))
    if able.size < 2:
        weights[able] = 1.0
        return weights
    # ArviZ takes exp of these as they are, which an animal of ten organs can make zero; a constant of a unit is free
    shifted = elpd[able] - elpd[able].max(axis=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of few units, which our own sentences say
        found = az.compare({str(i): _as_elpd(row) for i, row in enumerate(shifted)}, "stacking", round_to="none")
    best = np.array([max(float(found.loc[str(i), "weight"]), 0.0) for i in range(able.size)])
    weights[able] = best / best.sum()
    return weights


def _as_elpd(elpd: Array) -> ELPDData:
    """Log-densities as ArviZ takes them."""
    total, n = float(elpd.sum()), len(elpd)
    return ELPDData(
        elpd=total, se=float(np.sqrt(n * elpd.var())), p=0.0, n_samples=n, n_data_points=n, scale="log", warning=False,
        good_k=0.7, elpd_i=xr.DataArray(elpd, dims="unit"), pareto_k=xr.DataArray(np.zeros(n), dims="unit"),
    )  # fmt: skip
