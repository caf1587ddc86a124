"""A study as one NONMEM table: the same rows as two tables, or one sentence."""

import pytest
from onecompartment import NONMEM, write_one

from pbpk.assay.doses import known_dose
from pbpk.assay.study import read_study
from pbpk.errors import StudyError

TABLE = """ID,TIME,AMT,RATE,EVID,CMT,ADDL,II,SS,DV,CENS,LIMIT
1,0,10,0,1,1,2,12,0,.,.,.
1,1,.,.,0,3,.,.,.,4.5,0,.
1,12,.,.,0,3,.,.,.,2.5,0,.
1,12,5,.,1,2,0,0,0,.,.,.
1,30,.,.,0,3,.,.,.,0.5,1,.
2,0,10,5,1,1,0,0,0,.,.,.
2,2,.,.,0,3,.,.,.,3,1,1
2,0,4,0,4,1,0,8,1,.,.,.
2,3,.,.,0,3,.,.,.,1.5,0,.
"""


def test_records_become_doses_and_values(tmp_path):
    study = read_study(write_one(tmp_path / "study", {"nonmem.csv": TABLE}, NONMEM))
    first, second, infusion, steady = study.doses
    assert (first.amount, first.unit, first.addl, first.interval_h, first.animal) == (10.0, "mg", 2, 12.0, "1")
    assert (second.route, second.hours) == ("oral", 12.0)
    assert infusion.rate_per_h == 5.0
    assert (steady.animal, steady.reset, steady.ss) == ("2, occasion 2", True, 1)
    values = [(m.animal, m.hours, m.value, m.lloq, m.low, m.high) for m in study.measurements]
    assert values == [
        ("1", 1.0, 4.5, None, None, None),
        ("1", 12.0, 2.5, None, None, None),
        ("1", 30.0, None, 0.5, None, None),
        ("2", 2.0, None, None, 1.0, 3.0),
        ("2, occasion 2", 3.0, 1.5, None, None, None),
    ]
    assert study.measurements[0].source == "nonmem.csv: row 3"


def test_what_the_model_would_know_is_told_by_the_study(tmp_path):
    table = "ID,TIME,AMT,RATE,EVID,CMT,DV\n1,0,10,-1,1,1,.\n1,0,6,-2,1,2,.\n1,4,.,.,0,3,2\n"
    more = NONMEM + "rate_per_h = { iv = 4 }\nduration_h = { oral = 3 }\nlag_h = { oral = 0.5 }\n"
    more += "bioavailability = { oral = 0.8 }\n"
    iv, oral = read_study(write_one(tmp_path / "study", {"nonmem.csv": table}, more)).doses
    assert (iv.rate_per_h, iv.duration_min) == (4.0, 0.0)
    assert (oral.rate_per_h, oral.duration_min, oral.lag_h, oral.bioavailability) == (0.0, 180.0, 0.5, 0.8)


def test_an_infusion_since_ever_has_a_rate_and_no_amount(tmp_path):
    table = "ID,TIME,AMT,RATE,EVID,CMT,SS,DV\n1,0,0,2,1,1,1,.\n1,4,.,.,0,3,.,2\n"
    (dose,) = read_study(write_one(tmp_path / "study", {"nonmem.csv": table}, NONMEM)).doses
    assert dose.is_since_ever
    assert dose.in_all == (2.0, "mg")


def test_groups_are_told_by_a_column(tmp_path):
    table = "ID,TIME,AMT,EVID,CMT,DV,ARM\n1,0,10,1,1,.,all\n1,4,.,0,3,2,all\n2,0,10,1,1,.,high\n2,4,.,0,3,2,high\n"
    more = '[[groups]]\nname = "high"\nroute = "iv"\n' + NONMEM + 'group = "ARM"\n'
    study = read_study(write_one(tmp_path / "study", {"nonmem.csv": table}, more))
    assert [(dose.group, dose.animal) for dose in study.doses] == [("all", "1"), ("high", "2")]


ROWS = "ID,TIME,AMT,EVID,CMT,DV\n1,0,10,1,1,.\n1,4,.,0,3,2\n"


