"""Several studies: which numbers are one, which are each study's own, which go with the size of the body."""

from pathlib import Path

import numpy as np
import pytest

from pbpk.assay.collection import Collection
from pbpk.body.expansion import read_model
from pbpk.errors import StudyError
from pbpk.infer.draws.quick import Density
from pbpk.infer.matched.joint import join
from pbpk.infer.matched.sharing import Together, join_together, scaled_model


def gathered(joints, sharing):
    studies = {name: joint.study for name, joint in joints.items()}
    given = {name: (joint.model, joint.counts) for name, joint in joints.items()}
    return join_together(given, Collection(Path("both.toml"), "both", studies, sharing))


@pytest.fixture(scope="module")
def mice(shipped):
    return {"a": shipped("khot"), "b": shipped("khot")}


def test_by_default_kinetics_are_shared_and_weights_are_not(mice):
    whole = gathered(mice, {})
    free = [p.name for p in mice["a"].free]
    own = [name for name in free if name.startswith("grams_")]
    assert len(whole.names) == len(free) + len(own)
    for study, place in whole.places.items():
        for name, at in zip(free, place, strict=True):
            assert whole.names[at] == (f"{name}@{study}" if name in own else name)


def test_later_lines_of_the_table_hold(mice):
    whole = gathered(mice, {"*": "own", "E_*": "shared", "E_lung": {"b": "own"}})
    assert "E_liver" in whole.names
    assert {"E_lung", "E_lung@b"} <= set(whole.names)  # the first study keeps the shared number
    assert {"loss_lung@a", "loss_lung@b"} <= set(whole.names)
    how = whole.table.set_index(["parameter", "study"])["how"]
    assert how["E_lung", "a"] == "shared"
    assert how["E_lung", "b"] == "own"


def test_a_scaled_rate_goes_with_the_clock_of_the_body(shipped):
    mouse = shipped("khot")
    rat_model = read_model("t_cell", "rat", "51Cr")
    whole = gathered({"mouse": mouse, "rat": join(rat_model, mouse.counts)}, {"loss_*": "scaled", "E_*": "scaled"})
    ratio = rat_model.species.numbers()["body_weight"] / mouse.model.species.numbers()["body_weight"]
    z = np.full(len(whole.names), 0.7)
    theta = {study: joint.theta(z[whole.places[study]]) for study, joint in whole.joints.items()}
    value = {study: dict(zip(whole.joints[study].names, theta[study], strict=True)) for study in theta}
    assert value["rat"]["loss_lung"] / value["mouse"]["loss_lung"] == pytest.approx(ratio**-0.25, rel=1e-9)
    assert value["rat"]["E_lung"] == value["mouse"]["E_lung"]
    assert whole.settings("rat")["scaled"]["loss_lung"] == pytest.approx(ratio**-0.25)
    again = scaled_model(rat_model, whole.settings("rat")["scaled"])
    assert again.parameters == whole.joints["rat"].model.parameters


def test_the_density_of_all_is_that_of_each_but_for_the_prior(shipped):
    """One study twice, all shared: the likelihood counts twice, the prior once."""
    joint = shipped("kwan")
    one, both = Density(joint), Density(gathered({"a": joint, "b": joint}, {}))
    assert both.size == one.size
    for z in 0.5 * np.random.default_rng(1).standard_normal((2, one.size)):
        prior = -0.5 * (z @ z + z.size * np.log(2 * np.pi))
        assert both(z)[0] - prior == pytest.approx(2 * (one(z)[0] - prior), rel=1e-9)
        np.testing.assert_allclose(both(z)[1] + z, 2 * (one(z)[1] + z), rtol=1e-8, atol=1e-7)


@pytest.mark.parametrize(
    ("sharing", "said"),
    [
        ({"E_lungs": "own"}, "no study has a parameter `E_lungs`. Did you mean `E_lung`"),
        ({"spread": "scaled"}, "`spread` does not go with body weight; say shared or own"),
    ],
)
def test_what_cannot_be_shared_is_one_sentence(mice, sharing, said):
    with pytest.raises(StudyError) as refusal:
        gathered(mice, sharing)
    assert said in str(refusal.value)


def test_two_beliefs_are_not_one_number(shipped):
    both = {"cells": shipped("khot"), "stromal": shipped("zhuang")}
    with pytest.raises(StudyError, match=r"is logit_normal.* in `cells` and logit_normal.* so it cannot be one number"):
        gathered(both, {})


def test_one_study_alone_is_itself(shipped):
    joint = shipped("kwan")
    whole = Together.alone(joint)
    assert whole.names == tuple(p.name for p in joint.free)
    assert whole.settings("") == {}
    assert whole.suffix("") == ""
