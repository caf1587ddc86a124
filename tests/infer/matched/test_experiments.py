"""Which rows are followed together."""

import numpy as np

from pbpk.infer.matched.experiments import ALL, arrays_of

KHOT = "khot_2019_t_cells_mouse"
LUNG = {"group": "iv", "organ": "lung", "hours": 1, "value": 10, "unit": "percent_dose", "readout": "label"}
ROWS = [LUNG | {"animal": name, "hours": hours} for name, hours in (("a", 1), ("b", 1), ("c", 24))]
VARIED = '[between.{}]\nprior = "half_normal(sd=0.5)"\nsource = "test"\n\n[[groups]]'


def test_alike_animals_are_one_experiment(write_joint):
    (one,) = write_joint(KHOT, ROWS).experiments
    assert one.subject == ALL
    assert one.hours.tolist() == [1.0, 24.0]
    assert one.rows == (0, 1, 2)


def test_what_an_animal_got_needs_no_experiment_of_its_own(write_joint):
    (one,) = write_joint(KHOT, ROWS, edits=[("[[groups]]", VARIED.format("dose"))]).experiments
    assert one.subject == ALL


def test_animals_with_their_own_parameters_are_followed_apart_and_share_their_tape(write_joint):
    joint = write_joint(KHOT, ROWS, edits=[("[[groups]]", VARIED.format("E_lung"))])
    assert [(e.animal, e.hours.tolist(), e.subject) for e in joint.experiments] == [
        ("a", [1.0], 0), ("b", [1.0], 1), ("c", [24.0], 2)
    ]  # fmt: skip
    assert len({id(e.model.tape) for e in joint.experiments}) == 1


def test_arrays_hold_what_the_doses_reach(write_joint):
    joint = write_joint(KHOT, ROWS)
    (one,) = joint.experiments
    rows = list(one.rows)
    arrays = arrays_of(one, ("leak",), (joint.observers[rows], joint.recovery[rows], joint.volumes[rows]))
    assert arrays["switches"].tolist() == [-1]
    assert arrays["observers"].shape == (3, arrays["entry"].shape[1])
    assert arrays["source"].max() < arrays["entry"].shape[1] < len(joint.model.states)  # no depot was filled
    np.testing.assert_array_equal(arrays["hours"], one.hours)
