"""The magnetically modulated part of a well's light: its signed amplitude, its standard error, and whether to trust it.

    light(t) = -delta s(t) + Legendre drift + bleaching exponentials + mains + noise

s(t) is the response to the recorded field, 0 without field and 1 at the largest, so delta is the fall of light from
field off to field on. All terms are fitted at once. A mean of "on" minus a mean of "off" would take bleaching for
signal, and a magnitude sqrt(X^2 + Y^2) would turn the noise of a blank into signal: neither is offered.

One pass over the samples keeps the cross-products of each block of time. Their scatter gives the standard error (block
sandwich): laser noise is correlated in time, and the error of ordinary least squares is then half the truth.
"""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numba import njit
from scipy.stats import t as student

from pbpk.assay.trace import HALF_FIELD_MT, Array, Trace, Usable, field_response, usable

BLOCK_S = 1.0
BLEACH = (0.05, 0.2, 0.8)  # time constants of bleaching, in lengths of the trace
MAINS = 3  # harmonics of the mains
OUTLIER = 8.0  # robust SDs beyond which a sample is a bubble, a clump or a cosmic ray
HARMONICS = 3
SIGNIFICANT = 4.0  # standard errors; chance alone passes it in 6 of 100 000 wells
PHASE_LIMIT = np.deg2rad(3.0)  # 1.2 ms at 7 Hz: then 0.1 % of the amplitude are lost
SHAPE_LIMIT = 0.1  # of the amplitude
WEAK_FIELD_MT = 5.0
WINDOW = 512  # samples held as terms at a time
LOSSES = {
    "clipped": 0.005,
    "missing": 0.1,
    "without laser": 0.1,
    "dropout": 0.1,
    "out of order": 0.01,
    "repeated": 0.01,
    "outlier": 0.01,
}


@dataclass(frozen=True)
class Amplitude:
    """What one well's light says.

    delta : fall of light when the field is on, signed [reading]; se : its standard error; df : degrees of freedom
    quadrature, quadrature_se : the part that lags the field by a quarter of a cycle; 0 unless the timing is wrong
    harmonics : amplitude by each harmonic of the drive over `delta`, NaN where the field has none; 1 when all is well
    level : mean light [reading]
    used : the samples that were used, and how many were not and why
    flags : sentences on what is wrong with this well
    """

    delta: float
    se: float
    df: float
    quadrature: float
    quadrature_se: float
    harmonics: tuple[float, ...]
    level: float
    used: Usable
    flags: tuple[str, ...]

    def interval(self, probability: float = 0.95) -> tuple[float, float]:
        """Confidence interval of `delta` by Student's t."""
        reach = float(student.ppf(0.5 + probability / 2, self.df)) * self.se
        return self.delta - reach, self.delta + reach


def response(field: Array, half_field_mt: float = HALF_FIELD_MT) -> Array:
    """Share of the largest fall of light at each field, 0 to 1; the sign of the field does not matter."""
    share = field_response(field, half_field_mt)
    known = share[np.isfinite(share)]
    full = float(np.quantile(known, 0.99)) if known.size else 0.0
    return share / full if full > 0.0 else share


def commanded(trace: Trace, half_field_mt: float = HALF_FIELD_MT) -> Array:
    """Response to the drive as it was asked for, at the strength that was recorded: without the lag of the magnet."""
    phase = trace.seconds * trace.setup.modulation_hz
    if trace.setup.waveform == "square":
        return np.where(phase - np.floor(phase) < trace.setup.duty, 1.0, 0.0)
    return response(np.sin(2.0 * np.pi * phase) * _strongest(trace), half_field_mt)


def _strongest(trace: Trace) -> float:
    """Largest field of either sign, but for a sample in a hundred [mT]."""
    return float(np.nanquantile(np.abs(trace.field), 0.99))


