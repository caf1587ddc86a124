from wordsof import tables_of, words_of

from pbpk.report.document.blocks import Equations
from pbpk.report.sections.structure import model


def test_arrows_equations_and_the_law_are_there(told):
    blocks = model(told)
    body = told.run.joint.model
    (equations,) = (block for block in blocks if isinstance(block, Equations))
    assert len(equations.markup) == len(body.states)
    assert len(equations.latex) < len(body.states)  # organs share
    assert len(tables_of(blocks)["Arrows: a rate times the cells in the state it leaves"].rows) == len(body.families)
    words = words_of(blocks)
    assert "linear: twice the dose" in words
    assert "Conservation of cells" in words
    assert str(body.size_law.prior) in words
