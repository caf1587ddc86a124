"""Data that the same study could have given, had the truth been some parameters: what calibration and checks fit.

Groups, animals, organs, hours and kinds of rows are the study's own; values are drawn from the law that `joint` states:

    cell             group, organ, readout, hour: the model misses it by d ~ N(0, misfit), all its rows together
    animal           log-normal about that with log-SD `spread`
    mean of n, SD    of n such animals, arithmetic, as a laboratory does them (the likelihood's law is by moments)
    range over n     the smallest and the largest of n; a smallest of 0 stays 0, for it only says "not seen"
    stated range     an animal, and an interval as wide as the study's (as a ratio) at a random place about it
    limit            an animal (or mean): below the limit it becomes a limit, above it a value. A range that is stated
                     from 0 is a limit that nobody called so
    reading          an animal, read by the instrument that the controls describe: `assay.signals`. A limit that stands
                     beside readings of its cell becomes, above the limit, a reading like the first of these

Controls stay as they were. So the unknowns that they teach are drawn from what they teach, and a calibration holds
given these controls. A denominator that the source does not state is drawn as the likelihood believes: for the whole
study.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pbpk.assay.counts import OrganCounts
from pbpk.assay.signals import Response, Signals
from pbpk.body.solve import Array
from pbpk.errors import StudyError
from pbpk.infer.density.signals import limits_beside, unknowns
from pbpk.infer.matched.joint import Joint, predict_percent

TRIED = 1000  # draws from the normal that stands for the controls, of which one is kept by its weight
POISSON = 1e-10  # relative variance of a rate that makes no difference to whole numbers
CHANGED = ("percent", "sd", "low", "high", "error", "below_lloq")  # columns that a replicate draws anew


@dataclass(frozen=True)
class Replicate:
    """What was drawn: the counts, and what stands behind them.

    unknowns : (unknown,) that the readings of an instrument share; none where there is no instrument
    reading : denominator of the percentages
    median : (row,) what the median animal holds, d included [% of that denominator, or % per mL]
    """

    counts: OrganCounts
    unknowns: Array
    reading: str
    median: Array


def replicate(
    joint: Joint, theta_row: Array, rng: int | np.random.Generator, nu: float | None = None
) -> OrganCounts:  # fmt: skip
    """Counts that could have come from the same design if the truth were `theta_row`.

    Parameters
    ----------
    theta_row : (estimated,) in the order of `joint.names`
    rng : seed, or a generator
    nu : degrees of freedom of the logarithm of a single animal that no instrument read, Student's t with scale
        `spread`; infinite where it is normal, as the study believes if None. Means, SDs and ranges are of normal
        animals

    Raises
    ------
    StudyError
        if the prediction of a row is no positive number, so that no animal can scatter about it
    """
    return replicated(joint, theta_row, rng, nu).counts


def replicated(joint: Joint, theta_row: Array, rng: int | np.random.Generator, nu: float | None = None) -> Replicate:
    """`replicate`, with what was drawn on the way."""
    rng, nu = np.random.default_rng(rng), joint.nu if nu is None else nu
    theta = np.asarray(theta_row, dtype=float)[np.newaxis]
    reading = str(rng.choice(joint.readings))
    noise = dict(zip(joint.names, theta[0], strict=True))
    spread, misfit = (float(noise.get(name, 0.0)) for name in ("spread", "misfit"))
    m = _log_predicted(joint, theta, reading)
    m = m + misfit * rng.standard_normal(joint.cells.max() + 1)[joint.cells]
    table, signals = joint.counts.table, joint.counts.signals
    columns = {name: table[name].to_numpy(copy=True) for name in CHANGED}
    u, read = np.zeros(0), np.zeros(0, dtype=np.int64)
    if signals is not None:
        beside = limits_beside(signals, joint.cells, table["lloq"].where(table["below_lloq"]).to_numpy(float))
        read = np.concatenate([signals.rows, beside])
        u = _unknowns(joint, signals, rng)
        signals = _read_again(joint, signals, beside, u, m + spread * rng.standard_normal(m.size), columns, rng)
    for row in np.setdiff1d(np.arange(len(table)), read):
        for name, value in _drawn(table.iloc[row], float(m[row]), spread, nu, rng).items():
            columns[name][row] = value
    counts = replace(joint.counts, table=table.assign(**columns), signals=signals)
    return Replicate(counts, u, reading, np.exp(m))


def _log_predicted(joint: Joint, theta: Array, reading: str) -> Array:
    """Logarithm of what the model says each row should be, (row,)."""
    percent = predict_percent(joint, theta)[reading][0]
    bad = np.flatnonzero(~(np.isfinite(percent) & (percent > 0.0)))
    if bad.size:
        row = joint.counts.table.iloc[bad[0]]
        raise StudyError(f"{joint.study.folder}: with these parameters `{row['organ']}` of `{row['group']}` holds "
                         f"{percent[bad[0]]:g} % at {row['hours']:g} h; a log-normal needs more than nothing: leave "
                         "the row out, or narrow the priors.")  # fmt: skip
    return np.asarray(np.log(percent))


def _drawn(row: "pd.Series[float]", m: float, spread: float, nu: float, rng: np.random.Generator) -> dict[str, float]:
    """What a row that no instrument read would have said, by the columns that change."""
    ranged, n = not row["below_lloq"] and bool(np.isfinite(row["low"])), int(row["n"])
    off = rng.standard_t(nu, n) if n == 1 and np.isfinite(nu) else rng.standard_normal(n)
    animals = np.exp(m + spread * off)
    if ranged and n > 1:
        return {"low": animals.min() if row["low"] > 0.0 else 0.0, "high": animals.max()}
    if ranged and row["low"] > 0.0:
        width = np.log(row["high"] / row["low"])
        low = np.log(animals[0]) - rng.uniform() * width
        return {"low": np.exp(low), "high": np.exp(low + width)}
    if ranged and animals[0] < row["high"]:
        return {}
    mean = float(animals.mean())
    if mean < row["lloq"]:  # never where the row carries no limit
        return {"percent": np.nan, "sd": np.nan, "low": np.nan, "high": np.nan, "below_lloq": True}
    sd = float(animals.std(ddof=1)) if n > 1 and np.isfinite(row["sd"]) else np.nan
    return {"percent": mean, "sd": sd, "low": np.nan, "high": np.nan, "below_lloq": False}


def _unknowns(joint: Joint, signals: Signals, rng: np.random.Generator) -> Array:
    """Unknowns of an instrument from what its controls teach, (unknown,).

    The normal that stands for the controls is what a fit in two stages believes. The joint fit believes the controls
    themselves: one of many draws from the normal, by its weight under them (Rubin 1988, Bayesian Statistics 3:395).
    """
    shared = signals.shared
    z = rng.standard_normal((TRIED if joint.calibration == "joint" else 1, len(shared.names)))
    u = unknowns(signals, z)
    if len(u) == 1 or not shared.names:
        return np.asarray(u[0])
    controls = shared.controls
    rise = controls.rise(u, shared.amounts)
    variance = controls.scatter(u, rise)
    misses = ((controls.value - u @ controls.blank.T - rise) ** 2 / variance + np.log(variance)).sum(axis=1)
    known = (((u - shared.prior_mean) / shared.prior_sd) ** 2).sum(axis=1)
    weight = -0.5 * (misses + known - (z**2).sum(axis=1))
    weight = np.exp(weight - weight.max())
    return np.asarray(u[rng.choice(len(u), p=weight / weight.sum())])


def _read_again(
    joint: Joint,
    signals: Signals,
    beside: NDArray[np.int64],
    u: Array,
    logs: Array,
    columns: dict[str, NDArray[np.float64]],
    rng: np.random.Generator,
) -> Signals:
    """Readings that the instrument would give, also of organs that no longer are below a limit; fills their columns.

    beside : rows that are limits beside readings
    logs : (row,) logarithm of what one animal holds [% of the dose]
    """
    seen = beside[logs[beside] >= np.log(joint.counts.table["lloq"].to_numpy(float)[beside])]
    first = {cell: i for i, cell in reversed(list(enumerate(joint.cells[signals.rows])))}
    like = [*range(signals.rows.size), *(first[cell] for cell in joint.cells[seen])]
    rows = np.concatenate([signals.rows, seen])
    again = replace(signals, response=_read(signals.response.part(like), u, np.exp(logs[rows]), rng), rows=rows)
    columns["percent"][rows] = again.estimates()[0]
    columns["error"][rows] = np.sqrt(np.diag(again.covariance()))
    columns["below_lloq"][rows] = False
    return again


def _read(response: Response, u: Array, percent: Array, rng: np.random.Generator) -> Response:
    """Responses with what would be read of organs that hold `percent` (reading,)."""
    blank, rise = response.blank @ u, response.rise(u, percent)
    normal = blank + rise + np.sqrt(response.scatter(u, rise)) * rng.standard_normal(rise.size)
    # events: a negative binomial about the whole mean, whose variance is mean + relative rise^2; a rate is not negative
    mean = np.maximum(blank, 0.0) + rise
    alpha = np.maximum(response.relative(u) * (rise / mean) ** 2, POISSON)
    rate = np.where(response.counted, rng.gamma(1.0 / alpha, mean * alpha), 0.0)
    return replace(response, value=np.where(response.counted, rng.poisson(rate), normal))