def demodulate(
    trace: Trace, reference: Literal["field", "command"] = "field", half_field_mt: float = HALF_FIELD_MT
) -> Amplitude:
    """Signed modulated amplitude of one well.

    Clipped, missing, repeated and out-of-order samples are left out, never filled; outliers of the first fit are left
    out of the second.
    """
    drive = response(trace.field, half_field_mt) if reference == "field" else commanded(trace, half_field_mt)
    light = _per_laser(trace)
    used = usable(trace).without(~(np.isfinite(drive) & np.isfinite(light)), "without laser")
    fit = _fit(trace, light, drive, used)
    if fit is not None:
        residual = np.full(light.size, np.nan)
        residual[used.good] = _residual(*fit.terms, fit.rest)  # type: ignore[call-arg]
        off = np.abs(residual - np.nanmedian(residual))
        with np.errstate(invalid="ignore"):
            bad = off > OUTLIER * 1.4826 * np.nanmedian(off)
        if bad.any():
            used = used.without(bad, "outlier")
            fit = _fit(trace, light, drive, used)
    if fit is None:
        nan = float("nan")
        refusal = "too few usable samples to fit; measure the well again"
        return Amplitude(nan, nan, nan, nan, nan, (nan,) * HARMONICS, nan, used, (refusal,))
    return replace(fit.amplitude, flags=_flags(trace, fit, used, reference))


def demodulate_many(traces: Iterable[Trace], workers: int = 2) -> list[Amplitude]:
    """Amplitudes of many wells, on as many threads as asked."""
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(demodulate, traces))


@dataclass(frozen=True)
class _Fit:
    """An amplitude not yet judged, errors of its harmonics, and the terms and weights that make the residual."""

    amplitude: Amplitude
    harmonic_se: tuple[float, ...]
    terms: tuple[Any, ...]
    rest: Array


def _per_laser(trace: Trace) -> Array:
    """Light at constant laser power, where the laser was recorded and on."""
    if trace.laser is None or trace.well.role == "laser_off":
        return trace.light
    mean = float(np.nanmean(trace.laser))
    with np.errstate(divide="ignore", invalid="ignore"):  # a moment without laser is a moment without light to use
        return np.where(trace.laser > 0.0, trace.light * (mean / trace.laser), np.nan)


def _fit(trace: Trace, light: Array, drive: Array, used: Usable) -> _Fit | None:
    """Least squares of all terms at once, with standard errors from blocks of time."""
    setup, good = trace.setup, used.good
    seconds = trace.seconds - np.nanmin(trace.seconds)
    length = float(np.nanmax(seconds))
    cycles = length * setup.modulation_hz
    n_blocks = int(length / max(BLOCK_S, 1.0 / setup.modulation_hz))
    degree = int(np.clip(cycles / 4, 3, 10))
    if n_blocks < 5 or good.sum() < 20 * (degree + 2 * MAINS + len(BLEACH)):
        return None
    level = float(light[good].mean())
    taus = np.array(BLEACH) * length
    lines = [h * setup.modulation_hz for h in range(1, HARMONICS + 1)]
    lines += _mains(setup.mains_hz, setup.modulation_hz, length)
    turns = 2.0 * np.pi * np.array(lines)
    terms = (seconds[good], light[good] - level, drive[good], length, degree, taus, turns)
    cross = _cross_products(*terms, n_blocks)
    return _solve(cross, level, used, terms)


def _mains(mains_hz: float, modulation_hz: float, length: float) -> list[float]:
    """Harmonics of the mains that can be told from those of the drive."""
    lines = [mains_hz * h for h in range(1, MAINS + 1)]
    nearest = [abs(line - modulation_hz * round(line / modulation_hz)) for line in lines]
    return [line for line, distance in zip(lines, nearest, strict=True) if distance > 2.0 / length]


