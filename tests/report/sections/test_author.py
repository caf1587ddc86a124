from wordsof import words_of

from pbpk.predict.filing.authored import Entry
from pbpk.report.document.blocks import TO_BE_COMPLETED
from pbpk.report.sections.author import cell, missing, paragraphs, said, titled

HOSTILE = "a|b *c* #d <e> \\f $g$ {{ 7 * 7 }}"


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
    assert str(cell(silent, "sign_off.sponsor")) == TO_BE_COMPLETED
    assert cell(silent, "no.such.field") == "–"


def test_titles_are_words():
    assert titled("sign_off.authors[1].qualification") == "Qualification"
    assert titled("exclusions") == "Exclusions"
