"""The tail of the normal that limits are made of, with its slope, against arbitrary precision."""

import mpmath
import numpy as np
import pytest

from pbpk.infer.density.row_tails import DEEP, HIGH, NODES, PER, TERMS, below


def exact(z):
    """Log Phi and its slope, to 40 digits."""
    with mpmath.workdps(60):
        z = mpmath.mpf(float(z))
        value = mpmath.log(mpmath.erfc(-z / mpmath.sqrt(2)) / 2)
        return float(value), float(mpmath.exp(-z * z / 2 - value) / mpmath.sqrt(2 * mpmath.pi))


@pytest.mark.parametrize("z", [*np.linspace(-29.97, 8.4, 60), DEEP + 0.5 / PER, -1.0 - 0.499999 / PER, 0.5 / PER])
def test_between_the_ends(z):
    value, slope = below(z)
    assert value == pytest.approx(exact(z)[0], rel=2e-14, abs=1e-16)
    assert slope == pytest.approx(exact(z)[1], rel=1e-9, abs=1e-15)


@pytest.mark.parametrize("z", [-1e6, -300.0, np.nextafter(DEEP, -99.0), np.nextafter(HIGH, 99.0), 20.0, 37.0])
def test_beyond_the_ends(z):
    value, slope = below(z)
    assert value == pytest.approx(exact(z)[0], rel=1e-5 if z > 0.0 else 1e-12)
    assert slope == pytest.approx(exact(z)[1], rel=1e-5 if z > 0.0 else 1e-10)


def test_the_ends_meet_the_nodes():
    for end in (DEEP, HIGH):
        inner, outer = below(np.nextafter(end, 0.0)), below(np.nextafter(end, 99.0 * np.sign(end)))
        assert inner == pytest.approx(outer, rel=1e-6, abs=1e-17)


def test_nothing_is_lost_without_a_number():
    assert np.isnan(below(np.nan)[0])
    assert below(np.inf) == (0.0, 0.0)
    assert below(-np.inf)[0] == -np.inf


def test_a_term_more_would_change_nothing():
    """The last coefficient, at the farthest from its node, is rounding beside the first."""
    last = np.abs(NODES[:, TERMS]) * (0.5 / PER) ** (TERMS - 1)
    assert (last < 1e-11 * np.maximum(np.abs(NODES[:, 1]), 1e-6)).all()
