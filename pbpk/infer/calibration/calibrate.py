"""Simulation-based calibration (Talts et al. 2018, arXiv:1804.06788): is the posterior right on average over the prior.

Draw a truth from the prior, data from the truth, and fit the data as if they were real: then the truth is one more draw
of the posterior, and its rank among the draws is uniform. Ranks of the parameters alone can miss what is wrong with a
likelihood; those of functions of parameters and data do not (Modrak et al. 2023, Bayesian Analysis, doi
10.1214/23-BA1404): the log-likelihood above all.

One fit is one task, whose numbers follow from the seed and its place in the row: one process or many workers give the
same ranks.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any, Protocol

import numpy as np
import pandas as pd

from pbpk.assay.counts import OrganCounts
from pbpk.body.model import Model
from pbpk.body.solve import Array
from pbpk.errors import PbpkError
from pbpk.infer.calibration.replicate import replicated
from pbpk.infer.calibration.uniformity import LEVELS, place, uniform_rows
from pbpk.infer.comparison.held_out import log_whole
from pbpk.infer.draws.fit import Compiled
from pbpk.infer.draws.posterior import Posterior
from pbpk.infer.matched.joint import Calibration, Joint, join, predict_percent

Quantity = Callable[[Joint, Array, Array], Array]
MOST_RHAT = 1.05  # of a fit whose ranks are trusted: they need no more, for each is known to a hundredth only
LEAST_ESS = 50
MOST_DRAWS = 200  # near-independent draws that a rank is taken among
ALPHA = 0.05  # chance of a false alarm, over all quantities together
RETRIES = 3  # of a fit whose worker was lost


class Fit(Protocol):
    """How a replicate is fitted: `pbpk.infer.draws.fit.fit`, or something that believes otherwise."""

    def __call__(
        self, model: Model, counts: OrganCounts, *, seed: int, chains: int, draws: int, tune: int,
        calibration: Calibration,
    ) -> Posterior:  # fmt: skip
        """Posterior of the counts."""


def refit(
    model: Model, counts: OrganCounts, *, seed: int, chains: int, draws: int, tune: int, calibration: Calibration
) -> Posterior:
    """`pbpk.infer.draws.fit.fit`, compiled once in each process: replicates differ by their numbers alone."""
    return _compiled().fit(model, counts, seed=seed, chains=chains, draws=draws, tune=tune, calibration=calibration)


@cache
def _compiled() -> Compiled:
    """What this process compiled."""
    return Compiled()


@dataclass(frozen=True)
class Task:
    """One fit, but for its number.

    quantities : functions of the fitted joint, draws (draw, estimated) and unknowns (draw, unknown), each (draw,)
    """

    model: Model
    counts: OrganCounts
    seed: int
    chains: int
    draws: int
    tune: int
    calibration: Calibration
    fit: Fit
    quantities: Mapping[str, Quantity]
    nu: float | None


@dataclass(frozen=True)
class Outcome:
    """What one fit gave.

    places : quantity -> rank of the truth between 0 and 1; none where there is no posterior
    kept : near-independent draws that the ranks were taken among
    problem : why the fit is not to be trusted, or why there is none; empty otherwise
    """

    number: int
    places: Mapping[str, float]
    kept: int
    rhat: float
    ess: float
    divergences: int
    seconds: float
    problem: str = ""


@dataclass(frozen=True)
class Calibrated:
    """Ranks of many fits, and what they say.

    parameters : quantities that are parameters; all others are functions of parameters and data
    """

    model: str
    study: str
    seed: int
    parameters: tuple[str, ...]
    outcomes: tuple[Outcome, ...]

    @cached_property
    def places(self) -> pd.DataFrame:
        """Ranks between 0 and 1: one row for each fit that gave a posterior, by its number, one column a quantity."""
        given = {outcome.number: dict(outcome.places) for outcome in self.outcomes if outcome.places}
        return pd.DataFrame.from_dict(given, orient="index")

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row for each quantity: coverage with its interval, p-values, what is wrong with the posterior."""
        return _table(self.places, self.parameters)

    @property
    def suspects(self) -> tuple[str, ...]:
        """Quantities whose ranks are not uniform, a false alarm among all of them being as rare as `ALPHA`."""
        return tuple(self.table.loc[self.table["p_holm"] < ALPHA, "quantity"])

    @property
    def troubled(self) -> tuple[Outcome, ...]:
        """Fits that did not converge, or gave nothing."""
        return tuple(outcome for outcome in self.outcomes if outcome.problem)

    @property
    def passed(self) -> bool:
        """True where all ranks are uniform and every fit gave some."""
        return not self.suspects and all(outcome.places for outcome in self.outcomes)

    @cached_property
    def sentences(self) -> tuple[str, ...]:
        """What was found, in words."""
        return tuple(_sentences(self))


