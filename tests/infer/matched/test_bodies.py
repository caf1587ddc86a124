"""Animals of their own weight and sex within one fit: which body each row is seen in, and what is refused."""

import numpy as np
import pytest

from pbpk.assay.counts import count_cells
from pbpk.assay.study import read_study
from pbpk.body.physiology import in_animal
from pbpk.body.scaling import scaled
from pbpk.dosing import Dose
from pbpk.errors import StudyError
from pbpk.infer.matched.joint import join, predict_percent
from pbpk.predict.record import model_of

PEOPLE = "boeckmann_1994_theophylline_human"
T_CELLS = "khot_2019_t_cells_mouse"
LUNG = {"group": "iv", "organ": "lung", "hours": "24", "unit": "percent_dose", "animal": "a", "value": 5}
BOLUS = {"group": "iv", "hours": 0, "cells": 2e6, "route": "iv"}


@pytest.fixture
def people(write_study):
    """A joint of the theophylline study with another animals.csv or physiology."""

    def make(animals=None, physiology=None, study=PEOPLE, **tables):
        folder = write_study(study, **tables)
        if animals is not None:
            (folder / "animals.csv").write_text("animal,group,body_weight_g,sex\n" + animals)
        study = read_study(folder)
        return join(model_of(study, physiology=physiology), count_cells(study))

    return make


def some_theta(joint, draws=4):
    return joint.theta(np.random.default_rng(1).standard_normal((draws, len(joint.free))))


@pytest.mark.parametrize("physiology", ["fixed", "spread"])
def test_each_person_is_seen_in_a_body_of_their_own(people, physiology):
    joint = people(physiology=physiology)
    assert len(joint.experiments) == 12
    theta = some_theta(joint)
    percent = predict_percent(joint, theta)["dose"]
    kinetic = theta[:, : len(joint.model.parameters)]
    weights = {row.animal: row.body_weight_g for row in joint.study.animals}
    assert weights["9"] == 86400.0
    for i, row in enumerate(joint.counts.table.itertuples()):
        model = in_animal(joint.model, scaled(joint.model.species, weights[row.animal]))
        states = model.solve(kinetic, [Dose("oral", 100.0)], np.array([row.hours]))[:, 0]
        volume = model.volume_in(kinetic, np.array([model.volume_registers["blood"]]))[:, 0]
        np.testing.assert_allclose(percent[:, i], states[:, model.states.index("blood")] / volume, rtol=1e-9)


def test_animals_of_a_group_take_its_doses(people):
    rows = [LUNG, LUNG | {"animal": "b"}, LUNG | {"animal": "c"}, LUNG | {"animal": ""}]
    joint = people("a,iv,20,female\nb,iv,,male\n,iv,30,\n", study=T_CELLS, rows=rows, doses=[BOLUS])
    by_animal = {experiment.animal: experiment for experiment in joint.experiments}
    weights = {who: each.model.constants["body_weight"] for who, each in by_animal.items()}
    assert weights == {"": 30.0, "a": 20.0}  # mice have no numbers for a sex, so b is one of the group
    assert len(by_animal[""].rows) == 3
    early, late = predict_percent(joint, some_theta(joint))["dose"][:, :2].T
    assert early.shape == late.shape


def test_a_woman_has_the_numbers_of_one(people):
    (experiment, *_) = people("1,oral,79600,female\n", doses=[
        {"group": "oral", "animal": i, "hours": 0, "amount": 320, "unit": "mg", "route": "oral"} for i in range(1, 13)
    ]).experiments  # fmt: skip
    female = scaled(experiment.model.species, None)
    assert female.name == "human, female, 79600 g"
    assert experiment.model.constants["flow_fast"] == pytest.approx(
        (60200.0 + female.quantities["artery_heart"].value / (79.6 / 60.0) ** 0.75) * (79.6 / 60.0) ** 0.75
    )


def test_without_animals_all_share_one_model(shipped):
    joint = shipped("khot")
    assert all(experiment.model is joint.model for experiment in joint.experiments)


@pytest.mark.parametrize(
    ("animals", "sentence"),
    [
        ("1,oral,79600000,\n", r"animals\.csv: row 2: human: 7\.96e\+07 g is far from the 70000 g its numbers are for"),
        ("1,oral,79600,\n2,oral,72.4,\n", r"animals\.csv: row 3: human: 72\.4 g is far from.*give the weight in grams"),
    ],
)
def test_a_weight_that_no_human_has_is_refused(people, animals, sentence):
    doses = [{"group": "oral", "hours": 0, "amount": 320, "unit": "mg", "route": "oral"}]
    with pytest.raises(StudyError, match=sentence):
        people(animals, doses=doses)


def test_a_model_with_a_body_of_its_own_takes_no_weight(write_study):
    edits = [('model = "t_cell"', 'model = "khot_2019"')]
    folder = write_study(T_CELLS, [LUNG | {"animal": ""}], [BOLUS], edits)
    (folder / "animals.csv").write_text("animal,group,body_weight_g\n,iv,20\n")
    study = read_study(folder)
    joint = join(model_of(study), count_cells(study))
    assert joint.study.animals[0].body_weight_g == 20.0  # a record, as for a dose per kg
    assert [experiment.model for experiment in joint.experiments] == [joint.model]


def test_what_is_free_is_estimated(people):
    joint = people(physiology="cardiac_output,volume_*")
    names = [p.name for p in joint.free]
    assert {"cardiac_output", "volume_vein", "volume_liver"} <= set(names)
    assert "artery_kidney" not in names
    with pytest.raises(StudyError, match=r"^physiology: `volum_liver`.*Did you mean `volume_liver`"):
        model_of(joint.study, physiology="volum_liver")
