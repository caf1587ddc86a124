"""Animals that differ: what their deviates do to what is predicted, and what cannot be asked."""

import numpy as np
import pytest

from pbpk.errors import StudyError
from pbpk.infer.draws.quick import Density
from pbpk.infer.matched.between import DEVIATE, Between
from pbpk.infer.matched.joint import predict_percent

KWAN = "kwan_1976_indomethacin_human"
KHOT = "khot_2019_t_cells_mouse"
FIRST = "[[groups]]"


def varied(*names, more=""):
    told = "".join(f'[between.{name}]\nprior = "half_normal(sd=0.5)"\nsource = "test"\n\n' for name in names)
    return [("\n" + FIRST, "\n" + told + more + FIRST)]


CORRELATED = """[[correlated]]
parameters = ["clearance", "partition_slow"]
prior = "correlation(sigma=0.7)"
source = "test"

"""


@pytest.fixture
def people(write_joint):
    return write_joint(KWAN, edits=varied("clearance", "partition_slow", "dose", more=CORRELATED))


def test_each_animal_has_a_deviate_for_each_thing_that_varies(people):
    deviates = [name for name in people.names if name.startswith(DEVIATE)]
    assert len(deviates) == 18
    assert list(people.names[-18:]) == deviates  # they come last
    assert people.between.kinetic == ("clearance", "partition_slow")
    assert len(people.experiments) == 6
    assert {e.animal for e in people.experiments} == set("123456")


def test_an_animal_is_the_median_one_moved_on_its_natural_scale(people):
    rng = np.random.default_rng(1)
    theta = people.theta(0.3 * rng.standard_normal((2, len(people.free))))
    name = dict(zip(people.names, theta.T, strict=True))
    rho = name["correlation_clearance_partition_slow"]
    for experiment in people.experiments:
        subject = people.between.subjects[experiment.subject]
        eta = {what: name[f"{DEVIATE}{what}:{subject}"] for what in people.between.varied}
        expected = theta[:, : len(people.model.parameters)].copy()
        for what, far in (
            ("clearance", eta["clearance"]),
            ("partition_slow", rho * eta["clearance"] + np.sqrt(1 - rho**2) * eta["partition_slow"]),
        ):
            at = people.model.parameter_names.index(what)
            expected[:, at] *= np.exp(name[f"between_{what}"] * far)
        np.testing.assert_allclose(people.kinetic(theta, experiment.subject), expected, rtol=1e-12)
        alone = people.model.follow(expected, experiment.schedule, experiment.hours)
        rows = list(experiment.rows)
        seen = np.einsum("drs,rs->dr", alone[:, list(experiment.at)], people.observers[rows])
        seen = seen / people.model.volume_in(expected, people.volumes[rows])
        got = np.exp(name["between_dose"] * eta["dose"])[:, np.newaxis]
        np.testing.assert_allclose(predict_percent(people, theta)["dose"][:, rows], seen * got, rtol=1e-9)


def test_three_correlated_parameters_have_the_correlation_of_their_partial_ones():
    names = ("a", "b", "c")
    between = Between(names, (names,), ("g:1",), np.zeros(1, dtype=np.int64), np.ones(1), ())
    partial = {"correlation_a_b": 0.5, "correlation_a_c": -0.3, "correlation_b_c": 0.4}
    labels = (*partial, *(f"between_{n}" for n in names), *(f"{DEVIATE}{n}:g:1" for n in names))
    rng = np.random.default_rng(2)
    theta = np.concatenate([np.tile([*partial.values(), 1, 1, 1], (200_000, 1)), rng.standard_normal((200_000, 3))], 1)
    shifts = between.shifts(theta, labels)
    found = np.corrcoef([shifts[n][:, 0] for n in names])
    r12, r13, r23 = partial.values()  # r23 given the first: the formula of partial correlation, solved for the whole
    whole = r23 * np.sqrt((1 - r12**2) * (1 - r13**2)) + r12 * r13
    np.testing.assert_allclose([found[0, 1], found[0, 2], found[1, 2]], [r12, r13, whole], atol=0.01)
    np.testing.assert_allclose([shifts[n].std() for n in names], 1.0, atol=0.01)


