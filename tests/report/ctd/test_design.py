from pbpk.report.ctd.design import dose, header_table, is_repeated, one_of, sampled, species, viability
from pbpk.report.dossier import Dossier


def fields(run):
    return {row[0]: [str(cell) for cell in row[1:]] for row in header_table(Dossier(run), "head").rows}


def test_fields_of_a_study(run_of):
    told = fields(run_of("synthetic_fnd_mouse"))
    assert told["Dose"] == ["1.00 × 10⁶ cells per animal"] * 2
    assert told["Sex and number"] == ["25 animals, sex not stated"] * 2
    assert told["Method of administration"] == ["into a vein, bolus", "into the portal vein, bolus"]
    for owed in ("Feeding", "Lot", "Vehicle or formulation", "Location in the dossier"):
        assert told[owed] == ["TO BE COMPLETED"] * 2
    assert viability(run_of("synthetic_fnd_mouse")) == "95.0 %"


def test_odd_fields(odd):
    told = fields(odd[0])
    assert told["Dose"] == ["1.00 × 10⁶ cells per animal, in 2 doses", "1.00 × 10⁶ cells per animal"]
    assert told["Sex and number"] == ["4 in each value, sex not stated", "2 female and 1 male"]
    assert told["Method of administration"][0] == "into a vein and into the portal vein, over 10.0 min"
    assert told["Treatment"][1] == "heparin; injured: kidney; anticoagulant: factor 2.00"
    assert is_repeated(odd[0])
    assert sampled(odd[0], "control", ("blood",)) == "not sampled"


def test_people_are_subjects_and_have_no_strain(run_of):
    run = run_of("boeckmann_1994_theophylline_human")
    assert species(run) == "human"
    assert one_of(run) == "subject"
    assert dose(run, "oral") == "268 to 321 mg per subject"
    assert sampled(run, "oral").startswith("each subject at hours of its own, from 15 min")
    assert fields(run)["Method of administration"] == ["oral"]
    assert not is_repeated(run)


def test_an_unknown_dose_is_not_stated(run_of):
    assert dose(run_of("zhuang_2021_fnd_msc_mouse"), "iv") == "not stated"
