"""The calibration curve: the signed light amplitude of a well and the label or cells in it, both ways, with doubt."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, stats

from pbpk.assay.light.trace import Array, Role, Well
from pbpk.assay.plates.curve import NAMES, SHAPE_BOUNDS, Curve, Kind, starts
from pbpk.errors import AssayError

NOISE = ("log_s0", "log_cv")
LEVEL = 0.95  # probability of every two-sided interval here

# The optimiser sees amplitudes and amounts in units of the largest standard, so these two have no unit.
SMALLEST_NOISE, LARGEST_NOISE = np.log(1e-6), np.log(10.0)
# A noise term whose logarithm the wells leave free over many units is absent: it has no curvature to invert.
ABSENT = 0.02
NEWTON_STEPS = 30
NEAR = 0.05  # of a logarithm: a search that ends this near its limit has found nothing


@dataclass(frozen=True)
class Estimate:
    """A number with its doubt: value, standard deviation and a 95 % interval, all in the unit of the value."""

    value: float
    sd: float
    low: float
    high: float


def estimate(value: float, sd: float, degrees: float) -> Estimate:
    """Estimate whose interval is Student's t with `degrees` of freedom."""
    half = float(stats.t.ppf(0.5 + LEVEL / 2, degrees)) * sd
    return Estimate(float(value), float(sd), float(value) - half, float(value) + half)


@dataclass(frozen=True)
class Predicted:
    """What wells would read: mean amplitude, doubt of the curve, doubt of one new well, each (well) [amplitude]."""

    amplitude: Array
    curve_sd: Array
    well_sd: Array


@dataclass(frozen=True)
class Calibration:
    """A fitted curve with the scatter of wells about it.

    A well's variance is s0^2 + (cv times its mean above the blank)^2 + (standard error of its own trace)^2, after
    Rocke and Lorenzato (1995): s0 is what blanks scatter beyond their traces, cv what pipetting adds.

    covariance : (parameter, parameter) over `names`; zero for a noise term that was given or not found
    s0 : [amplitude]; cv : [1]
    lowest, highest : smallest and largest non-zero amount fitted [unit]
    n : wells fitted, blanks included; degrees : those less the parameters of the curve
    """

    curve: Curve
    names: tuple[str, ...]
    covariance: Array
    s0: float
    cv: float
    lowest: float
    highest: float
    n: int
    n_blanks: int
    unit: str = ""

    @property
    def degrees(self) -> int:
        """Degrees of freedom of the scatter about the curve."""
        return max(self.n - len(self.curve.parameters), 1)

    @property
    def curve_covariance(self) -> Array:
        """Covariance of the curve's own parameters, (parameter, parameter)."""
        size = len(self.curve.parameters)
        return self.covariance[:size, :size]

    def noise_sd(self, nominal: ArrayLike, amplitude_se: ArrayLike = 0.0) -> Array:
        """Scatter of single wells (well) [amplitude] that hold `nominal` (well) and have these trace errors."""
        rise = self.curve.mean(nominal) - self.curve.mean(0.0)
        return np.sqrt(self.s0**2 + (self.cv * rise) ** 2 + np.asarray(amplitude_se, float) ** 2)

    def degrees_at(self, nominal: float, amplitude_se: float = 0.0) -> float:
        """Degrees of freedom of one well's scatter, after Satterthwaite (1946); few wells tell s0, others cv.

        They are those of the line where all wells scatter alike, and infinite where the scatter was given.
        """
        rise = float(self.curve.mean(nominal) - self.curve.mean(0.0)) if np.isfinite(nominal) else 0.0
        size = len(self.curve.parameters)
        slopes = 2.0 * np.array([self.s0**2, (self.cv * rise) ** 2])
        doubt = float(slopes @ self.covariance[size:, size:] @ slopes)
        variance = self.s0**2 + (self.cv * rise) ** 2 + amplitude_se**2
        return max(2.0 * variance**2 / doubt, 1.0) if doubt > 0.0 else np.inf

    def predict(self, nominal: ArrayLike, amplitude_se: ArrayLike = 0.0) -> Predicted:
        """Amplitude that wells holding `nominal` (well) [unit] would read."""
        slopes = self.curve.jacobian(nominal)
        variance = np.einsum("...p,pq,...q->...", slopes, self.curve_covariance, slopes)
        well = np.sqrt(variance + self.noise_sd(nominal, amplitude_se) ** 2)
        return Predicted(self.curve.mean(nominal), np.sqrt(variance), well)

    def invert(self, amplitude: float, se: float = 0.0, replicates: int = 1) -> Estimate:
        """Amount [unit] in a well, or in the mean of `replicates` wells, that read `amplitude` with `se`.

        The doubt is the well's scatter and the curve's, by the delta method; below zero is an answer too.
        """
        value, covariance = self.invert_many([amplitude], [se], replicates)
        return estimate(value[0], float(np.sqrt(covariance[0, 0])), self.degrees_at(value[0], se))

    def invert_many(
        self, amplitude: ArrayLike, se: ArrayLike = 0.0, replicates: ArrayLike = 1
    ) -> tuple[Array, NDArray[np.float64]]:
        """Amounts (well) [unit] and their covariance (well, well): wells read off one curve are wrong together.

        Where the curve is flat the amount or its variance is infinite, and its covariance with others is zero.
        """
        value = np.atleast_1d(self.curve.inverse(amplitude))
        at = np.where(np.isfinite(value), value, 0.0)
        slope = self.curve.slope(at)
        told = np.isfinite(value) & (np.abs(slope) > 1e-12 * abs(float(self.curve.slope(self.highest))))
        weight = np.where(told, 1.0 / np.where(told, slope, 1.0), 0.0)
        shared = self.curve.jacobian(at) * weight[:, None]
        count = np.broadcast_to(np.asarray(replicates, float), value.shape)
        own = (self.noise_sd(at) ** 2 / count + np.asarray(se, float) ** 2) * weight**2
        covariance = shared @ self.curve_covariance @ shared.T + np.diag(own)
        covariance[~told, ~told] = np.inf
        return value, covariance

    def in_range(self, value: ArrayLike) -> NDArray[np.bool_]:
        """Whether amounts (...) [unit] lie between the lowest and the highest standard."""
        return np.asarray((np.asarray(value) >= self.lowest) & (np.asarray(value) <= self.highest))


