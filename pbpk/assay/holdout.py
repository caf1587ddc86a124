"""Values taken out of a study, all of an animal at once, so that what is left can be asked to predict them."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pbpk.assay.animals import of_subject
from pbpk.assay.counts import OrganCounts
from pbpk.errors import StudyError, did_you_mean


def units_of(counts: OrganCounts) -> NDArray[np.str_]:
    """What each row belongs to, (row,): its animal, or its group and hour where it is no animal's own.

    An animal is one on all its occasions.
    """
    return np.array([_unit(row.group, row.animal, row.hours) for row in counts.table.itertuples()], dtype=np.str_)


def _unit(group: object, animal: object, hours: object) -> str:
    return f"{group}: {of_subject(str(animal))}" if animal else f"{group} at {hours:g} h"


def without(counts: OrganCounts, units: Iterable[str]) -> OrganCounts:
    """Return the counts less all rows, and all readings, of some units.

    Raises
    ------
    StudyError
        if a unit is none, or nothing would be left
    """
    own = units_of(counts)
    left_out = set(units)
    for unit in sorted(left_out - set(own.tolist())):
        raise StudyError(f"{counts.study.folder}: nothing was measured of `{unit}`."
                         + did_you_mean(unit, dict.fromkeys(own.tolist())))  # fmt: skip
    kept = np.flatnonzero(~np.isin(own, sorted(left_out)))
    if not kept.size:
        raise StudyError(f"{counts.study.folder}: no value would be left; leave fewer animals out.")
    table = counts.table.iloc[kept].reset_index(drop=True)
    signals, quantified = counts.signals, counts.quantified
    if signals is not None:
        left = np.flatnonzero(np.isin(signals.rows, kept))
        rows = kept.searchsorted(signals.rows[left])
        if quantified is not None:  # its organs are the first readings, in their order
            quantified = quantified.part(left[left < len(quantified.organs)])
        signals = replace(signals, response=signals.response.part(left), rows=rows) if left.size else None
    return replace(counts, table=table, signals=signals, quantified=quantified)
