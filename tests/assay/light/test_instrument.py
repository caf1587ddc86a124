"""Physics the virtual instrument must show: every disturbance at the place and size that its setting says."""

from dataclasses import replace

import numpy as np
import pytest

from pbpk.assay.light.instrument import PERFECT, Instrument, field_response, measure, simulate_plate
from pbpk.assay.light.trace import Well
from pbpk.errors import InputError

STANDARD = Well("p", "A1", "standard")
BLANK = Well("p", "A2", "blank")
LASER_OFF = Well("p", "A3", "laser_off")
STILL = replace(PERFECT, contrast=0.0)  # light that nothing moves


def on_minus_off(trace):
    on = trace.field > trace.field.max() / 2
    return np.nanmean(trace.light[on]) - np.nanmean(trace.light[~on])


def amplitude(trace, hertz, signal=None):
    """Amplitude of a sine at a frequency that the trace holds whole periods of."""
    signal = trace.light if signal is None else signal
    return 2 * abs(np.mean((signal - signal.mean()) * np.exp(-2j * np.pi * hertz * trace.seconds)))


def in_matrix(matrix, **more):
    return Well("p", "A1", "sample", matrix=matrix, **more)


# What is true


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"dead_time_s": 2e-9},
        {"self_absorption": 0.05},
        {"laser_drift": 0.0, "dark_counts": 1e6},
        {"field_mt": 20.0},
        {"duty": 0.3},
        {"adc_bits": 16},
    ],
    ids=str,
)
def test_truth_is_the_fall_of_the_light(change):
    trace, truth = measure(STANDARD, 2.0, replace(PERFECT, **change), 1)
    assert -on_minus_off(trace) == pytest.approx(truth.delta, rel=2e-3)
    assert truth.in_phase == truth.delta > 0
    assert truth.level == pytest.approx(trace.light.mean() - PERFECT.offset, rel=1e-3)


def test_truth_in_counts_is_brightness_times_mass_times_contrast():
    trace, truth = measure(STANDARD, 0.05, PERFECT, 1)
    counts_per_s = truth.delta / trace.setup.gain * trace.setup.sampling_hz
    assert counts_per_s == pytest.approx(5e7 * 0.05 * 0.06, rel=1e-9)


def test_truth_averages_a_drifting_laser():
    _, still = measure(STANDARD, 1.0, replace(PERFECT, gain=1.0), 1)
    _, drifting = measure(STANDARD, 1.0, replace(PERFECT, gain=1.0, laser_drift=0.1), 1)
    assert drifting.delta == pytest.approx(1.05 * still.delta, rel=1e-4)


def test_truth_lies_in_the_full_noise():
    """A regression on field, drift and the known bleaching finds the truth behind all default noise."""
    instrument = replace(Instrument(), magnet_lag_s=0.0, edge_jitter_s=0.0)
    trace, truth = measure(STANDARD, 0.5, instrument, 3)
    t, light = trace.seconds, trace.light / trace.laser * np.mean(trace.laser)
    columns = [np.ones_like(t), np.exp(-t / 5), np.exp(-t / 40), t / 30, trace.field / instrument.field_mt]
    found = -np.linalg.lstsq(np.stack(columns, axis=1), light, rcond=None)[0][-1]
    assert found == pytest.approx(truth.delta, rel=0.02)


def test_a_blank_has_no_label_and_shows_none():
    trace, truth = measure(BLANK, 0.0, PERFECT, 1)
    assert truth.delta == truth.in_phase == on_minus_off(trace) == 0.0


def test_a_modulated_background_is_no_label_but_looks_like_it():
    trace, truth = measure(BLANK, 0.0, replace(PERFECT, background_modulation=0.037), 1)
    expected = 0.037 * 50**2 / (50**2 + 18**2)
    assert truth.delta == 0.0
    assert truth.in_phase == pytest.approx(-on_minus_off(trace), rel=1e-4)
    assert truth.in_phase / (trace.light.max() - PERFECT.offset) == pytest.approx(expected, rel=1e-4)


