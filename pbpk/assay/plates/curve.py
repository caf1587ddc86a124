"""Shapes that a calibration curve can take: a straight line, or four parameters of a logistic."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from pbpk.assay.light.trace import Array

Kind = Literal["linear", "4pl"]
NAMES: dict[str, tuple[str, ...]] = {
    "linear": ("intercept", "slope"),
    "4pl": ("blank", "plateau", "log_half", "log_steepness"),
}
# Of parameters in units of the largest standard: a bend further off than e^4 of it cannot be seen from there.
SHAPE_BOUNDS = {"linear": [(None, None)] * 2, "4pl": [(None, None)] * 2 + [(-9.0, 4.0), (np.log(0.2), np.log(5.0))]}


@dataclass(frozen=True)
class Curve:
    """The mean amplitude of a well as a function of what is in it.

    Linear is b + k m. Four parameters are a + (d - a) u / (1 + u) with u = (m / c)^B, the usual d + (a - d) / (1 + u)
    rearranged; below zero it is mirrored at the blank, so that noise around a blank keeps both its signs.

    parameters : (parameter) linear: b [amplitude], k [amplitude / amount];
        4pl: a, d [amplitude], log of c [amount], log of B [1]
    """

    kind: Kind
    parameters: Array

    def mean(self, nominal: ArrayLike) -> Array:
        """Mean amplitude (...) [amplitude] of wells that hold `nominal` (...) [amount]."""
        m = np.asarray(nominal, float)
        if self.kind == "linear":
            return np.asarray(self.parameters[0] + self.parameters[1] * m)
        a, d, _, _ = self.parameters
        u = self._load(m)
        return np.asarray(a + (d - a) * np.sign(m) * u / (1.0 + u))

    def jacobian(self, nominal: ArrayLike) -> Array:
        """Derivative of the mean by each parameter, (..., parameter)."""
        m = np.asarray(nominal, float)
        if self.kind == "linear":
            return np.stack([np.ones_like(m), m], axis=-1)
        a, d, log_half, log_steepness = self.parameters
        u, sign, steepness = self._load(m), np.sign(m), np.exp(log_steepness)
        rise = (d - a) * sign * u / (1.0 + u) ** 2 * steepness
        log_m = np.log(np.where(m == 0.0, 1.0, np.abs(m)))
        part = sign * u / (1.0 + u)
        return np.stack([1.0 - part, part, -rise, rise * (log_m - log_half)], axis=-1)

    def slope(self, nominal: ArrayLike) -> Array:
        """Derivative of the mean by the amount (...) [amplitude / amount]."""
        m = np.asarray(nominal, float)
        if self.kind == "linear":
            return np.full_like(m, self.parameters[1])
        a, d, _, log_steepness = self.parameters
        size = np.maximum(np.abs(m), 1e-9 * np.exp(self.parameters[2]))  # at zero the slope is 0, finite or infinite
        u = self._load(size)
        return np.asarray((d - a) * np.exp(log_steepness) * u / (1.0 + u) ** 2 / size)

    def inverse(self, amplitude: ArrayLike) -> Array:
        """Amount (...) [amount] whose mean is `amplitude` (...); infinite at and beyond a plateau."""
        y = np.asarray(amplitude, float)
        if self.kind == "linear":
            return np.asarray((y - self.parameters[0]) / self.parameters[1])
        a, d, log_half, log_steepness = self.parameters
        part = (y - a) / (d - a)
        size = np.abs(part)
        with np.errstate(divide="ignore"):
            u = np.where(size < 1.0, size / np.where(size < 1.0, 1.0 - size, 1.0), np.inf)
            return np.asarray(np.sign(part) * np.exp(log_half + np.log(u) / np.exp(log_steepness)))

    def _load(self, m: Array) -> Array:
        return np.asarray((np.abs(m) / np.exp(self.parameters[2])) ** np.exp(self.parameters[3]))


def starts(m: Array, y: Array, kind: Kind) -> list[Array]:
    """Parameters from which to search; m : (well) [amount]; y : (well) [largest amplitude]."""
    if kind == "linear":
        slope, intercept = np.polyfit(m / m.max(), y, 1)
        return [np.array([intercept, slope])]
    low, top = float(y[m == m.min()].mean()), float(y[m == m.max()].mean())
    return [np.array([low, top + over * (top - low), half, 0.0]) for over, half in ((0.1, -1.5), (1.0, 0.0))]
