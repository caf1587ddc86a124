"""Blood and tissue integrated together, at a cost that grows with the logarithm of time over the fastest rate.

A cell is in lung blood for 0.28 s and a study lasts weeks. exp(2 K h) = exp(K h)^2, so some thirty squarings lead from
a step below the fastest rate to the whole study, and any hour is a product of a few of these powers P. Only sums and
products of what is not negative are taken: for i != j the square has the entry

    P_ij (P_ii + P_jj) + sum over k other than i, j of P_ik P_kj.

What stays, P_jj, is 1 less what its column gives away while that is below a half, so that slow rates keep their digits
beside fast ones; beyond, where that difference would lose them, it is P_jj^2 + sum over k of P_jk P_kj, and the column
is scaled to sum to 1. So cells are conserved, and the last 1e-12 of a dose has as many digits as the first half.
Compiled; its gradient is in `leaps`, for the systems that the sampler follows.
"""

import numpy as np
from numba import njit

from pbpk.body.elimination import matrix, network

FINEST = 1.0 / 32.0  # largest outflow times the first step: eight terms of the series leave 1e-17
TERMS = 8


@njit(cache=True, error_model="numpy")
def _fastest(k_matrix):
    """Return the largest outflow of any state [1/h]."""
    q = 0.0
    for i in range(k_matrix.shape[0]):
        q = max(q, -k_matrix[i, i])
    return q


@njit(cache=True, error_model="numpy")
def _first_power(k_matrix, n_body, step):
    """exp(K step) by its series: what moves, off the diagonal, and what stays, on it.

    The columns from `n_body` on are pumps, which feed and are not used up.
    """
    n = k_matrix.shape[0]
    q = _fastest(k_matrix)
    b = k_matrix * step
    for i in range(n):
        b[i, i] = (q + k_matrix[i, i]) * step
    total = b / TERMS
    for k in range(TERMS - 1, 0, -1):  # Horner: b/k (I + total)
        total = (b + np.dot(b, total)) / k
    total *= np.exp(-q * step)
    for j in range(n):
        total[j, j] = 1.0
    _settle(total, n_body)
    return total


@njit(cache=True, error_model="numpy")
def _settle(power, n_body):
    """Make every column sum to 1; a pump stays as it is.

    Up to a half given away, what stays is the rest. Beyond, the rest would be a difference of near numbers: what stays
    has come from products, and the column is scaled.
    """
    n = power.shape[0]
    for j in range(n_body):
        given = 0.0
        for i in range(n):
            if i != j:
                given += power[i, j]
        if given < 0.5:
            power[j, j] = 1.0 - given
        else:
            total = given + power[j, j]
            for i in range(n):
                power[i, j] /= total


@njit(cache=True, error_model="numpy")
def powers_of(k_matrix, n_body, longest):
    """exp(K h) for the steps longest/2^J, ..., longest/2, longest: (J + 1, n, n)."""
    n = k_matrix.shape[0]
    q = _fastest(k_matrix)
    doublings = 0
    while q * longest / 2.0**doublings > FINEST:
        doublings += 1
    powers = np.empty((doublings + 1, n, n))
    powers[0] = _first_power(k_matrix, n_body, longest / 2.0**doublings)
    off = np.empty((n, n))
    for level in range(doublings):
        p = powers[level]
        off[:] = p
        for i in range(n):
            off[i, i] = 0.0
        two = np.dot(off, off)
        for i in range(n):
            for j in range(n):
                powers[level + 1, i, j] = off[i, j] * (p[i, i] + p[j, j]) + two[i, j]
            powers[level + 1, i, i] = p[i, i] * p[i, i] + two[i, i]
        _settle(powers[level + 1], n_body)
    return powers


@njit(cache=True, error_model="numpy")
def advance(k_matrix, powers, longest, x, hours):
    """States after some hours from the states `x`."""
    n = x.size
    levels = powers.shape[0]
    finest = longest / 2.0 ** (levels - 1)
    count = int(np.floor(hours / finest))
    x = x.copy()
    new = np.empty(n)
    for level in range(levels):
        if (count >> level) & 1:
            for i in range(n):
                new[i] = 0.0
                for j in range(n):
                    new[i] += powers[level, i, j] * x[j]
            x, new = new, x
    return _short(k_matrix, x, max(0.0, hours - count * finest))


@njit(cache=True, error_model="numpy")
def _short(k_matrix, x, hours):
    """exp(K hours) x by the series of non-negative terms, for hours below the finest step."""
    n = x.size
    q = _fastest(k_matrix)
    term = x.copy()
    total = x.copy()
    new = np.empty(n)
    for k in range(1, TERMS + 1):
        for i in range(n):
            new[i] = q * term[i]
            for j in range(n):
                new[i] += k_matrix[i, j] * term[j]
            new[i] = max(new[i], 0.0)
        for i in range(n):
            term[i] = new[i] * hours / k
            total[i] += term[i]
    return total * np.exp(-q * hours)


@njit(cache=True, error_model="numpy")
def follow(source, target, rates, entry, starts, durations, hours):
    """Cells in every state at each hour, blood and tissue together.

    Parameters
    ----------
    source, target : (arrow,) state each arrow leaves and enters
    rates : (arrow,) [1/h]
    entry : (dose, state) [cells], starts : (dose,) [h], durations : (dose,) [h]
    hours : (time,) [h], in any order

    Returns
    -------
    (time, state) [cells]
    """
    n = entry.shape[1]
    n_doses = starts.size
    # each infusion is one more state, a pump that stays at 1 while it runs and feeds entry/duration cells an hour
    size = n
    for d in range(n_doses):
        size += durations[d] > 0.0
    k_matrix = np.zeros((size, size))
    k_matrix[:n, :n] = matrix(network(source, target, rates, n))
    pump = np.zeros(n_doses, np.int64)
    size = n
    for d in range(n_doses):
        if durations[d] > 0.0:
            pump[d] = size
            k_matrix[:n, size] = entry[d] / durations[d]
            size += 1
    ends = starts + durations
    moments = np.sort(np.concatenate((starts, ends, hours)))
    longest = 1e-9  # [h]; above 0 where all is asked at one moment
    for m in range(1, moments.size):
        longest = max(longest, moments[m] - max(moments[m - 1], 0.0))
    powers = powers_of(k_matrix, n, longest)
    out = np.zeros((hours.size, n))
    x = np.zeros(size)
    now = moments[0]
    for m in range(moments.size):
        if moments[m] > now:
            x = advance(k_matrix, powers, longest, x, moments[m] - now)
            now = moments[m]
        elif m > 0:
            continue
        for d in range(n_doses):
            if starts[d] == now and durations[d] > 0.0:
                x[pump[d]] = 1.0
            elif starts[d] == now:
                x[:n] += entry[d]
            elif ends[d] == now:
                x[pump[d]] = 0.0
        for h in range(hours.size):
            if hours[h] == now:
                out[h] = x[:n]
    return out


@njit(cache=True, error_model="numpy")
def follow_many(source, target, rates, entry, starts, durations, hours):
    """Return `follow` for many sets of rates."""
    out = np.empty((rates.shape[0], hours.size, entry.shape[1]))
    for r in range(rates.shape[0]):
        out[r] = follow(source, target, rates[r], entry, starts, durations, hours)
    return out
