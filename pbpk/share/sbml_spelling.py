"""How names, units and rates of the package are spelt in SBML: ids, unit definitions, MathML."""

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import libsbml

from pbpk.body.rates import Rate, name_of
from pbpk.quantity import inside

HOUR = "hours"  # the time, as rates spell it
SUBSTANCE = "substance"  # unit of what moves
# What readers of formulas take for something of their own; nothing of a model may be called so.
TAKEN = frozenset(
    [
        *("time", "t", "avogadro", "pi", "exponentiale", "e", "true", "false", "inf", "infinity", "nan", "notanumber"),
        *("exp", "log", "ln", "sqrt", "root", "pow", "power", "piecewise", "delay", "rateOf", "model", "end", "at"),
    ]
)
# One part of a unit of the package: kind in SBML, how many of that it is. A decay is no dimension of SBML's own.
PARTS: Mapping[str, tuple[int, float]] = {
    "1": (libsbml.UNIT_KIND_DIMENSIONLESS, 1.0),
    "h": (libsbml.UNIT_KIND_SECOND, 3600.0),
    "um": (libsbml.UNIT_KIND_METRE, 1e-6),
    "mL": (libsbml.UNIT_KIND_LITRE, 1e-3),
    "g": (libsbml.UNIT_KIND_GRAM, 1.0),
    "cell": (libsbml.UNIT_KIND_ITEM, 1.0),
    "mol": (libsbml.UNIT_KIND_MOLE, 1.0),
    "Bq": (libsbml.UNIT_KIND_DIMENSIONLESS, 1.0),
}
OPERATIONS: dict[type[ast.operator], int] = {
    ast.Add: libsbml.AST_PLUS,
    ast.Sub: libsbml.AST_MINUS,
    ast.Mult: libsbml.AST_TIMES,
    ast.Div: libsbml.AST_DIVIDE,
    ast.Pow: libsbml.AST_FUNCTION_POWER,
}
FUNCTIONS = {"exp": libsbml.AST_FUNCTION_EXP, "log": libsbml.AST_FUNCTION_LN, "sqrt": libsbml.AST_FUNCTION_ROOT}


@dataclass
class Ids:
    """Ids given so far: letters, digits and _, each once."""

    given: set[str] = field(default_factory=lambda: set(TAKEN))

    def new(self, text: str) -> str:
        """Id that is most like a text.

        >>> ids = Ids()
        >>> ids.new("lung.label"), ids.new("lung_label"), ids.new("2nd"), ids.new("time")
        ('lung_label', 'lung_label_2', '_2nd', 'time_2')
        """
        plain = re.sub(r"[^A-Za-z0-9_]", "_", text)
        plain = plain if re.match(r"[A-Za-z_]", plain) else f"_{plain}"
        found, n = plain, 1
        while found in self.given:
            n += 1
            found = f"{plain}_{n}"
        self.given.add(found)
        return found


class Units:
    """Unit definitions of one SBML model, written when they are first asked for."""

    def __init__(self, sbml: Any, amount: str) -> None:
        self.sbml = sbml
        self.base, self.factor = inside(amount)
        self.written: dict[str, str] = {"1": "dimensionless"}
        self.ids = Ids()

    def of(self, unit: str) -> str:
        """Id of a unit of the package, as `mL/h/g`, or of the amount that moves, `substance`.

        >>> document = libsbml.SBMLDocument(3, 2)
        >>> Units(document.createModel(), "ug").of("1/h")
        'per_h'
        """
        if unit not in self.written:
            over, *under = unit.split("/")
            words = ["" if over == "1" else over, *(f"per_{part}" for part in under)]
            self.written[unit] = self.ids.new("_".join(word for word in words if word))
            definition = self.sbml.createUnitDefinition()
            definition.setId(self.written[unit])
            definition.setName(unit)
            for part, exponent in [(over, 1.0), *((part, -1.0) for part in under)]:
                if part != "1":
                    self._add(definition, part, exponent)
        return self.written[unit]

    def _add(self, definition: Any, part: str, exponent: float) -> None:
        kind, many = PARTS[self.base if part == SUBSTANCE else part]
        unit = definition.createUnit()
        unit.setKind(kind)
        unit.setExponent(exponent)
        unit.setScale(0)
        unit.setMultiplier(many * (self.factor if part == SUBSTANCE else 1.0))


def number(value: float, unit: str = "dimensionless") -> Any:
    """A number in MathML; `unit` is the id of one."""
    node = libsbml.ASTNode(libsbml.AST_REAL)
    node.setValue(float(value))
    node.setUnits(unit)
    return node


def symbol(id_: str) -> Any:
    """Something that has an id, in MathML."""
    node = libsbml.ASTNode(libsbml.AST_NAME)
    node.setName(id_)
    return node


def now() -> Any:
    """Hour at which the simulation is, in MathML."""
    node = libsbml.ASTNode(libsbml.AST_NAME_TIME)
    node.setName("time")
    return node


def apply(operation: int, *operands: Any) -> Any:
    """An operation on what stands below it, in MathML."""
    node = libsbml.ASTNode(operation)
    for operand in operands:
        node.addChild(operand)
    return node


def total(ids: Sequence[str]) -> Any:
    """Sum of things by their ids, in MathML."""
    nodes = [symbol(each) for each in ids]
    return nodes[0] if len(nodes) == 1 else apply(libsbml.AST_PLUS, *nodes)


def formula(rate: Rate, ids: Mapping[str, str], factor: str = "", states: frozenset[str] = frozenset()) -> Any:
    """A rate in MathML.

    Parameters
    ----------
    ids : name in the rate -> id; `hours` is the time
    factor : id of what one of the amount is in the unit that rates count in, "" where that is the same
    states : names in the rate that are amounts, which the factor multiplies
    """

    def write(node: ast.expr) -> Any:
        match node:
            case ast.BinOp(left=left, op=op, right=right):
                return apply(OPERATIONS[type(op)], write(left), write(right))
            case ast.UnaryOp(operand=operand):
                return apply(libsbml.AST_MINUS, write(operand))
            case ast.Call(func=ast.Name(id=name), args=[argument]):
                degree = [number(2.0)] if name == "sqrt" else []
                return apply(FUNCTIONS[name], *degree, write(argument))
            case ast.Constant(value=int() | float() as value):
                return number(value)
        name = name_of(node)
        if ids[name] == HOUR:
            return now()
        if factor and name in states:
            return apply(libsbml.AST_TIMES, symbol(factor), symbol(ids[name]))
        return symbol(ids[name])

    return write(rate.tree)
