"""Models compared on made-up densities: the table against its definitions and ArviZ, the words against the table."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import arviz as az
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pbpk.assay.counts import count_cells
from pbpk.assay.holdout import units_of
from pbpk.assay.study import read_study
from pbpk.body.expansion import read_model
from pbpk.errors import StudyError
from pbpk.infer.comparison import compare as room
from pbpk.infer.comparison.compare import (
    AGAINST,
    AS_WELL,
    BEST,
    CHANCE,
    COLUMNS,
    LEANING,
    Judged,
    compare,
    compared,
    ruled_out,
)
from pbpk.infer.comparison.loo import LeftOut, described
from pbpk.infer.comparison.stacking import _as_elpd, stacking_weights
from pbpk.infer.density.likelihood import build
from pbpk.infer.matched.joint import join

DATA = Path(__file__).parents[3] / "data"
T_CELLS = "khot_2019_t_cells_mouse"
RIVALS = ("no_release", "no_label_transfer")


@pytest.fixture(scope="module")
def counts():
    return count_cells(read_study(DATA / T_CELLS))


@pytest.fixture(scope="module")
def models():
    return [read_model("t_cell", label="51Cr"), *(read_model(f"t_cell:{name}", label="51Cr") for name in RIVALS)]


@pytest.fixture
def judge(counts):
    """A model with made-up densities of the study's units."""
    units = np.array(list(dict.fromkeys(units_of(counts).tolist())))

    def made(name, elpd, k=0.1, of=counts, units=units, **more):
        given = {"refitted": (), "unsettled": (), "converged": True} | more
        elpd = np.broadcast_to(np.asarray(elpd, dtype=float), units.shape)
        return Judged(name, f"about {name}", of, units, elpd, np.broadcast_to(k, units.shape), 7.5, **given)

    return made


def test_the_table_is_what_its_columns_say_and_what_arviz_says(judge):
    rng = np.random.default_rng(1)
    elpd = np.array([-30.0, -28.0, -33.0])[:, np.newaxis] + rng.normal(0.0, 1.0, (3, 5))
    found = compared([judge(name, row) for name, row in zip("abc", elpd, strict=True)])
    table = found.table.set_index("model")
    assert list(found.table.columns) == COLUMNS
    assert list(table.index) == ["b", "a", "c"]
    theirs = az.compare({name: _as_elpd(row) for name, row in zip("abc", elpd, strict=True)}, round_to="none")
    few = np.sqrt(5 / 4)  # ArviZ divides a variance by n, the paper by n - 1
    for ours, other, factor in (("elpd", "elpd", 1.0), ("difference", "elpd_diff", 1.0), ("se", "se", few),
                                ("difference_se", "dse", few)):  # fmt: skip
        assert table[ours].to_numpy() == pytest.approx(theirs.loc[table.index, other].to_numpy() * factor, rel=1e-9)
    assert table.loc[list("abc"), "weight"].to_numpy() == pytest.approx(stacking_weights(elpd))
    assert table["effective"].tolist() == [7.5] * 3
    each = found.by_unit
    assert len(each) == 15
    assert each.groupby("model")["elpd"].sum().to_dict() == pytest.approx(table["elpd"].to_dict())


def test_words_follow_the_numbers(judge):
    off = np.array([0.0, 1.0, -1.0, 2.0, -0.5])
    found = compared([judge("t:a", -10.0 + off), judge("t", -10.0), judge("t:c", -20.0 + off)])
    said = found.sentences
    assert said[0].startswith("the full model predicts left-out animals as well as a: difference 1.5 ± ")
    assert said[0].endswith("the data do not choose.")
    assert said[1].startswith("c predicts left-out animals worse than a: difference 50.0 ± 0.0;")
    assert any(each.startswith("5 animals, or groups at an hour, were left out in turn: so few") for each in said)
    assert said[-1].startswith("Weights by stacking: a ")
    wide = compared([judge("t", 0.0), judge("t:c", [-60.0, 40.0, -5.0, 0.0, 0.0])]).sentences
    assert "the data do not choose" in wide[0]  # a large difference that one animal makes


def test_a_few_hours_that_a_model_cannot_foretell_speak_against_it(judge):
    """Where a standard error over unlike hours hides what two of them say: 60 ± 36, by the arithmetic of a design."""
    off = np.array([-35.0, -22.0, -2.0, -1.0, 0.0])
    found = compared([judge("t:a", 0.0, by="hour"), judge("t:b", off, by="hour")])
    row = found.table.set_index("model").loc["t:b"]
    assert -row["difference"] < 2.0 * row["difference_se"]
    assert row["against"] == pytest.approx(35.0 - np.log(5.0), abs=1e-5)
    assert row["verdict"] == AGAINST
    assert found.sentences[0].startswith("b predicts left-out hours worse than a: difference 60.0 ± ")
    assert not any("More animals" in each for each in found.sentences)
    doubted = compared([judge("a", 0.0), judge("b", off, k=np.array([0.9, 0.1, 0.1, 0.1, 0.1]))])
    assert doubted.table["verdict"].tolist() == [BEST, LEANING]  # importance weights made the 35


