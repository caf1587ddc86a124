import numpy as np
import pytest
from scipy import optimize, stats

from pbpk.assay.light.trace import Well
from pbpk.assay.plates.calibration import fit_calibration
from pbpk.assay.plates.matrix_effects import (
    carry_over,
    fit_by_matrix,
    hook_check,
    parallelism,
    slope_ratio,
    spike_recovery,
    standard_addition,
)
from pbpk.errors import AssayError

LEVELS = np.repeat([0.5, 1.0, 2.0, 5.0, 10.0, 20.0], 2)
SE = 0.01


def calibrate(rng, slope=0.3):
    y = 0.02 + slope * LEVELS * (1 + rng.normal(0, 0.03, 12)) + rng.normal(0, SE, 12)
    return fit_calibration(LEVELS, y, SE, blanks=0.02 + rng.normal(0, SE, 6), blank_se=SE)


@pytest.fixture(scope="module")
def water():
    return calibrate(np.random.default_rng(1))


def test_each_matrix_has_its_slope():
    rng = np.random.default_rng(2)
    left = {"buffer": 1.0, "liver": 0.6, "lung": 0.8}
    wells = [Well("p", f"{x}{m}", "standard", x, float(m)) for x in left for m in LEVELS]
    wells += [Well("p", f"b{x}{i}", "blank", x) for x in left for i in range(4)]
    held = np.array([well.nominal or 0.0 for well in wells])
    left_here = np.array([left[well.matrix] for well in wells])
    y = 0.02 + 0.3 * left_here * held * (1 + rng.normal(0, 0.03, len(held))) + rng.normal(0, SE, len(held))
    found = fit_by_matrix(wells, y, SE)
    ratios = found.ratios.set_index("matrix")
    for matrix in ("liver", "lung"):
        assert ratios.loc[matrix, "low"] < left[matrix] < ratios.loc[matrix, "high"] < 1.0
    assert tuple(ratios.loc["buffer", ["ratio", "low", "high"]]) == (1.0, 1.0, 1.0)
    assert found.curves["liver"].n_blanks == 4
    with pytest.raises(AssayError, match="no standards in `urine`"):
        fit_by_matrix(wells, y, SE, reference="urine")
    with pytest.raises(AssayError, match="matrix `buffer`"):
        fit_by_matrix(wells[:1], y[:1], SE)


def test_standard_addition_sees_through_a_dark_digest(water):
    """Matrix leaves 0.4 of the light: the curve in water is wrong by more than half, the additions are not."""
    rng, truth = np.random.default_rng(3), 5.0
    added = np.repeat([0.0, 2.5, 5.0, 10.0], 3)
    y = 0.02 + 0.4 * 0.3 * (truth + added) + rng.normal(0, SE, len(added))
    found = standard_addition(added, y, blank=0.02, blank_se=0.003)
    assert found.low < truth < found.high
    assert abs(found.value / truth - 1) < 0.1
    assert water.invert(float(y[:3].mean())).value < 0.5 * truth
    ratio = slope_ratio(added, y, water)
    assert ratio.low < 0.4 < ratio.high < 0.8


def test_error_of_a_standard_addition_is_that_of_the_line():
    """Against the covariance of slope and intercept from another least-squares routine."""
    x = np.array([0.0, 1.0, 2.0, 4.0, 8.0])
    y = np.array([1.1, 1.45, 2.15, 3.0, 5.2])
    (k, b), covariance = optimize.curve_fit(lambda m, k, b: k * m + b, x, y)
    blank, blank_se = 0.1, 0.05
    slopes = np.array([-(b - blank) / k**2, 1 / k])
    expected = np.sqrt(slopes @ covariance @ slopes + (blank_se / k) ** 2)
    found = standard_addition(x, y, blank, blank_se)
    assert (found.value, found.sd) == (pytest.approx((b - blank) / k, rel=1e-5), pytest.approx(expected, rel=1e-4))
    assert found.high - found.value == pytest.approx(expected * stats.t.ppf(0.975, 3), rel=1e-4)