def fit_calibration(
    nominal: ArrayLike,
    amplitude: ArrayLike,
    amplitude_se: ArrayLike = 0.0,
    kind: Kind = "linear",
    *,
    blanks: ArrayLike = (),
    blank_se: ArrayLike = 0.0,
    s0: float | None = None,
    cv: float | None = None,
    unit: str = "",
) -> Calibration:
    """Fit the curve and the scatter together by restricted maximum likelihood, blanks included.

    The restriction (Cox and Reid 1987) keeps few wells from looking less scattered than they are; with one scatter for
    all wells it is ordinary least squares with n - 2 degrees of freedom. Other wells whose content is known may
    stand among the standards.

    nominal : (well) [unit]; amplitude, amplitude_se : (well) [amplitude]; blanks, blank_se : (blank) [amplitude]
    s0 : scatter of blanks beyond their traces if known [amplitude]; cv : the same of pipetting [1]

    Raises
    ------
    AssayError
        if the wells are too few, not finite, or do not show the shape asked for
    """
    known, zeros = np.asarray(nominal, float), np.asarray(blanks, float)
    m = np.concatenate([known, np.zeros(len(zeros))])
    y = np.concatenate([np.asarray(amplitude, float), zeros])
    se = np.concatenate([np.broadcast_to(amplitude_se, known.shape), np.broadcast_to(blank_se, zeros.shape)])
    _check(m, y, se, kind, free=(s0 is None) + (cv is None))
    top_y, top_m = float(np.max(np.abs(y))), float(m.max())
    if s0 is not None:
        s0 = s0 / top_y
    found, precision, free = _maximise(m / top_m, y / top_y, se / top_y, kind, (s0, cv))
    size = len(NAMES[kind])
    scale = np.array([top_y, top_y / top_m, 1.0, 1.0] if kind == "linear" else [top_y, top_y, 1.0, 1.0, 1.0, 1.0])
    covariance = np.zeros((size + 2, size + 2))
    # A bend far beyond the highest standard is a straight line in disguise, and its plateau a guess.
    edges = zip(found, SHAPE_BOUNDS[kind], strict=False)
    if any(low is not None and high is not None and not low + NEAR < x < high - NEAR for x, (low, high) in edges):
        raise AssayError(_shapeless(kind))
    try:
        inverse = np.linalg.inv(precision)
        np.linalg.cholesky(inverse)
    except np.linalg.LinAlgError:
        raise AssayError(_shapeless(kind)) from None
    covariance[np.ix_(free, free)] = inverse
    values = found[:size] * scale[:size]
    if kind == "4pl":
        values[2] += np.log(top_m)
    noise = np.where(np.isneginf(found[size:]), 0.0, np.exp(found[size:]))
    return Calibration(
        curve=Curve(kind, values),
        names=NAMES[kind] + NOISE,
        covariance=covariance * np.outer(scale, scale),
        s0=float(noise[0]) * top_y,
        cv=float(noise[1]),
        lowest=float(m[m > 0.0].min()),
        highest=top_m,
        n=len(m),
        n_blanks=int(np.sum(m == 0.0)),
        unit=unit,
    )


