"""The gradient that the sampler follows, against central differences and without numba."""

import numpy as np
import pytensor.tensor as pt
import pytest
from pytensor.compile.mode import Mode
from pytensor.gradient import DisconnectedInputError, grad

from pbpk.assay.counts import count_cells
from pbpk.assay.study import read_study
from pbpk.body.solve import reached
from pbpk.infer.gradient import Seen, moving_adjoint, moving_and_recovered, seen_adjoint, seen_and_recovered
from pbpk.infer.joint import join
from pbpk.infer.likelihood import build, fixed_inputs
from pbpk.predict.run import model_of

STUDIES = ["zhuang", pytest.param("gholamrezanezhad", marks=pytest.mark.proof), "khot"]  # each compiles for a minute
STEP = 1e-4


@pytest.fixture(scope="module", params=STUDIES)
def compiled(request, shipped):
    """Value and slope of a shipped study's whole model as the sampler has them, and without numba."""
    joint = shipped(request.param)
    model = build(joint)
    both = [model.logp(), model.dlogp()]
    plain = Mode(linker="py", optimizer="fast_run").excluding("fusion")
    fast, slow = (model.compile_fn(both, mode=mode, inputs=model.value_vars) for mode in ("NUMBA", plain))
    return len(joint.free), lambda z: fast({"z": z}), lambda z: slow({"z": z})


def test_the_slope_of_the_whole_model(compiled):
    size, both, _ = compiled
    for z in 0.8 * np.random.default_rng(3).standard_normal((3, size)):
        differences = np.empty(size)
        for i, step in enumerate(STEP * np.eye(size)):
            near = both(z + step)[0] - both(z - step)[0]
            wide = both(z + 2 * step)[0] - both(z - 2 * step)[0]
            differences[i] = (8 * near - wide) / (12 * STEP)  # fourth order
        assert both(z)[1] == pytest.approx(differences, rel=1e-5, abs=1e-7 * abs(differences).max())


def test_python_and_numba_agree(compiled):
    size, fast, slow = compiled
    for z in 0.8 * np.random.default_rng(4).standard_normal((3, size)):
        (value, slope), (other, its_slope) = fast(z), slow(z)
        assert value == pytest.approx(other, rel=1e-10)
        np.testing.assert_allclose(slope, its_slope, rtol=1e-8, atol=1e-10 * abs(slope).max())


def test_what_is_seen_is_what_the_model_solves(shipped):
    joint = shipped("zhuang")
    z = np.random.default_rng(5).standard_normal(len(joint.free))
    for experiment in joint.experiments:
        seen, states = seen_and_recovered(z, *fixed_inputs(joint, experiment))
        solved = joint.solve(experiment, joint.theta(z)[np.newaxis], experiment.hours)[0]
        held = reached(joint.model.source_states, joint.model.target_states, experiment.schedule.entry).states
        np.testing.assert_allclose(states, solved[:, held], rtol=1e-9, atol=1e-15)
        assert not solved[:, ~held].any()
        rows = list(experiment.rows)
        at = solved[list(experiment.at)]
        np.testing.assert_allclose(seen[0], (at * joint.observers[rows]).sum(axis=1), rtol=1e-9)
        np.testing.assert_allclose(seen[1], (at * joint.recovery[rows]).sum(axis=1), rtol=1e-9)


KINDS = {
    "concentrations": ("kwan", seen_and_recovered, seen_adjoint, 1e-6),
    # differences see that other steps are taken, the gradient does not
    "rates that move": ("barone", moving_and_recovered, moving_adjoint, 1e-3),
}


@pytest.mark.parametrize(("word", "value", "adjoint", "exact"), KINDS.values(), ids=KINDS)
def test_the_slope_of_what_is_seen(shipped, word, value, adjoint, exact):
    """Without compiling the whole chain: its links are compiled and cached."""
    has_the_slope(shipped(word), value, adjoint, exact)


def test_the_slope_of_a_stiff_model_whose_rates_move(write_joint):
    """Blood and tissue together, and phagocytes that fill: no state is passing, so the implicit pair follows."""
    joint = write_joint("barone_2018_fnd_rat", edits=[('model = "particles"', 'model = "lin_2016"')])
    has_the_slope(joint, moving_and_recovered, moving_adjoint, 1e-3)


