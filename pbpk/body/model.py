"""A model: states joined by arrows, with the numbers of one animal and the priors of one kind of cell and label."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from pbpk.body.prior import Prior
from pbpk.body.rates import Rate
from pbpk.body.solve import Array, Schedule, solve
from pbpk.body.species import SourceEntry, Species
from pbpk.body.tape import Tape, run_many, write_tape
from pbpk.errors import InputError, ModelFileError, did_you_mean

MINUTE = 1.0 / 60.0  # [h]


@dataclass(frozen=True)
class Parameter:
    """A number the model needs, with its unit, meaning, prior and source."""

    name: str
    about: str
    unit: str
    prior: Prior
    source: str


@dataclass(frozen=True)
class Modifier:
    """A symbol that stays neutral unless a group or a scenario sets it."""

    name: str
    about: str
    neutral: float
    prior: Prior
    source: str
    evidence: str


@dataclass(frozen=True)
class Family:
    """One line of the model file: the same arrow for each of its organs.

    symbols : for each name in the rate, where to find it for each organ in the vector of all symbols
    """

    line: str
    rate: Rate
    organs: tuple[str, ...]
    source: tuple[int, ...]
    target: tuple[int, ...]
    symbols: Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class Dose:
    """Cells given by one route, at one hour, over some time."""

    route: str
    cells: float
    hours: float = 0.0
    duration_h: float = 0.0
    viability: float = 1.0

    def __post_init__(self) -> None:
        """Refuse a dose that nobody can give."""
        numbers = {"cells": self.cells, "hours": self.hours, "duration_h": self.duration_h}
        for name, value in numbers.items():
            if not (np.isfinite(value) and value >= 0.0):
                raise InputError(f"dose by `{self.route}`: {name} is {value:g}; it must be a number of at least 0.")
        if not 0.0 <= self.viability <= 1.0:
            raise InputError(f"dose by `{self.route}`: viability is {self.viability:g}; it must lie between 0 and 1.")


@dataclass(frozen=True)
class Model:
    """Arrows, symbols, priors and sources; states are ordered lasting first, passing last."""

    name: str
    about: str
    amount: str
    label_name: str
    organs: tuple[str, ...]
    states: tuple[str, ...]
    n_lasting: int
    families: tuple[Family, ...]
    parameters: tuple[Parameter, ...]
    constants: Mapping[str, float]
    constant_units: Mapping[str, str]
    modifiers: tuple[Modifier, ...]
    noise: tuple[Parameter, ...]
    size_law: Parameter
    live: frozenset[str]
    label: frozenset[str]
    outside: frozenset[str]
    readouts: Mapping[str, tuple[str, ...]]
    observed: Mapping[str, tuple[str, ...]]
    routes: Mapping[str, str]
    dead_enter: str
    species: Species
    sources: Mapping[str, SourceEntry]
    files: tuple[Path, ...]

    @cached_property
    def parameter_names(self) -> tuple[str, ...]:
        """Names in the order of a parameter vector."""
        return tuple(parameter.name for parameter in self.parameters)

    @cached_property
    def symbol_names(self) -> tuple[str, ...]:
        """Every symbol a rate may use: parameters, then constants, then modifiers."""
        modifiers = tuple(modifier.name for modifier in self.modifiers)
        return (*self.parameter_names, *self.constants, *modifiers)

    @cached_property
    def source_states(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """State that each arrow leaves, (arrow,)."""
        return np.array([s for family in self.families for s in family.source], dtype=np.int64)

    @cached_property
    def target_states(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """State that each arrow enters, (arrow,)."""
        return np.array([t for family in self.families for t in family.target], dtype=np.int64)

    @property
    def is_linear(self) -> bool:
        """True where no rate depends on how many cells there are."""
        return all(min(at) >= 0 for family in self.families for at in family.symbols.values())

    @cached_property
    def tape(self) -> Tape:
        """Steps that turn the vector of all symbols into the rates.

        Raises
        ------
        ModelFileError
            if a rate depends on how many cells there are
        """
        if not self.is_linear:
            raise ModelFileError(
                f"{self.name} has a rate that depends on the number of cells; only linear models are solved."
            )
        rates = [
            (family.rate, {name: at[i] for name, at in family.symbols.items()})
            for family in self.families
            for i in range(len(family.organs))
        ]
        return write_tape(rates, len(self.symbol_names))

    def rates(self, theta: Array, modifiers: Mapping[str, float | Array] | None = None) -> Array:
        """Rate of every arrow.

        Parameters
        ----------
        theta : (..., parameter) in the order of `parameter_names`
        modifiers : name -> number or (...,) array; the others stay neutral

        Returns
        -------
        (..., arrow) [1/h]
        """
        theta = np.asarray(theta, dtype=float)
        symbols = np.empty((*theta.shape[:-1], len(self.symbol_names)))
        symbols[..., : len(self.parameters)] = theta
        symbols[..., len(self.parameters) :] = self.settled
        known = [modifier.name for modifier in self.modifiers]
        for name, value in (modifiers or {}).items():
            if name not in known:
                raise ModelFileError(f"`{name}` is not a modifier of {self.name}.{did_you_mean(name, known)}")
            symbols[..., self.symbol_names.index(name)] = value
        tape = self.tape
        flat = run_many(tape.steps, tape.literals, tape.outputs, symbols.reshape(-1, symbols.shape[-1]))
        return flat.reshape(*theta.shape[:-1], -1)

    @cached_property
    def settled(self) -> Array:
        """Constants and neutral modifiers, in the order of `symbol_names` after the parameters."""
        return np.array([*self.constants.values(), *(modifier.neutral for modifier in self.modifiers)])

    def draw_prior(self, draws: int, seed: int) -> Array:
        """Parameter vectors drawn from the prior, (draw, parameter)."""
        z = np.random.default_rng(seed).standard_normal((draws, len(self.parameters)))
        return np.stack([p.prior.value(z[:, i]) for i, p in enumerate(self.parameters)], axis=-1)

    def schedule(self, doses: list[Dose]) -> Schedule:
        """Doses as arrays; the dead part of a product enters as label at once.

        Raises
        ------
        ModelFileError
            if a route is unknown to the model
        """
        rows, starts, durations = [], [], []
        for dose in doses:
            if dose.route not in self.routes:
                raise ModelFileError(
                    f"the route `{dose.route}` is not one of {self.name}'s.{did_you_mean(dose.route, self.routes)}"
                )
            row = np.zeros(len(self.states))
            row[self.states.index(self.routes[dose.route])] += dose.cells * dose.viability
            row[self.states.index(self.dead_enter)] += dose.cells * (1.0 - dose.viability)
            rows.append(row)
            starts.append(dose.hours)
            durations.append(dose.duration_h)
        entry = np.array(rows).reshape(-1, len(self.states))
        return Schedule(entry, np.array(starts, dtype=float), np.array(durations, dtype=float))

    def solve(
        self,
        theta: Array,
        doses: list[Dose],
        hours: Array,
        modifiers: Mapping[str, Any] | None = None,
        fidelity: str = "reduced",
    ) -> Array:
        """Cells in every state at each hour.

        Parameters
        ----------
        theta : (..., parameter)
        hours : (time,) [h]
        fidelity : "reduced" takes the passing states as in balance, as the sampler does; "full" integrates them too

        Returns
        -------
        (..., time, state) [cells]
        """
        lasting = self.n_lasting if fidelity == "reduced" else len(self.states)
        rates = self.rates(theta, modifiers)
        return solve(self.source_states, self.target_states, lasting, rates, self.schedule(doses), hours)

    def observer(self, organ: str, readout: str) -> Array:
        """Weights that sum states to what one readout of one organ sees, (state,).

        Raises
        ------
        ModelFileError
            if the organ or the readout is unknown to the model
        """
        if organ not in self.observed:
            raise ModelFileError(
                f"the organ `{organ}` is not one of {self.name}'s.{did_you_mean(organ, self.observed)}"
            )
        if readout not in self.readouts:
            raise ModelFileError(
                f"the readout `{readout}` is not one of {self.name}'s.{did_you_mean(readout, self.readouts)}"
            )
        seen = set().union(*(getattr(self, held) for held in self.readouts[readout]))
        inside = self.observed[organ]
        return np.array([float(state in inside and state in seen) for state in self.states])