def calibrate(
    model: Model,
    counts: OrganCounts,
    fits: int = 100,
    seed: int = 1,
    chains: int = 2,
    draws: int = 500,
    tune: int = 500,
    calibration: Calibration = "joint",
    fit: Fit = refit,
    quantities: Mapping[str, Quantity] | None = None,
    nu: float | None = None,
    scheduler: Any = None,
    known: Sequence[Outcome] = (),
    tell: Callable[[Outcome], None] | None = None,
) -> Calibrated:
    """Fit many replicates of a study, each with a truth drawn from the prior, and rank the truths.

    Parameters
    ----------
    counts : the design; its values do not matter, but for what kind of rows they are
    calibration : how the controls of an instrument enter, see `Joint`
    fit : what is judged
    quantities : beside the parameters, `quantities_of` unless given
    nu : degrees of freedom of single animals in the data, as the study believes if None; what the fit believes is its
        own
    scheduler : None for this process, or a `distributed.Client` or the address of one's scheduler
    known : outcomes of an earlier call with the same arguments, which are not computed again
    tell : called with each outcome as it is there

    Raises
    ------
    StudyError, ModelFileError
        if counts and model do not match
    """
    joint = join(model, counts, calibration)
    asked = quantities_of(joint) if quantities is None else quantities
    light = replace(counts, panels=(), quantified=None)  # what a fit does not need does not travel
    task = Task(model, light, seed, chains, draws, tune, calibration, fit, asked, nu)
    found = {outcome.number: outcome for outcome in known if outcome.number < fits}
    todo = [number for number in range(fits) if number not in found]
    for outcome in _here(task, todo) if scheduler is None else _on_workers(task, todo, scheduler):
        found[outcome.number] = outcome
        if tell is not None:
            tell(outcome)
    free = tuple(parameter.name for parameter in joint.free)
    return Calibrated(model.name, counts.study.about.title, seed, free, tuple(found[i] for i in range(fits)))


def _here(task: Task, numbers: Sequence[int]) -> Iterator[Outcome]:
    """Outcomes one by one, in this process."""
    for number in numbers:
        yield one_fit(task, number)


def _on_workers(task: Task, numbers: Sequence[int], scheduler: Any) -> Iterator[Outcome]:
    """Outcomes as workers end them; a fit whose worker was lost is done again by another."""
    from distributed import Client, as_completed

    if isinstance(scheduler, str):
        with Client(scheduler) as client:
            yield from _on_workers(task, numbers, client)
        return
    futures = {
        scheduler.submit(
            one_fit, task, number, key=f"calibrate-{task.seed}-{number}-{id(task)}", retries=RETRIES
        ): number
        for number in numbers
    }
    try:
        for future in as_completed(list(futures)):
            problem = future.exception()
            yield (
                future.result()
                if problem is None
                else _nothing(futures[future], f"{type(problem).__name__}: {problem}")
            )
    finally:
        scheduler.cancel(list(futures))


def one_fit(task: Task, number: int) -> Outcome:
    """Draw a truth and its data, fit, and rank the truth.

    number : of the fit; truth, data and sampler follow from it and the seed
    """
    truth, data, chain, ties = np.random.SeedSequence([task.seed, number]).spawn(4)
    joint = join(task.model, task.counts, task.calibration)
    theta = joint.theta(np.random.default_rng(truth).standard_normal((1, len(joint.free))))
    try:
        made = replicated(joint, theta[0], np.random.default_rng(data), task.nu)
        posterior = task.fit(
            task.model, made.counts, seed=int(chain.generate_state(1)[0]), chains=task.chains, draws=task.draws,
            tune=task.tune, calibration=task.calibration)  # fmt: skip
    except (PbpkError, RuntimeError, ValueError) as problem:  # nutpie tells of a start it cannot find by the latter two
        return _nothing(number, f"{type(problem).__name__}: {problem}")
    return _ranked(task, number, joint, theta, made.unknowns, posterior, np.random.default_rng(ties))


def _nothing(number: int, problem: str) -> Outcome:
    """Outcome of a fit that gave no posterior."""
    return Outcome(number, {}, 0, np.nan, 0.0, 0, np.nan, problem)


def _ranked(
    task: Task, number: int, joint: Joint, theta: Array, u: Array, posterior: Posterior, rng: np.random.Generator
) -> Outcome:  # fmt: skip
    """Ranks of one truth `theta` (1, estimated) with the unknowns `u` (unknown,) among the draws of its fit."""
    rhat = max((each["rhat"] for each in posterior.each.values()), default=np.nan)
    ess = min((each["ess_bulk"] for each in posterior.each.values()), default=np.nan)
    everything = posterior.theta()
    step = int(np.ceil(len(everything) / np.clip(ess, 1.0, min(MOST_DRAWS, len(everything)))))
    draws, unknowns = everything[::step], posterior.unknowns()[::step]
    believed = posterior.joint
    both = [p.name for p in joint.free if p.name in {q.name for q in believed.free}]
    places = {n: place(draws[:, believed.names.index(n)], theta[0, joint.names.index(n)], rng) for n in both}
    signals = believed.counts.signals
    if signals is not None and unknowns.shape[1] == u.size:
        places |= {f"{n} of the instrument {i}": place(unknowns[:, i], u[i], rng)
                   for i, n in enumerate(signals.shared.names)}  # fmt: skip
    # the truth in the order of the fitted joint; what only the truth knows is left out
    true = np.array([[theta[0, joint.names.index(name)] for name in believed.names]])
    for name, quantity in task.quantities.items():
        values, value = quantity(believed, draws, unknowns), quantity(believed, true, u[np.newaxis])
        places[name] = place(values, float(value[0]), rng)
    problems = []
    if not rhat <= MOST_RHAT:
        problems.append(f"R-hat {rhat:.3f}")
    if not ess >= LEAST_ESS:
        problems.append(f"{ess:.0f} effective draws")
    if posterior.diagnostics.divergences:
        problems.append(f"{posterior.diagnostics.divergences} divergences")
    return Outcome(number, places, len(draws), float(rhat), float(ess), posterior.diagnostics.divergences,
                   float(sum(posterior.seconds.values())), ", ".join(problems))  # fmt: skip


