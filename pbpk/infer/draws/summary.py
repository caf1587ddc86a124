"""The tables of a fit: what each parameter became, each datum beside its prediction, curves, areas."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from pbpk.body.solve import Array
from pbpk.infer.density.signals import is_clear, logarithms, replicates
from pbpk.infer.draws.posterior import Posterior
from pbpk.infer.matched.between import DEVIATE
from pbpk.infer.matched.experiments import ALL, Experiment
from pbpk.infer.matched.joint import Joint, predict_percent

LEVELS = (0.025, 0.5, 0.975)
QUANTILES = ("q2.5", "q50", "q97.5")
LARGE = 5.0  # spread beyond which exp(spread^2) is put aside; that of real animals is below 2
LEARNED, HALF_LEARNED = 0.5, 0.8  # posterior over prior SD, on the scale of the prior's normal


def quantiles(draws: Array, names: tuple[str, ...] = QUANTILES) -> dict[str, Array]:
    """Central 95 % and median over the first axis."""
    return dict(zip(names, np.quantile(draws, LEVELS, axis=0), strict=True))


def parameters(posterior: Posterior) -> pd.DataFrame:
    """One row for each parameter: posterior beside prior, diagnostics, and how much was learned.

    contraction is the posterior's SD over the prior's, shift the posterior's mean in prior SDs, both on the scale on
    which the prior is normal: below 0.5 a parameter counts as learned, below 0.8 as half learned.
    """
    joint = posterior.joint
    theta = posterior.theta()
    rows = []
    for i, parameter in enumerate(joint.estimated):
        if parameter.name.startswith(DEVIATE):
            continue
        draws, prior = theta[:, i], parameter.prior
        low, high = prior.interval()
        row: dict[str, Any] = {
            "parameter": parameter.name,
            "about": parameter.about,
            "unit": parameter.unit,
            "mean": draws.mean(),
            "sd": draws.std(ddof=1),
            **{name: float(value) for name, value in quantiles(draws).items()},
            "prior_q2.5": low,
            "prior_q50": prior.centre,
            "prior_q97.5": high,
            **posterior.each.get(parameter.name, {"rhat": np.nan, "ess_bulk": np.nan, "ess_tail": np.nan}),
        }
        z = prior.standardised(draws)
        row["contraction"] = float(z.std()) if not prior.is_fixed else np.nan
        row["shift"] = float(z.mean()) if not prior.is_fixed else np.nan
        row["learned"] = how_much(row["contraction"])
        row["source"] = parameter.source
        rows.append(row)
    return pd.DataFrame(rows)


def animals(posterior: Posterior) -> pd.DataFrame:
    """One row for each animal and each way in which they differ: how far from the median one, in SDs and as a factor.

    The factor is that of what it got, or of a parameter; of a share, that of its odds.
    """
    joint = posterior.joint
    columns = ["group", "animal", "differs_in", "deviate", *QUANTILES]
    if joint.between is None:
        return pd.DataFrame(columns=columns)
    theta = posterior.theta()
    rows: list[dict[str, Any]] = []
    for name, shift in joint.between.shifts(theta, joint.names).items():
        sd = theta[:, [joint.names.index(f"between_{name}")]] * joint.between.share
        for subject, far, factor in zip(joint.between.subjects, (shift / sd).T, np.exp(shift).T, strict=True):
            group, animal = subject.split(":", 1)
            told = {"group": group, "animal": animal, "differs_in": name, "deviate": far.mean()}
            rows.append(told | {level: float(value) for level, value in quantiles(factor).items()})
    return pd.DataFrame(rows, columns=columns)


def how_much(contraction: float) -> str:
    """Word for a posterior SD over a prior SD, which is not a number where the parameter is fixed."""
    if np.isnan(contraction):
        return "fixed"
    if contraction < LEARNED:
        return "learned"
    return "half learned" if contraction < HALF_LEARNED else "not learned"


def predictions(posterior: Posterior, seed: int = 1) -> pd.DataFrame:
    """Each datum beside the median animal of the model and beside what such a datum could have been.

    q: interval of the median animal; p: posterior predictive interval of the value itself (an animal, or a mean of n).
    """
    joint, theta = posterior.joint, posterior.theta()
    table, signals = joint.counts.table, joint.counts.signals
    clear = np.ones(len(table), dtype=bool)  # of its own noise
    if signals is not None:
        clear[signals.rows] = is_clear(signals)
    rng = np.random.default_rng(seed)
    parts = []
    for reading, percent in predict_percent(joint, theta).items():
        part = table[["group", "animal", "organ", "readout", "hours", "n", "source"]].copy()
        part.insert(5, "reading", reading)
        part["value"] = table["percent"]
        part["low"], part["high"], part["error"] = table["low"], table["high"], table["error"]
        part["clear"], part["per"] = clear, table["per"]
        for name, value in quantiles(percent).items():
            part[name] = value
        seen = measurable(posterior, theta, percent, rng)
        for name, value in quantiles(seen, ("p2.5", "p50", "p97.5")).items():
            part[name] = value
        low = part["value"].fillna(part["low"])
        high = part["value"].fillna(part["high"])
        inside = ((low <= part["p97.5"]) & (high >= part["p2.5"])).astype("boolean")
        part["inside"] = inside.mask(table["below_lloq"].astype(bool).to_numpy())
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def measurable(posterior: Posterior, theta: Array, percent: Array, rng: np.random.Generator) -> Array:
    """Values that could have been measured, (draw, row): one animal, the mean of n, or an instrument's estimate."""
    joint = posterior.joint
    ranged = joint.counts.table["low"].notna().to_numpy()
    n = np.where(ranged, 1.0, joint.counts.table["n"].to_numpy(float))
    spread, misfit, v = _scatter(joint, theta, n)
    centre = np.log(percent) + spread**2 / 2 - v / 2
    with np.errstate(over="ignore"):  # a spread of hundreds, which a half-Cauchy prior draws, ends at infinity
        held = np.exp(centre + _off(joint, n, v, misfit, percent.shape, rng))
    signals = joint.counts.signals
    if signals is not None:
        held[:, signals.rows] = replicates(signals, posterior.unknowns(), held[:, signals.rows], rng)
    return held


