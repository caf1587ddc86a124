import pytest
from onecompartment import NONMEM, write_one

from pbpk.report.ctd.excretion import excreted, excretion_blocks
from pbpk.report.document.blocks import Paragraph, Table


def test_what_nobody_measured_is_predicted_and_says_on_what(run_of):
    run = run_of("khot_2019_t_cells_mouse")
    blocks = excretion_blocks(run)
    assert blocks[1].words == "Not studied: label in urine and faeces was not measured."
    (table,) = [block for block in blocks if isinstance(block, Table)]
    assert table.number == "2.6.5.13"
    assert table.caption.startswith("MODEL-PREDICTED, not observed")
    assert [row[0] for row in table.rows] == ["IV bolus", "Portal vein", "IV bolus after a vasodilator"]
    how = run.parameters.set_index("parameter").loc["excretion", "learned"]
    last = blocks[-1]
    assert isinstance(last, Paragraph)
    assert how in last.words
    assert ("rests on its prior" in last.words) == (how != "learned")


def test_shares_are_of_the_dose(run_of):
    found = excreted(run_of("khot_2019_t_cells_mouse"))
    assert set(found["organ"]) == {"excreted"}
    assert ((found["q50"] >= 0.0) & (found["q50"] <= 100.0)).all()
    assert excreted(run_of("kwan_1976_indomethacin_human")).empty


def test_what_was_measured_is_observed(make_run, tmp_path):
    table = (
        "ID,TIME,AMT,EVID,CMT,DV\n1,0,10,1,1,.\n1,4,.,0,3,2\n1,24,.,0,3,6\n2,0,10,1,1,.\n2,4,.,0,3,4\n2,24,.,0,3,8\n"
    )
    seen = NONMEM.replace('organ = "plasma", unit = "ug/mL"', 'organ = "gone", unit = "mg"')
    run = make_run(write_one(tmp_path / "study", {"nonmem.csv": table}, seen), scenarios=0)
    (found,) = [block for block in excretion_blocks(run) if isinstance(block, Table)]
    assert found.head == ("Excreted", "up to 4 h", "up to 24 h")
    assert found.rows == [("gone", "30.0 ± 14.1 (2)", "70.0 ± 14.1 (2)")]


@pytest.mark.parametrize("name", ["synthetic_fnd_mouse", "barone_2018_fnd_rat"])
def test_without_a_forecast_only_words(run_of, name):
    blocks = excretion_blocks(run_of(name))
    assert not [block for block in blocks if isinstance(block, Table)]
