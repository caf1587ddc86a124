import re

from parsed import parsed
from pieces import HOSTILE, LONG, RIGHT_TO_LEFT, document

from pbpk.report.document.as_html import document_html


def test_everything_prints_literally():
    texts = [*HOSTILE, RIGHT_TO_LEFT, "😀 中文", LONG.strip()]
    page = document_html(document(texts))
    found = parsed(page)
    words = "".join(found.text)
    assert all(words.count(text) >= 4 for text in texts)
    assert "<script" not in page
    assert len(found.ids) == len(set(found.ids))
    inside = [link[1:] for link in found.links if link.startswith("#")]
    assert inside
    assert set(inside) <= set(found.ids)


def test_nothing_is_taken_from_outside_and_bytes_repeat():
    page = document_html(document())
    assert not re.search(r"<(link|img|iframe)\b|@import|url\((?!#)|src=", page)
    assert page == document_html(document())


def test_numbers_carry_their_source():
    page = document_html(document())
    assert 'data-source="a.csv"' in page
    assert '<figure id="figure-1-1" data-source="b.csv#x=1">' in page


def test_a_folded_table_opens_at_its_caption():
    page = document_html(document())
    assert "<details><summary>Table 1.2. Marks</summary>" in page
    assert '<span class="n">A1</span>More</h2>' in page


def test_control_characters_are_spelt():
    assert "[U+0007]" in document_html(document(["bell \x07"]))
