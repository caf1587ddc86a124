"""A small document with everything in it, and text that no format may read as markup."""

import matplotlib.pyplot as plt
from markupsafe import Markup

from pbpk.report.document.blocks import (
    Bullets,
    Document,
    Equations,
    Facts,
    Figure,
    Heading,
    Paragraph,
    Table,
    numbered,
)
from pbpk.report.document.inline import Code, Doubtful, Line, Link, Mark, Strong

HOSTILE = [
    "a|b_c *x* **y** #let x=1 #panic() @ref <lab> $x^2$ \\alpha \\n `code` // c /* d */ ~ -- --- ... [x] {y}",
    "<script>alert('x')</script> & {{ 7 * 7 }} {% raw %} \"q\" 'q' &amp; <w:p/> ]]>",
    "= heading",
    "- item",
    "+ entry",
    "/ term: x",
    "1. one",
    "# title",
    "> quote",
    "| a | b |",
    "\\end{document} \\input{/etc/passwd} %comment",
    "https://example.org/a_b?c=d&e=%20 mailto:x@y.z",
    "x" * 300,
]
RIGHT_TO_LEFT = "שלום مرحبا"
LONG = "long words " * 1000  # 11 kB


def drawing():
    with plt.rc_context():
        figure = plt.figure(figsize=(4, 2))
        figure.add_subplot().plot([1, 2, 3])
        plt.close(figure)
    return figure


def document(texts=HOSTILE, **changed):
    first = texts[0]
    wide = [tuple(f"cell {i} of row {j}" for i in range(11)) for j in range(60)]
    blocks = [
        Heading("Opening " + first, 1, "opening"),
        Paragraph(Line(("See ", Link("the table", "#table-0-1"), " of ", Code("loss_lung"), ".")), "note"),
        Paragraph("Do not use.", "alert"),
        Paragraph("Still to be written.", "missing"),
        *[Paragraph(text) for text in texts],
        Bullets(texts, anchors=[f"item-{i}" for i in range(len(texts))]),
        Facts([(text, Strong(text)) for text in texts]),
        Table("Small " + first, ("Name", first), "lr", [(Code(text), text) for text in texts], ("a.csv",), ("Below.",)),
        Heading("Second", 1, "second"),
        Heading("Below it", 2, "below"),
        Table("Wide", tuple(f"Head number {i}" for i in range(11)), "l" * 11, wide),
        Figure(drawing(), "A line that rises; " + first, "Caption " + first, "b.csv#x=1"),
        Equations([r"\frac{d N}{dt} &= -k N"], [Markup("<math><mi>N</mi></math>")]),
        Table("Marks", ("a", "b"), "lr", [(Mark("no", "bad"), Doubtful("1.0", "0.9 to 1.1"))], folded=True),
        Heading("More", 1, "more"),
        Paragraph("The end."),
    ]
    told = {"title": "Title " + first, "subject": "Kinetics", "head": "Head " + first, "fingerprint": "0123abcd",
            "footnote": "Label is not viability."} | changed  # fmt: skip
    return Document(**told, blocks=numbered(blocks, ["more"]))
