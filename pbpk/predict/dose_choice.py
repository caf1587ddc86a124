"""Dose, split and route: the most of what is wanted in one organ, while another holds no more than it may.

Each way of giving is pushed to the most cells of which the organ at risk stays under its limit in the asked share of
the draws. In a linear model both what is wanted and the burden grow with the dose, so one solution per way and draw
says all; where rates move with the amounts the dose is searched for.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import pandas as pd

from pbpk.body.model import MINUTE, Model
from pbpk.body.solve import Array
from pbpk.errors import InputError, did_you_mean
from pbpk.predict.contrast import paired
from pbpk.predict.endpoint import Endpoint, hours_for
from pbpk.predict.forecast import HOURS, hours_of, in_organs
from pbpk.predict.origin import Origin
from pbpk.predict.scenario import Scenario, ScenarioDose

USUAL_ROUTES = ("iv", "portal_vein", "artery")  # beside those that were studied
AFTER = np.array([1.0, 2.0, 5.0, 15.0, 30.0, 60.0, 120.0]) * MINUTE  # of each dose's end, where burdens peak [h]
FRONTIER, FRONTIER_MOVING = 25, 7  # doses of each way that its line is drawn with
LEAST_PART = 1e-3  # of the most cells: where a line begins
FEWEST_PART = 1e-6  # of the most cells: from where on a dose is searched for, where rates move with it
SEARCHES = 13  # halvings of its logarithm: within 0.2 %
COLUMNS = ["way", "route", "doses", "interval_h", "duration_min", "cells", "target", "target_low", "target_high",
           "burden", "burden_low", "burden_high", "burden_at_probability", "probability_under", "held_back_by",
           "probability_above_best", "evidence", "beyond"]  # fmt: skip


@dataclass(frozen=True)
class Limit:
    """What an organ may hold at once.

    cells : living cells that are arrested there [amount of the model]; probability : of the draws that must stay under
    """

    organ: str
    cells: float
    probability: float = 0.95

    def states(self, model: Model) -> list[int]:
        """Places of the states that count: lasting, in the organ, of living cells where the model tells them apart.

        Raises
        ------
        InputError
            if the model has no such organ, or nothing lasts in it
        """
        if self.organ not in model.observed:
            raise InputError(
                f"limit: `{self.organ}` is no organ of {model.name}.{did_you_mean(self.organ, model.observed)}"
            )
        living = model.kinds.get("live", frozenset(model.states))
        found = [i for i, state in enumerate(model.states[: model.n_lasting])
                 if state in model.observed[self.organ] and state in living]  # fmt: skip
        if not found:
            raise InputError(
                f"limit: nothing stays in `{self.organ}` of {model.name}; name an organ where cells arrest."
            )
        return found


@dataclass(frozen=True)
class Way:
    """One way of giving: so many equal doses by one route."""

    route: str
    doses: int = 1
    interval_h: float = 0.0
    duration_min: float = 0.0

    def __str__(self) -> str:
        """In words, as a table has it."""
        words = [self.route, "at once" if self.doses == 1 else f"{self.doses} doses {self.interval_h:g} h apart"]
        return ", ".join([*words, *([f"each over {self.duration_min:g} min"] if self.duration_min else [])])

    def scenario(self, like: Scenario, cells: float | None) -> Scenario:
        """As a scenario with the cells of another."""
        dose = ScenarioDose(route=self.route, share=1.0 / self.doses, duration_min=self.duration_min,
                            addl=self.doses - 1, interval_h=self.interval_h if self.doses > 1 else 0.0)  # fmt: skip
        return replace(like, name=str(self), title=str(self), doses=(dose,), cells=cells, cells_per_kg=None)


@dataclass(frozen=True)
class Choice:
    """What can be reached by each way of giving.

    table : one row for each way at its most cells, best first; probability_above_best of the best itself is a half
    frontier : the same at fewer cells, `best` where nothing
        else gives more of the target for less of a burden
    """

    target: Endpoint
    limit: Limit
    most: float
    amount: str
    table: pd.DataFrame
    frontier: pd.DataFrame

    @property
    def unit(self) -> str:
        """Unit of the target."""
        return self.target.unit(self.amount)

    @property
    def sentences(self) -> tuple[str, ...]:
        """What is best, by how much, and what it rests on."""
        best = self.table.iloc[0]
        first = (f"Most of {self.target}: {best['way']}, {best['cells']:.3g} {self.amount} in all, gives "
                 f"{best['target']:.3g} [{best['target_low']:.3g}, {best['target_high']:.3g}] {self.unit}; "
                 f"{self.limit.organ} stays under {self.limit.cells:.3g} arrested {self.amount} with probability "
                 f"{best['probability_under']:.2f}, held back by {best['held_back_by']}.")  # fmt: skip
        said = [first]
        if len(self.table) > 1:
            other = self.table.iloc[1]
            sure = 1.0 - other["probability_above_best"]
            said.append(f"It gives more than the next, {other['way']}, with probability {sure:.2f} "
                        f"({other['target']:.3g} at {other['cells']:.3g} {self.amount}).")  # fmt: skip
        if best["evidence"] != "data":
            words = f" ({best['beyond']})" if best["beyond"] else ""
            said.append(f"The study did not have this{words}: read it as {_article(best['evidence'])}.")
        return tuple(said)


def _article(word: str) -> str:
    return {"prior": "what the priors say", "extrapolation": "an extrapolation"}.get(word, f"a {word}")


def ways_of(
    origin: Origin,
    routes: Sequence[str] = (),
    doses: Sequence[float] = (1, 2, 3),
    intervals_h: Sequence[float] = (24.0,),
    durations_min: Sequence[float] = (0.0,),
) -> list[Way]:
    """Every combination once; the studied and the usual routes where none is named.

    Raises
    ------
    InputError
        if there is no such route, or a number that nobody can give
    """
    known = origin.model.routes
    studied = origin.studied.routes if origin.studied else ()
    chosen = list(routes) or [name for name in dict.fromkeys((*studied, *USUAL_ROUTES)) if name in known]
    for route in chosen:
        if route not in known:
            raise InputError(f"--routes: `{route}` is no route of {origin.model.name}.{did_you_mean(route, known)}")
    for what, values, can in (
        ("--doses", doses, all(n >= 1 and n == int(n) for n in doses)),
        ("--intervals", intervals_h, all(hours > 0.0 for hours in intervals_h)),
        ("--minutes", durations_min, all(minutes >= 0.0 for minutes in durations_min)),
    ):
        if not (values and can):
            told = ", ".join(f"{value:g}" for value in values) or "nothing"
            raise InputError(f"{what}: {told} cannot be given; doses are whole numbers from 1 on, hours between them "
                             "above 0, minutes at least 0.")  # fmt: skip
    found = [Way(route, int(n), interval if n > 1 else 0.0, minutes)
             for route, n, interval, minutes in product(chosen, doses, intervals_h, durations_min)]  # fmt: skip
    return list(dict.fromkeys(found))


def choose_dose(
    origin: Origin,
    ways: Sequence[Way],
    target: Endpoint,
    limit: Limit,
    most: float,
    like: Scenario | None = None,
    follow: Callable[[int, int], None] | None = None,
) -> Choice:
    """Push every way of giving to its limit and rank what they reach.

    Parameters
    ----------
    target : what is wanted, as `AUC liver live`; of amounts, so that it grows with the dose
    most : cells that can be given in all [amount of the model]
    like : scenario whose product, species and modifiers hold; only how it is given is changed
    follow : called with ways done and ways in all

    Raises
    ------
    InputError
        if the target, the limit or a number cannot be
    """
    like = like or Scenario("choice", "choice", "", ())
    there = origin.animal(like)
    held = limit.states(there.model)
    target.check(list(there.model.observed), list(there.model.kinds))
    if target.measure not in ("AUC", "Cmax", "at"):
        raise InputError(
            f"target: `{target}` does not grow with the dose; take AUC, Cmax or an hour, as `AUC liver live`."
        )
    if not (np.isfinite(most) and most > 0.0):
        raise InputError(f"--most: {most:g} cells cannot be; give a number above 0.")
    _refuse_limit(limit)
    found = []
    for i, way in enumerate(ways):
        found.append(_pushed(there, way, like, target, limit, held, most))
        if follow is not None:
            follow(i + 1, len(ways))
    order = sorted(range(len(found)), key=lambda i: -float(np.median(found[i].target)))
    ranked = [found[i] for i in order]
    rows = [_row(each, there, limit, ranked[0]) for each in ranked]
    return Choice(
        target, limit, most, there.model.amount, pd.DataFrame(rows, columns=COLUMNS), _frontier(ranked, limit)
    )


@dataclass(frozen=True)
class _Reached:
    """A way at some cells; target, burden : (draw,); line : cells, target and burden of fewer cells."""

    way: Way
    scenario: Scenario
    cells: float
    target: Array
    burden: Array
    held_back: str
    line: list[tuple[float, float, float]]


def _pushed(
    origin: Origin, way: Way, like: Scenario, target: Endpoint, limit: Limit, held: list[int], most: float
) -> _Reached:
    """One way at the most cells that the limit and the supply allow."""
    hours = _grid(way.scenario(like, most), target)

    def ask(cells: float) -> tuple[Array, Array]:
        return _outcome(origin, way.scenario(like, cells), hours, target, held)

    def reached_by(burden: Array) -> float:
        return float(np.quantile(burden, limit.probability))

    linear = origin.model.switched([*like.switches, *origin.standing]).is_linear
    wanted, burden = ask(most)
    doses = np.geomspace(LEAST_PART * most, most, FRONTIER if linear else FRONTIER_MOVING).tolist()
    if linear:
        per = reached_by(burden) / most
        cells = most if per * most <= limit.cells else limit.cells / per
        line = [(d, float(np.median(wanted)) * d / most, per * d) for d in doses]
        return _Reached(way, way.scenario(like, cells), cells, wanted * cells / most, burden * cells / most,
                        "the supply" if cells == most else "the limit", line)  # fmt: skip
    line = [(d, float(np.median(w)), reached_by(b)) for d, (w, b) in ((d, ask(d)) for d in doses)]
    cells, back = most, "the supply"
    if reached_by(burden) > limit.cells:
        low, high = np.log(FEWEST_PART * most), np.log(most)
        for _ in range(SEARCHES):
            middle = (low + high) / 2.0
            low, high = (middle, high) if reached_by(ask(float(np.exp(middle)))[1]) <= limit.cells else (low, middle)
        cells, back = float(np.exp(low)), "the limit"
        wanted, burden = ask(cells)
    return _Reached(way, way.scenario(like, cells), cells, wanted, burden, back, line)


@dataclass(frozen=True)
class Burden:
    """What a scenario brings an organ with a limit.

    peak : (draw,) most arrested living cells at once; cells : given in all
    most : cells in all of which the limit holds with its probability, None where rates move with the dose
    """

    limit: Limit
    cells: float
    peak: Array
    most: float | None

    @property
    def probability_under(self) -> float:
        """Share of the draws in which the organ stays under its limit."""
        return _share_under(self.peak, self.limit)

    @property
    def interval(self) -> tuple[float, float, float]:
        """Median of the peak and its 95 % credible interval."""
        low, middle, high = (float(np.quantile(self.peak, q)) for q in (0.025, 0.5, 0.975))
        return middle, low, high


def burden_of(origin: Origin, scenario: Scenario, limit: Limit, cells: float | None = None) -> Burden:
    """Most that a scenario, given as it stands, brings at once to the organ of a limit.

    cells : given where the scenario does not say

    Raises
    ------
    InputError
        if the organ or the limit cannot be, or nobody says how many cells are given
    """
    there = origin.animal(scenario)
    held, given = limit.states(there.model), there.dose(scenario, cells)
    _refuse_limit(limit)
    if given is None:
        raise InputError(f"scenario `{scenario.name}`: a limit is a number of cells; say how many are given.")
    peak = there.states(scenario, _grid(scenario), cells=given)[..., held].sum(axis=-1).max(axis=1)
    linear = there.model.switched([*scenario.switches, *there.standing]).is_linear
    reached = float(np.quantile(peak, limit.probability))
    return Burden(limit, given, peak, given * limit.cells / reached if linear and reached > 0.0 else None)


def _refuse_limit(limit: Limit) -> None:
    if not (np.isfinite(limit.cells) and limit.cells > 0.0):
        raise InputError(f"--limit: {limit.cells:g} cells cannot be; give a number above 0.")
    if not 0.5 <= limit.probability < 1.0:
        raise InputError(f"--probability: {limit.probability:g}; give at least 0.5 and less than 1.")


def _share_under(peak: Array, limit: Limit) -> float:
    return float((peak <= limit.cells * (1.0 + 1e-9)).mean())


def _grid(scenario: Scenario, *targets: Endpoint) -> Array:
    """Hours at which a burden may peak, and two weeks after the last dose."""
    given = scenario.given(1.0)
    last = max(dose.hours for dose in given)
    after = [dose.hours + dose.duration_h + AFTER for dose in given]
    grid = hours_for(scenario, targets, np.concatenate([hours_of([scenario]), *after, last + HOURS]))
    return np.asarray(grid[grid <= last + HOURS[-1]])


def _outcome(
    origin: Origin, scenario: Scenario, hours: Array, target: Endpoint, held: list[int]
) -> tuple[Array, Array]:
    """Value of the target and peak of the burden, (draw,) each."""
    states, kinds = origin.states(scenario, hours), list(origin.model.kinds)
    curve = target.curve(in_organs(origin.model, states, [target.organ]), [target.organ], kinds)
    return target.of(hours, curve, 1.0), states[..., held].sum(axis=-1).max(axis=1)


def _row(each: _Reached, origin: Origin, limit: Limit, best: _Reached) -> dict[str, object]:
    """One way as a row of the table."""
    middle, low, high = (float(np.quantile(each.target, q)) for q in (0.5, 0.025, 0.975))
    burden = [float(np.quantile(each.burden, q)) for q in (0.5, 0.025, 0.975, limit.probability)]
    evidence, beyond = origin.reach(each.scenario, each.cells)
    return {"way": str(each.way), "route": each.way.route, "doses": each.way.doses, "interval_h": each.way.interval_h,
            "duration_min": each.way.duration_min, "cells": each.cells, "target": middle, "target_low": low,
            "target_high": high, "burden": burden[0], "burden_low": burden[1], "burden_high": burden[2],
            "burden_at_probability": burden[3],
            "probability_under": _share_under(each.burden, limit),
            "held_back_by": each.held_back,
            "probability_above_best": paired(each.target, best.target)["probability_above"],
            "evidence": evidence, "beyond": "; ".join(beyond)}  # fmt: skip


def _frontier(found: Sequence[_Reached], limit: Limit) -> pd.DataFrame:
    """Every way at many doses; `best` where no other gives at least as much for no more of a burden."""
    table = pd.DataFrame([{"way": str(each.way), "route": each.way.route, "doses": each.way.doses, "cells": cells,
                           "target": target, "burden_at_probability": burden, "allowed": burden <= limit.cells}
                          for each in found for cells, target, burden in each.line])  # fmt: skip
    order = np.lexsort((-table["target"], table["burden_at_probability"]))
    best = np.zeros(len(table), dtype=bool)
    highest = -np.inf
    for i in order:
        if table["target"].iloc[i] > highest:
            best[i], highest = True, float(table["target"].iloc[i])
    return table.assign(best=best)
