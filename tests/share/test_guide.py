import pytest
from killed import domains, killed_rows, write_killed

from pbpk.assay.counts import count_cells
from pbpk.assay.study import read_study
from pbpk.share.guide import CAVEAT, MOST, Contents, Section, as_html, guide_of
from pbpk.share.programs import Step
from pbpk.share.send.rules import RULES, check_rules
from pbpk.share.send.terms import read_terms
from pbpk.share.xpt import Change

MANIFEST = {"study": "study", "fingerprint": "00ff", "seed": 1, "python": "3.12", "package": {"version": "9.9"},
            "dependencies": [{"name": "numpy", "version": "2.5.0"}],
            "occasion": {"command": "pbpk run here --out there"}}  # fmt: skip


@pytest.fixture
def contents(tmp_path):
    rows = killed_rows()
    folder = write_killed(tmp_path / "study", [*rows, rows[0]])
    sets = domains(folder)
    findings = check_rules({name: each.table for name, each in sets.items()})
    changes = [Change("EX", "EXTRT", 1, "µ", "u")] * (MOST + 1)
    step = Step("pbpk fit study", "fits", "study", "rerun")
    return Contents(count_cells(read_study(folder)), MANIFEST, sets, [step], findings, changes, read_terms(),
                    [("define.xml", "description")], [("posterior.nc", "draws")])  # fmt: skip


def text_of(sections):
    return {each.heading: " ".join([*each.paragraphs, *(cell for table in each.tables for row in table.rows
            for cell in row)]) for each in sections}  # fmt: skip


def test_it_says_what_a_reviewer_asks(contents):
    told = text_of(guide_of(contents))
    assert CAVEAT in told["Study"]
    assert "numpy 2.5.0" in told["Software and versions"]
    assert "pbpk run here --out there" in told["Scripts and order of execution"]
    assert "pbpk fit study fits study rerun" in told["Scripts and order of execution"]
    assert "PCORRESU PKUNIT cells" in told["Terms that are not standard"]
    assert "PC row 14" in told["Rules that were checked"]
    assert all(rule.number in told["Rules that were checked"] for rule in RULES)
    assert (
        f"Texts that were changed by these rules: {MOST + 1}; the first {MOST}"
        in (told["Transformations for the transport files"])
    )
    assert "Nothing that was measured was left out" in told["Exclusions"]
    assert "posterior.nc" in told["Files of the run that are not in the package"]
    assert not [text for text in told.values() if "compliant" in text.lower()]


def test_tables_have_as_many_cells_as_columns(contents):
    for section in guide_of(contents):
        for table in section.tables:
            assert all(len(row) == len(table.columns) for row in table.rows)
            assert all(isinstance(cell, str) for row in table.rows for cell in row)


def test_exclusions_are_those_of_the_manifest(contents):
    told = contents.manifest | {"exclusions": [{"record": "well A1", "reason": "saturated"}]}
    again = Contents(**(vars(contents) | {"manifest": told}))
    assert "well A1 saturated" in text_of(guide_of(again))["Exclusions"]


def test_a_page_holds_hostile_text_as_text():
    page = as_html("<script>", [Section("a & b", ("<b>x</b>",))])
    assert "<script>" not in page
    assert "&lt;b&gt;x&lt;/b&gt;" in page
    assert page.count("<h2>") == 1
