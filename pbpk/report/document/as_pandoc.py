"""A document as pandoc's syntax tree, from which Word files and Typst are made.

Text enters the tree as text: nothing a user wrote is ever read as markup, in any format.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

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
    numbered_caption,
)
from pbpk.report.document.inline import Code, Doubtful, Inline, Line, Link, Mark, Strong, printable

API = [1, 23, 1]  # of pandoc-types, which pandoc 3 reads
NOTHING = ["", [], []]
SPACE = {"t": "Space"}
WIDTH = "6.5in"  # of a figure
type Node = dict[str, Any]


class Format(Protocol):
    """What the formats made of the tree do each in its own way."""

    def picture(self, figure: Figure) -> str:
        """Write a drawing and return the name of its file."""

    def sideways(self, turned: bool) -> list[Node]:
        """Nodes that turn the page on its side, and back."""

    def text(self, words: str) -> list[Node]:
        """Plain words that no reader takes for markup."""

    def code(self, words: str) -> list[Node]:
        """A name as it stands in a file."""

    def contents(self, document: Document) -> Sequence[Node]:
        """List of the sections, which stands after the first of them."""

    def listing(self, text: str) -> Node:
        """Text as it stands in a file, line by line."""

    def styled(self, kind: str, paragraph: Node) -> Sequence[Node]:
        """A paragraph of a kind: "alert", "note", "missing", or "below" for what stands under a table."""


def tree(document: Document, form: Format) -> Node:
    """The whole document, for one format."""
    writer = _Writer(form)
    nodes: list[Node] = []
    turned = False
    sections = [place for place, block in enumerate(document.blocks) if isinstance(block, Heading) and block.level == 1]
    for place, block in enumerate(document.blocks):
        nodes += form.contents(document) if place == sections[min(1, len(sections) - 1)] else []
        wide = _is_wide(document.blocks, place)
        if wide != turned:
            nodes += form.sideways(wide)
        turned = wide
        nodes += writer.nodes(block)
    nodes += form.sideways(False) if turned else []
    return {"pandoc-api-version": API, "meta": {}, "blocks": nodes}


def _equation(latex: str) -> Node:
    """One equation on lines of its own."""
    return node("Para", [node("Math", [{"t": "DisplayMath"}, f"\\begin{{aligned}}{latex}\\end{{aligned}}"])])


def clean(words: str) -> str:
    """Words on one line, without signs that no page can hold."""
    return printable(words).replace("\r\n", " ").replace("\n", " ").replace("\r", " ").replace("\t", " ")


def node(kind: str, content: Any) -> Node:
    """One node of the tree."""
    return {"t": kind, "c": content}


def _is_wide(blocks: Sequence[Block], place: int) -> bool:
    """Whether a block stands on a page on its side: a wide table, the titles above it, a paragraph between two."""
    block = blocks[place]
    if isinstance(block, Heading):
        return place + 1 < len(blocks) and _is_wide(blocks, place + 1)
    if isinstance(block, Paragraph):
        around = (blocks[place - 1] if place else None, blocks[place + 1] if place + 1 < len(blocks) else None)
        return all(isinstance(each, Table) and each.is_wide for each in around)
    return isinstance(block, Table) and block.is_wide


class _Writer:
    """Blocks as nodes, for one format."""

    def __init__(self, form: Format) -> None:
        self.form = form

    def nodes(self, block: Block) -> Iterator[Node]:
        match block:
            case Heading():
                words = f"{block.number} {block.text}" if block.number else block.text
                yield node("Header", [block.level, [block.anchor, [], []], self.form.text(words)])
            case Paragraph():
                yield from self._paragraph(block.words, block.kind)
            case Bullets():
                anchors = list(block.anchors) or [""] * len(block.items)
                items = zip(block.items, anchors, strict=True)
                yield node("BulletList", [self._item(item, anchor) for item, anchor in items])
            case Facts():
                rows = [[Strong(name), value] for name, value in block.pairs]
                yield self._grid("", [], "ll", rows, "", (0.3, 0.7))
            case Table():
                yield from self._table(block)
            case Figure():
                caption = node("Plain", self.form.text(numbered_caption(block)))
                image = [["", [], [["width", WIDTH]]], self.form.text(block.about), [self.form.picture(block), ""]]
                drawn = [node("Plain", [node("Image", image)])]
                yield node("Figure", [[block.anchor, [], []], [None, [caption]], drawn])
            case Listing():
                yield self.form.listing(printable(block.text))
            case Equations():
                yield from map(_equation, block.latex)

    def _table(self, block: Table) -> Iterator[Node]:
        yield self._grid(numbered_caption(block), block.head, block.align, block.rows, block.anchor, block.widths)
        for note in block.notes:
            yield from self._paragraph(note, "below")

    def _paragraph(self, words: Inline, kind: str) -> Sequence[Node]:
        plain = node("Para", self.inline(words))
        return self.form.styled(kind, plain) if kind else [plain]

    def _item(self, item: Inline, anchor: str) -> list[Node]:
        words = self.inline(item)
        return [node("Plain", [node("Span", [[anchor, [], []], words])] if anchor else words)]

    def _grid(
        self,
        caption: str,
        head: Sequence[str],
        align: str,
        rows: Sequence[Sequence[Inline]],
        anchor: str,
        widths: Sequence[float] = (),
    ) -> Node:
        """Table with its caption; widths : shares of the text's width, else as the content needs."""
        sides = [{"t": "AlignRight" if side == "r" else "AlignLeft"} for side in align]
        wide = [node("ColWidth", width) for width in widths] or [{"t": "ColWidthDefault"}] * len(align)
        columns = [[side, width] for side, width in zip(sides, wide, strict=True)]
        heads = [self._row([Strong(name) for name in head])] if head else []
        told = [node("Plain", self.form.text(caption))] if caption else []
        body = [NOTHING, 0, [], [self._row(row) for row in rows]]
        return node("Table", [[anchor, [], []], [None, told], columns, [NOTHING, heads], [body], [NOTHING, []]])

    def _row(self, cells: Sequence[Inline]) -> list[Any]:
        plain = [[NOTHING, {"t": "AlignDefault"}, 1, 1, [node("Plain", self.inline(cell))]] for cell in cells]
        return [NOTHING, plain]

    def inline(self, piece: Inline) -> list[Node]:
        """Words as nodes."""
        match piece:
            case Code():
                return self.form.code(piece.text)
            case Mark(kind="not learned"):
                return [node("Emph", self.form.text(piece.text))]
            case Strong() | Mark():
                return [node("Strong", self.form.text(piece.text))]
            case Link():
                return [node("Link", [NOTHING, self.form.text(piece.text), [piece.target, ""]])]
            case Doubtful():
                return [*self.form.text(piece.number), {"t": "LineBreak"}, *self.form.text(piece.interval)]
            case Line():
                return [each for part in piece.pieces for each in self.inline(part)]
            case _:
                return self.form.text(str(piece))
