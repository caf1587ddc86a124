"""Answers and slopes of the solver against the same arrows solved to 80 digits: shipped models, and stiff networks."""

import numpy as np
import pytest
from exact import Body, Flow, loose, mp, precise, rate_matrix

from pbpk.body.expansion import read_model
from pbpk.body.flows import respond, respond_adjoint
from pbpk.body.solve import Schedule, solve
from pbpk.dosing import Dose

SEEN = 1e-12  # of the dose: what is smaller need only stay small
HOURS = np.array([0.05, 0.25, 1.0, 6.0, 24.0, 72.0, 168.0, 336.0])
DOSES = [Dose("iv", 1.0), Dose("artery", 1.0), Dose("portal_vein", 1.0), Dose("iv", 1.0, 0.0, 0.5)]
KINDS = ["plain", "repeated", "nearly repeated", "absorbing", "disconnected"]
EACH = 40  # networks of each kind
STEP = mp.ldexp(1, -100)  # of a rate, between two exact answers: leaves 1e-60 of the slope
DIGITS = mp.mpf(10) ** -60


def close_to(got, truth, rtol):
    """Relative agreement wherever there is something, and never less than nothing."""
    seen = truth > SEEN
    assert (got >= 0).all()
    np.testing.assert_allclose(got[seen], truth[seen], rtol=rtol)
    assert (got[~seen] <= SEEN * (1 + rtol)).all()


def given_until(schedule, hours):
    """Cells that have entered by each hour."""
    ran = [
        np.clip((hours - start) / duration, 0, 1) if duration else hours >= start
        for start, duration in zip(schedule.starts, schedule.durations, strict=True)
    ]
    return schedule.entry.sum(1) @ np.array(ran, float)


def network(kind, seed):
    """A stiff random network: states, arrows, rates [1/h], doses of 1 in all, hours."""
    rng = np.random.default_rng([20, KINDS.index(kind), seed])
    n = int(rng.integers(3, 9))
    joined = rng.random((n, n)) < rng.uniform(0.2, 0.9)
    joined[np.arange(n), rng.permutation(n)] = True
    if kind == "absorbing":
        joined[rng.integers(0, n, 2)] = False
    if kind == "disconnected":
        part = rng.random(n) < 0.5
        part[:2] = True, False
        joined &= part[:, None] == part
    if "repeated" in kind and seed % 2:  # the same way out of each: one eigenvalue, one eigenvector
        joined = np.eye(n, k=1, dtype=bool)
    np.fill_diagonal(joined, False)
    joined[0, 1] |= not joined.any()
    source, target = np.nonzero(joined)
    rates = 10 ** rng.uniform(-4, 4, source.size)
    if "repeated" in kind:
        rates = 10 ** rng.uniform(-4, 4, 2)[rng.integers(0, 2, source.size)]
    if "nearly" in kind:
        rates *= 1 + 10 ** rng.uniform(-14, -5, source.size) * rng.standard_normal(source.size)
    entry = rng.random((2, n)) * (rng.random((2, n)) < 0.5)
    entry[0, rng.integers(n)] = 1.0
    starts = np.array([0.0, rng.choice([0.0, 10 ** rng.uniform(-2, 2)])])
    durations = np.array([0.0, rng.choice([0.0, 10 ** rng.uniform(-3, 2)])])
    hours = np.array([0.0, *10 ** rng.uniform(-4, 3, 4), 1000.0])
    return n, source, target, rates, Schedule.once(entry / entry.sum(), starts, durations), hours


