"""The compiled likelihood of rows: tails, integrals over the misfit, and gradients, against mpmath and quadrature."""

import mpmath
import numpy as np
import pytest
from scipy import stats
from scipy.special import logsumexp

from pbpk.infer.density import row_density as compiled
from pbpk.infer.density.row_density import BELOW, BETWEEN, VALUE

INF = np.inf
# what a term says: shape, low, high, n animals in a mean, how often it counts, degrees of freedom
ANIMAL, FELLOW, OUTLIER = ((VALUE, 0.0, y, 1.0, 1.0, INF) for y in (1.6, 2.1, 7.0))
MEAN, LIMIT, RANGE = (
    (VALUE, 0.0, 1.7, 5.0, 1.0, INF),
    (BELOW, 0.0, 1.1, 1.0, 1.0, INF),
    (BETWEEN, 0.7, 2.2, 1.0, 1.0, INF),
)
INNER = (BETWEEN, 0.7, 2.2, 1.0, 3.0, INF)


def student(term, nu):
    return (*term[:5], nu)


def arrays(terms):
    row, (shape, low, high, n, power, nu) = (
        np.arange(len(terms)),
        (np.array(column) for column in zip(*terms, strict=True)),
    )
    return row, np.array([0, len(terms)]), shape, low, high, n, power, nu, np.zeros(3)


def found(terms, m, spread, misfit):
    return compiled.density(np.array(m, dtype=float), spread, misfit, *arrays(terms))


def panels(points, widths, span):
    """Nodes and log-weights of Gauss and Legendre on panels that grow from each point, as fine as the widths there."""
    steps = np.concatenate([[0.0], np.geomspace(0.25, 1e6, 90)])
    edges = np.concatenate([p + sign * w * steps for p in points for w in widths for sign in (-1, 1)])
    edges = np.unique(np.concatenate([edges[abs(edges) < span], np.linspace(-span, span, 200)]))
    x, w = np.polynomial.legendre.leggauss(12)
    wide = np.diff(edges)[:, np.newaxis]
    with np.errstate(divide="ignore"):
        return (edges[:-1, np.newaxis] + wide * (x + 1) / 2).ravel(), np.log(wide * w / 2).ravel()


def by_quadrature(terms, m, spread, misfit):
    """The same with scipy's densities, on panels about every value and end."""
    points = [0.0, *(end - centre for t, centre in zip(terms, m, strict=True) for end in t[1:3])]
    d, log_weights = panels(points, (spread, misfit), 14 * misfit + 1e-12)
    total = stats.norm.logpdf(d, 0, misfit) + log_weights
    for (shape, low, high, n, power, nu), centre in zip(terms, m, strict=True):
        kind = stats.norm if np.isinf(nu) else stats.t(nu)
        upper, lower = ((end - centre - d) / spread for end in (high, low))
        if shape == VALUE and n > 1:
            v = np.log1p(np.expm1(spread**2) / n)
            total = total + stats.norm.logpdf(high, centre + d + spread**2 / 2 - v / 2, np.sqrt(v))
        elif shape == VALUE:
            total = total + kind.logpdf(upper) - np.log(spread)
        elif shape == BELOW:
            total = total + power * kind.logcdf(upper)
        else:
            near, far = np.where(lower > 0, -lower, upper), np.where(lower > 0, -upper, lower)
            total = total + power * (kind.logcdf(near) + np.log1p(-np.exp(kind.logcdf(far) - kind.logcdf(near))))
    return logsumexp(total)


@pytest.mark.parametrize("nu", [1.0, 4.0, 7.5, 300.0])
@pytest.mark.parametrize("z", [-1e6, -40.0, -3.0, -0.4, -1e-9, 0.0, 0.7, 5.0])
def test_the_tail_of_students_t(z, nu):
    with mpmath.workdps(60):
        half = mpmath.betainc(mpmath.mpf(nu) / 2, 0.5, 0, nu / (nu + mpmath.mpf(z) ** 2), regularized=True) / 2
        exact = float(mpmath.log(half if z < 0 else 1 - half))
    assert compiled.log_below(z, nu) == pytest.approx(exact, rel=1e-12, abs=1e-14)


