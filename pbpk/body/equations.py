"""What a model says, worked out from its arrows: diagram, equations, conservation law, units, missing sources."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from pbpk.body.model import Family, Model
from pbpk.body.rates import PLACEHOLDER
from pbpk.errors import ModelFileError
from pbpk.quantity import unit_registry
from pbpk.reading import read_keys, read_placed

if TYPE_CHECKING:
    import sympy


@dataclass(frozen=True)
class Equation:
    """Left and right side of one state's equation, as sympy expressions."""

    state: str
    left: "sympy.Expr"
    right: "sympy.Expr"


def diagram(model: Model, width: int = 80) -> str:
    """Arrows of the model, one a line, long rates folded to the width; below them the organs of each template."""
    rows: list[tuple[str, str, str]] = []
    groups: dict[str, tuple[str, ...]] = {}
    for family in model.families:
        arrow, _, rate = (part.strip() for part in family.line.partition(":"))
        source, _, target = (part.strip() for part in arrow.partition("->"))
        rows.append((source, target, rate))
        groups |= {"{" + name + "}": family.organs for name in PLACEHOLDER.findall(family.line)}
    left, right = (max(len(row[end]) for row in rows) for end in (0, 1))
    column = left + len(" ──▶ ") + right + 2
    lines = []
    for source, target, rate in rows:
        start = f"{source:>{left}} ──▶ {target:<{right}}  "
        if width - column < 24 and column + len(rate) > width:  # too narrow for two columns: the rate goes below
            lines += [start.rstrip(), *(" " * 8 + part for part in fold(rate, width - 8))]
            continue
        first, *more = fold(rate, width - column)
        lines += [start + first, *(" " * (column + 2) + part for part in more)]
    for name, organs in groups.items():
        first, *more = fold(", ".join(organs), width - left - 5, ",")
        lines += [f"{name:>{left}}  =  {first}", *(" " * (left + 5) + part for part in more)]
    return "\n".join(lines)


def fold(text: str, width: int, at: str = "+-*/") -> list[str]:
    """Text in lines of a width, broken before an operator that stands in as few brackets as may be.

    With a comma for `at` a list is broken after its commas.

    >>> fold("a * b + c * (d - e)", 11)
    ['a * b + c', '* (d - e)']
    """
    lines = []
    while len(text) > width:
        breaks = []
        depth = 0
        for i, mark in enumerate(text[: width + 1]):
            depth += (mark in "([") - (mark in ")]")
            if i and text[i - 1] == " " and (text[i - 2] == "," if at == "," else mark in at and text[i + 1] == " "):
                breaks.append((-depth, i))
        if not breaks:
            break
        cut = max(breaks)[1]
        lines.append(text[:cut].rstrip())
        text = text[cut:]
        width = max(width - 2, 8) if len(lines) == 1 else width  # the lines that follow stand further in
    return [*lines, text]


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