def test_a_mean_of_n_animals_has_one_deviate_of_a_smaller_size(write_joint):
    lung = {"group": "iv", "organ": "lung", "hours": 24, "value": 10, "unit": "percent_dose", "readout": "label"}
    rows = [lung | {"animal": "a"}, lung | {"animal": "b"}, lung | {"n": 4}, lung | {"organ": "liver", "n": 4}]
    joint = write_joint(KHOT, rows, edits=varied("E_lung"))
    assert joint.between.subjects == ("iv:a", "iv:b", "iv:mean at 24 h") or set(joint.between.subjects) == {
        "iv:a", "iv:b", "iv:mean at 24 h"}  # fmt: skip
    share = dict(zip(joint.between.subjects, joint.between.share, strict=True))
    assert share == {"iv:a": 1.0, "iv:b": 1.0, "iv:mean at 24 h": 0.5}
    theta = joint.theta(np.zeros((1, len(joint.free))))
    moved = theta.copy()
    moved[:, joint.names.index("animal:E_lung:iv:mean at 24 h")] = 1.0
    changed = (predict_percent(joint, moved)["dose"] != predict_percent(joint, theta)["dose"])[0]
    assert changed.tolist() == (joint.counts.table["animal"] == "").tolist()


@pytest.mark.proof  # compiles a model of its own
def test_the_sampler_sees_the_slope_of_every_deviate(write_joint):
    joint = write_joint(KWAN, edits=varied("clearance", "dose"))
    density = Density(joint)
    rng = np.random.default_rng(3)
    at = 0.5 * rng.standard_normal(density.size)
    _, slope = density(at)
    for i in [joint.names.index("clearance"), *range(len(joint.model.parameters) + 2, density.size)]:
        step = 1e-4 * np.eye(density.size)[i]
        far = [density(at + k * step)[0] for k in (-2, -1, 1, 2)]
        assert slope[i] == pytest.approx((far[0] - 8 * far[1] + 8 * far[2] - far[3]) / 12e-4, rel=1e-5, abs=1e-4)


@pytest.mark.parametrize(
    ("study", "edits", "said"),
    [
        (KWAN, varied("clearence"), "between.clearence: it is not a parameter of small_molecule, nor `dose`. Did you "
                                    "mean `clearance`"),
        (KHOT, varied("weight_liver"), "between.weight_liver: it is fixed in t_cell; give it a prior, or leave it out"),
        (KHOT, varied("E_lung"), "needs rows of at least two animals, with `animal` filled"),
        (KWAN, varied("clearance", more=CORRELATED), r"`partition_slow` has no [between.partition_slow]"),
        (KWAN, [("\n" + FIRST, '\n[between.dose]\nprior = "halfnormal(sd=1)"\nsource = "t"\n\n' + FIRST)],
         "between.dose: the prior `halfnormal(sd=1)` has an unknown form. Did you mean `half_normal`"),
    ],
)  # fmt: skip
def test_what_cannot_vary_is_one_sentence(write_joint, study, edits, said):
    with pytest.raises(StudyError) as refusal:
        write_joint(study, edits=edits)
    assert said in str(refusal.value)


def test_what_hides_single_animals_cannot_stand_beside_them(write_joint):
    lung = {"group": "iv", "organ": "lung", "hours": 24, "unit": "percent_dose", "readout": "label"}
    single = [lung | {"animal": name, "value": 10} for name in "ab"]
    for more in ({"low": 5, "high": 9, "n": 3}, {"value": 9, "sd": 2, "n": 3}):
        with pytest.raises(StudyError, match="of several animals cannot stand beside single ones"):
            write_joint(KHOT, [*single, lung | more], edits=varied("dose"), folder="_".join(more))
