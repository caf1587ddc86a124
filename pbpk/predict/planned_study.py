"""The next study: which animals to kill when, beside the study as it is and beside hours that are evenly spaced."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

from pbpk.body.solve import Array
from pbpk.errors import InputError, StudyError, did_you_mean
from pbpk.infer.design.additions import living_readout
from pbpk.infer.design.kills import Kill, Kills, alike, animals_of, groups_of, hours_offered, kills_for, look_ahead
from pbpk.infer.design.next_study import (
    Aim,
    aimed,
    build_up,
    exchanged,
    fewest,
    in_the_same,
    recommended,
    spread_out,
    typical,
)
from pbpk.infer.design.sensitivity import DRAWS, Point, prior_points
from pbpk.infer.draws.posterior import Posterior
from pbpk.infer.matched.joint import Joint
from pbpk.predict.quantities import Quantities, directions, parse_quantities, scenario_of, usual_quantities
from pbpk.predict.scenario import Scenario

FEW = 12  # draws of a posterior about which the model is made linear
SIX = 6  # animals in which another readout is tried on top
ALONE = 3  # animals at one hour whose gain alone ranks the hours
MOST = 1000  # animals that are planned at once: the search adds them one by one
CURRENT, EQUAL, LOG, BEST = "study as it is", "equally spaced", "equally spaced, log scale", "recommended"


@dataclass(frozen=True)
class Start:
    """What is known before the next animal is seen.

    joint : with animals alike; z : (point, free) about which the model is made linear
    known : (free, free) information on z, the prior's included; of a posterior the inverse covariance of its draws
    further : the study's animals were seen already, so that new ones come on top; else its place is taken
    untold : what these animals said is not in `known` yet
    words : whence what is known comes
    """

    joint: Joint
    z: Array
    known: Array
    further: bool
    words: str
    untold: bool = False


@dataclass(frozen=True)
class Saving:
    """Fewest animals at recommended hours that teach as much as another design; none where all of them do not."""

    design: str
    animals: int
    fewest: int | None


@dataclass(frozen=True)
class OnTop:
    """What another readout in some of the animals of the recommended design is expected to buy.

    hours : (group, hour) -> animals; after, instead : contraction of each quantity with it, and with as many animals
    more by the readouts that are there anyway
    """

    readout: str
    animals: int
    hours: Mapping[tuple[str, float], int]
    after: Array
    instead: Array


@dataclass(frozen=True)
class Plan:
    """The next study.

    design : group, hours, readouts, organs, animals, least (smallest percentage of the dose to be measured, at the
        first point)
    ranking : rank, group, hours, readouts, animals (recommended), gain_alone (part of the SD that three animals there
        take away, and no others), gain_given_design (that the last animals there take away, or one more would)
    quantities : quantity, kind, sd_before (of z, or of ln endpoint), design, animals, contraction (SD after over
        before)
    timeline : design, group, hours, animals
    savings, on_top : see there; limited : whether a limit of the study was heeded
    """

    start: Start
    asked: Quantities
    scenario: Scenario
    animals: int
    each: int
    design: pd.DataFrame
    ranking: pd.DataFrame
    quantities: pd.DataFrame
    timeline: pd.DataFrame
    savings: tuple[Saving, ...]
    on_top: OnTop | None
    limited: bool
    points: int

    def contractions(self, design: str) -> dict[str, float]:
        """Contraction of each quantity by one of the designs."""
        mine = self.quantities[self.quantities["design"] == design]
        return dict(zip(mine["quantity"], mine["contraction"].astype(float), strict=True))


def from_study(joint: Joint, further: bool = False, draws: int = DRAWS, seed: int = 1) -> Start:
    """What the priors of the model know, or what they know with the study's own animals seen."""
    joint = alike(joint)
    words = "what the model's priors know" + (", with the animals of the study seen" if further else "")
    return Start(joint, prior_points(joint, draws, seed), np.eye(len(joint.free)), further, words, untold=further)


def from_posterior(posterior: Posterior, draws: int = FEW) -> Start:
    """What a fit knows: the covariance of its draws, and a few of them as points."""
    joint, theta = alike(posterior.joint), posterior.theta()
    columns = [p.prior.standardised(theta[:, posterior.joint.names.index(p.name)]) for p in joint.free]
    z = np.stack(columns, axis=-1)
    known = np.linalg.inv(np.cov(z.T) + 1e-9 * np.eye(z.shape[1]))
    few = z[np.linspace(0, len(z) - 1, min(draws, len(z))).astype(int)]
    return Start(joint, few, 0.5 * (known + known.T), True, "what the fit knows")


