"""Whom a question is asked of: a run, a prior, one of them in another animal; and all of them side by side."""

from dataclasses import replace

import numpy as np
import pytest
from madeup import write_made_up

from pbpk.body.species import read_species
from pbpk.errors import ScenarioError, SpeciesError
from pbpk.predict.extrapolation import animal_of, extrapolate
from pbpk.predict.forecast import answer
from pbpk.predict.origin import origin_of, read_prior, read_run, simulate
from pbpk.predict.scenario import Scenario, ScenarioDose, read_scenarios

HOURS = np.array([0.5, 1.0, 24.0, 168.0])
IV = Scenario("iv", "iv", "", (ScenarioDose(route="iv"),))


@pytest.fixture(scope="module")
def prior():
    return read_prior("msc", read_species("mouse"), "FND", draws=30)


@pytest.fixture(scope="module")
def run(tmp_path_factory, khot_folder):
    folder, posterior = write_made_up(khot_folder, tmp_path_factory.mktemp("runs") / "run", draws=50)
    return read_run(folder, 100), posterior


def test_a_run_answers_as_its_posterior_does(run):
    origin, posterior = run
    joint = posterior.joint
    asked = [each for each in read_scenarios(None, joint.model) if not each.is_hypothesis]
    one = simulate(origin, asked, hours=HOURS)
    other = answer(joint.model, posterior.theta(100), joint.names, asked, origin.amount, HOURS, studied=origin.studied)
    np.testing.assert_array_equal(one["cells"], other["cells"])
    assert one["evidence"].to_numpy().tolist() == other["evidence"].to_numpy().tolist()
    in_memory = origin_of(posterior, 100)
    np.testing.assert_array_equal(simulate(in_memory, asked, hours=HOURS)["cells"], one["cells"])
    assert set(in_memory.names) == set(origin.names)
    np.testing.assert_array_equal(
        simulate(posterior, asked, hours=HOURS)["cells"],
        simulate(origin_of(posterior), asked, hours=HOURS)["cells"],
    )


def test_scenarios_stand_in_animals_of_their_own(prior):
    man = replace(IV, name="man", species="human")
    woman = replace(IV, name="woman", species="human", sex="female", body_weight_g=55000.0)
    found = simulate(prior, [IV, man, woman], hours=HOURS)
    assert found["scenario"].to_numpy().tolist() == ["iv", "man", "woman"]
    assert found["beyond"].to_numpy().tolist() == ["", "species", "species"]
    there = extrapolate(prior.fixed, prior.theta, prior.names, animal_of("human"))
    alone = answer(there.model, there.theta, there.names, [IV], hours=HOURS)["cells"]
    np.testing.assert_array_equal(found["cells"].sel(scenario="man"), alone.sel(scenario="iv"))
    assert not np.array_equal(found["cells"].sel(scenario="man"), found["cells"].sel(scenario="woman"))


def test_the_order_of_scenarios_is_kept_whatever_their_animals(prior):
    asked = [replace(IV, name="a", species="rat"), replace(IV, name="b"), replace(IV, name="c", species="rat")]
    found = simulate(prior, asked, hours=HOURS)
    assert found["scenario"].to_numpy().tolist() == ["a", "b", "c"]
    np.testing.assert_array_equal(found["cells"].sel(scenario="a"), found["cells"].sel(scenario="c"))


def test_cells_per_kg_follow_the_animal(prior):
    each = replace(IV, cells_per_kg=1e6)
    found = simulate(prior, [each, replace(each, name="man", species="human")], hours=HOURS)
    np.testing.assert_allclose(found["dose_cells"], [1e6 * 0.028, 1e6 * 60.0], rtol=0.3)
    mouse, man = (read_species(name).numbers()["body_weight"] for name in ("mouse", "human"))
    assert float(found["dose_cells"][1] / found["dose_cells"][0]) == pytest.approx(man / mouse)


def test_cells_larger_than_studied_are_larger_in_every_animal_alike(prior):
    """The slope of the size law is one number a draw, whoever is asked and in whatever order."""
    wide = replace(IV, diameter_ratio=1.3)
    one = simulate(prior, [wide], hours=HOURS)["cells"][0]
    both = simulate(prior, [IV, replace(wide, name="other")], hours=HOURS)["cells"][1]
    np.testing.assert_array_equal(one, both)
    turned = replace(prior, theta=prior.theta[::-1])
    np.testing.assert_array_equal(simulate(turned, [wide], hours=HOURS)["cells"][0], one[::-1])


def test_an_animal_that_is_none_is_refused(prior):
    with pytest.raises(SpeciesError, match="Did you mean `mouse`"):
        simulate(prior, [replace(IV, species="mous")], hours=HOURS)


def test_per_kg_needs_a_body(prior):
    without = {name: q for name, q in prior.model.species.quantities.items() if name != "body_weight"}
    model = replace(prior.model, species=replace(prior.model.species, quantities=without))
    with pytest.raises(ScenarioError, match="give `cells` instead of `cells_per_kg`"):
        replace(IV, cells_per_kg=1e6).amount(model, None)


def test_draws_are_thinned_evenly(prior):
    assert prior.thinned(1000) is prior
    np.testing.assert_array_equal(prior.thinned(3).theta, prior.theta[[0, 14, 29]])


def test_amounts_are_the_answer_to_all_digits(prior):
    exact = prior.amounts(IV, HOURS)
    told = simulate(prior, [IV], hours=HOURS)["cells"][0]
    assert exact.dtype == np.float64
    assert prior.organs(IV) == told["organ"].to_numpy().tolist()
    np.testing.assert_allclose(told, exact, rtol=1e-6)
    twice = prior.amounts(IV, HOURS, prior.theta[:2])
    np.testing.assert_allclose(twice, exact[:2], rtol=1e-12)


def test_what_was_moved_goes_to_a_third_animal_from_where_it_came(prior):
    """By way of another animal rates would be scaled twice."""
    rat, man = animal_of("rat"), animal_of("human")
    direct, by_rat = prior.elsewhere(man, "allometric"), prior.elsewhere(rat, "allometric").elsewhere(man, "allometric")
    np.testing.assert_array_equal(direct.theta, by_rat.theta)
    assert direct.words == by_rat.words
    there = prior.elsewhere(rat).animal(replace(IV, species="human"))
    np.testing.assert_array_equal(there.theta, prior.elsewhere(man).theta)


def test_an_origin_says_how_far_a_scenario_reaches(prior):
    assert prior.reach(IV, None) == ("prior", ())
    assert prior.elsewhere(animal_of("rat")).reach(IV, None) == ("extrapolation", ("species",))
    supposed = replace(prior, standing=("capacity_lung",), names=(*prior.names, "capacity_lung"))
    assert supposed.reach(IV, 1e6)[0] == "hypothesis"  # a modifier that nobody measured holds in all that is asked
