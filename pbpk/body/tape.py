"""Rates as a short list of elementary steps, run forwards for values and backwards for gradients.

Every model's rates run through the same compiled interpreter, so a model of one's own compiles nothing. Registers are
the symbols, then the literal numbers, then one for each step. Steps that read neither the hour nor a state are run once
for a whole solution, the others (`moving_registers`) again at each moment.
"""

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from pbpk.body.rates import Rate, name_of

ADD, SUBTRACT, MULTIPLY, DIVIDE, POWER, NEGATE, EXP, LOG, SQRT = range(9)
_BINARY: dict[type[ast.operator], int] = {
    ast.Add: ADD,
    ast.Sub: SUBTRACT,
    ast.Mult: MULTIPLY,
    ast.Div: DIVIDE,
    ast.Pow: POWER,
}
_UNARY = {"exp": EXP, "log": LOG, "sqrt": SQRT}


@dataclass(frozen=True)
class Tape:
    """Steps that turn symbols into rates.

    steps : (step, 3) operation and the registers it reads; literals : (literal,); outputs : (rate,) registers; seen :
        registers of symbols that somebody asked for beside the rates
    """

    steps: NDArray[np.int64]
    literals: NDArray[np.float64]
    outputs: NDArray[np.int64]
    seen: NDArray[np.int64]


@dataclass
class _Writer:
    """Steps written so far; the same step on the same registers is written once.

    derived : place of a symbol -> what is computed for it, with the places of the names in that
    """

    derived: Mapping[int, tuple[Rate, Mapping[str, int]]]
    found: dict[int, tuple[str, int]] = field(default_factory=dict)
    literals: list[float] = field(default_factory=list)
    steps: dict[tuple[Any, ...], int] = field(default_factory=dict)

    def literal(self, value: float) -> tuple[str, int]:
        if value not in self.literals:
            self.literals.append(value)
        return ("literal", self.literals.index(value))

    def step(self, *key: Any) -> tuple[str, int]:
        return ("step", self.steps.setdefault(key, len(self.steps)))

    def symbol(self, place: int) -> tuple[str, int]:
        if place not in self.derived:
            return ("symbol", place)
        if place not in self.found:
            rate, places = self.derived[place]
            self.found[place] = self.write(rate.tree, places)
        return self.found[place]

    def write(self, node: ast.expr, places: Mapping[str, int]) -> tuple[str, int]:
        match node:
            case ast.BinOp(left=left, op=op, right=right):
                return self.step(_BINARY[type(op)], self.write(left, places), self.write(right, places))
            case ast.UnaryOp(operand=operand):
                return self.step(NEGATE, self.write(operand, places), self.write(operand, places))
            case ast.Call(func=ast.Name(id=name), args=[argument]):
                return self.step(_UNARY[name], self.write(argument, places), self.write(argument, places))
            case ast.Constant(value=int() | float() as value):
                return self.literal(float(value))
            case _:
                return self.symbol(places[name_of(node)])


def write_tape(
    rates: Sequence[tuple[Rate, Mapping[str, int]]],
    n_symbols: int,
    derived: Mapping[int, tuple[Rate, Mapping[str, int]]] | None = None,
    seen: Sequence[int] = (),
) -> Tape:
    """Write the steps of many rates, each with the place of its names in the vector of symbols.

    Parameters
    ----------
    derived : place of a symbol -> what is computed in its stead, with the places of the names in that
    seen : places of symbols whose registers are asked for
    """
    writer = _Writer(derived or {})
    results = [writer.write(rate.tree, places) for rate, places in rates]
    others = [writer.symbol(place) for place in seen]
    start = {"symbol": 0, "literal": n_symbols, "step": n_symbols + len(writer.literals)}

    def register(result: tuple[str, int]) -> int:
        return start[result[0]] + result[1]

    steps = [(key[0], register(key[1]), register(key[2])) for key in writer.steps]
    return Tape(
        np.array(steps, dtype=np.int64).reshape(-1, 3),
        np.array(writer.literals, dtype=float),
        np.array([register(result) for result in results], dtype=np.int64),
        np.array([register(result) for result in others], dtype=np.int64),
    )


@njit(cache=True, error_model="numpy")
def _value(operation, x, y):
    """Result of one step."""
    if operation == ADD:
        return x + y
    if operation == SUBTRACT:
        return x - y
    if operation == MULTIPLY:
        return x * y
    if operation == DIVIDE:
        return x / y
    if operation == POWER:
        return x**y
    if operation == NEGATE:
        return -x
    if operation == EXP:
        return np.exp(x)
    if operation == LOG:
        return np.log(x)
    return np.sqrt(x)


