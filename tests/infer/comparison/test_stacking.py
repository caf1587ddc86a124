"""Stacking against a search over a fine grid, and where one model is all there is."""

from itertools import product

import numpy as np
import pytest

from pbpk.infer.comparison.stacking import stacking_weights


def score(weights, elpd):
    """Sum over units of the log of the mixture, by the definition."""
    shift = elpd.max(axis=0)
    with np.errstate(divide="ignore"):
        return float((np.log(weights @ np.exp(elpd - shift)) + shift).sum())


def grid(models, steps):
    """Every point of the simplex with coordinates that are multiples of 1/steps."""
    for point in product(range(steps + 1), repeat=models - 1):
        if sum(point) <= steps:
            yield np.array([*point, steps - sum(point)]) / steps


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("level", [0.0, -900.0])  # of an animal: exp of it is no number that a computer holds
def test_no_point_of_a_grid_is_better(seed, level):
    rng = np.random.default_rng(seed)
    elpd = level + rng.normal(0.0, 1.5, (3, 15)) + rng.normal(0.0, 0.2, (3, 1))
    found = stacking_weights(elpd)
    assert found.sum() == pytest.approx(1.0)
    assert (found >= 0.0).all()
    best = max(grid(3, 100), key=lambda weights: score(weights, elpd))
    assert score(found, elpd) >= score(best, elpd) - 1e-6
    assert found == pytest.approx(best, abs=0.02)


def test_a_model_that_is_better_everywhere_takes_all():
    rng = np.random.default_rng(0)
    other = rng.normal(-20.0, 3.0, 12)
    assert stacking_weights(np.stack([other - 2.0, other])) == pytest.approx([0.0, 1.0], abs=1e-6)


def test_what_is_ruled_out_has_no_weight():
    elpd = np.array([[-1.0, -2.0], [-np.inf, -np.inf], [-1.5, -1.0]])
    found = stacking_weights(elpd)
    assert found[1] == 0.0
    assert found[[0, 2]] == pytest.approx(stacking_weights(elpd[[0, 2]]), abs=1e-9)
    assert stacking_weights(elpd[:2]).tolist() == [1.0, 0.0]
