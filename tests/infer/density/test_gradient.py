"""The gradient that the sampler follows, against central differences and without numba."""

import numpy as np
import pytensor.tensor as pt
import pytest
from pytensor.compile.mode import Mode
from pytensor.gradient import DisconnectedInputError, grad

from pbpk.assay.counts import count_cells
from pbpk.assay.study import read_study
from pbpk.body.solve import reached
from pbpk.infer.density.gradient import Seen, moving_adjoint, moving_and_recovered, seen_adjoint, seen_and_recovered
from pbpk.infer.density.likelihood import build, packed
from pbpk.infer.matched.joint import join
from pbpk.predict.record import model_of

STUDIES = ["khot", *(pytest.param(name, marks=pytest.mark.proof) for name in ("zhuang", "gholamrezanezhad"))]
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


def taken(joint, experiments, z):
    """What the compiled functions take: values of each experiment, and the pack."""
    one = joint.theta(z)[: len(joint.model.parameters) + len(joint.switched)]
    return np.tile(one, (len(experiments), 1)), packed(joint, experiments).arrays()


def test_what_is_seen_is_what_the_model_solves(shipped):
    """Experiments of different groups in one pack, of which one has a modifier more."""
    joint = shipped("zhuang")
    z = np.random.default_rng(5).standard_normal(len(joint.free))
    values, pack = taken(joint, joint.experiments, z)
    seen, kept = seen_and_recovered(values, *pack)
    row = place = 0
    for experiment in joint.experiments:
        solved = joint.solve(experiment, joint.theta(z)[np.newaxis], experiment.hours)[0]
        held = reached(joint.model.source_states, joint.model.target_states, experiment.schedule.entry).states
        states = kept[place : place + experiment.hours.size * held.sum()].reshape(experiment.hours.size, -1)
        np.testing.assert_allclose(states, solved[:, held], rtol=1e-9, atol=1e-15)
        assert not solved[:, ~held].any()
        rows = list(experiment.rows)
        at = solved[list(experiment.at)]
        mine = seen[:, row : row + len(rows)]
        np.testing.assert_allclose(mine[0], (at * joint.observers[rows]).sum(axis=1), rtol=1e-9)
        np.testing.assert_allclose(mine[1], (at * joint.recovery[rows]).sum(axis=1), rtol=1e-9)
        row, place = row + len(rows), place + states.size
    assert (row, place) == (seen.shape[1], kept.size)


def test_animals_in_one_pack_are_followed_each_by_its_own_values(shipped):
    joint = shipped("khot")
    rng = np.random.default_rng(7)
    many = joint.experiments * 3
    values, pack = taken(joint, many, 0.5 * rng.standard_normal(len(joint.free)))
    values *= np.exp(0.1 * rng.standard_normal(values.shape))
    seen, kept = seen_and_recovered(values, *pack)
    bar = rng.standard_normal(seen.shape)
    slope = seen_adjoint(values, *pack, kept, bar)
    n = seen.shape[1] // 3
    for i in range(3):
        alone, own = seen_and_recovered(values[[i]], *packed(joint, joint.experiments).arrays())
        np.testing.assert_array_equal(alone, seen[:, i * n : (i + 1) * n])
        part = np.ascontiguousarray(bar[:, i * n : (i + 1) * n])
        found = seen_adjoint(values[[i]], *packed(joint, joint.experiments).arrays(), own, part)
        np.testing.assert_array_equal(found[0], slope[i])
    assert pack[0].size < 1.1 * packed(joint, joint.experiments).reals.size  # what is alike stands there once


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
    rng = np.random.default_rng(6)
    values, pack = taken(joint, [experiment], 0.5 * rng.standard_normal(len(joint.free)))
    agrees(value.py_func, adjoint.py_func, values, pack, exact)


def agrees(value, adjoint, values, pack, exact):
    """The slope by the logarithm of each value is that of differences."""
    seen, *kept = value(values, *pack)
    bar = np.random.default_rng(8).standard_normal(seen.shape) / np.maximum(seen, 1e-12)
    slope = adjoint(values, *pack, *kept, bar)[0] * values[0]
    for i, step in enumerate(1e-3 * np.eye(values.shape[1])):
        far = [(value(values * np.exp(k * step), *pack)[0] * bar).sum() for k in (-2, -1, 1, 2)]
        differences = (far[0] - 8 * far[1] + 8 * far[2] - far[3]) / (12 * 1e-3)
        assert slope[i] == pytest.approx(differences, rel=exact, abs=exact * abs(slope).max())
    return slope


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
    z = 0.5 * np.random.default_rng(6).standard_normal(len(joint.free))
    values, pack = taken(joint, [light], z)
    seen = value(values, *pack)[0]
    solved = joint.solve(light, joint.theta(z)[np.newaxis], light.hours)[0]
    rows = list(light.rows)
    volume = joint.volume(joint.theta(z)[np.newaxis])[0, rows]
    told = (solved[list(light.at)] * joint.observers[rows]).sum(axis=1) / volume
    np.testing.assert_allclose(seen[0], told, rtol=1e-4 if rates == "rates that move" else 1e-9)
    slope = agrees(value, adjoint, values, pack, exact)
    assert abs(slope[joint.names.index("volume_vein")]) > 0.0


def test_only_the_values_are_learned(shipped):
    joint = shipped("khot")
    inputs = [pt.as_tensor(x) for x in packed(joint, joint.experiments).arrays()]
    values = pt.dmatrix("values")
    seen = Seen()(values, *inputs)
    (alone,) = seen[0].owner.op.connection_pattern(seen[0].owner)[:1]
    assert alone == [True, False]
    with pytest.raises(DisconnectedInputError):
        grad(seen[0].sum(), inputs[0])


def test_a_fixed_parameter_has_no_place_in_z(shipped):
    joint = shipped("khot")
    fixed = {p.name for p in joint.estimated if p.prior.is_fixed}
    assert fixed == {"weight_liver"}
    assert len(joint.free) == len(joint.estimated) - 1