def test_that_data_cannot_tell_is_said_in_words(judge):
    found = compared([judge("t:a", 0.0, by="hour"), judge("t:b", [-4.0, -2.5, 0.5, 0.0, 0.5], by="hour"),
                      judge("t:c", [-1.0, 1.0, -0.3, 0.0, 0.0], by="hour")])  # fmt: skip
    assert found.table["verdict"].tolist() == [BEST, AS_WELL, LEANING]
    assert found.sentences[0].startswith("c predicts left-out hours as well as a: difference 0.3 ± ")
    assert found.sentences[1].startswith("b predicts left-out hours less well than a, but not beyond doubt: ")
    assert all(each.endswith("the data do not choose.") for each in found.sentences[:2])
    assert found.sentences[2].startswith("More animals at these hours would not tell them apart")
    assert found.sentences[3].startswith("5 hours, each with all animals seen then, were left out in turn")


@given(
    off=arrays(float, st.tuples(st.integers(2, 4), st.integers(2, 6)), elements=st.floats(-3.0, 3.0)),
    seed=st.integers(0, 2**32 - 1),
)
def test_a_model_that_made_the_values_is_seldom_spoken_against(off, seed):
    """Units as the last model draws them, the others off by any amounts: its e-value is above 1/p in less than p."""
    rng, sets = np.random.default_rng(seed), 4000
    y = rng.standard_normal((sets, off.shape[1]))
    logs = -0.5 * (y[:, np.newaxis] - off) ** 2
    e = np.exp(logs + 0.5 * y[:, np.newaxis] ** 2).mean(axis=2).max(axis=1)
    for chance in (CHANCE, 0.05):
        wrong = np.mean(e >= len(off) / chance)
        assert wrong <= chance + 5.0 * np.sqrt(chance / sets)


def test_what_cannot_be_trusted_is_said(judge):
    k = np.array([0.1, 0.9, 0.1, 0.1, 0.1])
    found = compared([judge("a", -1.0, k), judge("b", -2.0, converged=False)])
    unit = judge("a", -1.0).units[1]
    assert f"a: importance sampling cannot be trusted for {unit}; fit again without them." in found.sentences
    assert "b: its chains do not agree, so its numbers are not to be used." in found.sentences
    assert found.table["high_k"].tolist() == [1, 0]
    again = compared([judge("a", -1.0, k, refitted=(unit,), unsettled=(unit,)), judge("b", -2.0)])
    assert not any("cannot be trusted" in each for each in again.sentences)
    assert f"a: the chains of the fits without {unit} do not agree." in again.sentences
    assert again.table["converged"].tolist() == [False, True]
    assert again.by_unit["refitted"].sum() == 1


def test_other_values_are_refused(judge, counts):
    fewer = replace(counts, table=counts.table.iloc[1:].reset_index(drop=True))
    rows = len(counts.table)
    with pytest.raises(
        StudyError, match=rf"a and b were asked of other values \({rows} and {rows - 1} rows\); fit both"
    ):
        compared([judge("a", -1.0), judge("b", -1.0, of=fewer)])
    other = replace(counts, table=counts.table.assign(percent=counts.table["percent"] * 1.01))
    with pytest.raises(StudyError, match="rows that differ"):
        compared([judge("a", -1.0), judge("b", -1.0, of=other)])
    same = replace(counts, table=counts.table.copy())
    assert len(compared([judge("a", -1.0), judge("b", -1.0, of=same)]).table) == 2


def test_one_model_or_one_unit_is_no_comparison(judge, counts, models):
    with pytest.raises(StudyError, match="two models or more"):
        compared([judge("a", -1.0)])
    with pytest.raises(StudyError, match="two models or more, each once"):
        compare([models[0], models[0]], counts)
    with pytest.raises(StudyError, match="nothing to predict it from"):
        compared([judge(name, -1.0, units=np.array(["x"])) for name in "ab"])


@pytest.fixture
def fitted(monkeypatch):
    """`compare` without fits: each model has its densities, and units whose weights cannot be trusted."""
    calls, bad = [], {}

    def learn(model, counts, seed, progress, **settings):
        calls.append(("fit", model.name, settings))
        joint = SimpleNamespace(counts=counts, model=model)
        return SimpleNamespace(joint=joint, diagnostics=SimpleNamespace(passed=True))

    def leave(posterior, progress, by):
        progress(1, 1) if progress else None
        units = described(posterior.joint.counts, by)
        k = np.isin(np.arange(len(units)), bad.get(posterior.joint.model.name, ())) * 1.0
        return LeftOut(units, np.full(len(units), -10.0), k, 5.0)

    def refit(model, counts, folds, seed, units, progress, learn, by, **settings):
        calls.append(("refit", model.name, units))
        table = described(counts, by)
        table = table if units is None else table[table["unit"].isin(units)]
        return LeftOut(table, np.full(len(table), -12.0), np.full(len(table), np.nan), np.nan)

    monkeypatch.setattr(room, "left_out", leave)
    monkeypatch.setattr(room, "kfold", refit)
    return learn, calls, bad


