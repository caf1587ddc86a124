"""The compiled likelihood of readings against integrals done by quadrature, and its gradient by differences."""

import numpy as np
import pytest
from scipy import integrate, special, stats

from pbpk.infer.density import signal_density as compiled
from pbpk.infer.density.signal_terms import LEAST, NODES

OUTER, INNER = NODES[:2], NODES[2:4]

SPREAD, MISFIT = 0.25, 0.2
U = np.array([0.3, 0.05, -1.0, -3.0])  # blank, log-slope, log s0, log cv


@pytest.mark.parametrize("x", [1e-3, 0.4, 1.0, 3.7, 25.0, 1e5])
def test_gamma_functions(x):
    assert compiled.digamma(x) == pytest.approx(special.digamma(x), rel=1e-11, abs=1e-11)
    assert compiled.log_gamma(x) == pytest.approx(special.gammaln(x), rel=1e-11, abs=1e-11)


def cell(values, counted=False, scale=0.0, variance=0.04):
    """Arrays of one organ at one hour, read as `values`."""
    n = len(values)
    blank, gain, s0, cv = (np.zeros((n, 4)) for _ in range(4))
    blank[:, 0] = gain[:, 1] = s0[:, 2] = cv[:, 3] = 1.0
    own = np.zeros(n) if counted else np.full(n, variance)
    return {
        "value": np.array(values, float), "variance": own, "counted": np.full(n, counted), "blank": blank,
        "gain": gain, "log_scale": np.full(n, scale), "s0": s0, "cv": cv,
        "s0_weight": np.full(n, 0.0 if counted else 0.3), "cv_weight": np.ones(n),
    }  # fmt: skip


def value_and_gradient(arrays, clear, m, spread=SPREAD, misfit=MISFIT, u=U, limit=None):
    n = len(arrays["value"])
    limit = np.zeros(n, bool) if limit is None else np.array(limit)
    return compiled.density(np.full(n, m), spread, misfit, u, *arrays.values(), limit, np.array(clear),
                            np.array([0, n]), *OUTER, *INNER, LEAST)  # fmt: skip


def by_quadrature(arrays, m, spread=SPREAD, misfit=MISFIT, u=U):
    """The same integrals on fine grids: exp(m + d + e) percent, read through blank and gain."""
    e = np.linspace(-8, 8, 4001) * spread
    d = np.linspace(-8, 8, 401) * misfit
    total = stats.norm.logpdf(d, 0, misfit)
    for i, y in enumerate(arrays["value"]):
        log_x = m + d[:, None] + e
        rise = np.exp(arrays["log_scale"][i] + u[1] + log_x)
        relative = np.exp(2 * u[3])
        if arrays["counted"][i]:
            mean = u[0] + rise
            r = 1 / (relative * (rise / mean) ** 2)
            density = stats.nbinom.pmf(y, r, r / (r + mean))
        else:
            sd = np.sqrt(arrays["variance"][i] + 0.3 * np.exp(2 * u[2]) + relative * rise**2)
            density = stats.norm.pdf(y, u[0] + rise, sd)
        total = total + np.log(integrate.simpson(density * stats.norm.pdf(e, 0, spread), e, axis=1))
    return np.log(integrate.simpson(np.exp(total), d))


@pytest.mark.parametrize("values", [[0.1], [-0.3], [1.2, 0.9, 1.6], [0.2, -0.1, 0.9, 1.3, 0.4]])
def test_faint_readings_are_summed_over_exactly(values):
    for m in (-2.0, -0.5, 0.2):
        found = value_and_gradient(cell(values), [False] * len(values), m)[0]
        assert found == pytest.approx(by_quadrature(cell(values), m), abs=2e-3)


