"""Whether ranks of the truth are uniform, as they are where a posterior is right (Talts et al. 2018, arXiv:1804.06788).

A rank stands here as a number between 0 and 1: the share of draws below the truth, at a random place within its step,
so that it is exactly uniform however many draws there are. The band about the ECDF holds at all places at once:
Sailynoja, Burkner, Vehtari 2022, Statistics and Computing 32:32.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from pbpk.body.solve import Array

LEVELS = (0.5, 0.8, 0.95)
SIMULATED = 20_000  # uniform samples behind each band
POINTS = 200  # most places at which an ECDF is looked at
IN_A_BIN = 5  # ranks expected in a bin of a histogram


def place(draws: Array, truth: float, rng: np.random.Generator) -> float:
    """Rank of the truth among (near-independent) draws, between 0 and 1, uniform if the truth is one of them.

    draws : (draw,)
    """
    below, same = int((draws < truth).sum()), int((draws == truth).sum())
    return float((below + rng.uniform() * (same + 1)) / (len(draws) + 1))


def _points(n: int) -> Array:
    """Where the ECDF of n ranks is looked at."""
    steps = max(min(n, POINTS), 2)
    return np.arange(1, steps) / steps


@lru_cache(maxsize=16)
def _tails(n: int) -> Array:
    """Twice the smaller tail probability of each count of ranks below each point, (point, count)."""
    counts, points = np.arange(n + 1), _points(n)[:, np.newaxis]
    below, above = stats.binom.cdf(counts, n, points), stats.binom.sf(counts - 1, n, points)
    return np.asarray(2.0 * np.minimum(below, above))


def _least_tail(ranks: Array) -> Array:
    """Smallest two-sided tail probability over all points, for each row of (sample, rank)."""
    n = ranks.shape[-1]
    tails, points = _tails(n), _points(n)
    counts = np.stack([np.searchsorted(row, points, side="right") for row in np.sort(ranks, axis=-1)])
    return np.asarray(tails[np.arange(points.size), counts].min(axis=-1))


@lru_cache(maxsize=16)
def _by_chance(n: int) -> Array:
    """Sorted smallest tail probabilities of uniform samples of size n, (sample,)."""
    return np.sort(_least_tail(np.random.default_rng(n).uniform(size=(SIMULATED, n))))


def ecdf_p(ranks: Array) -> float:
    """Share of uniform samples whose ECDF leaves the diagonal as far as that of these ranks (rank,) somewhere."""
    found = _least_tail(np.asarray(ranks)[np.newaxis])[0]
    at_most = int(np.searchsorted(_by_chance(len(ranks)), found * (1.0 + 1e-12), side="right"))
    return (1 + at_most) / (SIMULATED + 1)


def ecdf_band(n: int, level: float = 0.95) -> tuple[Array, Array, Array]:
    """Points, and the lowest and highest ECDF there of n uniform ranks, at all points at once, each (point,)."""
    gamma = float(np.quantile(_by_chance(n), 1.0 - level))
    points = _points(n)
    low, high = stats.binom.ppf(gamma / 2.0, n, points), stats.binom.isf(gamma / 2.0, n, points)
    return points, np.asarray(low / n), np.asarray(high / n)


def histogram(ranks: Array, most: int = 20) -> NDArray[np.int64]:
    """Numbers of ranks in equal bins, (bin,): as many bins as leave five in each, at least 2."""
    bins = int(np.clip(len(ranks) // IN_A_BIN, 2, most))
    return np.asarray(np.histogram(ranks, bins, (0.0, 1.0))[0], dtype=np.int64)


def chi_square_p(ranks: Array) -> float:
    """Probability that uniform ranks fill the bins of `histogram` as unevenly."""
    return float(stats.chisquare(histogram(ranks)).pvalue)


def coverage(ranks: Array, levels: Sequence[float] = LEVELS) -> dict[str, float]:
    """Share of central intervals that held the truth, with the 95 % interval of that share (Clopper, Pearson)."""
    found: dict[str, float] = {}
    for level in levels:
        inside = int((np.abs(ranks - 0.5) <= level / 2.0).sum())
        interval = stats.binomtest(inside, len(ranks)).proportion_ci(0.95, "exact")
        name = f"{100 * level:g}"
        found |= {f"cover{name}": inside / len(ranks), f"low{name}": interval.low, f"high{name}": interval.high}
    return found


def holm(p: Sequence[float]) -> Array:
    """P-values that hold for all of them together (Holm 1979, Scandinavian Journal of Statistics 6:65)."""
    values = np.asarray(p, dtype=float)
    order = np.argsort(values, kind="stable")
    steps = np.maximum.accumulate(values[order] * (len(values) - np.arange(len(values))))
    out = np.empty_like(values)
    out[order] = np.minimum(steps, 1.0)
    return out


def described(ranks: Array) -> str:
    """What is most wrong with a posterior whose truths have these ranks, in words.

    The mean of n uniform ranks scatters by sqrt(1/12/n), their mean square from the middle by sqrt(1/180/n).
    """
    n = len(ranks)
    off = (float(np.mean(ranks)) - 0.5) / np.sqrt(1.0 / 12.0 / n)
    wide = (float(np.mean((np.asarray(ranks) - 0.5) ** 2)) - 1.0 / 12.0) / np.sqrt(1.0 / 180.0 / n)
    if max(abs(off), abs(wide)) < 2.0:
        return "neither shifted nor of another width"
    if abs(off) > abs(wide):
        return f"too {'low' if off > 0 else 'high'} (truths lie {'above' if off > 0 else 'below'} it)"
    return "too narrow" if wide > 0 else "too wide"


def uniform_rows(ranks: dict[str, Array]) -> list[dict[str, Any]]:
    """One row for each quantity: coverage, p-values of ECDF and histogram, Holm's of the first, what is wrong."""
    rows: list[dict[str, Any]] = [
        {"quantity": name, "fits": len(each), **coverage(each), "p_ecdf": ecdf_p(each), "p_chi2": chi_square_p(each)}
        for name, each in ranks.items()
    ]
    for row, p in zip(rows, holm([row["p_ecdf"] for row in rows]), strict=True):
        row |= {"p_holm": float(p), "posterior": described(ranks[row["quantity"]])}
    return rows
