from wordsof import words_of

from pbpk.report.sections.closing import conclusions, discussion


def test_limitations_follow_from_the_numbers(told):
    words = words_of(discussion(told))
    assert "label is not viability" in words
    assert "stayed where the prior had put them" in words
    assert "The scenario Scenario 1 rests on a hypothesis, not on data." in words
    assert words.count("words of the author") >= 4


def test_conclusions_are_the_authors(told, silent):
    assert words_of(conclusions(told)) == "Conclusions. words of the author"
    assert "TO BE COMPLETED" in words_of(conclusions(silent))
