"""Positive events of a cytometer as readings of live cells in organs.

    positives = NegBin(cells * yield * fraction + false positives per event * acquired, cv)

A naive animal's positives are false, so the share of all events that it shows is expected in every sample.
"""

import math
from collections.abc import Sequence

from pbpk.assay.readouts.affine import Count, Unknown, Written, affine_signals, log_normal, of_organ
from pbpk.assay.readouts.settings import Flow
from pbpk.assay.signals import Signals
from pbpk.errors import StudyError

YIELD, CV = "flow: log dissociation yield", "flow: log cv"


def flow_signals(rows: Sequence[Written], settings: Flow) -> Signals:
    """Events as readings of organs; animals that were given nothing tell the false positives of each organ.

    Raises
    ------
    StudyError
        if a row does not say how many events were acquired, or its organ has no naive animal
    """
    unknowns = {YIELD: log_normal(settings.dissociation_yield), CV: log_normal(settings.cv)}
    counts, controls = [], {}
    for each in rows:
        acquired_here = each.row.acquired
        if acquired_here is None:
            raise StudyError(f"{each.place}: `acquired` is missing; false positives are a part of all events.")
        if each.value > acquired_here:
            raise StudyError(f"{each.place}: {each.value:g} positives are more than the {acquired_here} events that "
                             "were acquired; correct one of the two.")  # fmt: skip
        where, naive = of_organ(settings.naive, each, "no naive animal tells the false positives",
                                "`naive` under [readouts.flow]")  # fmt: skip
        name = f"flow: false positives per event {where}"
        positives, acquired = sum(n.positives for n in naive), sum(n.acquired for n in naive)
        unknowns[name] = Unknown(positives / acquired, math.inf)
        controls[name] = Count(positives, 0.0, {}, {name: acquired})
        counts.append(Count(each.value, each.log_cells, {YIELD: 1.0}, {name: acquired_here}, CV))
    return affine_signals(rows, counts, unknowns, list(controls.values()))
