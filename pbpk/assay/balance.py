"""Mass balance: what an animal's organs hold together, of the dose given and of what was found again.

The two are different numbers. A sum in percent of the dose tests the assay, since no animal can hold more than it was
given; a percentage of what was recovered is blind to that, since it always sums to 100. Each carries the doubt that
organs share: a wrong load of a cell moves the sum as a whole, and leaves the shares of it alone.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from pbpk.assay.counts import OrganCounts
from pbpk.assay.light.trace import Array

WHOLE = 100.0  # % of the dose
SURPLUS = 2.0  # SDs above the whole that are called too much (choice)
KEYS = ["group", "animal", "hours", "readout"]
HOURLY = ["group", "hours", "readout"]


def mass_balance(counts: OrganCounts) -> pd.DataFrame:
    """Sum of the organs of each animal at each hour, in percent of the dose; no row where the denominator is another.

    Columns: group, animal (empty for a group's mean), hours, readout, percent_dose, sd [% of the dose], organs: their
    number, lacks: organs measured in this group that have no plain value here, flag: a sentence where the sum is above
    100 % by more than two SDs, else empty. sd is of the measurement, what organs share included, NaN where one does not
    tell its own; an organ that lies in another (a kidney's left half in the kidney) is not counted twice.
    """
    rows, weights = _sums(counts)
    percent, sd = _of(counts, weights)
    organs = [counts.table["organ"][line > 0.0].nunique() for line in weights]
    table = pd.DataFrame(rows, columns=KEYS).assign(percent_dose=percent, sd=sd, organs=organs)
    return table.assign(
        lacks=[_missing(counts, row) for row in table.to_dict("records")],
        flag=[_surplus(*pair) for pair in zip(percent, sd, strict=True)],
    )


def balance_by_hour(counts: OrganCounts) -> pd.DataFrame:
    """Mean over the animals of each group and hour of the sums of `mass_balance`.

    Columns: group, hours, readout, animals, organs: most summed in one, percent_dose, sd [% of the dose], between: SD
    between animals, lowest, highest [% of the dose], lacking: animals that lack an organ, flagged: those with a flag,
    flag: of the mean. sd is of the measurement alone; what all animals share does not shrink with their number.
    """
    each = mass_balance(counts)
    _, weights = _sums(counts)
    groups = list(each.groupby(HOURLY, sort=False))
    means = np.array([weights[own.index].mean(axis=0) for _, own in groups]).reshape(len(groups), weights.shape[1])
    parts: list[dict[str, Any]] = []
    for (key, own), mean, sd in zip(groups, *_of(counts, means), strict=True):
        sums = own["percent_dose"]
        parts.append(dict(zip(HOURLY, key, strict=True)) | {
            "animals": len(own), "organs": int(own["organs"].max()), "percent_dose": mean, "sd": sd,
            "between": sums.std(ddof=1), "lowest": sums.min(), "highest": sums.max(),
            "lacking": int((own["lacks"] != "").sum()), "flagged": int((own["flag"] != "").sum()),
            "flag": _surplus(mean, sd),
        })  # fmt: skip
    columns = [*HOURLY, "animals", "organs", "percent_dose", "sd", "between", "lowest", "highest", "lacking",
               "flagged", "flag"]  # fmt: skip
    return pd.DataFrame(parts, columns=columns)


def recovered_shares(counts: OrganCounts) -> pd.DataFrame:
    """Each organ of each animal in percent of what was recovered from it, the sum over its organs measured.

    Columns: group, animal, hours, readout, organ, percent_recovered, sd [% of what was recovered]. sd by the delta
    method from the full covariance: s = 100 x / sum(x), ds/dx = (100 - s) / sum(x) of itself and -s / sum(x) of
    others. Both are NaN where the sum is not above nothing by two SDs.
    """
    parts, _ = _shares(counts)
    return parts


def recovered_by_hour(counts: OrganCounts) -> pd.DataFrame:
    """Mean over the animals of each group and hour of the shares of `recovered_shares`.

    Columns: group, hours, readout, organ, animals, percent_recovered, sd, between [% of what was recovered].
    """
    each, covariance = _shares(counts)
    parts: list[dict[str, Any]] = []
    for key, whole in each[each["percent_recovered"].notna()].groupby([*HOURLY, "organ"], sort=False):
        own = whole.index.to_numpy()
        parts.append(dict(zip([*HOURLY, "organ"], key, strict=True)) | {
            "animals": len(own), "percent_recovered": whole["percent_recovered"].mean(),
            "sd": float(np.sqrt(np.maximum(covariance[np.ix_(own, own)].mean(), 0.0))),
            "between": whole["percent_recovered"].std(ddof=1),
        })  # fmt: skip
    columns = [*HOURLY, "organ", "animals", "percent_recovered", "sd", "between"]
    return pd.DataFrame(parts, columns=columns)


def _plain(counts: OrganCounts) -> np.ndarray:
    """Which rows are plain values that may be summed, (row,)."""
    table = counts.table
    return table["percent"].notna().to_numpy() & ~table["below_lloq"].to_numpy(bool)


def _sums(counts: OrganCounts, harvested: bool = False) -> tuple[list[tuple[Any, ...]], Array]:
    """Who and when, and the weight of each row of the table in each sum, (sum, row)."""
    table = counts.table
    if counts.denominator != "dose" or table.empty:
        return [], np.zeros((0, len(table)))
    usable = _plain(counts)
    keys, weights = [], []
    for key, own in table[usable].groupby(KEYS, sort=False):
        organs = set(own["organ"])
        parts = {part for whole in organs for part in counts.study.about.split.get(whole, [])}
        kept = organs - parts
        if harvested and counts.harvested:
            kept &= set(counts.harvested)
        line = np.zeros(len(table))
        for _, rows in own[own["organ"].isin(kept)].groupby("organ"):
            line[rows.index] = 1.0 / len(rows)  # an organ that was read twice counts once
        if line.any():
            keys.append(key)
            weights.append(line)
    return keys, np.array(weights).reshape(len(keys), len(table))


def _covariance(counts: OrganCounts) -> tuple[Array, np.ndarray]:
    """Covariance of the values, (row, row), and which rows tell their own doubt, (row,)."""
    n = len(counts.table)
    covariance, told = np.zeros((n, n)), np.zeros(n, dtype=bool)
    if counts.signals is not None:
        rows = counts.signals.rows
        covariance[np.ix_(rows, rows)] = counts.signals.covariance()
        told[rows] = True
    return covariance, told


def _of(counts: OrganCounts, weights: Array) -> tuple[Array, Array]:
    """Weighted sums of the values and their SDs, each (sum,)."""
    covariance, told = _covariance(counts)
    values = np.where(_plain(counts), counts.table["percent"].to_numpy(float), 0.0)
    sd = np.sqrt(np.maximum(np.einsum("sr,rq,sq->s", weights, covariance, weights, optimize=True), 0.0))
    return weights @ values, np.where((weights[:, ~told] != 0.0).any(axis=1), np.nan, sd)


def _shares(counts: OrganCounts) -> tuple[pd.DataFrame, Array]:
    """Shares of what was recovered, and their covariance (share, share), NaN where a value does not tell its doubt."""
    keys, weights = _sums(counts, harvested=True)
    sums, doubts = _of(counts, weights)
    covariance, told = _covariance(counts)
    table, columns = counts.table, [*KEYS, "organ", "percent_recovered", "sd"]
    rows: list[dict[str, Any]] = []
    slopes: list[Array] = []
    for key, line, total, doubt in zip(keys, weights, sums, doubts, strict=True):
        clear = total > SURPLUS * (0.0 if np.isnan(doubt) else doubt)
        for organ, own in table[line > 0.0].groupby("organ", sort=False):
            part = np.zeros(len(table))
            part[own.index] = line[own.index]
            share = float(part @ table["percent"].fillna(0.0)) / total if clear else np.nan
            slope = WHOLE * (part - share * line) / total
            slopes.append(np.where((line > 0.0) & ~told, np.nan, slope))
            rows.append(dict(zip(KEYS, key, strict=True)) | {"organ": organ, "percent_recovered": WHOLE * share})
    if not rows:
        return pd.DataFrame(columns=columns), np.zeros((0, 0))
    jacobian = np.array(slopes)
    spread = jacobian @ covariance @ jacobian.T
    return pd.DataFrame(rows).assign(sd=np.sqrt(np.maximum(np.diag(spread), 0.0)))[columns], spread


def _missing(counts: OrganCounts, row: Mapping[Any, Any]) -> str:
    """Organs that were measured in the group and have no plain value in this sum, as a list in words."""
    table, split = counts.table, counts.study.about.split
    usable = _plain(counts)
    group = (table["group"] == row["group"]) & (table["readout"] == row["readout"])
    here = group & (table["animal"] == row["animal"]) & (table["hours"] == row["hours"]) & usable
    have = set(table.loc[here, "organ"])
    have |= {part for whole in have for part in split.get(whole, [])}
    have |= {whole for whole, parts in split.items() if parts and set(parts) <= have}
    lacking = [str(organ) for organ in dict.fromkeys(table.loc[group, "organ"]) if organ not in have]
    return ", ".join(lacking)


def _surplus(percent: float, sd: float) -> str:
    """A sentence where organs hold more than was given."""
    if np.isnan(sd):
        return f"above {WHOLE:.0f} %, of unknown doubt" if percent > WHOLE else ""
    above = (percent - WHOLE) / sd if sd > 0.0 else np.inf
    return f"above {WHOLE:.0f} % by {above:.1f} SD" if percent > WHOLE and above > SURPLUS else ""
