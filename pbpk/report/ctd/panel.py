"""Tissues that a reader of biodistribution expects, by ICH S12: collected as what, or not collected."""

from typing import TYPE_CHECKING

from pbpk.assay.measurements import DROPPED
from pbpk.report.ctd.analyte import is_cells
from pbpk.report.ctd.sources import in_study, measured
from pbpk.report.document.blocks import Table
from pbpk.report.document.inline import Strong
from pbpk.report.wording import listed, named

if TYPE_CHECKING:
    from pbpk.predict.run import Run

CORE = {  # tissue -> words of which one stands in the name of what was collected
    "injection site": ("injection", "site", "depot"),
    "gonads": ("gonad", "gonads", "testis", "testes", "ovary", "ovaries"),
    "adrenal gland": ("adrenal", "adrenals"),
    "brain": ("brain",),
    "spinal cord (cervical, thoracic, lumbar)": ("spinal",),
    "liver": ("liver",),
    "kidney": ("kidney", "kidneys"),
    "lung": ("lung", "lungs"),
    "heart": ("heart",),
    "spleen": ("spleen",),
    "blood": ("blood", "plasma", "serum"),
}
NOT_COLLECTED = "not collected"


def collected(run: "Run") -> list[str]:
    """Tissues with a value of their own, those of light included."""
    tissues = [row.organ for row in run.study.measurements]
    tissues += [reading.well.organ for reading in run.study.readings if reading.well.role == "sample"]
    return list(dict.fromkeys(tissues))


def missing(run: "Run") -> list[str]:
    """Tissues of the panel of which nothing was collected."""
    return [tissue for tissue, words in CORE.items() if not _as(run, words)]


def panel_table(run: "Run") -> Table | None:
    """The panel, each tissue with what was collected of it; None where no cells were given."""
    if not is_cells(run):
        return None
    rows, sources = [], []
    for tissue, words in CORE.items():
        found = _as(run, words)
        rows.append((tissue, _told(run, found) if found else Strong(NOT_COLLECTED)))
        sources.append(_source(run, found[0]) if found else "")
    caption = "Tissues of the core panel, structured after ICH S12"
    notes = [
        "ICH S12 is written for gene therapy; unmodified cells are outside its scope, and its panel is used here as a "
        "list of what a reader looks for."
    ]
    return Table(caption, ("Tissue", "Collected as"), "ll", rows, sources, notes)


def _as(run: "Run", words: tuple[str, ...]) -> list[str]:
    return [tissue for tissue in collected(run) if set(words) & set(tissue.lower().split("_"))]


def _told(run: "Run", found: list[str]) -> str:
    left = [tissue for tissue in found if run.study.about.tissues.get(tissue) == DROPPED]
    told = listed(named(tissue) for tissue in found)
    return told if not left else f"{told} (not in the model: {listed(named(tissue) for tissue in left)})"


def _source(run: "Run", tissue: str) -> str:
    if any(row.organ == tissue for row in run.study.measurements):
        return measured(run, organ=tissue)
    return in_study(run, "wells.csv", role="sample", organ=tissue)
