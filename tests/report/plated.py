"""A small virtual study of plates with known faults: a well without light, a wrong standard, a wrong spike."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np

from pbpk.assay.counts import count_cells
from pbpk.assay.light.amplitude import Reading, demodulate
from pbpk.assay.study import Plates
from pbpk.predict.virtual import as_study, imagine, read_virtual

MISSING, STANDARD, SPIKE = "D1", "A10", "C9"  # on the plate `lung`


def make_plated(faults=True, preset="lba", plates=("lung", "liver"), rename=lambda well: well):
    """Study, counts and traces."""
    asked = read_virtual("fnd_mouse")
    asked = asked.model_copy(update={
        "organs": {name: asked.organs[name] for name in plates}, "hours": [24.0], "animals": 2,
    })  # fmt: skip
    made = imagine(asked, 5)
    study = as_study(made)
    traces = [trace for pairs in made.plates.values() for trace, _ in pairs]
    readings = list(study.readings)
    for i, trace in enumerate(traces):
        well = trace.well
        if faults and well.plate == "lung" and well.well == MISSING:
            trace = replace(trace, light=np.where(np.arange(trace.light.size) % 5 < 2, np.nan, trace.light))
            readings[i] = Reading(well, demodulate(trace))
        if faults and well.plate == "lung" and well.well == STANDARD:
            well = replace(well, nominal=0.17)
        if faults and well.plate == "lung" and well.well == SPIKE:
            well = replace(well, nominal=2 * well.nominal)
        well = replace(well, well=rename(well.well))
        traces[i], readings[i] = replace(trace, well=well), Reading(well, readings[i].amplitude)
    about = study.about.model_copy(update={"plates": Plates(preset=preset)})
    study = replace(study, about=about, readings=tuple(readings))
    return SimpleNamespace(study=study, counts=count_cells(study), traces=traces)
