"""The magnetically modulated part of a well's light: its signed amplitude, its standard error, and whether to trust it.

    light(t) = -delta s(t) + Legendre drift + bleaching exponentials + mains + noise

s(t) is the response to the recorded field, 0 without field and 1 at the largest, so delta is the fall of light from
field off to field on. All terms are fitted at once. A mean of "on" minus a mean of "off" would take bleaching for
signal, and a magnitude sqrt(X^2 + Y^2) would turn the noise of a blank into signal: neither is offered.

Light is read in windows, in four passes at most, and nothing kept grows with the trace: one looks at clock, field and
laser; one sums the cross-products of each block of time; one asks how far samples lie off the fit; one sums anew the
blocks where some lie too far. The scatter of blocks gives the standard error (block sandwich): laser noise is
correlated in time, and the error of ordinary least squares is then half the truth. Quantiles are those of a histogram
of magnitudes with 1024 steps an octave.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from pbpk.assay.light.regression import (
    HARMONICS,
    OCTAVES,
    REASONS,
    STEPS,
    Scale,
    Solution,
    Terms,
    Totals,
    add_products,
    largest_of,
    prepare,
    quantile,
    residual,
    screen,
    solve,
    tally,
    terms,
)
from pbpk.assay.light.trace import HALF_FIELD_MT, Array, Setup, Trace, Well, field_response

BLOCK_S = 1.0
MOST_BLOCKS = 120  # beyond two minutes blocks grow longer, and memory does not
BLEACH = (0.05, 0.2, 0.8)  # time constants of bleaching, in lengths of the trace
MAINS = 3  # harmonics of the mains
OUTLIER = 8.0  # robust SDs beyond which a sample is a bubble, a clump or a cosmic ray
FULL = 0.99  # quantile of the field that is taken for its largest: noise has no say
SIGNIFICANT = 4.0  # standard errors; chance alone passes it in 6 of 100 000 wells
PHASE_LIMIT = np.deg2rad(3.0)  # 1.2 ms at 7 Hz: then 0.1 % of the amplitude are lost
SHAPE_LIMIT = 0.1  # of the amplitude
WEAK_FIELD_MT = 5.0
ROUNDING = 1e-9  # of the light; a fit that leaves less has no outliers
LOSSES = {
    "clipped": 0.005,
    "missing": 0.1,
    "without laser": 0.1,
    "dropout": 0.1,
    "out of order": 0.01,
    "repeated": 0.01,
    "outlier": 0.01,
}

type Reference = Literal["field", "command"]
type Window = tuple[Array, Array, Array, Array | None]  # seconds, light, field, laser, each (sample,)
type Windows = Callable[[], Iterable[Window]]  # begins anew at each call: light is read several times
type Part = tuple[Array, Array, Array, NDArray[np.int64]]  # time, light, response, block of usable samples


@dataclass(frozen=True)
class Amplitude:
    """What one well's light says.

    delta : fall of light when the field is on, signed [reading]; se : its standard error; df : degrees of freedom
    quadrature, quadrature_se : the part that lags the field by a quarter of a cycle; 0 unless the timing is wrong
    harmonics : amplitude by each harmonic of the drive over `delta`, NaN where the field has none; 1 when all is well
    level : mean light [reading]
    samples : recorded; used : of these; lost : reason -> samples, those that never came ("dropout") among them
    flags : sentences on why this well must not be used
    notes : sentences that a reader should know and that forbid nothing
    """

    delta: float
    se: float
    df: float
    quadrature: float
    quadrature_se: float
    harmonics: tuple[float, ...]
    level: float
    samples: int
    used: int
    lost: dict[str, int]
    flags: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def interval(self, probability: float = 0.95) -> tuple[float, float]:
        """Confidence interval of `delta` by Student's t."""
        reach = float(student.ppf(0.5 + probability / 2, self.df)) * self.se
        return self.delta - reach, self.delta + reach


@dataclass(frozen=True)
class Reading:
    """A well and the amplitude of its light."""

    well: Well
    amplitude: Amplitude


