"""Whom a question is asked of: draws of a fit, or of a model's prior, with what stands behind them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from pbpk.body.equations import refuse_rates
from pbpk.body.expansion import read_model
from pbpk.body.model import Model
from pbpk.body.physiology import freed
from pbpk.body.rivals import draw_believed
from pbpk.body.solve import Array
from pbpk.body.species import Species
from pbpk.errors import RunError
from pbpk.infer.matched.histories import known_amount
from pbpk.infer.matched.joint import Joint
from pbpk.predict.extrapolation import Extrapolation, animal_of, elsewhere, extrapolate, marked
from pbpk.predict.forecast import DRAWS, answer, hours_of, in_organs, places, reach_of, states_at
from pbpk.predict.record import model_of, read_manifest, read_models, read_recorded
from pbpk.predict.scenario import Scenario
from pbpk.predict.studied import Studied, studied_by

if TYPE_CHECKING:
    from pbpk.infer.draws.posterior import Posterior


@dataclass(frozen=True)
class Origin:
    """Draws of parameters, and the model they belong to.

    theta : (draw, parameter), names : what its columns are, those of the model among them
    standing : columns that are modifiers which hold unless a scenario sets them
    words : "the fit of …" or "the prior of …"
    fixed : the model with its physiology fixed, which goes to other animals
    studied : what the data had, None for a prior; amount : cells the study gave, None where it does not say
    moved : how it came to another animal, home : what it was there, None where it was not moved
    """

    model: Model
    theta: Array
    names: tuple[str, ...]
    words: str
    fixed: Model
    standing: tuple[str, ...] = ()
    studied: Studied | None = None
    amount: float | None = None
    seed: int = 1
    moved: Extrapolation | None = None
    home: "Origin | None" = None

    def column(self, name: str) -> Array:
        """Draws of one parameter, (draw,)."""
        return np.asarray(self.theta[:, self.names.index(name)])

    def thinned(self, draws: int) -> "Origin":
        """Return the same with at most so many draws, evenly chosen."""
        if draws >= len(self.theta):
            return self
        kept = np.linspace(0, len(self.theta) - 1, draws).astype(int)
        home = None if self.home is None else replace(self.home, theta=self.home.theta[kept])
        return replace(self, theta=self.theta[kept], home=home)

    def elsewhere(self, to: Species, rates: str = "carried", physiology: str | Sequence[str] = "fixed") -> "Origin":
        """Return the same in another animal: cells carried over, the body its own.

        Raises
        ------
        InputError, SpeciesError, ModelFileError
            as `extrapolate` does
        """
        home = self.home or self  # what was moved already goes from where it came, or its rates would be scaled twice
        moved = extrapolate(home.fixed, home.theta, home.names, to, rates, physiology, home.seed, home.standing)
        theta, names = moved.theta, moved.names
        law = home.fixed.size_law
        if law is not None and law.name in home.names:
            theta, names = np.column_stack([theta, home.column(law.name)]), (*names, law.name)
        words = f"{home.words}, extrapolated to {moved.model.species.name}"
        return replace(home, model=moved.model, theta=theta, names=names, words=words, amount=None, moved=moved,
                       home=home)  # fmt: skip

    def animal(self, scenario: Scenario) -> "Origin":
        """Return the same in the animal of a scenario."""
        if not scenario.is_elsewhere:
            return self
        to = animal_of(scenario.species or self.model.species, scenario.body_weight_g, scenario.sex)
        return self.elsewhere(to, scenario.rates)

    def amounts(
        self, scenario: Scenario, hours: Array, theta: Array | None = None, cells: float | None = None
    ) -> Array:
        """Answer a scenario in this animal to all digits, (draw, time, organ, state), organs those of `organs`.

        theta : (draw, parameter) instead of the draws
        """
        return in_organs(self.model, self.states(scenario, hours, theta, cells), self.organs(scenario))

    def states(self, scenario: Scenario, hours: Array, theta: Array | None = None, cells: float | None = None) -> Array:
        """The same in every state of the model, (draw, time, state)."""
        theta, amount = self.theta if theta is None else theta, self.dose(scenario, cells)
        return states_at(self.model, theta, self.names, scenario, hours, amount, self.standing, self.seed)

    def organs(self, scenario: Scenario) -> list[str]:
        """Where the doses of a scenario lead."""
        return places(self.model, [scenario])

    def dose(self, scenario: Scenario, cells: float | None = None) -> float | None:
        """What a scenario gives in all in this animal, None where nobody says; `cells` where the scenario does not."""
        return scenario.amount(self.model, cells or self.amount)

    def reach(self, scenario: Scenario, amount: float | None) -> tuple[str, tuple[str, ...]]:
        """How far a scenario reaches in this animal, as `reach_of`; another animal is always beyond the study."""
        told, beyond = reach_of(self.model, scenario, amount, self.studied, self.standing)
        return (told, beyond) if self.moved is None else elsewhere(told, beyond)


def read_run(folder: str | Path, draws: int | None = DRAWS, seed: int = 1) -> Origin:
    """Read the draws of a run, without its study: what a scenario needs, in a fraction of a second.

    draws : at most so many, evenly chosen; all where None

    Raises
    ------
    RunError
        if the folder is not a run, or its model or its copy of the study has changed since
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    if "studied" not in manifest:
        raise RunError(f"{folder}: does not say what its study had; fit again with `pbpk run`.")
    model, fixed = read_models(folder, manifest)
    found = read_recorded(folder / "posterior.nc")
    standing = tuple(manifest["standing"])
    names = list(dict.fromkeys((*model.parameter_names, *standing, *found)))
    theta = np.stack([found[name] for name in names], axis=-1)
    words = f"the fit of {manifest['study']} ({manifest['fingerprint']})"
    amount = manifest["amount"]
    origin = Origin(model, theta, tuple(names), words, fixed, standing, Studied.from_manifest(manifest["studied"]),
                    amount, seed)  # fmt: skip
    return _sized(origin if draws is None else origin.thinned(draws))


