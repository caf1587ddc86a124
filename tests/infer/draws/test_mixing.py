"""How chains walk, against ArviZ and against draws whose answer is known."""

import arviz as az
import numpy as np
import pytest
import xarray as xr

from pbpk.infer.draws.mixing import (
    bfmi,
    closest_pairs,
    effective_within,
    ess_growth,
    rank_band,
    rank_counts,
    ranks,
    share_deepest,
    worst_first,
)

CHAINS, DRAWS = 4, 1000


def noise(seed):
    return np.random.default_rng(seed).standard_normal((CHAINS, DRAWS))


def test_energies_as_arviz_has_them():
    energy = np.cumsum(noise(1), axis=1) * 0.1 + noise(2)
    tree = xr.DataTree.from_dict({"sample_stats": xr.Dataset({"energy": (("chain", "draw"), energy)})})
    np.testing.assert_allclose(bfmi(energy), np.asarray(az.bfmi(tree)["energy"]), rtol=0.01)
    # of independent energies the mean square of a step is twice the variance
    np.testing.assert_allclose(bfmi(noise(3)), 2.0, rtol=0.1)


def test_ranks_share_ties():
    np.testing.assert_array_equal(ranks(np.array([[3.0, 1.0], [3.0, 9.0]])), [[2.5, 1.0], [2.5, 4.0]])


def test_chains_that_agree_fill_their_bins_within_the_band():
    counts = np.concatenate([rank_counts(noise(seed)).ravel() for seed in range(20)])
    assert counts.sum() == 20 * CHAINS * DRAWS
    low, high = rank_band(DRAWS, DRAWS)
    assert ((counts < low) | (counts > high)).mean() < 0.02
    shifted = noise(30)
    shifted[0] += 1.0
    assert (rank_counts(shifted)[0] > high).any()
    wide = rank_band(DRAWS, 100.0)  # of fewer effective draws, fewer is no wonder
    assert wide[0] < low
    assert wide[1] > high


def test_effective_draws_grow_to_those_of_arviz():
    draws = xr.Dataset({"a": (("chain", "draw"), noise(4)), "b": (("chain", "draw"), noise(5))})
    grown = ess_growth(draws, ["a"])
    assert set(grown) == {"a"}
    total, bulk, tail = grown["a"]
    assert total[-1] == CHAINS * DRAWS
    assert bulk[-1] == pytest.approx(float(az.ess(draws, method="bulk")["a"]))
    assert tail[-1] == pytest.approx(float(az.ess(draws, method="tail")["a"]))
    assert bulk[0] < bulk[-1]


def test_ways_cut_short():
    steps = np.array([[1023, 511], [1023, 7]])
    assert share_deepest(xr.Dataset({"n_steps": (("chain", "draw"), steps)})) == 0.5
    told = xr.Dataset({"maxdepth_reached": (("chain", "draw"), steps > 600), "n_steps": (("chain", "draw"), 0 * steps)})
    assert share_deepest(told) == 0.5
    assert np.isnan(share_deepest(xr.Dataset()))


def test_the_worst_come_first():
    each = {
        "good": {"rhat": 1.0, "ess_bulk": 2000.0, "ess_tail": 1500.0},
        "few": {"rhat": 1.0, "ess_bulk": 2000.0, "ess_tail": 300.0},
        "apart": {"rhat": 1.2, "ess_bulk": 900.0, "ess_tail": 900.0},
    }
    assert worst_first(each, 2) == ["apart", "few"]


def test_the_closest_pairs_are_found_with_their_sign():
    a, b = noise(6), noise(7)
    draws = {"a": a, "b": b, "minus_a": np.exp(-a) + 0.01 * noise(8), "near_b": b + noise(9)}
    (first, second) = closest_pairs(draws, 2)
    assert first[:2] == ("a", "minus_a")
    assert first[2] == pytest.approx(-1.0, abs=0.02)
    assert second[:2] == ("b", "near_b")
    assert second[2] == pytest.approx(6 / np.pi * np.arcsin(np.sqrt(0.5) / 2), abs=0.03)  # of two normals tied by 0.71
    assert closest_pairs({"a": a}, 3) == []


def test_a_chain_apart_does_not_lessen_effective_draws_within():
    shifted = noise(40)
    shifted[1] += 5.0
    draws = xr.Dataset({"a": (("chain", "draw"), shifted)})
    assert float(az.ess(draws, method="bulk")["a"]) < 20.0
    assert effective_within(draws, ["a"])["a"] == pytest.approx(CHAINS * DRAWS, rel=0.2)
