"""Blocks of a report, whatever its format: headings, paragraphs, tables, figures, equations, each with its source.

A source says where the numbers of a block come from, as a file of the run folder and, after "#", what to look for in
it: `parameters.csv#parameter=loss_lung`. In a table each row has its own.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from markupsafe import Markup
from matplotlib.figure import Figure as Drawing

from pbpk.report.document.inline import Doubtful, Inline, Line, Link

UPRIGHT, TURNED = 118, 165  # letters of nine points across a Letter page
READABLE, LONG = 20, 60  # letters a line from which a column of words reads well, and from which it gains nothing
GAP = 3  # letters between columns
MEASURED = 80  # rows that widths are made for
TO_BE_COMPLETED = "TO BE COMPLETED"


@dataclass(frozen=True)
class Heading:
    """A title; level 1 is a section."""

    text: str
    level: int
    anchor: str
    number: str = ""


@dataclass(frozen=True)
class Paragraph:
    """A few sentences; kind: "" plain, "alert" in a red box, "note" set off, "missing" what the author still owes."""

    words: Inline
    kind: str = ""
    source: str = ""


@dataclass(frozen=True)
class Bullets:
    """A list."""

    items: Sequence[Inline]
    source: str = ""
    anchors: Sequence[str] = ()


@dataclass(frozen=True)
class Facts:
    """Names and what they are, such as the strain of a study; sources : of each pair, or one for all."""

    pairs: Sequence[tuple[str, Inline]]
    sources: Sequence[str] = ()

    def source_of(self, pair: int) -> str:
        """Where a pair comes from, empty if nobody said."""
        return _of_each(self.sources, pair)


@dataclass(frozen=True)
class Table:
    """Caption, heads and rows; `align` has one letter for each column: l text, r number.

    sources : of each row, or one for all; notes : below the table; folded : behind a click where a page allows it
    """

    caption: str
    head: Sequence[str]
    align: str
    rows: Sequence[Sequence[Any]]
    sources: Sequence[str] = ()
    notes: Sequence[Inline] = ()
    folded: bool = False
    anchor: str = ""
    number: str = ""

    def source_of(self, row: int) -> str:
        """Where a row comes from, empty if nobody said."""
        return _of_each(self.sources, row)

    @cached_property
    def needs(self) -> list[tuple[int, int]]:
        """Letters of the longest word and of the longest line of each column, so far as they count for its width."""
        shown = self.rows[:MEASURED]
        found = []
        for i, head in enumerate(self.head or self.rows[0]):
            cells = [line for row in shown for line in lines_of(row[i])]
            word = max([_longest(str(head)), *map(_longest, cells)])
            found.append((word, max([word, min(len(str(head)), 2 * word), *map(len, cells)])))
        return found

    @cached_property
    def is_wide(self) -> bool:
        """Whether it needs a page on its side."""
        return sum(max(word, min(line, READABLE)) + GAP for word, line in self.needs) > UPRIGHT and len(self.needs) > 5

    @cached_property
    def widths(self) -> tuple[float, ...]:
        """Share of the page's width of each column, none where all lines fit as they are."""
        room = (TURNED if self.is_wide else UPRIGHT) - GAP * len(self.needs)
        if sum(line for _, line in self.needs) <= room:
            return ()
        words, lines = sum(word for word, _ in self.needs), sum(min(line, LONG) for _, line in self.needs)
        spare = max(room - words, 0) / max(lines - words, 1)
        wanted = [GAP + word + spare * (min(line, LONG) - word) for word, line in self.needs]
        return tuple(each / sum(wanted) for each in wanted)


def _of_each(sources: Sequence[str], place: int) -> str:
    """Source of one of several, of which all may have the same or none."""
    if len(sources) == 1:
        return sources[0]
    return sources[place] if sources else ""


def lines_of(cell: Any) -> list[str]:
    """Lines that a cell is set in."""
    return [cell.number, cell.interval] if isinstance(cell, Doubtful) else [str(cell)]


