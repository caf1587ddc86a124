"""What a field may hold: any text that a document can, a date, n/a with a reason."""

from datetime import date

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbpk.predict.filing.fields import NotApplicable, Rating, Said, Text, YesOrNo, is_blank
from pbpk.reading import Schema


class Each(Schema):
    text: Text = ""
    said: Said = ""
    glp: YesOrNo = ""
    rating: Rating = ""


@given(st.text(st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\ufffe\uffff"), max_size=300))
def test_text_comes_out_untouched(text):
    found = Each.model_validate({"text": text, "said": text})
    assert (found.text, found.said) == (text, text)
    assert is_blank(found.text) == (not text.strip())


@pytest.mark.parametrize("letter", ["\x00", "\x07", "\x1b", "\x7f", "\ufffe"])
@pytest.mark.parametrize("field", ["text", "said", "glp"])
def test_what_no_document_can_hold_is_refused(letter, field):
    with pytest.raises(pydantic.ValidationError, match=f"U\\+{ord(letter):04X}"):
        Each.model_validate({field: f"a{letter}b"})
    with pytest.raises(pydantic.ValidationError, match=f"U\\+{ord(letter):04X}"):
        Each.model_validate({"text": {"na": f"a{letter}b"}})


def test_tabs_and_lines_are_text():
    assert Each.model_validate({"text": "a\tb\r\nc"}).text == "a\tb\r\nc"


def test_a_date_and_a_bool_are_words():
    found = Each.model_validate({"text": date(2026, 1, 31), "glp": False})
    assert (found.text, found.glp) == ("2026-01-31", "no")


def test_not_applicable_needs_a_reason():
    assert Each.model_validate({"text": {"na": "none was done"}}).text == NotApplicable(na="none was done")
    for given_ in ({"na": ""}, {"na": " \n"}):
        with pytest.raises(pydantic.ValidationError, match="n/a needs a reason"):
            Each.model_validate({"text": given_})
    with pytest.raises(pydantic.ValidationError, match="cannot be n/a"):
        Each.model_validate({"said": {"na": "because"}})


def test_a_rating_is_one_of_three():
    with pytest.raises(pydantic.ValidationError):
        Each.model_validate({"rating": "huge"})
