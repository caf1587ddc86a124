"""The model analysis report: one document from a dossier, written as HTML, Word or PDF."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from pbpk.errors import ReportError, did_you_mean
from pbpk.report import wording
from pbpk.report.document.as_docx import write_docx
from pbpk.report.document.as_html import document_html
from pbpk.report.document.as_pdf import Paper, write_pdf
from pbpk.report.document.blocks import Block, Document, Figure, Heading, numbered
from pbpk.report.dossier import Dossier
from pbpk.report.ink import bare_svg
from pbpk.report.rendering import write_whole
from pbpk.report.sections import (
    appendices,
    application,
    closing,
    data,
    evaluation,
    front,
    inference,
    judgement,
    parameters,
    structure,
    uncertainty,
    verification,
)
from pbpk.report.sections.outline import APPENDICES, SECTIONS

if TYPE_CHECKING:
    from pbpk.predict.run import Run

FORMATS = ("html", "docx", "pdf")
WRITERS: Mapping[str, Callable[[Dossier], list[Block]]] = {
    "front": front.title,
    "summary": front.summary,
    "assessment": front.assessment,
    "introduction": front.introduction,
    "objectives": front.objectives,
    "data": data.data,
    "model": structure.model,
    "parameters": parameters.parameters,
    "assumptions": parameters.assumptions,
    "inference": inference.inference,
    "verification": verification.verification,
    "evaluation": evaluation.evaluation,
    "uncertainty": uncertainty.uncertainty,
    "criteria": judgement.criteria,
    "application": application.application,
    "deviations": judgement.deviations,
    "discussion": closing.discussion,
    "conclusions": closing.conclusions,
    "ctd": appendices.ctd,
    "listing": appendices.listing,
    "provenance": appendices.provenance,
    "code": appendices.code,
    "plan": appendices.plan,
    "checklists": appendices.checklists,
    "references": appendices.references_list,
}


def write_report(run: "Run | Dossier", path: str | Path, paper: Paper = "letter") -> Path:
    """Write the report of a run; an interrupted write leaves no half of it, the same run gives the same bytes.

    Parameters
    ----------
    run : a run, or a dossier with the author's words and the plan as well
    path : the file to write; its suffix, .html, .docx or .pdf, is the format
    paper : "letter" or "a4", of a PDF

    Raises
    ------
    ReportError
        if the suffix is none of these, or what the format needs is not installed
    """
    dossier = run if isinstance(run, Dossier) else Dossier(run)
    return write_document(report_document(dossier), Path(path), paper)


def write_document(document: Document, path: Path, paper: Paper = "letter") -> Path:
    """Write a document in the format of the file's suffix.

    Raises
    ------
    ReportError
    """
    form = path.suffix.removeprefix(".")
    if form == "html":
        return write_whole(document_html(document), path)
    if form == "docx":
        return write_docx(document, path)
    if form == "pdf":
        return write_pdf(document, path, paper)
    raise ReportError(
        f"{path}: `{form}` is no format of a report.{did_you_mean(form, FORMATS)} Take html, docx or pdf."
    )


def write_documents(document: Document, paths: Sequence[Path], paper: Paper = "letter") -> list[Path]:
    """Write a document in several formats, side by side: they wait for pandoc and Typst more than for each other.

    Raises
    ------
    ReportError
    """
    for block in document.blocks:  # drawn here, since matplotlib is of one thread
        if isinstance(block, Figure):
            bare_svg(block.drawing)
    with ThreadPoolExecutor(len(FORMATS)) as pool:
        return list(pool.map(lambda path: write_document(document, path, paper), paths))


def report_document(dossier: Dossier) -> Document:
    """The whole report as a document."""
    run = dossier.run
    blocks: list[Block] = []
    for section in (*SECTIONS, *APPENDICES):
        blocks += [Heading(section.title, 1, section.anchor), *WRITERS[section.anchor](dossier)]
    state = "final" if dossier.final else "DRAFT"
    return Document(
        title=run.study.about.title,
        subject="Model analysis report: pharmacokinetics of infused cells",
        head=f"{run.name} · {run.joint.model.name} · {state}",
        fingerprint=str(run.manifest["fingerprint"]),
        footnote=wording.FOOTNOTE if dossier.of_cells else "",
        blocks=numbered(blocks, [section.anchor for section in APPENDICES]),
    )
