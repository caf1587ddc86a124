import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbpk.report.ctd.observations import (
    COLUMNS,
    amounts,
    as_measured,
    cell,
    dose_of,
    groups_of,
    is_blood_only,
    ordered,
    shares,
    told_apart,
    written,
)
from pbpk.report.wording import number


def rows(*values, **same):
    plain = {"sd": np.nan, "n": 1.0, "low": np.nan, "high": np.nan, "lloq": np.nan, "below": False, "read": False}
    told = [plain | {"value": value} | same for value in values]
    return pd.DataFrame(told).reindex(columns=COLUMNS)


positive = st.floats(min_value=1e-3, max_value=1e5)


@given(st.lists(positive, min_size=2, max_size=8))
def test_animals_are_told_by_mean_and_sd(values):
    mean, sd = np.mean(values), np.std(values, ddof=1)
    assert cell(rows(*values)) == f"{number(mean)} ± {number(sd)} ({len(values)})"


def test_a_printed_mean_keeps_its_own_scatter_and_number():
    assert cell(rows(3.0, sd=0.5, n=4.0)) == "3.00 ± 0.500 (4)"
    assert cell(rows(3.0, n=np.nan)) == "3.00 (–)"
    assert cell(rows(np.nan, low=1.0, high=2.0, n=4.0)) == "1.00 to 2.00 (4)"
    assert cell(rows()) == "–"


def test_what_is_below_the_limit_is_shown_and_counted():
    below = rows(np.nan, np.nan, lloq=0.1, below=True)
    assert cell(below) == "BLQ (< 0.100) (2)"
    some = pd.concat([rows(np.nan, lloq=0.1, below=True), rows(1.0, 2.0, 3.0)])
    assert cell(some) == "1.50 ± 1.29 (4), 1 BLQ"
    most = pd.concat([below, rows(1.0)])
    assert cell(most) == "BLQ (< 0.100) in 2 of 3, else 1.00"
    read = pd.concat([rows(0.05, lloq=0.1, below=True, read=True), rows(0.15, lloq=0.1, read=True)])
    assert cell(read) == "0.100 ± 0.0707 (2), 1 BLQ"


@given(st.integers(1, 60), st.integers(1, 7))
def test_columns_are_told_once_each_in_few_tables(count, most):
    parts = told_apart(pd.Index(range(count)), most)
    assert [each for part in parts for each in part] == list(range(count))
    assert max(map(len, parts)) <= most
    assert len(parts) == -(-count // most)
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_cells_are_the_share_of_the_dose(run_of):
    run = run_of("khot_2019_t_cells_mouse")
    one, other = shares(run), amounts(run)
    assert np.allclose(other["value"], one["value"] / 100.0 * 2e7)
    assert set(other["unit"]) == {"cells"}
    assert (one["n"] == 3.0).all()


def test_amounts_need_a_dose(run_of):
    assert amounts(run_of("zhuang_2021_fnd_msc_mouse")).empty
    assert amounts(run_of("kwan_1976_indomethacin_human")).empty  # a concentration stands as it was measured
    barone = amounts(run_of("barone_2018_fnd_rat"))
    assert set(barone["unit"]) == {"mg"}
    assert barone["value"].max() == pytest.approx(0.51 * 15.0)
    assert dose_of(run_of("zhuang_2021_fnd_msc_mouse"), "iv", "") is None
    assert shares(run_of("zhuang_2021_fnd_msc_mouse"))["n"].isna().all()


def test_tissues_stand_as_they_were_measured(run_of):
    table = as_measured(run_of("khot_2019_t_cells_mouse"))
    assert len(set(table["organ"])) == 19
    assert set(table["unit"]) == {"% of dose/g"}
    assert as_measured(run_of("barone_2018_fnd_rat")).empty
    assert written("ug/mL") == "ug/mL"


def test_organs_stand_as_in_the_model(run_of):
    run = run_of("khot_2019_t_cells_mouse")
    assert ordered(run, ["blood", "spleen", "lung", "spleen", "other"]) == ["lung", "spleen", "blood", "other"]
    assert [group for group, *_ in groups_of(shares(run))] == ["iv"]
    assert not is_blood_only(run)
    assert is_blood_only(run_of("kwan_1976_indomethacin_human"))


def test_light_below_its_limit_is_blq(run_of):
    table = shares(run_of("synthetic_fnd_mouse"))
    assert table["below"].any()
    assert (table.loc[table["below"], "value"] < table.loc[table["below"], "lloq"]).all()
    assert table["read"].all()