@njit(cache=True, error_model="numpy")
def _slopes(operation, x, y, value):
    """How the result of one step moves with each of what it reads; a step of one operand has all in the first."""
    if operation == ADD:
        return 1.0, 1.0
    if operation == SUBTRACT:
        return 1.0, -1.0
    if operation == MULTIPLY:
        return y, x
    if operation == DIVIDE:
        return 1.0 / y, -value / y
    if operation == POWER:
        return y * x ** (y - 1.0), value * np.log(x) if x > 0.0 else 0.0
    if operation == NEGATE:
        return -1.0, 0.0
    if operation == EXP:
        return value, 0.0
    if operation == LOG:
        return 1.0 / x, 0.0
    return 0.5 / value, 0.0


@njit(cache=True, error_model="numpy")
def run(steps, literals, symbols):
    """Fill every register, (symbol + literal + step,)."""
    first = symbols.size + literals.size
    registers = np.empty(first + steps.shape[0])
    registers[: symbols.size] = symbols
    registers[symbols.size : first] = literals
    run_again(steps, np.arange(steps.shape[0]), registers)
    return registers


@njit(cache=True, error_model="numpy")
def run_again(steps, order, registers):
    """Fill the registers (register,) of some steps anew, in place, from the others as they stand."""
    first = registers.size - steps.shape[0]
    for s in order:
        registers[first + s] = _value(steps[s, 0], registers[steps[s, 1]], registers[steps[s, 2]])


@njit(cache=True, error_model="numpy")
def run_back(steps, registers, n_symbols, outputs, outputs_bar):
    """Gradient of sum(outputs_bar * rates) by the symbols, (symbol,)."""
    bar = np.zeros(registers.size)
    for o in range(outputs.size):
        bar[outputs[o]] += outputs_bar[o]
    carry_back(steps, np.arange(steps.shape[0]), registers, bar)
    return bar[:n_symbols]


@njit(cache=True, error_model="numpy")
def carry_back(steps, order, registers, bar):
    """Hand the gradient `bar` (register,) of some steps to what they read, in place; theirs is nothing afterwards."""
    first = registers.size - steps.shape[0]
    for k in range(order.size - 1, -1, -1):
        s = order[k]
        b = bar[first + s]
        if b == 0.0:
            continue
        bar[first + s] = 0.0
        i, j = steps[s, 1], steps[s, 2]
        by_x, by_y = _slopes(steps[s, 0], registers[i], registers[j], registers[first + s])
        bar[i] += b * by_x
        bar[j] += b * by_y


@njit(cache=True, error_model="numpy")
def extend(steps, order, extent):
    """First and past the last derivative that may not be zero, (register, 2) in place, from those of what is read."""
    first = extent.shape[0] - steps.shape[0]
    for s in order:
        i, j = steps[s, 1], steps[s, 2]
        if extent[i, 1] == 0 or extent[j, 1] == 0:
            extent[first + s] = np.maximum(extent[i], extent[j])
        else:
            extent[first + s, 0] = min(extent[i, 0], extent[j, 0])
            extent[first + s, 1] = max(extent[i, 1], extent[j, 1])


@njit(cache=True, error_model="numpy")
def carry_on(steps, order, registers, slopes, extent):
    """Derivatives (register, state) of some steps' results, in place, from those of what they read."""
    first = registers.size - steps.shape[0]
    for s in order:
        if extent[first + s, 1] == 0:
            continue
        i, j = steps[s, 1], steps[s, 2]
        by_x, by_y = _slopes(steps[s, 0], registers[i], registers[j], registers[first + s])
        for d in range(extent[first + s, 0], extent[first + s, 1]):
            total = 0.0
            if slopes[i, d] != 0.0:
                total += by_x * slopes[i, d]
            if slopes[j, d] != 0.0:
                total += by_y * slopes[j, d]
            slopes[first + s, d] = total


@njit(cache=True, error_model="numpy")
def moving_registers(steps, n_known, n_symbols, n_literals):
    """Whether each register, (register,), depends on what follows the first `n_known` symbols: the hour, the states."""
    first = n_symbols + n_literals
    moves = np.zeros(first + steps.shape[0], np.bool_)
    moves[n_known:n_symbols] = True
    for s in range(steps.shape[0]):
        moves[first + s] = moves[steps[s, 1]] or moves[steps[s, 2]]
    return moves


@njit(cache=True, error_model="numpy")
def run_many(steps, literals, outputs, symbols):
    """Rates for many sets of symbols, (draw, rate) from (draw, symbol)."""
    out = np.empty((symbols.shape[0], outputs.size))
    for r in range(symbols.shape[0]):
        registers = run(steps, literals, symbols[r])
        for o in range(outputs.size):
            out[r, o] = registers[outputs[o]]
    return out
