"""exp(K t) x where the fastest rate turns over thousands of times: by the powers of `doubling`, exactly differentiated.

`uniformisation` takes a step for each turnover, and a gradient keeps them all. Here exp(K h) for h, 2 h, 4 h, ... costs
one product of matrices each, any hour is a product of a few of them, and all of it is differentiated backward: what
stiff models with blood cost a fit grows with the logarithm of q t.
"""

import numpy as np
from numba import njit

from pbpk.body.doubling import TERMS, advance, powers_of

MANY = 3000.0  # turnovers (q t) from which leaps are the cheaper way: at 14 000, 17 states and 13 hours 0.18 ms for 2.3
MOST = 1e9  # and at which the digits end: each doubling doubles the rounding of the first


@njit(cache=True, error_model="numpy")
def turnovers(k_matrix, hours):
    """Turnovers (q t): largest outflow times the last hour, inf where a rate is not finite."""
    q = 0.0
    for i in range(k_matrix.shape[0]):
        for j in range(k_matrix.shape[0]):
            if not np.isfinite(k_matrix[i, j]):
                return np.inf
        q = max(q, -k_matrix[i, i])
    return q * hours.max()


@njit(cache=True, error_model="numpy")
def _bodies(k_matrix):
    """Number of states that are used up: a pump, which only feeds, stands last."""
    n = k_matrix.shape[0]
    if n > 1 and k_matrix[n - 1, n - 1] == 0.0 and k_matrix[: n - 1, n - 1].sum() > 0.0:
        return n - 1
    return n


@njit(cache=True, error_model="numpy")
def leap(k_matrix, start, hours):
    """States at each time, (time, state); NaN where the rates are not finite or need more than `MOST` turnovers.

    Parameters
    ----------
    k_matrix : (state, state) [1/h], off-diagonal non-negative; columns sum to 0 but for a last one that is a pump
    start : (state,), hours : (time,) [h], each >= 0, in any order
    """
    out = np.empty((hours.size, start.size))
    if not turnovers(k_matrix, hours) < MOST:
        out[:] = np.nan
        return out
    longest = hours.max()
    powers = powers_of(k_matrix, _bodies(k_matrix), longest)
    for m in range(hours.size):
        out[m] = advance(k_matrix, powers, longest, start, hours[m])
    return out


@njit(cache=True, error_model="numpy")
def leap_adjoint(k_matrix, start, hours, out_bar):
    """Gradient of sum(out_bar * leap(...)) by the matrix (state, state) and by the start (state,)."""
    n = start.size
    k_bar, start_bar = np.zeros((n, n)), np.zeros(n)
    if not turnovers(k_matrix, hours) < MOST:
        k_bar[:], start_bar[:] = np.nan, np.nan
        return k_bar, start_bar
    longest = hours.max()
    powers = powers_of(k_matrix, _bodies(k_matrix), longest)
    levels = powers.shape[0]
    finest = longest / 2.0 ** (levels - 1)
    powers_bar = np.zeros_like(powers)
    path, term = np.empty((levels + 1, n)), np.empty((TERMS + 1, n))
    for m in range(hours.size):
        count = int(np.floor(hours[m] / finest))
        rest = max(0.0, hours[m] - count * finest)
        path[0] = start
        for level in range(levels):
            path[level + 1] = np.dot(powers[level], path[level]) if (count >> level) & 1 else path[level]
        # exp(K rest) by its series, forward and back
        term[0] = path[levels]
        for k in range(1, TERMS + 1):
            term[k] = np.dot(k_matrix, term[k - 1]) * (rest / k)
        bar = out_bar[m].copy()
        for k in range(TERMS, 0, -1):
            for i in range(n):
                for j in range(n):
                    k_bar[i, j] += bar[i] * term[k - 1, j] * (rest / k)
            bar = out_bar[m] + np.dot(k_matrix.T, bar) * (rest / k)
        for level in range(levels - 1, -1, -1):
            if (count >> level) & 1:
                for i in range(n):
                    for j in range(n):
                        powers_bar[level, i, j] += bar[i] * path[level, j]
                bar = np.dot(powers[level].T, bar)
        start_bar += bar
    for level in range(levels - 1, 0, -1):
        below, above = powers[level - 1], powers_bar[level]
        powers_bar[level - 1] += np.dot(above, below.T) + np.dot(below.T, above)
    return k_bar + finest * _series_adjoint(k_matrix * finest, powers_bar[0]), start_bar


@njit(cache=True, error_model="numpy")
def _series_adjoint(b, bar):
    """Gradient of sum(bar * exp(b)) by a small matrix b, for the series b (I + b/2 (I + b/3 (...)))."""
    n = b.shape[0]
    sums = np.zeros((TERMS + 1, n, n))  # sums[k] = b/k (I + sums[k + 1])
    sums[TERMS - 1] = b / TERMS
    for k in range(TERMS - 1, 0, -1):
        sums[k - 1] = (b + np.dot(b, sums[k])) / k
    b_bar, down = np.zeros((n, n)), bar.copy()
    for k in range(1, TERMS):
        b_bar += (down + np.dot(down, sums[k].T)) / k
        down = np.dot(b.T, down) / k
    return b_bar + down / TERMS
