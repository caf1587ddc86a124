"""A study folder: what was given to whom, what was measured, and where it is written."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pydantic

from pbpk.assay.animals import AnimalRow, check_animals, split_unit, weighed_doses
from pbpk.assay.readouts.settings import Doubtful, Readouts
from pbpk.errors import InputError, StudyError, did_you_mean
from pbpk.quantity import inside
from pbpk.reading import Schema, read_rows, read_toml

if TYPE_CHECKING:
    from pbpk.assay.light.amplitude import Reading

COUNTED = ("copies", "counts", "events", "profiles")  # what an instrument reads; `readouts` says what a cell gives
UNITS = ("cells", "cells_per_g", "percent_dose", "percent_dose_per_g", *COUNTED)  # and others, as `ug/mL`
AMOUNTS = ("cell", "g", "mol", "Bq")  # what a dose may be counted in
DROPPED = "none"  # what a published tissue maps to when it is not used


def per_of(unit: str) -> str:
    """What a measured unit is per: "g", "mL", or "" for an amount."""
    if unit in UNITS:
        return "g" if unit.endswith("_per_g") else ""
    below = unit.partition("/")[2]
    return inside(below)[0] if below else ""


class Product(Schema):
    """What was infused."""

    cell_type: str
    diameter_um: float | None = pydantic.Field(default=None, gt=0)
    viability: float | None = pydantic.Field(default=None, ge=0, le=1)
    lot: str = ""


class Group(Schema):
    """Animals or patients treated alike."""

    name: str
    route: str
    treatment: str = "none"
    injured: str | None = None


class Source(Schema):
    """Where the study was published."""

    key: str
    text: str
    doi: str = ""
    licence: str = ""
    note: str = ""


class Recovery(Schema):
    """Part of an organ's label that a readout counts, where it is not all of it, as a prior."""

    about: str
    prior: str
    source: str


class Plates(Schema):
    """How plates of raw light are read: what their controls do not teach, and the limits they must keep."""

    preset: Literal["lba", "chromatographic", "none"] = "lba"
    recovery: Doubtful | None = None  # part of an organ's label that reaches the well, where no well was spiked
    load_ng: Doubtful | None = None  # label of an injected cell [ng], where no cells of its batch were measured


class Reporting(Schema):
    """Fields that only the author of a report can fill."""

    study_number: str = ""
    facility: str = ""
    glp: str = ""


class StudyFile(Schema):
    """`study.toml` as written."""

    title: str
    kind: Literal["real", "synthetic"]
    species: str
    model: str = "msc"
    label: str
    strain: str = ""
    denominator: Literal["dose", "recovered", "unknown"]
    harvested: list[str] = pydantic.Field(default_factory=list)
    assumptions: list[str] = pydantic.Field(default_factory=list)
    split: dict[str, list[str]] = pydantic.Field(default_factory=dict)
    physiology: str | list[str] = "fixed"  # "spread", or names and patterns of numbers of the animal to estimate
    recovery: Recovery | None = None
    plates: Plates = Plates()
    readouts: Readouts = Readouts()
    product: Product
    tissues: dict[str, str] = pydantic.Field(default_factory=dict)
    groups: list[Group] = pydantic.Field(min_length=1)
    sources: list[Source] = pydantic.Field(min_length=1)
    reporting: Reporting = Reporting()

    @pydantic.model_validator(mode="after")
    def _fits_itself(self) -> "StudyFile":
        names = [group.name for group in self.groups]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"[[groups]] holds `{name}` twice; give each group its own name")
        if self.denominator != "dose" and not self.harvested:
            raise ValueError(
                f'denominator = "{self.denominator}" needs `harvested`, the organs whose sum was recovered'
            )
        return self


class DoseRow(Schema):
    """One row of `doses.csv`."""

    group: str
    animal: str = ""
    hours: float = pydantic.Field(ge=0)
    cells: float | None = pydantic.Field(default=None, gt=0)
    amount: float | None = pydantic.Field(default=None, gt=0)  # of what is not cells, with its unit, or per body weight
    unit: str = ""
    route: str
    duration_min: float = pydantic.Field(default=0.0, ge=0)
    source: str = ""

    @pydantic.model_validator(mode="after")
    def _one_amount(self) -> "DoseRow":
        if self.cells is not None and self.amount is not None:
            raise ValueError("give `cells`, or `amount` with its `unit`")
        if (self.amount is None) != (not self.unit):
            raise ValueError("`amount` and `unit` belong together, as in 10 and mg")
        if self.unit:
            told = inside(split_unit(self.unit)[0])[0]  # an unknown unit is refused here
            if told not in AMOUNTS:
                raise ValueError(f"`{self.unit}` is no amount; give a mass, moles or an activity, or one per kg")
        return self

    @property
    def given(self) -> tuple[float, str] | None:
        """Amount and its unit, None where the source does not say."""
        if self.cells is not None:
            return self.cells, "cell"
        return None if self.amount is None else (self.amount, self.unit)


