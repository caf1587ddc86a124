"""A study as one table with NONMEM's columns, `nonmem.csv`, in place of `doses.csv` and `measurements.csv`.

`[nonmem]` in `study.toml` says what the table leaves open: the unit of AMT, which route a CMT is, what DV is of.
"""

from collections.abc import Mapping
from pathlib import Path

import pydantic

from pbpk.assay.animals import OCCASION, split_unit
from pbpk.assay.doses import AMOUNTS, DoseRow
from pbpk.assay.measurements import MeasurementRow
from pbpk.dosing import MODELLED_DURATION, MODELLED_RATE, OBSERVATION, RESETS, Event, observation_hours, occasions
from pbpk.errors import InputError, StudyError, did_you_mean
from pbpk.nonmem import Record, read_records
from pbpk.quantity import inside
from pbpk.reading import Schema, validated

FILE = "nonmem.csv"


class Seen(Schema):
    """What the DV of one DVID, or else of one CMT, is of."""

    organ: str
    unit: str
    readout: str = "label"


class Nonmem(Schema):
    """What a table with NONMEM's columns does not say itself.

    amount : unit of AMT; routes : CMT -> route, `0` where there is none; observed : DVID, or else CMT -> what is seen
    lag_h, bioavailability, rate_per_h, duration_h : by route, the last two for RATE -1 and -2
    group : column that names the group of a subject; covariates : columns to leave alone
    """

    amount: str
    routes: dict[str, str]
    observed: dict[str, Seen] = pydantic.Field(min_length=1)
    lag_h: dict[str, float] = pydantic.Field(default_factory=dict)
    bioavailability: dict[str, float] = pydantic.Field(default_factory=dict)
    rate_per_h: dict[str, float] = pydantic.Field(default_factory=dict)
    duration_h: dict[str, float] = pydantic.Field(default_factory=dict)
    group: str = ""
    covariates: list[str] = pydantic.Field(default_factory=list)

    @pydantic.field_validator("amount")
    @classmethod
    def _is_amount(cls, amount: str) -> str:
        if inside(split_unit(amount)[0])[0] not in AMOUNTS:
            raise ValueError(f"`{amount}` is no amount; give cells, a mass, moles or an activity, or one per kg")
        return amount

    @pydantic.model_validator(mode="after")
    def _by_route(self) -> "Nonmem":
        known = list(self.routes.values())
        for name in ("lag_h", "bioavailability", "rate_per_h", "duration_h"):
            for route, value in getattr(self, name).items():
                if route not in known:
                    raise ValueError(f"{name}: `{route}` is not one of `routes`.{did_you_mean(route, known)}")
                if value < 0.0 or (value == 0.0 and name != "lag_h"):
                    raise ValueError(f"{name}: `{route}` is {value:g}; it must be above zero")
        return self


def read_table(folder: Path, settings: Nonmem, groups: list[str]) -> tuple[list[DoseRow], list[MeasurementRow]]:
    """Read the doses of `nonmem.csv`, and a row of measurements for each value seen.

    A subject whose clock starts again with a reset is another animal from then on: `7`, then `7, occasion 2`.

    Raises
    ------
    StudyError
        one sentence: file, row, what to do
    """
    path = folder / FILE
    try:
        subjects = read_records(path, settings.routes, settings.covariates, settings.group)
        doses: list[DoseRow] = []
        rows: list[MeasurementRow] = []
        for subject, records in subjects.items():
            group = _group(path, subject, records, settings, groups)
            start = 0
            for number, run in enumerate(occasions([record.event for record in records]), start=1):
                animal = subject if number == 1 else f"{subject}{OCCASION}{number}"
                doses += _doses(group, animal, run, settings)
                rows += _values(group, animal, records[start : start + len(run)], settings)
                start += len(run)
    except StudyError:
        raise
    except InputError as problem:
        raise StudyError(str(problem)) from None
    return doses, rows


