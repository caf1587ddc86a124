"""Who a population is: each subject's weight, sex, physiology, draw of the parameters and deviates from the median one.

Subjects come in blocks of `BLOCK`, drawn whole from a counter that the seed and the number of the block set: what
subject i is hangs on nothing else, neither on how many there are nor on who draws it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from pbpk.body.model import Model
from pbpk.body.physiology import constants_at, freed, in_animal, opened
from pbpk.body.prior import Prior
from pbpk.body.scaling import Allometry, read_allometry, spread
from pbpk.body.solve import Array
from pbpk.body.species import Species
from pbpk.errors import InputError, did_you_mean
from pbpk.infer.matched.between import DOSE, Between, deviate
from pbpk.predict.origin import Origin
from pbpk.predict.scenario import WEIGHT

BLOCK = 2048  # subjects that are drawn together
STREAMS = 5  # of a block: draw, weight, sex, physiology, deviates
NEW = "new"  # the animal nobody has seen
KINDS = ("both", "variability")
MEANING = {
    "both": "Bands mix two things: how subjects differ (body, physiology, deviates of the fit) and how little is known "
    "of the parameters, for each subject has a draw of its own. Another subject is expected within them.",
    "variability": "Bands are how subjects differ (body, physiology, deviates of the fit) if the parameters were known "
    "to be their medians. They are narrower than what is expected of another subject.",
}


def parse_weight(text: str) -> Prior:
    """Body weights as log-normal from their mean [g] and coefficient of variation.

    >>> float(parse_weight("25, 0.1").centre)
    24.87...

    Raises
    ------
    InputError
        if it is not two numbers, the mean above zero and the CV between 0 and 2
    """
    try:
        mean, cv = (float(part) for part in text.split(","))
    except ValueError:
        raise InputError(f"weight `{text}`: write mean in grams and CV, as 25,0.1.") from None
    if not (np.isfinite(mean) and mean > 0.0 and 0.0 <= cv <= 2.0):
        raise InputError(f"weight `{text}`: the mean must be above zero grams and the CV between 0 and 2.")
    if cv == 0.0:
        return Prior("fixed", mean, 0.0)
    return Prior("lognormal", mean / np.sqrt(1.0 + cv**2), float(np.sqrt(np.log1p(cv**2))))


@dataclass(frozen=True)
class Sort:
    """Subjects of one sex: the model in their animal, constants and all, and what is believed of their weights [g]."""

    sex: str
    model: Model
    weight: Prior

    def believed(self, names: Sequence[str]) -> list[Prior]:
        """What is believed of numbers of the animal."""
        return [spread(self.model.quantities[name]) for name in names]


@dataclass(frozen=True)
class Subjects:
    """Some subjects.

    draw : (subject,) row of the draws, weight : (subject,) [g], sort : (subject,) which of `People.sorts`
    got : (subject,) part of what it was given that it really got
    theta : (subject, name) parameters, what scenarios ask for beside them, and all constants of the body
    """

    draw: NDArray[np.int64]
    weight: Array
    sort: NDArray[np.int64]
    got: Array
    theta: Array


@dataclass(frozen=True)
class People:
    """A population that can be drawn block by block.

    model : with every constant as a parameter; names : columns of theta
    drawn : (draw, known) draws, known : their columns; free : numbers of the animal that are drawn for each subject
    between : how subjects differ from the median one, None where no fit tells; apart : (draw, SD or correlation)
    """

    model: Model
    sorts: tuple[Sort, ...]
    drawn: Array
    known: tuple[str, ...]
    free: tuple[str, ...]
    between: Between | None
    apart: Array
    apart_names: tuple[str, ...]
    law: Allometry
    seed: int

    @property
    def names(self) -> tuple[str, ...]:
        """Columns of theta."""
        return (*self.known, *self.free, *self.sorts[0].model.constants)

    def block(self, number: int) -> Subjects:
        """Draw one block, (BLOCK,) subjects."""
        root = np.random.SeedSequence([self.seed, number])
        draws, weights, sexes, bodies, apart = (np.random.Generator(np.random.Philox(s)) for s in root.spawn(STREAMS))
        draw = draws.integers(len(self.drawn), size=BLOCK)
        z = weights.standard_normal(BLOCK)
        sort = sexes.integers(len(self.sorts), size=BLOCK)
        body = bodies.standard_normal((BLOCK, len(self.free)))
        weight = np.stack([np.broadcast_to(each.weight.value(z), BLOCK) for each in self.sorts])[sort, np.arange(BLOCK)]
        free = np.stack([self._physiology(each, body) for each in self.sorts])[sort, np.arange(BLOCK)]
        constants = np.stack([constants_at(each.model, weight, self.law) for each in self.sorts])
        known, got = self._moved(draw, apart)
        theta = np.concatenate([known, free, constants[sort, np.arange(BLOCK)]], axis=1)
        return Subjects(draw, weight, sort, got, theta)

    def _physiology(self, sort: Sort, z: Array) -> Array:
        """Numbers of the animal, (subject, free), from (subject, free) standard normals."""
        columns = [prior.value(z[:, i]) for i, prior in enumerate(sort.believed(self.free))]
        return np.stack(columns, axis=-1) if columns else np.zeros((len(z), 0))

    def _moved(self, draw: NDArray[np.int64], rng: np.random.Generator) -> tuple[Array, Array]:
        """Parameters (subject, known) moved by the deviates of each subject, and the part of the dose it got."""
        known, got = self.drawn[draw], np.ones(draw.size)
        if self.between is None:
            return known, got
        z = rng.standard_normal((draw.size, len(self.between.varied)))
        names = (*self.apart_names, *(deviate(name, NEW) for name in self.between.varied))
        shifts = self.between.shifts(np.concatenate([self.apart[draw], z], axis=1), names)
        priors = {parameter.name: parameter.prior for parameter in self.model.parameters}
        for name, by in shifts.items():
            if name == DOSE:
                got = np.exp(by[:, 0])
            else:
                at = self.known.index(name)
                known[:, at] = priors[name].moved(known[:, at], by[:, 0])
        return known, got


def people_of(
    origin: Origin,
    physiology: str | Sequence[str] = "spread",
    weight: Prior | None = None,
    sexes: Sequence[str] = (),
    what: str = "both",
    seed: int = 1,
) -> People:
    """Population in the animal of some draws.

    Parameters
    ----------
    physiology : numbers of the animal that differ within their spread, as `freed` takes them; those that the fit has
        learned are taken from its draws
    weight : of their bodies [g]; as the species file spreads it where None
    sexes : each subject is of one of these, all equally often; the animal's own where empty
    what : "both", or "variability" for one vector of parameters, the medians, in all subjects
    seed : same seed, same subjects

    Raises
    ------
    InputError, SpeciesError, ModelFileError
        if `what` is unknown, or the animal has no such sex, weight or number
    """
    if what not in KINDS:
        raise InputError(f"what: `{what}` is no kind of population.{did_you_mean(what, KINDS)}")
    source = origin.home or origin  # the study's own animals tell how subjects differ
    learned = [p.name for p in origin.model.parameters if p.name in origin.model.quantities]
    sorts = [_sort(origin, sex, weight, physiology, learned) for sex in (sexes or ("",))]
    first = sorts[0].model
    for each in sorts[1:]:
        if each.model.parameter_names != first.parameter_names:
            raise InputError(f"sexes: {sorts[0].sex} and {each.sex} have spreads of different numbers; ask for one.")
    free = tuple(name for name in first.parameter_names if name not in origin.names)
    varied = _between(source.names, first)
    wanted = [name for name in source.names if name.startswith(("between_", "correlation_"))]
    theta, apart = origin.theta, source.theta[:, [source.names.index(name) for name in wanted]]
    if what == "variability":
        theta, apart = (np.median(each, axis=0, keepdims=True) for each in (theta, apart))
    return People(opened(first), tuple(sorts), theta, origin.names, free, varied, apart, tuple(wanted),
                  read_allometry(), seed)  # fmt: skip


def _sort(
    origin: Origin, sex: str, weight: Prior | None, physiology: str | Sequence[str], learned: Sequence[str]
) -> Sort:
    """Subjects of one sex, "" for the animal as it is."""
    animal: Species = origin.model.species.of_sex(sex) if sex else origin.model.species
    fixed = origin.fixed if origin.moved is None and not sex else in_animal(origin.fixed, animal)
    whole = freed(fixed, physiology)
    kept = [p.name for p in whole.parameters if p.name in whole.quantities]
    names = [name for name in fixed.quantities if name in {*kept, *learned}]
    model = freed(fixed, names) if names else fixed
    if WEIGHT not in animal.quantities:
        raise InputError(f"weight: the {animal.name} of {fixed.name} has none.")
    return Sort(sex, model, weight or spread(animal.quantities[WEIGHT]))


def _between(names: Sequence[str], model: Model) -> Between | None:
    """How new subjects differ, from the names of SDs and partial correlations of a fit."""
    varied = [name.removeprefix("between_") for name in names if name.startswith("between_")]
    varied = [name for name in varied if name == DOSE or name in model.parameter_names]
    if not varied:
        return None
    before = {b: [a for a in varied if a != b and f"correlation_{a}_{b}" in names] for b in varied}
    tied = {name for pair in permutations(varied, 2) if f"correlation_{pair[0]}_{pair[1]}" in names for name in pair}
    blocks: dict[str, list[str]] = {}  # the one that stands first in a block comes before all others of it
    for name in sorted(tied, key=lambda name: len(before[name])):
        head = next((other for other in before[name] if not before[other]), name)
        blocks.setdefault(head, []).append(name)
    together = tuple(tuple(block) for block in blocks.values())
    return Between(tuple(varied), together, (NEW,), np.zeros(0, np.int64), np.ones(1), ())
