from hypothesis import given
from hypothesis import strategies as st

from pbpk.report.ctd.lettering import letter, lettered
from pbpk.report.document.blocks import Paragraph, Table


def table():
    return Table("t", ("a",), "l", [("b",)])


def test_one_table_has_no_letter():
    first, second = lettered("2.6.5.1", [table(), Paragraph("x")])
    assert first.number == "2.6.5.1"
    assert second == Paragraph("x")


@given(st.integers(min_value=2, max_value=80))
def test_letters_differ(count):
    numbers = [block.number for block in lettered("2.6.5.5", [table()] * count)]
    assert len(set(numbers)) == count
    assert numbers[0] == "2.6.5.5A"
    assert all(letter(i) in number for i, number in enumerate(numbers))
