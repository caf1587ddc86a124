"""How chains walk: ranks, energies, lengths of their ways, effective draws as they grow."""

from collections.abc import Iterable, Mapping

import arviz as az
import numpy as np
import xarray as xr
from scipy.stats import binom, rankdata

from pbpk.body.solve import Array

DEPTH = 10  # doublings after which nutpie ends a way, 2^10 - 1 steps
BINS = 20  # of a histogram of ranks


def ranks(values: Array) -> Array:
    """Rank of each draw among those of all chains, ties shared, in the shape of `values`."""
    return np.asarray(rankdata(values.ravel()).reshape(values.shape))


def rank_counts(values: Array, bins: int = BINS) -> Array:
    """How many draws of each chain fall into each of some equal parts of the ranks of all, (chain, bin).

    values : (chain, draw)
    """
    of = np.minimum(((ranks(values) - 0.5) / values.size * bins).astype(int), bins - 1)
    return np.stack([np.bincount(chain, minlength=bins) for chain in of])


def rank_band(draws: int, effective: float, bins: int = BINS, share: float = 0.99) -> tuple[float, float]:
    """Between what counts a bin of a chain should lie, with the probability `share`, if chains agree.

    A chain of `draws` draws scatters like one of `effective` independent ones (Vehtari et al. 2021, Bayesian Analysis
    16:667, for the plot).
    """
    n = int(np.clip(effective, 1.0, draws))
    low, high = binom.ppf([(1.0 - share) / 2.0, (1.0 + share) / 2.0], n, 1.0 / bins)
    return float(low) * draws / n, float(high) * draws / n


def effective_within(draws: xr.Dataset, names: Iterable[str]) -> dict[str, float]:
    """Effective draws (bulk) of all chains, each taken about its own mean: what a chain apart does not lessen."""
    some = draws[list(names)]
    found = az.ess(some - some.mean("draw"), method="bulk")
    return {str(name): float(found[name]) for name in some}


def bfmi(energy: Array) -> Array:
    """Energy Bayesian fraction of missing information of each chain, (chain,), from energies (chain, draw).

    Mean square of the steps of the energy over its variance (Betancourt 2016, arXiv:1604.00695).
    """
    return np.asarray((np.diff(energy, axis=1) ** 2).mean(axis=1) / energy.var(axis=1))


def share_deepest(stats: xr.Dataset) -> float:
    """Share of transitions that were cut short at the greatest depth; NaN where the sampler did not keep it."""
    if "maxdepth_reached" in stats:
        return float(stats["maxdepth_reached"].to_numpy().astype(bool).mean())
    if "n_steps" in stats:
        return float((stats["n_steps"].to_numpy() >= 2**DEPTH - 1).mean())
    return float("nan")


def ess_growth(draws: xr.Dataset, names: Iterable[str], parts: int = 10) -> dict[str, tuple[Array, Array, Array]]:
    """Effective draws of the first part of all chains, as it grows: draws, bulk, tail, each (part,)."""
    some = draws[list(names)]
    ends = np.unique(np.linspace(0, some.sizes["draw"], parts + 1)[1:].astype(int))
    ends = ends[ends >= 8]  # split chains of four draws have no autocorrelation to speak of
    each = [some.isel(draw=slice(0, end)) for end in ends]
    bulk, tail = ([az.ess(part, method=method) for part in each] for method in ("bulk", "tail"))
    total = ends * some.sizes["chain"]
    return {
        str(name): (total, np.array([float(p[name]) for p in bulk]), np.array([float(p[name]) for p in tail]))
        for name in some
    }


def worst_first(each: Mapping[str, Mapping[str, float]], most: int) -> list[str]:
    """Names of the parameters that mix worst, by R-hat and then by the least effective draws."""

    def burden(name: str) -> tuple[float, float]:
        of = each[name]
        return -round(of["rhat"], 3), min(of["ess_bulk"], of["ess_tail"])

    return sorted(each, key=burden)[:most]


def closest_pairs(draws: Mapping[str, Array], most: int) -> list[tuple[str, str, float]]:
    """Pairs of parameters that move most together, and their rank correlation, strongest first."""
    names = list(draws)
    if len(names) < 2:
        return []
    tie = np.corrcoef([ranks(draws[name]).ravel() for name in names])
    i, j = np.triu_indices(len(names), 1)
    order = np.argsort(-np.abs(tie[i, j]), kind="stable")[:most]
    return [(names[i[k]], names[j[k]], float(tie[i[k], j[k]])) for k in order]
