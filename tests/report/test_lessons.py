from types import SimpleNamespace

import numpy as np
import pytest

from pbpk.report.lessons import confounding, half_learned, prior_scores, tensions, unlearned


def test_scores_undo_the_prior(khot):
    scores = prior_scores(khot).set_index("parameter")
    fixed = {parameter.name for parameter in khot.joint.estimated if parameter.prior.is_fixed}
    assert set(scores.index) == set(khot.parameters["parameter"]) - fixed
    assert scores.loc["loss_lung", "middle"] == pytest.approx(2.4)


def test_a_strained_prior_is_told(khot):
    (sentence,) = tensions(khot)
    assert sentence.startswith("loss_lung")
    assert "2.4 prior standard deviations above" in sentence


def test_every_parameter_left_at_its_prior_is_named(khot):
    kinds = khot.parameters.set_index("parameter")["learned"]
    assert [name for name, _ in unlearned(khot)] == list(kinds[kinds == "not learned"].index)
    assert half_learned(khot) == list(kinds[kinds == "half learned"].index)


def test_label_alone_cannot_tell_life(khot):
    text = " ".join(confounding(khot))
    assert "Every value of this study is label" in text
    table = khot.joint.counts.table.assign(readout=np.resize(["label", "dna"], len(khot.joint.counts.table)))
    joint = SimpleNamespace(counts=SimpleNamespace(table=table))
    text = " ".join(confounding(SimpleNamespace(parameters=khot.parameters, joint=joint)))
    assert "readout of living cells (dna)" in text
    assert "Every value" not in text


def test_nothing_is_said_where_nothing_is_confounded(khot):
    none = khot.parameters[~khot.parameters["parameter"].str.startswith("transfer_")]
    assert confounding(SimpleNamespace(parameters=none, joint=khot.joint)) == []
