import xml.etree.ElementTree as ET

from pbpk.report.formulas import equation_markup


def test_every_state_has_a_well_formed_equation(khot):
    found = equation_markup(khot.joint.model)
    assert len(found) == len(khot.joint.model.states)
    for markup in found:
        assert ET.fromstring(markup).tag == "math"


def test_a_state_is_n_with_its_name_below(khot):
    at = khot.joint.model.states.index("lung.arrested")
    text = equation_markup(khot.joint.model)[at]
    assert "<msub><mi>N</mi><mtext>lung arrested</mtext></msub>" in text
    assert "<msub><mi>E</mi><mtext>lung</mtext></msub>" in text
    assert "lung.arrested" not in text
