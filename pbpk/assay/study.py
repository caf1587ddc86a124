"""A study folder: what was given to whom, what was measured, and where it is written."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pydantic

from pbpk.errors import StudyError, did_you_mean
from pbpk.reading import Schema, read_rows, read_toml

Unit = Literal["cells", "cells_per_g", "percent_dose", "percent_dose_per_g"]
Readout = Literal["label", "dna", "live"]
DROPPED = "none"  # what a published tissue maps to when it is not used


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
    recovery: Recovery | None = None
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
    route: str
    duration_min: float = pydantic.Field(default=0.0, ge=0)
    source: str = ""


class MeasurementRow(Schema):
    """One row of `measurements.csv`: an animal's value, a group's mean, or a range."""

    group: str
    animal: str = ""
    organ: str
    hours: float = pydantic.Field(ge=0)
    value: float | None = pydantic.Field(default=None, ge=0)
    unit: Unit
    sd: float | None = pydantic.Field(default=None, ge=0)
    n: int | None = pydantic.Field(default=None, ge=1)
    low: float | None = pydantic.Field(default=None, ge=0)
    high: float | None = pydantic.Field(default=None, gt=0)
    lloq: float | None = pydantic.Field(default=None, gt=0)
    below_lloq: bool = False
    readout: Readout = "label"
    source: str = ""

    @pydantic.model_validator(mode="after")
    def _one_kind(self) -> "MeasurementRow":
        is_range = self.low is not None and self.high is not None
        if self.below_lloq:
            if self.lloq is None:
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
    """The input folder, read and checked."""

    folder: Path
    about: StudyFile
    doses: tuple[DoseRow, ...]
    measurements: tuple[MeasurementRow, ...]
    weights: tuple[WeightRow, ...]
    published: tuple[AucRow, ...]
    hashes: dict[str, str]

    @property
    def name(self) -> str:
        """Name of the folder."""
        return self.folder.name

    @property
    def cells(self) -> float | None:
        """Cells given to the first group in all; None where the source does not say."""
        given = [dose.cells for dose in self.doses if dose.group == self.about.groups[0].name and not dose.animal]
        known = [cells for cells in given if cells is not None]
        return sum(known) if known and len(known) == len(given) else None

    def group(self, name: str) -> Group:
        """Group by its name."""
        return next(group for group in self.about.groups if group.name == name)


def read_study(folder: str | Path) -> Study:
    """Read a study folder and check that its tables fit each other.

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
    measurements = read_rows(folder / "measurements.csv", MeasurementRow, StudyError)
    weights = _read_optional(folder / "organ_weights.csv", WeightRow)
    published = _read_optional(folder / "published_auc.csv", AucRow)
    hashes = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir()) if path.is_file()
    }
    study = Study(folder.resolve(), about, tuple(doses), tuple(measurements), weights, published, hashes)
    _check_groups(study)
    return study


def _read_optional[R: Schema](path: Path, schema: type[R]) -> tuple[R, ...]:
    return tuple(read_rows(path, schema, StudyError)) if path.exists() else ()


def _check_groups(study: Study) -> None:
    """Refuse a row of a group nobody declared, a group measured but never dosed, an unmapped tissue."""
    folder, names = study.folder, [group.name for group in study.about.groups]
    named: tuple[tuple[str, tuple[DoseRow | MeasurementRow | WeightRow, ...]], ...] = (
        ("doses.csv", study.doses),
        ("measurements.csv", study.measurements),
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
    groups = {group for group, _ in dosed}
    for line, measured in enumerate(study.measurements, start=2):
        group, animal = measured.group, measured.animal
        if group not in groups or (animal and not {(group, ""), (group, animal)} & dosed):
            who = f"group `{group}`" if group not in groups else f"animal `{animal}` of `{group}`"
            raise StudyError(
                f"{folder / 'measurements.csv'}: row {line}: the {who} was measured but never dosed; "
                "add it to doses.csv."
            )
    for line, dose in enumerate(study.doses, start=2):
        route = study.group(dose.group).route
        if dose.route != route:
            raise StudyError(
                f"{folder / 'doses.csv'}: row {line}: the route is `{dose.route}`, study.toml says `{route}`; "
                "make them agree."
            )
    if study.about.tissues:
        for line, row in enumerate(study.measurements, start=2):
            if row.organ not in study.about.tissues:
                raise StudyError(
                    f"{folder / 'measurements.csv'}: row {line}: the organ `{row.organ}` is not under [tissues] in "
                    f"study.toml.{did_you_mean(row.organ, study.about.tissues)}"
                )
