from dataclasses import replace

import numpy as np
import pytest

from pbpk.report.sketches import BINS, LINES, envelope, parts, sketch, steady, thinned


def trace_of(plated, plate, well):
    return next(t for t in plated.traces if (t.well.plate, t.well.well) == (plate, well))


def test_the_fit_in_a_sketch_is_as_deep_as_the_amplitude(plated):
    trace = trace_of(plated, "lung", "B5")
    found = sketch(trace)
    amplitude = next(r.amplitude for r in plated.study.readings if r.well == trace.well)
    depth = found.fit_high - found.fit_low
    assert np.median(depth) == pytest.approx(amplitude.delta, rel=0.05)
    assert (found.lowest <= found.fit_low + 30.0).all()
    assert found.seconds.size <= BINS
    assert found.hertz.size <= LINES + 1
    assert found.why == ""


def test_one_bad_sample_is_seen(plated):
    trace = trace_of(plated, "lung", "B5")
    light = trace.light.copy()
    light[2000] = 9000.0
    assert np.nanmax(sketch(replace(trace, light=light)).highest) > 8000.0


def test_light_without_a_fit_is_drawn_all_the_same(plated):
    trace = trace_of(plated, "lung", "B5")
    found = sketch(replace(trace, field=np.zeros_like(trace.field)))
    assert "magnet" in found.why
    assert np.isnan(found.fit_low).all()
    assert np.isfinite(found.lowest).all()
    assert not found.hertz.size


def test_light_is_taken_by_laser_and_not_without(plated):
    trace = trace_of(plated, "lung", "B5")
    half = np.where(np.arange(trace.light.size) < 2400, 1.0, 0.5)
    dimmed = replace(trace, light=trace.light * half, laser=trace.laser * half)
    seconds, light = steady(dimmed)
    assert light.size == np.isfinite(dimmed.light).sum()
    whole = steady(trace)[1]
    np.testing.assert_allclose(light / light.mean(), whole / whole.mean(), rtol=1e-9)
    assert (np.diff(seconds) >= 0.0).all()
    dark = replace(dimmed, well=replace(dimmed.well, role="laser_off"))
    np.testing.assert_array_equal(steady(dark)[1], dimmed.light[np.isfinite(dimmed.light)])


def test_an_empty_trace_makes_an_empty_sketch(plated):
    trace = trace_of(plated, "lung", "B5")
    nothing = replace(trace, light=np.full_like(trace.light, np.nan))
    assert np.isnan(sketch(nothing).lowest).all()


def test_envelope_and_parts():
    seconds, light = np.array([0.0, 0.1, 0.9, 2.5]), np.array([1.0, 5.0, 2.0, 7.0])
    low, high = envelope(seconds, light, np.array([0.0, 1.0, 2.0, 2.5]))
    np.testing.assert_array_equal(low, [1.0, np.nan, 7.0])
    np.testing.assert_array_equal(high, [5.0, np.nan, 7.0])
    assert parts(np.array([0.0, 10.0]), 0.5, 72).size == 6  # no part is shorter than a cycle
    assert parts(np.array([0.0, 10.0]), 50.0, 72).size == 73


def test_a_line_is_not_lost_when_a_spectrum_is_thinned():
    hertz = np.linspace(0.0, 200.0, 4001)
    density = np.ones(4001)
    density[3001] = 50.0
    thin, highest = thinned(hertz, density)
    assert thin.size <= LINES
    assert highest.max() == 50.0
    assert thin[np.argmax(highest)] == pytest.approx(hertz[3001], rel=0.05)
