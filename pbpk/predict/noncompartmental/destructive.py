"""Animals killed at their hour: areas as weighted sums of means, with variance and degrees of freedom.

An area by linear trapezoids is sum(w m) over the means m of the hours. One animal an hour: its variance is sum(w^2 s^2
/ n) (Bailer 1988), with Satterthwaite's degrees of freedom (Nedelman 1995). Animals seen at some hours each: means of
two hours covary by (w r) sigma / (r r'), after Nedelman and Jia 1998 with the estimate of Holder 2001. What rests on a
tail follows by the delta method (Wolfsegger and Jaki 2009), in the means and the means of the logarithms.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.stats

from pbpk.body.solve import Array
from pbpk.errors import InputError
from pbpk.predict.noncompartmental.profile import judged, replaced
from pbpk.predict.noncompartmental.rules import USUAL, BelowMean, Rules
from pbpk.predict.noncompartmental.slope import LOG2, Slope, terminal_slope

RESAMPLES = 2000


@dataclass(frozen=True)
class Estimate:
    """A number with its standard error and degrees of freedom; infinite ones mean a normal interval, NaN none."""

    value: float
    se: float = np.nan
    df: float = np.inf

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Confidence interval."""
        half = self.se * float(scipy.stats.t.ppf(0.5 + level / 2.0, self.df))
        return self.value - half, self.value + half


@dataclass(frozen=True)
class Sampled:
    """Values of animals at their hours.

    hours : (time,) [h]; mean, sd, n : (time,), sd between animals, NaN where nobody knows
    values : (animal, time) of single animals, NaN where one was not seen; None of printed means
    flags : what was done to values below a limit
    """

    hours: Array
    mean: Array
    sd: Array
    n: Array
    values: Array | None = None
    flags: tuple[str, ...] = ()

    @property
    def is_batch(self) -> bool:
        """True where an animal was seen at more than one hour."""
        return self.values is not None and bool((np.isfinite(self.values).sum(axis=1) > 1).any())


def of_animals(
    hours: Sequence[float] | Array,
    animals: Sequence[str],
    values: Sequence[float] | Array,
    limits: Array | None = None,
    below: Array | None = None,
    rule: BelowMean = "mostly",
) -> Sampled:
    """Values of single animals, (value,) each.

    below : true where a value is below its limit; limits : those limits; rule : as `Rules.below_mean`

    Raises
    ------
    InputError
        if an animal has two values at one hour, or a limit is needed that is not there
    """
    hours, values = np.asarray(hours, float), np.asarray(values, float).copy()
    limits = np.full(hours.size, np.nan) if limits is None else np.asarray(limits, float)
    below = (np.zeros(hours.size, bool) if below is None else np.asarray(below, bool)) | (values == 0.0)
    values[below] = replaced("zero" if rule == "mostly" else rule, limits[below])
    if rule != "drop" and np.isnan(values).any():
        raise InputError("a value below its limit is to be taken as a part of that limit, which is not given (lloq).")
    steps, at = np.unique(hours, return_inverse=True)
    names, who = np.unique(np.asarray(animals, str), return_inverse=True)
    table = np.full((names.size, steps.size), np.nan)
    for value, i, j in zip(values, who, at, strict=True):
        if np.isfinite(table[i, j]):
            raise InputError(
                f"animal `{names[i]}` has two values at {steps[j]:g} h; average them, or name two animals."
            )
        table[i, j] = value
    seen = np.isfinite(table)
    keep = seen.any(axis=0)  # an hour at which all were dropped is none
    steps, table, seen = steps[keep], table[:, keep], seen[:, keep]
    n = seen.sum(axis=0).astype(float)
    mean = np.nansum(table, axis=0) / n
    square = np.nansum((table - mean) ** 2, axis=0)
    sd = np.sqrt(np.where(n > 1, square / np.maximum(n - 1.0, 1.0), np.nan))
    flags: tuple[str, ...] = ()
    if rule == "mostly":
        shares = np.array([below[hours == hour].mean() for hour in steps])
        zeroed = shares > 0.5
        mean, sd = np.where(zeroed, 0.0, mean), np.where(zeroed, 0.0, sd)
        table = np.where(zeroed & seen, 0.0, table)
        if zeroed.any():
            flags = (f"means of {_listed(steps[zeroed])} h taken as zero: more than half of their values are below "
                     "the limit",)  # fmt: skip
    some = np.unique(hours[below])
    if some.size:
        flags += (f"values below the limit at {_listed(some)} h",)
    return Sampled(steps, mean, sd, n, table, flags)


