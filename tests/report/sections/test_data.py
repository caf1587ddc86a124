from types import SimpleNamespace

import pytest
from wordsof import tables_of, words_of

from pbpk.report.document.blocks import Figure
from pbpk.report.sections.data import data


def test_what_was_fitted_and_left_out_is_told(told):
    blocks = data(told)
    tables = tables_of(blocks)
    assert {"Groups and doses", "What was fitted: organs and times"} <= set(tables)
    words = words_of(blocks)
    assert all(sentence in words for sentence in told.run.joint.counts.left_out)
    assert "words of the author" in words


def test_an_unknown_denominator_is_told_with_its_weights(zhuang, but, silent):
    words = words_of(data(but(silent, run=zhuang)))
    assert "posterior probability 0.630" in words
    assert "does not say whether" in words


@pytest.fixture
def run_with_plates(khot, plated):
    """A run of another study to which these plates are lent: the rest of its report does not ask of light."""
    counts = SimpleNamespace(**vars(khot.joint.counts) | {
        name: getattr(plated.counts, name) for name in ("panels", "quantified", "signals")
    })  # fmt: skip
    counts.table, counts.denominator = plated.counts.table, "dose"
    counts.study = plated.study
    joint = SimpleNamespace(**{name: getattr(khot.joint, name) for name in ("model", "estimated", "readings")})
    joint.counts = counts
    return SimpleNamespace(**vars(khot) | {"joint": joint})


def test_plates_are_there_where_light_is(run_with_plates, but, silent):
    blocks = data(but(silent, run=run_with_plates))
    assert any(isinstance(block, Figure) for block in blocks)
    assert "Plates of raw light" in words_of(blocks)
    assert "plates.html" in words_of(blocks)
    assert "Plates of raw light" not in words_of(data(silent))
