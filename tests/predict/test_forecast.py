"""Forecasts against what must hold: superposition, mass, linearity, the direction of every modifier."""

from dataclasses import replace

import numpy as np
import pytest

from pbpk.body.expansion import read_model
from pbpk.body.model import Route
from pbpk.errors import ScenarioError
from pbpk.predict.forecast import HOURS, PERCENT, answer, before_dose, forecast_table, hours_of
from pbpk.predict.scenario import Scenario, ScenarioDose, read_scenarios
from pbpk.predict.studied import Studied

MODEL = read_model("msc", "mouse", "FND")
THETA = MODEL.draw_prior(40, 7)
NAMES = MODEL.parameter_names
SHIPPED = {scenario.name: scenario for scenario in read_scenarios()}
IV = SHIPPED["iv_bolus"]
STUDIED = Studied("mouse", ("iv",), (1e6, 1e6), 1, 0.0, 72.0, (("lung", "total"), ("liver", "total")))
DAYS = np.array([0.1, 1.0, 24.0, 48.0, 72.0, 168.0])


def ask(*scenarios, **how):
    """Cells of each scenario, (scenario, draw, hours, organ, state)."""
    how = {"hours": DAYS} | how
    return answer(MODEL, THETA, NAMES, scenarios, **how)


def cells(*scenarios, **how):
    return ask(*scenarios, **how)["cells"].astype(float)


def test_split_doses_are_the_sum_of_shifted_thirds():
    hours = np.array([50.0, 72.0, 168.0])
    split = cells(SHIPPED["three_split_iv"], hours=hours)[0]
    thirds = [cells(IV, hours=hours - start)[0] / 3 for start in (0.0, 24.0, 48.0)]
    np.testing.assert_allclose(split, sum(third.to_numpy() for third in thirds), rtol=1e-5, atol=1e-6)


def test_doses_that_follow_are_doses():
    weekly = replace(IV, doses=(ScenarioDose(route="iv", share=0.25, addl=3, interval_h=168.0),))
    each = replace(IV, doses=tuple(ScenarioDose(route="iv", share=0.25, hours=168.0 * i) for i in range(4)))
    hours = np.array([1.0, 167.0, 169.0, 600.0])
    one, four = cells(weekly, each, hours=hours)
    np.testing.assert_allclose(one, four, rtol=1e-6, atol=1e-6)


def test_a_dose_at_steady_state_is_a_long_row_of_doses():
    """Live cells are gone within weeks, so a year of weekly doses is for ever; what left the body is not told."""
    weekly = replace(IV, doses=(ScenarioDose(route="iv", interval_h=168.0, ss=1),))
    year = replace(IV, doses=(ScenarioDose(route="iv", share=1 / 60, addl=59, interval_h=168.0),), cells=60 * PERCENT)
    hours = np.array([1.0, 50.0])
    steady = cells(weekly, hours=hours)[0]
    assert "excreted" not in steady["organ"]
    long = cells(year, hours=hours + 59 * 168.0)[0].sel(organ=steady["organ"])
    live = [found.sel(state="live").transpose(..., "hours").to_numpy() for found in (steady, long)]
    np.testing.assert_allclose(*live, rtol=1e-3, atol=1e-3)


def test_hours_follow_the_doses():
    late = replace(IV, doses=(ScenarioDose(route="iv", share=0.5, addl=1, interval_h=400.0),))
    hours = answer(MODEL, THETA[:2], NAMES, [late])["hours"].to_numpy()
    assert set(HOURS) <= set(hours)
    assert {400.0, 401.0, 736.0} <= set(hours)


def test_before_a_dose_there_is_nothing():
    late = replace(IV, doses=(ScenarioDose(route="iv", hours=24.0),))
    found = cells(late, hours=np.array([0.0, 12.0, 23.9, 24.5]))[0]
    assert float(abs(found.sel(hours=[0.0, 12.0, 23.9])).max()) == 0.0
    assert float(found.sel(hours=24.5).sum("organ").sum("state").min()) == pytest.approx(PERCENT, rel=1e-3)


