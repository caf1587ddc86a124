"""Where the cells will be: live cells and label of the dead in every organ, over hours, with their doubt."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from pbpk.body.model import Model
from pbpk.body.sizing import resized
from pbpk.body.solve import THREADS, Array, reached
from pbpk.errors import ScenarioError
from pbpk.predict.scenario import Scenario
from pbpk.predict.studied import TOTAL, Studied

DRAWS = 400
HOURS = np.unique(np.concatenate([np.geomspace(0.05, 336.0, 49), [1.0, 24.0, 48.0, 72.0, 168.0]]))
JUST = 1e-3  # before a later dose, so that no area runs up a line to what only then enters [h]
EARLY = np.array([-JUST, 0.0, 0.05, 1.0, 6.0, 24.0])  # about each later dose [h]
LATE = np.array([48.0, 72.0, 168.0, 336.0])  # after the last [h]
PERCENT = 100.0  # cells given where nobody said how many: the forecast is then a percentage of the dose
LEVELS = {"q2.5": 0.025, "q50": 0.5, "q97.5": 0.975}


def answer(
    model: Model,
    theta: Array,
    names: Sequence[str],
    scenarios: Sequence[Scenario],
    cells: float | None = None,
    hours: Array | None = None,
    seed: int = 1,
    studied: Studied | None = None,
    standing: Sequence[str] = (),
) -> xr.Dataset:
    """Answer scenarios with draws of the parameters, from a posterior or from a prior.

    Draws are paired: the same ones answer every scenario, so that differences between scenarios are of one animal.

    Parameters
    ----------
    theta : (draw, parameter), names : (parameter,) what its columns are
    cells : given in scenarios that do not say how many, in the amount of the model; if nobody does, percent of the dose
    hours : (time,) [h]; two weeks from the last dose on, and closely after each, where None
    studied : what the data of the fit had; what lies beyond it is marked
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
    organs = places(model, scenarios)
    hours = hours_of(scenarios) if hours is None else hours
    answers, given, known, beyond, evidence = [], [], [], [], []
    for scenario in scenarios:
        amount = scenario.amount(model, cells)
        states = states_at(model, theta, names, scenario, hours, amount, standing, seed)
        answers.append(in_organs(model, states, organs).astype(np.float32))
        given.append(amount or PERCENT)
        known.append(amount is not None)
        told, words = reach_of(model, scenario, amount, studied, standing)
        evidence.append(told)
        beyond.append(words)
    dataset = xr.Dataset(
        {"cells": (("scenario", "draw", "hours", "organ", "state"), np.array(answers))},
        coords={
            "scenario": [scenario.name for scenario in scenarios],
            "title": ("scenario", [scenario.title for scenario in scenarios]),
            "dose_cells": ("scenario", given),
            "unit": ("scenario", [model.amount if each else "percent of dose" for each in known]),
            "evidence": ("scenario", evidence),
            "beyond": ("scenario", ["; ".join(words) for words in beyond]),
            "hours": hours,
            "organ": organs,
            "state": list(model.kinds),
        },
    )  # fmt: skip
    if studied is None:
        return dataset
    kinds = [*model.kinds, TOTAL]
    measured = [[(organ, state) in studied.measured for state in kinds] for organ in organs]
    dataset = dataset.assign_coords(seen=kinds)
    dataset["measured"] = (("organ", "seen"), np.array(measured, dtype=np.int8))
    return dataset.assign_attrs(studied_hours=studied.hours)


def states_at(
    model: Model,
    theta: Array,
    names: Sequence[str],
    scenario: Scenario,
    hours: Array,
    amount: float | None = None,
    standing: Sequence[str] = (),
    seed: int = 1,
) -> Array:
    """Amount in every state of the model in answer to one scenario, to all digits, (draw, time, state).

    theta : (draw, parameter), names : what its columns are; the slope of the size law is drawn where it is no column
    amount : given in all; a percentage of the dose where None

    Raises
    ------
    ScenarioError
        if rates depend on how many cells there are and nobody says how many
    """
    scenario.check(model)
    learned = {name: theta[:, list(names).index(name)] for name in standing}
    switches = {**learned, **scenario.switches}
    if amount is None and not model.switched(switches).is_linear:
        raise ScenarioError(f"scenario `{scenario.name}`: rates depend on how many cells there are; say `cells`.")
    kinetic = _resized(model, theta, names, scenario, seed)
    states = model.solve(kinetic, scenario.given(amount or PERCENT), hours, switches, "full")
    if scenario.is_steady:  # without end
        states[..., [state in model.outside for state in model.states]] = 0.0
    return np.asarray(states)


def places(model: Model, scenarios: Sequence[Scenario]) -> list[str]:
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


def hours_of(scenarios: Iterable[Scenario]) -> Array:
    """Two weeks, and so long after the last dose; closely after each dose."""
    starts = {dose.hours for scenario in scenarios for dose in scenario.given(1.0) if dose.hours > 0.0}
    after = [start + EARLY for start in starts]
    last = [max(starts) + LATE] if starts else []
    return np.unique(np.concatenate([HOURS, *after, *last]))


def before_dose(hours: Array, hour: float) -> float:
    """Hour itself, or the moment before it where a dose enters just then: a sample of that hour is taken before.

    hours : (time,) of a forecast [h]
    """
    earlier = hours[(hours < hour) & (hours >= hour - 1.5 * JUST)]
    return float(earlier[0]) if earlier.size else hour


