"""How well each animal would have been foretold by the others: leave-one-out by Pareto-smoothed importance sampling.

What is left out is an animal with all its organs and hours, for they are not independent given the model. Rows
without an animal (a mean of n, a range) are one unit for each group and hour, as the same animals were harvested. The
misfit of a cell ties its rows, so the density of a unit y_a is that given all others,

    log p(y_a | y_others, theta) = log p(all rows) - log p(all rows but those of a)

for each draw, of which only the cells that a touches differ (Burkner, Gabry & Vehtari 2021, Comput Stat 36:1243,
doi 10.1007/s00180-020-01045-4).
Pareto smoothing and its k: Vehtari, Simpson, Gelman, Yao & Gabry 2024, J Mach Learn Res 25:72. The controls of an
instrument are not left out: they tell of the plate, not of an animal.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from arviz_stats.base.array import array_stats
from numpy.typing import NDArray
from scipy.special import logsumexp

from pbpk.body.solve import Array
from pbpk.infer.anew import anew
from pbpk.infer.joint import Joint, predict_percent
from pbpk.infer.posterior import Posterior
from pbpk.infer.row_terms import log_rows
from pbpk.infer.signal_terms import log_readings
from pbpk.infer.signals import limits_beside

DRAWS = 1000  # at which animals are left out: a density of each is computed at each
MOST_K = 0.7  # above it importance sampling is no stand-in for a fit without the unit (Vehtari et al. 2024)
UNIT = ["unit", "group", "animal", "hours"]


@dataclass(frozen=True)
class LeftOut:
    """What leaving out one unit after the other says.

    units : one row each: unit, group, animal (empty for a mean or a range), hours, values: how many rows it has
    elpd, pareto_k : (unit,) log-density of the unit's rows as the others foretell them, and how far it can be trusted
    effective : effective number of parameters
    sentences : what to beware of
    """

    units: pd.DataFrame
    elpd: Array
    pareto_k: Array
    effective: float
    sentences: tuple[str, ...]

    @property
    def total(self) -> float:
        """Sum over units."""
        return float(self.elpd.sum())

    @property
    def se(self) -> float:
        """Standard error of the sum: units taken as a sample of those that could have been; NaN for one unit."""
        n = len(self.elpd)
        return float(np.sqrt(n) * self.elpd.std(ddof=1)) if n > 1 else float("nan")

    @property
    def unreliable(self) -> int:
        """Number of units whose k is above 0.7, or not a number."""
        return int((~(self.pareto_k <= MOST_K)).sum())


def units_of(joint: Joint) -> tuple[pd.DataFrame, NDArray[np.int64]]:
    """Units that can be left out, as in `LeftOut`, and the unit of each row, (row,)."""
    table = joint.counts.table
    named = table["animal"] != ""
    key = table["hours"].astype(float).where(~named)
    number = table.assign(key=key).groupby(["group", "animal", "key"], sort=False, dropna=False).ngroup().to_numpy()
    rows = []
    for _, part in table.groupby(number, sort=True):
        group, animal = str(part["group"].iloc[0]), str(part["animal"].iloc[0])
        hours = ", ".join(f"{hour:g}" for hour in np.unique(part["hours"].to_numpy(float)))
        name = f"{group}, animal {animal}" if animal else f"{group} at {hours} h"
        rows.append((name, group, animal, hours, len(part)))
    return pd.DataFrame(rows, columns=[*UNIT, "values"]), np.asarray(number, dtype=np.int64)


def log_given(
    joint: Joint, theta: Array, percent: dict[str, Array], u: Array | None = None, nu: float | None = None
) -> Array:
    """Log-density of each unit given all others, (draw, unit); percent, u and nu as in `leave_one_out`.

    Where the denominator is unknown, both numbers of the difference are mixtures of the readings, half weight each.
    Where animals differ, what is left out has no deviates of its own: they are summed over (`anew`).
    """
    units, number = units_of(joint)
    signals = joint.counts.signals
    if u is None:
        u = np.zeros((len(theta), 0))
    if signals is not None and u.shape[1] != len(signals.shared.names):
        raise ValueError("the readings of an instrument share unknowns; give those of each draw as `u`.")
    spread, misfit = (theta[:, joint.names.index(name)] for name in ("spread", "misfit"))
    among = (spread, misfit, u, joint.nu if nu is None else nu)
    logs = {reading: np.log(percent[reading]) for reading in joint.readings}
    full = {reading: _by_cell(joint, np.arange(number.size), m, *among) for reading, m in logs.items()}
    found = np.empty((len(theta), len(units)))
    for unit in range(len(units)):
        mine = number == unit
        touched = np.unique(joint.cells[mine])
        near = np.flatnonzero(np.isin(joint.cells, touched))
        rest = {reading: _by_cell(joint, near[~mine[near]], m, *among)[:, touched] for reading, m in logs.items()}
        far = {reading: full[reading].sum(axis=1) - full[reading][:, touched].sum(axis=1) for reading in logs}
        without = logsumexp([far[reading] + rest[reading].sum(axis=1) for reading in logs], axis=0)
        parts = []
        for weight, moved in anew(joint, theta, logs, np.flatnonzero(mine)):
            here = {reading: _by_cell(joint, near, m, *among)[:, touched].sum(axis=1) for reading, m in moved.items()}
            parts.append(weight + logsumexp([far[reading] + here[reading] for reading in logs], axis=0) - without)
        found[:, unit] = logsumexp(parts, axis=0) - np.log(len(parts))
    return found


def _by_cell(
    joint: Joint, rows: NDArray[np.int64], m: Array, spread: Array, misfit: Array, u: Array, nu: float
) -> Array:
    """Log-density of some rows together, cell by cell, (draw, cell)."""
    table, signals, cells = joint.counts.table, joint.counts.signals, joint.cells
    found = np.zeros((len(m), int(cells.max()) + 1))
    read = np.zeros(0, dtype=np.int64)
    limits = table["lloq"].where(table["below_lloq"]).to_numpy(float)
    if signals is not None:
        read = np.concatenate([signals.rows, limits_beside(signals, cells, limits)])
    for cell in np.unique(cells[rows]):
        here = rows[cells[rows] == cell]
        # as in the fit, limits in a cell that an instrument reads go with its readings
        if signals is not None and np.isin(here, read).any():
            found[:, cell] = log_readings(signals, cells, limits, here, m, spread, misfit, u)
            here = np.setdiff1d(here, read)
        if here.size:
            found[:, cell] += log_rows(table.iloc[here], cells[here], m[:, here], spread, misfit, nu)
    return found


def leave_one_out(
    joint: Joint,
    theta: Array,
    m: dict[str, Array] | None = None,
    u: Array | None = None,
    nu: float | None = None,
    chains: int | None = None,
) -> LeftOut:
    """Foretell each animal from all others.

    Parameters
    ----------
    theta : (draw, estimated) of the posterior, chain after chain
    m : reading -> (draw, row) percentages that the model says [%], by default `predict_percent`; give others where the
        effects of animals were drawn anew
    u : (draw, unknown) what readings share, `Posterior.unknowns`; needed where instruments read
    nu : degrees of freedom of a single animal, as in the fit unless another is given
    chains : number of chains in theta, so that draws that repeat each other count for less; None takes them as free
    """
    percent = predict_percent(joint, theta) if m is None else m
    given = log_given(joint, theta, percent, u, joint.nu if nu is None else nu)
    units, _ = units_of(joint)
    free = _share_free(given, chains)
    smoothed = [array_stats.psislw(given[:, i], r_eff=free[i]) for i in range(given.shape[1])]
    weights = np.stack([np.asarray(w) for w, _ in smoothed], axis=-1)
    k = np.array([float(each) for _, each in smoothed])
    elpd = np.asarray(logsumexp(weights + given, axis=0))
    effective = float((logsumexp(given, axis=0) - np.log(len(given)) - elpd).sum())
    return LeftOut(units, elpd, k, effective, _sentences(units, elpd, k, effective))


def left_out(posterior: Posterior, draws: int = DRAWS) -> LeftOut:
    """Leave each animal out of a fit: at evenly thinned draws, its deviates summed over where animals differ."""
    joint, chains = posterior.joint, int(posterior.tree["posterior"].sizes["chain"])
    each = max(min(draws, len(posterior.theta())) // chains, 1)
    every = len(posterior.theta()) // chains
    chosen = np.concatenate([c * every + np.linspace(0, every - 1, each).astype(int) for c in range(chains)])
    theta, u = posterior.theta()[chosen], posterior.unknowns()[chosen]
    return leave_one_out(joint, theta, u=u, chains=chains)


def _share_free(given: Array, chains: int | None) -> Array:
    """Effective over actual draws of each unit's density, (unit,)."""
    if chains is None:
        return np.ones(given.shape[1])
    likelihood = np.exp(given - given.max(axis=0)).T.reshape(given.shape[1], chains, -1)
    free = np.asarray(array_stats.ess(likelihood, method="mean", relative=True))
    return np.where(np.isfinite(free), np.minimum(free, 1.0), 1.0)


