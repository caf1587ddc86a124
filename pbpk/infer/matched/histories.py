"""What each animal was given, as the model follows it: doses in its amounts, cut where a reset empties the animal."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pbpk.assay.doses import DoseRow
from pbpk.assay.doses import doses_of as rows_given
from pbpk.assay.study import Study
from pbpk.body.model import Model
from pbpk.dosing import Dose, doses_of
from pbpk.errors import InputError, StudyError
from pbpk.infer.matched.switches import switches_of
from pbpk.quantity import convert


@dataclass(frozen=True)
class History:
    """Doses of a group, or of an animal with rows of its own, in the amount of the model.

    total : what was given in all, of which values are a percentage; 1 where the source does not say
    """

    doses: tuple[Dose, ...]
    total: float


@dataclass(frozen=True)
class Occasion:
    """What one reset leaves to see: doses that act together from `begin` to before `until` [h]."""

    begin: float
    until: float
    doses: tuple[Dose, ...]


def histories(model: Model, study: Study) -> dict[tuple[str, str], History]:
    """History of each group and animal that has rows in the table of doses.

    Raises
    ------
    StudyError
        if a dose is not known where it must be, is of another kind, or contradicts itself
    """
    rows: dict[tuple[str, str], list[DoseRow]] = {}
    for row in study.doses:
        rows.setdefault((row.group, row.animal), []).append(row)
    return {
        key: _history(model.switched(switches_of(model, study, key[0])), study, key[0], given)
        for key, given in rows.items()
    }


def _history(model: Model, study: Study, group: str, rows: Sequence[DoseRow]) -> History:
    place = study.doses_file
    doses = [row for row in rows if row.is_dose]
    unknown = [row for row in doses if row.in_all is None]
    if not doses:
        raise StudyError(f"{place}: `{group}` has a reset but no dose; add one, or remove it.")
    if unknown and (len(doses) > 1 or doses[0].addl or not model.is_linear):
        why = (
            f"`{group}` has {sum(row.addl + 1 for row in doses)} doses"
            if model.is_linear
            else f"the rates of {model.name} depend on it"
        )
        raise StudyError(f"{place}: {why}; fill `cells` for each of them.")
    about = study.about.product
    alive = 1.0 if about.viability is None else about.viability
    alive *= 1.0 - about.clotting / study.group(group).anticoagulant
    events = []
    for row in sorted(rows, key=lambda row: row.hours):
        one = _one(model, study, row)
        events += [replace(event, amount=event.amount * one, rate=event.rate * one) for event in row.events]
    try:
        given = doses_of(events)
    except InputError as problem:
        raise StudyError(f"{place}: the doses of `{group}`: {problem}") from None
    total = sum(row.in_all[0] * _one(model, study, row) for row in doses if row.in_all is not None) or 1.0
    return History(tuple(replace(dose, viability=alive) for dose in given), total)


def _one(model: Model, study: Study, row: DoseRow) -> float:
    """What one unit of a row's amount is in the amount of the model."""
    if row.in_all is None:
        return 1.0
    try:
        return convert(1.0, row.in_all[1], model.amount)
    except InputError as problem:
        raise StudyError(f"{study.doses_file}: {model.name} moves {model.amount}: {problem}") from None


def occasions_of(history: History) -> list[Occasion]:
    """Stretches between resets, in order: what a reset ends does not act on what comes after it."""
    ends = sorted({dose.until for dose in history.doses} | {math.inf})
    begins = [-math.inf, *ends[:-1]]
    return [
        Occasion(begin, until, tuple(dose for dose in history.doses if dose.until == until))
        for begin, until in zip(begins, ends, strict=True)
    ]


def known_amount(study: Study, model: Model) -> float | None:
    """What the first group was given in all, in the amount of the model; None where the source does not say.

    Raises
    ------
    StudyError
        if it was given in a unit of another kind
    """
    return _in_all(study, model, study.about.groups[0].name, "")


def amounts_given(study: Study, model: Model) -> list[float] | None:
    """What each group or animal was given in all, in the amount of the model; None where a source does not say.

    Raises
    ------
    StudyError
        if it was given in a unit of another kind
    """
    who = dict.fromkeys((row.group, row.animal) for row in study.doses if row.is_dose)
    found = [_in_all(study, model, group, animal) for group, animal in who]
    known = [amount for amount in found if amount is not None]
    return known if known and len(known) == len(found) else None


def _in_all(study: Study, model: Model, group: str, animal: str) -> float | None:
    rows = rows_given(study, group, animal)
    given = [row.in_all[0] * _one(model, study, row) for row in rows if row.in_all is not None]
    return sum(given) if given and len(given) == len(rows) else None
