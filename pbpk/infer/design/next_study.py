"""Which animals to kill when, so that a few named quantities are known best for a number of animals.

A quantity is a direction of z: a parameter, or the logarithm of an endpoint by its gradient at each point (the delta
method). Its expected variance is c' (K + F)^-1 c, averaged over points of what is believed, K what is known before and
F what the animals add. Of several quantities the mean of the logarithms counts, so that a tenth off one is worth a
tenth off another: a compound c-optimal design (Atkinson, Donev & Tobias 2007, Optimum Experimental Designs, ch. 21),
Bayesian in that points stand for the prior (Chaloner & Verdinelli 1995, Stat Sci 10:273). Animals are added one by one
where they help most, then moved one by one while that helps (exchange: Fedorov 1972). Nothing is drawn in the search,
so the same question has the same answer; it may be a local best, as the search never moves two animals at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from pbpk.body.solve import Array
from pbpk.errors import StudyError
from pbpk.infer.design.kills import Kills

MOST_MOVES = 200  # of an exchange; a few suffice
GAIN = 1e-9  # in the mean logarithm of variances, below which a move is none


@dataclass(frozen=True)
class Aim:
    """What shall be known, and what is known before.

    names : (quantity,) as they were asked; directions : (point, free, quantity) gradients by z
    known : (point, free, free) information before, the prior's included
    kills : animals that could be killed; offered : places of those that a design may choose
    each : animals that are killed together, the step of a design
    """

    names: tuple[str, ...]
    directions: Array
    known: Array
    kills: Kills
    offered: tuple[int, ...]
    each: int = 1

    def variances(self, information: Array) -> Array:
        """Expected variance of each quantity, (quantity,), from information (point, free, free) added to `known`."""
        solved = np.linalg.solve(self.known + information, self.directions)
        return np.asarray((self.directions * solved).sum(axis=1).mean(axis=0))

    @cached_property
    def before(self) -> Array:
        """Variance of each quantity before a new animal is seen, (quantity,)."""
        return self.variances(np.zeros_like(self.known))

    def contractions(self, information: Array) -> Array:
        """SD after over SD before of each quantity, (quantity,)."""
        return np.asarray(np.sqrt(self.variances(information) / self.before))

    def of(self, animals: Array) -> Array:
        """Contraction of each quantity by a design, (quantity,); animals : (kill,)."""
        return self.contractions(self.kills.information(animals))

    def score(self, animals: Array) -> float:
        """Geometric mean of the contractions: what a design is judged by, less is better."""
        return typical(self.of(animals))

    def with_more(self, animals: Array, more: float) -> Array:
        """Contraction of each quantity with `more` animals of each kill on top of a design, (kill, quantity)."""
        covariance = np.linalg.inv(self.known + self.kills.information(animals))
        towards = covariance @ self.directions
        var = (self.directions * towards).sum(axis=1)
        rows = self.kills.factors(animals, more)
        spread = rows @ covariance[:, np.newaxis]
        inner = spread @ np.swapaxes(rows, -1, -2) + np.eye(rows.shape[2])
        seen = rows @ towards[:, np.newaxis]
        less = (seen * np.linalg.solve(inner, seen)).sum(axis=2)
        after = np.maximum(var[:, np.newaxis] - less, 0.0).mean(axis=0)
        return np.asarray(np.sqrt(after / self.before))


def typical(contractions: Array) -> float:
    """Geometric mean of contractions."""
    return float(np.exp(np.log(np.maximum(contractions, 1e-300)).mean()))


def aimed(
    names: Sequence[str], directions: Array, known: Array, kills: Kills, offered: Sequence[int], each: int = 1
) -> Aim:
    """An aim whose quantities can be learned at all.

    Raises
    ------
    StudyError
        if a quantity does not move with any parameter, or no animal may be chosen
    """
    still = np.flatnonzero(np.abs(directions).max(axis=(0, 1)) < 1e-9)
    if still.size:
        raise StudyError(f"`{names[still[0]]}` does not change with any parameter that is estimated, so no study can "
                         "teach it; ask for another.")  # fmt: skip
    if not len(offered):
        raise StudyError("hours: at none of them is an animal of this study still followed; give others.")
    return Aim(tuple(names), directions, known, kills, tuple(offered), each)


def build_up(aim: Aim, animals: int, start: Array | None = None) -> list[Array]:
    """Designs of 0, `each`, 2 `each`, … animals, each with the best next ones, (kill,); what does not fill up is left.

    start : design to begin with, none where None
    """
    design = np.zeros(len(aim.kills.kills)) if start is None else np.asarray(start, dtype=float)
    found = [design]
    for _ in range(animals // aim.each):
        design = design.copy()
        design[_best(aim, design)[0]] += aim.each
        found.append(design)
    return found


def exchanged(aim: Aim, design: Array) -> Array:
    """Design with the animals moved from kill to kill for as long as one move helps, (kill,)."""
    design, score = design.copy(), np.log(aim.score(design))
    for _ in range(MOST_MOVES):
        moves = []
        for place in np.flatnonzero(design >= aim.each).tolist():
            less = design.copy()
            less[place] -= aim.each
            to, reached = _best(aim, less)
            moves.append((reached, place, to))
        reached, place, to = min(moves, default=(score, 0, 0))
        if reached >= score - GAIN:
            return design
        design[place] -= aim.each
        design[to] += aim.each
        score = reached
    return design


def recommended(aim: Aim, animals: int) -> Array:
    """Best design found for a number of animals, (kill,).

    Raises
    ------
    StudyError
        if there are fewer animals than are killed together
    """
    if animals < aim.each:
        raise StudyError(f"animals: {animals} are fewer than the {aim.each} that are killed together; give more.")
    return exchanged(aim, build_up(aim, animals)[-1])


def fewest(aim: Aim, score: float, most: int) -> tuple[int, Array] | None:
    """Fewest animals that reach a score, with their design; None where `most` do not.

    Each number is tried with its own exchange, from the first at which building up reaches the score downwards.
    """
    path = build_up(aim, most)
    reach = [aim.score(design) <= score * (1.0 + GAIN) for design in path]
    if True in reach:
        found = reach.index(True)
        best = path[found]
    else:
        found, best = len(path) - 1, exchanged(aim, path[-1])
        if aim.score(best) > score * (1.0 + GAIN):
            return None
    while found > 0:
        fewer = exchanged(aim, path[found - 1])
        if aim.score(fewer) > score * (1.0 + GAIN):
            break
        found, best = found - 1, fewer
    return found * aim.each, best


def spread_out(aim: Aim, animals: int, places: Sequence[int]) -> Array:
    """Animals spread evenly over some kills, `each` at a time, the first getting what is over, (kill,)."""
    design = np.zeros(len(aim.kills.kills))
    packs, n = animals // aim.each, len(places)
    taken = np.unique(np.round(np.linspace(0, n - 1, min(n, packs))).astype(int))
    for i, place in enumerate(taken):
        design[places[place]] = aim.each * (packs // len(taken) + (i < packs % len(taken)))
    return design


def in_the_same(aim: Aim, design: Array, places: Sequence[int], animals: int) -> Array:
    """What a readout on top, in animals of a design, is best spread over, (kill,).

    places : kill of the readout for each kill that is offered, in their order; no more than the animals there
    """
    room = {to: design[of] for of, to in zip(aim.offered, places, strict=True)}
    apart = replace(aim, offered=tuple(place for place in places if room[place] > 0.0), each=1)
    more = np.zeros_like(design)
    for _ in range(animals):
        left = tuple(place for place in apart.offered if more[place] < room[place])
        if not left:
            break
        more[_best(replace(apart, offered=left), design + more)[0]] += 1.0
    return more


def _best(aim: Aim, design: Array) -> tuple[int, float]:
    """Place where the next animals help most, and the logarithm of the score they reach."""
    scores = np.log(np.maximum(aim.with_more(design, aim.each)[list(aim.offered)], 1e-300)).mean(axis=1)
    at = int(np.argmin(scores))
    return aim.offered[at], float(scores[at])
