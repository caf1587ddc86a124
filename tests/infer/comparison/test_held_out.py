"""Densities of animals left out, against the multivariate normal that the likelihood of single values is."""

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from pbpk.assay.holdout import without
from pbpk.infer.comparison.held_out import DRAWS, predicted, thinned
from pbpk.infer.comparison.loo import left_out
from pbpk.infer.matched.between import deviate
from pbpk.infer.matched.joint import join, predict_percent

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
    found = left_out(posterior)
    theta = joint.theta(np.zeros((1, len(joint.free))))
    expected = [
        density(joint, theta)[0] - density(join(joint.model, without(joint.counts, [unit])), theta)[0]
        for unit in found.names
    ]
    assert found.elpd == pytest.approx(expected, abs=0.01)
    assert found.names.tolist() == ["iv: a", "iv: b", "iv: c", "iv: d", "iv: e"]
    assert abs(found.effective) < 0.1


def test_draws_are_thinned_chain_by_chain(write_joint, make_posterior, rows):
    posterior = make_posterior(write_joint(T_CELLS, rows, DOSED), chains=2, draws=700)
    places = thinned(posterior, DRAWS)
    assert len(places) == DRAWS == len(set(places))
    assert (places[:500].max(), places[500:].min()) == (699, 700)
    assert thinned(posterior, 10**6).tolist() == list(range(1400))


VARIED = '[between.{}]\nprior = "half_normal(sd=0.5)"\nsource = "test"\n\n[[groups]]'


@pytest.mark.parametrize("name", ["dose", "E_lung"])
def test_an_animal_that_no_fit_saw_has_its_deviate_summed_over(write_joint, make_posterior, rows, name):
    """Against the integral at each draw, by Gauss and Hermite over the standard normal that the deviate is."""
    whole = write_joint(T_CELLS, rows, DOSED, edits=[("[[groups]]", VARIED.format(name))])
    kept = join(whole.model, without(whole.counts, ["iv: b"]))
    posterior = make_posterior(kept, chains=2, draws=60)
    assert deviate(name, "iv:b") not in kept.names
    known = posterior.theta()
    theta = np.zeros((len(known), len(whole.names)))
    theta[:, [whole.names.index(n) for n in kept.names]] = known
    nodes, weights = np.polynomial.hermite_e.hermegauss(24)
    above = []
    for node in nodes:
        theta[:, whole.names.index(deviate(name, "iv:b"))] = node
        above.append(density(whole, theta))
    log = logsumexp(above, axis=0, b=(weights / weights.sum())[:, np.newaxis]) - density(kept, known)
    expected = logsumexp(log) - np.log(len(log))
    assert predicted(posterior, whole.counts, ["iv: b"], seed=1) == pytest.approx([expected], abs=0.03)


def test_a_parameter_that_only_the_left_out_know_is_drawn_from_its_prior(write_joint, make_posterior, rows):
    """The leak holds in one group: without it, a fit of the other still predicts it, as wide as the prior is."""
    other = '[[groups]]\nname = "other"\nroute = "iv"\n\n[[groups]]'
    edits = [("[[groups]]", other), ("[product]", '[modifiers.leak]\ngroups = ["other"]\n\n[product]')]
    more = [*rows, rows[0] | {"group": "other", "animal": "z"}]
    joint = write_joint(T_CELLS, more, [*DOSED, DOSED[0] | {"group": "other"}], edits=edits)
    posterior = make_posterior(join(joint.model, without(joint.counts, ["other: z"])), chains=2, draws=20)
    (found,) = predicted(posterior, joint.counts, ["other: z"], seed=1)
    assert -20.0 < found < 5.0


def test_an_hour_left_out_is_predicted_from_other_hours_alone(write_joint, make_posterior, rows):
    """All three animals of 24 h at once, by a fit without them and by weights: their density given those of 72 h."""
    whole = write_joint(T_CELLS, rows, DOSED).counts
    joint = write_joint(T_CELLS, rows, DOSED, folder="again")
    kept = join(joint.model, without(whole, ["iv at 24 h"], "hour"))
    posterior = make_posterior(kept, chains=2, draws=20)
    log = density(joint, posterior.theta()) - density(kept, posterior.theta())
    found = predicted(posterior, whole, ["iv at 24 h"], seed=1, by="hour")
    assert found == pytest.approx([logsumexp(log) - np.log(len(log))], rel=1e-9)
    near = left_out(make_posterior(joint, scale=1e-4, chains=2, draws=50), by="hour")
    assert near.names.tolist() == ["iv at 24 h", "iv at 72 h"]
    assert near.units["values"].tolist() == [6, 4]
    theta = joint.theta(np.zeros((1, len(joint.free))))
    expected = [density(joint, theta)[0] - density(join(joint.model, without(whole, [unit], "hour")), theta)[0]
                for unit in near.names]  # fmt: skip
    assert near.elpd == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("name", ["dose", "E_lung"])
def test_of_an_hour_left_out_animals_known_from_other_hours_stay_known(write_joint, make_posterior, rows, name):
    """Each animal is seen at both hours: its own deviates stand, and are not drawn anew."""
    again = rows + [row | {"hours": 96 - row["hours"], "value": row["value"] * 0.8} for row in rows]
    whole = write_joint(T_CELLS, again, DOSED, edits=[("[[groups]]", VARIED.format(name))])
    kept = join(whole.model, without(whole.counts, ["iv at 24 h"], "hour"))
    posterior = make_posterior(kept, chains=2, draws=30)
    theta = posterior.theta()
    assert kept.names == whole.names
    log = density(whole, theta) - density(kept, theta)
    found = predicted(posterior, whole.counts, ["iv at 24 h"], seed=1, by="hour")
    assert found == pytest.approx([logsumexp(log) - np.log(len(log))], rel=1e-9)
