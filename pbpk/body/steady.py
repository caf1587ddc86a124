"""Doses at steady state written out as plain ones: what all before them left, and what of them still runs.

A dose that has been given every tau hours for ever left, at the moment from which it is seen, x(a) for each of the ages
a of those before it. Once they are all in, these are a geometric series of the propagator over tau, sum P^k x =
(I - P)^-1 x, taken over the states that something leaves. Nothing leaves an absorbing state: what it holds at steady
state is without end, and left out.
"""

import numpy as np
from numba import njit

from pbpk.body.uniformisation import follow_dose, follow_dose_adjoint, sweep, sweep_adjoint

TOUCHING = 1e-12  # of an interval: doses this near are one after the other


@njit(cache=True, error_model="numpy")
def ages_before(start, duration, every, since):
    """Hours since each dose that began before `since` and still runs then, and since the one before these, (dose,)."""
    lag = start - since
    first = 0 if lag < 0.0 else 1
    running = first
    while running * every - lag < duration * (1.0 - TOUCHING):
        running += 1
    return np.array([k * every - lag for k in range(first, running + 1)])


@njit(cache=True, error_model="numpy")
def written_out(k_matrix, at_rest, starts, durations, every, since):
    """Return plain doses for doses of which some are at steady state.

    Parameters
    ----------
    k_matrix : (lasting, lasting) [1/h]; at_rest : (dose, state) what `eliminate` left of the entry [cells]
    starts, durations, every, since : (dose,) [h]

    Returns
    -------
    (plain, state) [cells], (plain,) start and duration [h]; (plain,) dose that each comes from, and its share of it,
    which is 0 for what the doses before left
    """
    count = starts.size
    for d in range(starts.size):
        if every[d] > 0.0:
            count += ages_before(starts[d], durations[d], every[d], since[d]).size
    doses = np.zeros((count, at_rest.shape[1]))
    begins, lasts, share = np.zeros(count), np.zeros(count), np.zeros(count)
    origin = np.zeros(count, np.int64)
    n = 0
    for d in range(starts.size):
        if every[d] == 0.0 or starts[d] >= since[d]:
            begins[n], lasts[n], origin[n], share[n] = starts[d], durations[d], d, 1.0
            doses[n] = at_rest[d]
            n += 1
        if every[d] > 0.0:
            ages = ages_before(starts[d], durations[d], every[d], since[d])
            for age in ages[:-1]:
                begins[n], lasts[n], origin[n] = since[d], durations[d] - age, d
                share[n] = lasts[n] / durations[d]
                doses[n] = at_rest[d] * share[n]
                n += 1
            begins[n], origin[n] = since[d], d
            doses[n, : k_matrix.shape[0]] = _left(k_matrix, at_rest[d], durations[d], every[d], ages)
            n += 1
    return doses[:n], begins[:n], lasts[:n], origin[:n], share[:n]


@njit(cache=True, error_model="numpy")
def written_out_adjoint(k_matrix, at_rest, starts, durations, every, since, origin, share, doses_bar, k_bar):
    """Gradient by `at_rest` from that by the plain doses; that by the matrix is added to `k_bar`."""
    n_slow = k_matrix.shape[0]
    bar = np.zeros_like(at_rest)
    for p in range(origin.size):
        d = origin[p]
        if share[p] > 0.0:
            bar[d] += share[p] * doses_bar[p]
        else:
            ages = ages_before(starts[d], durations[d], every[d], since[d])
            own_k, own = _left_adjoint(k_matrix, at_rest[d], durations[d], every[d], ages, doses_bar[p, :n_slow].copy())
            k_bar += own_k
            bar[d, :n_slow] += own
    return bar


@njit(cache=True, error_model="numpy")
def _left(k_matrix, at_rest, duration, every, ages):
    """What the doses before left in each lasting state, (lasting,) [cells]."""
    each = follow_dose(k_matrix, at_rest[: k_matrix.shape[0]].copy(), 0.0, duration, ages)[0]
    total = _series(k_matrix, every, each[-1])
    for k in range(ages.size - 1):
        total += each[k]
    return np.where(_empties(k_matrix), total, 0.0)


@njit(cache=True, error_model="numpy")
def _left_adjoint(k_matrix, at_rest, duration, every, ages, bar):
    """Gradient of sum(bar * _left(...)) by the matrix and by what entered the lasting states."""
    n = k_matrix.shape[0]
    empties = _empties(k_matrix)
    bar = np.where(empties, bar, 0.0)
    entry = at_rest[:n].copy()
    last = follow_dose(k_matrix, entry, 0.0, duration, ages)[0][-1]
    summed = np.where(empties, _series(k_matrix, every, last), 0.0)
    asked = _solved(_kept(k_matrix, every).T.copy(), bar)
    each_bar = np.zeros((ages.size, n))
    for k in range(ages.size - 1):
        each_bar[k] = bar
    each_bar[-1] = np.where(empties, asked, 0.0)
    k_bar, entry_bar = follow_dose_adjoint(k_matrix, entry, 0.0, duration, ages, each_bar)
    hour = np.array([every])
    for j in range(n):
        if empties[j]:
            unit = np.zeros(n)
            unit[j] = 1.0
            k_bar += sweep_adjoint(k_matrix, unit, hour, (each_bar[-1] * summed[j]).reshape(1, n))[0]
    return k_bar, entry_bar


@njit(cache=True, error_model="numpy")
def _empties(k_matrix):
    """Return which states something leaves, (lasting,)."""
    return np.diag(k_matrix) < 0.0


@njit(cache=True, error_model="numpy")
def _kept(k_matrix, every):
    """I - P over the states that empty, P = exp(K every); the identity over the others."""
    n = k_matrix.shape[0]
    empties = _empties(k_matrix)
    out = np.eye(n)
    hour = np.array([every])
    for j in range(n):
        if empties[j]:
            unit = np.zeros(n)
            unit[j] = 1.0
            moved = sweep(k_matrix, unit, hour)[0]
            for i in range(n):
                if empties[i]:
                    out[i, j] -= moved[i]
    return out


@njit(cache=True, error_model="numpy")
def _series(k_matrix, every, x):
    """Sum of P^k x over k, (lasting,); what does not empty stays as it is."""
    return _solved(_kept(k_matrix, every), x)


@njit(cache=True, error_model="numpy")
def _solved(a, b):
    """Solve a x = b by elimination, without pivots: the columns of I - P are dominated by their diagonal."""
    a, x = a.copy(), b.copy()
    n = x.size
    for k in range(n):
        for i in range(k + 1, n):
            factor = a[i, k] / a[k, k]
            for j in range(k + 1, n):
                a[i, j] -= factor * a[k, j]
            x[i] -= factor * x[k]
    for k in range(n - 1, -1, -1):
        for j in range(k + 1, n):
            x[k] -= a[k, j] * x[j]
        x[k] /= a[k, k]
    return x
