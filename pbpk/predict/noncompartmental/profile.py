"""One subject's whole curve: peak, areas, moments and tail by trapezoids."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pbpk.body.solve import Array
from pbpk.errors import InputError
from pbpk.predict.noncompartmental.rules import USUAL, Below, Method, Rules
from pbpk.predict.noncompartmental.slope import Slope, terminal_slope

STARTS = {"carry_back": "the first value carried back to 0 h", "zero": "zero at 0 h",
          "back_extrapolate": "0 h on the line through the first two logarithms",
          "first": "areas begin with the first sample"}  # fmt: skip
SHARES = {"half": 0.5, "limit": 1.0, "drop": np.nan}  # of the limit, that stand for a value below it


@dataclass(frozen=True)
class Curve:
    """A subject's values as an analysis uses them.

    hours, values : (time,) with what stands at 0 h, values below the limit replaced or dropped
    measured : (time,) true where a value was above the limit; begun : the rule of 0 h added the first point
    """

    hours: Array
    values: Array
    measured: NDArray[np.bool_]
    begun: bool

    @property
    def last(self) -> int:
        """Place of the last measurable value."""
        return int(np.flatnonzero(self.measured)[-1])


@dataclass(frozen=True)
class Analysis:
    """What a curve says: parameters by name, NaN where there is none, its terminal slope, what speaks against it."""

    parameters: dict[str, float]
    slope: Slope
    flags: tuple[str, ...]


def curve_of(hours: Array, values: Array, below: NDArray[np.bool_] | None = None, limits: Array | None = None,
             rules: Rules = USUAL) -> Curve:  # fmt: skip
    """Put the rules for 0 h and for values below the limit to work.

    Parameters
    ----------
    hours, values : (time,) in any order; below : (time,) true where a value is below its limit, whose size is in limits

    Raises
    ------
    InputError
        if two samples have one hour, or no value is above its limit
    """
    order = np.argsort(hours, kind="stable")
    hours, values = np.asarray(hours, float)[order], np.asarray(values, float)[order].copy()
    limits = np.full(hours.size, np.nan) if limits is None else np.asarray(limits, float)[order]
    low = np.zeros(hours.size, bool) if below is None else np.asarray(below, bool)[order]
    if (np.diff(hours) == 0.0).any():
        twice = hours[1:][np.diff(hours) == 0.0][0]
        raise InputError(f"a subject has two values at {twice:g} h; average them, or name two subjects.")
    measured = ~low & (values > 0.0)
    if not measured.any():
        raise InputError("no value of this subject is above its limit, so there is nothing to analyse.")
    first, last = np.flatnonzero(measured)[[0, -1]]
    places = np.arange(hours.size)
    kept = np.ones(hours.size, bool)
    for rule, where in ((rules.below_first, places < first), (rules.below_middle, (places > first) & (places < last)),
                        (rules.below_last, places > last)):  # fmt: skip
        at = where & ~measured
        values[at], kept[at] = replaced(rule, limits[at]), rule != "drop"
    if np.isnan(values[kept]).any():
        raise InputError("a value below its limit is to be taken as a part of that limit, which is not given (lloq).")
    hours, values, measured = hours[kept], values[kept], measured[kept]
    steps, held = from_start(hours, values, rules)
    begun = steps.size > hours.size
    return Curve(steps, held, np.concatenate([[False], measured]) if begun else measured, begun)


def replaced(rule: Below, limits: Array) -> Array:
    """What stands for values below their limits."""
    return SHARES[rule] * limits if rule in SHARES else np.full_like(limits, 0.0)


def from_start(hours: Array, values: Array, rules: Rules = USUAL) -> tuple[Array, Array]:
    """Hours (time,) and values (..., time) of curves with what stands at 0 h, if they begin later."""
    if hours[0] == 0.0 or rules.start == "first":
        return hours, values
    first = np.zeros_like(values[..., :1]) if rules.start == "zero" else values[..., :1]
    if rules.start == "back_extrapolate" and hours.size > 1:
        second = values[..., 1:2]
        falls = (first > second) & (second > 0.0)
        rate = np.log(np.where(falls, first, 1.0) / np.where(falls, second, 1.0)) / (hours[1] - hours[0])
        first = first * np.exp(rate * hours[0])
    return np.concatenate([[0.0], hours]), np.concatenate([first, values], axis=-1)


def segments(hours: Array, values: Array, method: Method = "linear") -> tuple[Array, Array]:
    """Areas, and areas of hour times value, between neighbours, (..., time - 1) from (time,) and (..., time)."""
    step, left, right = np.diff(hours), values[..., :-1], values[..., 1:]
    area = 0.5 * step * (left + right)
    moment = 0.5 * step * (hours[:-1] * left + hours[1:] * right)
    if method == "linear":
        return area, moment
    falls = (left > right) & (right > 0.0)
    rate = np.log(np.where(falls, left, 2.0) / np.where(falls, right, 1.0)) / step
    down = (left - right) / rate
    return np.where(falls, down, area), np.where(falls, (hours[:-1] * left - hours[1:] * right + down) / rate, moment)


def part(hours: Array, values: Array, start: float, stop: float, method: Method = "linear") -> Array:
    """Area between two hours, between which values follow the trapezoids, (...,); NaN beyond the sampled ones."""
    if start < hours[0] or stop > hours[-1]:
        return np.full(values.shape[:-1], np.nan)
    ends = [between(hours, values, hour, method) for hour in (start, stop)]
    inside = (hours > start) & (hours < stop)
    steps = np.concatenate([[start], hours[inside], [stop]])
    held = np.concatenate([ends[0][..., np.newaxis], values[..., inside], ends[1][..., np.newaxis]], axis=-1)
    return np.asarray(segments(steps, held, method)[0].sum(axis=-1))


def between(hours: Array, values: Array, hour: float, method: Method = "linear") -> Array:
    """Values at an hour, (...,)."""
    right = int(np.clip(np.searchsorted(hours, hour), 1, hours.size - 1))
    share = (hour - hours[right - 1]) / (hours[right] - hours[right - 1])
    a, b = values[..., right - 1], values[..., right]
    line = a + share * (b - a)
    falls = (a > b) & (b > 0.0)
    if method == "linear" or not falls.any():
        return np.asarray(line)
    logs = np.log(np.where(falls, a, 1.0)) * (1.0 - share) + np.log(np.where(falls, b, 1.0)) * share
    return np.where(falls, np.exp(logs), line)


def analyse(curve: Curve, rules: Rules = USUAL, bolus: bool = False, infused_hours: float = 0.0) -> Analysis:
    """Everything one curve says, in the units of its values and hours.

    Parameters
    ----------
    bolus : given at once into what is sampled, so that its peak may lie on the terminal slope
    infused_hours : how long the dose ran; half of it is taken from mean residence times
    """
    hours, values, last = curve.hours, curve.values, curve.last
    seen = curve.measured
    area, moment = segments(hours, values, rules.method)
    peak = int(np.argmax(np.where(seen, values, -np.inf)))
    line = terminal_slope(hours[seen], values[seen], rules, peak_too=bolus)
    t, c, predicted = hours[last], values[last], line.predicted(hours[last])
    auc, aumc = float(area[:last].sum()), float(moment[:last].sum())
    found = {"Cmax": values[peak], "Tmax": hours[peak], "Clast": c, "Tlast": t, "AUClast": auc,
             "AUCall": float(area.sum()), "AUMClast": aumc, "lambda_z": line.rate, "half_life": line.half_life,
             "lambda_z_points": line.points, "lambda_z_first": line.first, "lambda_z_last": line.last,
             "R2": line.r2, "R2_adjusted": line.r2_adjusted, "span": line.span}  # fmt: skip
    if rules.start == "back_extrapolate" and curve.begun:
        found["C0"] = values[0]
    for name, end in (("obs", c), ("pred", predicted)):
        more, further = end / line.rate, t * end / line.rate + end / line.rate**2
        found |= {f"Clast_{name}": end, f"AUCinf_{name}": auc + more, f"AUMCinf_{name}": aumc + further,
                  f"AUCextrapolated_{name}": 100.0 * more / (auc + more),
                  f"AUMCextrapolated_{name}": 100.0 * further / (aumc + further),
                  f"MRTinf_{name}": (aumc + further) / (auc + more) - infused_hours / 2.0}  # fmt: skip
        if curve.begun:
            found[f"AUCback_{name}"] = 100.0 * area[0] / (auc + more)
    found["MRTlast"] = aumc / auc - infused_hours / 2.0 if auc > 0.0 else np.nan
    for start, stop in rules.partial:
        found[named_part(start, stop)] = part(hours, values, start, stop, rules.method)
    return Analysis({name: float(value) for name, value in found.items()}, line,
                    (*judged(line, found["AUCextrapolated_obs"], rules), *_begun(curve, rules)))  # fmt: skip


def named_part(start: float, stop: float) -> str:
    """Name of an area in part."""
    return f"AUC{start:g}-{stop:g}h"


def judged(line: Slope, extrapolated: Any, rules: Rules) -> tuple[str, ...]:
    """What speaks against a terminal slope and all that rests on it, in words."""
    if np.isnan(line.rate):
        return (f"no terminal slope: fewer than {rules.least_points} points fall after the peak",)
    found = []
    if line.points < rules.least_points:
        found.append(f"terminal slope from {line.points:.0f} points, {rules.least_points} are asked")
    if not line.r2_adjusted >= rules.least_r2:
        found.append(f"adjusted R2 of the terminal slope {line.r2_adjusted:.3f}, below {rules.least_r2:g}")
    if line.span < rules.least_span:
        found.append(f"terminal slope over {line.span:.2f} half-lives, below {rules.least_span:g}")
    if extrapolated > rules.most_extrapolated:
        found.append(f"{extrapolated:.0f} % of the area lies beyond the last value, above {rules.most_extrapolated:g}")
    return tuple(found)


def _begun(curve: Curve, rules: Rules) -> tuple[str, ...]:
    """What was put at 0 h."""
    return (STARTS[rules.start],) if curve.hours[0] > 0.0 or curve.begun else ()
