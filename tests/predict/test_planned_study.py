"""The next study: better than even hours by its own measure, on top of what is known, with what a live readout buys."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from pbpk.assay.counts import count_cells
from pbpk.assay.study import read_study
from pbpk.errors import InputError
from pbpk.infer.matched.joint import join
from pbpk.predict.plan_words import plan_sentences
from pbpk.predict.planned_study import BEST, CURRENT, EQUAL, LOG, from_posterior, from_study, plan_study
from pbpk.predict.record import model_of


@pytest.fixture(scope="module")
def joint(khot_folder):
    study = read_study(khot_folder)
    return join(model_of(study), count_cells(study))


@pytest.fixture(scope="module")
def plan(joint):
    return plan_study(from_study(joint, draws=3), "residence liver live,alive_lung", animals=15)


def test_recommended_hours_teach_most(plan):
    found = {name: np.array(list(plan.contractions(name).values())) for name in (CURRENT, EQUAL, LOG, BEST)}
    for name in (CURRENT, EQUAL, LOG):
        assert np.log(found[BEST]).mean() < np.log(found[name]).mean()
    assert (found[BEST] > 0.0).all()
    assert plan.design["animals"].sum() == 15
    assert set(plan.timeline["design"]) == {CURRENT, EQUAL, LOG, BEST}


def test_living_cells_tell_what_label_hides(plan):
    """Science 5.1: with label alone the live share stays the prior's; six live readouts separate it."""
    assert plan.on_top.readout == "live"
    assert plan.on_top.animals == 6
    assert (plan.on_top.after < 0.6 * plan.on_top.instead).all()


def test_fewer_animals_do_as_much(plan):
    for saving in plan.savings:
        assert saving.fewest is None or 0 < saving.fewest <= saving.animals
    assert any(saving.fewest < saving.animals for saving in plan.savings if saving.fewest)


def test_hours_are_ranked_by_what_they_tell_alone(plan):
    assert plan.ranking["gain_alone"].is_monotonic_decreasing
    assert plan.ranking["animals"].sum() == 15
    assert (plan.ranking["gain_given_design"] <= plan.ranking["gain_alone"] + 1e-9).all()


def test_a_fit_is_where_a_plan_may_begin(khot):
    plan = plan_study(from_posterior(khot, draws=3), "loss_lung", animals=6, hours=(1.0, 6.0, 24.0))
    assert plan.start.further
    assert set(plan.design["hours"]) <= {1.0, 6.0, 24.0}
    before = plan.quantities["sd_before"].iloc[0]
    assert before == pytest.approx(0.3, rel=0.1)  # made-up draws scatter by 0.3 prior SDs
    assert 0.0 < plan.contractions(BEST)["loss_lung"] < 1.0


def test_sentences_say_what_the_tables_hold(plan):
    said = plan_sentences(plan)
    assert said[0].startswith("Recommended for 15 animals: iv: ")
    left = plan.contractions(BEST)["alive_lung"]
    assert any(f"leave {left:.0%} of the SD of `alive_lung`" in sentence for sentence in said)
    assert any(sentence.startswith("A live readout in 6 animals of them would leave") for sentence in said)
    assert "made linear about 4 points" in said[-2]


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"of": "alive_lun"}, "Did you mean `alive_lung`"),
        ({"readouts": [("life",)]}, "Did you mean `live`"),
        ({"animals": 0}, "animals"),
        ({"organs": ["livr"]}, "Did you mean `liver`"),
    ],
)
def test_what_cannot_be_planned_is_refused(joint, how, words):
    with pytest.raises(InputError, match=words):
        plan_study(from_study(joint, draws=1), **how)


@pytest.mark.proof
def test_recommended_hours_beat_even_ones_in_fits(tmp_path):
    place = Path(__file__).parents[1] / "proof" / "next_study.py"
    spec = importlib.util.spec_from_file_location("next_study_proof", place)
    proof = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(proof)
    found = proof.prove(proof.base(tmp_path), 20)
    sd = {name: np.sqrt((each["sd"] ** 2).mean(axis=0)) for name, each in found.items()}
    assert (sd[BEST] < sd[EQUAL]).all()
    assert np.log(sd[BEST]).mean() < np.log(sd[LOG]).mean()
