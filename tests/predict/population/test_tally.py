"""Tallies against all the numbers at once: moments, quantiles within their bound, the order of merging."""

import numpy as np
import pytest

from pbpk.predict.population.tally import BELOW, NOTHING, RELATIVE_ERROR, Tally

LEVELS = np.array([0.0, 0.025, 0.05, 0.25, 0.5, 0.75, 0.95, 0.975, 1.0])


def numbers(size=3000, seed=0):
    """Cells of unlike shapes, (subject, cell): wide, narrow, two humps, equal, mostly zero."""
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((size, 5))
    humps = np.where(rng.random(size) < 0.5, 1e-3, 80.0) * np.exp(0.1 * z[:, 2])
    zero = np.where(rng.random(size) < 0.7, 0.0, np.exp(z[:, 4]))
    return np.column_stack([np.exp(4 * z[:, 0] - 6), 50 + z[:, 1], humps, np.full(size, 64.0), zero])


def test_quantiles_are_within_their_bound():
    values = numbers()
    tally = Tally.about(np.full(5, 100.0))
    tally.add(values)
    found, truth = tally.quantiles(LEVELS), np.quantile(values, LEVELS, axis=0)
    floor = 128.0 * 2.0**-BELOW
    assert (np.abs(found - truth) <= np.where(truth < floor, truth, RELATIVE_ERROR * truth * (1 + 1e-9))).all()
    assert (truth >= floor).sum() > 35
    assert RELATIVE_ERROR < 0.005


def test_the_bound_is_no_wider_than_it_must_be():
    values = np.geomspace(1.0, 2.0, 20001)[:, np.newaxis]
    tally = Tally.about(np.array([100.0]))
    tally.add(values)
    levels = np.linspace(0.0, 1.0, 20001)
    off = np.abs(tally.quantiles(levels)[:, 0] / values[:, 0] - 1.0).max()
    assert 0.95 * RELATIVE_ERROR < off <= RELATIVE_ERROR * (1 + 1e-9)


def test_what_is_below_the_floor_is_zero_and_what_is_above_is_the_most():
    tally = Tally.about(np.array([64.0]))
    tally.add(np.array([[64.0 * 2.0**-BELOW * 0.5], [1e9], [-0.0]]))
    assert tally.counts[0, 0] == 2
    assert tally.counts[0, -1] == 1


def test_moments_are_those_of_numpy():
    values, whole = numbers(), NOTHING
    tally = Tally.about(np.full(5, 100.0))
    for begin in range(0, len(values), 271):
        whole = whole.with_more(tally.add(values[begin : begin + 271]))
    assert whole.count == len(values)
    np.testing.assert_allclose(whole.mean, values.mean(axis=0), rtol=1e-13)
    np.testing.assert_allclose(whole.sd, values.std(axis=0, ddof=1), rtol=1e-12, atol=1e-300)


@pytest.mark.parametrize("travels", [False, True], ids=["as they are", "as they travel"])
def test_merging_in_any_order_is_counting_all(travels):
    values = numbers()
    parts = np.array_split(values, 7)
    one = Tally.about(np.full(5, 100.0))
    one.add(values)
    other = one.empty()
    for part in reversed(parts):
        piece = one.empty()
        piece.add(part)
        other.take(piece.sparse() if travels else piece)
    np.testing.assert_array_equal(one.counts, other.counts)
