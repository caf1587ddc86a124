"""One dose through a linear network without passing states: exp(K t) x by uniformisation, and its exact gradient.

With q the largest outflow and P = I + K/q >= 0, exp(K t) = sum_k Poisson(k; q t) P^k (Jensen 1953), so one sequence
P^k x serves every time. Sums and products of non-negative numbers only: small organs keep their relative accuracy.
Where q t is in the thousands, `leaps` follow.
"""

import numpy as np
from numba import njit

from pbpk.body.leaps import MANY, leap, leap_adjoint, turnovers

MOST_STEPS = 50_000_000  # beyond this q*t: NaN


@njit(cache=True, error_model="numpy")
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
            if first[m] > 0:  # the exponent is a difference of numbers as large as the mean: its error is one factor
                total, term = 0.0, weight[m]
                for each in range(first[m], last[m] + 1):
                    total += term
                    term *= mean / (each + 1.0)
                weight[m] /= total
    return first, last, weight


@njit(cache=True, error_model="numpy")
def _log_factorial(k):
    if k < 60:
        total = 0.0
        for i in range(2, k + 1):
            total += np.log(float(i))
        return total
    x = float(k)  # Stirling's series, relative error below 1e-16 from k = 60 on
    tail = 1.0 / (12.0 * x) - 1.0 / (360.0 * x**3) + 1.0 / (1260.0 * x**5)
    return x * np.log(x) - x + 0.5 * np.log(2.0 * np.pi * x) + tail


@njit(cache=True, error_model="numpy")
def _uniformised(k_matrix):
    """Return q = largest outflow, and P = I + K/q >= 0."""
    n = k_matrix.shape[0]
    q = 0.0
    for i in range(n):
        for j in range(n):
            if not np.isfinite(k_matrix[i, j]):
                q = np.inf
        q = max(q, -k_matrix[i, i])
    if q == 0.0:
        q = 1.0  # a pump may feed states that nothing leaves
    p = np.eye(n)
    if 0.0 < q < np.inf:
        for i in range(n):
            for j in range(n):
                p[i, j] += k_matrix[i, j] / q
            p[i, i] = max(p[i, i], 0.0)
    return q, p


@njit(cache=True, error_model="numpy")
def _times(rows, v, out):
    """Out = rows.T v, four rows at a time along memory: this line is where a fit spends its hours."""
    n = v.size
    four = n - n % 4
    for i in range(n):
        out[i] = 0.0
    for j in range(0, four, 4):
        a, b, c, d = v[j], v[j + 1], v[j + 2], v[j + 3]
        for i in range(n):
            out[i] += (a * rows[j, i] + b * rows[j + 1, i]) + (c * rows[j + 2, i] + d * rows[j + 3, i])
    for j in range(four, n):
        for i in range(n):
            out[i] += v[j] * rows[j, i]


@njit(cache=True, error_model="numpy")
def sweep(k_matrix, start, hours):
    """States at each time, (time, state) [cells]; NaN where the rates are not finite or absurd.

    Parameters
    ----------
    k_matrix : (state, state) [1/h], off-diagonal non-negative
    start : (state,) [cells], hours : (time,) [h], each >= 0, in any order
    """
    n = start.size
    out = np.zeros((hours.size, n))
    q, p = _uniformised(k_matrix)
    if not q * hours.max() < MOST_STEPS:
        out[:] = np.nan
        return out
    columns = p.T.copy()
    first, last, weight = _windows(q, hours)
    v = start.copy()
    new = np.empty(n)
    for k in range(last.max() + 1):
        for m in range(hours.size):
            if first[m] <= k <= last[m]:
                for i in range(n):
                    out[m, i] += weight[m] * v[i]
                weight[m] *= q * hours[m] / (k + 1.0)
        _times(columns, v, new)
        v, new = new, v
    return out


