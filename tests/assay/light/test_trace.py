"""Which samples may be used."""

import numpy as np

from pbpk.assay.light.trace import Setup, Trace, Well, usable

WELL = Well("plate", "A1", "sample")


def trace(seconds, light=None, field=None, laser=None, full_scale=100.0):
    seconds = np.asarray(seconds, dtype=float)
    fill = np.full(seconds.size, 50.0)
    light, field = (fill if given is None else np.asarray(given, dtype=float) for given in (light, field))
    return Trace(WELL, Setup(10.0, 1.0, full_scale=full_scale), seconds, light, field, laser)


def test_a_good_trace_loses_nothing():
    found = usable(trace(np.arange(20) / 10.0))
    assert found.good.all()
    assert set(found.lost.values()) == {0}


def test_each_bad_sample_is_counted_once_under_its_reason():
    seconds = [0.0, 0.1, 0.2, 0.2, 0.3, 0.25, 0.4, 0.5, 0.6, 0.7]
    light = [50, 100, np.nan, 50, 0, 50, 120, np.nan, 50, 50]
    found = usable(trace(seconds, light))
    assert found.lost == {"missing": 2, "out of order": 1, "repeated": 1, "clipped": 3, "dropout": 0}
    np.testing.assert_array_equal(np.flatnonzero(found.good), [0, 8, 9])


def test_a_number_missing_in_any_channel_is_missing():
    seconds = np.arange(4) / 10.0
    seconds[3] = np.nan
    field, laser = np.full(4, 5.0), np.ones(4)
    field[1], laser[2] = np.nan, np.nan
    found = usable(trace(seconds, field=field, laser=laser))
    assert list(found.good) == [True, False, False, False]
    assert found.lost["missing"] == 3


def test_a_clock_that_goes_back_spoils_only_what_is_late():
    found = usable(trace([0.0, 0.1, 0.5, 0.2, 0.3, 0.6]))
    assert list(found.good) == [True, True, True, False, False, True]


def test_a_dropout_is_counted_by_the_clock():
    found = usable(trace([0.0, 0.1, 0.2, 0.6, 0.7]))
    assert found.good.all()
    assert found.lost["dropout"] == 3


def test_without_a_full_scale_only_the_floor_clips():
    found = usable(trace(np.arange(3) / 10.0, [0.0, 1e6, 5.0], full_scale=None))
    assert list(found.good) == [False, True, True]


def test_more_samples_can_be_left_out():
    found = usable(trace(np.arange(4) / 10.0, [50, 50, 100, 50]))
    more = found.without(np.array([True, False, True, False]), "outlier")
    assert more.lost["outlier"] == 1  # the clipped one was lost before
    assert list(more.good) == [False, True, False, True]
