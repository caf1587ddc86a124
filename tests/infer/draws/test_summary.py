"""The tables of a fit: contraction against its definition, predictive intervals against closed forms, curves."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm, t

from pbpk.body.prior import parse_prior
from pbpk.infer.draws.posterior import PRIOR_DRAWS
from pbpk.infer.draws.summary import curves, log_variance, mean_animals, measurable, parameters, predictions, quantiles
from pbpk.infer.matched.joint import join, predict_percent

T_CELLS = "khot_2019_t_cells_mouse"
LUNG = {"group": "iv", "organ": "lung", "hours": "24", "unit": "percent_dose"}


@pytest.mark.parametrize(("scale", "word"), [(0.4, "learned"), (0.65, "half learned"), (0.95, "not learned")])
def test_how_much_was_learned(shipped, make_posterior, scale, word):
    table = parameters(make_posterior(shipped("zhuang"), scale)).set_index("parameter")
    free = table[table["learned"] != "fixed"]
    assert set(free["learned"]) == {word}
    np.testing.assert_allclose(free["contraction"], scale, rtol=0.12)
    assert list(table.index[table["learned"] == "fixed"]) == ["weight_liver"]


def test_each_parameter_is_told_beside_its_prior(fitted):
    table = parameters(fitted)
    assert list(table["parameter"]) == list(fitted.joint.names)
    row = table.set_index("parameter").loc["loss_lung"]
    draws = fitted.tree["posterior"]["loss_lung"].to_numpy().ravel()
    assert row["mean"] == pytest.approx(draws.mean())
    assert row["sd"] == pytest.approx(draws.std(ddof=1))
    assert (row["q2.5"], row["q50"], row["q97.5"]) == pytest.approx(tuple(np.percentile(draws, [2.5, 50, 97.5])))
    low, middle, high = 0.029 * np.exp(norm.ppf([0.025, 0.5, 0.975]))  # lognormal(0.029, 1) in models/msc.toml
    assert (row["prior_q2.5"], row["prior_q50"], row["prior_q97.5"]) == pytest.approx((low, middle, high))
    scores = np.log(draws / 0.029)
    assert (row["contraction"], row["shift"]) == pytest.approx((scores.std(), scores.mean()))
    assert row["unit"] == "1/h"
    assert row["rhat"] == fitted.each["loss_lung"]["rhat"]


def test_prior_draws_count_as_nothing_learned(shipped, make_posterior):
    table = parameters(make_posterior(shipped("khot"), 1.0))
    assert "learned" not in set(table["learned"])
    assert abs(table["shift"].dropna()).max() < 5 / np.sqrt(PRIOR_DRAWS)


def test_the_mean_of_the_animals_is_that_of_a_normal_given_its_value(write_joint, make_posterior):
    rows = [LUNG | {"value": 5, "n": 3}, LUNG | {"organ": "liver", "low": 1, "high": 9, "n": 4}]
    joint = write_joint(T_CELLS, rows)
    posterior = make_posterior(joint, 1e-9, draws=20_000)
    at = {row.organ: i for i, row in enumerate(joint.counts.table.itertuples())}
    theta = joint.theta(np.zeros((1, len(joint.free))))
    spread, misfit = (theta[0, joint.names.index(name)] for name in ("spread", "misfit"))
    percent = predict_percent(joint, theta)["dose"][0]
    v = np.log(1 + (np.exp(spread**2) - 1) / 3)
    # (misfit, log value) by Gauss: covariance [[m^2, m^2], [m^2, m^2 + v]], conditioned on the value
    covariance = np.array([[misfit**2, misfit**2], [misfit**2, misfit**2 + v]])
    gain = covariance[0, 1] / covariance[1, 1]
    centre = gain * (np.log(5.0) - np.log(percent[at["lung"]]) - spread**2 / 2 + v / 2)
    deviation = np.sqrt(covariance[0, 0] - gain * covariance[1, 0])
    seen = np.log(mean_animals(posterior, predict_percent(joint, posterior.theta())["dose"]) / percent) - spread**2 / 2
    assert seen[:, at["lung"]].mean() == pytest.approx(centre, abs=5 * deviation / np.sqrt(20_000))
    assert seen[:, at["lung"]].std() == pytest.approx(deviation, rel=0.03)
    np.testing.assert_allclose(seen[:, at["liver"]], 0.0, atol=1e-7)  # a range stays on the arrows


def test_without_a_misfit_the_mean_of_the_animals_is_that_of_the_arrows(write_joint, make_posterior):
    joint = write_joint(T_CELLS, [LUNG | {"value": 5, "n": 3}, LUNG | {"value": 9, "animal": "a", "hours": "48"}])
    noise = tuple(
        replace(p, prior=parse_prior("fixed(value=0)")) if p.name == "misfit" else p for p in joint.model.noise
    )
    joint = join(replace(joint.model, noise=noise), joint.counts)
    posterior = make_posterior(joint, 0.3, draws=20)
    percent, spread = (
        predict_percent(joint, posterior.theta())["dose"],
        posterior.theta()[:, [joint.names.index("spread")]],
    )
    np.testing.assert_allclose(mean_animals(posterior, percent), percent * np.exp(spread**2 / 2), rtol=1e-12)
    table = parameters(posterior).set_index("parameter")
    assert table.loc["misfit", "learned"] == "fixed"
    assert table.loc["misfit", "sd"] == 0.0


@pytest.mark.parametrize("n", [1, 3, 1000])
def test_the_scatter_of_a_mean_of_animals_holds_for_any_spread(n):
    for spread in (1e-4, 0.3, 4.9, 5.1, 20.0, 300.0):
        found = float(log_variance(np.array([spread]), np.array([float(n)]))[0])
        if spread > 26.0:  # exp(spread^2) is no double any more; 1 - 1/n is nothing beside it
            assert found == pytest.approx(spread**2 - np.log(n), rel=1e-15)
        else:
            assert found == pytest.approx(np.log1p(np.expm1(spread**2) / n), rel=1e-13)


def test_the_predictive_interval_is_the_log_normals(write_joint, make_posterior):
    rows = [LUNG | {"animal": "a", "value": 5}, LUNG | {"value": 5, "n": 6}, LUNG | {"low": 1, "high": 9, "n": 4}]
    joint = write_joint(T_CELLS, rows)
    # nothing is uncertain, so that the interval is that of the measured value alone
    table = predictions(make_posterior(joint, 1e-9, draws=10_000))
    theta = joint.theta(np.zeros((1, len(joint.free))))
    spread, misfit = (theta[0, joint.names.index(name)] for name in ("spread", "misfit"))
    percent = predict_percent(joint, theta)["dose"][0]
    for i, row in table.iterrows():
        n = 6 if row["n"] == 6 else 1  # the interval of a range is that of one animal
        v = np.log(1 + (np.exp(spread**2) - 1) / n)
        ends = np.exp(np.log(percent[i]) + (spread**2 - v) / 2 + np.sqrt(v + misfit**2) * norm.ppf([0.025, 0.5, 0.975]))
        np.testing.assert_allclose(row[["p2.5", "p50", "p97.5"]].astype(float), ends, rtol=0.02)
        np.testing.assert_allclose(row[["q2.5", "q50", "q97.5"]].astype(float), percent[i], rtol=1e-6)


def test_inside_says_whether_the_value_lies_in_its_interval(write_joint, make_posterior):
    joint = write_joint(T_CELLS, [LUNG | {"animal": "probe", "value": 5}])
    low, high = predictions(make_posterior(joint, 1e-9)).loc[0, ["p2.5", "p97.5"]]
    rows = [
        LUNG | {"animal": "below", "value": low * 0.7},
        LUNG | {"animal": "in", "value": (low * high) ** 0.5},
        LUNG | {"animal": "above", "value": high * 1.4},
        LUNG | {"animal": "under the limit", "below_lloq": "true", "lloq": 1},
        LUNG | {"animal": "range across the end", "low": high * 0.8, "high": high * 2},
        LUNG | {"animal": "range beyond the end", "low": high * 1.4, "high": high * 2},
    ]
    joint = write_joint(T_CELLS, rows, folder="probed")
    table = predictions(make_posterior(joint, 1e-9)).set_index("animal")["inside"]
    assert dict(table.dropna()) == {
        "below": False,
        "in": True,
        "above": False,
        "range across the end": True,
        "range beyond the end": False,
    }
    assert table.isna()["under the limit"]


def test_nineteen_of_twenty_values_drawn_from_the_model_lie_inside(write_joint, make_posterior):
    rng = np.random.default_rng(3)
    joint = write_joint(T_CELLS, [LUNG | {"animal": "probe", "value": 5}])
    theta = joint.theta(np.zeros((1, len(joint.free))))
    s = np.hypot(*(theta[0, joint.names.index(name)] for name in ("spread", "misfit")))
    values = predict_percent(joint, theta)["dose"][0, 0] * np.exp(s * rng.standard_normal(1000))
    rows = [LUNG | {"animal": f"a{i}", "value": value} for i, value in enumerate(values)]
    joint = write_joint(T_CELLS, rows, folder="many")
    inside = predictions(make_posterior(joint, 1e-9))["inside"].mean()
    assert inside == pytest.approx(0.95, abs=0.03)


def test_each_reading_of_the_denominator_has_its_rows(fitted):
    table = predictions(fitted, seed=4)
    assert list(table["reading"].value_counts().sort_index().items()) == [("dose", 4), ("recovered", 4)]
    wide = table.set_index(["reading", "organ"])["q50"]
    assert (wide["recovered"] >= wide["dose"]).all()  # what was recovered is at most the dose
    again = predictions(fitted, seed=4)
    assert again.equals(table)


def test_curves_pass_through_the_predictions(shipped, make_posterior):
    joint = shipped("khot")
    posterior = make_posterior(joint, 0.2)
    lines = curves(posterior, draws=posterior.theta().shape[0], points=400)
    data = predictions(posterior)
    assert set(zip(lines["organ"], lines["readout"], strict=True)) == set(
        zip(data["organ"], data["readout"], strict=True)
    )
    assert lines["hours"].max() == pytest.approx(336 * 1.1)
    for row in data[data["hours"] > 0].itertuples():
        line = lines[lines["organ"] == row.organ]
        there = np.interp(np.log(row.hours), np.log(line["hours"]), line["q50"])
        assert there == pytest.approx(row.q50, rel=0.01)
    assert (lines["q2.5"] <= lines["q50"]).all()
    assert (lines["q50"] <= lines["q97.5"]).all()


def test_quantiles_are_those_of_the_draws():
    found = quantiles(np.arange(1001.0)[:, np.newaxis] * [1.0, 2.0])
    assert {name: list(value) for name, value in found.items()} == {
        "q2.5": [25.0, 50.0],
        "q50": [500.0, 1000.0],
        "q97.5": [975.0, 1950.0],
    }


def test_values_of_single_animals_scatter_as_students_where_errors_are(write_joint, make_posterior):
    """The same draws, normal and Student's: the tails of a single animal are those of t with 4 degrees of freedom."""
    lung = {"group": "iv", "organ": "lung", "hours": 24, "unit": "percent_dose", "readout": "label", "value": 10}
    rows = [lung | {"animal": "a"}, lung | {"animal": "b"}]
    joint = write_joint("khot_2019_t_cells_mouse", rows, edits=[("[product]", 'errors = "student"\n\n[product]')])
    assert joint.nu == 4.0
    posterior = make_posterior(joint, scale=1e-9, draws=20_000)
    theta = posterior.theta()
    spread, misfit = (theta[0, joint.names.index(name)] for name in ("spread", "misfit"))
    percent = np.full((len(theta), 2), 10.0)
    off = np.log(measurable(posterior, theta, percent, np.random.default_rng(1))[:, 0] / 10.0)
    expected = spread * t(4).rvs(200_000, random_state=2) + misfit * norm().rvs(200_000, random_state=3)
    for level in (0.001, 0.025, 0.25, 0.75, 0.975, 0.999):
        assert np.quantile(off, level) == pytest.approx(np.quantile(expected, level), rel=0.08)
