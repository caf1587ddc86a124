"""Kinds of parameters against what each does to the rates, and the advice that follows."""

import numpy as np
import pytest

from pbpk.infer.matched.kinds import GENERIC, advice, kinds_of, learned_by_arrow

PREFIXES = {"E": "extraction", "loss": "loss", "alive": "fate", "transfer": "transfer", "uptake": "uptake",
            "weight": "uptake", "excretion": "excretion", "spread": "scatter", "misfit": "scatter", "grams": "weight",
            "recovery": "recovery", "injury": "modifier"}  # fmt: skip


@pytest.mark.parametrize("word", ["khot", "zhuang", "gholamrezanezhad"])
def test_kinds_of_the_shipped_cell_models(shipped, word):
    found = kinds_of(shipped(word))
    assert found == {name: PREFIXES[name.partition("_")[0]] for name in found}


def test_a_model_with_other_names_is_read_by_its_arrows(shipped):
    found = kinds_of(shipped("boeckmann"))
    assert found["clearance"] == "excretion"
    assert found["partition_fast"] == "other"


def test_a_fate_splits_what_leaves_and_a_loss_changes_how_much(shipped):
    joint = shipped("khot")
    model, kinds = joint.model, kinds_of(joint)
    theta = joint.theta(np.zeros((1, len(joint.free))))[:, : len(model.parameters)]
    still = model.rates(theta)[0]
    for p, parameter in enumerate(model.parameters):
        if kinds[parameter.name] in ("fate", "loss"):
            moved = theta.copy()
            moved[:, p] *= 0.9
            change = np.bincount(model.source_states, model.rates(moved)[0] - still)
            change = change[[state.endswith(".arrested") for state in model.states]]  # no cell comes back to a depot
            assert bool((np.abs(change) < 1e-12).all()) == (kinds[parameter.name] == "fate")


def test_the_parameters_of_each_arrow_are_those_its_rate_names(shipped):
    khot = shipped("khot")
    model, names = khot.model, learned_by_arrow(khot.model)
    theta = khot.theta(np.zeros((1, len(khot.free))))[:, : len(model.parameters)]
    still = model.rates(theta)[0]
    for p, parameter in enumerate(model.parameters):
        moved = theta.copy()
        moved[:, p] *= 0.9
        changes = np.flatnonzero(model.rates(moved)[0] != still)
        assert set(changes) == {a for a, own in enumerate(names) if parameter.name in own}


def test_advice_for_pairs_and_for_one_alone():
    assert advice("fate", "transfer") == advice("transfer", "fate") == "a live readout at two times tells them apart"
    assert "within an hour" in advice("extraction", "loss")
    assert "free label" in advice("uptake", "transfer")
    assert "weigh" in advice("loss", "weight")
    assert "animals per hour" in advice("scatter")
    assert advice("other", "other") == GENERIC
