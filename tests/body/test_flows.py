"""Closed forms, scipy's matrix exponential and numpy's Schur complement against the compiled arithmetic."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from pbpk.body import flows

quick = settings(max_examples=40, deadline=None, derandomize=True)
RATE = st.floats(1e-3, 50.0)


def arrows(w):
    """Arrows and rates of a rate matrix w[i, j] of i -> j."""
    source, target = np.nonzero(w)
    return source, target, w[source, target]


def once(entry, starts, durations):
    """What `flows` takes of doses that are given once."""
    return entry, starts, durations, None, None


def respond(w, doses, hours, n_slow=None):
    """States at each hour for doses of (entry, start, duration)."""
    source, target, rates = arrows(w)
    entry = np.array([np.asarray(e, float) for e, _, _ in doses])
    starts, durations = (np.array([dose[i] for dose in doses], float) for i in (1, 2))
    n_slow = len(w) if n_slow is None else n_slow
    given = once(entry, starts, durations)
    return flows.respond(source, target, n_slow, rates, *given, np.asarray(hours, float))


def by_numpy(source, target, n_slow, rates, entry, starts, durations, hours):
    """The same states from the Schur complement and scipy's exponential; complex rates pass through."""
    n = entry.shape[1]
    k = np.zeros((n, n), dtype=rates.dtype)
    np.add.at(k, (target, source), rates)
    np.add.at(k, (source, source), -rates)
    k_fast, k_in, k_out = k[n_slow:, n_slow:], k[n_slow:, :n_slow], k[:n_slow, n_slow:]
    reduced = k[:n_slow, :n_slow] - k_out @ np.linalg.solve(k_fast, k_in)
    out = np.zeros((hours.size, n), dtype=rates.dtype)
    for dose, start, duration in zip(entry, starts, durations, strict=True):
        slow = dose[:n_slow] - k_out @ np.linalg.solve(k_fast, dose[n_slow:])
        for m, hour in enumerate(hours - start):
            if hour < 0:
                continue
            if duration == 0:
                out[m, :n_slow] += expm(reduced * hour) @ slow
                continue
            pump = np.zeros((n_slow + 1, n_slow + 1), dtype=rates.dtype)
            pump[:-1, :-1], pump[:-1, -1] = reduced, slow / duration
            full = expm(pump * min(hour, duration))[:-1, -1]
            out[m, :n_slow] += expm(reduced * max(hour - duration, 0.0)) @ full
            if hour < duration:
                out[m, n_slow:] -= np.linalg.solve(k_fast, dose[n_slow:]) / duration
    out[:, n_slow:] -= np.linalg.solve(k_fast, k_in @ out[:, :n_slow].T).T
    return out


@st.composite
def systems(draw, passing=False):
    """Random compartments; with `passing`, some of which every cell leaves again."""
    n_slow = draw(st.integers(2, 4))
    n = n_slow + (draw(st.integers(1, 3)) if passing else 0)
    w = np.zeros((n, n))
    for i in range(n):
        for j in range(n):
            if i != j and (i >= n_slow > j or draw(st.booleans())):
                w[i, j] = draw(RATE)
    w[0, 1] = draw(RATE)
    dose = st.tuples(st.lists(st.floats(0, 10), min_size=n, max_size=n), st.floats(0, 5), st.sampled_from([0, 0.5, 3]))
    hours = draw(st.lists(st.sampled_from([0.0, 0.01, 0.5, 1.0, 2.5, 7.0, 40.0]), min_size=1, max_size=5))
    return w, draw(st.lists(dose, min_size=1, max_size=3)), np.array(hours), n_slow


HOURS = np.array([7.0, 0.0, 0.3, 1.0, 30.0])


def test_one_compartment_decays():
    w = np.array([[0.0, 0.4], [0.0, 0.0]])
    y = respond(w, [([5.0, 0.0], 0.0, 0.0)], HOURS)
    np.testing.assert_allclose(y[:, 0], 5 * np.exp(-0.4 * HOURS), rtol=1e-13)
    np.testing.assert_allclose(y[:, 1], -5 * np.expm1(-0.4 * HOURS), rtol=1e-12)


def test_a_chain_of_two_is_bateman():
    a, b = 1.7, 0.2
    w = np.zeros((3, 3))
    w[0, 1], w[1, 2] = a, b
    y = respond(w, [([1.0, 0.0, 0.0], 0.0, 0.0)], HOURS)
    np.testing.assert_allclose(y[:, 1], a / (a - b) * (np.exp(-b * HOURS) - np.exp(-a * HOURS)), rtol=1e-12)


def test_an_infusion_rises_to_its_plateau_and_washes_out():
    k, cells, duration = 0.8, 12.0, 3.0
    w = np.array([[0.0, k], [0.0, 0.0]])
    hours = np.array([3.0, 0.0, 1.0, 2.9999, 3.0001, 9.0])
    y = respond(w, [([cells, 0.0], 0.0, duration)], hours)
    during = cells / duration / k * -np.expm1(-k * np.minimum(hours, duration))
    np.testing.assert_allclose(y[:, 0], during * np.exp(-k * np.maximum(hours - duration, 0)), rtol=1e-12)


def test_an_infusion_stays_where_nothing_leaves():
    y = respond(np.zeros((1, 1)), [([6.0], 0.0, 3.0)], [0.5, 3.0, 10.0])
    np.testing.assert_allclose(y[:, 0], [1.0, 6.0, 6.0], rtol=1e-12)


