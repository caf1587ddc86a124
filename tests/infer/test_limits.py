"""Limits summed over the misfit of their cell: against a fine sum, and the gradient against differences."""

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from scipy.special import logsumexp
from scipy.stats import norm

from pbpk.infer.likelihood import LOG_WEIGHTS, NODES
from pbpk.infer.limits import limits_term, summed

CELLS = np.array([1, 0, 1, 1, 0])
LIMIT = np.log([0.5, 2.0, 0.6, 0.7, 1.5])
CENTRE, WIDTH = np.array([0.2, -0.1]), np.array([0.3, 0.5])
NEAR = np.log([0.6, 1.2, 0.4, 1.5, 3.0])


def by_sum(m, centre, width, spread):
    """The same by an even sum over a fine grid; the largest term is taken out, so that nothing underflows."""
    total = 0.0
    for c in range(2):
        mine, grid = np.flatnonzero(c == CELLS), centre[c] + width[c] * np.linspace(-30.0, 10.0, 20001)
        terms = norm.logpdf(grid, centre[c], width[c])
        terms += norm.logcdf((LIMIT[mine] - m[mine] - grid[:, np.newaxis]) / spread).sum(axis=1)
        total += logsumexp(terms) + np.log(grid[1] - grid[0])
    return total


def compiled(m, centre, width, spread):
    """Value and gradient by the package, rows in the order of their cells."""
    order = np.argsort(CELLS, kind="stable")
    value, slope = summed(m[order], centre, width, np.array(spread), LIMIT[order], np.array([0, 2, 5]), NODES,
                          LOG_WEIGHTS)  # fmt: skip
    by_m = np.empty(5)
    by_m[order] = slope[:5]
    return float(value), np.concatenate([by_m, slope[5:]])


@pytest.mark.parametrize("spread", [0.2, 0.6])
def test_limits_agree_with_a_fine_sum(spread):
    value, _ = compiled(NEAR, CENTRE, WIDTH, spread)
    assert value == pytest.approx(by_sum(NEAR, CENTRE, WIDTH, spread), abs=2e-4)


def test_a_narrow_misfit_leaves_the_closed_form():
    far = NEAR + np.array([0.0, 1.0, 20.0, 0.0, 3.0])  # one row lies far above its limit, below the reach of erfc
    value, _ = compiled(far, np.zeros(2), np.full(2, 1e-9), 0.3)
    assert value == pytest.approx(norm.logcdf((LIMIT - far) / 0.3).sum(), rel=1e-9)


@pytest.mark.parametrize("shift", [0.0, 3.0, 12.0])
def test_the_gradient_is_that_of_differences(shift):
    m = NEAR + shift * np.array([0.0, 0.0, 1.0, 0.0, 1.0])

    def flat(x):
        return compiled(x[:5], x[5:7], x[7:9], x[9])[0]

    at = np.concatenate([m, CENTRE, WIDTH, [0.4]])
    _, slope = compiled(m, CENTRE, WIDTH, 0.4)
    steps = np.array([(flat(at + h) - flat(at - h)) / 2e-5 for h in 1e-5 * np.eye(10)])
    np.testing.assert_allclose(slope, steps, rtol=1e-6, atol=1e-6)


def test_rows_may_stand_in_any_order():
    m, spread = pt.dvector("m"), pt.dscalar("spread")
    term = limits_term(m, LIMIT, CELLS, pt.constant(CENTRE), pt.constant(WIDTH), spread, (NODES, LOG_WEIGHTS))
    value, by_m, by_spread = pytensor.function([m, spread], [term, *pytensor.grad(term, [m, spread])],
                                               mode="FAST_COMPILE")(NEAR, 0.4)  # fmt: skip
    expected, slope = compiled(NEAR, CENTRE, WIDTH, 0.4)
    assert value == pytest.approx(expected, rel=1e-14)
    np.testing.assert_allclose([*by_m, by_spread], [*slope[:5], slope[9]], rtol=1e-12)
