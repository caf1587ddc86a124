"""Rates that move, without the blood: nothing is stiff, so an explicit Runge-Kutta pair, with its exact gradient.

    x' = K(x, t) x + B(x, t) inflow

K and B are what `elimination.eliminate` leaves once the passing states are taken as in balance, anew at every stage of
the pair of Dormand & Prince (1980, J Comput Appl Math 6:19). K's columns sum to nothing, so every stage conserves; a
step that would leave a state below zero is halved.

A bolus is no instant here. Its cells arrive one after the other, far faster than anything else moves, and each finds
the places that those before it left: dx/ds = B(x) dose for s from 0 to 1, with time standing still. So a full lung
lets the rest of one dose pass. With constant rates this is the jump of the linear solver.
"""

import numpy as np
from numba import njit

from pbpk.body.elimination import eliminate_adjoint, eliminate_into
from pbpk.body.legs import (
    ABSOLUTE,
    NOTHING,
    SHORTEST,
    begun,
    flowing,
    handed_back,
    is_asked,
    kept,
    legs_of,
    move_back,
    move_to,
)

STAGES = 7
HOURS = np.array([0.0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1.0, 1.0])
WEIGHTS = np.array([
    [0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    [1 / 5, 0.0, 0.0, 0.0, 0.0, 0.0],
    [3 / 40, 9 / 40, 0.0, 0.0, 0.0, 0.0],
    [44 / 45, -56 / 15, 32 / 9, 0.0, 0.0, 0.0],
    [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729, 0.0, 0.0],
    [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656, 0.0],
    [35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84],
])  # fmt: skip
ERRORS = np.array([71 / 57600, 0.0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40])


@njit(cache=True, error_model="numpy")
def _ready(known, n, lasting, steps, literals, outputs, source, target):
    """What a solution works with: the tape and its rates, the network, and room to take passing states out of it."""
    registers, rates, order, moved, read = begun(known, n, steps, literals, outputs)
    tape = (known, steps, outputs, registers, rates, order, moved, read)
    moves = np.zeros(source.size, np.bool_)
    moves[moved] = True
    still = np.zeros((n, n))
    for a in range(source.size):
        if not moves[a]:
            still[source[a], target[a]] += rates[a]
    passing = n - lasting
    room = (np.empty((n, n)), np.zeros((1, n)), np.zeros((passing, n)), np.zeros((passing, n)), np.zeros(passing))
    return tape, (source, target, still, lasting), room


@njit(cache=True, error_model="numpy")
def _reduced(x, hour, inflow, tape, net, room):
    """Rates between lasting states, inflow into them, and what `eliminate` keeps: `room`, filled anew."""
    move_to(x, hour, *tape)
    source, target, still, lasting = net
    w, entry, arriving, leaving, outflow = room
    w[:] = still
    for a in tape[6]:
        w[source[a], target[a]] += tape[4][a]
    entry[0] = inflow
    eliminate_into(w, entry, lasting, arriving, leaving, outflow)


@njit(cache=True, error_model="numpy")
def _slope_into(x, hour, inflow, clock, tape, net, room, slope):
    """Slope of the lasting states, in place; clock : 1 as time runs, 0 while a bolus goes in."""
    _reduced(x, hour, inflow, tape, net, room)
    w, entry = room[0], room[1]
    for i in range(x.size):
        slope[i] = entry[0, i]
    if clock > 0.0:
        for i in range(x.size):
            for j in range(x.size):
                if i != j and w[i, j] != 0.0:
                    flow = w[i, j] * x[i]
                    slope[i] -= flow
                    slope[j] += flow


@njit(cache=True, error_model="numpy")
def _network_back(x_bar, w_bar, entry_bar, arriving_bar, outflow_bar, tape, net, room, bars):
    """Take gradients by the reduced network back to its rates, and by these to the amounts, in place."""
    known, steps, outputs, registers, _, order, moved, read = tape
    source, target, _, lasting = net
    _, entry, arriving, leaving, outflow = room
    rates_bar, registers_bar = bars
    eliminate_adjoint(w_bar, entry, entry_bar, arriving, arriving_bar, leaving, outflow, outflow_bar, lasting)
    for a in range(source.size):
        rates_bar[a] += w_bar[source[a], target[a]]
    move_back(rates_bar, x_bar, known, steps, outputs, registers, order, moved, read, registers_bar)


@njit(cache=True, error_model="numpy")
def _slope_back(x, hour, inflow, clock, bar, tape, net, room, bars, work, x_bar):
    """Gradient of sum(bar * slope) by x, (lasting,) in place, and added to the bars of what is fixed."""
    _reduced(x, hour, inflow, tape, net, room)
    w, lasting = room[0], x.size
    w_bar, entry_bar, arriving_bar, outflow_bar = work
    w_bar[:], entry_bar[:], arriving_bar[:], outflow_bar[:], x_bar[:] = 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(lasting):
        entry_bar[0, i] = bar[i]
        for j in range(lasting):
            if i != j:
                w_bar[i, j] = clock * x[i] * (bar[j] - bar[i])
                x_bar[i] += clock * w[i, j] * (bar[j] - bar[i])
    _network_back(x_bar, w_bar, entry_bar, arriving_bar, outflow_bar, tape, net, room, bars)


@njit(cache=True, error_model="numpy")
def _step(x, hour, step, inflow, clock, tape, net, room, points, slopes):
    """Points (stage, lasting) and slopes (stage, lasting) of one step, in place; the last point is where it ends."""
    for s in range(STAGES):
        for i in range(x.size):
            total = x[i]
            for r in range(s):
                total += step * WEIGHTS[s, r] * slopes[r, i]
            points[s, i] = total
        _slope_into(points[s], hour + clock * HOURS[s] * step, inflow, clock, tape, net, room, slopes[s])


@njit(cache=True, error_model="numpy")
def _error(points, slopes, step, whole, relative):
    """Error of a step over what is allowed, and the lowest state where it ends."""
    error, lowest = 0.0, 0.0
    for i in range(points.shape[1]):
        miss = 0.0
        for s in range(STAGES):
            miss += step * ERRORS[s] * slopes[s, i]
        scale = relative * (ABSOLUTE * whole + max(abs(points[0, i]), abs(points[6, i])))
        error = max(error, abs(miss) / scale)
        lowest = min(lowest, points[6, i])
    return error, lowest


@njit(cache=True, error_model="numpy")
def respond_explicit(known, steps, literals, outputs, source, target, lasting, entry, starts, durations, hours,
                     most_steps, relative):  # fmt: skip
    """`moving.respond_moving` where passing states are taken out."""
    n = entry.shape[1]
    whole = max(np.abs(entry).sum(), 1e-300)
    begin, end, clock, inflow = legs_of(entry, starts, durations, hours)
    tape, net, room = _ready(known, n, lasting, steps, literals, outputs, source, target)
    log, kept_points = np.zeros((64, 3)), np.zeros((64, STAGES, lasting))
    done, out = np.zeros(hours.size, np.int64), np.zeros((hours.size, n))
    x, points, slopes = np.zeros(lasting), np.empty((STAGES, lasting)), np.empty((STAGES, lasting))
    count, length = 0, 1.0
    for leg in range(begin.size):
        span = end[leg] - begin[leg] if clock[leg] > 0.0 else 1.0
        now, idle = 0.0, not x.any() and not inflow[leg].any()
        step = length if clock[leg] > 0.0 else 0.1
        while now < span and not idle:
            planned, last = step, now + 1.001 * step >= span
            step = span - now if last else step
            _step(x, begin[leg] + clock[leg] * now, step, inflow[leg], clock[leg], tape, net, room, points, slopes)
            error, lowest = _error(points, slopes, step, whole, relative)
            if not np.isfinite(error) or count >= most_steps or step < SHORTEST * span:
                out[:] = np.nan
                return out, log[:count], kept_points[:count], done
            if error > 1.0 or lowest < -NOTHING * whole:
                step *= 0.5 if error <= 1.0 else max(0.2, 0.9 * error**-0.2)
                continue
            row = (begin[leg] + clock[leg] * now, step, float(leg))
            log, kept_points = kept(log, kept_points, count, row, points)
            count += 1
            x[:] = points[6]
            now = span if last else now + step
            step *= min(5.0, 0.9 * max(error, 1e-12) ** -0.2)
            if clock[leg] > 0.0:
                length = max(step, planned) if last else step
        for m in range(hours.size):
            if is_asked(hours, m, end, clock, leg):
                _with_passing(x, hours[m], flowing(entry, starts, durations, hours[m]), tape, net, room, out[m])
                done[m] = count
    return out, log[:count], kept_points[:count], done


@njit(cache=True, error_model="numpy")
def _with_passing(x, hour, inflow, tape, net, room, out):
    """All states, the passing ones put back from what flows in, (state,) in place."""
    _reduced(x, hour, inflow, tape, net, room)
    _, at_rest, arriving, _, outflow = room
    for i in range(x.size):
        out[i] = max(x[i], 0.0)
    for f in range(x.size, out.size):
        s = f - x.size
        total = at_rest[0, f]
        for i in range(f):
            total += out[i] * arriving[s, i]
        out[f] = total / outflow[s]


@njit(cache=True, error_model="numpy")
def _with_passing_back(x, hour, inflow, out, bar, tape, net, room, bars, work, x_bar):
    """Gradient of sum(bar * _with_passing(...)) by x, (lasting,) in place, and added to the bars of what is fixed."""
    _reduced(x, hour, inflow, tape, net, room)
    _, _, arriving, _, outflow = room
    w_bar, entry_bar, arriving_bar, outflow_bar = work
    w_bar[:], entry_bar[:], arriving_bar[:], outflow_bar[:] = 0.0, 0.0, 0.0, 0.0
    bar = bar.copy()
    for f in range(out.size - 1, x.size - 1, -1):
        s = f - x.size
        share = bar[f] / outflow[s]
        outflow_bar[s] -= share * out[f]
        entry_bar[0, f] += share
        for i in range(f):
            bar[i] += share * arriving[s, i]
            arriving_bar[s, i] += share * out[i]
    x_bar[:] = bar[: x.size]
    _network_back(x_bar, w_bar, entry_bar, arriving_bar, outflow_bar, tape, net, room, bars)


@njit(cache=True, error_model="numpy")
def _step_back(row, points, inflow, clock, x_bar, tape, net, room, bars, work, asked, point_bar):
    """Take `x_bar` (lasting,) from the end of a step to its beginning, in place; the seventh slope tells the error."""
    hour, step = row[0], row[1]
    for s in range(STAGES - 1):
        for i in range(x_bar.size):
            asked[s, i] = step * WEIGHTS[STAGES - 1, s] * x_bar[i]
    for s in range(STAGES - 2, -1, -1):
        _slope_back(points[s], hour + clock * HOURS[s] * step, inflow, clock, asked[s], tape, net, room, bars, work,
                    point_bar)  # fmt: skip
        for i in range(x_bar.size):
            x_bar[i] += point_bar[i]
            for r in range(s):
                asked[r, i] += step * WEIGHTS[s, r] * point_bar[i]


@njit(cache=True, error_model="numpy")
def respond_explicit_adjoint(known, steps, literals, outputs, source, target, lasting, entry, starts, durations, hours,
                             out, log, points, done, out_bar):  # fmt: skip
    """`moving.respond_moving_adjoint` where passing states are taken out."""
    n = entry.shape[1]
    _, _, clock, inflow = legs_of(entry, starts, durations, hours)
    tape, net, room = _ready(known, n, lasting, steps, literals, outputs, source, target)
    bars = (np.zeros(source.size), np.zeros(tape[3].size))
    work = (np.empty((n, n)), np.empty((1, n)), np.empty((n - lasting, n)), np.empty(n - lasting))
    asked, x_bar, point_bar = np.empty((STAGES - 1, lasting)), np.zeros(lasting), np.empty(lasting)
    for count in range(log.shape[0], -1, -1):
        for m in range(hours.size):
            if done[m] == count and out[m].any():
                flow = flowing(entry, starts, durations, hours[m])
                _with_passing_back(out[m, :lasting], hours[m], flow, out[m], out_bar[m], tape, net, room, bars, work,
                                   point_bar)  # fmt: skip
                x_bar += point_bar
        if count > 0:
            leg = int(log[count - 1, 2])
            _step_back(log[count - 1], points[count - 1], inflow[leg], clock[leg], x_bar, tape, net, room, bars, work,
                       asked, point_bar)  # fmt: skip
    return handed_back(bars[0], known, steps, outputs, tape[3], bars[1])
