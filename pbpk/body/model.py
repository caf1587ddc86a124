"""A model: states joined by arrows, with the numbers of one animal and the priors of one kind of cell and label."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pbpk.body.history import check_empties, check_steady, follow_history
from pbpk.body.prior import Prior
from pbpk.body.rates import Rate
from pbpk.body.solve import Array, Network, Schedule, solve, solve_moving
from pbpk.body.species import SourceEntry, Species
from pbpk.body.tape import Tape, run_many, write_tape
from pbpk.dosing import Dose
from pbpk.errors import ModelFileError, did_you_mean
from pbpk.quantity import Quantity, inside

if TYPE_CHECKING:
    from pbpk.body.rivals import Rival

MINUTE = 1.0 / 60.0  # [h]
HOUR, STATE = -1, -2  # places of the hour and of the first state among symbols, counted backwards


@dataclass(frozen=True)
class Parameter:
    """A number the model needs, with its unit, meaning, prior and source."""

    name: str
    about: str
    unit: str
    prior: Prior
    source: str


@dataclass(frozen=True)
class Family:
    """One line of the model file: the same arrow for each of its organs.

    symbols : for each name in the rate, where to find it for each organ in the vector of all symbols; the hour is at
        -1 and state s at -2 - s, which come after them
    at : keys that lead to the line in its file
    """

    line: str
    rate: Rate
    organs: tuple[str, ...]
    source: tuple[int, ...]
    target: tuple[int, ...]
    symbols: Mapping[str, tuple[int, ...]]
    at: tuple[str | int, ...] = ("arrows",)


@dataclass(frozen=True)
class Modifier:
    """A symbol that stays neutral unless a group or a scenario sets it.

    prior : None where no source tells its size, so that whoever sets it must say
    replaces : places of families, and what stands there once it is set
    """

    name: str
    about: str
    unit: str
    neutral: float
    prior: Prior | None
    source: str
    evidence: str
    replaces: tuple[tuple[int, Family], ...] = ()


@dataclass(frozen=True)
class Route:
    """State that a dose enters, and the modifiers that must be set for it."""

    enters: str
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Model:
    """Arrows, symbols, priors and sources; states are ordered lasting first, passing last.

    amount : unit of what moves, as doses and answers are in it
    kinds : what the states hold (`live`, `label`) -> states; outside : what has left the body
    places : where all of it is, each once: organs, what else is observed, what is outside
    own : numbers that the model itself brings, before those of the animal
    readouts : readout -> kinds; lost : readout that counts cells -> modifier by which living ones lose their label
    volumes : observed -> symbol of the volume that makes a concentration of it
    where : what is made of the numbers of the animal, in the order in which it is computed
    split : organ of the animal -> parts that it is taken as
    derived : constant -> how it follows from parameters; rates take that in its stead
    rivals : other structures that its file names; chosen : the one that this is, "" for the file's own
    believed : modifiers that hold in every animal, at a size that is estimated
    """

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
    size_law: Parameter | None
    kinds: Mapping[str, frozenset[str]]
    outside: frozenset[str]
    readouts: Mapping[str, tuple[str, ...]]
    lost: Mapping[str, str]
    observed: Mapping[str, tuple[str, ...]]
    places: tuple[str, ...]
    volumes: Mapping[str, str]
    routes: Mapping[str, Route]
    dead_enter: str | None
    species: Species
    own: Mapping[str, Quantity]
    sources: Mapping[str, SourceEntry]
    files: tuple[Path, ...]
    where: Mapping[str, Rate] = field(default_factory=dict)
    split: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    derived: Mapping[str, Rate] = field(default_factory=dict)
    rivals: "Mapping[str, Rival]" = field(default_factory=dict)
    chosen: str = ""
    believed: Mapping[str, Parameter] = field(default_factory=dict)

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
    def quantities(self) -> dict[str, Quantity]:
        """Numbers of the animal and the model's own, which take their place."""
        return {**self.species.quantities, **self.own}

    @cached_property
    def source_states(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """State that each arrow leaves, (arrow,)."""
        return np.array([s for family in self.families for s in family.source], dtype=np.int64)

    @cached_property
    def target_states(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """State that each arrow enters, (arrow,)."""
        return np.array([t for family in self.families for t in family.target], dtype=np.int64)

    def name_at(self, place: int) -> str:
        """Name of the symbol, state or hour that a family finds at a place."""
        if place >= 0:
            return self.symbol_names[place]
        return "hours" if place == HOUR else self.states[STATE - place]

    @cached_property
    def moving(self) -> tuple[str, ...]:
        """What rates depend on beside fixed numbers: states, and `hours`."""
        used = {at for family in self.families for places in family.symbols.values() for at in places if at < 0}
        return tuple(self.name_at(at) for at in sorted(used, reverse=True))

    @property
    def is_linear(self) -> bool:
        """True where no rate depends on how much there is, or on the hour."""
        return not self.moving

    def switched(self, names: Iterable[str]) -> "Model":
        """The model with the rates that these modifiers bring.

        Raises
        ------
        ModelFileError
            if a modifier is unknown, or two change the same arrow
        """
        families: list[Family] = list(self.families)
        changed: dict[int, str] = {}
        known = {modifier.name: modifier for modifier in self.modifiers}
        for name in names:
            if name not in known:
                raise ModelFileError(f"`{name}` is not a modifier of {self.name}.{did_you_mean(name, known)}")
            for place, family in known[name].replaces:
                if families[place] != family and place in changed:
                    raise ModelFileError(f"{self.name}: `{changed[place]}` and `{name}` both change the rate of "
                                         f"`{family.line.partition(':')[0].strip()}`; set one of them.")  # fmt: skip
                families[place], changed[place] = family, name
        return replace(self, families=tuple(families)) if changed else self

    @cached_property
    def tape(self) -> Tape:
        """Steps that turn the vector of all symbols into the rates; hour and states follow where a rate needs them."""
        fixed = len(self.symbol_names)
        rates = [
            (family.rate, {name: at[i] if at[i] >= 0 else fixed - 1 - at[i] for name, at in family.symbols.items()})
            for family in self.families
            for i in range(len(family.organs))
        ]
        places = {name: place for place, name in enumerate(self.symbol_names)}
        derived = {places[name]: (rate, places) for name, rate in self.derived.items()}
        seen = [places[name] for name in self.volumes.values()]
        return write_tape(rates, fixed if self.is_linear else fixed + 1 + len(self.states), derived, seen)

    @cached_property
    def volume_registers(self) -> dict[str, int]:
        """Register of the tape that holds the volume [mL] of what is seen as a concentration."""
        return dict(zip(self.volumes, self.tape.seen.tolist(), strict=True))

    def volume_in(self, theta: Array, registers: np.ndarray[Any, np.dtype[np.int64]]) -> Array:
        """Volumes [mL] by their registers, (draw, register), from (draw, parameter)."""
        known = self.symbols(theta)
        others = np.zeros((len(known), 0 if self.is_linear else 1 + len(self.states)))  # no volume depends on these
        return run_many(self.tape.steps, self.tape.literals, registers, np.concatenate([known, others], axis=1))

    def symbols(self, theta: Array, modifiers: Mapping[str, float | Array] | None = None) -> Array:
        """Numbers of all symbols, (..., symbol), from (..., parameter) and what modifiers are set to.

        Raises
        ------
        ModelFileError
            if a modifier is unknown
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
        return symbols

    def rates(self, theta: Array, modifiers: Mapping[str, float | Array] | None = None) -> Array:
        """Rate of every arrow of a linear model.

        Parameters
        ----------
        theta : (..., parameter) in the order of `parameter_names`
        modifiers : name -> number or (...,) array; the others stay neutral

        Returns
        -------
        (..., arrow) [1/h]
        """
        if not self.is_linear:
            raise ModelFileError(f"the rates of {self.name} move with {', '.join(self.moving)}; ask `solve`.")
        symbols, tape = self.symbols(theta, modifiers), self.tape
        flat = run_many(tape.steps, tape.literals, tape.outputs, symbols.reshape(-1, symbols.shape[-1]))
        return flat.reshape(*symbols.shape[:-1], -1)

    @cached_property
    def settled(self) -> Array:
        """Constants and neutral modifiers, in the order of `symbol_names` after the parameters."""
        return np.array([*self.constants.values(), *(modifier.neutral for modifier in self.modifiers)])

    def draw_prior(self, draws: int, seed: int) -> Array:
        """Parameter vectors drawn from the prior, (draw, parameter)."""
        z = np.random.default_rng(seed).standard_normal((draws, len(self.parameters)))
        return np.stack([p.prior.value(z[:, i]) for i, p in enumerate(self.parameters)], axis=-1)

    def schedule(self, doses: Sequence[Dose]) -> Schedule:
        """Doses as arrays; the dead part of a product enters as label at once. What a reset wipes is not in them.

        Raises
        ------
        ModelFileError
            if a route is unknown to the model
        """
        entry = np.zeros((len(doses), len(self.states)))
        times = np.zeros((4, len(doses)))
        for row, dose in enumerate(doses):
            entry[row, self.states.index(self._route(dose.route).enters)] += dose.cells * dose.viability
            if dose.viability < 1.0:
                if self.dead_enter is None:
                    raise ModelFileError(f"{self.name} does not say where what arrives dead enters; add `dead_enter`.")
                entry[row, self.states.index(self.dead_enter)] += dose.cells * (1.0 - dose.viability)
            times[:, row] = dose.hours, dose.duration_h, dose.every_h, dose.seen_from
        return Schedule(entry, *times)

    def solve(
        self,
        theta: Array,
        doses: Sequence[Dose],
        hours: Array,
        modifiers: Mapping[str, Any] | None = None,
        fidelity: str = "reduced",
    ) -> Array:
        """Amount in every state at each hour; the model decides by which method.

        What has left the body is without end where a dose is at steady state, and told as inf.

        Parameters
        ----------
        theta : (..., parameter)
        hours : (time,) [h]
        fidelity : "reduced" takes the passing states as in balance, as the sampler does; "full" integrates them too

        Returns
        -------
        (..., time, state) [amount]

        Raises
        ------
        ModelFileError
            if a route or a modifier is unknown, a route needs a modifier that is not set, or rates move and a dose is
            at steady state
        SolveError
            if the rates cannot be followed, or a dose at steady state reaches what never empties
        """
        for dose in doses:
            self.check_route(dose.route, modifiers or {})
        if not all(dose.is_plain and dose.hours >= 0.0 for dose in doses):  # a clock may begin before 0
            return follow_history(self, theta, doses, hours, modifiers, fidelity)
        factor = self.factor(modifiers)
        found = self.follow(theta, self.schedule(doses).scaled(factor), hours, modifiers, fidelity)
        return found if factor == 1.0 else found / factor

    def follow(
        self,
        theta: Array,
        schedule: Schedule,
        hours: Array,
        modifiers: Mapping[str, Any] | None = None,
        fidelity: str = "reduced",
    ) -> Array:
        """`solve` for doses as arrays; where rates move with the amounts these are in `unit`, the package's own."""
        model = self.switched(modifiers or {})
        lasting = self.n_lasting if fidelity == "reduced" else len(self.states)
        if model.is_linear:
            rates = model.rates(theta, modifiers)
            found = solve(self.source_states, self.target_states, lasting, rates, schedule, hours)
            if schedule.is_steady:
                check_empties(self, rates, schedule)
                check_steady(self, found, float(schedule.entry.sum()))
            return found
        if schedule.is_steady:
            raise ModelFileError(f"the rates of {self.name} move, so its steady state is no series; write the doses "
                                 "before it with ADDL.")  # fmt: skip
        unseen = [name for name in model.moving if name in self.states[lasting:]]
        if unseen:
            raise ModelFileError(f"{self.name}: a rate depends on `{unseen[0]}`, which is taken as passing; take it "
                                 "off `passing`.")  # fmt: skip
        network = Network(model.tape, self.source_states, self.target_states, len(self.states), lasting)
        return solve_moving(network, model.symbols(theta, modifiers), schedule, hours)

    def factor(self, modifiers: Mapping[str, Any] | None = None) -> float:
        """What `follow` counts in one `amount`: rates that move with the amounts want them in `unit`."""
        return 1.0 if self.switched(modifiers or {}).is_linear else inside(self.amount)[1]

    @cached_property
    def unit(self) -> str:
        """Unit in which amounts are computed where rates depend on them."""
        return inside(self.amount)[0]

    def check_route(self, name: str, modifiers: Mapping[str, Any]) -> None:
        """Refuse a route that the model does not have, or that needs a number nobody gave.

        Raises
        ------
        ModelFileError
        """
        for need in self._route(name).needs:
            if need not in modifiers:
                about = next(modifier for modifier in self.modifiers if modifier.name == need)
                raise ModelFileError(f"the route `{name}` needs `{need}` [{about.unit}], which no source tells: "
                                     f"{about.about}; set it.")  # fmt: skip

    def _route(self, name: str) -> Route:
        if name not in self.routes:
            raise ModelFileError(f"the route `{name}` is not one of {self.name}'s.{did_you_mean(name, self.routes)}")
        return self.routes[name]

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
        seen = set().union(*(self.kinds[kind] for kind in self.readouts[readout]))
        inside = self.observed[organ]
        return np.array([float(state in inside and state in seen) for state in self.states])
