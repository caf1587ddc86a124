"""A posterior asked of another animal: what is carried over, what is scaled and what is the animal's own, in words."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
import xarray as xr

from pbpk.body.model import Model, Modifier, Parameter
from pbpk.body.physiology import freed, in_animal, weighed
from pbpk.body.scaling import OWN, CarriedOver, carried_over, scale_theta, scaled
from pbpk.body.solve import Array
from pbpk.body.species import Species, read_species
from pbpk.quantity import Quantity


@dataclass(frozen=True)
class Extrapolation:
    """A model in another animal, parameters for it, and what became of each number on the way.

    theta : (draw, parameter) in the order of `names`, the parameters of the model and the modifiers taken along
    """

    model: Model
    theta: Array
    rows: tuple[CarriedOver, ...]
    origin: Species
    standing: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """What the columns of theta are."""
        return (*self.model.parameter_names, *self.standing)

    @property
    def table(self) -> pd.DataFrame:
        """One row for each number: name, how, factor, words, evidence."""
        return pd.DataFrame([asdict(row) for row in self.rows])

    @property
    def sentence(self) -> str:
        """What was done, in one sentence."""
        words = {"carried": "carried over unchanged", "scaled": "scaled by body weight", OWN: "the animal's own"}
        counts = {how: sum(row.how == how for row in self.rows) for how in words}
        told = ", ".join(f"{n} {words[how]}" for how, n in counts.items() if n)
        return f"From {self.origin.name} to {self.model.species.name}: of {len(self.rows)} numbers {told}."


def animal_of(species: str | Species, body_weight: float | None = None, sex: str | None = None) -> Species:
    """Animal by its name or file, of a weight [g] and a sex if they are given.

    Raises
    ------
    SpeciesError
        if there is no such animal, or it cannot have this weight or sex
    """
    animal = species if isinstance(species, Species) else read_species(species)
    return scaled(animal, body_weight, sex)


def extrapolate(
    model: Model,
    theta: Array,
    names: Sequence[str],
    to: Species,
    rates: str = "carried",
    physiology: str | Sequence[str] = "fixed",
    seed: int = 1,
    standing: Sequence[str] = (),
) -> Extrapolation:
    """Take draws of the parameters of a model in one animal to another.

    A parameter that stands in a rate together with the body weight is carried: the model says how it goes with weight.

    Parameters
    ----------
    model : in the animal that was studied, its physiology fixed
    theta : (draw, parameter), names : (parameter,) what its columns are
    rates : "carried", or "allometric" for body weight to the -1/4
    physiology : numbers of the other animal that are drawn within their spread, as `freed` takes them
    standing : columns that are modifiers which the study has taught, taken along as parameters are

    Raises
    ------
    InputError, SpeciesError, ModelFileError
        if no rule fits a parameter, or the animal lacks a number that the model needs
    """
    target = in_animal(model, to)
    taught = [modifier for modifier in model.modifiers if modifier.name in standing]
    named: list[Parameter | Modifier] = [*model.parameters, *taught]
    rows = carried_over(model.species, target.species, named, rates, weighed=weighed(model))
    columns = [list(names).index(each.name) for each in named]
    moved = scale_theta(theta[:, columns], rows)
    kinetic = len(model.parameters)
    rows += [_brought(name, quantity) for name, quantity in model.own.items()]
    wider = freed(target, physiology)
    full = wider.draw_prior(len(moved), seed)
    full[:, :kinetic] = moved[:, :kinetic]
    whole = np.concatenate([full, moved[:, kinetic:]], axis=1)
    return Extrapolation(wider, whole, tuple(rows), model.species, tuple(each.name for each in taught))


def _brought(name: str, quantity: Quantity) -> CarriedOver:
    """Row of a number that the model itself brings."""
    value = f"{quantity.value:g} {quantity.unit}".removesuffix(" 1")
    words = f"{name} is brought by the model, {value} ({quantity.source}), and stays in any animal; a hypothesis."
    return CarriedOver(name, "carried", 1.0, words, "hypothesis")


def elsewhere(evidence: str, beyond: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """How far an answer reaches that is asked of another species than it was learned in: an extrapolation at least."""
    return "hypothesis" if evidence == "hypothesis" else "extrapolation", (*beyond, "species")


def marked(forecast: xr.Dataset) -> xr.Dataset:
    """Forecast whose answers are all of another species."""
    both = zip(forecast["evidence"].to_numpy(), forecast["beyond"].to_numpy(), strict=True)
    told = [elsewhere(str(evidence), [word for word in str(words).split("; ") if word]) for evidence, words in both]
    beyond = ["; ".join(words) for _, words in told]
    return forecast.assign_coords(evidence=("scenario", [each for each, _ in told]), beyond=("scenario", beyond))
