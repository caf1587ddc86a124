"""How well a fit predicts animals that it did not see: log-densities of what was left out, given what was kept.

All values of one animal are left out together, or all of a group at an hour where no animal is known. Animals of a
group and hour share what the model misses, so the density of one is conditional on the others that were kept,

    p(y_left | y_kept, theta) = p(y_left, y_kept | theta) / p(y_kept | theta)

with the likelihood of `likelihood.build` above and below, whatever stands in it.
"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import arviz as az
import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.special import logsumexp

from pbpk.assay.counts import OrganCounts
from pbpk.assay.holdout import units_of, without
from pbpk.body.solve import Array
from pbpk.infer.joint import Joint, join
from pbpk.infer.likelihood import build
from pbpk.infer.posterior import Posterior

EACH = 250  # draws of a chain at which the densities are computed
FINE_K = 0.7  # above it the importance weights cannot be trusted: Vehtari et al. 2024, JMLR 25(72)


@dataclass(frozen=True)
class LeftOut:
    """How well each unit is predicted by a fit without it.

    units : (unit,) an animal, or a group and hour
    elpd : (unit,) log of the predictive density
    k : (unit,) Pareto k of its importance weights, NaN where the model was fitted again without it
    effective : number of effective parameters, NaN where nothing tells it
    unsettled : units whose refit did not pass the gate of convergence
    """

    units: NDArray[np.str_]
    elpd: Array
    k: Array
    effective: float
    unsettled: tuple[str, ...] = ()

    @property
    def doubtful(self) -> NDArray[np.str_]:
        """Units whose importance weights cannot be trusted."""
        return self.units[self.k > FINE_K]


def leave_each_out(posterior: Posterior, progress: Callable[[int, int], None] | None = None) -> LeftOut:
    """Leave-one-out by Pareto-smoothed importance sampling: how one fit predicts each unit without being told of it.

    Parameters
    ----------
    progress : called with units done and units in all

    Raises
    ------
    StudyError
        if there is one unit only
    """
    counts = posterior.joint.counts
    units = np.array(list(dict.fromkeys(units_of(counts).tolist())), dtype=np.str_)
    draws = _Draws(posterior)
    whole = draws.log_density(posterior.joint)
    log = np.empty((len(whole), len(units)))
    for i, unit in enumerate(units):
        log[:, i] = whole - draws.log_density(_rejoined(posterior.joint, without(counts, [str(unit)])))
        if progress:
            progress(i + 1, len(units))
    return smoothed(units, log.reshape(draws.chains, -1, len(units)), draws.thinned())


def smoothed(units: NDArray[np.str_], log: Array, draws: xr.Dataset) -> LeftOut:
    """Leave-one-out from the log-densities of each unit given the others, by ArviZ.

    Parameters
    ----------
    log : (chain, draw, unit)
    draws : of the parameters, for how many of them count
    """
    tree = xr.DataTree.from_dict(
        {"posterior": draws, "log_likelihood": xr.Dataset({"counts": (("chain", "draw", "unit"), log)})}
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of a high k, which is acted upon
        found = az.loo(tree, pointwise=True)
    return LeftOut(units, found.elpd_i.to_numpy(), found.pareto_k.to_numpy(), float(found.p))


def predicted(posterior: Posterior, counts: OrganCounts, units: Sequence[str], seed: int) -> Array:
    """Log predictive density (unit,) of units that a fit was not told of, each by itself.

    Parameters
    ----------
    counts : those of the fit and those that were left out
    units : of those left out
    seed : for parameters that the fit does not have, which are drawn from their priors
    """
    draws = _Draws(posterior, seed)
    below = draws.log_density(posterior.joint)
    out = sorted(set(units_of(counts).tolist()) - set(units_of(posterior.joint.counts).tolist()))
    each = []
    for unit in units:
        others = [other for other in out if other != unit]
        seen = without(counts, others) if others else counts
        above = draws.log_density(_rejoined(posterior.joint, seen))
        each.append(float(logsumexp(above - below)) - np.log(len(below)))
    return np.array(each)


def _rejoined(joint: Joint, counts: OrganCounts) -> Joint:
    return join(joint.model, counts, joint.calibration)


class _Draws:
    """Some draws of a fit, evenly thinned, and the density of any part of its data at them."""

    def __init__(self, posterior: Posterior, seed: int = 1) -> None:
        self.posterior = posterior
        self.rng = np.random.default_rng(seed)
        n_chains, n_draws = (posterior.tree["posterior"].sizes[name] for name in ("chain", "draw"))
        self.chains, self.places = n_chains, np.linspace(0, n_draws - 1, min(EACH, n_draws)).astype(int)
        self.flat = (np.arange(n_chains)[:, np.newaxis] * n_draws + self.places).ravel()
        self.theta = dict(zip(posterior.joint.names, posterior.theta()[self.flat].T, strict=True))
        self.assay = self._assay()

    def thinned(self) -> xr.Dataset:
        """Draws of the free parameters that move, by chain."""
        free = [parameter.name for parameter in self.posterior.joint.free]
        draws = self.posterior.tree["posterior"].to_dataset()[free].isel(draw=self.places)
        return draws[[name for name in free if np.ptp(draws[name].to_numpy()) > 0.0]]

    def _assay(self) -> Array:
        """Unknowns that readings share as standard-normal ones, (draw, unknown)."""
        signals, u = self.posterior.joint.counts.signals, self.posterior.unknowns()
        if signals is None or not signals.shared.names:
            return np.zeros((len(self.flat), 0))
        factor = np.linalg.cholesky(signals.shared.covariance)
        return np.asarray(np.linalg.solve(factor, (u[self.flat] - signals.shared.mean).T).T)

    def _z(self, joint: Joint) -> Array:
        """Vectors of the sampler for a joint, (draw, free); what the fit does not have is drawn from its prior."""
        columns = []
        for parameter in joint.free:
            if parameter.name not in self.theta:
                self.theta[parameter.name] = parameter.prior.value(self.rng.standard_normal(len(self.flat)))
            columns.append(parameter.prior.standardised(self.theta[parameter.name]))
        return np.stack(columns, axis=-1)

    def log_density(self, joint: Joint) -> Array:
        """Log-likelihood of all that a joint holds, (draw,)."""
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what PyTensor would rather compile: each is asked for too few times
            model = build(joint)
            ask: Any = model.compile_fn(
                model.datalogp, inputs=model.value_vars, point_fn=False, mode="FAST_COMPILE", on_unused_input="ignore"
            )
            given = {"z": self._z(joint)}
            names = [variable.name for variable in model.value_vars]
            if "assay" in names:
                n = len(joint.counts.signals.shared.names) if joint.counts.signals else 0
                if self.assay.shape[1] != n:
                    self.assay = self.rng.standard_normal((len(self.flat), n))
                given["assay"] = self.assay
            return np.array([float(ask(*(given[name][i] for name in names))) for i in range(len(self.flat))])
