"""A model as written in TOML, and its inheritance: what `like = "msc"` takes over."""

import math
from pathlib import Path
from typing import Any, Literal

import pydantic

from pbpk.body.library import read_path
from pbpk.body.species import SourceEntry
from pbpk.errors import ModelFileError, did_you_mean
from pbpk.quantity import QuantityEntry
from pbpk.reading import Schema, read_keys, read_placed, validated


class ParameterEntry(Schema):
    """One parameter, or with `{organ}` in its name one for each organ."""

    about: str = ""
    unit: str
    prior: str
    source: str = ""


class ModifierEntry(Schema):
    """A symbol that is neutral unless a group or a scenario sets it.

    changes : arrows, as `from -> to`, that get another rate once it is set
    """

    about: str
    unit: str = "1"
    neutral: float = pydantic.Field(allow_inf_nan=True)  # a capacity is neutral where it has no end
    prior: str | None = None
    source: str = ""
    evidence: Literal["data", "hypothesis"]
    changes: dict[str, str] = pydantic.Field(default_factory=dict)

    @pydantic.field_validator("neutral")
    @classmethod
    def _is_a_number(cls, neutral: float) -> float:
        if math.isnan(neutral):
            raise ValueError("`neutral` is not a number; give a finite one, or inf")
        return neutral


class RouteEntry(Schema):
    """A route that leads to a state, and the modifiers without which nobody knows what it does there."""

    enters: str
    needs: list[str] = pydantic.Field(default_factory=list)


class ObserveEntry(Schema):
    """States that are seen together, and the volume in which they are when a concentration is measured."""

    states: list[str]
    per: str | None = None


class ReadoutEntry(Schema):
    """What a readout sees, and for one that counts cells the modifier by which living ones lose their label."""

    sees: list[str]
    lost: str | None = None


class BelievedEntry(Schema):
    """A modifier that a rival estimates; its prior is the modifier's own unless one stands here."""

    prior: str = ""
    source: str = ""


class RivalEntry(Schema):
    """Another structure that could explain the same data.

    fix : parameters, one for each organ of a group where a placeholder says so, and the numbers they are taken as
    modifiers : what it estimates beside the parameters
    """

    about: str
    source: str
    fix: dict[str, float] = pydantic.Field(default_factory=dict)
    modifiers: dict[str, BelievedEntry] = pydantic.Field(default_factory=dict)

    @pydantic.model_validator(mode="after")
    def _differs(self) -> "RivalEntry":
        if not self.fix and not self.modifiers:
            raise ValueError("it changes nothing; give `fix`, `modifiers` or both")
        return self


class ModelFile(Schema):
    """A model file as written."""

    name: str = pydantic.Field(min_length=1)
    about: str
    like: str | None = None
    amount: str = "cells"
    organs: list[str] = pydantic.Field(default_factory=list)
    sites: list[str] = pydantic.Field(default_factory=list)
    groups: dict[str, list[str]] = pydantic.Field(default_factory=dict)
    arrows: list[str] = pydantic.Field(min_length=1)
    passing: list[str] = pydantic.Field(default_factory=list)
    outside: list[str] = pydantic.Field(default_factory=list)
    kinds: dict[str, list[str]]
    readouts: dict[str, list[str] | ReadoutEntry]
    observe: dict[str, list[str] | ObserveEntry] = pydantic.Field(default_factory=dict)
    routes: dict[str, str | RouteEntry]
    dead_enter: str | None = None
    constants: dict[str, QuantityEntry] = pydantic.Field(default_factory=dict)
    where: dict[str, str] = pydantic.Field(default_factory=dict)
    modifiers: dict[str, ModifierEntry] = pydantic.Field(default_factory=dict)
    parameters: dict[str, ParameterEntry] = pydantic.Field(default_factory=dict)
    noise: dict[Literal["spread", "misfit"], ParameterEntry] = pydantic.Field(default_factory=dict)
    size_law: ParameterEntry | None = None
    labels: dict[str, dict[str, ParameterEntry]] = pydantic.Field(default_factory=dict)
    rivals: dict[str, RivalEntry] = pydantic.Field(default_factory=dict)
    sources: dict[str, SourceEntry] = pydantic.Field(default_factory=dict)


def read_model_file(name: str | Path) -> tuple[Path, ModelFile, tuple[Path, ...]]:
    """Read a model file with everything it takes over from the one it is `like`.

    Returns
    -------
    path, checked contents, and every file that had a say (itself last)

    Raises
    ------
    ModelFileError
    """
    path = read_path("", name, ModelFileError)
    merged, files = _read_merged(path, ())
    try:
        return path, validated(merged, ModelFile, ModelFileError), files
    except ModelFileError as problem:
        raise read_placed(problem, *files) from None


def _read_merged(path: Path, seen: tuple[Path, ...]) -> tuple[dict[str, Any], tuple[Path, ...]]:
    if path in seen:
        raise read_placed(ModelFileError("models are `like` each other in a circle.", at=("like",)), path)
    given = read_keys(path, ModelFileError)
    if "like" not in given:
        return given, (path,)
    unknown = set(given) - set(ModelFile.model_fields)
    if unknown:
        key = sorted(unknown)[0]
        sentence = f"unknown key `{key}`.{did_you_mean(key, ModelFile.model_fields)}"
        raise read_placed(ModelFileError(sentence, at=(key,)), path)
    try:
        like = Path(str(given["like"]))
        beside = path.parent / like if like.suffix == ".toml" else like  # of the file that says so
        model = read_path("", beside, ModelFileError)
    except ModelFileError as problem:
        raise read_placed(ModelFileError(f"like: {problem}", at=("like",)), path) from None
    parent, files = _read_merged(model, (*seen, path))
    merged = dict(parent)
    for key, value in given.items():
        takes_over = isinstance(value, dict) and isinstance(parent.get(key), dict)
        merged[key] = {**parent[key], **value} if takes_over else value
    return merged, (*files, path)