@njit(cache=True, error_model="numpy")
def sweep_adjoint(k_matrix, start, hours, out_bar):
    """Gradient of sum(out_bar * sweep(...)) by the matrix (state, state) and by the start (state,)."""
    n = start.size
    q, p = _uniformised(k_matrix)
    if not q * hours.max() < MOST_STEPS:
        return np.full((n, n), np.nan), np.full(n, np.nan)
    columns = p.T.copy()
    first, last, weight = _windows(q, hours)
    steps = last.max() + 1
    v = np.empty((steps, n))
    bar = np.zeros((steps + 1, n))  # bar[k]: gradient by v[k]
    v[0] = start
    for k in range(steps):
        for m in range(hours.size):
            if first[m] <= k <= last[m]:
                for i in range(n):
                    bar[k, i] += weight[m] * out_bar[m, i]
                weight[m] *= q * hours[m] / (k + 1.0)
        if k + 1 < steps:
            _times(columns, v[k], v[k + 1])
    carried = np.empty(n)
    for k in range(steps - 2, -1, -1):
        _times(p, bar[k + 1], carried)
        for i in range(n):
            bar[k, i] += carried[i]
    k_bar = np.zeros((n, n))
    if q > 0.0:
        k_bar = np.dot(bar[1:steps].T, v[: steps - 1]) / q
    return k_bar, bar[0].copy()


@njit(cache=True, error_model="numpy")
def _legs(k_matrix, entry, start, duration, hours):
    """Pieces of time after one dose: one for a bolus; for an infusion one while it runs, one from its end.

    While it runs, one more state, a pump that stays at 1, feeds entry/duration cells an hour.

    Returns matrices (leg, n, n), start (n,), times (leg, time + 1) since the leg began, the last its end, and inside
    (leg, time).
    """
    infused = duration > 0.0
    n = entry.size
    n_legs, size = (2, n + 1) if infused else (1, n)
    matrices = np.zeros((n_legs, size, size))
    first = np.zeros(size)
    times = np.zeros((n_legs, hours.size + 1))
    inside = np.zeros((n_legs, hours.size))
    for leg in range(n_legs):
        matrices[leg, :n, :n] = k_matrix
    if infused:
        first[n] = 1.0
        matrices[0, :n, n] = entry / duration
        times[0, hours.size] = duration
    else:
        first[:] = entry
    for m in range(hours.size):
        since = hours[m] - start
        leg = n_legs - 1 if since > duration else 0
        if since >= 0.0:
            inside[leg, m] = 1.0
            times[leg, m] = since - leg * duration
    return matrices, first, times, inside


@njit(cache=True, error_model="numpy")
def follow_dose(k_matrix, entry, start, duration, hours):
    """Lasting states at each hour after one dose, (time, lasting), and where each leg started, (leg, n)."""
    n = entry.size
    matrices, x, times, inside = _legs(k_matrix, entry, start, duration, hours)
    out = np.zeros((hours.size, n))
    starts = np.zeros((inside.shape[0], x.size))
    for leg in range(inside.shape[0]):
        starts[leg] = x
        if turnovers(matrices[leg], times[leg]) > MANY:
            y = leap(matrices[leg], x, times[leg])
        else:
            y = sweep(matrices[leg], x, times[leg])
        for m in range(hours.size):
            for i in range(n):
                out[m, i] += inside[leg, m] * y[m, i]
        x = y[hours.size].copy()
        x[n:] = 0.0
    return out, starts


@njit(cache=True, error_model="numpy")
def follow_dose_adjoint(k_matrix, entry, start, duration, hours, out_bar):
    """Gradient of sum(out_bar * follow_dose(...)) by the matrix and the entry."""
    n = entry.size
    matrices, first, times, inside = _legs(k_matrix, entry, start, duration, hours)
    starts = first.copy().reshape(1, first.size)
    if duration > 0.0:
        _, starts = follow_dose(k_matrix, entry, start, duration, hours)
    k_bar = np.zeros((n, n))
    x_bar = np.zeros(first.size)
    for leg in range(inside.shape[0] - 1, -1, -1):
        bar = np.zeros((hours.size + 1, first.size))
        bar[hours.size, :n] = x_bar[:n]  # what the next leg asks of the end of this one
        for m in range(hours.size):
            for i in range(n):
                bar[m, i] = inside[leg, m] * out_bar[m, i]
        if turnovers(matrices[leg], times[leg]) > MANY:
            leg_bar, x_bar = leap_adjoint(matrices[leg], starts[leg], times[leg], bar)
        else:
            leg_bar, x_bar = sweep_adjoint(matrices[leg], starts[leg], times[leg], bar)
        k_bar += leg_bar[:n, :n]
        if leg == 0 and duration > 0.0:
            x_bar[:n] = leg_bar[:n, n] / duration
    return k_bar, x_bar[:n].copy()
