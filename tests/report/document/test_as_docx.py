import io
import re
import zipfile
from xml.etree import ElementTree

import pytest
from pieces import HOSTILE, LONG, RIGHT_TO_LEFT, document

from pbpk.report.document.as_docx import write_docx


@pytest.fixture
def made(tmp_path):
    def make(given, *more):
        return write_docx(given, tmp_path / "deep" / "report", *more).read_bytes()

    return make


WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


def parts(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def texts_of(xml):
    found = ElementTree.fromstring(xml)
    return ["".join(run.text or "" for run in each.iter(f"{WORD}t")) for each in found.iter(f"{WORD}p")]


def test_everything_prints_literally(made):
    texts = [*HOSTILE, RIGHT_TO_LEFT, "😀 中文", LONG.strip(), "bell \x07"]
    lines = texts_of(parts(made(document(texts)))["word/document.xml"])
    for text in [*texts[:-1], "bell [U+0007]"]:
        assert lines.count(text) >= 4


def test_every_part_is_well_formed_and_bytes_repeat(made):
    whole = made(document())
    for name, content in parts(whole).items():
        if name.endswith((".xml", ".rels")):
            ElementTree.fromstring(content)
    assert whole == made(document())


def test_equations_are_words_own(made):
    text = parts(made(document()))["word/document.xml"].decode()
    assert "<m:oMath" in text


def test_head_and_fingerprint_stand_on_every_page(made):
    found = parts(made(document()))
    assert "0123abcd" in "".join(texts_of(found["word/header1.xml"]))
    body = found["word/document.xml"].decode()
    sections = re.findall(r"<w:sectPr.*?</w:sectPr>", body, flags=re.DOTALL)
    assert len(sections) == 3  # upright, on its side, upright
    for section in sections:
        used = re.findall(r'<w:(header|footer)Reference[^>]*r:id="([^"]+)"', section)
        assert {kind for kind, _ in used} == {"header", "footer"}
        relations = found["word/_rels/document.xml.rels"].decode()
        for kind, place in used:
            (relation,) = re.findall(rf'<Relationship [^>]*Id="{place}"[^>]*>', relations)
            assert f'Target="{kind}1.xml"' in relation
    assert ["landscape" in section for section in sections] == [False, True, False]


def test_contents_link_to_every_section(made):
    text = parts(made(document()))["word/document.xml"].decode()
    for anchor in ("opening", "second", "more"):
        assert f'w:anchor="{anchor}"' in text
        assert f'w:name="{anchor}"' in text


def test_pictures_say_what_they_show(made):
    text = parts(made(document()))["word/document.xml"].decode()
    assert 'descr="A line that rises' in text
