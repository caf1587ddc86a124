import re

import pytest
from pieces import HOSTILE, LONG, RIGHT_TO_LEFT, document

from pbpk.report.document.as_pdf import _literal, write_pdf


@pytest.fixture
def made(tmp_path):
    def make(given, *more):
        return write_pdf(given, tmp_path / "deep" / "report", *more).read_bytes()

    return make


@pytest.mark.parametrize(("paper", "size"), [("letter", (612, 792)), ("a4", (595.28, 841.89))])
def test_the_page_is_the_papers_and_bytes_repeat(made, paper, size):
    whole = made(document(), paper)
    boxes = re.findall(rb"/MediaBox ?\[0 0 ([\d.]+) ([\d.]+)\]", whole)
    assert boxes
    upright = [tuple(map(float, box)) for box in boxes if float(box[0]) < float(box[1])]
    assert upright
    assert all(box == pytest.approx(size, abs=0.5) for box in upright)
    assert any(float(box[0]) > float(box[1]) for box in boxes)  # the wide table's
    assert whole == made(document(), paper)


def test_it_is_pdf_a_with_its_fonts_and_outline(made):
    whole = made(document())
    assert whole.startswith(b"%PDF-1.7")
    assert b"<pdfaid:part>2</pdfaid:part>" in whole
    assert b"<pdfaid:conformance>B</pdfaid:conformance>" in whole
    assert b"/FontFile" in whole
    assert b"/Outlines" in whole


def test_hostile_text_compiles(made):
    texts = [*HOSTILE, RIGHT_TO_LEFT, "😀 中文 \U0001f9ec", LONG, "bell \x07", "a\u200bb\u202e"]
    assert made(document(texts)).startswith(b"%PDF")


def test_text_is_a_literal_and_what_no_font_draws_is_spelt():
    assert _literal('a"b\\c#d') == '"a\\"b\\\\c#d"'
    assert _literal("\U0001f9ec") == '"[U+1F9EC]"'
    assert _literal("é α שלום") == '"é α שלום"'
