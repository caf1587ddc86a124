"""Values taken out of a study, all of an animal at once, so that what is left can be asked to predict them."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pbpk.assay.animals import of_subject
from pbpk.assay.counts import OrganCounts
from pbpk.errors import StudyError, did_you_mean

By = Literal["animal", "hour"]
UNITS: tuple[By, ...] = ("animal", "hour")
CELL = ["group", "organ", "readout", "hours"]  # whose rows share what the model misses


def units_of(counts: OrganCounts, by: By = "animal") -> NDArray[np.str_]:
    """What each row belongs to, (row,): its animal, or its group and hour where it is no animal's own.

    An animal is one on all its occasions.

    by : "hour" takes a group's rows of one hour as one, whichever animals they are of
    """
    named = [row.animal if by == "animal" else "" for row in counts.table.itertuples()]
    rows = zip(counts.table.itertuples(), named, strict=True)
    return np.array([_unit(row.group, animal, row.hours) for row, animal in rows], dtype=np.str_)


def apart(counts: OrganCounts) -> By:
    """Units that tell nothing of each other but through the model, as near as may be.

    Animals seen in one organ at one hour share what the model misses there, so that each is foretold by the others
    whatever the model says: where most rows have such company, a whole hour is the unit, if there are two or more.
    Blocks of what is dependent are left out together: Roberts 2017, Ecography 40:913, doi 10.1111/ecog.02881.
    """
    animals = counts.table.assign(unit=units_of(counts))
    accompanied = animals.groupby(CELL)["unit"].transform("nunique") > 1
    several = len(set(units_of(counts, "hour").tolist())) > 1
    return "hour" if several and accompanied.mean() > 0.5 else "animal"


def _unit(group: object, animal: object, hours: object) -> str:
    return f"{group}: {of_subject(str(animal))}" if animal else f"{group} at {hours:g} h"


def without(counts: OrganCounts, units: Iterable[str], by: By = "animal") -> OrganCounts:
    """Return the counts less all rows, and all readings, of some units.

    Raises
    ------
    StudyError
        if a unit is none, or nothing would be left
    """
    own = units_of(counts, by)
    left_out = set(units)
    for unit in sorted(left_out - set(own.tolist())):
        raise StudyError(f"{counts.study.folder}: nothing was measured of `{unit}`."
                         + did_you_mean(unit, dict.fromkeys(own.tolist())))  # fmt: skip
    kept = np.flatnonzero(~np.isin(own, sorted(left_out)))
    if not kept.size:
        raise StudyError(f"{counts.study.folder}: no value would be left; leave fewer {by}s out.")
    table = counts.table.iloc[kept].reset_index(drop=True)
    signals, quantified = counts.signals, counts.quantified
    if signals is not None:
        left = np.flatnonzero(np.isin(signals.rows, kept))
        rows = kept.searchsorted(signals.rows[left])
        if quantified is not None:  # its organs are the first readings, in their order
            quantified = quantified.part(left[left < len(quantified.organs)])
        signals = replace(signals, response=signals.response.part(left), rows=rows) if left.size else None
    return replace(counts, table=table, signals=signals, quantified=quantified)
