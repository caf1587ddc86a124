from wordsof import tables_of, words_of

from pbpk.report.document.blocks import Paragraph
from pbpk.report.sections.verification import verification


def test_checks_stand_in_their_groups_and_a_failed_one_is_seen(told):
    blocks = verification(told)
    assert len(tables_of(blocks)) == 2
    alert = next(block for block in blocks if isinstance(block, Paragraph) and block.kind == "alert")
    assert str(alert.words) == "1 of 2 checks passed."
    assert "failed" in words_of(blocks)


def test_nobody_checked(silent):
    assert "TO BE COMPLETED: the checks were not run" in words_of(verification(silent))