def fit_wells(
    wells: Sequence[Well],
    amplitude: ArrayLike,
    amplitude_se: ArrayLike = 0.0,
    kind: Kind = "linear",
    roles: Sequence[Role] = ("standard",),
) -> Calibration:
    """Fit the wells of these roles and all blanks among `wells`; amplitude, amplitude_se : (well) [amplitude].

    Raises
    ------
    AssayError
        if a well has no nominal value, was diluted after it was filled, or if units are mixed
    """
    y = np.asarray(amplitude, float)
    se = np.broadcast_to(np.asarray(amplitude_se, float), y.shape)
    known = [i for i, well in enumerate(wells) if well.role in roles]
    blank = [i for i, well in enumerate(wells) if well.role == "blank"]
    for well in (wells[i] for i in known):
        if well.nominal is None:
            raise AssayError(f"plate {well.plate}, well {well.well}: a {well.role} needs a nominal value.")
        if well.dilution != 1.0 or well.fraction != 1.0:
            raise AssayError(
                f"plate {well.plate}, well {well.well}: write as nominal what is in the well itself, with dilution and "
                "fraction 1; a calibration cannot tell what was diluted."
            )
    units = {wells[i].unit for i in known}
    if len(units) > 1:
        raise AssayError(f"one curve needs one unit; these standards have {', '.join(sorted(units))}.")
    nominal = [float(wells[i].nominal or 0.0) for i in known]
    return fit_calibration(
        nominal, y[known], se[known], kind, blanks=y[blank], blank_se=se[blank], unit=next(iter(units), "")
    )


def m10_curve(
    nominal: ArrayLike, amplitude: ArrayLike, kind: Kind = "linear", calibration: Calibration | None = None
) -> Curve:
    """Curve for acceptance only: weighted least squares without blanks (ICH M10, 3.2.4).

    Weights are 1/x^2, or the inverse of the variance function of `calibration` where one is given.
    nominal : (well) [amount]; amplitude : (well) [amplitude]

    Raises
    ------
    AssayError
        if too few levels above zero are given
    """
    m, y = np.asarray(nominal, float), np.asarray(amplitude, float)
    m, y = m[m > 0.0], y[m > 0.0]
    _check(m, y, np.zeros_like(y), kind, free=0)
    sd = m / m.max() if calibration is None else calibration.noise_sd(m)
    sd = sd / sd.max()
    if kind == "linear":
        slope, intercept = np.polyfit(m, y, 1, w=1.0 / sd)
        return Curve("linear", np.array([intercept, slope]))
    top_y, top_m = float(np.abs(y).max()), float(m.max())

    def misfit(values: Array) -> Array:
        return np.asarray((y / top_y - Curve(kind, values).mean(m / top_m)) / sd)

    low, high = np.array([(-np.inf if a is None else a, np.inf if b is None else b) for a, b in SHAPE_BOUNDS[kind]]).T
    fits = [optimize.least_squares(misfit, x, bounds=(low, high), x_scale="jac") for x in starts(m, y / top_y, kind)]
    best = min(fits, key=lambda fit: float(fit.cost)).x
    return Curve("4pl", np.array([best[0] * top_y, best[1] * top_y, best[2] + np.log(top_m), best[3]]))


def _shapeless(kind: Kind) -> str:
    advice = " fit a straight line, or add standards on both sides of the bend." if kind == "4pl" else " add levels."
    return f"these standards do not determine a {kind} curve:{advice}"


