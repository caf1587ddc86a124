import numpy as np
import pytest
from scipy import stats

from pbpk.assay.light.trace import Well
from pbpk.assay.plates.calibration import Calibration, estimate, fit_calibration, fit_wells, m10_curve
from pbpk.assay.plates.curve import Curve
from pbpk.errors import AssayError

LEVELS = np.repeat([0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0], 2)
TRUE_LINE = Curve("linear", np.array([0.02, 0.3]))
TRUE_HILL = Curve("4pl", np.array([0.02, 20.0, np.log(40.0), np.log(1.2)]))
S0, CV, SE = 0.05, 0.05, 0.02


def read(rng, curve, m):
    """Amplitudes of wells that hold m: pipetting, digest, trace."""
    m = np.asarray(m, float)
    rise = (curve.mean(m) - curve.mean(0.0)) * (1 + rng.normal(0, CV, m.shape))
    return curve.mean(0.0) + rise + rng.normal(0, S0, m.shape) + rng.normal(0, SE, m.shape)


def calibrate(rng, curve, n_blanks=8, **known):
    blanks = read(rng, curve, np.zeros(n_blanks))
    y = read(rng, curve, LEVELS)
    return fit_calibration(LEVELS, y, SE, curve.kind, blanks=blanks, blank_se=SE, **known)


@pytest.fixture(scope="module")
def line():
    return calibrate(np.random.default_rng(1), TRUE_LINE)


@pytest.fixture(scope="module")
def hill():
    return calibrate(np.random.default_rng(2), TRUE_HILL)


def test_with_one_scatter_it_is_ordinary_least_squares():
    y = 0.02 + 0.3 * LEVELS + np.random.default_rng(3).normal(0, 0.2, len(LEVELS))
    fitted, known = fit_calibration(LEVELS, y, cv=0.0), stats.linregress(LEVELS, y)
    np.testing.assert_allclose(fitted.curve.parameters, [known.intercept, known.slope], rtol=1e-6)
    sds = np.sqrt(np.diag(fitted.curve_covariance))
    np.testing.assert_allclose(sds, [known.intercept_stderr, known.stderr], rtol=1e-4)
    residual = y - known.intercept - known.slope * LEVELS
    np.testing.assert_allclose(fitted.s0, np.sqrt(residual @ residual / (len(y) - 2)), rtol=1e-4)


@pytest.mark.parametrize("replicates", [1, 3])
def test_inverse_prediction_has_the_classical_error(replicates):
    y = 0.02 + 0.3 * LEVELS + np.random.default_rng(3).normal(0, 0.2, len(LEVELS))
    fitted, n, read_at = fit_calibration(LEVELS, y, cv=0.0), len(LEVELS), 5.0
    k, b = np.polyfit(LEVELS, y, 1)
    s_yx = np.sqrt(np.sum((y - b - k * LEVELS) ** 2) / (n - 2))
    sxx = np.sum((LEVELS - LEVELS.mean()) ** 2)
    expected = s_yx / k * np.sqrt(1 / replicates + 1 / n + (read_at - y.mean()) ** 2 / (k**2 * sxx))
    found = fitted.invert(read_at, replicates=replicates)
    np.testing.assert_allclose([found.value, found.sd], [(read_at - b) / k, expected], rtol=1e-4)
    t = stats.t.ppf(0.975, n - 2)
    np.testing.assert_allclose([found.low, found.high], found.value + expected * t * np.array([-1, 1]), rtol=1e-4)


def test_known_variances_are_weighted_least_squares():
    rng = np.random.default_rng(4)
    se = 0.05 * LEVELS
    y = 0.02 + 0.3 * LEVELS + rng.normal(0, se)
    fitted = fit_calibration(LEVELS, y, se, s0=0.0, cv=0.0)
    design = np.stack([np.ones_like(LEVELS), LEVELS], axis=1) / se[:, None]
    expected, *_ = np.linalg.lstsq(design, y / se, rcond=None)
    np.testing.assert_allclose(fitted.curve.parameters, expected, rtol=1e-5)
    np.testing.assert_allclose(fitted.curve_covariance, np.linalg.inv(design.T @ design), rtol=1e-3)


def test_scatter_of_blanks_and_of_pipetting_are_told_apart():
    rng = np.random.default_rng(5)
    m = np.repeat(LEVELS, 20)
    fitted = fit_calibration(m, read(rng, TRUE_LINE, m), SE, blanks=read(rng, TRUE_LINE, np.zeros(200)), blank_se=SE)
    assert fitted.s0 == pytest.approx(S0, rel=0.15)
    assert fitted.cv == pytest.approx(CV, rel=0.15)
    assert (fitted.n, fitted.n_blanks, fitted.lowest, fitted.highest) == (520, 200, 0.5, 100.0)


