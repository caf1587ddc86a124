from pbpk.report.ctd.absorption import absorption_blocks, in_blood
from pbpk.report.ctd.areas import areas_of
from pbpk.report.document.blocks import Paragraph, Table
from pbpk.report.dossier import Dossier
from pbpk.report.wording import number


def words_of(run):
    return [str(block.words) for block in absorption_blocks(Dossier(run)) if isinstance(block, Paragraph)]


def test_blood_that_was_not_measured_is_said(run_of):
    words = words_of(run_of("synthetic_fnd_mouse"))
    assert words[0].startswith("Not studied: FND-labelled cell equivalents in blood were not measured.")
    assert words[1] == "Not studied: each was given one dose."
    assert not in_blood(run_of("synthetic_fnd_mouse"))


def test_parameters_of_blood_are_those_of_the_run(run_of):
    run = run_of("kwan_1976_indomethacin_human")
    first = next(block for block in absorption_blocks(Dossier(run)) if isinstance(block, Table))
    rows = {row[0]: row[1] for row in first.rows}
    area = areas_of(run)["iv", "blood", "drug"]["AUClast"]
    assert rows["AUC(0–t)"].startswith(f"{number(area['value'])} ± {number(area['se'])} % of dose/mL · h")
    assert "Clearance" in rows
    assert first.number == "2.6.5.3A"
    i = [row[0] for row in first.rows].index("AUC(0–t)")
    assert first.source_of(i) == "exposure.csv#organ=blood&readout=drug&animal=&parameter=AUClast"


def test_cells_are_not_absorbed(run_of):
    assert any("no absorption to measure" in words for words in words_of(run_of("khot_2019_t_cells_mouse")))


def test_repeated_doses_have_the_other_table(odd):
    run, _ = odd
    blocks = absorption_blocks(Dossier(run))
    tables = [block for block in blocks if isinstance(block, Table)]
    assert [table.number for table in tables] == ["2.6.5.4A", "2.6.5.4B"]
    assert words_of(run)[0] == "Not studied: animals were dosed more than once, see 2.6.5.4."
    assert any(words.startswith("No kinetic parameters in group control") for words in words_of(run))


def test_too_few_hours_have_no_parameters(run_of):
    run = run_of("barone_2018_fnd_rat")
    assert words_of(run)[0].startswith("No kinetic parameters in group iv")
    (table,) = [block for block in absorption_blocks(Dossier(run)) if isinstance(block, Table)]
    assert table.number == "2.6.5.3"
    assert dict((row[0], row[1]) for row in table.rows)["Sampling times"] == "33 min"