def test_the_studied_diameter_changes_nothing():
    both = cells(IV, replace(IV, name="same", diameter_ratio=1.0, vasodilation={"lung": 1.0}))
    np.testing.assert_array_equal(both[0], both[1])
    by_model = MODEL.solve(THETA, IV.given(PERCENT), DAYS)
    lung = [state in MODEL.observed["lung"] and state in MODEL.kinds["live"] for state in MODEL.states]
    np.testing.assert_allclose(both[0].sel(organ="lung", state="live"), by_model @ lung, rtol=1e-3)


@pytest.mark.parametrize("organ", MODEL.organs)
def test_larger_cells_are_caught_more_everywhere(organ):
    """Given into an organ's own artery nothing but its extraction decides what stays there at once."""
    into = replace(MODEL, routes=dict(MODEL.routes) | {"own": Route(f"{organ}.blood")})
    own = Scenario("own", "own", "", (ScenarioDose(route="own"),))
    small, large = (
        answer(into, THETA, NAMES, [replace(own, diameter_ratio=ratio)], hours=np.array([1e-3]))["cells"]
        .sel(organ=organ, state="live")[0, :, 0]
        .to_numpy()
        for ratio in (1.0, 1.3)
    )
    assert (large >= small).all()
    assert large.mean() > small.mean() * 1.01


def test_smaller_cells_pass_the_lung():
    usual, small, large = (
        cells(SHIPPED[name], hours=np.array([1.0])).sel(organ="lung").sum("state")[0, :, 0]
        for name in ("iv_bolus", "iv_small_cells", "iv_large_cells")
    )
    assert (small < usual).all()
    assert (usual < large).all()


def test_a_vasodilator_of_the_lung_moves_cells_to_the_rest_of_the_body():
    usual, dilated = (
        cells(SHIPPED[name], hours=np.array([1.0])).sum("state")[0, :, 0] for name in ("iv_bolus", "iv_vasodilator")
    )
    assert (dilated.sel(organ="lung") < usual.sel(organ="lung")).all()
    others = [organ for organ in MODEL.organs if organ != "lung"]
    assert (dilated.sel(organ=others) > usual.sel(organ=others)).all()


def test_an_injury_holds_more_cells():
    usual, injured = cells(IV, replace(IV, name="injured", injury={"kidney": 5.0})).sum("state").sel(hours=1.0)
    assert (injured.sel(organ="kidney") > usual.sel(organ="kidney")).all()


def test_twice_the_cells_are_twice_the_cells():
    once, twice = (cells(IV, cells=number) for number in (1e6, 2e6))
    np.testing.assert_allclose(twice, 2 * once, rtol=1e-6)
    stated = cells(replace(IV, cells=1e6), cells=9e9)  # what the scenario says wins
    np.testing.assert_array_equal(stated, once)


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_every_cell_given_is_somewhere(name):
    hours = HOURS[HOURS > 48.0] if name == "three_split_iv" else HOURS[HOURS > 0.2]
    total = cells(SHIPPED[name], cells=1e6, hours=hours).sum(("organ", "state"))
    np.testing.assert_allclose(total, 1e6, rtol=1e-3)


def test_no_cell_is_less_than_none():
    assert float(cells(*SHIPPED.values(), hours=HOURS).min()) >= 0.0


def test_a_dead_product_is_never_alive():
    dead = cells(replace(IV, viability=0.0))
    assert float(dead.sel(state="live").max()) == 0.0
    half, alive = cells(replace(IV, viability=0.5)), cells(IV)
    np.testing.assert_allclose(half, (dead + alive.to_numpy()) / 2, rtol=1e-5, atol=1e-5)


def test_what_was_excreted_is_label_and_never_comes_back():
    excreted = cells(IV, hours=HOURS).sel(organ="excreted")[0]
    assert float(excreted.sel(state="live").max()) == 0.0
    assert (excreted.sel(state="label").diff("hours") >= -1e-6).all()


def test_parameters_are_found_by_name():
    shuffled = [*reversed(NAMES), "spread"]
    theta = np.column_stack([THETA[:, ::-1], np.full(len(THETA), 0.3)])
    again = answer(MODEL, theta, shuffled, [IV], hours=DAYS)
    np.testing.assert_array_equal(again["cells"], ask(IV)["cells"])