def response(field: Array, half_field_mt: float = HALF_FIELD_MT) -> Array:
    """Share of the largest fall of light at each field, 0 to 1; the sign of the field does not matter."""
    counts, sums = _histogram()
    tally(np.ascontiguousarray(field, dtype=float), 1.0, counts, sums)
    full = float(field_response(np.array(quantile(counts, sums, FULL)), half_field_mt))
    share = field_response(field, half_field_mt)
    return share / full if full > 0.0 else share


def demodulate(trace: Trace, reference: Reference = "field", half_field_mt: float = HALF_FIELD_MT) -> Amplitude:
    """Signed modulated amplitude of one well whose samples are at hand.

    reference : the recorded field, or the drive as it was asked for, without the lag of the magnet
    """
    return demodulate_windows(trace.well, trace.setup, whole(trace), reference, half_field_mt)


def demodulate_windows(
    well: Well,
    setup: Setup,
    windows: Windows,
    reference: Reference = "field",
    half_field_mt: float = HALF_FIELD_MT,
) -> Amplitude:
    """Signed modulated amplitude of one well, read window by window.

    Clipped, missing, repeated and out-of-order samples are left out, never filled; outliers of the first fit are left
    out of the second. How the samples are cut into windows does not matter.
    """
    return regress(well, setup, windows, reference, half_field_mt).amplitude


def demodulate_many(traces: Iterable[Trace], workers: int = 2) -> list[Amplitude]:
    """Amplitudes of many wells, on as many threads as asked."""
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(demodulate, traces))


@dataclass(frozen=True)
class Regression:
    """The fit behind an amplitude; `terms`, `first` and `last` are None where there was none.

    parts : usable samples, window by window, outliers among them
    first, last : fit before and after outliers are left out; limit : how far off the first a sample may lie [reading]
    level : what was taken off the light [reading]
    """

    amplitude: Amplitude
    parts: Callable[[], Iterable[Part]]
    level: float
    terms: Terms | None = None
    first: Solution | None = None
    last: Solution | None = None
    limit: float = np.inf


def regress(
    well: Well,
    setup: Setup,
    windows: Windows,
    reference: Reference = "field",
    half_field_mt: float = HALF_FIELD_MT,
) -> Regression:
    """Fit one well's light; see `demodulate_windows`."""
    seen = _look(well, setup, windows, reference, half_field_mt)
    design = _design(setup, seen)
    if design is None:
        return _refused(seen, "too few usable samples to fit; measure the well again")
    if not seen.scale.full > 0.0:
        return _refused(seen, "the field stays at zero; see that the magnet and its probe are on")
    cross = np.zeros((seen.scale.blocks, design.number, design.number))
    for part in seen.parts():
        add_products(*part, design, cross)
    first = solve(cross)
    if first is None:
        return _refused(seen, "the field does not change; see that the magnet is switched")
    limit, touched = _outliers(seen, design, first.weights, cross)
    last, removed = first, 0
    if touched.any():
        removed = _without_outliers(seen, design, first.weights, cross, limit, touched)
        again = solve(cross)
        if again is None:
            return _refused(seen, "too few usable samples to fit; measure the well again")
        last = again
    amplitude = _judged(setup, seen, last, removed, reference)
    return Regression(amplitude, seen.parts, seen.scale.level, design, first, last, limit)


@dataclass(frozen=True)
class _Seen:
    """What the first pass saw: units, tick [s], samples, those that may be used, losses, strongest field [mT]."""

    scale: Scale
    step: float
    samples: int
    good: int
    lost: dict[str, int]
    strongest: float
    parts: Callable[[], Iterable[Part]]


def whole(trace: Trace) -> Windows:
    """Samples at hand as one window."""
    return lambda: ((trace.seconds, trace.light, trace.field, trace.laser),)


def _histogram() -> tuple[Array, Array]:
    return np.zeros(OCTAVES * STEPS), np.zeros(OCTAVES * STEPS)


def _screened(
    well: Well, setup: Setup, windows: Windows
) -> Iterator[tuple[tuple[Array, Array, Array, Array], NDArray[np.uint8], Totals]]:
    """Windows, why each of their samples may not be used, and the totals so far."""
    top = np.inf if setup.full_scale is None else float(setup.full_scale)
    totals = Totals()
    for seconds, light, field, laser in windows():
        t, y, b, x = (
            np.ascontiguousarray(() if column is None else column, dtype=float)
            for column in (seconds, light, field, laser)
        )
        reason, totals = screen(t, y, b, x, top, well.role != "laser_off", float(setup.sampling_hz), totals)
        yield (t, y, b, x), reason, totals


