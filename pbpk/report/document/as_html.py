"""A document as one HTML page that needs nothing else."""

from collections.abc import Iterator
from typing import Any

from markupsafe import Markup, escape

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
from pbpk.report.document.inline import printable
from pbpk.report.ink import svg
from pbpk.report.rendering import rendered

MANY = 8  # columns from which a table is set tighter


def document_html(document: Document) -> str:
    """The whole page as text; the same document gives the same bytes."""
    return printable(
        rendered("document.html.j2", title=document.title, document=document, pieces=list(_pieces(document.blocks)))
    )


def _pieces(blocks: tuple[Block, ...]) -> Iterator[Markup]:
    for place, block in enumerate(blocks):
        yield _piece(block, place)


def _piece(block: Block, place: int) -> Markup:
    match block:
        case Heading():
            return _heading(block)
        case Paragraph():
            return _paragraph(block)
        case Bullets():
            return _bullets(block)
        case Facts():
            return _facts(block)
        case Table():
            return _table(block)
        case Figure():
            drawn = svg(block.drawing, block.about, block.anchor or f"figure{place}")
            caption = numbered_caption(block)
            return _join(f'<figure id="{block.anchor}"', _from(block.source), ">", drawn,
                         Markup("<figcaption>{}</figcaption></figure>").format(caption))  # fmt: skip
        case Listing():
            return _join("<pre", _from(block.source), ">", escape(block.text), "</pre>")
        case Equations():
            lines = Markup("\n").join(Markup('<div class="equation">{}</div>').format(math) for math in block.markup)
            about = f"Equations of all {len(block.markup)} states"
            return _join("<details", _from(block.source), f"><summary>{about}</summary>\n", lines, "\n</details>")


def _heading(block: Heading) -> Markup:
    tag = f"h{block.level + 1}"
    return Markup('<{0} id="{1}"><span class="n">{2}</span>{3}</{0}>').format(
        tag, block.anchor, block.number, block.text
    )


def _paragraph(block: Paragraph) -> Markup:
    role = ' role="alert"' if block.kind == "alert" else ""
    kind = f' class="{block.kind}"' if block.kind else ""
    return _join(f"<p{kind}{role}", _from(block.source), ">", escape(block.words), "</p>")


def _bullets(block: Bullets) -> Markup:
    anchors = list(block.anchors) or [""] * len(block.items)
    items = [
        Markup("<li{}>{}</li>").format(Markup(f' id="{anchor}"') if anchor else "", item)
        for anchor, item in zip(anchors, block.items, strict=True)
    ]
    return _join("<ul", _from(block.source), ">\n", Markup("\n").join(items), "\n</ul>")


def _facts(block: Facts) -> Markup:
    pairs = [
        Markup("<div{}><dt>{}</dt><dd>{}</dd></div>").format(_from(block.source_of(i)), name, value)
        for i, (name, value) in enumerate(block.pairs)
    ]
    return _join('<dl class="facts">\n', Markup("\n").join(pairs), "\n</dl>")


def _table(block: Table) -> Markup:
    many = "many" if len(block.head) >= MANY else ""
    caption = numbered_caption(block)
    head = Markup("").join(
        Markup('<th scope="col" class="{}">{}</th>').format(align, name)
        for align, name in zip(block.align, block.head, strict=True)
    )
    rows = []
    for i, row in enumerate(block.rows):
        cells = Markup("").join(
            Markup('<td class="{}">{}</td>').format(align, cell) for align, cell in zip(block.align, row, strict=True)
        )
        rows.append(_join("<tr", _from(block.source_of(i)), ">", cells, "</tr>"))
    notes = Markup("").join(Markup('<p class="below">{}</p>').format(note) for note in block.notes)
    body = _join(f'<div class="wide"><table class="{many}" id="{block.anchor}">\n',
                 "" if block.folded else Markup("<caption>{}</caption>\n").format(caption),
                 "<thead><tr>", head, "</tr></thead>\n<tbody>\n", Markup("\n").join(rows), "\n</tbody></table></div>",
                 notes)  # fmt: skip
    if not block.folded:
        return body
    return Markup("<details><summary>{}</summary>\n{}\n</details>").format(caption, body)


def _from(source: str) -> Markup:
    """Where the numbers come from, for whoever reads the page's source or points at it."""
    return Markup(' data-source="{}"').format(source) if source else Markup("")


def _join(*pieces: Any) -> Markup:
    """Pieces one after the other; plain strings here are markup of this file, never a user's words."""
    return Markup("").join(piece if isinstance(piece, Markup) else Markup(piece) for piece in pieces)
