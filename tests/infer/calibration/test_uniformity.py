"""Ranks: uniform where they should be, p-values against scipy and simulation, Holm by hand."""

import numpy as np
import pytest
from scipy.stats import binom, chisquare, kstest

from pbpk.infer.calibration.uniformity import (
    chi_square_p,
    coverage,
    described,
    ecdf_band,
    ecdf_p,
    histogram,
    holm,
    place,
    uniform_rows,
)


@pytest.mark.parametrize("draws", [3, 40])
def test_the_place_of_one_draw_among_others_is_uniform(draws):
    rng = np.random.default_rng(1)
    rough = [place(each[1:], each[0], rng) for each in rng.integers(0, 4, (3000, draws + 1)).astype(float)]  # with ties
    fine = [place(each[1:], each[0], rng) for each in rng.standard_normal((3000, draws + 1))]
    assert kstest(rough, "uniform").pvalue > 0.01
    assert kstest(fine, "uniform").pvalue > 0.01
    assert 0.0 < min(rough) < max(rough) < 1.0


def test_p_values_of_the_ecdf_are_uniform_for_uniform_ranks():
    rng = np.random.default_rng(2)
    p = np.array([ecdf_p(rng.uniform(size=60)) for _ in range(1500)])
    for level in (0.01, 0.05, 0.2, 0.5):
        assert (p <= level).mean() == pytest.approx(level, abs=4 * np.sqrt(level / 1500))


def test_the_band_holds_at_all_points_at_once():
    points, low, high = ecdf_band(50)
    rng = np.random.default_rng(3)
    ecdf = (rng.uniform(size=(4000, 50, 1)) <= points).mean(axis=1)
    inside = ((ecdf >= low - 1e-9) & (ecdf <= high + 1e-9)).all(axis=1).mean()
    assert inside == pytest.approx(0.95, abs=0.02)
    one = binom.cdf(np.round(50 * high), 50, points) - binom.cdf(np.round(50 * low) - 1, 50, points)
    assert (one > 0.95).all()  # wider than at each point alone


def test_chi_square_is_that_of_the_histogram():
    ranks = np.random.default_rng(4).beta(1.3, 1.0, 100)
    counts = histogram(ranks)
    assert counts.sum() == 100
    assert len(counts) == 20
    assert chi_square_p(ranks) == pytest.approx(chisquare(np.histogram(ranks, 20, (0, 1))[0]).pvalue)
    assert len(histogram(ranks[:7])) == 2


def test_coverage_counts_central_intervals():
    ranks = np.array([0.5, 0.26, 0.74, 0.2, 0.03, 0.99, 0.01, 0.09, 0.6, 0.4])
    found = coverage(ranks)
    assert (found["cover50"], found["cover80"], found["cover95"]) == (0.5, 0.6, 0.8)
    # Clopper and Pearson: the probability of as few, or as many, is one fortieth
    assert binom.cdf(8, 10, found["high95"]) == pytest.approx(0.025)
    assert binom.sf(7, 10, found["low95"]) == pytest.approx(0.025)


def test_holm_by_hand():
    np.testing.assert_allclose(holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]).max() == 1.0


@pytest.mark.parametrize(
    ("scale", "shift", "words"),
    [(0.5, 0, "too narrow"), (2, 0, "too wide"), (1, 1, "too high"), (1, -1, "too low"), (1, 0, "neither")],
)
def test_what_is_wrong_is_said(scale, shift, words):
    """Posterior N(shift, scale) about truths of N(0, 1)."""
    rng = np.random.default_rng(5)
    ranks = np.array([place(shift + scale * rng.standard_normal(99), rng.standard_normal(), rng) for _ in range(200)])
    assert words in described(ranks)
    (row,) = uniform_rows({"x": ranks})
    assert (row["p_holm"] < 0.01) == (words != "neither")
    assert row["fits"] == 200


def test_one_fit_says_nothing():
    assert ecdf_p(np.array([0.3])) == pytest.approx(1.0)
