"""The terms of readings and of controls as PyTensor sees them."""

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from readings import signals as made

from pbpk.infer.density.signal_terms import controls_of, controls_term, readings_term, terms_of
from pbpk.infer.density.signals import unknowns


@pytest.fixture(scope="module")
def signals():
    return made()


CELLS = np.array([0, 1, 1, 0, 2])  # of rows 0 to 4


def test_the_term_is_the_likelihood_and_its_gradient_is_its_own(signals):
    point = pt.dvector()
    m, spread, misfit, u = point[:5], point[5], point[6], point[7:]
    total = readings_term(*terms_of(signals, CELLS, np.full(5, np.nan)), m, spread, misfit, u)
    both = pytensor.function([point], [total, pt.grad(total, point)], mode="NUMBA")
    at = np.concatenate([np.log([2.0, 40.0, 140.0, 0.3, 55.0]), [0.2, 0.1], signals.shared.mean])
    value, gradient = both(at)
    assert np.isfinite(value)
    for i in range(len(at)):
        step = np.zeros_like(at)
        step[i] = 1e-5
        assert gradient[i] == pytest.approx((both(at + step)[0] - both(at - step)[0]) / 2e-5, rel=1e-4, abs=1e-5)


def test_the_controls_replace_the_normal_that_stands_for_them(signals):
    z = pt.dvector()
    term = controls_term(controls_of(signals), unknowns(signals, z, pt), z)
    both = pytensor.function([z], [term, pt.grad(term, z)], mode="NUMBA")
    assert both(np.zeros(4))[0] == pytest.approx(0.0, abs=1e-9)
    shared = signals.shared
    at = np.array([0.5, -1.0, 0.3, 0.8])
    by_hand = shared.log_density(unknowns(signals, at)) - shared.log_density(shared.mean) + 0.5 * at @ at
    value, gradient = both(at)
    assert value == pytest.approx(by_hand, abs=1e-9)
    for i in range(4):
        step = np.zeros(4)
        step[i] = 1e-5
        assert gradient[i] == pytest.approx((both(at + step)[0] - both(at - step)[0]) / 2e-5, rel=1e-4, abs=1e-6)
