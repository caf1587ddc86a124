"""What one cell gives in each kind of count: copies of DNA, decays, events of a cytometer, profiles in sections."""

from typing import Literal

import pydantic

from pbpk.reading import Schema


class Doubtful(Schema):
    """A positive number that is not known well: log-normal, with where it comes from."""

    median: float = pydantic.Field(gt=0)
    sigma: float = pydantic.Field(gt=0)
    source: str


class Probability(Doubtful):
    """A part of all cells, known as a log-normal number."""

    median: float = pydantic.Field(gt=0, le=1)


class Dilution(Schema):
    """One reaction of a standard curve: copies in it, and the cycle at which it crossed the threshold."""

    copies: float = pydantic.Field(gt=0)
    ct: float = pydantic.Field(gt=0)


class Qpcr(Schema):
    """`[readouts.qpcr]`, for rows in copies: those in the reactions, `fraction` being the part of the organ in them."""

    copies_per_cell: Doubtful  # of the amplified sequence: 2 of a single-copy gene in a diploid cell, many of a repeat
    extraction_yield: Probability  # part of the organ's copies that reach the extract and amplify
    cv: Doubtful  # relative scatter between extracts beyond Poisson [1]
    standards: list[Dilution] = pydantic.Field(default_factory=list)  # the curve that gave the copies of every row
    detection_limit_cells_per_g: float = pydantic.Field(default=100.0, gt=0)
    detection_limit_source: str = "Zhuang 2021, doi 10.1186/s12929-021-00725-7, Table 6 paragraph: 100 MSC per g organ"


class Gamma(Schema):
    """`[readouts.gamma]`, for rows in counts: gross counts, never corrected for background or decay."""

    isotope: str
    half_life_hours: float = pydantic.Field(gt=0)
    half_life_source: str
    background_counts: int = pydantic.Field(ge=0)
    background_seconds: float = pydantic.Field(gt=0)
    standard_counts: int = pydantic.Field(ge=1)  # gross, of a known part of the dose in the geometry of the organs
    standard_seconds: float = pydantic.Field(gt=0)
    standard_percent_dose: float = pydantic.Field(gt=0, le=100)
    standard_hours: float = pydantic.Field(ge=0)  # when it was counted, after the first dose
    cv: Doubtful | None = None  # relative scatter of geometry and position [1]; without it counts are Poisson


class Naive(Schema):
    """Events of animals that were given nothing; without an organ, of every organ that has no entry of its own."""

    organ: str = ""
    positives: int = pydantic.Field(ge=0)
    acquired: int = pydantic.Field(ge=1)

    @pydantic.model_validator(mode="after")
    def _part_of_all(self) -> "Naive":
        if self.positives > self.acquired:
            raise ValueError(f"{self.positives} positives are more than the {self.acquired} events acquired")
        return self


class Flow(Schema):
    """`[readouts.flow]`, for rows in events: positives among `acquired`, from `fraction` of the organ's cells."""

    dissociation_yield: Probability  # part of the organ's live cells that dissociation frees alive and that stain
    cv: Doubtful  # relative scatter between samples beyond Poisson [1]; NegBin's phi is 1/cv^2
    naive: list[Naive] = pydantic.Field(min_length=1)


class Spiked(Schema):
    """Labelled cells put into a section or planted in its image, and how many were found."""

    found: int = pydantic.Field(ge=0)
    known: int = pydantic.Field(ge=1)

    @pydantic.model_validator(mode="after")
    def _part_of_all(self) -> "Spiked":
        if self.found > self.known:
            raise ValueError(f"{self.found} found are more than the {self.known} known")
        return self


class Unlabelled(Schema):
    """Profiles seen in animals without label; without an organ, in every organ that has no entry of its own."""

    organ: str = ""
    profiles: int = pydantic.Field(ge=0)
    fraction: float = pydantic.Field(gt=0)  # organ's volumes looked at, summed over animals


class Sections(Schema):
    """`[readouts.sections]`, for rows in profiles, seen in `fraction` of the organ's volume."""

    thickness_um: float = pydantic.Field(gt=0)
    diameter_um: float = pydantic.Field(gt=0)  # of the labelled cell as it lies in tissue
    rule: Literal["profiles", "disector"]  # every profile counted, or only cells whose top lies in the section
    detection: Probability | None = None
    spiked: Spiked | None = None  # instead of `detection`
    cv: Doubtful  # relative scatter between animals beyond Poisson, for cells lie in clumps [1]; phi is 1/cv^2
    unlabelled: list[Unlabelled] = pydantic.Field(min_length=1)

    @pydantic.model_validator(mode="after")
    def _one_detection(self) -> "Sections":
        if (self.detection is None) == (self.spiked is None):
            raise ValueError("give either `detection` or `spiked`, the part of labelled cells that is seen")
        return self


class Readouts(Schema):
    """`[readouts]` of study.toml: the settings of every instrument whose counts stand in measurements.csv."""

    qpcr: Qpcr | None = None
    gamma: Gamma | None = None
    flow: Flow | None = None
    sections: Sections | None = None
