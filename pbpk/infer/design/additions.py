"""What to measure next: a few additions to a design, each judged by what it is expected to teach.

The additions are those that science knows to help: living cells counted where label alone cannot say whose it is, a
harvest before anything has moved on, and the fate of free particles known from a study of their own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pbpk.body.solve import Array
from pbpk.infer.design.sensitivity import Point, points, prior_points, unknown_of
from pbpk.infer.draws.summary import LEARNED, how_much
from pbpk.infer.matched.between import DEVIATE
from pbpk.infer.matched.joint import Joint, join

ANIMALS = 6  # "six" in what is said of living cells
LATER = (24.0, 72.0)  # hours after the first dose at which living cells are counted
EARLY = 0.5  # hour after the first dose, before which arrested cells have not moved on
PARTICLES = ("weight_*",)  # what a study of free particles tells
FEW = 3  # draws of the prior beside its medians: many designs are compared
LITTLE = 0.1  # percent of the dose, below which the user is told how little that is
WORTH = 0.9  # of the contraction before: what an addition must reach to be worth a sentence
COLUMNS = ["parameter", "addition", "before", "after", "least"]


@dataclass(frozen=True)
class Addition:
    """Something more to measure: rows for the counts, or parameters known from elsewhere; `words` begin a sentence."""

    words: str
    rows: tuple[Mapping[str, Any], ...] = ()
    known: tuple[str, ...] = ()


@dataclass(frozen=True)
class Advice:
    """What additions to a design are expected to teach.

    table : parameter, addition, before and after (contraction), for each parameter not learned and each addition;
        least: the smallest percentage of the dose that its rows would have to measure, at the prior's medians
    """

    table: pd.DataFrame

    @property
    def best(self) -> pd.DataFrame:
        """The addition that helps each parameter most."""
        return self.table.loc[self.table.groupby("parameter", sort=False)["after"].idxmin()].reset_index(drop=True)

    @property
    def sentences(self) -> tuple[str, ...]:
        """One sentence for each parameter that an addition helps, and one for those that none does."""
        said, left = [], []
        for name, addition, before, after, least in self.best[COLUMNS].to_numpy().tolist():
            if after > WORTH * before:
                left.append(f"`{name}`")
                continue
            words = how_much(before), how_much(after)
            change = f"from {words[0]} to {words[1]}" if words[0] != words[1] else f"closer, though it stays {words[1]}"
            said.append(f"{addition} would bring `{name}` {change} (SD {before:.0%} of the prior's, then {after:.0%})"
                        f"{_least(least)}.")  # fmt: skip
        if left:
            said.append(f"None of the additions tried helps {', '.join(left)}.")
        return tuple(said)


def planned(joint: Joint, rows: Sequence[Mapping[str, Any]]) -> Joint:
    """The same study with rows that are not measured yet, for `structure` and `expected`.

    Their places are after those that are there.

    rows : each with group, organ, hours, readout, and where they differ from one plain animal n, animal, per, lloq [%]
    """
    counts = joint.counts
    plain = {"animal": "", "n": 1, "per": "", "below_lloq": False, "weight_cv": 0.0, "source": "planned"}
    more = pd.DataFrame([{**plain, **row} for row in rows]).reindex(columns=counts.table.columns)
    more = more.astype(counts.table.dtypes.to_dict())
    table = pd.concat([counts.table, more], ignore_index=True)
    return join(joint.model, replace(counts, table=table), joint.calibration)


def candidates(joint: Joint) -> tuple[Addition, ...]:
    """Additions that fit a study: of its first group with a dose, and of the organs it measures there."""
    table = joint.counts.table
    experiment = next(each for each in joint.experiments if each.rows)
    mine = table.iloc[list(experiment.rows)]
    begin = float(experiment.schedule.since.min())
    seen = mine.drop_duplicates(["organ", "per"])
    who = {"group": experiment.group, "animal": experiment.animal, "n": ANIMALS}

    def rows(organs: pd.DataFrame, hours: Sequence[float], readout: str) -> tuple[dict[str, Any], ...]:
        return tuple(
            who | {"organ": organ, "per": per, "hours": begin + hour, "readout": readout}
            for organ, per in zip(organs["organ"], organs["per"], strict=True)
            for hour in hours
            if begin + hour < experiment.until
        )

    found = []
    living = living_readout(joint, set(mine["readout"]))
    for i in range(len(seen) if living else 0):
        organ = seen.iloc[[i]]
        words = f"Six {living} readouts of the {organ['organ'].iloc[0]} at {LATER[0]:g} h and {LATER[1]:g} h"
        found.append(Addition(words, rows(organ, LATER, str(living))))
    readout = str(mine["readout"].iloc[0])
    early = f"A harvest of {ANIMALS} animals at {EARLY:g} h"
    found.append(Addition(early, rows(seen, (EARLY,), readout)))
    names = [p.name for p in joint.free]
    if any(name.startswith("weight_") for name in names):
        found.append(Addition("The fate of free particles, known from a study of its own,", (), PARTICLES))
    return tuple(addition for addition in found if addition.rows or addition.known)


def what_to_measure(joint: Joint, additions: Sequence[Addition] | None = None, seed: int = 1) -> Advice:
    """Say which addition to a design brings each parameter that it leaves open furthest.

    additions : what is tried; None for those of `candidates`

    Raises
    ------
    StudyError
        if an addition asks for an organ or a readout that the model does not have
    """
    tried = candidates(joint) if additions is None else tuple(additions)
    whole = planned(joint, [row for addition in tried for row in addition.rows])
    names = [p.name for p in whole.free]
    own = np.arange(len(joint.counts.table))
    ends = len(own) + np.cumsum([0, *(len(addition.rows) for addition in tried)])
    extras = [np.arange(begin, end) for begin, end in pairwise(ends)]
    # rows and parameters of the whole are those of its parts, so that it is predicted once for all of them
    kept = [[names.index(name) for name in unknown_of(whole, addition.known)] for addition in tried]
    at = list(points(whole, prior_points(whole, FEW, seed)))
    everything = list(range(len(names)))
    held = [point.information(own) for point in at]
    before = _sds(at, everything, held)
    after = [
        _sds(at, places, [_with(point, alone, own, extra) for point, alone in zip(at, held, strict=True)])
        for places, extra in zip(kept, extras, strict=True)
    ]
    noise = {p.name for p in joint.model.noise}
    left = [
        i for i in everything if before[i] >= LEARNED and names[i] not in noise and not names[i].startswith(DEVIATE)
    ]
    lows = [np.exp(at[0].log_percent[extra].min(initial=np.inf)) for extra in extras]
    rows = [(names[i], addition.words, before[i], sds[i], low) for i in left
            for addition, sds, low in zip(tried, after, lows, strict=True) if i in sds]  # fmt: skip
    return Advice(pd.DataFrame(rows, columns=COLUMNS))


def _with(point: Point, alone: Array, own: NDArray[np.int64], extra: NDArray[np.int64]) -> Array:
    """Information of own and extra rows; the own rows are only computed again where they share noise with the extra."""
    if point.noise[np.ix_(own, extra)].any():
        return point.information(np.concatenate([own, extra]))
    return alone + point.information(extra)


def _sds(at: Sequence[Point], kept: Sequence[int], information: Sequence[Array]) -> dict[int, float]:
    """Expected posterior SD of each z that is kept, by its place."""
    covariance = np.mean([point.covariance(kept, held) for point, held in zip(at, information, strict=True)], axis=0)
    return dict(zip(kept, np.sqrt(np.diag(covariance)).tolist(), strict=True))


def _least(percent: float) -> str:
    """What must be measured for it, where that is little."""
    return f"; down to {percent:.1g} % of the dose must be measured for it" if percent < LITTLE else ""


def living_readout(joint: Joint, measured: set[str]) -> str | None:
    """Readout that sees less than one that is measured, as living cells beside label; `live` if there is one."""
    sees = {name: set(kinds) for name, kinds in joint.model.readouts.items()}
    fewer = [name for name, kinds in sees.items()
             if name not in measured and any(kinds < sees[other] for other in measured)]  # fmt: skip
    return "live" if "live" in fewer else next(iter(fewer), None)
