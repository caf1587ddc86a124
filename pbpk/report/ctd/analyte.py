"""What is counted: the label of cells that were given, or a substance; and what a reader must not take it for."""

from typing import TYPE_CHECKING

from pbpk.assay.study import Study
from pbpk.quantity import inside
from pbpk.report.wording import READINGS

if TYPE_CHECKING:
    from pbpk.predict.run import Run

UNLABELLED = ("", "none")
COUNTED = {"label": "cell equivalents", "dna": "donor-DNA cell equivalents", "live": "living cells"}
AMOUNTS = {"cell": "cells"}
BLANK = "TO BE COMPLETED"
NOT_STATED = "not stated"


def is_cells(run: "Run") -> bool:
    """Whether what was given is cells, not a substance or free particles."""
    return inside(run.joint.model.amount)[0] == "cell"


def product(study: Study) -> str:
    """What was given, in the study's words."""
    return study.about.product.cell_type


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
    """The footnote of every table: what the analyte is, and what it does not say."""
    label = run.study.about.label
    if not is_cells(run):
        what = "free particles, no cells were given" if label not in UNLABELLED else "no cells were given"
        return f"The analyte is {analyte(run)}: {what}."
    if label in UNLABELLED:
        return f"The analyte is {' and '.join(analytes(run))}."
    return (
        f"The analyte is {analyte(run)}: {label} is a label, and label is not viability. Label in dead cells, and in "
        "phagocytes that have taken it up, counts as well."
    )


def share_unit(run: "Run", per: str = "") -> str:
    """Unit of the percentages of the study."""
    denominator = run.joint.counts.denominator
    told = READINGS.get(denominator, "%, of what is not stated")
    return f"{told}/{per}" if per else told


def amount_unit(unit: str) -> str:
    """Unit of what was given, as a reader writes it."""
    return AMOUNTS.get(unit, unit)
