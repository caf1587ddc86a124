"""Doses as SBML: amounts at 0 h, events afterwards, infusions as reactions of order zero that events switch.

A trigger is `time >= t`, false at 0 h and persistent, so that each simulator fires it once. Infusions are switched by
events, not by a piecewise rate: an integrator starts anew at an event, but may step over a short pulse.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import libsbml
import numpy as np

from pbpk.body.model import Model
from pbpk.body.solve import Schedule
from pbpk.dosing import Dose
from pbpk.errors import ScenarioError
from pbpk.share.sbml_network import Network, move
from pbpk.share.sbml_notes import plain
from pbpk.share.sbml_spelling import SUBSTANCE, apply, now, number, symbol


def planned(model: Model, doses: Sequence[Dose]) -> Schedule:
    """Doses as arrays, if SBML can say them.

    Raises
    ------
    ScenarioError
        if one is at steady state, is wiped by a reset, or is given before 0 h
    """
    if any(dose.every_h for dose in doses):
        raise ScenarioError("SBML cannot say that a dose has been given for ever before (`ss`); write out with `addl` "
                            "the doses that matter.")  # fmt: skip
    if not all(dose.is_plain and dose.hours >= 0.0 for dose in doses):
        raise ScenarioError("a reset, or a dose before 0 h, is not exported to SBML; give doses from 0 h on.")
    return model.schedule(doses)


def at_start(model: Model, schedule: Schedule) -> dict[str, float]:
    """What each state holds at 0 h: boluses of that hour, state -> amount."""
    now_given = (schedule.starts == 0.0) & (schedule.durations == 0.0)
    amounts = schedule.entry[now_given].sum(axis=0)
    return dict(zip(model.states, amounts.tolist(), strict=True))


def write_doses(network: Network, schedule: Schedule) -> None:
    """Write later boluses and all infusions; all that happens at one hour is one event, so that nothing is lost."""
    happens: dict[float, list[tuple[str, Any]]] = defaultdict(list)
    for hour in np.unique(schedule.starts[(schedule.durations == 0.0) & (schedule.starts > 0.0)]):
        together = (schedule.starts == hour) & (schedule.durations == 0.0)
        for state, amount in _entering(network, schedule.entry[together].sum(axis=0)):
            given = network.parameter(f"bolus_{hour:g}_h_{state}", amount, SUBSTANCE, [f"Given at {hour:g} h."])
            into = network.named[state]
            happens[float(hour)].append((into, apply(libsbml.AST_PLUS, symbol(into), symbol(given))))
    for dose in np.flatnonzero(schedule.durations > 0.0):
        start, lasts = float(schedule.starts[dose]), float(schedule.durations[dose])
        for state, amount in _entering(network, schedule.entry[dose]):
            rate = _write_infusion(network, state, amount / lasts, start, lasts)
            if start > 0.0:
                happens[start].append((rate, number(amount / lasts, network.units.of(f"{SUBSTANCE}/h"))))
            happens[start + lasts].append((rate, number(0.0, network.units.of(f"{SUBSTANCE}/h"))))
    for hour in sorted(happens):
        _write_event(network, hour, happens[hour])


def _entering(network: Network, amounts: Any) -> list[tuple[str, float]]:
    return [(state, float(a)) for state, a in zip(network.model.states, amounts, strict=True) if a > 0.0]


def _write_infusion(network: Network, state: str, rate: float, start: float, lasts: float) -> str:
    """Write a reaction that makes a state grow at a rate which events switch, and return the id of the rate."""
    text = f"infusion_{start:g}_h_{state}"
    words = [f"Rate of an infusion from {start:g} h to {start + lasts:g} h; nothing before and afterwards."]
    id_ = network.parameter(text, 0.0 if start > 0.0 else rate, f"{SUBSTANCE}/h", words, fixed=False)
    reaction = network.sbml.createReaction()
    reaction.setId(network.ids.new(f"{text}_enters"))
    reaction.setName(plain(f"infusion -> {state}"))
    reaction.setReversible(False)
    move(reaction.createProduct(), network.named[state])
    reaction.createKineticLaw().setMath(symbol(id_))
    return id_


def _write_event(network: Network, hour: float, assignments: list[tuple[str, Any]]) -> None:
    event = network.sbml.createEvent()
    event.setId(network.ids.new(f"at_{hour:g}_h"))
    event.setUseValuesFromTriggerTime(True)
    trigger = event.createTrigger()
    trigger.setPersistent(True)
    trigger.setInitialValue(True)
    trigger.setMath(apply(libsbml.AST_RELATIONAL_GEQ, now(), number(hour, network.units.of("h"))))
    for variable, math in assignments:
        assignment = event.createEventAssignment()
        assignment.setVariable(variable)
        assignment.setMath(math)