def test_a_passing_state_holds_what_flows_through_it():
    w = np.zeros((3, 3))  # 0: depot, 1: lost, 2: passing
    w[0, 2], w[2, 1] = 0.1, 1000.0
    hours = np.array([0.0, 5.0])
    y = respond(w, [([1.0, 0.0, 0.0], 0.0, 0.0)], hours, n_slow=2)
    np.testing.assert_allclose(y[:, 2], 0.1 / 1000.0 * np.exp(-0.1 * hours), rtol=1e-13)
    infused = respond(w, [([0.0, 0.0, 8.0], 1.0, 2.0)], [0.9, 1.0, 2.0, 3.0, 4.0], n_slow=2)
    np.testing.assert_allclose(infused[:, 2], [0, 4 / 1000, 4 / 1000, 0, 0], rtol=1e-13)
    np.testing.assert_allclose(infused[:, 1], [0, 0, 4, 8, 8], rtol=1e-12)


def test_nothing_is_there_before_the_dose():
    w = np.array([[0.0, 0.4], [0.1, 0.0]])
    y = respond(w, [([1.0, 0.0], 2.0, 0.0), ([1.0, 0.0], 5.0, 1.0)], [1.9999, 2.0, 0.0])
    assert (y[[0, 2]] == 0.0).all()
    assert y[1].tolist() == [1.0, 0.0]


@quick
@given(systems())
def test_it_is_the_matrix_exponential(system):
    w, doses, hours, _ = system
    source, target, rates = arrows(w)
    dose = [np.array(x, float) for x in zip(*doses, strict=True)]
    ours, theirs = respond(w, doses, hours), by_numpy(source, target, len(w), rates, *dose, hours)
    np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-11)


@quick
@given(systems(passing=True))
def test_passing_states_are_in_balance(system):
    w, doses, hours, n_slow = system
    source, target, rates = arrows(w)
    dose = [np.array(x, float) for x in zip(*doses, strict=True)]
    ours, theirs = respond(w, doses, hours, n_slow), by_numpy(source, target, n_slow, rates, *dose, hours)
    np.testing.assert_allclose(ours, theirs, rtol=1e-8, atol=1e-10)


@quick
@given(systems(passing=True))
def test_nothing_is_negative_and_nothing_is_lost(system):
    w, doses, hours, n_slow = system
    y = respond(w, doses, hours, n_slow)
    given_by = np.zeros(hours.size)
    for cells, start, duration in doses:
        ran = np.clip((hours - start) / duration, 0, 1) if duration else np.ones(hours.size)
        given_by += np.where(hours >= start, sum(cells) * ran, 0.0)
    assert (y >= 0).all()
    total = sum(sum(cells) for cells, _, _ in doses)
    np.testing.assert_allclose(y[:, :n_slow].sum(1), given_by, rtol=0, atol=1e-9 * max(total, 1e-3))


@settings(max_examples=25, deadline=None, derandomize=True)
@given(systems(passing=True), st.integers(0, 10_000))
def test_the_gradient_is_the_complex_step_of_the_reference(system, seed):
    w, doses, hours, n_slow = system
    source, target, rates = arrows(w)
    dose = [np.array(x, float) for x in zip(*doses, strict=True)]
    bar = np.random.default_rng(seed).normal(size=(hours.size, len(w)))
    out = flows.respond(source, target, n_slow, rates, *once(*dose), hours)
    ours = flows.respond_adjoint(source, target, n_slow, rates, *once(*dose), hours, out, bar)
    theirs = np.empty(rates.size)
    for a in range(rates.size):
        nudged = rates.astype(complex)
        nudged[a] += 1e-30j
        theirs[a] = (bar * by_numpy(source, target, n_slow, nudged, *dose, hours).imag).sum() / 1e-30
    scale = np.abs(theirs * rates).max() / rates + 1e-6
    np.testing.assert_allclose(ours / scale, theirs / scale, rtol=1e-7, atol=1e-8)


def test_parallel_arrows_share_one_gradient():
    source, target = np.array([0, 0]), np.array([1, 1])
    dose = np.array([[1.0, 0.0]]), np.zeros(1), np.zeros(1)
    hours, rates, bar = np.array([2.0]), np.array([0.3, 0.1]), np.array([[1.0, 0.0]])
    out = flows.respond(source, target, 2, rates, *once(*dose), hours)
    gradient = flows.respond_adjoint(source, target, 2, rates, *once(*dose), hours, out, bar)
    np.testing.assert_allclose(gradient, -2 * np.exp(-0.8), rtol=1e-12)


def test_small_organs_keep_their_digits():
    """A state that holds 1e-30 of the dose is as accurate as one that holds all of it."""
    w = np.zeros((4, 4))
    w[0, 1], w[1, 2], w[2, 3] = 1e-10, 1e-10, 1e-10
    y = respond(w, [([1.0, 0, 0, 0], 0.0, 0.0)], [1.0])
    np.testing.assert_allclose(y[0, 1:], [1e-10, 0.5e-20, 1e-30 / 6], rtol=1e-9)


@pytest.mark.parametrize("turns", [1.0, 59.0, 61.0, 1e3, 1e5, 1e7])
def test_many_turns_cost_few_digits(turns):
    w = np.array([[0.0, turns], [turns / 3, 0.0]])
    y = respond(w, [([1.0, 0.0], 0.0, 0.0)], [1.0])
    np.testing.assert_allclose(y[0], [0.25, 0.75] + 0.75 * np.exp(-turns * 4 / 3) * np.array([1, -1]), rtol=1e-7)


def test_absurd_rates_are_not_a_number_instead_of_hours():
    w = np.array([[0.0, 1e9], [1.0, 0.0]])
    assert np.isnan(respond(w, [([1.0, 0.0], 0.0, 0.0)], [1.0])).all()
