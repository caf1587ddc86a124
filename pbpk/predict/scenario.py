"""A question: which cells, how many, into which vessel, when; and what is changed in the animal."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pydantic

from pbpk.body.library import LIBRARY, read_path
from pbpk.body.model import MINUTE, Model
from pbpk.dosing import Dose, Event, doses_of
from pbpk.errors import ModelFileError, ScenarioError, did_you_mean
from pbpk.reading import Schema, read_placed, read_toml, validated

WEIGHT = "body_weight"
KG = 1e-3  # in a gram
BARE = re.compile(r"[A-Za-z0-9_-]+")  # a key that TOML takes without quotes
Factor = Annotated[float, pydantic.Field(gt=0)]


def names_animal(species: object, body_weight: object, sex: object) -> bool:
    """Whether any of these is given, so that another animal is meant than that of the fit."""
    return any(given is not None for given in (species, body_weight, sex))


class ScenarioDose(Schema):
    """One dose of a scenario; `share` is its part of all the cells, as is that of each of the `addl` that follow it.

    addl, interval_h : doses that follow, and the hours between; ss : 1 where it has been given so for ever before,
        which `share` does not count, 2 where that adds to the doses before
    """

    route: str
    share: float = pydantic.Field(default=1.0, gt=0, le=1)
    hours: float = pydantic.Field(default=0.0, ge=0)
    duration_min: float = pydantic.Field(default=0.0, ge=0)
    addl: int = pydantic.Field(default=0, ge=0)
    interval_h: float = pydantic.Field(default=0.0, ge=0)
    ss: Literal[0, 1, 2] = 0
    lag_h: float = pydantic.Field(default=0.0, ge=0)

    @pydantic.model_validator(mode="after")
    def _fits_itself(self) -> "ScenarioDose":
        if (self.addl or self.ss) and not self.interval_h:
            raise ValueError("`addl` and `ss` need `interval_h`, the hours between doses")
        if self.interval_h and not (self.addl or self.ss):
            raise ValueError("`interval_h` repeats nothing; give `addl` or `ss`")
        return self


class ScenarioFile(Schema):
    """A scenario file as written."""

    title: str
    about: str = ""
    species: str | None = None
    body_weight_g: float | None = pydantic.Field(default=None, gt=0)
    sex: str | None = None
    rates: Literal["carried", "allometric"] = "carried"
    cells: float | None = pydantic.Field(default=None, gt=0)
    cells_per_kg: float | None = pydantic.Field(default=None, gt=0)
    viability: float = pydantic.Field(default=1.0, ge=0, le=1)
    diameter_ratio: float = pydantic.Field(default=1.0, gt=0)
    vasodilation: dict[str, Factor] = pydantic.Field(default_factory=dict)
    injury: dict[str, Factor] = pydantic.Field(default_factory=dict)
    clotting: float = pydantic.Field(default=0.0, ge=0, lt=1)
    anticoagulant: float = pydantic.Field(default=1.0, ge=1)
    modifiers: dict[str, float] = pydantic.Field(default_factory=dict)
    doses: list[ScenarioDose] = pydantic.Field(min_length=1)

    @pydantic.field_validator("doses")
    @classmethod
    def _all_cells_given(cls, doses: list[ScenarioDose]) -> list[ScenarioDose]:
        total = sum(dose.share * (dose.addl + 1) for dose in doses)
        if abs(total - 1.0) > 1e-6:
            raise ValueError(f"the shares of the doses, with those that follow, sum to {total:g}; they must sum to 1")
        return doses

    @pydantic.model_validator(mode="after")
    def _fits_itself(self) -> "ScenarioFile":
        if self.cells is not None and self.cells_per_kg is not None:
            raise ValueError("give `cells`, or `cells_per_kg`, not both")
        if self.rates != "carried" and not self.is_elsewhere:
            raise ValueError("`rates` is for another animal than that of the fit; name it with `species`")
        return self

    @property
    def is_elsewhere(self) -> bool:
        """True where an animal is named."""
        return names_animal(self.species, self.body_weight_g, self.sex)


@dataclass(frozen=True)
class Scenario:
    """A scenario by name.

    species, body_weight_g, sex : another animal than that of the fit; rates : how rates per hour come to it, carried
        or allometric
    cells, cells_per_kg : given in all
    diameter_ratio : diameter of the cells over the diameter that was studied
    vasodilation : organ -> calibre of its capillaries over the calibre that was studied
    injury : organ -> factor on its rate of arrest
    clotting : share of the live cells that clotting kills where they enter, without anticoagulant, which divides it
    modifiers : other modifiers of the model, by name
    file : where it was read, None for one made in Python
    """

    name: str
    title: str
    about: str
    doses: tuple[ScenarioDose, ...]
    species: str | None = None
    body_weight_g: float | None = None
    sex: str | None = None
    rates: str = "carried"
    cells: float | None = None
    cells_per_kg: float | None = None
    viability: float = 1.0
    diameter_ratio: float = 1.0
    vasodilation: Mapping[str, float] | None = None
    injury: Mapping[str, float] | None = None
    clotting: float = 0.0
    anticoagulant: float = 1.0
    modifiers: Mapping[str, float] | None = None
    file: Path | None = None

    @property
    def is_elsewhere(self) -> bool:
        """True where an animal is named."""
        return names_animal(self.species, self.body_weight_g, self.sex)

    def amount(self, model: Model, cells: float | None) -> float | None:
        """Cells given in all in the animal of a model; `cells` where the scenario does not say.

        Raises
        ------
        ScenarioError
            if they are given per kg and the model knows no body weight
        """
        if self.cells_per_kg is None:
            return self.cells or cells
        if WEIGHT not in model.species.quantities:
            raise ScenarioError(f"scenario `{self.name}`: the {model.species.name} of {model.name} has no body weight; "
                                "give `cells` instead of `cells_per_kg`.", at=("cells_per_kg",))  # fmt: skip
        return self.cells_per_kg * model.species.numbers()[WEIGHT] * KG

    @property
    def resizes(self) -> bool:
        """True where cells or capillaries are wider or narrower than those studied."""
        return self.diameter_ratio != 1.0 or bool(self.vasodilation)

    @property
    def is_hypothesis(self) -> bool:
        """True where something changes whose size no data gave."""
        return self.resizes or bool(self.injury) or bool(self.modifiers) or self.clotting > 0.0

    @property
    def switches(self) -> dict[str, float]:
        """Modifiers of the model and what they are set to."""
        return {f"injury_{organ}": factor for organ, factor in (self.injury or {}).items()} | dict(self.modifiers or {})

    def given(self, cells: float) -> list[Dose]:
        """Doses for a number of cells in all."""
        alive = self.viability * (1.0 - self.clotting / self.anticoagulant)
        events = [
            Event(dose.hours, amount=cells * dose.share, duration_h=dose.duration_min * MINUTE, route=dose.route,
                  addl=dose.addl, interval_h=dose.interval_h, ss=dose.ss, lag_h=dose.lag_h)
            for dose in sorted(self.doses, key=lambda dose: dose.hours)
        ]  # fmt: skip
        return [replace(dose, viability=alive) for dose in doses_of(events)]

    @property
    def is_steady(self) -> bool:
        """True where a dose has been given for ever before."""
        return any(dose.ss for dose in self.doses)

    def log_ratio(self, organ: str) -> float:
        """Logarithm of cell diameter over capillary calibre in one organ, relative to what was studied."""
        return float(np.log(self.diameter_ratio) - np.log((self.vasodilation or {}).get(organ, 1.0)))

    def can_be_asked(self, model: Model) -> bool:
        """Whether a model can answer it."""
        try:
            self.check(model)
        except ScenarioError:
            return False
        return True

    def check(self, model: Model) -> None:
        """Refuse routes and organs that the model does not have, and another diameter where it has no size law.

        Raises
        ------
        ScenarioError
        """
        try:
            self._check(model)
        except ScenarioError as problem:
            if self.file is None:
                raise ScenarioError(f"scenario `{self.name}`: {problem}") from None
            raise read_placed(problem, self.file) from None

    def _check(self, model: Model) -> None:
        if self.resizes and model.size_law is None:
            raise ScenarioError(f"the model {model.name} has no size law, so nobody knows what another diameter does; "
                                "take it out, or add [size_law].",
                                at=("diameter_ratio" if self.diameter_ratio != 1.0 else "vasodilation",))  # fmt: skip
        for what in ("vasodilation", "injury"):
            for organ in getattr(self, what) or {}:
                if organ not in model.organs:
                    sentence = f"{what}: `{organ}` is not an organ of {model.name}.{did_you_mean(organ, model.organs)}"
                    raise ScenarioError(sentence, at=(what, organ))
        for name in self.switches:
            at = ("modifiers", name) if name in (self.modifiers or {}) else ("injury", name.removeprefix("injury_"))
            _as_scenario(at, model.switched, [name])
        _as_scenario(("modifiers",), model.switched, self.switches)
        for i, dose in enumerate(self.doses):
            _as_scenario(("doses", i, "route"), model.check_route, dose.route, self.switches)


def _as_scenario(at: tuple[str | int, ...], ask: Callable[..., object], *words: object) -> None:
    """Ask a model something; what it refuses is said of the place in the scenario."""
    try:
        ask(*words)
    except ModelFileError as problem:
        raise ScenarioError(str(problem), at=at) from None


def read_scenarios(path: str | Path | None = None, model: Model | None = None) -> list[Scenario]:
    """Read a scenario by its file or shipped name, or every one in a folder, by name.

    Without a path, the shipped ones: those that a model can answer, if one is given.

    Raises
    ------
    ScenarioError
        if there is none, or one does not fit
    """
    shipped = path is None
    path = Path(path or LIBRARY / "scenarios")
    files = sorted(path.glob("*.toml")) if path.is_dir() else [read_path("scenarios", path, ScenarioError)]
    if not files:
        raise ScenarioError(f"{path}: there is no scenario (*.toml) in this folder.")
    scenarios = [_named(file.stem, read_toml(file, ScenarioFile, ScenarioError), file) for file in files]
    if not shipped or model is None:
        return scenarios
    return [scenario for scenario in scenarios if scenario.can_be_asked(model)]


def scenario_of(name: str, keys: Mapping[str, Any]) -> Scenario:
    """Scenario from the keys of a scenario file.

    Raises
    ------
    ScenarioError
        if they do not fit, as of a file
    """
    return _named(name, validated(dict(keys), ScenarioFile, ScenarioError))


def scenario_toml(scenario: Scenario) -> str:
    """Text of the file that a scenario is read from; what is as it always is stays out."""
    lines = _lines({name: getattr(scenario, name) for name in ScenarioFile.model_fields if name != "doses"},
                   ScenarioFile)  # fmt: skip
    for dose in scenario.doses:
        lines += ["", "[[doses]]", *_lines(dict(dose), ScenarioDose)]
    return "\n".join([*lines, ""])


def _named(name: str, given: ScenarioFile, file: Path | None = None) -> Scenario:
    values = {key: getattr(given, key) for key in ScenarioFile.model_fields if key != "doses"}
    return Scenario(name=name, doses=tuple(given.doses), file=file, **values)


def _lines(values: Mapping[str, Any], schema: type[Schema]) -> list[str]:
    """Keys that differ from what the schema takes where they are left out, one a line."""
    usual = {name: field.get_default(call_default_factory=True) for name, field in schema.model_fields.items()}
    return [f"{name} = {_spelt(value)}" for name, value in values.items() if value != usual[name] and value is not None]


def _spelt(value: Any) -> str:
    """Value as TOML spells it; a number keeps all its digits."""
    if isinstance(value, Mapping):
        pairs = (f"{key if BARE.fullmatch(key) else _spelt(key)} = {_spelt(each)}" for key, each in value.items())
        return "{ " + ", ".join(pairs) + " }"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f") if isinstance(value, str) else repr(value)
