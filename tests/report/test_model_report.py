import re
from dataclasses import replace
from types import SimpleNamespace

import pytest
from parsed import parsed

from pbpk.errors import ReportError
from pbpk.report.document.as_html import document_html
from pbpk.report.document.as_pdf import write_pdf
from pbpk.report.document.blocks import Heading, Table
from pbpk.report.dossier import Dossier
from pbpk.report.model_report import report_document, write_report
from pbpk.report.sections.outline import APPENDICES, SECTIONS
from pbpk.report.wording import FOOTNOTE

HOSTILE = "<script>alert('x')</script> & {{ 7 * 7 }} {% raw %} | $a$ \"q\" #let @ref \\input{x} ~~s~~ <w:t>"

SECTION = re.compile(r"\b[24](\.\d+){2,3}\b")  # of the CTD, as 2.6.5.5
ITEM = re.compile(r"\d+|\([a-c]\)(\(\d+\))?")  # of the assessment table, of 21 CFR 58.185


@pytest.fixture(scope="module")
def document(khot):
    return report_document(Dossier(khot))


@pytest.fixture(scope="module")
def text(document):
    return document_html(document)


def test_the_page_is_whole(text):
    found = parsed(text)
    assert len(found.ids) == len(set(found.ids))
    assert {section.anchor for section in (*SECTIONS, *APPENDICES)} <= set(found.ids)
    inside = [link[1:] for link in found.links if link.startswith("#")]
    assert inside
    assert set(inside) <= set(found.ids)
    assert all(link.startswith(("#", "https://doi.org/10.")) for link in found.links)
    assert FOOTNOTE in text


def test_nothing_is_taken_from_outside(text):
    assert not re.search(r"<(script|link|img|iframe)\b|@import|url\((?!#)|src=", text)


def test_two_renders_are_the_same_bytes(khot, text, tmp_path):
    path = write_report(khot, tmp_path / "deep" / "report.html")
    assert path.read_bytes() == text.encode()
    assert [file.name for file in path.parent.iterdir()] == ["report.html"]


def test_every_parameter_is_on_the_page(khot, text):
    words = "".join(parsed(text).text)
    assert all(name in words for name in khot.parameters["parameter"])


def test_the_sections_are_in_order_and_none_is_empty(document):
    tops = [i for i, block in enumerate(document.blocks) if isinstance(block, Heading) and block.level == 1]
    assert [document.blocks[i].anchor for i in tops] == [section.anchor for section in (*SECTIONS, *APPENDICES)]
    assert all(not isinstance(document.blocks[i + 1], Heading) or document.blocks[i + 1].level > 1 for i in tops)


def test_no_number_of_a_table_is_without_a_source(document):
    bare = {str(row) for block in document.blocks if isinstance(block, Table) for i, row in enumerate(block.rows)
            if not block.source_of(i) and "guidelines" not in block.caption
            and re.search(r"\d", SECTION.sub("", " ".join(map(str, row[ITEM.fullmatch(str(row[0])) is not None:]))))
            }  # fmt: skip
    assert not bare


def test_no_claim_of_compliance(text):
    assert not re.search(r"complian(t|ce) with|complies with", "".join(parsed(text).text))


def test_hostile_text_prints_literally_in_every_format(khot, tmp_path):
    about = khot.study.about
    changed = about.model_copy(
        update={
            "title": HOSTILE,
            "strain": HOSTILE,
            "label": HOSTILE,
            "assumptions": [HOSTILE],
            "product": about.product.model_copy(update={"cell_type": HOSTILE, "lot": HOSTILE}),
            "groups": [about.groups[0].model_copy(update={"name": HOSTILE, "treatment": HOSTILE})],
            "sources": [about.sources[0].model_copy(update={"text": HOSTILE, "doi": HOSTILE, "note": HOSTILE})],
        }
    )
    forecast = khot.forecast[khot.forecast["scenario"] == "s0"].assign(title=HOSTILE)
    given = vars(khot) | {"study": replace(khot.study, about=changed), "forecast": forecast}
    for table in ("predictions", "curves", "exposure"):
        given[table] = given[table].assign(group=HOSTILE)
    made = report_document(Dossier(SimpleNamespace(**given)))
    page = document_html(made)
    found = parsed(page)
    assert "<script" not in page
    assert sum(HOSTILE in data for data in found.text) >= 12
    assert write_pdf(made, tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize("study", ["zhuang_2021_fnd_msc_mouse", "gholamrezanezhad_2011_msc_human"])
def test_ranges_and_unknown_denominators_make_a_report(make_run, study):
    run = make_run(study, scenarios=0)
    run.exposure = run.exposure.iloc[:0]
    words = "".join(parsed(document_html(report_document(Dossier(run)))).text)
    assert "No scenario was asked." in words
    assert "no area was computed" in words
    assert ("posterior probability" in words) == (run.study.about.denominator == "unknown")


def test_a_format_that_is_none_is_refused(khot, tmp_path):
    with pytest.raises(ReportError, match="`doc` is no format"):
        write_report(khot, tmp_path / "report.doc")
