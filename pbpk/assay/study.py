"""A study folder: what was given to whom, what was measured, and where it is written."""

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pydantic

from pbpk.assay.animals import AnimalRow, check_animals, weighed_doses
from pbpk.assay.doses import DoseRow
from pbpk.assay.measurements import MeasurementRow
from pbpk.assay.readouts.settings import Doubtful, Readouts
from pbpk.assay.records import FILE as NONMEM
from pbpk.assay.records import Nonmem, read_table
from pbpk.errors import StudyError, did_you_mean
from pbpk.reading import Schema, read_rows, read_toml

if TYPE_CHECKING:
    from pbpk.assay.light.amplitude import Reading

# Beside the study, no part of it: what an author says of it, and the plan of its analysis with those it superseded.
AUTHORED, PLAN = "report.toml", "plan.json"
BESIDE = re.compile(rf"{re.escape(AUTHORED)}|plan(-\d+)?\.json")


class Product(Schema):
    """What was infused."""

    cell_type: str
    diameter_um: float | None = pydantic.Field(default=None, gt=0)
    viability: float | None = pydantic.Field(default=None, ge=0, le=1)
    clotting: float = pydantic.Field(default=0.0, ge=0, lt=1)  # share of the live cells that it kills where they enter
    lot: str = ""


class Group(Schema):
    """Animals or patients treated alike."""

    name: str
    route: str | list[str]
    treatment: str = "none"
    injured: str | None = None
    anticoagulant: float = pydantic.Field(default=1.0, ge=1)  # what the product's clotting is divided by

    @property
    def routes(self) -> tuple[str, ...]:
        """Every route by which the group is dosed."""
        return (self.route,) if isinstance(self.route, str) else tuple(self.route)


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


class Estimated(Schema):
    """A modifier of the model whose size is estimated; its prior is the model's unless one stands here.

    groups : in which it holds, all if none is named
    """

    prior: str = ""
    source: str = ""
    groups: list[str] = pydantic.Field(default_factory=list)


class Varied(Schema):
    """What differs between animals: the prior of its SD, of the logarithm or, for a share, of the log-odds."""

    prior: str
    source: str


class Correlated(Schema):
    """Parameters that differ between animals together: the prior of each partial correlation."""

    parameters: list[str] = pydantic.Field(min_length=2)
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
    modifiers: dict[str, Estimated] = pydantic.Field(default_factory=dict)
    between: dict[str, Varied] = pydantic.Field(default_factory=dict)  # a parameter of the model, or "dose"
    correlated: list[Correlated] = pydantic.Field(default_factory=list)
    errors: Literal["normal", "student"] = "normal"
    plates: Plates = Plates()
    readouts: Readouts = Readouts()
    product: Product
    tissues: dict[str, str] = pydantic.Field(default_factory=dict)
    groups: list[Group] = pydantic.Field(min_length=1)
    sources: list[Source] = pydantic.Field(min_length=1)
    reporting: Reporting = Reporting()
    nonmem: Nonmem | None = None

    @pydantic.model_validator(mode="after")
    def _fits_itself(self) -> "StudyFile":
        names = [group.name for group in self.groups]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"[[groups]] holds `{name}` twice; give each group its own name")
        for modifier, entry in self.modifiers.items():
            for group in entry.groups:
                if group not in names:
                    raise ValueError(f"modifiers.{modifier}: groups: `{group}` is none.{did_you_mean(group, names)}")
        seen: set[str] = set()
        for block in self.correlated:
            for name in block.parameters:
                if name not in self.between:
                    raise ValueError(f"correlated: `{name}` has no [between.{name}].{did_you_mean(name, self.between)}")
                if name in seen:
                    raise ValueError(f"correlated: `{name}` stands there twice; name each parameter once")
                seen.add(name)
        if self.denominator != "dose" and not self.harvested:
            raise ValueError(
                f'denominator = "{self.denominator}" needs `harvested`, the organs whose sum was recovered'
            )
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
    hashes : SHA-256 of every file that has a say, by its path in the folder
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

    @property
    def doses_file(self) -> Path:
        """File that says what was given."""
        return self.folder / (NONMEM if NONMEM in self.hashes else "doses.csv")

    @property
    def measurements_file(self) -> Path:
        """File that says what was measured, as numbers."""
        return self.folder / (NONMEM if NONMEM in self.hashes else "measurements.csv")

    def place_of(self, row: DoseRow | MeasurementRow, line: int) -> str:
        """File and row in which something was given or measured: the line of its own table, or what NONMEM's told."""
        file = self.doses_file if isinstance(row, DoseRow) else self.measurements_file
        return f"{self.folder}/{row.source}" if file.name == NONMEM else f"{file}: row {line}"

    def group(self, name: str) -> Group:
        """Group by its name."""
        return next(group for group in self.about.groups if group.name == name)


