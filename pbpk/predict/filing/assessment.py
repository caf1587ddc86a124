"""The assessment table, structured after ICH M15, appendix 1: ten items, each of its author or computed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pbpk.predict.filing.authored import Authored, Rated
from pbpk.predict.filing.fields import RATINGS, NotApplicable, Rating, Text, is_blank
from pbpk.predict.filing.judging import Judged

Status = Literal["author", "auto", "n/a", "missing"]


@dataclass(frozen=True)
class Item:
    """One row of the assessment table.

    when : plan, submission or both; rating : low, medium, high, or empty where the item has none or it is missing
    entry : what is said of it, or why it is rated so; why it does not apply where the status is n/a
    status : author, auto (computed), n/a, or missing (rating or entry to be completed)
    """

    number: int
    item: str
    when: Literal["plan", "submission", "both"]
    rating: str
    entry: str
    status: Status


def model_risk(influence: Rating, consequence: Rating) -> Rating:
    """Influence combined with consequence: both low is low, both high is high, else the larger; blank if one is.

    >>> model_risk("low", "medium")
    'medium'
    """
    if not influence or not consequence:
        return ""
    return max(influence, consequence, key=RATINGS.index)


def assessment_table(authored: Authored, judged: Sequence[Judged] | None = None) -> tuple[Item, ...]:
    """Return the ten items.

    judged : the criteria, held against a run; None before the fit
    """
    own = authored.assessment
    consequence = own.consequence_of_wrong_decision
    parts = [f"{name} {value}" for name, value in
             (("severity", consequence.severity), ("likelihood", consequence.likelihood)) if value]  # fmt: skip
    return (
        _text(1, "Question of interest", "both", own.question_of_interest),
        _text(2, "Context of use", "both", own.context_of_use),
        _rated(3, "Model influence", own.model_influence, own.model_influence.rated),
        _rated(4, "Consequence of wrong decision", consequence, consequence.rating, ", ".join(parts)),
        _risk(authored),
        _rated(6, "Model impact", own.model_impact, own.model_impact.rating),
        _criteria(authored),
        _text(8, "Appropriateness of proposed MIDD", "plan", own.appropriateness),
        _evaluation(judged),
        _text(10, "Outcome of the MIDD evidence assessment", "submission", own.outcome),
    )


def _text(number: int, item: str, when: Literal["plan", "submission", "both"], said: str) -> Item:
    return Item(number, item, when, "", said, "missing" if is_blank(said) else "author")


def _words(said: Text) -> tuple[str, Status]:
    """Text of a field that may be n/a, and its status."""
    if isinstance(said, NotApplicable):
        return said.na, "n/a"
    return said, "missing" if is_blank(said) else "author"


def _rated(number: int, item: str, given: Rated, rating: Rating, before: str = "") -> Item:
    entry, status = _words(given.justification)
    entry = f"({before}) {entry}".strip() if before else entry
    return Item(number, item, "both", rating, entry, status if rating else "missing")


def _risk(authored: Authored) -> Item:
    own = authored.assessment
    influence, consequence = own.model_influence.rated, own.consequence_of_wrong_decision.rating
    if own.model_risk.rating:
        return _rated(5, "Model risk", own.model_risk, own.model_risk.rating)
    rating = model_risk(influence, consequence)
    if not rating:
        return Item(5, "Model risk", "both", "", "", "missing")
    rule = "both agree" if influence == consequence else "the larger of the two"
    return Item(5, "Model risk", "both", rating, f"influence {influence}, consequence {consequence}: {rule}", "auto")


def _criteria(authored: Authored) -> Item:
    told = "; ".join(f"{each.id}: {each}" for each in authored.criteria)
    return Item(7, "Technical criteria", "plan", "", told, "author" if told else "missing")


def _evaluation(judged: Sequence[Judged] | None) -> Item:
    """Item 9: how many criteria are met, and each that is not."""
    name = "Evaluation of model(s) and outcomes"
    if not judged:
        return Item(9, name, "submission", "", "", "missing")
    met = sum(each.passed for each in judged)
    unmet = [each.sentence for each in judged if not each.passed]
    return Item(9, name, "submission", "", " ".join([f"{met} of {len(judged)} criteria are met.", *unmet]), "auto")