def _solve(cross: Array, level: float, used: Usable, terms: tuple[Any, ...]) -> _Fit | None:
    """Amplitude, quadrature and harmonics from the cross-products of each block, (block, term, term).

    Terms in order: response, harmonics of the drive (cos, sin), drift and mains, light. With the nuisance terms
    projected out of the response (Frisch, Waugh, Lovell) everything is one row against another.
    """
    total = cross.sum(axis=0)
    n = total.shape[0]
    y, nuisance = n - 1, np.arange(1 + 2 * HARMONICS, n - 1)
    inner = total[np.ix_(nuisance, nuisance)]
    scale = 1.0 / np.sqrt(np.diag(inner))
    inverse = scale[:, np.newaxis] * np.linalg.pinv(inner * np.outer(scale, scale), rcond=1e-12, hermitian=True) * scale

    def free_of_nuisance(column: int) -> Array:
        weights = np.zeros(n)
        weights[column] = 1.0
        weights[nuisance] -= inverse @ total[nuisance, column]
        return weights

    s, light = free_of_nuisance(0), free_of_nuisance(y)
    power = float(s @ total @ s)
    if not power > 1e-6 * total[0, 0]:
        return None
    slope = float(s @ total @ light) / power
    rest = light - slope * s
    blocks = int((np.abs(cross[:, y, y]) > 0.0).sum())
    unbiased = blocks / max(blocks - 1, 1)

    def error(weights: Array, over: float) -> float:
        scores = np.einsum("i,bij,j->b", weights, cross, rest)
        return float(np.sqrt(unbiased * np.square(scores).sum())) / over

    ratios, strength, doubts, turned = [], [], [], []
    for h in range(HARMONICS):
        cosine, sine = free_of_nuisance(1 + 2 * h), free_of_nuisance(2 + 2 * h)
        field = complex(cosine @ total @ s, -(sine @ total @ s))
        seen = complex(cosine @ total @ light, -(sine @ total @ light))
        strength.append(abs(field))
        ratios.append(-seen / field if field else complex(np.nan))
        unit = field / abs(field) if field else 1.0
        doubts.append(error(unit.real * cosine - unit.imag * sine, abs(field) or 1.0))
        turned.append(-(unit.imag * cosine + unit.real * sine))
    main = int(np.argmax(strength))
    harmonics = tuple(
        ratios[h].real / -slope if strength[h] > 0.1 * strength[main] else float("nan") for h in range(HARMONICS)
    )
    amplitude = Amplitude(
        delta=-slope,
        se=error(s, power),
        df=blocks - 1.0,
        quadrature=-ratios[main].imag,
        quadrature_se=error(turned[main], strength[main]),
        harmonics=harmonics,
        level=level,
        used=used,
        flags=(),
    )
    return _Fit(amplitude, tuple(doubts), terms, rest)


def _flags(trace: Trace, fit: _Fit, used: Usable, reference: str) -> tuple[str, ...]:
    """What a reader must know before the amplitude is used."""
    setup, flags = trace.setup, []
    samples = trace.seconds.size + used.lost["dropout"]
    for reason, limit in LOSSES.items():
        share = used.lost.get(reason, 0) / samples
        if share > limit:
            flags.append(f"{share:.1%} of the samples are {reason}; at most {limit:.1%} can be left out without harm")
    strongest = _strongest(trace)
    if strongest < WEAK_FIELD_MT:
        flags.append(f"the field reaches {strongest:.2g} mT; below {WEAK_FIELD_MT:g} mT hardly any light is modulated")
    if reference == "command":
        flags.append("the commanded drive was taken for the field: the lag of the magnet is not in it")
    found = fit.amplitude
    phase = float(np.arctan2(found.quadrature * np.sign(found.delta), abs(found.delta)))
    if abs(found.quadrature) > SIGNIFICANT * found.quadrature_se and abs(phase) > PHASE_LIMIT:
        flags.append(f"the light lags the field by {np.rad2deg(phase):.1f} degrees: wrong timing, or not the label")
    for h, (ratio, doubt) in enumerate(zip(found.harmonics, fit.harmonic_se, strict=True), start=1):
        apart = abs(ratio - 1.0) * abs(found.delta)  # NaN where the field has no such harmonic: never flagged
        if apart > SIGNIFICANT * np.hypot(doubt, found.se) and abs(ratio - 1.0) > SHAPE_LIMIT:
            flags.append(f"harmonic {h} of the drive gives {ratio:.2f} of the amplitude: not the shape of the field")
    near = [h for h in range(1, 10) if abs(h * setup.modulation_hz - setup.mains_hz) < 2.0 / np.ptp(trace.seconds)]
    if near:
        flags.append(f"harmonic {near[0]} of the drive lies on the mains of {setup.mains_hz:g} Hz")
    return tuple(flags)


