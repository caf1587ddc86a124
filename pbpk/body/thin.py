"""Thin square systems, as networks make them: factors that touch only what is not zero, found as they go.

    P A = L U,   rows changed only where the diagonal is small beside its column

One copy of the matrix serves both sides: A x = b by dot products, A^T x = b by sums of rows.
"""

import numpy as np
from numba import njit

PIVOT = 0.1  # of the largest in its column: the diagonal is taken unless it is less


@njit(cache=True, error_model="numpy")
def room_for_factors(n):
    """Matrix (row, column), order of its rows, for each row how many entries stand left and right, where; a vector."""
    entries = np.empty((n, 2), np.int64), np.empty((n, 2, n), np.int64)
    return np.empty((n, n)), np.empty(n, np.int64), entries[0], entries[1], np.empty(n)


@njit(cache=True, error_model="numpy")
def factor(matrix, order, counts, columns, _):
    """Put the factors in place of the matrix; on the diagonal stands what to multiply by."""
    n = order.size
    for i in range(n):
        order[i] = i
    for k in range(n):
        best = k
        for i in range(k + 1, n):
            if abs(matrix[i, k]) > abs(matrix[best, k]):
                best = i
        if abs(matrix[k, k]) < PIVOT * abs(matrix[best, k]):
            order[k], order[best] = order[best], order[k]
            for j in range(n):
                matrix[k, j], matrix[best, j] = matrix[best, j], matrix[k, j]
        matrix[k, k] = 1.0 / matrix[k, k]
        right = columns[k, 1]
        entries = 0
        for j in range(k + 1, n):
            if matrix[k, j] != 0.0:
                right[entries] = j
                entries += 1
        counts[k, 1] = entries
        for i in range(k + 1, n):
            if matrix[i, k] != 0.0:
                share = matrix[i, k] * matrix[k, k]
                matrix[i, k] = share
                for e in range(entries):
                    matrix[i, right[e]] -= share * matrix[k, right[e]]
    for i in range(n):
        entries = 0
        for j in range(i):
            if matrix[i, j] != 0.0:
                columns[i, 0, entries] = j
                entries += 1
        counts[i, 0] = entries


@njit(cache=True, error_model="numpy")
def solve(right, x, place, matrix, order, counts, columns, work):
    """Solve A x = right, (state,) in place; row and column place[i] belong to state i."""
    n = order.size
    for i in range(n):
        work[place[i]] = right[i]
    for i in range(n):
        total = work[order[i]]
        for e in range(counts[i, 0]):
            total -= matrix[i, columns[i, 0, e]] * x[columns[i, 0, e]]
        x[i] = total
    for i in range(n - 1, -1, -1):
        total = x[i]
        for e in range(counts[i, 1]):
            total -= matrix[i, columns[i, 1, e]] * x[columns[i, 1, e]]
        x[i] = total * matrix[i, i]
    work[:n] = x
    for i in range(n):
        x[i] = work[place[i]]


@njit(cache=True, error_model="numpy")
def solve_transposed(right, x, place, matrix, order, counts, columns, work):
    """Solve A^T x = right, (state,) in place."""
    n = order.size
    for i in range(n):
        work[place[i]] = right[i]
    for j in range(n):
        value = work[j] * matrix[j, j]
        work[j] = value
        for e in range(counts[j, 1]):
            work[columns[j, 1, e]] -= matrix[j, columns[j, 1, e]] * value
    for j in range(n - 1, -1, -1):
        value = work[j]
        for e in range(counts[j, 0]):
            work[columns[j, 0, e]] -= matrix[j, columns[j, 0, e]] * value
        x[order[j]] = value
    work[:n] = x
    for i in range(n):
        x[i] = work[place[i]]
