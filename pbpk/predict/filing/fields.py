"""Kinds of field that an author fills in: text, text that may be n/a with a reason, yes or no, a rating."""

from datetime import date
from typing import Annotated, Any, Literal

import pydantic

from pbpk.reading import Schema

Rating = Literal["", "low", "medium", "high"]
RATINGS = ("low", "medium", "high")


class NotApplicable(Schema):
    """Written instead of a text: `{na = "why this does not apply"}`."""

    na: str

    @pydantic.field_validator("na", mode="before")
    @classmethod
    def _has_a_reason(cls, given: Any) -> Any:
        given = sayable(given)
        if isinstance(given, str) and not given.strip():
            raise ValueError("n/a needs a reason; say in one sentence why this does not apply")
        return given


def sayable(given: Any) -> Any:
    """What a document can hold: dates as text; control characters are refused, for no DOCX or PDF carries them.

    Raises
    ------
    ValueError
    """
    if isinstance(given, date):
        return given.isoformat()
    if isinstance(given, str):
        for letter in given:
            if (letter < " " and letter not in "\t\n\r") or letter in "\x7f\ufffe\uffff":
                raise ValueError(f"holds the control character U+{ord(letter):04X}, which no document can; take it out")
    return given


def _never_na(given: Any) -> Any:
    if isinstance(given, dict) and "na" in given:
        raise ValueError("cannot be n/a, every report needs it; write a text")
    return sayable(given)


def _yes_or_no(given: Any) -> Any:
    return {True: "yes", False: "no"}[given] if isinstance(given, bool) else sayable(given)


Said = Annotated[str, pydantic.BeforeValidator(_never_na)]  # a text that every report needs
Text = Annotated[str | NotApplicable, pydantic.BeforeValidator(sayable)]
YesOrNo = Annotated[str | NotApplicable, pydantic.BeforeValidator(_yes_or_no)]


def asked(question: str, **how: Any) -> Any:
    """Field that is blank until its author fills it in, with the question that it answers.

    how : default, and `optional` where a report is whole without it
    """
    default = how.pop("default", "")
    return pydantic.Field(default=default, description=question, json_schema_extra=how or None)


def asked_list(question: str, **how: Any) -> Any:
    """The same for a list of tables."""
    return pydantic.Field(default_factory=list, description=question, json_schema_extra=how or None)


def is_blank(value: object) -> bool:
    """Whether nothing was said."""
    return isinstance(value, str) and not value.strip()
