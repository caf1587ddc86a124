"""After the fit: whether the values scatter about their predictions as the fit says they should."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import xarray as xr
from scipy.stats import binom

from pbpk.body.solve import Array
from pbpk.infer.draws.posterior import Posterior
from pbpk.infer.draws.replicated import quantiles_in, replicates_of, seen

POINTS = 50  # at which an ECDF is held against its band
SIMULATED = 2000
NORMAL_WIDTH = 2 * 1.959963984540054  # of the central 95 %


@dataclass(frozen=True)
class PredictiveCheck:
    """Each value beside what could have been measured in its stead.

    table : a row for each row of the counts: group, animal, organ, readout, hours, value, low, high [%] (-inf to the
        limit where it is below one), p2.5, p50, p97.5 [%], pit (0 to 1), residual: the logarithm of value over median
        in SDs of the predictive logarithm; pit and residual are NaN without a number
    """

    table: pd.DataFrame

    @property
    def pit(self) -> Array:
        """Probability integral transforms of the values that are numbers, (value,)."""
        return self.table["pit"].dropna().to_numpy(float)


def thinned(posterior: Posterior, draws: int) -> Posterior:
    """Same posterior with about so many draws, evenly taken from all chains."""
    sizes = posterior.tree["posterior"].sizes
    step = max(int(sizes["chain"] * sizes["draw"]) // draws, 1)
    parts = {name: child.to_dataset() for name, child in posterior.tree.children.items() if name != "prior"}
    some = {name: part.isel(draw=slice(None, None, step)) for name, part in parts.items()}
    return replace(posterior, tree=xr.DataTree.from_dict(some))


def check_predictions(posterior: Posterior, draws: int = 1000, seed: int = 1) -> PredictiveCheck:
    """Hold every value against values that the fit could have brought forth."""
    joint, data = posterior.joint, seen(posterior.joint)
    drawn = replicates_of(thinned(posterior, draws), 2, seed)
    table = joint.counts.table[["group", "animal", "organ", "readout", "hours"]].copy()
    table["value"], table["low"], table["high"] = data.point, data.low, data.high
    for name, level in zip(("p2.5", "p50", "p97.5"), np.quantile(drawn, (0.025, 0.5, 0.975), axis=0), strict=True):
        table[name] = level
    single = data.low == data.high
    table["pit"] = np.where(single, quantiles_in(drawn, data.low, data.high), np.nan)
    least = np.finfo(float).tiny
    low, middle, high = (np.log(np.maximum(table[name].to_numpy(), least)) for name in ("p2.5", "p50", "p97.5"))
    known = np.isfinite(data.point)
    off = np.where(known, np.log(np.where(known, data.point, 1.0)) - middle, np.nan)
    table["residual"] = off / ((high - low) / NORMAL_WIDTH)
    return PredictiveCheck(table)


def uniform_band(n: int, share: float = 0.95, seed: int = 1) -> tuple[Array, Array, Array]:
    """Band in which the whole ECDF of n uniform numbers lies with probability `share`: places, low, high, (point,).

    Pointwise binomial intervals as wide as simulated samples need (Sailynoja, Burkner & Vehtari 2022, Stat Comput
    32:32, section 2.1).
    """
    places: Array = np.linspace(0.0, 1.0, POINTS + 2)[1:-1]
    samples = np.random.default_rng(seed).uniform(size=(SIMULATED, n))
    counts = np.stack([(samples <= place).sum(axis=1) for place in places], axis=1)
    below, above = binom.cdf(counts, n, places), binom.sf(counts - 1, n, places)
    least = 2.0 * np.minimum(below, above).min(axis=1)  # the tail that each sample needs at its worst place
    tail = float(np.quantile(least, 1.0 - share)) / 2.0
    return places, binom.ppf(tail, n, places) / n, binom.ppf(1.0 - tail, n, places) / n


def ecdf(values: Array, places: Array) -> Array:
    """Share of the values up to each place, (point,)."""
    return np.asarray((values[:, np.newaxis] <= places).mean(axis=0))
