"""Two groups beside each other: difference and ratio of a number, with intervals."""

from dataclasses import dataclass

import numpy as np
import scipy.stats

from pbpk.predict.noncompartmental.destructive import Estimate


@dataclass(frozen=True)
class Ratio:
    """A ratio and its interval by Fieller, which has no end where the divisor may be zero: then NaN."""

    value: float
    low: float
    high: float
    df: float


def difference(a: Estimate, b: Estimate) -> Estimate:
    """First minus second of independent groups, with Satterthwaite's degrees of freedom."""
    return Estimate(a.value - b.value, float(np.hypot(a.se, b.se)), _freedom(a, b, 1.0))


def ratio(a: Estimate, b: Estimate, level: float = 0.95) -> Ratio:
    """First over second of independent groups: the factors f for which a - f b may be zero (Fieller 1954)."""
    found = a.value / b.value
    df = _freedom(a, b, found)
    t = float(scipy.stats.t.ppf(0.5 + level / 2.0, df))
    lead = b.value**2 - (t * b.se) ** 2  # of f^2
    root = (a.value * b.value) ** 2 - lead * (a.value**2 - (t * a.se) ** 2)
    if not lead > 0.0 or not root >= 0.0:
        return Ratio(found, np.nan, np.nan, df)
    low, high = ((a.value * b.value + sign * np.sqrt(root)) / lead for sign in (-1.0, 1.0))
    return Ratio(found, float(low), float(high), df)


def level_of(level: float, comparisons: int) -> float:
    """Level of each of several intervals that hold together (Bonferroni)."""
    return 1.0 - (1.0 - level) / comparisons


def _freedom(a: Estimate, b: Estimate, factor: float) -> float:
    """Degrees of freedom of a - factor b."""
    parts = np.array([a.se**2, (factor * b.se) ** 2])
    freedom = np.array([a.df, b.df])
    with np.errstate(divide="ignore", invalid="ignore"):
        below = float((parts**2 / freedom).sum())
    return float(parts.sum() ** 2 / below) if below > 0.0 else (np.inf if below == 0.0 else np.nan)
