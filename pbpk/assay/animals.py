"""The animals of a study as `animals.csv` has them: weight, sex, last hour; and doses that are per body weight."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

import pydantic

from pbpk.errors import StudyError, did_you_mean
from pbpk.reading import Schema

if TYPE_CHECKING:
    from pbpk.assay.doses import DoseRow
    from pbpk.assay.study import Study

OCCASION = ", occasion "  # between a subject and the number of its clock, where a reset started that again
PER_WEIGHT = {"kg": 1e-3, "g": 1.0}  # how many of it one gram of body is


class AnimalRow(Schema):
    """One row of `animals.csv`; without a name it holds for every animal of its group that has no row."""

    animal: str = ""
    group: str
    body_weight_g: float | None = pydantic.Field(default=None, gt=0)
    sex: Literal["female", "male"] | None = None
    sacrificed_hours: float | None = pydantic.Field(default=None, ge=0)
    source: str = ""


def of_subject(animal: str) -> str:
    """Subject that an animal is, whatever the occasion.

    >>> of_subject("7, occasion 2"), of_subject("7")
    ('7', '7')
    """
    return animal.partition(OCCASION)[0]


def split_unit(unit: str) -> tuple[str, str]:
    """Unit of an amount, and what of the body it is per: "kg", "g" or "".

    >>> split_unit("mg/kg"), split_unit("mg")
    (('mg', 'kg'), ('mg', ''))
    """
    amount, _, per = unit.rpartition("/")
    return (amount.strip(), per.strip()) if amount and per.strip() in PER_WEIGHT else (unit, "")


def check_animals(study: "Study", seen: Sequence[tuple[str, str, str, float | None]]) -> None:
    """Refuse an animal of no group, one nobody dosed or measured, one that stands twice, one measured once it was dead.

    seen : place, group, animal and hour of everything that was measured

    Raises
    ------
    StudyError
    """
    place, groups = study.folder / "animals.csv", [group.name for group in study.about.groups]
    known = {(group, of_subject(animal)) for _, group, animal, _ in seen}
    known |= {(dose.group, of_subject(dose.animal)) for dose in study.doses}
    first: dict[tuple[str, str], int] = {}
    for line, row in enumerate(study.animals, start=2):
        if row.group not in groups:
            raise StudyError(f"{place}: row {line}: the group `{row.group}` is not in study.toml."
                             + did_you_mean(row.group, groups))  # fmt: skip
        key = (row.group, row.animal)
        who = f"the animal `{row.animal}` of `{row.group}`" if row.animal else f"the group `{row.group}`"
        if key in first:
            raise StudyError(f"{place}: row {line}: {who} stands there already, in row {first[key]}; remove one.")
        first[key] = line
        if row.animal and key not in known:
            others = sorted(animal for group, animal in known if group == row.group and animal)
            raise StudyError(f"{place}: row {line}: {who} was neither dosed nor measured; correct its name or remove "
                             f"it.{did_you_mean(row.animal, others)}")  # fmt: skip
    ends = {(row.group, row.animal): row.sacrificed_hours for row in study.animals}
    for where, group, animal, hours in seen:
        end = ends.get((group, of_subject(animal)), ends.get((group, "")))
        if end is not None and hours is not None and hours > end:
            who = f"the animal `{animal}` of `{group}`" if animal else f"the group `{group}`"
            raise StudyError(f"{where}: {who} was measured at {hours:g} h but sacrificed at "
                             f"{end:g} h, as animals.csv says; make them agree.")  # fmt: skip


def weighed_doses(study: "Study", measured: Sequence[tuple[str, str]]) -> "tuple[DoseRow, ...]":
    """Doses with those per body weight as what each animal got; such a dose of a group becomes one of each animal.

    measured : group and animal of all that was measured

    Raises
    ------
    StudyError
        if the weight of an animal that got such a dose is not known
    """
    doses, animals = study.doses, study.animals
    weights = {(row.group, row.animal): row.body_weight_g for row in animals if row.body_weight_g is not None}
    own = {(dose.group, dose.animal) for dose in doses if dose.animal}
    parted = {dose.group for dose in doses if not dose.animal and split_unit(dose.unit)[1]}
    given: list[DoseRow] = []
    for line, dose in enumerate(doses, start=2):
        place, who = study.place_of(dose, line), [dose.animal]
        if not dose.animal and dose.group in parted:
            everybody = dict.fromkeys((*measured, *weights))
            who = [animal for group, animal in everybody if group == dose.group and (group, animal) not in own]
        given += [_weighed(place, dose.model_copy(update={"animal": animal}), weights) for animal in who]
    return tuple(given)


def _weighed(place: str, dose: "DoseRow", weights: Mapping[tuple[str, str], float]) -> "DoseRow":
    unit, per = split_unit(dose.unit)
    if not per:
        return dose
    weight = weights.get((dose.group, of_subject(dose.animal)), weights.get((dose.group, "")))
    if weight is None:
        who = f"the animal `{dose.animal}`" if dose.animal else "the group"
        raise StudyError(f"{place}: the dose is in `{dose.unit}` and nobody says what {who} of `{dose.group}` weighed; "
                         "add body_weight_g in animals.csv.")  # fmt: skip
    body = weight * PER_WEIGHT[per]
    amount = None if dose.amount is None else dose.amount * body
    return dose.model_copy(update={"amount": amount, "rate_per_h": dose.rate_per_h * body, "unit": unit})
