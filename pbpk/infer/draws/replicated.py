"""Values that could have been measured, by a prior or a posterior, and where the measured ones lie among them."""

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from pbpk.body.solve import Array
from pbpk.infer.density.signals import is_clear
from pbpk.infer.draws.convergence import Diagnostics
from pbpk.infer.draws.posterior import Posterior, named_draws, prior_theta
from pbpk.infer.draws.summary import measurable
from pbpk.infer.matched.joint import Joint, predict_percent

UNFITTED = "these are draws of the prior, not of a fit"
APART = float(np.log(1000.0))  # logarithm, or log-odds, by which no animal differs from the median one


@dataclass(frozen=True)
class Seen:
    """What each row of the counts tells, as the ends between which the value lies.

    low, high : (row,) [%], the same where a value is known, -inf to the limit where it is below one
    point : (row,) [%] one number for it on a logarithmic axis, NaN where there is none: a limit, a range that begins at
        zero, a reading that does not stand clear of its noise
    """

    low: Array
    high: Array
    point: Array


def seen(joint: Joint) -> Seen:
    """What was measured, row by row."""
    table, signals = joint.counts.table, joint.counts.signals
    value, low, high, lloq = (table[name].to_numpy(float) for name in ("percent", "low", "high", "lloq"))
    limit = table["below_lloq"].to_numpy(bool)
    ranged = ~limit & np.isfinite(low)
    clear = np.ones(len(table), dtype=bool)
    if signals is not None:
        clear[signals.rows] = is_clear(signals)
    bottom = np.where(limit, -np.inf, np.where(ranged, low, value))
    top = np.where(limit, lloq, np.where(ranged, high, value))
    point = np.where(ranged, np.sqrt(np.maximum(low, 0.0) * high), value)
    return Seen(bottom, top, np.where(limit | ~clear | ~(point > 0.0), np.nan, point))


def as_posterior(joint: Joint, draws: int, seed: int) -> Posterior:
    """Draws of the prior where those of a fit would stand; they never pass as one.

    What an instrument's readings share is drawn from what its controls say of it. Draws in which animals are no more
    of one kind are left out: of a half-Cauchy SD there are always some, and no solver follows e^100 an hour.
    """
    theta = prior_theta(joint, draws, seed)
    theta = theta[_of_one_kind(joint, theta)][np.newaxis]
    believed = named_draws(joint, theta)
    groups = {"posterior": believed, "prior": believed}
    signals = joint.counts.signals
    if signals is not None and signals.shared.names:
        shared = signals.shared
        rng = np.random.default_rng(seed + 1)
        u = rng.multivariate_normal(shared.mean, shared.covariance, theta.shape[1])[np.newaxis]
        groups["assay"] = xr.Dataset({"unknowns": (("chain", "draw", "unknown"), u)},
                                     {"unknown": list(shared.names)})  # fmt: skip
    share = dict.fromkeys(joint.readings, 1.0 / len(joint.readings))
    nothing = Diagnostics(1, theta.shape[1], np.nan, np.nan, np.nan, 0, (UNFITTED,))
    return Posterior(joint, xr.DataTree.from_dict(groups), nothing, {}, share, {})


def _of_one_kind(joint: Joint, theta: Array) -> NDArray[np.bool_]:
    """Draws in which every animal is within a factor of a thousand of the median one, (draw,); all if none is.

    theta : (draw, estimated)
    """
    if joint.between is None:
        return np.ones(len(theta), dtype=bool)
    shifts = joint.between.shifts(theta, joint.names)
    alike = np.all([np.abs(shift).max(axis=1) < APART for shift in shifts.values()], axis=0)
    return np.asarray(alike | ~alike.any())


def replicates_of(posterior: Posterior, each: int = 1, seed: int = 1) -> Array:
    """Values that could have been measured: one animal, the mean of n, an instrument's estimate.

    A draw takes one reading of the denominator, by their probabilities.

    each : values for each draw of the parameters

    Returns
    -------
    (each * draw, row) [%]
    """
    joint, theta = posterior.joint, posterior.theta()
    rng = np.random.default_rng(seed)
    percent = predict_percent(joint, theta)
    weights = np.array([posterior.readings[reading] for reading in percent])
    parts = []
    for _ in range(each):
        found = np.stack([measurable(posterior, theta, of, rng) for of in percent.values()])
        which = rng.choice(len(weights), size=len(theta), p=weights / weights.sum())
        parts.append(found[which, np.arange(len(theta))])
    return np.concatenate(parts)


def quantiles_in(drawn: Array, low: Array, high: Array) -> Array:
    """Where what was measured lies among values that could have been, 0 to 1, (row,); the middle of a range's.

    drawn : (draw, row); low, high : (row,) ends of what was measured
    """
    return np.asarray(((drawn < low).mean(axis=0) + (drawn <= high).mean(axis=0)) / 2.0)


def summed(values: Array, organs: list[NDArray[np.int64]]) -> Array:
    """Sum over organs of the mean over the rows of each, (...,) from (..., row)."""
    total = np.zeros(values.shape[:-1])
    for rows in organs:
        total = total + values[..., rows].mean(axis=-1)
    return total


def sums(joint: Joint) -> dict[tuple[str, float], list[NDArray[np.int64]]]:
    """Organs that may be summed at each hour of each group, each part of the animal once: their rows.

    Left out are concentrations, values below a limit, and an organ that holds what another one holds already.
    """
    table, observers = joint.counts.table, joint.observers
    amounts = table[(table["per"] == "") & ~table["below_lloq"].astype(bool)]
    found: dict[tuple[str, float], list[NDArray[np.int64]]] = {}
    for (group, _readout, hours), own in amounts.groupby(["group", "readout", "hours"], sort=False):
        organs = [rows.index.to_numpy() for _, rows in own.groupby("organ", sort=False)]
        covered = np.zeros(observers.shape[1])
        apart = []
        for rows in sorted(organs, key=lambda rows: -observers[rows[0]].sum()):
            if not (covered * observers[rows[0]]).any():
                covered += observers[rows[0]]
                apart.append(rows)
        key = (str(group), float(str(hours)))
        if len(apart) > len(found.get(key, [])):
            found[key] = apart
    return found
