"""A network as a matrix, and passing states taken out of it: sums, products and quotients of non-negative numbers.

A cell in lung blood stays 0.28 s, a cell arrested there for a day. Each passing state f is taken out by handing what
flows into it to where it flows out: i -> f -> j becomes i -> j at rate w_if w_fj / sum_j w_fj. This is the Schur
complement of the fast block, in the order of operations of Grassmann, Taksar & Heyman (1985).
States are ordered lasting first, passing last; w[i, j] is the rate from i to j in 1/h.
"""

import numpy as np
from numba import njit


@njit(cache=True, error_model="numpy")
def network(source, target, rates, n):
    """Rates w[i, j] of i -> j, (state, state) [1/h], from those of the arrows."""
    w = np.zeros((n, n))
    for a in range(source.size):
        w[source[a], target[a]] += rates[a]
    return w


@njit(cache=True, error_model="numpy")
def matrix(w):
    """Matrix K of x' = K x, (state, state) [1/h], from rates w[i, j] of i -> j."""
    n = w.shape[0]
    k = np.zeros((n, n))
    for i in range(n):
        for j in range(n):
            if i != j:
                k[j, i] = w[i, j]
                k[i, i] -= w[i, j]
    return k


@njit(cache=True, error_model="numpy")
def eliminate(w, entry, n_slow):
    """Remove the passing states from `w` (state, state) [1/h] and `entry` (dose, state) [cells], in place.

    Returns (fast, state) rates into each passing state when it was removed [1/h] and shares of its outflow to each
    earlier state, and (fast,) its outflow [1/h].
    """
    n = w.shape[0]
    arriving, leaving, outflow = np.zeros((n - n_slow, n)), np.zeros((n - n_slow, n)), np.zeros(n - n_slow)
    eliminate_into(w, entry, n_slow, arriving, leaving, outflow)
    return arriving, leaving, outflow


@njit(cache=True, error_model="numpy")
def eliminate_into(w, entry, n_slow, arriving, leaving, outflow):
    """`eliminate` into arrays that are there already, for who does it at every stage of every step."""
    n = w.shape[0]
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
                for j in range(f):  # what comes back to i stands on the diagonal, where nobody looks
                    w[i, j] += arriving[s, i] * leaving[s, j]
        for d in range(entry.shape[0]):
            if entry[d, f] > 0.0:
                for j in range(f):
                    entry[d, j] += entry[d, f] * leaving[s, j]


@njit(cache=True, error_model="numpy")
def eliminate_adjoint(w_bar, entry, entry_bar, arriving, arriving_bar, leaving, outflow, outflow_bar, n_slow):
    """Carry gradients `w_bar`, `entry_bar` of the reduced network back to the full one, in place.

    Nothing is asked of the diagonal of `w_bar`: it is zero.
    """
    n = w_bar.shape[0]
    leaving_bar, open_to = np.zeros(n), np.zeros(n, np.int64)
    for f in range(n_slow, n):
        s = f - n_slow
        ways = 0
        for j in range(f):
            leaving_bar[j] = 0.0
            if leaving[s, j] != 0.0:  # few states: a passing one leads to its neighbours only
                open_to[ways] = j
                ways += 1
        for i in range(f):
            for k in range(ways):
                arriving_bar[s, i] += w_bar[i, open_to[k]] * leaving[s, open_to[k]]
            a = arriving[s, i]
            if a != 0.0:
                for j in range(f):
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
