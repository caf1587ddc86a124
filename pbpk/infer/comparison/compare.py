"""Models compared by how well each predicts what it was not told of, on the same values.

What is left out is an hour with all animals seen at it, where animals share hours (`holdout.apart`): what a model
misses of an organ at an hour is common to them, so that any one is foretold by the others whatever the model says.

Hours are few and unlike each other, so a standard error over them counts as doubt what is design. Beside it stands what
one model says of another: had B and its priors made the values, the density of a unit under A over that under B would
be one in the mean, whatever A; and so would be the average over units, however units hang together. It is above 1/p
with a chance of less than p (e-values: Vovk & Wang 2021, Ann Stat 49:1736, doi 10.1214/20-AOS2020).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import logsumexp

from pbpk.assay.counts import OrganCounts
from pbpk.assay.holdout import By, apart
from pbpk.body.model import Model
from pbpk.body.solve import Array
from pbpk.errors import StudyError
from pbpk.infer.comparison.folds import kfold
from pbpk.infer.comparison.loo import MOST_K, LeftOut, left_out
from pbpk.infer.comparison.stacking import stacking_weights
from pbpk.infer.draws.fit import Progress, fit
from pbpk.infer.draws.posterior import Posterior
from pbpk.infer.matched.joint import Joint, join, predict_percent

# Sivula, Magnusson, Matamoros & Vehtari 2020, arXiv 2008.10296: below 4 the models predict alike, and with fewer than
# 100 units the standard error is too small to be taken at its word
ALIKE = 4.0
MANY = 100
CLEAR = 2.0  # standard errors of a difference that count
CHANCE = 0.01  # that a model which made the values is spoken against by any of the others
BEST, AS_WELL, LEANING, AGAINST, RULED_OUT = "best", "as well", "leaning against", "against", "ruled out"
NOTHING = 1e-250  # percent of the dose that no arithmetic tells from none
COLUMNS = ["model", "about", "elpd", "se", "difference", "difference_se", "effective", "high_k", "refitted", "weight",
           "converged", "against", "verdict"]  # fmt: skip


@dataclass(frozen=True)
class Judged:
    """One model and how it predicts what was left out; `elpd` is -inf where values rule it out.

    units : (unit,); elpd : (unit,); k : (unit,) Pareto k, NaN where the model was fitted again
    effective : number of effective parameters
    doubtful : units left in whose weights cannot be trusted
    refitted : units for which the model was fitted again
    unsettled : those of them whose refit did not pass the gate of convergence
    converged : whether the fit to all values passed it
    reason : why the model was not fitted, if it was not
    by : what a unit is
    """

    name: str
    about: str
    counts: OrganCounts
    units: NDArray[np.str_]
    elpd: Array
    k: Array
    effective: float
    refitted: tuple[str, ...]
    unsettled: tuple[str, ...]
    converged: bool
    reason: str = ""
    by: By = "animal"

    @property
    def doubtful(self) -> tuple[str, ...]:
        """Units whose importance weights cannot be trusted and that were not left out in a refit."""
        return tuple(unit for unit in self.units[self.k > MOST_K].tolist() if unit not in self.refitted)


@dataclass(frozen=True)
class Comparison:
    """Several models on the same values.

    table : one row for each model, best first: model, about, elpd and its SE, difference to the best with its SE,
        effective parameters, units with a Pareto k above 0.7, units fitted again, weight by stacking, converged,
        against: logarithm of the mean over units of the best one's density over its own, verdict: as in the sentences
    by_unit : one row for each model and unit: model, unit, elpd, difference to the best, k, refitted, and doubtful
        where importance weights cannot be trusted and nothing was fitted again
    sentences : what it says, in words
    """

    table: pd.DataFrame
    by_unit: pd.DataFrame
    sentences: tuple[str, ...]


def compare(
    models: Mapping[str, Model] | Sequence[Model],
    counts: OrganCounts,
    seed: int = 1,
    folds: int = 10,
    refit: bool = True,
    progress: Progress | None = None,
    learn: Callable[..., Posterior] = fit,
    leave: By | None = None,
    **settings: Any,
) -> Comparison:
    """Fit each model to the same counts and compare how they predict each hour, or animal, from all others.

    Importance sampling answers for most of them. Where it cannot be trusted the model is fitted again: without each
    such one, or, if these are more than `folds` for one model, every model in the same folds.

    Parameters
    ----------
    models : by name, or by their own names
    folds : how many refits of one model there may be
    refit : False keeps to importance sampling, whatever it is worth
    progress : as of `fit`, with the model in its words
    learn : what fits, called as `fit`
    leave : what is left out in turn, "animal" or "hour"; None for hours where animals share them
    settings : of every fit: chains, draws, tune

    Raises
    ------
    StudyError, ModelFileError
        if the counts do not fit a model, or there are fewer than two models
    """
    named = dict(models) if isinstance(models, Mapping) else {model.name: model for model in models}
    if len(named) < 2 or (not isinstance(models, Mapping) and len(named) < len(models)):
        raise StudyError("a comparison takes two models or more, each once; name them apart by commas.")
    reasons = {name: ruled_out(join(model, counts)) for name, model in named.items()}
    if all(reasons.values()):
        name, reason = next(iter(reasons.items()))
        raise StudyError(f"every model is ruled out; of {name}, {reason}.")
    by = apart(counts) if leave is None else leave
    fits: dict[str, Posterior] = {}
    found: dict[str, LeftOut] = {}
    for name, model in named.items():
        if not reasons[name]:
            tell = _told(progress, name)
            fits[name] = learn(model, counts, seed=seed, progress=tell, **settings)
            found[name] = left_out(fits[name], progress=_counted(tell), by=by)
    again: dict[str, LeftOut] = {}
    if refit:
        whole = any(len(left.doubtful) > folds for left in found.values())
        for name, left in found.items():
            if whole or left.doubtful:
                units = None if whole else left.doubtful
                tell = _told(progress, name)
                again[name] = kfold(named[name], counts, folds, seed, units, tell, learn, by, **settings)
    judged = []
    for name, model in named.items():
        about = model.rivals[model.chosen].about if model.chosen else model.about
        judged.append(
            _ruled(name, about, counts, found, reasons[name])
            if reasons[name]
            else _judged(name, about, fits[name], found[name], again.get(name))
        )
    return compared([replace(one, by=by) for one in judged])


def ruled_out(joint: Joint) -> str:
    """Sentence on a value that a model cannot hold, whatever its numbers: it says that nothing is there; else empty.

    Raises
    ------
    StudyError
        if all such values are below a limit, which the model agrees with but which cannot be fitted
    """
    percent = predict_percent(joint, joint.theta(np.zeros((1, len(joint.free)))))["dose"][0]
    rows = joint.counts.table[~(percent > NOTHING)]
    if not len(rows):
        return ""
    seen = rows[~rows["below_lloq"]]
    row = (seen if len(seen) else rows).iloc[0]
    where = f"in `{row['organ']}` ({row['readout']}) at {row['hours']:g} h"
    if not len(seen):
        raise StudyError(f"{joint.study.measurements_file}: {joint.model.name} says that there is nothing {where}, as "
                         "the row below its limit does; but nothing has no logarithm: leave it out.")  # fmt: skip
    return f"it says that there is nothing {where}, where {_value(row)} was measured"


def _value(row: Any) -> str:
    return f"{row['percent']:.3g} %" if np.isfinite(row["percent"]) else f"{row['low']:.3g} to {row['high']:.3g} %"


def _ruled(name: str, about: str, counts: OrganCounts, found: Mapping[str, LeftOut], reason: str) -> Judged:
    """A model that values rule out."""
    units = next(iter(found.values())).names if found else np.array([], dtype=np.str_)
    none = np.full(len(units), np.nan)
    return Judged(name, about, counts, units, np.full(len(units), -np.inf), none, np.nan, (), (), True, reason)


def _judged(name: str, about: str, posterior: Posterior, left: LeftOut, again: LeftOut | None) -> Judged:
    """A fit with what importance sampling and refits say of each unit."""
    counts, converged = posterior.joint.counts, posterior.diagnostics.passed
    if again is None:
        return Judged(name, about, counts, left.names, left.elpd, left.pareto_k, left.effective, (), (), converged)
    elpd, refitted = left.elpd.copy(), tuple(again.names.tolist())
    elpd[[left.names.tolist().index(unit) for unit in refitted]] = again.elpd
    # what a fit knows of its own animals less what it knows of new ones: the first stays as it was
    effective = left.effective + float((left.elpd - elpd).sum())
    k, unsettled = left.pareto_k, again.unsettled
    return Judged(name, about, counts, left.names, elpd, k, effective, refitted, unsettled, converged)


def compared(judged: Sequence[Judged]) -> Comparison:
    """Compare models that were each asked of the same values.

    Raises
    ------
    StudyError
        if their values are not the same, or there are fewer than two models or units
    """
    _check_equal(judged)
    elpd = np.stack([one.elpd for one in judged])
    weights = stacking_weights(elpd)
    order = np.argsort(-elpd.sum(axis=1), kind="stable")
    best = judged[order[0]]
    n = elpd.shape[1]
    rows, parts = [], []
    for i in order:
        one, off = judged[i], elpd[i] - best.elpd
        able = bool(np.isfinite(one.elpd).all())
        rows.append({
            "model": one.name, "about": one.about, "elpd": one.elpd.sum(), "se": _se(one.elpd) if able else np.nan,
            "difference": off.sum(), "difference_se": _se(off) if able else np.nan, "effective": one.effective,
            "high_k": int((one.k > MOST_K).sum()), "refitted": len(one.refitted), "weight": weights[i],
            "converged": one.converged and not one.unsettled,
        } | dict(zip(("against", "verdict"), _verdict(one, best, len(judged) - 1), strict=True)))  # fmt: skip
        each = {"model": one.name, "unit": one.units, "elpd": one.elpd, "difference": off, "k": one.k}
        told = {"refitted": np.isin(one.units, one.refitted), "doubtful": np.isin(one.units, one.doubtful)}
        parts.append(pd.DataFrame(each | told))
    table = pd.DataFrame(rows, columns=COLUMNS)
    by_name = {one.name: one for one in judged}
    return Comparison(table, pd.concat(parts, ignore_index=True), _sentences(table, by_name, n))


def _verdict(one: Judged, best: Judged, others: int) -> tuple[float, str]:
    """What speaks against a model beside the best, as in the table, and what follows."""
    if one is best:
        return 0.0, BEST
    off = best.elpd - one.elpd
    if not np.isfinite(off).all():
        return np.inf, RULED_OUT
    against, for_it = (float(logsumexp(way) - np.log(len(off))) for way in (off, -off))
    enough, trusted = np.log(others / CHANCE), not (one.doubtful or best.doubtful)
    if off.sum() < ALIKE:
        return against, AS_WELL
    # where each of two foretells some unit that the other cannot, both are wrong and none is chosen
    spoken = trusted and against >= enough > for_it
    return against, AGAINST if spoken or off.sum() >= CLEAR * _se(off) else LEANING


def _se(elpd: Array) -> float:
    """Standard error of a sum over units: Vehtari, Gelman & Gabry 2017, Stat Comput 27:1413, eq. 24."""
    return float(np.sqrt(len(elpd) * elpd.var(ddof=1)))


def _check_equal(judged: Sequence[Judged]) -> None:
    """Refuse models that were asked of other values."""
    if len(judged) < 2:
        raise StudyError("a comparison takes two models or more.")
    first = judged[0]
    for other in judged[1:]:
        mine, theirs = first.counts, other.counts
        same = mine is theirs or (mine.denominator == theirs.denominator and mine.table.equals(theirs.table))
        if not same or not np.array_equal(first.units, other.units):
            what = f"{len(mine.table)} and {len(theirs.table)} rows" if len(mine.table) != len(theirs.table) else (
                "rows that differ")  # fmt: skip
            raise StudyError(f"{first.name} and {other.name} were asked of other values ({what}); fit both to the same "
                             "counts.")  # fmt: skip
    if len(first.units) < 2:
        raise StudyError(f"{first.counts.study.folder}: all values are of one animal, or of one group and hour; there "
                         "is nothing to predict it from.")  # fmt: skip


def _sentences(table: pd.DataFrame, judged: Mapping[str, Judged], n: int) -> tuple[str, ...]:
    """What the table says, in words."""
    best, *others = table.to_dict("records")
    short = _short(list(judged))
    first = judged[best["model"]]
    found = [_against(row, short[row["model"]], short[best["model"]], judged[row["model"]]) for row in others]
    if first.by == "hour" and any(row["verdict"] in (AS_WELL, LEANING) for row in others):
        found.append("More animals at these hours would not tell them apart, as what a model misses of an organ at an "
                     "hour is common to all of them; other hours, organs or readouts may.")  # fmt: skip
    if n < MANY:
        which = "animals, or groups at an hour," if first.by == "animal" else "hours, each with all animals seen then,"
        small = ", and rather too small" if first.by == "animal" else ""
        found.append(f"{n} {which} were left out in turn: so few that the standard errors are themselves "
                     f"uncertain{small}.")  # fmt: skip
    for name, one in judged.items():
        if one.doubtful:
            found.append(f"{short[name]}: importance sampling cannot be trusted for {', '.join(one.doubtful)}; fit "
                         "again without them.")  # fmt: skip
        if not one.converged:
            found.append(f"{short[name]}: its chains do not agree, so its numbers are not to be used.")
        if one.unsettled:
            found.append(f"{short[name]}: the chains of the fits without {', '.join(one.unsettled)} do not agree.")
    weights = [f"{short[row['model']]} {row['weight']:.2f}" for row in table.to_dict("records")]
    found.append(f"Weights by stacking: {', '.join(weights)}. They say which mixture predicts best, not which model is "
                 "true.")  # fmt: skip
    return tuple(found)


def _short(names: Sequence[str]) -> dict[str, str]:
    """Names as they are said: those of rivals alone where all are of one model, and that one the full model."""
    if len({name.partition(":")[0] for name in names}) > 1:
        return {name: name for name in names}
    return {name: name.partition(":")[2] or "the full model" for name in names}


def _against(row: Mapping[Any, Any], name: str, best: str, one: Judged) -> str:
    """One model against the best."""
    if one.reason:
        return f"{name} is ruled out: {one.reason}."
    told = f"difference {-row['difference']:.1f} ± {row['difference_se']:.1f}"
    said = f"{name} predicts left-out {one.by}s"
    if row["verdict"] == AS_WELL:
        return f"{said} as well as {best}: {told}; the data do not choose."
    if row["verdict"] == LEANING:
        return f"{said} less well than {best}, but not beyond doubt: {told}; the data do not choose."
    return f"{said} worse than {best}: {told}; the data speak against it."


def _told(progress: Progress | None, name: str) -> Progress | None:
    """The same, with the model in its words."""
    if progress is None:
        return None

    def tell(what: str, done: int, total: int, divergences: int) -> None:
        progress(f"{name}: {what}", done, total, divergences)

    return tell


def _counted(progress: Progress | None) -> Callable[[int, int], None] | None:
    """Progress of leaving out."""
    return None if progress is None else lambda done, total: progress("leaving out", done, total, 0)
