"""Exposure of forecasts whose curves are known: exponentials, and states together."""

import numpy as np
import pytest
import xarray as xr

from pbpk.predict.forecast_exposure import exposure_of_forecast

HOURS = np.array([0.0, 1.0, 5.0, 20.0, 60.0, 336.0])


@pytest.fixture
def forecast():
    """Two draws of 1000 cells: live ones that die at 0.1 and 0.2 per hour and leave their label in the organ."""
    live = 1000.0 * np.exp(-np.array([0.1, 0.2])[:, np.newaxis] * HOURS)
    cells = np.stack([live, 1000.0 - live], axis=-1)[np.newaxis, :, :, np.newaxis]
    return xr.Dataset(
        {"cells": (("scenario", "draw", "hours", "organ", "state"), cells)},
        {"scenario": ["bolus"], "evidence": ("scenario", ["hypothesis"]), "dose_cells": ("scenario", [1000.0]),
         "unit": ("scenario", ["cells"]), "hours": HOURS, "organ": ["lung"], "state": ["live", "label"]},
    )  # fmt: skip


def test_exponentials_are_exact_and_states_add_up(forecast):
    found = exposure_of_forecast(forecast).set_index(["state", "parameter"])
    exact = [(1.0 - np.exp(-k * 336.0)) / k for k in (0.1, 0.2)]
    row = found.loc[("live", "residence_last")]
    assert row["value"] == pytest.approx(np.median(exact), rel=1e-9)
    assert (row["low"], row["high"]) == pytest.approx(tuple(np.quantile(exact, [0.025, 0.975])), rel=1e-9)
    assert row["unit"] == "h"
    assert found.loc[("total", "residence_last"), "value"] == pytest.approx(336.0)
    assert found.loc[("live", "Cmax"), "value"] == 1000.0
    assert found.loc[("label", "Tmax"), "value"] == 336.0
    assert set(found["evidence"]) == {"hypothesis"}


def test_what_holds_nothing_is_left_out(forecast):
    forecast["cells"][..., 1] = 0.0
    assert set(exposure_of_forecast(forecast)["state"]) == {"live", "total"}
