"""What a history of doses leaves, resets and steady states included: superposition of what one dose leaves.

A dose at steady state has been given every interval for ever. `steady` writes it out as plain doses where the blood is
in balance. In full fidelity what x such doses left once they were all in is summed here, sum P^k x = (I - P)^-1 x, with
the propagator P over one interval, over the states that empty.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pbpk.body.solve import Array, Schedule, reached
from pbpk.dosing import Dose
from pbpk.errors import ModelFileError, SolveError

if TYPE_CHECKING:
    from pbpk.body.model import Model

NEVER = 1e12  # doses that a body may hold at steady state; beyond, nothing ever leaves


def follow_history(
    model: "Model",
    theta: Array,
    doses: Sequence[Dose],
    hours: Array,
    modifiers: Mapping[str, Any] | None = None,
    fidelity: str = "reduced",
) -> Array:
    """Amount in every state at each hour, from doses with resets and steady states; `Model.solve` asks for it.

    Parameters
    ----------
    theta : (..., parameter)
    doses : as `dosing.doses_of` makes them
    hours : (time,) [h]

    Returns
    -------
    (..., time, state) [amount]; what has left the body at steady state is without end, and told as inf

    Raises
    ------
    ModelFileError
        if rates move and a dose is at steady state
    SolveError
        if a state that a dose at steady state reaches never empties
    """
    theta, hours = np.asarray(theta, dtype=float), np.asarray(hours, dtype=float)
    many = np.atleast_2d(theta)
    out = np.zeros((len(many), hours.size, len(model.states)))
    outside = [i for i, state in enumerate(model.states) if state in model.outside]
    steady = [dose for dose in doses if dose.every_h]
    apart = steady if fidelity == "full" else []
    if apart and not model.switched(modifiers or {}).is_linear:
        raise ModelFileError(f"the rates of {model.name} move, so its steady state is no series; write the doses "
                             "before it with ADDL.")  # fmt: skip
    for until in dict.fromkeys(dose.until for dose in doses):  # a reset wipes all that it ends: these act together
        together = [dose for dose in doses if dose.until == until and dose not in apart]
        begin = min((dose.seen_from for dose in together), default=math.inf)
        seen = (hours >= begin) & (hours < until)
        if together and seen.any():
            if not model.switched(modifiers or {}).is_linear:
                begin = min(begin, 0.0)  # rates may read the hour, so the clock stays
            shifted = [replace(d, hours=d.hours - begin, since=d.seen_from - begin, until=math.inf) for d in together]
            factor = model.factor(modifiers)
            schedule = model.schedule(shifted).scaled(factor)
            out[:, seen] += model.follow(many, schedule, hours[seen] - begin, modifiers, fidelity) / factor
    for dose in steady:
        seen = (hours >= dose.seen_from) & (hours < dose.until)
        if dose in apart and seen.any():
            out[:, seen] += _steady(model, many, dose, hours[seen] - dose.hours, modifiers)
        out[np.ix_(np.arange(len(many)), seen, outside)] = np.inf
    return out.reshape(*theta.shape[:-1], hours.size, len(model.states))


def _steady(model: "Model", theta: Array, dose: Dose, since: Array, modifiers: Mapping[str, Any] | None) -> Array:
    """Sum of what a dose and all before it left, (draw, time, state), at hours since it was given, which may be < 0."""
    every, lasts = dose.every_h, dose.duration_h
    first = np.maximum(np.ceil(-since / every - 1e-12), 0.0)
    done = np.maximum(np.ceil((lasts - since) / every - 1e-12), first)  # from this dose back all are in
    one = replace(dose, hours=0.0, every_h=0.0, since=0.0, until=math.inf)
    ages = [since + done * every, *(since + (first + k) * every for k in range(int((done - first).max())))]
    whole = np.concatenate([np.maximum(age, 0.0) for age in ages])
    found = model.follow(theta, model.schedule([one]), whole, modifiers, "full")
    each = found.reshape(len(theta), len(ages), since.size, -1)
    total = _series(model, theta, every, each[:, 0], modifiers)
    for k in range(1, len(ages)):
        still = first + k - 1 < done
        total[:, still] += each[:, k][:, still]
    return total


def _series(model: "Model", theta: Array, every: float, last: Array, modifiers: Mapping[str, Any] | None) -> Array:
    """Sum of P^k last over k, (draw, time, state), from (draw, time, state)."""
    n = len(model.states)
    held = [i for i in range(n) if model.states[i] not in model.outside and (last[..., i] > 0.0).any()]
    unit = np.eye(n)[held]
    stop = np.zeros(1)
    after = np.stack([
        model.follow(theta, Schedule.once(unit[[k]], stop, stop), np.array([every]), modifiers, "full")[:, 0, held]
        for k in range(len(held))
    ], axis=-1)  # fmt: skip
    out = np.zeros_like(last)
    for draw in range(len(theta)):
        try:
            summed = np.linalg.solve(np.eye(len(held)) - after[draw], last[draw][:, held].T).T
        except np.linalg.LinAlgError:
            summed = np.full((last.shape[1], len(held)), np.inf)
        check_steady(model, summed, float(last[draw].sum(axis=1).max()))
        out[draw][:, held] = summed
    return out


def check_steady(model: "Model", found: Array, given: float) -> None:
    """Refuse amounts (..., state) that doses at steady state have left where nothing ever leaves.

    Raises
    ------
    SolveError
    """
    if not found.max(initial=0.0) < NEVER * max(given, 1e-300):
        raise SolveError(f"{model.name} has no steady state: something that was given never leaves the body.")


def check_empties(model: "Model", rates: Array, schedule: Schedule) -> None:
    """Refuse a dose at steady state that reaches a state inside the body which nothing leaves.

    Raises
    ------
    SolveError
    """
    there = reached(model.source_states, model.target_states, schedule.entry[schedule.every > 0.0]).states
    leaving = np.zeros((len(model.states), rates.size // rates.shape[-1]))
    np.add.at(leaving, model.source_states, rates.reshape(-1, rates.shape[-1]).T)
    for state, held, out in zip(model.states, there, leaving, strict=True):
        if held and state not in model.outside and not out.min() > 0.0:
            raise SolveError(f"{model.name} has no steady state: nothing leaves `{state}`.")
