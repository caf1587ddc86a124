"""Cells flowing through a linear network: the compiled arithmetic of the body, and its exact gradient.

Sums, products and quotients of non-negative numbers: small organs keep their relative accuracy.

1. Passing states are taken out of the network (`elimination`).
2. Doses at steady state are written out as plain ones (`steady`).
3. Each dose is followed (`uniformisation`).
4. What is passing at each hour is put back from what flows in.
States are ordered lasting first, passing last; w[i, j] is the rate from i to j in 1/h.
"""

import numpy as np
from numba import njit

from pbpk.body.elimination import eliminate, eliminate_adjoint, matrix, network
from pbpk.body.steady import written_out, written_out_adjoint
from pbpk.body.uniformisation import follow_dose, follow_dose_adjoint


@njit(cache=True, error_model="numpy")
def respond(source, target, n_slow, rates, entry, starts, durations, every, since, hours):
    """Cells in every state at each hour.

    Parameters
    ----------
    source, target : (arrow,) state each arrow leaves and enters; slow states come first
    n_slow : number of states that are integrated; the rest are taken as passing through
    rates : (arrow,) [1/h]
    entry : (dose, state) [cells], starts : (dose,) [h], durations : (dose,) [h]
    every, since : (dose,) [h], see `Schedule`; None where each dose is given once, for which less is compiled
    hours : (time,) [h]

    Returns
    -------
    (time, state) [cells]; at steady state without what has left the body, which is without end
    """
    n = entry.shape[1]
    w = network(source, target, rates, n)
    at_rest = entry.copy()
    arriving, _, outflow = eliminate(w, at_rest, n_slow)
    k_matrix = matrix(w[:n_slow, :n_slow])
    if every is None:
        doses, begins, lasts = at_rest, starts, durations
    else:
        doses, begins, lasts, _, _ = written_out(k_matrix, at_rest, starts, durations, every, since)
    out = np.zeros((hours.size, n))
    for d in range(begins.size):
        slow = doses[d, :n_slow].copy()
        out[:, :n_slow] += follow_dose(k_matrix, slow, begins[d], lasts[d], hours)[0]
    for f in range(n_slow, n):
        s = f - n_slow
        for m in range(hours.size):
            inflow = 0.0
            for i in range(f):
                inflow += out[m, i] * arriving[s, i]
            for d in range(begins.size):
                if begins[d] <= hours[m] < begins[d] + lasts[d]:
                    inflow += doses[d, f] / lasts[d]
            out[m, f] = inflow / outflow[s]
    return out


@njit(cache=True, error_model="numpy")
def respond_adjoint(source, target, n_slow, rates, entry, starts, durations, every, since, hours, out, out_bar):
    """Gradient of sum(out_bar * respond(...)) by the rates, exact for the arithmetic of `respond`.

    Parameters
    ----------
    out : (time, state) what `respond` returned; out_bar : (time, state); the rest as for `respond`

    Returns
    -------
    (arrow,)
    """
    n = entry.shape[1]
    w = network(source, target, rates, n)
    at_rest = entry.copy()
    arriving, leaving, outflow = eliminate(w, at_rest, n_slow)
    k_matrix = matrix(w[:n_slow, :n_slow])
    if every is None:
        doses, begins, lasts = at_rest, starts, durations
    else:
        doses, begins, lasts, origin, share = written_out(k_matrix, at_rest, starts, durations, every, since)

    bar = out_bar.copy()
    arriving_bar = np.zeros_like(arriving)
    outflow_bar = np.zeros_like(outflow)
    doses_bar = np.zeros_like(doses)
    for f in range(n - 1, n_slow - 1, -1):
        s = f - n_slow
        for m in range(hours.size):
            part = bar[m, f] / outflow[s]
            outflow_bar[s] -= part * out[m, f]
            for i in range(f):
                bar[m, i] += part * arriving[s, i]
                arriving_bar[s, i] += part * out[m, i]
            for d in range(begins.size):
                if begins[d] <= hours[m] < begins[d] + lasts[d]:
                    doses_bar[d, f] += part / lasts[d]

    whole_bar = np.zeros((n_slow, n_slow))
    slow_bar = bar[:, :n_slow].copy()
    for d in range(begins.size):
        slow = doses[d, :n_slow].copy()
        k_bar, slow_entry_bar = follow_dose_adjoint(k_matrix, slow, begins[d], lasts[d], hours, slow_bar)
        doses_bar[d, :n_slow] += slow_entry_bar
        whole_bar += k_bar
    if every is None:
        entry_bar = doses_bar
    else:
        entry_bar = written_out_adjoint(k_matrix, at_rest, starts, durations, every, since, origin, share, doses_bar,
                                        whole_bar)  # fmt: skip
    w_bar = np.zeros((n, n))
    for i in range(n_slow):
        for j in range(n_slow):
            if i != j:
                w_bar[i, j] = whole_bar[j, i] - whole_bar[i, i]
    eliminate_adjoint(w_bar, at_rest, entry_bar, arriving, arriving_bar, leaving, outflow, outflow_bar, n_slow)
    rates_bar = np.zeros(rates.size)
    for a in range(rates.size):
        rates_bar[a] = w_bar[source[a], target[a]]
    return rates_bar


@njit(cache=True, error_model="numpy")
def respond_many(source, target, n_slow, rates, entry, starts, durations, every, since, hours):
    """Return `respond` for many sets of rates."""
    out = np.empty((rates.shape[0], hours.size, entry.shape[1]))
    for r in range(rates.shape[0]):
        out[r] = respond(source, target, n_slow, rates[r], entry, starts, durations, every, since, hours)
    return out