# The magnet


def test_field_follows_the_drive_with_a_first_order_lag():
    instrument = replace(PERFECT, magnet_lag_s=0.01, modulation_hz=1.0)
    trace, _ = measure(STANDARD, 1.0, instrument, 1)
    t = trace.seconds
    rising, falling = t < 0.5, (t >= 0.5) & (t < 1.0)
    np.testing.assert_allclose(trace.field[rising], 50 * -np.expm1(-t[rising] / 0.01), atol=1e-9)
    np.testing.assert_allclose(trace.field[falling], 50 * np.exp(-(t[falling] - 0.5) / 0.01), atol=1e-9)


def test_duty_is_the_share_with_field_on():
    trace, _ = measure(STANDARD, 1.0, replace(PERFECT, duty=0.3), 1)
    assert np.mean(trace.field > 25) == pytest.approx(0.3, abs=0.005)


def test_edges_jitter_as_much_as_set():
    instrument = replace(PERFECT, edge_jitter_s=0.003, modulation_hz=5.0, sampling_hz=20000.0, duration_s=60.0)
    trace, _ = measure(STANDARD, 1.0, instrument, 1)
    edges = trace.seconds[1:][np.diff(trace.field) != 0]
    off_beat = edges - np.round(edges * 10) / 10
    assert len(edges) == pytest.approx(600, abs=2)
    assert off_beat.std() == pytest.approx(0.003, rel=0.12)


def test_hall_probe_noise_is_in_the_record_and_not_in_the_light():
    trace, _ = measure(STANDARD, 1.0, replace(PERFECT, field_noise_mt=0.5), 1)
    assert trace.field[trace.field > 25].std() == pytest.approx(0.5, rel=0.03)
    assert len(np.unique(trace.light)) == 2


def test_light_halves_its_loss_near_20_mt_and_saturates_above_50():
    share = field_response(np.array([0.0, 2.0, 4.0, 20.0, 50.0, 100.0]), 20.0)
    assert share[0] == 0.0
    assert share[2] / share[1] == pytest.approx(4, rel=0.05)  # quadratic when weak
    assert share[3] == 0.5
    assert 1 < share[5] / share[4] < 1.12


def test_response_stays_near_the_powder_average():
    """Computed drop at 10 W/cm2, T1 1 ms, 5 to 50 mT, as shares of that at 50 mT."""
    computed = np.array([0.006, 0.019, 0.044, 0.061, 0.077]) / 0.077
    share = field_response(np.array([5.0, 10.0, 20.0, 30.0, 50.0]), Instrument().half_field_mt)
    np.testing.assert_allclose(share / share[-1], computed, atol=0.03)


def test_a_sine_through_zero_gives_light_at_twice_its_frequency():
    trace, truth = measure(STANDARD, 5.0, replace(PERFECT, waveform="sine", magnet_lag_s=0.002), 1)
    assert trace.field.min() == pytest.approx(-trace.field.max(), rel=1e-3)
    assert amplitude(trace, 7, trace.field) == pytest.approx(50 / np.hypot(1, 2 * np.pi * 7 * 0.002), rel=1e-6)
    assert amplitude(trace, 14) > 0.3 * truth.delta
    assert amplitude(trace, 7) < 1e-5 * amplitude(trace, 14)


# The light


@pytest.mark.parametrize("excess", [1.0, 1.4])
@pytest.mark.parametrize("rate", [4e3, 1e8], ids=["2 counts a sample", "50000 counts a sample"])
def test_photon_noise_has_its_variance(rate, excess):
    instrument = replace(STILL, autofluorescence=rate, excess_noise=excess, gain=100.0)
    trace, _ = measure(BLANK, 0.0, instrument, 1)
    counts = (trace.light - instrument.offset) / trace.setup.gain
    assert counts.mean() == pytest.approx(rate / 2000, rel=0.02)
    assert counts.var() / counts.mean() == pytest.approx(excess, rel=0.05)