def _look(well: Well, setup: Setup, windows: Windows, reference: Reference, half: float) -> _Seen:
    """Look at all samples once."""
    totals, counts, sums = Totals(), *_histogram()
    lost = np.zeros(len(REASONS), dtype=np.int64)
    number = 0
    for window, reason, so_far in _screened(well, setup, windows):
        totals = so_far
        lost += np.bincount(reason, minlength=len(REASONS))
        tally(window[2], 1.0, counts, sums)
        number += 1
        only = window
    if number == 1:  # all of it is at hand: no need to ask for it again
        windows = partial(iter, [(*only[:3], only[3] if only[3].size else None)])
    length = max(totals.latest - totals.earliest, 0.0)
    strongest = quantile(counts, sums, FULL)
    sine = reference == "command" and setup.waveform == "sine"
    full = float(field_response(np.array(strongest * (np.sin(np.pi / 2 * FULL) if sine else 1.0)), half))
    blocks = min(int(length / max(BLOCK_S, 1.0 / setup.modulation_hz)), MOST_BLOCKS)
    laser = totals.laser / totals.lasers if totals.lasers and well.role != "laser_off" else 0.0
    level = totals.light / max(int(lost[0]), 1) * (laser or 1.0)
    scale = Scale(totals.earliest, length, blocks, level, laser, float(half), full)
    parts: Callable[[], Iterable[Part]]
    parts = partial(_parts, well, setup, windows, scale, strongest if reference == "command" else None)
    if number == 1 and full > 0.0 and blocks > 0:
        parts = partial(iter, list(parts()))
    named = dict(zip(REASONS, lost.tolist(), strict=True))
    named |= {"dropout": int(max(totals.skipped - totals.late, 0.0)), "outlier": 0}
    step = totals.run / totals.ticks if totals.ticks else 1.0 / setup.sampling_hz
    losses = {reason: named[reason] for reason in LOSSES}
    return _Seen(scale, step, int(lost.sum()), int(lost[0]), losses, strongest, parts)


def _parts(well: Well, setup: Setup, windows: Windows, scale: Scale, commanded: float | None) -> Iterator[Part]:
    """Usable samples of each window; with the field as it was asked for at a strength [mT] if that is given."""
    for (seconds, light, field, laser), reason, _ in _screened(well, setup, windows):
        if commanded is not None:
            phase = seconds * setup.modulation_hz
            if setup.waveform == "square":
                field = np.where(phase - np.floor(phase) < setup.duty, commanded, 0.0)
            else:
                field = commanded * np.sin(2.0 * np.pi * phase)
        yield prepare(seconds, light, field, laser, reason, scale)


def _design(setup: Setup, seen: _Seen) -> Terms | None:
    """Terms that so long a trace can bear."""
    length, blocks = seen.scale.length, seen.scale.blocks
    degree = int(np.clip(length * setup.modulation_hz / 4, 3, 10))
    if blocks < 5 or seen.good < 20 * (degree + 2 * MAINS + len(BLEACH)):
        return None
    lines = [h * setup.modulation_hz for h in range(1, HARMONICS + 1)]
    lines += _mains(setup.mains_hz, setup.modulation_hz, length)
    turns = 2.0 * np.pi * np.array(lines)
    return terms(length, seen.step, degree, np.array(BLEACH) * length, turns, length / blocks)


def _mains(mains_hz: float, modulation_hz: float, length: float) -> list[float]:
    """Harmonics of the mains that can be told from those of the drive."""
    lines = [mains_hz * h for h in range(1, MAINS + 1)]
    nearest = [abs(line - modulation_hz * round(line / modulation_hz)) for line in lines]
    return [line for line, distance in zip(lines, nearest, strict=True) if distance > 2.0 / length]


