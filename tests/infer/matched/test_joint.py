"""Who was dosed with what, which rows that gave, and what is refused before any chain runs."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from pbpk.assay.counts import count_cells
from pbpk.assay.study import read_study
from pbpk.body.expansion import read_model
from pbpk.body.library import LIBRARY
from pbpk.body.prior import parse_prior
from pbpk.dosing import Dose
from pbpk.errors import StudyError
from pbpk.infer.matched.joint import join, predict_percent

T_CELLS = "khot_2019_t_cells_mouse"
PATIENTS = "gholamrezanezhad_2011_msc_human"
LUNG = {"group": "iv", "organ": "lung", "hours": "24", "unit": "percent_dose", "animal": "a", "value": 5}
BOLUS = {"group": "iv", "hours": 0, "cells": 2e6, "route": "iv"}


def some_theta(joint, draws=5):
    return joint.theta(np.random.default_rng(1).standard_normal((draws, len(joint.free))))


@pytest.mark.parametrize("word", ["khot", "zhuang", "gholamrezanezhad"])
def test_every_row_belongs_to_one_experiment(shipped, word):
    joint = shipped(word)
    rows = sorted(row for experiment in joint.experiments for row in experiment.rows)
    assert rows == list(range(len(joint.counts.table)))
    for experiment in joint.experiments:
        hours = joint.counts.table["hours"].to_numpy()[list(experiment.rows)]
        np.testing.assert_array_equal(experiment.hours[list(experiment.at)], hours)
        assert experiment.schedule.entry.sum() == pytest.approx(100.0)


def test_predictions_are_the_models_own(shipped):
    joint = shipped("khot")
    theta = some_theta(joint)
    percent = predict_percent(joint, theta)["dose"]
    at = [joint.names.index(name) for name in joint.model.parameter_names]
    for i, row in enumerate(joint.counts.table.itertuples()):
        states = joint.model.solve(theta[:, at], [Dose("iv", 100.0)], np.array([row.hours]))[:, 0]
        seen = states @ joint.model.observer(row.organ, row.readout)
        grams = theta[:, joint.names.index(f"grams_{row.organ}")] if row.weight_cv > 0 else 1.0
        np.testing.assert_allclose(percent[:, i], seen / grams, rtol=1e-9)


def test_percentages_of_what_was_recovered_sum_to_all_of_it(write_joint):
    organs = ["lung", "liver", "blood"]
    edits = [('denominator = "dose"', f'denominator = "recovered"\nharvested = {organs}'.replace("'", '"'))]
    joint = write_joint(T_CELLS, [LUNG | {"organ": organ} for organ in organs], edits=edits)
    assert joint.readings == ("recovered",)
    np.testing.assert_allclose(predict_percent(joint, some_theta(joint))["recovered"].sum(axis=1), 100.0)


def test_parts_of_an_organ_are_recovered_once(write_joint):
    edits = [('harvested = ["lung", "heart", "kidney",', 'harvested = ["lung", "kidney", "kidney_left",')]
    joint = write_joint("zhuang_2021_fnd_msc_mouse", edits=edits)
    assert set(np.unique(joint.recovery)) == {0.0, 1.0}


def test_a_split_dose_is_shared_by_its_cells(write_joint):
    doses = [BOLUS, BOLUS | {"hours": 24, "cells": 6e6, "duration_min": 30}]
    joint = write_joint(T_CELLS, [LUNG | {"hours": "48"}], doses=doses)
    (experiment,) = joint.experiments
    assert list(experiment.schedule.entry.sum(axis=1)) == pytest.approx([25.0, 75.0])
    assert list(experiment.schedule.starts) == [0.0, 24.0]
    assert list(experiment.schedule.durations) == [0.0, 0.5]


def test_an_animal_with_its_own_dose_is_an_experiment_of_its_own(write_joint):
    doses = [BOLUS, BOLUS | {"animal": "late", "hours": 12}]
    joint = write_joint(T_CELLS, [LUNG, LUNG | {"animal": "late"}], doses=doses)
    by_animal = {experiment.animal: experiment for experiment in joint.experiments}
    assert {animal: len(found.rows) for animal, found in by_animal.items()} == {"": 1, "late": 1}
    early, late = predict_percent(joint, some_theta(joint))["dose"].T
    assert (early != late).all()


@pytest.mark.parametrize(
    ("animal", "sentence"),
    [
        ("b", r"row 3: the animal `b` of `iv` was measured but never dosed"),
        ("", r"doses\.csv: a mean of the group `iv`"),
    ],
)
def test_no_row_is_left_without_a_dose(write_joint, animal, sentence):
    with pytest.raises(StudyError, match=sentence):
        write_joint(T_CELLS, [LUNG, LUNG | {"animal": animal}], doses=[BOLUS | {"animal": "a"}])


def test_a_dead_part_of_the_product_enters_as_label(write_joint):
    edits = [("[product]", "[product]\nviability = 0.75")]
    joint = write_joint(T_CELLS, [LUNG], edits=edits)
    (experiment,) = joint.experiments
    entry = dict(zip(joint.model.states, experiment.schedule.entry[0], strict=True))
    assert (entry["vein"], entry["label.blood"]) == (75.0, 25.0)


def test_an_injured_group_has_a_factor_of_its_own(shipped):
    joint = shipped("zhuang")
    assert "injury_kidney_left" in joint.names
    theta = some_theta(joint)
    more = theta.copy()
    more[:, joint.names.index("injury_kidney_left")] *= 3
    before, after = (predict_percent(joint, t)["dose"] for t in (theta, more))
    table = joint.counts.table
    assert (after[:, table["organ"] == "kidney_left"] > before[:, table["organ"] == "kidney_left"]).all()
    np.testing.assert_array_equal(after[:, table["group"] == "iv"], before[:, table["group"] == "iv"])


def test_recovery_scales_every_organ(shipped):
    joint = shipped("gholamrezanezhad")
    theta = some_theta(joint)
    half = theta.copy()
    half[:, joint.names.index("recovery")] /= 2
    whole, halved = (predict_percent(joint, t)["dose"] for t in (theta, half))
    np.testing.assert_allclose(halved, whole / 2)


def test_each_parameter_has_its_own_normal(shipped):
    joint = shipped("khot")
    z = np.random.default_rng(2).standard_normal((4, len(joint.free)))
    theta = joint.theta(z)
    for i, parameter in enumerate(joint.free):
        values = theta[:, joint.names.index(parameter.name)]
        centre, sigma = parameter.prior.centre, parameter.prior.sigma
        by_hand = norm.ppf(norm.cdf(z[:, i]), scale=sigma)
        if parameter.prior.form == "lognormal":
            np.testing.assert_allclose(np.log(values / centre), by_hand, rtol=1e-8)
        else:
            np.testing.assert_allclose(
                np.log(values / (1 - values)) - np.log(centre / (1 - centre)), by_hand, rtol=1e-7, atol=1e-12
            )
    assert (theta[:, joint.names.index("weight_liver")] == 1.0).all()


def test_a_readout_of_the_living_sees_less_than_label(write_joint):
    joint = write_joint(T_CELLS, [LUNG | {"readout": readout} for readout in ("label", "live")])
    label, live = predict_percent(joint, some_theta(joint))["dose"].T
    assert (live < label).all()


@pytest.mark.parametrize(
    ("rows", "doses", "edits", "sentence"),
    [
        ([LUNG | {"organ": "livr"}], None, [("\nlung =", '\nlivr = "livr"\nlung =')], r"`livr`.*Did you mean `liver`"),
        ([LUNG | {"value": 0}], None, [], "`lung` at 24 h is 0.*below_lloq"),
        ([LUNG], [BOLUS, BOLUS | {"cells": ""}], [], "`iv` has 2 doses; fill `cells`"),
        (
            [LUNG],
            None,
            [('denominator = "dose"', 'denominator = "recovered"\nharvested = ["lungs"]')],
            "harvested: `lungs`",
        ),
        ([LUNG], None, [('treatment = "none"', 'injured = "tail"')], "injured `tail`"),
    ],
)
def test_what_the_model_does_not_know_is_one_sentence(write_joint, rows, doses, edits, sentence):
    with pytest.raises(StudyError, match=sentence):
        write_joint(T_CELLS, rows, doses, edits)


def test_a_prior_of_recovery_that_cannot_be_read(write_joint):
    with pytest.raises(StudyError, match=r"study\.toml: recovery: .*`logit_norml"):
        write_joint(PATIENTS, edits=[("logit_normal", "logit_norml")])


def test_a_stiff_model_whose_rates_move_is_taken(write_joint):
    joint = write_joint("barone_2018_fnd_rat", edits=[('model = "particles"', 'model = "lin_2016"')])
    assert joint.model.n_lasting == len(joint.model.states)
    assert np.isfinite(predict_percent(joint, some_theta(joint))["dose"]).all()


def test_fast_states_half_of_them_passing_are_refused_before_the_sampler_starts(write_study, tmp_path):
    """With some states taken out the explicit pair follows, and the blood of the organs would keep it for ever."""
    study = read_study(write_study("barone_2018_fnd_rat"))
    text = (LIBRARY / "published" / "lin_2016.toml").read_text()
    path = tmp_path / "half.toml"
    path.write_text(text.replace("\noutside =", '\npassing = ["venous", "arterial"]\noutside ='))
    with pytest.raises(StudyError, match=r"the rates of lin_2016 move, and too fast to be fitted; list all its fast "
                                         r"states under `passing`, or none\."):  # fmt: skip
        join(read_model(path), count_cells(study))


def test_a_wrong_readout_is_refused_in_words(write_joint):
    with pytest.raises(StudyError, match=r"the readout `lable` is not one of `t_cell`'s\. Did you mean `label`\?"):
        write_joint(T_CELLS, [LUNG | {"readout": "lable"}])


def test_a_concentration_needs_a_volume(write_joint):
    rows = [LUNG | {"unit": "cells/mL"}]
    with pytest.raises(StudyError, match=r"measured as a concentration, but the model `t_cell` does not say in which"):
        write_joint(T_CELLS, rows)


@pytest.mark.parametrize("name", ["spread", "misfit"])
def test_no_scatter_at_all_is_refused_for_what_an_instrument_reads(shipped, name):
    joint = shipped("synthetic")
    none = parse_prior("fixed(value=0)")
    noise = tuple(replace(p, prior=none) if p.name == name else p for p in joint.model.noise)
    with pytest.raises(StudyError, match="fixed at 0"):
        join(replace(joint.model, noise=noise), joint.counts)
