"""The joint likelihood of `joint` as a PyMC model: one standard-normal vector, one term for the counts."""

import itertools
from typing import Any

import numpy as np
import pandas as pd
import pymc as pm
import pytensor.tensor as pt

from pbpk.infer.gradient import FORMS, Seen
from pbpk.infer.joint import Experiment, Joint


def build(joint: Joint) -> pm.Model:
    """PyMC model whose only variable `z` is standard normal, one entry for each free parameter."""
    with pm.Model(coords={"parameter": [p.name for p in joint.free]}) as model:
        z = pm.Normal("z", dims="parameter")
        seen = [Seen()(z, *fixed_inputs(joint, experiment))[0] for experiment in joint.experiments]  # type: ignore[index]
        terms = [_log_likelihood(joint, z, seen, reading) - np.log(len(joint.readings)) for reading in joint.readings]
        if len(terms) == 1:
            pm.Potential("counts", terms[0])
        else:
            each = pt.stack(terms)
            pm.Potential("counts", pm.math.logsumexp(each))
            pm.Deterministic("reading", pt.special.softmax(each))
    return model


def fixed_inputs(joint: Joint, experiment: Experiment) -> list[Any]:
    """Arrays that `Seen` takes after z: priors, rates, network, doses and observers of one experiment."""
    model = joint.model
    estimated = [*model.parameters, *(p for p in joint.estimated if p.name in experiment.modifiers)]
    place = {p.name: i for i, p in enumerate(joint.free)}
    switches = [model.symbol_names.index(name) for name in experiment.modifiers]
    rows = list(experiment.rows)
    return [
        np.array([FORMS[p.prior.form] for p in estimated]),
        np.array([p.prior.centre for p in estimated]),
        np.array([p.prior.sigma for p in estimated]),
        np.array([place.get(p.name, 0) for p in estimated]),
        model.settled,
        np.array(switches, dtype=np.int64),
        model.tape.steps,
        model.tape.literals,
        model.tape.outputs,
        model.source_states,
        model.target_states,
        np.array(model.n_lasting),
        *experiment.schedule.arrays(),
        experiment.hours,
        np.array(experiment.at),
        joint.observers[rows],
        joint.recovery[rows],
    ]


def _free(joint: Joint, z: Any, name: str) -> Any:
    """One parameter from the sampler's vector."""
    place = [p.name for p in joint.free].index(name)
    return joint.free[place].prior.value(z[place], pt)


def _log_likelihood(joint: Joint, z: Any, seen: list[Any], reading: str) -> Any:
    """Log-likelihood of all rows under one reading of the denominator."""
    spread, misfit = _free(joint, z, "spread"), _free(joint, z, "misfit")
    total = 0.0
    for experiment, of_dose in zip(joint.experiments, seen, strict=True):
        percent = of_dose[0] if reading == "dose" else 100.0 * of_dose[0] / of_dose[1]
        if "recovery" in joint.names:
            percent = percent * _free(joint, z, "recovery")
        table = joint.counts.table.iloc[list(experiment.rows)]
        m = pt.log(percent)
        if joint.doubtful:
            m = m - _log_grams(joint, z, table)
        total = total + _rows(table, m, spread, misfit)
    return total


def _log_grams(joint: Joint, z: Any, table: pd.DataFrame) -> Any:
    """Logarithm of true over assumed weight for each row."""
    place = {p.name: i for i, p in enumerate(joint.free)}
    spread = {p.name: p.prior.sigma for p in joint.free}
    names = [f"grams_{organ}" if organ in joint.doubtful else "" for organ in table["organ"]]
    return np.array([spread.get(n, 0.0) for n in names]) * z[[place.get(n, 0) for n in names]]


def _rows(table: pd.DataFrame, m: Any, spread: Any, misfit: Any) -> Any:
    """Sum of the terms listed in `joint`, by kind of row."""
    limit = table["below_lloq"].to_numpy(bool)
    ranged = ~limit & table["low"].notna().to_numpy()
    plain = ~limit & ~ranged
    single = pt.sqrt(spread**2 + misfit**2)
    total = 0.0
    if plain.any():
        rows = np.flatnonzero(plain)
        n = table["n"].to_numpy(float)[rows]
        v = pt.log1p(pt.expm1(spread**2) / n)
        centre = m[rows] + spread**2 / 2 - v / 2
        y = np.log(table["percent"].to_numpy(float)[rows])
        total = total + pm.logp(pm.Normal.dist(centre, pt.sqrt(v + misfit**2)), y).sum()
        sd = table["sd"].to_numpy(float)[rows]
        known = np.flatnonzero(sd > 0.0)
        if known.size:
            s2 = np.log1p((sd[known] / np.exp(y[known])) ** 2)
            k = n[known] - 1.0
            # density of s2 itself: the chi-square's argument is scaled by k / spread^2
            total = total + (pm.logp(pm.ChiSquared.dist(k), k * s2 / spread**2) - 2.0 * pt.log(spread)).sum()
    if ranged.any():
        total = total + _ranges(table, np.flatnonzero(ranged), m, single)
    if limit.any():
        rows = np.flatnonzero(limit)
        ceiling = np.log(table["lloq"].to_numpy(float)[rows])
        total = total + _log_cdf((ceiling - m[rows]) / single).sum()
    return total


def _ranges(table: pd.DataFrame, rows: Any, m: Any, s: Any) -> Any:
    """Log-likelihood of ranges: a statement about one value, or the smallest and largest of n animals."""
    low, high, n = (table[name].to_numpy(float)[rows] for name in ("low", "high", "n"))
    log_low = np.log(np.where(low > 0.0, low, 1.0))
    total = 0.0
    for one, open_below in itertools.product((True, False), (True, False)):
        at = np.flatnonzero(((n == 1) == one) & ((low == 0.0) == open_below))
        if not at.size:
            continue
        k = n[at]
        upper, lower = (np.log(high[at]) - m[rows[at]]) / s, (log_low[at] - m[rows[at]]) / s
        top = _log_density(upper) - pt.log(s)
        if one:
            term = _log_cdf(upper) if open_below else _log_between(lower, upper)
        elif open_below:
            term = np.log(k) + top + (k - 1.0) * _log_cdf(upper)
        else:
            bottom = _log_density(lower) - pt.log(s)
            term = np.log(k * (k - 1.0)) + top + bottom + (k - 2.0) * _log_between(lower, upper)
        total = total + term.sum()
    return total


def _log_cdf(x: Any) -> Any:
    return pm.logcdf(pm.Normal.dist(0.0, 1.0), x)


def _log_density(x: Any) -> Any:
    return pm.logp(pm.Normal.dist(0.0, 1.0), x)


def _log_between(lower: Any, upper: Any) -> Any:
    """log(Phi(upper) - Phi(lower)), computed in the nearer tail so that it does not underflow to log(0)."""
    flipped = lower > 0.0
    near = _log_cdf(pt.switch(flipped, -lower, upper))
    far = _log_cdf(pt.switch(flipped, -upper, lower))
    return near + pt.log1mexp(pt.minimum(far - near, -1e-12))
