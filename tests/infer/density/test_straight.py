"""Coordinates for rates in series: which rates, there and back, volumes, the same posterior."""

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest

from pbpk.infer.density.likelihood import build
from pbpk.infer.density.straight import in_series, straightened
from pbpk.infer.matched.sharing import Together

ORGANS = ["gut", "heart", "kidney", "liver", "lung", "rest", "spleen"]


@pytest.fixture(scope="module")
def khot(shipped):
    return shipped("khot")


@pytest.fixture(scope="module")
def ways(khot):
    """There and back, compiled."""
    moved, vector = straightened(Together.alone(khot)), pt.vector()
    return [pytensor.function([vector], way(vector), mode="FAST_COMPILE") for way in (moved.forward, moved.backward)]


def test_loss_and_transfer_of_an_organ_are_in_series(khot, shipped):
    assert in_series(khot) == [(f"loss_{organ}", f"transfer_{organ}") for organ in ORGANS]
    assert in_series(shipped("zhuang")) == in_series(khot)
    assert in_series(shipped("kwan")) == []
    assert straightened(Together.alone(shipped("kwan"))) is None


def test_a_prior_of_the_users_own_stays_out(khot):
    places = straightened(Together.alone(khot), ["transfer_lung"]).places
    named = {khot.free[i].name for i in places.ravel()}
    assert not {"loss_lung", "transfer_lung"} & named
    assert len(named) == 2 * (len(ORGANS) - 1)


def test_there_and_back(ways, khot):
    forward, backward = ways
    for z in 3.0 * np.random.default_rng(1).standard_normal((20, len(khot.free))):
        np.testing.assert_allclose(backward(forward(z)), z, atol=1e-9)
        np.testing.assert_allclose(forward(backward(z)), z, atol=1e-9)
    np.testing.assert_allclose(forward(np.zeros(len(khot.free))), 0.0, atol=1e-12)


def test_volumes_stay_what_they_are(ways, khot):
    step, z = 1e-5, np.random.default_rng(2).standard_normal(len(khot.free))
    matrix = [(ways[1](z + e) - ways[1](z - e)) / (2.0 * step) for e in step * np.eye(z.size)]
    sign, log_volume = np.linalg.slogdet(matrix)
    assert abs(sign) == 1.0
    assert log_volume == pytest.approx(0.0, abs=1e-7)


def test_the_coordinates_are_how_long_label_stays_and_which_rate_is_slow(ways, khot):
    """Moved along the second one of a pair alone, 1/k + 1/d stays; along the first, k/d does."""
    names = [parameter.name for parameter in khot.free]
    places = [names.index("loss_lung"), names.index("transfer_lung")]
    for fixed, along in ((0, 1), (1, 0)):
        kept = []
        for x in (-2.0, -0.3, 0.0, 1.7):
            w = np.zeros(len(names))
            w[places[along]], w[places[fixed]] = x, 0.4
            k, d = khot.theta(ways[1](w))[[khot.names.index(name) for name in ("loss_lung", "transfer_lung")]]
            kept.append(1.0 / k + 1.0 / d if fixed == 0 else k / d)
        np.testing.assert_allclose(kept, kept[0], rtol=1e-12)


def test_the_posterior_is_the_same(ways, khot):
    plain = build(khot).compile_logp(mode="FAST_COMPILE")
    model = build(khot, straight=True)
    (name,) = [value.name for value in model.value_vars]
    moved = model.compile_logp(mode="FAST_COMPILE")
    for z in np.random.default_rng(3).standard_normal((3, len(khot.free))):
        assert moved({name: ways[0](z)}) == pytest.approx(float(plain({"z": z})), rel=1e-10)
