"""Densities of animals left out, against the multivariate normal that the likelihood of single values is."""

import numpy as np
import pytest
import xarray as xr
from scipy.special import logsumexp
from scipy.stats import multivariate_normal, norm

from pbpk.assay.holdout import units_of, without
from pbpk.infer.held_out import leave_each_out, predicted, smoothed
from pbpk.infer.joint import join, predict_percent

T_CELLS = "khot_2019_t_cells_mouse"
DOSED = [{"group": "iv", "hours": 0, "cells": 1e6, "route": "iv"}]
VALUES = {("a", 24): (9.0, 30.0), ("b", 24): (12.0, 36.0), ("c", 24): (7.0, 26.0), ("d", 72): (2.5, 17.0),
          ("e", 72): (4.0, 22.0)}  # fmt: skip


@pytest.fixture(scope="module")
def rows():
    return [
        {"group": "iv", "animal": animal, "organ": organ, "hours": hour, "value": value, "unit": "percent_dose",
         "readout": "label"}
        for (animal, hour), pair in VALUES.items() for organ, value in zip(("lung", "liver"), pair, strict=True)
    ]  # fmt: skip


def density(joint, theta):
    """Log-density (draw,) of single values: in a cell, normal with a variance of its own and one that all share."""
    table, m = joint.counts.table, np.log(predict_percent(joint, theta)["dose"])
    spread, misfit = (theta[:, joint.names.index(name)] for name in ("spread", "misfit"))
    total = np.zeros(len(theta))
    for cell in np.unique(joint.cells):
        at = np.flatnonzero(joint.cells == cell)
        y = np.log(table["percent"].to_numpy()[at])
        for d in range(len(theta)):
            covariance = np.eye(len(at)) * spread[d] ** 2 + misfit[d] ** 2
            total[d] += multivariate_normal.logpdf(y, m[d, at], covariance)
    return total


def test_an_animal_left_out_is_predicted_from_those_of_its_hour(write_joint, make_posterior, rows):
    whole = write_joint(T_CELLS, rows, DOSED).counts
    joint = write_joint(T_CELLS, rows, DOSED, folder="again")
    left = ["iv: b", "iv: e"]
    kept = join(joint.model, without(whole, left))
    posterior = make_posterior(kept, chains=2, draws=20)
    theta = posterior.theta()
    below = density(kept, theta)
    for unit in left:
        above = density(join(joint.model, without(whole, [other for other in left if other != unit])), theta)
        expected = logsumexp(above - below) - np.log(len(theta))
        assert predicted(posterior, whole, [unit], seed=1) == pytest.approx([expected], rel=1e-9)


def test_leaving_out_by_weights_is_that_of_the_whole_density(write_joint, make_posterior, rows):
    """With next to equal draws all weights are one: the elpd of a unit is its density given the others."""
    joint = write_joint(T_CELLS, rows, DOSED)
    posterior = make_posterior(joint, scale=1e-4, chains=2, draws=50)
    told = []
    found = leave_each_out(posterior, lambda done, total: told.append((done, total)))
    theta = joint.theta(np.zeros((1, len(joint.free))))
    expected = [
        density(joint, theta)[0] - density(join(joint.model, without(joint.counts, [unit])), theta)[0]
        for unit in found.units
    ]
    assert found.elpd == pytest.approx(expected, abs=0.01)
    assert found.units.tolist() == list(dict.fromkeys(units_of(joint.counts).tolist()))
    assert told[-1] == (5, 5)
    assert abs(found.effective) < 0.1


def test_weights_find_what_leaving_out_would_have_found():
    """A mean of normal values with a known SD: the predictive density without one is closed."""
    rng = np.random.default_rng(3)
    n, y = 12, rng.normal(1.0, 1.0, 12)
    mean = rng.normal(y.mean(), 1.0 / np.sqrt(n), (4, 2000))
    log = norm.logpdf(y, mean[..., np.newaxis], 1.0)
    found = smoothed(np.array([str(i) for i in range(n)]), log, xr.Dataset({"mean": (("chain", "draw"), mean)}))
    rest = (y.sum() - y) / (n - 1)
    without, within = (norm.logpdf(y, at, np.sqrt(1.0 + 1.0 / k)) for at, k in ((rest, n - 1), (y.mean(), n)))
    assert found.elpd == pytest.approx(without, abs=0.02)
    assert found.doubtful.size == 0
    assert found.effective == pytest.approx((within - without).sum(), abs=0.1)


def test_a_parameter_that_only_the_left_out_know_is_drawn_from_its_prior(write_joint, make_posterior, rows):
    """The leak holds in one group: without it, a fit of the other still predicts it, as wide as the prior is."""
    other = '[[groups]]\nname = "other"\nroute = "iv"\n\n[[groups]]'
    edits = [("[[groups]]", other), ("[product]", '[modifiers.leak]\ngroups = ["other"]\n\n[product]')]
    more = [*rows, rows[0] | {"group": "other", "animal": "z"}]
    joint = write_joint(T_CELLS, more, [*DOSED, DOSED[0] | {"group": "other"}], edits=edits)
    posterior = make_posterior(join(joint.model, without(joint.counts, ["other: z"])), chains=2, draws=20)
    (found,) = predicted(posterior, joint.counts, ["other: z"], seed=1)
    assert -20.0 < found < 5.0
