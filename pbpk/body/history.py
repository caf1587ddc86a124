"""What a history of doses leaves, resets and steady states included: superposition of what one dose leaves.

A dose at steady state has been given every interval for ever. What x such doses left once they were all in is a
geometric series of the propagator over one interval, sum P^k x = (I - P)^-1 x, taken over the states that empty.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pbpk.body.events import Given
from pbpk.body.model import Dose, Model
from pbpk.body.solve import Array, Schedule
from pbpk.errors import ModelFileError, SolveError

NEVER = 1e12  # doses that a body may hold at steady state; beyond, nothing ever leaves


def follow_history(
    model: Model,
    theta: Array,
    given: Sequence[Given],
    hours: Array,
    modifiers: Mapping[str, Any] | None = None,
    fidelity: str = "reduced",
) -> Array:
    """Amount in every state at each hour, from doses with resets and steady states.

    What has left the body at steady state is without end, and told as inf.

    Parameters
    ----------
    theta : (draw, parameter)
    given : doses as `events.doses_of` makes them
    hours : (time,) [h]

    Returns
    -------
    (draw, time, state) [amount]

    Raises
    ------
    ModelFileError
        if a route is unknown, or rates move and a dose is at steady state
    SolveError
        if a state that a dose at steady state reaches never empties
    """
    theta, hours = np.atleast_2d(np.asarray(theta, dtype=float)), np.asarray(hours, dtype=float)
    out = np.zeros((len(theta), hours.size, len(model.states)))
    if not model.switched(modifiers or {}).is_linear and any(dose.every_h for dose in given):
        raise ModelFileError(f"the rates of {model.name} move, so its steady state is no series; write the doses "
                             "before it with ADDL.")  # fmt: skip
    for until in dict.fromkeys(dose.until for dose in given):  # a reset wipes all that it ends: these act together
        plain = [dose for dose in given if dose.until == until and not dose.every_h]
        begin = min((dose.since for dose in plain), default=math.inf)
        seen = (hours >= begin) & (hours < until)
        if plain and seen.any():
            doses = [Dose(dose.route, dose.amount, dose.hours - begin, dose.duration_h) for dose in plain]
            out[:, seen] += model.solve(theta, doses, hours[seen] - begin, modifiers, fidelity)
    for dose in given:
        seen = (hours >= dose.since) & (hours < dose.until)
        if dose.every_h and seen.any():
            out[:, seen] += _steady(model, theta, dose, hours[seen] - dose.hours, modifiers, fidelity)
    return out


def _steady(
    model: Model, theta: Array, dose: Given, since: Array, modifiers: Mapping[str, Any] | None, fidelity: str
) -> Array:
    """Sum of what a dose and all before it left, (draw, time, state), at hours since it was given, which may be < 0."""
    every, lasts = dose.every_h, dose.duration_h
    first = np.maximum(np.ceil(-since / every - 1e-12), 0.0)
    done = np.maximum(np.ceil((lasts - since) / every - 1e-12), first)  # from this dose back all are in
    one = [Dose(dose.route, dose.amount, 0.0, lasts)]
    ages = [since + done * every, *(since + (first + k) * every for k in range(int((done - first).max())))]
    whole = np.concatenate([np.maximum(age, 0.0) for age in ages])
    each = model.solve(theta, one, whole, modifiers, fidelity).reshape(len(theta), len(ages), since.size, -1)
    total = _series(model, theta, every, each[:, 0], modifiers, fidelity)
    for k in range(1, len(ages)):
        still = first + k - 1 < done
        total[:, still] += each[:, k][:, still]
    return total


def _series(
    model: Model, theta: Array, every: float, last: Array, modifiers: Mapping[str, Any] | None, fidelity: str
) -> Array:
    """Sum of P^k last over k, (draw, time, state), from (draw, time, state)."""
    n = len(model.states)
    lasting = model.n_lasting if fidelity == "reduced" else n
    held = [i for i in range(lasting) if model.states[i] not in model.outside and (last[..., i] > 0.0).any()]
    outside = [i for i, state in enumerate(model.states) if state in model.outside]
    unit = np.eye(n)[held]
    stop = np.zeros(1)
    after = np.stack([
        model.follow(theta, Schedule(unit[[k]], stop, stop), np.array([every]), modifiers, fidelity)[:, 0, held]
        for k in range(len(held))
    ], axis=-1)  # fmt: skip
    out = np.zeros_like(last)
    for draw in range(len(theta)):
        kept = np.eye(len(held)) - after[draw]
        try:
            summed = np.linalg.solve(kept, last[draw][:, held].T).T
        except np.linalg.LinAlgError:
            summed = np.full((last.shape[1], len(held)), np.inf)
        if not (summed.max(initial=0.0) < NEVER * max(float(last[draw].sum(axis=1).max()), 1e-300)):
            names = ", ".join(model.states[i] for i in held)
            raise SolveError(f"{model.name} has no steady state: something that reaches {names} never leaves the body.")
        for time, amounts in enumerate(summed):
            entry = np.zeros((1, n))
            entry[0, held] = amounts
            out[draw, time] = model.follow(
                theta[[draw]], Schedule(entry, stop, stop), np.zeros(1), modifiers, fidelity
            )[0, 0]
    out[..., outside] = np.inf
    return out
