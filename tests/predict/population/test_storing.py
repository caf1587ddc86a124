"""Rows and curves of subjects as other tools read them."""

import numpy as np
import pandas as pd
import xarray as xr

from pbpk.predict.endpoint import parse_endpoints
from pbpk.predict.population import storing
from pbpk.predict.population.asking import Asked, ask_population, plan_population
from pbpk.predict.population.people import BLOCK, parse_weight
from pbpk.predict.population.storing import write_subjects

SIZE = 2 * BLOCK + 50


def test_all_subjects_can_be_read_back(prior, iv, tmp_path, monkeypatch):
    monkeypatch.setattr(storing, "TOGETHER", 2)
    asked = Asked(SIZE, parse_weight("25,0.1"), hours=np.array([1.0, 24.0]), endpoints=parse_endpoints("24h lung live"),
                  curves=True)  # fmt: skip
    plan = plan_population(prior, iv, asked)
    with write_subjects(plan, tmp_path) as take:
        ask_population(prior, iv, asked, take, threads=2)
    files = sorted(path.name for path in tmp_path.rglob("*.parquet"))
    assert files == ["part-00000.parquet", "part-00001.parquet"]
    rows = pd.read_parquet(tmp_path / "subjects")
    assert rows["subject"].tolist() == list(range(SIZE))
    assert set(rows["scenario"]) == {"iv_bolus"}
    with xr.open_zarr(tmp_path / "curves.zarr", group="iv_bolus", consolidated=False) as curves:
        amount = curves["amount"]
        assert amount.dims == ("subject", "hours", "organ", "state")
        assert amount.dtype == np.float32
        lung = amount.sel(organ="lung", state="live", hours=24.0).to_numpy()
        np.testing.assert_allclose(lung, rows["24h lung live"], rtol=1e-6)
        np.testing.assert_allclose(amount.sum(["organ", "state"]), 100.0, rtol=1e-5)
