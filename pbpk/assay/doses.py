"""What was given: rows of `doses.csv`, and how much of it an animal got in all."""

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pydantic

from pbpk.assay.animals import split_unit
from pbpk.dosing import DOSE, OBSERVATION, RESET, RESET_AND_DOSE, Event
from pbpk.errors import InputError, StudyError
from pbpk.quantity import convert, inside
from pbpk.reading import Schema

if TYPE_CHECKING:
    from pbpk.assay.study import Study

AMOUNTS = ("cell", "g", "mol", "Bq")  # what a dose may be counted in
COLUMNS = {"TIME": "hours", "AMT": "the amount", "RATE": "rate_per_h", "DUR": "duration_min", "ADDL": "addl",
           "II": "interval_h", "SS": "ss"}  # fmt: skip


class DoseRow(Schema):
    """One row of `doses.csv`; what repeats or resets it means what NONMEM's columns mean, see `dosing`.

    duration_min : over which what is available of it enters; or rate_per_h : amount that enters in an hour
    addl, interval_h : doses that follow, and the hours between; ss : 1 at steady state of this dose alone, 2 on top
    reset : the animal is empty again before this dose; a reset without an amount is no dose
    after_samples : what was sampled at its hour was sampled before it; else a sample of its hour sees it
    """

    group: str
    animal: str = ""
    hours: float = pydantic.Field(ge=0)
    cells: float | None = pydantic.Field(default=None, gt=0)
    amount: float | None = pydantic.Field(default=None, gt=0)  # of what is not cells, with its unit, or per body weight
    unit: str = ""
    route: str
    duration_min: float = pydantic.Field(default=0.0, ge=0)
    rate_per_h: float = pydantic.Field(default=0.0, ge=0)
    addl: int = 0
    interval_h: float = 0.0
    ss: int = 0
    reset: bool = False
    after_samples: bool = False
    lag_h: float = pydantic.Field(default=0.0, ge=0)
    bioavailability: float = pydantic.Field(default=1.0, gt=0)
    source: str = ""

    @pydantic.model_validator(mode="after")
    def _fits_itself(self) -> "DoseRow":
        if self.cells is not None and self.amount is not None:
            raise ValueError("give `cells`, or `amount` with its `unit`")
        if (self.amount is None) != (not self.unit) and not self.rate_per_h:
            raise ValueError("`amount` and `unit` belong together, as in 10 and mg")
        if self.unit:
            told = inside(split_unit(self.unit)[0])[0]  # an unknown unit is refused here
            if told not in AMOUNTS:
                raise ValueError(f"`{self.unit}` is no amount; give a mass, moles or an activity, or one per kg")
        try:
            _ = self.event  # a record that contradicts itself is refused here
        except InputError as problem:
            said = str(problem).partition(": ")[2]
            raise ValueError(re.sub("|".join(COLUMNS), lambda found: COLUMNS[found.group()], said)) from None
        return self

    @property
    def given(self) -> tuple[float, str] | None:
        """Amount of one dose and its unit, None where the source does not say."""
        if self.cells is not None:
            return self.cells, "cell"
        return None if self.amount is None else (self.amount, self.unit)

    @property
    def is_dose(self) -> bool:
        """False for a reset alone."""
        return not self.reset or self.given is not None

    @property
    def in_all(self) -> tuple[float, str] | None:
        """Amount of it and the doses that follow, or of an hour of an infusion since ever; None if nobody says."""
        if self.is_since_ever:
            return self.rate_per_h, self.unit or "cell"
        return None if self.given is None else (self.given[0] * (self.addl + 1), self.given[1])

    @property
    def is_since_ever(self) -> bool:
        """True for an infusion at steady state that ends here."""
        return self.given is None and self.ss > 0 and self.rate_per_h > 0.0

    @property
    def events(self) -> list[Event]:
        """The record that it is, in its own unit, below a sample of its hour where that did not see it."""
        return [*([Event(self.hours, OBSERVATION)] if self.after_samples else []), self.event]

    @property
    def event(self) -> Event:
        """The record that it is, in its own unit; where the source does not say how much, one."""
        amount = 0.0 if self.is_since_ever else (self.given or (1.0, ""))[0]
        dose = Event(self.hours, DOSE, amount, self.rate_per_h, self.duration_min / 60.0, self.route, self.addl,
                     self.interval_h, self.ss, "", self.lag_h, self.bioavailability)  # fmt: skip
        if self.is_dose:
            return replace(dose, evid=RESET_AND_DOSE) if self.reset else dose
        return Event(self.hours, RESET)


def doses_of(study: "Study", group: str, animal: str) -> list[DoseRow]:
    """Doses of an animal, its own before its group's."""
    doses = [dose for dose in study.doses if dose.group == group and dose.is_dose]
    own = [dose for dose in doses if animal and dose.animal == animal]
    return own or [dose for dose in doses if not dose.animal]


def known_dose(study: "Study", group: str, animal: str) -> float | None:
    """Cells that an animal was given in all, its own doses before its group's; None where a dose says no number."""
    given = [dose.in_all for dose in doses_of(study, group, animal)]
    known = [each[0] * inside(each[1])[1] for each in given if each is not None and inside(each[1])[0] == "cell"]
    return sum(known) if known and len(known) == len(given) else None


def dose_cells(study: "Study", group: str, animal: str, place: str) -> float:
    """Cells that an animal was given in all.

    Raises
    ------
    StudyError
        if a dose says no number
    """
    known = known_dose(study, group, animal)
    if known is None:
        raise StudyError(f"{place}: cells were measured but the dose of `{group}` is not known; fill `cells` in "
                         f"{study.doses_file.name}.")  # fmt: skip
    return known


def dose_amount(study: "Study", group: str, animal: str, place: str) -> tuple[float, str]:
    """Amount that an animal was given in all, and its unit.

    Raises
    ------
    StudyError
        if a dose says no number, or two are in units of different kind
    """
    given = [dose.in_all for dose in doses_of(study, group, animal)]
    known = [each for each in given if each is not None]
    if not known or len(known) < len(given):
        raise StudyError(f"{place}: an amount was measured but the dose of `{group}` is not known; fill `amount` and "
                         f"`unit` in {study.doses_file.name}.")  # fmt: skip
    unit = known[0][1]
    try:
        return sum(convert(amount, each, unit) for amount, each in known), unit
    except InputError as problem:
        raise StudyError(f"{study.doses_file}: the doses of `{group}`: {problem}") from None