def _listed(hours: Array) -> str:
    return ", ".join(f"{hour:g}" for hour in hours)


def weights(hours: Array, start: float, stop: float, carried: bool = False) -> Array:
    """Weights w of the area by linear trapezoids between two hours: sum(w mean), (time,).

    carried : before the first hour its own value stands; NaN where an end lies beyond what was sampled
    """
    found = np.zeros(hours.size)
    if stop > hours[-1] or (start < hours[0] and not carried):
        return np.full(hours.size, np.nan)
    if start < hours[0]:
        found[0] += min(stop, hours[0]) - start
    for j in range(hours.size - 1):
        a, b = max(start, hours[j]), min(stop, hours[j + 1])
        if a < b:  # integral of the line, whose middle lies so far on the way from left to right
            right = (0.5 * (a + b) - hours[j]) / (hours[j + 1] - hours[j])
            found[j] += (b - a) * (1.0 - right)
            found[j + 1] += (b - a) * right
    return found


def covariance(sampled: Sampled) -> Array:
    """Covariance of the means, (time, time)."""
    diagonal = np.where(sampled.n > 1, sampled.sd**2 / sampled.n, np.nan)
    found = np.diag(diagonal)
    if sampled.values is None or not sampled.is_batch:
        return found
    seen = np.isfinite(sampled.values)
    off = np.where(seen, sampled.values - sampled.mean, 0.0)
    for i in range(sampled.hours.size):
        for j in range(i):
            both = float((seen[:, i] & seen[:, j]).sum())
            ri, rj = sampled.n[i], sampled.n[j]
            freedom = (both - 1.0) + (1.0 - both / ri) * (1.0 - both / rj)
            if both == 0.0 or freedom <= 0.0:
                continue
            sigma = (off[:, i] * off[:, j]).sum() / freedom  # animals not seen at both add nothing
            bound = sampled.sd[i] * sampled.sd[j]
            found[i, j] = found[j, i] = both * float(np.clip(sigma, -bound, bound)) / (ri * rj)
    return found


def combined(sampled: Sampled, weight: Array) -> Estimate:
    """Weighted sum of the means.

    Degrees of freedom are Satterthwaite's over the groups of animals that were seen at the same hours: exact where no
    two groups share an hour, cautious where they do.
    """
    value = float(weight @ sampled.mean) if np.isfinite(weight).all() else np.nan
    used = np.flatnonzero(weight != 0.0)
    if np.isnan(value) or (sampled.n[used] < 2).any() or np.isnan(sampled.sd[used]).any():
        return Estimate(value, np.nan, np.nan)
    if sampled.values is None or not sampled.is_batch:
        parts, freedom = (weight * sampled.sd)[used] ** 2 / sampled.n[used], sampled.n[used] - 1.0
        return Estimate(value, float(np.sqrt(parts.sum())), _satterthwaite(parts, freedom))
    matrix = covariance(sampled)[np.ix_(used, used)]
    variance = float(weight[used] @ matrix @ weight[used])
    parts, freedom = _of_batches(sampled, weight)
    return Estimate(value, float(np.sqrt(max(variance, 0.0))), _satterthwaite(parts, freedom))


def _satterthwaite(parts: Array, freedom: Array) -> float:
    total = parts.sum()
    below = ((parts**2)[freedom > 0] / freedom[freedom > 0]).sum()
    return float(total**2 / below) if below > 0.0 else np.inf


