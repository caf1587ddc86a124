"""Dose and route by what they reach: against answers to the same scenarios, and where rates move with the dose."""

from dataclasses import replace

import numpy as np
import pytest

from pbpk.body.species import read_species
from pbpk.errors import InputError
from pbpk.predict.dose_choice import Limit, Way, choose_dose, ways_of
from pbpk.predict.endpoint import endpoints_of, parse_endpoint, question
from pbpk.predict.origin import read_prior, simulate
from pbpk.predict.scenario import Scenario
from pbpk.predict.studied import Studied

TARGET = parse_endpoint("AUC liver live")
LIMIT = Limit("lung", 2e5, 0.9)
LIKE = Scenario("like", "like", "", ())
FULL = replace(LIKE, modifiers={"capacity_lung": 3e5})


@pytest.fixture(scope="module")
def prior():
    return read_prior("msc", read_species("mouse"), "FND", draws=60)


@pytest.fixture(scope="module")
def choice(prior):
    return choose_dose(prior, ways_of(prior, doses=(1, 3)), TARGET, LIMIT, 5e6)


def burden_of(prior, way, cells, like=LIKE):
    """Most living cells in the lung at once, from the answer to the scenario itself, at many hours after each dose."""
    scenario = way.scenario(like, cells)
    starts = [dose.hours for dose in scenario.given(1.0)]
    hours = np.unique(np.concatenate([start + np.geomspace(1 / 60, 48.0, 60) for start in starts]))
    return endpoints_of(simulate(prior, [scenario], hours=hours), parse_endpoint("Cmax lung live"))[0]


def test_the_limit_is_met_and_no_more(prior, choice):
    """Blood in the lung counts in the answer and not in the burden, hence the per mille."""
    for row in choice.table[choice.table["held_back_by"] == "the limit"].to_dict("records"):
        way = Way(row["route"], row["doses"], row["interval_h"], row["duration_min"])
        held = np.quantile(burden_of(prior, way, row["cells"]), LIMIT.probability)
        assert held == pytest.approx(LIMIT.cells, rel=5e-3)
        assert row["burden_at_probability"] == pytest.approx(LIMIT.cells, rel=1e-9)
        assert 0.9 - 1 / 60 <= row["probability_under"] <= 0.9 + 1 / 60


def test_what_is_reached_is_what_the_scenario_gives(prior, choice):
    row = choice.table.iloc[0]
    scenario = Way(row["route"], int(row["doses"]), row["interval_h"], row["duration_min"]).scenario(LIKE, row["cells"])
    hours = np.unique(
        np.concatenate([np.geomspace(0.02, 336.0, 300), 24.0 * np.arange(3)[1:], 48.0 + np.geomspace(0.02, 336.0, 80)])
    )
    found = question(prior, scenario, [TARGET], hours[hours <= 384.0]).of()[:, 0]
    assert row["target"] == pytest.approx(np.median(found), rel=0.02)
    assert row["target_high"] == pytest.approx(np.quantile(found, 0.975), rel=0.02)


def test_the_portal_vein_reaches_the_liver_best_and_parts_reach_more(choice):
    assert choice.table.iloc[0]["route"] == "portal_vein"
    assert choice.table["target"].is_monotonic_decreasing
    for route, own in choice.table.groupby("route"):
        cells = own.set_index("doses")["cells"]
        assert cells[3] > cells[1], route
    assert choice.table.iloc[0]["probability_above_best"] == 0.5  # against itself
    assert (choice.table["probability_above_best"][1:] < 0.5).all()


def test_the_supply_holds_back_where_the_limit_does_not(prior):
    choice = choose_dose(prior, [Way("portal_vein")], TARGET, Limit("lung", 1e9), 1e6)
    (row,) = choice.table.to_dict("records")
    assert (row["cells"], row["held_back_by"], row["probability_under"]) == (1e6, "the supply", 1.0)


def test_nothing_beats_the_frontier(choice):
    best = choice.frontier[choice.frontier["best"]]
    assert len(best)
    for row in choice.frontier.to_dict("records"):
        better = best[
            (best["burden_at_probability"] <= row["burden_at_probability"]) & (best["target"] >= row["target"])
        ]
        assert len(better)
    ordered = best.sort_values("burden_at_probability")
    assert ordered["target"].is_monotonic_increasing


def test_a_dose_is_searched_for_where_a_lung_fills(prior):
    """A full lung lets cells pass: the dose under the limit is more than where all are held, and is met."""
    few = prior.thinned(12)
    way = Way("iv")
    (row,) = choose_dose(few, [way], TARGET, LIMIT, 5e6, FULL).table.to_dict("records")
    (unlimited,) = choose_dose(few, [way], TARGET, LIMIT, 5e6).table.to_dict("records")
    assert row["cells"] > unlimited["cells"] * 1.05
    assert row["evidence"] == "hypothesis"
    held = np.quantile(burden_of(few, way, row["cells"], FULL), LIMIT.probability)
    assert held == pytest.approx(LIMIT.cells, rel=0.01)


def test_what_the_study_did_not_have_is_marked(prior):
    studied = Studied("mouse", ("iv",), (1e5, 3e5), 1, 0.0, 168.0, (("lung", "total"),))
    choice = choose_dose(replace(prior, studied=studied), [Way("iv"), Way("portal_vein", 3, 24.0)], TARGET, LIMIT, 5e6)
    told = choice.table.set_index("route")[["evidence", "beyond"]].apply(tuple, axis=1).to_dict()
    assert told["iv"] == ("data", "")
    assert told["portal_vein"] == ("extrapolation", "route; dose; schedule")
    assert "did not have this (route; dose; schedule)" in choice.sentences[-1]
    rat = choose_dose(prior, [Way("iv")], TARGET, LIMIT, 5e6, replace(LIKE, species="rat"))
    assert rat.table["beyond"].item() == "species"


def test_ways_are_every_combination_once(prior):
    found = ways_of(prior, ["iv"], (1, 2), (24.0, 48.0), (0.0, 10.0))
    assert len(found) == 2 + 4
    assert str(Way("iv", 2, 24.0, 10.0)) == "iv, 2 doses 24 h apart, each over 10 min"
    assert {way.route for way in ways_of(prior)} == {"iv", "portal_vein", "artery"}


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"target": parse_endpoint("residence liver live")}, "does not grow with the dose"),
        ({"target": parse_endpoint("AUC livr live")}, "Did you mean `liver`"),
        ({"limit": Limit("lungs", 1.0)}, "Did you mean `lung`"),
        ({"limit": Limit("lung", 1.0, 0.3)}, "--probability"),
        ({"limit": Limit("lung", -1.0)}, "--limit"),
        ({"most": 0.0}, "--most"),
    ],
)
def test_what_cannot_be_chosen_is_refused(prior, how, words):
    with pytest.raises(InputError, match=words):
        choose_dose(**{"origin": prior, "ways": [Way("iv")], "target": TARGET, "limit": LIMIT, "most": 1e6} | how)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"routes": ["portal"]}, "Did you mean `portal_vein`"),
        ({"doses": (0,)}, "--doses"),
        ({"intervals_h": ()}, "--intervals"),
    ],
)
def test_what_cannot_be_given_is_refused(prior, how, words):
    with pytest.raises(InputError, match=words):
        ways_of(prior, **how)
