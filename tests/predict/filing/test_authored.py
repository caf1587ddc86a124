"""Nothing that an author wrote is changed or lost, and nothing that is blank stays unsaid."""

import json
import re
import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pbpk.assay.study import Reporting
from pbpk.errors import FilingError
from pbpk.predict.filing.authored import Authored, Missing, entries, missing, read_authored
from pbpk.predict.filing.fields import NotApplicable
from pbpk.predict.filing.template import template

HOSTILE = [
    "x" * 10_000,
    "a | b | c \\ \\n \\\\server\\share {{ jinja }} $maths$ @cite #set <script>alert(1)</script>",
    "\u202e\u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627 \u200f\u2066",
    "\U0001f9ec\U0001f469\u200d\U0001f52c \u00e9 e\u0301 \u0000".replace("\u0000", ""),
    "line\n\n# heading\n---\n| --- |\n```\n",
    "TO BE COMPLETED",
    "=1+1",
]
TEXT = st.text(st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\ufffe\uffff"), max_size=60)


def quoted(text):
    return json.dumps(text, ensure_ascii=False)


def write(folder, text):
    (folder / "report.toml").write_text(text, encoding="utf-8")
    return folder


def test_a_complete_report_lacks_nothing(complete, tmp_path):
    assert missing(read_authored(write(tmp_path, complete))) == ()


def test_a_study_without_one_lacks_everything(tmp_path):
    assert read_authored(tmp_path) == Authored()
    names = [each.name for each in missing(Authored())]
    assert len(names) == len(set(names)) > 50
    assert {"sign_off.authors", "summary.rationale", "criteria", "exclusions", "assumptions", "assessment.outcome"} <= {
        *names
    }


def test_every_question_is_one(complete):
    for each in missing(Authored()):
        assert each.question.endswith("?"), each.name
        assert str(each) == f"{each.name}: {each.question}"


@pytest.mark.parametrize("blank", ['""', '"   "', '"\\n\\t"'])
def test_each_field_that_is_blanked_is_named(complete, blank, tmp_path):
    """One after the other, every field of a complete report."""
    table, fields = "", []
    for number, line in enumerate(complete.splitlines()):
        if found := re.fullmatch(r"\[\[?([\w.]+)\]\]?", line):
            table = found.group(1)
        if (found := re.fullmatch(r'(\w+) = "said"', line)) is not None:
            fields.append((number, table, found.group(1)))
    assert len(fields) > 50
    for number, table, field in fields:
        lines = complete.splitlines()
        lines[number] = f"{field} = {blank}"
        (gap,) = missing(Authored.model_validate(tomllib.loads("\n".join(lines))))
        assert re.sub(r"\[1\]", "", gap.name) == f"{table}.{field}"


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_is_kept_as_it_is(complete, text, tmp_path):
    whole = complete.replace('background = "said"', f"background = {quoted(text)}")
    found = read_authored(write(tmp_path, whole))
    assert found.introduction.background == text
    (entry,) = (each for each in entries(found) if each.name == "introduction.background")
    assert (entry.text, entry.status) == (text, "given")


@given(TEXT)
@settings(max_examples=60)
def test_a_field_is_missing_just_where_it_is_blank(text):
    found = Authored.model_validate(tomllib.loads(f"[conclusions]\nconclusions = {quoted(text)}\n"))
    gone = "conclusions.conclusions" in {each.name for each in missing(found)}
    assert gone == (not text.strip())


def test_not_applicable_is_no_gap_and_keeps_its_reason(complete, tmp_path):
    whole = complete.replace('feeding = "said"', 'feeding = {na = "cells in a tube do not eat"}')
    found = read_authored(write(tmp_path, whole))
    assert missing(found) == ()
    assert found.study.feeding == NotApplicable(na="cells in a tube do not eat")
    (entry,) = (each for each in entries(found) if each.name == "study.feeding")
    assert (entry.text, entry.status) == ("cells in a tube do not eat", "n/a")


def test_a_whole_table_may_not_apply(tmp_path):
    found = read_authored(write(tmp_path, '[study]\nna = "synthetic"\nfacility = "here"\n'))
    mine = {each.name: each for each in entries(found) if each.name.startswith("study.")}
    assert (mine["study.facility"].text, mine["study.facility"].status) == ("here", "given")
    assert (mine["study.protocol"].text, mine["study.protocol"].status) == ("synthetic", "n/a")
    assert not [each for each in missing(found) if each.name.startswith("study.")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[summary]\nrationale = {na = 'no'}", "line 2: `summary.rationale`: cannot be n/a"),
        ("[introduction]\nbackground = {na = ' '}", "line 2: `introduction.background.na`: n/a needs a reason"),
        ("[introduction]\nbackground = 3", "line 2: `introduction.background`"),
        ("[introduction]\nbackgrund = ''", "line 2: unknown key `introduction.backgrund`. Did you mean `background`?"),
        ("[sumary]", "unknown key `sumary`. Did you mean `summary`?"),
        ("[assessment.model_influence]\nrating = 'hihg'", "Did you mean `high`?"),
        ("[introduction]\nbackground = '\\u0000'\nearlier_analyses = \"\\u0007\"", "control character U+0007"),
        ("[assessment.model_influence]\nrating = 'xyz'", "is `xyz`. Choose from `high`, `low`, `medium`."),
        ("[[sign_off.authors]]\nnam = 'A'", "unknown key `sign_off.authors.0.nam`. Did you mean `name`?"),
        ("criteria = 3", "`criteria`"),
        ("[discussion.unmet]\nrat = 'why'", "discussion.unmet: `rat` is no criterion"),
        ("[assessment", "not readable as TOML"),
        ("a = " + "[" * 3000, "not readable as TOML"),
        ("[assessment.model_influence]\nrating='low'\n[assessment.consequence_of_wrong_decision]\nrating='low'\n"
         "[assessment.model_risk]\nrating='high'", "influence and consequence are both low, so the risk is low"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_sentence(tmp_path, text, said):
    with pytest.raises(FilingError) as problem:
        read_authored(write(tmp_path, text))
    assert said in str(problem.value)
    assert "\n" not in str(problem.value)
    assert str(problem.value).startswith(f"{tmp_path / 'report.toml'}: ")


def test_a_criterion_stands_once(tmp_path):
    row = '[[criteria]]\nid = "a"\nquantity = "rhat_max"\ncomparison = "<="\nthreshold = 1\n'
    with pytest.raises(FilingError, match="holds `a` twice"):
        read_authored(write(tmp_path, row * 2))


def test_what_study_toml_says_counts(tmp_path):
    said = Reporting(study_number="S-1", facility="Here", glp="no")
    found = read_authored(tmp_path, said)
    assert (found.study.study_number, found.study.facility, found.study.glp) == ("S-1", "Here", "no")
    names = {each.name for each in missing(found)}
    assert not {"study.study_number", "study.facility", "study.glp"} & names
    assert "study.glp_reason" in names  # a bare no needs one
    same = write(tmp_path, '[study]\nfacility = "Here"\n')
    assert read_authored(same, said).study.facility == "Here"
    write(tmp_path, '[study]\n\nfacility = "There"\n')
    with pytest.raises(FilingError, match=r"line 3: `study.facility` is not what \[reporting\] of study.toml says"):
        read_authored(tmp_path, said)


@pytest.mark.parametrize(
    ("glp", "asked"),
    [("no", True), ("No ", True), ("non-GLP", True), ("yes", False), ("no: exploratory", False), ("", False)],
)
def test_a_bare_no_needs_a_reason(glp, asked):
    found = Authored.model_validate({"study": {"glp": glp}})
    assert ("study.glp_reason" in {each.name for each in missing(found)}) == asked


def test_a_risk_of_ones_own_needs_a_reason():
    found = Authored.model_validate({"assessment": {"model_risk": {"rating": "low"}}})
    assert Missing("assessment.model_risk.justification", "Why this rating?") in missing(found)
    assert "assessment.model_risk.justification" not in {each.name for each in missing(Authored())}


def test_a_sole_source_is_high():
    found = Authored.model_validate({"assessment": {"model_influence": {"sole_source": True}}})
    assert found.assessment.model_influence.rated == "high"
    assert "assessment.model_influence.rating" not in {each.name for each in missing(found)}


def test_rows_are_numbered(tmp_path):
    row = '[[assumptions]]\nstatement = "s"\nreason = "r"\nalternative = "a"\nimpact_test = "{}"\n'
    found = read_authored(write(tmp_path, row.format("t") + row.format("")))
    assert [each.name for each in missing(found) if "assumptions" in each.name] == ["assumptions[2].impact_test"]


def test_the_template_says_nothing_yet():
    blank = Authored.model_validate(tomllib.loads(template()))
    assert not [each for each in entries(blank) if each.status != "missing"]