def test_few_photons_are_whole_numbers():
    trace, _ = measure(BLANK, 0.0, replace(STILL, autofluorescence=4e3, excess_noise=1.0, gain=1.0), 1)
    values, often = np.unique(trace.light - STILL.offset, return_counts=True)
    assert values[0] == 0
    assert often[0] / len(trace.light) == pytest.approx(np.exp(-2), rel=0.05)


def test_dead_time_flattens_the_light_and_calms_its_noise():
    instrument = replace(STILL, autofluorescence=1e8, excess_noise=1.0, dead_time_s=1e-8, gain=10.0)
    trace, _ = measure(BLANK, 0.0, instrument, 1)
    counts = (trace.light - instrument.offset) / 10
    assert counts.mean() == pytest.approx(5e4 / 2, rel=1e-3)
    assert counts.var() == pytest.approx(5e4 / 2**3, rel=0.05)


def test_shot_noise_of_the_drop_is_that_of_theory():
    """SD of the drop is 2 sqrt(r/T) for as long on as off."""
    instrument = replace(STILL, excess_noise=1.0, duration_s=2.0, sampling_hz=500.0, modulation_hz=5.0)
    runs = [measure(BLANK, 0.0, instrument, seed)[0] for seed in range(400)]
    found = [on_minus_off(trace) / trace.setup.gain * 500.0 for trace in runs]
    assert np.std(found) == pytest.approx(2 * np.sqrt(1e8 / 2.0), rel=0.1)
    assert abs(np.mean(found)) < 3 * np.std(found) / 20


def test_background_bleaches_and_label_does_not():
    instrument = replace(STILL, bleaching=((0.2, 5.0), (0.3, 40.0)), gain=1.0)
    trace, _ = measure(BLANK, 0.0, instrument, 1)
    t = trace.seconds
    expected = 5e4 * (0.5 + 0.2 * np.exp(-t / 5) + 0.3 * np.exp(-t / 40))
    np.testing.assert_allclose(trace.light - instrument.offset, expected, atol=0.51)
    label, _ = measure(STANDARD, 1.0, replace(instrument, autofluorescence=0.0), 1)
    assert np.ptp(label.light) == 0


@pytest.mark.parametrize("exponent", [0.8, 1.4])
def test_laser_noise_has_its_level_and_slope(exponent):
    instrument = replace(STILL, laser_noise=1e-3, laser_noise_exponent=exponent, duration_s=200.0, sampling_hz=1000.0)
    trace, _ = measure(BLANK, 0.0, instrument, 1)
    relative = (trace.light - instrument.offset) / (trace.light - instrument.offset).mean()
    blocks = relative.reshape(20, -1) - relative.reshape(20, -1).mean(axis=1, keepdims=True)
    window = np.hanning(blocks.shape[1])
    power = 2 * np.mean(np.abs(np.fft.rfft(blocks * window)) ** 2, axis=0) / (1000 * np.sum(window**2))
    hertz = np.fft.rfftfreq(blocks.shape[1], 1e-3)
    seen = (hertz > 1) & (hertz < 200)
    slope, level = np.polyfit(np.log(hertz[seen]), np.log(power[seen]), 1)
    assert -slope == pytest.approx(exponent, abs=0.05)
    assert np.exp(level) == pytest.approx(1e-6, rel=0.15)  # one-sided, at 1 Hz


def test_the_monitor_sees_the_noise_of_the_laser():
    instrument = replace(STILL, laser_noise=3e-3, laser_drift=0.05)
    trace, _ = measure(BLANK, 0.0, instrument, 1)
    ratio = (trace.light - instrument.offset) / trace.laser
    assert trace.laser.std() / trace.laser.mean() > 5e-3
    assert ratio.std() / ratio.mean() < 1e-6
    assert measure(BLANK, 0.0, replace(instrument, records_laser=False), 1)[0].laser is None


