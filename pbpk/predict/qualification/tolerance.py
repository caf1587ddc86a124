"""Solver tolerance study: the package's two arithmetics, two stiff integrators at three tolerances, closed forms.

`table` follows a course by the arithmetic of forecasts (`full`), by that of the sampler (`sampler`) and by Radau and
LSODA of scipy, whose right side is summed here arrow by arrow, and tells for each organ by how much each differs from
the forecast. Differences of the integrators must shrink as their tolerance does, which they would not if the
package's own answer were wrong.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.integrate import solve_ivp
from scipy.special import gammaincc

from pbpk.body.flows import respond_many
from pbpk.body.solve import Array, Schedule, solve
from pbpk.body.tape import run_many
from pbpk.errors import PbpkError
from pbpk.predict.qualification.checks import Check, at_most, broken
from pbpk.predict.qualification.courses import Course

METHODS = ("Radau", "LSODA")
TOLERANCES = (1e-6, 1e-8, 1e-10)
SMALL = 1e-9  # of the dose: an organ that holds less shows the absolute tolerance of the integrators
ABSOLUTE = 1e-16  # their absolute tolerance, of the dose
AGREE = 1e-6  # relative: what forecasts keep of a stiff integrator at its tightest, in every organ
GROWTH = 1e4  # what an integrator's error may grow to over a whole course, in units of its tolerance for one step
BALANCE = 1e-2  # relative: what taking the blood as in balance may cost a fit in any organ at a measured hour
CLOSED = 1e-9  # relative: what any arithmetic of the package keeps of a closed form
Flags = NDArray[np.bool_]
Places = NDArray[np.int64]
COLUMNS = ["course", "organ", "compared", "rtol", "largest", "hours"]
SCIPY = "scipy.integrate.solve_ivp; Hairer and Wanner 1996 (Radau IIA), Hindmarsh 1983 and Petzold 1983 (LSODA)"
CALCULUS = "closed form, Bateman 1910 where rates differ and Erlang 1909 where they are one"


def table(courses: Iterable[Course]) -> pd.DataFrame:
    """Largest relative difference to the forecast's arithmetic, one row for each course, organ and other way.

    compared : sampler, Radau, LSODA; rtol : of an integrator, NaN for the sampler; largest : over the larger of both;
    hours : of the difference [h]. The sampler is compared where and when something was measured.

    Raises
    ------
    SolveError
        if a course cannot be followed
    """
    rows: list[list[object]] = []
    for course in courses:
        ours = course.organs(course.states("full"))
        if len(course.measured):
            theirs = course.organs(course.states("reduced"))
            seen = {organ: ours[organ] for organ in course.seen}
            rows += _compared(course, seen, theirs, "sampler", np.nan, np.isin(course.hours, course.measured))
        if course.schedule.is_steady:
            continue
        for method in METHODS:
            for rtol in TOLERANCES:
                theirs = course.organs(integrated(course, method, rtol))
                rows += _compared(course, ours, theirs, method, rtol, np.ones(course.hours.size, dtype=bool))
    return pd.DataFrame(rows, columns=COLUMNS)


def _compared(
    course: Course, ours: dict[str, Array], theirs: dict[str, Array], name: str, rtol: float, asked: Flags
) -> Iterator[list[object]]:
    for organ, held in ours.items():
        larger = np.maximum(held, theirs[organ])
        known = asked & ~(larger <= SMALL * course.given)
        if known.any():
            off = np.abs(theirs[organ] - held)[known] / larger[known]
            worst = int(np.argmax(np.where(np.isnan(off), np.inf, off)))
            yield [course.name, organ, name, rtol, float(off[worst]), float(course.hours[known][worst])]


def of_courses(courses: Iterable[Course]) -> tuple[Check, ...]:
    """Checks of the study: the forecast in each organ, the sampler, and each integrator at each tolerance."""
    found: list[Check] = []
    for course in courses:
        try:
            found += _of_course(course.name, table([course]))
        except PbpkError as problem:
            found.append(broken("solver", course.name, "the course is followed", str(problem), SCIPY))
    return tuple(found)


def _of_course(name: str, rows: pd.DataFrame) -> Iterator[Check]:
    tight = rows[rows["rtol"] == TOLERANCES[-1]]
    for organ, own in tight.groupby("organ", sort=False):
        worst = _worst(own)
        yield at_most("solver", f"{name}: {organ}", "the forecast's arithmetic against Radau and LSODA at rtol 1e-10",
                      worst["largest"], AGREE, "1", SCIPY, f"{worst['compared']}, {worst['hours']:g} h")  # fmt: skip
    sampler = rows[rows["compared"] == "sampler"]
    if len(sampler):
        worst = _worst(sampler)
        yield at_most("solver", f"{name}: sampler", "the sampler's arithmetic, which takes the blood as in balance, "
                      "against the forecast's at measured hours", worst["largest"], BALANCE, "1",
                      "limit chosen here: a tenth of the scatter of animals, which is seldom below 10 %",
                      f"{worst['organ']}, {worst['hours']:g} h")  # fmt: skip
    for (method, rtol), own in rows[rows["compared"] != "sampler"].groupby(["compared", "rtol"], sort=False):
        worst = _worst(own)
        limit = GROWTH * float(str(rtol))
        yield at_most("solver", f"{name}: {method} at rtol {rtol:g}", "an integrator comes to the forecast's answer as "
                      "its tolerance shrinks", worst["largest"], limit, "1", SCIPY,
                      f"{worst['organ']}, {worst['hours']:g} h")  # fmt: skip


def _worst(rows: pd.DataFrame) -> "pd.Series[Any]":
    """Row with the largest difference, or one that is no number."""
    return rows.iloc[int(rows["largest"].fillna(np.inf).to_numpy().argmax())]


def integrated(course: Course, method: str, rtol: float) -> Array:
    """States by an integrator of scipy, (time, state); an infusion is a source while it runs."""
    slope, jacobian = _slope(course)
    schedule, given = course.schedule, course.given
    ends = schedule.starts + schedule.durations
    x, rows = np.zeros(schedule.entry.shape[1]), {}
    stops = np.unique(np.concatenate([schedule.starts, ends, course.hours]))
    now = float(stops[0])
    for stop in stops:
        runs = (schedule.durations > 0.0) & (schedule.starts < stop) & (ends > now)
        feed = (schedule.entry[runs] / schedule.durations[runs, np.newaxis]).sum(axis=0)
        if stop > now:
            done = solve_ivp(lambda t, y, feed=feed: slope(t, y) + feed, (now, stop), x, method=method, rtol=rtol,
                             atol=ABSOLUTE * given, t_eval=[stop], jac=_jacobian(jacobian, method))  # fmt: skip
            x, now = done.y[:, -1] if done.success else np.full_like(x, np.nan), float(stop)
        x = x + schedule.entry[(schedule.durations == 0.0) & (schedule.starts == stop)].sum(axis=0)
        rows[float(stop)] = x
    return np.array([rows[float(hour)] for hour in course.hours])


def _jacobian(matrix: Array | None, method: str) -> Array | Callable[[float, Array], Array] | None:
    return matrix if matrix is None or method == "Radau" else lambda t, y: matrix


def _slope(course: Course) -> tuple[Callable[[float, Array], Array], Array | None]:
    """Right side of the equations, arrow by arrow, and its matrix where rates do not move."""
    model = course.model.switched(course.modifiers)
    source, target, n = model.source_states, model.target_states, len(model.states)
    if model.is_linear:
        rates = model.rates(course.theta, course.modifiers)
        matrix = np.zeros((n, n))
        np.add.at(matrix, (target, source), rates)
        np.add.at(matrix, (source, source), -rates)
        return lambda t, y: matrix @ y, matrix
    symbols, tape = model.symbols(course.theta, course.modifiers), model.tape

    def slope(t: float, y: Array) -> Array:
        known = np.concatenate([symbols, [t], y])[np.newaxis]
        flows = run_many(tape.steps, tape.literals, tape.outputs, known)[0] * y[source]
        return np.asarray(np.bincount(target, flows, n) - np.bincount(source, flows, n))

    return slope, None


def of_closed_forms() -> tuple[Check, ...]:
    """Small systems whose answer is a formula, by the arithmetic of forecasts and by that of the sampler."""
    found = []
    for name, about, source, target, rates, infused, expected in _closed_forms():
        n = max(int(source.max()), int(target.max())) + 1
        entry = np.eye(1, n)
        once = Schedule.once(entry, np.zeros(1), np.array([infused]))
        ways = {
            "forecast": solve(source, target, n, rates, once, CLOSED_HOURS),
            "sampler": respond_many(source, target, n, rates[np.newaxis], *once.plain(), None, None, CLOSED_HOURS)[0],
        }
        wanted = expected(CLOSED_HOURS)
        for who, states in ways.items():
            off = np.abs(states[:, : wanted.shape[1]] / wanted - 1.0)
            found.append(at_most("solver", f"{name} by the {who}", about, float(off.max()), CLOSED, "1", CALCULUS))
    return tuple(found)


def of_repetition(course: Course) -> tuple[Check, ...]:
    """A forecast has the same digits whatever the threads and the order of draws."""
    theta = course.model.draw_prior(MANY, seed=3)
    rates = course.model.rates(theta)

    def followed(some: Array) -> Array:
        source, target = course.model.source_states, course.model.target_states
        return solve(source, target, len(course.model.states), some, course.schedule, course.hours)

    together, turned = followed(rates), followed(rates[::-1])[::-1]
    alone = np.concatenate([followed(each[np.newaxis]) for each in rates[:: MANY // 8]])
    off = float(np.max([np.abs(turned - together).max(), np.abs(alone - together[:: MANY // 8]).max()]))
    return (at_most("solver", "digits that hang on threads or order",
                    f"a forecast of {MANY} draws at once, in the other order, and one by one", off, 0.0, "of the dose",
                    "an invariant of the package"),)  # fmt: skip


MANY = 300  # draws, more than one thread takes at a time
CLOSED_HOURS = np.array([0.1, 0.5, 2.0, 8.0, 24.0])
FAST, SLOW = 0.9, 0.11  # rates of the closed forms, a dozen half-lives to one in the hours above [1/h]
INFUSED = 1.5  # [h]
CHAIN = 4  # states of the chain with equal rates
type ClosedForm = tuple[str, str, Places, Places, Array, float, Callable[[Array], Array]]


def _closed_forms() -> Iterator[ClosedForm]:
    """Name, words, source, target, rates, hours of infusion, and the states that the formula tells (time, state)."""
    one, two = (np.array([0]), np.array([1])), (np.array([0, 1]), np.array([1, 2]))
    yield ("one compartment", "exp(-k t)", *one, np.array([FAST]), 0.0, lambda t: np.exp(-FAST * t)[:, np.newaxis])
    yield ("two in series", "Bateman's formula", *two, np.array([FAST, SLOW]), 0.0, _bateman)
    steps = np.arange(CHAIN)
    yield ("chain with equal rates", "(k t)^i exp(-k t) / i! in state i", steps, steps + 1, np.full(CHAIN, FAST), 0.0,
           _erlang)  # fmt: skip
    yield ("infusion", "a constant flow in, a first-order flow out", *one, np.array([FAST]), INFUSED, _infused)
    yield ("exchange", "two compartments that exchange, sums of two exponentials",
           np.array([0, 1, 0]), np.array([1, 0, 2]), np.array([FAST, 0.4, SLOW]), 0.0, _exchanged)  # fmt: skip


def _bateman(t: Array) -> Array:
    return np.stack([np.exp(-FAST * t), FAST / (SLOW - FAST) * (np.exp(-FAST * t) - np.exp(-SLOW * t))], axis=1)


def _erlang(t: Array) -> Array:
    """States of a chain with one rate, the end of the chain last: what is left of the Poisson law."""
    passed = [np.exp(-FAST * t)]
    for i in range(1, CHAIN):
        passed.append(passed[-1] * FAST * t / i)
    return np.stack([*passed, 1.0 - gammaincc(CHAIN, FAST * t)], axis=1)


def _infused(t: Array) -> Array:
    ran = np.minimum(t, INFUSED)
    return np.asarray(-np.expm1(-FAST * ran) / (FAST * INFUSED) * np.exp(-FAST * (t - ran)))[:, np.newaxis]


def _exchanged(t: Array) -> Array:
    out, back = FAST + SLOW, 0.4
    half, root = 0.5 * (out + back), np.sqrt(0.25 * (out - back) ** 2 + FAST * back)
    first, second = np.exp(-(half - root) * t), np.exp(-(half + root) * t)
    centre = ((back - half + root) * first - (back - half - root) * second) / (2.0 * root)
    return np.stack([centre, FAST * (first - second) / (2.0 * root)], axis=1)
