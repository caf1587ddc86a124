"""Where the cells will be: live cells and label of the dead in every organ, over hours, with their doubt."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr

from pbpk.body.model import Model
from pbpk.body.sizing import resized
from pbpk.body.solve import Array, reached
from pbpk.errors import ScenarioError
from pbpk.predict.scenario import Scenario

DRAWS = 400
HOURS = np.unique(np.concatenate([np.geomspace(0.05, 336.0, 49), [1.0, 24.0, 48.0, 72.0, 168.0]]))
EARLY = np.array([0.0, 0.05, 1.0, 6.0, 24.0])  # after each later dose [h]
LATE = np.array([48.0, 72.0, 168.0, 336.0])  # after the last [h]
PERCENT = 100.0  # cells given where nobody said how many: the forecast is then a percentage of the dose


def simulate(
    model: Model,
    theta: Array,
    names: Sequence[str],
    scenarios: Sequence[Scenario],
    cells: float | None = None,
    hours: Array | None = None,
    seed: int = 1,
    studied: Sequence[str] = (),
    standing: Sequence[str] = (),
) -> xr.Dataset:
    """Answer scenarios with draws of the parameters, from a posterior or from a prior.

    Parameters
    ----------
    theta : (draw, parameter), names : (parameter,) what its columns are
    cells : given in scenarios that do not say how many, in the amount of the model; if nobody does, percent of the dose
    hours : (time,) [h]; two weeks from the last dose on, and closely after each, where None
    studied : routes that the data of the fit had; the others are marked as extrapolation
    standing : columns of theta that are modifiers which hold unless a scenario sets them, as `Joint.standing`

    Returns
    -------
    cells (scenario, draw, hours, organ, state) [amount of the model, or percent of the dose], state: its kinds (live,
    label); what has left the body is of the last

    Raises
    ------
    ScenarioError
        if a scenario names a route or an organ that the model does not have
    """
    columns = [list(names).index(name) for name in model.parameter_names]
    base = np.ascontiguousarray(theta[:, columns])
    organs = _places(model, scenarios)
    hours = _hours(scenarios) if hours is None else hours
    learned = {name: theta[:, list(names).index(name)] for name in standing}
    supposed = any(m.evidence == "hypothesis" for m in model.modifiers if m.name in learned)
    answers, given, evidence = [], [], []
    for scenario in scenarios:
        dose = scenario.cells or cells or PERCENT
        amounts_matter = not model.switched({**learned, **scenario.switches}).is_linear
        if dose == PERCENT and not (scenario.cells or cells) and amounts_matter:
            raise ScenarioError(f"scenario `{scenario.name}`: rates depend on how many cells there are; say `cells`.")
        changed = _resize(model, base, scenario, seed)
        states = model.solve(changed, scenario.given(dose), hours, {**learned, **scenario.switches}, "full")
        states[..., [state in model.outside and scenario.is_steady for state in model.states]] = 0.0  # without end
        answers.append(np.stack([states @ weights for weights in _observers(model, organs)], axis=-2))
        given.append(dose)
        evidence.append(_evidence(scenario, studied, supposed))
    unit = [s.cells or cells for s in scenarios]
    return xr.Dataset(
        {"cells": (("scenario", "draw", "hours", "organ", "state"), np.array(answers, dtype=np.float32))},
        coords={
            "scenario": [scenario.name for scenario in scenarios],
            "title": ("scenario", [scenario.title for scenario in scenarios]),
            "dose_cells": ("scenario", given),
            "unit": ("scenario", [model.amount if known else "percent of dose" for known in unit]),
            "evidence": ("scenario", evidence),
            "hours": hours,
            "organ": organs,
            "state": list(model.kinds),
        },
    )


def _places(model: Model, scenarios: Sequence[Scenario]) -> list[str]:
    """Where any of the doses can lead, in the model's order."""
    entry = np.zeros((1, len(model.states)))
    for scenario in scenarios:
        scenario.check(model)
        entry += model.schedule(scenario.given(1.0)).entry.sum(axis=0)
    held = {s for s, there in zip(model.states, reached(model.source_states, model.target_states, entry).states,
                                  strict=True) if there}  # fmt: skip
    if any(scenario.is_steady for scenario in scenarios):  # then what has left the body is without end
        held -= model.outside
    return [place for place in model.places if held.intersection(model.observed.get(place, (place,)))]


def _hours(scenarios: Sequence[Scenario]) -> Array:
    """Two weeks, and so long after the last dose; closely after each dose."""
    starts = {dose.hours for scenario in scenarios for dose in scenario.given(1.0) if dose.hours > 0.0}
    after = [start + EARLY for start in starts]
    last = [max(starts) + LATE] if starts else []
    return np.unique(np.concatenate([HOURS, *after, *last]))


def _evidence(scenario: Scenario, studied: Sequence[str], supposed: bool) -> str:
    """How far a scenario reaches: what the data had, another route, or a change whose size nobody measured."""
    if scenario.is_hypothesis or supposed:
        return "hypothesis"
    if studied and any(dose.route not in studied for dose in scenario.doses):
        return "extrapolation"
    return "data" if studied else "prior"


def _resize(model: Model, theta: Array, scenario: Scenario, seed: int) -> Array:
    """Parameters with every first-pass extraction moved by the size law."""
    if model.size_law is None:
        return theta
    slope = model.size_law.prior.value(np.random.default_rng(seed).standard_normal(len(theta)))
    changed = theta.copy()
    owners = {name: name.removeprefix("E_") for name in model.parameter_names if name.startswith("E_")}
    for name, organ in owners.items():
        log_ratio = scenario.log_ratio(organ)
        if log_ratio != 0.0:
            at = model.parameter_names.index(name)
            changed[:, at] = resized(theta[:, at], log_ratio, slope)
    return changed


def _observers(model: Model, organs: Sequence[str]) -> list[Array]:
    """Weights that sum states to each kind in each organ, (state, kind)."""
    weights = []
    for organ in organs:
        inside = model.observed.get(organ, (organ,))
        *others, last = model.kinds.values()
        columns = [[s in inside and s in held for s in model.states] for held in (*others, last | model.outside)]
        weights.append(np.array(columns, dtype=float).T)
    return weights


def forecast_table(forecast: xr.Dataset) -> pd.DataFrame:
    """Mean and 95 % credible interval of a forecast, one row for each scenario, organ, state and hour."""
    total = forecast["cells"].sum("state").expand_dims(state=["total"])
    everything = xr.concat([forecast["cells"], total.transpose(*forecast["cells"].dims)], dim="state")
    parts = {"mean": everything.mean("draw")}
    for level, name in ((0.025, "q2.5"), (0.5, "q50"), (0.975, "q97.5")):
        parts[name] = everything.quantile(level, "draw").drop_vars("quantile")
    table = xr.Dataset(parts).to_dataframe().reset_index()
    order = ["scenario", "title", "evidence", "organ", "state", "hours", "mean", "q2.5", "q50", "q97.5",
             "dose_cells", "unit"]  # fmt: skip
    return table[order]
