"""The list names all that is asked of a study report, and each item says where it is answered or that it is not."""

import tomllib

from pbpk.predict.filing.authored import Authored, entries
from pbpk.predict.filing.study_report import ASKED, study_report_checklist


def test_every_field_that_is_named_exists():
    known = {entry.name for entry in entries(Authored())}
    assert {name for _, _, fields, _ in ASKED for name in fields} <= known
    assert [number for number, *_ in ASKED][:14] == [f"(a)({n})" for n in range(1, 15)]


def test_nothing_said_is_missing():
    rows = {each.number: each.status for each in study_report_checklist(Authored())}
    assert rows["(a)(1)"] == rows["(a)(14)"] == "missing"
    assert rows["(a)(3)"] == "auto"
    assert rows["(b)"] == "by hand"


def test_all_said(complete):
    rows = study_report_checklist(Authored.model_validate(tomllib.loads(complete)))
    assert {each.status for each in rows} == {"author", "auto", "by hand"}
    assert [entry.text for entry in rows[0].entries] == ["said"] * 4


def test_one_blank_among_several_is_missing(complete):
    text = complete.replace('address = "said"', 'address = ""')
    assert study_report_checklist(Authored.model_validate(tomllib.loads(text)))[0].status == "missing"


def test_what_does_not_apply_says_why():
    rows = study_report_checklist(Authored.model_validate({"study": {"na": "synthetic"}}))
    assert (rows[4].status, rows[4].entries[0].text) == ("n/a", "synthetic")
