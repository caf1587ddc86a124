"""Profiles against likelihoods whose profile is a formula; the shipped likelihood against log-linear regression."""

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import pytest
from mousestudy import RATE, organ_rows, read_joint, write_rows, write_small
from pytensor.compile.mode import Mode

from pbpk.errors import StudyError
from pbpk.infer.design import profile as walked
from pbpk.infer.design.profile import ABOVE, BELOW, BOTH, DROP, NOT, profile

PLAIN = Mode(linker="py", optimizer="fast_run").excluding("fusion")  # without waiting for a compiler
PRECISION = np.array([[4.0, 1.5, 0.5], [1.5, 2.0, 0.3], [0.5, 0.3, 1.0]])
CENTRE = np.array([0.3, -0.2, 0.6])


@pytest.fixture
def joint(tmp_path):
    """Free parameters away, spread and misfit, in this order."""
    model = write_small(tmp_path / "small.toml", ["a -> gone : away"], {"a": ["a"]}, {"away": RATE})
    return read_joint(write_rows(tmp_path / "s", organ_rows((1, 5), ["a"]), model=model))


@pytest.fixture
def told(monkeypatch):
    """Put a log-likelihood of z in the place of that of the counts; `assay` is asked for in front of it."""

    def put(log_likelihood, assay=False):
        def build(joint):
            with pm.Model() as model:
                u = pm.Normal("assay", shape=2) if assay else None
                z = pm.Normal("z", shape=len(joint.free))
                pm.Potential("counts", log_likelihood(z) if u is None else log_likelihood(z, u))
            return model

        monkeypatch.setattr(walked, "build", build)

    return put


def normal(precision=PRECISION):
    return lambda z: -0.5 * (z - CENTRE) @ precision @ (z - CENTRE)


def test_the_profile_of_a_normal_is_a_parabola(joint, told):
    told(normal())
    found = profile(joint, ["away", "spread"], mode=PLAIN)
    precision = PRECISION + np.diag([0.0, 1.0, 1.0])  # scatter keeps its prior
    centre = np.linalg.solve(precision, PRECISION @ CENTRE)
    np.testing.assert_allclose(found.best, centre, atol=1e-4)
    sd = np.sqrt(np.diag(np.linalg.inv(precision)))
    for i, name in enumerate(("away", "spread")):
        mine = found.table[found.table["parameter"] == name]
        np.testing.assert_allclose(mine["drop"], 0.5 * ((mine["z"] - centre[i]) / sd[i]) ** 2, atol=1e-6)
        assert mine["value"].is_monotonic_increasing
        bounds = found.bounds.set_index("parameter").loc[name]
        prior = joint.free[i].prior
        ends = [prior.value(centre[i] + side * np.sqrt(2.0 * DROP) * sd[i]) for side in (-1, 1)]
        assert (bounds["low"], bounds["high"]) == pytest.approx(tuple(ends), rel=1e-4)
        assert bounds["verdict"] == BOTH


def test_the_prior_counts_if_it_is_asked_for(joint, told):
    told(normal())
    found = profile(joint, ["misfit"], prior=True, mode=PLAIN)
    precision = PRECISION + np.eye(3)
    centre = np.linalg.solve(precision, PRECISION @ CENTRE)
    np.testing.assert_allclose(found.best, centre, atol=1e-4)
    sd = np.sqrt(np.linalg.inv(precision)[2, 2])
    np.testing.assert_allclose(found.table["drop"], 0.5 * ((found.table["z"] - centre[2]) / sd) ** 2, atol=1e-6)
    assert "with its prior, which alone says 0.038 to 0.27" in found.sentences[0]  # 0.1 exp(-+0.98)


@pytest.mark.parametrize(
    ("log_likelihood", "verdict"),
    [
        (lambda z: -0.5 * (z[1] + z[2]) ** 2, NOT),
        (lambda z: -pt.exp(-3.0 * z[0]) - 0.1 * z[1] ** 2, BELOW),
        (lambda z: -pt.exp(3.0 * z[0]), ABOVE),
    ],
    ids=["flat", "wall below", "wall above"],
)
def test_what_the_data_do_not_bound(joint, told, log_likelihood, verdict):
    told(log_likelihood)
    found = profile(joint, ["away"], mode=PLAIN).bounds.iloc[0]
    assert found["verdict"] == verdict
    assert np.isnan(found["low"]) == (verdict in (NOT, ABOVE))
    assert np.isnan(found["high"]) == (verdict in (NOT, BELOW))
    wall = np.log(DROP) / 3.0
    z = {BELOW: -wall, ABOVE: wall}
    if verdict in z:
        end = found["low"] if verdict == BELOW else found["high"]
        assert np.log(end / 0.05) / 0.7 == pytest.approx(z[verdict], abs=0.01)


