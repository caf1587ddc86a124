from types import SimpleNamespace

from wordsof import words_of

from pbpk.report.document.blocks import Figure
from pbpk.report.sections.application import application


def test_each_scenario_has_its_figure_and_how_far_it_reaches(told):
    blocks = application(told)
    assert sum(isinstance(block, Figure) for block in blocks) == 1 + 2
    assert "read it as a hypothesis" in words_of(blocks)


def test_a_shut_gate_answers_nothing(make_run, but, silent):
    run = make_run("zhuang_2021_fnd_msc_mouse", scenarios=0, passed=False)
    assert "did not pass its checks" in words_of(application(but(silent, run=run)))


def test_more_than_was_given_is_told(khot, but, silent):
    run = SimpleNamespace(**(vars(khot) | {"forecast": khot.forecast.assign(mean=khot.forecast["mean"] * 3)}))
    assert "which cannot be" in words_of(application(but(silent, run=run)))
