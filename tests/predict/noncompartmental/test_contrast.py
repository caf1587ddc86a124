"""Difference and ratio of two groups: published cases, coverage, and where a ratio has no end."""

import numpy as np
import pytest

from pbpk.predict.noncompartmental.contrast import difference, level_of, ratio
from pbpk.predict.noncompartmental.destructive import Estimate, area_weights, combined, of_animals
from pbpk.predict.noncompartmental.rules import Rules


@pytest.fixture(scope="module")
def groups(read_oracle):
    found = {}
    for group in (1, 2, 3):
        own = [row for row in read_oracle("bailer1988") if row["group"] == group]
        columns = ([row[name] for row in own] for name in ("time", "animal", "conc"))
        sampled = of_animals(*columns, rule="zero")
        found[group] = combined(sampled, area_weights(sampled.hours, sampled.hours[-1], Rules(start="first")))
    return found


def test_differences_of_bailer_1988(groups, read_oracle):
    rows = [row for row in read_oracle("expected") if str(row["subset"]).startswith("diff") and row["method"] == "t"]
    assert len(rows) == 3
    for row in rows:
        first, second = (groups[int(word)] for word in row["subset"].removeprefix("diff group ").split(" vs "))
        found = difference(first, second)
        assert (found.value, found.se, found.df) == pytest.approx((row["estimate"], row["se"], row["df"]), rel=1e-9)
        assert found.interval(level_of(0.95, 3)) == pytest.approx((row["lower"], row["upper"]), rel=1e-9)


def test_the_ends_of_a_ratio_are_where_the_difference_may_be_zero(groups):
    found = ratio(groups[1], groups[2])
    for end in (found.low, found.high):
        scaled = Estimate(end * groups[2].value, end * groups[2].se, groups[2].df)
        off = groups[1].value - scaled.value
        t = np.sqrt(groups[1].se ** 2 + scaled.se**2)
        assert abs(off / t) == pytest.approx(Estimate(0.0, 1.0, found.df).interval()[1], rel=1e-9)


def test_a_divisor_that_may_be_zero_gives_no_ends():
    found = ratio(Estimate(4.0, 0.1, 5.0), Estimate(1.0, 0.6, 5.0))
    assert found.value == 4.0
    assert np.isnan(found.low)
    assert np.isnan(found.high)


def test_the_ratio_covers_as_often_as_it_says():
    rng, held, fits = np.random.default_rng(1), 0, 2000
    for _ in range(fits):
        a, b = rng.normal(6.0, 1.0, 8), rng.normal(3.0, 0.4, 8)
        first, second = (Estimate(x.mean(), x.std(ddof=1) / np.sqrt(8.0), 7.0) for x in (a, b))
        found = ratio(first, second)
        held += found.low < 2.0 < found.high
    assert 0.935 < held / fits < 0.965