class MeasurementRow(Schema):
    """One row of `measurements.csv`: an animal's value, a group's mean, or a range."""

    group: str
    animal: str = ""
    organ: str
    hours: float = pydantic.Field(ge=0)
    value: float | None = pydantic.Field(default=None, ge=0)
    unit: str
    sd: float | None = pydantic.Field(default=None, ge=0)
    n: int | None = pydantic.Field(default=None, ge=1)
    low: float | None = pydantic.Field(default=None, ge=0)
    high: float | None = pydantic.Field(default=None, gt=0)
    lloq: float | None = pydantic.Field(default=None, gt=0)
    below_lloq: bool = False
    readout: str = "label"
    fraction: float = pydantic.Field(default=1.0, gt=0, le=1)  # part of the organ that was read
    acquired: int | None = pydantic.Field(default=None, ge=1)  # events of any kind that the cytometer took
    seconds: float | None = pydantic.Field(default=None, gt=0)  # time of counting
    counted_hours: float | None = pydantic.Field(default=None, ge=0)  # after the first dose
    source: str = ""

    @pydantic.field_validator("unit")
    @classmethod
    def _measures_something(cls, unit: str) -> str:
        if unit in UNITS:
            return unit
        try:
            fits = inside(unit.partition("/")[0])[0] in AMOUNTS and per_of(unit) in ("", "mL", "g")
        except InputError:
            fits = False
        if not fits:
            raise ValueError(f"unknown unit `{unit}`; an amount may be per volume or per mass, as ug, ug/mL or ug/g."
                             + did_you_mean(unit, UNITS))  # fmt: skip
        return unit

    @pydantic.model_validator(mode="after")
    def _one_kind(self) -> "MeasurementRow":
        is_range = self.low is not None and self.high is not None
        if self.below_lloq:
            if self.lloq is None and self.unit != "copies":  # whose limit the readout tells
                raise ValueError("below_lloq is true, so `lloq` must say what the limit was")
        elif (self.value is None) != is_range or (self.low is None) != (self.high is None):
            raise ValueError("give either `value`, or both `low` and `high`")
        if is_range and self.low is not None and self.high is not None and self.low >= self.high:
            raise ValueError(f"`low` {self.low:g} is not below `high` {self.high:g}")
        if self.animal and self.sd is not None:
            raise ValueError("`sd` belongs to a group's mean; leave it empty for one animal")
        if self.sd is not None and self.value is None:
            raise ValueError("`sd` belongs to a `value`; leave it empty where there is none")
        if self.sd is not None and (self.n is None or self.n < 2):
            raise ValueError("`sd` needs `n`, the number of animals, of at least 2")
        return self


class WeightRow(Schema):
    """One row of `organ_weights.csv`."""

    group: str = ""
    animal: str = ""
    organ: str
    weight_g: float = pydantic.Field(gt=0)
    cv: float = pydantic.Field(default=0.0, ge=0)  # relative doubt of a weight that was not measured in the study
    source: str = ""


class AucRow(Schema):
    """One row of `published_auc.csv`: an area under a curve as the source prints it, from 0 h on."""

    organ: str
    auc: float = pydantic.Field(gt=0)
    error: float | None = pydantic.Field(default=None, ge=0)
    unit: Literal["percent_dose_per_g*h", "percent_dose*h"]
    source: str = ""


@dataclass(frozen=True)
class Study:
    """The input folder, read and checked.

    doses : what each group or animal was given; a dose per body weight as what the animal got
    measurements : what is known as a number or a count; readings : amplitude of each well of raw light
    hashes : SHA-256 of every file, by its path in the folder
    """

    folder: Path
    about: StudyFile
    doses: tuple[DoseRow, ...]
    measurements: tuple[MeasurementRow, ...]
    weights: tuple[WeightRow, ...]
    published: tuple[AucRow, ...]
    hashes: dict[str, str]
    readings: "tuple[Reading, ...]" = ()
    animals: tuple[AnimalRow, ...] = ()

    @property
    def name(self) -> str:
        """Name of the folder."""
        return self.folder.name

    def group(self, name: str) -> Group:
        """Group by its name."""
        return next(group for group in self.about.groups if group.name == name)


