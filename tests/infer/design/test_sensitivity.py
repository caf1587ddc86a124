"""The expected posterior against linear regression, simulated scores and quadrature; slopes against closed forms."""

from dataclasses import replace

import numpy as np
import pytest
from mousestudy import RATE, organ_rows, read_joint, write_rows, write_small
from readings import signals as readings
from scipy.integrate import quad
from scipy.stats import multivariate_normal, norm

from pbpk.errors import StudyError
from pbpk.infer.density.signals import replicates, unknowns
from pbpk.infer.design.sensitivity import (
    answered,
    censored,
    collinearity,
    expected,
    log_slopes,
    noise_of,
    points,
)
from pbpk.infer.design.structure import structure
from pbpk.infer.draws.summary import how_much

SPREAD, MISFIT = 0.2, 0.1  # medians of a small model
VOLUME = ("mL", "lognormal(median=20, sigma=0.5)")
FIXED = ("1/h", "fixed(value=0.05)")
RECOVERY = '[recovery]\nabout = "x"\nprior = "lognormal(median=1, sigma=0.3)"\nsource = "none"'


def matched(folder, rows, priors, noise=0.5, observed=None, more=""):
    model = write_small(folder / "small.toml", ["a -> gone : away"], observed or {"a": ["a"]}, priors, noise=noise)
    return read_joint(write_rows(folder / "s", rows, model=model, more=more))


def row(hours, n="", animal="", **more):
    plain = {"group": "iv", "organ": "a", "value": 5, "unit": "cells/mL", "readout": "label"}
    return plain | {"hours": hours, "n": n, "animal": animal} | more


CONCENTRATION = {"a": ("a", "volume")}


@pytest.fixture
def linear(tmp_path):
    """Logarithms of all rows are linear in z: a recovery times an amount, over a volume."""
    rows = [row(1, animal="x"), row(1, animal="y"), row(1, animal="z"), row(9, n=6)]
    priors = {"away": FIXED, "volume": VOLUME}
    return matched(tmp_path, rows, priors, noise=1e-4, observed=CONCENTRATION, more=RECOVERY)


def test_the_expected_posterior_is_that_of_linear_regression(linear):
    # three animals of one cell share its misfit; the mean of six scatters by moments of the log-normal
    v = np.log1p(np.expm1(SPREAD**2) / 6)
    noise = np.zeros((4, 4))
    noise[:3, :3] = MISFIT**2 + SPREAD**2 * np.eye(3)
    noise[3, 3] = MISFIT**2 + v
    design = np.array([[-0.5, 0.3]] * 4)  # by z of the volume and of the recovery
    posterior = np.linalg.inv(np.eye(2) + design.T @ np.linalg.solve(noise, design))
    found = expected(linear)
    at = [found.names.index(name) for name in ("volume", "recovery")]
    np.testing.assert_allclose(found.covariance[np.ix_(at, at)], posterior, rtol=1e-4)
    ties = posterior[0, 1] / np.sqrt(posterior[0, 0] * posterior[1, 1])
    assert found.correlation("volume", "recovery") == pytest.approx(ties, rel=1e-4)
    assert found.contraction("volume") == pytest.approx(np.sqrt(posterior[0, 0]), rel=1e-4)
    first = found.pairs.iloc[0]
    assert {first["parameter"], first["other"]} == {"volume", "recovery"}
    assert first["collinearity"] > 1e5  # one follows from the other
    assert any("more of one is made good by more of the other" in sentence for sentence in found.sentences)


def test_what_is_known_is_not_asked_about(linear):
    found = expected(linear, known=["reco*"])
    assert "recovery" not in found.names
    noise = noise_of(linear, linear.theta(np.zeros(4)), np.ones(4))
    alone = 1.0 / (1.0 + 0.25 * np.linalg.inv(noise).sum())
    assert found.contraction("volume") == pytest.approx(np.sqrt(alone), rel=1e-4)
    with pytest.raises(StudyError, match="`recvery` fits no parameter"):
        expected(linear, known=["recvery"])


def test_no_value_is_used(linear):
    table = linear.counts.table
    blind = replace(linear, counts=replace(linear.counts, table=table.assign(percent=np.nan)))
    np.testing.assert_array_equal(expected(blind).covariance, expected(linear).covariance)


