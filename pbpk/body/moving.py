"""Rates that move with what is where, or with the hour: integrated step by step, with the exact gradient of the steps.

    x' = K(x, t) x + B(x, t) inflow

K and B are what `elimination.eliminate` leaves once the passing states are taken as in balance, anew at every stage
of an explicit Runge-Kutta pair (Dormand & Prince 1980, J Comput Appl Math 6:19): without the blood nothing is stiff.
K's columns sum to nothing, so every stage conserves; a step that would leave a state below zero is halved.

A bolus is no instant here. Its cells arrive one after the other, far faster than anything else moves, and each finds
the places that those before it left: dx/ds = B(x) dose for s from 0 to 1, with time standing still. So a full lung
lets the rest of one dose pass. With constant rates this is the jump of the linear solver.

In full fidelity the system is stiff, and scipy's Radau takes it; that path has no gradient.
"""

import numpy as np
from numba import njit

from pbpk.body.elimination import eliminate, eliminate_adjoint, matrix, network
from pbpk.body.tape import run, run_back

RELATIVE = 1e-9  # error of a step, of each state
ABSOLUTE = 1e-4  # of that, of everything given
MOST_STEPS = 200_000
NOTHING = 1e-15  # of everything given, that rounding may leave below zero

_C = np.array([0.0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1.0, 1.0])
_A = np.array([
    [0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    [1 / 5, 0.0, 0.0, 0.0, 0.0, 0.0],
    [3 / 40, 9 / 40, 0.0, 0.0, 0.0, 0.0],
    [44 / 45, -56 / 15, 32 / 9, 0.0, 0.0, 0.0],
    [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729, 0.0, 0.0],
    [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656, 0.0],
    [35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84],
])  # fmt: skip
_ERROR = np.array([71 / 57600, 0.0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40])


@njit(cache=True, error_model="numpy")
def full_slope(known, x, hour, steps, literals, outputs, source, target):
    """Slope of every state (state,) [amount/h], nothing eliminated."""
    rates = run(steps, literals, _filled(known, x, x.size, hour))[outputs]
    out = np.zeros(x.size)
    for a in range(source.size):
        flow = rates[a] * x[source[a]]
        out[source[a]] -= flow
        out[target[a]] += flow
    return out


@njit(cache=True, error_model="numpy")
def full_matrix(known, x, hour, steps, literals, outputs, source, target):
    """Matrix K of x' = K x at one moment, (state, state) [1/h]: how the slope moves, but for how the rates do."""
    rates = run(steps, literals, _filled(known, x, x.size, hour))[outputs]
    return matrix(network(source, target, rates, x.size))


@njit(cache=True, error_model="numpy")
def _filled(known, x, n, hour):
    """Vector of all symbols: fixed ones, the hour, the states; passing states are not known and stay NaN."""
    symbols = np.full(known.size + 1 + n, np.nan)
    symbols[: known.size] = known
    symbols[known.size] = hour
    symbols[known.size + 1 : known.size + 1 + x.size] = x
    return symbols


@njit(cache=True, error_model="numpy")
def _reduced(known, x, hour, inflow, steps, literals, outputs, source, target, lasting):
    """Registers of the rates, K, inflow into lasting states, and what `eliminate` keeps."""
    n = inflow.size
    registers = run(steps, literals, _filled(known, x, n, hour))
    w = network(source, target, registers[outputs], n)
    entry = inflow.copy().reshape(1, n)
    arriving, leaving, outflow = eliminate(w, entry, lasting)
    return registers, matrix(w[:lasting, :lasting]), entry, arriving, leaving, outflow


@njit(cache=True, error_model="numpy")
def _slope(known, x, hour, inflow, clock, steps, literals, outputs, source, target, lasting):
    """Slope of the lasting states; clock : 1 as time runs, 0 while a bolus goes in."""
    _, k_matrix, entry, _, _, _ = _reduced(known, x, hour, inflow, steps, literals, outputs, source, target, lasting)
    return clock * np.dot(k_matrix, x) + entry[0, :lasting]


@njit(cache=True, error_model="numpy")
def _slope_adjoint(known, x, hour, inflow, clock, bar, steps, literals, outputs, source, target, lasting):
    """Gradient of sum(bar * slope) by the fixed symbols and by x."""
    registers, k_matrix, entry, arriving, leaving, outflow = _reduced(
        known, x, hour, inflow, steps, literals, outputs, source, target, lasting
    )
    n = inflow.size
    w_bar = np.zeros((n, n))
    for i in range(lasting):
        for j in range(lasting):
            if i != j:
                w_bar[i, j] = clock * x[i] * (bar[j] - bar[i])
    entry_bar = np.zeros((1, n))
    entry_bar[0, :lasting] = bar
    eliminate_adjoint(
        w_bar, entry, entry_bar, arriving, np.zeros_like(arriving), leaving, outflow, np.zeros_like(outflow), lasting
    )
    symbols_bar = _rates_adjoint(w_bar, registers, known.size + 1 + n, steps, outputs, source, target)
    x_bar = symbols_bar[known.size + 1 : known.size + 1 + lasting].copy()
    for i in range(lasting):
        for j in range(lasting):
            x_bar[i] += clock * k_matrix[j, i] * bar[j]
    return symbols_bar[: known.size].copy(), x_bar


@njit(cache=True, error_model="numpy")
def _rates_adjoint(w_bar, registers, n_symbols, steps, outputs, source, target):
    """Gradient by all symbols, from that by the network's rates."""
    rates_bar = np.zeros(source.size)
    for a in range(source.size):
        rates_bar[a] = w_bar[source[a], target[a]]
    return run_back(steps, registers, n_symbols, outputs, rates_bar)


@njit(cache=True, error_model="numpy")
def _stages(known, x, hour, step, inflow, clock, steps, literals, outputs, source, target, lasting):
    """Points (stage, lasting) and slopes (stage, lasting) of one step; the last point is where it ends."""
    points, slopes = np.empty((7, lasting)), np.empty((7, lasting))
    for s in range(7):
        points[s] = x
        for r in range(s):
            points[s] += step * _A[s, r] * slopes[r]
        slopes[s] = _slope(known, points[s], hour + clock * _C[s] * step, inflow, clock, steps, literals, outputs,
                           source, target, lasting)  # fmt: skip
    return points, slopes


@njit(cache=True, error_model="numpy")
def _flowing(entry, starts, durations, hour):
    """Inflow of the infusions that run at an hour, (state,)."""
    inflow = np.zeros(entry.shape[1])
    for d in range(starts.size):
        if starts[d] <= hour < starts[d] + durations[d]:
            inflow += entry[d] / durations[d]
    return inflow


@njit(cache=True, error_model="numpy")
def _legs(entry, starts, durations, hours):
    """Pieces of the study: (leg,) begin and end [h], whether time runs, and (leg, state) inflow.

    An hour that is asked for ends a leg, and sees a bolus that is given then.
    """
    ends = starts + durations
    moments = np.unique(np.concatenate((starts, ends, hours)))
    most = moments.size + starts.size + 1
    begin, end, clock = np.zeros(most), np.zeros(most), np.zeros(most)
    inflow = np.zeros((most, entry.shape[1]))
    begin[0] = end[0] = moments[0]  # nothing happens in the first: it ends at the first moment
    n = 1
    for m in range(moments.size):
        now = moments[m]
        for d in range(starts.size):
            if starts[d] == now and durations[d] == 0.0:
                begin[n], end[n], inflow[n] = now, now, entry[d]
                n += 1
        if m + 1 < moments.size:
            begin[n], end[n], clock[n] = now, moments[m + 1], 1.0
            inflow[n] = _flowing(entry, starts, durations, now)
            n += 1
    return begin[:n], end[:n], clock[:n], inflow[:n]


@njit(cache=True, error_model="numpy")
def respond_moving(
    known,
    steps,
    literals,
    outputs,
    source,
    target,
    lasting,
    entry,
    starts,
    durations,
    hours,
    most_steps=MOST_STEPS,
    relative=RELATIVE,
):
    """Amount in every state at each hour, and the steps that led there.

    Parameters
    ----------
    known : (symbol,) fixed symbols; steps, literals, outputs : tape of the rates
    source, target : (arrow,); lasting : states that are integrated
    entry : (dose, state), starts, durations : (dose,) [h], hours : (time,) [h]
    most_steps : after which it gives up; relative : error of a step that is allowed

    Returns
    -------
    (time, state), NaN where the steps did not end; (step, 3) hour, length, leg; (step, lasting) where each began;
    (time,) steps done at each hour
    """
    n = entry.shape[1]
    whole = max(np.abs(entry).sum(), 1e-300)
    begin, end, clock, inflow = _legs(entry, starts, durations, hours)
    room = 256
    log, states = np.zeros((room, 3)), np.zeros((room, lasting))
    done = np.zeros(hours.size, np.int64)
    out = np.zeros((hours.size, n))
    x = np.zeros(lasting)
    count = 0
    length = 1.0
    for leg in range(begin.size):
        span = end[leg] - begin[leg] if clock[leg] > 0.0 else 1.0
        now = 0.0
        idle = not x.any() and not inflow[leg].any()
        step = min(span, length if clock[leg] > 0.0 else 0.1)
        while now < span and not idle:
            last = now + step >= span * (1.0 - 1e-14)
            if last:
                step = span - now
            points, slopes = _stages(known, x, begin[leg] + clock[leg] * now, step, inflow[leg], clock[leg], steps,
                                     literals, outputs, source, target, lasting)  # fmt: skip
            error = 0.0
            lowest = 0.0
            for i in range(lasting):
                miss = 0.0
                for s in range(7):
                    miss += step * _ERROR[s] * slopes[s, i]
                scale = relative * (ABSOLUTE * whole + max(abs(x[i]), abs(points[6, i])))
                error = max(error, abs(miss) / scale)
                lowest = min(lowest, points[6, i])
            if not np.isfinite(error) or count >= most_steps or step < 1e-13 * span:
                out[:] = np.nan
                return out, log[:count], states[:count], done
            if error > 1.0 or lowest < -NOTHING * whole:
                step *= 0.5 if error <= 1.0 else max(0.2, 0.9 * error**-0.2)
                continue
            if count == room:
                log, states = _longer(log), _longer(states)
                room *= 2
            log[count, 0], log[count, 1], log[count, 2] = begin[leg] + clock[leg] * now, step, leg
            states[count] = x
            count += 1
            x = points[6].copy()
            now = span if last else now + step
            if not last or clock[leg] > 0.0:
                growth = 5.0 if error == 0.0 else min(5.0, max(0.2, 0.9 * error**-0.2))
                step *= growth
            if clock[leg] > 0.0:
                length = max(step, 1e-6)
        for m in range(hours.size):
            if hours[m] == end[leg] and (leg + 1 == begin.size or clock[leg + 1] > 0.0):
                out[m] = _with_passing(known, x, hours[m], entry, starts, durations, steps, literals, outputs, source,
                                       target, lasting)  # fmt: skip
                done[m] = count
    return out, log[:count], states[:count], done


@njit(cache=True, error_model="numpy")
def _longer(rows):
    """Twice the room."""
    more = np.zeros((2 * rows.shape[0], rows.shape[1]))
    more[: rows.shape[0]] = rows
    return more


@njit(cache=True, error_model="numpy")
def _with_passing(known, x, hour, entry, starts, durations, steps, literals, outputs, source, target, lasting):
    """All states, the passing ones put back from what flows in, (state,)."""
    n = entry.shape[1]
    inflow = _flowing(entry, starts, durations, hour)
    _, _, at_rest, arriving, _, outflow = _reduced(
        known, x, hour, inflow, steps, literals, outputs, source, target, lasting
    )
    out = np.zeros(n)
    for i in range(lasting):
        out[i] = max(x[i], 0.0)
    for f in range(lasting, n):
        s = f - lasting
        total = at_rest[0, f]
        for i in range(f):
            total += out[i] * arriving[s, i]
        out[f] = total / outflow[s]
    return out


@njit(cache=True, error_model="numpy")
def _with_passing_adjoint(known, x, hour, entry, starts, durations, steps, literals, outputs, source, target, lasting,
                          out, bar):  # fmt: skip
    """Gradient of sum(bar * _with_passing(...)) by the fixed symbols and by x."""
    n = entry.shape[1]
    inflow = _flowing(entry, starts, durations, hour)
    registers, _, at_rest, arriving, leaving, outflow = _reduced(
        known, x, hour, inflow, steps, literals, outputs, source, target, lasting
    )
    bar = bar.copy()
    arriving_bar, outflow_bar, entry_bar = np.zeros_like(arriving), np.zeros_like(outflow), np.zeros((1, n))
    for f in range(n - 1, lasting - 1, -1):
        s = f - lasting
        share = bar[f] / outflow[s]
        outflow_bar[s] -= share * out[f]
        entry_bar[0, f] += share
        for i in range(f):
            bar[i] += share * arriving[s, i]
            arriving_bar[s, i] += share * out[i]
    w_bar = np.zeros((n, n))
    eliminate_adjoint(w_bar, at_rest, entry_bar, arriving, arriving_bar, leaving, outflow, outflow_bar, lasting)
    symbols_bar = _rates_adjoint(w_bar, registers, known.size + 1 + n, steps, outputs, source, target)
    return (symbols_bar[: known.size].copy(),
            bar[:lasting] + symbols_bar[known.size + 1 : known.size + 1 + lasting])  # fmt: skip


@njit(cache=True, error_model="numpy")
def respond_moving_adjoint(known, steps, literals, outputs, source, target, lasting, entry, starts, durations, hours,
                           out, log, states, done, out_bar):  # fmt: skip
    """Gradient of sum(out_bar * respond_moving(...)[0]) by the fixed symbols, (symbol,), for the steps that were taken.

    out, log, states, done : what `respond_moving` returned
    """
    _, _, clock, inflow = _legs(entry, starts, durations, hours)
    total = np.zeros(known.size)
    x_bar = np.zeros(lasting)
    for count in range(log.shape[0], -1, -1):
        for m in range(hours.size):
            if done[m] == count and out[m].any():
                by_known, by_x = _with_passing_adjoint(
                    known, out[m, :lasting].copy(), hours[m], entry, starts, durations, steps, literals, outputs,
                    source, target, lasting, out[m], out_bar[m])  # fmt: skip
                total += by_known
                x_bar += by_x
        if count == 0:
            break
        hour, step, leg = log[count - 1, 0], log[count - 1, 1], int(log[count - 1, 2])
        points, _ = _stages(known, states[count - 1], hour, step, inflow[leg], clock[leg], steps, literals, outputs,
                            source, target, lasting)  # fmt: skip
        slopes_bar = np.zeros((7, lasting))
        for s in range(6):
            slopes_bar[s] = step * _A[6, s] * x_bar
        before = x_bar.copy()
        for s in range(5, -1, -1):  # the seventh slope only tells the error
            by_known, point_bar = _slope_adjoint(known, points[s], hour + clock[leg] * _C[s] * step, inflow[leg],
                                                 clock[leg], slopes_bar[s], steps, literals, outputs, source, target,
                                                 lasting)  # fmt: skip
            total += by_known
            before += point_bar
            for r in range(s):
                slopes_bar[r] += step * _A[s, r] * point_bar
        x_bar = before
    return total