@njit(cache=True, error_model="numpy", nogil=True)
def _fill(rows, count, seconds, light, drive, length, degree, taus, turns):
    """Write the terms of `count` samples into rows.

    Sines and exponentials turn from sample to sample while these are regular, and are computed anew where they are not.
    """
    n_lines = turns.size
    first_drift = 1 + 2 * HARMONICS
    first_decay = first_drift + degree + 1
    first_mains = first_decay + taus.size
    step = seconds[1] - seconds[0] if count > 1 else 1.0
    turn_cos, turn_sin = np.cos(turns * step), np.sin(turns * step)
    decay = np.exp(-step / taus)
    up = np.array([(2.0 * k + 1.0) / (k + 1.0) for k in range(degree)])
    down = np.array([k / (k + 1.0) for k in range(degree)])
    for i in range(count):
        row = rows[i]
        row[0] = drive[i]
        regular = i > 0 and abs(seconds[i] - seconds[i - 1] - step) < 1e-7 * step
        for k in range(n_lines):
            at = 1 + 2 * k if k < HARMONICS else first_mains + 2 * (k - HARMONICS)
            if regular:
                a, b = rows[i - 1, at], rows[i - 1, at + 1]
                row[at] = a * turn_cos[k] - b * turn_sin[k]
                row[at + 1] = b * turn_cos[k] + a * turn_sin[k]
            else:
                row[at], row[at + 1] = np.cos(turns[k] * seconds[i]), np.sin(turns[k] * seconds[i])
        x = 2.0 * seconds[i] / length - 1.0
        row[first_drift] = 1.0
        row[first_drift + 1] = x
        for k in range(1, degree):
            row[first_drift + k + 1] = up[k] * x * row[first_drift + k] - down[k] * row[first_drift + k - 1]
        for k in range(taus.size):
            before = rows[i - 1, first_decay + k] * decay[k]
            row[first_decay + k] = before if regular else np.exp(-seconds[i] / taus[k])
        row[first_mains + 2 * (n_lines - HARMONICS)] = light[i]


@njit(cache=True, error_model="numpy", nogil=True)
def _cross_products(seconds, light, drive, length, degree, taus, turns, n_blocks):
    """Cross-products of all terms in each block of time, (block, term, term)."""
    n = 1 + 2 * turns.size + degree + 1 + taus.size + 1
    cross = np.zeros((n_blocks, n, n))
    rows = np.zeros((WINDOW, n))
    start = 0
    while start < seconds.size:
        block = min(int(seconds[start] / length * n_blocks), n_blocks - 1)
        stop = start
        while stop < seconds.size and stop - start < WINDOW:
            if min(int(seconds[stop] / length * n_blocks), n_blocks - 1) != block:
                break
            stop += 1
        part = slice(start, stop)
        _fill(rows, stop - start, seconds[part], light[part], drive[part], length, degree, taus, turns)
        cross[block] += np.dot(rows[: stop - start].T, rows[: stop - start])
        start = stop
    return cross


@njit(cache=True, error_model="numpy", nogil=True)
def _residual(seconds, light, drive, length, degree, taus, turns, weights):
    """What the fit leaves of the light, (sample,)."""
    rows = np.zeros((WINDOW, weights.size))
    out = np.empty(seconds.size)
    for start in range(0, seconds.size, WINDOW):
        part = slice(start, min(start + WINDOW, seconds.size))
        count = part.stop - start
        _fill(rows, count, seconds[part], light[part], drive[part], length, degree, taus, turns)
        out[part] = np.dot(rows[:count], weights)
    return out