def test_scatter_that_traces_explain_is_not_found_again():
    rng = np.random.default_rng(6)
    y = TRUE_LINE.mean(LEVELS) + rng.normal(0, 0.2, len(LEVELS)) * 0.5
    fitted = fit_calibration(LEVELS, y, 0.2)
    assert fitted.s0 < 0.02
    assert fitted.cv < 0.01
    assert np.isfinite(fitted.covariance).all()


def test_blanks_narrow_the_intercept(line):
    rng = np.random.default_rng(1)
    read(rng, TRUE_LINE, np.zeros(8))
    without = fit_calibration(LEVELS, read(rng, TRUE_LINE, LEVELS), SE)
    assert line.covariance[0, 0] < without.covariance[0, 0]


def test_degrees_of_freedom_are_those_of_the_wells_that_tell(line):
    y = TRUE_LINE.mean(LEVELS) + np.random.default_rng(3).normal(0, 0.2, len(LEVELS))
    assert fit_calibration(LEVELS, y, cv=0.0).degrees_at(5.0) == pytest.approx(len(LEVELS) - 2, rel=1e-3)
    assert fit_calibration(LEVELS, y, s0=0.2, cv=0.0).degrees_at(5.0) == np.inf
    assert 1.0 < line.degrees_at(100.0) < line.degrees
    assert line.degrees_at(100.0, 10.0) > line.degrees_at(100.0)  # a noisy trace whose noise is known


@pytest.mark.parametrize(("curve", "held"), [(TRUE_LINE, [0.0, 3.0, 30.0]), (TRUE_HILL, [1.0, 3.0, 8.0, 20.0, 40.0])])
def test_intervals_cover(curve, held):
    """Of inverted amounts, over plates: 92 to 98 % of 95 % intervals hold the truth."""
    rng = np.random.default_rng(7)
    held = np.array(held)
    inside = []
    for _ in range(250 if curve is TRUE_LINE else 60):
        fitted = calibrate(rng, curve)
        found = [fitted.invert(float(y), SE) for y in read(rng, curve, held)]
        inside += [one.low <= m <= one.high for one, m in zip(found, held, strict=True)]
    assert 0.92 <= np.mean(inside) <= 0.98


def test_wells_that_share_a_curve_are_wrong_together():
    """Covariance of two wells against plates drawn anew."""
    rng = np.random.default_rng(8)
    held = np.array([20.0, 60.0])
    y = TRUE_LINE.mean(held)  # the wells themselves exact: what is left is the curve's
    found, told = [], []
    for _ in range(300):
        fitted = calibrate(rng, TRUE_LINE, s0=S0, cv=CV)
        value, covariance = fitted.invert_many(y, SE)
        found.append(value)
        told.append(covariance)
    drawn, mean = np.cov(np.array(found).T), np.mean(told, axis=0)
    assert mean[0, 1] > 0.0
    assert drawn[0, 1] == pytest.approx(mean[0, 1], rel=0.25)  # 8 % is one standard error of 300 draws
    own = ((S0**2 + SE**2) + (CV * 0.3 * held) ** 2) / 0.3**2
    np.testing.assert_allclose(np.diag(mean) - own, np.diag(drawn), rtol=0.25)


def test_one_well_alone_and_among_others_is_the_same(hill):
    values, covariance = hill.invert_many([0.5, 3.0, 9.0], [SE, SE, SE])
    one = hill.invert(3.0, SE)
    assert (one.value, one.sd) == pytest.approx((values[1], np.sqrt(covariance[1, 1])), rel=1e-13)
    assert np.linalg.eigvalsh(covariance).min() > 0.0


def test_the_delta_method_is_that_of_small_steps(hill):
    step, y = 1e-5, np.array([3.0, 9.0])
    slopes = []
    for move in np.eye(4) * step:
        up, down = (Curve("4pl", hill.curve.parameters + sign * move).inverse(y) for sign in (1, -1))
        slopes.append((up - down) / (2 * step))
    expected = np.array(slopes).T @ hill.curve_covariance @ np.array(slopes)
    assert hill.invert_many(y)[1][0, 1] == pytest.approx(expected[0, 1], rel=1e-4)


def test_four_parameters_are_found(hill):
    sd = np.sqrt(np.diag(hill.curve_covariance))
    assert (np.abs(hill.curve.parameters - TRUE_HILL.parameters) < 3 * sd).all()
    predicted = hill.predict([1.0, 30.0], SE)
    np.testing.assert_allclose(hill.curve.inverse(predicted.amplitude), [1.0, 30.0])
    assert (predicted.well_sd > predicted.curve_sd).all()


def test_a_well_beyond_the_plateau_is_infinitely_doubtful(hill):
    value, covariance = hill.invert_many([3.0, 50.0])
    assert value[1] == np.inf
    assert covariance[1, 1] == np.inf
    assert np.isfinite(value[0])
    assert np.isfinite(covariance[0]).all()


def test_a_signed_amplitude_stays_signed(line):
    found = line.invert(-0.2, SE)
    assert found.value < 0.0 < found.sd
    assert list(line.in_range([found.value, 0.5, 50.0, 101.0])) == [False, True, True, False]