def read_study(folder: str | Path, follow: Callable[[int, int], None] | None = None, unmeasured: bool = False) -> Study:
    """Read a study folder and check that its tables fit each other; raw light is demodulated as it is read.

    follow : called with wells read and wells in all; unmeasured : whether a study may have nothing measured yet

    Raises
    ------
    StudyError
        one sentence: file, row, column, what to do
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise StudyError(f"{folder}: there is no such folder.")
    about = read_toml(folder / "study.toml", StudyFile, StudyError)
    has_light = (folder / "wells.csv").is_file()
    doses, measurements = _read_tables(folder, about, has_light or unmeasured)
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
    check_animals(study, [(place, group, animal, hours) for place, group, animal, _, hours in seen])
    return replace(study, doses=weighed_doses(study, [(group, animal) for _, group, animal, _, _ in seen]))


def _read_tables(folder: Path, about: StudyFile, without: bool) -> tuple[list[DoseRow], list[MeasurementRow]]:
    """Doses and measurements, each from its table or both from one with NONMEM's columns.

    without : whether a table of measurements may be missing
    """
    if (folder / NONMEM).is_file():
        for other in ("doses.csv", "measurements.csv"):
            if (folder / other).is_file():
                raise StudyError(f"{folder / other}: {NONMEM} is there too; keep one of them.")
        if about.nonmem is None:
            raise StudyError(f"{folder / 'study.toml'}: [nonmem] is missing; it says the unit of AMT, which route "
                             "a CMT is and what DV is of.")  # fmt: skip
        return read_table(folder, about.nonmem, [group.name for group in about.groups])
    doses = read_rows(folder / "doses.csv", DoseRow, StudyError)
    no_numbers = without and not (folder / "measurements.csv").is_file()
    return doses, [] if no_numbers else read_rows(folder / "measurements.csv", MeasurementRow, StudyError)


def _read_light(folder: Path, follow: Callable[[int, int], None] | None) -> "tuple[Reading, ...]":
    from pbpk.assay.light.wells import read_amplitudes  # compiles: only studies with light wait for it

    return tuple(read_amplitudes(folder, follow=follow))


def _read_hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of what the folder and its traces/ hold, without what only tells about the study."""
    hashes = {}
    for path in sorted((*folder.iterdir(), *folder.glob("traces/*"))):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not BESIDE.fullmatch(name):
            with path.open("rb") as file:
                hashes[name] = hashlib.file_digest(file, "sha256").hexdigest()
    return hashes


def _read_optional[R: Schema](path: Path, schema: type[R]) -> tuple[R, ...]:
    return tuple(read_rows(path, schema, StudyError)) if path.exists() else ()


def _check_groups(study: Study) -> None:
    """Refuse a row of a group nobody declared, a group measured but never dosed, an unmapped tissue."""
    folder, names = study.folder, [group.name for group in study.about.groups]
    weighed = f"{folder / 'organ_weights.csv'}: row "
    named = [(study.place_of(dose, line), dose.group) for line, dose in enumerate(study.doses, start=2)]
    named += [(f"{weighed}{line}", row.group) for line, row in enumerate(study.weights, start=2) if row.group]
    for place, group in named:
        if group not in names:
            raise StudyError(f"{place}: the group `{group}` is not in study.toml." + did_you_mean(group, names))
    dosed = {(dose.group, dose.animal) for dose in study.doses if dose.is_dose}
    for place, group, animal, organ, _ in _measured(study):
        if group not in names:
            raise StudyError(f"{place}: the group `{group}` is not in study.toml." + did_you_mean(group, names))
        if not any(g == group for g, _ in dosed) or (animal and not {(group, ""), (group, animal)} & dosed):
            who = f"animal `{animal}` of `{group}`" if any(g == group for g, _ in dosed) else f"group `{group}`"
            raise StudyError(f"{place}: the {who} was measured but never dosed; add it to {study.doses_file.name}.")
        if study.about.tissues and organ not in study.about.tissues:
            raise StudyError(
                f"{place}: the organ `{organ}` is not under [tissues] in study.toml."
                + did_you_mean(organ, study.about.tissues)
            )
    for line, dose in enumerate(study.doses, start=2):
        routes = study.group(dose.group).routes
        if dose.is_dose and dose.route not in routes:
            raise StudyError(
                f"{study.place_of(dose, line)}: the route is `{dose.route}`, study.toml says "
                f"`{'`, `'.join(routes)}`; make them agree."
            )


def _measured(study: Study) -> Iterator[tuple[str, str, str, str, float | None]]:
    """Place, group, animal, organ and hour of everything that was measured in an animal."""
    for line, row in enumerate(study.measurements, start=2):
        yield study.place_of(row, line), row.group, row.animal, row.organ, row.hours
    for line, reading in enumerate(study.readings, start=2):
        place = f"{study.folder / 'wells.csv'}: row {line}"
        if reading.well.role == "sample":
            missing = [name for name in ("group", "animal", "hours") if getattr(reading.well, name) in ("", None)]
            if missing:
                raise StudyError(f"{place}: a sample needs its `{missing[0]}`.")
            well = reading.well
            yield place, well.group, well.animal, well.organ, well.hours
