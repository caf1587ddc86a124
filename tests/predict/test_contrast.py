"""Scenarios against each other: paired, against what is known by hand."""

from dataclasses import replace

import numpy as np
import pytest

from pbpk.body.species import read_species
from pbpk.errors import InputError
from pbpk.predict.contrast import contrast_scenarios, paired
from pbpk.predict.endpoint import endpoints_of, parse_endpoint
from pbpk.predict.origin import read_prior, simulate
from pbpk.predict.scenario import read_scenarios

HOURS = np.geomspace(0.1, 168.0, 25)
SHIPPED = {each.name: each for each in read_scenarios()}
IV, PORTAL = SHIPPED["iv_bolus"], SHIPPED["portal_vein"]


@pytest.fixture(scope="module")
def prior():
    return read_prior("msc", read_species("mouse"), "FND", draws=60)


@pytest.fixture(scope="module")
def forecast(prior):
    return simulate(prior, [IV, replace(IV, name="twice", cells=2e6), PORTAL], cells=1e6, hours=HOURS)


def row_of(table, **where):
    for name, value in where.items():
        table = table[table[name] == value]
    (row,) = table.to_dict("records")
    return row


def test_twice_the_dose_is_exactly_twice_in_every_draw(forecast):
    """Doubt of the parameters is shared, so the ratio has none: unpaired draws would give an interval of decades."""
    row = row_of(contrast_scenarios(forecast), scenario="twice", organ="liver", state="live", endpoint="AUC")
    np.testing.assert_allclose([row["ratio_low"], row["ratio"], row["ratio_high"]], 2.0, rtol=1e-5)
    assert row["high"] > 2.0 * row["low"]
    assert row["probability_above"] == 1.0


def test_numbers_are_those_of_the_draws(forecast):
    table = contrast_scenarios(forecast, against="portal_vein")
    values = endpoints_of(forecast, parse_endpoint("24h lung label"))
    row = row_of(table, scenario="iv_bolus", organ="lung", state="label", endpoint="24h")
    np.testing.assert_allclose(row["difference"], np.median(values[0] - values[2]), rtol=1e-6)
    np.testing.assert_allclose(row["ratio_high"], np.quantile(values[0] / values[2], 0.975), rtol=1e-6)
    assert row["probability_above"] == np.mean(values[0] > values[2])
    assert row["unit"] == "cells"
    assert set(table["scenario"]) == {"iv_bolus", "twice"}


def test_the_same_is_above_in_half(forecast):
    same = paired(np.array([1.0, 2.0]), np.array([1.0, 2.0]))
    assert (same["probability_above"], same["difference"], same["ratio"]) == (0.5, 0.0, 1.0)


def test_nothing_over_nothing_is_no_ratio():
    found = paired(np.array([1.0, 2.0]), np.array([0.0, 1.0]))
    assert np.isnan(found["ratio"])
    assert found["difference"] == 1.0


def test_a_difference_is_as_good_as_the_weaker_of_two(prior):
    large = SHIPPED["iv_large_cells"]
    table = contrast_scenarios(simulate(prior, [IV, large], hours=HOURS))
    assert set(table["evidence"]) == {"hypothesis"}
    elsewhere = simulate(prior, [IV, replace(IV, name="man", species="human")], hours=HOURS)
    assert set(contrast_scenarios(elsewhere)["beyond"]) == {"species"}


def test_a_scenario_that_was_not_asked_is_named(forecast):
    with pytest.raises(InputError, match=r"--against: `portal` is none.*Did you mean `portal_vein`"):
        contrast_scenarios(forecast, "portal")


def test_a_known_dose_against_an_unknown_one_is_compared_in_percent(prior):
    """Twice the cells are the same percentages: the ratio is one, and not twenty thousand."""
    table = contrast_scenarios(simulate(prior, [replace(IV, name="known", cells=2e6), IV], hours=HOURS), "iv_bolus")
    row = row_of(table, scenario="known", organ="liver", state="live", endpoint="AUC")
    assert row["ratio"] == pytest.approx(1.0, rel=1e-5)
    assert row["unit"] == "percent_of_dose*h"
