"""What is said in an SBML file: words escaped, sources cited."""

from pbpk.body.expansion import read_model
from pbpk.share.sbml import sbml_text
from pbpk.share.sbml_notes import plain

MSC = read_model("msc", "mouse", "FND")


def test_signs_that_xml_cannot_hold_are_left_out():
    assert "\x00" not in plain("a\x00b")
    assert plain("lung.label") == "lung.label"


def test_a_reader_is_told_what_and_whence():
    text = sbml_text(MSC, origin="medians of the fit of mine")
    assert "medians of the fit of mine" in text
    assert MSC.parameters[0].about.split(":")[0][:20].replace("&", "&amp;") in text
