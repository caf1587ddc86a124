"""Areas under the curves of what was measured, from the values themselves and from the fit, by the same rule.

Linear trapezoid over the sampled hours, from 0 h on with the first value carried back to it: the rule by which
destructive sampling is summarised, so that the two areas may be compared. A smooth curve's integral is another number.
The fit is the arrows and their misfit (`summary.mean_animals`); the area of the arrows alone stands beside it and
says how much of the agreement is theirs.
"""

import numpy as np
import pandas as pd

from pbpk.assay.counts import OrganCounts
from pbpk.body.solve import Array
from pbpk.infer.draws.posterior import Posterior
from pbpk.infer.draws.summary import mean_animals
from pbpk.infer.matched.joint import predict_percent

LEAST_TIMES = 3
KEYS = ["group", "organ", "readout"]


def area(hours: Array, values: Array) -> Array:
    """Area from 0 h to the last hour, (...,) from (time,) and (..., time)."""
    carried = np.concatenate([values[..., :1], values], axis=-1)
    steps = np.concatenate([[0.0], hours])
    return np.trapezoid(carried, steps, axis=-1)


def _area_of(percent: Array, at: list[list[int]], hours: Array) -> Array:
    """Area of one organ from all rows, (draw,); rows of the same hour are averaged."""
    return area(hours, np.stack([percent[:, rows].mean(axis=1) for rows in at], axis=-1))


def exposure(counts: OrganCounts, posterior: Posterior | None = None) -> pd.DataFrame:
    """Area to the last hour of every organ with three or more sampled times, beside the printed one if there is one.

    Returns
    -------
    one row each: observed, with a posterior the median and 95 % credible interval from the fit, and the median from
    its arrows alone
    """
    table = counts.table
    # None where percentages are of what was recovered alone: such values have no area
    arrows = predict_percent(posterior.joint, posterior.theta()).get("dose") if posterior else None
    fitted = mean_animals(posterior, arrows) if posterior and arrows is not None else None
    rows = []
    for (group, organ, readout), part in table[table["percent"].notna()].groupby(KEYS, sort=True):
        mean = part.groupby("hours")["percent"].mean()
        if len(mean) < LEAST_TIMES or counts.denominator != "dose":
            continue
        hours = mean.index.to_numpy(float)
        printed = next((row for row in counts.study.published if row.organ == organ), None)
        per = f"_per_{part['per'].iloc[0]}" if part["per"].iloc[0] else ""
        unit = printed.unit if printed else f"percent_dose{per}*h"
        weight = float(part["weight_g"].iloc[0]) if unit == "percent_dose_per_g*h" else 1.0
        row = {"group": group, "organ": organ, "readout": readout, "parameter": "AUClast"}
        row["observed"] = float(area(hours, mean.to_numpy())) / weight
        if arrows is not None and fitted is not None:
            at = [list(part.index[part["hours"] == hour]) for hour in hours]
            low, median, high = np.quantile(_area_of(fitted, at, hours) / weight, [0.025, 0.5, 0.975])
            row |= {"q2.5": low, "q50": median, "q97.5": high}
            row["arrows_q50"] = np.median(_area_of(arrows, at, hours)) / weight
        row["published"] = printed.auc if printed else np.nan
        row["published_error"] = printed.error if printed and printed.error is not None else np.nan
        rows.append(row | {"unit": unit, "n": int(part["n"].sum())})
    columns = [
        *KEYS,
        "parameter",
        "observed",
        "q2.5",
        "q50",
        "q97.5",
        "arrows_q50",
        "published",
        "published_error",
        "unit",
        "n",
    ]
    return pd.DataFrame(rows).reindex(columns=columns)