def _group(path: Path, subject: str, records: tuple[Record, ...], settings: Nonmem, groups: list[str]) -> str:
    """Group of a subject: what its column says, or the only one."""
    if not settings.group:
        if len(groups) > 1:
            raise StudyError(f"{path.parent / 'study.toml'}: [nonmem] needs `group`, the column that tells which of "
                             f"{len(groups)} groups a subject is of.")  # fmt: skip
        return groups[0]
    named = {record.arm for record in records}
    if len(named) > 1:
        raise StudyError(f"{path}: subject `{subject}` is in `{'` and in `'.join(sorted(named))}`; it must be in one.")
    group = named.pop()
    if group not in groups:
        raise StudyError(f"{records[0].event.place}: the group `{group}` is not in study.toml."
                         + did_you_mean(group, groups))  # fmt: skip
    return group


def _doses(group: str, animal: str, run: tuple[Event, ...], settings: Nonmem) -> list[DoseRow]:
    """Rows of the table of doses that the records of one occasion stand for."""
    rows, seen = [], None
    for event in run:
        if event.evid == OBSERVATION:
            seen = event.hours
        elif event.is_dose or event.wipes:
            row = _dose(group, animal, event, settings)
            rows.append(row.model_copy(update={"after_samples": seen == event.hours}))
            seen = None
    return rows


def _dose(group: str, animal: str, event: Event, settings: Nonmem) -> DoseRow:
    """Row of the table of doses that a record stands for."""
    if event.evid in RESETS and not event.is_dose:
        return DoseRow(group=group, animal=animal, hours=event.hours, route=next(iter(settings.routes.values())),
                       reset=True)  # fmt: skip
    rate, lasts = event.rate, event.duration_h
    if rate == MODELLED_RATE:
        rate = _told(event, settings.rate_per_h, "rate_per_h")
    elif rate == MODELLED_DURATION:
        rate, lasts = 0.0, _told(event, settings.duration_h, "duration_h")
    in_cells = settings.amount in ("cell", "cells")
    fields: dict[str, object] = {} if in_cells else {"unit": settings.amount}
    if event.amount:  # an infusion since ever has none
        fields["cells" if in_cells else "amount"] = event.amount
    fields |= {
        "group": group, "animal": animal, "hours": event.hours, "route": event.route, "rate_per_h": rate,
        "duration_min": 60.0 * lasts, "addl": event.addl, "interval_h": event.interval_h, "ss": event.ss,
        "reset": event.evid in RESETS, "lag_h": settings.lag_h.get(event.route, 0.0),
        "bioavailability": settings.bioavailability.get(event.route, 1.0), "source": _row(event),
    }  # fmt: skip
    try:
        return validated(fields, DoseRow, StudyError)
    except StudyError as problem:
        raise StudyError(f"{event.place}: {problem}") from None


def _row(event: Event) -> str:
    """Where a record stands, without the folder."""
    return f"{FILE}: {event.place.rpartition(': ')[2]}"


def _told(event: Event, told: Mapping[str, float], name: str) -> float:
    if event.route not in told:
        raise StudyError(f"{event.place}: RATE is {event.rate:g}, so [nonmem] must tell `{name}` for `{event.route}`.")
    return told[event.route]


def _values(group: str, animal: str, records: tuple[Record, ...], settings: Nonmem) -> list[MeasurementRow]:
    """Row of measurements of each value that one occasion saw."""
    hours = iter(observation_hours([record.event for record in records]))
    rows: list[MeasurementRow] = []
    for record in records:
        if record.event.evid != OBSERVATION:
            continue
        at = next(hours)
        if record.value is None:
            continue
        seen = settings.observed.get(record.seen)
        if seen is None:
            raise StudyError(f"{record.event.place}: [nonmem.observed] does not say what `{record.seen}` is."
                             + did_you_mean(record.seen, settings.observed))  # fmt: skip
        row = {"group": group, "animal": animal, "hours": at, "source": _row(record.event), **seen.model_dump()}
        if not record.censored:
            row |= {"value": record.value}
        elif record.limit is None or record.limit <= 0.0:
            row |= {"below_lloq": True, "lloq": record.value}
        else:
            row |= {"low": record.limit, "high": record.value}
        try:
            rows.append(validated(row, MeasurementRow, StudyError))
        except StudyError as problem:
            raise StudyError(f"{record.event.place}: {problem}") from None
    return rows
