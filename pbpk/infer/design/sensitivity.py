"""What a design is expected to teach, before its data are in: the posterior of the model made linear about the prior.

With z standard normal, J the slopes of the log-predictions by z and S the covariance of log-values that the likelihood
has, the posterior covariance is (I + F)^-1, F = J' S^-1 J for the curves. Scatter is a parameter too: what a normal
teaches of its own variance, tr(S^-1 S_i S^-1 S_j) / 2, is added, and what SDs beside means teach. No value is used.

What a row can say follows `joint`: a mean of n scatters less; rows of one cell share the misfit; readings of
instruments have their own noise and share the doubt of their controls; a row with a limit tells less the more likely
it is to lie below it (information of a censored normal); a stated upper bound is an answer yes or no; a range over
animals counts as two of them, or one if its lower end is open: rather too little than too much.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import log_ndtr, ndtr

from pbpk.body.solve import Array
from pbpk.infer.design.structure import left_unknown
from pbpk.infer.draws.summary import LEARNED, how_much, log_variance
from pbpk.infer.matched.between import DEVIATE
from pbpk.infer.matched.joint import Joint, predict_percent

STEP = 1e-3  # of z: central differences err by step^2 / 6 = 2e-7, and rates that move, good to 1e-9, by 1e-6
DRAWS = 8  # of the prior, beside its medians: priors reach over decades, and one point may be a lucky one
FLOOR = 1e-9  # percent of the dose, below which nothing is seen
TIED = 0.5  # correlation from which two parameters are called confounded, unless both are learned
Z95 = 1.959963984540054


@dataclass(frozen=True)
class Expectation:
    """What a design is expected to teach.

    names : of the free parameters that are not known; covariance : (free, free) expected posterior of their z
    table : one row for each parameter: contraction (expected posterior SD over prior SD), learned, low and high (95 %
        about the prior median), influence (root mean square of its slopes over the noise: Brun 2001's delta-msqr)
    pairs : correlation expected in the posterior and collinearity index of the slopes, most confounded first
    slopes : d log(prediction) / dz for each parameter, group, organ, readout and hour, at the medians
    """

    names: tuple[str, ...]
    covariance: Array
    table: pd.DataFrame
    pairs: pd.DataFrame
    slopes: pd.DataFrame

    def contraction(self, name: str) -> float:
        """Expected posterior SD over prior SD."""
        return float(np.sqrt(self.covariance[self.names.index(name), self.names.index(name)]))

    def correlation(self, one: str, other: str) -> float:
        """Expected posterior correlation of two parameters."""
        i, j = self.names.index(one), self.names.index(other)
        return float(self.covariance[i, j] / np.sqrt(self.covariance[i, i] * self.covariance[j, j]))

    @property
    def confounded(self) -> pd.DataFrame:
        """Pairs that the design leaves confounded: tied, and not both learned."""
        tied = self.pairs["correlation"].abs() >= TIED
        return self.pairs[tied & (self.pairs["contraction"] >= LEARNED)]

    @property
    def sentences(self) -> tuple[str, ...]:
        """The finding in words."""
        counted = [f"{(self.table['learned'] == word).sum()} {word}" for word in
                   ("learned", "half learned", "not learned")]  # fmt: skip
        first = f"Of {len(self.table)} parameters this design is expected to leave {', '.join(counted)}."
        return (first, *(pair_sentence(*row) for row in self.confounded[PAIR].itertuples(index=False)))


PAIR = ["parameter", "other", "correlation"]


def pair_sentence(one: str, other: str, correlation: float) -> str:
    """What a tie between two parameters means."""
    what = "less" if correlation < 0.0 else "more"
    return (f"`{one}` and `{other}` are confounded (correlation {correlation:+.2f}): "
            f"more of one is made good by {what} of the other.")  # fmt: skip


def expected(
    joint: Joint, known: Sequence[str] = (), draws: int = DRAWS, seed: int = 1, about: Array | None = None
) -> Expectation:
    """Say what a design is expected to teach, from its rows alone.

    The covariance is the mean of those at the prior's medians and at a few of its draws, as the mean of the variances
    that one may end with; at one truth it can be less than half of that. What is not linear it does not see: two rates
    that can change places (loss and transfer) count as told where a fit finds both ways round. Where the denominator
    is unknown, it is the mean over both readings.

    Parameters
    ----------
    known : names or patterns of parameters taken as known from elsewhere
    about : (point, free) z about which the model is made linear instead, as a truth or draws of a posterior

    Raises
    ------
    StudyError
        if a name or pattern in `known` fits no parameter, or all of them
    """
    names = unknown_of(joint, known)
    kept = [i for i, p in enumerate(joint.free) if p.name in names]
    covariances, influences, first = [], [], None
    for at in points(joint, prior_points(joint, draws, seed) if about is None else np.atleast_2d(about)):
        covariances.append(at.covariance(kept))
        white = np.linalg.solve(np.linalg.cholesky(at.noise), at.slopes[:, kept])
        influences.append(np.sqrt((white**2).mean(axis=0)))
        first = first or (at.slopes[:, kept], white)
    assert first is not None
    covariance = np.mean(covariances, axis=0)
    table = _table(joint, names, covariance, np.mean(influences, axis=0))
    pairs = _pairs(list(table["parameter"]), names, covariance, first[1])
    return Expectation(names, covariance, table, pairs, _slopes_table(joint, first[0], names))


def unknown_of(joint: Joint, known: Sequence[str]) -> tuple[str, ...]:
    """Free parameters but those that a name or pattern in `known` fits."""
    return left_unknown(known, [p.name for p in joint.free])


@dataclass(frozen=True)
class Point:
    """A design about one point of the prior and under one reading of its denominator.

    log_percent : (row,) log-predictions; slopes : (row, free) how they move with z
    noise : (row, row) covariance of the log-values
    changes : (free, row, row) of the noise by z, for what is scatter: place -> change
    sds : information of the SDs beside means, by place
    """

    log_percent: Array
    slopes: Array
    noise: Array
    changes: dict[int, Array]
    sds: dict[int, float]

    def covariance(self, kept: Sequence[int], information: Array | None = None) -> Array:
        """Posterior covariance (kept, kept) of some z, the others known, from all rows or from what some hold."""
        whole = (self.information() if information is None else information).copy()
        for place, held in self.sds.items():
            whole[place, place] += held
        return np.linalg.inv(np.eye(len(kept)) + whole[np.ix_(kept, kept)])

    def information(self, rows: Any = slice(None)) -> Array:
        """Fisher information of z in some of the rows, (free, free); that of independent rows adds."""
        slopes, noise = self.slopes[rows], self.noise[rows][:, rows]
        information = slopes.T @ np.linalg.solve(noise, slopes)
        changes = {place: np.linalg.solve(noise, change[rows][:, rows]) for place, change in self.changes.items()}
        for one, change in changes.items():
            for other, another in changes.items():
                information[one, other] += 0.5 * np.sum(change * another.T)
        return information


def prior_points(joint: Joint, draws: int, seed: int) -> Array:
    """The prior's medians and some of its draws, (1 + draws, free) z."""
    z = np.random.default_rng(seed).standard_normal((1 + draws, len(joint.free)))
    z[0] = 0.0
    return z


def points(joint: Joint, z: Array) -> Iterator[Point]:
    """The design at points (point, free) of the prior, for each reading of the denominator."""
    names = [p.name for p in joint.free]
    scatter = [names.index(p.name) for p in joint.model.noise if p.name in names]
    for one in z:
        steps = {place: one + STEP * np.outer([1.0, -1.0], np.eye(len(one))[place]) for place in scatter}
        ends = {place: joint.theta(both) for place, both in steps.items()}
        for log_percent, slopes in log_slopes(joint, one).values():
            noise = noise_of(joint, joint.theta(one), log_percent)
            changes = {
                place: (noise_of(joint, up, log_percent) - noise_of(joint, down, log_percent)) / (2.0 * STEP)
                for place, (up, down) in ends.items()
            }
            yield Point(log_percent, slopes, noise, changes, _of_sds(joint, ends))


def _of_sds(joint: Joint, ends: dict[int, Array]) -> dict[int, float]:
    """Information that SDs beside means hold of the spread, by its place: chi-square with n - 1 degrees of freedom."""
    table, at = joint.counts.table, joint.names.index("spread")
    given = ((table["sd"] > 0.0) & table["low"].isna() & ~table["below_lloq"]).to_numpy(bool)
    freedom = float((table["n"].to_numpy(float)[given] - 1.0).clip(min=0.0).sum())
    slopes = {place: float(np.log(up[at] / down[at])) / (2.0 * STEP) for place, (up, down) in ends.items()}
    return {place: 2.0 * freedom * slope**2 for place, slope in slopes.items()}


def log_slopes(joint: Joint, z: Array) -> dict[str, tuple[Array, Array]]:
    """Log of what each row should be, (row,), and its slopes by z, (row, free), for each reading of the denominator."""
    n = z.size
    many = np.repeat(z[np.newaxis], 2 * n + 1, axis=0)
    many[np.arange(n), np.arange(n)] += STEP
    many[n + np.arange(n), np.arange(n)] -= STEP
    theta = joint.theta(many)
    found = {}
    for reading, percent in predict_percent(joint, theta).items():
        y = np.log(np.maximum(percent, FLOOR)) + _of_means(joint, theta)
        found[reading] = y[-1], ((y[:n] - y[n : 2 * n]) / (2.0 * STEP)).T
    return found


def _scatter(joint: Joint, theta: Array) -> tuple[Array, Array, Array]:
    """Spread and misfit, (draw, 1), and the variance of the logarithm of a mean of n animals, (draw, row)."""
    spread, misfit = (theta[:, [joint.names.index(name)]] for name in ("spread", "misfit"))
    return spread, misfit, log_variance(spread, _animals(joint))


def _animals(joint: Joint) -> Array:
    """Animals that a row is the mean of; one where it is a range."""
    table = joint.counts.table
    n = np.where(table["low"].notna() | table["below_lloq"], 1.0, table["n"].to_numpy(float))
    return np.asarray(np.where(np.isfinite(n), n, 1.0), dtype=float)


def _of_means(joint: Joint, theta: Array) -> Array:
    """How far the logarithm of a mean of n animals lies above that of the median animal, (draw, row)."""
    spread, _, v = _scatter(joint, theta)
    return np.asarray((spread**2 - v) / 2.0, dtype=float)


def noise_of(joint: Joint, theta: Array, log_percent: Array) -> Array:
    """Covariance of the log-values about what the model says, (row, row).

    theta : (estimated,); log_percent : (row,)
    """
    table = joint.counts.table
    spread, misfit, v = (x[0] for x in _scatter(joint, theta[np.newaxis]))
    own = v.copy()
    low, high, n, lloq = (table[name].to_numpy(float) for name in ("low", "high", "n", "lloq"))
    ranged = np.isfinite(low)
    ends, stated = ranged & (n > 1.0), ranged & ~(n > 1.0)
    own[ends] = spread**2 / np.where(low[ends] > 0.0, 2.0, 1.0)
    closed = stated & (low > 0.0)
    own[closed] += np.log(high[closed] / low[closed]) ** 2 / 12.0
    shared = np.zeros((len(table), len(table)))
    if joint.counts.signals is not None:
        own, shared = _readings(joint, own, log_percent)
    whole = np.sqrt(own + misfit**2)
    limited = np.isfinite(lloq) & ~ranged
    own[limited] /= censored((np.log(lloq) - log_percent)[limited] / whole[limited])
    bound = stated & (low == 0.0)
    own[bound] /= answered((np.log(high) - log_percent)[bound] / whole[bound])
    together = (joint.cells[:, np.newaxis] == joint.cells).astype(float)
    return np.asarray(misfit**2 * together + np.diag(own) + shared, dtype=float)


def _readings(joint: Joint, own: Array, log_percent: Array) -> tuple[Array, Array]:
    """Own variance of each row with that of its instrument, (row,), and what readings share, (row, row)."""
    signals: Any = joint.counts.signals
    rows, r, u = signals.rows, signals.response, signals.shared.mean
    rise = r.rise(u, np.exp(log_percent[rows]))
    own = own.copy()
    own[rows] += (r.scatter(u, rise) + np.where(r.counted, rise, 0.0)) / rise**2
    shared = np.zeros((len(own), len(own)))
    slope = -r.blank / rise[:, np.newaxis] - r.gain
    shared[np.ix_(rows, rows)] = slope @ signals.shared.covariance @ slope.T
    return own, shared


def censored(limit: Array) -> Array:
    """Information on its centre that a normal value keeps if it is only told above `limit`, in its SDs; at most 1."""
    density = np.exp(-0.5 * limit**2) / np.sqrt(2.0 * np.pi)
    ratio = np.exp(2.0 * np.log(density + 1e-300) - log_ndtr(limit))
    return np.clip(ndtr(-limit) + limit * density + ratio, 1e-12, 1.0)


def answered(limit: Array) -> Array:
    """Information that is left if it is only told whether a normal value lies below `limit`; at most 2/pi."""
    density = -(limit**2) - np.log(2.0 * np.pi)
    return np.clip(np.exp(density - log_ndtr(limit) - log_ndtr(-limit)), 1e-12, 1.0)


def collinearity(slopes: Array) -> float:
    """Collinearity index of some columns: 1 where they are orthogonal, without end where one follows from the others.

    A change of one parameter can be made good by the others but for a part of one over the index (Brun 2001, Water
    Resour Res 37:1015). The R package FME, which computes it too, calls less than about 20 identifiable.

    slopes : (row, parameter), over the noise
    """
    lengths = np.linalg.norm(slopes, axis=0)
    if not (lengths > 0.0).all():
        return float("inf")
    least = np.linalg.eigvalsh((slopes / lengths).T @ (slopes / lengths))[0]
    return float(1.0 / np.sqrt(least)) if least > 1e-14 else float("inf")


def _table(joint: Joint, names: tuple[str, ...], covariance: Array, influence: Array) -> pd.DataFrame:
    """One row for each parameter that is the study's, without deviations of single animals."""
    by_name = {p.name: p for p in joint.free}
    rows = []
    for i, name in enumerate(names):
        if name.startswith(DEVIATE):
            continue
        sd, prior = float(np.sqrt(covariance[i, i])), by_name[name].prior
        low, high = prior.value(Z95 * sd * np.array([-1.0, 1.0]))
        rows.append({"parameter": name, "about": by_name[name].about, "unit": by_name[name].unit, "contraction": sd,
                     "learned": how_much(sd), "low": float(low), "high": float(high),
                     "influence": float(influence[i])})  # fmt: skip
    return pd.DataFrame(rows)


def _pairs(asked: Sequence[str], names: tuple[str, ...], covariance: Array, white: Array) -> pd.DataFrame:
    """Pairs of parameters, most confounded first; contraction is that of the one that is learned less."""
    sd = np.sqrt(np.diag(covariance))
    rows = []
    for a, one in enumerate(asked):
        for other in asked[a + 1 :]:
            i, j = names.index(one), names.index(other)
            rows.append((one, other, covariance[i, j] / (sd[i] * sd[j]), collinearity(white[:, [i, j]]),
                         max(sd[i], sd[j])))  # fmt: skip
    table = pd.DataFrame(rows, columns=[*PAIR, "collinearity", "contraction"])
    return table.sort_values("correlation", key=abs, ascending=False, kind="stable").reset_index(drop=True)


def _slopes_table(joint: Joint, slopes: Array, names: tuple[str, ...]) -> pd.DataFrame:
    """Slopes at the medians, one row for each parameter and what is measured once."""
    seen = joint.counts.table[["group", "organ", "readout", "hours"]]
    first = ~seen.duplicated()
    parts = [seen[first].assign(parameter=name, coefficient=slopes[first.to_numpy(), i])
             for i, name in enumerate(names) if not name.startswith(DEVIATE)]  # fmt: skip
    return pd.concat(parts, ignore_index=True)[["parameter", "group", "organ", "readout", "hours", "coefficient"]]