def passing_network(seed):
    """A random network whose last states each pass cells on within seconds."""
    n, source, target, rates, schedule, hours = network(KINDS[seed % 5], 1000 + seed)
    rng = np.random.default_rng(seed)
    fast = 1 + seed % 3
    passing = np.arange(n, n + fast)
    out = np.concatenate([passing % n, (passing + 1) % n])  # two ways out of each, so that shares depend on rates
    source, target = np.concatenate([source, passing, passing]), np.append(target, out)
    rates = np.append(rates / 100, 1e3 * 10 ** rng.uniform(0, 2, 2 * fast))
    end = n + fast - 1
    first, last = np.array([0, 1, n, end]), np.array([n, end, end, n])  # into and among those that pass
    apart = first != last
    source, target = np.append(source, first[apart]), np.append(target, last[apart])
    rates = np.append(rates, 10 ** rng.uniform(-2, 2, apart.sum()))
    entry = np.pad(schedule.entry, ((0, 0), (0, fast))) / 2
    entry[:, -1] = 0.25
    return n, source, target, rates, Schedule.once(entry, schedule.starts, schedule.durations), hours


def test_the_reference_is_the_closed_forms():
    one, zero = precise([1.0, 0, 0, 0]), [0.0]
    t = mp.mpf(0.7)
    a, b = mp.mpf(900.5), mp.mpf(0.3)
    chain = [0, 1, 2], [1, 2, 3]
    bateman = Body(*chain, [a, b, 0.0], 4).states([one], zero, zero, [t])[0]
    assert abs(bateman[1] - a / (a - b) * (mp.exp(-b * t) - mp.exp(-a * t))) < DIGITS
    erlang = Body(*chain, [b, b, b], 4).states([one], zero, zero, [t])[0]
    for k in range(3):
        assert abs(erlang[k] - (b * t) ** k * mp.exp(-b * t) / mp.factorial(k)) < DIGITS
    both_ways = Body([0, 1], [1, 0], [a, b], 2).states([precise([1.0, 0])], zero, zero, [t])[0]
    assert abs(both_ways[0] - (b + a * mp.exp(-(a + b) * t)) / (a + b)) < DIGITS
    for hours in (t / 2, t, 3 * t):
        infused = Body([0], [1], [a], 2).states([precise([1.0, 0])], [0.25], [t], [hours + 0.25])[0]
        running = (1 - mp.exp(-a * min(hours, t))) / a / t
        assert abs(infused[0] - running * mp.exp(-a * max(hours - t, 0))) < DIGITS


def test_the_reference_has_passing_states_in_balance():
    """0 leaks into 2, which passes cells to 1; half a dose enters 0, half is infused into 2."""
    leak, on, hour = mp.mpf(0.1), mp.mpf(1000), mp.mpf(1.5)
    half = precise([[0.5, 0, 0], [0, 0, 0.5]])
    found = Body([0, 2], [2, 1], [leak, on], 3, lasting=2).states(half, [0.0, 0.0], [0.0, 2.0], [hour])[0]
    left = mp.exp(-leak * hour) / 2
    for got, truth in zip(found, [left, 0.5 - left + hour / 4, (leak * left + mp.mpf(0.25)) / on], strict=True):
        assert abs(got - truth) < DIGITS


def test_the_reference_is_the_exponential_of_mpmath():
    rng = np.random.default_rng(4)
    source, target = np.nonzero(~np.eye(4, dtype=bool))
    k = rate_matrix(source, target, 10 ** rng.uniform(-2, 2, source.size), 4)
    found = Flow(k).after(np.array([1 << 384, 0, 0, 0], dtype=object), np.zeros(4, dtype=object), mp.mpf(3))
    truth = mp.expm(mp.matrix((3 * k).tolist()))[:, 0]
    assert max(abs(mp.ldexp(got, -384) - x) for got, x in zip(found, truth, strict=True)) < DIGITS


