import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbpk.errors import RunError
from pbpk.predict.lineage.source import Source, parse_source, source


def test_what_has_a_meaning_in_a_source_is_encoded():
    assert source("a.csv", group="x&y=z #1;/", hours=24) == "a.csv#group=x%26y%3Dz%20%231%3B%2F&hours=24"
    assert source("study/a b/study.toml", key="product.lot") == "study/a%20b/study.toml#key=product.lot"


TEXT = st.text(st.characters(codec="utf-8"), max_size=12)


@given(TEXT.filter(bool), st.dictionaries(TEXT.filter(bool), TEXT, max_size=4))
def test_any_source_comes_back(file, rows):
    told = Source(file, rows)
    assert parse_source(str(told)) == told
    assert str(parse_source(str(told))) == str(told)


def test_numbers_have_the_digits_of_the_file():
    assert source("counts.csv", hours=1 / 3) == "counts.csv#hours=0.333333"
    assert parse_source(source("counts.csv", animal="", hours=24.0)).rows == {"animal": "", "hours": "24"}


@pytest.mark.parametrize("text", ["", "#a=b", "a.csv#b", "a.csv#=b", "a.csv#a=1&a=2", "a.csv#a=1&"])
def test_what_is_no_source_is_told(text):
    with pytest.raises(RunError, match="is no source"):
        parse_source(text)