def test_two_that_make_up_for_each_other_are_not_bounded(tmp_path, told):
    arrows, priors = ["a -> gone : away", "a -> b : onward"], {"away": RATE, "onward": RATE}
    model = write_small(tmp_path / "small.toml", arrows, {"a": ["a"], "b": ["b"]}, priors)
    joint = read_joint(write_rows(tmp_path / "s", organ_rows((1, 5), ["a"]), model=model))
    told(lambda z: -50.0 * (z[0] + z[1] - 0.5) ** 2)
    found = profile(joint, ["away", "onward", "misfit"], mode=PLAIN)
    assert list(found.bounds["verdict"]) == [NOT, NOT, BOTH]  # scatter by its prior
    assert found.sentences[0] == "`away`: not bounded: the data do not tell."


def test_what_an_instrument_shares_is_searched_too_and_keeps_its_prior(joint, told):
    # z[0] + u[0] is seen with SD 0.1, and u[0] is N(0, 1): the profile is that of SD sqrt(1 + 0.01)
    told(lambda z, u: -50.0 * (z[0] + u[0] - 1.0) ** 2, assay=True)
    found = profile(joint, ["away"], mode=PLAIN)
    np.testing.assert_allclose(found.table["drop"], 0.5 * (found.table["z"] - 1.0) ** 2 / 1.01, atol=1e-6)
    assert found.best.shape == (3,)


def test_the_best_of_two_hills_is_found(joint, told):
    told(lambda z: pt.log(pt.exp(-8.0 * (z[0] + 2.0) ** 2) + 20.0 * pt.exp(-8.0 * (z[0] - 1.0) ** 2)))
    found = profile(joint, ["away"], mode=PLAIN, starts=6)
    assert found.best[0] == pytest.approx(1.0, abs=1e-3)
    assert (found.table["drop"] >= 0.0).all()


def test_a_name_must_be_there(joint):
    with pytest.raises(StudyError, match="`awey` fits no parameter"):
        profile(joint, ["awey"], mode=PLAIN)


@pytest.mark.proof
def test_the_shipped_likelihood_has_the_profile_of_a_regression(tmp_path):
    """Of log y = log(100 / volume) - away t: RSS + (away - best)^2 Sxx over an unknown scatter, which has its prior."""
    hours = np.array([1.0, 4.0, 9.0, 16.0, 25.0, 36.0, 49.0])
    y = 100.0 / 25.0 * np.exp(-0.06 * hours + 0.15 * np.random.default_rng(2).standard_normal(7))
    priors = {"away": RATE, "volume": ("mL", "lognormal(median=20, sigma=0.5)"), "other": RATE}
    model = write_small(tmp_path / "small.toml", ["a -> gone : away", "b -> a : other"], {"a": ("a", "volume")}, priors)
    rows = [{"group": "iv", "animal": f"m{i}", "organ": "a", "hours": hour, "value": 1e4 * value, "unit": "cells/mL",
             "readout": "label"} for i, (hour, value) in enumerate(zip(hours, y, strict=True))]  # fmt: skip
    joint = read_joint(write_rows(tmp_path / "s", rows, model=model))
    found = profile(joint, ["away", "volume", "other"], mode=PLAIN)
    design = np.stack([np.ones(7), -hours], axis=1)
    best, (rss,), *_ = np.linalg.lstsq(design, np.log(y))
    away = found.table[found.table["parameter"] == "away"]
    sxx = ((hours - hours.mean()) ** 2).sum()
    z = np.linspace(-4.0, 6.0, 1501)
    prior = 0.5 * (z[:, None] ** 2 + z**2)
    # squares of spread and misfit of a small model
    variance = (0.2 * np.exp(0.5 * z[:, None])) ** 2 + (0.1 * np.exp(0.5 * z)) ** 2

    def lowest(squares):
        return (3.5 * np.log(variance) + 0.5 * squares / variance + prior).min()

    drop = [lowest(rss + (value - best[1]) ** 2 * sxx) - lowest(rss) for value in away["value"]]
    np.testing.assert_allclose(away["drop"], drop, atol=2e-4)
    verdicts = found.bounds.set_index("parameter")["verdict"]
    assert dict(verdicts) == {"away": BOTH, "volume": BOTH, "other": NOT}
