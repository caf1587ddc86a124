import pytest
from pieces import document, drawing

from pbpk.report.document.blocks import (
    Document,
    Figure,
    Heading,
    Paragraph,
    Table,
    numbered,
    numbered_caption,
)
from pbpk.report.document.inline import Line, Link


def test_sections_tables_and_figures_are_numbered():
    plain = Table("T", ("a",), "l", [("1",)])
    figure = Figure(drawing(), "about", "F")
    blocks = numbered([
        Heading("One", 1, "one"), plain, plain, figure, Heading("Two", 1, "two"), Heading("Two a", 2, "two-a"), figure,
        Heading("Extra", 1, "extra"), plain, Heading("Extra", 1, "extra2"),
    ], ["extra", "extra2"])  # fmt: skip
    assert [block.number for block in blocks] == ["0", "0.1", "0.2", "0.1", "1", "1.1", "1.1", "A1", "A1.1", "A2"]
    assert [block.anchor for block in blocks if isinstance(block, Table)] == ["table-0-1", "table-0-2", "table-A1-1"]
    assert numbered_caption(blocks[1]) == "Table 0.1. T"
    assert numbered_caption(blocks[6]) == "Figure 1.1. F"


def test_a_number_of_its_own_is_kept():
    blocks = numbered([Heading("A", 1, "a"), Table("T", ("a",), "l", [], number="2.6.5.5")])
    assert numbered_caption(blocks[1]) == "Table 2.6.5.5. T"


def test_each_row_may_have_its_own_source():
    rows = [("1",), ("2",)]
    assert Table("T", ("a",), "l", rows, ("x.csv",)).source_of(1) == "x.csv"
    assert Table("T", ("a",), "l", rows, ("x.csv#1", "x.csv#2")).source_of(1) == "x.csv#2"
    assert Table("T", ("a",), "l", rows).source_of(1) == ""


def test_only_a_table_that_does_not_fit_is_wide():
    assert document().blocks[-6].caption == "Wide"
    assert document().blocks[-6].is_wide
    assert not Table("T", ("a", "b"), "ll", [("x" * 500, "y")]).is_wide


def test_a_link_that_leads_nowhere_is_refused():
    lost = (Paragraph(Line(("see ", Link("x", "#nowhere")))),)
    with pytest.raises(ValueError, match="#nowhere"):
        Document("t", "s", "h", "f", "n", lost)


def test_headings_are_listed_in_order():
    assert [heading.number for heading in document().headings] == ["0", "1", "1.1", "A1"]
