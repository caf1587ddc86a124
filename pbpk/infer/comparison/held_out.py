"""Log-densities of animals left out, given what was kept: at each draw of a fit that saw them, or of one that did not.

The misfit of a cell ties its rows, so the density of a unit (`assay.holdout.units_of`) is that given the rows kept,

    log p(y_left | y_kept, theta) = log p(y_left, y_kept | theta) - log p(y_kept | theta)

of which only the cells that the unit touches differ (Burkner, Gabry & Vehtari 2021, Comput Stat 36:1243, doi
10.1007/s00180-020-01045-4). Both are computed by the kernels that the sampler uses. Where the denominator is unknown,
both are mixtures of the readings, half weight each. Where animals differ, what is left out has no deviates of its own:
they are summed over (`anew`); where an hour is, its animals may be known from others, so draws stand for them as they
are: those of the posterior, or of the prior for an animal that a fit did not see.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp, softmax

from pbpk.assay.counts import OrganCounts
from pbpk.assay.holdout import By, units_of
from pbpk.body.solve import Array
from pbpk.infer.comparison.anew import anew
from pbpk.infer.density.row_terms import log_rows
from pbpk.infer.density.signal_terms import log_readings
from pbpk.infer.density.signals import limits_beside, unknowns
from pbpk.infer.draws.posterior import Posterior
from pbpk.infer.matched.joint import Joint, join, predict_percent

DRAWS = 1000  # of a fit, at which the density of each unit is computed


def log_given(
    joint: Joint,
    theta: Array,
    percent: Mapping[str, Array],
    u: Array | None = None,
    nu: float | None = None,
    progress: Callable[[int, int], None] | None = None,
    by: By = "animal",
) -> Array:
    """Log-density of each unit given all others, (draw, unit), units as they first come in the table.

    Parameters
    ----------
    theta : (draw, estimated); percent : reading -> (draw, row) percentages that the model says [%]
    u : (draw, unknown) what readings share; needed where instruments read
    nu : degrees of freedom of a single animal, as in the fit unless another is given
    progress : called with units done and units in all
    by : what a unit is, as in `units_of`
    """
    own = units_of(joint.counts, by)
    units = list(dict.fromkeys(own.tolist()))
    draws = _Draws.of(joint, theta, percent, u, nu, np.arange(own.size))
    found = np.empty((len(theta), len(units)))
    for i, unit in enumerate(units):
        found[:, i] = draws.log_density(np.flatnonzero(own == unit), as_drawn=by == "hour")
        if progress is not None:
            progress(i + 1, len(units))
    return found


def log_whole(joint: Joint, theta: Array, percent: Mapping[str, Array], u: Array | None = None) -> Array:
    """Log-likelihood of all rows at each draw, (draw,), as the sampler has it; arguments as of `log_given`."""
    draws = _Draws.of(joint, theta, percent, u, None, np.arange(len(joint.cells)))
    each = [cells.sum(axis=1) for cells in draws.whole.values()]
    return np.asarray(logsumexp(each, axis=0) - np.log(len(each)))


def predicted(posterior: Posterior, counts: OrganCounts, units: Sequence[str], seed: int, by: By = "animal") -> Array:
    """Log predictive density (unit,) of units that a fit was not told of, each by itself.

    Parameters
    ----------
    counts : those of the fit and those that were left out
    units : of those left out
    seed : for parameters that the fit does not have, which are drawn from their priors
    by : what a unit is, as in `units_of`
    """
    joint = join(posterior.joint.model, counts, posterior.joint.calibration)
    theta, u = _completed(posterior, joint, np.random.default_rng(seed))
    own = units_of(counts, by)
    kept = np.flatnonzero(np.isin(own, units_of(posterior.joint.counts, by)))
    draws = _Draws.of(joint, theta, predict_percent(joint, theta), u, None, kept)
    each = []
    for unit in units:
        mine = np.flatnonzero(own == unit)
        if joint.between is None or by == "hour":
            log = draws.log_density(mine, as_drawn=True)
        else:  # deviates drawn from their prior, weighted by what they foretell, say where to look for the unit's
            log = draws.log_density(mine, softmax(draws.log_density(mine, as_drawn=True)))
        each.append(float(logsumexp(log)) - np.log(len(log)))
    return np.array(each)


def thinned(posterior: Posterior, most: int) -> NDArray[np.int64]:
    """Places of so many draws, chain after chain, as many of each, evenly thinned."""
    chains, every = (int(posterior.tree["posterior"].sizes[name]) for name in ("chain", "draw"))
    each = max(min(most // chains, every), 1)
    return np.concatenate([c * every + np.linspace(0, every - 1, each).astype(np.int64) for c in range(chains)])


def _completed(posterior: Posterior, joint: Joint, rng: np.random.Generator) -> tuple[Array, Array]:
    """Draws of all parameters and of what readings share; what the fit lacks is drawn from its prior."""
    chosen = thinned(posterior, DRAWS)
    theta = np.asarray(joint.theta(rng.standard_normal((len(chosen), len(joint.free)))))
    mine = dict(zip(posterior.joint.names, posterior.theta()[chosen].T, strict=True))
    for i, name in enumerate(joint.names):
        if name in mine:
            theta[:, i] = mine[name]
    u, signals = posterior.unknowns()[chosen], joint.counts.signals
    if signals is not None and u.shape[1] != len(signals.shared.names):  # no reading was left to the fit
        u = np.asarray(unknowns(signals, rng.standard_normal((len(chosen), len(signals.shared.names)))))
    return theta, u


@dataclass(frozen=True)
class _Draws:
    """Draws of parameters and what the model says at each, with the rows that are kept beside those left out."""

    joint: Joint
    theta: Array
    logs: Mapping[str, Array]
    u: Array
    nu: float
    kept: NDArray[np.int64]

    @staticmethod
    def of(
        joint: Joint, theta: Array, percent: Mapping[str, Array], u: Array | None, nu: float | None,
        kept: NDArray[np.int64],
    ) -> "_Draws":  # fmt: skip
        """Draws with what readings share checked, and percentages as logarithms."""
        u, signals = np.zeros((len(theta), 0)) if u is None else u, joint.counts.signals
        if signals is not None and u.shape[1] != len(signals.shared.names):
            raise ValueError("the readings of an instrument share unknowns; give those of each draw as `u`.")
        logs = {reading: np.log(percent[reading]) for reading in joint.readings}
        return _Draws(joint, theta, logs, u, joint.nu if nu is None else nu, kept)

    def log_density(
        self, mine: NDArray[np.int64], likely: Array | None = None, as_drawn: bool = False
    ) -> Array:  # fmt: skip
        """Log-density of the rows of one unit given all others that are kept, (draw,).

        likely : (draw,) weights of the unit's deviates, see `anew`; as_drawn : at these deviates, not summed over
        """
        cells = self.joint.cells
        touched = np.unique(cells[mine])
        rest = np.setdiff1d(self.kept[np.isin(cells[self.kept], touched)], mine)
        near = np.union1d(rest, mine)
        far = {name: each.sum(axis=1) - each[:, touched].sum(axis=1) for name, each in self.whole.items()}
        without = self._mixed(far, rest, self.logs)
        if as_drawn:
            return self._mixed(far, near, self.logs) - without
        parts = [
            weight + self._mixed(far, near, moved) - without
            for weight, moved in anew(self.joint, self.theta, self.logs, mine, likely)
        ]
        return np.asarray(logsumexp(parts, axis=0) - np.log(len(parts)))

    @cached_property
    def whole(self) -> dict[str, Array]:
        """Log-density of all rows that are kept, cell by cell, reading -> (draw, cell)."""
        return {reading: self._by_cell(self.kept, m) for reading, m in self.logs.items()}

    def _mixed(self, far: Mapping[str, Array], rows: NDArray[np.int64], logs: Mapping[str, Array]) -> Array:
        """Log-density of rows with those far from them, both readings of an unknown denominator mixed, (draw,)."""
        return np.asarray(logsumexp([far[name] + self._by_cell(rows, m).sum(axis=1) for name, m in logs.items()], 0))

    def _by_cell(self, rows: NDArray[np.int64], m: Array) -> Array:
        """Log-density of some rows together, cell by cell, (draw, cell)."""
        joint = self.joint
        table, signals, cells = joint.counts.table, joint.counts.signals, joint.cells
        spread, misfit = (self.theta[:, joint.names.index(name)] for name in ("spread", "misfit"))
        found = np.zeros((len(m), int(cells.max()) + 1))
        read = np.zeros(0, dtype=np.int64)
        limits = table["lloq"].where(table["below_lloq"]).to_numpy(float)
        if signals is not None:
            read = np.concatenate([signals.rows, limits_beside(signals, cells, limits)])
        for cell in np.unique(cells[rows]):
            here = rows[cells[rows] == cell]
            # as in the fit, limits in a cell that an instrument reads go with its readings
            if signals is not None and np.isin(here, read).any():
                found[:, cell] = log_readings(signals, cells, limits, here, m, spread, misfit, self.u)
                here = np.setdiff1d(here, read)
            if here.size:
                found[:, cell] += log_rows(table.iloc[here], cells[here], m[:, here], spread, misfit, self.nu)
        return found
