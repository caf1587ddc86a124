"""Profile likelihood: how far one parameter can go while all others do what they can to make up for it.

Sampling averages over the others and so leans on their priors; a profile asks whether the data hold a parameter at
all. It drops by half the 95 % quantile of chi-square with one degree of freedom, 1.92, at the ends of an interval
(Raue 2009, Bioinformatics 25:1923); where it never does before the edge of a wide box, that side is not bounded.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from pytensor.configdefaults import config
from scipy.optimize import minimize
from scipy.stats import chi2

from pbpk.body.model import Parameter
from pbpk.body.solve import Array
from pbpk.infer.density.likelihood import build
from pbpk.infer.design.structure import matching
from pbpk.infer.matched.joint import Joint

EDGE = 4.0  # of z: where a walk ends, as a prior holds all but 6 in 100,000 within
BOX = 6.0  # of z, in which the others may make up for it: two in a billion lie beyond
DROP = float(chi2.ppf(0.95, 1)) / 2.0
ENOUGH = 1.3 * DROP  # where a walk may end
FIRST, LEAST, RISE = 0.1, 1e-3, 0.4  # first and least step of z, and the drop that a step should add
MOST = 80  # steps to one side
SEARCH = {"maxiter": 1000, "maxfun": 5000, "ftol": 1e-13, "gtol": 1e-7, "maxcor": 30}
NOT_A_NUMBER = 1e12  # what a search is told where the solver gives up
BOTH, BELOW, ABOVE, NOT = (
    "bounded on both sides", "bounded only below", "bounded only above", "not bounded: the data do not tell",
)  # fmt: skip

Climb = Callable[[Array, int | None], tuple[Array, float]]


@dataclass(frozen=True)
class Profiles:
    """Profiles of some parameters.

    table : parameter, value, z, drop of the log-likelihood below its best, in order of value
    bounds : one row for each parameter: best value, low and high (missing where not bounded), verdict, sentence
    best : (free,) z of the best point; with_prior : whether the prior counts beside the data
    """

    table: pd.DataFrame
    bounds: pd.DataFrame
    best: Array
    with_prior: bool

    @property
    def sentences(self) -> tuple[str, ...]:
        """One sentence for each parameter."""
        return tuple(self.bounds["sentence"])


def profile(
    joint: Joint, names: Sequence[str], prior: bool = False, starts: int = 3, seed: int = 1, mode: Any = None
) -> Profiles:
    """Walk outward from the best point along each parameter, the others at their best.

    A walk ends where the drop is well beyond 1.92, so that the interval is that of the best hill. Scatter keeps its
    prior in either case: without it, as many parameters as values bring the scatter to nothing, and every interval too.
    Where the parameters are that many, ask for the profile of the posterior.

    Parameters
    ----------
    names : names or patterns of parameters
    prior : true for the profile of the posterior; false for that of the likelihood, followed to z of -4 and 4, the
        others between -6 and 6; what an instrument's controls teach counts in both
    starts : points from which the best one is looked for, the prior's medians first
    mode : how PyTensor compiles, None for its own choice

    Raises
    ------
    StudyError
        if a name or pattern fits no parameter
    """
    free = [p.name for p in joint.free]
    asked = matching(names, free)
    climb, size = _climber(joint, prior, mode)
    points = 0.5 * np.random.default_rng(seed).standard_normal((starts, size))
    points[0] = 0.0
    best, top = max((climb(point, None) for point in points), key=lambda found: found[1])
    walks: dict[str, list[tuple[Array, float]]] = {}
    for name in asked:
        at = free.index(name)
        below, above = (_walk(climb, best, top, at, side) for side in (-1.0, 1.0))
        walks[name] = [*below[::-1], (best, top), *above]
    found = [point for walk in walks.values() for point in walk]
    best, top = max(found, key=lambda point: point[1])
    parts, bounds = [], []
    for name, walk in walks.items():
        parameter = joint.free[free.index(name)]
        z = np.array([point[free.index(name)] for point, _ in walk])
        drop = top - np.array([value for _, value in walk])
        parts.append(pd.DataFrame({"parameter": name, "value": parameter.prior.value(z), "z": z, "drop": drop}))
        bounds.append(_bounds(parameter, z, drop, prior))
    return Profiles(pd.concat(parts, ignore_index=True), pd.DataFrame(bounds), best[: len(free)], prior)


def _climber(joint: Joint, prior: bool, mode: Any) -> tuple[Climb, int]:
    """Search for the best point from a start, one place held where it is; and the number of places."""
    with config.change_flags(numba__fastmath=False):  # as the fit: same sums, same answers
        model = build(joint)
        density = model.logp_dlogp_function(ravel_inputs=True, **({} if mode is None else {"mode": mode}))
    sizes = {value.name: int(np.prod(model.initial_point()[value.name].shape)) for value in model.value_vars}
    starts = np.cumsum([0, *sizes.values()])
    begin = int(starts[list(sizes).index("z")])
    own = slice(begin, begin + sizes["z"])
    size = int(starts[-1])
    scatter = {p.name for p in joint.model.noise}
    lifted = np.array([0.0 if prior or p.name in scatter else 1.0 for p in joint.free])
    order = np.concatenate([np.arange(own.start, own.stop), np.delete(np.arange(size), own)])

    def fall(x: Array) -> tuple[float, Array]:
        z = np.empty(size)
        z[order] = x
        value, slope = (np.array(part, dtype=float) for part in density(z))
        value = value + 0.5 * (lifted * z[own] ** 2).sum()
        slope[own] += lifted * z[own]
        if not (np.isfinite(value) and np.isfinite(slope).all()):
            return NOT_A_NUMBER, np.zeros(size)
        return -float(value), -slope[order]

    def climb(start: Array, held: int | None) -> tuple[Array, float]:
        free = np.ones(size, dtype=bool)
        if held is not None:
            free[held] = False

        def part(x: Array) -> tuple[float, Array]:
            whole = start.copy()
            whole[free] = x
            value, slope = fall(whole)
            return value, slope[free]

        found = minimize(
            part, start[free], jac=True, method="L-BFGS-B", bounds=[(-BOX, BOX)] * int(free.sum()), options=SEARCH
        )
        whole = start.copy()
        whole[free] = found.x
        return whole, -float(found.fun)

    return climb, size


def _walk(climb: Climb, best: Array, top: float, at: int, side: float) -> list[tuple[Array, float]]:
    """Points outward to one side, the best left out, each searched from the one before it."""
    found: list[tuple[Array, float]] = []
    here, drop, step = best, 0.0, FIRST
    edges = (min(-EDGE, best[at]), max(EDGE, best[at]))
    for _ in range(MOST):
        start = here.copy()
        start[at] = np.clip(here[at] + side * step, *edges)
        point, value = climb(start, at)
        rise = top - value - drop
        if rise > 2.0 * RISE and step > LEAST:
            step /= 2.0
            continue
        found.append((point, value))
        here, drop = point, top - value
        if drop > ENOUGH or here[at] in edges:
            break
        if rise < RISE / 2.0:
            step *= 2.0
    return found


def _bounds(parameter: Parameter, z: Array, drop: Array, with_prior: bool) -> dict[str, Any]:
    """Ends of the 95 % interval and what they say."""
    middle = int(np.argmin(drop))
    low, high = _crossing(z[middle::-1], drop[middle::-1]), _crossing(z[middle:], drop[middle:])
    ends = [float("nan") if end is None else float(parameter.prior.value(np.array(end))) for end in (low, high)]
    verdict = {(False, False): BOTH, (False, True): BELOW, (True, False): ABOVE, (True, True): NOT}[
        low is None, high is None
    ]
    unit = "" if parameter.unit == "1" else f" {parameter.unit}"
    told = {BOTH: f"{ends[0]:.2g} to {ends[1]:.2g}{unit}", BELOW: f"above {ends[0]:.2g}{unit}",
            ABOVE: f"below {ends[1]:.2g}{unit}", NOT: ""}[verdict]  # fmt: skip
    before = "{:.2g} to {:.2g}".format(*parameter.prior.interval())
    more = f" (with its prior, which alone says {before})" if with_prior else ""
    sentence = f"`{parameter.name}`: {verdict}{f', {told}' if told else ''}{more}."
    return {"parameter": parameter.name, "best": float(parameter.prior.value(z[middle])), "low": ends[0],
            "high": ends[1], "verdict": verdict, "sentence": sentence}  # fmt: skip


def _crossing(z: Array, drop: Array) -> float | None:
    """Where a profile, from its best outward, has dropped by 1.92; its root is nearly straight."""
    beyond = np.flatnonzero(drop >= DROP)
    if not beyond.size:
        return None
    j = int(beyond[0])
    inner, outer = np.sqrt(np.maximum(drop[[j - 1, j]], 0.0))
    return float(z[j - 1] + (np.sqrt(DROP) - inner) / (outer - inner) * (z[j] - z[j - 1]))
