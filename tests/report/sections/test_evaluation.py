from types import SimpleNamespace

from wordsof import tables_of, words_of

from pbpk.report.document.blocks import Figure
from pbpk.report.sections.evaluation import evaluation


def test_values_beside_predictions_and_areas_from_both(told):
    blocks = evaluation(told)
    assert sum(isinstance(block, Figure) for block in blocks) == 2
    assert {"Posterior predictive checks by organ", "Exposure: areas under the curves"} <= {
        name.partition(" (")[0] for name in tables_of(blocks)
    }


def test_no_area_says_why(khot, but, silent):
    run = SimpleNamespace(**(vars(khot) | {"exposure": khot.exposure.iloc[:0]}))
    assert "no area was computed" in words_of(evaluation(but(silent, run=run)))
