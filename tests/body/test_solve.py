"""Laws that any linear body obeys, on random doses, and what the solver refuses."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pbpk.body.solve as solving
from pbpk.body.expansion import read_model
from pbpk.body.solve import Schedule, solve
from pbpk.dosing import Dose
from pbpk.errors import SolveError

quick = settings(max_examples=25, deadline=None, derandomize=True)
MODEL = read_model("msc", "mouse")
HOURS = np.array([0.0, 0.05, 1.0, 24.0, 168.0])

dose = st.builds(
    Dose,
    route=st.sampled_from([name for name, route in MODEL.routes.items() if not route.needs]),
    cells=st.floats(1.0, 1e8),
    hours=st.sampled_from([0.0, 0.02, 5.0, 30.0]),
    duration_h=st.sampled_from([0.0, 0.1, 3.0]),
    viability=st.floats(0, 1),
)
draw = st.integers(0, 1000)


def theta(seed):
    """One draw of all parameters from their priors."""
    z = np.random.default_rng(seed).normal(size=len(MODEL.parameters))
    return np.array([p.prior.value(step) for p, step in zip(MODEL.parameters, z, strict=True)])


def close(a, b, cells):
    np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12 * cells)


@quick
@given(dose, st.floats(0.01, 100), draw)
def test_answers_scale_with_the_dose(given_dose, factor, seed):
    more = Dose(
        given_dose.route, given_dose.cells * factor, given_dose.hours, given_dose.duration_h, given_dose.viability
    )
    once, scaled = (MODEL.solve(theta(seed), [d], HOURS) for d in (given_dose, more))
    close(scaled, factor * once, more.cells)


@quick
@given(st.lists(dose, min_size=2, max_size=4), draw)
def test_doses_add_up(doses, seed):
    together = MODEL.solve(theta(seed), doses, HOURS)
    alone = sum(MODEL.solve(theta(seed), [d], HOURS) for d in doses)
    close(together, alone, sum(d.cells for d in doses))


@quick
@given(dose, st.integers(2, 6), draw)
def test_a_dose_in_parts_is_the_dose(whole, n, seed):
    part = Dose(whole.route, whole.cells / n, whole.hours, whole.duration_h, whole.viability)
    close(MODEL.solve(theta(seed), [part] * n, HOURS), MODEL.solve(theta(seed), [whole], HOURS), whole.cells)


@quick
@given(dose, st.floats(0.5, 100), draw)
def test_a_later_dose_is_the_same_later(early, wait, seed):
    late = Dose(early.route, early.cells, early.hours + wait, early.duration_h, early.viability)
    hours = HOURS + 0.013  # away from the jumps, where rounding decides between before and after
    close(MODEL.solve(theta(seed), [late], hours + wait), MODEL.solve(theta(seed), [early], hours), early.cells)


@quick
@given(st.lists(dose, min_size=1, max_size=3), draw)
def test_label_and_losses_are_the_dose(doses, seed):
    y = MODEL.solve(theta(seed), doses, HOURS)
    ran = [np.clip((HOURS - d.hours) / d.duration_h, 0, 1) if d.duration_h else 1.0 for d in doses]
    infused = sum(d.cells * r * (d.hours <= HOURS) for d, r in zip(doses, ran, strict=True))
    total = sum(d.cells for d in doses)
    assert (y >= 0).all()
    np.testing.assert_allclose(y[:, : MODEL.n_lasting].sum(1), infused, rtol=0, atol=1e-9 * total)


def test_the_order_of_hours_is_kept():
    shuffled = np.array([3, 0, 4, 2, 1])
    y = MODEL.solve(theta(3), [Dose("iv", 1.0, 0.5)], HOURS)
    close(MODEL.solve(theta(3), [Dose("iv", 1.0, 0.5)], HOURS[shuffled]), y[shuffled], 1.0)


def test_many_draws_at_once_are_the_draws_one_by_one():
    thetas = np.array([[theta(1), theta(2)], [theta(3), theta(4)]])
    y = MODEL.solve(thetas, [Dose("artery", 1.0)], HOURS)
    assert y.shape == (2, 2, HOURS.size, len(MODEL.states))
    assert (y[1, 0] == MODEL.solve(theta(3), [Dose("artery", 1.0)], HOURS)).all()


def test_one_hour_may_be_a_number():
    assert MODEL.solve(theta(1), [Dose("iv", 1.0)], 24.0).shape == (1, len(MODEL.states))


@pytest.mark.parametrize("rate", [-1.0, np.nan, np.inf])
def test_impossible_rates_are_refused(rate):
    bolus = Schedule.once(np.array([[1.0, 0.0]]), np.zeros(1), np.zeros(1))
    with pytest.raises(SolveError, match="a rate is negative or not finite"):
        solve(np.array([0]), np.array([1]), 2, np.array([rate]), bolus, [1.0])


def test_rates_as_fast_as_a_prior_can_draw_are_solved_in_full():
    fast = theta(1)
    fast[MODEL.parameter_names.index("E_heart")] = 1 - 1e-7
    y = MODEL.solve(fast, [Dose("iv", 1.0)], [168.0], fidelity="full")
    np.testing.assert_allclose(y.sum(), 1.0, rtol=1e-12)
    np.testing.assert_allclose(
        y[:, : MODEL.n_lasting], MODEL.solve(fast, [Dose("iv", 1.0)], [168.0])[:, : MODEL.n_lasting], atol=1e-3
    )


def test_no_dose_leaves_the_body_empty():
    assert (MODEL.solve(theta(1), [], HOURS) == 0).all()


def test_a_state_without_a_way_out_is_refused_in_words():
    bolus = Schedule.once(np.array([[1.0, 0.0]]), np.zeros(1), np.zeros(1))
    with pytest.raises(SolveError):
        solve(np.array([0]), np.array([1]), 1, np.array([1.0]), bolus, np.array([1.0]))


def test_an_hour_that_is_not_a_number_is_refused():
    with pytest.raises(SolveError):
        MODEL.solve(theta(1), [Dose("iv", 1.0)], [1.0, np.nan])


@pytest.mark.parametrize(("threads", "together"), [(1, 3), (2, 128), (3, 7)])
def test_threads_and_parts_change_no_digit(monkeypatch, threads, together):
    thetas, doses = MODEL.draw_prior(20, seed=4), [Dose("iv", 1.0), Dose("artery", 1.0, 2.0, 5.0)]
    expected = MODEL.solve(thetas, doses, HOURS, fidelity="full")
    monkeypatch.setattr(solving, "THREADS", threads)
    monkeypatch.setattr(solving, "TOGETHER", together)
    np.testing.assert_array_equal(MODEL.solve(thetas, doses, HOURS, fidelity="full"), expected)


@pytest.mark.parametrize("lasting", [1, 2])
def test_no_draws_have_no_answer(lasting):
    bolus = Schedule.once(np.array([[1.0, 0.0]]), np.zeros(1), np.zeros(1))
    found = solve(np.array([0, 1]), np.array([1, 0]), lasting, np.empty((0, 2)), bolus, HOURS)
    assert found.shape == (0, HOURS.size, 2)


def test_rates_beyond_all_numbers_are_refused_in_full():
    bolus = Schedule.once(np.array([[1.0, 0.0]]), np.zeros(1), np.zeros(1))
    with pytest.raises(SolveError, match="too fast"):
        solve(np.array([0]), np.array([1]), 2, np.array([1e300]), bolus, np.array([1.0]))