def test_slopes_are_those_of_an_exponential(tmp_path):
    joint = matched(tmp_path, organ_rows((1, 8, 30), ["a"], n=1), {"away": RATE})
    z = np.array([0.4, -0.3, 0.2])
    rate = joint.theta(z)[joint.names.index("away")]
    ((y, slopes),) = log_slopes(joint, z).values()
    hours = np.array([1.0, 8.0, 30.0])
    np.testing.assert_allclose(y, np.log(100.0) - rate * hours, rtol=1e-9)
    np.testing.assert_allclose(slopes[:, 0], -0.7 * rate * hours, rtol=1e-6)  # sigma of RATE
    found = expected(joint).slopes
    first = found[found["parameter"] == "away"]
    np.testing.assert_allclose(first["coefficient"], -0.7 * 0.05 * hours, rtol=1e-6)
    assert list(first["hours"]) == [1, 8, 30]


def test_a_truth_can_be_asked_about(tmp_path):
    joint = matched(tmp_path, organ_rows((1, 8, 30), ["a"], n=1), {"away": RATE}, noise=1e-4)
    z = np.array([0.8, 0.0, 0.0])
    slopes = -0.7 * 0.05 * np.exp(0.7 * 0.8) * np.array([1.0, 8.0, 30.0])
    exact = 1.0 / np.sqrt(1.0 + (slopes**2).sum() / (SPREAD**2 + MISFIT**2))
    assert expected(joint, about=z).contraction("away") == pytest.approx(exact, rel=1e-4)
    np.testing.assert_array_equal(expected(joint, about=0.0 * z).covariance, expected(joint, draws=0).covariance)


def test_the_information_is_that_of_simulated_scores(tmp_path):
    rows = [row(1, animal="x"), row(1, animal="y"), row(1, animal="z"), row(20, n=3), row(20, animal="u")]
    joint = matched(tmp_path, rows, {"away": RATE, "volume": VOLUME}, observed=CONCENTRATION)
    point = next(points(joint, np.zeros((1, len(joint.free)))))
    size = len(joint.free)
    information = np.linalg.inv(point.covariance(range(size))) - np.eye(size)

    def density(z, y):
        (centre, _), *_ = log_slopes(joint, z).values()
        return multivariate_normal.logpdf(y, centre, noise_of(joint, joint.theta(z), centre))

    rng = np.random.default_rng(5)
    y = rng.multivariate_normal(point.log_percent, point.noise, 40_000)
    steps = 1e-4 * np.eye(size)
    scores = np.stack([(density(step, y) - density(-step, y)) / 2e-4 for step in steps])
    scale = np.sqrt(np.diag(information))
    np.testing.assert_allclose(np.cov(scores) / np.outer(scale, scale), information / np.outer(scale, scale), atol=0.04)


def test_sds_beside_means_teach_the_spread(tmp_path):
    plain, told = (matched(tmp_path, [row(1, n=5, **more), row(9, n=9, **more)], {"away": FIXED, "volume": VOLUME},
                           observed=CONCENTRATION) for more in ({}, {"sd": 1}))  # fmt: skip
    precision = [1.0 / expected(joint, draws=0).contraction("spread") ** 2 for joint in (plain, told)]
    # variance of log(SD) of n animals is 1 / (2 (n - 1)), sigma of the prior is 0.5; the misfit weakens it a little
    assert precision[1] - precision[0] == pytest.approx(0.25 * 2 * (4 + 8), rel=0.02)


@pytest.mark.parametrize("limit", [-6.0, -1.0, 0.0, 1.5, 4.0])
def test_information_that_a_limit_leaves(limit):
    # mean square of the score: x above the limit, -phi/Phi below it
    above = quad(lambda x: x**2 * norm.pdf(x), limit, np.inf)[0]
    below = norm.pdf(limit) ** 2 / norm.cdf(limit)
    assert censored(np.array([limit]))[0] == pytest.approx(above + below, rel=1e-6)
    p = norm.cdf(limit)
    assert answered(np.array([limit]))[0] == pytest.approx(norm.pdf(limit) ** 2 / (p * (1 - p)), rel=1e-6)


