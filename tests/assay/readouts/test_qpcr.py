import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbpk.assay.readouts.qpcr import StandardCurve, fit_standard_curve, qpcr_limit, qpcr_signals
from pbpk.errors import AssayError, StudyError

PUBLISHED = StandardCurve(38.163, 3.526, np.zeros((2, 2)), 0.0, 10.0, 3.0)  # doi 10.1186/s13287-015-0036-y, Fig 2
LEVELS = np.repeat(10.0 ** np.arange(2, 7), 3)


def test_efficiency_of_a_published_curve():
    assert PUBLISHED.efficiency.value == pytest.approx(0.921, abs=5e-4)


def test_doubling_is_an_efficiency_of_one():
    assert StandardCurve(38.0, 1.0 / math.log10(2.0), np.zeros((2, 2)), 0.0, 9.0, 3.0).efficiency.value == (
        pytest.approx(1.0)
    )


@given(st.floats(-1.0, 9.0), st.floats(2.5, 5.0), st.floats(25.0, 45.0))
def test_cycles_and_copies_are_there_and_back(log10, slope, intercept):
    curve = StandardCurve(intercept, slope, np.zeros((2, 2)), 0.0, 5.0, 3.0)
    assert curve.copies(float(curve.ct(10.0**log10))).value == pytest.approx(10.0**log10, rel=1e-9)


def test_a_curve_without_scatter_is_found():
    curve = fit_standard_curve(LEVELS, PUBLISHED.ct(LEVELS))
    assert (curve.intercept, curve.slope) == pytest.approx((38.163, 3.526))
    assert curve.ct_sd == pytest.approx(0.0, abs=1e-6)


def test_covariance_is_that_of_repeated_fits():
    rng = np.random.default_rng(4)
    fits = [fit_standard_curve(LEVELS, rng.normal(PUBLISHED.ct(LEVELS), 0.2)) for _ in range(3000)]
    seen = np.cov([(fit.intercept, fit.slope) for fit in fits], rowvar=False)
    said = np.mean([fit.covariance for fit in fits], axis=0)
    np.testing.assert_allclose(said, seen, rtol=0.1)
    assert np.corrcoef([(f.intercept - f.slope * f.centre, f.slope) for f in fits], rowvar=False)[0, 1] == (
        pytest.approx(0.0, abs=0.06)
    )


def test_intervals_of_copies_cycles_and_efficiency_cover():
    rng = np.random.default_rng(5)
    inside = np.zeros(3)
    for _ in range(1500):
        curve = fit_standard_curve(LEVELS, rng.normal(PUBLISHED.ct(LEVELS), 0.2))
        copies = curve.copies(float(rng.normal(PUBLISHED.ct(3e3), 0.2 / math.sqrt(2))), replicates=2)
        ct, efficiency = curve.ct_reading(50.0), curve.efficiency
        inside += (
            copies.low < 3e3 < copies.high,
            ct.low < rng.normal(PUBLISHED.ct(50.0), 0.2) < ct.high,
            efficiency.low < PUBLISHED.efficiency.value < efficiency.high,
        )
    assert inside / 1500 == pytest.approx(0.95, abs=0.02)


def test_no_copy_no_ct():
    assert PUBLISHED.no_ct_probability([0.0, 1.0, 3.0]) == pytest.approx(np.exp([0.0, -1.0, -3.0]))
    assert PUBLISHED.no_ct_probability(2.0, cycles=45.0) == pytest.approx(math.exp(-2.0))
    # one copy crosses at 38.2: with 36 cycles it is never seen
    assert PUBLISHED.no_ct_probability(0.01, cycles=36.0) == pytest.approx(1.0)
    assert PUBLISHED.no_ct_probability(1e6, cycles=36.0) == pytest.approx(0.0)


