"""Takes the fast states out of a network of flows, exactly and without a subtraction.

A cell in lung blood stays 0.28 s, a cell arrested there for a day: a stiffness of a million. Each fast
state f is removed by handing what flows into it straight to where it flows out:

    i -> f -> j   becomes   i -> j   with rate  w_if * w_fj / sum_j w_fj

This is the Schur complement of the fast block (science: A' = (B diag(r) - diag(r + d)) A), reached by sums,
products and quotients of non-negative numbers only, so small organs keep their relative accuracy
(Grassmann, Taksar & Heyman 1985 used the same order of operations for stationary distributions).
States are ordered slow first, fast last; w[i, j] is the rate from i to j in 1/h.
"""

import numpy as np
from numba import njit


@njit(cache=True)
def eliminate(w, entry, n_slow):
    """Remove states n_slow.. from `w` and from the entry vectors; works in place.

    Parameters
    ----------
    w : (state, state) [1/h], changed in place: its slow block is the reduced network
    entry : (dose, state) [cells], changed in place: its slow part is where the cells first come to rest
    n_slow : number of states that stay

    Returns
    -------
    arriving : (fast, state) [1/h] rate from each earlier state into the fast state when it was removed
    leaving : (fast, state) [1] share of the fast state's outflow that goes to each earlier state
    outflow : (fast,) [1/h]
    """
    n = w.shape[0]
    n_fast = n - n_slow
    arriving = np.zeros((n_fast, n))
    leaving = np.zeros((n_fast, n))
    outflow = np.zeros(n_fast)
    for f in range(n - 1, n_slow - 1, -1):
        s = f - n_slow
        total = 0.0
        for j in range(f):
            total += w[f, j]
        outflow[s] = total
        for j in range(f):
            leaving[s, j] = w[f, j] / total
            arriving[s, j] = w[j, f]
        for i in range(f):
            if arriving[s, i] > 0.0:
                for j in range(f):
                    if j != i:
                        w[i, j] += arriving[s, i] * leaving[s, j]
        for d in range(entry.shape[0]):
            if entry[d, f] > 0.0:
                for j in range(f):
                    entry[d, j] += entry[d, f] * leaving[s, j]
    return arriving, leaving, outflow


@njit(cache=True)
def eliminate_adjoint(w_bar, entry, entry_bar, arriving, arriving_bar, leaving, outflow, outflow_bar, n_slow):
    """Carry gradients of the reduced network back to the full one; works in place.

    `w_bar` and `entry_bar` hold the gradient by the reduced network on entry and by the full network on
    return; `arriving_bar` and `outflow_bar` hold what the transit contents ask for.
    """
    n = w_bar.shape[0]
    leaving_bar = np.zeros(n)
    for f in range(n_slow, n):
        s = f - n_slow
        for j in range(f):
            leaving_bar[j] = 0.0
        for i in range(f):
            a = arriving[s, i]
            for j in range(f):
                if j != i:
                    arriving_bar[s, i] += w_bar[i, j] * leaving[s, j]
                    leaving_bar[j] += w_bar[i, j] * a
        for d in range(entry.shape[0]):
            for j in range(f):
                entry_bar[d, f] += entry_bar[d, j] * leaving[s, j]
                leaving_bar[j] += entry_bar[d, j] * entry[d, f]
        shared = 0.0
        for j in range(f):
            shared += leaving_bar[j] * leaving[s, j]
        for j in range(f):
            w_bar[f, j] = (leaving_bar[j] - shared) / outflow[s] + outflow_bar[s]
            w_bar[j, f] = arriving_bar[s, j]
