"""The joint likelihood of `joint` as a PyMC model: one standard-normal vector, one term for the counts."""

from typing import Any

import numpy as np
import pandas as pd
import pymc as pm
import pytensor.tensor as pt

from pbpk.infer.gradient import cells_at_hours
from pbpk.infer.joint import Joint


def build(joint: Joint) -> pm.Model:
    """PyMC model whose only variable `z` is standard normal, one entry for each free parameter."""
    free = [p for p in joint.estimated if not p.prior.is_fixed]
    with pm.Model(coords={"parameter": [p.name for p in free]}) as model:
        z = pm.Normal("z", dims="parameter")
        theta = parameters(joint, z)
        terms = {reading: _log_likelihood(joint, theta, reading) for reading in joint.readings}
        if len(terms) == 1:
            (total,) = terms.values()
        else:
            each = pt.stack([term - np.log(len(terms)) for term in terms.values()])
            total = pt.logsumexp(each)
        pm.Potential("counts", total)
    return model


def parameters(joint: Joint, z: Any) -> Any:
    """Parameter vector (estimated,) from the standard-normal vector of the free ones."""
    forms = [p.prior.form for p in joint.estimated]
    centre = np.array([p.prior.centre for p in joint.estimated])
    sigma = np.array([p.prior.sigma for p in joint.estimated])
    free = [i for i, form in enumerate(forms) if form != "fixed"]
    place = {i: at for at, i in enumerate(free)}
    groups = []
    order: list[int] = []
    for form in ("lognormal", "logit_normal", "fixed"):
        inside = [i for i, f in enumerate(forms) if f == form]
        if not inside:
            continue
        order += inside
        if form == "fixed":
            groups.append(pt.as_tensor(centre[inside]))
            continue
        step = sigma[inside] * z[[place[i] for i in inside]]
        if form == "lognormal":
            groups.append(pt.exp(np.log(centre[inside]) + step))
        else:
            groups.append(pt.sigmoid(np.log(centre[inside] / (1.0 - centre[inside])) + step))
    return pt.concatenate(groups)[np.argsort(order)]


def _log_likelihood(joint: Joint, theta: Any, reading: str) -> Any:
    """Log-likelihood of all rows under one reading of the denominator."""
    n = len(joint.model.parameters)
    names = [p.name for p in joint.estimated]
    spread, misfit = theta[names.index("spread")], theta[names.index("misfit")]
    total = 0.0
    for experiment in joint.experiments:
        rates = joint.model.rates(theta[:n], joint.modifiers_of(experiment, theta), pt)
        states = cells_at_hours(joint.model, rates, experiment.schedule, experiment.hours)
        rows = list(experiment.rows)
        seen = states[list(experiment.at)]
        percent = (seen * joint.observers[rows]).sum(axis=-1)
        if reading == "recovered":
            percent = 100.0 * percent / (seen * joint.recovery[rows]).sum(axis=-1)
        total = total + _rows(joint.counts.table.iloc[rows], pt.log(percent), spread, misfit)
    return total


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
        rows = np.flatnonzero(ranged)
        low, high = (table[name].to_numpy(float)[rows] for name in ("low", "high"))
        total = total + (table["n"].to_numpy(float)[rows] * _log_between(low, high, m[rows], single)).sum()
    if limit.any():
        rows = np.flatnonzero(limit)
        ceiling = np.log(table["lloq"].to_numpy(float)[rows])
        total = total + _log_cdf((ceiling - m[rows]) / single).sum()
    return total


def _log_cdf(x: Any) -> Any:
    return pm.logcdf(pm.Normal.dist(0.0, 1.0), x)


def _log_between(low: Any, high: Any, m: Any, s: Any) -> Any:
    """Log-probability of a range; computed in the nearer tail so that it does not underflow to log(0)."""
    upper = (np.log(high) - m) / s
    open_below = low == 0.0
    lower = (np.log(np.where(open_below, 1.0, low)) - m) / s
    flipped = lower > 0.0
    near = _log_cdf(pt.switch(flipped, -lower, upper))
    far = _log_cdf(pt.switch(flipped, -upper, lower))
    inside = near + pt.log1mexp(pt.minimum(far - near, -1e-12))
    return pt.switch(open_below, _log_cdf(upper), inside)
