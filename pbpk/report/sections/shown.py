"""Diagnostic figures with what to look for and what was found, as blocks."""

from pbpk.report.document.blocks import Block, Figure, Paragraph
from pbpk.report.dossier import Dossier


def drawn(dossier: Dossier, question: str, place: str) -> list[Block]:
    """What to look for, the figure, the verdict below it; nothing where the run has no such figure."""
    blocks: list[Block] = []
    for each in dossier.shown.get(question, ()):
        caption = f"{each.about} {each.verdict.sentence}" + (f" {each.short}" if each.short else "")
        blocks += [Paragraph(each.look), Figure(each.figure, f"{each.about} {each.look}", caption, place)]
    return blocks
