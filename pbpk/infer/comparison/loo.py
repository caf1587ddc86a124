"""How well each animal would have been foretold by the others: leave-one-out by Pareto-smoothed importance sampling.

What is left out is a unit of `assay.holdout`: an animal with all its organs and hours, for they are not independent
given the model, or a group at an hour where no animal is named, as the same animals were harvested. Its density given
all others at each draw is that of `held_out`.

Pareto smoothing and its k: Vehtari, Simpson, Gelman, Yao & Gabry 2024, J Mach Learn Res 25:72. The controls of an
instrument are not left out: they tell of the plate, not of an animal.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from arviz_stats.base.array import array_stats
from numpy.typing import NDArray
from scipy.special import logsumexp

from pbpk.assay.animals import of_subject
from pbpk.assay.counts import OrganCounts
from pbpk.assay.holdout import By, units_of
from pbpk.body.solve import Array
from pbpk.infer.comparison.held_out import DRAWS, log_given, thinned
from pbpk.infer.draws.posterior import Posterior
from pbpk.infer.matched.joint import Joint, predict_percent

MOST_K = 0.7  # above it importance sampling is no stand-in for a fit without the unit (Vehtari et al. 2024)
UNIT = ["unit", "group", "animal", "hours"]


@dataclass(frozen=True)
class LeftOut:
    """What leaving out one unit after the other says.

    units : one row each: unit, group, animal (empty for a mean or a range), hours, values: how many rows it has
    elpd : (unit,) log-density of the unit's rows as the others foretell them
    pareto_k : (unit,) how far that can be trusted; NaN where the model was fitted again without the unit
    effective : effective number of parameters, NaN where nothing tells it
    sentences : what to beware of
    unsettled : units whose refit did not pass the gate of convergence
    """

    units: pd.DataFrame
    elpd: Array
    pareto_k: Array
    effective: float
    sentences: tuple[str, ...] = ()
    unsettled: tuple[str, ...] = ()

    @property
    def names(self) -> NDArray[np.str_]:
        """Names of the units, (unit,), as `holdout.without` takes them."""
        return self.units["unit"].to_numpy(dtype=np.str_)

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
    def doubtful(self) -> tuple[str, ...]:
        """Units whose importance weights cannot be trusted."""
        return tuple(self.names[self.pareto_k > MOST_K].tolist())


def described(counts: OrganCounts, by: By = "animal") -> pd.DataFrame:
    """Units that can be left out, as in `LeftOut`, as they first come in the table."""
    table, own = counts.table, units_of(counts, by)
    rows = []
    for unit in dict.fromkeys(own.tolist()):
        part = table[own == unit]
        hours = ", ".join(f"{hour:g}" for hour in np.unique(part["hours"].to_numpy(float)))
        animal = of_subject(str(part["animal"].iloc[0])) if by == "animal" else ""
        rows.append((unit, str(part["group"].iloc[0]), animal, hours, len(part)))
    return pd.DataFrame(rows, columns=[*UNIT, "values"])


def leave_one_out(
    joint: Joint,
    theta: Array,
    m: dict[str, Array] | None = None,
    u: Array | None = None,
    nu: float | None = None,
    chains: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    by: By = "animal",
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
    progress : called with units done and units in all
    by : "hour" leaves out all that a group's animals show at an hour
    """
    percent = predict_percent(joint, theta) if m is None else m
    given = log_given(joint, theta, percent, u, nu, progress, by)
    units = described(joint.counts, by)
    free = _share_free(given, chains)
    smoothed = [array_stats.psislw(given[:, i], r_eff=free[i]) for i in range(given.shape[1])]
    weights = np.stack([np.asarray(w) for w, _ in smoothed], axis=-1)
    k = np.nan_to_num([float(each) for _, each in smoothed], nan=np.inf)  # no number is nothing to trust
    elpd = np.asarray(logsumexp(weights + given, axis=0))
    effective = float((logsumexp(given, axis=0) - np.log(len(given)) - elpd).sum())
    return LeftOut(units, elpd, k, effective, _sentences(units, elpd, k, effective))


def left_out(
    posterior: Posterior, draws: int = DRAWS, progress: Callable[[int, int], None] | None = None, by: By = "animal"
) -> LeftOut:
    """Leave each animal, or hour, out of a fit: at evenly thinned draws, an animal's deviates summed over."""
    joint, chosen = posterior.joint, thinned(posterior, draws)
    theta, u = posterior.theta()[chosen], posterior.unknowns()[chosen]
    chains = int(posterior.tree["posterior"].sizes["chain"])
    return leave_one_out(joint, theta, u=u, chains=chains, progress=progress, by=by)


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
    bad = np.flatnonzero(k > MOST_K)
    if bad.size:
        worst = bad[np.argsort(-k[bad])][:3]
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
    return table.sort_values(["k", "elpd"], ascending=[False, True], ignore_index=True)
