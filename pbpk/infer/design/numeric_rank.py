"""Rank of a design whose rates move, from sensitivities at random points: a judgement by numbers, not a proof."""

from collections.abc import Sequence

import numpy as np

from pbpk.body.solve import Array
from pbpk.infer.matched.experiments import Experiment
from pbpk.infer.matched.joint import Joint

HOURS = 40  # on each curve, geometric, from a thousandth of the latest hour to half beyond it
POINTS, SPAN = 3, 0.7  # random points, in prior SDs about the medians
STEPS = (0.02, 0.05)  # of z: what differences leave of nothing changes with the step, a slope does not
STAYS = 0.2  # by which a singular value that is one may change between the two, relative
NULL = 1e-8  # of the largest singular value, columns brought to length one, below which nobody looks
UNSEEN = 1e-10  # length of a column over the longest
SHARE = 1e-2  # of a null vector's largest entry, from which a parameter takes part
FLOOR = 1e-6  # of the highest point of a curve, below which nobody looks


def null_by_numbers(joint: Joint, unknown: Sequence[str], seed: int = 1) -> tuple[tuple[int, ...], ...]:
    """Sets of parameters, as places in `unknown`, that move together without moving a curve, to what numbers tell."""
    rng = np.random.default_rng(seed)
    places = [[p.name for p in joint.free].index(name) for name in unknown]
    spaces = []
    for _ in range(POINTS):
        z = SPAN * rng.standard_normal(len(joint.free))
        spaces.append(_null(*(_slopes(joint, z, places, step) for step in STEPS)))
    return _supports(min(spaces, key=len))


def _slopes(joint: Joint, z: Array, places: Sequence[int], step: float) -> Array:
    """How the logarithms of all measured curves move with z, (point of a curve, parameter)."""
    offsets = step * np.array([-2.0, -1.0, 1.0, 2.0])
    many = np.repeat(z[np.newaxis], len(offsets) * len(places), axis=0)
    for i, place in enumerate(places):
        many[len(offsets) * i : len(offsets) * (i + 1), place] += offsets
    curves = [_curves(joint, experiment, joint.theta(many)) for experiment in joint.experiments if experiment.rows]
    y = np.concatenate(curves, axis=1).reshape(len(places), len(offsets), -1)
    near, far = (y[:, 2] - y[:, 1]) / (2 * step), (y[:, 3] - y[:, 0]) / (4 * step)
    return ((4.0 * near - far) / 3.0).T


def _curves(joint: Joint, experiment: Experiment, theta: Array) -> Array:
    """Logarithms of what an experiment measures, (draw, curve x hour), for each reading of its denominator."""
    table = joint.counts.table
    first = table.iloc[list(experiment.rows)].drop_duplicates(["organ", "readout", "per"]).index.to_numpy()
    begin = float(experiment.schedule.since.min())
    last = begin + 1.5 * max(float(experiment.hours.max()) - begin, 1.0)
    hours = begin + np.geomspace((last - begin) * 1e-3, last - begin, HOURS)
    states = joint.solve(experiment, theta, hours[hours < experiment.until])
    seen = np.einsum("dhs,rs->drh", states, joint.observers[first])
    yields = np.stack([joint.yields(theta, organ) for organ in table["organ"].iloc[first]], axis=1)
    of_dose = seen * (yields / joint.volume(theta)[:, first])[:, :, np.newaxis]
    found = []
    for reading in joint.readings:
        y = of_dose
        if reading == "recovered":
            y = 100.0 * of_dose / np.einsum("dhs,rs->drh", states, joint.recovery[first])
        found.append(np.log(y + FLOOR * y[:1].max(axis=2, keepdims=True)).reshape(len(theta), -1))
    return np.concatenate(found, axis=1)


def _null(slopes: Array, again: Array) -> Array:
    """Directions in which nothing moves, (direction, parameter), from slopes by two steps of differences."""
    lengths = np.linalg.norm(slopes, axis=0)
    seen = lengths > UNSEEN * lengths.max()
    lengths = np.where(seen, lengths, 1.0)
    values, rows = _singular(np.where(seen, slopes / lengths, 0.0))
    others, _ = _singular(np.where(seen, again / lengths, 0.0))
    real = (values > NULL * values.max()) & (np.abs(others - values) < STAYS * values)
    return np.asarray(rows[~real] / lengths, dtype=float)


def _singular(matrix: Array) -> tuple[Array, Array]:
    """Singular values, one for each column, and their right vectors."""
    _, values, rows = np.linalg.svd(matrix, full_matrices=True)
    return np.concatenate([values, np.zeros(len(rows) - len(values))]), rows


def _supports(null: Array) -> tuple[tuple[int, ...], ...]:
    """Who takes part in each direction, once directions are made as small as an echelon form makes them."""
    left = null / np.abs(null).max(axis=1, keepdims=True) if len(null) else null
    for i in range(len(left)):
        pivot = int(np.argmax(np.abs(left[i])))
        others = np.arange(len(left)) != i
        left[others] -= left[others, pivot][:, np.newaxis] / left[i, pivot] * left[i]
    return tuple(tuple(np.flatnonzero(np.abs(row) > SHARE * np.abs(row).max()).tolist()) for row in left)
