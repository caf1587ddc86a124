"""Histories of doses: resets, steady states, lags and overlapping infusions against closed forms and long histories."""

import math
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from pbpk.body.expansion import read_model
from pbpk.dosing import Dose, Event, doses_of
from pbpk.errors import ModelFileError, SolveError

ONE = """
name = "one"
about = "one compartment"
amount = "mg"
arrows = ["plasma -> gone : rate", "gut -> plasma : absorption"]
outside = ["gone"]
[kinds]
drug = ["plasma", "gut"]
[readouts]
drug = ["drug"]
[routes]
iv = "plasma"
oral = "gut"
[parameters.rate]
unit = "1/h"
prior = "fixed(value=0.2)"
[parameters.absorption]
unit = "1/h"
prior = "fixed(value=1.5)"
"""
RATE, ABSORPTION = 0.2, 1.5
HOURS = np.array([0.0, 1.0, 5.0, 11.9, 12.0, 13.0, 24.0, 30.0, 47.0])


def written(text):
    with TemporaryDirectory() as folder:
        path = Path(folder) / "one.toml"
        path.write_text(text)
        return read_model(path)


MODEL = written(ONE)
MSC = read_model("msc")
THETA = np.array([[RATE, ABSORPTION]])
PLASMA = MODEL.states.index("plasma")


def plasma(events, hours=HOURS, fidelity="reduced", **told):
    return MODEL.solve(THETA, doses_of(events, **told), hours, fidelity=fidelity)[0, :, PLASMA]


def bolus(amount, t):
    return np.where(t >= 0, amount * np.exp(-RATE * np.maximum(t, 0.0)), 0.0)


def infusion(rate, lasts, t):
    """Amount at t after the start of an infusion."""
    running = rate / RATE * (1 - np.exp(-RATE * np.clip(t, 0.0, lasts)))
    return np.where(t >= 0, running * np.exp(-RATE * np.maximum(t - lasts, 0.0)), 0.0)


def test_a_plain_dose_is_a_plain_dose():
    np.testing.assert_allclose(plasma([Event(1.0, amount=10.0, route="iv")]), bolus(10.0, HOURS - 1.0), rtol=1e-10)


def test_additional_doses_add():
    events = [Event(0.0, amount=10.0, route="iv", addl=2, interval_h=12.0)]
    expected = sum(bolus(10.0, HOURS - 12.0 * k) for k in range(3))
    np.testing.assert_allclose(plasma(events), expected, rtol=1e-10)


@pytest.mark.parametrize("fidelity", ["reduced", "full"])
def test_a_bolus_at_steady_state_is_the_geometric_series(fidelity):
    events = [Event(0.0, amount=10.0, route="iv", ss=1, interval_h=12.0)]
    expected = bolus(10.0, HOURS) / (1 - math.exp(-RATE * 12.0))
    np.testing.assert_allclose(plasma(events, fidelity=fidelity), expected, rtol=1e-9)


def test_absorption_at_steady_state_is_its_closed_form():
    events = [Event(0.0, amount=10.0, route="oral", ss=1, interval_h=12.0)]
    a, k = ABSORPTION, RATE
    expected = (
        10.0
        * a
        / (a - k)
        * (np.exp(-k * HOURS) / (1 - math.exp(-k * 12)) - np.exp(-a * HOURS) / (1 - math.exp(-a * 12)))
    )
    np.testing.assert_allclose(plasma(events), expected, rtol=1e-8)


@pytest.mark.parametrize("lasts", [2.0, 12.0, 30.0], ids=["short", "without a break", "overlapping"])
def test_infusions_at_steady_state_are_a_long_history(lasts):
    events = [Event(0.0, amount=10.0, duration_h=lasts, route="iv", ss=1, interval_h=12.0)]
    expected = sum(infusion(10.0 / lasts, lasts, HOURS + 12.0 * k) for k in range(200))
    np.testing.assert_allclose(plasma(events), expected, rtol=1e-9)