def plan_study(
    start: Start,
    of: str | None = None,
    animals: int | None = None,
    hours: Sequence[float] | None = None,
    readouts: Sequence[tuple[str, ...]] | None = None,
    organs: Sequence[str] | None = None,
    each: int = 1,
    scenario: Scenario | None = None,
) -> Plan:
    """Find which animals to kill when, and what that is expected to teach beside other designs.

    Parameters
    ----------
    of : quantities apart by commas, see `parse_quantities`; how long living cells stay in each organ where None
    animals : killed in all; as many as the study has where None
    hours : at which they may be killed [h]; round ones up to the last of the study where None
    readouts : sets of readouts of which each animal gets one, ("label",) or ("label", "live"); the study's where None
    organs : measured in each animal; the study's where None
    each : animals that are killed together
    scenario : whose endpoints are asked; the first group where None

    Raises
    ------
    InputError
        if something is asked that the study or its model does not have
    """
    joint = start.joint
    scenario = scenario or scenario_of(joint)
    asked = usual_quantities(joint, scenario) if of is None else parse_quantities(of, joint)
    animals = _number(joint, animals)
    _check_readouts(joint, readouts)
    sets = tuple(readouts or (tuple(dict.fromkeys(joint.counts.table["readout"])),))
    grid = tuple(sorted(set(hours))) if hours is not None else hours_offered(joint)
    kills, offered, even, spare = _kills(joint, grid, sets, organs)
    ahead, at = look_ahead(joint, kills, start.z, start.further)
    readings = len(at) // len(start.z)
    own = [_own(point, len(joint.counts.table)) for point in at]
    known = np.array([start.known] * len(at))
    if start.untold:
        known = known + own
    gradients = np.repeat(directions(joint, start.z, asked, scenario), readings, axis=0)
    aim = aimed(asked.names, gradients, known, ahead, offered, each)
    best = recommended(aim, animals)
    designs = {name: spread_out(aim, animals, places) for name, places in even.items()} | {BEST: best}
    taught = {name: aim.of(design) for name, design in designs.items()}
    if not start.further:
        taught = {CURRENT: aim.contractions(np.array(own))} | taught
    size = {CURRENT: animals_of(joint.counts.table)} | {name: int(n.sum()) for name, n in designs.items()}
    return Plan(
        start, asked, scenario, animals, each, _design(ahead, best), _ranking(aim, best),
        _quantities(aim, asked, taught, size), _timeline(joint, ahead, designs, not start.further),
        _savings(aim, {name: taught[name] for name in taught if name != BEST}, size, int(best.sum())),
        _on_top(aim, best, spare), bool(joint.counts.table["lloq"].notna().any()), len(start.z),
    )  # fmt: skip


def _own(point: Point, rows: int) -> Array:
    """Information of the study's own rows, with that of their SDs."""
    held = point.information(np.arange(rows)).copy()
    for place, more in point.sds.items():
        held[place, place] += more
    return held


def _number(joint: Joint, animals: int | None) -> int:
    number = animals_of(joint.counts.table) if animals is None else animals
    if number > MOST:
        raise InputError(f"animals: {number} are more than the {MOST} that are planned at once; give fewer.")
    return number


def _check_readouts(joint: Joint, readouts: Sequence[tuple[str, ...]] | None) -> None:
    for name in (name for each in readouts or () for name in each):
        if name not in joint.model.readouts:
            raise StudyError(f"readouts: `{name}` is none of the model `{joint.model.name}`."
                             + did_you_mean(name, joint.model.readouts))  # fmt: skip


def _kills(
    joint: Joint, grid: Sequence[float], sets: Sequence[tuple[str, ...]], organs: Sequence[str] | None
) -> tuple[tuple[Kill, ...], list[int], dict[str, list[int]], tuple[str, list[int]] | None]:
    """All kills; places of those offered, of evenly spaced ones, and of another readout at those offered.

    Even hours reach from the first to the last that is offered, as many as the study has; they need not be offered.
    """
    places: dict[Kill, int] = {}

    def placed(kills: Sequence[Kill]) -> list[int]:
        return [places.setdefault(kill, len(places)) for kill in kills]

    offered = placed(kills_for(joint, grid, sets, organs))
    n = min(max(joint.counts.table.groupby("group")["hours"].nunique().max(), 2), len(grid))
    first, last = grid[0], grid[-1]
    spaced = {EQUAL: np.linspace(first, last, n)}
    if first > 0.0:
        spaced[LOG] = np.geomspace(first, last, n)
    even = {}
    for name, hours in spaced.items():
        rounded = [float(f"{hour:.3g}") for hour in hours]
        found = placed(kills_for(joint, rounded, sets[:1], organs))
        even[name] = sorted(found, key=lambda at: list(places)[at].hour)
    measured = {name for each in sets for name in each}
    living = living_readout(joint, measured)
    spare = None
    if living is not None:
        of = {place: kill for kill, place in places.items()}
        more = [Kill(k.group, k.hour, (living,), k.organs, k.animal) for k in (of[place] for place in offered)]
        spare = (living, placed(more))
    return tuple(places), offered, even, spare