def test_mains_stand_at_their_frequency_and_harmonics():
    trace, _ = measure(BLANK, 0.0, replace(STILL, mains=(2e-3, 0.0, 5e-4), mains_hz=60.0), 1)
    level = trace.light.mean() - STILL.offset
    found = [amplitude(trace, hertz) / level for hertz in (50, 60, 120, 180)]
    assert found == pytest.approx([0, 2e-3, 0, 5e-4], abs=2e-6)
    assert trace.setup.mains_hz == 60.0


def test_dust_flashes_as_often_and_as_bright_as_set():
    instrument = replace(
        STILL, spike_rate=0.1, spike_size=(0.3, 0.3), spike_s=0.02, duration_s=600.0, sampling_hz=200.0
    )
    trace, truth = measure(BLANK, 0.0, instrument, 1)
    relative = (trace.light - instrument.offset) / truth.level - 1
    starts = np.sum((relative[1:] > 0.01) & (relative[:-1] <= 0.01))
    assert starts == pytest.approx(60, abs=24)
    assert np.quantile(relative[relative > 0.29], 0.5) == pytest.approx(0.3, rel=0.03)
    assert np.median(relative) == pytest.approx(0, abs=1e-6)


# What the digest does


def test_a_cloudy_digest_dims_the_light_and_the_contrast():
    clear, truth_clear = measure(in_matrix("buffer"), 1.0, PERFECT, 1)
    cloudy, truth_cloudy = measure(in_matrix("liver"), 1.0, PERFECT, 1)
    ratio = (truth_cloudy.delta / cloudy.setup.gain) / (truth_clear.delta / clear.setup.gain)
    assert truth_cloudy.contrast == pytest.approx(0.06 * 0.6**0.39)
    assert ratio == pytest.approx(0.6**1.39)
    assert -on_minus_off(cloudy) == pytest.approx(truth_cloudy.delta, rel=1e-3)


def test_contrast_can_be_kept_constant():
    kept = replace(PERFECT, contrast_exponent=0.0, gain=1.0)
    _, clear = measure(in_matrix("buffer"), 1.0, kept, 1)
    _, cloudy = measure(in_matrix("liver"), 1.0, kept, 1)
    assert cloudy.contrast == clear.contrast == 0.06
    assert cloudy.delta == pytest.approx(0.6 * clear.delta)


def test_dilution_clears_a_digest():
    instrument = replace(PERFECT, gain=1.0, t1_factor={"liver": 0.5})
    deltas = [measure(in_matrix("liver", dilution=d), 1.0, instrument, 1)[1].delta for d in (1, 4, 1e6)]
    _, clear = measure(in_matrix("buffer"), 1.0, instrument, 1)
    assert deltas[0] == pytest.approx(clear.delta * 0.6 * (0.6 * 0.5) ** 0.39)
    assert deltas[0] < deltas[1] < deltas[2]
    assert deltas[2] == pytest.approx(clear.delta, rel=1e-5)


def test_high_mass_bends_the_curve_down():
    instrument = replace(PERFECT, self_absorption=0.02, gain=0.01, duration_s=1.0)
    delta = {ng: measure(STANDARD, ng, instrument, 1)[1].delta for ng in (0.1, 1.0, 50.0, 100.0, 200.0)}
    assert delta[1.0] == pytest.approx(10 * delta[0.1], rel=0.02)
    assert delta[50.0] > delta[100.0] * 1.05 > delta[200.0] * 1.05  # highest at 1/0.02 ng


# Detector and converter


