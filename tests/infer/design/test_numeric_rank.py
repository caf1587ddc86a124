"""Ranks by numbers: the same as the proof where there is one, and what is known of rates that move."""

import pytest
from mousestudy import RATE, organ_rows, read_joint, write_rows, write_small

from pbpk.infer.design.numeric_rank import null_by_numbers
from pbpk.infer.design.structure import NUMBERS, structure

CAPACITY = ("cell", "lognormal(median=500000, sigma=0.5)")
NUMBER = ("1", "lognormal(median=1, sigma=0.5)")


def matched(folder, arrows, priors, organs):
    observed = {"a": ["a"], "b": ["b"]}
    model = write_small(folder / "small.toml", arrows, observed, priors)
    return read_joint(write_rows(folder / "s", organ_rows((1, 30), organs), model=model))


CHAIN = ["a -> b : into", "a -> gone : past", "b -> gone : away"]
RATES = {"into": RATE, "past": RATE, "away": RATE}


@pytest.mark.parametrize("organs", [["a"], ["b"], ["a", "b"]])
def test_numbers_say_what_the_proof_says(tmp_path, organs):
    joint = matched(tmp_path, CHAIN, RATES, organs)
    proof = structure(joint)
    places = {name: i for i, name in enumerate(proof.parameters)}
    exact = {tuple(places[name] for name in direction.parameters) for direction in proof.directions}
    assert set(null_by_numbers(joint, proof.parameters)) == exact


FILLING = ["a -> b : into * share * room / (room + a)", "b -> gone : away"]


def test_a_product_of_rates_that_move_is_one_number(tmp_path):
    priors = {"into": RATE, "away": RATE, "share": NUMBER, "room": CAPACITY}
    joint = matched(tmp_path, FILLING, priors, ["b"])
    found = structure(joint)
    assert found.by == NUMBERS
    assert [direction.parameters for direction in found.directions] == [("into", "share")]
    assert not structure(joint, known=["share"]).directions
