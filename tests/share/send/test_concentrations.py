import numpy as np
import pandas as pd
import pytest
from killed import domains, killed_rows, write_killed
from mousestudy import organ_rows, write_rows

from pbpk.assay.counts import count_cells
from pbpk.assay.study import read_study


def test_a_value_is_as_collected_and_in_percent_of_the_dose(tmp_path):
    table = domains(write_killed(tmp_path / "study"))["PC"].table
    assert len(table) == 24
    row = table[(table["USUBJID"] == "study-m01") & (table["PCSPEC"] == "LUNG")].iloc[0]
    assert (row["PCORRES"], row["PCORRESU"]) == ("660000", "cells")
    assert (row["PCSTRESC"], row["PCSTRESU"]) == ("66", "%")
    assert row["PCSTRESN"] == pytest.approx(66.0)
    assert row["PCLLOQ"] == pytest.approx(3.0)
    assert (row["PCTESTCD"], row["PCTEST"]) == ("FNDCEL", "FND-labelled cell equivalents")
    assert (row["PCTPT"], row["PCELTM"], row["PCTPTREF"]) == ("1 h", "PT1H", "FIRST DOSE")
    assert table.groupby("PCTPTNUM")["PCELTM"].nunique().tolist() == [1, 1, 1, 1]
    assert row["PCSPID"] == "notebook 1"


def test_a_value_below_its_limit_has_no_number(tmp_path):
    table = domains(write_killed(tmp_path / "study"))["PC"].table
    below = table[table["PCSTRESC"] == "BLQ"]
    assert len(below) == 3
    assert set(below["PCORRES"]) == {"<30000"}
    assert below["PCSTRESN"].isna().all()
    np.testing.assert_allclose(below["PCLLOQ"].astype(float), 3.0)
    assert set(below["PCSTRESU"]) == {"%"}


def test_a_number_below_its_limit_says_what_calculations_used(tmp_path):
    rows = killed_rows()
    rows[0] |= {"value": 1e4}  # the study gives a number though it is below the limit
    sets = domains(write_killed(tmp_path / "study", rows))
    row = sets["PC"].table.query("USUBJID == 'study-m00' and PCSPEC == 'LUNG'").iloc[0]
    assert (row["PCORRES"], row["PCSTRESC"]) == ("<30000", "BLQ")
    (told,) = sets["SUPPPC"].table.to_dict("records")
    assert (told["USUBJID"], told["IDVAR"], told["IDVARVAL"]) == ("study-m00", "PCSEQ", str(int(row["PCSEQ"])))
    assert (told["QNAM"], float(told["QVAL"])) == ("CALCN", 1.0)


def test_means_and_ranges_are_of_no_animal(tmp_path):
    rows = [*organ_rows(organs=("lung",)), {"group": "iv", "organ": "liver", "hours": 1, "low": 2, "high": 5,
            "unit": "percent_dose"}]  # fmt: skip
    sets = domains(write_rows(tmp_path / "study", rows))
    assert {"DM", "EX", "PC", "PP", "POOLDEF"}.isdisjoint(sets)
    table = sets["GRPVAL"].table
    assert len(table) == 5
    assert table[table["SPEC"] == "LUNG"]["N"].tolist() == [5.0] * 4
    ranged = table[table["SPEC"] == "LIVER"].iloc[0]
    assert (ranged["LOW"], ranged["HIGH"]) == (2.0, 5.0)
    assert np.isnan(ranged["MEAN"])
    assert np.isnan(ranged["N"])  # the study does not say of how many


def test_a_range_of_one_animal_is_beside_its_other_values(tmp_path):
    rows = [*killed_rows(), {"group": "iv", "animal": "m00", "organ": "spleen", "hours": 1, "low": 1e3, "high": 2e3,
            "unit": "cells"}]  # fmt: skip
    sets = domains(write_killed(tmp_path / "study", rows))
    assert "SPLEEN" not in set(sets["PC"].table["PCSPEC"])
    assert sets["GRPVAL"].table["SUBJECT"].tolist() == ["m00"]


