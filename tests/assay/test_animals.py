"""What a study says of its animals: sentences for what is wrong, and doses that are per body weight."""

import shutil
from pathlib import Path

import pytest

from pbpk.assay.animals import split_unit
from pbpk.assay.counts import count_cells
from pbpk.assay.study import read_study
from pbpk.errors import StudyError

DATA = Path(__file__).parents[2] / "data"
THEOPHYLLINE = DATA / "boeckmann_1994_theophylline_human"
HEAD = "animal,group,body_weight_g,sex,sacrificed_hours\n"


@pytest.fixture
def written(tmp_path):
    """The theophylline study with other tables."""

    def write(**tables):
        folder = tmp_path / "study"
        shutil.copytree(THEOPHYLLINE, folder)
        for name, text in tables.items():
            (folder / f"{name}.csv").write_text(text)
        return folder

    return write


def test_doses_per_weight_are_what_each_got():
    study = read_study(THEOPHYLLINE)
    given = {dose.animal: dose.amount for dose in study.doses}
    assert {dose.unit for dose in study.doses} == {"mg"}
    assert given["1"] == pytest.approx(4.02 * 79.6)
    assert given["9"] == pytest.approx(3.1 * 86.4)
    assert len(given) == 12
    table = count_cells(study).table
    first = table[(table["animal"] == "1") & (table["hours"] == 0.25)]
    assert first["percent"].item() == pytest.approx(100.0 * 2.84e-3 / (4.02 * 79.6))


MEASURED = "group,animal,organ,hours,value,unit,readout,source\n"


def test_a_groups_dose_is_one_of_each_animal_beside_its_mean(written):
    folder = written(
        doses="group,animal,hours,amount,unit,route\noral,,0,4,mg/kg,oral\noral,,12,80,mg,oral\noral,c,0,7,mg,oral\n",
        measurements=MEASURED + "oral,a,serum,1,2,mg/L,drug,\noral,b,serum,1,2,mg/L,drug,\noral,,serum,1,2,mg/L,drug,\n"
        "oral,c,serum,1,2,mg/L,drug,\n",
        animals=HEAD + "a,oral,50000,,\n,oral,70000,,\n",
    )
    given = {(dose.animal, dose.hours): dose.amount for dose in read_study(folder).doses}
    assert given == pytest.approx({("a", 0.0): 200.0, ("b", 0.0): 280.0, ("", 0.0): 280.0, ("a", 12.0): 80.0,
                                   ("b", 12.0): 80.0, ("", 12.0): 80.0, ("c", 0.0): 7.0})  # fmt: skip


def test_cells_may_be_given_per_gram(written):
    folder = written(
        doses="group,animal,hours,amount,unit,route\noral,1,0,10,cell/g,oral\n",
        measurements=MEASURED + "oral,1,serum,1,2,percent_dose,drug,\n",
        animals=HEAD + "1,oral,79600,,\n",
    )
    (dose,) = read_study(folder).doses
    assert dose.given == (pytest.approx(796000.0), "cell")


@pytest.mark.parametrize(("unit", "parts"), [("mg/kg", ("mg", "kg")), ("mg", ("mg", "")), ("mg/mL", ("mg/mL", ""))])
def test_a_unit_per_weight(unit, parts):
    assert split_unit(unit) == parts


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("2,oral,72400", "2,orel,72400", r"row 3: the group `orel` is not in study\.toml\. Did you mean `oral`"),
        ("2,oral,72400", "1,oral,72400", r"row 3: the animal `1` of `oral` stands there already, in row 2; remove one"),
        ("12,oral,", "112,oral,", r"the animal `112` of `oral` was neither dosed nor measured.*Did you mean `12`"),
        ("2,oral,72400", "2,oral,-3", r"row 3: `body_weight_g` is `-3`"),
        ("2,oral,72400", "2,oral,heavy", r"row 3: `body_weight_g` is `heavy`"),
        ("body_weight_g", "weight_g", r"unknown column `weight_g`. Did you mean `body_weight_g`"),
        (
            "2,oral,72400",
            "2,oral,",
            r"doses\.csv: row 3: the dose is in `mg/kg` and nobody says what the animal `2` of",
        ),
    ],
)
def test_a_wrong_row_is_one_sentence(written, old, new, sentence):
    text = (THEOPHYLLINE / "animals.csv").read_text()
    assert old in text
    with pytest.raises(StudyError, match=sentence):
        read_study(written(animals=text.replace(old, new, 1)))


@pytest.mark.parametrize("who", ["1", ""])
def test_nobody_is_measured_once_dead(written, who):
    rows = MEASURED + f"oral,1,serum,1,2,mg/L,drug,\noral,{who},serum,30,2,mg/L,drug,\n"
    doses = "group,animal,hours,amount,unit,route\noral,,0,4,mg,oral\n"
    folder = written(doses=doses, measurements=rows, animals=HEAD + f"{who},oral,79600,female,24\n")
    with pytest.raises(
        StudyError, match=r"measurements\.csv: row 3: the .* was measured at 30 h but sacrificed at 24 h"
    ):
        read_study(folder)
    (folder / "animals.csv").write_text(HEAD + f"{who},oral,79600,female,30\n")
    assert read_study(folder).animals[0].sex == "female"


def test_an_unknown_sex_is_refused(written):
    with pytest.raises(StudyError, match=r"row 2: `sex` is `femal`\. Did you mean `female`"):
        read_study(written(animals=HEAD + "1,oral,79600,femal,\n"))
