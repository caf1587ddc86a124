"""Tables with NONMEM's columns: dosing records, and what was seen, of each subject.

What the columns mean for doses stands in `dosing`. Of what was seen, CENS and LIMIT are Monolix's: CENS 1 says that the
value lies below DV, and above LIMIT where it is given; DVID, or else CMT, tells what DV is of.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pydantic

from pbpk.dosing import DOSE, DOSES, OBSERVATION, OTHER, Event, occasions
from pbpk.errors import InputError, did_you_mean
from pbpk.reading import Schema, read_cells, validated

NOT_READ = {"L2", "PCMT", "CALL"}  # known, and without influence on what is given or seen


@dataclass(frozen=True)
class Record:
    """One row of a subject: the event, and for an observation its value.

    arm : what the column of the group says; seen : DVID or CMT; value : DV, None where it is missing
    censored : 1 where the value is only known to lie below DV; limit : and above this, None where nothing is said
    """

    event: Event
    arm: str = ""
    seen: str = "0"
    value: float | None = None
    censored: int = 0
    limit: float | None = None


class EventRow(Schema):
    """One row of an event table, by NONMEM's names."""

    ID: str
    TIME: float
    AMT: float = 0.0
    RATE: float = 0.0
    DUR: float = 0.0
    EVID: int | None = None
    MDV: int | None = None
    CMT: str = "0"
    ADDL: int = 0
    II: float = 0.0
    SS: int = 0
    DV: float | None = None
    DVID: str = ""
    CENS: int = 0
    LIMIT: float | None = None

    @pydantic.field_validator("TIME", "II", mode="before")
    @classmethod
    def _is_no_clock(cls, value: str) -> str:
        if ":" in value:
            raise ValueError(f"`{value}` is a time of the clock; write hours as a number")
        return value

    @pydantic.model_validator(mode="after")
    def _fits_itself(self) -> "EventRow":
        if self.MDV not in (None, 0, 1, 100, 101):
            raise ValueError(f"MDV is {self.MDV}; it must be 0, 1, 100 or 101")
        if self.MDV in (0, 100) and self.kind != OBSERVATION:
            raise ValueError(f"MDV is {self.MDV}, but EVID {self.kind} is no observation; set MDV to 1")
        if self.CENS not in (0, 1):
            right = "; a value that is only known to lie above DV is not read" if self.CENS == -1 else ""
            raise ValueError(f"CENS is {self.CENS}; it must be 0 or 1 (below DV){right}")
        if self.CENS == 1 and self.kind == OBSERVATION and self.DV is None:
            raise ValueError("CENS is 1, so DV must say below what")
        if self.LIMIT is not None and self.DV is not None and not self.LIMIT < self.DV:
            raise ValueError(f"LIMIT is {self.LIMIT:g}; it must lie below DV, which is {self.DV:g}")
        return self

    @property
    def kind(self) -> int:
        """EVID, or what NM-TRAN takes for it where it is missing (guide IV V.B, help on EVID)."""
        if self.EVID is not None:
            return self.EVID
        if self.AMT or self.RATE or self.SS:
            return DOSE
        return OTHER if self.MDV in (1, 101) else OBSERVATION


def read_events(
    path: str | Path, routes: Mapping[str, str] | None = None, covariates: Iterable[str] = ()
) -> dict[str, tuple[Event, ...]]:
    """Read a CSV with NONMEM's columns into the events of each subject: `read_records` without what was seen."""
    found = read_records(path, routes, covariates)
    return {subject: tuple(record.event for record in records) for subject, records in found.items()}


