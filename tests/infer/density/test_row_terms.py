"""Each kind of row of a table against its density written with scipy, and ranges against simulated animals."""

import numpy as np
import pandas as pd
import pytensor
import pytensor.tensor as pt
import pytest
from nothing import NOTHING
from scipy.special import log_ndtr, logsumexp
from scipy.stats import chi2, norm
from scipy.stats import t as student

from pbpk.infer.density.row_terms import FIELDS, log_rows, rows_term, terms_of

M, SPREAD, MISFIT = np.log(4.5), 0.4, 0.3


def table(*rows):
    return pd.DataFrame([NOTHING | row for row in rows])


def log_density(rows, m=M, spread=SPREAD, misfit=MISFIT, nu=np.inf):
    """Of rows that share a cell."""
    given = table(*rows)
    return log_rows(given, np.zeros(len(given), int), np.full((1, len(given)), m), spread, misfit, nu)[0]


def shared(*densities, misfit=MISFIT):
    """Log of the densities' product given the misfit of the cell, integrated over that misfit numerically."""
    grid = np.linspace(-12.0, 12.0, 20001) * misfit
    logs = sum(density(grid) for density in densities) + norm.logpdf(grid, 0.0, misfit)
    return logsumexp(logs) + np.log(grid[1] - grid[0])


def single(value):
    return lambda d: norm.logpdf(np.log(value), M + d, SPREAD)


def mean_of_five(d):
    v = np.log(1 + (np.exp(SPREAD**2) - 1) / 5)
    return norm.logpdf(np.log(5.0), M + d + SPREAD**2 / 2 - v / 2, np.sqrt(v))


def between(low, high):
    kind = norm(0.0, SPREAD)
    return lambda d: np.log(kind.cdf(np.log(high) - M - d) - (kind.cdf(np.log(low) - M - d) if low else 0.0) + 1e-300)


def smallest_and_largest(low, high, n):
    def density(d):
        ends = norm.logpdf(np.log(low), M + d, SPREAD) + norm.logpdf(np.log(high), M + d, SPREAD)
        return np.log(n * (n - 1)) + ends + (n - 2) * between(low, high)(d)

    return density


def largest(high, n):
    return lambda d: np.log(n) + norm.logpdf(np.log(high), M + d, SPREAD) + (n - 1) * between(0, high)(d)


KINDS = {
    "one animal": ({"percent": 5.0}, single(5.0)),
    "mean of five": ({"percent": 5.0, "n": 5.0}, mean_of_five),
    "range stated": ({"low": 2.0, "high": 9.0}, between(2, 9)),
    "range stated from nothing": ({"low": 0.0, "high": 9.0}, between(0, 9)),
    "range over four": ({"low": 2.0, "high": 9.0, "n": 4.0}, smallest_and_largest(2, 9, 4)),
    "range over two": ({"low": 2.0, "high": 9.0, "n": 2.0}, smallest_and_largest(2, 9, 2)),
    "range over four from nothing": ({"low": 0.0, "high": 9.0, "n": 4.0}, largest(9, 4)),
    "below the limit": ({"below_lloq": True, "lloq": 3.0}, lambda d: log_ndtr((np.log(3.0) - M - d) / SPREAD)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_row_has_its_density(kind):
    row, density = KINDS[kind]
    assert log_density([row]) == pytest.approx(shared(density), abs=1e-9)
    assert log_density([row, {"percent": 7.0}]) == pytest.approx(shared(density, single(7.0)), abs=1e-9)


def test_rows_of_every_kind_share_the_misfit_of_their_cell():
    assert log_density([row for row, _ in KINDS.values()]) == pytest.approx(
        shared(*(d for _, d in KINDS.values())), abs=1e-9
    )


def test_the_sd_of_a_group_tells_of_the_spread():
    without, variance = log_density([{"percent": 5.0, "n": 5.0}]), np.log(1 + (2 / 5) ** 2)
    found = log_density([{"percent": 5.0, "n": 5.0, "sd": 2.0}]) - without
    # density of the variance itself, but for the number of degrees of freedom
    assert found == pytest.approx(chi2.logpdf(4 * variance / SPREAD**2, 4) - 2 * np.log(SPREAD), rel=1e-12)


@pytest.mark.parametrize("low", [2.0, 0.0])
def test_the_range_of_animals_agrees_with_simulated_animals(low):
    n, width, high = 4, 0.1, 9.0
    rng = np.random.default_rng(2)
    logs = M + MISFIT * rng.standard_normal((1_000_000, 1))
    logs = logs + SPREAD * rng.standard_normal((1_000_000, n))
    inside = abs(logs.max(axis=1) - np.log(high)) < width / 2
    if low:
        inside &= abs(logs.min(axis=1) - np.log(low)) < width / 2
    assert inside.sum() > 1500
    simulated = inside.mean() / width ** (2 if low else 1)
    density = np.exp(log_density([{"low": low, "high": high, "n": n}]))
    assert density == pytest.approx(simulated, rel=4 / np.sqrt(inside.sum()) + 0.01)


def test_only_single_animals_are_students_t():
    nu, alone = 4.0, {"percent": 5.0}
    z = lambda x: (np.log(x) - M) / SPREAD  # noqa: E731
    by_hand = {
        "one animal": student.logpdf(z(5.0), nu) - np.log(SPREAD),
        "range stated": np.log(student.cdf(z(9.0), nu) - student.cdf(z(2.0), nu)),
        "range stated from nothing": student.logcdf(z(9.0), nu),
        "below the limit": student.logcdf(z(3.0), nu),
    }
    for kind, (row, _) in KINDS.items():
        normal = log_density([row], misfit=0.0)
        assert log_density([row], misfit=0.0, nu=nu) == pytest.approx(by_hand.get(kind, normal), rel=1e-9), kind
    assert log_density([alone], nu=1e7) == pytest.approx(log_density([alone]), abs=1e-6)


def test_the_term_is_the_sum_over_draws_and_its_gradient_is_its_own():
    """Through PyTensor and numba, three cells, one of them a limit alone."""
    rows, cells = table(*(row for row, _ in KINDS.values())), np.array([0, 2, 0, 1, 2, 0, 1, 3])
    point = pt.dvector()
    given = terms_of(rows, cells, 4.0)
    assert len(given) == len(FIELDS)
    total = rows_term(given, point[:8], point[8], point[9])
    both = pytensor.function([point], [total, pt.grad(total, point)], mode="NUMBA")
    rng = np.random.default_rng(0)
    m, spread, misfit = M + 0.2 * rng.standard_normal((3, 8)), np.array([0.2, 0.4, 0.6]), np.array([0.1, 0.3, 0.0])
    values = log_rows(rows, cells, m, spread, misfit, nu=4.0)
    for i in range(3):
        at = np.array([*m[i], spread[i], misfit[i]])
        value, gradient = both(at)
        assert value == pytest.approx(values[i], rel=1e-12)
        for k in range(10):
            step = np.zeros(10)
            step[k] = 1e-4
            difference = (both(at + step)[0] - both(at - step)[0]) / 2e-4
            assert gradient[k] == pytest.approx(difference, rel=1e-4, abs=1e-5)
    apart = sum(log_rows(rows[cells == c], cells[cells == c], m[:, cells == c], spread, misfit, 4.0) for c in range(4))
    np.testing.assert_allclose(values, apart, rtol=1e-12)


def test_no_rows_say_nothing():
    np.testing.assert_array_equal(log_rows(table({})[:0], np.zeros(0, int), np.zeros((2, 0)), 0.3, 0.2), [0.0, 0.0])
