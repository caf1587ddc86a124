"""Vector operations against numpy, lane by lane."""

import numpy as np
from numba import njit

from pbpk.body.simd import LANES, add_product, load, minus, over, plus, spread, store, times, vectors, where_less


@njit
def each(a, b, c):
    """All operations, (operation, 8), on vectors that stand in the middle of arrays."""
    out = vectors(8)
    x, y, z = load(a, (1, 2)), load(b, (3,)), load(c, (0,))
    store(out, (0,), plus(x, y))
    store(out, (1,), minus(x, y))
    store(out, (2,), times(x, y))
    store(out, (3,), over(x, y))
    store(out, (4,), add_product(z, x, y))
    store(out, (5,), where_less(x, y, z, x))
    store(out, (6,), spread(2.5))
    store(out, (7,), spread(1 / 3))
    return out


def numbers(*shape):
    return np.random.default_rng(len(shape)).standard_normal((*shape, LANES))


def test_operations_are_those_of_numpy():
    a, b, c = numbers(3, 4), numbers(5), numbers(1)
    x, y, z = a[1, 2], b[3], c[0]
    expected = [x + y, x - y, x * y, x / y, None, np.where(x < y, z, x), np.full(LANES, 2.5), np.full(LANES, 1 / 3)]
    for found, right in zip(each(a, b, c), expected, strict=True):
        if right is not None:
            np.testing.assert_array_equal(found, right)
    np.testing.assert_allclose(each(a, b, c)[4], z + x * y, rtol=1e-14, atol=1e-15)


def test_a_sum_with_a_product_is_rounded_once():
    """(1 + e)^2 - 1 - 2 e is e^2, which a rounded product would have lost."""
    e = 2.0**-40
    a, b = np.full((3, 4, LANES), 1.0 + e), np.full((4, LANES), 1.0 + e)
    np.testing.assert_array_equal(each(a, b, np.full((1, LANES), -1.0 - 2.0 * e))[4], e * e)


def test_no_less_than_nothing_is_nan():
    a, b = np.full((3, 4, LANES), np.nan), np.zeros((4, LANES))
    assert np.isnan(each(a, b, np.ones((1, LANES)))[5]).all()


def test_room_is_empty_and_on_lines_of_its_own():
    for count in (0, 1, 7):
        room = vectors(count)
        assert room.shape == (count, LANES)
        assert not room.any()
        assert room.ctypes.data % (8 * LANES) == 0
