"""An answer in seconds: the nearest normal to the posterior, with how far it is off, marked as an approximation.

The curvature at the highest point gives axes; along them the normal is moved and stretched until the evidence bound is
largest over a fixed set of draws (Giordano, Ingram & Broderick 2024, JMLR 25:18, deterministic variational inference).
"""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr
from arviz_stats.base.array import array_stats
from numpy.typing import NDArray
from pytensor.configdefaults import config
from scipy.optimize import minimize

from pbpk.infer.density.likelihood import build
from pbpk.infer.draws.posterior import MOST_PARETO_K
from pbpk.infer.matched.joint import Joint
from pbpk.infer.matched.sharing import Together

CHAINS, DRAWS = 4, 1000  # as many as a short run of the sampler gives, so that tables and pages take them alike
STEP = 1e-3  # in prior SDs, of the differences that give the curvature
LEAST = 0.25  # curvature below which a direction is taken as this flat; that of the prior alone is 1
MOST_STEPS = 1000  # gradients of the climb
PAIRS = 20  # draws, each with its mirror image, over which the bound is taken
MOST_STRETCHES = 120  # bounds that are computed
NARROW = 0.5  # of the width that the curvature gives, from where the normal grows
NOT_A_NUMBER = 1e100

Array = NDArray[np.float64]


def approximate(
    given: Joint | Together, seed: int, tell: Callable[[str, int, int, int], None]
) -> tuple[xr.DataTree, dict[str, float]]:
    """Draws as the sampler gives them, and seconds taken, of the nearest normal.

    The tree's `pareto_k` says how near it is: up to 0.7 draws are weighted (Pareto-smoothed) and as good as those of
    chains (Vehtari et al. 2024, JMLR 25:72); above it they are the normal's own.

    tell : called with what is being done, steps done, steps in all, and 0
    """
    began = time.perf_counter()
    density = Density(given)
    compiled_at = time.perf_counter()
    tell("compiling", 1, 1, 0)
    rng = np.random.default_rng(seed)
    centre, factor = _nearest(density, rng, lambda done, total: tell("approximating", done, total, 0))
    normal = rng.standard_normal((CHAINS * DRAWS, density.size))
    drawn = centre + normal @ factor.T
    logs = np.full(len(drawn), -np.inf)
    for i, point in enumerate(drawn):
        logs[i] = density(point)[0] + 0.5 * (normal[i] ** 2).sum()
        if i % 100 == 0:
            tell("weighting", i, len(drawn), 0)
    weights, pareto_k = _smoothed(logs)
    if pareto_k <= MOST_PARETO_K:
        drawn = drawn[rng.permutation(_systematic(weights, rng))]
    tell("weighting", len(drawn), len(drawn), 0)
    sampled = density.tree(drawn.reshape(CHAINS, DRAWS, -1))
    sampled.attrs["pareto_k"] = pareto_k
    return sampled, {"compile": compiled_at - began, "sample": time.perf_counter() - compiled_at}


class Density:
    """Log-density of a posterior and its gradient by one vector: all variables of the PyMC model, end to end."""

    def __init__(self, given: Joint | Together) -> None:
        with config.change_flags(numba__fastmath=False):
            model = build(given)
            self._both = model.compile_fn([model.logp(), model.dlogp()], inputs=model.value_vars, mode="NUMBA")
            self._readings = [v.name for v in model.deterministics]
            self._reading = (
                model.compile_fn(model.deterministics, inputs=model.free_RVs, mode="NUMBA") if self._readings else None
            )
        start = model.initial_point()
        self.shapes = {variable.name: start[variable.name].size for variable in model.value_vars}
        self.size = sum(self.shapes.values())

    def __call__(self, point: Array) -> tuple[float, Array]:
        """Log-density and gradient at (size,); -inf where it cannot be computed."""
        value, slope = self._both(self._apart(point))
        return (float(value), np.asarray(slope)) if np.isfinite(value) else (-np.inf, np.zeros(self.size))

    def _apart(self, points: Array) -> dict[str, Array]:
        """Variables by their names, from (..., size)."""
        ends = np.cumsum(list(self.shapes.values()))
        parts = np.split(points, ends[:-1], axis=-1)
        return {name: np.ascontiguousarray(part) for name, part in zip(self.shapes, parts, strict=True)}

    def tree(self, points: Array) -> xr.DataTree:
        """Draws (chain, draw, size) as the sampler gives them."""
        draws: dict[str, Any] = {
            name: (("chain", "draw", f"{name}_at"), values) for name, values in self._apart(points).items()
        }
        if self._reading is not None:
            told = [self._reading(self._apart(point)) for point in points.reshape(-1, self.size)]
            for i, name in enumerate(self._readings):
                share = np.array([each[i] for each in told])
                draws[name] = (("chain", "draw", f"{name}_at"), share.reshape(*points.shape[:2], -1))
        diverging: Any = (("chain", "draw"), np.zeros(points.shape[:2], dtype=bool))
        return xr.DataTree.from_dict(
            {"posterior": xr.Dataset(draws), "sample_stats": xr.Dataset({"diverging": diverging})}
        )


