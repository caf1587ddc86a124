"""A scenario asked of a whole population: tables of curves and endpoints, and a few subjects to look at."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pbpk.body.solve import Array
from pbpk.errors import InputError
from pbpk.predict.endpoint import Endpoint
from pbpk.predict.forecast import hours_of
from pbpk.predict.origin import Origin
from pbpk.predict.population.blocks import SEEN, Block, Plan, plan_of
from pbpk.predict.population.gather import Progress, Take, gather
from pbpk.predict.population.people import people_of
from pbpk.predict.population.tally import RELATIVE_ERROR, Moments, Tally
from pbpk.predict.scenario import Scenario
from pbpk.predict.studied import TOTAL

LEVELS = {"q2.5": 0.025, "q5": 0.05, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q95": 0.95, "q97.5": 0.975}
LEAST = 2  # subjects that make a population


@dataclass(frozen=True)
class Asked:
    """What is asked of a population, beside the scenario.

    weight, sexes, physiology, what : as `people_of` takes them
    hours : (time,) [h], chosen by the doses where None; endpoints : area and peak of each organ where None
    cells : given where a scenario does not say; curves : all curves are handed on
    """

    size: int
    weight: Any = None
    sexes: tuple[str, ...] = ()
    physiology: str | Sequence[str] = "spread"
    what: str = "both"
    hours: Array | None = None
    endpoints: tuple[Endpoint, ...] | None = None
    cells: float | None = None
    curves: bool = False
    seed: int = 1


@dataclass(frozen=True)
class Answered:
    """What a population holds.

    curves : scenario, organ, state, hours -> mean, sd and quantiles over subjects
    endpoints : scenario, endpoint -> the same; some : curves of a few subjects, one row for each hour
    Quantiles are within `quantile_error` of themselves, see `tally`.
    """

    plan: Plan
    curves: pd.DataFrame
    endpoints: pd.DataFrame
    some: pd.DataFrame


def plan_population(origin: Origin, scenario: Scenario, asked: Asked) -> Plan:
    """Draw up who is asked what, in the animal of the scenario.

    Raises
    ------
    InputError, ScenarioError, SpeciesError, ModelFileError
        if it asks for what there is not
    """
    if asked.size < LEAST:
        raise InputError(f"subjects: {asked.size} make no population; ask for at least {LEAST}.")
    there = origin.animal(scenario)
    people = people_of(there, asked.physiology, asked.weight, asked.sexes, asked.what, asked.seed)
    hours = hours_of([scenario]) if asked.hours is None else np.unique(np.asarray(asked.hours, float))
    endpoints = asked.endpoints
    if endpoints is None:
        organs = [organ for organ in there.organs(scenario) if organ in there.model.observed]
        endpoints = tuple(Endpoint(measure, organ) for measure in ("AUC", "Cmax") for organ in organs)
    return plan_of(there, people, scenario, asked.size, hours, endpoints, asked.cells, asked.curves)


def ask_population(
    origin: Origin,
    scenario: Scenario,
    asked: Asked,
    take: Take | None = None,
    progress: Progress | None = None,
    threads: int | None = None,
    scheduler: Any = None,
) -> Answered:
    """Ask a scenario of a population.

    Parameters
    ----------
    take : called with each block in order, to keep what it holds of each subject
    progress, threads, scheduler : as `gather` takes them

    Raises
    ------
    InputError, ScenarioError, SpeciesError, ModelFileError, SolveError
        if it asks for what there is not, or it cannot be followed
    """
    plan = plan_population(origin, scenario, asked)
    first: list[Block] = []

    def both(block: Block) -> None:
        if not first:
            first.append(block)
        if take is not None:
            take(block)

    tally, moments = gather(plan, both, progress, threads, scheduler)
    said = _said(origin, plan)
    return Answered(plan, *_tables(plan, tally, moments, said), _some(plan, first[0]))


def _said(origin: Origin, plan: Plan) -> dict[str, Any]:
    """What is said of all rows: how far the scenario reaches where the median subject is asked."""
    there = origin.animal(plan.scenario)
    evidence, beyond = there.reach(plan.scenario, plan.expected if plan.is_known else None)
    return {
        "title": plan.scenario.title,
        "evidence": evidence,
        "beyond": "; ".join(beyond),
        "dose": plan.expected,
        "unit": there.model.amount if plan.is_known else "percent of dose",
        "subjects": plan.size,
        "quantile_error": RELATIVE_ERROR,
    }


def _tables(
    plan: Plan, tally: Tally, moments: Moments, said: dict[str, Any]
) -> tuple[pd.DataFrame, pd.DataFrame]:  # fmt: skip
    """Curves and endpoints, one row for each cell."""
    columns = {"mean": moments.mean, "sd": moments.sd}
    columns |= dict(zip(LEVELS, tally.quantiles(np.array(list(LEVELS.values()))), strict=True))
    whole = pd.DataFrame(columns)
    cells = int(np.prod(plan.shape))
    axes: list[list[Any]] = [plan.hours[plan.told].tolist(), list(plan.organs), [*plan.states, TOTAL]]
    index = pd.MultiIndex.from_product(axes, names=["hours", "organ", "state"])
    curves = whole[:cells].set_index(index).reset_index()
    curves = curves[["organ", "state", "hours", *columns]]
    endpoints = whole[cells:].reset_index(drop=True)
    endpoints.insert(0, "endpoint", [str(each) for each in plan.endpoints])
    for table in (curves, endpoints):
        table.insert(0, "scenario", plan.scenario.name)
        for name, value in said.items():
            table[name] = value
    amount = "percent_of_dose" if said["unit"] == "percent of dose" else said["unit"]
    endpoints["unit"] = [each.unit(amount) for each in plan.endpoints]
    return curves, endpoints


def _some(plan: Plan, block: Block) -> pd.DataFrame:
    """Curves of the first subjects, each as likely as any other."""
    kept = block.curves[:SEEN].astype(float)
    axes: list[list[Any]] = [list(range(len(kept))), plan.hours[plan.told].tolist(), list(plan.organs),
                             list(plan.states)]  # fmt: skip
    table = pd.DataFrame({"amount": kept.reshape(-1)}, pd.MultiIndex.from_product(
        axes, names=["subject", "hours", "organ", "state"])).reset_index()  # fmt: skip
    table.insert(0, "scenario", plan.scenario.name)
    table["dose"] = np.repeat(block.subjects["dose"][: len(kept)], int(np.prod([len(axis) for axis in axes[1:]])))
    return table
