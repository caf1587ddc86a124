"""Coordinates in which a posterior is nearly round: what the sampler walks in.

Parameters that hide each other make long thin ridges, along which a walk needs many small steps and a long warm-up.
With the curvature at the highest point known, v = centre + factor w turns them into a sphere as far as a normal says;
what is not normal is left to the sampler. Each chain begins near the highest point that it finds itself, from where the
prior put it: so hills apart are found by different chains, and the gate sees that they disagree.
"""

import ctypes
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

Array = NDArray[np.float64]
Climb = Callable[[Array], tuple[float, Array]]
STEP = 1e-3  # in prior SDs, of the differences of the gradient that give the curvature
LEAST = 0.25  # curvature below which a direction is taken as this flat; that of the prior alone is 1
MOST_STEPS = 1000  # gradients of one climb
LEAST_RISE = 1e-9  # of the log-density, relative: a climb ends there
APART = 0.7  # prior SDs, of where climbs begin
NEAR = 1.0  # of w, about the end of its climb, where a chain begins
NOT_A_NUMBER = 1e100


def climb_of(compiled: Any) -> Climb:
    """Log-density and gradient of a compiled PyMC model, at one point of its whole vector."""
    function, data = compiled.compiled_logp_func.ctypes, compiled.user_data
    kind = ctypes.POINTER(ctypes.c_double)

    def value_and_slope(point: Array) -> tuple[float, Array]:
        point = np.ascontiguousarray(point, dtype=float)
        slope, value = np.empty_like(point), np.empty(1)
        failed = function(point.size, point.ctypes.data_as(kind), slope.ctypes.data_as(kind),
                          value.ctypes.data_as(kind), data.ctypes.data)  # fmt: skip
        return (-np.inf, np.zeros_like(point)) if failed else (float(value[0]), slope)

    return value_and_slope


def highest(density: Climb, start: Array, follow: Callable[[int, int], None] | None = None) -> tuple[Array, float]:
    """Highest point that a climb from `start` finds, and its log-density."""
    done = [0]

    def down(point: Array) -> tuple[float, Array]:
        done[0] += 1
        if follow:
            follow(min(done[0], MOST_STEPS), MOST_STEPS)
        value, slope = density(point)
        return (-value, -slope) if np.isfinite(value) else (NOT_A_NUMBER, np.zeros_like(point))

    found = minimize(down, start, jac=True, method="L-BFGS-B",
                     options={"maxiter": MOST_STEPS, "maxfun": MOST_STEPS, "ftol": LEAST_RISE, "gtol": 1e-4,
                              "maxcor": 30})  # fmt: skip
    return found.x, -float(found.fun)


def curvature(density: Climb, point: Array) -> Array:
    """Curvature of minus the log-density, by differences of its gradient."""
    size = point.size
    found = np.empty((size, size))
    for i, step in enumerate(STEP * np.eye(size)):
        found[i] = (density(point - step)[1] - density(point + step)[1]) / (2.0 * STEP)
    return 0.5 * (found + found.T)


def rounding(density: Climb, point: Array) -> Array:
    """Factor that makes w round: covariance at the point is factor factor'."""
    values, vectors = np.linalg.eigh(curvature(density, point))
    return np.asarray(vectors / np.sqrt(np.maximum(values, LEAST)))


def whitened(compiled: Any, seeds: list[int]) -> list[Any]:
    """One compiled model for each chain: centred, rounded, and with where the chain begins.

    The compiled model takes `centre` and `factor` as shared variables, 0 and the identity as it comes.
    """
    density = climb_of(compiled)
    begins = [np.random.default_rng(seed) for seed in seeds]
    size = compiled.n_dim
    ends = [highest(density, APART * rng.standard_normal(size)) for rng in begins]
    centre = max(ends, key=lambda end: end[1])[0]
    factor = rounding(density, centre)
    if not (np.isfinite(factor).all() and np.isfinite(centre).all()):
        return [compiled for _ in seeds]
    moved = compiled.with_data(centre=centre, factor=factor)
    return [
        replace(moved, initial_point_func=_beginning(np.linalg.solve(factor, end - centre), rng))
        for (end, _), rng in zip(ends, begins, strict=True)
    ]


def _beginning(end: Array, rng: np.random.Generator) -> Callable[[Any], Array]:
    point = end + NEAR * rng.standard_normal(end.size)
    return lambda seed: point
