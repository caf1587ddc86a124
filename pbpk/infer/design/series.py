"""Taylor coefficients of what a study sees, exact, with their slopes by the parameters: the ground of `structure`.

A linear model answers a dose with y(t) = c' exp(K t) x0, whose coefficients are c' K^j x0. Each number here is a dual:
its value, then its slope by each unknown parameter, in the last axis, (..., 1 + parameter). Numbers are residues
modulo a prime, which are exact for everything that + - * / and whole powers make, or decimals of a thousand digits for
the rest.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, localcontext
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pbpk.body.model import Model
from pbpk.body.solve import Array, Schedule, reached
from pbpk.body.tape import ADD, DIVIDE, EXP, LOG, MULTIPLY, NEGATE, POWER, SQRT, SUBTRACT

Numbers = NDArray[Any]  # residues as int64, or decimals as objects
DIGITS = 1000
NOTHING = Decimal(10) ** (
    -DIGITS // 2
)  # of the largest of its row: what subtraction leaves of equal decimals is smaller
SIMPLE = 10**12  # denominators up to here bring 0.1 + 0.2 back to 3/10, as the numbers of an animal are written


class NotRationalError(Exception):
    """A rate is no quotient of polynomials in the parameters."""


@contextmanager
def many_digits() -> Iterator[None]:
    """Within it, decimals are computed to a thousand digits."""
    with localcontext(Context(prec=DIGITS, Emax=MAX_EMAX, Emin=MIN_EMIN)):
        yield


@dataclass(frozen=True)
class Field:
    """Numbers to compute with: residues modulo `prime` (below 2^31, so that two products fit 63 bits), or decimals.

    Decimals want `many_digits` about them.
    """

    prime: int = 0

    def number(self, value: float | Fraction) -> Any:
        """The same number here."""
        exact = value if isinstance(value, Fraction) else rational(value)
        if self.prime:
            return exact.numerator * pow(exact.denominator, -1, self.prime) % self.prime
        return Decimal(exact.numerator) / Decimal(exact.denominator)

    def zeros(self, *shape: int) -> Numbers:
        """Array of zeros."""
        return np.zeros(shape, dtype=np.int64) if self.prime else np.full(shape, Decimal(0), dtype=object)

    def reduced(self, x: Numbers) -> Numbers:
        """Residues of sums and products."""
        return x % self.prime if self.prime else x

    def inverse(self, x: Any) -> Any:
        """1 / x of a number that is not zero."""
        return pow(int(x), -1, self.prime) if self.prime else 1 / x

    def constant(self, values: Any, n_slopes: int) -> Numbers:
        """Duals that no parameter moves, from an array of floats."""
        values = np.asarray(values, dtype=float)
        out = self.zeros(*values.shape, 1 + n_slopes)
        for at in np.ndindex(values.shape):
            if values[at] != 0.0:
                out[(*at, 0)] = self.number(float(values[at]))
        return out

    def times(self, x: Numbers, y: Numbers) -> Numbers:
        """Product of duals."""
        out = self.reduced(x[..., :1] * y + y[..., :1] * x)
        out[..., 0] = self.reduced(x[..., 0] * y[..., 0])
        return out

    def over(self, x: Numbers) -> Numbers:
        """One over a dual, (1 + parameter,)."""
        inverse = self.inverse(x[0])
        out = self.reduced(-x * self.reduced(np.array(inverse * inverse)))
        out[0] = inverse
        return out

    def is_zero(self, x: Numbers) -> NDArray[np.bool_]:
        """Which numbers are nothing; decimals of one scaled to be at most 1."""
        nothing: Any = NOTHING
        return np.asarray(x == 0 if self.prime else np.abs(x) < nothing, dtype=bool)


def rational(value: float) -> Fraction:
    """Fraction that a float stands for: a simple one within 1e-14 of it, if there is one.

    >>> rational(0.1 + 0.2)
    Fraction(3, 10)
    """
    exact = Fraction(value)
    simple = exact.limit_denominator(SIMPLE)
    return simple if abs(simple - exact) <= abs(exact) * Fraction(1, 10**14) else exact


def run_tape(field: Field, model: Model, symbols: Sequence[Numbers | None], plain: Sequence[float]) -> list[Any]:
    """Dual in every register of the model's tape, None where it is infinite.

    Parameters
    ----------
    symbols : a dual for each symbol, None for what is infinite; plain : its float where no parameter moves it, else NaN

    Raises
    ------
    NotRationalError
        if the field is one of residues and a step takes it out of it
    """
    tape, n_slopes = model.tape, next(x.size - 1 for x in symbols if x is not None)
    duals = [*symbols, *(field.constant(value, n_slopes) for value in tape.literals)]
    floats = [*plain, *tape.literals.tolist()]
    for operation, i, j in tape.steps.tolist():
        known = _plain(operation, floats[i], floats[j])
        if duals[i] is None or duals[j] is None or (math.isfinite(known) and operation in (POWER, EXP, LOG, SQRT)):
            duals.append(field.constant(known, n_slopes) if math.isfinite(known) else None)
        else:
            duals.append(_step(field, operation, duals[i], duals[j], floats[j]))
        floats.append(known)
    return duals


def _plain(operation: int, x: float, y: float) -> float:
    """Result of a step on floats that no parameter moves."""
    one = {NEGATE: lambda: -x, EXP: lambda: math.exp(x), LOG: lambda: math.log(x), SQRT: lambda: math.sqrt(x)}
    two = {ADD: lambda: x + y, SUBTRACT: lambda: x - y, MULTIPLY: lambda: x * y, DIVIDE: lambda: x / y,
           POWER: lambda: x**y}  # fmt: skip
    if math.isnan(x) or math.isnan(y):
        return math.nan
    try:
        return float((one | two)[operation]())
    except (ArithmeticError, ValueError):
        return math.nan


def _step(field: Field, operation: int, x: Numbers, y: Numbers, exponent: float) -> Numbers:
    """Result of one step on duals."""
    if operation in (ADD, SUBTRACT):
        return field.reduced(x + y if operation == ADD else x - y)
    if operation == NEGATE:
        return field.reduced(-x)
    if operation == MULTIPLY:
        return field.times(x, y)
    if operation == DIVIDE:
        return field.times(x, field.over(y))
    if operation == POWER and exponent == round(exponent if math.isfinite(exponent) else 0.0):
        return _whole_power(field, x, int(exponent))
    if field.prime:
        raise NotRationalError
    if operation == POWER:
        return _exp(field.times(_log(x), y))
    if operation == SQRT:
        return _exp(_log(x) / 2)
    return _exp(x) if operation == EXP else _log(x)


def _whole_power(field: Field, x: Numbers, exponent: int) -> Numbers:
    out = field.constant(1.0, x.size - 1)
    for _ in range(abs(exponent)):
        out = field.times(out, x)
    return field.over(out) if exponent < 0 else out


def _exp(x: Numbers) -> Numbers:
    out = x * x[0].exp()
    out[0] = x[0].exp()
    return out


def _log(x: Numbers) -> Numbers:
    out = x / x[0]
    out[0] = x[0].ln()
    return out


@dataclass
class Body:
    """The part of a model that doses reach, in duals.

    w : (state, state, dual) rates of i -> j; seen : (output, state, dual); entries : (dose, state, dual)
    under_way : (dose, output, dual) what passing states hold while an infusion runs
    """

    field: Field
    w: Numbers
    seen: Numbers
    entries: Numbers
    under_way: Numbers

    def balance(self, lasting: int) -> None:
        """Take the passing states out, as `pbpk.body.elimination` does, in place."""
        field = self.field
        for f in range(len(self.w) - 1, lasting - 1, -1):
            turned = field.over(field.reduced(self.w[f, :f].sum(axis=0)))
            leaving = field.times(self.w[f, :f], turned)
            held = field.times(self.w[:f, f], turned)
            into, seen, entry = self.w[:f, f], self.seen[:, f], self.entries[:, f]
            waiting = field.times(entry, turned)
            self.under_way = field.reduced(self.under_way + field.times(waiting[:, None], seen[None]))
            seen_back = field.times(held[None], seen[:, None])
            self.seen = field.reduced(self.seen[:, :f] + seen_back)
            self.entries = field.reduced(self.entries[:, :f] + field.times(entry[:, None], leaving[None]))
            self.w = field.reduced(self.w[:f, :f] + field.times(into[:, None], leaving[None]))

    def coefficients(self, terms: int) -> Numbers:
        """Coefficients c' K^j x0, (dose, output, term, dual)."""
        field, n = self.field, len(self.w)
        k = self.w.swapaxes(0, 1).copy()
        own = np.arange(n)
        k[own, own] = field.reduced(self.w[own, own] - self.w.sum(axis=1))
        x, found = self.entries, []
        for _ in range(terms):
            found.append(field.reduced(field.times(self.seen[None], x[:, None]).sum(axis=2)))
            x = field.reduced(field.times(k[None], x[:, None]).sum(axis=2))
        return np.stack(found, axis=2)


