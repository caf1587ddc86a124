"""Folds that leave no group and hour empty, and refits of which each sees what it should."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from pbpk.assay.holdout import units_of
from pbpk.errors import StudyError
from pbpk.infer.comparison import folds as room
from pbpk.infer.comparison.folds import folds_of, kfold


def counts_of(rows):
    """As much of `OrganCounts` as folds look at; rows of group, animal, hour."""
    return SimpleNamespace(
        table=pd.DataFrame(rows, columns=["group", "animal", "hours"]), study=SimpleNamespace(folder="s")
    )


def design(groups=2, hours=(1.0, 24.0, 72.0), animals=3):
    return [(f"g{g}", f"{g}-{h:g}-{a}", h) for g in range(groups) for h in hours for a in range(animals) for _ in "ab"]


@pytest.mark.parametrize("folds", [2, 3, 5, 10])
@pytest.mark.parametrize("seed", [1, 2])
def test_every_unit_is_in_one_fold_and_no_hour_is_left_empty(folds, seed):
    counts = counts_of(design())
    parts = folds_of(counts, folds, seed)
    assert sorted(unit for part in parts for unit in part) == sorted(set(units_of(counts).tolist()))
    assert len(parts) == folds
    assert max(map(len, parts)) - min(map(len, parts)) <= 2
    own, table = units_of(counts), counts.table
    for part in parts:
        kept = table[~np.isin(own, part)]
        assert len(kept.groupby(["group", "hours"])) == 6


def test_animals_that_are_bled_again_and_again_are_spread_too():
    """Animals seen at overlapping hours: a greedy deal must still keep one of each hour."""
    rows = [
        ("g", f"m{i}", h)
        for i, hours in enumerate([(1, 24), (24, 72), (1, 72), (1, 24), (24, 72), (1, 72)])
        for h in hours
    ]
    counts = counts_of(rows)
    own = units_of(counts)
    for part in folds_of(counts, 3, 1):
        assert set(counts.table["hours"][~np.isin(own, part)]) == {1, 24, 72}


def test_the_same_seed_gives_the_same_folds():
    counts = counts_of(design())
    assert folds_of(counts, 4, 7) == folds_of(counts, 4, 7) != folds_of(counts, 4, 8)


def test_one_unit_cannot_be_divided():
    with pytest.raises(StudyError, match="in 1 folds; two of each are the least"):
        folds_of(counts_of([("g", "a", 1.0)]), 5, 1)


@pytest.fixture
def refits(monkeypatch):
    """Fits that only note what they were shown, and predict the number of units kept."""
    shown = []

    def learn(model, counts, seed, progress, **settings):
        shown.append((set(units_of(counts).tolist()), seed, settings))
        if progress:
            progress("sampling", 1, 1, 0)
        return SimpleNamespace(diagnostics=SimpleNamespace(passed=len(shown) != 2), kept=len(shown[-1][0]))

    def kept(counts, out, by):
        rows = counts.table.itertuples(index=False, name=None)
        return counts_of([row for row in rows if f"{row[0]}: {row[1]}" not in set(out)])

    def told(posterior, counts, part, seed, by):
        return np.full(len(part), -float(posterior.kept))

    monkeypatch.setattr(room, "without", kept)
    monkeypatch.setattr(room, "predicted", told)
    return learn, shown


def test_each_fold_is_predicted_by_a_fit_without_it(refits):
    learn, shown = refits
    counts, told = counts_of(design(1)), []
    found = kfold("model", counts, 3, 1, None, lambda *step: told.append(step), learn, draws=50)
    units = list(dict.fromkeys(units_of(counts).tolist()))
    assert found.names.tolist() == units
    assert np.isnan(found.pareto_k).all()
    assert not found.doubtful
    assert [len(kept) for kept, _, _ in shown] == [6, 6, 6]
    assert set.union(*(set(units) - kept for kept, _, _ in shown)) == set(units)
    assert {seed for _, seed, _ in shown} == {1}
    assert shown[0][2] == {"draws": 50}
    assert told[-1] == ("without 3/3: sampling", 1, 1, 0)
    assert set(found.unsettled) == set(units) - shown[1][0]  # the second did not converge, and that is told


def test_single_units_are_left_out_alone(refits):
    learn, shown = refits
    found = kfold("model", counts_of(design(1)), 3, 1, ["g0: 0-24-1", "g0: 0-1-0"], learn=learn)
    assert found.names.tolist() == ["g0: 0-1-0", "g0: 0-24-1"]
    assert found.elpd.tolist() == [-8.0, -8.0]
    assert len(shown) == 2


@pytest.mark.parametrize("folds", [2, 4, 10])
def test_hours_are_dealt_whole(folds):
    counts = counts_of(design())
    parts = folds_of(counts, folds, 1, "hour")
    assert sorted(unit for part in parts for unit in part) == sorted(set(units_of(counts, "hour").tolist()))
    assert len(parts) == min(folds, 6)
    assert max(map(len, parts)) - min(map(len, parts)) <= 1
