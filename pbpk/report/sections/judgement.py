"""Sections 13 and 15: the run against the criteria that were set before it, and what was not done as planned."""

from pbpk.predict.filing.frozen import SHORT, seal_of
from pbpk.predict.filing.judging import Judged
from pbpk.predict.lineage.source import source
from pbpk.report import wording
from pbpk.report.author import said
from pbpk.report.document.blocks import TO_BE_COMPLETED, Block, Bullets, Paragraph, Table
from pbpk.report.document.inline import Code, Inline, Line, Mark, Strong, with_code
from pbpk.report.dossier import Dossier

NO_PLAN = "No plan was frozen before the fit, so nothing tells what was planned."


def criteria(dossier: Dossier) -> list[Block]:
    """Each criterion, what was found, and whether it is met."""
    if not dossier.judged:
        return said(dossier, "criteria")
    met = sum(each.passed for each in dossier.judged)
    rows = [_row(dossier, each) for each in dossier.judged]
    head = ("Id", "Criterion", "Quantity", "Demanded", "Found", "", "Where it is not met")
    places = [source("criteria.csv", id=each.criterion.id) for each in dossier.judged]
    return [
        Paragraph(f"{met} of {wording.counted(len(rows), 'criterion', 'criteria')} are met.", source="criteria.csv"),
        *([Paragraph(_frozen(dossier), source=source("manifest.json", key="plan"))]),
        Table("Results against technical criteria", head, "llllrll", rows, places),
    ]


def _row(dossier: Dossier, each: Judged) -> tuple[Inline, ...]:
    told = dossier.authored.discussion.unmet.get(each.criterion.id, "").strip()
    why: Inline = "" if each.passed else told or Strong(TO_BE_COMPLETED)
    found = wording.number(each.value) + (f" {each.unit}" if each.unit else "")
    mark = Mark("met", "good") if each.passed else Mark("not met", "bad")
    return (
        Code(each.criterion.id),
        each.criterion.about,
        each.criterion.subject,
        each.criterion.demand,
        found,
        mark,
        why,
    )


def _frozen(dossier: Dossier) -> Inline:
    if dossier.plan is None:
        return "They were not frozen before the fit: no plan was."
    seal = seal_of(dossier.plan)[:SHORT]
    return Line((f"They were frozen before the fit, on {dossier.plan['frozen']}, in the plan ", Code(seal), "."))


def deviations(dossier: Dossier) -> list[Block]:
    """The plan against what was done, by diff."""
    if dossier.plan is None:
        return [Paragraph(NO_PLAN)]
    place = source("manifest.json", key="plan")
    remarks = [with_code(each) for each in dossier.docket.remarks]
    blocks: list[Block] = [Bullets(remarks, place)] if remarks else []
    if not dossier.deviated:
        return [*blocks, Paragraph("Everything was done as planned.")]
    rows = [
        (Code(each.what), each.planned or "–", each.done or "–", each.reason.strip() or Strong(TO_BE_COMPLETED))
        for each in dossier.deviated
    ]
    head = ("What", "Planned", "Done", "Reason")
    return [*blocks, Table("Deviations from the plan", head, "llll", rows, (place,))]
