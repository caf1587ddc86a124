from wordsof import tables_of, words_of

from pbpk.report.document.blocks import TO_BE_COMPLETED
from pbpk.report.sections.judgement import criteria, deviations


def test_each_criterion_is_met_or_not(told):
    table = tables_of(criteria(told))["Results against technical criteria"]
    assert [str(row[5]) for row in table.rows] == ["met", "not met"]
    assert str(table.rows[1][6]) == TO_BE_COMPLETED  # nobody discussed it
    assert "1 of 2 criteria are met." in words_of(criteria(told))
    assert "frozen before the fit, on 2026-01-30" in words_of(criteria(told))


def test_without_criteria_they_are_asked_for(silent):
    assert TO_BE_COMPLETED in words_of(criteria(silent))


def test_deviations_want_a_reason(told, silent):
    words = words_of(deviations(told))
    assert "settings.draws | 800 | 1600" in words
    assert TO_BE_COMPLETED in words
    assert "late" in words
    assert "No plan was frozen" in words_of(deviations(silent))
