import pytest
from killed import domains, killed_rows, write_killed
from mousestudy import organ_rows, write_rows
from onecompartment import NONMEM, write_one

from pbpk.assay.counts import count_cells
from pbpk.assay.study import read_study
from pbpk.errors import ShareError
from pbpk.share.send.rules import check_rules
from pbpk.share.send.subjects import CELLS, species_and_strain, subjects_of
from pbpk.share.send.terms import read_terms

TERMS = read_terms()


def subjects(folder):
    return subjects_of(count_cells(read_study(folder)), TERMS)


def test_an_animal_has_a_row_with_what_is_known_of_it(tmp_path):
    folder = write_killed(tmp_path / "study")
    (folder / "animals.csv").write_text("animal,group,sex\nm00,iv,female\n,iv,male\n")
    rows = subjects(folder).demographics()
    assert len(rows) == 12
    assert rows[0]["USUBJID"] == "study-m00"
    assert [row["SEX"] for row in rows[:2]] == ["F", "M"]
    assert {row["SPECIES"] for row in rows} == {"MOUSE"}
    assert len({row["USUBJID"] for row in rows}) == 12


def test_two_groups_may_have_an_animal_of_one_name(tmp_path):
    more = '[[groups]]\nname = "pv"\nroute = "portal_vein"\n'
    rows = [row | {"group": group} for group in ("iv", "pv") for row in killed_rows()]
    doses = "group,hours,cells,route\niv,0,1000000,iv\npv,2,2000000,portal_vein\n"
    found = subjects(write_rows(tmp_path / "study", rows, more=more, doses=doses))
    assert len(found.demographics()) == 24
    assert found.usubjid("pv", "m00") == "study-pv-m00"
    given = [row for row in found.exposures() if row["USUBJID"] == "study-pv-m00"]
    assert [(row["EXDOSE"], row["EXDOSU"], row["EXROUTE"], row["EXLOC"], row["EXELTM"]) for row in given] == [
        (2.0, CELLS, "INTRAVENOUS", "PORTAL VEIN", "PT0H")
    ]
    assert found.start("pv", "m00") == 2.0


def test_names_that_would_be_alike_are_refused(tmp_path):
    more = '[[groups]]\nname = "iv-m"\nroute = "iv"\n'
    rows = [row | {"group": group, "animal": animal}
            for group, animal in (("iv", "m-1"), ("iv-m", "1"), ("iv", "2"), ("iv-m", "2"))
            for row in organ_rows() if (row.pop("n", 1))]  # fmt: skip
    doses = "group,hours,cells,route\niv,0,1000000,iv\niv-m,0,1000000,iv\n"
    with pytest.raises(ShareError, match="two animals would be named `iv-m-1`"):
        subjects(write_rows(tmp_path / "study", rows, more=more, doses=doses)).demographics()


def test_a_dose_that_repeats_is_written_out(tmp_path):
    doses = "group,hours,cells,route,addl,interval_h,duration_min\niv,0,1000000,iv,2,24,30\n"
    rows = subjects(write_killed(tmp_path / "study", doses=doses)).exposures()
    own = [row for row in rows if row["USUBJID"] == "study-m00"]
    assert [row["EXELTM"] for row in own] == ["PT0H", "PT24H", "PT48H"]
    assert [row["EXSTDY"] for row in own] == [1, 2, 3]
    assert [row["EXTPTNUM"] for row in own] == [1, 2, 3]
    assert {row["EXDUR"] for row in own} == {"PT30M"}
    doses = doses.replace(",2,24,", ",5000,1,")
    with pytest.raises(ShareError, match="followed by 5000 others"):
        subjects(write_killed(tmp_path / "study", doses=doses)).exposures()


def test_groups_without_animals_have_no_rows_but_a_set(tmp_path):
    found = subjects(write_rows(tmp_path / "study", organ_rows()))
    assert found.demographics() == []
    assert found.exposures() == []
    told = {row["TXPARMCD"]: row["TXVAL"] for row in found.sets()}
    assert told["TRTDOSTX"] == "1 x 10^6 Therapeutic Cells at 0 h"
    assert told["ROUTE"] == "INTRAVENOUS"


@pytest.mark.parametrize(
    ("written", "strain", "details"),
    [("C57BL/6 male 8 wk", "C57BL/6", "C57BL/6 male 8 wk"), ("BALB/c", "BALB/C", ""), ("", "", ""),
     ("NOD SCID gamma", "NOD SCID", "NOD SCID gamma"), ("human tissue", "HUMAN TISSUE", "")],
)  # fmt: skip
def test_the_strain_is_a_term_that_the_words_hold(tmp_path, written, strain, details):
    folder = write_killed(tmp_path / "study", top=f'strain = "{written}"')
    assert species_and_strain(read_study(folder), TERMS) == ("MOUSE", strain, details)


def test_every_occasion_of_a_subject_keeps_its_doses(tmp_path):
    table = """ID,TIME,AMT,RATE,EVID,CMT,ADDL,II,SS,DV,CENS,LIMIT
1,0,10,0,1,1,1,12,0,.,.,.
1,1,.,.,0,3,.,.,.,4.5,0,.
1,30,.,.,0,3,.,.,.,0.5,1,.
2,0,10,5,1,1,0,0,0,.,.,.
2,2,.,.,0,3,.,.,.,2,0,.
2,0,4,0,4,1,0,8,1,.,.,.
2,3,.,.,0,3,.,.,.,1.5,0,.
"""
    sets = domains(write_one(tmp_path / "study", {"nonmem.csv": table}, NONMEM))
    assert sorted(sets["DM"].table["SUBJID"]) == ["1", "2"]
    given = sets["EX"].table
    assert given["USUBJID"].tolist() == ["study-1", "study-1", "study-2", "study-2"]
    assert given["EXDOSE"].tolist() == [10.0, 10.0, 10.0, 4.0]
    assert given["EXDOSU"].unique().tolist() == ["mg"]
    assert given["EXDUR"].tolist() == ["", "", "PT2H", ""]
    assert given["EXTPTREF"].tolist()[-1] == "FIRST DOSE, OCCASION 2"
    assert given["EXADJ"].tolist()[-1] == "at steady state, every 8 h before"
    values = sets["PC"].table
    references = dict(zip(values["PCORRES"], values["PCTPTREF"], strict=True))
    assert references.pop("1.5") == "FIRST DOSE, OCCASION 2"
    assert references == dict.fromkeys(("4.5", "<0.5", "2"), "FIRST DOSE")
    assert check_rules({name: each.table for name, each in sets.items()}) == []