def test_clipping_clips_as_many_samples_as_set():
    trace, truth = measure(STANDARD, 0.5, Instrument(clip_fraction=0.05), 1)
    assert truth.clipped == np.mean(trace.light == trace.setup.full_scale)
    assert truth.clipped == pytest.approx(0.05, abs=0.005)
    assert trace.light.max() == trace.setup.full_scale == 2**16 - 1


def test_too_high_a_gain_clips_everything():
    trace, truth = measure(STANDARD, 0.5, Instrument(gain=100.0), 1)
    assert truth.clipped == 1.0
    assert np.ptp(trace.light) == 0


def test_left_alone_the_gain_leaves_room():
    trace, truth = measure(STANDARD, 0.5, Instrument(), 1)
    assert truth.clipped == 0.0
    assert trace.light.max() / trace.setup.full_scale == pytest.approx(1 / 1.3, rel=0.03)


def test_readings_are_whole_and_noisy_as_set():
    trace, _ = measure(BLANK, 0.0, replace(STILL, adc_bits=16, read_noise=1.5), 1)
    assert np.all(trace.light == np.rint(trace.light))
    assert trace.light.std() == pytest.approx(np.hypot(1.5, 12**-0.5), rel=0.03)


def test_pickup_is_in_phase_and_stays_when_the_laser_is_off():
    instrument = Instrument(pickup=1e-4)
    expected = 1e-4 * instrument.full_scale
    trace, truth = measure(LASER_OFF, 1.0, instrument, 1)
    assert on_minus_off(trace) == pytest.approx(expected, rel=0.05)
    assert (truth.delta, truth.in_phase) == (0.0, pytest.approx(-expected))
    assert trace.light.mean() < instrument.offset + 10
    assert abs(trace.laser.mean()) < 1e-4 * trace.setup.full_scale
    without, _ = measure(LASER_OFF, 1.0, Instrument(), 1)
    assert abs(on_minus_off(without)) < 0.1
    lit, lit_truth = measure(STANDARD, 1.0, replace(PERFECT, pickup=1e-4), 1)
    assert -on_minus_off(lit) == pytest.approx(lit_truth.in_phase, rel=1e-4)
    assert lit_truth.in_phase == pytest.approx(lit_truth.delta - 1e-4 * PERFECT.full_scale)


def test_pickup_of_a_sine_is_at_its_own_frequency():
    instrument = replace(PERFECT, waveform="sine", pickup=1e-3)
    trace, truth = measure(STANDARD, 1.0, instrument, 1)
    assert amplitude(trace, 7) == pytest.approx(1e-3 * instrument.full_scale, rel=1e-3)
    assert truth.in_phase == truth.delta


# Samples lost


def test_lost_samples_are_missing_one_by_one():
    trace, truth = measure(STANDARD, 0.5, Instrument(missing_fraction=0.05), 1)
    assert truth.missing == np.isnan(trace.light).mean() == pytest.approx(0.05, abs=0.005)
    assert np.isfinite(trace.field).all()
    assert np.isfinite(trace.seconds).all()


def test_dropouts_lose_blocks():
    trace, truth = measure(STANDARD, 0.5, Instrument(dropout_rate=0.1, dropout_s=(0.5, 0.5), duration_s=100.0), 1)
    lost = np.isnan(trace.light)
    blocks = np.sum(np.diff(lost.astype(int)) == 1)
    assert 3 <= blocks <= 18
    assert 0.5 * 3 / 100 <= truth.missing <= blocks * 0.5 / 100 + 0.01


def test_a_slipped_clock_shifts_field_and_light_together():
    instrument = replace(PERFECT, timestamp_slip_s=0.05, modulation_hz=5.0)
    trace, truth = measure(STANDARD, 1.0, instrument, 1)
    on_time, _ = measure(STANDARD, 1.0, replace(instrument, timestamp_slip_s=0.0), 1)
    moved = trace.field != on_time.field
    assert not moved[:100].any()
    assert moved[-400:].any()
    assert -on_minus_off(trace) == pytest.approx(truth.delta, rel=1e-4)


