"""An animal: organs with volume, blood flow and blood content, every number with its source."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pydantic

from pbpk.body.library import read_path
from pbpk.errors import InputError, SpeciesError, did_you_mean
from pbpk.quantity import Quantity, QuantityEntry, inside_unit
from pbpk.reading import Schema, read_toml

CLOSURE = 1e-3  # arterial flows may miss the cardiac output by this share before the file is refused
BODY = {"body_weight": "g", "cardiac_output": "mL/h", "volume_vein": "mL", "volume_artery": "mL"}
ORGAN = {"artery": "mL/h", "volume": "mL", "vascular": "1", "density": "g/mL"}


class OrganEntry(Schema):
    """One organ of a species file."""

    volume: QuantityEntry
    vascular: QuantityEntry
    density: QuantityEntry
    artery: QuantityEntry | None = None


class SourceEntry(Schema):
    """Where numbers came from."""

    text: str
    doi: str = ""
    status: str = ""
    note: str = ""


class SpeciesFile(Schema):
    """A species file as written."""

    name: str
    about: str
    body_weight: QuantityEntry
    cardiac_output: QuantityEntry
    volume_vein: QuantityEntry
    volume_artery: QuantityEntry
    organs: dict[str, OrganEntry]
    sources: dict[str, SourceEntry] = pydantic.Field(default_factory=dict)


@dataclass(frozen=True)
class Species:
    """An animal as named quantities: `cardiac_output`, `artery_liver`, `volume_lung`, ..."""

    name: str
    about: str
    organs: tuple[str, ...]
    quantities: Mapping[str, Quantity]
    sources: Mapping[str, SourceEntry]
    parts: Mapping[str, float] = field(default_factory=dict)
    file: Path | None = None

    def numbers(self) -> dict[str, float]:
        """Every quantity in the units the package computes with: mL, h, g."""
        values = {name: q.to(inside_unit(q.unit)) for name, q in self.quantities.items()}
        return values | {f"part_{organ}": self.parts.get(organ, 1.0) for organ in self.organs}

    def weight(self, organ: str) -> float:
        """Organ weight [g], volume times density."""
        numbers = self.numbers()
        return numbers[f"volume_{organ}"] * numbers[f"density_{organ}"]

    def split(self, organ: str, parts: tuple[str, ...]) -> "Species":
        """Same animal with one organ as equal parts, as with two kidneys."""
        if organ not in self.organs:
            raise SpeciesError(f"`{organ}` cannot be split: {self.name} has no such organ."
                               + did_you_mean(organ, self.organs))  # fmt: skip
        share = 1.0 / len(parts)
        quantities = {n: q for n, q in self.quantities.items() if not n.endswith(f"_{organ}")}
        for part in parts:
            for kind in ORGAN:
                whole = self.quantities.get(f"{kind}_{organ}")
                if whole is None:
                    continue
                scale = share if kind in ("artery", "volume") else 1.0
                quantities[f"{kind}_{part}"] = replace(whole, value=whole.value * scale)
        at = self.organs.index(organ)
        organs = (*self.organs[:at], *parts, *self.organs[at + 1 :])
        return replace(
            self,
            organs=organs,
            quantities=quantities,
            parts=dict(self.parts) | {part: share for part in parts},
        )


def read_species(name: str | Path) -> Species:
    """Read an animal by name (`mouse`) or path and check that its circulation closes.

    Raises
    ------
    SpeciesError
        if the file does not fit, a unit is wrong, or the organ flows do not sum to the cardiac output
    """
    return _read_species(read_path("species", name, SpeciesError))


def _read_species(path: Path) -> Species:
    given = read_toml(path, SpeciesFile, SpeciesError)
    quantities = {name: Quantity(**dict(getattr(given, name))) for name in BODY}
    for organ, entry in given.organs.items():
        for kind in ORGAN:
            written = getattr(entry, kind)
            if written is not None:
                quantities[f"{kind}_{organ}"] = Quantity(**dict(written))
    for name, quantity in quantities.items():
        _check_quantity(path, name, quantity, BODY.get(name) or ORGAN[name.split("_")[0]])
    species = Species(given.name, given.about, tuple(given.organs), quantities, given.sources, file=path)
    _check_closure(path, species)
    return species


def _check_quantity(path: Path, name: str, quantity: Quantity, unit: str) -> None:
    try:
        value = quantity.to(unit)
    except InputError as problem:
        raise SpeciesError(f"{path}: {name}: {problem}") from None
    if not value > 0.0:
        raise SpeciesError(f"{path}: {name} is {quantity.value:g} {quantity.unit}; it must be above zero.")
    if name.startswith("vascular_") and value > 1.0:
        raise SpeciesError(f"{path}: {name} is {value:g}; blood cannot be more than the whole organ.")


def _check_closure(path: Path, species: Species) -> None:
    """Refuse an animal whose organs take more or less blood than the heart gives."""
    numbers = species.numbers()
    output = numbers["cardiac_output"]
    total = sum(numbers.get(f"artery_{organ}", 0.0) for organ in species.organs)
    if abs(total - output) > CLOSURE * output:
        raise SpeciesError(
            f"{path}: the organ flows do not close: arteries sum to {total:.4g} mL/h, cardiac output is "
            f"{output:.4g} mL/h; correct a flow, or give the remainder to `rest`."
        )
