import xml.etree.ElementTree as ET

from pbpk.report.formulas import equation_markup


def test_every_state_has_a_well_formed_equation(khot):
    found = equation_markup(khot.joint.model)
    assert len(found) == len(khot.joint.model.states)
    for markup in found:
        parts = ET.fromstring(f"<div>{markup}</div>")
        assert {part.tag for part in parts} == {"math"}
        assert len(parts) > 1


def test_a_state_is_n_with_its_name_below(khot):
    at = khot.joint.model.states.index("lung.arrested")
    text = equation_markup(khot.joint.model)[at]
    assert "<msub><mi>N</mi><mtext>lung arrested</mtext></msub>" in text
    assert "<msub><mi>E</mi><mtext>lung</mtext></msub>" in text
    assert "lung.arrested" not in text


def test_a_term_that_leaves_has_one_minus(khot):
    at = khot.joint.model.states.index("label.blood")
    text = equation_markup(khot.joint.model)[at]
    assert text.count('<mo form="infix">−</mo>') == 8
    assert "<mo>-</mo>" not in text
