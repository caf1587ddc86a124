"""Terminal slopes: of exponentials exactly, which points are taken, and when there is none."""

import numpy as np
import pytest
from scipy.stats import linregress

from pbpk.predict.noncompartmental.rules import Rules
from pbpk.predict.noncompartmental.slope import terminal_slope


def test_an_exponential_is_its_own_slope_and_takes_all_points_after_the_peak():
    hours = np.array([0.0, 1.0, 2.0, 5.0, 9.0])
    line = terminal_slope(hours, 7.0 * np.exp(-0.3 * hours))
    assert line.rate == pytest.approx(0.3, rel=1e-12)
    assert line.half_life == pytest.approx(np.log(2.0) / 0.3)
    assert np.exp(line.intercept) == pytest.approx(7.0)
    assert (line.points, line.first, line.last) == (4.0, 1.0, 9.0)
    assert terminal_slope(hours, 7.0 * np.exp(-0.3 * hours), peak_too=True).points == 5.0
    assert line.predicted(20.0) == pytest.approx(7.0 * np.exp(-6.0))
    assert line.span == pytest.approx(8.0 * 0.3 / np.log(2.0))


def test_two_exponentials_end_with_the_slow_one():
    hours = np.array([0.1, 0.5, 1.0, 2.0, 10.0, 20.0, 30.0, 40.0])
    line = terminal_slope(hours, 100.0 * np.exp(-3.0 * hours) + np.exp(-0.1 * hours))
    assert line.rate == pytest.approx(0.1, rel=1e-9)
    assert line.points == 4.0


def test_the_line_is_that_of_least_squares():
    rng = np.random.default_rng(1)
    hours = np.array([1.0, 2.0, 4.0, 8.0, 12.0, 24.0])
    values = 5.0 * np.exp(-0.1 * hours) * np.exp(0.2 * rng.standard_normal((20, 6)))
    for tail in (3, 4, 5):
        line = terminal_slope(hours, values, Rules(tail=tail))
        for i, own in enumerate(values):
            by_scipy = linregress(hours[-tail:], np.log(own[-tail:]))
            if by_scipy.slope < 0.0:
                assert line.rate[i] == pytest.approx(-by_scipy.slope)
                assert line.intercept[i] == pytest.approx(by_scipy.intercept)
                assert line.r2[i] == pytest.approx(by_scipy.rvalue**2)
            else:
                assert np.isnan(line.rate[i])


def test_many_curves_are_each_one():
    rng = np.random.default_rng(2)
    hours = np.array([0.5, 1.0, 2.0, 4.0, 8.0, 12.0, 24.0])
    values = np.exp(-0.1 * hours + 0.5 * rng.standard_normal((50, 7)))
    together = terminal_slope(hours, values)
    for i, own in enumerate(values):
        alone = terminal_slope(hours, own)
        for name in ("rate", "points", "r2_adjusted", "first"):
            np.testing.assert_array_equal(getattr(alone, name), getattr(together, name)[i])


def test_of_lines_about_as_good_that_with_most_points_is_taken():
    """Four points whose adjusted R2 is best by less than the tolerance give way to five."""
    hours = np.arange(6.0)
    logs = -0.5 * hours + np.array([0.0, 3e-3, 0.0, 0.0, 0.0, 0.0])
    assert terminal_slope(hours, np.exp(logs)).points == 5.0
    assert terminal_slope(hours, np.exp(logs), Rules(tolerance=1e-9)).points == 4.0


@pytest.mark.parametrize(
    "values",
    [
        [1.0, 2.0, 4.0, 8.0],  # rises to the end
        [1.0, 9.0, 5.0, 2.0],  # two points after the peak
        [3.0, 3.0, 3.0, 3.0],  # flat: no R2
        [9.0, 1.0, 0.0, 0.0],  # reaches zero
        [1.0, 2.0],
        [],
    ],
)
def test_where_nothing_falls_there_is_no_slope(values):
    line = terminal_slope(np.arange(float(len(values))), np.array(values))
    assert np.isnan(line.rate)
    assert np.isnan(line.half_life)
