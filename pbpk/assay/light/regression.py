"""The arithmetic of demodulation: samples screened, counted and summed in chunks, and the least squares of the sums.

On a converter's clock every window of so many ticks sees the same sines and polynomials but for a turn and a mix of
polynomials. Their products are computed once for a trace; a window adds those of its field and light, takes off the
ticks that are missing, and its local terms are then turned into those of the whole trace:

    cos(w t) = cos(w t0) cos(w u) - sin(w t0) sin(w u);  drift(t) = sum_k m_k T_k(u),  u = t - t0

Eight Chebyshev polynomials carry drift and bleaching over a hundredth of the trace to 1e-13. Samples off the clock
make a window of their own terms: ten times slower, the same sums.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from pbpk.assay.light.trace import Array

HARMONICS = 3  # of the drive
POLYNOMIALS = 8  # of a window
LONGEST = 512  # ticks of a window
WINDOWS = 100  # at least, in a trace
OFF_CLOCK = 0.01  # ticks; what lies closer is the rounding of written times
REASONS = ("", "missing", "out of order", "repeated", "clipped", "without laser")
OCTAVES, STEPS = 60, 1024  # of magnitude that a tally spans, 2^-30 to 2^30, and its steps in each
LOWEST = (1023 - OCTAVES // 2) * STEPS  # a double's exponent and first ten digits, as an integer, at 2^-30
NOT_FINITE = 2047 << 52


class Totals(NamedTuple):
    """What the samples said so far.

    earliest, latest : [s]; skipped : ticks between samples in order, and late : samples behind them
    run, ticks : what regular steps sum to [s], and their number
    laser, lasers : sum of the laser [reading], and of how many; light : sum over usable samples, by laser where `lit`
    """

    earliest: float = np.inf
    latest: float = -np.inf
    skipped: float = 0.0
    late: int = 0
    run: float = 0.0
    ticks: int = 0
    laser: float = 0.0
    lasers: int = 0
    light: float = 0.0


@njit(cache=True, error_model="numpy", nogil=True)
def screen(
    seconds: Array, light: Array, field: Array, laser: Array, top: float, lit: bool, hertz: float, so_far: Totals
) -> tuple[NDArray[np.uint8], Totals]:
    """Why each sample may not be used, as a place in REASONS (sample,), and the totals with them.

    laser : (sample,), or empty where it was not recorded; lit : whether light is taken by laser, and not without it;
    top : reading that is clipped; hertz : ticks a second
    """
    reason = np.zeros(seconds.size, np.uint8)
    earliest, latest, skipped, late, run, ticks, laser_sum, lasers, light_sum = so_far
    by_laser = lit and laser.size > 0
    for i in range(seconds.size):
        now = seconds[i]
        known = np.isfinite(now)
        if laser.size > 0 and np.isfinite(laser[i]):
            laser_sum += laser[i]
            lasers += 1
        lacks_laser = laser.size > 0 and not np.isfinite(laser[i])
        if lacks_laser or not (known and np.isfinite(light[i]) and np.isfinite(field[i])):
            reason[i] = 1
        elif now < latest:
            reason[i] = 2
        elif now == latest:
            reason[i] = 3
        elif light[i] <= 0.0 or light[i] >= top:
            reason[i] = 4
        elif by_laser and not laser[i] > 0.0:
            reason[i] = 5
        else:
            light_sum += light[i] / laser[i] if by_laser else light[i]
        if known and now < earliest:
            earliest = now
        if known and now > latest:
            passed = (now - latest) * hertz
            if np.isfinite(passed):
                skipped += max(np.rint(passed) - 1.0, 0.0)
                if abs(passed - 1.0) < 0.1:
                    run += now - latest
                    ticks += 1
            latest = now
        elif known and now < latest:
            late += 1
    return reason, Totals(earliest, latest, skipped, late, run, ticks, laser_sum, lasers, light_sum)


@njit(cache=True, error_model="numpy", nogil=True)
def tally(values: Array, scale: float, counts: Array, sums: Array) -> None:
    """Add the magnitudes of `values` over `scale` to a histogram of 1024 steps an octave; what is no number is not."""
    magnitudes = np.abs(values) * (1.0 / scale)
    bits = magnitudes.view(np.int64)  # of a positive double they grow with its value: exponent first, then the digits
    for i in range(bits.size):
        if bits[i] < NOT_FINITE:
            at = min(max((bits[i] >> 42) - LOWEST, 0), counts.size - 1)
            counts[at] += 1.0
            sums[at] += magnitudes[i]


@njit(cache=True, error_model="numpy", nogil=True)
def largest_of(left: Array, block: NDArray[np.int64], largest: Array) -> None:
    """Raise the largest magnitude of each block (block) to that of these samples."""
    for i in range(left.size):
        largest[block[i]] = max(largest[block[i]], abs(left[i]))


def quantile(counts: Array, sums: Array, share: float) -> float:
    """Mean of what a tally holds in the step of this quantile: within 0.1 %, and exact where values are alike."""
    up_to = np.cumsum(counts)
    if not up_to[-1] > 0.0:
        return 0.0
    at = int(np.searchsorted(up_to, max(np.ceil(share * up_to[-1]), 1.0)))
    return float(sums[at] / counts[at])


class Scale(NamedTuple):
    """What the light, the field and the time of a trace are measured in.

    begin : of the trace, length : of it [s]; blocks : parts of equal length; level : mean light [reading]
    laser : its mean, 0 where light is taken as it is [reading]; half : field of half the response [mT]
    full : response in the largest field
    """

    begin: float
    length: float
    blocks: int
    level: float
    laser: float
    half: float
    full: float


@njit(cache=True, error_model="numpy", nogil=True)
def prepare(
    seconds: Array, light: Array, field: Array, laser: Array, reason: NDArray[np.uint8], by: Scale
) -> tuple[Array, Array, Array, NDArray[np.int64]]:
    """Samples that may be used: time since the begin, light beside its level, response, block, each (sample,)."""
    n = 0
    time, rest, drive = np.empty(seconds.size), np.empty(seconds.size), np.empty(seconds.size)
    block = np.empty(seconds.size, np.int64)
    for i in range(seconds.size):
        if reason[i] == 0:
            squared = field[i] * field[i]
            time[n] = seconds[i] - by.begin
            rest[n] = (light[i] * (by.laser / laser[i]) if by.laser > 0.0 else light[i]) - by.level
            drive[n] = squared / (squared + by.half * by.half) / by.full
            block[n] = min(int(time[n] / by.length * by.blocks), by.blocks - 1)
            n += 1
    return time[:n], rest[:n], drive[:n], block[:n]


class Terms(NamedTuple):
    """The terms of light beside the field's response, and their values on the clock.

    length, step : of the trace and of a tick [s]; degree : of the drift; taus : of bleaching (term) [s]
    turns : harmonics of the drive, then of the mains (line) [rad/s]
    values : (tick, local term) cos and sin of each line, then polynomials; products : (local term, local term) [1]
    nodes, spread : (node), (node, polynomial) from values at nodes to polynomials
    """

    length: float
    step: float
    degree: int
    taus: Array
    turns: Array
    values: Array
    products: Array
    nodes: Array
    spread: Array

    @property
    def number(self) -> int:
        """Terms of the trace: response, lines, drift, bleaching, light."""
        return 3 + 2 * self.turns.size + self.degree + self.taus.size


def terms(length: float, step: float, degree: int, taus: Array, turns: Array, block_s: float) -> Terms:
    """Terms of a trace whose blocks last `block_s`, with windows that fill a block without rest."""
    block = block_s / step
    ticks = int(np.ceil(block / np.ceil(block / min(LONGEST, max(length / step / WINDOWS, 4.0))))) + 1
    angles = np.pi * (np.arange(POLYNOMIALS) + 0.5) / POLYNOMIALS
    spread = 2.0 / POLYNOMIALS * np.cos(np.outer(angles, np.arange(POLYNOMIALS)))
    spread[:, 0] /= 2.0
    values = np.empty((ticks, 2 * turns.size + POLYNOMIALS))
    _local_terms(step * np.arange(ticks, dtype=float), step * (ticks - 1), turns, values)
    return Terms(length, step, degree, taus, turns, values, values.T @ values, np.cos(angles), spread)


@njit(cache=True, error_model="numpy", nogil=True)
def _local_terms(since: Array, span: float, turns: Array, values: Array) -> None:
    """Write cos and sin of each line and the polynomials of a window (sample, local term) at times since its begin."""
    for i in range(since.size):
        for k in range(turns.size):
            values[i, 2 * k], values[i, 2 * k + 1] = np.cos(turns[k] * since[i]), np.sin(turns[k] * since[i])
        first = 2 * turns.size
        u = 2.0 * since[i] / span - 1.0
        values[i, first], values[i, first + 1] = 1.0, u
        for k in range(2, POLYNOMIALS):
            values[i, first + k] = 2.0 * u * values[i, first + k - 1] - values[i, first + k - 2]


@njit(cache=True, error_model="numpy", nogil=True)
def _transform(of: Terms, begin: float, into: Array) -> None:
    """Write what turns a window's terms into those of the trace, (term, 1 + local term + 1); `begin` of it [s]."""
    drift = 1 + 2 * HARMONICS
    decay = drift + of.degree + 1
    mains = decay + of.taus.size
    first = 1 + 2 * of.turns.size
    into[0, 0] = into[-1, -1] = 1.0
    for k in range(of.turns.size):
        row = 1 + 2 * k if k < HARMONICS else mains + 2 * (k - HARMONICS)
        cos, sin = np.cos(of.turns[k] * begin), np.sin(of.turns[k] * begin)
        into[row, 1 + 2 * k], into[row, 2 + 2 * k] = cos, -sin
        into[row + 1, 1 + 2 * k], into[row + 1, 2 + 2 * k] = sin, cos
    into[drift:mains, first : first + POLYNOMIALS] = 0.0
    span = of.step * (of.values.shape[0] - 1)
    for node in range(POLYNOMIALS):
        t = begin + span * (1.0 + of.nodes[node]) / 2.0
        x = 2.0 * t / of.length - 1.0
        before, value = 0.0, 1.0
        for k in range(of.degree + 1):
            for q in range(POLYNOMIALS):
                into[drift + k, first + q] += value * of.spread[node, q]
            before, value = value, ((2.0 * k + 1.0) * x * value - k * before) / (k + 1.0)
        for k in range(of.taus.size):
            value = np.exp(-t / of.taus[k])
            for q in range(POLYNOMIALS):
                into[decay + k, first + q] += value * of.spread[node, q]


