"""Arrays end to end and back."""

import numpy as np

from pbpk.infer.density.packing import REALS, WHOLES, pack


def arrays(seed):
    rng = np.random.default_rng(seed)
    found = {name: rng.random((3, 4) if name in ("entry", "observers", "recovery") else 5) for name in REALS}
    return found | {name: rng.integers(0, 9, (2, 4) if name == "steps" else 3) for name in WHOLES}


def unpacked(packed, e, name):
    k = (*REALS, *WHOLES).index(name)
    flat = packed.wholes if name in WHOLES else packed.reals
    begin, rows, columns = packed.where[e, k]
    return flat[begin : begin + rows * max(columns, 1)].reshape((rows, columns) if columns else rows)


def test_every_array_comes_back_as_it_was():
    given = [arrays(1), arrays(2)]
    packed = pack(given)
    for e, mine in enumerate(given):
        for name, array in mine.items():
            np.testing.assert_array_equal(unpacked(packed, e, name), array)


def test_what_is_alike_stands_there_once():
    one = arrays(1)
    alone, thrice = pack([one]), pack([one, one, one | {"hours": np.array([7.0])}])
    assert thrice.wholes.size == alone.wholes.size
    assert thrice.reals.size == alone.reals.size + 1
    np.testing.assert_array_equal(unpacked(thrice, 2, "hours"), [7.0])
    np.testing.assert_array_equal(unpacked(thrice, 1, "entry"), one["entry"])


def test_an_empty_array_has_no_numbers():
    packed = pack([arrays(1) | {"switches": np.zeros(0, dtype=np.int64)}])
    assert unpacked(packed, 0, "switches").size == 0