def read_records(
    path: str | Path, routes: Mapping[str, str] | None = None, covariates: Iterable[str] = (), arm: str = ""
) -> dict[str, tuple[Record, ...]]:
    """Read a CSV with NONMEM's columns, in any case and order, into the records of each subject.

    An empty cell or `.` is a missing value.

    Parameters
    ----------
    routes : number in CMT -> route, with "0" for the compartment that takes a dose without CMT; a CMT that is no
        number is a route itself
    covariates : columns to leave alone
    arm : column that names the group of a subject

    Raises
    ------
    InputError
        one sentence: file, row, column, what to do
    """
    path = Path(path)
    columns, table = _read_table(path)
    _check_columns(path, columns, [name.upper() for name in (*covariates, *([arm] if arm else []))])
    subjects: dict[str, list[Record]] = {}
    subject = ""
    for line, cells in table:
        place = f"{path}: row {line}"
        told = {name: cell for name, cell in zip(columns, cells, strict=True) if cell not in ("", ".")}
        fields = {name: cell for name, cell in told.items() if name in EventRow.model_fields}
        try:
            row = validated(fields, EventRow, InputError)
        except InputError as problem:
            raise InputError(f"{place}: {problem}") from None
        event = _event(row, routes or {}, place)
        if _plain(row.ID) != subject and _plain(row.ID) in subjects:
            raise InputError(f"{place}: the rows of subject `{_plain(row.ID)}` are apart; put them together.")
        subject = _plain(row.ID)
        seen = event.evid == OBSERVATION and row.MDV not in (1, 101)
        record = Record(event, told.get(arm.upper(), ""), _plain(row.DVID or row.CMT), row.DV if seen else None,
                        row.CENS, row.LIMIT)  # fmt: skip
        subjects.setdefault(subject, []).append(record)
    for records in subjects.values():
        occasions([record.event for record in records])  # refuses time that goes backwards
    return {subject: tuple(records) for subject, records in subjects.items()}


def _event(row: EventRow, routes: Mapping[str, str], place: str) -> Event:
    kind, compartment, route = row.kind, _plain(row.CMT), ""
    if compartment.startswith("-"):
        raise InputError(f"{place}: CMT is {compartment}, but no compartment can be turned off; remove the sign.")
    if kind in DOSES:
        if compartment == "0" and "0" not in routes:
            raise InputError(f"{place}: the dose has no CMT; give it, or name the default route as `0` in `routes`.")
        if compartment.isdecimal() and compartment not in routes:
            raise InputError(f"{place}: `routes` has no CMT {compartment}.{did_you_mean(compartment, routes)}")
        route = routes.get(compartment, compartment)
    return Event(row.TIME, kind, row.AMT, row.RATE, row.DUR, route, row.ADDL, row.II, row.SS, place)


def _plain(text: str) -> str:
    """Whole numbers without their decimals: spreadsheets write 1 as 1.0."""
    whole, _, decimals = text.partition(".")
    return whole if whole.lstrip("-").isdecimal() and not decimals.strip("0") else text


def _check_columns(path: Path, columns: list[str], covariates: Iterable[str]) -> None:
    """Refuse columns that are unknown, missing or there twice."""
    known = {*EventRow.model_fields, *NOT_READ, *covariates}
    for column in columns:
        if columns.count(column) > 1:
            raise InputError(f"{path}: the column `{column}` stands twice; remove one.")
        if column in {"DATE", "DAT1", "DAT2", "DAT3"} - known:
            raise InputError(f"{path}: the column `{column}` is not read; give TIME in hours and remove it.")
        if column not in known:
            hint = did_you_mean(column, known) or " Remove it, or name it as a covariate."
            raise InputError(f"{path}: unknown column `{column}`.{hint}")
    missing = next((name for name in ("ID", "TIME", *covariates) if name not in columns), None)
    if missing:
        raise InputError(f"{path}: the column `{missing}` is missing; add it to the first line.")


def _read_table(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Read names of columns in capitals, and each row with its number."""
    names, rows = read_cells(path, InputError)
    columns, *table = [[cell.strip() for cell in row] for row in (names, *rows)]
    if len(columns) == 1:
        raise InputError(f"{path}: there is one column; save the table with commas between its columns.")
    if not table:
        raise InputError(f"{path}: the table has no rows under its header.")
    for line, row in enumerate(table, start=2):
        if len(row) != len(columns):
            raise InputError(f"{path}: row {line} has {len(row)} cells, the header {len(columns)}; make them agree.")
    return [name.upper() for name in columns], list(enumerate(table, start=2))