def _of_batches(sampled: Sampled, weight: Array) -> tuple[Array, Array]:
    """Variance that each group of animals seen at the same hours adds, and its degrees of freedom."""
    assert sampled.values is not None
    seen = np.isfinite(sampled.values)
    share = np.where(seen, sampled.values, 0.0) @ (weight / sampled.n)  # what each animal adds to the sum
    parts, freedom = [], []
    for pattern in np.unique(seen, axis=0):
        own = share[(seen == pattern).all(axis=1)]
        if (pattern & (weight != 0.0)).any() and own.size > 1:
            parts.append(own.size * own.var(ddof=1))
            freedom.append(own.size - 1.0)
    return np.array(parts), np.array(freedom)


def bootstrap_t(sampled: Sampled, weight: Array, level: float = 0.95, seed: int = 1, resamples: int = RESAMPLES
                ) -> tuple[float, float]:  # fmt: skip
    """Interval of a weighted sum by the bootstrap-t: animals are drawn again among those seen at the same hours.

    Raises
    ------
    InputError
        if there are printed means and no animals
    """
    if sampled.values is None:
        raise InputError("the bootstrap draws animals again; printed means have none. Use the t interval.")
    found = combined(sampled, weight)
    if not found.se > 0.0:
        return np.nan, np.nan
    rng, seen = np.random.default_rng(seed), np.isfinite(sampled.values)
    groups = [np.flatnonzero((seen == pattern).all(axis=1)) for pattern in np.unique(seen, axis=0)]
    scores = []
    for _ in range(resamples):
        chosen = np.concatenate([rng.choice(group, group.size) for group in groups])
        values = sampled.values[chosen]
        mean, n = np.nanmean(values, axis=0), sampled.n
        sd = np.sqrt(np.nansum((values - mean) ** 2, axis=0) / np.maximum(n - 1.0, 1.0))
        again = combined(Sampled(sampled.hours, mean, sd, n, values), weight)
        if again.se > 0.0:  # the same animal n times has no spread, and says nothing of the interval
            scores.append((again.value - found.value) / again.se)
    low, high = np.quantile(scores, [0.5 - level / 2.0, 0.5 + level / 2.0])
    return found.value - high * found.se, found.value - low * found.se


@dataclass(frozen=True)
class Tail:
    """What rests on the terminal slope of the means, and the slope."""

    slope: Slope
    estimates: dict[str, Estimate]
    flags: tuple[str, ...]


def to_infinity(sampled: Sampled, rules: Rules = USUAL) -> Tail:
    """Terminal slope of the means and areas to infinity, with standard errors by the delta method.

    The line goes through the means of the logarithms where every value is there and positive, through the logarithms of
    the means elsewhere.
    """
    hours, kept = sampled.hours, np.flatnonzero(sampled.mean > 0.0)
    if not kept.size:
        return Tail(terminal_slope(np.zeros(0), np.zeros(0), rules), {}, ("no mean is above its limit",))
    line = terminal_slope(hours[kept], np.exp(_log_means(sampled, kept)), rules)
    if np.isnan(line.rate):
        return Tail(line, {}, judged(line, np.nan, rules))
    end, chosen = kept[-1], kept[-int(line.points) :]
    by_log = np.zeros(hours.size)  # derivatives of the rate by the logarithms
    x = hours[chosen] - hours[chosen].mean()
    by_log[chosen] = -x / (x**2).sum()
    rate, t, c = float(line.rate), float(hours[end]), float(sampled.mean[end])
    none = np.zeros(hours.size)
    last = np.where(np.arange(hours.size) == end, 1.0, 0.0)
    flat, moment = area_weights(hours, t, rules), moment_weights(hours, t, rules)
    area = float(flat @ sampled.mean) + c / rate
    aumc = float(moment @ sampled.mean) + t * c / rate + c / rate**2
    # of each number, its derivatives by the means and by the rate
    of_area = flat + last / rate, -c / rate**2
    of_aumc = moment + last * (t / rate + 1.0 / rate**2), -t * c / rate**2 - 2.0 * c / rate**3
    mrt = aumc / area
    by: dict[str, tuple[float, Array, float]] = {
        "lambda_z": (rate, none, 1.0),
        "half_life": (LOG2 / rate, none, -LOG2 / rate**2),
        "AUCinf_obs": (area, *of_area),
        "AUMCinf_obs": (aumc, *of_aumc),
        "MRTinf_obs": (mrt, (of_aumc[0] - mrt * of_area[0]) / area, (of_aumc[1] - mrt * of_area[1]) / area),
    }
    estimates = {name: Estimate(value, _delta(sampled, by_mean, by_rate * by_log))
                 for name, (value, by_mean, by_rate) in by.items()}  # fmt: skip
    more = 100.0 * (c / rate) / area
    estimates["AUCextrapolated_obs"] = Estimate(more, np.nan, np.nan)
    return Tail(line, estimates, judged(line, more, rules))