def _nearest(density: Density, rng: np.random.Generator, follow: Callable[[int, int], None]) -> tuple[Array, Array]:
    """Centre and factor of the nearest normal: covariance is factor factor'."""
    size, done = density.size, [0]
    whole = MOST_STEPS + 2 * size + MOST_STRETCHES * PAIRS * 2

    def counted(point: Array) -> tuple[float, Array]:
        done[0] += 1
        follow(min(done[0], whole), whole)
        return density(point)

    def down(point: Array) -> tuple[float, Array]:
        value, slope = counted(point)
        return -max(value, -NOT_A_NUMBER), -slope

    mode = minimize(down, np.zeros(size), jac=True, method="L-BFGS-B",
                    options={"maxiter": MOST_STEPS, "maxfun": MOST_STEPS, "ftol": 1e-12, "gtol": 1e-6}).x  # fmt: skip
    curvature = np.array(
        [(counted(mode - step)[1] - counted(mode + step)[1]) / (2.0 * STEP) for step in STEP * np.eye(size)]
    )
    values, axes = np.linalg.eigh(0.5 * (curvature + curvature.T))
    axes = axes / np.sqrt(np.maximum(values, LEAST))
    half = rng.standard_normal((PAIRS, size))
    points = np.concatenate([half, -half])

    def minus_bound(moved: Array) -> tuple[float, Array]:
        shift, stretch = moved[:size], np.exp(moved[size:])
        total, by_shift, by_stretch = 0.0, np.zeros(size), np.zeros(size)
        for point in points:
            value, slope = counted(mode + axes @ (shift + stretch * point))
            along = slope @ axes
            total += max(value, -NOT_A_NUMBER)
            by_shift += along
            by_stretch += along * stretch * point
        n = len(points)
        slope = np.concatenate([by_shift / n, by_stretch / n + 1.0])
        return -(total / n + moved[size:].sum()), -slope

    start = np.concatenate([np.zeros(size), np.full(size, np.log(NARROW))])
    found = minimize(minus_bound, start, jac=True, method="L-BFGS-B",
                     options={"maxfun": MOST_STRETCHES, "ftol": 1e-7}).x  # fmt: skip
    follow(whole, whole)
    return mode + axes @ found[:size], axes * np.exp(found[size:])


def _smoothed(logs: Array) -> tuple[Array, float]:
    """Pareto-smoothed weights that sum to one, and the shape of their tail."""
    finite = np.where(np.isfinite(logs), logs, logs[np.isfinite(logs)].min() - 700.0)
    smoothed, pareto_k = array_stats.psislw(-finite, r_eff=1.0)  # it takes what is divided by
    weights = np.exp(smoothed - smoothed.max())
    return weights / weights.sum(), float(pareto_k)


def _systematic(weights: Array, rng: np.random.Generator) -> NDArray[np.int64]:
    """As many draws as there are weights, each as often as its weight says, within one."""
    n = weights.size
    return np.minimum(np.searchsorted(np.cumsum(weights), (rng.random() + np.arange(n)) / n), n - 1)