@pytest.mark.parametrize("z", [-1e5, -200.0, -30.01, -29.99, -5.0, 0.0, 3.0, 9.0])
def test_the_tail_of_a_normal(z):
    with mpmath.workdps(40):
        exact = float(mpmath.log(mpmath.erfc(-mpmath.mpf(z) / mpmath.sqrt(2)) / 2))
    assert compiled.log_below(z, INF) == pytest.approx(exact, rel=1e-12, abs=1e-17)


@pytest.mark.parametrize("nu", [INF, 4.0])
@pytest.mark.parametrize(
    "ends", [(-1.0, 2.0), (4.0, 9.0), (-60.0, -59.0), (1.0, 1.00003), (1.0, 1.0003), (-2.0, -2 + 1e-9)]
)
def test_the_probability_between_two_ends_and_its_slopes(ends, nu):
    """Far, narrow or both; with derivatives by the centre and the spread of the animals."""

    def log_between(centre, spread):
        low, high = ((mpmath.mpf(end) - centre) / spread for end in ends)
        if np.isinf(nu):
            return mpmath.log((mpmath.erfc(-high / mpmath.sqrt(2)) - mpmath.erfc(-low / mpmath.sqrt(2))) / 2)
        constant = mpmath.gamma((nu + 1) / 2) / mpmath.gamma(nu / 2) / mpmath.sqrt(nu * mpmath.pi)
        return mpmath.log(constant * mpmath.quad(lambda t: (1 + t * t / nu) ** (-(nu + 1) / 2), [low, high]))

    top = compiled.peak(nu)
    value = compiled.said(BETWEEN, *ends, 0.0, 1.0, nu, top)
    slopes = compiled.slopes(BETWEEN, *ends, 0.0, 1.0, nu, top, value)
    with mpmath.workdps(50 if np.isinf(nu) else 30):
        exact = float(log_between(mpmath.mpf(0), mpmath.mpf(1)))
        partial = [mpmath.diff(lambda c: log_between(c, mpmath.mpf(1)), 0, h=mpmath.mpf(10) ** -10),
                   mpmath.diff(lambda s: log_between(mpmath.mpf(0), s), 1, h=mpmath.mpf(10) ** -10)]  # fmt: skip
    assert value == pytest.approx(exact, rel=1e-9, abs=1e-9)
    assert slopes == pytest.approx([float(p) for p in partial], rel=1e-6, abs=1e-6)


CELLS = {
    "animal": [ANIMAL], "mean": [MEAN], "limit": [LIMIT], "range": [RANGE], "animal and limit": [ANIMAL, LIMIT],
    "limits": [LIMIT, (BELOW, 0.0, 1.4, 1.0, 1.0, INF), RANGE], "inner": [ANIMAL, FELLOW, INNER],
    "all": [ANIMAL, MEAN, LIMIT, RANGE, INNER],
}  # fmt: skip
SCALES = [(0.3, 0.2), (0.05, 1.0), (1.5, 0.05), (0.02, 0.5)]


@pytest.mark.parametrize("nu", [INF, 4.0, 2.5])
@pytest.mark.parametrize("name", CELLS)
def test_the_misfit_of_a_cell_is_integrated_out(name, nu):
    single = [student(t, nu) if t not in (MEAN, INNER) else t for t in CELLS[name]]
    for spread, misfit in SCALES:
        for shift in (-0.4, 0.1):
            m = 1.5 + shift + 0.1 * np.arange(len(single))
            exact = by_quadrature(single, m, spread, misfit)
            assert found(single, m, spread, misfit)[0] == pytest.approx(exact, rel=1e-9, abs=1e-8)