def test_rows_that_say_less_than_a_number(tmp_path):
    nothing = {"animal": "x", "value": ""}
    rows = [row(1, animal="x"), row(2, low=0, high=6, **nothing), row(3, low=4, high=6, **nothing),
            row(4, n=4, value="", low=4, high=6), row(5, below_lloq="true", lloq=3, **nothing),
            row(6, n=4, value="", low=0, high=6)]  # fmt: skip
    joint = matched(tmp_path, rows, {"away": FIXED, "volume": VOLUME}, observed=CONCENTRATION)
    lloq, high = (joint.counts.table[name].to_numpy(float) for name in ("lloq", "high"))
    log_percent = np.log(np.where(np.isfinite(high), high, 1e-3))  # just at the bounds
    log_percent[4] = np.log(lloq[4]) + 9.0  # far above
    own = np.diag(noise_of(joint, joint.theta(np.zeros(len(joint.free))), log_percent)) - MISFIT**2
    width = np.log(1.5) ** 2 / 12
    np.testing.assert_allclose(own / SPREAD**2, [1, np.pi / 2, 1 + width / SPREAD**2, 0.5, 1, 1], rtol=1e-6)


def test_readings_scatter_as_a_laboratory_would_find_them(tmp_path):
    signals = readings()
    rows = [row(hour, animal="x", unit="percent_dose") for hour in range(1, 6)]
    joint = matched(tmp_path, rows, {"away": RATE})
    joint = replace(joint, counts=replace(joint.counts, signals=signals))
    percent = np.empty(5)
    percent[signals.rows] = [90.0, 70.0, 60.0, 40.0, 150.0]  # all clear of their noise
    noise = noise_of(joint, joint.theta(np.zeros(3)), np.log(percent))
    rng = np.random.default_rng(7)
    u = unknowns(signals, rng.standard_normal((60_000, 4)))
    held = percent * np.exp(np.hypot(SPREAD, MISFIT) * rng.standard_normal((len(u), 5)))
    seen = replicates(signals, u, held[:, signals.rows], rng)
    found = np.empty((5, 5))
    found[np.ix_(signals.rows, signals.rows)] = np.cov(np.log(seen.T))
    scale = np.sqrt(np.diag(noise))
    np.testing.assert_allclose(found / np.outer(scale, scale), noise / np.outer(scale, scale), atol=0.03)


@pytest.mark.parametrize("cosine", [0.0, 0.9, -0.999])
def test_the_index_of_two_columns(cosine):
    columns = np.array([[2.0, 5.0 * cosine], [0.0, 5.0 * np.sqrt(1.0 - cosine**2)]])
    assert collinearity(columns) == pytest.approx(1.0 / np.sqrt(1.0 - abs(cosine)), rel=1e-9)


def test_a_column_of_nothing_and_one_that_follows_have_no_end():
    assert collinearity(np.array([[1.0, 0.0], [2.0, 0.0]])) == np.inf
    assert collinearity(np.array([[1.0, 2.0], [2.0, 4.0]])) == np.inf


@pytest.mark.parametrize(("sd", "word"), [(0.49, "learned"), (0.5, "half learned"), (0.8, "not learned")])
def test_words(sd, word):
    assert how_much(sd) == word


def test_a_single_animal_is_allowed_for_and_not_told_of(linear):
    deviation = replace(linear.free[0], name="animal:x:volume")
    joint = replace(linear, estimated=(*linear.estimated, deviation))
    found = expected(joint)
    assert found.contraction("animal:x:volume") == pytest.approx(1.0)
    assert set(found.table["parameter"]) == {p.name for p in linear.free}
    assert "animal:x:volume" not in {*found.pairs["other"], *found.slopes["parameter"], *structure(joint).parameters}


@pytest.mark.parametrize("word", ["zhuang", "barone", "boeckmann"])
def test_every_kind_of_study_can_be_asked(shipped, word):
    joint = shipped(word)
    found = expected(joint, draws=2)
    assert list(found.names) == [p.name for p in joint.free]
    assert (np.linalg.eigvalsh(found.covariance) <= 1.0 + 1e-9).all()
    assert np.isfinite(found.slopes["coefficient"]).all()
