"""What both ways of following rates that move share: the legs of a study, and its rates at one moment.

A leg is time with one inflow, or a bolus, while time stands still. Rates that neither the hour nor an amount moves are
worked out once for a whole solution, the others at every point.
"""

import numpy as np
from numba import njit

from pbpk.body.tape import carry_back, moving_registers, run, run_again

RELATIVE = 1e-9  # error of a step, of each state
ABSOLUTE = 1e-4  # of that, of everything given
MOST_STEPS = 200_000
NOTHING = 1e-15  # of everything given, that rounding may leave below zero
SHORTEST = 1e-13  # of a leg: a step below it gets nowhere


@njit(cache=True, error_model="numpy")
def flowing(entry, starts, durations, hour):
    """Inflow of the infusions that run at an hour, (state,)."""
    inflow = np.zeros(entry.shape[1])
    for d in range(starts.size):
        if starts[d] <= hour < starts[d] + durations[d]:
            inflow += entry[d] / durations[d]
    return inflow


@njit(cache=True, error_model="numpy")
def legs_of(entry, starts, durations, hours):
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
            inflow[n] = flowing(entry, starts, durations, now)
            n += 1
    return begin[:n], end[:n], clock[:n], inflow[:n]


@njit(cache=True, error_model="numpy")
def is_asked(hours, m, end, clock, leg):
    """Whether hour `m` is seen after this leg: at its end, and no bolus given then is still to come."""
    return hours[m] == end[leg] and (leg + 1 == end.size or clock[leg + 1] > 0.0)


@njit(cache=True, error_model="numpy")
def kept(log, points, count, row, stages):
    """Log (step, 3) and points (step, stage, state) with one more step in them; twice as long where they were full."""
    if count == log.shape[0]:
        more_log = np.zeros((2 * count, 3))
        more_points = np.zeros((2 * count, points.shape[1], points.shape[2]))
        more_log[:count], more_points[:count] = log, points
        log, points = more_log, more_points
    log[count, 0], log[count, 1], log[count, 2] = row
    points[count] = stages
    return log, points


@njit(cache=True, error_model="numpy")
def begun(known, n, steps, literals, outputs):
    """Work out what does not move.

    Returns
    -------
    (register,) values, NaN where they move; (arrow,) rates; and which ones move: (moving step,), (moving arrow,),
    (state that a rate reads,)
    """
    n_symbols = known.size + 1 + n
    symbols = np.full(n_symbols, np.nan)
    symbols[: known.size] = known
    registers = run(steps, literals, symbols)
    moves = moving_registers(steps, known.size, n_symbols, literals.size)
    order = np.flatnonzero(moves[n_symbols + literals.size :])
    moved = np.flatnonzero(moves[outputs])
    is_read = np.zeros(n_symbols, np.bool_)
    for s in order:
        for r in (steps[s, 1], steps[s, 2]):
            if r < n_symbols:
                is_read[r] = True
    for a in moved:
        if outputs[a] < n_symbols:
            is_read[outputs[a]] = True
    return registers, registers[outputs], order, moved, np.flatnonzero(is_read[known.size + 1 :])


@njit(cache=True, error_model="numpy")
def move_to(x, hour, known, steps, outputs, registers, rates, order, moved, read):
    """Bring registers and rates to a point (state,) and an hour, in place."""
    registers[known.size] = hour
    for state in read:
        if state < x.size:
            registers[known.size + 1 + state] = x[state]
    run_again(steps, order, registers)
    for a in moved:
        rates[a] = registers[outputs[a]]


@njit(cache=True, error_model="numpy")
def move_back(rates_bar, x_bar, known, steps, outputs, registers, order, moved, read, registers_bar):
    """Add to `x_bar` what the moving rates hand back at this point, and to `registers_bar` what fixed registers get."""
    for a in moved:
        registers_bar[outputs[a]] += rates_bar[a]
        rates_bar[a] = 0.0
    carry_back(steps, order, registers, registers_bar)
    registers_bar[known.size] = 0.0  # nothing is learned of the hour
    for state in read:
        if state < x_bar.size:
            x_bar[state] += registers_bar[known.size + 1 + state]
        registers_bar[known.size + 1 + state] = 0.0


@njit(cache=True, error_model="numpy")
def handed_back(rates_bar, known, steps, outputs, registers, registers_bar):
    """Gradient by the fixed symbols, (symbol,), of what all points left in rates and registers that do not move."""
    for a in range(outputs.size):
        registers_bar[outputs[a]] += rates_bar[a]
    carry_back(steps, np.arange(steps.shape[0]), registers, registers_bar)
    return registers_bar[: known.size].copy()
