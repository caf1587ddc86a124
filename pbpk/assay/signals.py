"""What an instrument read of organs, as a function of what they hold and of unknowns that all readings share.

    reading = blank @ u + exp(log_scale + gain @ u) * amount + noise

u holds blanks, slopes, load of a cell, recoveries and scatter: whatever a plate's controls teach. An organ's value
alone hides that all organs are wrong together where a slope is wrong. So the readings travel with u, its mean and
covariance (enough for a fit in two stages) and the controls themselves (for one joint fit).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pbpk.assay.light.trace import Array
from pbpk.errors import AssayError

STEPS = 200
LONGEST_STEP = 1.0  # of a logarithm, or of the scatter of blanks
SETTLED = 0.01  # SDs of the unknowns by which a finished search may still want to move
UNKNOWN = 1e-9  # information, relative to the most, below which controls say nothing of a combination of unknowns


@dataclass(frozen=True)
class Response:
    """Readings and how they depend on the shared unknowns.

    value : (reading,) what was read; variance : (reading,) its own, from its trace
    counted : (reading,) true where the value is a number of events (Poisson, or negative binomial where it scatters)
    blank, gain : (reading, unknown); log_scale : (reading,)
    s0, cv : (reading, unknown) which unknown is the logarithm of the scatter of blanks, and of the relative scatter
    s0_weight, cv_weight : (reading,) 0 where there is none, 1 for one well, less for the mean of several

    The unknowns u of the methods are (unknown,), or (draw, unknown) for answers (draw, reading).
    """

    value: Array
    variance: Array
    counted: NDArray[np.bool_]
    blank: Array
    gain: Array
    log_scale: Array
    s0: Array
    cv: Array
    s0_weight: Array
    cv_weight: Array

    def rise(self, u: Array, amount: Array | float) -> Array:
        """Part of the reading that the amount makes, (..., reading)."""
        return np.asarray(np.exp(self.log_scale + u @ self.gain.T) * amount)

    def scatter(self, u: Array, rise: Array) -> Array:
        """Variance of a reading whose amount makes this rise, (reading,); without that of counted events."""
        return self.additive(u) + self.relative(u) * rise**2

    def additive(self, u: Array) -> Array:
        """Variance of a reading of nothing, (reading,)."""
        return self.variance + self.s0_weight * np.exp(2.0 * (u @ self.s0.T))

    def relative(self, u: Array) -> Array:
        """Relative variance of a reading far above nothing, (reading,)."""
        return self.cv_weight * np.exp(2.0 * (u @ self.cv.T))

    def part(self, rows: Any) -> "Response":
        """Some of the readings."""
        return Response(**{name: value[rows] for name, value in vars(self).items()})


@dataclass(frozen=True)
class Shared:
    """The unknowns that readings share, and what is known of them without the organs.

    names : (unknown,); prior_mean, prior_sd : (unknown,), infinite where nothing is known before the controls
    controls : readings of known amounts; amounts : (control,)
    mean, covariance : of u given prior and controls, by Laplace, scatter by restricted likelihood: (unknown,),
        (unknown, unknown)
    """

    names: tuple[str, ...]
    prior_mean: Array
    prior_sd: Array
    controls: Response
    amounts: Array
    mean: Array
    covariance: Array

    def log_density(self, u: Array) -> float:
        """Logarithm of prior times likelihood of the controls, but for a constant."""
        rise = self.controls.rise(u, self.amounts)
        variance = self.controls.scatter(u, rise)
        off = (u - self.prior_mean) / self.prior_sd
        misses = (self.controls.value - self.controls.blank @ u - rise) ** 2 / variance + np.log(variance)
        return float(-0.5 * (misses.sum() + (off**2).sum()))


@dataclass(frozen=True)
class Signals:
    """Readings of organs; the amount of each is the percentage of the dose that its row of the counts' table holds.

    rows : (reading,) row of the table
    """

    shared: Shared
    response: Response
    rows: NDArray[np.int64]

    def estimates(self) -> tuple[Array, Array, Array]:
        """Amount (reading,), its own SD (reading,), and its derivative by the unknowns (reading, unknown)."""
        r, u = self.response, self.shared.mean
        slope = r.rise(u, 1.0)
        amount = (r.value - r.blank @ u) / slope
        variance = r.scatter(u, slope * amount) + np.where(r.counted, np.maximum(r.value, 1.0), 0.0)
        jacobian = -r.blank / slope[:, np.newaxis] - r.gain * amount[:, np.newaxis]
        return amount, np.sqrt(variance) / slope, jacobian

    def covariance(self) -> Array:
        """Covariance of the amounts, (reading, reading): own doubt and the doubt they share."""
        _, own, jacobian = self.estimates()
        return np.diag(own**2) + jacobian @ self.shared.covariance @ jacobian.T

    def as_independent(self) -> "Signals":
        """The same values with errors as wide, as if no two organs shared any: what a fit should not be given."""
        amount, _, _ = self.estimates()
        n = len(amount)
        none, zero = np.zeros((n, 0)), np.zeros(n)
        alone = Response(amount, np.diag(self.covariance()), zero > 0.0, none, none, zero, none, none, zero, zero)
        return Signals(learn((), zero[:0], zero[:0], alone.part(slice(0, 0)), zero[:0]), alone, self.rows)


def learn(names: Sequence[str], start: Array, prior_sd: Array, controls: Response, amounts: Array) -> Shared:
    """What controls of known amounts say of the unknowns: the most probable values and the curvature there.

    Scatter is judged with what the other unknowns took from the residuals given back (restricted likelihood), or few
    controls would seem to scatter less than they do.

    start : (unknown,) means of the priors, or where to search from if a prior's SD is infinite

    Raises
    ------
    AssayError
        if the controls and priors leave an unknown free, or no most probable values are found
    """
    start = np.asarray(start, float)
    found = Shared(tuple(names), start, prior_sd, controls, amounts, start, np.zeros((len(start), len(start))))
    if not len(start):
        return found
    u, here = start, _restricted(found, start)
    for _ in range(STEPS):
        slope, information = _slope_and_information(found, u)
        step = np.linalg.solve(_determined(information, found.names), slope)
        step *= min(1.0, LONGEST_STEP / float(np.abs(step).max() + 1e-300))
        share, there = 1.0, _restricted(found, u + step)
        while share > 1e-6 and not there > here:
            share /= 2.0
            there = _restricted(found, u + share * step)
        if share <= 1e-6:
            break
        u, gain, here = u + share * step, there - here, there
        if gain < 1e-10:
            break
    slope, information = _slope_and_information(found, u)
    covariance = np.linalg.inv(_determined(information, found.names))
    if not float(slope @ covariance @ slope) < SETTLED:
        raise AssayError("blank, slope and scatter of these controls do not settle; look for one that is far off.")
    return replace(found, mean=u, covariance=covariance)


def _locations(shared: Shared, u: Array) -> tuple[NDArray[np.bool_], Array, Array, Array]:
    """Which unknowns are no scatter, slopes of the controls by these, their variance, and the information."""
    r = shared.controls
    of_mean = ~(np.any(r.s0 != 0.0, axis=0) | np.any(r.cv != 0.0, axis=0))
    rise = r.rise(u, shared.amounts)
    slopes = (r.blank + r.gain * rise[:, np.newaxis])[:, of_mean]
    variance = r.scatter(u, rise)
    information = (slopes / variance[:, np.newaxis]).T @ slopes + np.diag(1.0 / shared.prior_sd[of_mean] ** 2)
    return of_mean, slopes, variance, information


def _restricted(shared: Shared, u: Array) -> float:
    """Log-density with all but the scatter integrated out about u, but for a constant."""
    sign, volume = np.linalg.slogdet(_locations(shared, u)[3])
    return float(shared.log_density(u)) - (0.5 * float(volume) if sign > 0.0 else 0.0)


def _slope_and_information(shared: Shared, u: Array) -> tuple[Array, Array]:
    """Gradient of the restricted log-density, as far as it moves with the scatter, and its expected curvature."""
    r = shared.controls
    of_mean, slopes, variance, inner = _locations(shared, u)
    rise = r.rise(u, shared.amounts)
    by_mean = r.blank + r.gain * rise[:, np.newaxis]
    additive = r.s0_weight * np.exp(2.0 * (r.s0 @ u))
    relative = r.relative(u) * rise**2
    by_scatter = 2.0 * (additive[:, np.newaxis] * r.s0 + relative[:, np.newaxis] * r.cv)
    by_variance = by_scatter + 2.0 * relative[:, np.newaxis] * r.gain
    miss = r.value - r.blank @ u - rise
    taken = np.zeros(len(miss))  # leverage: what the other unknowns took of each residual
    if np.linalg.cond(inner) < 1.0 / UNKNOWN**1.5:
        taken = np.einsum("ci,ij,cj->c", slopes, np.linalg.inv(inner), slopes) / variance
    prior = 1.0 / shared.prior_sd**2
    slope = by_mean.T @ (miss / variance) + by_variance.T @ (0.5 * (miss**2 / variance - 1.0) / variance)
    slope += by_scatter.T @ (0.5 * taken / variance)
    information = (by_mean / variance[:, np.newaxis]).T @ by_mean
    left = np.where(of_mean, 1.0, np.sqrt(np.maximum(1.0 - taken, 0.0))[:, np.newaxis])  # of each residual, for scatter
    part = by_variance * left / variance[:, np.newaxis]
    information += 0.5 * part.T @ part
    return slope - prior * (u - shared.prior_mean), information + np.diag(prior)


def _determined(information: Array, names: Sequence[str]) -> Array:
    """The information, if it says something of every combination of unknowns."""
    size = np.sqrt(np.diag(information))
    if not (size > 0.0).all():
        raise AssayError(f"nothing tells {', '.join(n for n, s in zip(names, size, strict=True) if not s > 0.0)}.")
    values, ways = np.linalg.eigh(information / np.outer(size, size))
    if values[0] < UNKNOWN:
        free = [name for name, share in zip(names, np.abs(ways[:, 0]), strict=True) if share > 0.1]
        raise AssayError(f"the controls tell {' and '.join(free)} only together; add a control or a prior for one.")
    return information


def merge(parts: Sequence[Signals]) -> Signals | None:
    """Signals of several instruments, which share nothing with each other, as one; None if there are none."""
    if len(parts) < 2:
        return parts[0] if parts else None
    sizes = np.cumsum([0] + [len(part.shared.names) for part in parts])

    def stacked(responses: list[Response]) -> Response:
        columns: dict[str, Any] = {}
        for name in vars(responses[0]):
            blocks = [getattr(response, name) for response in responses]
            if blocks[0].ndim == 2:
                blocks = [
                    np.pad(block, ((0, 0), (low, sizes[-1] - high)))
                    for block, low, high in zip(blocks, sizes[:-1], sizes[1:], strict=True)
                ]
            columns[name] = np.concatenate(blocks)
        return Response(**columns)

    def joined(name: str) -> Array:
        return np.concatenate([getattr(part.shared, name) for part in parts])

    covariance = np.zeros((sizes[-1], sizes[-1]))
    for part, low, high in zip(parts, sizes[:-1], sizes[1:], strict=True):
        covariance[low:high, low:high] = part.shared.covariance
    shared = Shared(
        tuple(name for part in parts for name in part.shared.names), joined("prior_mean"), joined("prior_sd"),
        stacked([part.shared.controls for part in parts]), joined("amounts"), joined("mean"), covariance)  # fmt: skip
    return Signals(shared, stacked([part.response for part in parts]), np.concatenate([part.rows for part in parts]))
