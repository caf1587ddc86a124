"""A scenario asked of some subjects of a population: what each is given, its curves, its endpoints, and their sums."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pbpk.body.solve import Array
from pbpk.errors import ScenarioError
from pbpk.predict.endpoint import Endpoint, hours_for
from pbpk.predict.forecast import PERCENT, in_organs, places, states_at
from pbpk.predict.origin import Origin
from pbpk.predict.population.people import BLOCK, People, Subjects
from pbpk.predict.population.tally import NOTHING, Moments, Tally
from pbpk.predict.scenario import KG, Scenario

PORTION = 128  # subjects that are solved together: their states stay in the cache of a core
SEEN = 12  # subjects of the first block whose curves are always kept


@dataclass(frozen=True)
class Block:
    """What some subjects gave.

    subjects : (subject,) columns of the table of subjects; endpoints : (subject, endpoint)
    curves : (subject kept, time, organ, state), as 32 bits
    """

    number: int
    moments: Moments
    subjects: dict[str, Any]
    endpoints: Array
    curves: NDArray[np.float32]


@dataclass(frozen=True)
class Plan:
    """A scenario, the people it is asked of, and what is wanted.

    hours : (time,) at which they are followed, told : (time,) whether an hour is one of the answer
    cells : given where the scenario does not say, None for a percentage of the dose
    curves : all curves are kept
    """

    people: People
    scenario: Scenario
    size: int
    hours: Array
    told: NDArray[np.bool_]
    organs: tuple[str, ...]
    states: tuple[str, ...]
    endpoints: tuple[Endpoint, ...]
    cells: float | None
    standing: tuple[str, ...] = ()
    curves: bool = False

    @property
    def blocks(self) -> int:
        """How many blocks there are."""
        return -(-self.size // BLOCK)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Hours, organs and states with their total, of the cells of a tally."""
        return int(self.told.sum()), len(self.organs), len(self.states) + 1

    @property
    def is_known(self) -> bool:
        """True where the dose is a number of cells and not a percentage."""
        return self.cells is not None or self.scenario.cells_per_kg is not None or self.scenario.cells is not None

    @property
    def expected(self) -> float:
        """What a subject of median weight is given."""
        return float(self.given(np.array([float(each.weight.centre) for each in self.people.sorts])).mean())

    def given(self, weight: Array) -> Array:
        """What subjects of these weights (subject,) [g] are given, (subject,)."""
        if self.scenario.cells_per_kg is not None:
            return self.scenario.cells_per_kg * weight * KG
        return np.full(weight.size, self.scenario.cells or self.cells or PERCENT)

    def tally(self) -> Tally:
        """Empty tally: hours x organs x states, then the endpoints."""
        dose, last = self.expected, float(self.hours[-1])
        ends = {"AUC": dose * last, "residence": last, "Tmax": last}
        return Tally.about(np.array([dose] * int(np.prod(self.shape))
                                    + [ends.get(each.measure, dose) for each in self.endpoints]))  # fmt: skip


def plan_of(
    origin: Origin,
    people: People,
    scenario: Scenario,
    size: int,
    hours: Array,
    endpoints: Sequence[Endpoint] = (),
    cells: float | None = None,
    curves: bool = False,
) -> Plan:
    """Plan a scenario, in whose animal the people are.

    Parameters
    ----------
    hours : (time,) of the answer [h]; endpoints are taken from these and those of `hours_for`

    Raises
    ------
    ScenarioError, InputError
        if the scenario does not fit the model, or an endpoint names what the answer does not have
    """
    scenario.check(people.model)
    organs, states = places(people.model, [scenario]), list(people.model.kinds)
    asked = np.asarray(hours, float)
    grid = hours_for(scenario, endpoints, asked) if endpoints else asked
    for each in endpoints:
        each.check(organs, states)
    return Plan(people, scenario, size, grid, np.isin(grid, hours), tuple(organs), tuple(states), tuple(endpoints),
                cells or origin.amount, origin.standing, curves)  # fmt: skip


def follow_block(plan: Plan, number: int, tally: Tally) -> Block:
    """Follow one block and count it in a tally.

    Raises
    ------
    ScenarioError, SolveError
        if rates depend on how many cells there are and nobody says how many, or cannot be followed
    """
    subjects = plan.people.block(number)
    size = min(BLOCK, plan.size - number * BLOCK)
    given = plan.given(subjects.weight)
    moments, endpoints, curves = NOTHING, [], []
    keep = size if plan.curves else min(SEEN, size) if number == 0 else 0
    for begin in range(0, size, PORTION):
        some = slice(begin, begin + PORTION)
        held = _held(plan, subjects, given, some, size - begin)
        found = _endpoints(plan, held, given[some][: size - begin])
        told = held[:, plan.told]
        whole = np.concatenate([told, told.sum(axis=-1, keepdims=True)], axis=-1)
        moments = moments.with_more(tally.add(np.concatenate([whole.reshape(len(whole), -1), found], axis=1)))
        endpoints.append(found)
        curves.append(told[: max(0, keep - begin)].astype(np.float32))
    sexes = np.array([each.sex for each in plan.people.sorts])
    table = {
        "subject": number * BLOCK + np.arange(size),
        "body_weight_g": subjects.weight[:size],
        "sex": sexes[subjects.sort[:size]],
        "draw": subjects.draw[:size],
        "dose": given[:size],
        "dose_got": given[:size] * subjects.got[:size],
    }
    return Block(number, moments, table, np.concatenate(endpoints), np.concatenate(curves))


def _held(plan: Plan, subjects: Subjects, given: Array, some: slice, most: int) -> Array:
    """What each subject holds, (subject, time, organ, state), of at most so many.

    Whole portions are solved, so that sums of rates and states are taken in one order whatever the size is.
    """
    model, theta, got = plan.people.model, subjects.theta[some], (given * subjects.got)[some]

    def ask(some: Array, amount: float | None) -> Array:
        how = (plan.people.names, plan.scenario, plan.hours, amount, plan.standing, plan.people.seed)
        return in_organs(model, states_at(model, some, *how), plan.organs)

    if model.switched([*plan.standing, *plan.scenario.switches]).is_linear:
        found = ask(theta, None)
        found *= (got / PERCENT)[:, np.newaxis, np.newaxis, np.newaxis]
        return found[:most]
    if not plan.is_known:
        raise ScenarioError(f"scenario `{plan.scenario.name}`: rates depend on how many cells there are; say `cells`.")
    return np.concatenate([ask(theta[i : i + 1], float(got[i])) for i in range(min(len(theta), most))])


def _endpoints(plan: Plan, held: Array, given: Array) -> Array:
    """Endpoints of each subject, (subject, endpoint), from (subject, time, organ, state)."""
    found = np.zeros((len(held), len(plan.endpoints)))
    for i, each in enumerate(plan.endpoints):
        found[:, i] = each.of(plan.hours, each.curve(held, plan.organs, plan.states), 1.0)
        if each.measure == "residence":
            found[:, i] /= given
    return found
