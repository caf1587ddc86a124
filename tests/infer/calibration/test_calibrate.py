"""Calibration finds a right posterior right and a wrong one wrong, whoever computes it, and drops no fit."""

from dataclasses import replace

import numpy as np
import pytest
from conjugate import Exact, write_study_of_one

from pbpk.body.model import Parameter
from pbpk.body.prior import Prior
from pbpk.infer.calibration.calibrate import MOST_DRAWS, calibrate, in_the_body, log_likelihood, quantities_of
from pbpk.infer.draws.fit import fit
from pbpk.infer.matched.joint import join, predict_percent


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    return write_study_of_one(tmp_path_factory.mktemp("one") / "study")


def ranks(toy, believed, fits=100, **more):
    return calibrate(
        *toy, fits=fits, fit=believed, quantities={"log-likelihood": believed.log_likelihood}, **{"seed": 3, **more}
    )


def test_a_right_posterior_passes(toy):
    found = ranks(toy, Exact())
    assert found.passed
    assert found.parameters == ("volume",)
    assert list(found.table["quantity"]) == ["volume", "log-likelihood"]
    for row in found.table.itertuples():
        assert row.p_ecdf > 0.05
        for level in (50, 80, 95):
            assert getattr(row, f"low{level}") <= level / 100 <= getattr(row, f"high{level}")
    assert {outcome.kept for outcome in found.outcomes} == {MOST_DRAWS}
    assert found.sentences[0].startswith("1 of 1 parameter uniform")


@pytest.mark.parametrize(
    ("believed", "caught", "how"),
    [
        pytest.param(Exact(noise=0.5), "volume", "too narrow", id="noise half as large"),
        pytest.param(Exact(singles=True), "log-likelihood", "", id="means taken for single animals"),
        pytest.param(Exact(shared=True), "volume", "too wide", id="one misfit for all cells"),
    ],
)
def test_a_wrong_likelihood_is_caught(toy, believed, caught, how):
    found = ranks(toy, believed)
    assert not found.passed
    assert caught in found.suspects
    row = found.table.set_index("quantity").loc[caught]
    assert row["p_holm"] < 0.05
    assert how in row["posterior"]
    assert any(f"`{caught}` is not uniform" in sentence for sentence in found.sentences)


def test_no_fit_is_dropped(toy):
    told = []
    found = ranks(toy, Exact(fails=3, poor=7), fits=40, tell=told.append)
    lost = [outcome for outcome in found.outcomes if not outcome.places]
    poor = [outcome for outcome in found.outcomes if outcome.problem.startswith("R-hat 1.200")]
    assert lost
    assert poor
    assert [outcome.number for outcome in told] == list(range(40))
    assert [o.number for o in found.troubled] == sorted(o.number for o in (*lost, *poor))
    assert len(found.places) == 40 - len(lost)  # those that did not converge are counted
    assert not found.passed
    said = " ".join(found.sentences)
    assert f"{len(lost)} of 40 fits gave nothing" in said
    assert f"{lost[0].number} (SolveError: made to fail)" in said
    assert f"{len(poor)} of 40 fits did not converge: {poor[0].number} (R-hat 1.200)" in said


def test_outcomes_that_are_known_are_not_computed_again(toy):
    first = ranks(toy, Exact(), fits=6)
    told = []
    again = ranks(toy, Exact(), fits=9, known=first.outcomes, tell=told.append)
    assert [outcome.number for outcome in told] == [6, 7, 8]
    assert again.outcomes[:6] == first.outcomes
    assert ranks(toy, Exact(), fits=9).outcomes == again.outcomes
    assert ranks(toy, Exact(), fits=6, seed=4).outcomes != first.outcomes


@pytest.fixture
def client():
    from distributed import Client, LocalCluster

    given = {"n_workers": 2, "threads_per_worker": 1, "processes": False, "dashboard_address": None}
    with LocalCluster(**given) as cluster, Client(cluster) as client:
        yield client


@pytest.mark.filterwarnings("default")  # of dask's own sockets and loops as they close
def test_workers_give_the_same_ranks(toy, client):
    here, there = ranks(toy, Exact(fails=3), fits=8), ranks(toy, Exact(fails=3), fits=8, scheduler=client)
    assert there.outcomes == here.outcomes


@pytest.mark.proof
@pytest.mark.filterwarnings("default")
def test_a_killed_worker_loses_no_fit(toy, tmp_path):
    from distributed import LocalCluster

    believed = Exact(killed=str(tmp_path / "killed"))
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        found = ranks(toy, believed, fits=12, scheduler=cluster.scheduler_address)
    assert (tmp_path / "killed").exists()
    assert [o.places for o in found.outcomes] == [o.places for o in ranks(toy, Exact(), fits=12).outcomes]


def with_noise(model, scale=1.0, sigma=0.5):
    """The model with other priors of its noise: log-normal about a multiple of the median."""
    noise = (Parameter(p.name, p.about, p.unit, Prior("lognormal", p.prior.centre * scale, sigma), p.source)
             for p in model.noise)  # fmt: skip
    return replace(model, noise=tuple(noise))


def test_the_log_likelihood_is_that_of_the_sampler(toy):
    model, counts = toy
    known = join(model, counts)
    theta = known.theta(np.array([[-1.0], [0.0], [0.7]]))
    found = log_likelihood(join(with_noise(model), counts), theta, np.zeros((3, 0)))
    exact = Exact().log_likelihood(known, theta, None)
    np.testing.assert_allclose(found - found[0], exact - exact[0], rtol=1e-8)


def test_quantities_are_what_they_say(shipped):
    joint = shipped("khot")
    theta = joint.theta(np.random.default_rng(1).standard_normal((3, len(joint.free))))
    found = quantities_of(joint)
    assert list(found)[:2] == ["log-likelihood", "in the body"]
    last = [name for name in found if name.endswith(f"(row {len(joint.counts.table) - 1})")]
    seen = found[last[0]](joint, theta, np.zeros((3, 0)))
    np.testing.assert_array_equal(seen, predict_percent(joint, theta)["dose"][:, -1])
    body = in_the_body(joint, theta, np.zeros((3, 0)))
    states = joint.solve(joint.experiments[0], theta, joint.experiments[0].hours[-1:])[:, 0]
    gone = states[:, [state in joint.model.outside for state in joint.model.states]].sum(axis=1)
    np.testing.assert_allclose(body + gone, states.sum(axis=1))


def halved(model, counts, **how):
    """The shipped fit by somebody who believes all noise to be half of what it is, and is sure of it."""
    return fit(with_noise(model, 0.5, 0.05), counts, **how)


@pytest.mark.proof
@pytest.mark.timeout(7200)
def test_half_the_noise_is_caught_in_a_shipped_model(shipped):
    joint = shipped("gholamrezanezhad")
    found = calibrate(joint.model, joint.counts, fits=30, fit=halved, draws=300, tune=300)
    assert {"spread", "misfit"} & {*found.suspects}