def body_of(
    field: Field,
    model: Model,
    registers: Sequence[Numbers],
    schedule: Schedule,
    observers: Array,
    lasting: int,
) -> Body:
    """Body that doses reach; doses that begin and end together are one, as no sample tells them apart.

    observers : (output, state); lasting : states that are followed, the others are in balance
    """
    n_slopes = registers[0].size - 1
    part = reached(model.source_states, model.target_states, schedule.entry)
    n = int(part.states.sum())
    w = field.zeros(n, n, 1 + n_slopes)
    outputs = model.tape.outputs[part.arrows]
    for source, target, output in zip(part.source, part.target, outputs, strict=True):
        if source != target:
            w[source, target] = field.reduced(w[source, target] + registers[output])
    together: dict[tuple[float, ...], Array] = {}
    for entry, *when in zip(schedule.entry, schedule.starts, schedule.durations, schedule.every, strict=True):
        key = tuple(float(x) for x in when)
        together[key] = together.get(key, np.zeros(n)) + entry[part.states]
    entries = field.constant(np.array(list(together.values())), n_slopes)
    seen = field.constant(observers[:, part.states], n_slopes)
    body = Body(field, w, seen, entries, field.zeros(len(entries), len(seen), 1 + n_slopes))
    body.balance(int(part.states[:lasting].sum()))
    lasts = np.array([key[1] > 0.0 for key in together])
    body.under_way[~lasts] = body.under_way[~lasts] * 0  # a bolus is gone from what passes at once
    return body


