"""The slope of a tail: which of the last points lie on a line in their logarithms."""

from dataclasses import dataclass

import numpy as np

from pbpk.body.solve import Array
from pbpk.predict.noncompartmental.rules import USUAL, Rules

LOG2 = float(np.log(2.0))


@dataclass(frozen=True)
class Slope:
    """Terminal slopes of some curves, arrays (...,) or numbers; NaN where there is none.

    rate [1/h], intercept: logarithm at 0 h, r2, r2_adjusted, points : of the line; first, last : its hours
    """

    rate: Array
    intercept: Array
    r2: Array
    r2_adjusted: Array
    points: Array
    first: Array
    last: Array

    @property
    def half_life(self) -> Array:
        """[h]."""
        return LOG2 / self.rate

    @property
    def span(self) -> Array:
        """Half-lives from its first to its last point."""
        return (self.last - self.first) / self.half_life

    def predicted(self, hours: float) -> Array:
        """Value of the line at an hour."""
        return np.exp(self.intercept - self.rate * hours)


def terminal_slope(hours: Array, values: Array, rules: Rules = USUAL, peak_too: bool = False) -> Slope:
    """Line through the logarithms of the last points of each curve.

    Candidates are the last `least_points` or more after the peak; of those that fall, the one with the largest adjusted
    R2 is taken, and within the tolerance of that the one with most points. With `tail` they are the last so many.

    Parameters
    ----------
    hours : (time,) [h] rising; values : (..., time), all positive
    peak_too : the peak may be one of them, as after a bolus into plasma
    """
    n = hours.size
    asked = [rules.tail] if rules.tail else list(range(rules.least_points, n + 1))
    sizes = [size for size in asked if size <= n]
    if not sizes:
        nothing = np.full(values.shape[:-1], np.nan)
        return Slope(*([nothing] * 7))
    peak = np.argmax(values, axis=-1)
    with np.errstate(divide="ignore"):  # a curve that reaches zero has no slope
        logs = np.log(values)
    rate, intercept, r2 = (np.stack(parts, axis=-1) for parts in zip(*(_line(hours, logs, k) for k in sizes),
                                                                       strict=True))  # fmt: skip
    points = np.array(sizes, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        adjusted = 1.0 - (1.0 - r2) * (points - 1.0) / (points - 2.0)
    starts = n - np.array(sizes)
    allowed = (starts >= peak[..., np.newaxis] + (0 if peak_too or rules.tail else 1)) | bool(rules.tail)
    allowed &= (rate > 0.0) & np.isfinite(r2)
    judged = np.where(allowed, np.where(np.isfinite(adjusted), adjusted, r2), -np.inf)
    best = judged.max(axis=-1, keepdims=True)
    near = allowed & (judged > best - rules.tolerance)
    at = np.where(near, points, -1.0).argmax(axis=-1)[..., np.newaxis]
    none = ~allowed.any(axis=-1)

    def taken(table: Array) -> Array:
        chosen = np.take_along_axis(np.broadcast_to(table, judged.shape), at, axis=-1)[..., 0]
        return np.where(none, np.nan, chosen)

    return Slope(taken(rate), taken(intercept), taken(r2), taken(adjusted), taken(points), taken(hours[starts]),
                 np.where(none, np.nan, hours[-1]))  # fmt: skip


def _line(hours: Array, logs: Array, points: int) -> tuple[Array, Array, Array]:
    """Rate, intercept and R2 of the line through the last points, each (...,)."""
    x, y = hours[-points:], logs[..., -points:]
    with np.errstate(divide="ignore", invalid="ignore"):  # a flat curve has no R2, and one that reaches zero no line
        dx, dy = x - x.mean(), y - y.mean(axis=-1, keepdims=True)
        square, total, cross = (dx**2).sum(), (dy**2).sum(axis=-1), (dx * dy).sum(axis=-1)
        slope = cross / square
        return -slope, y.mean(axis=-1) - slope * x.mean(), cross**2 / (square * total)
