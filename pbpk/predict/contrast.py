"""Scenarios against one of them, draw by draw: difference, ratio, and the probability that one is above the other."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from pbpk.body.solve import Array
from pbpk.errors import InputError, did_you_mean
from pbpk.predict.endpoint import Endpoint, endpoints_of
from pbpk.predict.studied import TOTAL

HOURS = (1.0, 24.0, 168.0)  # when a reader of biodistribution looks
COLUMNS = ["scenario", "against", "organ", "state", "endpoint", "value", "low", "high", "value_against",
           "difference", "difference_low", "difference_high", "ratio", "ratio_low", "ratio_high", "probability_above",
           "unit", "evidence", "beyond"]  # fmt: skip
SHARE = "percent_of_dose"
STEP = 1e-9  # of the larger of two, within which they are the same number


def usual_endpoints(forecast: xr.Dataset) -> tuple[Endpoint, ...]:
    """Area, peak and amount at a few hours of every organ and state, and of all states together."""
    last = float(forecast["hours"].max())
    states = [*forecast["state"].to_numpy().tolist(), *([TOTAL] if forecast.sizes["state"] > 1 else [])]
    found = []
    for organ in forecast["organ"].to_numpy().tolist():
        for state in states:
            found += [Endpoint("AUC", organ, state), Endpoint("Cmax", organ, state)]
            found += [Endpoint("at", organ, state, hour, hour) for hour in HOURS if hour <= last]
    return tuple(found)


def usual_base(forecast: xr.Dataset) -> str:
    """Scenario that others are compared with where nobody says: the first that rests on data, or else the first."""
    names, told = (forecast[name].to_numpy().tolist() for name in ("scenario", "evidence"))
    return str(names[told.index("data") if "data" in told else 0])


def contrast_scenarios(
    forecast: xr.Dataset, against: str | None = None, endpoints: Sequence[Endpoint] | None = None
) -> pd.DataFrame:
    """One row for each other scenario and endpoint: both, their difference and ratio with 95 % credible intervals.

    Each draw answers both scenarios, so what they share does not widen the difference. probability_above is that of
    the scenario above the one it is compared with; equal ones count half. Where only one of two doses is known, both
    are taken as percent of their own.

    Parameters
    ----------
    against : scenario that the others are compared with; if None the first that rests on data, or else the first
    endpoints : `usual_endpoints` if None

    Raises
    ------
    InputError
        if there is no such scenario, organ or state
    """
    names = [str(name) for name in forecast["scenario"].to_numpy()]
    chosen = usual_base(forecast) if against is None else against
    if chosen not in names:
        raise InputError(f"--against: `{chosen}` is none of the scenarios.{did_you_mean(chosen, names)}")
    base = names.index(chosen)
    units = [str(unit) for unit in forecast["unit"].to_numpy()]
    doses = forecast["dose_cells"].to_numpy().astype(float)
    rows: list[dict[str, Any]] = []
    for endpoint in usual_endpoints(forecast) if endpoints is None else endpoints:
        values = endpoints_of(forecast, endpoint)
        if not (values > 0.0).any():
            continue
        for i, name in enumerate(names):
            if i == base:
                continue
            alike = units[i] == units[base]
            unit = units[i].replace(" ", "_") if alike else SHARE
            own = {"scenario": name, "against": chosen, "organ": endpoint.organ, "state": endpoint.state,
                   "endpoint": str(endpoint).split()[0], "unit": endpoint.unit(unit),
                   "evidence": _weaker(forecast, i, base), "beyond": _both(forecast, i, base)}  # fmt: skip
            as_shares = not alike and endpoint.unit("") != "h"
            one, other = (values[at] * (100.0 / doses[at] if as_shares else 1.0) for at in (i, base))
            rows.append(own | paired(one, other))
    return pd.DataFrame(rows, columns=COLUMNS)


def paired(one: Array, other: Array) -> dict[str, float]:
    """Difference, ratio and probability of two quantities drawn together, (draw,) each."""
    found = dict(zip(("low", "value", "high"), np.quantile(one, (0.025, 0.5, 0.975)), strict=True))
    difference = one - other
    same = np.abs(difference) <= STEP * np.maximum(np.abs(one), np.abs(other))
    found |= _interval("difference", np.where(same, 0.0, difference))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = one / other
    found |= _interval("ratio", ratio if np.isfinite(ratio).all() else np.full(1, np.nan))
    above = np.where(same, 0.5, difference > 0.0)
    return found | {"value_against": float(np.median(other)), "probability_above": float(above.mean())}


def _interval(name: str, values: Array) -> dict[str, float]:
    low, middle, high = np.quantile(values, (0.025, 0.5, 0.975))
    return {name: float(middle), f"{name}_low": float(low), f"{name}_high": float(high)}


def _weaker(forecast: xr.Dataset, one: int, other: int) -> str:
    """Weaker evidence of two scenarios: a difference is as good as the worse of them."""
    order = ("data", "prior", "extrapolation", "hypothesis")
    told = [str(forecast["evidence"].to_numpy()[i]) for i in (one, other)]
    return max(told, key=order.index)


def _both(forecast: xr.Dataset, one: int, other: int) -> str:
    words = [word for i in (one, other) for word in str(forecast["beyond"].to_numpy()[i]).split("; ") if word]
    return "; ".join(dict.fromkeys(words))