def _longest(text: str) -> int:
    return max((len(word) for word in text.replace("_", "_ ").split()), default=1)


@dataclass(frozen=True)
class Figure:
    """A drawing with its caption; `about` is what a reader who cannot see it is told."""

    drawing: Drawing
    about: str
    caption: str
    source: str = ""
    anchor: str = ""
    number: str = ""


@dataclass(frozen=True)
class Equations:
    """Equations: `latex` for print, one each, `markup` as MathML for a page."""

    latex: Sequence[str]
    markup: Sequence[Markup]
    source: str = ""


@dataclass(frozen=True)
class Listing:
    """Text as it stands in a file, line by line."""

    text: str
    source: str = ""


type Block = Heading | Paragraph | Bullets | Facts | Table | Figure | Equations | Listing


@dataclass(frozen=True)
class Document:
    """A report: what stands on every page, and its blocks in order, numbered.

    head : of each page; fingerprint : of the run, on each page
    """

    title: str
    subject: str
    head: str
    fingerprint: str
    footnote: str
    blocks: tuple[Block, ...] = field(repr=False)

    def __post_init__(self) -> None:
        known = {block.anchor for block in self.blocks if isinstance(block, Heading | Table | Figure)}
        known |= {anchor for block in self.blocks if isinstance(block, Bullets) for anchor in block.anchors}
        lost = {link.target for link in _links(self.blocks) if link.target.startswith("#")} - {f"#{a}" for a in known}
        if lost:
            raise ValueError(f"links that lead nowhere: {sorted(lost)}")

    @property
    def headings(self) -> list[Heading]:
        """Titles in order."""
        return [block for block in self.blocks if isinstance(block, Heading)]


def numbered(blocks: Sequence[Block], appendices: Sequence[str] = ()) -> tuple[Block, ...]:
    """Blocks with numbers: sections from 0, tables and figures within their section, as "Table 5.2".

    appendices : anchors of the sections that are called A1, A2, …
    """
    return tuple(_numbered(blocks, set(appendices)))


def _numbered(blocks: Sequence[Block], appendices: set[str]) -> Iterator[Block]:
    section, plain, extra, below = "", -1, 0, 0
    counts = {Table: 0, Figure: 0}
    for block in blocks:
        match block:
            case Heading(level=1):
                if block.anchor in appendices:
                    extra += 1
                    section = f"A{extra}"
                else:
                    plain += 1
                    section = str(plain)
                counts, below = {Table: 0, Figure: 0}, 0
                yield replace(block, number=section)
            case Heading(level=2):
                below += 1
                yield replace(block, number=f"{section}.{below}")
            case Table() | Figure():
                counts[type(block)] += 1
                word = "table" if isinstance(block, Table) else "figure"
                number = block.number or f"{section}.{counts[type(block)]}"
                yield replace(block, number=number, anchor=block.anchor or f"{word}-{number.replace('.', '-')}")
            case _:
                yield block


def _links(blocks: Sequence[Block]) -> Iterator[Link]:
    for block in blocks:
        match block:
            case Paragraph():
                yield from _links_in(block.words)
            case Bullets():
                yield from (link for item in block.items for link in _links_in(item))
            case Facts():
                yield from (link for _, value in block.pairs for link in _links_in(value))
            case Table():
                yield from (link for row in block.rows for cell in row for link in _links_in(cell))
                yield from (link for note in block.notes for link in _links_in(note))


def _links_in(piece: Any) -> Iterator[Link]:
    if isinstance(piece, Link):
        yield piece
    elif isinstance(piece, Line):
        yield from (link for part in piece.pieces for link in _links_in(part))


def numbered_caption(block: Table | Figure) -> str:
    """Caption with its number: "Table 5.2. Groups and doses"."""
    word = "Table" if isinstance(block, Table) else "Figure"
    return f"{word} {block.number}. {block.caption}" if block.number else block.caption