def has_the_slope(joint, value, adjoint, exact):
    (experiment,) = joint.experiments
    inputs = fixed_inputs(joint, experiment)
    rng = np.random.default_rng(6)
    z = 0.5 * rng.standard_normal(len(joint.free))
    seen, *kept = value.py_func(z, *inputs)
    bar = rng.standard_normal(seen.shape) / np.maximum(seen, 1e-12)
    slope = adjoint.py_func(z, *inputs, *kept, bar)
    for i, step in enumerate(1e-3 * np.eye(z.size)):
        far = [(value.py_func(z + k * step, *inputs)[0] * bar).sum() for k in (-2, -1, 1, 2)]
        differences = (far[0] - 8 * far[1] + 8 * far[2] - far[3]) / (12 * 1e-3)
        assert slope[i] == pytest.approx(differences, rel=exact, abs=exact * abs(slope).max())


FILLING = """
like = "small_molecule"
name = "filling"
about = "elimination that fills"
arrows = [
  "blood -> eliminated : clearance / (volume_blood * (1 + blood / (volume_blood * solubility)))",
  "blood -> slow.tissue : flow_slow / volume_blood",
  "slow.tissue -> blood : flow_slow / volume_slow",
  "gut.lumen -> liver.tissue : absorption",
  "liver.tissue -> blood : flow_liver / volume_liver",
  "fast.tissue -> blood : absorption",
]
passing = ["liver.tissue"]
[constants]
solubility = { value = 2.0, unit = "mg/L", source = "weight" }
"""


@pytest.mark.parametrize("rates", ["fixed rates", "rates that move"])
def test_the_slope_by_numbers_of_the_animal(rates, write_study, tmp_path):
    """Volumes that follow from free numbers, in bodies of another weight, in both arithmetics."""
    value, adjoint, exact = seen_and_recovered, seen_adjoint, 1e-6
    edits = []
    if rates == "rates that move":
        value, adjoint, exact = moving_and_recovered, moving_adjoint, 1e-3
        (tmp_path / "filling.toml").write_text(FILLING)
        edits = [('model = "small_molecule"', f'model = "{tmp_path / "filling.toml"}"')]
    folder = write_study("kwan_1976_indomethacin_human", edits=edits)
    (folder / "animals.csv").write_text("animal,group,body_weight_g\n3,iv,50000\n")
    study = read_study(folder)
    joint = join(model_of(study, physiology="spread"), count_cells(study))
    light = next(experiment for experiment in joint.experiments if experiment.animal == "3")
    assert light.model.constants["body_weight"] == 50000.0
    inputs = fixed_inputs(joint, light)
    rng = np.random.default_rng(6)
    z = 0.5 * rng.standard_normal(len(joint.free))
    seen, *kept = value(z, *inputs)
    solved = joint.solve(light, joint.theta(z)[np.newaxis], light.hours)[0]
    rows = list(light.rows)
    volume = joint.volume(joint.theta(z)[np.newaxis])[0, rows]
    told = (solved[list(light.at)] * joint.observers[rows]).sum(axis=1) / volume
    np.testing.assert_allclose(seen[0], told, rtol=1e-4 if rates == "rates that move" else 1e-9)
    bar = rng.standard_normal(seen.shape) / np.maximum(seen, 1e-12)
    slope = adjoint(z, *inputs, *kept, bar)
    assert (abs(slope[[p.name for p in joint.free].index("volume_vein")])) > 0.0
    for i, step in enumerate(1e-3 * np.eye(z.size)):
        far = [(value(z + k * step, *inputs)[0] * bar).sum() for k in (-2, -1, 1, 2)]
        differences = (far[0] - 8 * far[1] + 8 * far[2] - far[3]) / (12 * 1e-3)
        assert slope[i] == pytest.approx(differences, rel=exact, abs=exact * abs(slope).max())


def test_only_z_is_learned(shipped):
    joint = shipped("khot")
    inputs = [pt.as_tensor(x) for x in fixed_inputs(joint, joint.experiments[0])]
    z = pt.dvector("z")
    seen = Seen()(z, *inputs)
    (alone,) = seen[0].owner.op.connection_pattern(seen[0].owner)[:1]
    assert alone == [True, False]
    with pytest.raises(DisconnectedInputError):
        grad(seen[0].sum(), inputs[1])


def test_a_fixed_parameter_has_no_place_in_z(shipped):
    joint = shipped("khot")
    fixed = {p.name for p in joint.estimated if p.prior.is_fixed}
    assert fixed == {"weight_liver"}
    assert len(joint.free) == len(joint.estimated) - 1
