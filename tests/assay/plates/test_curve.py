import numpy as np
import pytest

from pbpk.assay.plates.curve import Curve, starts

LINE = Curve("linear", np.array([0.02, 0.3]))
HILL = Curve("4pl", np.array([0.02, 20.0, np.log(40.0), np.log(1.3)]))
FALLING = Curve("4pl", np.array([0.02, -20.0, np.log(40.0), np.log(0.8)]))


def test_four_parameters_as_they_are_usually_written():
    m, (a, d, c, steepness) = np.array([0.5, 10.0, 90.0]), (0.02, 20.0, 40.0, 1.3)
    np.testing.assert_allclose(HILL.mean(m), d + (a - d) / (1 + (m / c) ** steepness))
    y = HILL.mean(m)
    np.testing.assert_allclose(HILL.inverse(y), c * ((a - d) / (y - d) - 1) ** (1 / steepness))


@pytest.mark.parametrize("curve", [LINE, HILL, FALLING])
def test_there_and_back_and_one_way_only(curve):
    m = np.concatenate([-np.geomspace(30, 1e-3, 40), [0.0], np.geomspace(1e-3, 400, 80)])
    y = curve.mean(m)
    np.testing.assert_allclose(curve.inverse(y), m, rtol=1e-8, atol=1e-9)
    assert len(set(np.sign(np.diff(y)))) == 1


@pytest.mark.parametrize("curve", [LINE, HILL, FALLING])
def test_derivatives_are_those_of_small_steps(curve):
    m, h = np.array([-3.0, 0.4, 7.0, 120.0]), 1e-6
    np.testing.assert_allclose(curve.slope(m), (curve.mean(m + h) - curve.mean(m - h)) / (2 * h), rtol=1e-6)
    for i in range(len(curve.parameters)):
        move = h * np.eye(len(curve.parameters))[i]
        up, down = Curve(curve.kind, curve.parameters + move), Curve(curve.kind, curve.parameters - move)
        np.testing.assert_allclose(curve.jacobian(m)[:, i], (up.mean(m) - down.mean(m)) / (2 * h), rtol=1e-6, atol=1e-8)


def test_beyond_a_plateau_there_is_no_amount():
    assert HILL.inverse(20.0) == np.inf
    assert HILL.inverse(25.0) == np.inf
    assert HILL.inverse(-25.0) == -np.inf


def test_a_search_for_a_line_starts_at_the_answer():
    m = np.array([1.0, 2.0, 4.0])
    np.testing.assert_allclose(starts(m, 0.1 + 0.2 * m, "linear")[0], [0.1, 0.8])
