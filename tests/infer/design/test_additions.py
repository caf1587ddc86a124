"""What to measure next: rows that are planned, which additions are tried, and what they are said to bring."""

import time
from dataclasses import replace

import numpy as np
import pytest
from mousestudy import organ_rows, read_joint, write_origins, write_rows

from pbpk.errors import StudyError
from pbpk.infer.design.additions import Addition, candidates, planned, what_to_measure
from pbpk.infer.design.sensitivity import expected
from pbpk.infer.matched.joint import predict_percent

LIVE = {"group": "iv", "organ": "lung", "hours": 24.0, "readout": "live", "n": 6}


@pytest.fixture
def label_only(tmp_path):
    model = write_origins(tmp_path / "origins.toml")
    return read_joint(write_rows(tmp_path / "s", organ_rows((1, 24, 72), ("lung", "liver", "rest")), model=model))


def test_planned_rows_are_seen_as_measured_ones_are(tmp_path, label_only):
    joint = planned(label_only, [LIVE])
    own = len(label_only.counts.table)
    written = read_joint(write_rows(tmp_path / "w", [*organ_rows((1, 24, 72), ("lung", "liver", "rest")),
                                                     *organ_rows((24,), ["lung"], "live", 6)],
                                    model=(tmp_path / "origins.toml").as_posix()))  # fmt: skip
    theta = joint.theta(np.zeros((1, len(joint.free))))
    at = written.counts.table.index[written.counts.table["readout"] == "live"]
    percent = predict_percent(joint, theta)["dose"]
    assert percent[0, own] == pytest.approx(predict_percent(written, theta)["dose"][0, at].item())
    np.testing.assert_allclose(percent[:, :own], predict_percent(label_only, theta)["dose"])
    np.testing.assert_allclose(expected(joint).covariance, expected(written).covariance, rtol=1e-8)


def test_a_planned_row_must_be_in_the_model(label_only):
    with pytest.raises(StudyError, match="`lug` is not in the model"):
        planned(label_only, [LIVE | {"organ": "lug"}])


def test_additions_fit_the_study(label_only, shipped):
    words = [addition.words for addition in candidates(label_only)]
    assert "Six live readouts of the lung at 24 h and 72 h" in words
    assert "A harvest of 6 animals at 0.5 h" in words
    cells = {addition.known for addition in candidates(shipped("zhuang"))}
    assert cells == {(), ("weight_*",)}  # free particles matter where a model has them
    drug = candidates(shipped("boeckmann"))
    assert [addition.words for addition in drug] == ["A harvest of 6 animals at 0.5 h"]


def test_a_comparison_is_that_of_designs_asked_alone(label_only):
    same = LIVE | {"readout": "label"}  # shares the misfit of what is measured already
    tried = [Addition("Live cells", (LIVE, LIVE | {"hours": 72.0})), Addition("Destinations", (), ("destined",)),
             Addition("More of the same", (same,))]  # fmt: skip
    table = what_to_measure(label_only, tried).table.set_index(["addition", "parameter"])
    alone = {"Live cells": expected(planned(label_only, tried[0].rows), draws=3),
             "Destinations": expected(label_only, ["destined"], draws=3),
             "More of the same": expected(planned(label_only, [same]), draws=3)}  # fmt: skip
    before = expected(label_only, draws=3)
    for (words, name), row in table.iterrows():
        assert row["before"] == pytest.approx(before.contraction(name), rel=1e-9)
        assert row["after"] == pytest.approx(alone[words].contraction(name), rel=1e-9)
    assert ("Destinations", "destined") not in table.index
    assert table.loc["Destinations", "least"].isin([np.inf]).all()


def test_the_best_addition_is_said_in_a_sentence(label_only):
    found = what_to_measure(label_only)
    best = found.best.set_index("parameter")
    for name, rows in found.table.groupby("parameter"):
        assert best.loc[name, "after"] == rows["after"].min()
    said = " ".join(found.sentences)
    assert "live readouts of the" in best.loc["death_liver", "addition"]
    assert f"{best.loc['death_liver', 'addition']} would bring `death_liver` from not learned to" in said


def test_what_nothing_helps_is_said_together(label_only):
    found = what_to_measure(label_only, [Addition("The same again", (dict(LIVE, readout="label"),))])
    assert found.sentences[-1].startswith("None of the additions tried helps")
    assert "`death_liver`" in found.sentences[-1]


def test_little_that_must_be_measured_is_told(label_only):
    table = what_to_measure(label_only).table
    little = replace(what_to_measure(label_only), table=table.assign(least=0.003))
    assert any("down to 0.003 % of the dose must be measured for it" in sentence for sentence in little.sentences)


def test_it_is_fast(tmp_path):
    joint = read_joint(write_rows(tmp_path / "s", organ_rows()))
    what_to_measure(joint)
    began = time.process_time()
    what_to_measure(joint)
    assert time.process_time() - began < 5.0  # a second on a quiet core