def test_prediction_of_a_line_is_the_textbook_band(line):
    x = np.array([1.0, 7.0])
    predicted = line.predict(7.0)
    variance = x @ line.curve_covariance @ x
    noise = line.s0**2 + (line.cv * 7.0 * line.curve.parameters[1]) ** 2
    assert float(predicted.curve_sd) ** 2 == pytest.approx(variance)
    assert float(predicted.well_sd) ** 2 == pytest.approx(variance + noise)


def test_units_of_light_and_of_label_do_not_matter(line):
    rng = np.random.default_rng(1)
    blanks, y = read(rng, TRUE_LINE, np.zeros(8)), read(rng, TRUE_LINE, LEVELS)
    other = fit_calibration(LEVELS * 1e6, y * 1e-4, SE * 1e-4, blanks=blanks * 1e-4, blank_se=SE * 1e-4)
    one, same = line.invert(3.0, SE), other.invert(3e-4, SE * 1e-4)
    np.testing.assert_allclose([same.value / 1e6, same.sd / 1e6], [one.value, one.sd], rtol=1e-4)


def test_the_curve_for_acceptance_leaves_blanks_out():
    rng = np.random.default_rng(9)
    y = read(rng, TRUE_LINE, LEVELS)
    known = np.linalg.lstsq(
        np.stack([1 / LEVELS, np.ones_like(LEVELS)], axis=1), y / LEVELS, rcond=None
    )[0]  # fmt: skip
    curve = m10_curve(np.append(LEVELS, 0.0), np.append(y, 99.0))
    np.testing.assert_allclose(curve.parameters, known, rtol=1e-8)


def test_the_curve_for_acceptance_can_use_the_variance_function(line, hill):
    y = TRUE_LINE.mean(LEVELS) + 0.1 * np.sin(LEVELS)
    by_variance, by_x = m10_curve(LEVELS, y, calibration=line), m10_curve(LEVELS, y)
    known = np.polyfit(LEVELS, y, 1, w=1 / np.sqrt(line.s0**2 + (line.cv * line.curve.parameters[1] * LEVELS) ** 2))
    np.testing.assert_allclose(by_variance.parameters, known[::-1], rtol=1e-8)
    assert not np.allclose(by_variance.parameters, by_x.parameters, rtol=1e-3)
    exact = m10_curve(LEVELS, TRUE_HILL.mean(LEVELS), "4pl", hill)
    np.testing.assert_allclose(exact.inverse(TRUE_HILL.mean(LEVELS)), LEVELS, rtol=1e-5)


def wells(**change):
    known = [Well("p1", f"A{i}", "standard", nominal=float(m), unit="ng") for i, m in enumerate(LEVELS)]
    return [
        *known[:-1],
        Well(**{**known[-1].__dict__, **change}),
        Well("p1", "H1", "blank"),
        Well("p1", "H2", "sample"),
    ]


def test_wells_are_sorted_by_role():
    y = np.append(read(np.random.default_rng(10), TRUE_LINE, LEVELS), [0.03, 77.0])
    fitted = fit_wells(wells(), y, SE)
    direct = fit_calibration(LEVELS, y[:16], SE, blanks=[0.03], blank_se=SE, unit="ng")
    assert isinstance(fitted, Calibration)
    np.testing.assert_allclose(fitted.curve.parameters, direct.curve.parameters)
    assert (fitted.unit, fitted.n_blanks) == ("ng", 1)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"nominal": None}, "A15: a standard needs"),
        ({"dilution": 10.0}, "dilution and fraction 1"),
        ({"unit": "cells"}, "cells, ng"),
    ],
)
def test_wells_that_cannot_calibrate(change, said):
    with pytest.raises(AssayError, match=said):
        fit_wells(wells(**change), np.ones(18))


@pytest.mark.parametrize("seed", range(8, 18))
def test_a_straight_line_is_not_four_parameters(seed):
    y = 0.3 * LEVELS * (1 + np.random.default_rng(seed).normal(0, 0.03, len(LEVELS)))
    with pytest.raises(AssayError, match="straight line"):
        fit_calibration(LEVELS, y, SE, "4pl")


@pytest.mark.parametrize(
    ("nominal", "amplitude", "said"),
    [
        ([1.0, 1.0, 1.0, 1.0], [1.0, 2.0, 1.0, 2.0], "at least 2 levels"),
        ([1.0, 2.0, 3.0, 4.0], [1.0, 1.0, 1.0, 1.0], "differ"),
        ([1.0, 2.0, 3.0, np.nan], [1.0, 2.0, 3.0, 4.0], "finite"),
        ([-1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 4.0], "negative"),
    ],
)
def test_wells_that_are_no_calibration(nominal, amplitude, said):
    with pytest.raises(AssayError, match=said):
        fit_calibration(nominal, amplitude)


def test_an_estimate_is_students():
    assert estimate(1.0, 2.0, 10).high == pytest.approx(1.0 + 2.0 * 2.228139, rel=1e-6)