@njit(cache=True, error_model="numpy", nogil=True)
def _ticks(
    seconds: Array, block: NDArray[np.int64], start: int, of: Terms, tick: NDArray[np.int64]
) -> tuple[int, bool]:
    """Samples of the window that begins at `start`, and whether they lie on the clock; their ticks go into `tick`."""
    count, on_clock = 0, True
    while start + count < seconds.size and count < tick.size and block[start + count] == block[start]:
        since = (seconds[start + count] - seconds[start]) / of.step
        at = int(since + 0.5)
        if at >= tick.size:
            break
        on_clock = on_clock and abs(since - at) < OFF_CLOCK and (count == 0 or at > tick[count - 1])
        tick[count] = at
        count += 1
    return count, on_clock


@njit(cache=True, error_model="numpy", nogil=True)
def _products_on_clock(of: Terms, present: NDArray[np.bool_], count: int, local: Array) -> None:
    """Write products of the local terms over the ticks that are present: from all less the missing, or one by one."""
    n = of.values.shape[1]
    few = 2 * count < present.size
    sign = 1.0 if few else -1.0
    local[1:-1, 1:-1] = of.products
    if few:
        local[1:-1, 1:-1] = 0.0
    for k in range(present.size):
        if present[k] == few:
            for a in range(n):
                for b in range(n):
                    local[1 + a, 1 + b] += sign * of.values[k, a] * of.values[k, b]


