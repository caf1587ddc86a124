"""Amplitudes of wells whose truth is known, and of bare arrays where the answer is a closed form."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom

from pbpk.assay.amplitude import demodulate, demodulate_many, response
from pbpk.assay.instrument import PERFECT, Instrument, measure
from pbpk.assay.trace import Setup, Trace, Well

WELL = Well("plate", "A1", "sample")
BLANK = replace(WELL, role="blank")
SHOT = replace(PERFECT, excess_noise=1.0)
NANOGRAMS = 0.05
WELLS = 30


def bare(light, field=None, seconds=None, hz=7.0, **setup):
    """A trace of 30 s at 500 Hz under a square field of 50 mT."""
    seconds = np.arange(15_000) / 500.0 if seconds is None else seconds
    field = 50.0 * (np.mod(seconds * hz, 1.0) < 0.5) if field is None else field
    return Trace(WELL, Setup(500.0, hz, **setup), seconds, light(seconds, response(field)), field)


def amplitudes(instrument, nanograms=NANOGRAMS, wells=WELLS, well=WELL, **how):
    """Amplitudes over what must be seen, standard errors alike, and how many intervals hold it."""
    found = []
    for seed in range(wells):
        trace, truth = measure(well, nanograms, instrument, seed)
        seen = demodulate(trace, **how)
        low, high = seen.interval()
        unit = truth.in_phase or 1.0
        found.append((seen.delta / unit, seen.se / unit, low < truth.in_phase < high, seen.flags))
    ratio, se, inside, flags = zip(*found, strict=True)
    return np.array(ratio), np.array(se), sum(inside), flags


def test_light_without_noise_gives_its_amplitude_back():
    seen = demodulate(bare(lambda t, s: 1000.0 - 12.5 * s))
    assert seen.delta == pytest.approx(12.5, rel=1e-9)
    assert abs(seen.quadrature) < 1e-6
    assert seen.harmonics[0] == pytest.approx(1.0)
    assert seen.flags == ()


def test_drift_bleaching_and_mains_are_not_signal():
    def light(t, s):
        bleaching = 300.0 * np.exp(-t / 6.0) + 200.0 * np.exp(-t / 24.0)
        return 1000.0 + 4.0 * t - 0.2 * t**2 + bleaching + 20.0 * np.sin(2 * np.pi * 50.0 * t + 1.0) - 0.5 * s

    seen = demodulate(bare(light))
    assert seen.delta == pytest.approx(0.5, rel=1e-3)


def test_the_sign_is_kept():
    assert demodulate(bare(lambda t, s: 1000.0 + 3.0 * s)).delta == pytest.approx(-3.0)


def test_a_quarter_of_a_cycle_late_is_quadrature():
    def light(t, s):
        return 1000.0 + 10.0 * np.sin(2 * np.pi * 7.0 * t) - 5.0 * np.cos(2 * np.pi * 7.0 * t)

    seen = demodulate(bare(light))
    # the field's fundamental is (2/pi) sin(wt); light -delta sin(wt - lag) has delta sin(lag) before its cosine
    assert seen.quadrature == pytest.approx(-5.0 * np.pi / 2, rel=0.03)  # edges fall between samples
    assert seen.delta < 0.0
    assert any("degrees" in flag for flag in seen.flags)


def test_shot_noise_alone_reaches_its_floor():
    """SD = 2 sqrt(r/T) counts/s for a square drive of duty one half, r counts/s in all over T seconds."""
    wells = 200
    ratio, se, _, _ = amplitudes(SHOT, wells=wells)
    trace, truth = measure(WELL, NANOGRAMS, SHOT, 0)
    rate = SHOT.autofluorescence + NANOGRAMS * SHOT.brightness * (1 - SHOT.contrast / 2)
    floor = 2.0 * np.sqrt(rate / SHOT.duration_s) / (NANOGRAMS * SHOT.brightness * SHOT.contrast)
    assert ratio.std(ddof=1) == pytest.approx(floor, rel=0.1 + 2.0 / np.sqrt(2 * wells))
    assert se.mean() == pytest.approx(floor, rel=0.1)
    assert abs(ratio.mean() - 1.0) < 0.2 * floor + 1e-3
    assert trace.light.size == 60_000
    assert truth.missing == 0.0


CASES = {
    "full noise": {},
    "1 Hz": {"modulation_hz": 1.0},
    "0.2 Hz": {"modulation_hz": 0.2},
    "25 Hz": {"modulation_hz": 25.0},
    "strong bleaching": {"bleaching": ((0.35, 5.0), (0.35, 40.0))},
    "5 % missing": {"missing_fraction": 0.05},
    "duty 0.4, jitter 5 ms": {"duty": 0.4, "edge_jitter_s": 0.005},
    "sine through zero": {"waveform": "sine"},
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_bias_stays_below_two_percent(case):
    ratio, se, inside, _ = amplitudes(replace(Instrument(), **case))
    error = ratio.std(ddof=1) / np.sqrt(WELLS)
    assert abs(ratio.mean() - 1.0) < 0.02 + 2 * error
    assert se.mean() == pytest.approx(ratio.std(ddof=1), rel=0.45)  # 30 wells tell an SD to 13 %
    assert inside >= binom.ppf(0.001, WELLS, 0.95)


@pytest.mark.parametrize(("name", "value"), [("pickup", 1e-4), ("background_modulation", 1e-3)])
def test_what_follows_the_magnet_is_seen_in_blanks(name, value):
    """No demodulation can remove these two: blanks must show them."""
    found, truths = {}, []
    for label, instrument in (("clean", Instrument()), ("spoilt", replace(Instrument(), **{name: value}))):
        wells = [measure(BLANK, 0.0, instrument, seed) for seed in range(10)]
        found[label] = np.array([demodulate(trace).delta for trace, _ in wells])
        truths = [truth.in_phase for _, truth in wells]
    error = found["clean"].std(ddof=1) / np.sqrt(10)
    assert abs(found["clean"].mean()) < 4 * error
    assert abs(found["spoilt"].mean()) > 4 * error
    assert found["spoilt"].mean() == pytest.approx(np.mean(truths), abs=4 * error)


def test_pickup_is_read_with_the_laser_off():
    dark = replace(WELL, role="laser_off")
    trace, truth = measure(dark, 0.0, replace(Instrument(), pickup=1e-4, records_laser=True), 1)
    seen = demodulate(trace)
    assert truth.in_phase < 0.0
    # the pickup follows the field itself, the label its saturating response: they part for the milliseconds of the lag
    assert seen.delta == pytest.approx(truth.in_phase, rel=0.02)


def test_a_moment_without_laser_is_left_out():
    trace, truth = measure(WELL, 1.0, replace(SHOT, records_laser=True), 1)
    laser, light = trace.laser.copy(), trace.light.copy()
    laser[5000:5200], light[5000:5200] = 0.0, 1.0
    seen = demodulate(replace(trace, laser=laser, light=light))
    assert seen.used.lost["without laser"] == 200
    assert seen.delta == pytest.approx(truth.in_phase, rel=0.02)


def test_a_blank_is_as_often_negative_as_positive():
    signs = [demodulate(measure(BLANK, 0.0, Instrument(), seed)[0]).delta > 0 for seed in range(WELLS)]
    assert binom.ppf(0.001, WELLS, 0.5) <= sum(signs) <= binom.ppf(0.999, WELLS, 0.5)


def test_the_commanded_drive_in_place_of_the_field_loses_and_warns():
    late = replace(SHOT, magnet_lag_s=0.005)
    ratio, _, _, flags = amplitudes(late, 1.0, 5, reference="command")
    # by hand: the field follows the drive with 5 ms; light in the "on" half less light in the "off" half
    since = np.linspace(0.0, 0.5 / late.modulation_hz, 20_001)
    rise, fall = 1.0 - np.exp(-since / 0.005), np.exp(-since / 0.005)
    on, off = (np.square(50 * b) / (np.square(50 * b) + 20.0**2) for b in (rise, fall))
    expected = (on.mean() - off.mean()) * (50.0**2 + 20.0**2) / 50.0**2
    assert ratio.mean() == pytest.approx(expected, abs=0.01)
    assert ratio.mean() < 0.95
    assert all(any("commanded" in flag for flag in each) for each in flags)
    recorded, _, _, _ = amplitudes(late, 1.0, 5)
    assert abs(recorded.mean() - 1.0) < 0.01


def test_wrong_timing_of_the_recorded_field_warns():
    trace, _ = measure(WELL, 1.0, SHOT, 1)
    shifted = replace(trace, field=np.roll(trace.field, 20))  # 10 ms at 7 Hz: 25 degrees
    assert any("degrees" in flag for flag in demodulate(shifted).flags)
    assert not any("degrees" in flag for flag in demodulate(trace).flags)


def test_clipped_samples_are_told():
    trace, _ = measure(WELL, 1.0, Instrument(), 1)
    ceiling = float(np.quantile(trace.light, 0.97))
    cut = replace(trace, light=np.minimum(trace.light, ceiling), setup=replace(trace.setup, full_scale=ceiling))
    assert any("clipped" in flag for flag in demodulate(cut).flags)


def test_dust_is_left_out():
    seen, truth = zip(
        *((demodulate(t), u) for t, u in (measure(WELL, 1.0, SHOT, seed) for seed in range(5))), strict=True
    )
    spiked = []
    for seed in range(5):
        trace, _ = measure(WELL, 1.0, SHOT, seed)
        light = trace.light.copy()
        light[1000 + 50 * seed : 1040 + 50 * seed] *= 1.1
        spiked.append(demodulate(replace(trace, light=light)))
    assert all(each.used.lost["outlier"] >= 40 for each in spiked)
    ratios = np.array([each.delta / u.in_phase for each, u in zip(spiked, truth, strict=True)])
    usual = np.array([each.delta / u.in_phase for each, u in zip(seen, truth, strict=True)])
    np.testing.assert_allclose(ratios, usual, atol=3e-3)


def test_without_a_field_nothing_is_claimed():
    trace, _ = measure(WELL, 1.0, SHOT, 1)
    still = demodulate(replace(trace, field=np.zeros_like(trace.field)))
    assert np.isnan(still.delta)
    weak = demodulate(replace(trace, field=trace.field / 20.0))
    assert any("mT" in flag for flag in weak.flags)


def test_too_little_light_to_fit_is_refused():
    trace, _ = measure(WELL, 1.0, SHOT, 1)
    first = replace(trace, seconds=trace.seconds[:2000], light=trace.light[:2000], field=trace.field[:2000], laser=None)
    seen = demodulate(first)
    assert np.isnan(seen.delta)
    assert "measure the well again" in seen.flags[0]


def test_wells_side_by_side_are_the_wells_one_by_one():
    traces = [measure(WELL, 0.1, Instrument(), seed)[0] for seed in range(4)]
    together = demodulate_many(traces, workers=2)
    assert [each.delta for each in together] == [demodulate(trace).delta for trace in traces]


def test_half_of_the_response_is_at_the_half_field():
    share = response(np.array([0.0, 20.0, -20.0, 1e6]))
    np.testing.assert_allclose(share, [0.0, 0.5, 0.5, 1.0], rtol=0.05)
