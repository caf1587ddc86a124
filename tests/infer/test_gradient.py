"""The gradient that the sampler follows, against central differences and without numba."""

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
from pytensor.compile.mode import Mode

from pbpk.infer.gradient import Seen
from pbpk.infer.likelihood import build, fixed_inputs

STUDIES = ["zhuang", "gholamrezanezhad", "khot"]
STEP = 1e-4


@pytest.mark.parametrize("word", STUDIES)
def test_the_slope_of_the_whole_model(shipped, word):
    joint = shipped(word)
    model = build(joint)
    logp, slope = model.compile_logp(), model.compile_dlogp()
    size = len(joint.free)
    for z in 0.8 * np.random.default_rng(3).standard_normal((3, size)):
        differences = np.empty(size)
        for i, step in enumerate(STEP * np.eye(size)):
            near = logp({"z": z + step}) - logp({"z": z - step})
            wide = logp({"z": z + 2 * step}) - logp({"z": z - 2 * step})
            differences[i] = (8 * near - wide) / (12 * STEP)  # fourth order
        found = slope({"z": z})
        assert found == pytest.approx(differences, rel=1e-5, abs=1e-5 * abs(differences).max())


@pytest.mark.parametrize("word", STUDIES)
def test_python_and_numba_agree(shipped, word):
    joint = shipped(word)
    z = pt.dvector("z")
    rng = np.random.default_rng(4)
    for experiment in joint.experiments:
        seen = Seen()(z, *fixed_inputs(joint, experiment))[0]
        weights = rng.standard_normal((2, len(experiment.rows)))
        outputs = [seen, pt.grad((weights * seen).sum(), z)]
        plain = pytensor.function([z], outputs, mode=Mode(linker="py", optimizer=None))
        fast = pytensor.function([z], outputs, mode="NUMBA")
        at = rng.standard_normal(len(joint.free))
        for ours, theirs in zip(fast(at), plain(at), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-14)


def test_only_z_is_learned(shipped):
    joint = shipped("khot")
    inputs = [pt.as_tensor(x) for x in fixed_inputs(joint, joint.experiments[0])]
    z = pt.dvector("z")
    seen = Seen()(z, *inputs)
    (alone,) = seen[0].owner.op.connection_pattern(seen[0].owner)[:1]
    assert alone == [True, False]
    with pytest.raises(pytensor.gradient.DisconnectedInputError):
        pt.grad(seen[0].sum(), inputs[1])


def test_a_fixed_parameter_has_no_place_in_z(shipped):
    joint = shipped("khot")
    fixed = {p.name for p in joint.estimated if p.prior.is_fixed}
    assert fixed == {"weight_liver"}
    assert len(joint.free) == len(joint.estimated) - 1