def spelt(name: str, states: tuple[str, ...]) -> tuple[str, str]:
    """How a name is written in a formula: a letter or word, and what stands below it; a state is N below its name.

    >>> spelt("lung.blood", ("lung.blood",)), spelt("E_lung", ())
    (('N', 'lung blood'), ('E', 'lung'))
    """
    if name in states:
        return "N", name.replace(".", " ").replace("_", " ")
    head, _, tail = name.partition("_")
    return head, tail.replace("_", " ")


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
    exponential of a length, cannot pass. The rates that modifiers bring are looked at too.
    """
    return [sentence for sentence, _ in _unit_problems(model)]


def refuse_rates(model: Model) -> None:
    """Refuse a model in which a rate is not one over a time, or below zero or no number where all is as expected.

    Raises
    ------
    ModelFileError
        of the first such rate, with its line
    """
    problems = _unit_problems(model) or _value_problems(model)
    if problems:
        sentence, at = problems[0]
        more = f" ({len(problems) - 1} more are wrong; `pbpk check` lists them)" if len(problems) > 1 else ""
        raise read_placed(ModelFileError(f"{sentence}; correct it{more}.", at=at), *model.files)


def _value_problems(model: Model) -> list[tuple[str, tuple[str | int, ...]]]:
    """Rates that are below zero or no number at the medians of the priors, with nothing in the body."""
    values = {p.name: p.prior.value(0.0) for p in model.parameters} | dict(model.constants)
    values |= {m.name: m.neutral for m in model.modifiers} | dict.fromkeys((*model.states, "hours"), 0.0)
    problems = []
    for family in model.families:
        for i, organ in enumerate(family.organs):
            own = {name: np.float64(values[model.name_at(at[i])]) for name, at in family.symbols.items()}
            with np.errstate(all="ignore"):
                rate = family.rate.evaluate(own, np)
            if not (np.isfinite(rate) and rate >= 0.0):
                where = f" in {organ}" if organ else ""
                problems.append((f"`{family.line}`: the rate{where} is {rate:g} 1/h at the medians of its numbers; it "
                                 "must be a number of at least 0", family.at))  # fmt: skip
                break
    return problems


def _unit_problems(model: Model) -> list[tuple[str, tuple[str | int, ...]]]:
    """Problems with units, each with the keys that lead to its line."""
    import pint

    registry = unit_registry()
    rng = np.random.default_rng(0)
    units = {p.name: p.unit for p in model.parameters} | dict(model.constant_units)
    units |= {m.name: m.unit for m in model.modifiers} | dict.fromkeys(model.states, model.unit)
    units["hours"] = "h"
    problems: dict[str, tuple[str | int, ...]] = {}  # one for a line that is wrong in all its organs
    families = [*model.families, *(family for m in model.modifiers for _, family in m.replaces)]
    for family, organ in [(each, i) for each in families for i in range(len(each.organs))]:
        values = {}
        for name, at in family.symbols.items():
            values[name] = registry.Quantity(rng.uniform(0.1, 0.9), units[model.name_at(at[organ])])
        try:
            with np.errstate(all="ignore"):  # some rates exist for a part of all numbers only
                rate = registry.Quantity(family.rate.evaluate(values, np))
            if rate.dimensionality != registry.parse_units("1/h").dimensionality:
                problems[f"`{family.line}`: the rate is in {f'{rate.units:~}' or '1'}, it must be in 1/h"] = family.at
        except pint.DimensionalityError as problem:
            problems[f"`{family.line}`: {problem}"] = family.at
        except ArithmeticError as problem:
            problems[f"`{family.line}`: the rate cannot be computed: {problem}"] = family.at
    return list(problems.items())


def _sourced(model: Model) -> list[tuple[str, str]]:
    """Every number of a model with the keys of its sources."""
    law = () if model.size_law is None else (model.size_law,)
    named = [(p.name, p.source) for p in (*model.parameters, *model.noise, *law)]
    named += [(m.name, m.source) for m in model.modifiers]
    for name, other in model.rivals.items():
        named += [(f"rivals.{name}", other.source)]
        named += [(f"rivals.{name}.{p.name}", p.source) for p in other.modifiers.values()]
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


def latex(model: Model) -> str:
    """Equations as LaTeX, ready to paste: an `align*` of amsmath, what organs share written once."""
    from pbpk.body.typesetting import latex as typeset

    return typeset(model)


def read_unused(model: Model) -> list[str]:
    """Parameters that stand in the model's own file but in none of its rates; a misspelt organ is among them."""
    given = read_keys(model.files[-1], ModelFileError)
    names = {name: name for name in given.get("parameters", {})}
    for label, own in given.get("labels", {}).items():
        names |= {f"labels.{label}.{name}": name for name in own}
    # a template is used if one organ's is
    patterns = {place: PLACEHOLDER.sub(r"\\w+", name) for place, name in names.items()}
    return [p for p, pattern in patterns.items() if not any(re.fullmatch(pattern, n) for n in model.parameter_names)]
