"""Who is drawn: weights as asked, bodies that close, deviates as a fit has them, each subject by its number alone."""

import numpy as np
import pytest

from pbpk.body.species import read_species
from pbpk.errors import InputError, ModelFileError, SpeciesError
from pbpk.predict.origin import read_prior
from pbpk.predict.population.people import BLOCK, parse_weight, people_of


def drawn(people, blocks=8):
    """Some blocks, one below the other."""
    found = [people.block(number) for number in range(blocks)]
    return {
        name: np.concatenate([getattr(each, name) for each in found]) for name in ("weight", "theta", "got", "sort")
    }


def test_weights_have_the_mean_and_cv_that_were_asked(prior):
    weight = drawn(people_of(prior, weight=parse_weight("25,0.2")))["weight"]
    n = weight.size
    assert weight.mean() == pytest.approx(25.0, abs=4 * 5.0 / np.sqrt(n))
    assert weight.std() / weight.mean() == pytest.approx(0.2, abs=4 * 0.2 / np.sqrt(2 * n) * 1.3)


def test_without_a_weight_all_weigh_what_the_animal_does(prior):
    assert set(drawn(people_of(prior), 1)["weight"]) == {28.0}


def test_same_seed_same_subjects_another_seed_others(prior):
    one, again, other = (people_of(prior, seed=seed).block(3) for seed in (5, 5, 6))
    np.testing.assert_array_equal(one.theta, again.theta)
    assert not np.array_equal(one.draw, other.draw)


def test_what_is_drawn_of_one_thing_does_not_move_another(prior):
    """The same subjects with and without a physiology of their own."""
    spread, fixed = (people_of(prior, how, parse_weight("25,0.1")).block(0) for how in ("spread", "fixed"))
    np.testing.assert_array_equal(spread.weight, fixed.weight)
    np.testing.assert_array_equal(spread.draw, fixed.draw)
    assert spread.theta.shape[1] > fixed.theta.shape[1]


def test_deviates_have_the_sds_and_the_correlation_of_the_fit(fitted):
    people = people_of(fitted, what="variability")
    found = drawn(people)
    theta = found["theta"]
    e, loss = theta[:, people.names.index("E_lung")], np.log(theta[:, people.names.index("loss_lung")])
    odds = np.log(e / (1.0 - e))
    n = len(theta)
    for values, sd in ((odds, 0.5), (loss, 0.3), (np.log(found["got"]), 0.1)):
        assert values.std() == pytest.approx(sd, rel=5 / np.sqrt(2 * n))
    assert np.corrcoef(odds, loss)[0, 1] == pytest.approx(0.6, abs=5 / np.sqrt(n))
    assert np.ptp(theta[:, people.names.index("loss_liver")]) == 0.0


def test_both_has_draws_of_the_parameters_too(fitted):
    people = people_of(fitted)
    assert np.unique(people.block(0).theta[:, people.names.index("loss_liver")]).size > 200


def test_another_animal_keeps_the_differences_of_the_fit(fitted):
    rat = fitted.elsewhere(read_species("rat"))
    people = people_of(rat)
    assert people.between.varied == ("E_lung", "loss_lung", "dose")
    assert people.between.together == (("E_lung", "loss_lung"),)
    few = people_of(rat.thinned(10))
    assert len(few.apart) == len(few.drawn) == 10


def test_numbers_that_a_fit_learned_are_its_own():
    learned = read_prior("msc", read_species("mouse"), "FND", ["cardiac_output"], 50)
    people = people_of(learned)
    assert "cardiac_output" not in people.free
    assert "cardiac_output" in people.known
    assert people.free
    alone = people_of(learned, "fixed")
    assert not alone.free
    assert set(alone.block(0).theta[:, alone.names.index("cardiac_output")]) <= set(learned.column("cardiac_output"))


def test_men_and_women_have_their_own_bodies():
    people = people_of(read_prior("msc", read_species("human"), "FND", draws=50), sexes=("female", "male"))
    found = drawn(people, 1)
    of = [set(found["weight"][found["sort"] == sort]) for sort in (0, 1)]
    animal = read_species("human")
    assert of == [{animal.of_sex(sex).numbers()["body_weight"]} for sex in ("female", "male")]
    assert abs(found["sort"].mean() - 0.5) < 4 * 0.5 / np.sqrt(BLOCK)


@pytest.mark.parametrize("text", ["25", "25,x", "-1,0.1", "25,3", "nan,0.1", "25,0.1,2"])
def test_a_weight_that_cannot_be_is_one_sentence(text):
    with pytest.raises(InputError, match="weight `"):
        parse_weight(text)


def test_what_there_is_not_is_one_sentence(prior):
    with pytest.raises(InputError, match=r"what: `bth`.* Did you mean `both`\?"):
        people_of(prior, what="bth")
    with pytest.raises(ModelFileError, match="physiology: `cardiac`"):
        people_of(prior, "cardiac")
    with pytest.raises(SpeciesError, match="no numbers of its own for `female`"):
        people_of(prior, sexes=("female",))
