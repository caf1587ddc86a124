"""An answer in seconds: a normal about the mode of the posterior, weighted by how far it is off, marked as such."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr
from arviz_stats.base.array import array_stats
from numpy.typing import NDArray
from pytensor.configdefaults import config
from scipy.optimize import minimize

from pbpk.infer.joint import Joint
from pbpk.infer.likelihood import build
from pbpk.infer.sharing import Together

CHAINS, DRAWS = 4, 1000  # as many as a short run of the sampler gives, so that tables and pages take them alike
DEGREES = 7.0  # of freedom of the proposal: its tails must be the heavier ones, or weights have no bound
STEP = 1e-3  # in prior SDs, of the differences that give the curvature
LEAST = 0.25  # curvature below which a direction is taken as this flat; that of the prior alone is 1
MOST_STEPS = 2000

Array = NDArray[np.float64]


def laplace(
    given: Joint | Together, seed: int, tell: Callable[[str, int, int, int], None]
) -> tuple[xr.DataTree, dict[str, float]]:
    """Draws as the sampler gives them, and seconds taken: of a Student-t with the curvature at the mode, weighted.

    The tree's `pareto_k` says whether the weights can be trusted: up to 0.7 they can (Vehtari et al. 2024,
    JMLR 25:72, Pareto smoothed importance sampling); above, the diagnostics do not pass.

    tell : called with what is being done, steps done, steps in all, and 0
    """
    began = time.perf_counter()
    density = Density(given)
    compiled_at = time.perf_counter()
    tell("compiling", 1, 1, 0)
    rng = np.random.default_rng(seed)
    mode, curvature = _mode(density, lambda done, total: tell("approximating", done, total, 0))
    values, vectors = np.linalg.eigh(curvature)
    scale = vectors / np.sqrt(np.maximum(values, LEAST))
    normal = rng.standard_normal((CHAINS * DRAWS, density.size))
    mixing = np.sqrt(DEGREES / rng.chisquare(DEGREES, (CHAINS * DRAWS, 1)))
    drawn = mode + (normal * mixing) @ scale.T
    proposed = -0.5 * (DEGREES + density.size) * np.log1p(((normal * mixing) ** 2).sum(axis=1) / DEGREES)
    logs = np.full(len(drawn), -np.inf)
    for i, point in enumerate(drawn):
        logs[i] = density(point)[0] - proposed[i]
        if i % 100 == 0:
            tell("weighting", i, len(drawn), 0)
    weights, pareto_k = _smoothed(logs)
    chosen = rng.permutation(_systematic(weights, rng))
    tell("weighting", len(drawn), len(drawn), 0)
    sampled = density.tree(drawn[chosen].reshape(CHAINS, DRAWS, -1))
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


def _mode(density: Density, follow: Callable[[int, int], None]) -> tuple[Array, Array]:
    """Highest point of the density, and the curvature of minus its logarithm there, by differences of the gradient."""
    done = [0]

    def down(point: Array) -> tuple[float, Array]:
        done[0] += 1
        follow(min(done[0], MOST_STEPS), MOST_STEPS + 2 * density.size)
        value, slope = density(point)
        return -max(value, -1e100), -slope

    found = minimize(down, np.zeros(density.size), jac=True, method="L-BFGS-B",
                     options={"maxiter": MOST_STEPS, "maxfun": MOST_STEPS, "ftol": 1e-12, "gtol": 1e-6})  # fmt: skip
    curvature = np.empty((density.size, density.size))
    for i, step in enumerate(STEP * np.eye(density.size)):
        curvature[i] = (density(found.x - step)[1] - density(found.x + step)[1]) / (2.0 * STEP)
        follow(MOST_STEPS + 2 * (i + 1), MOST_STEPS + 2 * density.size)
    return found.x, 0.5 * (curvature + curvature.T)


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