def area_weights(hours: Array, stop: float, rules: Rules = USUAL, begin: float | None = None) -> Array:
    """Weights of the area to an hour, from another or else from 0 h, if the rule says what stands there.

    Means have no bolus to extrapolate back to: by that rule, as by `first`, areas begin with the first sample.
    """
    if rules.start == "zero" and hours[0] > 0.0:
        return weights(np.concatenate([[0.0], hours]), begin or 0.0, stop)[1:]
    carried = rules.start == "carry_back"
    return weights(hours, (0.0 if carried else float(hours[0])) if begin is None else begin, stop, carried)


def moment_weights(hours: Array, stop: float, rules: Rules = USUAL) -> Array:
    """Weights of the area of hour times value to a sampled hour; at 0 h that is zero."""
    if rules.start in ("carry_back", "zero") and hours[0] > 0.0:
        return weights(np.concatenate([[0.0], hours]), 0.0, stop)[1:] * hours
    return weights(hours, float(hours[0]), stop) * hours


def _log_means(sampled: Sampled, kept: Any) -> Array:
    """Means of the logarithms, or logarithms of the means where not all values are there and positive, (kept,)."""
    found = np.log(sampled.mean[kept])
    for place, j in enumerate(kept):
        own = _own(sampled, int(j))
        if own is not None:
            found[place] = np.log(own).mean()
    return found


def _own(sampled: Sampled, j: int) -> Array | None:
    """Values of single animals at an hour, if all are positive."""
    if sampled.values is None:
        return None
    own = sampled.values[np.isfinite(sampled.values[:, j]), j]
    return own if (own > 0.0).all() else None


def _delta(sampled: Sampled, by_mean: Array, by_log: Array) -> float:
    """Standard error of a number from its derivatives by the means and by the means of logarithms, (time,) each."""
    used = np.flatnonzero((by_mean != 0.0) | (by_log != 0.0))
    if np.isnan(sampled.sd[used]).any():
        return np.nan
    if sampled.values is not None and all(_own(sampled, int(j)) is not None for j in np.flatnonzero(by_log)):
        # each animal's part of the number is linear in its values and their logarithms
        logs = np.log(np.where(sampled.values > 0.0, sampled.values, 1.0))
        made = np.where(np.isfinite(sampled.values), sampled.values * by_mean + logs * by_log, np.nan)
        n = sampled.n
        mean = np.nansum(made, axis=0) / n
        sd = np.sqrt(np.nansum((made - mean) ** 2, axis=0) / np.maximum(n - 1.0, 1.0))
        return combined(
            Sampled(sampled.hours, mean, sd, n, made), np.where(np.isin(np.arange(n.size), used), 1.0, 0.0)
        ).se
    return combined(sampled, by_mean + by_log / np.where(sampled.mean > 0.0, sampled.mean, 1.0)).se
