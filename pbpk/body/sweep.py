"""x(t) = exp(K t) x(0) for a compartmental K at many times in one sweep, never negative.

Uniformisation (Jensen 1953): with q the largest outflow and P = I + K/q, which has no negative entry,

    exp(K t) = sum_k Poisson(k; q t) P^k

so one sequence of vectors P^k x(0) serves every time, every operation adds or multiplies non-negative
numbers, and the gradient is one sweep back. Cost grows with q t, which is small once the blood is eliminated.
`gain` may hold columns that create cells (a running infusion): the same sum holds.
"""

import numpy as np
from numba import njit

MOST_STEPS = 50_000_000  # beyond this q*t the answer is NaN: hours of arithmetic for rates no cell has


@njit(cache=True)
def matrix(w):
    """Matrix K of x' = K x from rates w[i, j] of i -> j.

    Parameters
    ----------
    w : (state, state) [1/h]

    Returns
    -------
    (state, state) [1/h]
    """
    n = w.shape[0]
    k = np.zeros((n, n))
    for i in range(n):
        for j in range(n):
            if i != j:
                k[j, i] = w[i, j]
                k[i, i] -= w[i, j]
    return k


@njit(cache=True)
def _nonzeros(p):
    """Row, column and value of every non-zero entry."""
    n = p.shape[0]
    count = 0
    for i in range(n):
        for j in range(n):
            if p[i, j] != 0.0:
                count += 1
    rows = np.empty(count, np.int64)
    columns = np.empty(count, np.int64)
    values = np.empty(count)
    at = 0
    for i in range(n):
        for j in range(n):
            if p[i, j] != 0.0:
                rows[at] = i
                columns[at] = j
                values[at] = p[i, j]
                at += 1
    return rows, columns, values


@njit(cache=True)
def _windows(q, hours):
    """First and last k that matter at each time, and the Poisson weight of the first."""
    n_times = hours.size
    first = np.zeros(n_times, np.int64)
    last = np.zeros(n_times, np.int64)
    weight = np.ones(n_times)
    for m in range(n_times):
        mean = q * hours[m]
        if mean > 0.0:
            width = 9.0 * np.sqrt(mean) + 30.0  # leaves less than 1e-17 of the Poisson mass outside
            first[m] = max(0, int(mean - width))
            last[m] = int(mean + width)
            k = float(first[m])
            weight[m] = np.exp(k * np.log(mean) - mean - _log_factorial(first[m]))
    return first, last, weight


@njit(cache=True)
def _log_factorial(k):
    if k < 60:
        total = 0.0
        for i in range(2, k + 1):
            total += np.log(float(i))
        return total
    x = float(k)  # Stirling's series, relative error below 1e-16 from k = 60 on
    tail = 1.0 / (12.0 * x) - 1.0 / (360.0 * x**3) + 1.0 / (1260.0 * x**5)
    return x * np.log(x) - x + 0.5 * np.log(2.0 * np.pi * x) + tail


@njit(cache=True)
def _uniformised(k_matrix):
    """Return q = largest outflow, and the non-zeros of P = I + K/q."""
    n = k_matrix.shape[0]
    q = 0.0
    for i in range(n):
        if -k_matrix[i, i] > q:
            q = -k_matrix[i, i]
        for j in range(n):
            if not np.isfinite(k_matrix[i, j]):
                q = np.inf
    p = np.eye(n)
    if q > 0.0 and np.isfinite(q):
        for i in range(n):
            for j in range(n):
                p[i, j] += k_matrix[i, j] / q
            p[i, i] = max(p[i, i], 0.0)
    rows, columns, values = _nonzeros(p)
    return q, rows, columns, values


@njit(cache=True)
def sweep(k_matrix, start, hours):
    """States at each time.

    Parameters
    ----------
    k_matrix : (state, state) [1/h], off-diagonal non-negative
    start : (state,) [cells]
    hours : (time,) [h], each >= 0, in any order

    Returns
    -------
    (time, state) [cells]; NaN where the rates are not finite or absurd
    """
    n = start.size
    out = np.zeros((hours.size, n))
    q, rows, columns, values = _uniformised(k_matrix)
    if not q * hours.max() < MOST_STEPS:
        out[:] = np.nan
        return out
    first, last, weight = _windows(q, hours)
    v = start.copy()
    new = np.empty(n)
    for k in range(last.max() + 1):
        for m in range(hours.size):
            if first[m] <= k <= last[m]:
                for i in range(n):
                    out[m, i] += weight[m] * v[i]
                weight[m] *= q * hours[m] / (k + 1.0)
        new[:] = 0.0
        for e in range(rows.size):
            new[rows[e]] += values[e] * v[columns[e]]
        v, new = new, v
    return out


@njit(cache=True)
def sweep_adjoint(k_matrix, start, hours, out_bar):
    """Gradient of sum(out_bar * sweep(...)) by the matrix and by the start.

    Parameters
    ----------
    k_matrix, start, hours : as for `sweep`
    out_bar : (time, state)

    Returns
    -------
    k_bar : (state, state), start_bar : (state,)
    """
    n = start.size
    k_bar = np.zeros((n, n))
    bar = np.zeros(n)
    q, rows, columns, values = _uniformised(k_matrix)
    if not q * hours.max() < MOST_STEPS:
        return k_bar * np.nan, bar * np.nan
    first, last, weight = _windows(q, hours)
    steps = last.max() + 1
    v = np.empty((steps, n))
    v[0] = start
    weights = np.zeros((steps, hours.size))
    for k in range(steps):
        for m in range(hours.size):
            if first[m] <= k <= last[m]:
                weights[k, m] = weight[m]
                weight[m] *= q * hours[m] / (k + 1.0)
        if k + 1 < steps:
            v[k + 1] = 0.0
            for e in range(rows.size):
                v[k + 1, rows[e]] += values[e] * v[k, columns[e]]
    new = np.empty(n)
    for k in range(steps - 1, -1, -1):
        new[:] = 0.0
        for e in range(rows.size):
            new[columns[e]] += values[e] * bar[rows[e]]
        if q > 0.0:
            for i in range(n):  # every entry, also where the rate is zero now
                scale = bar[i] / q
                for j in range(n):
                    k_bar[i, j] += scale * v[k, j]
        for m in range(hours.size):
            if weights[k, m] != 0.0:
                for i in range(n):
                    new[i] += weights[k, m] * out_bar[m, i]
        bar, new = new, bar
    return k_bar, bar
