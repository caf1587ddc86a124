"""The rate of an arrow as the user writes it: a small, safe grammar of names, numbers and arithmetic.

Nothing is ever evaluated as Python. Names may hold one placeholder, `{organ}`, that a family of arrows fills.
"""

import ast
import keyword
import math
import operator
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pbpk.errors import ModelFileError, did_you_mean

OPERATORS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
FUNCTIONS = ("exp", "log", "sqrt")
PLACEHOLDER = re.compile(r"\{(\w+)\}")
_MARK = "__of__"  # how `{x}` is spelt while Python's own parser reads the text
_WORD = "__word__"  # what follows a name that Python keeps for itself, as `lambda`
_KEPT = re.compile(rf"\b({'|'.join(keyword.kwlist)})\b")
LONG = 160  # characters of a rate that are said again


@dataclass(frozen=True)
class Rate:
    """A parsed rate: its text, its tree and the names in it, in order of appearance."""

    text: str
    tree: ast.expr
    names: tuple[str, ...]

    def evaluate(self, values: Mapping[str, Any], functions: Any = None) -> Any:
        """Put values in place of names and compute.

        Parameters
        ----------
        values : name -> anything that adds and multiplies (floats, arrays, symbols, quantities with units)
        functions : module that holds exp, log and sqrt for these values
        """
        return _compute(self.tree, values, functions)

    def filled(self, placeholder: str, organ: str) -> "Rate":
        """Same rate for one organ."""
        return parse_rate(self.text.replace("{" + placeholder + "}", organ))


def parse_rate(text: str) -> Rate:
    """Read a rate.

    >>> parse_rate("uptake * weight_{organ}").names
    ('uptake', 'weight_{organ}')

    Raises
    ------
    ModelFileError
        if the text holds anything but names, numbers, + - * / **, brackets, exp, log and sqrt
    """
    shown = text if len(text) <= LONG else text[:LONG] + "..."
    marked = PLACEHOLDER.sub(lambda found: _MARK + found.group(1) + _MARK, text)
    names: dict[str, None] = {}
    try:
        tree = _parsed(marked.strip())
        _check(tree, shown, names)
    except (SyntaxError, ValueError):
        raise ModelFileError(f"the rate `{shown}` cannot be read; check its brackets and operators.") from None
    except (RecursionError, MemoryError):
        raise ModelFileError(f"the rate `{shown}` is nested too deeply; write it in parts.") from None
    return Rate(text, tree, tuple(names))


def _parsed(text: str) -> ast.expr:
    """Tree of a text by Python's own parser; a word that Python keeps is a name where that makes the text readable."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)  # of what is refused afterwards
        try:
            return ast.parse(text, mode="eval").body
        except SyntaxError:
            return ast.parse(_KEPT.sub(lambda found: found.group(1) + _WORD, text), mode="eval").body


def name_of(node: ast.expr) -> str:
    """Name that a leaf of a rate's tree stands for: a symbol, or a state as in `lung.arrested`."""
    return _unmarked(ast.unparse(node))


def _unmarked(name: str) -> str:
    return re.sub(_MARK + r"(\w+?)" + _MARK, r"{\1}", name).replace(_WORD, "")


def _check(node: ast.expr, text: str, names: dict[str, None]) -> None:
    """Refuse everything outside the grammar; collect the names."""
    match node:
        case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
            _check(left, text, names)
            _check(right, text, names)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            _check(operand, text, names)
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in FUNCTIONS:
            _check(argument, text, names)
        case ast.Name() | ast.Attribute(value=ast.Name()):  # a symbol, or a state as in `lung.arrested`
            names[name_of(node)] = None
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool) and math.isfinite(value):
            pass
        case _:
            found = _unmarked(ast.unparse(node))
            meant = ""
            if isinstance(node, ast.Call):
                meant = did_you_mean(_unmarked(ast.unparse(node.func)), FUNCTIONS)
            elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitXor):
                meant = " Did you mean `**`?"
            raise ModelFileError(
                f"`{found}` is not allowed in the rate `{text}`; use names, numbers, + - * / ** and "
                f"{', '.join(FUNCTIONS)}.{meant}"
            )


def _compute(node: ast.expr, values: Mapping[str, Any], functions: Any) -> Any:
    match node:
        case ast.BinOp(left=left, op=op, right=right):
            return OPERATORS[type(op)](_compute(left, values, functions), _compute(right, values, functions))
        case ast.UnaryOp(operand=operand):
            return -_compute(operand, values, functions)
        case ast.Call(func=ast.Name(id=name), args=[argument]):
            return getattr(functions, name)(_compute(argument, values, functions))
        case ast.Constant(value=value):
            return value
        case _:
            return values[name_of(node)]
