"""The full system against closed forms, another way of computing it, and the laws it must obey."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from pbpk.body.doubling import follow
from pbpk.body.elimination import matrix
from pbpk.body.flows import respond

quick = settings(max_examples=40, deadline=None, derandomize=True)
HOURS = np.array([24.0, 0.0, 1e-3, 0.5, 0.5, 336.0])  # in any order, some twice


def network(seed, n=6, slowest=1e-3, fastest=1e5):
    """A closed random network whose rates span many orders of magnitude."""
    rng = np.random.default_rng(seed)
    source, target = np.nonzero(~np.eye(n, dtype=bool) & (rng.random((n, n)) < 0.6))
    return source, target, np.exp(rng.uniform(np.log(slowest), np.log(fastest), source.size))


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