def test_an_infusion_since_ever_ends_at_its_record():
    events = [Event(5.0, rate=3.0, route="iv", ss=1)]
    expected = np.where(HOURS >= 5.0, 3.0 / RATE * np.exp(-RATE * np.maximum(HOURS - 5.0, 0.0)), 0.0)
    np.testing.assert_allclose(plasma(events), expected, rtol=1e-9)


def test_a_lag_at_steady_state_shows_what_the_doses_before_left():
    events = [Event(0.0, amount=10.0, route="iv", ss=1, interval_h=12.0)]
    found = plasma(events, lag={"iv": 3.0})
    expected = sum(bolus(10.0, HOURS - 3.0 + 12.0 * k) for k in range(300))
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_a_reset_wipes_what_came_before_and_only_that():
    events = [
        Event(0.0, amount=10.0, route="iv"),
        Event(0.0, amount=20.0, duration_h=40.0, route="iv"),
        Event(12.0, evid=4, amount=5.0, route="iv"),
    ]
    before = bolus(10.0, HOURS) + infusion(0.5, 40.0, HOURS)
    np.testing.assert_allclose(plasma(events), np.where(HOURS < 12.0, before, bolus(5.0, HOURS - 12.0)), rtol=1e-10)


def test_bioavailability_scales_the_duration_at_a_known_rate():
    events = [Event(0.0, amount=10.0, rate=2.0, route="iv")]
    np.testing.assert_allclose(
        plasma(events, bioavailability={"iv": 0.5}), infusion(2.0, 2.5, HOURS), rtol=1e-10, atol=1e-12
    )


@pytest.mark.parametrize("fidelity", ["reduced", "full"])
def test_cells_given_weekly_for_ever_are_a_long_history(fidelity):
    """Label of cells leaves slowly, by excretion: with a rate of 0.1 1/h it does so within months."""
    values = {p.name: p.prior.centre for p in MSC.parameters} | {"excretion": 0.1, "uptake": 0.5}
    theta = np.array([[values[name] for name in MSC.parameter_names]])
    hours = np.array([0.5, 24.0, 100.0])
    steady = MSC.solve(theta, [Dose("iv", 1e6, 0.0, every_h=168.0)], hours, fidelity=fidelity)
    past = [Dose("iv", 1e6, 168.0 * k) for k in range(400)]
    long = MSC.solve(theta, past, hours + 168.0 * 399, fidelity=fidelity)
    inside = [i for i, state in enumerate(MSC.states) if state not in MSC.outside]
    np.testing.assert_allclose(steady[..., inside], long[..., inside], rtol=1e-6, atol=1e-3)
    assert np.isinf(steady[..., MSC.states.index("excreted")]).all()


def test_what_never_leaves_has_no_steady_state():
    theta = np.array([[0.0, ABSORPTION]])
    with pytest.raises(SolveError, match="has no steady state"):
        MODEL.solve(theta, [Dose("iv", 1.0, 0.0, every_h=12.0)], HOURS)


def test_rates_that_move_take_resets_but_no_steady_state():
    moving = written(ONE.replace("gone : rate", "gone : rate / (1 + plasma / 5)"))
    events = [Event(0.0, amount=10.0, route="iv"), Event(12.0, evid=4, amount=10.0, route="iv")]
    found = moving.solve(THETA, doses_of(events), np.array([3.0, 15.0]))[0]
    assert found[0, PLASMA] == pytest.approx(found[1, PLASMA], rel=1e-8)
    with pytest.raises(ModelFileError, match="its steady state is no series; write the doses before it with ADDL"):
        moving.solve(THETA, [Dose("iv", 1.0, 0.0, every_h=12.0)], HOURS)


def test_rates_that_read_the_hour_keep_their_clock_after_a_reset():
    fading = {"fade_liver": 0.1, "injury_liver": 50.0}
    theta = np.array([[p.prior.centre for p in MSC.parameters]])
    late = [Dose("iv", 1e6, 24.0, until=math.inf, since=24.0)]
    after = [Dose("iv", 1e6, 0.0, until=24.0, since=0.0), *late]
    hours = np.array([25.0])
    alone, reset = (MSC.solve(theta, doses, hours, fading) for doses in (late, after))
    np.testing.assert_allclose(reset, alone, rtol=1e-6, atol=1e-6)
