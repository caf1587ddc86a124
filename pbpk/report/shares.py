"""A forecast as shares of the dose at a few hours."""

import numpy as np
import pandas as pd

from pbpk.predict.contrast import HOURS
from pbpk.predict.forecast import before_dose

NUMBERS = ("mean", "q2.5", "q50", "q97.5")
MOST = 102.0  # % of the dose that all organs may hold together before a forecast is called wrong
KEYS = ["scenario", "title", "evidence", "organ", "state"]


def shares_at(forecast: pd.DataFrame, hours: tuple[float, ...] = HOURS) -> pd.DataFrame:
    """Percent of the dose at each of some hours, between the hours of the forecast by straight lines.

    An hour after the last of the forecast is left out; one at which a dose enters is told as it is just before.
    """
    rows = []
    for key, part in forecast.groupby(KEYS, sort=False):
        part = part.sort_values("hours")
        at, dose = part["hours"].to_numpy(float), float(part["dose_cells"].iloc[0])
        curves = {name: part[name].to_numpy(float) for name in NUMBERS}
        for hour in hours:
            if at[0] <= hour <= at[-1] * 1.001:
                told = before_dose(at, hour)
                values = {name: 100.0 / dose * np.interp(told, at, curve) for name, curve in curves.items()}
                rows.append(dict(zip(KEYS, key, strict=True)) | {"hours": hour, "dose_cells": dose} | values)
    return pd.DataFrame(rows, columns=[*KEYS, "hours", "dose_cells", *NUMBERS])


def kinds_of(forecast: pd.DataFrame) -> list[str]:
    """What the states of a forecast hold, in the model's order; their sum apart."""
    return [str(state) for state in dict.fromkeys(forecast["state"]) if state != "total"]


def most_held(forecast: pd.DataFrame) -> float:
    """Largest sum over all organs that one scenario ever holds, percent of the dose; above 100 nothing real can be."""
    parts = forecast[forecast["state"] != "total"]
    held = (100.0 * parts["mean"] / parts["dose_cells"]).groupby(parts["hours"]).sum()
    return float(held.max()) if len(held) else 0.0