def _sentences(units: pd.DataFrame, elpd: Array, k: Array, effective: float) -> tuple[str, ...]:
    """What to beware of, in words."""
    found = []
    bad = np.flatnonzero(~(k <= MOST_K))
    if bad.size:
        worst = bad[np.argsort(-np.nan_to_num(k[bad], nan=np.inf))][:3]
        names = ", ".join(f"`{units['unit'].iloc[i]}` (k = {k[i]:.2f})" for i in worst)
        found.append(
            f"{bad.size} of {len(units)} units move the fit so much that it cannot say what it would be without them "
            f"(Pareto k above {MOST_K}): {names}; fit again without them before you trust a comparison."
        )
    if not np.isfinite(elpd).all():
        found.append("the density of some units is zero or not a number; check the predictions.")
    if len(units) < 3:
        found.append(f"only {len(units)} units can be left out; a standard error of so few says little.")
    if effective > 0.5 * units["values"].sum():
        found.append(
            f"the effective number of parameters ({effective:.1f}) is more than half the number of values "
            f"({units['values'].sum()}); the model bends to each of them, or misses them widely."
        )
    return tuple(found)


def influence(left_out: LeftOut) -> pd.DataFrame:
    """Units sorted by their influence on the fit, most first: unit, group, animal, hours, values, elpd, k."""
    table: Any = left_out.units.assign(elpd=left_out.elpd, k=left_out.pareto_k)
    return table.sort_values(["k", "elpd"], ascending=[False, True], na_position="first", ignore_index=True)