@pytest.mark.parametrize(
    ("copies", "ct", "said"),
    [
        ([10, 100, 1000], [34, 31, 27], "needs 4 reactions at two levels or more; 3 reactions at 3 levels"),
        ([10, 10, 10, 10], [34, 34, 34, 34], "4 reactions at 1 levels"),
        ([10, 100, 1e3, 1e4], [20, 24, 27, 31], "does not fall with their copies"),
        ([10, 100, 1e3, 0], [31, 27, 24, 40], "one positive number of copies"),
        ([10, 100, 1e3], [31, 27, 24, 40], "one Ct"),
    ],
)
def test_standards_that_make_no_curve(copies, ct, said):
    with pytest.raises(AssayError, match=said):
        fit_standard_curve(copies, ct)


def test_a_row_in_closed_form(readouts, written):
    settings = readouts(qpcr={"standards": []}).qpcr
    signals = qpcr_signals([written(value=900.0, fraction=0.05)], settings)
    amount, own, _ = signals.estimates()
    per_percent = 5e5 / 100.0 * 0.05 * 2.0 * 0.6
    assert amount == pytest.approx([900.0 / per_percent])
    assert own == pytest.approx([math.sqrt(900.0 + (0.15 * 900.0) ** 2) / per_percent])
    shared = amount[0] ** 2 * (0.01**2 + 0.15**2)
    assert signals.covariance()[0, 0] == pytest.approx(own[0] ** 2 + shared)


def test_no_ct_is_a_count_of_zero(readouts, written):
    signals = qpcr_signals([written(value=0.0, fraction=1e-4)], readouts().qpcr)
    amount, own, _ = signals.estimates()
    assert amount == pytest.approx([0.0])
    assert own == pytest.approx([1.0 / (5e3 * 1e-4 * 1.2)])
    assert signals.response.counted.all()


def test_a_wrong_curve_moves_all_rows_as_it_moves_their_copies(readouts, written):
    """Copies read off a curve whose level and slope are off by little are those that the gain says."""
    settings = readouts().qpcr
    curve = fit_standard_curve([s.copies for s in settings.standards], [s.ct for s in settings.standards])
    true = np.array([3e2, 5e4])
    level, slope = 0.02, -0.01  # true curve less the fitted one
    ct = curve.intercept - curve.slope * curve.centre + level - (curve.slope + slope) * (np.log10(true) - curve.centre)
    read = [curve.copies(float(each)).value for each in ct]
    signals = qpcr_signals([written(value=value, number=i) for i, value in enumerate(read)], settings)
    u = signals.shared.mean.copy()
    u[3:] = level, slope
    expected = signals.response.rise(u, 1.0) / signals.response.rise(signals.shared.mean, 1.0)
    assert expected == pytest.approx(read / true, rel=1e-3)


def test_estimates_agree_with_simulated_organs(readouts, written, agreement):
    settings = readouts(qpcr={"cv": {"median": 0.1, "sigma": 0.01, "source": "x"}, "standards": []}).qpcr
    percent, fraction = 0.2, 0.05

    def once(rng):
        of_yield = 0.6 * math.exp(rng.normal(0.0, 0.15))
        extract = 5e5 * percent / 100.0 * fraction * 2.0 * of_yield * rng.gamma(100.0, 0.01)
        signals = qpcr_signals([written(value=float(rng.poisson(extract)), fraction=fraction)], settings)
        return signals.estimates()[0][0], math.sqrt(signals.covariance()[0, 0])

    bias, error, covered = agreement(once, percent)
    assert abs(bias - (math.exp(0.15**2 / 2) - 1.0)) < 3.0 * error
    assert 0.9 < covered < 0.98


def test_limits_are_those_of_the_row_or_of_the_method_per_gram(readouts, written):
    settings = readouts().qpcr
    row = written(value=None, below_lloq=True, lloq=30.0, fraction=0.1)
    assert qpcr_limit(row, settings, None) == pytest.approx(30.0 / (5e3 * 0.1 * 1.2))
    of_method = type(row)(2, row.row.model_copy(update={"lloq": None}), row.place, row.cells_given)
    assert qpcr_limit(of_method, settings, 0.2) == pytest.approx(100.0 * 0.2 / 5e5 * 100.0)
    with pytest.raises(StudyError, match="row 2: the detection limit of qPCR is per gram and `lung` has no weight"):
        qpcr_limit(of_method, settings, None)
