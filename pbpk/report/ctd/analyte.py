"""What is counted: the label of cells that were given, or a substance; and what a reader must not take it for."""

from typing import TYPE_CHECKING

from pbpk.assay.study import Study
from pbpk.quantity import inside
from pbpk.report.wording import READINGS, listed

if TYPE_CHECKING:
    from pbpk.predict.run import Run

UNLABELLED = ("", "none")
LABEL_ONLY = ": label is not viability"
NO_CELLS = ", no cells"
COUNTED = {"label": "cell equivalents", "dna": "donor-DNA cell equivalents", "live": "living cells"}
AMOUNTS = {"cell": "cells"}
NOT_STATED = "not stated"


def is_cells(run: "Run") -> bool:
    """Whether what was given is cells, not a substance or free particles."""
    return inside(run.joint.model.amount)[0] == "cell"


def product(study: Study) -> str:
    """What was given, in the study's words; that something holds no cells goes without saying.

    >>> "theophylline, no cells".removesuffix(NO_CELLS)
    'theophylline'
    """
    return study.about.product.cell_type.removesuffix(NO_CELLS)


def analyte(run: "Run", readout: str = "label") -> str:
    """Name of what a readout counts."""
    label = run.study.about.label
    if is_cells(run):
        told = COUNTED.get(readout, f"cell equivalents by {readout}")
        return f"{label}-labelled {told}" if readout == "label" and label not in UNLABELLED else told
    return label if label not in UNLABELLED else product(run.study).partition(",")[0]


def analytes(run: "Run") -> list[str]:
    """Names of all that was counted."""
    readouts = dict.fromkeys(str(readout) for readout in run.joint.counts.table["readout"])
    return list(dict.fromkeys(analyte(run, readout) for readout in readouts))


def caveat(run: "Run") -> str:
    """What the analyte is, and what it does not say, in full."""
    short = footnote(run)
    if LABEL_ONLY not in short:
        return short
    return f"{short} {run.study.about.label} in dead cells, and in phagocytes that have taken it up, counts as well."


def footnote(run: "Run", *readouts: str) -> str:
    """The same below each table, as short as it can be; of some readouts, or of all."""
    seen = set(run.joint.counts.table["readout"])
    names = list(dict.fromkeys(analyte(run, readout) for readout in readouts)) or analytes(run)
    labelled = is_cells(run) and run.study.about.label not in UNLABELLED and "label" in (readouts or seen)
    return f"The analyte is {listed(names)}{LABEL_ONLY if labelled else ''}."


def share_unit(run: "Run", per: str = "") -> str:
    """Unit of the percentages of the study."""
    denominator = run.joint.counts.denominator
    told = READINGS.get(denominator, "% (of what is not stated)")
    return f"{told}/{per}" if per else told


def amount_unit(unit: str) -> str:
    """Unit of what was given, as a reader writes it."""
    return AMOUNTS.get(unit, unit)
