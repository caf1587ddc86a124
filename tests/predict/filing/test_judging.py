"""The verdicts are those of the tables, recomputed by hand; nothing is met that was not computed."""

from dataclasses import replace

import numpy as np
import pytest

from pbpk.assay.counts import count_cells
from pbpk.assay.study import read_study
from pbpk.errors import FilingError
from pbpk.infer.matched.joint import join
from pbpk.predict.filing.criteria import Criterion
from pbpk.predict.filing.judging import QUANTITIES, check_criteria, judge, judged_table, mass_balance
from pbpk.predict.record import model_of


def criterion(quantity, **given):
    return Criterion(**{"id": "a", "quantity": quantity, "comparison": ">=", "threshold": 0.0} | given)


def value(run, quantity, **given):
    (found,) = judge([criterion(quantity, **given)], run)
    return found.value


def test_what_chains_say(filed):
    said = filed.run.diagnostics
    assert value(filed.run, "rhat_max") == said.max_rhat
    assert value(filed.run, "ess_min") == min(said.min_ess_bulk, said.min_ess_tail)
    assert value(filed.run, "divergences") == 0.0


@pytest.mark.parametrize("organ", ["", "liver", "lung"])
def test_how_near_the_predictions_are(filed, organ):
    table = filed.run.predictions
    if organ:
        table = table[table["organ"] == organ]
    assert value(filed.run, "inside_share", organ=organ) == table["inside"].astype(float).mean()
    folds = table["q50"] / table["value"]
    assert value(filed.run, "average_fold_error", organ=organ) == pytest.approx(np.exp(np.log(folds).mean()))
    error = value(filed.run, "geometric_mean_fold_error", organ=organ)
    assert error == pytest.approx(np.exp(np.abs(np.log(folds)).mean()))
    assert error >= 1.0
    near = ((folds >= 0.5) & (folds <= 2.0)).mean()
    assert value(filed.run, "within_twofold_share", organ=organ) == pytest.approx(near)


def test_how_much_was_learned(filed):
    table = filed.run.parameters.set_index("parameter")["contraction"]
    assert value(filed.run, "contraction", parameter="E_lung") == table["E_lung"]


def test_an_endpoint_of_a_scenario(filed):
    asked = {"scenario": "iv_bolus", "endpoint": "24h liver live"}
    forecast = filed.run.draws.sel(scenario="iv_bolus")
    hours = forecast["hours"].to_numpy()
    drawn = forecast["cells"].sel(organ="liver", state="live").isel(hours=int(np.abs(hours - 24.0).argmin())).to_numpy()
    assert np.isclose(hours, 24.0).any()
    low, middle, high = np.quantile(drawn, (0.025, 0.5, 0.975))
    assert value(filed.run, "interval_width", **asked) == pytest.approx((high - low) / middle, rel=1e-4)
    limit = float(np.quantile(drawn, 0.3))
    below = value(filed.run, "probability_below", limit=limit, **asked)
    assert below == pytest.approx((drawn < limit).mean(), abs=0.011)
    assert below + value(filed.run, "probability_above", limit=limit, **asked) == pytest.approx(1.0, abs=0.011)
    (found,) = judge([criterion("probability_below", limit=limit, **asked)], filed.run)
    assert "cells" in found.sentence  # the unit of the limit


@pytest.mark.parametrize(
    "name",
    [
        "khot_2019_t_cells_mouse",
        "zhuang_2021_fnd_msc_mouse",
        "barone_2018_fnd_rat",
        "boeckmann_1994_theophylline_human",
    ],
)
def test_cells_are_conserved_in_shipped_fits(khot_folder, name):
    study = read_study(khot_folder.parent / name)
    joint = join(model_of(study), count_cells(study))
    theta = joint.theta(np.random.default_rng(0).standard_normal((3, len(joint.free))))
    assert 0.0 <= mass_balance(joint, theta) < 1e-9


def test_a_leak_is_seen(filed, monkeypatch):
    joint = filed.run.joint
    whole = type(joint).solve
    monkeypatch.setattr(type(joint), "solve", lambda *given: 0.98 * whole(*given))
    assert mass_balance(joint, joint.theta(np.zeros((1, len(joint.free))))) == pytest.approx(2.0, abs=1e-6)


def test_what_was_not_answered_is_not_met(filed):
    run = replace(filed.run, draws=None)
    (found,) = judge([criterion("interval_width", scenario="iv_bolus", endpoint="AUC liver", threshold=-1.0)], run)
    assert np.isnan(found.value)
    assert not found.passed
    assert "the run does not tell it, so it is not met" in found.sentence


def test_an_organ_without_values_is_not_met(filed):
    unseen = sorted(set(filed.run.joint.model.observed) - set(filed.run.predictions["organ"]))[0]
    (found,) = judge([criterion("inside_share", organ=unseen)], filed.run)
    assert not found.passed


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"quantity": "inside_share", "organ": "livr"}, "`livr` is not an organ of the model. Did you mean `liver`?"),
        ({"quantity": "contraction", "parameter": "E_lnug"}, "a parameter that is estimated. Did you mean `E_lung`"),
        ({"quantity": "contraction"}, "contraction needs its `parameter`; add it"),
        ({"quantity": "rhat_max", "organ": "liver"}, "rhat_max has no `organ`; take it out"),
        ({"quantity": "interval_width", "scenario": "iv_bolus", "endpoint": "AUK liver"}, "Did you mean `AUC`?"),
        ({"quantity": "interval_width", "scenario": "iv_bolsu", "endpoint": "AUC liver"}, "Did you mean `iv_bolus`?"),
        ({"quantity": "interval_width", "scenario": "iv_bolus", "endpoint": "AUC livr"}, "Did you mean `liver`?"),
        ({"quantity": "probability_below", "scenario": "iv_bolus", "endpoint": "AUC liver"}, "needs its `limit`"),
    ],
)  # fmt: skip
def test_an_unknown_name_is_told_and_not_met(filed, given, said):
    (found,) = judge([criterion(**given)], filed.run)
    assert said in found.sentence
    assert "not met, for the run cannot tell it: criterion `a`" in found.sentence
    assert not found.passed
    assert np.isnan(found.value)


def test_scenarios_may_be_unknown_yet():
    asked = criterion("interval_width", scenario="any", endpoint="AUC liver")
    check_criteria([asked], ["liver"], [], None)
    with pytest.raises(FilingError, match="`any` is not a scenario that is asked"):
        check_criteria([asked], ["liver"], [], [])


def test_the_table_has_a_row_for_each(filed):
    given = [criterion("rhat_max", comparison="<=", threshold=1.01), criterion("ess_min", threshold=1e9)]
    table = judged_table(judge(given, filed.run))
    assert table["passed"].tolist() == [True, False]
    assert table["demand"].tolist() == ["<= 1.01", ">= 1e+09"]
    assert table["sentence"].str.endswith(("met.", "not met.")).all()
    assert list(judged_table(()).columns) == list(table.columns)


def test_each_kind_says_what_it_is():
    assert all(kind.about.endswith(".") for kind in QUANTITIES.values())
