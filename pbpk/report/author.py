"""What only the author can say, as blocks: said, not applicable with its reason, or still to be completed."""

from collections.abc import Collection

from pbpk.predict.filing.authored import Entry
from pbpk.report.document.blocks import TO_BE_COMPLETED, Block, Paragraph
from pbpk.report.document.inline import Code, Inline, Line, Strong
from pbpk.report.dossier import Dossier

NOT_APPLICABLE = "Not applicable"


def said(dossier: Dossier, part: str, skip: Collection[str] = ()) -> list[Block]:
    """Fields of a part of `report.toml`, as `introduction`, each under its own name."""
    blocks: list[Block] = []
    for entry in dossier.entries:
        if (entry.name == part or entry.name.startswith(f"{part}.")) and entry.name not in skip:
            blocks += paragraphs(entry, dossier.by_author(entry.name))
    return blocks


def paragraphs(entry: Entry, place: str) -> list[Block]:
    """One field."""
    title = titled(entry.name)
    if entry.status == "missing":
        return [Paragraph(missing(entry), "missing")]
    if entry.status == "n/a":
        return [Paragraph(Line((Strong(f"{title}."), f" {NOT_APPLICABLE}: {entry.text}")), source=place)]
    first, *more = [part.strip() for part in entry.text.split("\n\n") if part.strip()] or [""]
    opening = Paragraph(Line((Strong(f"{title}."), f" {first}")), source=place)
    return [opening, *(Paragraph(part, source=place) for part in more)]


def missing(entry: Entry) -> Line:
    """What is printed where the author has yet to write."""
    return Line((f"{TO_BE_COMPLETED}: {entry.question} (", Code(entry.name), " in report.toml)"))


def cell(dossier: Dossier, name: str, brief: bool = False) -> Inline:
    """A field as a cell of a table; brief : without the reason why it does not apply, which stands elsewhere."""
    for entry in dossier.entries:
        if entry.name == name or (entry.status == "missing" and name.startswith(f"{entry.name}[")):
            if entry.status == "missing":
                return Strong(TO_BE_COMPLETED)
            if entry.status == "n/a":
                return NOT_APPLICABLE if brief else f"{NOT_APPLICABLE}: {entry.text}"
            return entry.text
    return "–"


def titled(name: str) -> str:
    """Last part of a field's name as words.

    >>> titled("introduction.earlier_analyses")
    'Earlier analyses'
    """
    words = name.rpartition(".")[2].partition("[")[0].replace("_", " ")
    return words[:1].upper() + words[1:]
