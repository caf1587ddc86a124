"""The joint likelihood of `joint` as a PyMC model: one standard-normal vector, one term for the counts."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pymc as pm
import pytensor.tensor as pt
from numpy.typing import NDArray

from pbpk.infer.between import DOSE
from pbpk.infer.experiments import Experiment, arrays_of
from pbpk.infer.gradient import Seen, SeenMoving, SeenSteady
from pbpk.infer.joint import Joint
from pbpk.infer.limits import limits_term
from pbpk.infer.packing import Pack, pack
from pbpk.infer.sharing import Together
from pbpk.infer.signal_terms import controls_term, readings_term
from pbpk.infer.signals import limits_beside, unknowns

NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(31)
LOG_WEIGHTS = np.log(WEIGHTS / WEIGHTS.sum())


def build(given: Joint | Together) -> pm.Model:
    """PyMC model of standard-normal variables: `z`, one entry for each free parameter, and `assay`, if there is light.

    `assay` holds one entry for each unknown that the readings of an instrument share; of several studies, each has its
    own, `assay_NAME`.
    """
    whole = given if isinstance(given, Together) else Together.alone(given)
    coords: dict[str, Any] = {"parameter": list(whole.names)}
    for study, joint in whole.joints.items():
        if joint.counts.signals is not None:
            coords[f"unknown{whole.suffix(study)}"] = list(joint.counts.signals.shared.names)
    with pm.Model(coords=coords) as model:
        z = pm.Normal("z", dims="parameter")
        for study, joint in whole.joints.items():
            _add(joint, z[whole.places[study]] if study else z, whole.suffix(study))
    return model


def _add(joint: Joint, z: Any, suffix: str) -> None:
    """Add the terms of one study to the model that is being built, from its vector z."""
    signals, u = joint.counts.signals, None
    theta = joint.theta(z, pt)
    if signals is not None and signals.shared.names:
        assay = pm.Normal(f"assay{suffix}", dims=f"unknown{suffix}")
        u = unknowns(signals, assay, pt)
        if joint.calibration == "joint":
            pm.Potential(f"controls{suffix}", controls_term(signals, assay))
    seen = seen_rows(joint, theta)
    terms = [
        _log_likelihood(joint, theta, seen, reading, u) - np.log(len(joint.readings)) for reading in joint.readings
    ]
    if len(terms) == 1:
        pm.Potential(f"counts{suffix}", terms[0])
    else:
        each = pt.stack(terms)
        pm.Potential(f"counts{suffix}", pm.math.logsumexp(each))
        pm.Deterministic(f"reading{suffix}", pt.special.softmax(each))


def seen_rows(joint: Joint, theta: Any) -> Any:
    """Percent of the dose that each row sees, and of what was recovered then, (2, row), from (estimated,)."""
    together: dict[Any, list[Experiment]] = {}
    for i, experiment in enumerate(joint.experiments):
        kind = operation(experiment)
        together.setdefault((kind, i if kind is SeenMoving else 0), []).append(experiment)
    parts = [
        kind()(values(joint, theta, some), *packed(joint, some).arrays())[0] for (kind, _), some in together.items()
    ]
    order = np.argsort([row for some in together.values() for experiment in some for row in experiment.rows])
    return pt.concatenate(parts, axis=1)[:, order]


def operation(experiment: Experiment) -> type[Seen]:
    """Operation that fits the rates and the doses: less is compiled where no dose is at steady state."""
    if not experiment.model.is_linear:
        return SeenMoving
    return SeenSteady if experiment.schedule.is_steady else Seen


def values(joint: Joint, theta: Any, experiments: Sequence[Experiment]) -> Any:
    """Parameters of the model in each experiment, then modifiers, (experiment, value), from (estimated,)."""
    found = np.ones((len(experiments), 1)) * theta[: len(joint.model.parameters) + joint.n_switched]
    if joint.between is None:
        return found
    shifts = joint.between.shifts(theta, joint.names, pt)
    subjects = np.array([experiment.subject for experiment in experiments])
    for name in joint.between.kinetic:
        i = joint.model.parameter_names.index(name)
        moved = joint.model.parameters[i].prior.moved(found[:, i], shifts[name][subjects], pt)
        found = pt.set_subtensor(found[:, i], moved)
    return found


def packed(joint: Joint, experiments: Sequence[Experiment]) -> Pack:
    """All that `Seen` takes after the values: rates, network, doses and observers of each experiment."""
    arrays = []
    for experiment in experiments:
        rows = list(experiment.rows)
        arrays.append(
            arrays_of(experiment, joint.switched, (joint.observers[rows], joint.recovery[rows], joint.volumes[rows]))
        )
    return pack(arrays)


def _log_likelihood(joint: Joint, theta: Any, seen: Any, reading: str, u: Any) -> Any:
    """Log-likelihood of all rows under one reading of the denominator."""
    table = joint.counts.table
    percent = 100.0 * seen[0] / seen[1] if reading == "recovered" else seen[0]
    m = pt.log(percent)
    if "recovery" in joint.names:
        m = m + pt.log(_number(joint, theta, "recovery"))
    if joint.doubtful:
        m = m - _log_grams(joint, theta, table)
    if joint.between is not None and DOSE in joint.between.varied:
        m = m + joint.between.shifts(theta, joint.names, pt)[DOSE][joint.between.of_row]
    spread, misfit = (_number(joint, theta, name) for name in ("spread", "misfit"))
    signals, cells = joint.counts.signals, joint.cells
    if signals is None:
        return _log_rows(table, cells, m, spread, misfit)
    limits = table["lloq"].where(table["below_lloq"]).to_numpy(float)
    total = readings_term(signals, cells, limits, m, spread, misfit, pt.zeros(0) if u is None else u)
    taken = np.concatenate([signals.rows, limits_beside(signals, cells, limits)])
    others = np.setdiff1d(np.arange(len(table)), taken)
    if others.size:
        total = total + _log_rows(table.iloc[others], cells[others], m[others], spread, misfit)
    return total


def _number(joint: Joint, theta: Any, name: str) -> Any:
    """One parameter from all of them."""
    return theta[joint.names.index(name)]


def _log_grams(joint: Joint, theta: Any, table: pd.DataFrame) -> Any:
    """Logarithm of true over assumed weight for each row."""
    place = {name: i for i, name in enumerate(joint.names)}
    of_row = [place.get(f"grams_{organ}", -1) for organ in table["organ"]]
    doubtful = np.array([i >= 0 for i in of_row])
    return pt.log(pt.switch(doubtful, theta[np.where(doubtful, of_row, 0)], 1.0))


def _log_rows(table: pd.DataFrame, cells: NDArray[np.int64], m: Any, spread: Any, misfit: Any) -> Any:
    """Sum of the log-densities that `joint` lists, over all rows that are numbers, ranges or limits.

    The misfit is common to all rows of a cell (group, organ, readout, hour) and integrated out. Values and the ends of
    ranges are normal about it, which leaves a normal; what else a cell holds (what lies between the ends, limits,
    statements) is summed over that normal by Gauss and Hermite.

    Parameters
    ----------
    table : rows of `OrganCounts`
    cells : (row,) number of the cell that a row saw
    m : (row,) logarithm of the percentage that the model says
    spread, misfit : log-SD between animals, and between model and median animal
    """
    low, high, n = (table[name].to_numpy(float) for name in ("low", "high", "n"))
    limit = table["below_lloq"].to_numpy(bool)
    ranged = ~limit & table["low"].notna().to_numpy()
    plain = np.flatnonzero(~limit & ~ranged)
    ends = np.flatnonzero(ranged & (n > 1.0))
    alone = np.bincount(cells)[cells] == 1  # then a limit or a statement has a closed form
    stated = np.flatnonzero((limit | (ranged & (n == 1.0))) & ~alone)
    lonely = np.flatnonzero((limit | (ranged & (n == 1.0))) & alone)

    log_low, log_high = (np.log(np.where(x > 0.0, x, 1.0)) for x in (low, np.where(limit, table["lloq"], high)))
    open_below = limit | (low == 0.0)
    total = pt.constant(0.0)
    if lonely.size:
        s = pt.sqrt(spread**2 + misfit**2)
        total = total + _log_inside(log_low, log_high, open_below, lonely, m, s).sum()

    # normal about the cell's misfit: values, and the ends of ranges
    value = np.log(table["percent"].to_numpy(float)[plain])
    v = pt.log1p(pt.expm1(spread**2) / n[plain])
    bottoms = ends[~open_below[ends]]
    seen = np.concatenate([plain, ends, bottoms])
    if not seen.size and not stated.size:
        return total
    variance = pt.concatenate([v, pt.ones(ends.size + bottoms.size) * spread**2])
    off = np.concatenate([value, log_high[ends], log_low[bottoms]]) - m[seen]
    off = off - pt.concatenate([spread**2 / 2 - v / 2, pt.zeros(ends.size + bottoms.size)])
    total = total + pm.logp(pm.Normal.dist(0.0, pt.sqrt(variance)), off).sum()
    total = total + _log_orders(n[ends], open_below[ends]) + _log_sds(table, plain, spread)

    held = np.unique(np.concatenate([cells[seen], cells[stated]]))
    of_cell = (held[:, np.newaxis] == cells[seen]).astype(float)
    precision = of_cell @ (1.0 / variance) + 1.0 / misfit**2
    centre = (of_cell @ (off / variance)) / precision
    total = total + (0.5 * precision * centre**2 - 0.5 * pt.log(precision) - pt.log(misfit)).sum()

    inner = ends[n[ends] > np.where(open_below[ends], 1.0, 2.0)]
    # in cells that hold nothing else, limits have compiled code of their own: two thirds of the cost of all rows
    closed = np.concatenate([inner, stated[~open_below[stated]]])
    below = stated[open_below[stated] & ~np.isin(cells[stated], cells[closed])]
    if below.size:
        place, width = held.searchsorted(cells[below]), 1.0 / pt.sqrt(precision)
        total = total + limits_term(m[below], log_high[below], place, centre, width, spread, (NODES, LOG_WEIGHTS))
    rest = np.setdiff1d(np.concatenate([inner, stated]), below)
    if rest.size:
        power = np.where(np.isin(rest, inner), n[rest] - np.where(open_below[rest], 1.0, 2.0), 1.0)
        in_cell = held.searchsorted(cells[rest])
        misfits = (centre[:, np.newaxis] + NODES / pt.sqrt(precision)[:, np.newaxis])[in_cell]
        each = power[:, np.newaxis] * _log_inside(log_low, log_high, open_below, rest, m, spread, misfits)
        summed = np.unique(in_cell)
        by_cell = (summed[:, np.newaxis] == in_cell).astype(float) @ each
        total = total + pm.math.logsumexp(by_cell + LOG_WEIGHTS, axis=1).sum()
    return total


def _log_orders(n: NDArray[np.float64], open_below: NDArray[np.bool_]) -> float:
    """Log-number of ways in which n animals can be the smallest and the largest."""
    return float(np.log(np.where(open_below, n, n * (n - 1.0))).sum())


def _log_sds(table: pd.DataFrame, rows: NDArray[np.int64], spread: Any) -> Any:
    """Log-density of the SDs that stand beside means."""
    sd, n, mean = (table[name].to_numpy(float)[rows] for name in ("sd", "n", "percent"))
    known = np.flatnonzero(sd > 0.0)
    if not known.size:
        return 0.0
    s2 = np.log1p((sd[known] / mean[known]) ** 2)
    k = n[known] - 1.0
    # density of s2 itself: the chi-square's argument is scaled by k / spread^2
    return (pm.logp(pm.ChiSquared.dist(k), k * s2 / spread**2) - 2.0 * pt.log(spread)).sum()


def _log_inside(
    low: Any, high: Any, open_below: Any, rows: NDArray[np.int64], m: Any, s: Any, misfits: Any = None
) -> Any:
    """Log-probability that one animal lies between two logarithms, (row,) or (row, node)."""
    columns = (slice(None),) if misfits is None else (slice(None), np.newaxis)
    centre = m[rows][columns] if misfits is None else m[rows][columns] + misfits
    upper, lower = (high[rows][columns] - centre) / s, (low[rows][columns] - centre) / s
    return pt.switch(open_below[rows][columns], _log_cdf(upper), _log_between(lower, upper))


def _log_cdf(x: Any) -> Any:
    return pm.logcdf(pm.Normal.dist(0.0, 1.0), x)


def _log_between(lower: Any, upper: Any) -> Any:
    """log(Phi(upper) - Phi(lower)), computed in the nearer tail so that it does not underflow to log(0)."""
    flipped = lower > 0.0
    near = _log_cdf(pt.switch(flipped, -lower, upper))
    far = _log_cdf(pt.switch(flipped, -upper, lower))
    return near + pt.log1mexp(pt.minimum(far - near, -1e-12))