def reach_of(
    model: Model, scenario: Scenario, amount: float | None, studied: Studied | None, standing: Sequence[str] = ()
) -> tuple[str, tuple[str, ...]]:
    """How far a scenario reaches: what the data had, beyond it, or a change whose size nobody measured; beyond what.

    amount : given in all, None where the forecast is a percentage of the dose
    """
    beyond = studied.beyond(scenario, amount) if studied else ()
    supposed = any(m.evidence == "hypothesis" for m in model.modifiers if m.name in standing)
    if scenario.is_hypothesis or supposed:
        return "hypothesis", beyond
    if studied is None:
        return "prior", beyond
    return "extrapolation" if beyond else "data", beyond


def _resized(model: Model, theta: Array, names: Sequence[str], scenario: Scenario, seed: int) -> Array:
    """Parameters of the model, (draw, parameter), with every first-pass extraction moved by the size law."""
    columns = {name: i for i, name in enumerate(names)}
    kinetic = np.ascontiguousarray(theta[:, [columns[name] for name in model.parameter_names]])
    if model.size_law is None or not scenario.resizes:
        return kinetic
    law = model.size_law
    slope = (theta[:, columns[law.name]] if law.name in columns
             else law.prior.value(np.random.default_rng(seed).standard_normal(len(theta))))  # fmt: skip
    for at, name in enumerate(model.parameter_names):
        log_ratio = scenario.log_ratio(name.removeprefix("E_")) if name.startswith("E_") else 0.0
        if log_ratio != 0.0:
            kinetic[:, at] = resized(kinetic[:, at], log_ratio, slope)
    return kinetic


def in_organs(model: Model, states: Array, organs: Sequence[str]) -> Array:
    """Amount of each kind in each organ, (draw, time, organ, kind), from (draw, time, state).

    What has left the body is of the last kind.
    """
    weights = np.zeros((len(model.states), len(organs), len(model.kinds)))
    *others, last = model.kinds.values()
    for o, organ in enumerate(organs):
        inside = model.observed.get(organ, (organ,))
        for k, held in enumerate((*others, last | model.outside)):
            weights[:, o, k] = [state in inside and state in held for state in model.states]
    whole = states @ weights.reshape(len(model.states), -1)
    return np.asarray(whole.reshape(*states.shape[:2], *weights.shape[1:]))


def forecast_table(forecast: xr.Dataset) -> pd.DataFrame:
    """Mean and 95 % credible interval of a forecast, one row for each scenario, organ, state and hour.

    beyond : what of a row the data did not have: route, dose, schedule, infusion or species of its scenario, an hour
        after the last value, an organ or a state that was not measured by itself
    """
    cells = forecast["cells"].to_numpy()  # (scenario, draw, hours, organ, state)
    whole = np.concatenate([cells, cells.sum(axis=-1, keepdims=True)], axis=-1)
    states = [*forecast["state"].to_numpy().tolist(), TOTAL]
    shape = (whole.shape[0], *whole.shape[2:])
    by_draw = np.ascontiguousarray(np.moveaxis(whole, 1, -1)).reshape(-1, whole.shape[1])
    columns = {"mean": by_draw.mean(axis=1, dtype=float)}
    columns |= dict(zip(LEVELS, _quantiles(by_draw), strict=True))
    axes: list[list[Any]] = [forecast[name].to_numpy().tolist() for name in ("scenario", "hours", "organ")]
    index = pd.MultiIndex.from_product([*axes, states], names=["scenario", "hours", "organ", "state"])
    table = pd.DataFrame(columns, index=index).reset_index()
    table["beyond"] = _beyond(forecast, states).ravel()
    for name in ("title", "evidence", "dose_cells", "unit"):
        table[name] = np.repeat(forecast[name].to_numpy(), int(np.prod(shape[1:])))
    order = ["scenario", "title", "evidence", "beyond", "organ", "state", "hours", "mean", *LEVELS, "dose_cells",
             "unit"]  # fmt: skip
    return table[order]


def _quantiles(by_draw: NDArray[np.float32]) -> Array:
    """Quantiles of each row of (row, draw), (level, row), on all threads."""
    parts = np.array_split(by_draw, THREADS)
    with ThreadPoolExecutor(THREADS) as pool:
        found = pool.map(lambda part: np.quantile(part, list(LEVELS.values()), axis=1), parts)
    return np.concatenate(list(found), axis=1)


def _beyond(forecast: xr.Dataset, states: Sequence[str]) -> np.ndarray[tuple[int, ...], np.dtype[np.object_]]:
    """What the data did not have, in words, (scenario, hours, organ, state)."""
    hours = forecast["hours"].to_numpy()
    of_scenario = [str(words) for words in forecast["beyond"].to_numpy()]
    late = hours > forecast.attrs.get("studied_hours", np.inf)
    unseen = np.zeros((forecast.sizes["organ"], len(states)), dtype=bool)
    if "measured" in forecast:
        unseen = forecast["measured"].sel(seen=list(states)).to_numpy() == 0
    found = np.empty((len(of_scenario), hours.size, *unseen.shape), dtype=object)
    for s, words in enumerate(of_scenario):
        for is_late in (False, True):
            for is_unseen in (False, True):
                told = [*([words] if words else []), *(["hours"] if is_late else []),
                        *(["not measured"] if is_unseen else [])]  # fmt: skip
                where = (late == is_late)[:, np.newaxis, np.newaxis] & (unseen == is_unseen)
                found[s][where] = "; ".join(told)
    return found