def origin_of(posterior: "Posterior", draws: int = DRAWS, seed: int = 1) -> Origin:
    """Draws of a fit that is in memory, at most so many, evenly chosen."""
    joint = posterior.joint
    free = any(name.startswith("ratio_") for name in joint.model.constants)
    fixed = model_of(joint.study, None, "fixed") if free else joint.model
    return origin_about(joint, posterior.theta(draws), fixed, seed)


def origin_about(joint: Joint, theta: Array, fixed: Model, seed: int = 1) -> Origin:
    """Any parameters of a study that is matched with a model.

    theta : (draw, estimated); fixed : the model with its physiology fixed
    """
    words, amount = f"the fit of {joint.study.name}", known_amount(joint.study, joint.model)
    studied = studied_by(joint)
    return _sized(Origin(joint.model, theta, joint.names, words, fixed, joint.standing, studied, amount, seed))


def read_prior(
    name: str | Path,
    animal: Species,
    label: str | None = None,
    physiology: str | Sequence[str] = "fixed",
    draws: int = DRAWS,
    seed: int = 1,
) -> Origin:
    """Draw from the prior of a model in an animal.

    Raises
    ------
    ModelFileError, SpeciesError
        if the model or the animal cannot be used
    """
    fixed = read_model(name, animal, label)
    model = freed(fixed, physiology)
    refuse_rates(model)
    theta, names = draw_believed(model, draws, seed)
    words = f"the prior of {model.name} in {model.species.name}"
    return _sized(Origin(model, theta, tuple(names), words, fixed, tuple(model.believed), seed=seed))


def _sized(origin: Origin) -> Origin:
    """Origin with a column for the slope of the size law, drawn from its prior, so that all that is asked shares it."""
    law = origin.model.size_law
    if law is None or law.name in origin.names:
        return origin
    slope = law.prior.value(np.random.default_rng(origin.seed).standard_normal(len(origin.theta)))
    theta = np.column_stack([origin.theta, slope])
    return replace(origin, theta=theta, names=(*origin.names, law.name))


def simulate(
    whom: "Origin | Posterior", scenarios: Sequence[Scenario], cells: float | None = None, hours: Array | None = None
) -> xr.Dataset:
    """Answer scenarios side by side, each in its own animal, with paired draws.

    Parameters
    ----------
    whom : a fit, or an origin as `read_run` and `read_prior` give it
    cells : given in scenarios that do not say how many; the study's where None, in the study's own animal
    hours : (time,) [h], chosen by the doses of all of them where None

    Returns
    -------
    as `answer`; what is asked of another animal is marked

    Raises
    ------
    ScenarioError, SpeciesError, InputError
        if a scenario does not fit the model, or its animal cannot be
    """
    origin = whom if isinstance(whom, Origin) else origin_of(whom)
    hours = hours_of(scenarios) if hours is None else hours
    parts = []
    for _, same in groupby(scenarios, key=lambda s: (s.species, s.body_weight_g, s.sex, s.rates)):
        asked = list(same)
        there = origin.animal(asked[0])
        found = answer(there.model, there.theta, there.names, asked, cells or there.amount, hours, there.seed,
                         there.studied, there.standing)  # fmt: skip
        parts.append(found if there.moved is None else marked(found))
    if len(parts) == 1:
        return parts[0]
    whole = xr.concat(parts, dim="scenario", join="outer", fill_value=0, data_vars="minimal", coords="minimal",
                      compat="override", combine_attrs="override")  # fmt: skip
    order = [place for place in origin.model.places if place in whole["organ"].to_numpy()]
    return whole.sel(organ=order).transpose("scenario", "draw", "hours", "organ", "state", ...)
