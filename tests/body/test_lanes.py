"""The full system against closed forms, other ways of computing it, the laws it must obey, and its neighbours."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from pbpk.body.doubling import advance, powers_of
from pbpk.body.elimination import matrix
from pbpk.body.flows import respond
from pbpk.body.itinerary import plan
from pbpk.body.lanes import MOST_LEVELS, follow_lanes, levels_of
from pbpk.body.simd import LANES

quick = settings(max_examples=40, deadline=None, derandomize=True)
HOURS = np.array([24.0, 0.0, 1e-3, 0.5, 0.5, 336.0])  # in any order, some twice


def network(seed, n=6, slowest=1e-3, fastest=1e5):
    """A closed random network whose rates span many orders of magnitude."""
    rng = np.random.default_rng(seed)
    source, target = np.nonzero(~np.eye(n, dtype=bool) & (rng.random((n, n)) < 0.6))
    return source, target, np.exp(rng.uniform(np.log(slowest), np.log(fastest), source.size))


def follow_many(source, target, rates, entry, starts, durations, hours, draws=None):
    """Cells in every state at each hour, (draw, time, state); NaN for draws that are not asked for."""
    out = np.full((len(rates), hours.size, entry.shape[1]), np.nan)
    draws = np.arange(len(rates)) if draws is None else np.asarray(draws)
    itinerary = plan(source, target, entry, starts, durations, hours, np.arange(entry.shape[1]))
    out[draws] = 0.0
    assert follow_lanes(np.ascontiguousarray(rates), draws, out, *itinerary.arrays())
    return out


def follow(source, target, rates, *given):
    return follow_many(source, target, np.asarray(rates)[np.newaxis], *given)[0]


def boluses(entry, starts=0.0, durations=0.0):
    entry = np.atleast_2d(np.asarray(entry, dtype=float))
    return entry, np.full(len(entry), starts, dtype=float), np.full(len(entry), durations, dtype=float)


def dense(source, target, rates, n):
    w = np.zeros((n, n))
    np.add.at(w, (source, target), rates)
    return matrix(w)


@quick
@given(st.integers(0, 10_000))
def test_exponentials_of_a_dense_matrix(seed):
    source, target, rates = network(seed, fastest=30.0)
    start = np.random.default_rng(seed).random(6)
    found = follow(source, target, rates, *boluses(start), HOURS)
    for hour, row in zip(HOURS, found, strict=True):
        np.testing.assert_allclose(row, expm(dense(source, target, rates, 6) * hour) @ start, rtol=1e-9, atol=1e-13)


@quick
@given(st.integers(0, 10_000))
def test_nothing_is_lost_and_nothing_is_negative(seed):
    source, target, rates = network(seed, fastest=1e8)
    start = np.random.default_rng(seed).random(6)
    found = follow(source, target, rates, *boluses(start), HOURS)
    assert (found >= 0).all()
    np.testing.assert_allclose(found.sum(1), start.sum(), rtol=1e-13)


@pytest.mark.parametrize("fast", [1e3, 1e7, 1e11])
def test_a_slow_rate_keeps_its_digits_beside_a_fast_one(fast):
    """0 and 1 exchange fast, in the ratio 1 : 3; 1 leaks into 2 slowly."""
    leak = 1e-3
    source, target = np.array([0, 1, 1]), np.array([1, 0, 2])
    (row,) = follow(source, target, np.array([3 * fast, fast, leak]), *boluses([1.0, 0, 0]), np.array([100.0]))
    left = np.exp(-0.75 * leak * 100.0)  # in the limit of a fast exchange
    np.testing.assert_allclose(row, [left / 4, 3 * left / 4, 1 - left], rtol=max(1e-9, 10 * leak / fast))


def test_a_chain_is_a_difference_of_exponentials():
    a, b, hours = 2000.0, 0.05, np.array([0.001, 1.0, 40.0])
    found = follow(np.array([0, 1]), np.array([1, 2]), np.array([a, b]), *boluses([1.0, 0, 0]), hours)
    middle = a / (a - b) * (np.exp(-b * hours) - np.exp(-a * hours))
    np.testing.assert_allclose(found[:, 1], middle, rtol=1e-12)


@quick
@given(st.integers(0, 10_000), st.sampled_from([0.0, 0.25, 3.0]), st.sampled_from([0.0, 0.5, 7.0]))
def test_doses_in_time_as_uniformisation_has_them(seed, duration, start):
    source, target, rates = network(seed, fastest=100.0)
    entry, starts, durations = boluses(np.random.default_rng(seed).random((3, 6)), start, duration)
    starts[1] += 1.0
    durations[2] = 0.0
    hours = np.array([0.0, 0.1, 0.6, 1.7, 8.0, 30.0])
    found = follow(source, target, rates, entry, starts, durations, hours)
    np.testing.assert_allclose(
        found,
        respond(source, target, 6, rates, entry, starts, durations, None, None, hours),
        rtol=1e-9,
        atol=1e-13,
    )
    given_by_then = [
        np.clip((hours - s) / d, 0, 1) if d else hours >= s for s, d in zip(starts, durations, strict=True)
    ]
    np.testing.assert_allclose(found.sum(1), entry.sum(1) @ np.array(given_by_then), rtol=1e-12, atol=1e-13)


def test_a_pump_ends_when_it_should():
    """Into one state that leaks: the closed form during and after an infusion of 2 h."""
    leak, hours = 0.3, np.array([0.5, 2.0, 5.0])
    found = follow(np.array([0]), np.array([1]), np.array([leak]), *boluses([4.0, 0], 0.0, 2.0), hours)
    running = 4.0 / 2.0 / leak * (1 - np.exp(-leak * np.minimum(hours, 2.0)))
    np.testing.assert_allclose(found[:, 0], running * np.exp(-leak * np.maximum(hours - 2.0, 0)), rtol=1e-12)


def test_no_flow_and_no_dose():
    nothing = np.array([], dtype=np.int64)
    still = follow(nothing, nothing, np.array([]), *boluses([1.0, 2.0]), HOURS)
    np.testing.assert_array_equal(still, np.tile([1.0, 2.0], (HOURS.size, 1)))
    empty = follow(np.array([0]), np.array([1]), np.array([1.0]), np.zeros((0, 2)), np.zeros(0), np.zeros(0), HOURS)
    assert (empty == 0).all()


def test_hours_before_the_first_dose_are_empty():
    found = follow(np.array([0]), np.array([1]), np.array([1.0]), *boluses([1.0, 0.0], 5.0), np.array([4.9, 5.0, 6.0]))
    np.testing.assert_allclose(found[:, 0], [0.0, 1.0, np.exp(-1.0)], rtol=1e-13)


def fast_and_slow(draws=37):
    """Draws of one network whose fastest rates lie four decades apart, and two doses of which one takes its time."""
    source, target, _ = network(3, n=7)
    rng = np.random.default_rng(11)
    rates = np.exp(rng.uniform(np.log(1e-2), np.log(1e2), (draws, source.size))) * 10 ** rng.uniform(0, 4, (draws, 1))
    return source, target, rates, rng.random((2, 7)), np.array([0.0, 1.0]), np.array([0.0, 2.0])


@pytest.mark.parametrize("size", [1, 3, 8, 9, 30])
def test_neighbours_change_no_digit(size):
    """Whoever a draw is followed with, and in which lane, it is the same to the last bit."""
    *given, hours = *fast_and_slow(), np.array([0.0, 0.01, 0.3, 1.0, 2.2, 3.0, 3.3, 40.0])
    together = follow_many(*given, hours)
    draws = len(together)
    order = np.random.default_rng(size).permutation(draws)
    for begin in range(0, draws, size):
        some = order[begin : begin + size]
        np.testing.assert_array_equal(follow_many(*given, hours, some)[some], together[some])


def test_only_the_draws_that_are_asked_for_are_filled():
    *given, hours = *fast_and_slow(), np.array([5.0])
    found = follow_many(*given, hours, [4, 2])
    assert np.isnan(np.delete(found, [2, 4], axis=0)).all()
    assert np.isfinite(found[[2, 4]]).all()


def test_lanes_are_the_doubling_of_one_draw():
    source, target, rates, *_ = fast_and_slow(LANES)
    start, hours = np.random.default_rng(2).random(7), np.geomspace(1e-3, 500.0, 33)
    found = follow_many(source, target, rates, *boluses(start), hours)
    for draw, of_one in zip(found, rates, strict=True):
        k = dense(source, target, of_one, 7)
        powers = powers_of(k, 7, 500.0)
        for hour, row in zip(hours, draw, strict=True):
            np.testing.assert_allclose(row, advance(k, powers, 500.0, start, hour), rtol=1e-12)


@pytest.mark.parametrize("step", [0.1, 24.0, 1 / 3])
def test_evenly_spaced_hours_are_those_one_by_one(step):
    *given, hours = *fast_and_slow(5), step * np.arange(1, 50)
    every = follow_many(*given, hours)
    for at in (0, 7, 48):
        np.testing.assert_allclose(every[:, [at]], follow_many(*given, hours[[at]]), rtol=1e-10, atol=1e-14)


def test_what_no_arrow_leads_to_is_zero_and_not_almost():
    """0 -> 1 -> 0 -> 2 -> 3, 4 alone: nothing comes back from 2."""
    source, target = np.array([0, 1, 0, 2]), np.array([1, 0, 2, 3])
    (row,) = follow(source, target, np.array([900.0, 40.0, 0.1, 3.0]), *boluses([0, 0, 1.0, 0, 0]), np.array([2.0]))
    np.testing.assert_array_equal(row[[0, 1, 4]], 0.0)
    np.testing.assert_allclose(row[2:4], [np.exp(-6.0), 1 - np.exp(-6.0)], rtol=1e-13)


def test_levels_end_below_a_turnover_and_at_the_most():
    assert levels_of(0.0, 1.0) == 0
    assert levels_of(1.0, 1.0) == 5
    assert levels_of(np.inf, 1.0) == MOST_LEVELS
    itinerary = plan(*np.array([[0], [1]]), *boluses([1.0, 0.0]), np.array([1.0]), np.arange(2))
    assert not follow_lanes(np.array([[1e300]]), np.array([0]), np.zeros((1, 1, 2)), *itinerary.arrays())
