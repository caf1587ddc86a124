"""What instruments read, in the terms of a fit: shared unknowns, which readings are clear, what a replicate would read.

The log-likelihood of the readings is in `signal_terms`.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pbpk.assay.signals import Signals
from pbpk.body.solve import Array

CLEAR = 8.0  # SDs of a reading of nothing: from here on the series err by less than 0.01 in a log-density
FEW = 50.0  # events below which a count is summed over as a count


def unknowns(signals: Signals, z: Any, xp: Any = np) -> Any:
    """Shared unknowns (..., unknown) from standard-normal ones."""
    shared = signals.shared
    return shared.mean + xp.dot(z, np.linalg.cholesky(shared.covariance).T)


def limits_beside(signals: Signals, cells: NDArray[np.int64], limits: Array) -> NDArray[np.int64]:
    """Rows that are limits and saw what a reading saw, so that they miss the model together."""
    return np.flatnonzero(np.isfinite(limits) & np.isin(cells, cells[signals.rows]))


def logarithms(signals: Signals, u: Array) -> tuple[Array, Array]:
    """Of clear readings: logarithm of the percentage and its variance by their own noise, each (draw, reading).

    u : (draw, unknown)
    """
    r = signals.response
    rise = np.maximum(r.value - u @ r.blank.T, 1e-300)
    variance = (r.additive(u) + np.where(r.counted, r.value, 0.0)) / rise**2 + r.relative(u)
    return np.log(rise) - r.log_scale - u @ r.gain.T, variance


def is_clear(signals: Signals) -> np.ndarray:
    """Which readings stand clear of their noise, (reading,)."""
    r, u = signals.response, signals.shared.mean
    rise = r.value - r.blank @ u
    noise = np.sqrt(r.additive(u) + np.where(r.counted, np.maximum(r.value, 1.0), 0.0))
    return (rise > CLEAR * noise) & (~r.counted | (r.value >= FEW))


def replicates(signals: Signals, u: Array, percent: Array, rng: np.random.Generator) -> Array:
    """Percentages that a laboratory would have found, (draw, reading), where organs truly held `percent`.

    u : (draw, unknown); percent : (draw, reading)
    """
    r, mean = signals.response, signals.shared.mean
    rise = r.rise(u, percent)
    read = u @ r.blank.T + rise
    noisy = read + np.sqrt(r.scatter(u, rise)) * rng.standard_normal(read.shape)
    if r.counted.any():
        scattered = np.maximum(noisy, 0.0)
        noisy = np.where(r.counted, rng.poisson(np.where(r.counted, scattered, 0.0)), noisy)
    return (noisy - r.blank @ mean) / r.rise(mean, 1.0)
