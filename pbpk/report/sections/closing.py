"""Sections 16 and 17: discussion with the limitations that follow from the numbers, and conclusions."""

from collections.abc import Iterator

from pbpk.predict.lineage.source import source
from pbpk.report import lessons, wording
from pbpk.report.author import said
from pbpk.report.document.blocks import Block, Bullets, Heading
from pbpk.report.document.inline import Inline, with_code
from pbpk.report.dossier import Dossier


def discussion(dossier: Dossier) -> list[Block]:
    """The author's words, and limitations that the run itself shows."""
    found = list(_limitations(dossier))
    own: list[Block] = [Heading("Limitations that the run shows", 2, "limitations"),
                        Bullets(found, source("parameters.csv"))] if found else []  # fmt: skip
    return [*said(dossier, "discussion"), *own]


def _limitations(dossier: Dossier) -> Iterator[Inline]:
    run = dossier.run
    if dossier.of_cells:
        yield wording.FOOTNOTE
    unlearned = len(lessons.unlearned(run))
    if unlearned:
        yield f"{wording.counted(unlearned, 'parameter')} stayed where the prior had put them."
    if run.study.about.denominator == "unknown":
        yield "What percentages of the source are of is not known."
    for title in dict.fromkeys(run.forecast.loc[run.forecast["evidence"] == "hypothesis", "title"]):
        yield f"The scenario {title} rests on a hypothesis, not on data."
    for sentence in lessons.tensions(run):
        yield with_code(sentence)


def conclusions(dossier: Dossier) -> list[Block]:
    """What follows."""
    return said(dossier, "conclusions")
