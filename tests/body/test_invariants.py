"""What must not matter to an answer, in both fidelities: order, units, names, and how a dose is cut in time."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pbpk.body.expansion import read_model
from pbpk.body.solve import Schedule, solve
from pbpk.dosing import Dose

quick = settings(max_examples=40, deadline=None, derandomize=True)
seeds = st.integers(0, 100_000)
fidelities = pytest.mark.parametrize("full", [True, False])
MODEL = read_model("msc", "mouse")
MEDIANS = np.array([float(parameter.prior.value(0.0)) for parameter in MODEL.parameters])
HOURS = np.array([0.0, 0.05, 0.4, 2.0, 9.0, 70.0])


def network(seed):
    """Rates w[i, j] of i -> j [1/h] among lasting states and, after them, 1 to 3 that pass cells on; how many last."""
    rng = np.random.default_rng(seed)
    lasting, passing = rng.integers(2, 6), rng.integers(1, 4)
    n = lasting + passing
    w = np.where(rng.random((n, n)) < 0.5, 10 ** rng.uniform(-3, 1, (n, n)), 0.0)
    w[lasting:] *= 1e3
    w[lasting:, 0] += 1e3  # no state that passes cells on keeps them
    w[rng.integers(lasting)] *= rng.random() < 0.5
    np.fill_diagonal(w, 0.0)
    return w, lasting


def doses(seed, n):
    """A bolus at once, a later one, and an infusion, into random states."""
    entry = np.random.default_rng(seed + 1).random((3, n))
    return Schedule.once(entry / entry.sum(), np.array([0.0, 0.4, 0.3]), np.array([0.0, 0.0, 2.5]))


def bolus(entry):
    return Schedule.once(np.atleast_2d(np.asarray(entry, float)), np.zeros(1), np.zeros(1))


def follow(w, lasting, schedule, full, hours=HOURS):
    source, target = np.nonzero(w)
    return solve(source, target, len(w) if full else lasting, w[source, target], schedule, hours)


def same(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-14)


@fidelities
@quick
@given(seeds)
def test_the_order_of_states_does_not_matter(full, seed):
    w, lasting = network(seed)
    schedule = doses(seed, len(w))
    rng = np.random.default_rng(seed)
    order = np.append(rng.permutation(lasting), lasting + rng.permutation(len(w) - lasting))
    if full:
        order = rng.permutation(len(w))
    turned = Schedule.once(schedule.entry[:, order], schedule.starts, schedule.durations)
    same(follow(w[np.ix_(order, order)], lasting, turned, full), follow(w, lasting, schedule, full)[:, order])


@fidelities
@quick
@given(seeds)
def test_the_order_of_arrows_and_doses_does_not_matter_nor_an_arrow_drawn_as_two(full, seed):
    w, lasting = network(seed)
    schedule = doses(seed, len(w))
    rng = np.random.default_rng(seed)
    source, target = np.nonzero(w)
    share = rng.random(source.size)
    rates = np.append(share, 1 - share) * np.tile(w[source, target], 2)
    arrows, turn = rng.permutation(rates.size), rng.permutation(3)
    source, target = np.tile(source, 2)[arrows], np.tile(target, 2)[arrows]
    turned = Schedule.once(schedule.entry[turn], schedule.starts[turn], schedule.durations[turn])
    found = solve(source, target, len(w) if full else lasting, rates[arrows], turned, HOURS)
    same(found, follow(w, lasting, schedule, full))


@fidelities
@quick
@given(seeds, st.sampled_from([1 / 24, 60.0, 3600.0, 7.3e-5]))
def test_the_unit_of_time_does_not_matter(full, seed, unit):
    w, lasting = network(seed)
    schedule = doses(seed, len(w))
    scaled = Schedule.once(schedule.entry, schedule.starts * unit, schedule.durations * unit)
    same(follow(w / unit, lasting, scaled, full, HOURS * unit), follow(w, lasting, schedule, full))


@fidelities
@quick
@given(seeds, st.integers(0, 4), st.floats(0.05, 0.95))
def test_two_alike_are_one(full, seed, which, share):
    """A state and its twin, which share what flows in and let it go alike, hold what the one state holds."""
    w, lasting = network(seed)
    schedule = doses(seed, len(w))
    one = which % lasting
    more = np.insert(w, lasting, w[one], axis=0)
    more = np.insert(more, lasting, share * more[:, one], axis=1)
    more[:, one] *= 1 - share
    entry = np.insert(schedule.entry, lasting, share * schedule.entry[:, one], axis=1)
    entry[:, one] *= 1 - share
    found = follow(more, lasting + 1, Schedule.once(entry, schedule.starts, schedule.durations), full)
    found[:, one] += found[:, lasting]
    same(np.delete(found, lasting, axis=1), follow(w, lasting, schedule, full))


@fidelities
@quick
@given(seeds, st.floats(0.01, 20.0))
def test_who_looks_in_between_changes_nothing(full, seed, look):
    """States at one hour, given as a dose, lead to the states later."""
    w, lasting = network(seed)
    start = np.append(np.random.default_rng(seed).random(lasting), np.zeros(len(w) - lasting))
    between = follow(w, lasting, bolus(start), full, look)[0]
    if not full:
        between[lasting:] = 0.0  # what is passing is shown beside the dose, not in it
    same(follow(w, lasting, bolus(between), full), follow(w, lasting, bolus(start), full, HOURS + look))


@fidelities
@quick
@given(seeds)
def test_what_has_left_does_not_come_back(full, seed):
    w, lasting = network(seed)
    w[0] = 0.0
    held = follow(w, lasting, doses(seed, len(w)), full, np.linspace(0.0, 30.0, 40))[:, 0]
    assert (np.diff(held) >= -1e-12).all()


@quick
@given(seeds, st.floats(1e-3, 1e9), st.integers(2, 5))
def test_in_full_a_dose_scales_and_may_come_in_parts(seed, factor, parts):
    w, lasting = network(seed)
    schedule = doses(seed, len(w))
    expected = follow(w, lasting, schedule, True)
    scaled = Schedule.once(factor * schedule.entry, schedule.starts, schedule.durations)
    same(follow(w, lasting, scaled, True) / factor, expected)
    cut = Schedule.once(
        *(np.repeat(x, parts, axis=0) for x in (schedule.entry / parts, schedule.starts, schedule.durations))
    )
    same(follow(w, lasting, cut, True), expected)


@quick
@given(seeds, st.floats(0.5, 200.0))
def test_in_full_a_later_dose_is_the_same_later(seed, wait):
    w, lasting = network(seed)
    schedule = doses(seed, len(w))
    late = Schedule.once(schedule.entry, schedule.starts + wait, schedule.durations)
    hours = HOURS + 0.013  # away from the jumps, where rounding decides between before and after
    np.testing.assert_allclose(
        follow(w, lasting, late, True, hours + wait), follow(w, lasting, schedule, True, hours), rtol=1e-8, atol=1e-12
    )


@quick
@given(
    st.floats(0, 1),
    st.sampled_from([0.0, 0.1, 3.0]),
    st.sampled_from(["iv", "artery", "portal_vein"]),
    st.integers(0, 1000),
)
def test_live_and_dead_in_the_body_and_what_left_are_the_dose(viability, duration, route, seed):
    hours = np.array([1e-4, 0.01, 0.05, 1.0, 5.0, 24.0, 168.0])
    dose = Dose(route, 2e6, 0.02, duration, viability)
    y = MODEL.solve(MODEL.draw_prior(1, seed)[0], [dose], hours, fidelity="full") / dose.cells
    live, both = (y @ sum(MODEL.observer(place, readout) for place in MODEL.observed) for readout in ("live", "label"))
    ran = np.clip((hours - 0.02) / duration, 0, 1) if duration else hours >= 0.02
    np.testing.assert_allclose(both + y[:, MODEL.states.index("excreted")], ran, rtol=0, atol=1e-11)
    assert (live <= viability * ran + 1e-11).all()
    assert (both >= live).all()


def boluses(dose, n):
    """An infusion as n boluses, each in the middle of its part."""
    hours = dose.hours + (np.arange(n) + 0.5) / n * dose.duration_h
    return [Dose(dose.route, dose.cells / n, hour) for hour in hours]


@pytest.mark.parametrize("fidelity", ["reduced", "full"])
@pytest.mark.parametrize("route", ["iv", "artery", "portal_vein"])
def test_many_boluses_tend_to_an_infusion(route, fidelity):
    """The error of the midpoint rule falls to a quarter when the boluses are twice as many."""
    dose, hours = Dose(route, 1.0, 1.0, 2.0), np.array([3.5, 12.0, 96.0])
    whole = MODEL.solve(MEDIANS, [dose], hours, fidelity=fidelity)
    apart = [
        np.abs(MODEL.solve(MEDIANS, boluses(dose, n), hours, fidelity=fidelity) - whole)[:, : MODEL.n_lasting].max()
        for n in (4, 8, 16, 32)
    ]
    for coarse, fine in pairwise(apart):
        assert fine == pytest.approx(coarse / 4, rel=0.02)


@fidelities
@quick
@given(seeds, st.floats(-9.0, -2.0))
def test_a_short_infusion_tends_to_a_bolus(full, seed, digits):
    """An infusion is a mean of boluses that are late by up to its duration; no cell is lost faster than q."""
    w, lasting = network(seed)
    start = np.append(np.random.default_rng(seed).random(lasting), np.zeros(len(w) - lasting))
    short = Schedule.once(start[np.newaxis], np.zeros(1), np.array([10**digits]))
    hours = HOURS[1:]
    at_once, in_time = (follow(w, lasting, each, full, hours)[:, :lasting] for each in (bolus(start), short))
    fastest = w.sum(1).max()
    assert np.abs(in_time - at_once).sum(1).max() <= min(2.0, fastest * 10**digits) * start.sum() + 1e-11
