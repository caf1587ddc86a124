"""Amplitudes of wells whose truth is known, and of bare arrays where the answer is a closed form."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom

from pbpk.assay.light.amplitude import demodulate, demodulate_many, demodulate_windows, response
from pbpk.assay.light.instrument import PERFECT, Instrument, measure
from pbpk.assay.light.trace import Setup, Trace, Well

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
    """Amplitudes over what must be seen, standard errors alike, how many intervals hold it, and notes."""
    found = []
    for seed in range(wells):
        trace, truth = measure(well, nanograms, instrument, seed)
        seen = demodulate(trace, **how)
        low, high = seen.interval()
        unit = truth.in_phase or 1.0
        found.append((seen.delta / unit, seen.se / unit, low < truth.in_phase < high, seen.notes))
    ratio, se, inside, notes = zip(*found, strict=True)
    return np.array(ratio), np.array(se), sum(inside), notes


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
    assert seen.lost["without laser"] == 200
    assert seen.delta == pytest.approx(truth.in_phase, rel=0.02)


def test_a_blank_is_as_often_negative_as_positive():
    signs = [demodulate(measure(BLANK, 0.0, Instrument(), seed)[0]).delta > 0 for seed in range(WELLS)]
    assert binom.ppf(0.001, WELLS, 0.5) <= sum(signs) <= binom.ppf(0.999, WELLS, 0.5)


def test_the_commanded_drive_in_place_of_the_field_loses_and_warns():
    late = replace(SHOT, magnet_lag_s=0.005)
    ratio, _, _, notes = amplitudes(late, 1.0, 5, reference="command")
    # by hand: the field follows the drive with 5 ms; light in the "on" half less light in the "off" half
    since = np.linspace(0.0, 0.5 / late.modulation_hz, 20_001)
    rise, fall = 1.0 - np.exp(-since / 0.005), np.exp(-since / 0.005)
    on, off = (np.square(50 * b) / (np.square(50 * b) + 20.0**2) for b in (rise, fall))
    expected = (on.mean() - off.mean()) * (50.0**2 + 20.0**2) / 50.0**2
    assert ratio.mean() == pytest.approx(expected, abs=0.01)
    assert ratio.mean() < 0.95
    assert all(any("commanded" in note for note in each) for each in notes)
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
    assert all(each.lost["outlier"] >= 40 for each in spiked)
    ratios = np.array([each.delta / u.in_phase for each, u in zip(spiked, truth, strict=True)])
    usual = np.array([each.delta / u.in_phase for each, u in zip(seen, truth, strict=True)])
    np.testing.assert_allclose(ratios, usual, atol=3e-3)


def test_without_a_field_nothing_is_claimed():
    trace, _ = measure(WELL, 1.0, SHOT, 1)
    still = demodulate(replace(trace, field=np.zeros_like(trace.field)))
    assert np.isnan(still.delta)
    weak = demodulate(replace(trace, field=trace.field / 20.0))
    assert any("mT" in note for note in weak.notes)
    assert not any("mT" in flag for flag in weak.flags)


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


def test_a_drive_on_the_mains_is_noted_and_may_be_used():
    seen = demodulate(bare(lambda t, s: 1000.0 - 12.5 * s, hz=10.0))
    assert seen.flags == ()
    assert any("mains" in note for note in seen.notes)
    assert seen.delta == pytest.approx(12.5, rel=1e-6)


def test_a_commanded_sine_is_the_field_without_lag():
    trace, _ = measure(WELL, 1.0, replace(SHOT, waveform="sine", magnet_lag_s=0.0, field_noise_mt=0.0), 1)
    asked, recorded = demodulate(trace, "command"), demodulate(trace)
    assert asked.delta == pytest.approx(recorded.delta, rel=2e-3)


def damaged(seed=1):
    """A trace with samples of every kind that may not be used, and a laser."""
    trace, _ = measure(WELL, 0.5, replace(Instrument(), missing_fraction=0.01, spike_rate=0.2), seed)
    keep = np.ones(trace.seconds.size, dtype=bool)
    keep[20_000:20_700] = False
    seconds, light, field, laser = (x[keep].copy() for x in (trace.seconds, trace.light, trace.field, trace.laser))
    seconds[5_000:5_040] = seconds[4_990:5_030]  # sent twice
    seconds[9_000], seconds[9_100] = seconds[8_999], seconds[9_050]
    light[30_000:30_100], laser[31_000:31_100], field[32_000:32_010] = 65_535.0, 0.0, np.nan
    light[33_000:33_300:7] *= 1.3
    return replace(trace, seconds=seconds, light=light, field=field, laser=laser)


CUTS = {
    "of one size": list(range(4_096, 59_000, 4_096)),
    "of odd sizes": sorted(np.random.default_rng(1).integers(1, 59_000, 40).tolist()),
    "at bad samples": [1, 4_989, 5_000, 5_020, 9_000, 9_001, 9_100, 20_000, 30_050, 31_050, 33_007],
}


@pytest.mark.parametrize("reference", ["field", "command"])
@pytest.mark.parametrize("cuts", CUTS.values(), ids=CUTS)
def test_how_a_trace_is_cut_does_not_matter(cuts, reference):
    trace = damaged()
    channels = [np.split(x, cuts) for x in (trace.seconds, trace.light, trace.field, trace.laser)]
    whole = demodulate(trace, reference)
    cut = demodulate_windows(trace.well, trace.setup, lambda: zip(*channels, strict=True), reference)
    assert cut.lost == whole.lost
    assert all(whole.lost[reason] > 0 for reason in whole.lost), whole.lost
    assert (cut.samples, cut.used, cut.flags, cut.notes) == (whole.samples, whole.used, whole.flags, whole.notes)
    for name in ("delta", "se", "df", "quadrature_se", "level"):
        assert getattr(cut, name) == pytest.approx(getattr(whole, name), rel=1e-9)
    assert cut.quadrature == pytest.approx(whole.quadrature, abs=1e-9 * whole.delta)
    np.testing.assert_allclose(cut.harmonics, whole.harmonics, rtol=1e-9)


def test_no_light_at_all_is_refused():
    seen = demodulate_windows(WELL, Setup(500.0, 7.0), lambda: [])
    assert np.isnan(seen.delta)
    assert (seen.samples, seen.used) == (0, 0)
    assert "measure the well again" in seen.flags[0]
    with_nothing_known = replace(damaged(), seconds=np.full(damaged().seconds.size, np.nan))
    assert "measure the well again" in demodulate(with_nothing_known).flags[0]


LONG = """
import resource
import numpy as np
from pbpk.assay.light.amplitude import demodulate_windows
from pbpk.assay.light.trace import Setup, Well