def test_intervals_of_slope_ratios_cover(water):
    rng, added = np.random.default_rng(4), np.repeat([0.0, 2.5, 5.0, 10.0], 2)
    inside = 0
    for _ in range(100):
        here = calibrate(rng)
        ratio = slope_ratio(added, 0.02 + 0.12 * (5.0 + added) + rng.normal(0, 0.05, 8), here)
        inside += ratio.low < 0.4 < ratio.high
    assert 0.90 <= inside / 100 <= 0.99


def test_additions_that_say_nothing():
    with pytest.raises(AssayError, match="at least 3"):
        standard_addition([0.0, 1.0], [1.0, 2.0])
    with pytest.raises(AssayError, match="did not change"):
        standard_addition([0.0, 1.0, 2.0], [1.0, 1.0, 1.0])


def test_parallel_and_not(water):
    dilution = np.array([1.0, 2.0, 4.0, 8.0])
    straight = parallelism(dilution, water.curve.mean(16.0 / dilution), water)
    assert straight.cv == pytest.approx(0.0, abs=1e-9)
    assert straight.slope.value == pytest.approx(1.0)
    np.testing.assert_allclose(straight.amounts, 16.0)
    bent = parallelism(dilution, water.curve.mean(16.0 * dilution**-0.5), water)
    assert bent.slope.value == pytest.approx(0.5)
    amounts = 16.0 * dilution**0.5
    assert bent.cv == pytest.approx(amounts.std(ddof=1) / amounts.mean())
    assert (straight.passed, bent.passed) == (True, False)


def test_dilutions_that_say_nothing(water):
    with pytest.raises(AssayError, match="at least 3 dilutions"):
        parallelism([1.0, 2.0], [1.0, 0.5], water)
    with pytest.raises(AssayError, match="reads no label"):
        parallelism([1.0, 2.0, 4.0], [1.0, 0.5, -0.1], water)


def test_recovery_counts_what_two_wells_share():
    covariance = np.array([[0.04, 0.01], [0.01, 0.02]])
    found = spike_recovery(9.0, 1.0, covariance, 10.0, 0.5)
    assert found.value == pytest.approx(0.8)
    draws = np.random.default_rng(5).multivariate_normal([9.0, 1.0], covariance, 100_000)
    put_in = np.random.default_rng(6).normal(10.0, 0.5, 100_000)
    assert found.sd == pytest.approx(np.std((draws[:, 0] - draws[:, 1]) / put_in), rel=0.02)
    with pytest.raises(AssayError, match="added amount"):
        spike_recovery(9.0, 1.0, covariance, 0.0)


def hidden(m):
    """Label that hides itself: a fiftieth of the light is lost for each unit."""
    return 0.02 + 0.3 * m * np.exp(-0.02 * m)


def test_a_hook_is_flagged_and_the_diluted_sample_recovers(water):
    found = hook_check([50.0, 1.0, 10.0], hidden(100.0 / np.array([50.0, 1.0, 10.0])), SE, water)
    assert found.flagged
    assert list(found.table["dilution"]) == [1.0, 10.0, 50.0]
    assert list(found.table["flagged"]) == [False, True, True]
    amounts = found.table["amount"].to_numpy()
    assert amounts[0] < 20.0
    assert amounts[2] == pytest.approx(100.0, rel=0.1)


def test_no_hook_where_there_is_none(water):
    dilution = np.array([1.0, 2.0, 5.0])
    assert not hook_check(dilution, water.curve.mean(10.0 / dilution), SE, water).flagged
    noisy = water.curve.mean(0.2 / dilution) + np.array([0.0, 0.01, 0.01])
    found = hook_check(dilution, noisy, SE, water)
    assert found.table["rise"].max() > 0.15  # but no more than the noise of so little label
    assert not found.flagged


def test_a_hook_needs_two_dilutions(water):
    with pytest.raises(AssayError, match="two dilutions"):
        hook_check([1.0, 1.0], [1.0, 1.0], SE, water)


def test_carry_over_is_a_share_of_the_lowest_standard():
    found = carry_over([0.05, 0.07], [0.24, 0.20], [0.01, 0.03])
    assert found.share == pytest.approx(0.04 / 0.20)
    assert carry_over(0.0599, 0.22, 0.02).passed
    assert not carry_over(0.0601, 0.22, 0.02).passed
    with pytest.raises(AssayError, match="no scale"):
        carry_over(0.1, 0.02, 0.02)
