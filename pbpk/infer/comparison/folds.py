"""Refits without some animals: K folds, or one for each animal whose importance weights cannot be trusted."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pbpk.assay.counts import OrganCounts
from pbpk.assay.holdout import By, units_of, without
from pbpk.body.model import Model
from pbpk.errors import StudyError
from pbpk.infer.comparison.held_out import predicted
from pbpk.infer.comparison.loo import LeftOut, described
from pbpk.infer.draws.fit import Progress, fit

Fit = Callable[..., Any]


def folds_of(counts: OrganCounts, folds: int, seed: int, by: By = "animal") -> list[tuple[str, ...]]:
    """Units in so many folds of about one size.

    Units are dealt out so that a group and hour loses as few of its animals in one fold as may be: never all, where
    it has two and folds are more than one, unless animals seen at several hours leave no way.

    Raises
    ------
    StudyError
        if there are fewer than two units or folds
    """
    own = units_of(counts, by)
    units = list(dict.fromkeys(own.tolist()))
    folds = min(folds, len(units))
    if folds < 2:
        raise StudyError(f"{counts.study.folder}: {len(units)} animals, or groups at an hour, in {folds} folds; two of "
                         "each are the least.")  # fmt: skip
    hours, groups = counts.table["hours"].to_numpy(float), counts.table["group"].to_numpy()
    seen = {unit: set(zip(groups[own == unit], hours[own == unit], strict=True)) for unit in units}
    dealt: list[list[str]] = [[] for _ in range(folds)]
    shuffled = [units[i] for i in np.random.default_rng(seed).permutation(len(units))]
    # animals of one group and hour one after the other, so that they go to different folds
    for unit in sorted(shuffled, key=lambda unit: min(seen[unit])):
        among = [max(sum(cell in seen[other] for other in fold) for cell in seen[unit]) for fold in dealt]
        dealt[min(range(folds), key=lambda f: (among[f], len(dealt[f])))].append(unit)
    return [tuple(fold) for fold in dealt if fold]


def kfold(
    model: Model,
    counts: OrganCounts,
    folds: int = 10,
    seed: int = 1,
    units: Sequence[str] | None = None,
    progress: Progress | None = None,
    learn: Fit = fit,
    by: By = "animal",
    **settings: Any,
) -> LeftOut:
    """How well each unit is predicted by a fit without its fold.

    Parameters
    ----------
    folds : in how many the units are divided
    units : these only, each left out alone, in place of folds
    progress : as of `fit`, with the fold in its words
    learn : what fits, called as `fit`
    by : what a unit is, as in `units_of`
    settings : of the fits: chains, draws, tune

    Raises
    ------
    StudyError
        if there are too few units, or a fit is not possible without one
    """
    parts = folds_of(counts, folds, seed, by) if units is None else [(unit,) for unit in units]
    found: dict[str, float] = {}
    unsettled: list[str] = []  # a refit may fail where the whole did not: its draws are what there is, and it is told
    for i, part in enumerate(parts):
        tell = _told(progress, i, len(parts))
        posterior = learn(model, without(counts, part, by), seed=seed, progress=tell, **settings)
        if not posterior.diagnostics.passed:
            unsettled += part
        found |= dict(zip(part, predicted(posterior, counts, part, seed, by).tolist(), strict=True))
    table = described(counts, by)
    table = table[table["unit"].isin(list(found))].reset_index(drop=True)
    elpd = np.array([found[unit] for unit in table["unit"]])
    return LeftOut(table, elpd, np.full(len(elpd), np.nan), float("nan"), unsettled=tuple(unsettled))


def _told(progress: Progress | None, fold: int, folds: int) -> Progress | None:
    """The same, with the fold in its words."""
    if progress is None:
        return None

    def tell(what: str, done: int, total: int, divergences: int) -> None:
        progress(f"without {fold + 1}/{folds}: {what}", done, total, divergences)

    return tell