def quantities_of(joint: Joint) -> dict[str, Quantity]:
    """Functions of parameters and data whose ranks are judged: log-likelihood, all that is in the body, some rows."""
    rows = sorted({0, len(joint.counts.table) // 2, len(joint.counts.table) - 1})
    table = joint.counts.table
    named = {row: f"{table['organ'][row]} of {table['group'][row]} at {table['hours'][row]:g} h" for row in rows}
    found: dict[str, Quantity] = {"log-likelihood": log_likelihood, "in the body": in_the_body}
    return found | {f"{name} (row {row})": _Predicted(row) for row, name in named.items()}


@dataclass(frozen=True)
class _Predicted:
    """What the median animal of one row should be."""

    row: int

    def __call__(self, joint: Joint, theta: Array, unknowns: Array) -> Array:
        return predict_percent(joint, theta)[joint.readings[0]][:, self.row]


def in_the_body(joint: Joint, theta: Array, unknowns: Array) -> Array:
    """What the body of the first animals holds when they were seen last, (draw,) [% of the dose]."""
    experiment = joint.experiments[0]
    model = experiment.model
    kept = np.array([state not in model.outside for state in model.states])
    return np.asarray(joint.solve(experiment, theta, experiment.hours[-1:])[:, 0] @ kept)


def log_likelihood(joint: Joint, theta: Array, unknowns: Array) -> Array:
    """Log-likelihood of the counts, with prior and controls of the unknowns where they are fitted too, (draw,)."""
    found = log_whole(joint, theta, predict_percent(joint, theta), unknowns)
    signals = joint.counts.signals
    if signals is not None and signals.shared.names and joint.calibration == "joint":
        found = found + np.array([signals.shared.log_density(u) for u in unknowns])
    return found


def _table(places: pd.DataFrame, parameters: Sequence[str]) -> pd.DataFrame:
    """Rows of `uniform_rows` for ranks (fit, quantity), parameters first as they come, each marked as one or not."""
    ranks = {str(name): places[name].dropna().to_numpy() for name in places}
    table = pd.DataFrame(uniform_rows(ranks))
    table.insert(1, "kind", np.where(table["quantity"].isin(parameters), "parameter", "test quantity"))
    return table


def _sentences(found: Calibrated) -> Iterator[str]:
    """What was found, in words."""
    table, suspects = found.table, found.suspects
    for kind, several in (("parameter", "parameters"), ("test quantity", "test quantities")):
        rows = table[table["kind"] == kind]
        if len(rows):
            sound = int((~rows["quantity"].isin(suspects)).sum())
            cover = ", ".join(f"{rows[f'cover{100 * level:g}'].mean():.1%} of {100 * level:g} %" for level in LEVELS)
            yield (f"{sound} of {len(rows)} {several if len(rows) > 1 else kind} uniform; on average their central "
                   f"intervals held {cover}.")  # fmt: skip
    for row in table[table["quantity"].isin(suspects)].itertuples():
        yield (f"`{row.quantity}` is not uniform (p = {row.p_ecdf:.2g}, {row.p_holm:.2g} among all): its posterior is "
               f"{row.posterior}; 95 % intervals held {row.cover95:.0%}.")  # fmt: skip
    lost = [outcome for outcome in found.outcomes if not outcome.places]
    poor = [outcome for outcome in found.troubled if outcome.places]
    n = len(found.outcomes)
    if lost:
        yield (f"{len(lost)} of {n} fits gave nothing, and so no rank: "
               + "; ".join(f"{o.number} ({o.problem})" for o in lost) + ".")  # fmt: skip
    if poor:
        yield (f"{len(poor)} of {n} fits did not converge: " + "; ".join(f"{o.number} ({o.problem})" for o in poor)
               + ". Their ranks are counted" + _without(found, poor) + ".")  # fmt: skip


def _without(found: Calibrated, poor: Sequence[Outcome]) -> str:
    """What would be judged otherwise if fits that did not converge were left out."""
    rest = found.places.drop(index=[outcome.number for outcome in poor])
    if len(rest) < 2:
        return ""
    table = _table(rest, found.parameters)
    others = set(table.loc[table["p_holm"] < ALPHA, "quantity"])
    if others == set(found.suspects):
        return "; without them no verdict changes"
    return "; without them not uniform: " + (", ".join(f"`{name}`" for name in sorted(others)) or "none")
