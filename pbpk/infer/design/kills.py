"""What one more animal tells if it is killed in a group at an hour: all its organs at once, by some readouts.

Sampling of organs is destructive, so the unit of a design is an animal and not a value. Animals of one group, organ,
readout and hour (a cell) share what the model misses there. So n of them, each with a variance a of its own about a
shared b, tell of the curve 1 / (b + a / n), which no number of animals brings above 1 / b; and of the scatter what the
two eigenvalues of their covariance tell, a + n b once and a for the n - 1 others. Slopes, a and b are read off
`sensitivity`, for which two animals are planned in every cell.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pbpk.body.solve import Array
from pbpk.errors import StudyError, did_you_mean
from pbpk.infer.design.additions import planned
from pbpk.infer.design.sensitivity import Point, points
from pbpk.infer.matched.experiments import Experiment
from pbpk.infer.matched.joint import Joint, join

ROUND = (0.25, 0.5, 1, 2, 4, 6, 8, 12, 16, 24, 36, 48, 72, 96, 120, 168, 240, 336, 504, 672, 1008, 1344, 2016)  # [h]
TWICE = 2  # animals planned in every cell, so that what they share can be told from what is each one's own


@dataclass(frozen=True)
class Kill:
    """One animal of a group, killed at an hour, its organs measured by some readouts.

    animal : whose doses it gets, where the group has none of its own
    """

    group: str
    hour: float
    readouts: tuple[str, ...]
    organs: tuple[str, ...]
    animal: str = ""

    @property
    def readout(self) -> str:
        """Readouts as they are written, `label+live`."""
        return "+".join(self.readouts)


@dataclass(frozen=True)
class Kills:
    """Animals that could be killed, and what each would tell about some points of the prior.

    kills : (kill,); cells : (kill, cell) true where a kill fills a cell
    slopes : (point, cell, free) of the log-values by z; least : (cell,) percent of the dose to measure, at the first
    own, shared : (point, cell) variances of the log-value of one animal, its own and the cell's
    changes : (2, point, scatter, cell) of own and of shared by z; scatter : places of spread and misfit in z
    held : (cell,) animals that were measured there already
    """

    kills: tuple[Kill, ...]
    cells: NDArray[np.bool_]
    slopes: Array
    own: Array
    shared: Array
    changes: Array
    scatter: tuple[int, ...]
    held: Array
    least: Array

    @property
    def free(self) -> int:
        """Number of free parameters."""
        return int(self.slopes.shape[2])

    def information(self, animals: Array) -> Array:
        """What some animals add to what was held, (point, free, free); animals : (kill,)."""
        added = self._rows(self.held + animals @ self.cells) - self._rows(self.held)
        found = np.swapaxes(self.slopes, 1, 2) @ (self.slopes * added[..., np.newaxis])
        whole = self._scatter(self.held + animals @ self.cells) - self._scatter(self.held)
        at = np.ix_(range(len(found)), self.scatter, self.scatter)
        found[at] += whole.sum(axis=1)
        return np.asarray(found)

    def factors(self, animals: Array, more: float) -> Array:
        """Rows whose squares are the information of `more` animals of each kill on top, (point, kill, row, free)."""
        n = self.held + animals @ self.cells
        width, extra = self._width, len(self.scatter)
        out = np.zeros((len(self.slopes), len(self.kills), width + extra, self.free))
        weight = np.sqrt(np.maximum(self._rows(n + more) - self._rows(n), 0.0))
        scatter = self._scatter(n + more) - self._scatter(n)
        for k, filled in enumerate(self._filled):
            out[:, k, : filled.size] = self.slopes[:, filled] * weight[:, filled, np.newaxis]
            if extra:
                out[:, k, width:, self.scatter] = np.moveaxis(_root(scatter[:, filled].sum(axis=1)), 2, 0)
        return out

    @cached_property
    def _filled(self) -> list[NDArray[np.int64]]:
        return [np.flatnonzero(row) for row in self.cells]

    @property
    def _width(self) -> int:
        return max(filled.size for filled in self._filled)

    def _rows(self, n: Array) -> Array:
        """Information on the log-value of each cell from n animals there, (point, cell)."""
        return np.where(n > 0.0, 1.0 / (self.shared + self.own / np.where(n > 0.0, n, 1.0)), 0.0)

    def _scatter(self, n: Array) -> Array:
        """Information on scatter from n animals in each cell, (point, cell, scatter, scatter)."""
        own, shared = (np.swapaxes(change, 1, 2) for change in self.changes)  # (point, cell, scatter)
        once = (own + n[:, np.newaxis] * shared) / (self.own + n * self.shared)[..., np.newaxis]
        others = own / self.own[..., np.newaxis]
        outer = (each[..., :, np.newaxis] * each[..., np.newaxis, :] for each in (once, others))
        first, second = outer
        found = 0.5 * (first + np.maximum(n - 1.0, 0.0)[:, np.newaxis, np.newaxis] * second)
        return np.where((n > 0.0)[:, np.newaxis, np.newaxis], found, 0.0)


def _root(squares: Array) -> Array:
    """Rows (..., n, n) whose products are symmetric matrices without negative values, (..., n, n)."""
    values, axes = np.linalg.eigh(squares)
    return np.asarray(np.swapaxes(axes * np.sqrt(np.maximum(values, 0.0))[..., np.newaxis, :], -1, -2))


def alike(joint: Joint) -> Joint:
    """The same study with animals that differ in nothing but their scatter: nobody knows animals not yet born."""
    study = joint.study
    if joint.between is None:
        return joint
    about = study.about.model_copy(update={"between": {}, "correlated": []})
    return join(joint.model, replace(joint.counts, study=replace(study, about=about)), joint.calibration)


def groups_of(joint: Joint) -> dict[str, Experiment]:
    """One experiment of each group in which something was measured, by its first animals."""
    found: dict[str, Experiment] = {}
    for experiment in joint.experiments:
        if experiment.rows:
            found.setdefault(experiment.group, experiment)
    return found


def hours_offered(joint: Joint, most: int = 20) -> tuple[float, ...]:
    """Hours at which a laboratory could kill: round ones from a quarter of an hour to the last value, and the study's.

    Where the study stops early there are few round ones: then as many as `most` from a log grid.
    """
    table = joint.counts.table
    own = {float(hour) for hour in table["hours"] if hour > 0.0}
    last = max(own)
    found = {float(hour) for hour in ROUND if hour <= last}
    if len(found | own) < most // 3:
        first = min(own) if len(own) > 1 else last / 100.0
        found |= {float(f"{hour:.2g}") for hour in np.geomspace(first, last, most // 2) if hour <= last}
    return tuple(sorted(found | own))


def measured_pairs(joint: Joint, group: str) -> pd.DataFrame:
    """What a group measures: organ, readout, per and limit [%], one row for each organ and readout."""
    table = joint.counts.table
    mine = table[table["group"] == group]
    found = mine.groupby(["organ", "readout"], sort=False).agg(per=("per", "first"), lloq=("lloq", "max"))
    return found.reset_index()


def kills_for(
    joint: Joint,
    hours: Sequence[float],
    readouts: Sequence[tuple[str, ...]],
    organs: Sequence[str] | None = None,
) -> tuple[Kill, ...]:
    """Every group at every hour by every set of readouts, where a group is still followed at that hour.

    organs : those that are measured in each animal; those of the study where None

    Raises
    ------
    StudyError
        if an organ is none of the model's
    """
    found = []
    for group, experiment in groups_of(joint).items():
        seen = tuple(dict.fromkeys(measured_pairs(joint, group)["organ"]))
        for organ in organs or ():
            if organ not in joint.model.observed:
                raise StudyError(f"organs: `{organ}` is not an organ of the model `{joint.model.name}`."
                                 + did_you_mean(organ, joint.model.observed))  # fmt: skip
        begin = float(experiment.schedule.since.min())
        found += [Kill(group, float(hour), each, tuple(organs or seen), experiment.animal)
                  for each in readouts for hour in hours if begin <= hour < experiment.until]  # fmt: skip
    return tuple(found)


def look_ahead(joint: Joint, kills: Sequence[Kill], z: Array, further: bool = False) -> tuple[Kills, list[Point]]:
    """What each kill would tell about some points, and the points with the study's own rows first.

    z : (point, free); further : the animals of the study were measured already and share cells with those to come

    Raises
    ------
    StudyError
        if an organ or a readout is none of the model's
    """
    cells = _cells(joint, kills)
    names = ["group", "organ", "readout", "hours"]
    rows: list[dict[str, Any]] = [
        {str(name): value for name, value in row.items()} for row in cells.to_dict("records") for _ in range(TWICE)
    ]
    whole = planned(joint, rows)
    at = list(points(whole, z))
    first = len(joint.counts.table) + TWICE * np.arange(len(cells))
    free = [p.name for p in whole.free]
    scatter = tuple(free.index(p.name) for p in whole.model.noise if p.name in free)
    shared = np.array([point.noise[first, first + 1] for point in at])
    own = np.array([point.noise[first, first] for point in at]) - shared
    changes = np.zeros((2, len(at), len(scatter), len(cells)))
    for p, point in enumerate(at):
        for s, place in enumerate(scatter):
            change = point.changes[place]
            changes[1, p, s] = change[first, first + 1]
            changes[0, p, s] = change[first, first] - changes[1, p, s]
    key = {tuple(row): i for i, row in enumerate(cells[names].to_numpy().tolist())}
    filled = np.zeros((len(kills), len(cells)), dtype=bool)
    for k, kill in enumerate(kills):
        filled[k, [key[cell] for cell in _cells_of(kill)]] = True
    held = _held(joint, key) if further else np.zeros(len(cells))
    slopes = np.array([point.slopes[first] for point in at])
    least = np.exp(at[0].log_percent[first])
    return Kills(tuple(kills), filled, slopes, own, shared, changes, scatter, held, least), at


def _cells_of(kill: Kill) -> Iterable[tuple[str, str, str, float]]:
    return ((kill.group, organ, readout, kill.hour) for readout in kill.readouts for organ in kill.organs)


def _cells(joint: Joint, kills: Sequence[Kill]) -> pd.DataFrame:
    """Rows to plan, one for each cell that a kill fills: as the study measures it, with its limit where it has one."""
    known = {group: measured_pairs(joint, group) for group in {kill.group for kill in kills}}
    found = {}
    for kill in kills:
        pairs = known[kill.group]
        for group, organ, readout, hour in _cells_of(kill):
            same = pairs[pairs["organ"] == organ]
            limit = same.loc[same["readout"] == readout, "lloq"]
            found[group, organ, readout, hour] = {
                "group": group, "animal": kill.animal, "organ": organ, "readout": readout, "hours": hour,
                "per": str(same["per"].iloc[0]) if len(same) else "",
                "lloq": float(limit.iloc[0]) if len(limit) else np.nan,
            }  # fmt: skip
    return pd.DataFrame(list(found.values()))


def _held(joint: Joint, key: dict[tuple[object, ...], int]) -> Array:
    """Animals that a study measured in each cell, (cell,)."""
    held = np.zeros(len(key))
    for row in joint.counts.table.to_dict("records"):
        at = key.get((row["group"], row["organ"], row["readout"], float(row["hours"])))
        if at is not None:
            held[at] += max(float(row["n"]), 1.0) if np.isfinite(row["n"]) else 1.0
    return held


def animals_of(table: pd.DataFrame) -> int:
    """Animals that a study took: those with names, and of others the most that one organ had at each hour."""
    named = table[table["animal"] != ""].drop_duplicates(["group", "animal"])
    plain = table[table["animal"] == ""]
    n = plain["n"].astype(float).fillna(1.0).clip(lower=1.0)
    each = n.groupby([plain[name] for name in ("group", "hours", "organ", "readout")]).sum()
    return len(named) + int(each.groupby(level=["group", "hours"]).max().sum())