def quotient(field: Field, above: Numbers, below: Numbers) -> Numbers:
    """Series of one curve over another, but for a power of the time, from c' K^j x0 of both, (term, dual)."""
    terms = len(above)
    first = next(j for j in range(terms) if not field.is_zero(below[j, 0]))
    factorial = [field.constant(1.0, above.shape[1] - 1)]
    for j in range(1, terms):
        factorial.append(field.times(factorial[-1], field.constant(float(j), above.shape[1] - 1)))
    a = np.stack([field.times(above[j], field.over(factorial[j])) for j in range(terms)])
    b = np.stack([field.times(below[j], field.over(factorial[j])) for j in range(first, terms)])
    turned = field.over(b[0])
    out: list[Numbers] = []
    for j in range(len(b)):
        rest = a[j]
        for i in range(j):
            rest = field.reduced(rest - field.times(out[i], b[j - i]))
        out.append(field.times(rest, turned))
    return np.stack(out)


def echelon(field: Field, matrix: Numbers) -> tuple[Numbers, list[int]]:
    """Reduced row echelon form, (rank, column), and the columns that lead its rows."""
    left, pivots = matrix.copy(), []
    if not field.prime:
        _scale(left)
    rank = 0
    for column in range(left.shape[1]):
        at = np.flatnonzero(~field.is_zero(left[rank:, column]))
        if not at.size:
            continue
        best = rank + int(at[0] if field.prime else at[np.argmax(np.abs(left[rank + at, column]))])
        left[[rank, best]] = left[[best, rank]]
        left[rank] = field.reduced(left[rank] * field.inverse(left[rank, column]))
        others = np.flatnonzero(np.arange(len(left)) != rank)
        left[others] = field.reduced(left[others] - left[others, column][:, None] * left[rank][None])
        pivots.append(column)
        rank += 1
        if rank == len(left):
            break
    return left[:rank], pivots


def _scale(rows: Numbers) -> None:
    """Divide each row of decimals by its largest, in place; a row that is nothing stays."""
    for row in rows:
        most = max(abs(row)) if row.size else Decimal(0)
        if most > 0:
            row /= most


def null_space(field: Field, matrix: Numbers) -> Numbers:
    """Directions in which no row of a matrix moves, (direction, column)."""
    rows, pivots = echelon(field, matrix)
    n = matrix.shape[1]
    free = [column for column in range(n) if column not in pivots]
    out = field.zeros(len(free), n)
    for i, column in enumerate(free):
        out[i, column] = field.number(1.0)
        for row, pivot in zip(rows, pivots, strict=True):
            out[i, pivot] = field.reduced(np.array(-row[column]))
    return out


def duals(field: Field, point: Mapping[str, Any], unknown: Sequence[str]) -> dict[str, Numbers]:
    """Each number of a point as a dual, with slope 1 by itself if it is unknown."""
    out = {}
    for name, value in point.items():
        out[name] = field.zeros(1 + len(unknown))
        out[name][0] = value
        if name in unknown:
            out[name][1 + list(unknown).index(name)] = field.number(1.0)
    return out
