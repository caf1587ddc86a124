"""The size law against scipy's normal distribution, and what it must do at its ends."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from pbpk.body.sizing import resized

share = st.floats(1e-6, 1 - 1e-6)
slope = st.floats(0.1, 2.0)


@given(share, slope, st.floats(-1.0, 1.0))
def test_it_is_the_log_normal_calibre(extraction, slope, log_ratio):
    d50 = np.exp(np.log(20.0) - slope * norm.ppf(extraction))  # calibre at which cells of 20 um are stopped so often
    expected = norm.cdf((np.log(20.0 * np.exp(log_ratio)) - np.log(d50)) / slope)
    found = resized(np.array(extraction), log_ratio, np.array(slope))
    assert found == pytest.approx(min(expected, 1 - 1e-12), rel=1e-9)


@given(share, slope)
def test_the_same_cells_are_stopped_as_often(extraction, slope):
    assert resized(np.array(extraction), 0.0, np.array(slope)) == pytest.approx(extraction, rel=1e-12)


def test_larger_cells_are_stopped_more_and_never_with_certainty():
    ratios = np.log([0.5, 1.0, 2.0, 50.0])
    found = [float(resized(np.array(0.9), ratio, np.array(0.4))) for ratio in ratios]
    assert found == sorted(found)
    assert found[-1] < 1.0
