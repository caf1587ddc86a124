"""What a forecast shares between draws: pumps, the order of states, legs and their steps."""

import numpy as np
import pytest

from pbpk.body.itinerary import FEWEST, plan


def chain(entry, starts, durations, hours, source=(2, 1), target=(1, 0)):
    """Plan for 2 -> 1 -> 0."""
    entry = np.asarray(entry, float)
    times = (np.asarray(x, float) for x in (starts, durations, hours))
    return plan(np.array(source), np.array(target), entry, *times, np.arange(entry.shape[1]) + 10)


def test_states_stand_in_the_order_of_the_flow():
    found = chain([[0, 0, 1]], [0], [0], [1, 4])
    assert found.place.size == FEWEST
    ordered = found.place[found.place >= 0]
    np.testing.assert_array_equal(ordered, [12, 11, 10])
    for place, (low, high) in enumerate(zip(found.low, found.high, strict=True)):
        assert low <= place < high  # a state leads to itself
    for state in range(FEWEST):
        for arrow in range(found.first[state], found.first[state + 1]):
            assert found.low[found.source[arrow]] <= state < FEWEST
            assert found.source[arrow] < found.high[state]


def test_states_that_come_back_are_one_block():
    found = chain([[0, 0, 1, 0, 0]], [0], [0], [1], source=(2, 1, 0, 3), target=(1, 0, 2, 4))
    block = [int(np.flatnonzero(found.place == 10 + state)[0]) for state in (0, 1, 2)]
    assert (found.low[block] <= min(block)).all()
    assert (found.high[block] > max(block)).all()


def test_arrows_keep_their_columns():
    found = chain([[0, 0, 1]], [0], [0], [1, 4])
    entered = np.repeat(found.place, np.diff(found.first))
    left = found.place[found.source]
    np.testing.assert_array_equal(sorted(zip(found.arrows, left, entered, strict=True)), [(0, 12, 11), (1, 11, 10)])


def test_doses_alike_share_a_pump_and_count():
    entry = [[0, 0, 6], [0, 0, 6], [0, 3, 3], [0, 0, 6]]
    found = chain(entry, [0, 1, 0, 9], [2, 2, 2, 0], [1.5, 20])
    assert found.pumps.sum() == 2
    assert sorted(found.flows) == [1.5, 1.5, 3.0]
    running = found.jumps[:, found.pumps == 1]  # legs begin at 0, 1, 2, 3 and 9 h
    first, other = running.T if running[1].argmax() == 0 else running.T[::-1]
    np.testing.assert_array_equal(first, [1, 2, 1, 0, 0])
    np.testing.assert_array_equal(other, [1, 1, 0, 0, 0])
    np.testing.assert_array_equal(found.jumps[:, found.place == 12].ravel(), [0, 0, 0, 0, 6])


def test_hours_fall_into_the_legs_between_doses():
    found = chain([[0, 0, 1]] * 2, [1, 5], [0, 0], [7, 0.5, 5, 4, 1])
    np.testing.assert_array_equal(found.begins, [0, 3, 5])
    np.testing.assert_array_equal(found.row, [4, 3, -1, 2, 0])
    np.testing.assert_array_equal(found.after, [0, 3, 4, 0, 2])


def test_doses_after_the_last_hour_are_left_out():
    found = chain([[0, 0, 1]] * 2, [0, 50], [0, 0], [7.0])
    np.testing.assert_array_equal(found.row, [0])


@pytest.mark.parametrize("hours", [[], [-1.0]])
def test_nothing_may_be_seen(hours):
    found = chain([[0, 0, 1]], [0], [0], hours)
    assert found.row.size == 0
    np.testing.assert_array_equal(found.begins, [0])


def test_the_longest_step_is_a_doubled_gap():
    found = chain([[0, 0, 1]], [0], [0], 24.0 * np.arange(1, 15))
    assert found.longest == 24.0 * 16
    assert (found.after <= found.longest).all()
