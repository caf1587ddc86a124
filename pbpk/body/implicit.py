"""Rates that move, blood and tissue together: a stiff system, by an implicit Runge-Kutta pair with its exact gradient.

    x' = f(x, t) + inflow,   f: along each arrow rate(x, t) x[source]

Kvaerno's pair of orders 5 and 4 (2004, BIT Numer Math 44:489): the first of its seven stages is explicit, the others
share one diagonal, the last two points are the two answers. What is infinitely fast is forgotten, and what fades alone
stays above zero however long the step: left(h) = R(-h k) > 0. At a stage

    X = x + h sum a k + h gamma f(X),   k = (X - what stands before it) / (h gamma)

Newton's iteration goes on until rounding stops it, so the implicit function theorem gives the gradient of the steps as
they were taken: (1 - h gamma J)^T m = what is asked of f at X. J is exact: rates times arrows, and how rates move.
Its columns sum to nothing, so those of 1 - h gamma J sum to one, and every stage conserves.
A bolus is a jump: it lands in its state, and the blood has it.
"""

import numpy as np
from numba import njit

from pbpk.body.legs import (
    ABSOLUTE,
    NOTHING,
    SHORTEST,
    begun,
    handed_back,
    is_asked,
    kept,
    legs_of,
    move_back,
    move_to,
)
from pbpk.body.tape import carry_on, extend
from pbpk.body.thin import factor, room_for_factors, solve, solve_transposed