def test_tissues_that_are_summed_are_derived_and_left_out_ones_are_flagged(tmp_path):
    rows = [row | {"organ": tissue, "lloq": ""} for row in killed_rows() if row["organ"] == "liver"
            for tissue in ("ileum", "colon", "thyroid")]  # fmt: skip
    top = '[tissues]\nileum = "gut"\ncolon = "gut"\nthyroid = "none"\n'
    table = domains(write_rows(tmp_path / "study", rows, top=top))["PC"].table
    gut, left_out = table[table["PCSPEC"] == "INTESTINE"], table[table["PCSPEC"] == "GLAND, THYROID"]
    assert len(gut) == len(left_out) == 12
    assert set(gut["PCDRVFL"]) == {"Y"}
    assert set(gut["PCEXCLFL"]) == {""}
    assert gut["PCSTRESN"].astype(float).iloc[0] == pytest.approx(10.0)
    assert set(left_out["PCEXCLFL"]) == {"Y"}
    assert set(left_out["PCSTRESU"]) == {"cells"}
    assert left_out["PCREASEX"].str.contains("study.toml").all()


def test_plasma_keeps_its_unit_and_is_serum_where_serum_was_taken():
    table = domains("data/boeckmann_1994_theophylline_human")["PC"].table
    assert set(table["PCSPEC"]) == {"SERUM"}
    assert set(table["PCSTRESU"]) == {"mg/L"}
    assert set(table.get("PCSCAT", [""])) == {""}
    assert table["PCTESTCD"].unique().tolist() == ["DRUG"]
    measured = pd.read_csv("data/boeckmann_1994_theophylline_human/measurements.csv")
    assert sorted(table["PCSTRESN"].astype(float)) == pytest.approx(sorted(measured["value"]))


def test_light_is_told_in_cells_by_fluorimetry(synthetic):
    table = synthetic["PC"].table
    counts = count_cells(read_study("data/synthetic_fnd_mouse")).table
    assert len(table) == len(counts) == 350
    assert set(table["PCMETHOD"]) == {"FLUORIMETRY"}
    assert set(table["PCORRESU"]) == {"cells"}
    below = table["PCSTRESC"] == "BLQ"
    assert below.sum() == (counts["percent"] < counts["lloq"]).sum() > 0
    cells = table[~below]["PCORRES"].astype(float) / 1e6 * 100.0
    np.testing.assert_allclose(cells, table[~below]["PCSTRESN"].astype(float), rtol=1e-9)
    assert len(synthetic["SUPPPC"].table) == below.sum()  # what the fit used all the same


QPCR = """
[readouts.qpcr]
copies_per_cell = { median = 2.0, sigma = 0.01, source = "made up" }
extraction_yield = { median = 0.6, sigma = 0.15, source = "made up" }
cv = { median = 0.15, sigma = 0.3, source = "made up" }
standards = [{ copies = 1e2, ct = 31.1 }, { copies = 1e3, ct = 27.6 }, { copies = 1e4, ct = 24.1 },
             { copies = 1e5, ct = 20.5 }]
"""


def test_copies_are_as_counted_and_in_percent_by_their_method(tmp_path):
    rows = [{"group": "iv", "animal": f"m{hours}", "organ": "lung", "hours": hours, "unit": "copies", "readout": "dna",
             "value": 3000, "fraction": 0.01} for hours in (1, 24, 72)]  # fmt: skip
    rows.append(rows[0] | {"animal": "m9", "value": "", "below_lloq": "true"})
    folder = write_rows(tmp_path / "study", rows, more=QPCR)
    (folder / "organ_weights.csv").write_text("organ,weight_g\nlung,0.2\n")
    table = domains(folder)["PC"].table
    assert set(table["PCMETHOD"]) == {"QUANTITATIVE PCR"}
    assert set(table["PCTESTCD"]) == {"DNACEL"}
    plain = table[table["PCSTRESC"] != "BLQ"]
    assert set(plain["PCORRES"]) == {"3000"}
    assert set(plain["PCORRESU"]) == {"copies"}
    assert (abs(plain["PCSTRESN"].astype(float) / 25.0 - 1.0) < 0.1).all()  # 3000 / 0.01 / 0.6 / 2 of 1e6 cells
    (below,) = table[table["PCSTRESC"] == "BLQ"].to_dict("records")
    assert (below["PCORRESU"], below["PCSTRESU"]) == ("%", "%")
    assert float(below["PCORRES"].removeprefix("<")) == pytest.approx(below["PCLLOQ"]) == pytest.approx(0.002)


def test_two_kidneys_have_a_side():
    table = domains("data/zhuang_2021_fnd_msc_mouse")["GRPVAL"].table
    assert set(table["SPEC"]) == {"LUNG", "KIDNEY", "KIDNEY, LEFT", "KIDNEY, RIGHT"}
    assert "N" not in table  # of how many animals is nowhere said
