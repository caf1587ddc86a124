from dataclasses import replace
from types import SimpleNamespace

import pytest
from wordsof import words_of

from pbpk.predict.filing.authored import Entry, read_authored
from pbpk.report.author import cell, missing, paragraphs, said, titled
from pbpk.report.document.blocks import TO_BE_COMPLETED
from pbpk.report.dossier import NOBODY, Dossier

SAID = """
[sign_off]
sponsor = "words of the author"
[study]
na = "no study of ours"
label_effect = { na = "measured elsewhere" }
[conclusions]
conclusions = "words of the author"
"""
HOSTILE = "a|b *c* #d <e> \\f $g$ {{ 7 * 7 }}"


@pytest.fixture
def told(khot, tmp_path):
    (tmp_path / "report.toml").write_text(SAID)
    return Dossier(khot, replace(NOBODY, authored=read_authored(tmp_path / "report.toml")))


@pytest.fixture
def silent(khot):
    return Dossier(khot)


def test_what_is_missing_names_its_question_and_its_key():
    words = str(missing(Entry("summary.rationale", "Why?", "", "missing")))
    assert words == f"{TO_BE_COMPLETED}: Why? (summary.rationale in report.toml)"


def test_paragraphs_are_kept_and_words_are_the_authors():
    blocks = paragraphs(Entry("introduction.background", "What?", f"{HOSTILE}\n\nMore.", "given"), "report.toml")
    assert words_of(blocks) == f"Background. {HOSTILE}\nMore."
    assert all(block.source == "report.toml" for block in blocks)


def test_what_does_not_apply_says_why():
    (block,) = paragraphs(Entry("study.vehicle", "What?", "no vehicle", "n/a"), "report.toml")
    assert str(block.words) == "Vehicle. Not applicable: no vehicle"


def test_only_the_fields_of_a_part_are_said(told, silent):
    assert words_of(said(told, "conclusions")) == "Conclusions. words of the author"
    assert words_of(said(silent, "introduction")).count(TO_BE_COMPLETED) == 3
    assert len(said(silent, "introduction", skip=("introduction.background",))) == 2


def test_cells_say_the_same(told, silent):
    assert cell(told, "sign_off.sponsor") == "words of the author"
    assert cell(told, "study.label_effect") == "Not applicable: measured elsewhere"
    assert cell(told, "study.label_effect", brief=True) == "Not applicable"
    assert str(cell(silent, "sign_off.sponsor")) == TO_BE_COMPLETED
    assert cell(silent, "no.such.field") == "–"


def test_titles_are_words():
    assert titled("sign_off.authors[1].qualification") == "Qualification"
    assert titled("exclusions") == "Exclusions"


def test_a_source_is_where_the_author_said_it(told, silent):
    file = "study/khot_2019_t_cells_mouse/report.toml"
    assert told.by_author("sign_off.sponsor") == f"{file}#key=sign_off.sponsor"
    assert told.by_author("conclusions") == f"{file}#key=conclusions"
    assert told.by_author("study.label_effect") == f"{file}#key=study.label_effect"
    assert told.by_author("study.vehicle") == f"{file}#key=study.na"
    assert told.by_author("summary") == ""  # nobody said anything
    assert silent.by_author("study") == ""
    about = silent.run.study.about
    reporting = about.reporting.model_copy(update={"facility": "Here"})
    study = replace(silent.run.study, about=about.model_copy(update={"reporting": reporting}))
    run = SimpleNamespace(**(vars(silent.run) | {"study": study}))
    place = "study/khot_2019_t_cells_mouse/study.toml#key=reporting"
    assert Dossier(run).by_author("study.facility") == f"{place}.facility"
    assert Dossier(run).by_author("study") == place
    assert Dossier(run).by_author("study.glp") == ""
