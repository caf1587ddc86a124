"""Replicates against the mixture of log-normals they are drawn from; sums of organs that count nothing twice."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from pbpk.infer.draws.posterior import prior_theta
from pbpk.infer.draws.replicated import as_posterior, quantiles_in, replicates_of, seen, summed, sums
from pbpk.infer.matched.joint import predict_percent

T_CELLS = "khot_2019_t_cells_mouse"
LUNG = {"group": "iv", "organ": "lung", "hours": "24", "unit": "percent_dose"}


def test_replicates_of_the_prior_are_its_mixture_of_log_normals(write_joint):
    joint = write_joint(T_CELLS, [LUNG | {"animal": "a", "value": 3}, LUNG | {"value": 3, "n": 5}])
    drawn = replicates_of(as_posterior(joint, 4000, 1), each=5)
    theta = prior_theta(joint, 20_000, 7)  # other draws
    spread, misfit = (theta[:, joint.names.index(name)] for name in ("spread", "misfit"))
    percent = predict_percent(joint, theta)["dose"]
    for row, n in enumerate(joint.counts.table["n"]):
        v = np.log(1 + (np.exp(spread**2) - 1) / n)
        centre = np.log(percent[:, row]) + (spread**2 - v) / 2
        for value in (0.3, 3.0, 20.0):
            exact = norm.cdf((np.log(value) - centre) / np.sqrt(v + misfit**2)).mean()
            assert (drawn[:, row] < value).mean() == pytest.approx(exact, abs=0.02)


def test_readings_of_a_denominator_are_mixed_by_their_probabilities(shipped):
    posterior = as_posterior(shipped("zhuang"), 4000, 1)

    def share_below(weight, value):
        told = replace(posterior, readings={"dose": weight, "recovered": 1.0 - weight})
        return (replicates_of(told) < value).mean(axis=0)

    for value in (0.5, 5.0, 50.0):
        alone = 0.7 * share_below(1.0, value) + 0.3 * share_below(0.0, value)
        np.testing.assert_allclose(share_below(0.7, value), alone, atol=4 * np.sqrt(0.5 / 4000))
    # of what was recovered at an hour is never less than of the dose
    assert (share_below(0.0, 50.0) <= share_below(1.0, 50.0) + 0.02).all()


def test_prior_draws_never_pass_for_a_fit(shipped):
    posterior = as_posterior(shipped("khot"), 30, 3)
    assert not posterior.diagnostics.passed
    np.testing.assert_array_equal(posterior.theta(), prior_theta(posterior.joint, 30, 3))


CAUCHY = '\n[between.clearance]\nprior = "half_cauchy(scale=0.5)"\nsource = "test"\n\n'


def test_prior_draws_hold_what_animals_differ_by_but_none_beyond_a_thousandfold(write_joint):
    joint = write_joint("kwan_1976_indomethacin_human", edits=[("\n[[groups]]", CAUCHY + "[[groups]]")])
    posterior, every = as_posterior(joint, 400, 3), prior_theta(joint, 400, 3)
    spread = every[:, joint.names.index("between_clearance")]
    deviates = every[:, [i for i, name in enumerate(joint.names) if name.startswith("animal:")]]
    furthest = spread * np.abs(deviates).max(axis=1)
    assert furthest.max() > 20.0  # draws that no solver could follow
    np.testing.assert_array_equal(posterior.theta(), every[furthest < np.log(1000.0)])
    assert np.isfinite(replicates_of(posterior)).all()


def test_what_was_seen_is_told_by_its_ends(write_joint):
    rows = [
        LUNG | {"animal": "a", "value": 3},
        LUNG | {"low": 1, "high": 4},
        LUNG | {"low": 0, "high": 4, "hours": "48"},
        LUNG | {"animal": "b", "below_lloq": "true", "lloq": 0.2, "hours": "72"},
    ]
    joint = write_joint(T_CELLS, rows)
    found = seen(joint)
    told = {tuple(row) for row in zip(found.low, found.high, np.nan_to_num(found.point, nan=-1.0), strict=True)}
    assert told == {(3.0, 3.0, 3.0), (1.0, 4.0, 2.0), (0.0, 4.0, -1.0), (-np.inf, 0.2, -1.0)}


def test_quantiles_count_what_lies_below():
    drawn = np.arange(100.0)[:, np.newaxis] * np.ones(3)
    found = quantiles_in(drawn, np.array([24.5, 20.0, -np.inf]), np.array([24.5, 59.5, 9.5]))
    np.testing.assert_allclose(found, [0.25, (0.20 + 0.60) / 2, (0.0 + 0.1) / 2])


def test_an_organ_and_its_parts_are_summed_once(shipped):
    joint = shipped("zhuang")
    organs = [[joint.counts.table["organ"][rows[0]] for rows in parts] for parts in sums(joint).values()]
    assert ["kidney"] in organs
    assert all("kidney_left" not in names for names in organs if "kidney" in names)


def test_animals_of_an_hour_are_averaged_before_organs_are_summed(write_joint):
    rows = [LUNG | {"animal": a, "value": v} for a, v in (("a", 10), ("b", 30))] + [
        LUNG | {"animal": "a", "organ": "liver", "value": 40}
    ]
    joint = write_joint(T_CELLS, rows)
    (organs,) = sums(joint).values()
    assert summed(joint.counts.table["percent"].to_numpy(float), organs) == pytest.approx(60.0)
