"""Where the cells are at each hour: doses into a linear network of flows, at any time, by any route.

elimination (fast states out) -> sweep (exponential of what is left) -> transit contents put back.
`respond` is the whole of it for one set of rates; `respond_adjoint` its exact gradient by the rates.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from pbpk.body.elimination import eliminate, eliminate_adjoint
from pbpk.body.sweep import matrix, sweep, sweep_adjoint
from pbpk.errors import SolveError

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Schedule:
    """Doses as arrays: where each one enters, when, for how long.

    entry : (dose, state) [cells], starts : (dose,) [h], durations : (dose,) [h], 0 for a bolus
    """

    entry: Array
    starts: Array
    durations: Array

    def arrays(self) -> tuple[Array, Array, Array]:
        """Return the three arrays in the order the solver takes them."""
        return self.entry, self.starts, self.durations


@njit(cache=True)
def _network(source, target, rates, n):
    w = np.zeros((n, n))
    for a in range(source.size):
        w[source[a], target[a]] += rates[a]
    return w


@njit(cache=True)
def _pumped(k_matrix, inflow):
    """Matrix with one more state, a pump that stays at 1 and feeds `inflow` cells an hour."""
    n = inflow.size
    out = np.zeros((n + 1, n + 1))
    out[:n, :n] = k_matrix
    out[:n, n] = inflow
    return out


@njit(cache=True)
def _split_times(hours, start, duration):
    """Hours since the dose began, and which of them fall in and after the infusion."""
    since = hours - start
    running = np.nonzero((since >= 0.0) & (since < duration))[0]
    after = np.nonzero((since >= 0.0) & (since >= duration))[0]
    return since, running, after


@njit(cache=True)
def _follow_dose(k_matrix, entry, start, duration, hours):
    """Slow states at each hour after one dose, (time, slow)."""
    n = entry.size
    out = np.zeros((hours.size, n))
    since, running, after = _split_times(hours, start, duration)
    if duration == 0.0:
        if after.size:
            out[after] = sweep(k_matrix, entry, since[after])
        return out
    pumped = _pumped(k_matrix, entry / duration)
    origin = np.zeros(n + 1)
    origin[n] = 1.0
    if running.size:
        out[running] = sweep(pumped, origin, since[running])[:, :n]
    if after.size:
        full = sweep(pumped, origin, np.array([duration]))[0, :n].copy()
        out[after] = sweep(k_matrix, full, since[after] - duration)
    return out


@njit(cache=True)
def _follow_dose_adjoint(k_matrix, entry, start, duration, hours, out_bar):
    """Gradient of sum(out_bar * _follow_dose(...)) by the matrix and the entry."""
    n = entry.size
    k_bar = np.zeros((n, n))
    entry_bar = np.zeros(n)
    since, running, after = _split_times(hours, start, duration)
    if duration == 0.0:
        if after.size:
            k_bar, entry_bar = sweep_adjoint(k_matrix, entry, since[after], out_bar[after])
        return k_bar, entry_bar
    pumped = _pumped(k_matrix, entry / duration)
    origin = np.zeros(n + 1)
    origin[n] = 1.0
    if running.size:
        bar = np.zeros((running.size, n + 1))
        bar[:, :n] = out_bar[running]
        pumped_bar, _ = sweep_adjoint(pumped, origin, since[running], bar)
        k_bar += pumped_bar[:n, :n]
        entry_bar += pumped_bar[:n, n] / duration
    if after.size:
        end = np.array([duration])
        full = sweep(pumped, origin, end)[0, :n].copy()
        later_bar, full_bar = sweep_adjoint(k_matrix, full, since[after] - duration, out_bar[after])
        bar = np.zeros((1, n + 1))
        bar[0, :n] = full_bar
        pumped_bar, _ = sweep_adjoint(pumped, origin, end, bar)
        k_bar += later_bar + pumped_bar[:n, :n]
        entry_bar += pumped_bar[:n, n] / duration
    return k_bar, entry_bar


@njit(cache=True)
def respond(source, target, n_slow, rates, entry, starts, durations, hours):
    """Cells in every state at each hour.

    Parameters
    ----------
    source, target : (arrow,) state each arrow leaves and enters; slow states come first
    n_slow : number of states that are integrated; the rest are taken as passing through
    rates : (arrow,) [1/h]
    entry : (dose, state) [cells], starts : (dose,) [h], durations : (dose,) [h]
    hours : (time,) [h]

    Returns
    -------
    (time, state) [cells]
    """
    n = entry.shape[1]
    w = _network(source, target, rates, n)
    at_rest = entry.copy()
    arriving, _, outflow = eliminate(w, at_rest, n_slow)
    k_matrix = matrix(w[:n_slow, :n_slow])
    out = np.zeros((hours.size, n))
    for d in range(starts.size):
        slow = at_rest[d, :n_slow].copy()
        out[:, :n_slow] += _follow_dose(k_matrix, slow, starts[d], durations[d], hours)
    for f in range(n_slow, n):
        s = f - n_slow
        for m in range(hours.size):
            inflow = 0.0
            for i in range(f):
                inflow += out[m, i] * arriving[s, i]
            for d in range(starts.size):
                if starts[d] <= hours[m] < starts[d] + durations[d]:
                    inflow += at_rest[d, f] / durations[d]
            out[m, f] = inflow / outflow[s]
    return out


@njit(cache=True)
def respond_adjoint(source, target, n_slow, rates, entry, starts, durations, hours, out_bar):
    """Gradient of sum(out_bar * respond(...)) by the rates, exact for the arithmetic of `respond`.

    Parameters
    ----------
    out_bar : (time, state); the rest as for `respond`

    Returns
    -------
    (arrow,)
    """
    n = entry.shape[1]
    w = _network(source, target, rates, n)
    at_rest = entry.copy()
    arriving, leaving, outflow = eliminate(w, at_rest, n_slow)
    k_matrix = matrix(w[:n_slow, :n_slow])
    out = respond(source, target, n_slow, rates, entry, starts, durations, hours)

    bar = out_bar.copy()
    arriving_bar = np.zeros_like(arriving)
    outflow_bar = np.zeros_like(outflow)
    entry_bar = np.zeros_like(entry)
    for f in range(n - 1, n_slow - 1, -1):
        s = f - n_slow
        for m in range(hours.size):
            share = bar[m, f] / outflow[s]
            outflow_bar[s] -= share * out[m, f]
            for i in range(f):
                bar[m, i] += share * arriving[s, i]
                arriving_bar[s, i] += share * out[m, i]
            for d in range(starts.size):
                if starts[d] <= hours[m] < starts[d] + durations[d]:
                    entry_bar[d, f] += share / durations[d]

    w_bar = np.zeros((n, n))
    slow_bar = bar[:, :n_slow].copy()
    for d in range(starts.size):
        slow = at_rest[d, :n_slow].copy()
        k_bar, slow_entry_bar = _follow_dose_adjoint(
            k_matrix, slow, starts[d], durations[d], hours, slow_bar
        )
        entry_bar[d, :n_slow] += slow_entry_bar
        for i in range(n_slow):
            for j in range(n_slow):
                if i != j:
                    w_bar[i, j] += k_bar[j, i] - k_bar[i, i]
    eliminate_adjoint(
        w_bar, at_rest, entry_bar, arriving, arriving_bar, leaving, outflow, outflow_bar, n_slow
    )
    rates_bar = np.zeros(rates.size)
    for a in range(rates.size):
        rates_bar[a] = w_bar[source[a], target[a]]
    return rates_bar


@njit(cache=True)
def _respond_many(source, target, n_slow, rates, entry, starts, durations, hours):
    out = np.empty((rates.shape[0], hours.size, entry.shape[1]))
    for r in range(rates.shape[0]):
        out[r] = respond(source, target, n_slow, rates[r], entry, starts, durations, hours)
    return out


def solve(
    source: NDArray[np.int64],
    target: NDArray[np.int64],
    n_slow: int,
    rates: Array,
    schedule: Schedule,
    hours: Array,
) -> Array:
    """Cells in every state at each hour, for one or many sets of rates.

    Parameters
    ----------
    rates : (draw, arrow) or (arrow,) [1/h]
    hours : (time,) [h]

    Returns
    -------
    (draw, time, state) [cells], without the first axis when `rates` has none

    Raises
    ------
    SolveError
        if a rate is negative, not finite, or so fast that the answer would take hours
    """
    rates = np.ascontiguousarray(rates, dtype=float)
    hours = np.atleast_1d(np.asarray(hours, dtype=float))
    if not np.all(np.isfinite(rates)) or (rates < 0).any():
        raise SolveError("a rate is negative or not finite; check the parameter values.")
    many = rates.reshape(-1, rates.shape[-1])
    out = _respond_many(source, target, n_slow, many, *schedule.arrays(), hours)
    if not np.all(np.isfinite(out)):
        raise SolveError("the rates are too fast to solve in this fidelity; check the parameter values.")
    return out.reshape(*rates.shape[:-1], hours.size, -1)
