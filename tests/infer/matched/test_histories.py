"""What animals were given, in a fit: resets, repeats, steady states and lags of a study against closed forms."""

import numpy as np
import pytest
from onecompartment import NONMEM, write_one

from pbpk.assay.counts import count_cells
from pbpk.assay.study import read_study
from pbpk.errors import SolveError, StudyError
from pbpk.infer.density.gradient import SeenSteady, steady_adjoint, steady_and_recovered
from pbpk.infer.density.likelihood import operation, packed
from pbpk.infer.matched.histories import histories, known_amount, occasions_of
from pbpk.infer.matched.joint import join, predict_percent
from pbpk.predict.record import model_of

RATE, VOLUME = 0.2, 2000.0
HEAD = "ID,TIME,AMT,RATE,EVID,CMT,ADDL,II,SS,DV\n"


def joined(tmp_path, rows, more=""):
    study = read_study(write_one(tmp_path / "study", {"nonmem.csv": HEAD + rows}, NONMEM + more))
    model = model_of(study)
    return join(model, count_cells(study))


def concentrations(joint):
    """What the medians of the priors say each row should be [ug/mL]."""
    percent = predict_percent(joint, joint.theta(np.zeros((1, len(joint.free)))))["dose"][0]
    table, study = joint.counts.table, joint.study
    seen = {(m.animal, m.hours): m.value for m in study.measurements}
    measured = [seen[animal, hour] for animal, hour in zip(table["animal"], table["hours"], strict=True)]
    found = percent / table["percent"].to_numpy() * np.array(measured)
    order = np.lexsort((table["hours"], table["animal"]))
    return found[order]


def bolus(milligrams, t):
    return np.where(t >= 0, 1000.0 * milligrams / VOLUME * np.exp(-RATE * np.maximum(t, 0.0)), 0.0)


def test_doses_that_follow_add_and_a_value_before_its_dose_does_not_see_it(tmp_path):
    rows = "1,0,10,.,1,1,2,12,0,.\n1,1,.,.,0,3,.,.,.,4\n1,12,.,.,0,3,.,.,.,4\n1,12,6,.,1,1,0,0,0,.\n"
    rows += "1,30,.,.,0,3,.,.,.,1\n"
    found = concentrations(joined(tmp_path, rows))
    hours = np.array([1.0, 12.0, 30.0])
    expected = sum(bolus(10.0, hours - 12.0 * k) for k in range(3)) + bolus(6.0, hours - 12.0)
    expected[1] -= bolus(6.0, 0.0)
    # the dose that follows at 12 h enters first, as PREDPP has it, and the record stands behind it
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_a_reset_empties_the_subject(tmp_path):
    rows = "1,0,10,.,1,1,0,0,0,.\n1,4,.,.,0,3,.,.,.,2\n1,8,5,.,4,1,0,0,0,.\n1,9,.,.,0,3,.,.,.,2\n"
    joint = joined(tmp_path, rows)
    assert len(joint.experiments) == 2
    assert joint.experiments[0].until == 8.0
    np.testing.assert_allclose(concentrations(joint), [bolus(10.0, 4.0), bolus(5.0, 1.0)], rtol=1e-9)


def test_a_clock_that_starts_again_is_another_occasion(tmp_path):
    rows = "1,0,10,.,1,1,0,0,0,.\n1,4,.,.,0,3,.,.,.,2\n1,0,5,.,4,1,0,0,0,.\n1,1,.,.,0,3,.,.,.,2\n"
    np.testing.assert_allclose(concentrations(joined(tmp_path, rows)), [bolus(10, 4), bolus(5, 1)], rtol=1e-9)


def test_a_dose_at_steady_state_is_the_geometric_series(tmp_path):
    rows = "1,0,10,.,1,1,0,12,1,.\n1,1,.,.,0,3,.,.,.,2\n1,20,.,.,0,3,.,.,.,2\n"
    expected = bolus(10.0, np.array([1.0, 20.0])) / -np.expm1(-RATE * 12.0)
    np.testing.assert_allclose(concentrations(joined(tmp_path, rows)), expected, rtol=1e-9)


def test_an_infusion_since_ever_is_its_rate_over_the_clearance(tmp_path):
    rows = "1,0,0,3,1,1,0,0,1,.\n1,0,.,.,0,3,.,.,.,2\n1,5,.,.,0,3,.,.,.,2\n"
    level = 1000.0 * 3.0 / (RATE * VOLUME)
    found = concentrations(joined(tmp_path, rows))
    np.testing.assert_allclose(found, [level, level * np.exp(-RATE * 5.0)], rtol=1e-8)