def read_study(folder: str | Path, follow: Callable[[int, int], None] | None = None) -> Study:
    """Read a study folder and check that its tables fit each other; raw light is demodulated as it is read.

    follow : called with wells read and wells in all

    Raises
    ------
    StudyError
        one sentence: file, row, column, what to do
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise StudyError(f"{folder}: there is no such folder.")
    about = read_toml(folder / "study.toml", StudyFile, StudyError)
    doses = read_rows(folder / "doses.csv", DoseRow, StudyError)
    has_light = (folder / "wells.csv").is_file()
    others = has_light and not (folder / "measurements.csv").is_file()
    measurements = [] if others else read_rows(folder / "measurements.csv", MeasurementRow, StudyError)
    weights = _read_optional(folder / "organ_weights.csv", WeightRow)
    published = _read_optional(folder / "published_auc.csv", AucRow)
    readings = _read_light(folder, follow) if has_light else ()
    hashes = _read_hashes(folder)
    animals = _read_optional(folder / "animals.csv", AnimalRow)
    study = Study(
        folder.resolve(), about, tuple(doses), tuple(measurements), weights, published, hashes, readings, animals
    )
    _check_groups(study)
    seen = list(_measured(study))
    check_animals(study, [(file, line, group, animal, hours) for file, line, group, animal, _, hours in seen])
    measured = [(group, animal) for _, _, group, animal, _, _ in seen]
    return replace(study, doses=weighed_doses(study.folder, study.doses, animals, measured))


def _read_light(folder: Path, follow: Callable[[int, int], None] | None) -> "tuple[Reading, ...]":
    from pbpk.assay.light.wells import read_amplitudes  # compiles: only studies with light wait for it

    return tuple(read_amplitudes(folder, follow=follow))


def _read_hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of what the folder and its traces/ hold."""
    hashes = {}
    for path in sorted((*folder.iterdir(), *folder.glob("traces/*"))):
        if path.is_file():
            with path.open("rb") as file:
                hashes[path.relative_to(folder).as_posix()] = hashlib.file_digest(file, "sha256").hexdigest()
    return hashes


def _read_optional[R: Schema](path: Path, schema: type[R]) -> tuple[R, ...]:
    return tuple(read_rows(path, schema, StudyError)) if path.exists() else ()


def _check_groups(study: Study) -> None:
    """Refuse a row of a group nobody declared, a group measured but never dosed, an unmapped tissue."""
    folder, names = study.folder, [group.name for group in study.about.groups]
    named: tuple[tuple[str, tuple[DoseRow | WeightRow, ...]], ...] = (
        ("doses.csv", study.doses),
        ("organ_weights.csv", study.weights),
    )
    for file, rows in named:
        for line, row in enumerate(rows, start=2):
            if row.group not in names and not (file == "organ_weights.csv" and row.group == ""):
                raise StudyError(
                    f"{folder / file}: row {line}: the group `{row.group}` is not in study.toml."
                    + did_you_mean(row.group, names)
                )
    dosed = {(dose.group, dose.animal) for dose in study.doses}
    for file, line, group, animal, organ, _ in _measured(study):
        place = f"{folder / file}: row {line}"
        if group not in names:
            raise StudyError(f"{place}: the group `{group}` is not in study.toml." + did_you_mean(group, names))
        if not any(g == group for g, _ in dosed) or (animal and not {(group, ""), (group, animal)} & dosed):
            who = f"animal `{animal}` of `{group}`" if any(g == group for g, _ in dosed) else f"group `{group}`"
            raise StudyError(f"{place}: the {who} was measured but never dosed; add it to doses.csv.")
        if study.about.tissues and organ not in study.about.tissues:
            raise StudyError(
                f"{place}: the organ `{organ}` is not under [tissues] in study.toml."
                + did_you_mean(organ, study.about.tissues)
            )
    for line, dose in enumerate(study.doses, start=2):
        route = study.group(dose.group).route
        if dose.route != route:
            raise StudyError(
                f"{folder / 'doses.csv'}: row {line}: the route is `{dose.route}`, study.toml says `{route}`; "
                "make them agree."
            )


def _measured(study: Study) -> Iterator[tuple[str, int, str, str, str, float | None]]:
    """File, row, group, animal, organ and hour of everything that was measured in an animal."""
    for line, row in enumerate(study.measurements, start=2):
        yield "measurements.csv", line, row.group, row.animal, row.organ, row.hours
    for line, reading in enumerate(study.readings, start=2):
        if reading.well.role == "sample":
            missing = [name for name in ("group", "animal", "hours") if getattr(reading.well, name) in ("", None)]
            if missing:
                raise StudyError(f"{study.folder / 'wells.csv'}: row {line}: a sample needs its `{missing[0]}`.")
            well = reading.well
            yield "wells.csv", line, well.group, well.animal, well.organ, well.hours
