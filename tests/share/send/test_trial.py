import pytest
from killed import domains, write_killed


def told(folder):
    table = domains(folder)["TS"].table
    return dict(zip(table["TSPARMCD"], table["TSVAL"], strict=True))


def test_what_the_study_says_and_nothing_else(tmp_path):
    said = told(write_killed(tmp_path / "study"))
    assert said["SSTYP"] == "DISTRIBUTION"
    assert said["SPECIES"] == "MOUSE"
    assert said["ROUTE"] == "INTRAVENOUS"
    assert {"GLPFL", "TSTFNAM", "STRAIN"}.isdisjoint(said)


@pytest.mark.parametrize(("glp", "flag"), [("no: exploratory", "N"), ("Yes, 21 CFR 58", "Y"), ("in part", None)])
def test_glp_is_a_flag_where_the_words_begin_so(tmp_path, glp, flag):
    more = f'[reporting]\nglp = "{glp}"\nstudy_number = "S-1"\nfacility = "Here"\n'
    folder = write_killed(tmp_path / "study", more=more)
    said = told(folder)
    assert said.get("GLPFL") == flag
    assert said["TSTFNAM"] == "Here"
    assert set(domains(folder)["TS"].table["STUDYID"]) == {"S-1"}