@pytest.mark.parametrize("fellows", [2, 4, 6])
@pytest.mark.parametrize(("spread", "misfit"), [(0.3, 0.2), (0.1, 1.0), (0.01, 1.0)])
def test_one_gross_outlier_among_animals(fellows, spread, misfit):
    rng = np.random.default_rng(fellows)
    cell = [student((VALUE, 0.0, 1.6 + spread * rng.standard_normal(), 1.0, 1.0, INF), 4.0) for _ in range(fellows)]
    cell, m = [*cell, student(OUTLIER, 4.0)], np.full(fellows + 1, 1.3)
    assert found(cell, m, spread, misfit)[0] == pytest.approx(by_quadrature(cell, m, spread, misfit), abs=1e-7)
    # and it is told apart: the cell's prediction is pulled towards the fellows, not to it
    assert abs(found(cell, m, spread, misfit)[1 + fellows]) < 1.0 / spread


def test_where_spreads_are_tiny_the_sum_looks_closer():
    """All of the integral lies within a thousandth of the misfit."""
    cell, m = [student(ANIMAL, 4.0), student(FELLOW, 4.0), student(LIMIT, 4.0)], np.array([1.5, 1.9997, 0.99])
    assert found(cell, m, 1e-4, 0.5)[0] == pytest.approx(by_quadrature(cell, m, 1e-4, 0.5), abs=1e-6)


@pytest.mark.parametrize("nu", [INF, 4.0])
@pytest.mark.parametrize("name", CELLS)
def test_the_gradient_is_that_of_the_value(name, nu):
    terms = [student(t, nu) if t not in (MEAN, INNER) else t for t in CELLS[name]]
    for spread, misfit in SCALES[:2]:
        point = np.array([*(1.4 + 0.1 * np.arange(len(terms))), spread, misfit])
        gradient = found(terms, point[:-2], *point[-2:])[1:]
        for i, slope in enumerate(gradient):
            step = np.zeros_like(point)
            step[i] = 0.01 * min(spread, misfit)
            values = [found(terms, p[:-2], *p[-2:])[0] for p in (point + k * step for k in (-3, -2, -1, 1, 2, 3))]
            difference = np.dot(values, [-1, 9, -45, 45, -9, 1]) / 60 / step[i]  # sixth order
            assert slope == pytest.approx(difference, rel=1e-6, abs=1e-6), f"entry {i}"


@pytest.mark.parametrize("nu", [INF, 4.0])
def test_without_misfit_rows_are_independent(nu):
    terms = [student(t, nu) if t not in (MEAN, INNER) else t for t in CELLS["all"]]
    m, spread = np.full(len(terms), 1.5), 0.3
    together = found(terms, m, spread, 0.0)
    apart = [found([t], m[:1], spread, 0.0) for t in terms]
    assert together[0] == pytest.approx(sum(each[0] for each in apart), abs=1e-10)
    np.testing.assert_allclose(together[1:-2], [each[1] for each in apart], atol=1e-10)
    assert together[-2] == pytest.approx(sum(each[2] for each in apart), abs=1e-10)
    assert together[-1] == pytest.approx(0.0, abs=1e-10)  # only its square enters the likelihood
    near = found(terms, m, spread, 1e-5)
    np.testing.assert_allclose(near[:-1], together[:-1], atol=1e-6)
    # E over d of exp(L) = exp(L) (1 + misfit^2 (L'' + L'^2) / 2): the slope is in proportion to the misfit
    assert near[-1] == pytest.approx(found(terms, m, spread, 2e-5)[-1] / 2, rel=1e-4)


@pytest.mark.parametrize("n", [1.0, 3.0, 20.0])
@pytest.mark.parametrize("spread", [1e-3, 0.3, 0.999, 1.001, 8.0])
def test_the_mean_of_animals_has_the_moments_of_log_normals(n, spread):
    with mpmath.workdps(60):
        exact = mpmath.log1p(mpmath.expm1(mpmath.mpf(spread) ** 2) / n)
        slope = mpmath.diff(lambda s: mpmath.log1p(mpmath.expm1(s**2) / n), spread)
    assert compiled.mean_of(n, spread) == pytest.approx((float(exact), float(slope)), rel=1e-12)


def test_a_model_that_says_nothing_is_impossible_not_a_crash():
    for terms in ([ANIMAL, LIMIT], [student(ANIMAL, 4.0)], [LIMIT, RANGE]):
        assert not np.isfinite(found(terms, np.full(len(terms), -INF), 0.3, 0.2)[0])
