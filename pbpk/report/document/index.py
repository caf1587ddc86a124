"""Where each printed number stands and where it comes from: one entry for a row, a sentence, a figure, as a file."""

import re
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from pbpk.canonical import canonical
from pbpk.predict.lineage.entries import FILE, SCHEMA, Entry
from pbpk.report.document.blocks import (
    Block,
    Bullets,
    Document,
    Equations,
    Facts,
    Figure,
    Heading,
    Listing,
    Paragraph,
    Table,
)

DIGIT = re.compile(r"\d")
NAMES = re.compile(r"\b[2-5]\.\d\.\d+(\.\d+)*[A-Z]*\b|\b(ICH|OECD|FDA|EMA) [A-Z]?\d+")  # of the dossier, of guidelines
OWED = "missing"  # kind of a paragraph that holds no number but what the author is still asked
LONGEST = 300  # letters of a sentence that an entry repeats


def index(document: Document) -> list[Entry]:
    """Every place of a document that bears a source, in order."""
    return [entry for entry in _entries(document) if entry.source]


def untraced(document: Document) -> list[Entry]:
    """Places with a digit and no source, so that nobody can tell where the digit comes from.

    Numbers that name a section of a dossier or a guideline are no digits.
    """
    return [
        each for each in _entries(document) if not each.source and DIGIT.search(NAMES.sub("", " ".join(each.cells)))
    ]


def write_index(document: Document, folder: Path) -> Path:
    """Write every place of a document with its source; the same document gives the same bytes."""
    told = {
        "schema_version": SCHEMA,
        "fingerprint": document.fingerprint,
        "entries": [asdict(entry) for entry in index(document)],
    }
    path = folder / FILE
    path.write_text(canonical(told, indent=1) + "\n", encoding="utf-8")
    return path


def _entries(document: Document) -> Iterator[Entry]:
    section, heading = "", ""
    for block in document.blocks:
        if isinstance(block, Heading):
            section = block.number if block.level == 1 else section
            heading = block.text
        else:
            yield from _of_block(block, f"Section {section}", heading)


def _of_block(block: Block, section: str, heading: str) -> Iterator[Entry]:
    match block:
        case Table():
            head = tuple(str(cell) for cell in block.head)
            for i, row in enumerate(block.rows):
                cells = tuple(str(cell) for cell in row)
                yield Entry(f"Table {block.number}", block.caption, head, cells, block.source_of(i))
        case Figure():
            yield Entry(f"Figure {block.number}", block.caption, (), (_short(block.about),), block.source)
        case Paragraph() if block.kind != OWED:
            yield Entry(section, heading, (), (_short(str(block.words)),), block.source)
        case Bullets():
            for item in block.items:
                yield Entry(section, heading, (), (_short(str(item)),), block.source)
        case Facts():
            for i, (name, value) in enumerate(block.pairs):
                yield Entry(section, heading, (), (name, _short(str(value))), block.source_of(i))
        case Equations():
            yield Entry(section, heading, (), tuple(_short(line) for line in block.latex), block.source)
        case Listing():
            yield Entry(section, heading, (), (_short(block.text),), block.source)


def _short(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= LONGEST else words[: LONGEST - 1] + "…"