def _off(
    joint: Joint, n: Array, v: Array, misfit: Array, shape: tuple[int, ...], rng: np.random.Generator
) -> Array:  # fmt: skip
    """How far the logarithm of a value lies off its centre; where errors are Student's, that of a single animal."""
    normal = rng.standard_normal(shape)
    if np.isinf(joint.nu):
        return np.asarray(np.sqrt(v + misfit**2) * normal)
    own = np.where(n == 1.0, rng.standard_t(joint.nu, shape), rng.standard_normal(shape))
    return np.asarray(np.sqrt(v) * own + misfit * normal)


def mean_animals(posterior: Posterior, percent: Array, seed: int = 1) -> Array:
    """What the animals of each row held on average, (draw, row) [%]: the arrows, moved by the misfit of the row.

    `misfit` is the part of the fit that no arrow can say, one number for an organ at an hour. With its variance m^2 and
    that v of the logarithm of a mean of n animals, values that lie d off the arrows speak for a misfit of
    sum(d/v) / (1/m^2 + sum(1/v)). A row without a value (range, below a limit) or with a faint one
    says nothing here.

    percent : (draw, row) of the arrows, from `predict_percent` [%]
    """
    joint, theta = posterior.joint, posterior.theta()
    table = joint.counts.table
    spread, misfit, v = _scatter(joint, theta, table["n"].to_numpy(float))
    signals, read = joint.counts.signals, table["error"].notna().to_numpy()
    off = np.log(table["percent"].where(~read).to_numpy(float)) - np.log(percent) - (spread**2 - v) / 2
    if signals is not None:
        clear = is_clear(signals)  # a faint reading says nothing of its own
        rows, said = signals.rows[clear], replace(signals, response=signals.response.part(clear))
        logarithm, own = logarithms(said, posterior.unknowns())
        off[:, rows] = logarithm - np.log(percent[:, rows])
        v[:, rows] = spread**2 + own
    known = np.isfinite(off)
    of_cell = (np.unique(joint.cells)[:, np.newaxis] == joint.cells).astype(float)
    fall = 1.0 + misfit**2 * (np.where(known, 1.0 / v, 0.0) @ of_cell.T)  # so that a misfit of 0 divides nothing
    centre = misfit**2 * (np.where(known, off / v, 0.0) @ of_cell.T) / fall
    noise = np.random.default_rng(seed).standard_normal(centre.shape)
    moved = np.where(known, (centre + noise * misfit / np.sqrt(fall)) @ of_cell, 0.0)
    return percent * np.exp(moved + spread**2 / 2)


