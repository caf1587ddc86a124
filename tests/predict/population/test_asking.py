"""The answer of a population as tables, against the curves of all its subjects."""

from dataclasses import replace

import numpy as np
import pytest

from pbpk.errors import InputError, ScenarioError
from pbpk.predict.endpoint import parse_endpoints
from pbpk.predict.population.asking import LEVELS, Asked, ask_population, plan_population
from pbpk.predict.population.blocks import SEEN
from pbpk.predict.population.people import parse_weight
from pbpk.predict.population.tally import RELATIVE_ERROR
from pbpk.predict.scenario import read_scenarios

HOURS = np.array([0.05, 24.0, 168.0])
ASKED = Asked(400, parse_weight("25,0.1"), hours=HOURS, endpoints=parse_endpoints("AUC lung, Cmax liver live"))


@pytest.fixture(scope="module")
def answered(fitted, iv):
    blocks = []
    found = ask_population(fitted, iv, replace(ASKED, curves=True, cells=1e6), blocks.append)
    return found, blocks[0]


def test_rows_are_mean_sd_and_quantiles_over_subjects(answered):
    found, block = answered
    table = found.curves.set_index(["organ", "state", "hours"])
    for organ, state, hour in (("lung", "live", 24.0), ("liver", "total", 168.0), ("excreted", "label", 0.05)):
        values = block.curves[:, HOURS.tolist().index(hour), found.plan.organs.index(organ)].astype(float)
        values = values.sum(axis=-1) if state == "total" else values[:, found.plan.states.index(state)]
        row = table.loc[(organ, state, hour)]
        assert row["mean"] == pytest.approx(values.mean(), rel=1e-6)
        assert row["sd"] == pytest.approx(values.std(ddof=1), rel=1e-5, abs=1e-9)
        truth = np.quantile(values, list(LEVELS.values()))
        np.testing.assert_allclose(row[list(LEVELS)].astype(float), truth, rtol=RELATIVE_ERROR * 1.001, atol=1e-3)
    assert set(table["quantile_error"]) == {RELATIVE_ERROR}
    assert set(table["unit"]) == {"cells"}
    assert set(table["evidence"]) == {"prior"}


def test_endpoints_have_rows_with_their_units(answered):
    found, block = answered
    assert found.endpoints["endpoint"].tolist() == ["AUC lung", "Cmax liver live"]
    assert found.endpoints["unit"].tolist() == ["cells*h", "cells"]
    np.testing.assert_allclose(found.endpoints["mean"], block.endpoints.mean(axis=0), rtol=1e-12)


def test_some_subjects_are_the_first(answered):
    found, block = answered
    own = found.some[(found.some["organ"] == "lung") & (found.some["state"] == "live")]
    assert own["subject"].nunique() == SEEN
    first = own[own["subject"] == 3]["amount"].to_numpy()
    np.testing.assert_array_equal(first, block.curves[3, :, found.plan.organs.index("lung"), 0])


def test_subjects_differ_less_when_parameters_are_known(fitted, iv):
    wide, narrow = (
        ask_population(fitted, iv, replace(ASKED, what=what)).endpoints["sd"] for what in ("both", "variability")
    )
    assert (narrow < 0.8 * wide).all()


def test_a_scenario_in_another_animal_has_its_own_people(fitted, iv):
    plan = plan_population(fitted, replace(iv, species="human", cells_per_kg=1e6), replace(ASKED, weight=None))
    assert plan.expected == pytest.approx(7e7)
    assert plan.people.between is not None


def test_endpoints_of_every_organ_if_none_are_asked(prior, iv):
    names = [str(each) for each in plan_population(prior, iv, replace(ASKED, endpoints=None)).endpoints]
    assert {"AUC lung", "Cmax lung", "AUC blood", "Cmax rest"} <= set(names)
    assert "AUC excreted" not in names


def test_what_cannot_be_asked_is_one_sentence(prior, iv):
    with pytest.raises(InputError, match="1 make no population"):
        plan_population(prior, iv, replace(ASKED, size=1))
    with pytest.raises(ScenarioError, match="bolus"):
        read_scenarios("iv_bolu")
    with pytest.raises(ScenarioError, match="`lng` is not an organ"):
        plan_population(prior, replace(iv, injury={"lng": 2.0}), ASKED)