@njit(cache=True, error_model="numpy", nogil=True)
def add_products(seconds: Array, light: Array, drive: Array, block: NDArray[np.int64], of: Terms, cross: Array) -> None:
    """Add the products of all terms over these samples to those of their blocks, (block, term, term)."""
    size, n = of.values.shape
    turn = np.zeros((cross.shape[1], n + 2))
    local = np.zeros((n + 2, n + 2))
    tick = np.zeros(size, np.int64)
    start = 0
    while start < seconds.size:
        count, on_clock = _ticks(seconds, block, start, of, tick)
        s, y, present = np.zeros(size), np.zeros(size), np.zeros(size, np.bool_)
        for i in range(count):
            k = tick[i] if on_clock else i
            s[k], y[k], present[k] = drive[start + i], light[start + i], True
        values = of.values
        if on_clock:
            _products_on_clock(of, present, count, local)
        else:
            values = np.zeros((size, n))
            since = seconds[start : start + count] - seconds[start]
            _local_terms(since, of.step * (size - 1), of.turns, values)
            local[1:-1, 1:-1] = np.dot(values.T, values)
        local[0, 1:-1] = local[1:-1, 0] = np.dot(s, values)
        local[-1, 1:-1] = local[1:-1, -1] = np.dot(y, values)
        local[0, 0], local[-1, -1] = np.dot(s, s), np.dot(y, y)
        local[0, -1] = local[-1, 0] = np.dot(s, y)
        _transform(of, seconds[start], turn)
        cross[block[start]] += np.dot(np.dot(turn, local), turn.T)
        start += count


