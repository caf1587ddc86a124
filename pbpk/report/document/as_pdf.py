"""A document as PDF/A-2b through Typst: no LaTeX, no browser, no network."""

import json
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pbpk.report.document.as_pandoc import Node, clean, node, tree
from pbpk.report.document.blocks import Document, Figure
from pbpk.report.document.pandoc import FONTS, converted, typeset
from pbpk.report.ink import bare_svg
from pbpk.report.rendering import write_bytes

type Paper = Literal["letter", "a4"]
PAPERS: dict[Paper, str] = {"letter": "us-letter", "a4": "a4"}
STYLE = Path(__file__).with_name("style.typ")


def write_pdf(document: Document, path: Path, paper: Paper = "letter") -> Path:
    """Write the document as PDF/A-2b; the same document gives the same bytes.

    Raises
    ------
    ReportError
        if the extra `report` is not installed
    """
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        body = converted(tree(document, _Typst(folder)), "typst", ("--wrap=none",)).decode()
        body = body.replace("\n  align(center)[#table(", "\n  align(left)[#table(")  # text has no line ends
        source = write_bytes((_read_preamble(document, paper) + body).encode(), folder / "document.typ")
        made: bytes = typeset(source, "pdf", pdf_standards=["a-2b"])
    return write_bytes(made, path)


class _Typst:
    """What the tree needs of Typst; text stands in string literals, in which nothing is markup."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.drawn = folder, 0

    def picture(self, figure: Figure) -> str:
        self.drawn += 1
        name = f"figure-{self.drawn}.svg"
        write_bytes(bare_svg(figure.drawing).encode(), self.folder / name)
        return name

    def sideways(self, turned: bool) -> list[Node]:
        return [_raw("#page(flipped: true)[" if turned else "]")]

    def text(self, words: str) -> list[Node]:
        return [_inline(f"#{_literal(words)};")] if words else []

    def code(self, words: str) -> list[Node]:
        return [_inline(f"#code({_literal(words)});")]

    def contents(self, document: Document) -> Sequence[Node]:
        return [_raw("#contents()")]

    def listing(self, text: str) -> Node:
        lines = "\\n".join(_literal(line)[1:-1] for line in text.splitlines())
        return _raw(f'#listing("{lines}")')

    def styled(self, kind: str, paragraph: Node) -> Sequence[Node]:
        return [_raw(f"#{kind}["), paragraph, _raw("]")]


def _raw(text: str) -> Node:
    return node("RawBlock", ["typst", text])


def _inline(text: str) -> Node:
    return node("RawInline", ["typst", text])


def _literal(words: str) -> str:
    """Text as a string of Typst; what no font of ours can draw stands as its code point."""
    drawable = "".join(letter if ord(letter) in _drawable() else f"[U+{ord(letter):04X}]" for letter in clean(words))
    return '"' + drawable.replace("\\", "\\\\").replace('"', '\\"') + '"'


@cache
def _drawable() -> frozenset[int]:
    """Code points of the font that stands in where the text's own has no glyph."""
    from fontTools.ttLib import TTFont

    with TTFont(FONTS / "DejaVuSans.ttf", lazy=True) as font:
        return frozenset(font.getBestCmap())


def _read_preamble(document: Document, paper: Paper) -> str:
    told: dict[str, Any] = {
        "title": document.title,
        "subject": document.subject,
        "head": document.head,
        "fingerprint": document.fingerprint,
        "footnote": document.footnote,
    }
    given = ", ".join(f"{name}: {_literal(value)}" for name, value in told.items())
    return f"{STYLE.read_text(encoding='utf-8')}\n#show: report.with(paper: {json.dumps(PAPERS[paper])}, {given})\n\n"
