"""The tolerance study sees what is right agree, and a solver that is off by a millionth."""

from dataclasses import replace

import numpy as np
import pytest

from pbpk.body.expansion import read_model
from pbpk.body.model import Model
from pbpk.dosing import Dose
from pbpk.errors import SolveError
from pbpk.predict.qualification import tolerance
from pbpk.predict.qualification.courses import Course, courses_of
from pbpk.predict.qualification.tolerance import (
    COLUMNS,
    METHODS,
    TOLERANCES,
    integrated,
    of_closed_forms,
    of_courses,
    of_repetition,
    table,
)


def perturbed(monkeypatch, fidelity, factor):
    """A solver that is off by a factor in one of its arithmetics."""
    right = Model.follow

    def follow(self, theta, schedule, hours, modifiers=None, how="reduced"):
        found = right(self, theta, schedule, hours, modifiers, how)
        return found * factor if how == fidelity else found

    monkeypatch.setattr(Model, "follow", follow)


def test_the_study_has_every_organ_and_every_way(msc):
    rows = table([msc])
    assert list(rows.columns) == COLUMNS
    assert set(rows["organ"]) == {"lung", "liver", "spleen", "kidney", "heart", "gut", "rest", "blood"}
    ways = rows.groupby(["compared", "rtol"], dropna=False).ngroups
    assert ways == 1 + len(METHODS) * len(TOLERANCES)
    of = rows.groupby(["compared", "rtol"])["largest"].max()
    for method in METHODS:
        falling = [of[method, rtol] for rtol in TOLERANCES]
        assert falling == sorted(falling, reverse=True)
    assert all(check.passed for check in of_courses([msc]))


def test_a_forecast_that_is_off_by_two_millionths_fails_in_every_organ(msc, monkeypatch, verdicts):
    perturbed(monkeypatch, "full", 1.0 + 2e-6)
    wrong = verdicts(of_courses([msc]))
    assert {f"{msc.name}: {organ}" for organ in msc.seen if organ in msc.model.organs} <= set(wrong)
    assert f"{msc.name}: Radau at rtol 1e-10" in wrong
    assert f"{msc.name}: sampler" not in wrong


def test_a_sampler_that_is_off_by_two_percent_fails_alone(msc, monkeypatch, verdicts):
    perturbed(monkeypatch, "reduced", 1.02)
    assert verdicts(of_courses([msc])) == [f"{msc.name}: sampler"]


def test_an_answer_that_is_no_number_fails(msc, monkeypatch, verdicts):
    perturbed(monkeypatch, "full", np.nan)
    assert len(verdicts(of_courses([msc]))) == len(of_courses([msc]))


def test_a_course_that_cannot_be_followed_fails(msc, monkeypatch, verdicts):
    def refuse(*given):
        raise SolveError("too fast.")

    monkeypatch.setattr(Model, "follow", refuse)
    assert verdicts(of_courses([msc])) == [msc.name]


def test_the_courses_of_a_study_agree(posterior):
    checks = of_courses(courses_of(posterior))
    assert any(check.name == "run, iv: sampler" for check in checks)
    assert all(check.passed for check in checks)


def test_a_balance_that_costs_a_fit_much_is_told(make_course):
    """Theophylline has its fast tissues in balance, which forecasts integrate: they hold some of the drug."""
    (check,) = [check for check in of_courses([make_course]) if check.name.endswith("sampler")]
    assert not check.passed
    assert check.value > 0.1


@pytest.fixture
def make_course():
    model = read_model("small_molecule_slow", "human")
    theta = np.array([float(parameter.prior.value(0.0)) for parameter in model.parameters])
    hours = np.array([1.0, 24.0])
    return Course("drug", model, theta, model.schedule([Dose("iv", 100.0)]), hours, hours, ("blood",), {})


def test_rates_that_move_are_integrated_too():
    model = read_model("msc", "mouse")
    theta = np.array([float(parameter.prior.value(0.0)) for parameter in model.parameters])
    full = {"capacity_lung": 3e5}
    schedule = model.schedule([Dose("iv", 1e6, 0.0, 0.2)]).scaled(model.factor(full))
    hours = np.array([0.1, 1.0, 24.0])
    course = Course("full lung", model, theta, schedule, hours, hours, ("lung",), full)
    ours, theirs = course.organs(course.states("full")), course.organs(integrated(course, "LSODA", 1e-8))
    np.testing.assert_allclose(ours["lung"], theirs["lung"], rtol=1e-4)
    empty = course.organs(replace(course, modifiers={}).states("full"))
    assert abs(empty["lung"][1] / ours["lung"][1] - 1.0) > 0.1  # the capacity had a say


def test_a_steady_course_is_compared_with_the_sampler_alone(msc):
    schedule = msc.model.schedule([Dose("iv", 100.0, every_h=24.0)])
    assert schedule.is_steady
    rows = table([replace(msc, schedule=schedule)])
    assert set(rows["compared"]) == {"sampler"}
    assert rows["largest"].max() < 0.01


def test_a_course_at_which_nothing_was_measured_has_no_sampler(msc):
    assert set(table([replace(msc, measured=np.zeros(0))])["compared"]) == set(METHODS)


def test_closed_forms_are_kept():
    checks = of_closed_forms()
    assert len(checks) == 10
    assert all(check.passed for check in checks)


@pytest.mark.parametrize(("which", "who"), [("solve", "forecast"), ("respond_many", "sampler")])
def test_an_arithmetic_that_is_off_fails_every_closed_form(monkeypatch, verdicts, which, who):
    right = getattr(tolerance, which)
    monkeypatch.setattr(tolerance, which, lambda *given: right(*given) * (1.0 + 1e-8))
    wrong = verdicts(of_closed_forms())
    assert len(wrong) == 5
    assert all(name.endswith(f"by the {who}") for name in wrong)


def test_a_wrong_formula_fails(monkeypatch, verdicts):
    monkeypatch.setattr(tolerance, "_bateman", lambda t: np.ones((t.size, 2)))
    assert verdicts(of_closed_forms()) == ["two in series by the forecast", "two in series by the sampler"]


def test_digits_that_hang_on_the_order_of_draws_fail(msc, monkeypatch):
    (check,) = of_repetition(msc)
    assert check.passed
    right = tolerance.solve

    def moving(source, target, n, rates, *given):
        return right(source, target, n, rates, *given) * (1.0 + 1e-15 * np.arange(len(rates))[:, None, None])

    monkeypatch.setattr(tolerance, "solve", moving)
    (check,) = of_repetition(msc)
    assert not check.passed
