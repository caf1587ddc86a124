"""The spectrum of what the fit leaves: its level for white noise, its lines, and missing samples."""

from dataclasses import replace

import numpy as np
import pytest

from pbpk.assay.light.amplitude import demodulate
from pbpk.assay.light.instrument import Instrument, measure
from pbpk.assay.light.spectrum import explain, residual_spectrum
from pbpk.assay.light.trace import Setup, Trace, Well
from pbpk.errors import AssayError

WELL = Well("plate", "A1", "sample")
HERTZ, NOISE = 1000.0, 2.0
DENSITY = 2 * NOISE**2 / HERTZ  # of white noise, one-sided


def trace(extra=0.0, kept=None, seconds=60.0):
    t = np.arange(round(seconds * HERTZ)) / HERTZ
    field = 50.0 * (np.mod(t * 7.0, 1.0) < 0.5)
    light = 1000.0 * np.exp(-t / 200.0) - 5.0 * (field > 0.0) + NOISE * np.random.default_rng(1).standard_normal(t.size)
    light += extra * np.sin(2 * np.pi * 33.0 * t)
    kept = np.ones(t.size, dtype=bool) if kept is None else kept(t)
    return Trace(WELL, Setup(HERTZ, 7.0), t[kept], light[kept], field[kept])


def scattered(t):
    return np.random.default_rng(2).random(t.size) > 0.05


def dropped(t):
    return (np.mod(t, 9.0) > 0.5) | (t < 1.0)


MISSING = {"none": None, "5 % here and there": scattered, "half a second each nine": dropped}


def mean_level(hertz, density):
    return np.mean(density[(hertz > 3.0) & (hertz < 490.0)])


@pytest.mark.parametrize("kept", MISSING.values(), ids=MISSING)
def test_white_noise_has_its_density(kept):
    hertz, density = residual_spectrum(explain(trace(kept=kept)))
    assert hertz[1] == pytest.approx(0.5)
    assert hertz[-1] == pytest.approx(HERTZ / 2)
    assert mean_level(hertz, density) == pytest.approx(DENSITY, rel=0.03)
    parts = np.array_split(density[(hertz > 3.0) & (hertz < 490.0)], 8)  # flat
    np.testing.assert_allclose([part.mean() for part in parts], DENSITY, rtol=0.08)


@pytest.mark.parametrize("kept", MISSING.values(), ids=MISSING)
def test_a_line_has_its_power_where_it_is(kept):
    hertz, density = residual_spectrum(explain(trace(extra=1.5, kept=kept)))
    assert hertz[np.argmax(density)] == pytest.approx(33.0, abs=0.5)
    near = np.abs(hertz - 33.0) < 2.1
    power = np.sum(density[near] - DENSITY) * (hertz[1] - hertz[0])
    assert power == pytest.approx(1.5**2 / 2, rel=0.1)


def test_what_is_fitted_is_not_left():
    """Drive, mains and bleaching are gone; the drive is not even raised."""
    hertz, density = residual_spectrum(explain(trace()))
    assert density[np.abs(hertz - 7.0) < 0.6].max() < 3 * DENSITY
    assert density[(hertz > 0.0) & (hertz < 3.0)].max() < 3 * DENSITY


def test_the_length_of_a_segment_sets_the_resolution():
    hertz, density = residual_spectrum(explain(trace()), segment_s=0.25)
    assert hertz[1] == pytest.approx(4.0)
    assert mean_level(hertz, density) == pytest.approx(DENSITY, rel=0.03)


def test_segments_with_holes_are_refused():
    def torn(t):
        return np.mod(t, 1.0) > 0.3

    with pytest.raises(AssayError, match="plate A1: no 2 s have 90% of their samples; take shorter"):
        residual_spectrum(explain(trace(kept=torn)))
    hertz, density = residual_spectrum(explain(trace(kept=torn)), segment_s=0.25)
    assert mean_level(hertz, density) == pytest.approx(DENSITY, rel=0.05)


def test_light_fit_and_residual_belong_together():
    measured, _ = measure(WELL, 0.5, replace(Instrument(), missing_fraction=0.01), 1)
    light = measured.light.copy()
    light[10_000:10_020] *= 1.2
    measured = replace(measured, light=light)
    found = explain(measured)
    seen = demodulate(measured)
    assert found.seconds.size == seen.used < light.size - 20
    np.testing.assert_allclose(found.fitted + found.residual, found.light)
    assert found.light.mean() == pytest.approx(seen.level, rel=1e-3)
    assert abs(found.residual.mean()) < 1e-6 * seen.level
    assert found.hertz == pytest.approx(2000.0)
    thinned = explain(measured, most=1000)
    assert 900 <= thinned.seconds.size <= 1000
    assert set(thinned.light) <= set(found.light)


def test_light_that_cannot_be_fitted_cannot_be_explained():
    with pytest.raises(AssayError, match="plate A1: too few usable samples to fit; measure the well again"):
        explain(trace(seconds=2.0))