def test_units_that_cannot_be_trusted_are_left_out_in_refits(fitted, models, counts):
    learn, calls, bad = fitted
    bad["t_cell:no_release"] = (1, 3)
    told = []
    found = compare(models, counts, progress=lambda *step: told.append(step[0]), learn=learn, draws=50)
    units = list(dict.fromkeys(units_of(counts).tolist()))
    assert [call for call in calls if call[0] == "refit"] == [("refit", "t_cell:no_release", (units[1], units[3]))]
    row = found.table.set_index("model").loc["t_cell:no_release"]
    assert (row["elpd"], row["refitted"], row["high_k"]) == (-10.0 * 3 - 12.0 * 2, 2, 2)
    assert row["effective"] == pytest.approx(9.0)  # it predicts 4 less than importance sampling thought
    assert row["about"] == models[1].rivals["no_release"].about
    assert calls[0] == ("fit", "t_cell", {"draws": 50})
    assert "t_cell:no_release: leaving out" in told


def test_where_too_many_cannot_be_trusted_all_models_take_the_same_folds(fitted, models, counts):
    learn, calls, bad = fitted
    bad["t_cell"] = (0, 1, 2)
    found = compare(models, counts, folds=2, learn=learn)
    assert [call[1:] for call in calls if call[0] == "refit"] == [(model.name, None) for model in models]
    assert found.table["elpd"].tolist() == [-60.0] * 3
    calls.clear()
    compare(models, counts, folds=2, refit=False, learn=learn)
    assert not any(call[0] == "refit" for call in calls)


def test_hours_are_left_out_where_animals_share_them(fitted, models, counts):
    learn, calls, bad = fitted
    table = counts.table.reset_index(drop=True)
    both = replace(counts, table=pd.concat([table.assign(animal=a) for a in "ab"], ignore_index=True))
    bad["t_cell"] = (2,)
    hours = [f"iv at {hour:g} h" for hour in dict.fromkeys(table["hours"])]
    found = compare(models[:2], both, learn=learn)
    assert found.by_unit["unit"].unique().tolist() == hours
    assert [call[2] for call in calls if call[0] == "refit"] == [(hours[2],)]
    asked = compare(models[:2], both, learn=learn, leave="animal")
    assert asked.by_unit["unit"].unique().tolist() == ["iv: a", "iv: b"]
    assert "hours" not in asked.sentences[0]


LIVE = {"group": "iv", "organ": "blood", "hours": 24, "value": 0.1, "unit": "percent_dose", "readout": "live",
        "animal": "m1"}  # fmt: skip


def test_a_value_where_a_model_has_nothing_rules_it_out(fitted, models, write_joint):
    learn, calls, _ = fitted
    rows = [LIVE, LIVE | {"organ": "lung", "animal": "m2", "value": 20.0}]
    counts = write_joint(T_CELLS, rows, [{"group": "iv", "hours": 0, "cells": 1e6, "route": "iv"}]).counts
    why = "it says that there is nothing in `blood` (live) at 24 h, where 0.1 % was measured"
    assert ruled_out(join(models[1], counts)) == why
    assert ruled_out(join(models[0], counts)) == ""
    found = compare(models[:2], counts, learn=learn)
    assert f"no_release is ruled out: {why}." in found.sentences
    assert found.table["weight"].tolist() == [1.0, 0.0]
    assert found.table["elpd"].iloc[1] == -np.inf
    assert [name for kind, name, _ in calls] == ["t_cell"]


def test_a_limit_where_a_model_has_nothing_cannot_be_fitted(models, write_joint):
    rows = [LIVE | {"value": "", "below_lloq": "true", "lloq": 0.1}]
    counts = write_joint(T_CELLS, rows, [{"group": "iv", "hours": 0, "cells": 1e6, "route": "iv"}]).counts
    with pytest.raises(StudyError, match="nothing has no logarithm: leave it out"):
        ruled_out(join(models[1], counts))


SAMPLED = ["no_label_transfer", *(pytest.param(name, marks=pytest.mark.proof) for name in
                                 ("loss_in_lung_only", "loss_in_liver_only", "no_release"))]  # fmt: skip


@pytest.mark.parametrize("name", SAMPLED)
def test_a_rival_can_be_sampled(counts, name):
    """Its log-density and the gradient the sampler takes are numbers, and agree, though some rates are nothing."""
    joint = join(read_model(f"t_cell:{name}", label="51Cr"), counts)
    model = build(joint)
    value, slope = (f(mode="FAST_COMPILE") for f in (model.compile_logp, model.compile_dlogp))
    z = 0.3 * np.random.default_rng(4).standard_normal(len(joint.free))
    found, step = slope({"z": z}), 1e-5
    assert np.isfinite(found).all()
    for i in range(0, len(z), 7):
        at = np.eye(len(z))[i] * step
        expected = (value({"z": z + at}) - value({"z": z - at})) / (2.0 * step)
        assert found[i] == pytest.approx(expected, rel=1e-4, abs=1e-4)
