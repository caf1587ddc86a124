"""Which samples may be used, by the compiled screen and by the plain one that it is held against."""

import numpy as np
import pytest
from usable import Usable, usable

from pbpk.assay.light.regression import REASONS, Totals, screen
from pbpk.assay.light.trace import Setup, Trace, Well

WELL = Well("plate", "A1", "sample")


def trace(seconds, light=None, field=None, laser=None, full_scale=100.0):
    seconds = np.asarray(seconds, dtype=float)
    fill = np.full(seconds.size, 50.0)
    light, field = (fill if given is None else np.asarray(given, dtype=float) for given in (light, field))
    return Trace(WELL, Setup(10.0, 1.0, full_scale=full_scale), seconds, light, field, laser)


def screened(trace):
    """What the compiled screen says, in the words of the plain one."""
    top = np.inf if trace.setup.full_scale is None else trace.setup.full_scale
    laser = np.zeros(0) if trace.laser is None else trace.laser
    reason, totals = screen(trace.seconds, trace.light, trace.field, laser, top, True, 10.0, Totals())
    lost = {name: int((reason == at).sum()) for at, name in enumerate(REASONS[1:5], start=1)}
    return Usable(reason == 0, lost | {"dropout": int(max(totals.skipped - totals.late, 0.0))})


@pytest.fixture(params=[usable, screened], ids=["plain", "compiled"])
def judged(request):
    return request.param


def test_a_good_trace_loses_nothing(judged):
    found = judged(trace(np.arange(20) / 10.0))
    assert found.good.all()
    assert set(found.lost.values()) == {0}


def test_each_bad_sample_is_counted_once_under_its_reason(judged):
    seconds = [0.0, 0.1, 0.2, 0.2, 0.3, 0.25, 0.4, 0.5, 0.6, 0.7]
    light = [50, 100, np.nan, 50, 0, 50, 120, np.nan, 50, 50]
    found = judged(trace(seconds, light))
    assert found.lost == {"missing": 2, "out of order": 1, "repeated": 1, "clipped": 3, "dropout": 0}
    np.testing.assert_array_equal(np.flatnonzero(found.good), [0, 8, 9])


def test_a_number_missing_in_any_channel_is_missing(judged):
    seconds = np.arange(4) / 10.0
    seconds[3] = np.nan
    field, laser = np.full(4, 5.0), np.ones(4)
    field[1], laser[2] = np.nan, np.nan
    found = judged(trace(seconds, field=field, laser=laser))
    assert list(found.good) == [True, False, False, False]
    assert found.lost["missing"] == 3


def test_a_clock_that_goes_back_spoils_only_what_is_late(judged):
    found = judged(trace([0.0, 0.1, 0.5, 0.2, 0.3, 0.6]))
    assert list(found.good) == [True, True, True, False, False, True]


def test_a_dropout_is_counted_by_the_clock(judged):
    found = judged(trace([0.0, 0.1, 0.2, 0.6, 0.7]))
    assert found.good.all()
    assert found.lost["dropout"] == 3


def test_without_a_full_scale_only_the_floor_clips(judged):
    found = judged(trace(np.arange(3) / 10.0, [0.0, 1e6, 5.0], full_scale=None))
    assert list(found.good) == [False, True, True]