def windows(minutes):
    for minute in range(minutes):
        rng = np.random.default_rng(minute)
        seconds = 60.0 * minute + np.arange(120_000) / 2000.0
        field = 50.0 * (np.mod(seconds * 7.0, 1.0) < 0.5)
        light = 1000.0 + rng.standard_normal(seconds.size) - 5.0 * (field > 0.0)
        light[::60_000] += 100.0
        yield seconds, light, field, np.ones(seconds.size)

for minutes in (4, 80):
    found = demodulate_windows(Well("p", "A1", "sample"), Setup(2000.0, 7.0), lambda: windows(minutes))
    print(found.delta, found.se, found.lost["outlier"], resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_memory_does_not_grow_with_the_trace():
    """Eighty minutes are 307 MB of samples."""
    said = subprocess.run([sys.executable, "-c", LONG], capture_output=True, text=True, check=True).stdout
    (short, short_se, few, before), (long, long_se, many, after) = (
        map(float, each.split()) for each in said.splitlines()
    )
    assert short == pytest.approx(5.0, abs=4 * short_se)
    assert long == pytest.approx(5.0, abs=4 * long_se)
    assert long_se == pytest.approx(short_se / np.sqrt(20), rel=0.3)
    assert (few, many) == (8, 160)
    assert after - before < 20_000  # kB