STAGES = 7
GAMMA = 0.26
HOURS = np.array([
    0.0,
    0.52,
    1.230333209967908096317136048791526815405,
    0.8957659843500759029060455717495554776153,
    0.4363936098586475852779768695817865330279,
    1.0,
    1.0,
])  # fmt: skip
WEIGHTS = np.array([
    [0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    [0.26, 0.0, 0.0, 0.0, 0.0, 0.0],
    [0.13, 0.8403332099679080963171360487915268154051, 0.0, 0.0, 0.0, 0.0],
    [0.2237196147832050559163143898290529441991, 0.4767553231979969983278927937270874162429,
     -0.06470895363112615133816161180658488282681, 0.0, 0.0, 0.0],
    [0.1664856432324832152535151725360430044452, 0.1045001884159172041151167240328967362455,
     0.03631482272098715161651993758285203251909, -0.1309070445107399857071749645700052401819, 0.0, 0.0],
    [0.1385564023126822495054973091161581456582, 0.0, -0.04245337201752043098884399725982168512523,
     0.02446657898003141965963581513879101305561, 0.6194303907248067618237108730048725264114, 0.0],
    [0.1365975117764029144062783844146127033921, 0.0, -0.05496908796538376712487773114648630009105,
     -0.04118626728321046868299776958296295741592, 0.6299330489901640319161060392667246534806,
     0.06962479448202728948549107704811190063421],
])  # fmt: skip


def _guesses() -> np.ndarray:
    """Weights (stage, stage) of earlier slopes in the first guess of one: the polynomial through them (Lagrange)."""
    weights = np.zeros((STAGES, STAGES))
    for s in range(1, STAGES - 1):
        for r in range(s):
            others = np.delete(HOURS[:s], r)
            weights[s, r] = np.prod((HOURS[s] - others) / (HOURS[r] - others))
    weights[STAGES - 1, STAGES - 2] = 1.0  # the last two stand at the same hour
    return weights


GUESSES = _guesses()
MOST_ITERATIONS = 12
ROUNDED = 1e-14  # of a state: Newton's iteration is done
ALMOST = 1e-10  # of a state: below it, an iteration that gets no better is rounding
SLOW = 0.05  # an iteration that leaves more than this of the last needs the matrix of where it is


@njit(cache=True, error_model="numpy")
def slope_into(x, source, target, rates, inflow, slope):
    """Slope of every state, (state,) [amount/h], in place."""
    for i in range(x.size):
        slope[i] = inflow[i]
    for a in range(source.size):
        flow = rates[a] * x[source[a]]
        slope[source[a]] -= flow
        slope[target[a]] += flow


@njit(cache=True, error_model="numpy")
def _matrix_at(x, scaled, tape, net, factors):
    """Transposed 1 - scaled J at the point the tape stands at, in the order of `net`, and its factors, in place."""
    _, steps, outputs, registers, rates, order, moved, read = tape
    source, target, still, place, slopes, extent = net
    matrix = factors[0]
    carry_on(steps, order, registers, slopes, extent)
    for i in range(x.size):
        for j in range(x.size):
            matrix[i, j] = -scaled * still[i, j]
        matrix[i, i] += 1.0
    for a in moved:
        s, t, rate = place[source[a]], place[target[a]], scaled * rates[a]
        matrix[s, s] += rate
        matrix[s, t] -= rate
        for d in range(extent[outputs[a], 0], extent[outputs[a], 1]):
            change, by = scaled * slopes[outputs[a], d] * x[source[a]], place[read[d]]
            matrix[by, s] += change
            matrix[by, t] -= change
    factor(*factors)


@njit(cache=True, error_model="numpy")
def _still(source, target, rates, moved, place):
    """Transposed matrix of the arrows that do not move, (source, target) [1/h], in the order of `place`."""
    moves = np.zeros(source.size, np.bool_)
    moves[moved] = True
    matrix = np.zeros((place.size, place.size))
    for a in range(source.size):
        if not moves[a]:
            matrix[place[source[a]], place[source[a]]] -= rates[a]
            matrix[place[source[a]], place[target[a]]] += rates[a]
    return matrix


@njit(cache=True, error_model="numpy")
def _fewest_arrows_first(source, target, n):
    """Place of each state in the matrix, (state,), by how many ways lead through it."""
    entering, leaving, place = np.zeros(n), np.zeros(n), np.zeros(n, np.int64)
    for a in range(source.size):
        leaving[source[a]] += 1.0
        entering[target[a]] += 1.0
    for i in range(n):
        for j in range(n):
            ours, theirs = entering[i] * leaving[i], entering[j] * leaving[j]
            if theirs < ours or (theirs == ours and j < i):
                place[i] += 1
    return place


@njit(cache=True, error_model="numpy")
def _ready(known, n, steps, literals, outputs, source, target):
    """What a solution works with: the tape and its rates, the network, and room for factors.

    States with few arrows are solved for first, so that few entries of the matrix fill.
    """
    registers, rates, order, moved, read = begun(known, n, steps, literals, outputs)
    slopes, extent = np.zeros((registers.size, read.size)), np.zeros((registers.size, 2), np.int64)
    for d in range(read.size):
        slopes[known.size + 1 + read[d], d] = 1.0
        extent[known.size + 1 + read[d]] = d, d + 1
    extend(steps, order, extent)
    place = _fewest_arrows_first(source, target, n)
    tape = (known, steps, outputs, registers, rates, order, moved, read)
    net = (source, target, _still(source, target, rates, moved, place), place, slopes, extent)
    return tape, net, room_for_factors(n)


@njit(cache=True, error_model="numpy")
def _settled(point, before, hour, scaled, inflow, floor, tape, net, factors, slope, change):
    """Solve point = before + scaled f(point) from a first guess, in place; false where Newton's iteration fails."""
    source, target = net[0], net[1]
    last, is_stale = np.inf, False
    for _ in range(MOST_ITERATIONS):
        move_to(point, hour, *tape)
        if is_stale:
            _matrix_at(point, scaled, tape, net, factors)
        slope_into(point, source, target, tape[4], inflow, slope)
        for i in range(point.size):
            slope[i] = before[i] - point[i] + scaled * slope[i]
        solve_transposed(slope, change, net[3], *factors)
        size = 0.0
        for i in range(point.size):
            point[i] += change[i]
            size = max(size, abs(change[i]) / (floor + abs(point[i])))
        if not size < np.inf:
            return False
        if size < ROUNDED or (last < np.inf and size * size < ROUNDED * last):
            return True
        if size < ALMOST and size > 0.5 * last:
            return True
        is_stale = size > SLOW * last
        last = size
    return last < ALMOST


@njit(cache=True, error_model="numpy")
def _step(x, hour, step, inflow, floor, tape, net, factors, points, slopes, work):
    """Fill the points (stage, state) of one step, in place; false where a stage could not be solved."""
    scaled = step * GAMMA
    before, slope, change = work
    points[0] = x
    move_to(x, hour, *tape)
    slope_into(x, net[0], net[1], tape[4], inflow, slopes[0])
    _matrix_at(x, scaled, tape, net, factors)
    for s in range(1, STAGES):
        for i in range(x.size):
            total, guess = x[i], 0.0
            for r in range(s):
                total += step * WEIGHTS[s, r] * slopes[r, i]
                guess += GUESSES[s, r] * slopes[r, i]
            before[i] = total
            points[s, i] = total + scaled * guess
        if not _settled(points[s], before, hour + HOURS[s] * step, scaled, inflow, floor, tape, net, factors, slope,
                        change):  # fmt: skip
            return False
        for i in range(x.size):
            slopes[s, i] = (points[s, i] - before[i]) / scaled
    return True


@njit(cache=True, error_model="numpy")
def _first_step(x, inflow, source, rates):
    """A tenth of the time that the fastest of what is there stays where it is [h]."""
    outflow = np.zeros(x.size)
    for a in range(source.size):
        outflow[source[a]] += rates[a]
    fastest = 1e-6
    for i in range(x.size):
        if x[i] > 0.0 or inflow[i] > 0.0:
            fastest = max(fastest, outflow[i])
    return 0.1 / fastest


@njit(cache=True, error_model="numpy")
def _error(points, whole, relative):
    """Error of a step over what is allowed; infinite where a state is below zero by more than rounding."""
    error = 0.0
    for i in range(points.shape[1]):
        scale = relative * (ABSOLUTE * whole + max(abs(points[0, i]), abs(points[6, i])))
        error = max(error, abs(points[6, i] - points[5, i]) / scale)
        if points[6, i] < -NOTHING * whole or not np.isfinite(points[6, i]):
            return np.inf
    return error


@njit(cache=True, error_model="numpy")
def respond_implicit(known, steps, literals, outputs, source, target, entry, starts, durations, hours, most_steps,
                     relative):  # fmt: skip
    """`moving.respond_moving` where every state is integrated."""
    n = entry.shape[1]
    whole = max(np.abs(entry).sum(), 1e-300)
    begin, end, clock, inflow = legs_of(entry, starts, durations, hours)
    tape, net, factors = _ready(known, n, steps, literals, outputs, source, target)
    log, kept_points = np.zeros((64, 3)), np.zeros((64, STAGES, n))
    done, out = np.zeros(hours.size, np.int64), np.zeros((hours.size, n))
    x, points, slopes = np.zeros(n), np.empty((STAGES, n)), np.empty((STAGES, n))
    work = (np.empty(n), np.empty(n), np.empty(n))
    count, tries, length = 0, 0, 0.0
    for leg in range(begin.size):
        if clock[leg] == 0.0:
            x += inflow[leg]
            length = 0.0
        now, span = 0.0, end[leg] - begin[leg]
        idle = clock[leg] == 0.0 or not (x.any() or inflow[leg].any())
        if not idle and (length == 0.0 or not np.array_equal(inflow[leg], inflow[leg - 1])):
            move_to(x, begin[leg], *tape)
            length = _first_step(x, inflow[leg], source, tape[4])
        while now < span and not idle:
            last = now + 1.001 * length >= span
            step = span - now if last else length
            tries += 1
            fits = _step(x, begin[leg] + now, step, inflow[leg], ABSOLUTE * whole, tape, net, factors, points, slopes,
                         work)  # fmt: skip
            error = _error(points, whole, relative) if fits else np.inf
            if not error <= 1.0:
                length = step * (0.5 if error == np.inf else max(0.2, 0.9 * error**-0.2))
                if tries > most_steps or step < SHORTEST * span:
                    out[:] = np.nan
                    return out, log[:count], kept_points[:count], done
                continue
            log, kept_points = kept(log, kept_points, count, (begin[leg] + now, step, float(leg)), points)
            count += 1
            x[:] = points[6]
            now = span if last else now + step
            grown = step * min(8.0, 0.9 * max(error, 1e-12) ** -0.2)
            length = max(grown, length) if last else grown
        for m in range(hours.size):
            if is_asked(hours, m, end, clock, leg):
                done[m] = count
                for i in range(n):
                    out[m, i] = max(x[i], 0.0)
    return out, log[:count], kept_points[:count], done


@njit(cache=True, error_model="numpy")
def _step_back(hour, step, points, x_bar, tape, net, factors, bars, work):
    """Take `x_bar` (state,) from the end of a step to its beginning, in place, and add to the bars of what is fixed."""
    known, steps, outputs, registers, rates, order, moved, read = tape
    source, target, place = net[0], net[1], net[3]
    rates_bar, registers_bar = bars
    asked, right, flow_bar, by_rates = work
    scaled = step * GAMMA
    asked[:] = 0.0
    for s in range(STAGES - 1, -1, -1):
        move_to(points[s], hour + HOURS[s] * step, *tape)
        if s > 0:
            _matrix_at(points[s], scaled, tape, net, factors)
            for i in range(x_bar.size):
                right[i] = asked[s, i] + (scaled * x_bar[i] if s == STAGES - 1 else 0.0)
            solve(right, flow_bar, place, *factors)
            if s == STAGES - 1:
                x_bar[:] = 0.0
            for i in range(x_bar.size):
                before = (flow_bar[i] - asked[s, i]) / scaled
                x_bar[i] += before
                for r in range(s):
                    asked[r, i] += step * WEIGHTS[s, r] * before
        else:
            flow_bar[:] = asked[0]
            for a in range(source.size):
                x_bar[source[a]] += rates[a] * (flow_bar[target[a]] - flow_bar[source[a]])
        for a in range(source.size):
            rates_bar[a] += points[s, source[a]] * (flow_bar[target[a]] - flow_bar[source[a]])
        by_rates[:] = 0.0
        move_back(rates_bar, by_rates, known, steps, outputs, registers, order, moved, read, registers_bar)
        if s == 0:  # at the other stages the matrix has told it already
            x_bar += by_rates


@njit(cache=True, error_model="numpy")
def respond_implicit_adjoint(known, steps, literals, outputs, source, target, entry, starts, durations, hours, log,
                             points, done, out_bar):  # fmt: skip
    """`moving.respond_moving_adjoint` where every state is integrated."""
    n = entry.shape[1]
    tape, net, factors = _ready(known, n, steps, literals, outputs, source, target)
    bars = (np.zeros(source.size), np.zeros(tape[3].size))
    work = (np.empty((STAGES, n)), np.empty(n), np.empty(n), np.empty(n))
    x_bar = np.zeros(n)
    for count in range(log.shape[0], -1, -1):
        for m in range(hours.size):
            if done[m] == count:
                x_bar += out_bar[m]
        if count > 0:
            _step_back(log[count - 1, 0], log[count - 1, 1], points[count - 1], x_bar, tape, net, factors, bars, work)
    return handed_back(bars[0], known, steps, outputs, tape[3], bars[1])
