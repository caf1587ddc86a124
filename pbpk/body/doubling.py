"""Blood and tissue integrated together, at a cost that grows with the logarithm of time over the fastest rate.

A cell is in lung blood for 0.28 s and a study lasts weeks. exp(2 K h) = exp(K h)^2, so some thirty squarings lead from
a step below the fastest rate to the whole study, and any hour is a product of a few of these powers P. Only sums and
products of what is not negative are taken: for i != j the square has the entry

    P_ij (P_ii + P_jj) + sum over k other than i, j of P_ik P_kj.

What stays, P_jj, is 1 less what its column gives away while that is below a half, so that slow rates keep their digits
beside fast ones; beyond, where that difference would lose them, it is P_jj^2 + sum over k of P_jk P_kj, and the column
is scaled to sum to 1. So cells are conserved, and the last 1e-12 of a dose has as many digits as the first half.
Compiled, for one matrix; `leaps` has its gradient, for the stiff systems that the sampler follows, and `lanes` follows
many draws at once, for forecasts.
"""

import numpy as np
from numba import njit

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