def _design(kills: Kills, best: Array) -> pd.DataFrame:
    """Rows of the recommended design, by group and hour."""
    rows = [
        {"group": kill.group, "hours": kill.hour, "readouts": kill.readout, "organs": " ".join(kill.organs),
         "animals": int(best[k]), "least": float(kills.least[kills.cells[k]].min())}
        for k, kill in enumerate(kills.kills) if best[k] > 0.0
    ]  # fmt: skip
    return pd.DataFrame(rows).sort_values(["group", "hours", "readouts"], kind="stable").reset_index(drop=True)


def _ranking(aim: Aim, best: Array) -> pd.DataFrame:
    """Every hour that is offered, by what three animals there take away of the SD."""
    alone = [1.0 - typical(row) for row in aim.with_more(np.zeros_like(best), float(ALONE))]
    score = aim.score(best)
    more = [1.0 - typical(row) / score for row in aim.with_more(best, float(aim.each))]
    rows = []
    for k in aim.offered:
        gain = more[k]
        if best[k] > 0.0:
            without = best.copy()
            without[k] -= aim.each
            gain = 1.0 - score / aim.score(without)
        kill = aim.kills.kills[k]
        rows.append({"group": kill.group, "hours": kill.hour, "readouts": kill.readout, "animals": int(best[k]),
                     "gain_alone": alone[k], "gain_given_design": gain})  # fmt: skip
    table = pd.DataFrame(rows).sort_values("gain_alone", ascending=False, kind="stable").reset_index(drop=True)
    table.insert(0, "rank", np.arange(1, len(table) + 1))
    return table


def _quantities(aim: Aim, asked: Quantities, taught: Mapping[str, Array], size: Mapping[str, int]) -> pd.DataFrame:
    rows = [
        {"quantity": name, "kind": asked.kind(q), "sd_before": float(np.sqrt(aim.before[q])), "design": design,
         "animals": size[design], "contraction": float(found[q])}
        for q, name in enumerate(asked.names) for design, found in taught.items()
    ]  # fmt: skip
    return pd.DataFrame(rows)


def _timeline(joint: Joint, kills: Kills, designs: Mapping[str, Array], current: bool) -> pd.DataFrame:
    rows = []
    if current:
        table = joint.counts.table
        for group, hour in product(groups_of(joint), sorted(set(table["hours"]))):
            mine = table[(table["group"] == group) & (table["hours"] == hour)]
            if len(mine):
                rows.append({"design": CURRENT, "group": group, "hours": float(hour), "animals": animals_of(mine)})
    for name, design in designs.items():
        counted: dict[tuple[str, float], int] = {}
        for k in np.flatnonzero(design):
            kill = kills.kills[k]
            counted[kill.group, kill.hour] = counted.get((kill.group, kill.hour), 0) + int(design[k])
        rows += [{"design": name, "group": group, "hours": hour, "animals": n}
                 for (group, hour), n in sorted(counted.items())]  # fmt: skip
    return pd.DataFrame(rows)


def _savings(aim: Aim, taught: Mapping[str, Array], size: Mapping[str, int], most: int) -> tuple[Saving, ...]:
    found = []
    for name, contractions in taught.items():
        if size[name] > 0:
            reached = fewest(aim, typical(contractions), most)
            found.append(Saving(name, size[name], None if reached is None else reached[0]))
    return tuple(found)


def _on_top(aim: Aim, best: Array, spare: tuple[str, list[int]] | None) -> OnTop | None:
    """Another readout in six animals of the design, and as many animals more instead."""
    if spare is None:
        return None
    readout, places = spare
    more = in_the_same(aim, best, places, min(SIX, int(best.sum())))
    n = int(more.sum())
    plain = Aim(aim.names, aim.directions, aim.known, aim.kills, aim.offered)
    instead = exchanged(plain, build_up(plain, n, best)[-1])
    hours = {(aim.kills.kills[k].group, aim.kills.kills[k].hour): int(more[k]) for k in np.flatnonzero(more)}
    return OnTop(readout, n, dict(sorted(hours.items())), aim.of(best + more), plain.of(instead))
