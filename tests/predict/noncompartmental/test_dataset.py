"""Exposure on axes holds what the table holds."""

import numpy as np
import pandas as pd
import pytest

from pbpk.predict.noncompartmental.dataset import as_dataset


@pytest.fixture
def table():
    return pd.DataFrame({
        "group": ["iv"] * 4, "organ": ["lung", "lung", "liver", "liver"], "readout": ["label"] * 4,
        "animal": [None, "a1", None, None], "parameter": ["Cmax", "Cmax", "Cmax", "Tmax"],
        "value": [1.0, 2.0, 3.0, 4.0], "se": [0.1, np.nan, 0.3, np.nan], "unit": ["percent_dose"] * 3 + ["h"],
        "flag": ["", "few", None, ""],
    })  # fmt: skip


def test_every_row_is_found_again(table):
    found = as_dataset(table)
    assert found["value"].dims == ("group", "organ", "readout", "animal", "parameter")
    for row in table.fillna({"animal": "", "flag": ""}).to_dict("records"):
        at = {name: row[name] for name in ("group", "organ", "readout", "animal", "parameter")}
        assert float(found["value"].sel(at)) == row["value"]
        np.testing.assert_equal(float(found["se"].sel(at)), row["se"])
        assert found["flag"].sel(at).item() == row["flag"]
    assert int(np.isfinite(found["value"]).sum()) == len(table)


def test_one_unit_stands_with_its_parameter(table):
    found = as_dataset(table)
    assert dict(zip(found["parameter"].to_numpy(), found["unit"].to_numpy(), strict=True)) == {
        "Cmax": "percent_dose", "Tmax": "h"
    }  # fmt: skip
    assert as_dataset(table.assign(unit=["a", "b", "c", "h"]))["unit"].ndim == 5


def test_it_can_be_written(table, tmp_path):
    as_dataset(table).to_netcdf(tmp_path / "e.nc", engine="h5netcdf")
    assert (tmp_path / "e.nc").stat().st_size > 0
