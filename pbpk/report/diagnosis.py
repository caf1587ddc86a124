"""Figures on how the chains walked and what the fit predicts, each with what to look for and what was found."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from pbpk.body.solve import Array
from pbpk.infer.draws.mixing import bfmi, closest_pairs, effective_within, ess_growth, worst_first
from pbpk.infer.draws.predictive_check import check_predictions
from pbpk.infer.matched.between import DEVIATE
from pbpk.report import diagnostic_figures as chains
from pbpk.report import predictive_figures as values
from pbpk.report import verdicts
from pbpk.report.verdicts import Verdict
from pbpk.report.wording import counted

if TYPE_CHECKING:
    from pbpk.infer.design.prior_check import PriorCheck
    from pbpk.predict.run import Run

WORST = 12  # parameters whose chains are drawn
GROWING = 5  # parameters whose effective draws are followed
PAIRS = 6
DENSITIES = 48  # parameters whose posterior is drawn over its prior
FARTHEST = 8.0  # prior SDs; a share that rounds to 1 lies no further


@dataclass(frozen=True)
class Shown:
    """One figure with what it is about, what to look for and how it looks; `short` says what was left out."""

    figure: Figure
    about: str
    anchor: str
    look: str
    verdict: Verdict
    short: str = ""


def shown(
    run: "Run", influence: pd.DataFrame | None = None, prior_check: "PriorCheck | None" = None
) -> dict[str, list[Shown]]:
    """Every diagnostic figure of a run, by question: prior, chains, energy, pairs, predictions, residuals and so on.

    influence : of leaving animals out: columns unit, group, animal, hours, elpd, k (Pareto's); no figure without it
    prior_check : what was found before the fit, from `check_prior`; no figure without it
    """
    scores = _scores(run)
    found = {
        "prior": _before(prior_check) if prior_check is not None else [],
        **_chains(run, scores),
        **_predictions(run),
        "influence": _influence(influence) if influence is not None and len(influence) else [],
        "learned": _learned(run, scores),
    }
    return {name: each for name, each in found.items() if each}


def _scores(run: "Run") -> dict[str, Array]:
    """Draws of all that was sampled, in prior SDs, (chain, draw); what never moved or is no number is left out."""
    draws = run.posterior.tree["posterior"].to_dataset()
    priors = {parameter.name: parameter.prior for parameter in run.joint.free}
    found = {}
    for name in map(str, draws):
        own = draws[name].to_numpy()
        if not (np.isfinite(own).all() and np.ptp(own) > 0.0) or (name not in priors and not name.startswith(DEVIATE)):
            continue
        with np.errstate(divide="ignore"):  # a share that rounds to 1
            score = priors[name].standardised(own) if name in priors else own
        found[name] = np.clip(score, -FARTHEST, FARTHEST)
    return found


def _named(scores: Mapping[str, Array]) -> dict[str, Array]:
    """Those that are no deviates of single animals."""
    return {name: values for name, values in scores.items() if not name.startswith(DEVIATE)}


def _before(check: "PriorCheck") -> list[Shown]:
    astray = int((check.table["side"] != "").sum())
    verdict = Verdict(
        f"{astray} of {counted(len(check.table), 'value')} lie outside what the prior expects"
        + ("." if check.passed else ": see the sentences above."),
        check.passed,
    )
    keys = len(check.table[values.KEYS].drop_duplicates())
    return [
        Shown(
            values.prior_figure(check),
            "Values on the bands that the prior expects, by organ.",
            "prior",
            "Values should lie inside the light band, some inside the dark one. All of an organ on one side, far off, "
            "is a mistake of unit, denominator or dose more often than a discovery.",
            verdict,
            _left_out(keys, values.PANELS, "organs", "those with the furthest values"),
        )
    ]


def _left_out(count: int, most: int, what: str, which: str) -> str:
    return f"Of {count} {what} {most} are drawn, {which}." if count > most else ""


def _chains(run: "Run", scores: Mapping[str, Array]) -> dict[str, list[Shown]]:
    """Traces, ranks, growth, energies and pairs."""
    each = run.posterior.each
    mixed = {name: each[name] for name in scores if name in each}
    worst = worst_first(mixed, WORST)
    draws = run.posterior.tree["posterior"].to_dataset()
    effective = effective_within(draws, worst)
    some = {name: scores[name] for name in worst}
    grown = ess_growth(draws, worst[:GROWING])
    stats = run.posterior.tree["sample_stats"].to_dataset()
    shown = {
        "chains": [
            Shown(
                chains.trace_rank_figure(some, effective),
                "Traces and ranks of parameters by chain.",
                "trace",
                "Left: chains should lie on each other and look like grass, without steps or slopes. Right: every "
                "chain should fill all bins alike, within the band.",
                verdicts.of_ranks(some, effective),
                _left_out(len(mixed), WORST, "parameters", "those that mix worst"),
            ),
            Shown(
                chains.growth_figure(grown),
                "Effective draws as the chains grow.",
                "growth",
                "Lines should rise straight: a line that bends down or jumps tells of a region that chains seldom "
                "find.",
                verdicts.of_growth(grown),
                _left_out(len(mixed), GROWING, "parameters", "those that mix worst"),
            ),
        ]
    }
    if "energy" in stats:
        energy = stats["energy"].to_numpy()
        look = "Steps (blue) should be about as wide as the energies (grey), and no bar shorter than the line."
        words = "Energies and the steps between them."
        shown["energy"] = [Shown(chains.energy_figure(energy), words, "energy", look, verdicts.of_energy(bfmi(energy)))]
    pairs = _pairs(run, _named(scores))
    if pairs:
        diverging = stats["diverging"].to_numpy().astype(bool)
        shown["pairs"] = [
            Shown(
                chains.pairs_figure(pairs, scores, diverging),
                "Pairs of parameters, draw by draw.",
                "pairs",
                "A round cloud as wide as the prior's circle was not learned; a narrow slanted or bent one says that "
                "the data know a combination of both and neither alone. Crosses that gather in a corner mark a "
                "region that the sampler could not enter.",
                verdicts.of_pairs(pairs, run.diagnostics.divergences),
            )
        ]
    return shown


def _pairs(run: "Run", scores: Mapping[str, Array]) -> list[tuple[str, str, float]]:
    """Pairs that the gate names, then the closest of those that were not learned, then of all."""
    table = run.parameters
    unlearned = {str(name) for name in table.loc[table["learned"] == "not learned", "parameter"]}
    named = [pair for pair in run.diagnostics.pairs if pair[0] in scores and pair[1] in scores]
    open_still = closest_pairs({name: own for name, own in scores.items() if name in unlearned}, PAIRS - 1)
    found: dict[frozenset[str], tuple[str, str, float]] = {}
    for pair in (*named, *open_still, *closest_pairs(scores, PAIRS)):
        found.setdefault(frozenset(pair[:2]), pair)
    return list(found.values())[:PAIRS]


def _predictions(run: "Run") -> dict[str, list[Shown]]:
    """Values beside predictive intervals, their PIT, their residuals."""
    check = check_predictions(run.posterior, seed=int(run.manifest["seed"]))
    keys = len(check.table[values.KEYS].drop_duplicates())
    shown = {
        "predictions": [
            Shown(
                values.predictive_figure(check.table),
                "Observed over predicted values, by organ.",
                "ppc",
                "Rings should scatter about 1 inside the bars; red ones lie outside 95 % of the values that the fit "
                "could have brought forth. A bar without a ring is a range, an arrow a value below its limit.",
                verdicts.of_intervals(check.table),
                _left_out(keys, values.PANELS, "organs", "those with the furthest values"),
            )
        ]
    }
    if check.pit.size > 4:
        shown["predictions"].append(
            Shown(
                values.pit_figure(check.pit),
                "Where values lie in their predictive distributions.",
                "pit",
                "Bars should be level, and the line should stay in its band: a hill says that intervals are too wide, "
                "a valley that they are too narrow, a slope that values lie to one side. The band is for values that "
                "share nothing and did not teach the fit; here they did, so a slight hill is to be expected.",
                verdicts.of_pit(check.pit),
            )
        )
    if check.table["residual"].notna().any():
        shown["residuals"] = [
            Shown(
                values.residual_figure(check.table),
                "Residuals against time, organ and prediction.",
                "rest",
                "Points should scatter about 0 without a slope, and no organ's mean (black line) should lie apart. A "
                "slope with time points to a missing or wrong rate, an organ apart to its weight or extraction.",
                verdicts.of_residuals(check.table),
            )
        ]
    return shown


def _influence(influence: pd.DataFrame) -> list[Shown]:
    figure = values.influence_figure(influence)
    return [
        Shown(
            figure,
            "Pareto k of leaving each animal out.",
            "influence",
            f"A point beyond {values.STRONG_K} is an animal without which the fit would be another one, so that what "
            "is said of leaving it out is not to be trusted either.",
            verdicts.of_influence(influence, values.STRONG_K),
            _left_out(len(influence), values.ANIMALS, "animals", "those with the largest k"),
        )
    ]


def _learned(run: "Run", drawn: Mapping[str, Array]) -> list[Shown]:
    scores, table = _named(drawn), run.parameters
    moved = sorted(scores, key=lambda name: -abs(float(np.median(scores[name]))))[:DENSITIES]
    some = {name: own for name, own in scores.items() if name in moved}
    words = {str(name): str(word) for name, word in zip(table["parameter"], table["learned"], strict=True)}
    return [
        Shown(
            chains.densities_figure(some, words),
            "Posterior over prior of each parameter.",
            "densities",
            "A line on its grey hill was not learned, a narrow one was; one beside its hill says that prior and data "
            "pull apart.",
            verdicts.of_priors(table),
            _left_out(len(scores), DENSITIES, "parameters", "those that the data moved most"),
        )
    ]