@pytest.mark.parametrize("fidelity", ["full", "reduced"])
@pytest.mark.parametrize("name", ["msc", "t_cell"])
def test_shipped_models_are_exact_to_nine_digits(name, fidelity):
    model = read_model(name, "mouse")
    medians = np.array([float(parameter.prior.value(0.0)) for parameter in model.parameters])
    n = len(model.states)
    lasting = n if fidelity == "full" else model.n_lasting
    for rates in model.rates(np.array([medians, *model.draw_prior(2, seed=11)])):
        arrows = model.source_states, model.target_states
        body = Body(*arrows, rates, n, lasting)
        for dose in DOSES:
            schedule = model.schedule([dose])
            truth = loose(body.states(*schedule.plain(), HOURS))
            close_to(solve(*arrows, lasting, rates, schedule, HOURS), truth, rtol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_stiff_networks_are_exact_to_seven_digits(kind):
    for seed in range(EACH):
        n, source, target, rates, schedule, hours = network(kind, seed)
        truth = loose(Body(source, target, rates, n).states(*schedule.plain(), hours))
        found = solve(source, target, n, rates, schedule, hours)
        np.testing.assert_allclose(found.sum(1), given_until(schedule, hours), rtol=0, atol=1e-9)
        close_to(found, truth, rtol=1e-7)


def test_networks_that_cells_pass_through_are_exact_to_seven_digits():
    for seed in range(EACH):
        lasting, source, target, rates, schedule, hours = passing_network(seed)
        n = schedule.entry.shape[1]
        truth = loose(Body(source, target, rates, n, lasting).states(*schedule.plain(), hours))
        found = solve(source, target, lasting, rates, schedule, hours)
        np.testing.assert_allclose(found[:, :lasting].sum(1), given_until(schedule, hours), rtol=0, atol=1e-9)
        close_to(found, truth, rtol=1e-7)


def slopes(source, target, lasting, rates, schedule, hours, bar):
    """Slope of sum(bar * states) by the logarithm of each rate: the exact one, and the package's."""
    n = schedule.entry.shape[1]
    exact = np.empty(rates.size)
    for arrow in range(rates.size):
        ends = []
        for factor in (1 + STEP, 1 - STEP):
            nudged = precise(rates)
            nudged[arrow] *= factor
            ends.append(
                (precise(bar) * Body(source, target, nudged, n, lasting).states(*schedule.plain(), hours)).sum()
            )
        exact[arrow] = (ends[0] - ends[1]) / (2 * STEP)
    given = source, target, lasting, rates, schedule.entry, *schedule.times(), hours
    return exact, rates * respond_adjoint(*given, respond(*given), bar)


def same_slopes(exact, found):
    """To 1e-7 of each slope that is not lost beside the largest."""
    np.testing.assert_allclose(found, exact, rtol=1e-7, atol=1e-15 * abs(exact).max())


@pytest.mark.parametrize("name", [pytest.param("msc", marks=pytest.mark.proof), "t_cell"])  # a minute, seconds
def test_slopes_of_shipped_models_are_exact_to_seven_digits(name):
    model = read_model(name, "mouse")
    hours = HOURS[::3]
    rates = model.rates(model.draw_prior(1, seed=11)[0])
    schedule = model.schedule([Dose("iv", 0.6), Dose("artery", 0.4, 2.0, 5.0)])
    bar = np.random.default_rng(5).standard_normal((hours.size, len(model.states)))
    same_slopes(*slopes(model.source_states, model.target_states, model.n_lasting, rates, schedule, hours, bar))


@pytest.mark.parametrize("duration", [0.0, 0.5, 30.0])
@pytest.mark.parametrize("passing", [False, True])
def test_slopes_of_random_networks_are_exact_to_seven_digits(passing, duration):
    for seed in range(4):
        made = passing_network(seed) if passing else network(KINDS[seed], seed)
        lasting, source, target, rates, schedule, _ = made
        rates = np.sqrt(rates)  # from a hundredth to hundreds in an hour
        schedule = Schedule.once(schedule.entry, np.array([0.0, 2.0]), np.array([0.0, duration]))
        hours = np.array([0.01, 1.0, 2.25, 20.0])
        bar = np.random.default_rng(seed).standard_normal((hours.size, schedule.entry.shape[1]))
        same_slopes(*slopes(source, target, lasting, rates, schedule, hours, bar))