# Seeds and plates


def test_a_seed_makes_a_trace():
    first, again, other = (measure(STANDARD, 0.1, Instrument(), seed)[0] for seed in (7, 7, 8))
    for channel in ("light", "field", "laser"):
        np.testing.assert_array_equal(getattr(first, channel), getattr(again, channel))
        assert not np.array_equal(getattr(first, channel), getattr(other, channel))


def short_plate(count, nanograms, seed, **change):
    wells = [(replace(STANDARD, well=str(i)), nanograms) for i in range(count)]
    settings = {"duration_s": 0.1, "mains": (), "laser_noise": 0.0, "magnet_lag_s": 0.0, **change}
    return simulate_plate(wells, Instrument(**settings), seed)


def test_a_plate_has_one_gain_and_nothing_clips():
    wells = [(LASER_OFF, 0.0), (BLANK, 0.0), (STANDARD, 0.1), (in_matrix("liver"), 20.0)]
    plate = simulate_plate(wells, Instrument(duration_s=1.0), 1)
    assert len({trace.setup.gain for trace, _ in plate}) == 1
    assert [trace.well for trace, _ in plate] == [well for well, _ in wells]
    assert not any(truth.clipped for _, truth in plate)
    assert max(trace.light.max() for trace, _ in plate) == pytest.approx((2**16 - 1) / 1.3, rel=0.05)


def test_wells_of_a_plate_scatter_as_set():
    plate = short_plate(1500, 0.0, 1, particles_per_clump=0.0)
    levels = np.array([truth.level for _, truth in plate])
    assert levels.std() / levels.mean() == pytest.approx(0.3, rel=0.1)
    assert levels.mean() / plate[0][0].setup.gain * 2000 == pytest.approx(1e8, rel=0.03)
    masses = np.array([truth.nanograms for _, truth in short_plate(1500, 2.0, 1, particles_per_clump=0.0)])
    assert masses.mean() == pytest.approx(2.0, rel=0.002)
    assert masses.std() == pytest.approx(0.04, rel=0.08)


def test_clumps_scatter_small_masses():
    masses = np.array([truth.nanograms for _, truth in short_plate(1000, 1e-3, 1, pipetting_cv=0.0)])
    assert masses.std() / masses.mean() == pytest.approx((5.44e5 * 1e-3 / 50) ** -0.5, rel=0.1)
    assert masses.mean() == pytest.approx(1e-3, rel=0.04)


def test_a_plate_is_made_by_its_seed_and_its_wells_differ():
    first, again, other = (short_plate(2, 0.1, seed, gain=0.5) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first[1][0].light, again[1][0].light)
    assert not np.array_equal(first[1][0].light, other[1][0].light)
    assert not np.array_equal(first[0][0].light, first[1][0].light)
    longer = short_plate(3, 0.1, 1, gain=0.5)
    np.testing.assert_array_equal(first[1][0].light, longer[1][0].light)
    assert simulate_plate([], Instrument(), 1) == []


# What is refused


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"contrast": 1.2}, "contrast is a share"),
        ({"brightness": -1.0}, "brightness must not be negative"),
        ({"sampling_hz": 0.0}, "sampling_hz must be above zero"),
        ({"gain": 0.0}, "gain must be above zero"),
        ({"excess_noise": 0.5}, "excess_noise must be 1 or more"),
        ({"bleaching": ((0.6, 5.0), (0.6, 40.0))}, "bleaching"),
        ({"attenuation": {"liver": 1.5}}, "attenuation"),
        ({"waveform": "triangle"}, "waveform"),
    ],
    ids=str,
)
def test_an_impossible_instrument_is_refused(change, said):
    with pytest.raises(InputError, match=said):
        Instrument(**change)


def test_a_negative_mass_is_refused():
    with pytest.raises(InputError, match="A1"):
        measure(STANDARD, -1.0, Instrument(), 1)