def test_bioavailability_and_lag_of_a_route(tmp_path):
    rows = "1,0,10,.,1,1,0,0,0,.\n1,1,.,.,0,3,.,.,.,2\n1,4,.,.,0,3,.,.,.,2\n"
    joint = joined(tmp_path, rows, "lag_h = { iv = 0.5 }\nbioavailability = { iv = 0.4 }\n")
    np.testing.assert_allclose(concentrations(joint), bolus(4.0, np.array([0.5, 3.5])), rtol=1e-9)


def test_the_slope_at_steady_state(tmp_path):
    """Against differences: boluses, infusions that overlap and a lag at steady state. Python calls the kernels here."""
    rows = (
        "1,0,10,.,1,1,0,12,1,.\n1,1,.,.,0,3,.,.,.,3\n1,20,.,.,0,3,.,.,.,1\n"
        "2,0,10,0.5,1,1,0,12,1,.\n2,1,.,.,0,3,.,.,.,3\n2,7,.,.,0,3,.,.,.,1\n"
        "3,0,10,.,1,2,0,12,1,.\n3,0.2,.,.,0,3,.,.,.,3\n3,7,.,.,0,3,.,.,.,1\n"
    )
    joint = joined(tmp_path, rows, "lag_h = { oral = 0.5 }\n")
    z = 0.5 * np.random.default_rng(2).standard_normal(len(joint.free))
    values = np.tile(joint.theta(z)[: len(joint.model.parameters)], (len(joint.experiments), 1))
    assert {operation(experiment) for experiment in joint.experiments} == {SeenSteady}
    pack = packed(joint, joint.experiments).arrays()
    bar = np.random.default_rng(3).standard_normal((2, len(joint.counts.table)))
    _, kept = steady_and_recovered.py_func(values, *pack)
    slope = steady_adjoint.py_func(values, *pack, kept, bar) * values
    for e in range(len(values)):
        for i, step in enumerate(1e-4 * np.eye(values.shape[1])):
            moved = np.zeros_like(values)
            moved[e] = step
            ends = [
                (bar * steady_and_recovered.py_func(values * np.exp(k * moved), *pack)[0]).sum() for k in (2, 1, -1, -2)
            ]
            expected = (8.0 * (ends[1] - ends[2]) - (ends[0] - ends[3])) / 12e-4
            assert slope[e, i] == pytest.approx(expected, rel=1e-6, abs=1e-8 * abs(slope).max())


def test_what_resets_end_and_what_was_given_in_all(tmp_path):
    rows = "1,0,10,.,1,1,1,4,0,.\n1,4,.,.,0,3,.,.,.,2\n1,6,0,.,3,1,0,0,0,.\n1,8,5,.,4,1,0,0,0,.\n1,9,.,.,0,3,.,.,.,2\n"
    joint = joined(tmp_path, rows)
    (history,) = histories(joint.model, joint.study).values()
    assert history.total == 25.0
    assert [(o.begin, o.until, len(o.doses)) for o in occasions_of(history)] == [(-np.inf, 6, 2), (6, np.inf, 1)]
    assert known_amount(joint.study, joint.model) is None  # no dose of the group as a whole


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("1,0,10,.,1,1,0,0,0,.\n1,4,0,.,3,1,0,0,0,.\n1,5,.,.,0,3,.,.,.,2\n",
         "`plasma` of `all` was measured at 5 h, before the first dose acts, or after a reset without one"),
        ("1,2,10,.,1,1,0,0,0,.\n1,1,.,.,0,3,.,.,.,2\n", "TIME goes back"),
        ("1,0,0,.,3,1,0,0,0,.\n1,1,.,.,0,3,.,.,.,2\n", "never dosed"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_one_sentence(tmp_path, rows, said):
    with pytest.raises(StudyError) as refusal:
        joined(tmp_path, rows)
    assert said in str(refusal.value)


def test_what_never_leaves_has_no_steady_state_to_fit(tmp_path):
    rows = "1,0,10,.,1,1,0,12,1,.\n1,1,.,.,0,3,.,.,.,2\n"
    joint = joined(tmp_path, rows)
    theta = joint.theta(np.zeros((1, len(joint.free))))
    theta[:, joint.names.index("rate")] = 0.0
    with pytest.raises(SolveError, match="one has no steady state: nothing leaves `plasma`"):
        predict_percent(joint, theta)
