from wordsof import words_of

from pbpk.report.sections.uncertainty import uncertainty


def test_what_was_learned_tied_and_is_to_be_measured(told):
    words = words_of(uncertainty(told))
    assert "Label is not life" in words
    assert "loss_lung and transfer_lung are confounded" in words
    assert "Six live readouts" in words
    assert "Either the prior is of another cell" in words  # loss_lung is pulled away in these invented numbers


def test_what_answers_hang_on(told, silent):
    assert "What the answers to the scenario A bolus hang on." in words_of(uncertainty(told))
    assert "What the answers hang on" not in words_of(uncertainty(silent))