@pytest.mark.parametrize(
    ("table", "more", "said"),
    [
        (ROWS, "", "study.toml: [nonmem] is missing; it says the unit of AMT"),
        (ROWS.replace("0,3,2", "0,4,2"), NONMEM, "row 3: [nonmem.observed] does not say what `4` is."),
        (ROWS.replace("1,1,.", "1,7,."), NONMEM, "row 2: `routes` has no CMT 7."),
        (ROWS, NONMEM + "lag_h = { orl = 1 }", "`nonmem`: lag_h: `orl` is not one of `routes`. Did you mean `oral`?"),
        (ROWS, NONMEM + "bioavailability = { oral = 0 }", "bioavailability: `oral` is 0; it must be above zero."),
        (ROWS.replace("DV\n", "DV,WT\n").replace(",.\n", ",.,70\n").replace(",2\n", ",2,70\n"), NONMEM,
         "unknown column `WT`. Remove it, or name it as a covariate."),
        (ROWS, '[[groups]]\nname = "b"\nroute = "iv"\n' + NONMEM, "[nonmem] needs `group`, the column that tells"),
        ("ID,TIME,AMT,RATE,EVID,CMT,DV\n1,0,10,-1,1,1,.\n1,4,.,.,0,3,2\n", NONMEM,
         "row 2: RATE is -1, so [nonmem] must tell `rate_per_h` for `iv`."),
        (ROWS.replace("1,0,10", "1,-1,10"), NONMEM, "nonmem.csv: row 2: `hours` is `-1.0`"),
        (ROWS, NONMEM.replace('"mg"', '"mL"'), "`mL` is no amount"),
        (ROWS, NONMEM.replace('"plasma"', '"plasmo"') + '[tissues]\nplasma = "plasma"\n',
         "nonmem.csv: row 3: the organ `plasmo` is not under [tissues]"),
    ],
)  # fmt: skip
def test_a_table_that_says_too_little_is_one_sentence(tmp_path, table, more, said):
    with pytest.raises(StudyError) as refusal:
        read_study(write_one(tmp_path / "study", {"nonmem.csv": table}, more))
    assert said in str(refusal.value)
    assert str(refusal.value).count("\n") == 0


def test_two_ways_at_once_are_refused(tmp_path):
    folder = write_one(tmp_path / "study", {"nonmem.csv": ROWS, "doses.csv": "group\n"}, NONMEM)
    with pytest.raises(StudyError, match=r"doses\.csv: nonmem\.csv is there too; keep one of them\."):
        read_study(folder)


def test_a_subject_is_the_same_on_each_occasion(tmp_path):
    table = "ID,TIME,AMT,EVID,CMT,DV\n1,0,2,1,1,.\n1,4,.,0,3,2\n1,0,3,4,1,.\n1,5,.,0,3,2\n"
    more = NONMEM.replace('"mg"', '"mg/kg"')
    weights = "animal,group,body_weight_g,sacrificed_hours\n1,all,500,5\n,all,9000,\n"
    folder = write_one(tmp_path / "study", {"nonmem.csv": table, "animals.csv": weights}, more)
    assert [(dose.animal, dose.amount, dose.unit) for dose in read_study(folder).doses] == [
        ("1", 1.0, "mg"),
        ("1, occasion 2", 1.5, "mg"),
    ]
    (folder / "animals.csv").write_text(weights.replace("500,5", "500,4"))
    with pytest.raises(StudyError, match=r"row 5: the animal `1, occasion 2` of `all` was measured at 5 h but sacr"):
        read_study(folder)


def test_cells_per_weight_are_cells(tmp_path):
    table = "ID,TIME,AMT,EVID,CMT,DV\n1,0,1e6,1,1,.\n1,4,.,0,3,2\n"
    more = NONMEM.replace('"mg"', '"cells/kg"')
    weights = "animal,group,body_weight_g\n1,all,20\n"
    study = read_study(write_one(tmp_path / "study", {"nonmem.csv": table, "animals.csv": weights}, more))
    assert known_dose(study, "all", "1") == pytest.approx(2e4)
