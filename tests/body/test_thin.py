import numpy as np
import pytest

from pbpk.body.thin import factor, room_for_factors, solve, solve_transposed


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("small", [1.0, 1e-3, 0.0])
def test_both_sides_are_solved_whatever_stands_on_the_diagonal(seed, small):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 12))
    a = rng.standard_normal((n, n)) * (rng.random((n, n)) < 0.3) + np.diag(rng.standard_normal(n))
    a += np.roll(np.eye(n), 1, axis=0) * 2.0
    a[0, 0] *= small if n > 1 else 1.0
    place, right = rng.permutation(n), rng.standard_normal(n)
    factors = room_for_factors(n)
    for state in range(n):
        for other in range(n):
            factors[0][place[state], place[other]] = a[state, other]
    factor(*factors)
    for way, matrix in ((solve, a), (solve_transposed, a.T)):
        x = np.empty(n)
        way(right, x, place, *factors)
        np.testing.assert_allclose(matrix @ x, right, atol=1e-10 * max(1.0, np.abs(x).max()))


def test_only_what_is_not_zero_is_kept():
    n = 30
    a = np.eye(n) * 3.0 - np.eye(n, k=1) - np.eye(n, k=-1)
    factors = room_for_factors(n)
    factors[0][:] = a
    factor(*factors)
    assert factors[2].sum() == 2 * (n - 1)
