"""What a model says, worked out from its arrows: diagram, equations, conservation law, units, missing sources."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from pbpk.body.model import Family, Model
from pbpk.quantity import unit_registry

if TYPE_CHECKING:
    import sympy


@dataclass(frozen=True)
class Equation:
    """Left and right side of one state's equation, as sympy expressions."""

    state: str
    left: "sympy.Expr"
    right: "sympy.Expr"


def diagram(model: Model) -> str:
    """Arrows of the model, one line each, with the organs of each family."""
    lines = []
    for family in model.families:
        arrow, _, rate = (part.strip() for part in family.line.partition(":"))
        source, _, target = (part.strip() for part in arrow.partition("->"))
        organs = f"   [{', '.join(family.organs)}]" if family.organs != ("",) else ""
        lines.append(f"{source:>18} ──▶ {target:<18} {rate}{organs}")
    return "\n".join(lines)


@cache
def _symbol(name: str) -> "sympy.Symbol":
    import sympy  # takes a second that only the equations need

    return sympy.Symbol(name, positive=True)


def equations(model: Model) -> list[Equation]:
    """Equation of every state, (state,) in the model's order; a state's symbol is its name, `lung.blood`."""
    import sympy

    time = sympy.Symbol("t")
    amounts = {state: _symbol(state) for state in model.states}
    right: dict[str, Any] = {state: sympy.Integer(0) for state in model.states}
    for family, i, rate in _arrows(model):
        source, target = model.states[family.source[i]], model.states[family.target[i]]
        flow = rate * amounts[source]
        right[source] -= flow
        right[target] += flow
    return [
        Equation(state, sympy.Derivative(amounts[state], time, evaluate=False), right[state]) for state in model.states
    ]


def _arrows(model: Model) -> Iterator[tuple[Family, int, Any]]:
    """Every arrow with its rate as a sympy expression."""
    import sympy

    for family in model.families:
        for i in range(len(family.organs)):
            names = {}
            for name, at in family.symbols.items():
                names[name] = _symbol(model.name_at(at[i]))
            yield family, i, family.rate.evaluate(names, sympy)


def conservation(model: Model) -> str:
    """Conservation law, derived: what the sum of all states changes by, and the losses from the body.

    The sum over every state is expanded symbolically; it must vanish, since each arrow takes from one state
    what it gives to another.
    """
    import sympy

    system = equations(model)
    total = sympy.expand(sum(equation.right for equation in system))
    outside = [equation for equation in system if equation.state in model.outside]
    leaving = sympy.simplify(sum((equation.right for equation in outside), sympy.Integer(0)))
    everything = "d/dt (everything) = " + sympy.sstr(total)
    if leaving == 0:
        return everything + "; nothing leaves the body"
    return f"{everything}; d/dt (inside the body) = {sympy.sstr(-leaving)}"


def check_units(model: Model) -> list[str]:
    """Problems with the units of rates: every rate must be one over a time; empty when all are.

    Each rate is computed once on random positive numbers with units, so that a sum of unlike things, or the
    exponential of a length, cannot pass.
    """
    import pint

    registry = unit_registry()
    rng = np.random.default_rng(0)
    units = {p.name: p.unit for p in model.parameters} | dict(model.constant_units)
    units |= {m.name: m.unit for m in model.modifiers} | dict.fromkeys(model.states, model.unit)
    units["hours"] = "h"
    problems = []
    for family, organ in [(each, i) for each in model.families for i in range(len(each.organs))]:
        values = {}
        for name, at in family.symbols.items():
            values[name] = registry.Quantity(rng.uniform(0.1, 0.9), units[model.name_at(at[organ])])
        try:
            rate = registry.Quantity(family.rate.evaluate(values, np))
            if rate.dimensionality != registry.parse_units("1/h").dimensionality:
                problems.append(f"`{family.line}`: the rate is in {rate.units:~}, it must be in 1/h")
        except pint.DimensionalityError as problem:
            problems.append(f"`{family.line}`: {problem}")
    return list(dict.fromkeys(problems))  # one sentence for a line that is wrong in all its organs


def _sourced(model: Model) -> list[tuple[str, str]]:
    """Every number of a model with the keys of its sources."""
    law = () if model.size_law is None else (model.size_law,)
    named = [(p.name, p.source) for p in (*model.parameters, *model.noise, *law)]
    named += [(m.name, m.source) for m in model.modifiers]
    return named + [(name, quantity.source) for name, quantity in model.quantities.items()]


def unsourced(model: Model) -> list[str]:
    """Names of numbers whose source is missing or not listed under [sources]."""
    found = []
    for name, source in _sourced(model):
        keys = source.split()
        missing = [key for key in keys if key not in model.sources]
        if not keys:
            found.append(f"{name}: no source")
        elif missing:
            found.append(f"{name}: source `{missing[0]}` is not listed under [sources]")
    return found


def assumed(model: Model) -> list[str]:
    """Names of numbers that rest on an assumption or a choice, not on a measurement."""
    return [
        f"{name}: {key}"
        for name, source in _sourced(model)
        for key in source.split()
        if key == "assumption" or (key in model.sources and model.sources[key].status == "choice")
    ]
