"""Blood and tissue together, where rates move: the pair itself, another solver, what must hold, differences."""

import numpy as np
import pytest
from moved import CASES, followed, radau

from pbpk.body import moving
from pbpk.body.expansion import read_model
from pbpk.body.implicit import GAMMA, HOURS, STAGES, WEIGHTS
from pbpk.body.library import LIBRARY
from pbpk.dosing import Dose
from pbpk.errors import SolveError

TIGHT = 1e-12  # error of a step, for differences
each_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def table():
    """Whole table of the pair, (stage, stage): its diagonal is `GAMMA`."""
    weights = np.zeros((STAGES, STAGES))
    weights[:, : STAGES - 1] = WEIGHTS
    return weights + np.diag([0.0, *[GAMMA] * (STAGES - 1)])


def trees(a, order):
    """(density, elementary weight of each stage) of the rooted trees up to an order (Butcher 1963)."""
    one = np.ones(STAGES)
    found = {1: [(1.0, one)]}
    for size in range(2, order + 1):
        found[size] = []
        for parts in partitions(size - 1, size - 1):
            for density, weight in forests(parts, found, a):
                found[size].append((size * density, weight))
    return [tree for size in found.values() for tree in size]


def partitions(total, largest):
    if total == 0:
        yield ()
    for first in range(min(total, largest), 0, -1):
        for rest in partitions(total - first, first):
            yield (first, *rest)


def forests(parts, found, a):
    if not parts:
        yield 1.0, np.ones(STAGES)
        return
    for density, weight in found[parts[0]]:
        for others, rest in forests(parts[1:], found, a):
            yield density * others, (a @ weight) * rest


def test_the_pair_is_of_orders_five_and_four():
    a = table()
    np.testing.assert_allclose(a.sum(axis=1), HOURS, atol=1e-15)
    for row, order in ((a[6], 5), (a[5], 4)):
        for density, weight in trees(a, order):
            assert row @ weight == pytest.approx(1.0 / density, abs=3e-15)
    assert max(abs(a[5] @ weight - 1.0 / density) for density, weight in trees(a, 5)) > 1e-4


def test_what_is_infinitely_fast_is_forgotten_and_nothing_grows():
    a, one = table(), np.ones(STAGES)

    def left(z):
        return 1.0 + z * (a[6] @ np.linalg.solve(np.eye(STAGES) - z * a, one))

    assert max(abs(left(1j * y)) for y in np.geomspace(1e-3, 1e4, 400)) <= 1.0 + 1e-12
    assert abs(left(-1e9)) < 1e-7
    assert min(left(-z) for z in np.geomspace(1e-3, 1e6, 400)) > 0.0  # a state that fades does not swing below zero


@each_case
def test_nothing_is_lost_and_nothing_is_negative(case):
    out, log, points, _ = moving.respond_moving(case.known, *case.given)
    entry, starts, durations = case.schedule.plain()
    whole = entry.sum()
    for hour, amounts in zip(case.given[-1], out, strict=True):
        run = np.clip(np.divide(hour - starts, durations, out=np.ones(starts.size), where=durations > 0.0), 0.0, 1.0)
        given = (entry.sum(axis=1) * np.where(starts <= hour, run, 0.0)).sum()
        assert amounts.sum() == pytest.approx(given, abs=1e-12 * whole)
    assert (out >= 0.0).all()
    assert points[:, STAGES - 1].min() >= -1e-15 * whole
    assert len(log) < 2500


@pytest.mark.parametrize("name", ["particles", "lin_2016, slow and again", "msc, a lung that fills"])
def test_radau_finds_the_same(name):
    """The other cases, and more routes, are held against CVODE in `blind`: it takes a tenth of the time."""
    case = CASES[name]
    ours, theirs = moving.respond_moving(case.known, *case.given)[0], followed(case, radau)
    whole = case.schedule.entry.sum()
    held = theirs > 1e-6 * whole
    assert held.sum() > len(case.model.states)
    np.testing.assert_allclose(ours[held], theirs[held], rtol=5e-8)
    np.testing.assert_allclose(ours[~held], theirs[~held], atol=1e-11 * whole)


def slopes(case, at, bar):
    """Gradient by some symbols, and what differences of order four say."""
    known, given = case.known, case.given
    slope = moving.respond_moving_adjoint(known, *given, *moving.respond_moving(known, *given), bar)

    def asked(place, value):
        near = known.copy()
        near[place] = value
        return (moving.respond_moving(near, *given, moving.MOST_STEPS, TIGHT)[0] * bar).sum()

    differences = []
    for place in at:
        step = 1e-3 * abs(known[place])
        far = [asked(place, known[place] + k * step) for k in (-2, -1, 1, 2)]
        differences.append((far[0] - 8 * far[1] + 8 * far[2] - far[3]) / (12 * step))
    return slope[at] * known[at], np.array(differences) * known[at]


@each_case
def test_the_gradient_is_that_of_the_answer(case):
    rng = np.random.default_rng(1)
    learned = [i for i, p in enumerate(case.model.parameters) if not p.prior.is_fixed]
    at = rng.choice(learned, min(8, len(learned)), replace=False)
    bar = rng.standard_normal((case.given[-1].size, len(case.model.states))) / case.schedule.entry.sum()
    slope, differences = slopes(case, at, bar)
    np.testing.assert_allclose(slope, differences, rtol=0.0, atol=1e-7 * np.abs(differences).max())


def test_rates_that_do_not_move_give_the_linear_answer(tmp_path):
    path = tmp_path / "still.toml"
    path.write_text((LIBRARY / "msc.toml").read_text().replace(': excretion"', ': excretion * (1 + 0 * hours)"'))
    same, linear = read_model(path), read_model("msc")
    medians = np.array([p.prior.centre for p in linear.parameters])
    doses, hours = [Dose("iv", 50.0, 1.0, 0.5), Dose("artery", 50.0, 3.0)], np.array([1.2, 3.0, 3.1, 24.0, 336.0])
    ours, theirs = (model.solve(medians, doses, hours, fidelity="full") for model in (same, linear))
    np.testing.assert_allclose(ours, theirs, rtol=5e-8, atol=1e-9)


def test_many_draws_of_a_prior_are_followed():
    case = CASES["msc, a lung that fills"]
    theta = case.model.draw_prior(60, 3)
    out = case.model.solve(theta, list(case.doses), np.array([1.0, 336.0]), case.modifiers, "full")
    np.testing.assert_allclose(out.sum(axis=2), 1e6, rtol=1e-12)


def test_a_rate_that_is_no_number_is_refused():
    case = CASES["lin_2016"]
    theta = case.medians
    theta[0] = np.inf
    with pytest.raises(SolveError, match="too fast to follow step by step"):
        case.model.solve(theta, list(case.doses), [1.0])
