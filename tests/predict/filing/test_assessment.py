"""Ten items, each of its author or computed; the risk by the rule, the outcome never computed."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbpk.predict.filing.assessment import assessment_table, model_risk
from pbpk.predict.filing.authored import Authored
from pbpk.predict.filing.fields import RATINGS
from pbpk.predict.filing.judging import judge


def of(**assessment):
    return assessment_table(Authored.model_validate({"assessment": assessment}))


@given(st.sampled_from(RATINGS), st.sampled_from(RATINGS))
def test_the_risk_is_the_larger(a, b):
    risk = model_risk(a, b)
    assert risk == model_risk(b, a)
    assert RATINGS.index(risk) == max(RATINGS.index(a), RATINGS.index(b))
    item = of(model_influence={"rating": a}, consequence_of_wrong_decision={"rating": b})[4]
    assert (item.rating, item.status) == (risk, "auto")
    assert f"influence {a}, consequence {b}" in item.entry


@pytest.mark.parametrize("given_", [{}, {"model_influence": {"rating": "low"}},
                                    {"consequence_of_wrong_decision": {"rating": "high"}}])  # fmt: skip
def test_there_is_no_risk_without_both(given_):
    assert (of(**given_)[4].rating, of(**given_)[4].status) == ("", "missing")


def test_another_risk_stands_with_its_reason():
    both = {"model_influence": {"rating": "low"}, "consequence_of_wrong_decision": {"rating": "high"}}
    item = of(**both, model_risk={"rating": "medium", "justification": "because"})[4]
    assert (item.rating, item.entry, item.status) == ("medium", "because", "author")
    assert of(**both, model_risk={"rating": "medium"})[4].status == "missing"


def test_nothing_is_made_up():
    items = assessment_table(Authored())
    assert [item.number for item in items] == list(range(1, 11))
    assert {item.status for item in items} == {"missing"}
    assert not any(item.entry or item.rating for item in items)


def test_all_is_there_when_all_is_said(complete, filed):
    authored = Authored.model_validate(tomllib.loads(complete))
    items = assessment_table(authored, judge(authored.criteria, filed.run))
    assert [item.status for item in items] == ["author"] * 4 + ["auto"] + ["author"] * 3 + ["auto", "author"]
    assert items[3].entry == "(severity medium, likelihood medium) said"
    assert items[6].entry == "rhat: rhat_max <= 1.01; coverage: inside_share between 0 and 1"
    assert items[8].entry == "2 of 2 criteria are met."


def test_the_outcome_is_never_computed(complete, filed):
    blank = complete.replace('outcome = "said"', 'outcome = ""')
    authored = Authored.model_validate(tomllib.loads(blank))
    items = assessment_table(authored, judge(authored.criteria, filed.run))
    assert (items[9].entry, items[9].status) == ("", "missing")


def test_what_is_not_met_is_told(complete, filed):
    authored = Authored.model_validate(tomllib.loads(complete.replace("threshold = 1.01", "threshold = 0.5")))
    item = assessment_table(authored, judge(authored.criteria, filed.run))[8]
    assert item.entry.startswith("1 of 2 criteria are met. rhat: rhat_max is 1")
    assert item.status == "auto"


def test_a_justification_that_does_not_apply():
    item = of(model_impact={"rating": "low", "justification": {"na": "no expectation exists"}})[5]
    assert (item.rating, item.entry, item.status) == ("low", "no expectation exists", "n/a")
