import numpy as np
import pytest
from killed import domains, killed_rows, write_killed
from mousestudy import organ_rows, write_rows

from pbpk.assay.counts import count_cells
from pbpk.assay.study import read_study
from pbpk.predict.exposure import exposure
from pbpk.share.send.parameters import Pools


def test_a_composite_profile_is_of_a_pool_whose_animals_are_named(tmp_path):
    folder = write_killed(tmp_path / "study")
    sets = domains(folder)
    table, pools = sets["PP"].table, sets["POOLDEF"].table
    assert set(table["USUBJID"]) == {""}
    assert table["POOLID"].nunique() == 1  # the same mice gave both organs
    assert set(pools["POOLID"]) == set(table["POOLID"])
    assert set(pools["USUBJID"]) == set(sets["DM"].table["USUBJID"])
    known = exposure(count_cells(read_study(folder)))
    area = known[(known["organ"] == "lung") & (known["parameter"] == "AUClast")].iloc[0]
    row = table[(table["PPSPEC"] == "LUNG") & (table["PPTESTCD"] == "AUCLST")].iloc[0]
    assert row["PPSTRESN"] == area["value"]
    assert float(row["PPORRES"]) == pytest.approx(area["value"], rel=1e-11)
    assert (row["PPSTRESU"], row["PPCAT"]) == ("h*%", "FND-labelled cell equivalents")
    told = sets["SUPPPP"].table.query(f"POOLID == '{row['POOLID']}' and IDVARVAL == '{int(row['PPSEQ'])}'")
    said = dict(zip(told["QNAM"], told["QVAL"], strict=True))
    assert float(said["PPSE"]) == pytest.approx(area["se"], rel=1e-9)
    assert float(said["PPDF"]) == pytest.approx(area["df"], rel=1e-9)


def test_other_animals_are_another_pool(tmp_path):
    rows = [row for row in killed_rows() if row["organ"] == "lung" or row["animal"][-1] != "2"]
    sets = domains(write_killed(tmp_path / "study", rows))
    assert sets["PP"].table.groupby("PPSPEC")["POOLID"].nunique().tolist() == [1, 1]
    assert sets["POOLDEF"].table.groupby("POOLID")["USUBJID"].count().tolist() in ([12, 8], [8, 12])


def test_a_pool_has_one_name_whatever_the_order():
    pools = Pools()
    first = pools.named("IV", ["b", "a"])
    assert pools.named("IV", ["a", "b"]) == first
    assert pools.named("IV", ["a"]) != first
    assert [row["USUBJID"] for row in pools.rows()] == ["a", "b", "a"]


def test_a_subject_with_a_curve_is_no_pool():
    sets = domains("data/kwan_1976_indomethacin_human")
    assert "POOLDEF" not in sets
    assert set(sets["PP"].table["POOLID"]) == {""}
    assert set(sets["PP"].table["USUBJID"]) == set(sets["DM"].table["USUBJID"])
    means = sets["GRPPAR"].table
    assert (means["N"] == 6).all()
    clearance = sets["PP"].table.query("PPTESTCD == 'CLO'")["PPSTRESN"].astype(float)
    assert means.query("PARAMCD == 'CLO'")["AVAL"].item() == pytest.approx(clearance.mean())


def test_printed_means_are_in_no_pool(tmp_path):
    sets = domains(write_rows(tmp_path / "study", organ_rows(organs=("lung",))))
    assert {"PP", "POOLDEF"}.isdisjoint(sets)
    table = sets["GRPPAR"].table
    assert table.query("PARAMCD == 'AUCLST'")["AVAL"].item() == pytest.approx(168.0)
    assert np.isfinite(table["N"]).all()


def test_one_value_without_a_name_leaves_no_pool(tmp_path):
    rows = [*killed_rows(), {"group": "iv", "organ": "lung", "hours": 1, "value": 5e5, "unit": "cells", "n": 3}]
    sets = domains(write_killed(tmp_path / "study", rows))
    assert set(sets["PP"].table["PPSPEC"]) == {"LIVER"}
    assert set(sets["GRPPAR"].table["SPEC"]) == {"LUNG"}


def test_what_cannot_be_estimated_says_why(tmp_path):
    rows = [row | {"value": 1e5, "below_lloq": ""} for row in killed_rows()]  # flat: no terminal slope
    table = domains(write_killed(tmp_path / "study", rows))["PP"].table
    undone = table[table["PPSTAT"] == "NOT DONE"]
    assert len(undone)
    assert undone["PPSTRESN"].isna().all()
    assert (undone["PPREASND"] != "").all()
    assert set(undone["PPORRES"]) == {""}
