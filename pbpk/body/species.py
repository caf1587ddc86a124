"""An animal: organs with volume, blood flow and blood content, every number with its source."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pydantic

from pbpk.body.library import read_path
from pbpk.errors import InputError, SpeciesError, did_you_mean
from pbpk.quantity import Quantity, QuantityEntry, inside
from pbpk.reading import Schema, read_placed, read_toml

CLOSURE = 1e-3  # arterial flows may miss the cardiac output by this share before the file is refused
BODY = {"body_weight": "g", "cardiac_output": "mL/h", "volume_vein": "mL", "volume_artery": "mL"}
ORGAN = {"artery": "mL/h", "volume": "mL", "vascular": "1", "density": "g/mL"}


class OrganEntry(Schema):
    """One organ of a species file."""

    volume: QuantityEntry
    vascular: QuantityEntry
    density: QuantityEntry
    artery: QuantityEntry | None = None


class OrganOfSexEntry(Schema):
    """What is different in one organ of one sex."""

    volume: QuantityEntry | None = None
    vascular: QuantityEntry | None = None
    density: QuantityEntry | None = None
    artery: QuantityEntry | None = None


class SexEntry(Schema):
    """What is different in one sex; all else is as in the animal."""

    body_weight: QuantityEntry | None = None
    cardiac_output: QuantityEntry | None = None
    volume_vein: QuantityEntry | None = None
    volume_artery: QuantityEntry | None = None
    organs: dict[str, OrganOfSexEntry] = pydantic.Field(default_factory=dict)


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
    sex: dict[str, SexEntry] = pydantic.Field(default_factory=dict)
    sources: dict[str, SourceEntry] = pydantic.Field(default_factory=dict)


@dataclass(frozen=True)
class Species:
    """An animal as named quantities: `cardiac_output`, `artery_liver`, `volume_lung`, ...

    sexes : sex -> the quantities that are its own, where the file has sourced ones
    file : where it was read, None for an animal made from another
    """

    name: str
    about: str
    organs: tuple[str, ...]
    quantities: Mapping[str, Quantity]
    sources: Mapping[str, SourceEntry]
    parts: Mapping[str, float] = field(default_factory=dict)
    sexes: Mapping[str, Mapping[str, Quantity]] = field(default_factory=dict)
    file: Path | None = None

    def numbers(self) -> dict[str, float]:
        """Every quantity in the units the package computes with: mL, h, g."""
        values = {name: q.value * inside(q.unit)[1] for name, q in self.quantities.items()}
        return values | {f"part_{organ}": self.parts.get(organ, 1.0) for organ in self.organs}

    def weight(self, organ: str) -> float:
        """Organ weight [g], volume times density."""
        numbers = self.numbers()
        return numbers[f"volume_{organ}"] * numbers[f"density_{organ}"]

    def of_sex(self, sex: str) -> "Species":
        """Same animal with the numbers of one sex, where its file has some.

        Raises
        ------
        SpeciesError
            if the file has no numbers for this sex
        """
        place = f"{self.file or self.name}: "
        if not self.sexes:
            raise SpeciesError(f"{place}{self.name} has no numbers of its own for `{sex}`; leave the sex out, or write "
                               f"[sex.{sex}] with sourced numbers.")  # fmt: skip
        if sex not in self.sexes:
            raise SpeciesError(f"{place}{self.name} has no sex `{sex}`.{did_you_mean(sex, self.sexes)}")
        quantities = {**self.quantities, **self.sexes[sex]}
        about = f"{self.about}; {sex}"
        return replace(self, name=f"{self.name}, {sex}", about=about, quantities=quantities, sexes={}, file=None)

    def split(self, organ: str, parts: tuple[str, ...]) -> "Species":
        """Same animal with one organ as equal parts, as with two kidneys."""
        if organ not in self.organs:
            raise SpeciesError(f"`{organ}` cannot be split: {self.name} has no such organ."
                               + did_you_mean(organ, self.organs))  # fmt: skip
        at = self.organs.index(organ)
        return replace(
            self,
            organs=(*self.organs[:at], *parts, *self.organs[at + 1 :]),
            quantities=_split(self.quantities, organ, parts),
            parts=dict(self.parts) | {part: 1.0 / len(parts) for part in parts},
            sexes={sex: _split(own, organ, parts) for sex, own in self.sexes.items()},
        )


def _split(whole: Mapping[str, Quantity], organ: str, parts: tuple[str, ...]) -> dict[str, Quantity]:
    """Quantities with those of one organ as those of its equal parts."""
    quantities = {name: quantity for name, quantity in whole.items() if not name.endswith(f"_{organ}")}
    for part in parts:
        for kind in ORGAN:
            if f"{kind}_{organ}" in whole:
                share = 1.0 / len(parts) if kind in ("artery", "volume") else 1.0
                quantities[f"{kind}_{part}"] = times(whole[f"{kind}_{organ}"], share)
    return quantities


def times(quantity: Quantity, factor: float) -> Quantity:
    """Quantity and its spread times a factor."""
    low, high = (None if end is None else end * factor for end in (quantity.low, quantity.high))
    return replace(quantity, value=quantity.value * factor, low=low, high=high)


def read_species(name: str | Path) -> Species:
    """Read an animal by name (`mouse`) or path and check that its circulation closes.

    Raises
    ------
    SpeciesError
        if the file does not fit, a unit or a spread is wrong, or the organ flows do not sum to the cardiac output
    """
    return _read_species(read_path("species", name, SpeciesError))


def _read_species(path: Path) -> Species:
    given = read_toml(path, SpeciesFile, SpeciesError)
    quantities = _quantities(given, given.organs)
    sexes = {sex: _quantities(own, own.organs) for sex, own in given.sex.items()}
    try:
        _check_quantities(given, quantities, sexes)
    except SpeciesError as problem:
        raise read_placed(problem, path) from None
    species = Species(given.name, given.about, tuple(given.organs), quantities, given.sources, sexes=sexes, file=path)
    _check_closure(f"{path}", species)
    for sex in sexes:
        _check_closure(f"{path}: sex.{sex}", species.of_sex(sex))
    return species


def _quantities(given: Schema, organs: Mapping[str, Schema]) -> dict[str, Quantity]:
    """Quantities that an animal or a sex has, under the names that models use."""
    written = {name: getattr(given, name) for name in BODY}
    written |= {f"{kind}_{organ}": getattr(entry, kind) for organ, entry in organs.items() for kind in ORGAN}
    return {name: Quantity(**dict(entry)) for name, entry in written.items() if entry is not None}


def _check_quantities(
    given: SpeciesFile, quantities: Mapping[str, Quantity], sexes: Mapping[str, Mapping[str, Quantity]]
) -> None:
    for name, quantity in quantities.items():
        _check_quantity(name, (), name, quantity)
    for sex, own in sexes.items():
        for name, quantity in own.items():
            _check_quantity(f"sex.{sex}: {name}", ("sex", sex), name, quantity)
        for organ in given.sex[sex].organs:
            if organ not in given.organs:
                sentence = f"sex.{sex}: the animal has no organ `{organ}`.{did_you_mean(organ, given.organs)}"
                raise SpeciesError(sentence, at=("sex", sex, "organs", organ))


def _check_quantity(place: str, table: tuple[str, ...], name: str, quantity: Quantity) -> None:
    kind, _, organ = name.partition("_")
    at = (*table, name) if name in BODY else (*table, "organs", organ, kind)
    try:
        value = quantity.to(BODY.get(name) or ORGAN[name.split("_")[0]])
    except InputError as problem:
        raise SpeciesError(f"{place}: {problem}", at=(*at, "unit")) from None
    low, high = quantity.ends
    if not value > 0.0:
        raise SpeciesError(f"{place} is {quantity.value:g} {quantity.unit}; it must be above zero.", at=at)
    if name.startswith("vascular_") and value > 1.0:
        raise SpeciesError(f"{place} is {value:g}; blood cannot be more than the whole organ.", at=at)
    if not 0.0 < low <= quantity.value <= high:
        raise SpeciesError(f"{place} is {quantity.value:g} {quantity.unit} between low = {low:g} and high = {high:g}; "
                           "put low at or below it, above zero, and high at or above it.", at=at)  # fmt: skip
    if name.startswith("vascular_") and low < high and not high < 1.0:
        raise SpeciesError(f"{place} has high = {high:g}; a share that is spread must stay below 1.", at=at)


def _check_closure(place: str, species: Species) -> None:
    """Refuse an animal whose organs take more or less blood than the heart gives."""
    numbers = species.numbers()
    output = numbers["cardiac_output"]
    total = sum(numbers.get(f"artery_{organ}", 0.0) for organ in species.organs)
    if abs(total - output) > CLOSURE * output:
        raise SpeciesError(
            f"{place}: the organ flows do not close: arteries sum to {total:.4g} mL/h, cardiac output is "
            f"{output:.4g} mL/h; correct a flow, or give the remainder to `rest`."
        )


def write_species(species: Species, path: str | Path) -> Path:
    """Write an animal, so that a study or a command can name the file; its sexes are not written.

    Raises
    ------
    SpeciesError
        if the path does not end in .toml or is taken, or an organ is split
    """
    path = Path(path)
    if path.suffix != ".toml":
        raise SpeciesError(f"{path}: a species file must end in .toml.")
    if path.exists():
        raise SpeciesError(f"{path}: there is such a file already; choose another name.")
    if species.parts:
        raise SpeciesError(f"{path}: {', '.join(species.parts)} are parts of an organ; write the animal before its "
                           "organs are split, and name the parts where the model is read.")  # fmt: skip
    text = [f"name = {_quoted(species.name)}", f"about = {_quoted(species.about)}"]
    text += [f"{name} = {_entry(species.quantities[name])}" for name in BODY]
    for organ in species.organs:
        kinds = [kind for kind in ORGAN if f"{kind}_{organ}" in species.quantities]
        text += ["", f"[organs.{_quoted(organ)}]"]
        text += [f"{kind} = {_entry(species.quantities[f'{kind}_{organ}'])}" for kind in kinds]
    for key, source in species.sources.items():
        text += ["", f"[sources.{_quoted(key)}]"]
        text += [f"{name} = {_quoted(value)}" for name, value in source.model_dump().items() if value]
    path.write_text("\n".join(text) + "\n", encoding="utf-8")
    return path


def _entry(quantity: Quantity) -> str:
    """One quantity as a species file has it."""
    spread = {"low": quantity.low, "high": quantity.high}
    parts = [f"value = {float(quantity.value)!r}", f"unit = {_quoted(quantity.unit)}"]
    parts += [f"source = {_quoted(quantity.source)}"]
    parts += [f"{end} = {float(number)!r}" for end, number in spread.items() if number is not None]
    parts += [f"note = {_quoted(quantity.note)}"] if quantity.note else []
    return f"{{ {', '.join(parts)} }}"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
