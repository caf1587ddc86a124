"""What a design could teach with endless data: which parameters the curves settle, and which can move unseen.

Two sets of parameters that give the same curves cannot be told apart by any data, so the question comes before any
noise. The curves of a linear model are told by the Taylor coefficients of `series`, and a direction in which none of
these moves is one in which no curve does. Their Jacobian has its generic rank at almost every point: by Schwartz and
Zippel a random point modulo a prime p misses it with a probability of at most degree / p, and two points modulo two
primes of 31 bits both do so with less than one in a million for degrees up to a million (Sedoglavic 2002, J Symb
Comput 33:735). A full rank says identifiable locally: no other values nearby, which leaves finitely many elsewhere;
the notions are those of Villaverde 2019, Complexity 2019:8497093.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from fractions import Fraction
from typing import Any, Literal

import numpy as np

from pbpk.errors import StudyError, did_you_mean
from pbpk.infer.design.numeric_rank import null_by_numbers
from pbpk.infer.design.series import (
    Field,
    NotRationalError,
    Numbers,
    body_of,
    duals,
    echelon,
    many_digits,
    null_space,
    quotient,
    run_tape,
)
from pbpk.infer.matched.between import DEVIATE
from pbpk.infer.matched.experiments import Experiment
from pbpk.infer.matched.joint import Joint

Fidelity = Literal["reduced", "full"]
PRIMES = (2147483647, 2147483629)
SHUFFLES = 60  # orders in which small sets of confounded parameters are looked for
SPAN = 0.7  # of prior SDs, about which points for decimals and differences are drawn
EXACT, DIGITS = "exact arithmetic", "arithmetic of a thousand digits"
NUMBERS = "singular values of sensitivities, which is no proof"


@dataclass(frozen=True)
class Direction:
    """Parameters that can move together while every curve that is measured stays as it is; alone, if it is one."""

    parameters: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """What that means for the user."""
        named = [f"`{name}`" for name in self.parameters]
        if len(named) == 1:
            return f"Nothing that is measured depends on {named[0]}: no data of this design can tell it."
        together = f"{', '.join(named[:-1])} and {named[-1]}"
        return (
            f"{together} can move together without changing any curve that is measured: no data of this design can "
            "tell them apart; know one of them from elsewhere and this set is settled."
        )


@dataclass(frozen=True)
class Structure:
    """What endless data of a design would settle.

    parameters : those asked about; known : those taken as known; identifiable : those that the curves settle
    directions : smallest sets of the others that can move unseen, as many as the rank falls short
    by : how the rank was found; fidelity : as it was asked for
    """

    parameters: tuple[str, ...]
    known: tuple[str, ...]
    identifiable: tuple[str, ...]
    directions: tuple[Direction, ...]
    by: str
    fidelity: Fidelity

    @property
    def rank(self) -> int:
        """Number of combinations of parameters that the curves settle."""
        return len(self.parameters) - len(self.directions)

    @property
    def unseen(self) -> tuple[str, ...]:
        """Parameters that no curve depends on."""
        return tuple(d.parameters[0] for d in self.directions if len(d.parameters) == 1)

    @property
    def sentences(self) -> tuple[str, ...]:
        """The finding in words, the proof first."""
        total = len(self.parameters)
        proof = f"by {self.by}; with endless data at all times of what is measured"
        if not self.directions:
            return (f"Every one of the {total} parameters could be told ({proof}).",)
        first = f"{len(self.identifiable)} of {total} parameters could be told ({proof})."
        confounded = [d.sentence for d in self.directions if len(d.parameters) > 1]
        unseen = [f"`{name}`" for name in self.unseen]
        if not unseen:
            return (first, *confounded)
        listed = ", ".join(unseen)
        return (
            first,
            *confounded,
            f"Nothing that is measured depends on {listed}: no data of this design can tell it.",
        )


def structure(joint: Joint, known: Sequence[str] = (), fidelity: Fidelity = "reduced", seed: int = 1) -> Structure:
    """Prove which parameters the curves of a design settle, whatever their number of animals and their noise.

    Rates that move with amounts or hours have no such series: there the rank is that of sensitivities at random
    points, judged by which singular values stay when the step of differences changes; `by` says so. Scatter
    (spread, misfit) and deviations of single animals are not asked about. Where the denominator is unknown, the
    reading that teaches less counts.

    Parameters
    ----------
    known : names or patterns (`weight_*`) of parameters taken as known from elsewhere, at a value like any other
    fidelity : "reduced" has passing states in balance, as the fit does, and does not count what is under way in an
        organ beside what stays there: it is less than the error of the balance, 2e-4, and would tell parameters apart
        that no measurement can; "full" has it all, and the first seconds too, where rates do not move

    Raises
    ------
    StudyError
        if a name or pattern in `known` fits no parameter, or all of them
    """
    left_out = {p.name for p in joint.model.noise}
    free = [p.name for p in joint.free if p.name not in left_out and not p.name.startswith(DEVIATE)]
    unknown = left_unknown(known, free)
    experiments = [e for e in joint.experiments if e.rows]
    if all(e.model.is_linear for e in experiments):
        try:
            tried = [_exact(joint, experiments, unknown, free, fidelity, prime, seed + i)
                     for i, prime in enumerate(PRIMES)]  # fmt: skip
            by, supports = EXACT, min(tried, key=len)
        except NotRationalError:
            with many_digits():
                by, supports = DIGITS, _exact(joint, experiments, unknown, free, fidelity, 0, seed)
    else:
        by, supports, fidelity = NUMBERS, null_by_numbers(joint, unknown, seed), "reduced"
    moving = {at for support in supports for at in support}
    return Structure(
        unknown,
        tuple(name for name in free if name not in unknown),
        tuple(name for i, name in enumerate(unknown) if i not in moving),
        tuple(Direction(tuple(unknown[i] for i in support)) for support in supports),
        by,
        fidelity,
    )


def matching(patterns: Iterable[str], names: Sequence[str]) -> tuple[str, ...]:
    """Names that a pattern fits, in their own order.

    Raises
    ------
    StudyError
        if a pattern fits none
    """
    found: set[str] = set()
    for pattern in patterns:
        fits = {name for name in names if fnmatchcase(name, pattern)}
        if not fits:
            raise StudyError(f"known: `{pattern}` fits no parameter that is estimated.{did_you_mean(pattern, names)}")
        found |= fits
    return tuple(name for name in names if name in found)


def left_unknown(known: Iterable[str], names: Sequence[str]) -> tuple[str, ...]:
    """Names that no pattern in `known` fits.

    Raises
    ------
    StudyError
        if a pattern fits none, or all are known
    """
    taken = matching(known, names)
    if len(taken) == len(names):
        raise StudyError("known: every parameter is taken as known, so there is nothing to ask; leave one out.")
    return tuple(name for name in names if name not in taken)


def _exact(
    joint: Joint,
    experiments: Sequence[Experiment],
    unknown: tuple[str, ...],
    free: Sequence[str],
    fidelity: Fidelity,
    prime: int,
    seed: int,
) -> tuple[tuple[int, ...], ...]:
    """Sets of unknowns that move together without moving a coefficient of any curve, at a random point."""
    field, rng = Field(prime), np.random.default_rng(seed)
    point: dict[str, Any] = {p.name: field.number(p.prior.centre) for p in joint.estimated if p.prior.is_fixed}
    theta = joint.theta(SPAN * rng.standard_normal(len(joint.free)))
    for name in free:
        value = Fraction(float(theta[joint.names.index(name)]))
        point[name] = int(rng.integers(1, prime)) if prime else field.number(value)
    known = duals(field, point, unknown)
    spaces = []
    for reading in joint.readings:
        blocks = [_curves(joint, experiment, field, known, fidelity, reading) for experiment in experiments]
        spaces.append(null_space(field, np.concatenate(blocks)[:, 1:]))
    return circuits(field, max(spaces, key=len), seed)


def _curves(
    joint: Joint, experiment: Experiment, field: Field, known: dict[str, Numbers], fidelity: Fidelity, reading: str
) -> Numbers:
    """Coefficients of all curves that one experiment measures, (coefficient, dual)."""
    model, n_slopes = experiment.model, next(iter(known.values())).size - 1
    settled = dict(zip(model.symbol_names[len(model.parameters) :], model.settled.tolist(), strict=True))
    fixed = {p.name: p.prior.centre for p in joint.estimated if p.prior.is_fixed}
    given = set(model.parameter_names) | set(experiment.modifiers)
    symbols: list[Numbers | None] = []
    plain = []
    for name in model.symbol_names:
        value = fixed.get(name, np.nan) if name in given else settled[name]
        plain.append(value)
        symbols.append(known[name] if name in given
                       else field.constant(value, n_slopes) if np.isfinite(value) else None)  # fmt: skip
    registers = run_tape(field, model, symbols, plain)
    table = joint.counts.table.iloc[list(experiment.rows)]
    first = table.drop_duplicates(["organ", "readout", "per"]).index.to_numpy()
    recovered = reading == "recovered"
    observers = np.concatenate([joint.observers[first], joint.recovery[first][: len(first) * recovered]])
    lasting = model.n_lasting if fidelity == "reduced" else len(model.states)
    stays = (observers[:, :lasting] > 0.0).any(axis=1)
    observers[stays, lasting:] = 0.0
    body = body_of(field, model, registers, experiment.schedule, observers, lasting)
    terms = 2 * len(body.w) + (n_slopes if recovered else 0)
    curves, rows = body.coefficients(terms), []
    for dose in range(len(curves)):
        for i, row in enumerate(first):
            factor = _factor(joint, field, known, str(joint.counts.table["organ"].iloc[row]))
            if joint.volumes[row] >= 0:
                factor = field.times(factor, field.over(registers[joint.volumes[row]]))
            curve = curves[dose, i]
            if recovered:
                curve = quotient(field, curve, curves[dose, len(first) + i])
            elif not field.is_zero(body.under_way[dose, i, 0]):
                curve = np.concatenate([curve, body.under_way[dose, i][None]])
            rows.append(field.times(factor[None], curve))
    return np.concatenate(rows)


def _factor(joint: Joint, field: Field, known: dict[str, Numbers], organ: str) -> Numbers:
    """What a study reports of an organ over what is there, as `Joint.yields`."""
    factor = field.constant(1.0, next(iter(known.values())).size - 1)
    if "recovery" in known:
        factor = field.times(factor, known["recovery"])
    if organ in joint.doubtful:
        factor = field.times(factor, field.over(known[f"grams_{organ}"]))
    return factor


def circuits(field: Field, null: Numbers, seed: int = 1) -> tuple[tuple[int, ...], ...]:
    """Smallest sets of columns that can move unseen, one for each dimension of the null space.

    The rows of an echelon form have supports that cannot be made smaller; which of them appear hangs on the order of
    columns, so many orders are tried and the smallest sets that span all are kept.

    null : (direction, column)
    """
    if not len(null):
        return ()
    rng, n = np.random.default_rng(seed), null.shape[1]
    found: dict[tuple[int, ...], Numbers] = {}
    for shuffle in range(SHUFFLES):
        order = np.arange(n) if shuffle == 0 else rng.permutation(n)
        rows, _ = echelon(field, null[:, order])
        for row in rows:
            vector = field.zeros(n)
            vector[order] = row
            found.setdefault(tuple(np.flatnonzero(~field.is_zero(vector)).tolist()), vector)
    kept: list[tuple[int, ...]] = []
    basis = field.zeros(0, n)
    for support in sorted(found, key=lambda at: (len(at), at)):
        more = np.concatenate([basis, found[support][None]])
        if len(echelon(field, more)[1]) > len(basis):
            basis = more
            kept.append(support)
    return tuple(kept)
