import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pbpk.assay.measurements import MeasurementRow
from pbpk.assay.readouts.tally import count_limits, count_signals
from pbpk.errors import StudyError

ROWS = {
    "copies": {"value": 900.5, "readout": "dna", "fraction": 0.05},
    "counts": {"value": 9000, "readout": "label", "seconds": 120, "counted_hours": 30},
    "events": {"value": 300, "readout": "live", "acquired": 100000, "fraction": 0.1},
    "profiles": {"value": 60, "readout": "label", "fraction": 0.002},
}


def row(unit, **changes):
    given = {"group": "a", "animal": "1", "organ": "lung", "hours": 24, "unit": unit, **ROWS[unit], **changes}
    return MeasurementRow.model_validate(given)


def signals(settings, rows):
    return count_signals(settings, rows, "measurements.csv", lambda _: 5e5)


@given(st.permutations(["copies", "counts", "events", "profiles", "counts", "copies"]))
def test_readings_stand_in_the_order_of_their_rows(readouts, units):
    rows = [(10 + i, row(unit)) for i, unit in enumerate(units)]
    together = signals(readouts(), rows)
    assert together.rows.tolist() == [number for number, _ in rows]
    amount, own, _ = together.estimates()
    for i, unit in enumerate(units):
        alone = signals(readouts(), [(0, row(unit))]).estimates()
        assert (amount[i], own[i]) == pytest.approx((alone[0][0], alone[1][0]))


def test_instruments_share_nothing_and_rows_of_one_do(readouts):
    covariance = signals(readouts(), list(enumerate([row("copies"), row("events"), row("copies")]))).covariance()
    assert covariance[0, 1] == covariance[1, 2] == 0.0
    assert covariance[0, 2] > 0.0


def test_isotope_counts_need_no_cells(readouts):
    def unknown(_):
        raise StudyError("the dose is not known.")

    assert len(count_signals(readouts(), [(2, row("counts"))], "measurements.csv", unknown).rows) == 1
    with pytest.raises(StudyError, match="the dose is not known"):
        count_signals(readouts(), [(2, row("copies"))], "measurements.csv", unknown)


def test_no_rows_no_readings(readouts):
    assert len(signals(readouts(), []).rows) == 0


def test_a_censored_row_is_a_limit_and_no_reading(readouts):
    rows = [(2, row("copies")), (3, row("copies", value=None, below_lloq=True, lloq=30.0)), (4, row("counts"))]
    assert signals(readouts(), rows).rows.tolist() == [2, 4]
    limits = count_limits(readouts(), rows, "measurements.csv", lambda _: 5e5, lambda _: 0.2)
    assert limits == pytest.approx({3: 30.0 / (5e3 * 0.05 * 1.2)})
    assert count_limits(readouts(), [(2, row("counts"))], "measurements.csv", lambda _: 5e5, lambda _: None) == {}


@pytest.mark.parametrize(
    ("unit", "changes", "said"),
    [
        ("copies", {"readout": "live"}, "row 2: the readout is `live`, but copies are DNA, .*; write `dna`"),
        ("counts", {"readout": "live"}, "write `label`"),
        ("events", {"readout": "label"}, "write `live`"),
        ("profiles", {"readout": "dna"}, "write `label`"),
        ("counts", {"value": None, "low": 1, "high": 2}, "give each animal its own row"),
        ("events", {"animal": "", "sd": 3, "n": 4}, "give each animal its own row"),
        ("events", {"animal": "", "n": 4}, "give each animal its own row"),
        ("counts", {"value": None, "below_lloq": True, "lloq": 3}, "a count needs no limit"),
        ("profiles", {"value": 3.5}, "row 2: 3.5 is not a whole number"),
    ],
)
def test_rows_that_no_instrument_gives(readouts, unit, changes, said):
    with pytest.raises(StudyError, match=said):
        signals(readouts(), [(2, row(unit, **changes))])


@pytest.mark.parametrize(
    ("unit", "block"), [("copies", "qpcr"), ("counts", "gamma"), ("events", "flow"), ("profiles", "sections")]
)
def test_missing_settings_are_named(readouts, unit, block):
    with pytest.raises(StudyError, match=rf"row 2: the value is in {unit}, .*; add \[readouts.{block}\] there"):
        signals(readouts(**{block: None}), [(2, row(unit))])


def of_likelihood(some, grid, rng):
    """95 % interval of the first amount under a flat prior of its logarithm, all unknowns drawn and integrated out."""
    r, shared = some.response, some.shared
    u = rng.multivariate_normal(shared.mean, shared.covariance, 150)  # (draw, unknown)
    rise = np.exp(r.log_scale[0] + u @ r.gain[0])[:, np.newaxis] * grid
    mean = np.maximum(u @ r.blank[0], 0.0)[:, np.newaxis] + rise
    size = mean**2 / np.maximum(r.cv_weight[0] * np.exp(2.0 * u @ r.cv[0])[:, np.newaxis] * rise**2, 1e-12)
    share = stats.nbinom.pmf(r.value[0], size, size / (size + mean)).mean(axis=0)
    below = np.cumsum(share) / share.sum()
    return grid[np.searchsorted(below, 0.025)], grid[np.searchsorted(below, 0.975)]


@pytest.mark.parametrize("unit", ["copies", "events", "profiles"])
def test_the_likelihood_of_wide_scatter_covers(readouts, unit):
    """Two SDs about an estimate are too few where scatter is relative; the likelihood of the same arrays is not."""
    rng, percent, fraction, times = np.random.default_rng(11), 3.0, 0.01, 200
    cv, slope = {"copies": (0.3, 1.2), "events": (0.3, 0.3), "profiles": (0.4, 5.0 * 0.85)}[unit]
    block = {"copies": "qpcr", "events": "flow", "profiles": "sections"}[unit]
    changes = {"cv": {"median": cv, "sigma": 0.05, "source": "x"}}
    if unit == "copies":
        changes["standards"] = []
    grid, held, within = percent * np.geomspace(0.05, 20.0, 250), 0, 0
    for _ in range(times):
        doubt = {"copies": 0.15, "events": 0.3, "profiles": 0.0}[unit]
        mean = 5e5 * percent / 100.0 * fraction * slope * math.exp(rng.normal(0.0, doubt)) * rng.gamma(cv**-2, cv**2)
        if unit == "events":
            mean += 12 / 500000 * 100000
        if unit == "profiles":
            changes |= {"spiked": {"found": int(rng.binomial(200, 0.85)), "known": 200}}
            mean += 4 / 0.003 * fraction
        some = signals(readouts(**{block: changes}), [(2, row(unit, value=int(rng.poisson(mean)), fraction=fraction))])
        low, high = of_likelihood(some, grid, rng)
        held += low < percent < high
        amount, _, _ = some.estimates()
        within += abs(amount[0] - percent) < 1.96 * math.sqrt(some.covariance()[0, 0])
    assert 0.91 <= held / times <= 0.99
    assert held >= within - 2


def test_one_missing_organ_does_not_hide_the_rest(readouts):
    units = ["events", "profiles"]
    organs = ["lung", "liver", "spleen"]
    rows = [(i, row(unit, organ=organ)) for i, (unit, organ) in enumerate((u, o) for u in units for o in organs)]
    assert np.isfinite(signals(readouts(), rows).covariance()).all()
