"""A virtual instrument: the light of one well whose truth is known, with every disturbance we know of.

No raw trace of magnetically modulated fluorescence was to be had, so what reads such traces is tested on these.
How much label a well holds, with what recovery and load per cell, is the caller's business; it begins here in ng.
Known simplifications: a sample is the light at one instant, and dust gives light that the magnet does not change.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pbpk.assay.light.trace import HALF_FIELD_MT, Array, Setup, Trace, Well, field_response
from pbpk.errors import InputError

GAUSS_ABOVE = 1000.0  # counts per sample above which photons are drawn from a Gaussian: its skew is then below 3 %

# Share of the light that a digest lets through, 1 cm cuvette (assumption, 0.2-1)
LETS_THROUGH = {"buffer": 1.0, "liver": 0.6, "spleen": 0.6, "kidney": 0.75, "lung": 0.8}
OTHER_MATRIX = 0.9  # any digest not named (assumption)


@dataclass(frozen=True)
class Instrument:
    """What the instrument and the wells do to the light; each number with unit, range worth testing and basis.

    Rates of light are photo-electrons, "counts", a second.

    Raises
    ------
    InputError
        if a number is outside what it can mean
    """

    # The label
    brightness: float = 5e7  # [counts/s/ng], 1e6-1e9; NV per ng x pump x yield x detection 1e-3 (assumption)
    contrast: float = 0.06  # share of the label's light lost at `field_mt`, 0.01-0.25; powder average (computed)
    half_field_mt: float = (
        HALF_FIELD_MT  # [mT] field of half the full loss; powder average to 50 mT within 0.03 (computed)
    )
    self_absorption: float = 0.002  # [1/ng] hook at high mass, 0-0.05 (assumption)

    # The field and the clock
    field_mt: float = 50.0  # [mT] highest field of the drive, 10-100; the loss is nearly full there (computed)
    modulation_hz: float = 7.0  # [Hz], 0.2-50; off the mains and its subharmonics (assumption)
    waveform: Literal["square", "sine"] = "square"  # a sine runs through zero, so light follows at twice its frequency
    duty: float = 0.5  # share of a square period with field on, 0.3-0.7 (assumption)
    magnet_lag_s: float = 0.002  # [s] first-order lag of field behind drive, 0-0.01 (assumption)
    edge_jitter_s: float = 0.0005  # [s] rms of a square edge, 0-0.005; a sine has no edges (assumption)
    field_noise_mt: float = 0.05  # [mT] rms of a sample of the Hall probe (assumption)
    sampling_hz: float = 2000.0  # [Hz] (assumption)
    duration_s: float = 30.0  # [s], 5-300 (assumption)

    # Light that is not the label's; that of a buffer is taken as high as that of a digest
    autofluorescence: float = 1e8  # [counts/s] before bleaching, 1e5-1e9 (assumption)
    bleaching: tuple[tuple[float, float], ...] = ((0.15, 5.0), (0.15, 40.0))  # (share, [s]), sum 0-0.7 (assumption)
    background_modulation: float = 0.0  # share lost in full field, 0-0.037; flavin in HeLa (upper end seen)
    background_half_field_mt: float = 18.0  # [mT] (seen: doi 10.1073/pnas.2018043118)
    constant_light: float = 0.0  # [counts/s] Raman, glass and NV0: neither bleached nor modulated (assumption)

    # What the digest does to the label's light
    attenuation: Mapping[str, float] = field(default_factory=lambda: dict(LETS_THROUGH))  # of the undiluted digest
    t1_factor: Mapping[str, float] = field(default_factory=dict)  # T1 in digest over that in buffer, 0.3-1 (assumption)
    # Contrast falls as (light x T1)^this, from 0.031 at 1 to 0.186 at 100 W/cm2, 50 mT (computed); 0 keeps it constant.
    # All of the attenuation is taken as loss of excitation, which is an upper bound of the effect.
    contrast_exponent: float = 0.39

    # The laser; relative to its light
    laser_drift: float = 0.01  # linear change over the trace, -0.1-0.1 (assumption)
    laser_noise: float = 3e-4  # [1/sqrt(Hz)] one-sided, at 1 Hz, 1e-5-3e-3 (assumption)
    laser_noise_exponent: float = 1.0  # of frequency in the power spectrum, 0.8-1.4 (assumption)
    mains: tuple[float, ...] = (2e-4, 1e-4, 5e-5)  # amplitudes at 1, 2, 3 x mains, 0-5e-3 (assumption)
    mains_hz: float = 50.0  # [Hz] 50 or 60
    records_laser: bool = True  # whether the trace has a laser monitor
    monitor_noise: float = 1e-4  # rms of a sample of the monitor (assumption)

    # Detector and converter
    excess_noise: float = 1.25  # variance over Poisson's, 1-1.5; d/(d-1) at dynode gain d = 5 (computed); 0: no noise
    dead_time_s: float = 0.0  # [s], 0-1e-7; 1e8 counts/s are read as a current, which has none (assumption)
    dark_counts: float = 1e3  # [counts/s] (assumption)
    adc_bits: int = 16  # 12-24 (assumption)
    gain: float | None = None  # [reading/count]; None: set to the brightest well, as an operator would
    full_scale_factor: float = 1.3  # full scale over the brightest light, where gain is None (assumption)
    clip_fraction: float = 0.0  # share of the brightest well's samples to clip, 0-0.2; replaces the factor above
    offset: float = 200.0  # [reading] of no light at all (assumption)
    read_noise: float = 1.5  # [reading] rms of a sample (assumption)
    pickup: float = 0.0  # magnet in the amplifier at `field_mt`, of full scale, 0-1e-4; raises the reading (assumption)

    # What happens now and then
    missing_fraction: float = 0.0  # share of samples lost one by one, 0-0.1
    dropout_rate: float = 0.0  # [1/s] blocks of samples lost
    dropout_s: tuple[float, float] = (0.1, 2.0)  # [s] shortest and longest block (assumption)
    timestamp_slip_s: float = 0.0  # [s] by which the clock falls behind, once, at a random moment
    spike_rate: float = 0.0  # [1/s] dust and bubbles in the beam, 0-0.1 (assumption)
    spike_size: tuple[float, float] = (0.01, 0.5)  # smallest and largest peak over the mean light (assumption)
    spike_s: float = 0.05  # [s] standard deviation of a spike in time (assumption)

    # Between the wells of a plate
    autofluorescence_cv: float = 0.3  # lognormal (assumption)
    pipetting_cv: float = 0.02  # of the label's mass, 0.01-0.05 (assumption)
    particles_per_ng: float = 5.44e5  # [1/ng] diamonds of 100 nm (computed)
    particles_per_clump: float = 50.0  # 1-1e4; clumps in a well are Poisson; 0: mass is continuous (assumption)

    def __post_init__(self) -> None:
        numbers = {name: value for name, value in vars(self).items() if isinstance(value, int | float)}
        positive = ("field_mt", "half_field_mt", "background_half_field_mt", "modulation_hz", "sampling_hz",
                    "duration_s", "full_scale_factor", "spike_s", "adc_bits", "gain", "particles_per_ng")  # fmt: skip
        shares = ("contrast", "duty", "background_modulation", "clip_fraction", "missing_fraction")
        through = (*self.attenuation.values(), *self.t1_factor.values())
        rules = {
            **{f"{name} must not be negative": value >= 0 for name, value in numbers.items() if name != "laser_drift"},
            **{f"{name} must be above zero": numbers.get(name, 1) > 0 for name in positive},
            **{f"{name} is a share, below 1": numbers[name] < 1 for name in shares},
            "excess_noise must be 1 or more, or 0 for none": self.excess_noise >= 1 or self.excess_noise == 0,
            "the shares of bleaching must sum to at most 1": sum(share for share, _ in self.bleaching) <= 1,
            "waveform must be `square` or `sine`": self.waveform in ("square", "sine"),
            "attenuation and t1_factor must be above 0 and at most 1": all(0 < value <= 1 for value in through),
        }
        broken = [rule for rule, holds in rules.items() if not holds]
        if broken:
            raise InputError(f"virtual instrument: {'; '.join(broken)}.")

    @property
    def full_scale(self) -> float:
        """Highest reading of the converter [reading]."""
        return float(2**self.adc_bits - 1)


# Every disturbance off: what is left is the label, a constant background and a perfect magnet.
PERFECT = Instrument(
    self_absorption=0.0, magnet_lag_s=0.0, edge_jitter_s=0.0, field_noise_mt=0.0, bleaching=(),
    laser_drift=0.0, laser_noise=0.0, mains=(), monitor_noise=0.0, excess_noise=0.0, dark_counts=0.0,
    adc_bits=24, read_noise=0.0, autofluorescence_cv=0.0, pipetting_cv=0.0, particles_per_clump=0.0,
)  # fmt: skip


@dataclass(frozen=True)
class Truth:
    """What was really in a trace.

    delta : fall of the label's light between no field and `field_mt`, mean over the trace; positive when field lowers
        light, 0 with the laser off [reading]
    in_phase : fall of the reading with everything that follows the field: label, background, pickup [reading]. No
        demodulator can tell it from `delta`. Pickup counts for a square drive only; under a sine it is at f, not 2f.
    level : mean reading above the offset, without photon and read noise [reading]
    nanograms : label in the well [ng]
    contrast : share of the label's light lost at `field_mt`, in this matrix
    clipped, missing : shares of the samples
    """

    delta: float
    in_phase: float
    level: float
    nanograms: float
    contrast: float
    clipped: float
    missing: float


@dataclass(frozen=True)
class _Label:
    rate: float  # [counts/s] without field, in nominal laser light
    contrast: float


@dataclass(frozen=True)
class _Exposure:
    """One well before the converter: counts drawn, and the means they were drawn from, all (sample,) [counts]."""

    seconds: Array
    magnet: Array  # field at the well [mT]
    laser: Array  # relative to nominal
    counts: Array
    expected: Array
    label_lost: Array  # expected counts that full field takes from the label's light
    all_lost: Array  # the same from label and background


def measure(
    well: Well, nanograms: float, instrument: Instrument, seed: int | np.random.SeedSequence
) -> tuple[Trace, Truth]:
    """Trace of one well that holds `nanograms` of label [ng], and the truth behind it.

    Same arguments, same trace. The field channel is what a Hall probe at the well sees, with lag and jitter.

    Raises
    ------
    InputError
        if the mass is negative
    """
    if not nanograms >= 0:
        raise InputError(f"virtual instrument: {nanograms:g} ng in well `{well.well}`; a mass must not be negative.")
    rng = np.random.default_rng(seed)
    exposure = _expose(well, nanograms, instrument, rng)
    gain = instrument.gain
    if gain is None:
        if instrument.clip_fraction > 0 and well.role != "laser_off":
            brightest = float(np.quantile(exposure.counts, 1 - instrument.clip_fraction))
        else:
            brightest = instrument.full_scale_factor * _brightest(well, nanograms, instrument) / instrument.sampling_hz
        gain = (instrument.full_scale - instrument.offset) / max(brightest, 1e-300)
    return _convert(well, nanograms, exposure, instrument, gain, rng)


def simulate_plate(wells: Sequence[tuple[Well, float]], instrument: Instrument, seed: int) -> list[tuple[Trace, Truth]]:
    """Traces of wells meant to hold so many ng each, at one gain, with scatter of background, volume and clumps.

    `Truth.nanograms` is what the well really holds. A well's trace depends on its place in the list, not on how many
    follow, unless the gain is set to a brighter one among them.
    """
    held: list[tuple[Well, float, Instrument, np.random.SeedSequence]] = []
    for (well, meant), child in zip(wells, np.random.SeedSequence(seed).spawn(len(wells)), strict=True):
        scatter, noise = child.spawn(2)
        rng = np.random.default_rng(scatter)
        width = np.sqrt(np.log1p(instrument.autofluorescence_cv**2))
        light = instrument.autofluorescence * float(np.exp(width * rng.standard_normal() - width**2 / 2))
        mass = meant * max(0.0, 1 + instrument.pipetting_cv * float(rng.standard_normal()))
        if instrument.particles_per_clump > 0:
            clump = instrument.particles_per_clump / instrument.particles_per_ng  # [ng]
            mass = clump * float(rng.poisson(mass / clump))
        held.append((well, mass, replace(instrument, autofluorescence=light), noise))
    if held and instrument.gain is None:
        lit = [one for one in held if one[0].role != "laser_off"] or held
        brightest = max(lit, key=lambda one: _brightest(*one[:3]))
        gain = measure(*brightest)[0].setup.gain
        held = [(well, mass, replace(own, gain=gain), noise) for well, mass, own, noise in held]
    return [measure(*one) for one in held]


def _label(well: Well, nanograms: float, instrument: Instrument) -> _Label:
    """Light of the label in this digest: it dims both the light and, because irradiance and T1 fall, the contrast."""
    light = instrument.attenuation.get(well.matrix, OTHER_MATRIX) ** (1 / well.dilution)  # Beer and Lambert
    quench = (1 / instrument.t1_factor.get(well.matrix, 1.0) - 1) / well.dilution  # relaxation rates add
    rate = instrument.brightness * nanograms * np.exp(-instrument.self_absorption * nanograms) * light
    return _Label(float(rate), instrument.contrast * float((light / (1 + quench)) ** instrument.contrast_exponent))


def _brightest(well: Well, nanograms: float, instrument: Instrument) -> float:
    """Highest rate of light to expect, with laser on and nothing bleached yet [counts/s]."""
    light = _label(well, nanograms, instrument).rate + instrument.autofluorescence + instrument.constant_light
    rate = light * (1 + max(instrument.laser_drift, 0.0)) + instrument.dark_counts
    return float(rate / (1 + rate * instrument.dead_time_s))


def _expose(well: Well, nanograms: float, instrument: Instrument, rng: np.random.Generator) -> _Exposure:
    samples = max(1, round(instrument.duration_s * instrument.sampling_hz))
    seconds = np.arange(samples) / instrument.sampling_hz
    moment = rng.uniform(0, instrument.duration_s)
    true_seconds = seconds + instrument.timestamp_slip_s * (seconds >= moment)
    magnet = _magnet(true_seconds, instrument, rng)
    laser = _laser(true_seconds, instrument, rng) * (well.role != "laser_off")

    label = _label(well, nanograms, instrument)
    nominal = np.asarray(instrument.field_mt)
    full = field_response(nominal, instrument.half_field_mt)
    follows = label.contrast * field_response(magnet, instrument.half_field_mt) / full
    bleached = sum(share * -np.expm1(-true_seconds / tau) for share, tau in instrument.bleaching)
    own = instrument.autofluorescence * (1 - np.asarray(bleached))
    background_follows = instrument.background_modulation * field_response(magnet, instrument.background_half_field_mt)
    background_nominal = instrument.background_modulation * field_response(nominal, instrument.background_half_field_mt)

    def rate(label_loss: Array | float, background_loss: Array | float) -> Array:
        light = label.rate * (1 - label_loss) + own * (1 - background_loss) + instrument.constant_light
        return np.asarray(laser * light + instrument.dark_counts)

    def seen(counts_per_s: Array) -> Array:
        return counts_per_s / (1 + counts_per_s * instrument.dead_time_s) / instrument.sampling_hz

    dark_field = seen(rate(0.0, 0.0))
    arriving = rate(follows, background_follows)
    arriving = arriving + _spikes(true_seconds, float(arriving.mean()), instrument, rng)
    return _Exposure(
        seconds,
        magnet,
        laser,
        _photons(arriving / instrument.sampling_hz, instrument, rng),
        seen(rate(follows, background_follows)),
        dark_field - seen(rate(label.contrast, 0.0)),
        dark_field - seen(rate(label.contrast, background_nominal)),
    )


def _convert(
    well: Well, nanograms: float, exposure: _Exposure, instrument: Instrument, gain: float, rng: np.random.Generator
) -> tuple[Trace, Truth]:
    """Counts to readings, with pickup, read noise, steps and end of the converter, and samples lost."""
    samples = len(exposure.seconds)
    top = instrument.full_scale
    reading = instrument.offset + gain * exposure.counts
    reading += instrument.pickup * top * exposure.magnet / instrument.field_mt
    reading += instrument.read_noise * rng.standard_normal(samples)
    light = np.clip(np.rint(reading), 0.0, top)
    clipped = float(np.mean(light == top))
    lost = _lost(exposure.seconds, instrument, rng)
    light[lost] = np.nan
    recorded = exposure.magnet + instrument.field_noise_mt * rng.standard_normal(samples)
    monitor = None
    if instrument.records_laser:
        monitor = 0.8 * top * (exposure.laser + instrument.monitor_noise * rng.standard_normal(samples))
    setup = Setup(instrument.sampling_hz, instrument.modulation_hz, instrument.waveform, instrument.duty,
                  full_scale=top, adc_bits=instrument.adc_bits, gain=gain, mains_hz=instrument.mains_hz)  # fmt: skip
    pickup = instrument.pickup * top if instrument.waveform == "square" else 0.0
    truth = Truth(
        delta=gain * float(exposure.label_lost.mean()),
        in_phase=gain * float(exposure.all_lost.mean()) - pickup,
        level=gain * float(exposure.expected.mean()),
        nanograms=nanograms,
        contrast=_label(well, nanograms, instrument).contrast,
        clipped=clipped,
        missing=float(lost.mean()),
    )
    return Trace(well, setup, exposure.seconds, light, recorded, monitor), truth


def _magnet(seconds: Array, instrument: Instrument, rng: np.random.Generator) -> Array:
    """Field at the well (sample,) [mT]: the drive behind a first-order lag, exact between edges."""
    lag, top = instrument.magnet_lag_s, instrument.field_mt
    if instrument.waveform == "sine":
        turn = 2 * np.pi * instrument.modulation_hz
        return np.asarray(top * np.sin(turn * seconds - np.arctan(turn * lag)) / np.hypot(1, turn * lag))
    periods = np.arange(int(seconds[-1] * instrument.modulation_hz) + 2)
    edges = (periods[:, None] + np.array([0.0, instrument.duty])).ravel() / instrument.modulation_hz  # on, off, on, …
    edges[1:] += instrument.edge_jitter_s * rng.standard_normal(len(edges) - 1)
    edges = np.maximum.accumulate(np.maximum(edges, 0.0))
    targets = np.tile([top, 0.0], len(periods))
    if lag == 0.0:
        return np.asarray(targets[np.searchsorted(edges, seconds, side="right") - 1])
    decay = np.exp(-np.diff(edges) / lag)
    at_edge = np.zeros(len(edges))
    for i in range(len(edges) - 1):
        at_edge[i + 1] = targets[i] + (at_edge[i] - targets[i]) * decay[i]
    last = np.searchsorted(edges, seconds, side="right") - 1
    return np.asarray(targets[last] + (at_edge - targets)[last] * np.exp(-(seconds - edges[last]) / lag))


def _laser(seconds: Array, instrument: Instrument, rng: np.random.Generator) -> Array:
    """Laser light (sample,) relative to nominal: drift times flicker and mains."""
    ripple = np.ones(len(seconds))
    if instrument.laser_noise > 0:
        # Drawn twice as long as needed: a Fourier series returns to its start, a laser does not.
        long = 2 * len(seconds)
        hertz = np.fft.rfftfreq(long, 1 / instrument.sampling_hz)[1:]
        density = instrument.laser_noise**2 * hertz**-instrument.laser_noise_exponent
        parts = rng.standard_normal((2, len(hertz))) * np.sqrt(density * instrument.sampling_hz * long) / 2
        ripple += np.fft.irfft(np.concatenate([[0.0], parts[0] + 1j * parts[1]]), long)[: len(seconds)]
    for harmonic, amplitude in enumerate(instrument.mains, start=1):
        phase = rng.uniform(0, 2 * np.pi)
        ripple += amplitude * np.sin(2 * np.pi * harmonic * instrument.mains_hz * seconds + phase)
    return np.maximum((1 + instrument.laser_drift * seconds / instrument.duration_s) * ripple, 0.0)


def _spikes(seconds: Array, level: float, instrument: Instrument, rng: np.random.Generator) -> Array | float:
    """Light of dust that drifts through the beam (sample,) [counts/s]."""
    number = rng.poisson(instrument.spike_rate * instrument.duration_s)
    light = np.zeros(len(seconds)) if number else 0.0
    smallest, largest = np.log(instrument.spike_size)
    for _ in range(number):
        centre, height = rng.uniform(0, instrument.duration_s), np.exp(rng.uniform(smallest, largest))
        light = light + level * height * np.exp(-(((seconds - centre) / instrument.spike_s) ** 2) / 2)
    return light


def _photons(mean: Array, instrument: Instrument, rng: np.random.Generator) -> Array:
    """Counts (sample,) for the mean that arrives (sample,): photons, pulse heights, and a non-paralysable dead time.

    Pulse heights are gamma with mean 1, so counts have `excess_noise` times Poisson's variance.
    """
    alive = 1 / (1 + mean * instrument.sampling_hz * instrument.dead_time_s)
    excess = instrument.excess_noise
    if excess == 0:
        return mean * alive
    if mean.min() >= GAUSS_ABOVE:
        drawn = mean + np.sqrt(excess * mean) * rng.standard_normal(len(mean))
    else:
        drawn = rng.poisson(mean).astype(float)
        if excess > 1:
            drawn = rng.gamma(drawn / (excess - 1)) * (excess - 1)
    # Counts that pass a dead time have mean n alive and variance n alive^3 (renewal theory).
    return mean * alive + (drawn - mean) * alive**1.5


def _lost(seconds: Array, instrument: Instrument, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Samples that were not recorded (sample,)."""
    lost = rng.random(len(seconds)) < instrument.missing_fraction
    for _ in range(rng.poisson(instrument.dropout_rate * instrument.duration_s)):
        start, length = rng.uniform(0, instrument.duration_s), rng.uniform(*instrument.dropout_s)
        lost |= (seconds >= start) & (seconds < start + length)
    return lost
