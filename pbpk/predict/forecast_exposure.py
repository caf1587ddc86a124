"""Exposure of a forecast: peak, areas and residence of live cells and of label in every organ, with their doubt."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from pbpk.predict.noncompartmental.draws import areas
from pbpk.predict.noncompartmental.rules import USUAL, Rules

COLUMNS = ["scenario", "evidence", "organ", "state", "parameter", "value", "low", "high", "unit"]
TOTAL = "total"


def exposure_of_forecast(forecast: xr.Dataset, rules: Rules = USUAL) -> pd.DataFrame:
    """One row for each parameter of each organ and state, and of all states together, in each scenario.

    Areas fall by the logarithm where curves do, so that they are those of the smooth curve, and end with the last hour
    of the forecast. value: median of the draws; low, high: their central 95 %.
    """
    rules = replace(rules, method="linear_up_log_down")
    hours = forecast["hours"].to_numpy().astype(float)
    rows: list[dict[str, Any]] = []
    for scenario in forecast["scenario"].to_numpy():
        own = forecast.sel(scenario=scenario)
        unit, dose = str(own["unit"].item()).replace(" ", "_"), float(own["dose_cells"].item())
        base = {"scenario": str(scenario), "evidence": str(own["evidence"].item())}
        for organ in forecast["organ"].to_numpy():
            held = {str(state): own["cells"].sel(organ=organ, state=state).to_numpy().astype(float)
                    for state in forecast["state"].to_numpy()}  # fmt: skip
            for state, values in (held | {TOTAL: np.sum(list(held.values()), axis=0)}).items():
                if not (values > 0.0).any():
                    continue
                found = areas(hours, values, rules)
                found["residence_last"] = found["AUClast"] / dose
                rows += [base | {"organ": str(organ), "state": state} | _row(name, of_draw, unit)
                         for name, of_draw in found.items() if name != "AUMClast"]  # fmt: skip
    return pd.DataFrame(rows, columns=COLUMNS)


def _row(name: str, values: np.ndarray[Any, Any], unit: str) -> dict[str, Any]:
    low, middle, high = np.nanquantile(values, (0.025, 0.5, 0.975)) if np.isfinite(values).any() else [np.nan] * 3
    hours = name in ("Tmax", "MRTlast", "residence_last")
    return {"parameter": name, "value": middle, "low": low, "high": high,
            "unit": "h" if hours else f"{unit}*h" if name.startswith("AUC") else unit}  # fmt: skip
