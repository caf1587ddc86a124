"""Criteria held against a run: the value of each, whether it is met, and a sentence that says so."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pbpk.body.solve import Array
from pbpk.errors import FilingError, InputError, did_you_mean
from pbpk.infer.matched.joint import Joint
from pbpk.predict.endpoint import Endpoint, endpoints_of, parse_endpoint
from pbpk.predict.filing.criteria import Criterion

if TYPE_CHECKING:
    from pbpk.predict.run import Run

FOLD = 2.0  # factor within which a prediction counts as near
FEW = 20  # draws of which the mass balance is checked
FIELDS = ("organ", "parameter", "scenario", "endpoint", "limit")  # what a quantity may be of


@dataclass(frozen=True)
class Kind:
    """A quantity that can be asked of a run.

    about : what it is, in one sentence
    of : fields that it must have; may : fields that it may have; unit : of its value, empty where it has none
    """

    about: str
    value: "Callable[[Criterion, Run], float]"
    of: tuple[str, ...] = ()
    may: tuple[str, ...] = ()
    unit: str = ""


@dataclass(frozen=True)
class Judged:
    """A criterion held against a run; value is not a number where the run does not tell it."""

    criterion: Criterion
    value: float
    unit: str
    passed: bool
    sentence: str


def judge(criteria: Iterable[Criterion], run: "Run") -> tuple[Judged, ...]:
    """Hold every criterion against a run, in their order; one that asks what the run does not have is not met."""
    return tuple(_judged(each, run) for each in criteria)


def judged_table(judged: Sequence[Judged]) -> pd.DataFrame:
    """One row for each criterion: id, about, quantity (in words), demand, value, unit, passed, sentence."""
    columns = ["id", "about", "quantity", "demand", "value", "unit", "passed", "sentence"]
    rows = [(j.criterion.id, j.criterion.about, j.criterion.subject, j.criterion.demand, j.value, j.unit, j.passed,
             j.sentence) for j in judged]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def check_criteria(
    criteria: Iterable[Criterion],
    organs: Iterable[str],
    parameters: Iterable[str],
    scenarios: Iterable[str] | None,
) -> None:
    """Refuse a criterion that lacks what its quantity is of, or names what is not there.

    parameters : those that are estimated
    scenarios : that will be asked; None where nobody knows yet

    Raises
    ------
    FilingError
    """
    known = {"organ": tuple(organs), "parameter": tuple(parameters)}
    if scenarios is not None:
        known["scenario"] = tuple(scenarios)
    for each in criteria:
        kind = QUANTITIES[each.quantity]
        given = [name for name in FIELDS if getattr(each, name) not in ("", None)]
        for name in kind.of:
            if name not in given:
                raise FilingError(f"criterion `{each.id}`: {each.quantity} needs its `{name}`; add it.")
        for name in given:
            if name not in (*kind.of, *kind.may):
                raise FilingError(f"criterion `{each.id}`: {each.quantity} has no `{name}`; take it out.")
            value = getattr(each, name)
            if name in known and value not in known[name]:
                what = "an organ of the model" if name == "organ" else (
                    "a parameter that is estimated" if name == "parameter" else "a scenario that is asked")  # fmt: skip
                raise FilingError(f"criterion `{each.id}`: `{value}` is not {what}.{did_you_mean(value, known[name])}")
        if each.endpoint:
            _endpoint(each)


def check_endpoints(criteria: Iterable[Criterion], organs: Sequence[str], states: Sequence[str]) -> None:
    """Refuse an endpoint of an organ or a state that no answer will have.

    organs, states : of a forecast, see `places` and `Model.kinds`

    Raises
    ------
    FilingError
    """
    for each in criteria:
        if each.endpoint:
            endpoint = _endpoint(each)
            try:
                endpoint.check(organs, states)
            except InputError as problem:
                raise FilingError(f"criterion `{each.id}`: {problem}") from None


def _endpoint(criterion: Criterion) -> Endpoint:
    try:
        return parse_endpoint(criterion.endpoint)
    except InputError as problem:
        raise FilingError(f"criterion `{criterion.id}`: {problem}") from None


def _answered(run: "Run") -> list[str] | None:
    return None if run.draws is None else [str(name) for name in run.draws["scenario"].to_numpy()]


def _judged(criterion: Criterion, run: "Run") -> Judged:
    kind, what = QUANTITIES[criterion.quantity], f"{criterion.id}: {criterion.subject}"
    try:
        check_criteria([criterion], run.joint.model.observed, run.joint.names, _answered(run))
        value = kind.value(criterion, run)
    except FilingError as problem:
        return Judged(criterion, np.nan, kind.unit, False, f"{what}: not met, for the run cannot tell it: {problem}")
    what += _limit_unit(criterion, run)
    if not np.isfinite(value):
        told = "the run does not tell it" if np.isnan(value) else "it is without bound"
        return Judged(criterion, value, kind.unit, False, f"{what}: {told}, so it is not met.")
    passed = criterion.met(value)
    said = f"{value:.4g}{f' {kind.unit}' if kind.unit else ''}"
    verdict = f"asked is {criterion.demand}: {'met' if passed else 'not met'}"
    return Judged(criterion, value, kind.unit, passed, f"{what} is {said}, {verdict}.")


def _limit_unit(criterion: Criterion, run: "Run") -> str:
    """Unit of a limit, which is that of its endpoint in the scenario."""
    if criterion.limit is None or run.draws is None:
        return ""
    amount = str(run.draws["unit"].sel(scenario=criterion.scenario).item())
    return f" {_endpoint(criterion).unit(amount)}"


def _values(criterion: Criterion, run: "Run") -> pd.DataFrame:
    """Predictions of the likeliest reading of the denominator, of one organ where one is named."""
    table = run.predictions
    table = table[table["reading"] == max(run.readings, key=lambda key: run.readings[key])]
    return table[table["organ"] == criterion.organ] if criterion.organ else table


def _inside(criterion: Criterion, run: "Run") -> float:
    inside = _values(criterion, run)["inside"].dropna()
    return float(inside.astype(bool).mean()) if len(inside) else np.nan


def _folds(criterion: Criterion, run: "Run") -> Array:
    """Logarithm of prediction over value, of values that stand clear of their noise."""
    table = _values(criterion, run)
    table = table[table["clear"].astype(bool) & (table["value"] > 0.0)]
    return np.log((table["q50"] / table["value"]).dropna().to_numpy(float))


def _average_fold(criterion: Criterion, run: "Run") -> float:
    folds = _folds(criterion, run)
    return float(np.exp(folds.mean())) if folds.size else np.nan


def _geometric_fold(criterion: Criterion, run: "Run") -> float:
    folds = _folds(criterion, run)
    return float(np.exp(np.abs(folds).mean())) if folds.size else np.nan


def _twofold(criterion: Criterion, run: "Run") -> float:
    folds = _folds(criterion, run)
    return float((np.abs(folds) <= np.log(FOLD)).mean()) if folds.size else np.nan


def _contraction(criterion: Criterion, run: "Run") -> float:
    table = run.parameters
    return float(table.loc[table["parameter"] == criterion.parameter, "contraction"].iloc[0])


def _asked(criterion: Criterion, run: "Run") -> Array:
    """Draws of an endpoint in a scenario, (draw,); empty where the scenario was not answered."""
    if run.draws is None:
        return np.zeros(0)
    chosen = run.draws.sel(scenario=[criterion.scenario])
    try:
        return endpoints_of(chosen, _endpoint(criterion))[0]
    except InputError as problem:
        raise FilingError(f"criterion `{criterion.id}`: {problem}") from None


def _width(criterion: Criterion, run: "Run") -> float:
    drawn = _asked(criterion, run)
    if not drawn.size:
        return np.nan
    low, middle, high = np.quantile(drawn, (0.025, 0.5, 0.975))
    return float((high - low) / middle) if middle > 0.0 else np.inf


def _below(criterion: Criterion, run: "Run", sign: float = 1.0) -> float:
    drawn, limit = _asked(criterion, run), np.nan if criterion.limit is None else criterion.limit
    return float((sign * drawn < sign * limit).mean()) if drawn.size else np.nan


def _above(criterion: Criterion, run: "Run") -> float:
    return _below(criterion, run, -1.0)


def mass_balance(joint: Joint, theta: Array) -> float:
    """Largest difference between what the states hold and what was given by then [% of what is given in all].

    States are those that last: what passes through the blood is in balance in a fit, and counted beside them.

    theta : (draw, estimated); not a number where every dose is at steady state, for then there is no such sum
    """
    worst = np.nan
    for experiment in joint.experiments:
        schedule = experiment.schedule
        if schedule.is_steady or np.isfinite(experiment.until):
            continue
        hours = np.asarray(experiment.hours, float)
        last = np.append(hours, (schedule.starts + schedule.durations).max() + 1.0)  # where all has been given
        states = joint.solve(experiment, theta, last)[..., : experiment.model.n_lasting].sum(axis=-1)
        amounts = experiment.percent * schedule.entry.sum(axis=-1)
        lasts = np.where(schedule.durations > 0.0, schedule.durations, 1.0)
        ran = np.where(schedule.durations > 0.0, np.clip((last[:, np.newaxis] - schedule.starts) / lasts, 0.0, 1.0),
                       last[:, np.newaxis] >= schedule.starts)  # fmt: skip
        off = np.abs(states - ran @ amounts).max() / amounts.sum()
        worst = np.nanmax([worst, 100.0 * off])
    return float(worst)


QUANTITIES: Mapping[str, Kind] = {
    "rhat_max": Kind("Largest R-hat of all parameters.", lambda _, run: run.diagnostics.max_rhat),
    "ess_min": Kind("Least effective draws of all parameters, in the bulk or in the tail.",
                    lambda _, run: min(run.diagnostics.min_ess_bulk, run.diagnostics.min_ess_tail)),
    "divergences": Kind("Number of divergent transitions.", lambda _, run: float(run.diagnostics.divergences)),
    "inside_share": Kind("Share of the values that lie inside their 95 % posterior predictive interval; of an `organ`, "
                         "or of all.", _inside, may=("organ",)),
    "geometric_mean_fold_error": Kind("exp of the mean of |ln(prediction / value)|, at best 1; of an `organ`, or of "
                                      "all.", _geometric_fold, may=("organ",)),
    "average_fold_error": Kind("exp of the mean of ln(prediction / value), 1 without bias; of an `organ`, or of all.",
                               _average_fold, may=("organ",)),
    "within_twofold_share": Kind("Share of the values from which the prediction is less than a factor of two away; of "
                                 "an `organ`, or of all.", _twofold, may=("organ",)),
    "mass_balance_residual": Kind("Largest difference between what the states of the fit hold and what was given [% of "
                                  "the dose].",
                                  lambda _, run: mass_balance(run.joint, run.posterior.theta(FEW)), unit="%"),
    "interval_width": Kind("Width of the 95 % credible interval of an `endpoint` of a `scenario`, over its median.",
                           _width, of=("scenario", "endpoint")),
    "probability_below": Kind("Probability that an `endpoint` of a `scenario` lies below a `limit`, in its unit.",
                              _below, of=("scenario", "endpoint", "limit")),
    "probability_above": Kind("Probability that an `endpoint` of a `scenario` lies above a `limit`, in its unit.",
                              _above, of=("scenario", "endpoint", "limit")),
    "contraction": Kind("SD of a `parameter` after the fit over that before, on the scale of its prior; below 0.5 it "
                        "counts as learned.", _contraction, of=("parameter",)),
}  # fmt: skip