@njit(cache=True, error_model="numpy", nogil=True)
def residual(seconds: Array, light: Array, drive: Array, block: NDArray[np.int64], of: Terms, weights: Array) -> Array:
    """What a fit leaves of the light (sample,); weights : (term) of the residual, 1 for light."""
    size, n = of.values.shape
    turn = np.zeros((weights.size, n + 2))
    tick = np.zeros(size, np.int64)
    left = np.empty(seconds.size)
    start = 0
    while start < seconds.size:
        count, on_clock = _ticks(seconds, block, start, of, tick)
        _transform(of, seconds[start], turn)
        local = np.dot(weights, turn)
        if on_clock:
            smooth = np.dot(of.values, local[1:-1])
        else:
            values = np.zeros((size, n))
            since = seconds[start : start + count] - seconds[start]
            _local_terms(since, of.step * (size - 1), of.turns, values)
            smooth = np.dot(values, local[1:-1])
        for i in range(count):
            k = tick[i] if on_clock else i
            left[start + i] = local[0] * drive[start + i] + local[-1] * light[start + i] + smooth[k]
        start += count
    return left


@dataclass(frozen=True)
class Solution:
    """Least squares of the cross-products; the terms' weights in what is left of the light, (term)."""

    delta: float
    se: float
    df: float
    quadrature: float
    quadrature_se: float
    harmonics: tuple[float, ...]
    harmonic_se: tuple[float, ...]
    weights: Array


def solve(cross: Array) -> Solution | None:
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
    by_block = cross @ rest
    blocks = int((np.abs(cross[:, y, y]) > 0.0).sum())
    unbiased = blocks / max(blocks - 1, 1)

    def error(weights: Array, over: float) -> float:
        return float(np.sqrt(unbiased * np.square(by_block @ weights).sum())) / over

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
    return Solution(
        delta=-slope,
        se=error(s, power),
        df=blocks - 1.0,
        quadrature=-ratios[main].imag,
        quadrature_se=error(turned[main], strength[main]),
        harmonics=harmonics,
        harmonic_se=tuple(doubts),
        weights=rest,
    )