def test_the_table_is_the_quantiles_of_the_draws():
    found = ask(IV, SHIPPED["portal_vein"])
    table = forecast_table(found)
    assert (table["q2.5"] <= table["q50"]).all()
    assert (table["q50"] <= table["q97.5"]).all()
    key = ["scenario", "organ", "hours"]
    mean = table.pivot_table(index=key, columns="state", values="mean")
    np.testing.assert_allclose(mean["total"], mean["live"] + mean["label"], rtol=1e-5, atol=1e-6)
    one = table.set_index([*key, "state"]).loc[("portal_vein", "liver", 24.0, "total")]
    draws = found["cells"].sel(scenario="portal_vein", organ="liver", hours=24.0).astype(float).sum("state")
    by_hand = [float(draws.mean()), *np.quantile(draws, [0.025, 0.5, 0.975])]
    np.testing.assert_allclose(one[["mean", "q2.5", "q50", "q97.5"]].astype(float), by_hand, rtol=1e-5)
    assert len(table) == 2 * len(DAYS) * len(found["organ"]) * 3
    assert set(table["title"]) == {"IV bolus", "Portal vein"}


@pytest.mark.parametrize(
    ("name", "studied", "word"),
    [
        ("iv_bolus", ["iv"], "data"),
        ("three_split_iv", ["iv"], "extrapolation"),
        ("iv_infusion_10_min", ["iv"], "extrapolation"),
        ("portal_vein", ["iv"], "extrapolation"),
        ("portal_vein", ["iv", "portal_vein"], "data"),
        ("iv_large_cells", ["iv"], "hypothesis"),
        ("iv_vasodilator", ["iv"], "hypothesis"),
        ("iv_bolus", [], "prior"),
        ("iv_small_cells", [], "hypothesis"),
    ],
)
def test_each_scenario_says_what_it_rests_on(name, studied, word):
    found = ask(SHIPPED[name], studied=replace(STUDIED, routes=tuple(studied)) if studied else None)
    assert found["evidence"].item() == word
    assert set(forecast_table(found)["evidence"]) == {word}


def test_each_row_says_what_the_data_did_not_have():
    table = forecast_table(ask(SHIPPED["portal_vein"], studied=STUDIED, cells=2e6)).set_index(
        ["organ", "state", "hours"]
    )
    assert table.loc[("lung", "total", 24.0), "beyond"] == "route; dose"
    assert table.loc[("lung", "total", 168.0), "beyond"] == "route; dose; hours"
    assert table.loc[("lung", "live", 168.0), "beyond"] == "route; dose; hours; not measured"
    assert table.loc[("heart", "total", 24.0), "beyond"] == "route; dose; not measured"
    usual = forecast_table(ask(IV, studied=STUDIED, cells=1e6)).set_index(["organ", "state", "hours"])
    assert usual.loc[("lung", "total", 72.0), "beyond"] == ""
    assert set(forecast_table(ask(IV))["beyond"]) == {""}


@pytest.mark.parametrize(
    ("own", "asked", "dose", "unit"),
    [(None, None, PERCENT, "percent of dose"), (None, 2e6, 2e6, "cells"), (3e6, 2e6, 3e6, "cells")],
)
def test_the_unit_says_whether_the_dose_was_known(own, asked, dose, unit):
    found = ask(replace(IV, cells=own), cells=asked)
    assert (found["dose_cells"].item(), found["unit"].item()) == (dose, unit)


def test_the_size_law_follows_the_seed():
    large = SHIPPED["iv_large_cells"]
    one, same, other = (cells(large, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert (one.sel(organ="lung", state="live") != other.sel(organ="lung", state="live")).any()


def test_an_unknown_route_is_refused_before_anything_is_solved():
    with pytest.raises(ScenarioError, match="the route `intranasal`"):
        ask(replace(IV, doses=(ScenarioDose(route="intranasal"),)))


def test_an_hour_at_which_a_dose_enters_is_told_as_before_it():
    hours = hours_of([SHIPPED["three_split_iv"]])
    assert before_dose(hours, 24.0) == pytest.approx(24.0 - 1e-3)
    assert before_dose(hours, 1.0) == 1.0
    split = cells(SHIPPED["three_split_iv"], hours=hours).sum("state")[0]
    assert float(split.sel(hours=before_dose(hours, 24.0)).sum("organ").mean()) == pytest.approx(PERCENT / 3, rel=1e-3)