def _scatter(joint: Joint, theta: Array, n: Array) -> tuple[Array, Array, Array]:
    """Spread and misfit, (draw, 1), and variance of the logarithm of a mean of n animals, (draw, row)."""
    spread, misfit = (theta[:, [joint.names.index(name)]] for name in ("spread", "misfit"))
    return spread, misfit, log_variance(spread, n)


def log_variance(spread: Array, n: Array) -> Array:
    """Variance of the logarithm of a mean of n log-normal animals, log(1 + (exp(spread^2) - 1) / n) (Fenton 1960).

    Beyond a spread of 5 it is written so that nothing overflows: a half-Cauchy prior draws spreads of hundreds.
    """
    square, large = spread**2, spread > LARGE
    near = np.log1p(np.expm1(np.where(large, 0.0, square)) / n)
    return np.where(large, square + np.log1p((n - 1.0) * np.exp(-square)) - np.log(n), near)


def _grid(experiment: Experiment, latest: float, points: int) -> Array:
    """Hours that show each dose of an experiment as it begins to act, until a little after the latest value."""
    last = max(latest * 1.1, 1.0)
    begins = np.unique(experiment.schedule.since[experiment.schedule.since < last])
    each = max(points // begins.size, 12)
    grid = [np.array([last])]
    for begin, end in zip(begins, [*begins[1:], last], strict=True):
        span = end - begin
        grid.append(begin + np.geomspace(min(0.05, span / 10), span, each))
    hours = np.unique(np.concatenate(grid))
    return hours[hours < experiment.until]


def _drawn(joint: Joint) -> list[tuple[Experiment, list[int]]]:
    """Experiments whose curves are worth drawing, with the rows they stand for.

    An animal that was seen at several hours has its own. Animals killed at one hour each, and alike in all but their
    deviates, share that of the median animal.
    """
    found: list[tuple[Experiment, list[int]]] = []
    shared: dict[tuple[Any, ...], int] = {}
    for experiment in joint.experiments:
        if experiment.subject == ALL or experiment.hours.size > 2:
            found.append((experiment, list(experiment.rows)))
            continue
        doses = tuple(array.tobytes() for array in vars(experiment.schedule).values())
        alike = (experiment.group, doses, experiment.modifiers, id(experiment.model), experiment.until)
        if alike not in shared:
            shared[alike] = len(found)
            found.append((replace(experiment, animal="", subject=ALL), []))
        found[shared[alike]][1].extend(experiment.rows)
    return found


def curves(posterior: Posterior, draws: int = 400, points: int = 60) -> pd.DataFrame:
    """Smooth time course of the median animal for everything that was measured, percent of the dose, or that per mL."""
    joint = posterior.joint
    table = joint.counts.table
    theta = posterior.theta(draws)
    parts = []
    for experiment, members in _drawn(joint):
        rows = table.iloc[members]
        hours = _grid(experiment, float(rows["hours"].max()), points)
        states = joint.solve(experiment, theta, hours)
        for (organ, readout, per), own in rows.groupby(["organ", "readout", "per"], sort=True):
            percent = states @ joint.model.observer(str(organ), str(readout))
            percent = percent * joint.yields(theta, str(organ))[:, np.newaxis]
            percent = percent / joint.volume(theta)[:, [own.index[0]]]
            part = pd.DataFrame({"group": experiment.group, "organ": organ, "readout": readout, "hours": hours})
            part.insert(1, "animal", experiment.animal)
            part["per"] = str(per)
            parts.append(part.assign(**quantiles(percent)))
    return pd.concat(parts, ignore_index=True)