def _check(m: Array, y: Array, se: Array, kind: Kind, free: int) -> None:
    if m.shape != y.shape or not (np.isfinite(m).all() and np.isfinite(y).all() and np.isfinite(se).all()):
        raise AssayError("every well of a calibration needs one finite nominal value, amplitude and standard error.")
    if (m < 0.0).any() or (se < 0.0).any():
        raise AssayError("nominal values and standard errors of a calibration cannot be negative.")
    size = len(NAMES[kind])
    if len(np.unique(m)) < size or len(m) < size + free or not np.ptp(y) > 0.0:
        raise AssayError(
            f"a {kind} curve needs at least {size} levels and {size + free} wells whose amplitudes differ; "
            f"{len(np.unique(m))} levels and {len(m)} wells were given."
        )


def _maximise(
    m: Array, y: Array, se: Array, kind: Kind, given: tuple[float | None, float | None]
) -> tuple[Array, Array, list[int]]:
    """Parameters at the maximum, the curvature there, and which of them were free; scaled to the largest well."""
    size = len(NAMES[kind])
    fixed = [None if value is None else np.log(value) if value > 0.0 else -np.inf for value in given]
    free = list(range(size)) + [size + i for i in (0, 1) if fixed[i] is None]
    whole = np.array([0.0] * size + [0.0 if value is None else value for value in fixed])

    def surprise(part: Array) -> float:
        x = whole.copy()
        x[free] = part
        curve = Curve(kind, x[:size])
        mean = curve.mean(m)
        variance = np.exp(2 * x[size]) + np.exp(2 * x[size + 1]) * (mean - curve.mean(0.0)) ** 2 + se**2
        variance = np.maximum(variance, 1e-14)
        jacobian = curve.jacobian(m)
        sign, information = np.linalg.slogdet((jacobian / variance[:, None]).T @ jacobian)
        restriction = information if sign > 0 else 0.0
        return 0.5 * float(np.sum((y - mean) ** 2 / variance + np.log(variance)) + restriction)

    bounds = (SHAPE_BOUNDS[kind] + [(SMALLEST_NOISE, LARGEST_NOISE)] * 2)[: len(free)]
    fits = []
    for start in starts(m, y, kind):
        spread = np.log(max(float(np.std(y - Curve(kind, start).mean(m))), 1e-4) / 2)
        first = np.concatenate([start, [spread, np.log(0.05)]])[free]
        fits.append(optimize.minimize(surprise, first, method="L-BFGS-B", bounds=bounds))
    best = np.array(min(fits, key=lambda fit: float(fit.fun)).x)
    for _ in range(NEWTON_STEPS):
        slope, bend = _derivatives(surprise, best)
        present = [i for i, index in enumerate(free) if index < size or bend[i, i] > ABSENT]
        curvature, ways = np.linalg.eigh(bend[np.ix_(present, present)])
        # along a way that bends down the search stopped on a saddle: walk down it, as far as its bend says
        walk = ways @ ((ways.T @ slope[present]) / np.maximum(np.abs(curvature), 1e-9 * np.abs(curvature).max()))
        step = np.zeros_like(best)
        step[present] = np.clip(walk, -1.0, 1.0)
        here, share = surprise(best), 1.0
        while share > 1e-3 and surprise(_inside(best - share * step, bounds)) > here:
            share /= 2.0
        if share <= 1e-3 or np.abs(share * step).max() < 1e-8:
            break
        best = _inside(best - share * step, bounds)
    slope, bend = _derivatives(surprise, best)
    present = [i for i, index in enumerate(free) if index < size or bend[i, i] > ABSENT]
    whole[free] = best
    whole[[index for i, index in enumerate(free) if i not in present]] = -np.inf
    return whole, bend[np.ix_(present, present)], [free[i] for i in present]


def _inside(x: Array, bounds: list[tuple[float | None, float | None]]) -> Array:
    """The nearest point within the bounds."""
    low, high = np.array([(-np.inf if a is None else a, np.inf if b is None else b) for a, b in bounds]).T
    return np.clip(x, low, high)


def _derivatives(function: Callable[[Array], float], x: Array, step: float = 1e-4) -> tuple[Array, Array]:
    """Gradient and Hessian by central differences."""
    moves = np.eye(len(x)) * step
    centre = function(x)
    ahead = np.array([function(x + move) for move in moves])
    behind = np.array([function(x - move) for move in moves])
    hessian = np.diag(ahead - 2 * centre + behind)
    for i in range(len(x)):
        for j in range(i):
            both, neither = function(x + moves[i] + moves[j]), function(x - moves[i] - moves[j])
            hessian[i, j] = hessian[j, i] = (both + neither - ahead[i] - behind[i] - ahead[j] - behind[j]) / 2 + centre
    return (ahead - behind) / (2 * step), hessian / step**2