@pytest.mark.parametrize("tau", [0.125, 0.05, 0.01])
def test_clear_readings_have_the_density_of_their_series(tau):
    """A reading 1/tau SDs above nothing, alone and among others."""
    rise = np.exp(U[1])
    floor = 0.3 * np.exp(2 * U[2])
    for values in ([U[0] + rise], [U[0] + 1.2 * rise, U[0] + 0.9 * rise, U[0] + rise]):
        arrays = cell(values, variance=(tau * rise) ** 2)
        arrays["s0_weight"] = np.zeros(len(values))
        for m in (-0.3, 0.0, 0.4):
            found = value_and_gradient(arrays, [True] * len(values), m)[0]
            exact = by_quadrature(arrays | {"variance": arrays["variance"] - floor}, m)
            assert found == pytest.approx(exact, abs=0.01 * len(values))


@pytest.mark.parametrize("values", [[0], [3], [5, 2, 9]])
def test_counts_are_negative_binomial(values):
    for m in (0.0, 1.3):
        found = value_and_gradient(cell(values, counted=True), [False] * len(values), m)[0]
        assert found == pytest.approx(by_quadrature(cell(values, counted=True), m), abs=2e-3)


def test_many_events_are_clear():
    values = [400, 460, 350]
    found = value_and_gradient(cell(values, counted=True, scale=6.0), [True] * 3, 0.0)[0]
    assert found == pytest.approx(by_quadrature(cell(values, counted=True, scale=6.0), 0.0), abs=5e-3)


def test_a_limit_beside_readings_shares_their_misfit():
    values, limit = [1.4, 0.3], np.log(0.5)
    arrays = cell([*values, limit])
    for m in (-1.0, 0.3):
        found = value_and_gradient(arrays, [False] * 3, m, limit=[False, False, True])[0]
        d = np.linspace(-8, 8, 81) * MISFIT
        each = [np.exp(by_quadrature(cell(values), m + x, misfit=1e-6)) * stats.norm.cdf((limit - m - x) / SPREAD)
                for x in d]  # fmt: skip
        exact = np.log(integrate.simpson(np.array(each) * stats.norm.pdf(d, 0, MISFIT), d))
        assert found == pytest.approx(exact, abs=3e-3)


@pytest.mark.parametrize("x", [-200.0, -31.0, -29.0, -3.0, 0.0, 4.0])
def test_the_lower_tail_of_a_normal(x):
    found, slope = compiled.below(x)
    assert found == pytest.approx(stats.norm.logcdf(x), rel=1e-5, abs=1e-12)
    assert slope == pytest.approx(np.exp(stats.norm.logpdf(x) - stats.norm.logcdf(x)), rel=1e-4)


MIXES = {
    "faint": (cell([0.4, -0.2, 1.1]), [False] * 3),
    "clear": (cell([2.4, 1.9, 3.1]), [True] * 3),
    "mixed": (cell([1.5, 0.2, 1.1]), [True, False, False]),
    "counts": (cell([4, 0, 30], counted=True), [False, False, True]),
    "limits": (cell([1.5, 0.2, -0.4]), [True, False, False], [False, False, True]),
}


@pytest.mark.parametrize("name", MIXES)
def test_the_gradient_is_that_of_the_value(name):
    arrays, clear, *more = MIXES[name]
    limit = more[0] if more else [False] * 3
    if name == "counts":
        arrays = arrays | {"cv_weight": np.full(3, 40.0)}  # overdispersion that can be seen
    point = np.concatenate([[0.1, -0.2, 0.3], [SPREAD, MISFIT], U])

    def at(x):
        return compiled.density(x[:3], x[3], x[4], x[5:], *arrays.values(), np.array(limit), np.array(clear),
                                np.array([0, 3]), *OUTER, *INNER, LEAST)  # fmt: skip

    gradient = at(point)[1:]
    for i, slope in enumerate(gradient):
        step = np.zeros_like(point)
        step[i] = 1e-5
        difference = (at(point + step)[0] - at(point - step)[0]) / 2e-5
        assert slope == pytest.approx(difference, rel=1e-5, abs=1e-6), f"{name}: entry {i}"