def _outliers(seen: _Seen, design: Terms, weights: Array, cross: Array) -> tuple[float, NDArray[np.bool_]]:
    """How far a sample may lie off the fit [reading], and which blocks (block,) have some that lie farther."""
    counts, sums = _histogram()
    largest = np.zeros(cross.shape[0])
    unit = float(np.sqrt(cross[:, -1, -1].sum() / seen.good))
    for part in seen.parts():
        left = residual(*part, design, weights)
        tally(left, unit, counts, sums)
        largest_of(left, part[3], largest)
    limit = OUTLIER * 1.4826 * quantile(counts, sums, 0.5) * unit
    if not limit > ROUNDING * max(unit, abs(seen.scale.level)):
        return np.inf, np.zeros(largest.size, dtype=bool)
    return limit, largest > limit


def _only(part: Part, which: NDArray[np.bool_]) -> Part:
    time, light, drive, block = part
    return time[which], light[which], drive[which], block[which]


def _without_outliers(
    seen: _Seen, design: Terms, weights: Array, cross: Array, limit: float, touched: NDArray[np.bool_]
) -> int:
    """Sum the blocks that are touched anew, in place, without samples beyond the limit; returns their number."""
    cross[touched] = 0.0
    removed = 0
    for part in seen.parts():
        inside = _only(part, touched[part[3]])
        kept = np.abs(residual(*inside, design, weights)) <= limit
        removed += int((~kept).sum())
        add_products(*_only(inside, kept), design, cross)
    return removed


def _refused(seen: _Seen, why: str) -> Regression:
    nan = float("nan")
    empty = Amplitude(nan, nan, nan, nan, nan, (nan,) * HARMONICS, nan, seen.samples, seen.good, seen.lost, (why,))
    return Regression(empty, seen.parts, nan)


def _judged(setup: Setup, seen: _Seen, found: Solution, removed: int, reference: Reference) -> Amplitude:
    """Amplitude with what must and what should be known of it."""
    lost = seen.lost | {"outlier": removed}
    return Amplitude(
        delta=found.delta,
        se=found.se,
        df=found.df,
        quadrature=found.quadrature,
        quadrature_se=found.quadrature_se,
        harmonics=found.harmonics,
        level=seen.scale.level,
        samples=seen.samples,
        used=seen.good - removed,
        lost=lost,
        flags=_flags(found, seen.samples, lost),
        notes=_notes(setup, seen, reference),
    )


def _flags(found: Solution, samples: int, lost: dict[str, int]) -> tuple[str, ...]:
    """Why a well must not be used."""
    flags = []
    for reason, limit in LOSSES.items():
        share = lost[reason] / (samples + lost["dropout"])
        if share > limit:
            flags.append(f"{share:.1%} of the samples are {reason}; at most {limit:.1%} can be left out without harm")
    phase = float(np.arctan2(found.quadrature * np.sign(found.delta), abs(found.delta)))
    if abs(found.quadrature) > SIGNIFICANT * found.quadrature_se and abs(phase) > PHASE_LIMIT:
        flags.append(f"the light lags the field by {np.rad2deg(phase):.1f} degrees: wrong timing, or not the label")
    for h, (ratio, doubt) in enumerate(zip(found.harmonics, found.harmonic_se, strict=True), start=1):
        apart = abs(ratio - 1.0) * abs(found.delta)  # NaN where the field has no such harmonic: never flagged
        if apart > SIGNIFICANT * np.hypot(doubt, found.se) and abs(ratio - 1.0) > SHAPE_LIMIT:
            flags.append(f"harmonic {h} of the drive gives {ratio:.2f} of the amplitude: not the shape of the field")
    return tuple(flags)


def _notes(setup: Setup, seen: _Seen, reference: Reference) -> tuple[str, ...]:
    """What a reader should know."""
    notes = []
    if seen.strongest < WEAK_FIELD_MT:
        notes.append(
            f"the field reaches {seen.strongest:.2g} mT; below {WEAK_FIELD_MT:g} mT hardly any light is modulated"
        )
    if reference == "command":
        notes.append("the commanded drive was taken for the field: the lag of the magnet is not in it")
    mains, drive = setup.mains_hz, setup.modulation_hz
    near = [h for h in range(1, 10) if abs(h * drive - mains) < 2.0 / seen.scale.length]
    if near:
        notes.append(f"harmonic {near[0]} of the drive lies on the mains of {mains:g} Hz")
    return tuple(notes)
